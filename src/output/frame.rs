//! Frames: source lines with carets and labels, in several files. codespan-reporting lives here alone.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use codespan_reporting::diagnostic::{Diagnostic, Label as Mark, Severity as Level};
use codespan_reporting::files::{Error, Files};
use codespan_reporting::term::{Config, emit_to_write_style, termcolor::Buffer};

use crate::finding::{Label, Severity};
use crate::output::texts::{Texts, trimmed};
use crate::source::{FileId, Span};

const TAB: usize = 4;
/// A mark is never cut shorter than this.
const SHORTEST_MARK: usize = 3;

/// The frames of `primary` (carets) and `related` (dashes), and notes below; empty where no label has a span and
/// there is no note.
pub(super) fn frames(
    texts: &Texts<'_>,
    severity: Severity,
    primary: Option<&Label>,
    related: &[Label],
    notes: Vec<String>,
    look: Look,
) -> String {
    let labels = joined(primary, related);
    let labels: Vec<(bool, &Label)> = labels.iter().map(|(is_primary, label)| (*is_primary, &**label)).collect();
    // All files of a frame share the column of line numbers: that of the longest.
    let last_line = |label: &Label| Some(texts.source(label.place.file).line_of(label.place.span?.end));
    let longest = labels.iter().filter_map(|(_, label)| last_line(label)).max().unwrap_or(1);
    let room = look.width.saturating_sub(longest.to_string().len() + 3);
    let mut cuts: Vec<Cut> = Vec::new();
    for (_, label) in &labels {
        if !cuts.iter().any(|cut| cut.file == label.place.file) {
            let here = labels.iter().map(|(_, other)| *other).filter(|other| other.place.file == label.place.file);
            cuts.push(Cut::new(texts, label.place.file, &here.collect::<Vec<_>>(), room.max(40)));
        }
    }
    let marks = labels.iter().filter_map(|(is_primary, label)| {
        let cut = cuts.iter().position(|cut| cut.file == label.place.file)?;
        let range = cuts[cut].shown(label.place.span?, texts)?;
        let range = if *is_primary { range } else { cuts[cut].with_room(range, &label.text, room) };
        let mark = if *is_primary { Mark::primary(cut, range) } else { Mark::secondary(cut, range) };
        Some(mark.with_message(texts.clean(&label.text)))
    });
    let level = match severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Note,
    };
    let diagnostic = Diagnostic::new(level).with_labels(marks.collect()).with_notes(notes);
    let mut buffer = if look.colour { Buffer::ansi() } else { Buffer::no_color() };
    let config = Config { tab_width: TAB, ..Config::default() };
    // Writing to memory cannot fail, and a file that is not there shows as a finding without its frame.
    let _ = emit_to_write_style(&mut buffer, &config, &Cuts(cuts), &diagnostic);
    let drawn = String::from_utf8_lossy(buffer.as_slice()).into_owned();
    // The first line is the header, which the caller writes.
    drawn.split_once('\n').map_or_else(String::new, |(_, body)| body.trim_end_matches('\n').to_owned())
}

/// The labels that have a span, and whether each is the primary one. What is said of one place is said in one label.
fn joined<'l>(primary: Option<&'l Label>, related: &'l [Label]) -> Vec<(bool, Cow<'l, Label>)> {
    let mut joined: Vec<(bool, Cow<'l, Label>)> = Vec::new();
    let primary = primary.into_iter().map(|label| (true, label));
    for (is_primary, label) in primary.chain(related.iter().map(|label| (false, label))) {
        match joined.iter_mut().find(|(_, other)| other.place == label.place) {
            _ if label.place.span.is_none() => {}
            Some((_, other)) if other.text.is_empty() => other.to_mut().text.clone_from(&label.text),
            Some((_, other)) if label.text.is_empty() || other.text == label.text => {}
            Some((_, other)) => other.to_mut().text += &format!("; {}", label.text),
            None => joined.push((is_primary, Cow::Borrowed(label))),
        }
    }
    joined
}

/// How frames are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) colour: bool,
    /// Columns of the terminal.
    pub(super) width: usize,
}

/// The lines of one source that a frame needs, each cut to the width around its labels.
struct Cut {
    file: FileId,
    name: String,
    text: String,
    lines: Vec<Line>,
}

struct Line {
    /// Index in the source, from 0.
    index: usize,
    /// In the cut text, without the line end.
    range: Range<usize>,
    /// What of the source is shown.
    source: Range<usize>,
    /// Bytes of the mark of elision in front.
    lead: usize,
    /// Character columns in front of what is shown.
    skipped: usize,
}

impl Cut {
    fn new(texts: &Texts<'_>, file: FileId, labels: &[&Label], room: usize) -> Self {
        let source = texts.source(file);
        let clean = texts.text(file);
        let spans: Vec<(Span, usize)> = labels
            .iter()
            .filter_map(|label| Some((shortened(texts, file, label.place.span?), label.text.chars().count())))
            .collect();
        let line_of = |offset: u32| source.line_of(offset) - 1;
        let mut wanted: BTreeSet<usize> =
            spans.iter().flat_map(|(span, _)| line_of(span.start)..=line_of(span.end)).collect();
        // codespan shows the line between two labelled ones that it would else have to elide.
        let between: Vec<usize> =
            wanted.iter().filter(|line| wanted.contains(&(**line + 2))).map(|line| line + 1).collect();
        wanted.extend(between);
        let mut cut = Self { file, name: texts.name(file), text: String::new(), lines: Vec::new() };
        for index in wanted {
            let whole = source.line_span(index + 1).unwrap_or_default().range();
            let here =
                spans.iter().filter(|(span, _)| span.range().start <= whole.end && span.range().end >= whole.start);
            let (focus, said) = here.min_by_key(|(span, _)| span.start).copied().unwrap_or_default();
            let shown = window(&clean, whole.clone(), focus.range(), said, room);
            let lead = if shown.start > whole.start { "\u{2026}" } else { "" };
            let tail = if shown.end < whole.end { "\u{2026}" } else { "" };
            let start = cut.text.len();
            cut.text.push_str(lead);
            cut.text.push_str(&clean[shown.clone()]);
            cut.text.push_str(tail);
            let skipped = source.characters_between(whole.start, shown.start);
            cut.lines.push(Line { index, range: start..cut.text.len(), source: shown, lead: lead.len(), skipped });
            cut.text.push('\n');
        }
        cut
    }

    /// `span` of the source in the cut text.
    fn shown(&self, span: Span, texts: &Texts<'_>) -> Option<Range<usize>> {
        let span = shortened(texts, self.file, span).range();
        let start = self.offset(span.start, texts)?;
        Some(start..self.offset(span.end, texts)?.max(start))
    }

    /// A range that leaves room for what is said behind it: its beginning, where the whole would push that off the screen.
    fn with_room(&self, range: Range<usize>, said: &str, room: usize) -> Range<usize> {
        let line_start = self.text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let before = self.text[line_start..range.start].chars().count();
        let room = room.saturating_sub(before + said.chars().count() + 1).max(SHORTEST_MARK);
        let marked = &self.text[range.clone()];
        match marked.char_indices().nth(room) {
            Some((end, _)) if !marked.contains('\n') && !said.is_empty() => range.start..range.start + end,
            _ => range,
        }
    }

    /// An offset of the source in the cut text; one that was cut off lands on the edge of its line.
    fn offset(&self, offset: usize, texts: &Texts<'_>) -> Option<usize> {
        let index = texts.source(self.file).line_of(Span::new(offset, offset).start) - 1;
        let line = self.lines.iter().find(|line| line.index == index)?;
        Some(line.range.start + line.lead + offset.clamp(line.source.start, line.source.end) - line.source.start)
    }
}

/// A span that a frame can show: without its closing line end, and its first line where it runs over several, for brackets
/// over lines hide what they are about.
fn shortened(texts: &Texts<'_>, file: FileId, span: Span) -> Span {
    let source = texts.source(file);
    let span = trimmed(span, source.text());
    match source.line_span(source.line_of(span.start)) {
        Some(line) => trimmed(Span { start: span.start, end: span.end.min(line.end.max(span.start)) }, source.text()),
        None => span,
    }
}

/// The part of a line that fits into `room` columns and begins a little before `focus`, so that the `said` columns of
/// its label fit behind its carets.
fn window(text: &str, line: Range<usize>, focus: Range<usize>, said: usize, room: usize) -> Range<usize> {
    let columns = |character: char| if character == '\t' { TAB } else { 1 };
    // A line may be the whole file: what is wider than the screen is not measured to its end.
    let width = |range: Range<usize>| text[range].chars().take(room + 1).map(columns).sum::<usize>();
    if width(line.clone()) <= room {
        return line;
    }
    let focus = focus.start.clamp(line.start, line.end)..focus.end.clamp(line.start, line.end);
    let behind = width(focus.clone()) + 1 + said;
    let start = if width(line.start..focus.start) + behind < room {
        line.start
    } else {
        let back = room.saturating_sub(behind + 2).min(room / 3);
        let back: usize = text[line.start..focus.start].chars().rev().take(back).map(char::len_utf8).sum();
        focus.start - back
    };
    let mut left = room.saturating_sub(2);
    let length: usize = text[start..line.end]
        .chars()
        .take_while(|character| {
            let fits = left >= columns(*character);
            left = left.saturating_sub(columns(*character));
            fits
        })
        .map(char::len_utf8)
        .sum();
    start..start + length
}

struct Cuts(Vec<Cut>);

impl Cuts {
    fn line(&self, id: usize, index: usize) -> Result<&Line, Error> {
        let cut = self.0.get(id).ok_or(Error::FileMissing)?;
        let max = cut.lines.last().map_or(0, |line| line.index);
        cut.lines.iter().find(|line| line.index == index).ok_or(Error::LineTooLarge { given: index, max })
    }
}

impl<'f> Files<'f> for Cuts {
    type FileId = usize;
    type Name = &'f str;
    type Source = &'f str;

    fn name(&'f self, id: usize) -> Result<&'f str, Error> {
        self.0.get(id).map(|cut| cut.name.as_str()).ok_or(Error::FileMissing)
    }

    fn source(&'f self, id: usize) -> Result<&'f str, Error> {
        self.0.get(id).map(|cut| cut.text.as_str()).ok_or(Error::FileMissing)
    }

    fn line_index(&'f self, id: usize, byte_index: usize) -> Result<usize, Error> {
        let cut = self.0.get(id).ok_or(Error::FileMissing)?;
        let line = cut.lines.iter().rev().find(|line| line.range.start <= byte_index);
        line.map(|line| line.index).ok_or(Error::IndexTooLarge { given: byte_index, max: cut.text.len() })
    }

    fn line_range(&'f self, id: usize, line_index: usize) -> Result<Range<usize>, Error> {
        self.line(id, line_index).map(|line| line.range.clone())
    }

    fn column_number(&'f self, id: usize, line_index: usize, byte_index: usize) -> Result<usize, Error> {
        let line = self.line(id, line_index)?;
        let from = line.range.start + line.lead;
        let shown = self.0[id].text.get(from..byte_index.max(from)).unwrap_or("");
        Ok(line.skipped + shown.chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::{Origin, Place, Sources};

    #[test]
    fn two_words_about_one_place_share_its_label_and_a_long_one_is_its_first_line() {
        let mut sources = Sources::default();
        let text = "engine = create_engine(\n    URL,\n)\n";
        let file = sources.add("app.py", text.as_bytes().to_vec(), Origin::File);
        let label = |said: &str| Label { place: Place::at(file, Span::new(9, text.len())), text: said.to_owned() };
        let related = [label("the engine is made here"), label("the pool is made here")];
        let texts = Texts::new(&sources);
        let drawn = frames(&texts, Severity::Error, None, &related, Vec::new(), Look { colour: false, width: 80 });
        let lines: Vec<&str> = drawn.lines().collect();
        assert!(lines[2].ends_with("engine = create_engine("), "{drawn}");
        assert!(lines[3].ends_with("-------------- the engine is made here; the pool is made here"), "{drawn}");
        assert!(!drawn.contains("URL"), "{drawn}");
    }
}
