//! What the targets share: a text as readers get it, and what must hold of every span in it.

use std::sync::{Arc, LazyLock};

use housecall::finding::{Finding, Label};
use housecall::rule::page::{Page, built_in};
use housecall::source::{Place, Sources, Span, text_of_equal_length};
use housecall::syntax::Problem;

/// The pages that housecall comes with, read once for all inputs.
pub static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| built_in().expect("the pages are held by their own tests"));

/// A text as readers get it.
pub struct Read(pub Arc<str>);

impl Read {
    /// The text of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(text_of_equal_length(bytes))
    }

    /// Asserts that `span` lies in the text, on the boundaries of characters.
    pub fn holds(&self, span: Span) {
        assert!(self.0.get(span.range()).is_some(), "{span:?} of {} bytes", self.0.len());
    }

    /// Asserts that all places of problems lie in the text.
    pub fn holds_problems(&self, problems: &[Problem]) {
        for problem in problems {
            self.holds(problem.span);
            problem.related.iter().for_each(|related| self.holds(related.span));
        }
    }
}

/// Asserts that everything a finding points at lies in its source.
pub fn holds_finding(finding: &Finding, sources: &Sources) {
    std::iter::once(&finding.primary).chain(&finding.related).for_each(|label| holds_label(label, sources));
    for edit in finding.fix.iter().flat_map(|fix| &fix.edits) {
        holds_place(Place::at(edit.file, edit.span), sources);
    }
}

/// Asserts that a label lies in its source.
pub fn holds_label(label: &Label, sources: &Sources) {
    holds_place(label.place, sources);
}

/// Asserts that a place lies in its source.
pub fn holds_place(place: Place, sources: &Sources) {
    let text = sources.text(place.file);
    assert!(place.span.is_none_or(|span| text.get(span.range()).is_some()), "{place:?} of {} bytes", text.len());
}

/// One input as several texts: each begins with the byte 0xFF and the number of its name; without one, all is the first.
pub fn texts<'n, 'b>(bytes: &'b [u8], names: &[&'n str]) -> Vec<(&'n str, &'b [u8])> {
    let named = |text: &'b [u8]| {
        let (number, rest) = text.split_first()?;
        Some((names[usize::from(*number) % names.len()], rest))
    };
    match bytes.strip_prefix(b"\xff") {
        Some(all) => all.split(|byte| *byte == 0xff).filter_map(named).collect(),
        None => vec![(names[0], bytes)],
    }
}
