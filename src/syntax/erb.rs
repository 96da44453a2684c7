//! Templates read in place: each tag becomes a filler of the same length, so every span points into the template itself.

use crate::source::Span;

/// Stands for one byte of an output tag; no configuration language gives it a meaning.
pub const FILLER: char = '\u{1F}';

/// What a tag does when the template is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// `<%= … %>`: prints a value.
    Output,
    /// `<% … %>`: code, such as a condition or a loop.
    Code,
    /// `<%# … %>`.
    Comment,
}

/// One tag of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The whole tag with its delimiters.
    pub span: Span,
    /// The code between the delimiters, trimmed.
    pub code: Span,
    /// What it does.
    pub kind: TagKind,
    /// Whether it prints a value and stands alone on its line: it may be any number of statements.
    pub alone: bool,
}

/// A template with its tags replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// As long as the template: output tags as [`FILLER`], other tags as blanks.
    pub text: String,
    /// In order.
    pub tags: Vec<Tag>,
}
