//! A regular expression in an argument.

use super::argument::Invalid;
use super::regex;

/// What PCRE refuses in `pattern`, which begins `skipped` bytes into the argument `at`.
pub(super) fn refused(pattern: &str, at: usize, skipped: usize) -> Option<Invalid> {
    let (message, offset) = regex::refused(pattern)?;
    let hint = match message {
        "missing closing parenthesis" if pattern.ends_with('{') || pattern.contains('{') => {
            "write the missing `)`, or `\\(` for the sign itself"
        }
        "missing closing parenthesis" => {
            "write the missing `)`, or `\\(` for the sign itself; where `{2}` or `;` ends the word too early, put all of it in quotes"
        }
        "unmatched closing parenthesis" => "write the missing `(`, or `\\)` for the sign itself",
        "missing terminating ] for character class" => "write the missing `]`, or `\\[` for the sign itself",
        "quantifier does not follow a repeatable item" => {
            "`*`, `+` and `?` repeat what stands before them: write `.*` for any text, or `\\*` for the sign itself"
        }
        "numbers out of order in {} quantifier" | "range out of order in character class" => {
            "write the smaller one first"
        }
        "number too big in {} quantifier" => "write at most 65535",
        "\\ at end of pattern" => "write `\\\\` for the sign itself",
        _ => "write the missing `)`",
    };
    let end = (skipped + offset).min(skipped + pattern.len());
    let start = end.saturating_sub(usize::from(offset >= pattern.len()));
    let range = if pattern.is_char_boundary(start.saturating_sub(skipped)) { start..end.max(start + 1) } else { 0..0 };
    Some(Invalid::new(at, format!("PCRE refuses this pattern: {message}"), hint).range(range))
}
