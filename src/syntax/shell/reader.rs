//! The words and separators of shell code, byte by byte: redirections and here-documents are passed over.

use crate::source::Span;
use crate::syntax::shell::{End, Part, Word, is_name};

/// What comes next.
pub(super) enum Token {
    Word(Word),
    Separator(End),
    Opening,
    Closing,
    End,
}

/// A position in a text, and what was met on the way to it.
pub(super) struct Reader<'t> {
    text: &'t str,
    at: usize,
    here_documents: Vec<String>,
    /// What only larger shells than `sh` have.
    pub(super) not_posix: Vec<Span>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, at: usize) -> Self {
        Self { text, at, here_documents: Vec::new(), not_posix: Vec::new() }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// Whether `name ()` was just read; the first parenthesis is behind us.
    pub(super) fn is_function_head(&mut self, words: &[Word]) -> bool {
        let closes = words.len() == 1 && self.text[self.at..].trim_start_matches([' ', '\t']).starts_with(')');
        if closes {
            self.at += self.text[self.at..].find(')').map_or(0, |at| at + 1);
        }
        closes
    }

    /// Goes past the `{` that opens a function's body.
    pub(super) fn enters_body(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let body = rest.trim_start();
        let opens = body.starts_with('{');
        if opens {
            self.at += rest.len() - body.len() + 1;
        }
        opens
    }

    pub(super) fn next(&mut self) -> Token {
        loop {
            let Some(byte) = self.peek(0) else { return Token::End };
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.peek(1) == Some(b'\n') => self.at += 2,
                b'#' => self.at += self.text[self.at..].find('\n').unwrap_or(self.text.len() - self.at),
                b'\n' => {
                    self.at += 1;
                    self.skip_here_documents();
                    return Token::Separator(End::Line);
                }
                b';' | b'&' | b'|' => {
                    let redirects = byte == b'&' && self.peek(1) == Some(b'>');
                    if redirects {
                        self.not_posix.push(Span::new(self.at, self.at + 2));
                        self.at += 1;
                        self.skip_redirection();
                        continue;
                    }
                    let end = match (byte, self.peek(1)) {
                        (b'&', Some(b'&')) => End::And,
                        (b'|', Some(b'|')) => End::Or,
                        (b'|', _) => End::Pipe,
                        (b'&', _) => End::Background,
                        _ => End::Line,
                    };
                    if byte == b'|' && self.peek(1) == Some(b'&') {
                        self.not_posix.push(Span::new(self.at, self.at + 2));
                    }
                    while matches!(self.peek(0), Some(b';' | b'&' | b'|')) {
                        self.at += 1;
                    }
                    return Token::Separator(end);
                }
                b'(' => {
                    let is_array = self.at > 0 && self.text.as_bytes()[self.at - 1] == b'=';
                    if is_array || self.peek(1) == Some(b'(') {
                        self.not_posix.push(Span::new(self.at, self.at + 1));
                    }
                    self.at += 1;
                    return Token::Opening;
                }
                b')' => {
                    self.at += 1;
                    return Token::Closing;
                }
                b'<' | b'>' => self.skip_redirection(),
                _ => {
                    let word = self.word();
                    let descriptor = matches!(self.peek(0), Some(b'<' | b'>'))
                        && word.value().bytes().all(|byte| byte.is_ascii_digit());
                    if !descriptor {
                        return Token::Word(word);
                    }
                }
            }
        }
    }

    /// Goes past `> file`, `2>&1` and the like; remembers the end mark of a here-document.
    fn skip_redirection(&mut self) {
        let rest = &self.text[self.at..];
        let here = rest.starts_with("<<") && !rest.starts_with("<<<");
        if let Some(only_bash) = ["<<<", "<(", ">("].into_iter().find(|mark| rest.starts_with(mark)) {
            self.not_posix.push(Span::new(self.at, self.at + only_bash.len()));
        }
        while matches!(self.peek(0), Some(b'<' | b'>' | b'&' | b'|')) {
            self.at += 1;
        }
        if here && self.peek(0) == Some(b'-') {
            self.at += 1;
        }
        while matches!(self.peek(0), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        if self.peek(0).is_some_and(|byte| !matches!(byte, b'\n' | b';' | b'(' | b')' | b'#' | b'<' | b'>')) {
            let target = self.word();
            if here {
                self.here_documents.push(target.value());
            }
        }
    }

    fn skip_here_documents(&mut self) {
        for mark in std::mem::take(&mut self.here_documents) {
            while self.at < self.text.len() {
                let rest = &self.text[self.at..];
                let line = rest.split_inclusive('\n').next().unwrap_or(rest);
                self.at += line.len();
                if line.trim_end_matches(['\n', '\r']).trim_start_matches('\t') == mark {
                    break;
                }
            }
        }
    }

    fn word(&mut self) -> Word {
        let start = self.at;
        let mut parts = Vec::new();
        let mut text = Vec::new();
        let mut double = false;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'"' => {
                    double = !double;
                    self.at += 1;
                }
                b'\'' if !double => {
                    let inside = self.at + 1;
                    let end = self.text[inside..].find('\'').map_or(self.text.len(), |at| inside + at);
                    text.extend_from_slice(&self.text.as_bytes()[inside..end]);
                    self.at = (end + 1).min(self.text.len());
                }
                b'\\' => {
                    match self.peek(1) {
                        Some(b'\n') => {}
                        Some(next) if !double || matches!(next, b'"' | b'\\' | b'$' | b'`') => text.push(next),
                        Some(next) => text.extend([b'\\', next]),
                        None => text.push(b'\\'),
                    }
                    self.at = (self.at + 2).min(self.text.len());
                }
                b'$' | b'`' => {
                    let part = self.substitution();
                    if let Part::Text(plain) = part {
                        text.extend_from_slice(plain.as_bytes());
                    } else {
                        flush(&mut text, &mut parts);
                        parts.push(part);
                    }
                }
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' if !double => break,
                _ => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
        if self.at == start {
            self.at += 1;
        }
        flush(&mut text, &mut parts);
        if parts.is_empty() {
            parts.push(Part::Text(String::new()));
        }
        Word { span: Span::new(start, self.at), parts }
    }

    /// What stands at a `$` or a backquote.
    fn substitution(&mut self) -> Part {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let closed = |length: Option<usize>| length.map(|length| start + 1 + length);
        let is_backquote = self.text.as_bytes()[start] == b'`';
        let end = match rest.bytes().next() {
            _ if is_backquote => closed(rest.find('`').map(|at| at + 1)),
            Some(b'{') => closed(rest.find('}').map(|at| at + 1)),
            Some(b'(') => closed(in_parentheses(rest)),
            _ => {
                let name = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
                self.at = start + 1 + name;
                let name = &rest[..name];
                return if is_name(name) {
                    Part::Variable(name.to_owned())
                } else if name.is_empty() {
                    Part::Text("$".to_owned())
                } else {
                    Part::Other(format!("${name}"))
                };
            }
        };
        self.at = end.unwrap_or(self.text.len());
        let written = &self.text[start..self.at];
        match written.strip_prefix("${").and_then(|name| name.strip_suffix('}')).filter(|name| is_name(name)) {
            Some(name) => Part::Variable(name.to_owned()),
            None => Part::Other(written.to_owned()),
        }
    }
}

/// The length of `text` up to the parenthesis that closes its first one, both included.
fn in_parentheses(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes()
        .position(|byte| {
            depth = match byte {
                b'(' => depth + 1,
                b')' => depth.saturating_sub(1),
                _ => depth,
            };
            byte == b')' && depth == 0
        })
        .map(|last| last + 1)
}

fn flush(text: &mut Vec<u8>, parts: &mut Vec<Part>) {
    if !text.is_empty() {
        parts.push(Part::Text(String::from_utf8_lossy(&std::mem::take(text)).into_owned()));
    }
}
