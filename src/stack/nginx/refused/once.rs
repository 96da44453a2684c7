//! What may stand in a block once: most plain directives, locations of one name, addresses of one server.

use std::ops::Range;

use foldhash::HashMap;

use super::argument::Argument;
use super::around::LocationKind;
use super::file::File;
use crate::source::Span;
use crate::syntax::Problem;
use crate::syntax::data::nginx::{Row, rows};
use crate::syntax::nginx::Directive;

pub(super) const KIND: &str = "nginx/duplicate-directive";

/// What two statements of one block must not have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key<'a> {
    /// The row of a directive; `alias` goes by that of `root`.
    Row(u16),
    /// The path of a location, exact or not; of patterns and names nginx takes two that are alike.
    Location(bool, &'a str),
    /// The row of a limit and its zone.
    Zone(u16, &'a str),
    /// Host and port of a `listen`; whether it is QUIC's.
    Listen(&'a str, u16, bool),
}

impl<'a> Key<'a> {
    /// The key of a `limit_req` or `limit_conn`, where its zone is written out.
    pub fn of_limit(row: &Row, arguments: &[Argument<'a>]) -> Option<Self> {
        let named = arguments.iter().find_map(|argument| argument.written()?.strip_prefix("zone="));
        let zone = named.or_else(|| arguments.first()?.written())?;
        Some(Self::Zone(row.id, zone))
    }

    /// The key of a location, where it has one.
    pub fn of_location(kind: LocationKind, name: &'a str) -> Option<Self> {
        match kind {
            LocationKind::Exact => Some(Self::Location(true, name)),
            LocationKind::Prefix => Some(Self::Location(false, name)),
            LocationKind::Named | LocationKind::Regex | LocationKind::Nameless | LocationKind::Unknown => None,
        }
    }
}

/// A statement that may stand once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    pub key: Key<'a>,
    pub directive: Directive<'a>,
    pub file: File<'a>,
}

/// How many statements of a file are kept for the next block that includes it.
const MOST_KEPT: usize = 10_000;

/// The statements of every block that is open, innermost last, and those of each file that was included before.
#[derive(Debug, Default)]
pub(super) struct Once<'a> {
    held: Vec<Held<'a>>,
    kept: Vec<Held<'a>>,
    /// By row: the block that had it last, by its number, and where it stands among the held.
    seen: Vec<(usize, usize)>,
    blocks: usize,
}

impl<'a> Once<'a> {
    /// Where the statements of a block, or of a file in it, begin.
    pub fn mark(&self) -> usize {
        self.held.len()
    }

    /// Adds a statement to the innermost block.
    pub fn hold(&mut self, held: Held<'a>) {
        self.held.push(held);
    }

    /// Keeps the statements since `mark`, which are those of one file.
    pub fn keep(&mut self, mark: usize) -> Range<usize> {
        let start = self.kept.len();
        self.kept.extend(self.held[mark..].iter().take(MOST_KEPT));
        start..self.kept.len()
    }

    /// Adds the statements of a file that was kept.
    pub fn again(&mut self, kept: Range<usize>) {
        if self.held.len() < 100 * MOST_KEPT {
            self.held.extend(&self.kept[kept]);
        }
    }

    /// Ends the block that began at `mark`; gives each statement that has its like before it, with that one.
    pub fn end(&mut self, mark: usize) -> Vec<(Held<'a>, Held<'a>)> {
        self.blocks += 1;
        self.seen.resize(rows().len(), (0, 0));
        let mut twice = Vec::new();
        for at in mark..self.held.len() {
            if let Key::Row(row) = self.held[at].key {
                let (block, first) = self.seen[usize::from(row)];
                if block == self.blocks {
                    twice.push((self.held[first], self.held[at]));
                } else {
                    self.seen[usize::from(row)] = (self.blocks, at);
                }
            }
        }
        let named = self.held[mark..].iter().filter(|held| !matches!(held.key, Key::Row(_)));
        // A handful is compared faster than hashed.
        match named.clone().count() {
            0 | 1 => {}
            2..=12 => {
                let named: Vec<&Held<'a>> = named.collect();
                for (at, held) in named.iter().enumerate() {
                    twice.extend(named[..at].iter().find(|first| first.key == held.key).map(|first| (**first, **held)));
                }
            }
            _ => {
                let mut firsts: HashMap<Key<'a>, Held<'a>> = HashMap::default();
                for held in named {
                    match firsts.get(&held.key) {
                        Some(first) => twice.push((*first, *held)),
                        None => drop(firsts.insert(held.key, *held)),
                    }
                }
            }
        }
        self.held.truncate(mark);
        twice
    }
}

/// What is wrong with the second of two.
pub(super) fn problem(first: Held<'_>, second: Held<'_>, sure: bool) -> Problem {
    let (name, earlier) = (second.directive.name(), first.directive.name());
    let (message, hint) = match second.key {
        Key::Location(exact, path) => (
            format!("a second `location {}{path}` in one block", if exact { "= " } else { "" }),
            "put both into one location".to_owned(),
        ),
        Key::Listen(..) => ("the same `listen` twice in one server".to_owned(), "remove one of them".to_owned()),
        Key::Zone(_, zone) => {
            (format!("`{name}` names the zone `{zone}` twice in one block"), "remove one of them".to_owned())
        }
        Key::Row(_) if name != earlier => (
            format!("`{name}` beside `{earlier}` in one block"),
            format!("remove one of them: `{name}` and `{earlier}` exclude each other"),
        ),
        Key::Row(_) => {
            (format!("`{name}` stands twice in one block"), "remove one of them: nginx takes it once".to_owned())
        }
    };
    let problem = Problem::new(KIND, second.directive.head(), message).hint(hint);
    related(problem, second.file, first.file, first.directive.head(), "the first one", sure)
}

/// The same with an earlier place, which may be in another file.
pub(super) fn related(
    problem: Problem,
    here: File<'_>,
    there: File<'_>,
    span: Span,
    text: &str,
    sure: bool,
) -> Problem {
    if here.document.file == there.document.file {
        return problem.also(span, text);
    }
    let mut problem = problem;
    problem.elsewhere.push((there.place(span), text.to_owned()));
    if !sure && (here.by_pattern || there.by_pattern) { problem.doubtful() } else { problem }
}
