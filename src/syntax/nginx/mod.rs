//! nginx configuration: its words exactly as nginx reads them, and the tree of its blocks.

mod braces;
mod lexer;
mod lua;
mod names;
mod tree;

use crate::source::{Located, Span};
use crate::syntax::Parsed;

/// The page that speaks for what nginx's tokenizer and block structure refuse.
const KIND: &str = "nginx/syntax";

/// A word: its decoded value at its raw span, quotes included.
pub type Word = Located<String>;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// What stands outside every block.
    pub items: Vec<Item>,
    /// Every comment, from `#` to before the line feed.
    pub comments: Vec<Span>,
}

/// One statement of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A directive.
    Directive(Directive),
    /// A line of a `map`, `geo`, `types`, `split_clients` or `charset_map` block, which has no name: all its words are data.
    Entry(Entry),
    /// A template tag where a statement could stand: any number of statements.
    Opaque(Span),
}

/// A directive with what ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Its name.
    pub name: Word,
    /// The words after the name.
    pub arguments: Vec<Word>,
    /// What ends it.
    pub end: End,
}

/// A line of data in a block of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// At least one word.
    pub words: Vec<Word>,
    /// The `;`, where it is there.
    pub semicolon: Option<Span>,
}

/// What ends a directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// `;`, or nothing where it was forgotten.
    Semicolon(Option<Span>),
    /// `{ … }`
    Block(Block),
    /// `{ … }` around Lua.
    Lua {
        /// The `{`.
        open: Span,
        /// The code.
        code: Span,
        /// The `}`.
        close: Option<Span>,
    },
}

/// What stands between two braces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// The `{`; empty where it was forgotten.
    pub open: Span,
    /// The statements.
    pub items: Vec<Item>,
    /// The `}`, where it is there.
    pub close: Option<Span>,
}

impl Directive {
    /// Whether it has this name; names are case-sensitive.
    pub fn is(&self, name: &str) -> bool {
        self.name.value == name
    }

    /// The statements of its block; none where it has no block.
    pub fn items(&self) -> &[Item] {
        match &self.end {
            End::Block(block) => &block.items,
            _ => &[],
        }
    }

    /// Its name and arguments.
    pub fn head(&self) -> Span {
        self.arguments.last().map_or(self.name.span, |last| self.name.span.to(last.span))
    }
}

/// The directives among `items`, in order.
pub fn directives(items: &[Item]) -> impl Iterator<Item = &Directive> {
    items.iter().filter_map(|item| match item {
        Item::Directive(directive) => Some(directive),
        _ => None,
    })
}

/// Reads one file; what nginx's tokenizer or block structure refuses is a problem of kind `nginx/syntax`.
pub fn parse(text: &str) -> Parsed<Config> {
    tree::build(text)
}
