//! What the groups of a regular expression can capture: a class without line breaks keeps them out.
//!
//! The idea is that of Yandex's gixy; the reading of expressions is that of the regex crate, which knows no look-around.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// A part of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group<'n> {
    /// All that it matches, where it is tied to both ends of the text.
    Whole,
    /// `$1` to `$9`
    Number(u32),
    /// `(?<name>…)`
    Name(&'n str),
}

/// A regular expression, read.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    hir: Hir,
    is_tied: bool,
}

impl Expression {
    /// Reads one; `None` where it uses what only PCRE knows.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hir = ParserBuilder::new().nest_limit(50).build().parse(text).ok()?;
        let is_tied = text.starts_with('^') && text.ends_with('$') && !text.ends_with("\\$") && !text.contains('|');
        Some(Self { hir, is_tied })
    }

    /// Whether it has a group of this name.
    pub(super) fn names(&self, name: &str) -> bool {
        self.find(Group::Name(name)).is_some()
    }

    /// Whether what a group captures can hold `wanted`; all that can be, where it is not tied down.
    pub(super) fn can_hold(&self, group: Group<'_>, wanted: char) -> bool {
        match group {
            Group::Whole if !self.is_tied => true,
            Group::Whole => holds(&self.hir, wanted),
            _ => self.find(group).is_some_and(|hir| holds(hir, wanted)),
        }
    }

    /// Whether whatever a group captures begins with `wanted`.
    pub(super) fn begins_with(&self, group: Group<'_>, wanted: char) -> bool {
        self.find(group).is_some_and(|hir| begins(hir, wanted))
    }

    fn find(&self, group: Group<'_>) -> Option<&Hir> {
        let mut left = vec![&self.hir];
        while let Some(hir) = left.pop() {
            if let HirKind::Capture(capture) = hir.kind() {
                let is_it = match group {
                    Group::Number(number) => capture.index == number,
                    Group::Name(name) => capture.name.as_deref() == Some(name),
                    Group::Whole => false,
                };
                if is_it {
                    return Some(&capture.sub);
                }
            }
            left.extend(hir.kind().subs());
        }
        None
    }
}

fn holds(hir: &Hir, wanted: char) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).is_ok_and(|text| text.contains(wanted)),
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&wanted))
        }
        HirKind::Class(Class::Bytes(class)) => u8::try_from(wanted)
            .is_ok_and(|byte| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&byte))),
        _ => hir.kind().subs().iter().any(|sub| holds(sub, wanted)),
    }
}

fn begins(hir: &Hir, wanted: char) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).is_ok_and(|text| text.starts_with(wanted)),
        HirKind::Concat(subs) => subs.first().is_some_and(|sub| begins(sub, wanted)),
        HirKind::Alternation(subs) => subs.iter().all(|sub| begins(sub, wanted)),
        HirKind::Capture(capture) => begins(&capture.sub, wanted),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn can_hold_line_break(text: &str, group: u32) -> bool {
        Expression::parse(text).unwrap().can_hold(Group::Number(group), '\n')
    }

    #[test]
    fn only_classes_that_take_them_let_line_breaks_in() {
        assert!(!can_hold_line_break("^/a/(.*)$", 1) && !can_hold_line_break("/(a|b)/([a-z0-9_-]+)", 2));
        assert!(can_hold_line_break("^/a/([^/]+)", 1) && can_hold_line_break(r"/(a|b)/(\W*)$", 2));
        assert!(!can_hold_line_break(r"/(a|b)/(\W*)$", 1) && !can_hold_line_break(r"/(\S+)", 1));
        assert!(can_hold_line_break("(?s)/(.*)", 1) && can_hold_line_break(r"/([\s\S]*)", 1));
        assert!(!can_hold_line_break(r"/([^/\s]+)", 1) && !can_hold_line_break("/a", 1));
    }

    #[test]
    fn groups_have_names_too() {
        let expression = Expression::parse(r"^/(?<area>a|b)/(?P<rest>/[^?]*)").unwrap();
        assert!(expression.names("area") && expression.names("rest") && !expression.names("a"));
        assert!(expression.can_hold(Group::Name("rest"), '\n') && !expression.can_hold(Group::Name("area"), '\n'));
        assert!(expression.begins_with(Group::Name("rest"), '/') && !expression.begins_with(Group::Name("area"), '/'));
    }

    #[test]
    fn the_whole_counts_where_both_ends_are_tied() {
        let whole = |text: &str| Expression::parse(text).unwrap().can_hold(Group::Whole, '\n');
        assert!(!whole("^/old/[a-z]+$") && whole("^/old/") && whole("^/old/[^/]+$"));
        assert!(Expression::parse("^/(?!api)").is_none());
    }
}
