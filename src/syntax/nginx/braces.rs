//! Which brace was forgotten: nginx only sees that the counts differ, the indentation says where.

use super::KIND;
use crate::source::Span;
use crate::syntax::Problem;

/// One brace, with the indentation of the line of its statement.
#[derive(Debug, Clone, Copy)]
struct Brace {
    span: Span,
    indent: usize,
    opens: bool,
}

/// Every brace of a file, in order.
#[derive(Debug, Default)]
pub(super) struct Braces {
    seen: Vec<Brace>,
}

impl Braces {
    /// Notes a `{` of the directive that begins at `statement`.
    pub(super) fn open(&mut self, text: &str, span: Span, statement: usize) {
        self.seen.push(Brace { span, indent: indent_of(text, statement).0, opens: true });
    }

    /// Notes a `}`.
    pub(super) fn close(&mut self, text: &str, span: Span) {
        let (indent, first) = indent_of(text, span.start as usize);
        self.seen.push(Brace { span, indent: if first { indent } else { usize::MAX }, opens: false });
    }

    /// The problem of a file that ends inside blocks, `open` of which nginx still waits for.
    pub(super) fn unclosed(&self, text: &str, open: &[Span]) -> Problem {
        let by_indent = self.unclosed_by_indent();
        let unclosed = if by_indent.len() == open.len() { by_indent } else { open.to_vec() };
        let (last, others) = unclosed.split_last().map_or((Span::default(), &[][..]), |(last, others)| (*last, others));
        let end = Span::new(text.len(), text.len());
        let problem = Problem::new(KIND, last, "this `{` is never closed")
            .hint("write the missing `}` where the block ends")
            .also(end, "nginx: unexpected end of file, expecting \"}\"");
        others.iter().rev().take(3).fold(problem, |problem, span| problem.also(*span, "this `{` is not closed either"))
    }

    /// The problem of a `}` that closes nothing; the braces before it are balanced, and done with.
    pub(super) fn extra(&mut self, span: Span) -> Problem {
        let problem = Problem::new(KIND, span, "unexpected \"}\": no block is open here")
            .hint("remove this `}`, or write the `{` that an earlier block lacks");
        let too_early = self.too_early();
        self.seen.clear();
        match too_early {
            Some((open, close)) => problem
                .also(close, "this `}` is indented deeper than the block it closes; it may be the one too many")
                .also(open, "the block it closes"),
            None => problem,
        }
    }

    /// The `{` that stay open when a `}` never closes a block that is indented deeper than itself.
    fn unclosed_by_indent(&self) -> Vec<Span> {
        let mut open: Vec<Brace> = Vec::new();
        let mut unclosed = Vec::new();
        for brace in &self.seen {
            if brace.opens {
                open.push(*brace);
                continue;
            }
            while open.last().is_some_and(|top| top.indent > brace.indent) {
                unclosed.extend(open.pop().map(|top| top.span));
            }
            open.pop();
        }
        unclosed.extend(open.iter().map(|brace| brace.span));
        unclosed.sort();
        unclosed
    }

    /// The first `}` at the start of a line that is indented deeper than the block it closes, with the `{` of that block.
    fn too_early(&self) -> Option<(Span, Span)> {
        let mut open: Vec<Brace> = Vec::new();
        for brace in &self.seen {
            if brace.opens {
                open.push(*brace);
            } else if let Some(top) = open.pop()
                && brace.indent != usize::MAX
                && brace.indent > top.indent
            {
                return Some((top.span, brace.span));
            }
        }
        None
    }
}

/// How far the line of `at` is indented, and whether `at` is the first thing on it.
pub(super) fn indent_of(text: &str, at: usize) -> (usize, bool) {
    let start = line_start(text, at);
    let line = &text.as_bytes()[start..at];
    let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    (indent, start + indent >= at)
}

fn line_start(text: &str, at: usize) -> usize {
    const LOOK_BACK: usize = 256;
    let from = at.saturating_sub(LOOK_BACK);
    text.as_bytes()[from..at].iter().rposition(|byte| *byte == b'\n').map_or(from, |found| from + found + 1)
}
