//! What a `location` matches, and which one of a server answers a path (`ngx_http_core_find_location`).

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::hash_map::Entry;

use foldhash::HashMap;

use regex::{Regex, RegexBuilder};

use super::include::Statement;
use crate::nearest::Patience;
use crate::source::Place;

/// How a location matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matching {
    /// `=`
    Exact,
    /// No modifier, or `^~` which keeps regular expressions out.
    Prefix {
        /// Whether it is `^~`.
        first: bool,
    },
    /// `~` and `~*`
    Regex {
        /// Whether it is `~*`.
        caseless: bool,
    },
    /// `@name`
    Named,
}

impl Matching {
    /// What a modifier makes of the text behind it; `None` for one that nginx does not know.
    pub(super) fn of(modifier: &str, text: &str) -> Option<Self> {
        Some(match modifier {
            "=" => Self::Exact,
            "^~" => Self::Prefix { first: true },
            "~" => Self::Regex { caseless: false },
            "~*" => Self::Regex { caseless: true },
            "" if text.starts_with('@') => Self::Named,
            "" => Self::Prefix { first: false },
            _ => return None,
        })
    }
}

/// What a location matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern<'a> {
    /// How.
    pub(super) matching: Matching,
    /// The path, the expression or the name, without its modifier; a name keeps its `@`.
    pub(super) text: Cow<'a, str>,
    /// Where the text stands, with a modifier that is glued to it.
    pub(super) place: Place,
    /// Whether the modifier is glued to the text, as in `~^/a`.
    pub(super) glued: bool,
}

impl<'a> Pattern<'a> {
    /// What a `location` matches; `None` where a template tag leaves it open.
    pub(super) fn of(location: &Statement<'a>) -> Option<Self> {
        let mut words = location.directive.arguments();
        let (first, second) = (words.next()?, words.next());
        let place = location.document.place(second.unwrap_or(first).span);
        let (modifier, text, glued) = match second {
            Some(second) => (first.value(), location.known(second)?, false),
            None => {
                let whole = location.known(first)?;
                let (modifier, _) = split(first.value());
                let text = match whole {
                    Cow::Borrowed(text) => Cow::Borrowed(&text[modifier.len()..]),
                    Cow::Owned(text) => Cow::Owned(text.get(modifier.len()..)?.to_owned()),
                };
                (modifier, text, !modifier.is_empty())
            }
        };
        Some(Self { matching: Matching::of(modifier, &text)?, text, place, glued })
    }

    /// The prefix it matches, where it is one.
    pub(super) fn prefix(&self) -> Option<&str> {
        matches!(self.matching, Matching::Prefix { .. }).then_some(&*self.text)
    }
}

/// The modifier at the start of a word, which nothing need part from the rest, and the rest: `=/a` is `= /a`.
pub(super) fn split(word: &str) -> (&str, &str) {
    let length = ["=", "^~", "~*", "~"].iter().find(|modifier| word.starts_with(**modifier)).map_or(0, |it| it.len());
    word.split_at(length)
}

/// Regular expressions, each compiled once: a server's are often those of a thousand others.
#[derive(Debug, Default)]
pub(super) struct Expressions {
    compiled: RefCell<HashMap<(String, bool), Option<Regex>>>,
}

/// The most an expression may take when compiled, in bytes.
const LARGEST: usize = 1 << 18;

/// The most expressions that are compiled; more is more than anybody writes.
const MOST: usize = 500;

impl Expressions {
    /// Whether `text` matches; `None` where the expression uses what only PCRE knows, or where there are too many.
    pub(super) fn matches(&self, expression: &str, caseless: bool, text: &str) -> Option<bool> {
        let mut compiled = self.compiled.borrow_mut();
        let compile = || RegexBuilder::new(expression).case_insensitive(caseless).size_limit(LARGEST).build().ok();
        let is_full = compiled.len() >= MOST;
        let regex = match compiled.entry((expression.to_owned(), caseless)) {
            Entry::Vacant(_) if is_full => return None,
            Entry::Vacant(free) => free.insert(compile()),
            Entry::Occupied(known) => known.into_mut(),
        };
        regex.as_ref().map(|regex| regex.is_match(text))
    }
}

/// The locations of one server, to look for the one that answers a path.
#[derive(Debug)]
pub(super) struct Locations<'p> {
    exact: HashMap<&'p str, usize>,
    /// Each with whether it is `^~`.
    prefixes: HashMap<&'p str, (usize, bool)>,
    longest_prefix: usize,
    /// Each with whether it is `~*`, in their order.
    expressions: Vec<(&'p str, bool, usize)>,
}

impl<'p> Locations<'p> {
    /// Those that match `patterns`, by their places among them; of equal ones the first answers.
    pub(super) fn of<'a: 'p>(patterns: impl Iterator<Item = &'p Pattern<'a>>) -> Self {
        let (mut exact, mut prefixes, mut expressions) = (HashMap::default(), HashMap::default(), Vec::new());
        for (at, pattern) in patterns.enumerate() {
            let text = &*pattern.text;
            match pattern.matching {
                Matching::Exact => _ = exact.entry(text).or_insert(at),
                Matching::Prefix { first } => _ = prefixes.entry(text).or_insert((at, first)),
                Matching::Regex { caseless } => expressions.push((text, caseless, at)),
                Matching::Named => {}
            }
        }
        let longest_prefix = prefixes.keys().map(|prefix| prefix.len()).max().unwrap_or_default();
        Self { exact, prefixes, longest_prefix, expressions }
    }

    /// The one that answers `path`; `Ok(None)` where none does.
    ///
    /// # Errors
    /// Where an expression that could match cannot be judged, or is one too many to be tried.
    pub(super) fn answering(
        &self,
        path: &str,
        expressions: &Expressions,
        patience: &Patience,
    ) -> Result<Option<usize>, ()> {
        if let Some(at) = self.exact.get(path) {
            return Ok(Some(*at));
        }
        let most = self.longest_prefix.min(path.len());
        if !patience.allows(most * path.len() / 16) {
            return Err(());
        }
        let longest = (0..=most).rev().find_map(|end| self.prefixes.get(path.get(..end)?).copied());
        if let Some((at, true)) = longest {
            return Ok(Some(at));
        }
        for (expression, caseless, at) in &self.expressions {
            let matches = patience.allows(path.len() + TRIED).then(|| expressions.matches(expression, *caseless, path));
            if matches.flatten().ok_or(())? {
                return Ok(Some(*at));
            }
        }
        Ok(longest.map(|(at, _)| at))
    }
}

/// What it takes to try an expression, beside the length of what it is tried on.
const TRIED: usize = 50;
