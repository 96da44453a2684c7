//! Words of a Dockerfile: split as its builder does, and taken apart into text and variables (BuildKit:
//! `frontend/dockerfile/parser/line_parsers.go`, `frontend/dockerfile/shell/lex.go`).

use super::lines::JOIN;
use crate::source::{Located, Span};

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Text(String),
    /// `$NAME` or `${NAME}`.
    Variable(String),
    /// `${NAME:-text}`: the text where the variable is not set, or is empty.
    Default(String, String),
    /// A substitution of another kind.
    Other(String),
}

/// The words of `text[within]`, quotes and escapes kept, joined lines as one.
pub(super) fn words(text: &str, within: Span, escape: char) -> Vec<Located<String>> {
    let mut all = Vec::new();
    let mut word = String::new();
    let mut begun = None;
    let mut quote = None;
    let mut characters = Characters::new(text, within);
    while let Some((at, character)) = characters.next() {
        if character.is_whitespace() && quote.is_none() {
            all.extend(begun.take().map(|start| Located::new(std::mem::take(&mut word), Span::new(start, at))));
            continue;
        }
        begun.get_or_insert(at);
        word.push(character);
        match character {
            '"' | '\'' if quote.is_none() => quote = Some(character),
            _ if quote == Some(character) => quote = None,
            _ if character == escape => word.extend(characters.next().map(|(_, next)| next)),
            _ => {}
        }
    }
    all.extend(begun.map(|start| Located::new(word, Span::new(start, within.range().end))));
    all
}

/// The words between blanks, whatever quotes they hold.
pub(super) fn fields(text: &str, within: Span) -> Vec<Located<String>> {
    let mut all = Vec::new();
    let mut word = String::new();
    let mut begun = None;
    for (at, character) in Characters::new(text, within) {
        if character.is_whitespace() {
            all.extend(begun.take().map(|start| Located::new(std::mem::take(&mut word), Span::new(start, at))));
        } else {
            begun.get_or_insert(at);
            word.push(character);
        }
    }
    all.extend(begun.map(|start| Located::new(word, Span::new(start, within.range().end))));
    all
}

/// The characters of a joined text with their places, without the marks of joined lines.
struct Characters<'t> {
    rest: &'t str,
    at: usize,
}

impl<'t> Characters<'t> {
    fn new(text: &'t str, within: Span) -> Self {
        Self { rest: within.of(text), at: within.range().start }
    }
}

impl Iterator for Characters<'_> {
    type Item = (usize, char);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(rest) = self.rest.strip_prefix(JOIN) {
            self.rest = rest;
            self.at += JOIN.len();
        }
        let character = self.rest.chars().next()?;
        let at = self.at;
        self.rest = &self.rest[character.len_utf8()..];
        self.at += character.len_utf8();
        Some((at, character))
    }
}

/// The pieces of a word: quotes and escapes resolved.
pub fn parts(word: &str, escape: char) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut double = false;
    let mut rest = word;
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        match character {
            '\'' if !double => {
                let (inside, behind) = after.split_once('\'').unwrap_or((after, ""));
                text.push_str(inside);
                rest = behind;
            }
            '"' => {
                double = !double;
                rest = after;
            }
            '$' => {
                let (part, behind) = substitution(after);
                match part {
                    Part::Text(plain) => text.push_str(&plain),
                    part => {
                        flush(&mut text, &mut parts);
                        parts.push(part);
                    }
                }
                rest = behind;
            }
            _ if character == escape => {
                let next = after.chars().next();
                // Between double quotes only these lose their meaning.
                let is_kept = double && !next.is_some_and(|next| matches!(next, '"' | '$') || next == escape);
                if is_kept {
                    text.push(character);
                }
                text.extend(next);
                rest = &after[next.map_or(0, char::len_utf8)..];
            }
            _ => {
                text.push(character);
                rest = after;
            }
        }
    }
    flush(&mut text, &mut parts);
    parts
}

/// What stands behind a `$`, and what is left after it.
fn substitution(rest: &str) -> (Part, &str) {
    if let Some(inner) = rest.strip_prefix('{') {
        let Some((inside, behind)) = inner.split_once('}') else { return (Part::Other(format!("${rest}")), "") };
        let (name, modifier) = inside.split_at(name_length(inside));
        let part = match modifier {
            "" if !name.is_empty() => Part::Variable(name.to_owned()),
            _ => match modifier.strip_prefix(":-").or_else(|| modifier.strip_prefix('-')) {
                Some(default) if !name.is_empty() && !default.contains(['$', '"', '\'', '\\']) => {
                    Part::Default(name.to_owned(), default.to_owned())
                }
                _ => Part::Other(format!("${{{inside}}}")),
            },
        };
        return (part, behind);
    }
    let (name, behind) = rest.split_at(name_length(rest));
    if name.is_empty() { (Part::Text("$".to_owned()), rest) } else { (Part::Variable(name.to_owned()), behind) }
}

fn name_length(text: &str) -> usize {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    text.bytes().take_while(is_name).count()
}

fn flush(text: &mut String, parts: &mut Vec<Part>) {
    if !text.is_empty() {
        parts.push(Part::Text(std::mem::take(text)));
    }
}
