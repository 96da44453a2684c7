//! Readers: one file per language, each from a text to a tree with a span on every token.
//!
//! A reader does no I/O, never fails and never panics. What the real program would refuse becomes a [`Problem`];
//! the reader then goes on at the next statement, so that one typo yields one problem.

pub mod compose;
pub mod conninfo;
pub mod data;
pub mod dockerfile;
pub mod dotenv;
pub mod erb;
pub mod lockfile;
pub mod log;
pub mod nginx;
pub mod pg_service;
pub mod pgbouncer;
pub mod pgpass;
pub mod placeholder;
pub mod postgresql_conf;
pub mod python;
pub mod requirements;
pub mod ruby;
pub mod shell;
pub mod supervisor;
pub mod systemd;
pub mod upstart;
pub mod uwsgi;
pub mod yaml;

use crate::source::{Located, Place, Span};

/// A tree and what the real program would have refused on the way to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed<T> {
    /// Everything that could be read.
    pub tree: T,
    /// In the order of their places.
    pub problems: Vec<Problem>,
}

/// The most that is kept of what a program refuses in one file: the program itself stops at the first.
const MOST_PROBLEMS: usize = 100;

/// What a reader has found refused so far, at most so much that a file of nothing but mistakes cannot fill the memory.
#[derive(Debug, Clone, Default)]
struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem; the first one too many says that there are more, and the rest are dropped.
    fn push(&mut self, problem: Problem) {
        match self.0.len() {
            ..MOST_PROBLEMS => self.0.push(problem),
            MOST_PROBLEMS => self.0.push(
                Problem::new(problem.kind, problem.span, "more is refused from here on")
                    .hint("mend what stands above first; the rest is often its echo"),
            ),
            _ => {}
        }
    }

    /// These and others, in the order of their places.
    fn sorted_with(self, others: Problems) -> Vec<Problem> {
        let mut all: Vec<Problem> = self.0.into_iter().chain(others.0).collect();
        all.sort_by_key(|problem| problem.span);
        all
    }
}

/// Something the real program refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The id of the rule page that speaks for it, such as `nginx/syntax`.
    pub kind: &'static str,
    /// Where the mistake is, which is often not where the real program notices it.
    pub span: Span,
    /// What is wrong, in the words of the real program where they help.
    pub message: String,
    /// What to do about it; better than the program's own message.
    pub hint: Option<String>,
    /// What to write in place of `span`, where that is plain.
    pub cure: Option<String>,
    /// Whether the program goes on without it, rather than rejecting the whole file.
    pub ignored: bool,
    /// Other places that belong to it, such as the `{` that was never closed.
    pub related: Vec<Located<String>>,
    /// The same in other files; a reader, which knows one file alone, leaves it empty.
    pub elsewhere: Vec<(Place, String)>,
    /// Whether something out of sight may make it right after all.
    pub doubtful: bool,
}

impl Problem {
    /// A problem without hint or related places.
    pub fn new(kind: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            kind,
            span,
            message: message.into(),
            hint: None,
            cure: None,
            ignored: false,
            related: Vec::new(),
            elsewhere: Vec::new(),
            doubtful: false,
        }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with what to write in its place.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// The same where something out of sight may make it right after all.
    #[must_use]
    pub fn doubtful(mut self) -> Self {
        self.doubtful = true;
        self
    }

    /// The same, with the program going on without it.
    #[must_use]
    pub fn ignored(mut self) -> Self {
        self.ignored = true;
        self
    }

    /// The same with one more place that belongs to it.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Located::new(text.into(), span));
        self
    }
}
