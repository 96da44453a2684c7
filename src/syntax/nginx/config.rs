//! The tree of one file: its statements in the order of the text, each twelve bytes, and handles that are copied freely to read them.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::word::{Store, Word, Words, exact};
use crate::source::Span;

/// One file. It owns its text; everything else is an offset into it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    pub(super) text: Arc<str>,
    pub(super) words: Store,
    /// Every statement, a block's right after the directive that opens it.
    pub(super) nodes: Vec<Node>,
    pub(super) blocks: Vec<Block>,
    pub(super) comments: Vec<Span>,
    /// Noted on the way, because it is asked of every file before anything else of it is read.
    pub(super) is_main: bool,
}

/// One statement. Its words end where those of the next one begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) first_word: u32,
    pub(super) shape: Shape,
}

/// What a statement is, with the offset of its `;` or the number of its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Statement(Option<NonZeroU32>),
    Entry(Option<NonZeroU32>),
    Opaque,
    Block(u32),
    Lua(u32),
}

/// The braces of a block, and the first statement after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) open: Span,
    pub(super) close: Option<NonZeroU32>,
    pub(super) after: u32,
}

/// The one sign, `;` or `}`, at an offset.
fn sign(at: NonZeroU32) -> Span {
    Span { start: at.get(), end: at.get() + 1 }
}

impl Config {
    /// The text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds a block that only a main file has: `events` or `http`, outside every other.
    pub fn is_main(&self) -> bool {
        self.is_main
    }

    /// What stands outside every block.
    pub fn items(&self) -> Items<'_> {
        Items { tree: self, next: 0, end: self.nodes.len() }
    }

    /// The directives outside every block.
    pub fn directives(&self) -> impl Iterator<Item = Directive<'_>> {
        self.items().directives()
    }

    /// Every directive of the file, whatever block it stands in.
    pub fn all_directives(&self) -> impl Iterator<Item = Directive<'_>> {
        (0..self.nodes.len()).filter_map(|node| match self.item(node) {
            Item::Directive(directive) => Some(directive),
            Item::Entry(_) | Item::Opaque(_) => None,
        })
    }

    /// Every comment, from `#` to before the line feed.
    pub fn comments(&self) -> &[Span] {
        &self.comments
    }

    /// Gives back what was reserved and not needed.
    pub(super) fn shrink(&mut self) {
        self.words.shrink();
        self.nodes = exact(&self.nodes);
        self.blocks = exact(&self.blocks);
        self.comments = exact(&self.comments);
    }

    fn item(&self, node: usize) -> Item<'_> {
        match self.nodes[node].shape {
            Shape::Opaque => Item::Opaque(self.words.span(self.nodes[node].first_word as usize)),
            Shape::Entry(_) => Item::Entry(Entry { tree: self, node }),
            Shape::Statement(_) | Shape::Block(_) | Shape::Lua(_) => Item::Directive(Directive { tree: self, node }),
        }
    }

    fn words_of(&self, node: usize) -> Words<'_> {
        let first = |node: usize| self.nodes.get(node).map_or(self.words.len(), |node| node.first_word as usize);
        Words::new(self, first(node)..first(node + 1))
    }
}

/// The statements of a block in order.
#[derive(Debug, Clone)]
pub struct Items<'t> {
    tree: &'t Config,
    next: usize,
    end: usize,
}

impl<'t> Items<'t> {
    /// The directives among them.
    pub fn directives(self) -> impl Iterator<Item = Directive<'t>> {
        self.filter_map(|item| match item {
            Item::Directive(directive) => Some(directive),
            Item::Entry(_) | Item::Opaque(_) => None,
        })
    }
}

impl<'t> Iterator for Items<'t> {
    type Item = Item<'t>;

    fn next(&mut self) -> Option<Item<'t>> {
        if self.next >= self.end {
            return None;
        }
        let item = self.tree.item(self.next);
        self.next = match self.tree.nodes[self.next].shape {
            Shape::Block(block) => self.tree.blocks[block as usize].after as usize,
            _ => self.next + 1,
        };
        Some(item)
    }

    /// What stands in the blocks among them counts too, and may be all there is but one.
    fn size_hint(&self) -> (usize, Option<usize>) {
        let most = self.end.saturating_sub(self.next);
        (usize::from(most > 0), Some(most))
    }
}

/// One statement of a block.
#[derive(Debug, Clone, Copy)]
pub enum Item<'t> {
    /// A directive.
    Directive(Directive<'t>),
    /// A line of a `map`, `geo`, `types`, `split_clients` or `charset_map` block, which has no name: all its words are data.
    Entry(Entry<'t>),
    /// A template tag where a statement could stand: any number of statements.
    Opaque(Span),
}

/// A directive with what ends it.
#[derive(Clone, Copy)]
pub struct Directive<'t> {
    tree: &'t Config,
    node: usize,
}

/// What ends a directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// `;`, or nothing where it was forgotten.
    Semicolon(Option<Span>),
    /// `{ … }`
    Block {
        /// The `{`; empty where it was forgotten.
        open: Span,
        /// The `}`, where it is there.
        close: Option<Span>,
    },
    /// `{ … }` around Lua.
    Lua {
        /// The `{`.
        open: Span,
        /// The code.
        code: Span,
        /// The `}`, where it is there.
        close: Option<Span>,
    },
}

impl<'t> Directive<'t> {
    /// The text of its file.
    pub fn text(self) -> &'t str {
        &self.tree.text
    }

    /// Its name.
    pub fn name(self) -> &'t str {
        self.tree.words.value(&self.tree.text, self.tree.nodes[self.node].first_word as usize)
    }

    /// Where its name stands.
    pub fn name_span(self) -> Span {
        self.tree.words.span(self.tree.nodes[self.node].first_word as usize)
    }

    /// Whether it has this name; names are case-sensitive.
    pub fn is(self, name: &str) -> bool {
        self.tree.words.is(&self.tree.text, self.tree.nodes[self.node].first_word as usize, name)
    }

    /// Its name and the words after it.
    pub fn words(self) -> Words<'t> {
        self.tree.words_of(self.node)
    }

    /// The words after its name.
    pub fn arguments(self) -> Words<'t> {
        let mut words = self.tree.words_of(self.node);
        words.next();
        words
    }

    /// The argument that has `index` others before it.
    pub fn argument(self, index: usize) -> Option<Word<'t>> {
        self.arguments().get(index)
    }

    /// Its name and arguments.
    pub fn head(self) -> Span {
        let name = self.name_span();
        self.arguments().next_back().map_or(name, |last| name.to(last.span))
    }

    /// What ends it.
    pub fn end(self) -> End {
        match self.tree.nodes[self.node].shape {
            Shape::Block(block) => {
                let block = self.tree.blocks[block as usize];
                End::Block { open: block.open, close: block.close.map(sign) }
            }
            Shape::Lua(block) => {
                let block = self.tree.blocks[block as usize];
                let end = block.close.map_or(self.tree.text.len(), |close| close.get() as usize);
                let code = Span::new(block.open.end as usize, end);
                End::Lua { open: block.open, code, close: block.close.map(sign) }
            }
            Shape::Statement(semicolon) | Shape::Entry(semicolon) => End::Semicolon(semicolon.map(sign)),
            Shape::Opaque => End::Semicolon(None),
        }
    }

    /// Whether it has a block of statements.
    pub fn has_block(self) -> bool {
        matches!(self.tree.nodes[self.node].shape, Shape::Block(_))
    }

    /// The `{` of its block, Lua's too; empty where it was forgotten.
    pub fn open(self) -> Option<Span> {
        match self.end() {
            End::Block { open, .. } | End::Lua { open, .. } => Some(open),
            End::Semicolon(_) => None,
        }
    }

    /// The `}` of its block, Lua's too, where it is there.
    pub fn close(self) -> Option<Span> {
        match self.end() {
            End::Block { close, .. } | End::Lua { close, .. } => close,
            End::Semicolon(_) => None,
        }
    }

    /// The statements of its block; none where it has no block.
    pub fn items(self) -> Items<'t> {
        let next = self.node + 1;
        let end = match self.tree.nodes[self.node].shape {
            Shape::Block(block) => self.tree.blocks[block as usize].after as usize,
            _ => next,
        };
        Items { tree: self.tree, next, end }
    }

    /// The directives of its block.
    pub fn directives(self) -> impl Iterator<Item = Directive<'t>> {
        self.items().directives()
    }
}

/// Whether two are the same one of the same tree.
impl PartialEq for Directive<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.node == other.node
    }
}

impl Eq for Directive<'_> {}

impl std::fmt::Debug for Directive<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` at {:?}", self.head().of(&self.tree.text), self.head())
    }
}

/// A line of data in a block of data.
#[derive(Clone, Copy)]
pub struct Entry<'t> {
    tree: &'t Config,
    node: usize,
}

impl<'t> Entry<'t> {
    /// Its words, at least one.
    pub fn words(self) -> Words<'t> {
        self.tree.words_of(self.node)
    }

    /// The `;`, where it is there.
    pub fn semicolon(self) -> Option<Span> {
        match self.tree.nodes[self.node].shape {
            Shape::Entry(semicolon) => semicolon.map(sign),
            _ => None,
        }
    }

    /// All its words.
    pub fn span(self) -> Span {
        let words = self.words();
        words.map(|word| word.span).reduce(Span::to).unwrap_or_default()
    }
}

impl std::fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` at {:?}", self.span().of(&self.tree.text), self.span())
    }
}
