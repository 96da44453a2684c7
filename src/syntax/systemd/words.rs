//! The words of a value: quotes and escapes as systemd resolves them (systemd: extract-word.c, escape.c).

use crate::source::Span;
use crate::syntax::systemd::text::{BLANKS, Text};

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What it comes to.
    pub value: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// Why the words of a value cannot be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// A quote is not closed, or the value ends in a `\`.
    Quote,
    /// An escape that systemd does not know; the span of it.
    Escape(Span),
}

/// Reads words one after the other.
#[derive(Debug)]
pub struct Words<'t> {
    text: &'t Text,
    at: usize,
}

impl<'t> Words<'t> {
    /// The words of a value.
    pub fn of(text: &'t Text) -> Self {
        Self { text, at: 0 }
    }

    /// What was not read yet, blanks before it skipped.
    pub fn rest(&mut self) -> &'t str {
        let rest = &self.text.value[self.at..];
        self.at += rest.len() - rest.trim_start_matches(BLANKS).len();
        &self.text.value[self.at..]
    }

    /// Goes past `count` bytes.
    pub fn skip(&mut self, count: usize) {
        self.at = (self.at + count).min(self.text.value.len());
    }

    /// The next word; `strict` refuses escapes that systemd does not know, else they stay as written.
    ///
    /// # Errors
    /// Says what is wrong with the word; the reader then stands where it stood.
    pub fn next(&mut self, strict: bool) -> Result<Option<Word>, Broken> {
        let rest = self.rest();
        if rest.is_empty() {
            return Ok(None);
        }
        let start = self.at;
        let mut value = String::new();
        let mut quote: Option<char> = None;
        let mut characters = rest.char_indices();
        let mut end = rest.len();
        while let Some((offset, c)) = characters.next() {
            match c {
                '\\' => {
                    let after = &rest[offset + 1..];
                    match escape(after) {
                        Some((decoded, width)) => {
                            value.push(decoded);
                            let count = after[..width].chars().count();
                            for _ in 0..count {
                                characters.next();
                            }
                        }
                        None if after.is_empty() => return Err(Broken::Quote),
                        None if strict => {
                            let width = 1 + after.chars().next().map_or(0, char::len_utf8);
                            let at = start + offset;
                            return Err(Broken::Escape(self.text.span(at..at + width)));
                        }
                        None => {
                            value.push('\\');
                            value.extend(characters.next().map(|(_, kept)| kept));
                        }
                    }
                }
                _ if quote == Some(c) => quote = None,
                _ if quote.is_some() => value.push(c),
                '"' | '\'' => quote = Some(c),
                _ if BLANKS.contains(&c) => {
                    end = offset;
                    break;
                }
                _ => value.push(c),
            }
        }
        if quote.is_some() {
            return Err(Broken::Quote);
        }
        self.at = start + end;
        Ok(Some(Word { value, span: self.text.span(start..start + end) }))
    }
}

/// What an escape stands for and how long it is after its `\`.
fn escape(after: &str) -> Option<(char, usize)> {
    let digits = |from: usize, width: usize, radix: u32| {
        let digits = after.get(from..from + width)?;
        let all = digits.chars().all(|digit| digit.is_digit(radix));
        let code = u32::from_str_radix(digits, radix).ok().filter(|code| all && *code != 0)?;
        Some((char::from_u32(code)?, from + width))
    };
    let plain = |c: char| Some((c, 1));
    match after.chars().next()? {
        'a' => plain('\u{7}'),
        'b' => plain('\u{8}'),
        'f' => plain('\u{c}'),
        'n' => plain('\n'),
        'r' => plain('\r'),
        't' => plain('\t'),
        'v' => plain('\u{b}'),
        's' => plain(' '),
        c @ ('\\' | '"' | '\'') => plain(c),
        'x' => digits(1, 2, 16),
        'u' => digits(1, 4, 16),
        'U' => digits(1, 8, 16),
        '0'..='7' => digits(0, 3, 8),
        _ => None,
    }
}
