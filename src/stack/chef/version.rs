//! Versions of cookbooks and constraints on them, as Chef reads them (`chef: lib/chef/version_class.rb`, `version_constraint.rb`).

use crate::rows;
use crate::source::{FileId, Place};
use crate::stack::chef::cookbook::{Book, Root};
use crate::stack::chef::metadata::Metadata;
use crate::stack::fact::Fact;

rows! {
    #[doc = "one version, or one constraint on a version, in a cookbook's metadata; keyed by `version` or `constraint`"]
    pub struct Version in "versions" {
        #[doc = "the text as written"]
        text: String,
        #[doc = "the cookbook whose version it is, or on which the constraint is"]
        of: String,
        #[doc = "why Chef refuses it; absent where it does not"]
        wrong: String,
        #[doc = "what to write in its place"]
        cure: String,
    }
}

/// A version: two or three numbers, the third one 0 where it is left out.
pub type Numbers = [u64; 3];

/// The versions that one constraint lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The lowest, and whether it is let through itself.
    low: (Numbers, bool),
    /// The highest, and whether it is let through itself; none where all higher ones are.
    high: Option<(Numbers, bool)>,
}

impl Range {
    /// The versions that `text` lets through; `None` where Chef refuses it.
    pub fn of(text: &str) -> Option<Self> {
        let (operator, version) = split(text)?;
        let numbers = numbers(version)?;
        let nothing = ([0; 3], true);
        Some(match operator {
            "=" => Self { low: (numbers, true), high: Some((numbers, true)) },
            ">=" => Self { low: (numbers, true), high: None },
            ">" => Self { low: (numbers, false), high: None },
            "<" => Self { low: nothing, high: Some((numbers, false)) },
            "<=" => Self { low: nothing, high: Some((numbers, true)) },
            _ => Self { low: (numbers, true), high: Some((after(numbers, version), false)) },
        })
    }

    /// Whether some version is let through by both.
    pub fn meets(&self, other: &Self) -> bool {
        self.reaches(other) && other.reaches(self)
    }

    /// Whether the lowest of this one is not above the highest of the other.
    fn reaches(&self, other: &Self) -> bool {
        let Some((high, inclusive)) = other.high else { return true };
        self.low.0 < high || (self.low.0 == high && self.low.1 && inclusive)
    }
}

/// The first version that `~>` no longer lets through: `1.4` up to `2.0`, `1.4.2` up to `1.5`.
fn after(numbers: Numbers, written: &str) -> Numbers {
    match written.matches('.').count() {
        2 => [numbers[0], numbers[1].saturating_add(1), 0],
        _ => [numbers[0].saturating_add(1), 0, 0],
    }
}

/// The operator and the version of a constraint; a version alone means `=`.
fn split(text: &str) -> Option<(&str, &str)> {
    if text.starts_with(|first: char| first.is_ascii_digit()) && !text.contains(' ') {
        return Some(("=", text));
    }
    let operator = ["<=", ">=", "~>", "<", ">", "="].into_iter().find(|operator| text.starts_with(operator))?;
    Some((operator, text.get(operator.len()..)?.trim_start_matches(' ')))
}

/// `x.y` or `x.y.z`.
fn numbers(text: &str) -> Option<Numbers> {
    let mut numbers = [0; 3];
    let parts: Vec<&str> = text.split('.').collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    for (number, part) in numbers.iter_mut().zip(&parts) {
        if !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    Some(numbers)
}

/// The versions and constraints of the metadata of the root's own cookbooks.
pub fn versions(root: &Root) -> Vec<Version> {
    let own = root.books.iter().filter(|book| !book.is_context);
    own.filter_map(|book| Some((book, book.metadata.as_ref()?)))
        .flat_map(|(book, metadata)| of(book, metadata))
        .collect()
}

fn of(book: &Book, metadata: &Metadata) -> Vec<Version> {
    let mut rows = Vec::new();
    if let Some(version) = &metadata.version {
        let wrong = numbers(&version.value).is_none().then(|| "a version is x.y or x.y.z, in numbers".to_owned());
        let cure = wrong.as_ref().and_then(|_| padded(&version.value));
        rows.push(row("version", &version.value, &book.name, metadata.file, (version.span, wrong, cure)));
    }
    for one in &metadata.depends {
        let span = one.name.span;
        if let Some((name, rest)) = run_together(&one.name.value) {
            let wrong = "Ruby joins two strings that only a blank stands between".to_owned();
            let cure = Some(format!("depends '{name}', '{rest}'"));
            rows.push(row("constraint", &one.name.value, name, metadata.file, (span, Some(wrong), cure)));
        }
        let several = one.constraints.len() > 1;
        for constraint in &one.constraints {
            let (wrong, cure) = if several {
                (Some("Chef takes one constraint for each `depends`".to_owned()), None)
            } else {
                judged(constraint)
            };
            rows.push(row("constraint", constraint, &one.name.value, metadata.file, (span, wrong, cure)));
        }
    }
    rows
}

fn row(
    key: &str,
    text: &str,
    of: &str,
    file: FileId,
    (span, wrong, cure): (crate::source::Span, Option<String>, Option<String>),
) -> Version {
    let place = Place::at(file, span);
    let mut row = Version::at(place);
    key.clone_into(&mut row.key);
    row.text = Fact::read(text.to_owned(), place);
    row.of = Fact::derived(of.to_owned());
    row.wrong = wrong.map_or_else(Fact::absent, Fact::derived);
    row.cure = cure.map_or_else(Fact::absent, Fact::derived);
    row
}

/// Why Chef refuses a constraint, and what to write.
fn judged(text: &str) -> (Option<String>, Option<String>) {
    if Range::of(text).is_some() {
        return (None, None);
    }
    let Some((operator, version)) = split(text) else {
        return (Some("it begins with none of <, <=, =, ~>, >= and >".to_owned()), None);
    };
    let cure = padded(version.trim()).map(|version| format!("{operator} {version}"));
    (Some("its version is not x.y or x.y.z, in numbers".to_owned()), cure)
}

/// `2` is meant as `2.0`.
fn padded(version: &str) -> Option<String> {
    let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("{version}.0"))
}

/// `depends 'apt' '~> 2.0'`, without the comma, names a cookbook `apt~> 2.0`.
fn run_together(name: &str) -> Option<(&str, &str)> {
    let at = name.find(['<', '>', '=', '~'])?;
    Some((name.get(..at)?.trim_end(), name.get(at..)?)).filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_chef_takes_for_a_constraint() {
        for text in ["1.2", "1.2.3", "= 1.0", ">=1.0", "~> 1.4.2", "< 2.0.0"] {
            assert!(Range::of(text).is_some(), "{text}");
        }
        for text in ["", "1", ">= 1", "=> 1.0", "!= 1.0", "1.2.3.4", "~> 1.x", "1.0 ", "latest"] {
            assert!(Range::of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn ranges_meet_or_do_not() {
        let meets = |left: &str, right: &str| Range::of(left).unwrap().meets(&Range::of(right).unwrap());
        assert!(meets("~> 1.4", ">= 1.9") && meets("= 1.0", "~> 1.0.0") && meets(">= 1.0", "<= 1.0"));
        assert!(!meets("~> 1.4", ">= 2.0") && !meets("~> 1.4.2", "= 1.5.0") && !meets("> 1.0", "<= 1.0"));
        assert!(!meets("= 1.0", "= 1.1") && meets("< 2.0", "~> 1.9"));
    }

    proptest! {
        #[test]
        fn meeting_has_no_sides(left in constraint(), right in constraint()) {
            let (left, right) = (Range::of(&left).unwrap(), Range::of(&right).unwrap());
            prop_assert_eq!(left.meets(&right), right.meets(&left));
        }

        #[test]
        fn any_text_is_read(text in ".*") {
            let _ = (Range::of(&text), judged(&text), run_together(&text));
        }
    }

    fn constraint() -> impl Strategy<Value = String> {
        ("(<|<=|=|~>|>=|>)", 0..4u8, 0..4u8, 0..4u8).prop_map(|(op, a, b, c)| format!("{op} {a}.{b}.{c}"))
    }
}
