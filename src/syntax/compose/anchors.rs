//! The blocks of a compose file that have a name, as `&env` gives it, and stand where `*env` names them again.

use std::collections::BTreeMap;

use crate::syntax::yaml::{Line, block, key};

/// The blocks by name.
pub(super) struct Anchors<'a, 't> {
    blocks: BTreeMap<&'t str, &'a [Line<'t>]>,
    /// How many more lines may be brought in: each of thousands of services may name a large block.
    left: usize,
}

/// More lines than all services of a real file bring in together.
const MOST_LINES: usize = 10_000;

impl<'a, 't> Anchors<'a, 't> {
    /// Those behind a key, on its line or alone on the next one.
    pub fn of(lines: &'a [Line<'t>]) -> Self {
        let mut blocks = BTreeMap::new();
        for (at, line) in lines.iter().enumerate() {
            if let Some(name) = key(line).and_then(|(_, rest)| rest.text.strip_prefix('&')) {
                blocks.insert(name, block(&lines[at + 1..], line.indent));
            } else if let Some(name) = line.text.strip_prefix('&').filter(|name| !name.contains([' ', ':'])) {
                let rest = &lines[at + 1..];
                let end = rest.iter().position(|next| next.indent < line.indent).unwrap_or(rest.len());
                blocks.insert(name, &rest[..end]);
            }
        }
        Self { blocks, left: MOST_LINES }
    }

    /// The block that `*name` stands for; `None` where this is no alias, its block is none that is known, or too much is brought in.
    pub fn named(&mut self, alias: &str) -> Option<&'a [Line<'t>]> {
        let block = *self.blocks.get(alias.strip_prefix('*')?)?;
        self.left = self.left.checked_sub(block.len() + 1)?;
        Some(block)
    }
}
