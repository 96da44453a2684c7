//! The words of one file: eight bytes each, since nearly every value stands in the text as it is.

use std::ops::Range;

use super::Config;
use crate::source::Span;

/// Set in the length of a word whose value does not stand in the text.
const ASIDE: u32 = 1 << 31;
/// Set in the length of a word that stands in quotes, so that its value is found without a look at the text.
const QUOTED: u32 = 1 << 30;
/// The longest word that is kept whole; no file is read that could hold one.
const LONGEST: u32 = QUOTED - 1;

/// Where a word stands, and by the highest bits of its length how its value is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stored {
    start: u32,
    length: u32,
}

impl Stored {
    fn span(self) -> Span {
        Span { start: self.start, end: self.start + (self.length & LONGEST) }
    }

    /// Where its value stands, if it was not put aside.
    fn value(self) -> Span {
        let Span { start, end } = self.span();
        if self.length & QUOTED == 0 {
            Span { start, end }
        } else {
            Span { start: start + 1, end: (end - 1).max(start + 1) }
        }
    }
}

/// All words of a file in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Store {
    words: Vec<Stored>,
    /// The values that were put aside, by the number of their word.
    aside: Vec<(usize, Box<str>)>,
}

impl Store {
    /// Room for so many words.
    pub(super) fn with_capacity(words: usize) -> Self {
        Self { words: Vec::with_capacity(words), aside: Vec::new() }
    }

    /// Adds the word at `span` of `text`; `value` where it is not what the text says between its quotes, if any.
    pub(super) fn push(&mut self, text: &str, span: Span, value: Option<Box<str>>) {
        let length = (span.end - span.start).min(LONGEST);
        let aside = if value.is_some() { ASIDE } else { 0 };
        let quoted = if is_quoted(span.of(text)) { QUOTED } else { 0 };
        self.aside.extend(value.map(|value| (self.words.len(), value)));
        self.words.push(Stored { start: span.start, length: length | aside | quoted });
    }

    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// Where a word stands; an empty span for a word that is not there.
    pub(super) fn span(&self, word: usize) -> Span {
        self.words.get(word).map_or(Span::default(), |stored| stored.span())
    }

    /// The value of a word of `text`.
    pub(super) fn value<'t>(&'t self, text: &'t str, word: usize) -> &'t str {
        let Some(stored) = self.words.get(word) else { return "" };
        if stored.length & ASIDE != 0
            && let Ok(at) = self.aside.binary_search_by_key(&word, |(word, _)| *word)
        {
            return &self.aside[at].1;
        }
        stored.value().of(text)
    }

    /// Whether a word of `text` has this value; most have not even its length, and are not looked at.
    pub(super) fn is(&self, text: &str, word: usize, value: &str) -> bool {
        let Some(stored) = self.words.get(word) else { return value.is_empty() };
        let span = stored.value();
        let may_be = (span.end - span.start) as usize == value.len() || stored.length & ASIDE != 0;
        may_be && self.value(text, word) == value
    }

    /// Gives back what was reserved and not needed.
    pub(super) fn shrink(&mut self) {
        self.words = exact(&self.words);
    }
}

/// The same in no more room than it needs: a vector that is asked to shrink stays where it is while half of that is in use.
pub(super) fn exact<T: Clone>(reserved: &[T]) -> Vec<T> {
    reserved.to_vec()
}

/// What stands between the quotes of a word that has any.
pub(super) fn unquoted(raw: &str) -> &str {
    if is_quoted(raw) { raw.get(1..raw.len() - 1).unwrap_or("") } else { raw }
}

fn is_quoted(raw: &str) -> bool {
    raw.starts_with(['"', '\''])
}

/// A word of a file.
#[derive(Clone, Copy)]
pub struct Word<'t> {
    /// Where it stands, quotes included.
    pub span: Span,
    tree: &'t Config,
    number: usize,
}

impl<'t> Word<'t> {
    /// Its value as nginx decodes it.
    pub fn value(self) -> &'t str {
        self.tree.words.value(&self.tree.text, self.number)
    }

    /// As it is written, quotes and escapes included.
    pub fn raw(self) -> &'t str {
        self.span.of(&self.tree.text)
    }

    /// Whether it stands in quotes.
    pub fn is_quoted(self) -> bool {
        is_quoted(self.raw())
    }
}

impl std::fmt::Debug for Word<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {:?}", self.value(), self.span)
    }
}

/// Words that follow each other.
#[derive(Debug, Clone)]
pub struct Words<'t> {
    tree: &'t Config,
    numbers: Range<usize>,
}

impl<'t> Words<'t> {
    pub(super) fn new(tree: &'t Config, numbers: Range<usize>) -> Self {
        Self { tree, numbers }
    }

    /// The one that has `index` before it; [`Words::nth`] without going there.
    pub fn get(&self, index: usize) -> Option<Word<'t>> {
        self.clone().nth(index)
    }
}

impl<'t> Iterator for Words<'t> {
    type Item = Word<'t>;

    fn next(&mut self) -> Option<Word<'t>> {
        self.nth(0)
    }

    fn nth(&mut self, index: usize) -> Option<Word<'t>> {
        let number = self.numbers.nth(index)?;
        Some(Word { span: self.tree.words.span(number), tree: self.tree, number })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.numbers.size_hint()
    }
}

impl DoubleEndedIterator for Words<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let number = self.numbers.next_back()?;
        Some(Word { span: self.tree.words.span(number), tree: self.tree, number })
    }
}

impl ExactSizeIterator for Words<'_> {}
