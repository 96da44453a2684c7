//! Walks along one line and gives its parts with their spans.

use crate::source::{Located, Span};

/// What is left of a line, and where that lies in the whole text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A line whose first byte is at `at`.
    pub(super) fn new(line: &'a str, at: usize) -> Self {
        Self { rest: line, at }
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    /// Steps over `literal`, or does nothing and gives `None`.
    pub(super) fn skip(&mut self, literal: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        self.at += literal.len();
        Some(())
    }

    /// Takes the next `length` bytes.
    pub(super) fn take(&mut self, length: usize) -> Option<Located<&'a str>> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        let span = Span::new(self.at, self.at + length);
        self.rest = rest;
        self.at += length;
        Some(Located::new(taken, span))
    }

    /// Takes what stands before `literal`, and steps over both.
    pub(super) fn until(&mut self, literal: &str) -> Option<Located<&'a str>> {
        let taken = self.take(self.rest.find(literal)?)?;
        self.skip(literal)?;
        Some(taken)
    }

    /// Takes what stands before the last `literal`, and steps over both.
    pub(super) fn until_last(&mut self, literal: &str) -> Option<Located<&'a str>> {
        let taken = self.take(self.rest.rfind(literal)?)?;
        self.skip(literal)?;
        Some(taken)
    }

    /// Takes a whole number, which may be negative.
    pub(super) fn number(&mut self) -> Option<Located<i64>> {
        let sign = usize::from(self.rest.starts_with('-'));
        let digits = self.rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        let mut ahead = *self;
        let taken = ahead.take(sign + digits)?;
        let number = Located::new(taken.value.parse().ok()?, taken.span);
        *self = ahead;
        Some(number)
    }

    /// Takes all that is left.
    pub(super) fn all(&mut self) -> Located<&'a str> {
        let span = Span::new(self.at, self.at + self.rest.len());
        let all = Located::new(self.rest, span);
        self.at += self.rest.len();
        self.rest = "";
        all
    }
}
