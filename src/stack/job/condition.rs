//! The conditions of `start on` and `stop on`: words that are not what they look like, and events that nobody emits.

use std::collections::BTreeSet;

use super::{Event, JobLine};
use crate::nearest::nearest;
use crate::source::{Located, Span};
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::upstart::{Events, Step};

/// What Upstart and Ubuntu's own jobs emit (upstart-events(7)).
const WELL_KNOWN: [&str; 36] = [
    "all-swaps",
    "container",
    "control-alt-delete",
    "dbus",
    "dbus-activation",
    "deconfiguring-networking",
    "desktop-session-start",
    "desktop-shutdown",
    "device-not-ready",
    "drm-device-added",
    "failsafe-boot",
    "file",
    "filesystem",
    "graphics-device-added",
    "keyboard-request",
    "local-filesystems",
    "login-session-start",
    "mounted",
    "mounting",
    "net-device-added",
    "net-device-changed",
    "net-device-down",
    "net-device-removed",
    "net-device-up",
    "not-container",
    "power-status-changed",
    "recovery",
    "remote-filesystems",
    "rotate-logs",
    "runlevel",
    "socket",
    "startup",
    "static-network-up",
    "unmounted-remote-filesystems",
    "virtual-filesystems",
    "never",
];

/// What Upstart emits for every job.
const OF_A_JOB: [&str; 4] = ["started", "starting", "stopped", "stopping"];

/// Services of Ubuntu 12.04 and 14.04 that `/etc/init.d` starts, so that Upstart knows no job of the name.
const WITHOUT_A_JOB: [&str; 1] = ["postgresql"];

/// Words that are no operators in Upstart, and the one that was meant.
const NOT_OPERATORS: [(&str, &str); 11] = [
    ("&&", "and"),
    ("&", "and"),
    ("AND", "and"),
    ("And", "and"),
    ("||", "or"),
    ("|", "or"),
    ("OR", "or"),
    ("Or", "or"),
    (",", "or"),
    ("not", ""),
    ("NOT", ""),
];

/// The rows of one condition that Upstart takes otherwise than it looks.
pub(super) fn lines(document: &Document, condition: &Located<Events>) -> Vec<JobLine> {
    let (events, span) = (&condition.value, condition.span);
    let mut rows = Vec::new();
    for step in &events.steps {
        let Step::Event { name, arguments } = step else { continue };
        rows.extend(arguments.iter().filter_map(|word| argument(document, word)));
        rows.extend(levels_alone(document, name));
        if name.value == "runlevel" {
            rows.extend(arguments.first().and_then(|levels| runlevel(document, levels)));
        }
    }
    // What a tag prints may be more than an event.
    if let Some(mixed) = events.mixed.as_ref().filter(|_| !document.is_templated(span)) {
        // `a and b or c` groups as most languages would; `a or b and c` does not.
        let row = JobLine::of("mixed-and-or", document, mixed.span);
        rows.push(row.taken_as(events.to_string()).harmless(mixed.value == Step::Or));
    }
    rows
}

fn argument(document: &Document, word: &Located<String>) -> Option<JobLine> {
    let row = || JobLine::of("event-word", document, word.span);
    if let Some((_, meant)) = NOT_OPERATORS.iter().find(|(written, _)| *written == word.value) {
        return Some(if meant.is_empty() { row() } else { row().cured_by(*meant) });
    }
    (word.value.len() > 1 && word.value.ends_with(',')).then(row)
}

/// `runlevel 2345` asks for a runlevel of that name; `[2345` for one that begins with a bracket.
fn runlevel(document: &Document, word: &Located<String>) -> Option<JobLine> {
    let (key, levels) = match word.value.strip_prefix("RUNLEVEL=") {
        Some(levels) => ("RUNLEVEL=", levels),
        None => ("", word.value.as_str()),
    };
    let digits = levels.trim_start_matches(['[', '!', '^']).trim_end_matches(']');
    let is_list =
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'S' | b's' | b'-'));
    let open = levels.starts_with('[') && !levels.ends_with(']');
    let bare = !levels.starts_with('[') && digits.len() > 1;
    if !is_list || !(open || bare) {
        return None;
    }
    let negated = if levels.contains(['!', '^']) { "!" } else { "" };
    Some(JobLine::of("runlevel", document, word.span).cured_by(format!("{key}[{negated}{digits}]")))
}

/// `start on [2345]`: the event `runlevel` itself was forgotten.
fn levels_alone(document: &Document, name: &Located<String>) -> Option<JobLine> {
    let levels = name.value.strip_prefix('[')?.strip_suffix(']')?.trim_start_matches('!');
    let all = !levels.is_empty() && levels.bytes().all(|byte| byte.is_ascii_digit() || byte == b'S');
    all.then(|| {
        JobLine::of("runlevel", document, name.span).taken_as("event").cured_by(format!("runlevel {}", name.value))
    })
}

/// The events of one condition, none of them judged yet.
pub(super) fn events(document: &Document, events: &Events) -> Vec<Event> {
    let mut rows = Vec::new();
    for step in &events.steps {
        let Step::Event { name, arguments } = step else { continue };
        let of_job = OF_A_JOB.contains(&name.value.as_str());
        let job = arguments.first().filter(|_| of_job);
        let span = job.map_or(name.span, |job| name.span.to(job.span));
        let mut row = Event::at(document.place(span));
        row.name = document.fact(name.span, &name.value);
        row.names_job = match job {
            Some(job) => fact_of_job(document, job.span, &job.value),
            None => Fact::absent(),
        };
        rows.push(row);
    }
    rows
}

fn fact_of_job(document: &Document, span: Span, word: &str) -> Fact<String> {
    document.fact(span, word).map(|word| word.strip_prefix("JOB=").unwrap_or(&word).to_owned())
}

/// Everything in sight that makes events.
#[derive(Debug, Default)]
pub struct Emitters<'a> {
    /// The names of all jobs.
    pub jobs: BTreeSet<&'a str>,
    /// What they say they emit, and what their scripts do emit.
    pub emits: BTreeSet<&'a str>,
}

/// Says of an event whether anything emits it.
pub fn judge(row: &mut Event, emitters: &Emitters<'_>) {
    row.suggestion = Fact::absent();
    let Some(name) = row.name.known() else {
        row.emitted = Fact { place: None, ..row.name.clone().map(|_| false) };
        return;
    };
    let unseen = || {
        Fact::unknown(Missing::new(
            "the other jobs of the host",
            "`initctl check-config` there names events that nobody emits",
        ))
    };
    if !OF_A_JOB.contains(&name.as_str()) {
        // A short name, or one that begins otherwise, is somebody's own.
        let begins_alike = |known: &&str| name.get(..4).is_some_and(|head| known.starts_with(head));
        let meant = nearest(name, WELL_KNOWN.iter().copied().filter(begins_alike)).map(str::to_owned);
        row.emitted = match meant {
            _ if WELL_KNOWN.contains(&name.as_str()) || emitters.emits.contains(name.as_str()) => Fact::derived(true),
            Some(meant) => {
                row.suggestion = Fact::derived(meant);
                Fact::derived(false)
            }
            None => unseen(),
        };
        return;
    }
    row.emitted = match &row.names_job.answer {
        Answer::Known(job) if !job.contains(['*', '?', '[', '$', '=']) => {
            if emitters.jobs.contains(job.as_str()) {
                Fact::derived(true)
            } else if WITHOUT_A_JOB.contains(&job.as_str()) {
                Fact::derived(false)
            } else {
                unseen()
            }
        }
        Answer::Unknown(missing) => Fact::unknown(missing.clone()),
        _ => Fact::derived(true),
    };
}
