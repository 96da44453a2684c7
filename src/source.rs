//! Named texts with byte-exact spans: files of a repository or a host, and what a probe saw.
//! Everything a finding points at is a place in one of these.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Which source a place lies in. Only [`Sources::add`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A half-open range of byte offsets into one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The span of `start..end`; offsets beyond 4 GiB are clamped, no input is read that far.
    pub fn new(start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: clamp(start), end: clamp(end.max(start)) }
    }

    /// The same range for slicing.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// This span moved right by `offset` bytes: for a text that was cut out of a larger one.
    pub fn shift(self, offset: usize) -> Span {
        Span::new(self.start as usize + offset, self.end as usize + offset)
    }

    /// Whether the two share at least one byte.
    pub fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The part of `text` it covers; empty where it does not fit.
    pub fn of(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or("")
    }

    /// Whether it covers no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A value and where it stands in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Located<T> {
    /// What was read.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Located<T> {
    /// `value`, standing at `span`.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A point in a source that a finding can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The source.
    pub file: FileId,
    /// The bytes meant, or `None` for the whole file or folder.
    pub span: Option<Span>,
}

impl Place {
    /// `span` of `file`.
    pub fn at(file: FileId, span: Span) -> Self {
        Self { file, span: Some(span) }
    }

    /// The file or folder as a whole.
    pub fn whole(file: FileId) -> Self {
        Self { file, span: None }
    }
}

/// Where the text of a source came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A file as it lies on disk.
    File,
    /// A folder: it has a name and no text.
    Folder,
    /// What a probe of a host saw, written as text.
    Probe,
}

/// What was read, as every reader gets it: a text exactly as long as the bytes, each invalid byte one SUB character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    text: Arc<str>,
    /// The bytes as read, where they are not those of the text.
    invalid: Option<Arc<[u8]>>,
}

impl Text {
    /// What readers see: as long as the bytes, each invalid one replaced.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The bytes as read.
    pub fn bytes(&self) -> &[u8] {
        self.invalid.as_deref().unwrap_or(self.text.as_bytes())
    }
}

impl<B: AsRef<[u8]>> From<B> for Text {
    fn from(bytes: B) -> Self {
        match std::str::from_utf8(bytes.as_ref()) {
            Ok(valid) => Self { text: valid.into(), invalid: None },
            Err(_) => Self { text: text_of_equal_length(bytes.as_ref()), invalid: Some(bytes.as_ref().into()) },
        }
    }
}

/// One named text.
#[derive(Debug)]
pub struct Source {
    /// The path as the user would write it, or the name of the probe.
    pub name: String,
    /// Where the text came from.
    pub origin: Origin,
    text: Text,
    /// Most sources are never shown, so their lines are counted when the first is asked for.
    line_starts: OnceLock<Vec<u32>>,
    /// How many characters stand before each block of [`BLOCK`] bytes.
    characters: OnceLock<Vec<u32>>,
}

/// So many bytes are counted anew for each column: a whole line may be the whole file.
const BLOCK: usize = 4096;

impl Source {
    /// The bytes as read.
    pub fn bytes(&self) -> &[u8] {
        self.text.bytes()
    }

    /// The text, exactly as long as the bytes: each invalid byte has become one SUB character.
    pub fn text(&self) -> &str {
        &self.text.text
    }

    /// The text, shared.
    pub fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text.text)
    }

    /// Line and column of a byte offset, both from 1; the column counts Unicode scalar values.
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let line = self.line_of(offset);
        let start = self.line_starts()[line - 1] as usize;
        (line, self.characters_between(start, offset as usize) + 1)
    }

    /// How many characters begin in this range of bytes, at once also where it is long.
    pub fn characters_between(&self, start: usize, end: usize) -> usize {
        self.characters_before(end).saturating_sub(self.characters_before(start))
    }

    fn characters_before(&self, offset: usize) -> usize {
        let bytes = self.text().as_bytes();
        let offset = offset.min(bytes.len());
        let block = offset / BLOCK;
        let counted = self.characters.get_or_init(|| {
            let blocks = bytes.chunks(BLOCK).map(characters_in);
            let sums = blocks.scan(0, |sum, here| Some(std::mem::replace(sum, *sum + here)));
            sums.map(|sum| Span::new(sum, sum).start).collect()
        });
        let before = counted.get(block).map_or_else(|| characters_in(bytes), |&before| before as usize);
        if block < counted.len() { before + characters_in(&bytes[block * BLOCK..offset]) } else { before }
    }

    /// The line of a byte offset, from 1; cheaper than its column where the line is long.
    pub fn line_of(&self, offset: u32) -> usize {
        self.line_starts().partition_point(|&start| start <= offset)
    }

    /// The span of a line (from 1) without its end-of-line bytes; `None` past the last one.
    pub fn line_span(&self, line: usize) -> Option<Span> {
        let start = *self.line_starts().get(line.checked_sub(1)?)? as usize;
        let end = self.line_starts().get(line).map_or(self.text().len(), |&next| next as usize);
        let trimmed = self.text()[start..end].trim_end_matches(['\n', '\r']);
        Some(Span::new(start, start + trimmed.len()))
    }

    /// How many lines there are; a text without any byte has one.
    pub fn line_count(&self) -> usize {
        self.line_starts().len()
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let ends = self.text().bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(ends.map(|(at, _)| Span::new(at + 1, at + 1).start)).collect()
        })
    }
}

/// All texts of one run, in the order they were added.
#[derive(Debug, Default)]
pub struct Sources {
    all: Vec<Source>,
    confided: Vec<String>,
    values: Vec<String>,
}

impl Sources {
    /// Keeps what was read under `name` and says how to refer to them.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Text>, origin: Origin) -> FileId {
        let id = FileId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(Source {
            name: name.into(),
            origin,
            text: text.into(),
            line_starts: OnceLock::new(),
            characters: OnceLock::new(),
        });
        id
    }

    /// Keeps a text that is never shown, such as `NAME=value` of a process, so that its secrets are known and masked elsewhere.
    pub fn confide(&mut self, text: impl Into<String>) {
        self.confided.push(text.into());
    }

    /// Keeps a value that is a secret as a whole, whatever its shape, so that it is masked wherever it stands.
    pub fn confide_value(&mut self, value: impl Into<String>) {
        self.values.push(value.into());
    }

    /// The values that are secrets as a whole.
    pub fn confided_values(&self) -> &[String] {
        &self.values
    }

    /// The texts that are never shown.
    pub fn confided(&self) -> &[String] {
        &self.confided
    }

    /// Keeps the name of a folder, so that a finding can point at it.
    pub fn add_folder(&mut self, name: impl Into<String>) -> FileId {
        self.add(name, [], Origin::Folder)
    }

    /// The source behind an id of this collection.
    pub fn get(&self, id: FileId) -> &Source {
        &self.all[id.0 as usize]
    }

    /// Shorthand for the text of a source.
    pub fn text(&self, id: FileId) -> &str {
        self.get(id).text()
    }

    /// The id of the source with this name.
    pub fn by_name(&self, name: &str) -> Option<FileId> {
        self.iter().find(|(_, source)| source.name == name).map(|(id, _)| id)
    }

    /// Where each source stands among all when they are sorted by name.
    pub fn ranks(&self) -> Ranks {
        let mut names: Vec<&str> = self.all.iter().map(|source| source.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let rank = |source: &Source| names.partition_point(|name| *name < source.name.as_str());
        Ranks(self.all.iter().map(rank).collect())
    }

    /// Every source with its id, in order.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        self.all.iter().enumerate().map(|(at, source)| (FileId(Span::new(at, at).start), source))
    }
}

/// The order of sources by name: ids are given in the order of reading. Equal names have equal ranks.
#[derive(Debug)]
pub struct Ranks(Vec<usize>);

impl Ranks {
    /// The rank of a source of that collection.
    pub fn of(&self, id: FileId) -> usize {
        self.0.get(id.0 as usize).copied().unwrap_or(usize::MAX)
    }
}

/// How many characters begin in these bytes of a UTF-8 text.
fn characters_in(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

/// Replaces each byte that is not part of valid UTF-8 by one SUB, so that offsets stay true.
pub fn text_of_equal_length(bytes: &[u8]) -> Arc<str> {
    if let Ok(valid) = std::str::from_utf8(bytes) {
        return valid.into();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n(SUBSTITUTE, chunk.invalid().len()));
    }
    text.into()
}

/// Stands for one invalid byte; a value that touches one is unknown.
pub const SUBSTITUTE: char = '\u{1A}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_bytes_keep_their_offsets() {
        let mut sources = Sources::default();
        let id = sources.add("a", b"x\xff\xfey\n\xc3\xa9z".to_vec(), Origin::File);
        let source = sources.get(id);
        assert_eq!(source.text().len(), source.bytes().len());
        assert_eq!(source.text(), "x\u{1A}\u{1A}y\n\u{e9}z");
        assert_eq!(source.line_column(7), (2, 2));
        assert_eq!(source.line_span(2), Some(Span::new(5, 8)));
        assert_eq!(source.line_span(3), None);
    }

    #[test]
    fn columns_of_a_long_line_count_characters() {
        let mut sources = Sources::default();
        let text = format!("x\n{}", "é-".repeat(3 * BLOCK));
        let id = sources.add("a", text.clone().into_bytes(), Origin::File);
        for (at, _) in text.char_indices().filter(|(at, _)| *at >= 2 && (*at % 97 == 0 || at % BLOCK < 4)) {
            let expected = text[2..at].chars().count() + 1;
            assert_eq!(sources.get(id).line_column(Span::new(at, at).start), (2, expected), "{at}");
        }
    }
}
