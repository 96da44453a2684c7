//! What logs alone tell: where a current line of a log holds a text of a page that stands for itself, the page speaks for its hop.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnosis::{Hop, State};
use crate::engine::machine::hops::{MASTER, Scene};
use crate::engine::machine::logs::UwsgiLog;
use crate::engine::machine::paths::Path;
use crate::engine::machine::quote::quoted;
use crate::finding::{Confidence, Finding, Fix, Label, Severity};
use crate::rule::page::Page;
use crate::rule::seen::{Signatures, find};
use crate::source::{FileId, Place, Span};
use crate::syntax::log::{Event, NginxError, UwsgiLine};

/// What is said of a line that speaks for itself.
pub(super) const LOG_SAYS: &str = "the log says so";

/// What a user leaves who closes the browser: it tells nothing alone.
const WEAK: &[&str] = &["SIGPIPE", "Broken pipe"];

/// Hops that are decided while uWSGI starts: a line of its start tells of them as long as it runs.
const AT_START: &[&str] = &["uwsgi-master", "workers", "app-import", "environment"];

/// Hops of which nginx itself says what it could not do for a user.
const SEEN_BY_NGINX: &[&str] = &["listen", "upstream-socket", "app-answers", "resources"];

/// A page that a log leads to, and how.
#[derive(Debug)]
pub(super) struct Told<'p> {
    /// The hop that it speaks for.
    pub(super) hop: &'p str,
    /// What it says.
    pub(super) finding: Finding,
    /// Whether the line itself says that users were failed, whatever else is seen.
    by_itself: bool,
}

/// The lines of one page, in order.
struct Lines<'p> {
    page: &'p Page,
    all: Vec<(Place, String)>,
    by_itself: bool,
}

impl Scene<'_> {
    /// What nginx's log says of a way: of its upstream since the uWSGI that runs has started, of its server, or of nginx as a whole.
    fn errors_of<'s>(&'s self, path: &'s Path) -> impl Iterator<Item = &'s (FileId, NginxError)> {
        let pid = path.instance.and_then(|at| self.running_of(&self.stack.instances[at])).map(|running| running.pid);
        let started = self.found.iter().find(|one| Some(one.process.pid) == pid).map(|one| one.process.started);
        let name = path.server_name();
        self.nginx.errors.iter().filter(move |(_, error)| match (&error.upstream, &error.server) {
            (Some(_), _) => path.is_upstream_of(error) && self.nginx.is_since(error, started),
            (None, Some(server)) => name.is_none_or(|name| server.value == name),
            (None, None) => true,
        })
    }
}

/// What the logs of a way tell.
pub(super) fn of_path<'p>(signatures: &Signatures<'p>, path: &Path, scene: &Scene<'_>) -> Vec<Told<'p>> {
    let mut found: BTreeMap<&'p str, Lines<'p>> = BTreeMap::new();
    let mut add = |page: &'p Page, place: Place, words: &str, by_itself: bool| {
        let lines = found.entry(&page.id).or_insert_with(|| Lines { page, all: Vec::new(), by_itself: false });
        lines.all.push((place, words.to_owned()));
        lines.by_itself |= by_itself;
    };
    if let Some(log) = path.instance.map(|at| &scene.logs[at]) {
        of_uwsgi(signatures, log, &mut add);
    }
    for (file, error) in scene.errors_of(path) {
        for (page, span) in best(signatures, &error.message.value) {
            let place = Place::at(*file, span.shift(error.message.span.start as usize));
            let by_itself = page.hop.as_deref().is_some_and(|hop| SEEN_BY_NGINX.contains(&hop));
            add(page, place, span.of(&error.message.value), by_itself);
        }
    }
    found.into_values().filter_map(|lines| lines.told(scene)).collect()
}

fn of_uwsgi<'p>(signatures: &Signatures<'p>, log: &UwsgiLog, add: &mut impl FnMut(&'p Page, Place, &str, bool)) {
    let asked = |line: &&UwsgiLine| matches!(line.event, Event::Request(_));
    let first_request = log.generation.iter().find(asked).map_or(usize::MAX, |line| line.span.start as usize);
    let lives = |line: &UwsgiLine| matches!(line.event, Event::MasterSpawned { .. } | Event::WorkerSpawned { .. });
    let never_lived = !log.generation.iter().any(lives);
    let ended: BTreeSet<i64> = log.generation.iter().filter_map(harakiri).collect();
    for (start, text, is_recent) in log.current() {
        let found = best(signatures, text);
        if found.is_empty() {
            continue;
        }
        let event = log.event_at(start);
        match event {
            // A client chooses the words of its request.
            Some(Event::Request(_)) => continue,
            // harakiri does it, and says so in a line of its own.
            Some(Event::WorkerDied { pid, .. }) if ended.contains(&pid.value) => continue,
            _ => {}
        }
        let is_end = matches!(event, Some(Event::WorkerDied { .. } | Event::Harakiri { .. }));
        for (page, found) in found {
            let hop = page.hop.as_deref().unwrap_or_default();
            let of_start = AT_START.contains(&hop) && start < first_request;
            if !is_recent && !of_start {
                continue;
            }
            // A master that has served has started: words of a failed start are then the app's own.
            if hop == MASTER && !of_start && !page.by_log {
                continue;
            }
            let Some(place) = log.place(found.shift(start)) else { continue };
            let stopped_it = never_lived && hop == "app-import";
            add(page, place, found.of(text), is_end || stopped_it || hop == "upstream-socket");
        }
    }
    for (start, text) in log.before_reload() {
        for (page, found) in best(signatures, text).into_iter().filter(|(page, _)| page.hop.as_deref() == Some(MASTER))
        {
            let Some(place) = log.place(found.shift(start)) else { continue };
            add(page, place, found.of(text), true);
        }
    }
}

/// The worker that a line of `harakiri` ended.
fn harakiri(line: &UwsgiLine) -> Option<i64> {
    match &line.event {
        Event::Harakiri { pid } => Some(pid.value),
        _ => None,
    }
}

/// The pages of the texts that say most of a line, each with the rest of the line from there on.
fn best<'p>(signatures: &Signatures<'p>, line: &str) -> Vec<(&'p Page, Span)> {
    let mut all = signatures.in_line(line);
    all.retain(|(signature, _)| !WEAK.iter().any(|weak| signature.text.contains(weak)));
    let most = all.iter().map(|(signature, _)| signature.telling()).max();
    all.retain(|(signature, _)| Some(signature.telling()) == most);
    let end = line.trim_end_matches(['*', ' ', '!']).len();
    let rest = |span: Span| Span::new(span.start as usize, end.max(span.end as usize));
    all.into_iter().map(|(signature, span)| (signature.page, rest(span))).collect()
}

impl<'p> Lines<'p> {
    fn told(self, scene: &Scene<'_>) -> Option<Told<'p>> {
        let Self { page, all, by_itself } = self;
        let hop = page.hop.as_deref()?;
        // A page's texts go from the most telling on; of equal lines the newest.
        let rank = |words: &str| page.seen.iter().position(|text| find(text, words).is_some()).unwrap_or(usize::MAX);
        let (place, words) = all.iter().rev().min_by_key(|(_, words)| rank(words))?;
        let text = match all.len() {
            1 => LOG_SAYS.to_owned(),
            times => format!("{LOG_SAYS}, {times} times in {}", scene.period),
        };
        let fix = page
            .fix
            .as_ref()
            .and_then(|plan| Some(Fix { title: page.cure()?, safety: plan.safety, edits: Vec::new() }));
        let finding = Finding {
            rule: page.id.clone(),
            severity: match page.confidence {
                Confidence::Possible => page.severity.min(Severity::Warning),
                Confidence::Likely | Confidence::Proved => page.severity,
            },
            effect: page.effect,
            confidence: page.confidence,
            title: page.title.clone(),
            message: format!("{}: {}", page.title, quoted(words)),
            primary: Label { place: *place, text },
            related: Vec::new(),
            fix,
        };
        Some(Told { hop, finding, by_itself })
    }
}

/// Marks the hops that work now and of which a log tells that they did not, lately: by itself, or because requests fail for it.
pub(super) fn mark(hops: &mut [Hop], told: &[Told<'_>], logged: &[(&str, &Finding)]) {
    let failing = hops.iter().any(|hop| matches!(hop.id, "app-answers" | "app-import") && hop.state.fails());
    let no_way = hops.iter().any(|hop| hop.id == "upstream-socket" && hop.state == State::Broken);
    for hop in hops.iter_mut().filter(|hop| !hop.state.fails()) {
        let speaks = |told: &&Told<'_>| {
            let counts = if hop.id == "app-answers" { told.by_itself && !no_way } else { told.by_itself || failing };
            let is_explained = || logged.iter().any(|(of, fact)| *of == hop.id && explains(fact, &told.finding));
            told.hop == hop.id && counts && told.finding.severity >= Severity::Warning && !is_explained()
        };
        let by_facts = || logged.iter().find(|(of, _)| failing && *of == hop.id && hop.id != "app-answers");
        let first = told.iter().find(speaks).map(|told| &told.finding).or_else(|| Some(by_facts()?.1));
        if let Some(finding) = first {
            let text = finding.message.clone();
            hop.evidence = vec![Label { text, ..finding.primary.clone() }];
            hop.state = State::Degraded;
        }
    }
}

/// Whether a finding by facts says all that one by a log does: it is the same rule, or surely speaks of the same words.
fn explains(fact: &Finding, told: &Finding) -> bool {
    let overlaps = |one: Place, other: Place| {
        one.file == other.file && one.span.zip(other.span).is_some_and(|(one, other)| one.overlaps(other))
    };
    let logged = fact.related.iter().filter(|label| label.text.starts_with(LOG_SAYS));
    let mut of_words = logged.filter(|_| fact.confidence > Confidence::Possible);
    fact.rule == told.rule || of_words.any(|label| overlaps(label.place, told.primary.place))
}

/// Those of a hop that count beside what facts say of it: one whose line facts explain gives way to them, and one that is only
/// possible to anything surer.
pub(super) fn chosen<'t>(told: &'t [Told<'_>], hop: &str, by_facts: &[&Finding]) -> Vec<&'t Finding> {
    let of_hop = told.iter().filter(|told| told.hop == hop).map(|told| &told.finding);
    let of_hop: Vec<&Finding> = of_hop.filter(|finding| !by_facts.iter().any(|fact| explains(fact, finding))).collect();
    let surest = by_facts.iter().map(|finding| finding.confidence).max();
    let surest = of_hop.iter().map(|finding| finding.confidence).chain(surest).max();
    let counts = |finding: &&Finding| finding.confidence > Confidence::Possible || surest <= Some(Confidence::Possible);
    of_hop.into_iter().filter(counts).collect()
}
