//! A regular expression that is compiled when it is first needed.

use std::sync::OnceLock;

use regex::{Captures, Match, Regex};

/// A constant expression. One that did not compile would find nothing, hence the test that compiles them all.
pub(super) struct Pattern(OnceLock<Option<Regex>>, &'static str);

impl Pattern {
    pub(super) const fn new(expression: &'static str) -> Self {
        Self(OnceLock::new(), expression)
    }

    fn get(&self) -> Option<&Regex> {
        // Word boundaries are ASCII's: at Unicode's the engine leaves its fast way in every text that is not ASCII.
        self.0.get_or_init(|| Regex::new(&self.1.replace(r"\b", r"(?-u:\b)")).ok()).as_ref()
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.get().is_some_and(|regex| regex.is_match(text))
    }

    pub(super) fn find<'t>(&self, text: &'t str) -> Option<Match<'t>> {
        self.get()?.find(text)
    }

    pub(super) fn find_at<'t>(&self, text: &'t str, from: usize) -> Option<Match<'t>> {
        self.get()?.find_at(text, from)
    }

    pub(super) fn find_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = Match<'t>> {
        self.get().into_iter().flat_map(|regex| regex.find_iter(text))
    }

    pub(super) fn captures_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = Captures<'t>> {
        self.get().into_iter().flat_map(|regex| regex.captures_iter(text))
    }

    #[cfg(test)]
    pub(super) fn compiles(&self) -> bool {
        self.get().is_some()
    }
}
