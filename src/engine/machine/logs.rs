//! The logs of a host, as far as they tell of now: the running generation of uWSGI, and the last quarter of an hour.

use std::collections::BTreeSet;

use crate::diagnosis::Reason;
use crate::engine::machine::log_files::{self, LogFile};
use crate::engine::machine::paths::Path;
use crate::engine::machine::{Visit, clock};
use crate::host::{Host, ReadError};
use crate::rule::seen::find;
use crate::source::{FileId, Place, Sources, Span};
use crate::stack::job::Job;
use crate::stack::nginx::Trees;
use crate::stack::uwsgi::{Reading, Uwsgi, UwsgiOption};
use crate::syntax::log::nginx::parse_nginx;
use crate::syntax::log::uwsgi::Request;
use crate::syntax::log::{Event, NginxError, UwsgiLine, lines, parse_uwsgi};
use crate::syntax::nginx::{Config, Word};

/// How much a process may seem to have started after its first line: the kernel counts in ticks.
const SLACK: i64 = 2;

/// The log of one uWSGI.
#[derive(Debug, Default)]
pub(super) struct UwsgiLog {
    file: Option<FileId>,
    /// What its last start and all after it tell; nothing where that was not the start of the process that runs.
    pub(super) generation: Vec<UwsgiLine>,
    /// The log that this user may not read.
    pub(super) hidden: Option<String>,
    /// Whether it tells of another process than the one that runs.
    is_other: bool,
    /// From where on lines are recent.
    recent: u32,
    /// Where the moment ends that is looked at.
    until: u32,
    /// Where the start before the last began, where the same master lived through both and the last was lately.
    reloaded_from: Option<u32>,
    text: std::sync::Arc<str>,
}

/// One request with its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'l> {
    /// The line.
    pub(super) place: Place,
    /// What it tells.
    pub(super) request: &'l Request,
}

impl Asked<'_> {
    /// Whether its client got an error of the server.
    pub(super) fn failed(&self) -> bool {
        self.request.status.value >= 500 || self.is_empty()
    }

    /// Whether nothing at all was sent: an exception left the WSGI callable.
    pub(super) fn is_empty(&self) -> bool {
        self.request.headers.value == 0 && self.request.header_bytes == 0
    }
}

impl UwsgiLog {
    /// Reads the log of an instance; `pid` is the master that runs now.
    pub(super) fn of(
        host: &dyn Host,
        visit: &Visit,
        uwsgi: &Uwsgi,
        job: Option<&Job>,
        pid: Option<i32>,
        sources: &mut Sources,
    ) -> Self {
        let mut files: Vec<LogFile> = visit.logs.iter().map(|path| LogFile::at(path)).collect();
        // logrotate moves a log that uWSGI goes on writing, until somebody tells it to open the new one.
        let said = uwsgi.logto.known().map(String::as_str);
        files.extend(pid.into_iter().flat_map(|pid| log_files::held_open(host, pid, said)));
        // Upstart keeps what a job prints: all where nothing else is said, else what it says before it opens its log.
        let name = job.and_then(|job| job.name.known());
        let is_of = |dialect: &str| job.and_then(|job| job.dialect.known()).is_some_and(|known| known == dialect);
        let printed = name.filter(|_| is_of("upstart")).map(|job| format!("/var/log/upstart/{job}.log"));
        for path in visit.logs.iter().chain(uwsgi.logto.known()).chain(&printed) {
            files.push(LogFile::at(path));
            files.extend(log_files::rotated(host, path, visit.at));
        }
        let unit = name.filter(|_| is_of("systemd")).cloned();
        let unit = unit.or_else(|| pid.and_then(|pid| log_files::unit_of(host, pid)));
        files.extend(unit.map(|unit| LogFile::of_unit(&unit)));
        let (mut hidden, mut bare) = (None, None);
        for file in files {
            if let Some(log) = Self::read(host, visit, &file, pid, sources) {
                if log.tells() {
                    return log;
                }
                bare = bare.or(Some(log));
            }
            hidden = hidden.or((host.tail(&file.path) == Err(ReadError::NoPermission)).then(|| host.shown(&file.path)));
        }
        // One that holds no start of uWSGI says why there was none; where it runs, it is of some other time.
        bare.filter(|_| pid.is_none()).unwrap_or_else(|| Self { hidden, ..Self::default() })
    }

    /// Whether it holds anything that uWSGI logs when it starts or serves.
    fn tells(&self) -> bool {
        self.is_other || !self.generation.is_empty()
    }

    fn read(host: &dyn Host, visit: &Visit, log: &LogFile, pid: Option<i32>, sources: &mut Sources) -> Option<Self> {
        let (file, text) = log.tail(host, sources)?;
        let mut lines = parse_uwsgi(&text);
        if let Ok(stat) = host.stat(&log.path) {
            let written = stat.modified.saturating_add(visit.ahead(host));
            clock::set(&mut lines, &text, written);
        }
        let now = visit.in_logs(host);
        let mut until = Span::new(text.len(), text.len()).start;
        if visit.at.is_some()
            && let Some(later) = lines.iter().position(|line| time(line).is_some_and(|time| time > now))
        {
            until = lines[later].span.start;
            lines.truncate(later);
            if lines.is_empty() {
                return None;
            }
        }
        let start = lines.iter().rposition(|line| matches!(line.event, Event::Started { .. })).unwrap_or(0);
        let generation = lines[start..].to_vec();
        let mut masters = generation.iter().filter_map(|line| match &line.event {
            Event::MasterSpawned { pid } => Some(pid.value),
            _ => None,
        });
        // Of an earlier moment an earlier master may tell.
        let pid = pid.filter(|_| visit.at.is_none());
        if pid.is_some_and(|pid| masters.next().is_some_and(|logged| logged != i64::from(pid))) {
            return Some(Self { file: Some(file), is_other: true, text, ..Self::default() });
        }
        let from = now.saturating_sub(visit.recent());
        let old = generation.iter().rev().find(|line| time(line).is_some_and(|time| time < from));
        let recent = old.map_or(generation.first().map_or(0, |line| line.span.start), |line| line.span.end);
        let reloaded_from = reload(&lines[..start], &generation, from);
        let is_other = false;
        Some(Self { file: Some(file), generation, is_other, recent, until, reloaded_from, text, hidden: None })
    }

    /// Why it tells nothing; `unseen` where it was not found at all.
    pub(super) fn reason(&self, unseen: Reason) -> Reason {
        match (&self.hidden, self.file) {
            (Some(_), _) => Reason::NoPermission,
            (_, Some(_)) => Reason::NoEvidence,
            _ => unseen,
        }
    }

    /// The exceptions of the recent tracebacks, newest first: where each stands, and its words.
    pub(super) fn exceptions(&self) -> impl Iterator<Item = (Place, &str)> {
        self.recent_lines().rev().filter_map(|line| {
            let span = exception(line)?;
            Some((self.place(span)?, span.of(&self.text)))
        })
    }

    /// The exception that was logged last before an event: where it stands, and its words.
    pub(super) fn exception_before(&self, event: Span) -> Option<(Place, &str)> {
        let before = self.generation.iter().rev().filter(|line| line.span.start < event.start);
        let span = before.filter_map(exception).next()?;
        Some((self.place(span)?, span.of(&self.text)))
    }

    /// Where that exception's traceback names the line of the code.
    pub(super) fn frame_before(&self, event: Span) -> Option<Place> {
        let before = self.generation.iter().rev().filter(|line| line.span.start < event.start);
        let frame = before.map(|line| &line.event).find_map(|event| match event {
            Event::Traceback { frame, .. } => Some(frame.as_ref()),
            _ => None,
        })?;
        frame.and_then(|frame| self.place(frame.path.span.to(frame.line.span)))
    }

    /// Where an event stands.
    pub(super) fn place(&self, span: Span) -> Option<Place> {
        Some(Place::at(self.file?, span))
    }

    /// The recent requests, in order.
    pub(super) fn requests(&self) -> impl DoubleEndedIterator<Item = Asked<'_>> {
        self.recent_lines().filter_map(|line| match &line.event {
            Event::Request(request) => Some(Asked { place: self.place(line.span)?, request }),
            _ => None,
        })
    }

    /// The recent lines that tell something.
    pub(super) fn recent_lines(&self) -> impl DoubleEndedIterator<Item = &UwsgiLine> {
        self.generation.iter().filter(|line| line.span.start >= self.recent)
    }

    /// When requests of this generation failed, by the host's clock; those of long ago too.
    pub(super) fn failures(&self) -> impl Iterator<Item = i64> {
        self.generation.iter().filter_map(|line| match &line.event {
            Event::Request(request) => {
                let asked = Asked { place: self.place(line.span)?, request };
                request.time.filter(|_| asked.failed())
            }
            _ => None,
        })
    }

    /// Whether a worker was ended by signal 9 lately, and not by uWSGI itself.
    pub(super) fn tells_of_a_kill(&self) -> bool {
        let killed = |line: &UwsgiLine| matches!(line.event, Event::WorkerDied { signal: Some(9), .. });
        let harakiri = |line: &UwsgiLine| matches!(line.event, Event::Harakiri { .. });
        self.recent_lines().any(killed) && !self.recent_lines().any(harakiri)
    }

    /// The recent lines that hold a text, in which `…` stands for any run.
    pub(super) fn holding(&self, text: &str) -> Vec<Place> {
        let Some(file) = self.file.filter(|_| !self.generation.is_empty()) else { return Vec::new() };
        // A client chooses the words of its request.
        let is_request = |start: &usize| matches!(self.event_at(*start), Some(Event::Request(_)));
        let recent = self.current().filter(|(start, _, is_recent)| *is_recent && !is_request(start));
        recent.filter_map(|(start, line, _)| Some(Place::at(file, find(text, line)?.shift(start)))).collect()
    }

    /// Whether a place lies in it.
    pub(super) fn holds(&self, place: Place) -> bool {
        self.file == Some(place.file)
    }

    /// The words at a place in it.
    pub(super) fn words(&self, place: Place) -> Option<&str> {
        place.span.filter(|_| self.holds(place)).map(|span| span.of(&self.text))
    }

    /// What the line that begins here tells.
    pub(super) fn event_at(&self, start: usize) -> Option<&Event> {
        let until = self.generation.partition_point(|line| line.span.start as usize <= start);
        let line = self.generation.get(until.checked_sub(1)?)?;
        (line.span.end as usize > start).then_some(&line.event)
    }

    /// The lines before the last start, where uWSGI was told to reload: where each begins, and its text.
    pub(super) fn before_reload(&self) -> impl Iterator<Item = (usize, &str)> {
        let until = self.generation.first().map_or(0, |line| line.span.start as usize);
        let from = self.reloaded_from.map_or(until, |from| from as usize);
        lines(self.text.get(from..until).unwrap_or("")).map(move |(start, line)| (from + start, line))
    }

    /// Every line since the last start: where it begins, its text, and whether it is recent.
    pub(super) fn current(&self) -> impl Iterator<Item = (usize, &str, bool)> {
        let (from, until) = (self.generation.first().map_or(0, |line| line.span.start), self.until);
        let all = self.text.get(from as usize..until as usize).unwrap_or("");
        let from = from as usize;
        lines(all).map(move |(start, line)| (from + start, line, from + start >= self.recent as usize))
    }
}

/// Where the start before this one began, if one master made both and this one is not older than `from`.
fn reload(before: &[UwsgiLine], generation: &[UwsgiLine], from: i64) -> Option<u32> {
    let start = before.iter().rposition(|line| matches!(line.event, Event::Started { .. }))?;
    let master = |lines: &[UwsgiLine]| {
        lines.iter().find_map(|line| match &line.event {
            Event::MasterSpawned { pid } => Some(pid.value),
            _ => None,
        })
    };
    let is_recent = generation.first().and_then(time).is_some_and(|time| time >= from);
    let same = master(&before[start..]).is_some_and(|pid| Some(pid) == master(generation));
    (is_recent && same).then(|| before[start].span.start)
}

fn exception(line: &UwsgiLine) -> Option<Span> {
    match &line.event {
        Event::Traceback { exception, message, .. } => Some(exception.span.to(message.span)),
        _ => None,
    }
}

fn time(line: &UwsgiLine) -> Option<i64> {
    match &line.event {
        Event::Started { time, .. } => *time,
        Event::Request(request) => request.time,
        _ => None,
    }
}

/// What nginx complained of lately.
#[derive(Debug, Default)]
pub(super) struct NginxLog {
    /// Each line with the log it stands in.
    pub(super) errors: Vec<(FileId, NginxError)>,
    /// Those of before.
    earlier: Vec<NginxError>,
    /// How far the log's time is ahead of UTC, in seconds.
    pub(super) ahead: i64,
}

impl NginxLog {
    /// The lines with this message about the address that a way passes to.
    pub(super) fn about(&self, path: &Path, message: &str) -> impl DoubleEndedIterator<Item = &(FileId, NginxError)> {
        let all = self.errors.iter();
        all.filter(move |(_, error)| path.is_upstream_of(error) && error.message.value.contains(message))
    }

    /// When requests of a way failed, by the host's clock; those of long ago too.
    pub(super) fn failures(&self, path: &Path) -> Vec<i64> {
        let all = self.earlier.iter().chain(self.errors.iter().map(|(_, error)| error));
        all.filter(|error| path.is_upstream_of(error)).map(|error| error.time.value).collect()
    }

    /// Whether a line was written after a process had started; true where it is not known when that was.
    pub(super) fn is_since(&self, error: &NginxError, started: Option<i64>) -> bool {
        started.is_none_or(|started| error.time.value - self.ahead >= started - SLACK)
    }

    /// Reads the logs that the configuration names; `started` is when nginx did.
    pub(super) fn of(
        host: &dyn Host,
        visit: &Visit,
        named: &[String],
        started: Option<i64>,
        sources: &mut Sources,
    ) -> Self {
        let mut log = Self { ahead: visit.ahead(host), ..Self::default() };
        let mut read = BTreeSet::new();
        for path in visit.logs.iter().chain(named).filter(|path| read.insert(path.as_str())) {
            let now = visit.in_logs(host);
            // Of an earlier moment an earlier nginx may tell.
            let started = started.filter(|_| visit.at.is_none());
            let since_start =
                started.map_or(i64::MIN, |started| started.saturating_sub(SLACK).saturating_add(log.ahead));
            let from = since_start.max(now.saturating_sub(visit.recent()));
            let until = visit.at.map_or(i64::MAX, |_| now);
            let is_current = |line: &NginxError| (from..=until).contains(&line.time.value);
            let earliest = from.saturating_sub(log.ahead);
            let mut files = log_files::rotated(host, path, visit.at.is_some().then_some(earliest));
            files.retain(|file| host.stat(&file.path).is_ok_and(|stat| stat.modified >= earliest));
            files.push(LogFile::at(path));
            for (file, text) in files.iter().filter_map(|file| file.tail(host, sources)) {
                let (current, others): (Vec<_>, Vec<_>) = parse_nginx(&text).into_iter().partition(is_current);
                log.errors.extend(current.into_iter().map(|line| (file, line)));
                log.earlier.extend(others.into_iter().filter(|line| line.time.value < from && line.upstream.is_some()));
            }
        }
        log
    }
}

/// The file to which a uWSGI writes a line for each request; `None` where it writes none or nothing tells.
pub(super) fn requests_of(host: &dyn Host, uwsgi: &Reading, pid: Option<i32>) -> Option<String> {
    const OTHERWISE: [&str; 4] = ["disable-logging", "req-logger", "logger", "log-format"];
    let is_otherwise = |row: &UwsgiOption| row.name.known().is_some_and(|name| OTHERWISE.contains(&name.as_str()));
    if uwsgi.open.is_some() || uwsgi.options.iter().any(is_otherwise) {
        return None;
    }
    let named = uwsgi.uwsgi.logto.known();
    let held = pid.and_then(|pid| log_files::held_open(host, pid, named.map(String::as_str)).into_iter().next());
    held.map(|file| file.path).or(named.cloned())
}

/// The files to which nginx writes a line for each request at once; none where one of them is off, buffered, on a
/// condition, or no file.
pub(super) fn access_logs(trees: &Trees) -> Vec<String> {
    const DEFAULT: &str = "/var/log/nginx/access.log";
    let all = || trees.values().flat_map(|parsed| parsed.tree.all_directives()).filter(|one| one.is("access_log"));
    let mut paths: BTreeSet<String> = BTreeSet::new();
    for directive in all() {
        let words: Vec<&str> = (0..).map_while(|at| directive.argument(at)).map(Word::value).collect();
        let is_late = |word: &&str| ["buffer=", "gzip", "if=", "flush="].iter().any(|start| word.starts_with(start));
        match words.split_first() {
            Some((path, rest)) if path.starts_with('/') && !path.contains('$') && !rest.iter().any(is_late) => {
                paths.insert((*path).to_owned());
            }
            _ => return Vec::new(),
        }
    }
    if paths.is_empty() {
        paths.insert(DEFAULT.to_owned());
    }
    paths.into_iter().collect()
}

/// The files that nginx's `error_log` names, or Debian's own where none does.
pub(super) fn error_logs(tree: &Config, into: &mut Vec<String>) {
    for directive in tree.all_directives().filter(|directive| directive.is("error_log")) {
        if let Some(path) = directive.argument(0).map(Word::value)
            && path.starts_with('/')
            && !into.iter().any(|known| known == path)
        {
            into.push(path.to_owned());
        }
    }
}
