//! What housecall reports: one fault, its labels in every file it touches, and the edit that cures it.

mod missing;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use missing::{Lack, Missing};

use crate::source::{FileId, Place, Span};

/// How much it matters. Ordered: a note is less than a warning, a warning less than an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; most healthy stacks do it too.
    Note,
    /// Will hurt under load, on a restart, or later.
    Warning,
    /// Users see it now, or the program refuses the file.
    Error,
}

/// What happens to the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// The program rejects the file.
    Refused,
    /// Requests fail.
    Broken,
    /// Fails under load, on a restart, or later.
    Degraded,
    /// Someone gets what they should not.
    Exposed,
    /// Costs the next reader.
    Untidy,
}

/// How sure the finding is. Ordered: a chain of facts is as sure as its weakest link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The files allow it; something out of sight decides.
    Possible,
    /// The files say so, by a link that could be wrong.
    Likely,
    /// Read or seen directly.
    Proved,
}

/// A place and what to say there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What is there, in a few words; may be empty for the primary label.
    pub text: String,
}

/// Whether a fix may be applied without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// Cures the fault and changes nothing else.
    Safe,
    /// Right in most stacks; read it first.
    Unsafe,
}

/// One replacement in one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edit {
    /// The file to change.
    pub file: FileId,
    /// The bytes to replace; empty to insert.
    pub span: Span,
    /// What to put there.
    pub text: String,
}

/// How to cure a fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fix {
    /// The cure in a few words, as an order.
    pub title: String,
    /// Whether it may be applied unread.
    pub safety: Safety,
    /// The edits; none where the cure is not an edit of one of the files read.
    pub edits: Vec<Edit>,
}

/// One fault, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The id of the rule's page, `family/name`.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// What happens to the stack.
    pub effect: Effect,
    /// How sure it is.
    pub confidence: Confidence,
    /// The fault in general, from the page.
    pub title: String,
    /// This fault, with its names and numbers.
    pub message: String,
    /// The line to look at first.
    pub primary: Label,
    /// The other ends of the chain.
    pub related: Vec<Label>,
    /// The cure, where there is one.
    pub fix: Option<Fix>,
}

/// A question a rule could not answer, and what it lacked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CannotTell {
    /// The id of the rule's page.
    pub rule: Arc<str>,
    /// What is out of sight.
    pub missing: Missing,
    /// Where the question arose.
    pub place: Place,
}

/// An input that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputError {
    /// The path as the user gave it or the walk found it.
    pub path: String,
    /// What went wrong and what to do about it.
    pub message: String,
}

/// All that a run found out, ready for any output format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Sorted by path, place and rule, whatever the order of work.
    pub findings: Vec<Finding>,
    /// Sorted likewise.
    pub cannot_tell: Vec<CannotTell>,
    /// Sorted by path.
    pub errors: Vec<InputError>,
    /// How many files were read and judged.
    pub files: usize,
}
