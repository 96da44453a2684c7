//! The expressions whose groups variables stand for: of a `rewrite`, of an `if`, of a location.

use std::borrow::Cow;

use foldhash::HashMap;

use super::condition::Condition;
use super::include::Statement;
use super::level::{Context, Level, Setting};
use super::location::{Matching, Pattern};
use super::refused::group_names;
use crate::source::Place;

/// An expression whose groups variables stand for.
#[derive(Debug, Clone)]
pub(super) struct Captured<'a> {
    /// The expression.
    pub(super) expression: Cow<'a, str>,
    /// What it is matched against, where that is not the path.
    pub(super) subject: Option<Cow<'a, str>>,
    /// Where it stands.
    pub(super) place: Place,
}

/// The expressions of one block by the names of their groups; of several with one name the first.
pub(super) type Groups<'a> = HashMap<String, Captured<'a>>;

/// The expression that `$1` to `$9` stand for in a block: of the nearest `if` or location that has one.
pub(super) fn numbered<'a>(level: &Level<'_, 'a>) -> Option<Captured<'a>> {
    level.outwards().find_map(|level| of_block(level))
}

/// The expression with a group of this name: the `rewrite`'s own, or one of a block around.
pub(super) fn named<'a>(name: &str, level: &Level<'_, 'a>, rewrite: Option<&Statement<'a>>) -> Option<Captured<'a>> {
    let own = rewrite.and_then(of_rewrite).filter(|own| group_names(&own.expression).any(|group| group == name));
    own.or_else(|| level.outwards().find_map(|level| level.groups().get(name).cloned()))
}

/// The named groups of a block's own expression and of its `rewrite`s.
pub(super) fn groups<'a>(level: &Level<'_, 'a>) -> Groups<'a> {
    let mut groups = Groups::default();
    for captured in of_block(level).into_iter().chain(level.all(Setting::Rewrite).filter_map(of_rewrite)) {
        for name in group_names(&captured.expression) {
            groups.entry(name.to_owned()).or_insert_with(|| captured.clone());
        }
    }
    groups
}

fn of_rewrite<'a>(rewrite: &Statement<'a>) -> Option<Captured<'a>> {
    Some(Captured { expression: rewrite.text(0)?, subject: None, place: rewrite.place() })
}

fn of_block<'a>(level: &Level<'_, 'a>) -> Option<Captured<'a>> {
    let block = level.block.as_ref()?;
    match level.context {
        Context::If => {
            let condition = Condition::of(block)?;
            let (variable, expression) = condition.expression()?;
            Some(Captured { expression, subject: Some(variable), place: block.place() })
        }
        Context::Location => {
            let pattern = Pattern::of(block)?;
            let is_regex = matches!(pattern.matching, Matching::Regex { .. });
            is_regex.then(|| Captured { expression: pattern.text, subject: None, place: block.place() })
        }
        _ => None,
    }
}
