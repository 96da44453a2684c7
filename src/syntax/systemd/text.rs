//! A line of a unit as systemd has it after joining continued lines, with the place of every byte of it.

use std::ops::Range;

use crate::source::Span;

/// Blanks, as systemd counts them.
pub(super) const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// A text put together from pieces of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// The text.
    pub value: String,
    /// Where each piece starts: in the text, and in the file.
    pieces: Vec<(usize, usize)>,
}

impl Text {
    /// Adds a piece that stands at `at` of the file.
    fn push(&mut self, piece: &str, at: usize) {
        if !piece.is_empty() || self.pieces.is_empty() {
            self.pieces.push((self.value.len(), at));
            self.value.push_str(piece);
        }
    }

    fn place(&self, offset: usize) -> usize {
        let piece = self.pieces.partition_point(|(start, _)| *start <= offset).saturating_sub(1);
        self.pieces.get(piece).map_or(0, |(start, at)| at + (offset - start))
    }

    /// Where a part of it stands, from its first byte to its last.
    pub fn span(&self, range: Range<usize>) -> Span {
        let start = self.place(range.start);
        let end = if range.is_empty() { start } else { self.place(range.end - 1) + 1 };
        Span::new(start, end.max(start))
    }

    /// Where all of it stands.
    pub fn whole(&self) -> Span {
        self.span(0..self.value.len())
    }

    /// A part of it without the blanks around it.
    pub(super) fn trimmed(&self, range: Range<usize>) -> Self {
        let part = &self.value[range.clone()];
        let start = range.start + part.len() - part.trim_start_matches(BLANKS).len();
        let kept = part.trim_matches(BLANKS);
        let end = start + kept.len();
        let first = self.pieces.partition_point(|(own, _)| *own <= start).saturating_sub(1);
        let last = self.pieces.partition_point(|(own, _)| *own < end.max(start + 1));
        let inside = self.pieces.get(first..last).unwrap_or_default();
        let moved = |(own, at): &(usize, usize)| {
            let cut = start.saturating_sub(*own);
            (own.saturating_sub(start), at + cut)
        };
        Self { value: kept.to_owned(), pieces: inside.iter().map(moved).collect() }
    }
}

/// The logical lines of a unit: comments left out, also those between continued lines; a `\` at the end of a line becomes a
/// blank, and the next line follows without its indentation (systemd: conf-parser.c, `config_parse`).
pub(super) fn lines(text: &str) -> Vec<Text> {
    let mut all = Vec::new();
    let mut open: Option<Text> = None;
    let mut at = 0;
    while at < text.len() {
        let end = text[at..].find(['\n', '\r', '\0']).map_or(text.len(), |end| at + end);
        let line = text[at..end].trim_start_matches(BLANKS);
        let start = end - line.len();
        let (line, start) = match line.strip_prefix('\u{feff}').filter(|_| at == 0) {
            Some(rest) => (rest, end - rest.len()),
            None => (line, start),
        };
        at = after_end(text, end);
        if line.starts_with(['#', ';']) {
            continue;
        }
        let is_continued = line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
        let mut joined = open.take().unwrap_or_default();
        if is_continued {
            joined.push(&line[..line.len() - 1], start);
            joined.push(" ", end - 1);
            open = Some(joined);
        } else {
            joined.push(line, start);
            all.push(joined);
        }
    }
    all.extend(open);
    all
}

/// Behind a line's end: of `\n`, `\r` and NUL each belongs to it once (systemd: fileio.c, `read_line_full`).
fn after_end(text: &str, end: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = end;
    while bytes.get(at).is_some_and(|byte| matches!(byte, b'\n' | b'\r' | 0) && !bytes[end..at].contains(byte)) {
        at += 1;
    }
    at
}
