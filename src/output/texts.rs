//! Texts as they may be shown: masked and harmless, each source cleaned once and only when it is shown.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::secret::Secrets;
use crate::source::{FileId, Origin, Place, Source, Sources, Span};

/// A longer line is cut, in bytes: a minified file must not be repeated with each of its findings.
const LONGEST_LINE: usize = 1024;

/// The only way from sources to output.
#[derive(Debug)]
pub struct Texts<'a> {
    sources: &'a Sources,
    secrets: OnceCell<Secrets>,
    cleaned: RefCell<HashMap<FileId, Rc<str>>>,
}

/// Where a place begins and ends, from 1; columns count characters, the end is the column after the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// First line.
    pub line: usize,
    /// Column of the first character.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// Column after the last character.
    pub end_column: usize,
}

impl<'a> Texts<'a> {
    /// Texts of these sources; secrets are harvested from all of them before the first is shown.
    pub fn new(sources: &'a Sources) -> Self {
        Self { sources, secrets: OnceCell::new(), cleaned: RefCell::default() }
    }

    fn secrets(&self) -> &Secrets {
        let shown = self.sources.iter().map(|(_, source)| source.text());
        let confided = self.sources.confided().iter().map(String::as_str);
        let values = self.sources.confided_values().iter().map(String::as_str);
        self.secrets.get_or_init(|| Secrets::harvest_with(shown.chain(confided), values))
    }

    /// The source behind an id; its raw text is not for output.
    pub(super) fn source(&self, file: FileId) -> &'a Source {
        self.sources.get(file)
    }

    /// The name of a source. A path stays what the user can open; the name of a probe may quote a secret.
    pub fn name(&self, file: FileId) -> String {
        let source = self.source(file);
        match source.origin {
            Origin::Probe => self.clean(&source.name),
            Origin::File | Origin::Folder => crate::secret::sanitise(&source.name).into_owned(),
        }
    }

    /// A whole source, cleaned at equal length.
    pub fn text(&self, file: FileId) -> Rc<str> {
        if let Some(text) = self.cleaned.borrow().get(&file) {
            return Rc::clone(text);
        }
        let text: Rc<str> = self.secrets().clean_equal(self.source(file).text()).into();
        self.cleaned.borrow_mut().insert(file, Rc::clone(&text));
        text
    }

    /// One line of a source, from 1, cut where it is too long to show; empty past the last one.
    pub fn line(&self, file: FileId, line: usize) -> String {
        let span = self.source(file).line_span(line).unwrap_or_default();
        let line = self.text(file);
        let line = span.of(&line);
        line[..line.floor_char_boundary(LONGEST_LINE)].to_owned()
    }

    /// The line on which a place begins; `None` for a whole file or folder.
    pub fn line_of(&self, place: Place) -> Option<String> {
        Some(self.line(place.file, self.position(place)?.line))
    }

    /// Any other text of one line, such as a message.
    pub fn clean(&self, text: &str) -> String {
        self.secrets().clean(text)
    }

    /// Any other text of several lines, such as that of an edit.
    pub fn clean_lines(&self, text: &str) -> String {
        self.secrets().clean_equal(text)
    }

    /// Lines and columns of a place; `None` for a whole file or folder.
    pub fn position(&self, place: Place) -> Option<Position> {
        let source = self.source(place.file);
        let span = trimmed(place.span?, source.text());
        let (line, column) = source.line_column(span.start);
        let (end_line, end_column) = source.line_column(span.end);
        Some(Position { line, column, end_line, end_column })
    }
}

/// `span` inside `text` and on its character boundaries, without the line end that a whole-line span closes with.
pub(super) fn trimmed(span: Span, text: &str) -> Span {
    let start = text.floor_char_boundary(span.range().start);
    let end = text.ceil_char_boundary(span.range().end).max(start);
    let shown = text[start..end].trim_end_matches(['\n', '\r']);
    Span::new(start, start + shown.len())
}
