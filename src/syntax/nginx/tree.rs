//! From tokens to blocks, as `ngx_conf_parse` and `ngx_conf_handler` do it, with a guess at what was meant where they give up.

mod refusal;

use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;

use super::braces::{Braces, indent_of};
use super::config::{Block, Config, Node, Shape};
use super::lexer::{Lexer, Token};
use super::word::{Store, unquoted};
use super::{KIND, names};
use crate::source::{Located, Span};
use crate::syntax::erb::FILLER;
use crate::syntax::{Parsed, Problem, Problems};

/// Blocks nested deeper are read as if they stood side by side, so that no input exhausts the stack.
const DEEPEST: usize = 100;

/// What a word and a statement take in most files, blanks and comments included, so that room is made for them at once.
const BYTES_A_WORD: usize = 14;
const BYTES_A_STATEMENT: usize = 34;

/// The numbers of words that follow each other.
type Words = Range<usize>;

/// A block that is still open.
#[derive(Debug)]
struct Frame {
    /// The word before its `{`; none for a `{` without a name.
    name: Option<usize>,
    /// Where the tree keeps it; nowhere without a name.
    block: Option<usize>,
    open: Span,
    /// Whether it holds lines of data.
    data: bool,
    /// Whether its name is one that nginx knows with a block only.
    known: bool,
}

struct Builder<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    config: Config,
    stack: Vec<Frame>,
    /// The first word that belongs to no statement yet.
    pending: usize,
    /// Whether every pending word is a template tag.
    only_tags: bool,
    problems: Problems,
    braces: Braces,
    /// How many blocks were opened on behalf of a forgotten `{`: as many may stay open.
    assumed: usize,
}

/// Reads the blocks of one file.
pub(super) fn build(text: &Arc<str>) -> Parsed<Config> {
    let mut builder = Builder {
        text,
        lexer: Lexer::new(text),
        config: Config {
            text: Arc::clone(text),
            words: Store::with_capacity(text.len() / BYTES_A_WORD),
            nodes: Vec::with_capacity(text.len() / BYTES_A_STATEMENT),
            ..Config::default()
        },
        stack: Vec::new(),
        pending: 0,
        only_tags: false,
        problems: Problems::default(),
        braces: Braces::default(),
        assumed: 0,
    };
    while let Some(Located { value: token, span }) = builder.lexer.next() {
        match token {
            Token::Comment => builder.config.comments.push(span),
            Token::Word(value) => builder.word(span, value),
            Token::Semicolon => builder.semicolon(span),
            Token::Open => builder.open(span),
            Token::Close => builder.close(span),
        }
    }
    builder.finish()
}

impl Builder<'_> {
    fn word(&mut self, span: Span, mut value: Option<Box<str>>) {
        if self.pending == self.config.words.len() && !self.in_data() && !self.is_name(span, &mut value) {
            return;
        }
        let first = self.pending == self.config.words.len();
        self.config.words.push(self.text, span, value);
        let value = self.value(self.config.words.len() - 1);
        let tag = !value.is_empty() && value.chars().all(|c| c == FILLER);
        self.only_tags = tag && (self.only_tags || first);
        if self.only_tags && self.ends_line() {
            self.take_pending().for_each(|word| self.push(word, Shape::Opaque));
        }
    }

    /// Takes signs that cannot be seen out of what should be a name; gives whether something is left.
    fn is_name(&mut self, span: Span, value: &mut Option<Box<str>>) -> bool {
        let raw = span.of(self.text);
        if raw.bytes().all(|byte| byte.is_ascii_graphic()) {
            return true;
        }
        let Some(at) = raw.find(is_invisible) else { return true };
        let start = span.start as usize + at;
        let sign = self.text[start..].chars().next().unwrap_or_default();
        let message = format!("an invisible character, U+{:04X}, that nginx takes for part of a name", u32::from(sign));
        self.problems.push(
            Problem::new(KIND, Span::new(start, start + sign.len_utf8()), message)
                .hint("delete it and type the space again; text copied from a web page often has such signs"),
        );
        let left: String = match value {
            Some(value) => value.chars().filter(|c| !is_invisible(*c)).collect(),
            None => unquoted(span.of(self.text)).chars().filter(|c| !is_invisible(*c)).collect(),
        };
        let is_name = !left.is_empty();
        *value = Some(left.into_boxed_str());
        is_name
    }

    fn value(&self, word: usize) -> &str {
        self.config.words.value(self.text, word)
    }

    fn span(&self, word: usize) -> Span {
        self.config.words.span(word)
    }

    /// The words that belong to no statement yet; now they do.
    fn take_pending(&mut self) -> Words {
        let end = self.config.words.len();
        std::mem::replace(&mut self.pending, end)..end
    }

    /// Whether the innermost block holds lines of data.
    fn in_data(&self) -> bool {
        self.stack.last().is_some_and(|frame| frame.data)
    }

    /// Whether nothing but blanks stands before the next line or `}`.
    fn ends_line(&self) -> bool {
        let next = self.lexer.rest().trim_start_matches([' ', '\t', '\r']).chars().next();
        matches!(next, None | Some('\n' | '}' | '#'))
    }

    fn semicolon(&mut self, span: Span) {
        let words = self.take_pending();
        if words.is_empty() {
            self.problems.push(
                Problem::new(KIND, span, "unexpected \";\"")
                    .hint("remove this `;`: there is no directive for it to end"),
            );
            return;
        }
        if self.lacks_block(&words) {
            self.refuse_without_block(words, span);
            return;
        }
        let words = self.split_swallowed(words, span);
        self.statement(words, Some(span));
    }

    /// Cuts off the statements that lack their `;` before the last one, which `semicolon` ends.
    fn split_swallowed(&mut self, words: Words, semicolon: Span) -> Words {
        let mut start = words.start;
        if self.in_data() {
            return words;
        }
        for at in words.start + 2..words.end {
            if at >= start + 2 && self.swallows(start, at) {
                self.refuse_unterminated(start..at, None, semicolon, "it has too many words");
                self.statement(start..at, None);
                start = at;
            }
        }
        start..words.end
    }

    fn open(&mut self, span: Span) {
        let mut words = self.take_pending();
        if words.is_empty() {
            self.problems.push(
                Problem::new(KIND, span, "unexpected \"{\"")
                    .hint("write the name of the block before the `{`, such as `server`"),
            );
            return self.enter(words, span);
        }
        if self.value(words.start) == "include" {
            self.pending = words.start;
            return self.refuse_include(span);
        }
        if let Some(at) = self.swallowed_block(&words) {
            self.refuse_unterminated(words.start..at, None, span, "is not terminated by \";\"");
            self.statement(words.start..at, None);
            words.start = at;
        }
        if self.in_data() {
            self.refuse_in_data(&words, span);
        }
        if self.value(words.start).ends_with("_by_lua_block") {
            return self.lua(words, span);
        }
        self.enter(words, span);
    }

    fn close(&mut self, span: Span) {
        let words = self.take_pending();
        if !words.is_empty() {
            let may_end_itself = self.value(words.end - 1).ends_with(FILLER);
            if !may_end_itself {
                self.refuse_unterminated(words.clone(), Some(span), span, "unexpected \"}\"");
            }
            self.statement(words, None);
        }
        if self.stack.is_empty() {
            let problem = self.braces.extra(span);
            self.problems.push(problem);
            return;
        }
        self.braces.close(self.text, span);
        self.leave(Some(span));
    }

    fn finish(mut self) -> Parsed<Config> {
        let words = self.take_pending();
        let unfinished = !words.is_empty();
        if unfinished {
            let end = Span::new(self.text.len(), self.text.len());
            self.refuse_unterminated(words.clone(), None, end, "unexpected end of file, expecting \";\" or \"}\"");
            self.statement(words, None);
        }
        let open: Vec<Span> = self.stack.iter().map(|frame| frame.open).collect();
        if !unfinished && open.len() > self.assumed {
            self.problems.push(self.braces.unclosed(self.text, &open));
        }
        while !self.stack.is_empty() {
            self.leave(None);
        }
        self.config.shrink();
        Parsed { tree: self.config, problems: self.problems.sorted_with(self.lexer.problems) }
    }

    fn enter(&mut self, words: Words, open: Span) {
        let name = (!words.is_empty()).then_some(words.start);
        let statement = name.map_or(open, |name| self.span(name)).start as usize;
        self.braces.open(self.text, open, statement);
        let is = |test: fn(&str) -> bool| name.is_some_and(|name| test(self.value(name)));
        let (data, known) = (is(names::holds_data), is(names::is_block));
        self.config.is_main |= self.stack.is_empty() && is(|name| matches!(name, "events" | "http"));
        let block = name.map(|name| self.push_block(name, open, None, Shape::Block));
        self.stack.push(Frame { name, block, open, data, known });
    }

    fn leave(&mut self, close: Option<Span>) {
        let Some(Frame { block: Some(block), .. }) = self.stack.pop() else { return };
        let block = &mut self.config.blocks[block];
        block.close = close.and_then(offset);
        if self.stack.len() < DEEPEST {
            block.after = count(self.config.nodes.len());
        }
    }

    fn push(&mut self, first_word: usize, shape: Shape) {
        self.config.nodes.push(Node { first_word: count(first_word), shape });
    }

    /// Adds a directive with a block that is empty so far; gives the number of the block.
    fn push_block(&mut self, name: usize, open: Span, close: Option<Span>, shape: fn(u32) -> Shape) -> usize {
        let block = self.config.blocks.len();
        self.push(name, shape(count(block)));
        let after = count(self.config.nodes.len());
        self.config.blocks.push(Block { open, close: close.and_then(offset), after });
        block
    }

    fn statement(&mut self, words: Words, semicolon: Option<Span>) {
        let semicolon = semicolon.and_then(offset);
        let shape = if self.in_data() { Shape::Entry(semicolon) } else { Shape::Statement(semicolon) };
        self.push(words.start, shape);
    }

    fn lua(&mut self, words: Words, open: Span) {
        let closed = self.lexer.lua();
        let close = closed.then(|| self.lexer.next()).flatten().map(|brace| brace.span);
        if close.is_none() {
            let end = Span::new(self.text.len(), self.text.len());
            self.problems.push(
                Problem::new(KIND, open, "this Lua block is never closed")
                    .hint("write the missing `}`; braces inside Lua strings and comments do not count")
                    .also(end, "nginx: unexpected end of file"),
            );
            self.assumed = self.stack.len();
        }
        self.push_block(words.start, open, close, Shape::Lua);
    }

    /// Whether `words`, ended by `;`, are a directive that nginx knows with a block only.
    fn lacks_block(&self, words: &Words) -> bool {
        let name = self.value(words.start);
        match self.stack.last() {
            Some(frame) if frame.data => false,
            Some(frame) => match self.name_of(frame) {
                "server" if name == "server" => true,
                "http" | "mail" | "stream" if name == "server" => true,
                around if !frame.known && around != "server" => false,
                _ => names::is_block(name),
            },
            None if name == "server" => self.first_line(words) == words.start + 1 && words.len() > 2,
            None => names::is_block(name),
        }
    }

    fn name_of(&self, frame: &Frame) -> &str {
        frame.name.map_or("", |name| self.value(name))
    }

    /// The end of those of `words` that stand on the line of the first.
    fn first_line(&self, words: &Words) -> usize {
        (words.start + 1..words.end).find(|&word| self.on_new_line(word)).unwrap_or(words.end)
    }

    /// Whether a word, which is not the first of its statement, looks like the name of a directive: first on its line, indented
    /// as `indent` says.
    fn begins_statement(&self, word: usize, indent: usize) -> bool {
        let name = self.value(word);
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && self.on_new_line(word)
            && self.indent(word) == indent
    }

    /// The last of `words` that is the name of a block at the start of a line, where the directive before it lacks its `;`.
    fn swallowed_block(&self, words: &Words) -> Option<usize> {
        let is_name = |word: &usize| names::may_be_block(self.value(*word)) && self.on_new_line(*word);
        let mut names = (words.start + 1..words.end).rev().filter(is_name).peekable();
        names.peek()?;
        let indent = self.indent(words.start);
        names.find(|word| self.indent(*word) <= indent)
    }

    /// Whether `word` begins a statement, as the directive called `name` can take no such word.
    fn swallows(&self, name: usize, word: usize) -> bool {
        self.on_new_line(word)
            && names::cannot_take(self.value(name), self.value(word))
            && !self.value(word - 1).ends_with(FILLER)
            && self.begins_statement(word, self.indent(name))
    }

    /// Whether a word, which is not the first of its statement, begins a line.
    fn on_new_line(&self, word: usize) -> bool {
        Span::new(self.span(word - 1).end as usize, self.span(word).start as usize).of(self.text).contains('\n')
    }

    fn indent(&self, word: usize) -> usize {
        indent_of(self.text, self.span(word).start as usize).0
    }
}

/// An offset that is kept; the sign that ends a statement is never the first of its file.
fn offset(sign: Span) -> Option<NonZeroU32> {
    NonZeroU32::new(sign.start)
}

/// A number of words, statements or blocks, of which a file has fewer than bytes.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Blanks and marks that nginx does not skip, and that no name has.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{B}' | '\u{C}' | '\u{A0}' | '\u{2000}'
            ..='\u{200F}' | '\u{2028}' | '\u{2029}' | '\u{202F}' | '\u{3000}' | '\u{FEFF}'
    )
}
