//! nginx's tokenizer, byte for byte (`ngx_conf_read_token` in `ngx_conf_file.c`), with recovery after what it refuses.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while};
use nom::character::complete::{anychar, char, digit0, digit1};
use nom::combinator::{fail, opt, recognize};
use nom::multi::many0_count;
use nom::sequence::{delimited, pair, preceded, terminated};
use nom::{IResult, Parser};

use super::KIND;
use crate::source::{Located, Span};
use crate::syntax::erb::FILLER;
use crate::syntax::{Problem, Problems};

/// The bytes that nginx holds of one token: `NGX_CONF_BUFFER`.
const BUFFER: usize = 4096;

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word, with its value where that is not what stands in the text, between its quotes if it has any.
    Word(Option<Box<str>>),
    /// `;`
    Semicolon,
    /// `{`
    Open,
    /// `}`
    Close,
    /// From `#` up to the line feed.
    Comment,
}

/// Where the tokenizer stands in a text, and what it has refused so far.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    after_quote: bool,
    pub(super) problems: Problems,
}

impl<'a> Lexer<'a> {
    /// A tokenizer at the start of `text`; a byte order mark, which nginx takes for part of a name, is a problem and skipped.
    pub(super) fn new(text: &'a str) -> Self {
        let mut lexer = Self { text, at: 0, after_quote: false, problems: Problems::default() };
        if text.starts_with('\u{FEFF}') {
            lexer.at = '\u{FEFF}'.len_utf8();
            lexer.problems.push(
                Problem::new(KIND, Span::new(0, lexer.at), "the file starts with a byte order mark")
                    .hint("save the file as UTF-8 without BOM; nginx reads the mark as part of the first name"),
            );
        }
        lexer
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next token, or `None` at the end of the text.
    pub(super) fn next(&mut self) -> Option<Located<Token>> {
        let before = self.at;
        self.at += self.rest().bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        let first = self.rest().chars().next()?;
        if std::mem::take(&mut self.after_quote) && self.at == before && !matches!(first, ';' | '{' | ')') {
            self.refuse_after_quote(first);
        }
        let start = self.at;
        let token = match first {
            ';' => self.single(Token::Semicolon),
            '{' => self.single(Token::Open),
            '}' => self.single(Token::Close),
            '#' => self.comment(),
            '"' | '\'' => self.quoted(first),
            _ => self.word(),
        };
        Some(Located::new(token, Span::new(start, self.at)))
    }

    /// Reads the body of a Lua block up to its `}`; gives whether there is one.
    pub(super) fn lua(&mut self) -> bool {
        let (length, closed) = super::lua::body(self.rest());
        self.at += length;
        closed
    }

    /// Reads on as one word up to a blank or `;`, braces included: for a `{` that was meant as text.
    pub(super) fn literally(&mut self) -> Span {
        let start = self.at;
        self.at += self.rest().find(|c| is_blank(c) || c == ';').unwrap_or(self.rest().len());
        Span::new(start, self.at)
    }

    /// Goes back to the start of a token that has just been read.
    pub(super) fn step_back_to(&mut self, token: Span) {
        self.at = token.start as usize;
    }

    fn single(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    fn comment(&mut self) -> Token {
        let start = self.at;
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        if self.at < self.text.len() && self.weight(start, self.at) >= BUFFER {
            self.problems.push(
                Problem::new(KIND, Span::new(start, self.at), "a comment longer than 4095 bytes")
                    .hint("break the comment into several lines, each with its own `#`"),
            );
        }
        Token::Comment
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        self.at += parsed_length(word, self.rest());
        let mut repetition = None;
        while self.rest().starts_with('{')
            && let Ok((_, braces)) = repetition_of_regex(self.rest())
        {
            repetition = repetition.or(Some(Span::new(self.at, self.at + braces.len())));
            self.at += braces.len();
            self.at += parsed_length(word, self.rest());
        }
        let span = Span::new(start, self.at);
        let raw = span.of(self.text);
        if let Some(braces) = repetition {
            let expression = without_parenthesis(raw);
            let quote = if expression.contains('"') { '\'' } else { '"' };
            let message = format!("nginx takes the `{{` of `{}` for the start of a block", braces.of(self.text));
            self.problems.push(
                Problem::new(KIND, braces, message)
                    .hint(format!("put the expression in quotes: {quote}{}{quote}", shortened(expression, 120))),
            );
        } else if self.too_long(start, self.at, 0) {
            self.refuse_long(span);
        }
        Token::Word(decode(raw))
    }

    fn quoted(&mut self, quote: char) -> Token {
        let start = self.at;
        let content = start + 1 + parsed_length(|text| quoted_content(quote, text), &self.text[start + 1..]);
        let closed = content < self.text.len();
        let one_line = !self.text[start..content].contains('\n');
        let after = self.text[content..].chars().nth(1);
        let glued = after.is_some_and(|c| !is_blank(c) && !matches!(c, ';' | '{' | ')'));
        let too_long = self.too_long(start + 1, content, 1);
        if closed && (one_line || !(glued || too_long)) {
            self.at = content + 1;
            self.after_quote = true;
            if too_long {
                self.refuse_long(Span::new(start, self.at));
            }
            return Token::Word(decode(&self.text[start + 1..content]));
        }
        self.refuse_unclosed(start, content, quote, if too_long { start } else { (content + 1).min(self.text.len()) })
    }

    /// Reports an opening quote at `start` without its pair, and reads on as if the quote ended with its line.
    fn refuse_unclosed(&mut self, start: usize, content: usize, quote: char, noticed: usize) -> Token {
        let line_end = self.text[start..content].find('\n').map_or(content, |at| start + at);
        let line = self.text[start..line_end].trim_end_matches(is_blank);
        let line = line.strip_suffix(['{', ';']).unwrap_or(line).trim_end_matches(is_blank);
        let end = (start + line.len()).max(start + 1);
        let stop = Span::new(noticed, noticed);
        self.problems.push(
            Problem::new(KIND, Span::new(start, start + 1), format!("this `{quote}` is never closed"))
                .hint(format!("write the closing `{quote}` on this line, before the `;`"))
                .also(stop, "nginx reads on to here before it gives up"),
        );
        self.at = end;
        let content = &self.text[start + 1..end];
        Token::Word(Some(decode(content).unwrap_or_else(|| content.into())))
    }

    fn refuse_after_quote(&mut self, found: char) {
        let span = Span::new(self.at, self.at + found.len_utf8());
        let hint = match found {
            '"' | '\'' => "put a space between the two, or make them one quoted text",
            '}' => "end the directive with `;` before the `}`",
            _ => "put a space or `;` after the closing quote, or a `\\` before a quote that belongs to the text",
        };
        let shown = found.escape_debug();
        self.problems
            .push(Problem::new(KIND, span, format!("unexpected \"{shown}\" right after a closing quote")).hint(hint));
    }

    fn refuse_long(&mut self, span: Span) {
        self.problems.push(
            Problem::new(KIND, span, "a word longer than nginx's 4096-byte buffer")
                .hint("split it into several shorter words, or move the text to a file"),
        );
    }

    /// Whether nginx's buffer is full before it has seen the end of the token at `start..end`, which `closing` more bytes close.
    /// A blank does not free the buffer, the byte after it does.
    fn too_long(&self, start: usize, end: usize, closing: usize) -> bool {
        let mut rest = self.text[end..].chars().skip(closing);
        let blank = usize::from(rest.next().is_some_and(is_blank));
        self.weight(start, end) + closing + blank >= BUFFER && end + closing + blank < self.text.len()
    }

    /// The bytes of a token that count towards the limit: what a template tag will print is not known.
    fn weight(&self, start: usize, end: usize) -> usize {
        if end - start < BUFFER - 2 {
            return end - start;
        }
        self.text.as_bytes()[start..end].iter().filter(|byte| **byte != FILLER as u8).count()
    }
}

/// What nginx skips between words; a vertical tab, a form feed or a no-break space is part of a word.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// The start of `text`, at most `limit` characters.
fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// An expression at the end of an `if`, without the `)` that closes the condition.
fn without_parenthesis(raw: &str) -> &str {
    let count = |sign: char| raw.matches(sign).count();
    if count(')') > count('(') { raw.strip_suffix(')').unwrap_or(raw) } else { raw }
}

fn parsed_length<'a>(parser: impl Fn(&'a str) -> IResult<&'a str, &'a str>, text: &'a str) -> usize {
    parser(text).map_or(0, |(_, taken)| taken.len())
}

/// `\` and the character it protects.
fn escape(text: &str) -> IResult<&str, &str> {
    recognize(pair(char('\\'), opt(anychar))).parse(text)
}

/// `$` with the `{` that follow it and so open no block.
fn variable(text: &str) -> IResult<&str, &str> {
    recognize(pair(char('$'), take_while(|c| c == '{'))).parse(text)
}

/// An unquoted word: it ends at a blank, `;` or `{`, but not at `}`, `#` or a quote.
fn word(text: &str) -> IResult<&str, &str> {
    let plain = |text| run(text, |byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b'\\' | b'$'));
    // Most words are one such run.
    if let Ok((rest, taken)) = plain(text)
        && !rest.starts_with(['\\', '$'])
    {
        return Ok((rest, taken));
    }
    recognize(many0_count(alt((plain, variable, escape)))).parse(text)
}

/// At least one byte before the first that `ends` it; all such bytes are ASCII, so that no character is cut.
fn run(text: &str, ends: impl Fn(u8) -> bool) -> IResult<&str, &str> {
    match text.split_at(text.bytes().position(ends).unwrap_or(text.len())) {
        ("", _) => fail().parse(text),
        (taken, rest) => Ok((rest, taken)),
    }
}

/// The text between two quotes of one kind.
fn quoted_content(quote: char, text: &str) -> IResult<&str, &str> {
    let plain = |text| run(text, |byte| byte == quote as u8 || byte == b'\\');
    recognize(many0_count(alt((plain, escape)))).parse(text)
}

/// `{2}`, `{2,}` or `{2,4}`: a repetition in a regular expression, which never is the start of a block.
fn repetition_of_regex(text: &str) -> IResult<&str, &str> {
    recognize(delimited(
        char('{'),
        alt((terminated(digit1, opt(pair(tag(","), digit0))), preceded(tag(","), digit1))),
        char('}'),
    ))
    .parse(text)
}

/// Drops the backslash of `\"`, `\'` and `\\`; makes `\t`, `\r`, `\n` control characters; keeps every other one.
/// `None` where nothing changes.
fn decode(raw: &str) -> Option<Box<str>> {
    if !raw.contains('\\') {
        return None;
    }
    let mut value = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        match chars.clone().next() {
            Some(escaped @ ('"' | '\'' | '\\')) => value.push(escaped),
            Some('t') => value.push('\t'),
            Some('r') => value.push('\r'),
            Some('n') => value.push('\n'),
            _ => {
                value.push('\\');
                continue;
            }
        }
        chars.next();
    }
    (value != raw).then(|| value.into_boxed_str())
}
