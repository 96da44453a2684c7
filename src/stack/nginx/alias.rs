//! An `alias` in a prefix location whose path does not end with `/`.
//!
//! nginx: the rest of the path is put after the alias as it is (`ngx_http_map_uri_to_path`), and only whole `..` segments were
//! resolved before: of `/files../x` in `location /files` the rest is `../x`.

use super::include::Statement;
use super::level::{Context, Level, Setting};
use super::location::Pattern;
use super::survey::Rows;
use crate::rows;
use crate::source::Span;
use crate::stack::fact::Fact;

rows! {
    #[doc = "one `alias` in a prefix location whose path does not end with `/`"]
    pub struct Alias in "nginx_aliases" {
        #[doc = "the path of the location"]
        location: String,
        #[doc = "the folder that the alias names"]
        folder: String,
        #[doc = "whether the folder ends with `/`, so that `..` leads out of it"]
        leads_out: bool,
        #[doc = "the path of the location with its `/`"]
        cure: String,
    }
}

fn span_of(pattern: &Pattern<'_>) -> Span {
    pattern.place.span.unwrap_or_default()
}

/// Tells of an `alias` that reaches beyond its location.
pub(super) fn of_alias(alias: &Statement<'_>, level: &Level<'_, '_>, rows: &mut Rows) {
    if level.context != Context::Location || level.has(Setting::Internal) {
        return;
    }
    let (Some(pattern), Some(folder)) = (level.location(), alias.directive.argument(0)) else { return };
    let (Some(path), Some(value)) = (pattern.prefix(), alias.known(folder)) else { return };
    if path.ends_with('/') {
        return;
    }
    let mut row = Alias::at(alias.place());
    row.location = Fact::read(path.to_owned(), pattern.place);
    row.folder = Fact::read(value.clone().into_owned(), alias.document.place(folder.span));
    row.leads_out = Fact::derived(value.ends_with('/'));
    let is_plain = !pattern.glued && level.block.is_some_and(|block| block.document.written(span_of(&pattern)) == path);
    row.cure = if is_plain { Fact::read(format!("{path}/"), pattern.place) } else { Fact::absent() };
    rows.add(row, level.block.map(|block| block.place()));
}
