//! Reader for the plain parts of shell files: commands as words, and the variables they set.
//!
//! Not a shell: what it does not understand it skips. Here-documents and the bodies of functions are passed over.

use crate::source::{Located, Span};

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Text(String),
    /// `$NAME` or `${NAME}`.
    Variable(String),
    /// A substitution that only a shell could work out; holds it as written.
    Other(String),
}

/// One word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Where it stands, quotes included.
    pub span: Span,
    /// What it is made of.
    pub parts: Vec<Part>,
}

impl Word {
    /// The word with the variables that `lookup` knows put in; what it does not know stays as written.
    pub fn expand(&self, lookup: impl Fn(&str) -> Option<String>) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Other(text) => text.clone(),
                Part::Variable(name) => lookup(name).unwrap_or_else(|| format!("${name}")),
            })
            .collect()
    }

    /// The word, substitutions as written.
    pub fn value(&self) -> String {
        self.expand(|_| None)
    }

    /// Whether it says what it means without a shell.
    pub fn is_literal(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// `NAME=VALUE` taken apart, where the word is that; `text` is the one it was read from.
    pub fn assignment(&self, text: &str) -> Option<(Located<String>, Word)> {
        let Some(Part::Text(first)) = self.parts.first() else { return None };
        let (name, rest) = first.split_once('=')?;
        let written = self.span.of(text);
        let plain = written.trim_start_matches(['"', '\'']);
        if !is_name(name) || !plain.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')) {
            return None;
        }
        let start = self.span.range().start + written.len() - plain.len();
        let value_start = start + name.len() + 1;
        let mut parts = self.parts.clone();
        parts[0] = Part::Text(rest.to_owned());
        let value = Word { span: Span::new(value_start, self.span.range().end), parts };
        Some((Located::new(name.to_owned(), Span::new(start, start + name.len())), value))
    }
}

/// One simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its words; never empty. Words that open a compound command, such as `if` or `then`, are left out.
    pub words: Vec<Word>,
    /// Whether another command of the same line is fed by it or depends on it (`|`, `&&`, `||`), or it is left behind (`&`).
    pub joined: bool,
}

/// A variable that a file sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The variable.
    pub name: Located<String>,
    /// The value, quotes resolved, substitutions as written.
    pub value: Located<String>,
    /// Whether a shell would have to work out the value.
    pub substituted: bool,
    /// Whether programs started from the shell get it.
    pub exported: bool,
}

/// The variables that a file for `sh` sets.
pub fn assignments(text: &str) -> Vec<Assignment> {
    let mut all: Vec<Assignment> = Vec::new();
    let mut export_all = false;
    for command in commands(text, Span::new(0, text.len())) {
        let first = command.words[0].value();
        let words = &command.words[usize::from(matches!(first.as_str(), "export" | "declare" | "typeset"))..];
        let values: Vec<String> = words.iter().map(Word::value).collect();
        match first.as_str() {
            "export" if values.iter().any(|word| word == "-n") => {}
            "export" => set(&mut all, text, words, true),
            "declare" | "typeset" => {
                set(&mut all, text, words, values.iter().any(|word| word.starts_with('-') && word.contains('x')))
            }
            "set" => export_all |= values.iter().any(|word| word == "-a" || word == "allexport"),
            // `K=v command` sets it for that command alone.
            _ if words.iter().all(|word| word.assignment(text).is_some()) => set(&mut all, text, words, export_all),
            _ => {}
        }
    }
    all
}

fn set(all: &mut Vec<Assignment>, text: &str, words: &[Word], exported: bool) {
    for word in words {
        if let Some((name, value)) = word.assignment(text) {
            let substituted = !value.is_literal();
            let value = Located::new(value.value(), value.span);
            all.push(Assignment { name, value, substituted, exported });
            continue;
        }
        let name = word.value();
        if let Some(earlier) = all.iter_mut().rev().find(|earlier| earlier.name.value == name).filter(|_| exported) {
            earlier.exported = true;
        }
    }
}

/// The variables of `/etc/environment`, which is no shell file: one `NAME=VALUE` a line, all exported (pam_env(8)).
pub fn environment_file(text: &str) -> Vec<Assignment> {
    let mut at = 0;
    let mut all = Vec::new();
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let code = line.split('#').next().unwrap_or("").trim_end();
        let trimmed = code.trim_start();
        let trimmed = trimmed.strip_prefix("export ").map_or(trimmed, str::trim_start);
        let Some((name, value)) = trimmed.split_once('=') else { continue };
        if !is_name(name) {
            continue;
        }
        let name_start = start + code.len() - trimmed.len();
        let name_end = name_start + name.len();
        let quoted = value.strip_prefix(['"', '\'']).unwrap_or(value);
        let decoded = quoted.strip_suffix(['"', '\'']).unwrap_or(quoted);
        all.push(Assignment {
            name: Located::new(name.to_owned(), Span::new(name_start, name_end)),
            value: Located::new(decoded.to_owned(), Span::new(name_end + 1, name_end + 1 + value.len())),
            substituted: false,
            exported: true,
        });
    }
    all
}

fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
}

const OPENERS: [&str; 9] = ["if", "then", "else", "elif", "while", "until", "do", "!", "{"];

/// The simple commands of a part of `text` in order, without the bodies of functions; spans are those of `text`.
pub fn commands(text: &str, within: Span) -> Vec<Command> {
    let Some(seen) = text.get(..within.range().end).filter(|seen| seen.is_char_boundary(within.range().start)) else {
        return Vec::new();
    };
    let mut reader = Reader { text: seen, at: within.range().start, here_documents: Vec::new() };
    let mut all = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    let mut function_depth = 0_usize;
    loop {
        let token = reader.next();
        let (joined, ended) = match token {
            Token::Word(word) => {
                words.push(word);
                continue;
            }
            Token::Parenthesis if reader.is_function_head(&words) => {
                words.clear();
                function_depth += usize::from(function_depth == 0 && reader.enters_body());
                continue;
            }
            Token::Parenthesis => (false, false),
            Token::Separator { joined } => (joined, false),
            Token::End => (false, true),
        };
        let mut command = std::mem::take(&mut words);
        let opening = command.iter().take_while(|word| OPENERS.contains(&word.value().as_str())).count();
        let braces = |words: &[Word], brace: &str| words.iter().filter(|word| word.value() == brace).count();
        if function_depth > 0 {
            function_depth = (function_depth + braces(&command, "{")).saturating_sub(braces(&command, "}"));
        } else if command.first().is_some_and(|word| word.value() == "function") {
            function_depth = braces(&command, "{").max(1);
        } else {
            command.drain(..opening);
            if !command.is_empty() {
                all.push(Command { words: command, joined });
            }
        }
        if ended {
            return all;
        }
    }
}

enum Token {
    Word(Word),
    Separator { joined: bool },
    Parenthesis,
    End,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    here_documents: Vec<String>,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// Whether `name ()` was just read; the first parenthesis is behind us.
    fn is_function_head(&mut self, words: &[Word]) -> bool {
        let closes = words.len() == 1 && self.text[self.at..].trim_start_matches([' ', '\t']).starts_with(')');
        if closes {
            self.at += self.text[self.at..].find(')').map_or(0, |at| at + 1);
        }
        closes
    }

    /// Goes past the `{` that opens a function's body.
    fn enters_body(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let body = rest.trim_start();
        let opens = body.starts_with('{');
        if opens {
            self.at += rest.len() - body.len() + 1;
        }
        opens
    }

    fn next(&mut self) -> Token {
        loop {
            let Some(byte) = self.peek(0) else { return Token::End };
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.peek(1) == Some(b'\n') => self.at += 2,
                b'#' => self.at += self.text[self.at..].find('\n').unwrap_or(self.text.len() - self.at),
                b'\n' => {
                    self.at += 1;
                    self.skip_here_documents();
                    return Token::Separator { joined: false };
                }
                b';' | b'&' | b'|' => {
                    let redirects = byte == b'&' && self.peek(1) == Some(b'>');
                    if redirects {
                        self.at += 1;
                        self.skip_redirection();
                        continue;
                    }
                    while matches!(self.peek(0), Some(b';' | b'&' | b'|')) {
                        self.at += 1;
                    }
                    return Token::Separator { joined: byte != b';' };
                }
                b'(' | b')' => {
                    self.at += 1;
                    return Token::Parenthesis;
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
        let here = self.text[self.at..].starts_with("<<") && !self.text[self.at..].starts_with("<<<");
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
        let closed = |closing: char| rest.find(closing).map(|at| start + 1 + at + 1);
        let is_backquote = self.text.as_bytes()[start] == b'`';
        let end = match rest.bytes().next() {
            _ if is_backquote => closed('`'),
            Some(b'{') => closed('}'),
            Some(b'(') => closed(')'),
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

fn flush(text: &mut Vec<u8>, parts: &mut Vec<Part>) {
    if !text.is_empty() {
        parts.push(Part::Text(String::from_utf8_lossy(&std::mem::take(text)).into_owned()));
    }
}

#[cfg(test)]
mod tests;
