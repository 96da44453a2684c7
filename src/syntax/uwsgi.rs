//! uWSGI's ini, byte for byte as uWSGI reads it: no quotes, no inline comments, no continuation, and `%` letters
//! replaced before lines are even split. Source of the grammar: uWSGI `core/ini.c`, `core/config.c`, `core/utils.c` (`magic_sub`).

mod command;
mod line;
mod magic;
mod placeholder;

pub use command::{CommandLine, CommandOption, parse_command};
pub use magic::{Magic, Piece, Text, is_magic};
pub use placeholder::{Slot, Unresolved, expand_all, number, references};

use std::collections::BTreeMap;

use crate::source::{Located, Span};
use crate::syntax::Parsed;

/// The section that uWSGI reads where the command names none.
pub const DEFAULT_SECTION: &str = "uwsgi";

/// One ini, seen as the options of one section.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// The options of the section that was asked for, in order; a repeated section goes on where it left off.
    pub options: Vec<ConfigOption>,
    /// Options that uWSGI ignores, because they stand in another section or before the first one.
    pub strays: Vec<ConfigOption>,
    /// Every section header, in order.
    pub headers: Vec<Header>,
    /// Every `if-*` and `for*`, in order.
    pub blocks: Vec<Block>,
}

impl Config {
    /// The header of the section that was asked for; `None` where uWSGI would not find it.
    pub fn header(&self) -> Option<&Header> {
        self.headers.iter().find(|header| header.asked)
    }

    /// Headers that are not the section that was asked for, such as `[ uwsgi ]` or `[uwsgi] ; main`.
    pub fn other_headers(&self) -> impl Iterator<Item = &Header> {
        self.headers.iter().filter(|header| !header.asked)
    }

    /// The block that decides whether `option` counts.
    pub fn block_of(&self, option: &ConfigOption) -> Option<&Block> {
        option.block.and_then(|block| self.blocks.get(block))
    }
}

/// A section header as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name as uWSGI takes it: everything between the `[` and the last character, whatever that is.
    pub name: String,
    /// Whether this is the section that was asked for.
    pub asked: bool,
    /// The line without surrounding blanks.
    pub span: Span,
}

/// One `key = value`, or a `key` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigOption {
    /// The key; keys compare exactly.
    pub key: Located<Text>,
    /// The value, empty where there is none; its span is then the empty end of the line.
    pub value: Located<Text>,
    /// From the first byte of the key to the last of the value.
    pub span: Span,
    /// The index of the block that decides whether it counts.
    pub block: Option<usize>,
}

/// An `if-*` or `for*` and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The key that opens it, such as `if-env`.
    pub kind: String,
    /// The line that opens it.
    pub opener: Span,
    /// The line that closes it; without one it swallows the rest of the file, and of the files included after it.
    pub closer: Option<Span>,
    /// Openers within it, which uWSGI refuses once the outer condition holds.
    pub nested: Vec<Span>,
}

/// Reads the section `[uwsgi]`.
pub fn parse(text: &str) -> Parsed<Config> {
    parse_section(text, DEFAULT_SECTION)
}

/// Reads the section with this name, as `--ini file.ini:name` does.
///
/// uWSGI refuses no line of an ini by its form, so there are no problems: what it silently ignores is in the tree.
pub fn parse_section(text: &str, asked: &str) -> Parsed<Config> {
    let mut config = Config::default();
    let mut sections: BTreeMap<String, Vec<ConfigOption>> = BTreeMap::new();
    let mut current: Option<&mut Vec<ConfigOption>> = None;
    for line in line::lines(text) {
        match line {
            line::Line::Header { name, span } => {
                current = Some(sections.entry(name.clone()).or_default());
                config.headers.push(Header { asked: name == asked, name, span });
            }
            line::Line::Option(option) => match &mut current {
                Some(section) => section.push(option),
                None => config.strays.push(option),
            },
        }
    }
    let mut open = None;
    for option in sections.remove(asked).unwrap_or_default() {
        open = push(&mut config, option, open);
    }
    config.strays.extend(sections.into_values().flatten());
    Parsed { tree: config, problems: Vec::new() }
}

/// Adds an option of the section, and gives the block that is open after it.
fn push(config: &mut Config, mut option: ConfigOption, open: Option<usize>) -> Option<usize> {
    let key = option.key.value.plain().unwrap_or_default();
    let after = match open {
        Some(block) if closes_block(key) => {
            config.blocks[block].closer = Some(option.span);
            None
        }
        Some(block) => {
            if opens_block(key) {
                config.blocks[block].nested.push(option.span);
            }
            option.block = open;
            open
        }
        None if opens_block(key) => {
            let block = Block { kind: key.to_owned(), opener: option.span, closer: None, nested: Vec::new() };
            config.blocks.push(block);
            Some(config.blocks.len() - 1)
        }
        None => None,
    };
    config.options.push(option);
    after
}

/// Whether the key starts a condition or a loop (uWSGI: options with the setter `uwsgi_opt_logic`).
pub fn opens_block(key: &str) -> bool {
    key != "else" && crate::syntax::data::uwsgi::find(key).is_some_and(|option| option.is_logic())
}

/// Whether the key ends one: any end ends any block (uWSGI: `add_exported_option_do`).
pub fn closes_block(key: &str) -> bool {
    matches!(key, "end" | "endfor" | "endif" | "end-if" | "end-for")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let magic = Magic::of_path("/srv/app/misc.ini");
        let resolve = |text: &Text| text.resolve(&magic).unwrap();
        parse(text)
            .tree
            .options
            .iter()
            .map(|option| (resolve(&option.key.value), resolve(&option.value.value)))
            .collect()
    }

    fn one(text: &str) -> (String, String) {
        pairs(&format!("[uwsgi]\n{text}")).pop().unwrap()
    }

    fn is(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn blanks_comments_and_quotes() {
        assert_eq!(one(" \ta = b \t\r\n"), is("a", "b"));
        assert_eq!(one("master"), is("master", ""));
        assert_eq!(one("socket = /tmp/a ; c"), is("socket", "/tmp/a ; c"));
        assert_eq!(one("a = \"b\""), is("a", "\"b\""));
        assert_eq!(one("env = K=v"), is("env", "K=v"));
        assert_eq!(one("key: value"), is("key: value", ""));
        assert_eq!(one("= v"), is("", "v"));
        assert_eq!(pairs("[uwsgi]\na = 4 \\\nb\n ; c\n\t# d\n"), [is("a", "4 \\"), is("b", "")]);
    }

    #[test]
    fn percent_letters_go_before_lines_are_split() {
        assert_eq!(one("a = p%40ss"), is("a", "p0ss"));
        assert_eq!(one("a = p%%40ss"), is("a", "p%40ss"));
        assert_eq!(one("pc = 100%\npp = x"), is("pc", "100pp = x"));
        assert_eq!(one("a = %(b) %n %Y%d"), is("a", "%(b) misc /srv/app/"));
        assert_eq!(one("a = 1%"), is("a", "1"));
        assert_eq!(pairs("[uwsgi]\n# 5%\na = b\nc = d"), [is("c", "d")]);
    }

    #[test]
    fn headers_lose_their_last_character_blindly() {
        for (text, found) in [
            ("[uwsgi]\na=b", true),
            ("[uwsgiX\na=b", true),
            ("  [uwsgi]  \na=b", true),
            ("[uwsgi] ; main\na=b", false),
            ("[ uwsgi ]\na=b", false),
            ("[UWSGI]\na=b", false),
            ("\u{feff}[uwsgi]\na=b", false),
            ("a=b", false),
        ] {
            let config = parse(text).tree;
            assert_eq!(!config.options.is_empty(), found, "{text}");
            assert_eq!(config.options.len() + config.strays.len(), if text.starts_with('\u{feff}') { 2 } else { 1 });
        }
        assert_eq!(pairs("[uwsgi]\na=1\n[x]\nb=2\n[uwsgi]\nc=3"), [is("a", "1"), is("c", "3")]);
        assert_eq!(parse_section("[uwsgi]\na=1\n[x]\nb=2", "x").tree.options[0].key.value.plain(), Some("b"));
    }

    #[test]
    fn spans_point_at_key_value_and_line() {
        let text = "[uwsgi]\n  env = A=%%b  \n";
        let config = parse(text).tree;
        let option = &config.options[0];
        assert_eq!(option.key.span.of(text), "env");
        assert_eq!(option.value.span.of(text), "A=%%b");
        assert_eq!(option.span.of(text), "env = A=%%b");
        assert_eq!(config.header().unwrap().span.of(text), "[uwsgi]");
    }

    #[test]
    fn blocks_hold_what_stands_in_them() {
        let config = parse("[uwsgi]\na=1\nif-env = X\nb=2\nif-file = y\nendif\nc=3\nfor = 1 2\nd=4\n").tree;
        let inside: Vec<_> =
            config.options.iter().filter(|o| o.block.is_some()).map(|o| o.key.value.plain().unwrap()).collect();
        assert_eq!(inside, ["b", "if-file", "d"]);
        assert_eq!(config.blocks[0].nested.len(), 1);
        assert!(config.blocks[0].closer.is_some());
        assert!(config.blocks[1].closer.is_none());
        assert_eq!(config.block_of(&config.options[2]).unwrap().kind, "if-env");
    }
}
