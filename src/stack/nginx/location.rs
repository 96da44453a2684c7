//! What a `location` matches, and which one of a server answers a path (`ngx_http_core_find_location`).

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::hash_map::Entry;

use foldhash::HashMap;

use regex::{Regex, RegexBuilder};

use super::include::Statement;
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
const MOST: usize = 1000;

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

/// The location among `patterns` that answers `path`, as its place among them; `Ok(None)` where none does.
///
/// # Errors
/// Where an expression that could match cannot be judged.
pub(super) fn answering(patterns: &[Pattern<'_>], expressions: &Expressions, path: &str) -> Result<Option<usize>, ()> {
    let mut longest: Option<usize> = None;
    for (at, pattern) in patterns.iter().enumerate() {
        match pattern.matching {
            Matching::Exact if pattern.text == path => return Ok(Some(at)),
            Matching::Prefix { .. } if path.starts_with(&*pattern.text) => {
                let longer = longest.is_none_or(|best| pattern.text.len() > patterns[best].text.len());
                longest = if longer { Some(at) } else { longest };
            }
            _ => {}
        }
    }
    if longest.is_some_and(|best| patterns[best].matching == Matching::Prefix { first: true }) {
        return Ok(longest);
    }
    for (at, pattern) in patterns.iter().enumerate() {
        if let Matching::Regex { caseless } = pattern.matching
            && expressions.matches(&pattern.text, caseless, path).ok_or(())?
        {
            return Ok(Some(at));
        }
    }
    Ok(longest)
}
