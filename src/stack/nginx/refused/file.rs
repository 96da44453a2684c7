//! A file on the way through an assembly, with what limits what can be said of it.

use std::sync::Arc;

use super::around::Around;
use crate::source::{Place, SUBSTITUTE, Span};
use crate::stack::document::Document;
use crate::syntax::Parsed;
use crate::syntax::data::nginx::Contexts;
use crate::syntax::erb::FILLER;
use crate::syntax::nginx::{Config, Directive};

/// One file.
#[derive(Debug, Clone, Copy)]
pub(super) struct File<'a> {
    /// Its text.
    pub document: &'a Arc<Document>,
    /// Its statements.
    pub tree: &'a Config,
    /// Whether its words are what nginx reads: no template tag, no byte that is not UTF-8.
    pub clean: bool,
    /// Whether nothing is said of it: what nginx cannot read was told already, and the rest is guessed.
    pub quiet: bool,
    /// Whether each of its statements is there once and for all: no condition, no loop, no other file at its path.
    pub fixed: bool,
    /// Whether a pattern brought it in, so that it may be a file that is never deployed beside the others.
    pub by_pattern: bool,
}

impl<'a> File<'a> {
    /// A file with what its reader made of it.
    pub fn new(document: &'a Arc<Document>, parsed: &'a Parsed<Config>) -> Self {
        Self {
            document,
            tree: &parsed.tree,
            clean: document.is_plain() && is_whole(document.text()),
            quiet: !parsed.problems.is_empty(),
            fixed: !document.has_code(),
            by_pattern: false,
        }
    }

    /// Whether a directive outside every block stands between tags of code, as in a macro or a `define`: what that holds is put
    /// where another tag names it.
    pub fn is_rendered_elsewhere(self, directive: Directive<'_>, around: Around) -> bool {
        around.contexts.meets(Contexts::MAIN) && self.document.block_at(directive.name_span().start).is_some()
    }

    /// A place in it.
    pub fn place(self, span: Span) -> Place {
        self.document.place(span)
    }
}

/// Whether every byte of a text stands for itself.
fn is_whole(text: &str) -> bool {
    let holds = |sign: char| u8::try_from(sign).is_ok_and(|byte| text.as_bytes().contains(&byte));
    !holds(SUBSTITUTE) && !holds(FILLER)
}
