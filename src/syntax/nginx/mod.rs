//! nginx configuration: its words exactly as nginx reads them, and the tree of its blocks.

mod braces;
mod config;
mod lexer;
mod lua;
mod names;
mod tree;
mod word;

use std::sync::Arc;

pub use config::{Config, Directive, End, Entry, Item, Items};
pub use word::{Word, Words};

use crate::syntax::Parsed;

/// The page that speaks for what nginx's tokenizer and block structure refuse.
const KIND: &str = "nginx/syntax";

/// Reads one file; what nginx's tokenizer or block structure refuses is a problem of kind `nginx/syntax`.
pub fn parse(text: impl Into<Arc<str>>) -> Parsed<Config> {
    tree::build(&text.into())
}
