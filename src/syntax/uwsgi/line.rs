//! Lines of an ini: where they end once `%` has eaten what follows it, and how they split.

use super::ConfigOption;
use super::magic::{Text, Unit, units};
use crate::source::{Located, Span};

/// A line that means something.
pub(super) enum Line {
    /// `[name]`
    Header { name: String, span: Span },
    /// `key = value`
    Option(ConfigOption),
}

/// Every line of `text` that is neither empty nor a comment.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line> {
    let mut start = 0;
    std::iter::from_fn(move || {
        while start < text.len() {
            let (end, next) = line_end(text, start);
            let line = read(text, start, end);
            start = next;
            if line.is_some() {
                return line;
            }
        }
        None
    })
}

/// The end of the line at `start`, and the start of the next: a newline right after a `%` ends nothing.
fn line_end(text: &str, start: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => at += 2,
            b'\n' => return (at, at + 1),
            _ => at += 1,
        }
    }
    (text.len(), text.len())
}

fn read(text: &str, start: usize, end: usize) -> Option<Line> {
    let line = units(text, start, end);
    // C strings: a NUL ends the line for everyone who looks at it.
    let visible = line.iter().position(|unit| unit.is('\0')).unwrap_or(line.len());
    let line = trim(&line[..visible]);
    let (first, last) = (line.first()?, line.last()?);
    let span = first.span.to(last.span);
    if first.is(';') || first.is('#') {
        return None;
    }
    if first.is('[') {
        let name = Text::of(&line[1..line.len().max(2) - 1]);
        return Some(Line::Header { name: name.lossy(), span });
    }
    Some(Line::Option(split(line, span)))
}

/// Splits at the first `=`; without one the value is empty.
fn split(line: &[Unit], span: Span) -> ConfigOption {
    let (key, value) = match line.iter().position(|unit| unit.is('=')) {
        Some(equals) => (trim_end(&line[..equals]), trim(&line[equals + 1..])),
        None => (line, &line[line.len()..]),
    };
    let (start, end) = (span.start as usize, span.end as usize);
    ConfigOption { key: located(key, start), value: located(value, end), span, block: None }
}

/// The text of some units; where there are none, it stands empty at `fallback`.
fn located(units: &[Unit], fallback: usize) -> Located<Text> {
    let span = match (units.first(), units.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::new(fallback, fallback),
    };
    Located::new(Text::of(units), span)
}

fn trim(units: &[Unit]) -> &[Unit] {
    let start = units.iter().position(|unit| !unit.is_blank()).unwrap_or(units.len());
    trim_end(&units[start..])
}

fn trim_end(units: &[Unit]) -> &[Unit] {
    let end = units.iter().rposition(|unit| !unit.is_blank()).map_or(0, |last| last + 1);
    &units[..end]
}
