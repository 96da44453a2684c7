//! The `%` letters that uWSGI replaces while it reads a file, before anything else (uWSGI: `magic_sub`, `config_magic_table_fill`).

use std::collections::BTreeMap;

use crate::source::{SUBSTITUTE, Span};
use crate::syntax::erb::FILLER;

/// One character of a line after `%` was looked at, with the bytes it came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    kind: UnitKind,
    pub(super) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnitKind {
    Char(char),
    Magic(char),
}

impl Unit {
    pub(super) fn is(&self, char: char) -> bool {
        self.kind == UnitKind::Char(char)
    }

    /// What uWSGI strips from both ends; not form feeds, not Unicode blanks.
    pub(super) fn is_blank(&self) -> bool {
        self.is(' ') || self.is('\t') || self.is('\r')
    }
}

/// Letters that stand for something; every other one vanishes together with its `%`.
const LETTERS: &str = "vhtTVkuUgG[bpsdnecijoxPSDNECIJOX0123456789";
/// Those of them that stand for a part of the first file's name, in every file that it brings in.
const OF_FIRST: &str = "PSDNECIJOX";

/// Whether `%` and this letter stand for something.
pub fn is_magic(letter: char) -> bool {
    LETTERS.contains(letter)
}

/// The characters of `text[start..end]` after the `%` pass.
pub(super) fn units(text: &str, start: usize, end: usize) -> Vec<Unit> {
    let line = text.get(start..end).unwrap_or("");
    let mut units = Vec::with_capacity(line.len());
    let mut chars = line.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let from = start + at;
        if char != '%' {
            units.push(Unit { kind: UnitKind::Char(char), span: Span::new(from, from + char.len_utf8()) });
            continue;
        }
        let Some(&(_, letter)) = chars.peek() else { break };
        let pair = Span::new(from, from + 1 + letter.len_utf8());
        match letter {
            '(' => {
                units.push(Unit { kind: UnitKind::Char('%'), span: Span::new(from, from + 1) });
                continue;
            }
            '%' => units.push(Unit { kind: UnitKind::Char('%'), span: pair }),
            // A template tag prints the letter, so which one it is cannot be known.
            FILLER => units.push(Unit { kind: UnitKind::Magic(FILLER), span: pair }),
            _ if is_magic(letter) => units.push(Unit { kind: UnitKind::Magic(letter), span: pair }),
            // uWSGI takes one byte: what is left of a longer character is not UTF-8.
            _ if !letter.is_ascii() => units.push(Unit { kind: UnitKind::Char(SUBSTITUTE), span: pair }),
            _ => {}
        }
        chars.next();
    }
    units
}

/// A part of a key or value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as uWSGI sees it after the `%` pass.
    Literal(String),
    /// A letter that followed a `%` and stands for something.
    Magic(char),
}

/// A key or value: text with `%` letters in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// In order; no two literals touch.
    pub pieces: Vec<Piece>,
}

impl Text {
    pub(super) fn of(units: &[Unit]) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for unit in units {
            match (unit.kind, pieces.last_mut()) {
                (UnitKind::Char(char), Some(Piece::Literal(text))) => text.push(char),
                (UnitKind::Char(char), _) => pieces.push(Piece::Literal(char.to_string())),
                (UnitKind::Magic(letter), _) => pieces.push(Piece::Magic(letter)),
            }
        }
        Self { pieces }
    }

    /// The text, where no letter is in it.
    pub fn plain(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The text with every letter replaced, or the first letter that `magic` does not know.
    pub fn resolve(&self, magic: &Magic) -> Result<String, char> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Magic(letter) => text.push_str(magic.get(*letter).ok_or(*letter)?),
            }
        }
        Ok(text)
    }

    /// The text with letters as written; for names only.
    pub(super) fn lossy(&self) -> String {
        let as_written = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Magic(letter) => format!("%{letter}"),
        };
        self.pieces.iter().map(as_written).collect()
    }
}

/// What the `%` letters stand for, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Magic {
    letters: BTreeMap<char, String>,
}

impl Magic {
    /// The letters that depend on the file's path alone: `%p %s %d %n %e %c %0`-`%9` and their capitals, and `%[`.
    /// Of a relative path only the file's name is taken: who knows where it will lie.
    pub fn of_path(path: &str) -> Self {
        let own = Self::of_one(path).given('x', "");
        own.clone().within(&own)
    }

    /// The same in a file that `first` brings in: the capitals stand for parts of the first file's name.
    #[must_use]
    pub fn within(mut self, first: &Self) -> Self {
        for capital in OF_FIRST.chars() {
            let of_first = first.letters.get(&capital).or_else(|| first.letters.get(&capital.to_ascii_lowercase()));
            match of_first.cloned() {
                Some(value) => self.letters.insert(capital, value),
                None => self.letters.remove(&capital),
            };
        }
        self
    }

    fn of_one(path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let named = Self::default().given('[', "\u{1b}").given('s', name).given('n', stem).given('e', extension);
        if !path.starts_with('/') {
            return named;
        }
        let parent = folder.rsplit_once('/').map_or("", |(_, parent)| parent);
        let placed = named.given('p', path).given('d', format!("{folder}/")).given('c', parent);
        let mut parts = folder.split('/').filter(|part| !part.is_empty());
        ('0'..='9').fold(placed, |magic, digit| magic.given(digit, parts.next().unwrap_or("")))
    }

    /// The same with one more letter known, such as `%k` on a host.
    #[must_use]
    pub fn given(mut self, letter: char, value: impl Into<String>) -> Self {
        self.letters.insert(letter, value.into());
        self
    }

    /// What a letter stands for; `None` where the host decides.
    pub fn get(&self, letter: char) -> Option<&str> {
        self.letters.get(&letter).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_a_path() {
        let magic = Magic::of_path("/srv/app/g/misc.tar.ini");
        for (letter, value) in
            [('d', "/srv/app/g/"), ('n', "misc.tar"), ('e', "ini"), ('c', "g"), ('0', "srv"), ('2', "g"), ('3', "")]
        {
            assert_eq!(magic.get(letter), Some(value), "%{letter}");
        }
        let (first, second) = (Magic::of_path("/etc/shop.ini"), Magic::of_path("/srv/base.ini").given('x', "web"));
        let second = second.within(&first);
        let letters = ['n', 'N', 'd', 'D', 'x', 'X', 'i'].map(|letter| second.get(letter));
        assert_eq!(letters, [Some("base"), Some("shop"), Some("/srv/"), Some("/etc/"), Some("web"), Some(""), None]);
        assert_eq!(magic.get('k'), None);
        assert_eq!(Magic::of_path("files/x.ini").get('d'), None);
        assert_eq!(Magic::of_path("files/x.ini").get('n'), Some("x"));
    }
}
