//! The words, comments and script blocks of an Upstart job, byte by byte as Upstart takes them apart (Upstart: nih/config.c).
//!
//! Upstart's quirks are kept: `#` starts a comment in the middle of a word, a line break inside quotes becomes one blank,
//! and a blank before an escaped character comes out as a backslash.

use crate::source::{Located, Span};

/// Why Upstart refuses a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    ExpectedToken,
    UnexpectedToken,
    UnknownStanza,
    UnterminatedQuote,
    UnterminatedBlock,
    TrailingSlash,
    IllegalInterval,
    IllegalExitStatus,
    IllegalSignal,
    IllegalUmask,
    IllegalNice,
    IllegalOom,
    IllegalOomScore,
    IllegalLimit,
    ExpectedEvent,
    ExpectedOperator,
    ExpectedVariable,
    MismatchedParentheses,
}

impl Reason {
    /// Upstart's own words, as they stand in its log.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::ExpectedToken => "Expected token",
            Self::UnexpectedToken => "Unexpected token",
            Self::UnknownStanza => "Unknown stanza",
            Self::UnterminatedQuote => "Unterminated quoted string",
            Self::UnterminatedBlock => "Unterminated block",
            Self::TrailingSlash => "Trailing slash in file",
            Self::IllegalInterval => "Illegal interval, expected number of seconds",
            Self::IllegalExitStatus => "Illegal exit status, expected integer",
            Self::IllegalSignal => "Illegal signal status, expected integer",
            Self::IllegalUmask => "Illegal file creation mask, expected octal integer",
            Self::IllegalNice => "Illegal nice value, expected -20 to 19",
            Self::IllegalOom => "Illegal oom adjustment, expected -16 to 15 or 'never'",
            Self::IllegalOomScore => "Illegal oom score adjustment, expected -999 to 1000 or 'never'",
            Self::IllegalLimit => "Illegal limit, expected 'unlimited' or integer",
            Self::ExpectedEvent => "Expected event",
            Self::ExpectedOperator => "Expected operator",
            Self::ExpectedVariable => "Expected variable name before value",
            Self::MismatchedParentheses => "Mismatched parentheses",
        }
    }
}

/// One refusal: where the mistake is, and where Upstart notices it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) reason: Reason,
    pub(super) span: Span,
    /// The offset on whose line Upstart reports it.
    pub(super) noticed: usize,
}

/// Whether Upstart takes the byte for a blank; a NUL counts as one wherever a set of bytes is asked for.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0)
}

/// Whether the byte ends a statement: a line break or a comment.
pub(super) fn ends_statement(byte: u8) -> bool {
    matches!(byte, b'\n' | b'#' | 0)
}

fn ends_word(byte: u8) -> bool {
    is_blank(byte) || ends_statement(byte)
}

fn ends_event_word(byte: u8) -> bool {
    ends_word(byte) || matches!(byte, b'(' | b')')
}

/// A position in a job's text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexer<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    /// Where the last `end script` stands, so that many scripts without one are not each searched to the end.
    pub(super) last_end_script: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut lexer = Self { text, at: 0, last_end_script: 0 };
        while !lexer.at_end() {
            if lexer.after_end_script().is_some() {
                lexer.last_end_script = lexer.at;
            }
            lexer.next_line();
        }
        lexer.at = 0;
        lexer
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Whether there is another word in this statement.
    pub(super) fn has_token(&self) -> bool {
        self.peek().is_some_and(|byte| !ends_statement(byte))
    }

    /// A refusal at `span` that Upstart notices right there.
    pub(super) fn refuse(&self, reason: Reason, span: Span) -> Refused {
        Refused { reason, span, noticed: span.start as usize }
    }

    /// A refusal of what stands at the current position.
    pub(super) fn refuse_here(&self, reason: Reason) -> Refused {
        self.refuse(reason, self.rest_of_statement())
    }

    /// What is left of the statement on this line, at least one byte where there is one.
    pub(super) fn rest_of_statement(&self) -> Span {
        let rest = &self.text.as_bytes()[self.at.min(self.text.len())..];
        let length = rest.iter().position(|byte| ends_statement(*byte)).unwrap_or(rest.len());
        let kept = rest[..length].iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
        Span::new(self.at, self.at + kept)
    }

    /// Goes over blanks and over line breaks behind a backslash.
    pub(super) fn skip_blanks(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if byte == b'\\' && bytes.get(self.at + 1) == Some(&b'\n') {
                self.at += 2;
            } else if is_blank(byte) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    /// Goes to the start of the next line.
    pub(super) fn next_line(&mut self) {
        let rest = &self.text.as_bytes()[self.at.min(self.text.len())..];
        self.at += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
    }

    /// Ends a statement: only a comment or the end of the line may follow.
    pub(super) fn end_statement(&mut self) -> Result<(), Refused> {
        if self.has_token() {
            return Err(self.refuse_here(Reason::UnexpectedToken));
        }
        self.next_line();
        Ok(())
    }

    /// The next word as written, quotes and backslashes kept.
    pub(super) fn raw_word(&mut self) -> Result<Located<String>, Refused> {
        self.word(ends_word, false)
    }

    /// The next word with quotes and backslashes resolved.
    pub(super) fn argument(&mut self) -> Result<Located<String>, Refused> {
        self.word(ends_word, true)
    }

    /// The next word of an event expression as written.
    pub(super) fn raw_event_word(&mut self) -> Result<Located<String>, Refused> {
        self.word(ends_event_word, false)
    }

    /// The next word of an event expression with quotes and backslashes resolved.
    pub(super) fn event_word(&mut self) -> Result<Located<String>, Refused> {
        self.word(ends_event_word, true)
    }

    /// The rest of the statement as one command, comment dropped; quotes are left to the shell.
    pub(super) fn command(&mut self) -> Result<Located<String>, Refused> {
        let start = self.at;
        let (value, end) = self.take_apart(ends_statement, false)?;
        self.next_line();
        Ok(Located::new(value, Span::new(start, end)))
    }

    fn word(&mut self, ends: fn(u8) -> bool, dequote: bool) -> Result<Located<String>, Refused> {
        let start = self.at;
        let (value, end) = self.take_apart(ends, dequote)?;
        if value.is_empty() {
            let span = Span::new(start, self.at);
            let reason = Reason::ExpectedToken;
            self.at = start;
            return Err(if span.is_empty() { self.refuse_here(reason) } else { self.refuse(reason, span) });
        }
        self.skip_blanks();
        Ok(Located::new(value, Span::new(start, end)))
    }

    /// Reads up to a byte that ends the word; gives what was read and where its last byte stands.
    fn take_apart(&mut self, ends: fn(u8) -> bool, dequote: bool) -> Result<(String, usize), Refused> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut value = Vec::new();
        let (mut escaped, mut quote) = (false, None::<(u8, usize)>);
        let (mut blanks, mut broken, mut end) = (0, false, start);
        while let Some(&byte) = bytes.get(self.at) {
            let at = self.at;
            let was_escaped = std::mem::take(&mut escaped);
            let mut delimits = false;
            if was_escaped {
                if byte == b'\n' {
                    broken = true;
                    self.at += 1;
                    continue;
                }
            } else if byte == b'\\' {
                escaped = true;
                self.at += 1;
                continue;
            } else if let Some((mark, _)) = quote {
                if byte == mark {
                    quote = None;
                    delimits = true;
                } else if byte == b'\n' {
                    broken = true;
                    self.at += 1;
                    continue;
                } else if is_blank(byte) {
                    blanks += 1;
                    self.at += 1;
                    continue;
                }
            } else if matches!(byte, b'"' | b'\'') {
                quote = Some((byte, at));
                delimits = true;
            } else if ends(byte) {
                break;
            } else if is_blank(byte) {
                blanks += 1;
                self.at += 1;
                continue;
            }

            if std::mem::take(&mut broken) {
                value.push(b' ');
            } else if blanks > 0 {
                // Upstart copies the bytes just before this one, so a blank before an escape comes out as a backslash.
                value.extend_from_slice(&bytes[at - blanks..at]);
            }
            blanks = 0;
            if was_escaped && !(dequote && (byte == b'\\' || is_blank(byte))) {
                value.push(b'\\');
            }
            if !(delimits && dequote) {
                value.push(byte);
            }
            self.at += 1;
            end = self.at;
        }
        let noticed = self.at;
        let failed = |reason, from: usize, to: usize| Refused { reason, span: Span::new(from, to), noticed };
        if let Some((_, opened)) = quote {
            self.at = start;
            return Err(failed(Reason::UnterminatedQuote, opened, opened + 1));
        }
        if escaped {
            self.at = start;
            return Err(failed(Reason::TrailingSlash, noticed - 1, noticed));
        }
        Ok((String::from_utf8_lossy(&value).into_owned(), end))
    }

    /// The lines up to `end script`: the span of the body and the body as the shell gets it, common indentation cut off.
    ///
    /// Quotes, here-documents and continued lines mean nothing here: the first line that says `end script` ends it.
    pub(super) fn script(&mut self) -> Result<Located<String>, Refused> {
        self.end_statement()?;
        let start = self.at;
        while self.at <= self.last_end_script && !self.at_end() {
            if let Some(after) = self.after_end_script() {
                let body = Span::new(start, self.at);
                self.at = after;
                return Ok(Located::new(without_indentation(body.of(self.text)), body));
            }
            self.next_line();
        }
        let noticed = self.text.len();
        self.at = start;
        Err(Refused { reason: Reason::UnterminatedBlock, span: Span::new(start, start), noticed })
    }

    /// Where the text goes on behind `end script`, if the line at the current position says that.
    pub(super) fn after_end_script(&self) -> Option<usize> {
        let line = line_at(self.text, self.at);
        let words = line.trim_start_matches(blank_char).strip_prefix("end")?;
        let second = words.trim_start_matches(blank_char);
        if second.len() == words.len() {
            return None;
        }
        let rest = second.strip_prefix("script")?.trim_start_matches(blank_char);
        (rest.is_empty() || rest.starts_with('#')).then(|| (self.at + line.len() + 1).min(self.text.len()))
    }
}

/// The line that starts at `at`, without its line break.
pub(super) fn line_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or("");
    rest.split_once('\n').map_or(rest, |(line, _)| line)
}

/// [`is_blank`] for patterns on text.
pub(super) fn blank_char(character: char) -> bool {
    u8::try_from(character).is_ok_and(is_blank)
}

/// Cuts off the blanks that all lines share with the first one; a blank line shares none.
fn without_indentation(body: &str) -> String {
    let mut lines = body.split_inclusive('\n');
    let indentation = |line: &str| line.len() - line.trim_start_matches(blank_char).len();
    let Some(first) = lines.next() else { return String::new() };
    let mut common = &first[..indentation(first)];
    for line in lines {
        let shared = common.bytes().zip(line.bytes()).take_while(|(one, other)| one == other).count();
        common = &common[..shared];
    }
    body.split_inclusive('\n').map(|line| &line[common.len()..]).collect()
}
