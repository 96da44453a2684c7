//! The answers of an app: what uWSGI logged of its requests, and what nginx says of those that it left without one.

use crate::diagnosis::{Reason, State};
use crate::engine::machine::hops::{MASTER, Said, Scene};
use crate::engine::machine::paths::Path;
use crate::engine::machine::quote::quoted;
use crate::finding::Label;
use crate::source::Place;
use crate::syntax::log::Event;

/// What nginx writes where an answer did not come, and what users got (`ngx_http_upstream_process_header`).
const CUT_OFF: &[(&str, &str)] = &[
    (
        "upstream timed out (110: Connection timed out) while reading response header",
        "the app took longer than nginx waits, so users got 504",
    ),
    (
        "upstream prematurely closed connection while reading response header",
        "uWSGI closed the connection without an answer, so users got 502",
    ),
    ("(104: Connection reset by peer) while reading response header", "uWSGI cut the connection, so users got 502"),
];

impl Scene<'_> {
    /// How the app's answers fare; `reached` says whether nginx's pass can work at all.
    pub(super) fn answers(&self, path: &Path, at: usize, runs: bool, reached: bool) -> Said {
        if !runs {
            return (State::Unknown(Reason::MaskedBy(MASTER.to_owned())), Vec::new());
        }
        let log = &self.logs[at];
        let requests: Vec<_> = log.requests().collect();
        let Some(last) = requests.iter().rev().find(|asked| asked.failed()) else {
            if let Some(evidence) = self.cut_off(path, at).filter(|_| reached) {
                return (if requests.is_empty() { State::Broken } else { State::Degraded }, evidence);
            }
            return match requests.is_empty() {
                true => self.unknown(log.reason(self.unseen()), log.hidden.as_deref()),
                false => (State::Ok, Vec::new()),
            };
        };
        let failed = requests.iter().filter(|asked| asked.failed()).count();
        let mut text = format!("{failed} of {} requests failed in {}", requests.len(), self.period);
        let exception = log.exceptions().next();
        if let Some((_, words)) = exception {
            text = format!("{text}, the last with {}", quoted(words));
        }
        let mut evidence = vec![Label { place: last.place, text }];
        evidence.extend(exception.map(|(place, _)| Label { place, text: "the last exception".to_owned() }));
        let state = if failed == requests.len() { State::Broken } else { State::Degraded };
        (state, evidence)
    }

    /// What shows that nginx was left without an answer by the uWSGI that runs: uWSGI logs no such request as failed.
    fn cut_off(&self, path: &Path, at: usize) -> Option<Vec<Label>> {
        let log = &self.logs[at];
        let pid = self.running_of(&self.stack.instances[at]).map(|running| running.pid);
        let started = self.found.iter().find(|one| Some(one.process.pid) == pid).map(|one| one.process.started);
        let mut evidence = Vec::new();
        for (message, words) in CUT_OFF {
            let mut all = self.nginx.about(path, message).filter(|(_, error)| self.nginx.is_since(error, started));
            let Some((file, error)) = all.next_back() else { continue };
            let text = match all.count() + 1 {
                1 => (*words).to_owned(),
                times => format!("{words}, {times} times in {}", self.period),
            };
            evidence.push(Label { place: Place::at(*file, error.message.span), text });
        }
        if evidence.is_empty() {
            return None;
        }
        let last = |is: fn(&Event) -> bool| log.recent_lines().rev().find(|line| is(&line.event));
        let killed = last(|event| matches!(event, Event::Harakiri { .. }))
            .map(|line| (line, "uWSGI ended the worker: its request took longer than `harakiri` allows"));
        let died = || last(|event| matches!(event, Event::WorkerDied { .. })).map(|line| (line, "a worker died"));
        if let Some((line, text)) = killed.or_else(died) {
            evidence.extend(log.place(line.span).map(|place| Label { place, text: text.to_owned() }));
        }
        Some(evidence)
    }
}
