//! From tokens to blocks, as `ngx_conf_parse` and `ngx_conf_handler` do it, with a guess at what was meant where they give up.

use super::braces::{Braces, indent_of};
use super::lexer::{Lexer, Token, is_blank};
use super::names;
use super::{Block, Config, Directive, End, Entry, Item, KIND, Word};
use crate::source::{Located, Span};
use crate::syntax::erb::FILLER;
use crate::syntax::{Parsed, Problem};

/// Blocks nested deeper are read as if they stood side by side, so that no input exhausts the stack.
const DEEPEST: usize = 100;

/// A block that is still open.
#[derive(Debug)]
struct Frame {
    /// The words before its `{`; none for a `{` without a name.
    words: Vec<Word>,
    open: Span,
    items: Vec<Item>,
    data: bool,
}

impl Frame {
    fn name(&self) -> &str {
        self.words.first().map_or("", |name| name.value.as_str())
    }
}

struct Builder<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    config: Config,
    stack: Vec<Frame>,
    pending: Vec<Word>,
    /// Whether every pending word is a template tag.
    only_tags: bool,
    problems: Vec<Problem>,
    braces: Braces,
    /// How many blocks were opened on behalf of a forgotten `{`: as many may stay open.
    assumed: usize,
}

/// Reads the blocks of one file.
pub(super) fn build(text: &str) -> Parsed<Config> {
    let mut builder = Builder {
        text,
        lexer: Lexer::new(text),
        config: Config::default(),
        stack: Vec::new(),
        pending: Vec::new(),
        only_tags: false,
        problems: Vec::new(),
        braces: Braces::default(),
        assumed: 0,
    };
    while let Some(Located { value: token, span }) = builder.lexer.next() {
        match token {
            Token::Comment => builder.config.comments.push(span),
            Token::Word(value) => builder.word(Located::new(value, span)),
            Token::Semicolon => builder.semicolon(span),
            Token::Open => builder.open(span),
            Token::Close => builder.close(span),
        }
    }
    builder.finish()
}

impl Builder<'_> {
    fn word(&mut self, mut word: Word) {
        let data = self.stack.last().is_some_and(|frame| frame.data);
        if self.pending.is_empty() && !data && !self.is_name(&mut word) {
            return;
        }
        let tag = !word.value.is_empty() && word.value.chars().all(|c| c == FILLER);
        self.only_tags = tag && (self.only_tags || self.pending.is_empty());
        self.pending.push(word);
        if self.only_tags && self.ends_line() {
            let spans = std::mem::take(&mut self.pending);
            spans.into_iter().for_each(|word| self.push(Item::Opaque(word.span)));
        }
    }

    /// Takes signs that cannot be seen out of what should be a name; gives whether something is left.
    fn is_name(&mut self, word: &mut Word) -> bool {
        let Some(at) = Span::of(word.span, self.text).find(is_invisible) else { return true };
        let start = word.span.start as usize + at;
        let sign = self.text[start..].chars().next().unwrap_or_default();
        let message = format!("an invisible character, U+{:04X}, that nginx takes for part of a name", u32::from(sign));
        self.problems.push(
            Problem::new(KIND, Span::new(start, start + sign.len_utf8()), message)
                .hint("delete it and type the space again; text copied from a web page often has such signs"),
        );
        word.value.retain(|c| !is_invisible(c));
        !word.value.is_empty()
    }

    /// Whether nothing but blanks stands before the next line or `}`.
    fn ends_line(&self) -> bool {
        let next = self.lexer.rest().trim_start_matches([' ', '\t', '\r']).chars().next();
        matches!(next, None | Some('\n' | '}' | '#'))
    }

    fn semicolon(&mut self, span: Span) {
        let words = std::mem::take(&mut self.pending);
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
    fn split_swallowed(&mut self, words: Vec<Word>, semicolon: Span) -> Vec<Word> {
        if self.stack.last().is_some_and(|frame| frame.data) {
            return words;
        }
        let mut starts = vec![0];
        for at in 2..words.len() {
            let start = starts[starts.len() - 1];
            if at >= start + 2 && self.swallows(&words[start], &words[at - 1..=at]) {
                starts.push(at);
            }
        }
        let mut rest = words.into_iter();
        for pair in starts.windows(2) {
            let statement: Vec<Word> = rest.by_ref().take(pair[1] - pair[0]).collect();
            self.refuse_unterminated(&statement, None, semicolon, "it has too many words");
            self.statement(statement, None);
        }
        rest.collect()
    }

    fn open(&mut self, span: Span) {
        if self.pending.is_empty() {
            self.problems.push(
                Problem::new(KIND, span, "unexpected \"{\"")
                    .hint("write the name of the block before the `{`, such as `server`"),
            );
            return self.enter(Vec::new(), span);
        }
        if self.pending[0].value == "include" {
            return self.refuse_include(span);
        }
        let mut words = std::mem::take(&mut self.pending);
        if let Some(at) = self.swallowed_block(&words) {
            let block = words.split_off(at);
            self.refuse_unterminated(&words, None, span, "is not terminated by \";\"");
            self.statement(words, None);
            words = block;
        }
        if self.stack.last().is_some_and(|frame| frame.data) {
            self.refuse_in_data(&words, span);
        }
        if words[0].value.ends_with("_by_lua_block") {
            return self.lua(words, span);
        }
        self.enter(words, span);
    }

    fn close(&mut self, span: Span) {
        let words = std::mem::take(&mut self.pending);
        if !words.is_empty() {
            let may_end_itself = words.last().is_some_and(|last| last.value.ends_with(FILLER));
            if !may_end_itself {
                self.refuse_unterminated(&words, Some(span), span, "unexpected \"}\"");
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
        let words = std::mem::take(&mut self.pending);
        let unfinished = !words.is_empty();
        if unfinished {
            let end = Span::new(self.text.len(), self.text.len());
            self.refuse_unterminated(&words, None, end, "unexpected end of file, expecting \";\" or \"}\"");
            self.statement(words, None);
        }
        let open: Vec<Span> = self.stack.iter().map(|frame| frame.open).collect();
        if !unfinished && open.len() > self.assumed {
            self.problems.push(self.braces.unclosed(self.text, &open));
        }
        while !self.stack.is_empty() {
            self.leave(None);
        }
        self.problems.append(&mut self.lexer.problems);
        self.problems.sort_by_key(|problem| problem.span);
        Parsed { tree: self.config, problems: self.problems }
    }

    fn enter(&mut self, words: Vec<Word>, open: Span) {
        let statement = words.first().map_or(open, |name| name.span).start as usize;
        self.braces.open(self.text, open, statement);
        let data = words.first().is_some_and(|name| names::holds_data(&name.value));
        self.stack.push(Frame { words, open, items: Vec::new(), data });
    }

    fn leave(&mut self, close: Option<Span>) {
        let Some(frame) = self.stack.pop() else { return };
        let Frame { words, open, items, .. } = frame;
        let mut words = words.into_iter();
        let Some(name) = words.next() else {
            items.into_iter().for_each(|item| self.push(item));
            return;
        };
        let end = End::Block(Block { open, items, close });
        self.push(Item::Directive(Directive { name, arguments: words.collect(), end }));
    }

    fn push(&mut self, item: Item) {
        let depth = self.stack.len().min(DEEPEST);
        match depth.checked_sub(1).and_then(|at| self.stack.get_mut(at)) {
            Some(frame) => frame.items.push(item),
            None => self.config.items.push(item),
        }
    }

    fn statement(&mut self, words: Vec<Word>, semicolon: Option<Span>) {
        if self.stack.last().is_some_and(|frame| frame.data) {
            return self.push(Item::Entry(Entry { words, semicolon }));
        }
        let mut words = words.into_iter();
        let Some(name) = words.next() else { return };
        self.push(Item::Directive(Directive { name, arguments: words.collect(), end: End::Semicolon(semicolon) }));
    }

    fn lua(&mut self, words: Vec<Word>, open: Span) {
        let (code, closed) = self.lexer.lua();
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
        let mut words = words.into_iter();
        let Some(name) = words.next() else { return };
        let end = End::Lua { open, code, close };
        self.push(Item::Directive(Directive { name, arguments: words.collect(), end }));
    }

    /// Whether `words`, ended by `;`, are a directive that nginx knows with a block only.
    fn lacks_block(&self, words: &[Word]) -> bool {
        let name = words[0].value.as_str();
        match self.stack.last() {
            Some(frame) if frame.data => false,
            Some(frame) if frame.name() == "server" && name == "server" => true,
            Some(frame) if matches!(frame.name(), "http" | "mail" | "stream") && name == "server" => true,
            Some(frame) if !names::is_block(frame.name()) && frame.name() != "server" => false,
            None if name == "server" => self.first_line(words) == 1 && words.len() > 2,
            _ => names::is_block(name),
        }
    }

    /// How many of `words` stand on the line of the first.
    fn first_line(&self, words: &[Word]) -> usize {
        words.windows(2).position(|pair| self.on_new_line(pair)).map_or(words.len(), |at| at + 1)
    }

    /// Reports a block directive that `semicolon` ends; where its first line is all there is of it, the rest stands in its block.
    fn refuse_without_block(&mut self, mut words: Vec<Word>, semicolon: Span) {
        let name = words[0].value.clone();
        let first = self.first_line(&words);
        let line_end = words[first - 1].span.end as usize;
        let cut = self.lexer.rest().chars().next().is_some_and(|c| !is_blank(c) && !matches!(c, '#' | '}' | '{' | ';'));
        let hint = if first < words.len() {
            format!(
                "write `{{` at the end of this line: `{} {{`",
                self.text[words[0].span.start as usize..line_end].trim()
            )
        } else if cut && name != "if" {
            "this `;` ends the directive; put the expression it belongs to in quotes".to_owned()
        } else {
            format!("`{name}` needs a block: {name} … {{ … }}")
        };
        let nginx = format!("nginx: directive \"{name}\" has no opening \"{{\"");
        let head = words[0].span.to(words[first - 1].span);
        self.problems.push(
            Problem::new(KIND, head, format!("`{name}` has no opening \"{{\"")).hint(hint).also(semicolon, nginx),
        );
        if first == words.len() {
            return self.statement(words, Some(semicolon));
        }
        let inner = words.split_off(first);
        self.assumed += 1;
        self.enter(words, Span::new(line_end, line_end));
        self.statement(inner, Some(semicolon));
    }

    /// Reports a directive without `;`, at the end of the first line that lacks it; nginx notices at `noticed`.
    fn refuse_unterminated(&mut self, words: &[Word], close: Option<Span>, noticed: Span, nginx: &str) {
        let indent = words.first().map_or(0, |name| self.indent(name));
        let mut lacking: Vec<&Word> =
            words.windows(2).filter(|pair| self.begins_statement(pair, indent)).map(|pair| &pair[0]).collect();
        lacking.extend(words.last());
        let end_of = |word: &Word| Span::new(word.span.end as usize, word.span.end as usize);
        let Some((first, others)) = lacking.split_first() else { return };
        let name = shown(&words[0].value);
        let hint = match close {
            Some(_) if others.is_empty() => format!("end {name} with `;` before the `}}`"),
            _ => format!("end {name} with `;` here"),
        };
        let problem = Problem::new(KIND, end_of(first), format!("{name} is not ended by `;`")).hint(hint);
        let problem = others
            .iter()
            .take(3)
            .fold(problem, |problem, word| problem.also(end_of(word), "this line lacks its `;` too"));
        self.problems.push(problem.also(noticed, format!("nginx notices here: {nginx}")));
    }

    /// Whether the second word looks like the name of a directive: first on its line, indented as `indent` says.
    fn begins_statement(&self, pair: &[Word], indent: usize) -> bool {
        let name = pair[1].value.as_str();
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && self.on_new_line(pair)
            && self.indent(&pair[1]) == indent
    }

    /// The last of `words` that is the name of a block at the start of a line, where the directive before it lacks its `;`.
    fn swallowed_block(&self, words: &[Word]) -> Option<usize> {
        let indent = self.indent(words.first()?);
        (1..words.len()).rev().find(|&at| {
            let name = words[at].value.as_str();
            names::may_be_block(name) && self.on_new_line(&words[at - 1..=at]) && self.indent(&words[at]) <= indent
        })
    }

    /// Whether the second word of `pair` begins a statement, as the directive `name` can take no such word.
    fn swallows(&self, name: &Word, pair: &[Word]) -> bool {
        names::cannot_take(&name.value, &pair[1].value)
            && !pair[0].value.ends_with(FILLER)
            && self.begins_statement(pair, self.indent(name))
    }

    fn on_new_line(&self, pair: &[Word]) -> bool {
        self.text[pair[0].span.end as usize..pair[1].span.start as usize].contains('\n')
    }

    fn indent(&self, word: &Word) -> usize {
        indent_of(self.text, word.span.start as usize).0
    }

    /// Reports a `{` in a block of data: either that block was never closed, or the word is not in quotes.
    fn refuse_in_data(&mut self, words: &[Word], span: Span) {
        let name = words[0].value.as_str();
        let stands_outside = name == "server" || names::is_block(name);
        let Some(frame) = self.stack.last().filter(|_| stands_outside) else {
            self.problems.push(
                Problem::new(KIND, span, "unexpected \"{\"")
                    .hint("this block holds lines of data only; put a word that contains `{` in quotes"),
            );
            return;
        };
        self.problems.push(
            Problem::new(KIND, frame.open, format!("the `{{` of `{}` is never closed", frame.name()))
                .hint(format!("write the missing `}}` before `{name}`"))
                .also(span, "nginx notices here: unexpected \"{\""),
        );
        self.leave(None);
    }

    /// Reports `{` in the pattern of an `include`, and takes the whole pattern as one word.
    fn refuse_include(&mut self, open: Span) {
        self.lexer.step_back_to(open);
        let span = self.lexer.literally();
        self.problems.push(
            Problem::new(KIND, open, "directive \"include\" is not terminated by \";\"")
                .hint("include knows `*`, `?` and `[…]`, not `{a,b}`: write one include per file, or a `*`"),
        );
        self.pending.push(Located::new(span.of(self.text).to_owned(), span));
    }
}

/// Blanks and marks that nginx does not skip, and that no name has.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{B}' | '\u{C}' | '\u{A0}' | '\u{2000}'
            ..='\u{200F}' | '\u{2028}' | '\u{2029}' | '\u{202F}' | '\u{3000}' | '\u{FEFF}'
    )
}

/// A name as it can be shown; template tags have no text.
fn shown(name: &str) -> String {
    if name.contains(FILLER) { "this directive".to_owned() } else { format!("`{}`", name.escape_debug()) }
}
