//! Every job in sight, whatever starts it, the uWSGI instances that they start, and what only the others can tell of a job.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::finding::Confidence;
use crate::source::{FileId, Span};
use crate::stack::document::{Document, Kind};
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::job::{self, Emitters, Event, Job, JobLine, JobStanza};
use crate::stack::launch::Argument;
use crate::stack::link::by_path;
use crate::stack::unit::Units;
use crate::stack::uwsgi;
use crate::stack::view::View;

/// A job with its document, so that its command line can be read as options.
#[derive(Debug)]
pub struct Start {
    /// The text that its command stands in.
    pub document: Arc<Document>,
    /// All that it says.
    pub reading: job::Reading,
    /// Its row, whole once [`finish`] has run.
    pub job: Arc<Job>,
}

/// The rows of one job.
#[derive(Debug, Clone)]
pub struct JobRows {
    /// The job.
    pub job: Arc<Job>,
    /// Its stanzas.
    pub stanzas: Vec<JobStanza>,
    /// Its lines that are taken otherwise than they look.
    pub lines: Vec<JobLine>,
    /// The events that it waits for.
    pub events: Vec<Event>,
}

impl Start {
    /// The rows of the job, each with the job itself.
    pub fn into_rows(self) -> JobRows {
        let Self { job, mut reading, .. } = self;
        let whole = || Fact::derived(Arc::clone(&job));
        reading.stanzas.iter_mut().for_each(|row| row.job = whole());
        reading.lines.iter_mut().for_each(|row| row.job = whole());
        reading.events.iter_mut().for_each(|row| row.job = whole());
        JobRows { stanzas: reading.stanzas, lines: reading.lines, events: reading.events, job }
    }
}

/// A uWSGI instance with the job that starts it, by its place among the jobs, and how sure that is.
pub type Started = (uwsgi::Reading, Option<(usize, Confidence)>);

const OVERRIDE: &str = ".override";

/// The jobs of a view: those of Upstart with their overrides, the services of systemd, and what else starts processes.
pub fn all(view: &View, units: &Units) -> Vec<Start> {
    let own = view.of(Kind::Upstart).filter(|document| !document.path.ends_with(OVERRIDE));
    let upstart = own.map(|document| {
        let base = document.path.strip_suffix(".conf");
        let override_file = base.and_then(|base| view.at(&format!("{base}{OVERRIDE}")).first());
        job::upstart::read(document, override_file)
    });
    let systemd = units.services().filter_map(|unit| job::systemd::read(&unit));
    let several = |kind: Kind, read: fn(&Document) -> Vec<job::Reading>| {
        view.of(kind)
            .flat_map(move |document| read(document).into_iter().map(move |reading| (reading, Arc::clone(document))))
    };
    let supervisor = several(Kind::Supervisor, job::supervisor::read);
    let procfile = several(Kind::Procfile, job::procfile::read);
    let compose = several(Kind::Compose, job::compose::read);
    upstart
        .chain(systemd)
        .chain(supervisor)
        .chain(procfile)
        .chain(compose)
        .map(|(reading, document)| Start { job: Arc::new(reading.job.clone()), document, reading })
        .collect()
}

/// Overrides whose job is out of sight: a package may bring it.
pub fn stray_overrides(view: &View) -> impl Iterator<Item = &Document> {
    view.of(Kind::Upstart).map(Arc::as_ref).filter(|document| {
        let base = document.path.strip_suffix(OVERRIDE);
        base.is_some_and(|base| view.at(&format!("{base}.conf")).is_empty())
    })
}

/// Every uWSGI instance with the job that starts it: first the inis, then the jobs without one.
pub fn readings(around: uwsgi::Around<'_>, view: &View, starts: &[Start]) -> Vec<Started> {
    let inis: Vec<&Arc<Document>> = view.of(Kind::Uwsgi).collect();
    let mut of_job: Vec<_> = starts.iter().map(|start| ini_of(view, &inis, start)).collect();
    if let Some(at) = only_candidate(view, &inis, starts, &of_job) {
        of_job[at] = inis.first().map(|ini| (ini, Confidence::Possible));
    }
    let mut all = Vec::new();
    for ini in &inis {
        let mut jobs = of_job
            .iter()
            .enumerate()
            .filter_map(|(at, found)| found.filter(|(found, _)| Arc::ptr_eq(found, ini)).map(|(_, sure)| (at, sure)));
        let job = match (jobs.next(), jobs.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        };
        let words = job.and_then(|(at, _)| starts[at].reading.uwsgi.as_ref().map(|words| (&starts[at], words)));
        let reading = match words {
            Some((start, words)) => uwsgi::read_with_command(Some(ini), &start.document, &option_words(words), around),
            None => uwsgi::read(ini, around),
        };
        all.push((reading, job));
    }
    let mut all = without_fragments(all, &inis, view.complete);
    for (at, start) in starts.iter().enumerate().filter(|(_, start)| start.job.uwsgi_ini.is_absent()) {
        if let Some(words) = &start.reading.uwsgi {
            let reading = uwsgi::read_with_command(None, &start.document, &option_words(words), around);
            all.push((reading, Some((at, Confidence::Proved))));
        }
    }
    all
}

/// Those that are started: no ini that another brings in, unless a job names it or, in a repository where no job starts the
/// other, it opens a socket of its own.
fn without_fragments<J>(
    mut all: Vec<(uwsgi::Reading, Option<J>)>,
    inis: &[&Arc<Document>],
    on_host: bool,
) -> Vec<(uwsgi::Reading, Option<J>)> {
    let brings: Vec<(FileId, BTreeSet<FileId>, bool)> = inis
        .iter()
        .zip(&all)
        .map(|(ini, (reading, job))| (ini.file, reading.brought_in.clone(), job.is_some()))
        .collect();
    let mut files = inis.iter().map(|ini| ini.file);
    all.retain(|(reading, job)| {
        let Some(file) = files.next() else { return true };
        // Of a circle neither file is a part of the other.
        let outer = brings.iter().filter(|(other, brought_in, _)| {
            *other != file && brought_in.contains(&file) && !reading.brought_in.contains(other)
        });
        let outer: Vec<_> = outer.collect();
        let may_be_started =
            !on_host && reading.uwsgi.serves.known() == Some(&true) && !outer.iter().any(|(_, _, has_job)| *has_job);
        outer.is_empty() || job.is_some() || may_be_started
    });
    all
}

/// The ini that a job names. On a host the path decides; in a repository files lie elsewhere, and a base name may do.
fn ini_of<'a>(view: &View, inis: &'a [&Arc<Document>], start: &Start) -> Option<(&'a &'a Arc<Document>, Confidence)> {
    let path = start.job.uwsgi_ini.known()?;
    by_path(inis, |ini| &ini.path, path).filter(|(_, sure)| !view.complete || *sure == Confidence::Proved)
}

/// The one job that starts uWSGI, with an ini that is not in sight, where there is also just one ini that no job names: in a
/// repository that is probably the file, under the name that it has on the host.
fn only_candidate<T>(view: &View, inis: &[&Arc<Document>], starts: &[Start], of_job: &[Option<T>]) -> Option<usize> {
    if view.complete || inis.len() != 1 || of_job.iter().any(Option::is_some) {
        return None;
    }
    let names_ini = |(_, start): &(usize, &Start)| start.reading.uwsgi.is_some() && !start.job.uwsgi_ini.is_absent();
    let mut jobs = starts.iter().enumerate().filter(names_ini);
    let (Some((at, start)), None) = (jobs.next(), jobs.next()) else { return None };
    // An emperor's own ini, whose vassals lie here.
    let path = start.job.uwsgi_ini.known()?;
    (!path.contains("emperor") && !path.contains("vassal")).then_some(at)
}

fn option_words(words: &[Argument]) -> Vec<(String, Span)> {
    let text = |word: &Argument| match &word.value {
        Answer::Known(value) => value.clone(),
        _ => word.written.clone(),
    };
    words.iter().map(|word| (text(word), word.span)).collect()
}

/// Completes the jobs by what their inis and the other jobs say.
pub fn finish(starts: &mut [Start], around: uwsgi::Around<'_>, view: &View, readings: &[Started]) {
    let inis: Vec<&Arc<Document>> = view.of(Kind::Uwsgi).collect();
    let forks: Vec<Option<Fact<i64>>> =
        (0..starts.len()).map(|at| forks(starts, at, around, view, &inis, readings)).collect();
    let started_by = started_by(starts);
    let events: Vec<Vec<Event>> = {
        let emitters = Emitters {
            jobs: starts.iter().filter_map(|start| start.job.name.known().map(String::as_str)).collect(),
            emits: starts.iter().flat_map(|start| start.reading.deeds.emits.iter().map(String::as_str)).collect(),
        };
        starts.iter().map(|start| judged(start, &emitters)).collect()
    };
    for (((start, forks), by), events) in starts.iter_mut().zip(forks).zip(started_by).zip(events) {
        if let Some(forks) = forks {
            start.reading.job.forks = forks;
        }
        start.reading.job.started_by = by.map_or_else(Fact::absent, Fact::derived);
        start.reading.events = events;
        start.job = Arc::new(start.reading.job.clone());
    }
}

/// The events of a job with who emits them. Chrome OS has events and jobs of its own.
fn judged(start: &Start, emitters: &Emitters<'_>) -> Vec<Event> {
    if start.job.dialect.known().is_some_and(|dialect| dialect == "chromeos") {
        return Vec::new();
    }
    let mut events = start.reading.events.clone();
    events.iter_mut().for_each(|event| job::judge(event, emitters));
    events
}

/// How often the uWSGI of a job forks: twice with `daemonize`, on its command line or in its ini.
fn forks(
    starts: &[Start],
    at: usize,
    around: uwsgi::Around<'_>,
    view: &View,
    inis: &[&Arc<Document>],
    readings: &[Started],
) -> Option<Fact<i64>> {
    let start = &starts[at];
    let words = start.reading.uwsgi.as_ref()?;
    let linked = readings.iter().find(|(_, job)| job.is_some_and(|(of, _)| of == at));
    let daemonize = match (linked, ini_of(view, inis, start)) {
        (Some((reading, _)), _) => reading.uwsgi.daemonize.clone(),
        // Several jobs may share an ini.
        (None, Some((ini, _))) => {
            uwsgi::read_with_command(Some(ini), &start.document, &option_words(words), around).uwsgi.daemonize.clone()
        }
        (None, None) => {
            let alone =
                uwsgi::read_with_command(None, &start.document, &option_words(words), around).uwsgi.daemonize.clone();
            if alone.known().is_some() {
                alone
            } else {
                Fact::unknown(Missing::new("the ini that the job names", "lint it together with the job"))
            }
        }
    };
    Some(match &daemonize.answer {
        Answer::Known(_) => Fact { answer: Answer::Known(2), ..daemonize.map(|_| 2) },
        Answer::Absent => Fact { place: start.job.forks.place, ..Fact::default_of(0) },
        Answer::Unknown(missing) => Fact::unknown(missing.clone()),
    })
}

/// For each job the first other one whose script starts it.
fn started_by(starts: &[Start]) -> Vec<Option<String>> {
    let mut by: BTreeMap<&str, &str> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for start in starts {
        let Some(own) = start.job.name.known() else { continue };
        for name in start.reading.deeds.starts.iter().filter(|name| *name != own) {
            if seen.insert(name.as_str()) {
                by.insert(name, own);
            }
        }
    }
    starts.iter().map(|start| by.get(start.job.name.known()?.as_str()).map(|by| (*by).to_owned())).collect()
}
