//! Reader for `.env` files as python-dotenv reads them: `NAME=value`, `export` before it, quotes, comments behind a blank.

use crate::source::{Located, Span};

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The variable.
    pub name: Located<String>,
    /// Its value, quotes resolved; empty too for a name without `=`, which gives no variable.
    pub value: Located<String>,
    /// Whether `${NAME}` in it stands for other variables.
    pub substituted: bool,
}

/// The assignments in order; what is none is passed over.
pub fn parse(text: &str) -> Vec<Assignment> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        let (found, next) = assignment(text, at, end);
        all.extend(found);
        // What stands behind a quoted value on its last line is passed over.
        let value_end = next.max(end);
        at = text[value_end..].find('\n').map_or(text.len(), |end| value_end + end + 1);
    }
    all
}

/// The assignment of the line from `start` to `end`, and where it ends: a quoted value may go on over more lines.
fn assignment(text: &str, start: usize, end: usize) -> (Option<Assignment>, usize) {
    let line = &text[start..end];
    let trimmed = line.trim_start();
    let rest = trimmed.strip_prefix("export ").map_or(trimmed, str::trim_start);
    let Some(equals) = rest.find('=').filter(|_| !rest.starts_with('#')) else { return (None, end) };
    let name = rest[..equals].trim_end();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if !is_name {
        return (None, end);
    }
    let name_start = end - rest.len();
    let name = Located::new(name.to_owned(), Span::new(name_start, name_start + name.len()));
    let after = &rest[equals + 1..];
    let value_start = end - after.trim_start().len();
    let value_start = value_start.min(end);
    let (value, value_end, is_literal) = match text[value_start..].chars().next().filter(|_| value_start < end) {
        Some(quote @ ('"' | '\'')) => match closing(&text[value_start + 1..], quote) {
            Some(length) => {
                let inner = &text[value_start + 1..value_start + 1 + length];
                (unescaped(inner, quote), value_start + length + 2, quote == '\'')
            }
            None => (text[value_start..end].trim_end().to_owned(), end, false),
        },
        _ => {
            let plain = &text[value_start..end];
            let comment = plain.match_indices('#').map(|(at, _)| at).find(|at| plain[..*at].ends_with([' ', '\t']));
            let kept = plain[..comment.unwrap_or(plain.len())].trim_end();
            (kept.to_owned(), value_start + kept.len(), false)
        }
    };
    let substituted = !is_literal && value.contains("${");
    let value = Located::new(value, Span::new(value_start, value_end));
    (Some(Assignment { name, value, substituted }), value_end)
}

/// How far it is to the quote that closes.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })
}

fn unescaped(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match characters.next() {
            Some(next @ ('\\' | '\'')) => out.push(next),
            Some('"') if quote == '"' => out.push('"'),
            Some('n') if quote == '"' => out.push('\n'),
            Some('t') if quote == '"' => out.push('\t'),
            Some(next) => out.extend(['\\', next]),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_as_people_write_them() {
        let text = "# A=1\nA = 1 # one\nexport B=\"x \\\"y\\\" # z\"\nC='a\nb'\nD=a#b\nE=\nF\nG=${A}/x\nH='${A}'\n";
        let found: Vec<_> =
            parse(text).into_iter().map(|one| (one.name.value, one.value.value, one.substituted)).collect();
        let expected = [
            ("A", "1", false),
            ("B", "x \"y\" # z", false),
            ("C", "a\nb", false),
            ("D", "a#b", false),
            ("E", "", false),
            ("G", "${A}/x", true),
            ("H", "${A}", false),
        ];
        assert_eq!(found, expected.map(|(name, value, substituted)| (name.to_owned(), value.to_owned(), substituted)));
    }

    #[test]
    fn what_follows_a_quoted_value_of_several_lines_is_passed_over() {
        let names = |text: &str| parse(text).into_iter().map(|one| one.name.value).collect::<Vec<_>>();
        assert_eq!(names("A='x\ny'¥B=1\nC=2\n"), ["A", "C"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "([A-Z]=|export |['\"\\\\#= \\n$\\{\\}]|.){0,40}") {
            for one in parse(&text) {
                prop_assert!(text.get(one.name.span.range()).is_some() && text.get(one.value.span.range()).is_some());
            }
        }
    }
}
