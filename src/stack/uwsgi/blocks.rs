//! `if-*` and `for*` that hold more than was meant.

use super::UwsgiLine;
use crate::stack::document::Document;
use crate::stack::fact::Fact;
use crate::syntax::Problem;
use crate::syntax::uwsgi::{Block, Config};

/// Blocks without an end. A template's branches need not balance one by one.
pub(super) fn not_closed(document: &Document, config: &Config) -> Vec<UwsgiLine> {
    let row = |block: &Block| {
        let place = document.place(block.opener);
        let mut row = UwsgiLine::blank("not-closed", place);
        row.option = Fact::read(block.kind.clone(), place);
        row.cured_by(if block.kind.starts_with("for") { "endfor =" } else { "endif =" })
    };
    let open = config.blocks.iter().filter(|block| block.closer.is_none() && !document.has_code());
    open.map(row).collect()
}

/// Blocks in blocks, which uWSGI refuses once the outer one holds (uWSGI: `add_exported_option_do`).
pub(super) fn nested(document: &Document, config: &Config) -> Vec<Problem> {
    let blocks = config.blocks.iter().filter(|_| !document.has_code());
    let refused = |block: &Block| -> Vec<Problem> {
        let problem = |span: &crate::source::Span| {
            let line = span.of(document.text());
            let inner = line.split('=').next().unwrap_or_default().trim();
            Problem::new(
                "uwsgi/block-nested",
                *span,
                format!(
                    "`{inner}` stands inside `{}`, which is still open: uWSGI knows no block within a block",
                    block.kind
                ),
            )
            .hint(format!(
                "close the `{}` with `endif =` before this line, or turn both into one condition",
                block.kind
            ))
            .also(block.opener, "opened here")
        };
        block.nested.iter().map(problem).collect()
    };
    blocks.flat_map(refused).collect()
}
