//! The files of `EnvironmentFile=`: close to a shell's assignments, and no shell (systemd 252: env-file.c, `parse_env_file_internal`).

use crate::source::{Located, Span};

/// One assignment of such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The name as written, which may be none that systemd takes: `export X`.
    pub name: Located<String>,
    /// The value, quotes and escapes resolved; nothing is put in for `$NAME`.
    pub value: Located<String>,
}

impl Assignment {
    /// Whether systemd takes the name; else it drops the line.
    pub fn is_taken(&self) -> bool {
        let name = &self.name.value;
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    }
}

/// The assignments in order; lines without `=` are dropped.
pub fn parse(text: &str) -> Vec<Assignment> {
    let mut all = Vec::new();
    let mut reader = Reader { text, at: 0 };
    while reader.at < text.len() {
        all.extend(reader.line());
    }
    all
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Goes behind the end of a comment: a `\` before the end of the line carries it on.
    fn comment(&mut self) {
        while let Some(c) = self.take() {
            match c {
                '\\' => {
                    self.take();
                }
                '\n' | '\r' => return,
                _ => {}
            }
        }
    }

    fn line(&mut self) -> Option<Assignment> {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
            self.take();
        }
        if self.peek().is_some_and(|c| matches!(c, '#' | ';')) {
            self.comment();
            return None;
        }
        let start = self.at;
        let rest = &self.text[start..];
        let end = rest.find(['\n', '\r', '=']).map_or(self.text.len(), |end| start + end);
        let written = self.text[start..end].trim_end_matches([' ', '\t']);
        let name = Located::new(written.to_owned(), Span::new(start, start + written.len()));
        self.at = end;
        if self.take() != Some('=') {
            return None;
        }
        let value = self.value();
        Some(Assignment { name, value })
    }

    /// A value up to the end of its line: quoted parts, escapes and lines joined, blanks at its end cut off.
    fn value(&mut self) -> Located<String> {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t')) {
            self.take();
        }
        let start = self.at;
        let mut value = String::new();
        let (mut kept, mut end) = (0, start);
        // A quote opens a quoted part at the start, and behind another quoted part; elsewhere it is a character like any other.
        let mut may_quote = true;
        while let Some(c) = self.peek().filter(|c| !matches!(c, '\n' | '\r')) {
            self.take();
            match c {
                '\'' | '"' if may_quote => self.quoted(c, &mut value),
                ' ' | '\t' if may_quote => continue,
                ' ' | '\t' => {
                    value.push(c);
                    continue;
                }
                '\\' => {
                    may_quote = false;
                    value.extend(self.take().filter(|next| !matches!(next, '\n' | '\r')));
                }
                _ => {
                    may_quote = false;
                    value.push(c);
                }
            }
            (kept, end) = (value.len(), self.at);
        }
        value.truncate(kept);
        Located::new(value, Span::new(start, end))
    }

    fn quoted(&mut self, quote: char, value: &mut String) {
        while let Some(c) = self.take() {
            match c {
                _ if c == quote => return,
                '\\' if quote == '"' => match self.take() {
                    Some(next @ ('"' | '\\' | '`' | '$')) => value.push(next),
                    Some('\n') | None => {}
                    Some(next) => value.extend(['\\', next]),
                },
                _ => value.push(c),
            }
        }
    }
}
