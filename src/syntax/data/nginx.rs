//! The directives nginx knows: where each may stand, what it takes, and in which releases it exists.
//!
//! The table holds every directive of nginx 1.31.4 (its `ngx_command_t` tables) with the first release that had it, and the
//! names that are gone with their last. Names of NGINX Plus and of third-party modules are known too, but not what they take.

mod contexts;
mod variables;

use std::sync::LazyLock;

use foldhash::HashMap;

use super::Release;
use crate::nearest::nearest;

pub use contexts::Contexts;
pub use variables::{is_fixed_variable, is_variable, variables};

const TABLE: &str = include_str!("nginx-directives.tsv");
const FOREIGN: &str = include_str!("nginx-foreign.txt");

/// How nginx takes the arguments of a directive: the function that its table names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// `on` or `off`, in any case.
    Flag,
    /// Bytes with `k` or `m`.
    Size,
    /// Bytes with `k`, `m` or `g`.
    Offset,
    /// A time, milliseconds allowed.
    Milliseconds,
    /// A time in whole seconds.
    Seconds,
    /// Digits.
    Number,
    /// One of [`Row::words`].
    Enum,
    /// Some of [`Row::words`].
    Words,
    /// A number and a size.
    Buffers,
    /// `user:rw group:rw all:r`.
    Access,
    /// A folder and up to three level digits.
    Path,
    /// A function of its own, or any text.
    Own,
}

/// A directive in some of its contexts: what it takes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The place in the table, to compare rows by.
    pub id: u16,
    /// The directive.
    pub name: &'static str,
    /// Where it may stand.
    pub contexts: Contexts,
    /// The least number of arguments.
    pub least: u8,
    /// The greatest number of arguments; `None` for any.
    pub most: Option<u8>,
    /// Whether it opens a block.
    pub block: bool,
    /// How its arguments are taken.
    pub value: ValueKind,
    /// The words it takes, or the bounds of its number as `1-9`.
    pub words: &'static str,
    /// Whether a second one in the same block is refused.
    pub once: bool,
    /// The first argument, from 1, in which variables are replaced.
    pub variables: Option<u8>,
    /// The first release that had it.
    pub since: Release,
}

/// What is known of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// nginx's own, one row for each group of contexts.
    Own(&'static [Row]),
    /// Once nginx's own; known by name only.
    Gone(Gone),
    /// Of NGINX Plus or a third-party module; known by name only.
    Foreign(&'static str),
}

/// A directive that no longer exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// The first release that had it.
    pub since: Release,
    /// The last release that had it.
    pub last: Release,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let rows = TABLE.lines().skip(1).filter_map(row);
    rows.enumerate().map(|(at, row)| Row { id: u16::try_from(at).unwrap_or(u16::MAX), ..row }).collect()
});

static KNOWN: LazyLock<HashMap<&'static str, Known>> = LazyLock::new(|| {
    let mut known: HashMap<&'static str, Known> = TABLE.lines().skip(1).filter_map(gone).collect();
    for line in FOREIGN.lines() {
        let mut names = line.split(' ');
        let module = names.next().unwrap_or_default();
        known.extend(names.map(|name| (name, Known::Foreign(module))));
    }
    known.extend(ROWS.chunk_by(|a, b| a.name == b.name).map(|rows| (rows[0].name, Known::Own(rows))));
    known
});

/// A line of the table for a directive that still exists.
fn row(line: &'static str) -> Option<Row> {
    let mut cells = line.split('\t');
    let mut next = || cells.next().unwrap_or_default();
    let (name, contexts, arguments, block, value) = (next(), next(), next(), next(), next());
    let (words, once, variables, since) = (next(), next(), next(), next());
    let contexts = contexts.split(',').filter_map(Contexts::named).reduce(|all, one| all | one)?;
    let (least, most) = match arguments {
        "flag" => (1, Some(1)),
        counts => match counts.strip_suffix('+') {
            Some(least) => (least.parse().ok()?, None),
            None => (counts.split(',').next()?.parse().ok()?, Some(counts.rsplit(',').next()?.parse().ok()?)),
        },
    };
    let value = match value {
        "flag" => ValueKind::Flag,
        "size" => ValueKind::Size,
        "offset" => ValueKind::Offset,
        "time-ms" => ValueKind::Milliseconds,
        "time-s" => ValueKind::Seconds,
        "number" => ValueKind::Number,
        "enum" => ValueKind::Enum,
        "bitmask" => ValueKind::Words,
        "buffers" => ValueKind::Buffers,
        "access" => ValueKind::Access,
        "path" => ValueKind::Path,
        _ => ValueKind::Own,
    };
    Some(Row {
        id: 0,
        name,
        contexts,
        least,
        most,
        block: block == "yes",
        value,
        words,
        once: once == "yes",
        variables: variables.parse().ok(),
        since: since.parse().ok()?,
    })
}

/// A line of the table for a directive that is gone.
fn gone(line: &'static str) -> Option<(&'static str, Known)> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [name, "", .., since, last] = cells.as_slice() else { return None };
    Some((name, Known::Gone(Gone { since: since.parse().ok()?, last: last.parse().ok()? })))
}

/// What is known of a directive's name; names are case-sensitive.
pub fn find(name: &str) -> Option<Known> {
    KNOWN.get(name).copied().or_else(|| of_family(name))
}

/// Every row of the table, [`Row::id`] being its index.
pub fn rows() -> &'static [Row] {
    &ROWS
}

/// Modules whose directives are too many to list, by how they begin.
fn of_family(name: &str) -> Option<Known> {
    const FAMILIES: [(&str, &str); 5] = [
        ("pagespeed", "pagespeed_"),
        ("vod", "vod_"),
        ("passenger", "passenger_"),
        ("nchan", "nchan_"),
        ("app-protect", "app_protect_"),
    ];
    FAMILIES.iter().find(|(_, start)| name.starts_with(start)).map(|(module, _)| Known::Foreign(module))
}

/// Whether a directive of this name opens a block wherever it may stand.
pub fn is_block(name: &str) -> bool {
    matches!(KNOWN.get(name), Some(Known::Own(rows)) if rows.iter().all(|row| row.block))
}

/// Whether a directive of this name takes exactly one argument wherever it may stand, and no block.
pub fn takes_one_argument(name: &str) -> bool {
    matches!(KNOWN.get(name), Some(Known::Own(rows)) if rows.iter().all(|row| row.most == Some(1) && !row.block))
}

/// The directive that a misspelt name probably means: in another case, with `-` for `_`, or a typo.
pub fn suggestion(name: &str) -> Option<&'static str> {
    let folded = name.to_ascii_lowercase().replace('-', "_");
    match KNOWN.get_key_value(folded.as_str()) {
        Some((known, _)) => Some(known),
        // Three letters are near to everything.
        None if name.len() < 4 => None,
        None => nearest(&folded, ROWS.iter().map(|row| row.name)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn own(name: &str) -> &'static [Row] {
        let Some(Known::Own(rows)) = find(name) else { panic!("{name}") };
        rows
    }

    #[test]
    fn every_line_is_read() {
        let gone = TABLE.lines().skip(1).filter_map(gone).count();
        assert_eq!(ROWS.len() + gone, TABLE.lines().count() - 1);
        assert!(gone > 60 && ROWS.iter().enumerate().all(|(at, row)| usize::from(row.id) == at));
        assert!(TABLE.lines().skip(1).is_sorted_by_key(|line| line.split('\t').next()));
        let words = |row: &&Row| matches!(row.value, ValueKind::Enum | ValueKind::Words);
        assert!(ROWS.iter().filter(words).all(|row| !row.words.is_empty()));
    }

    #[test]
    fn one_name_may_have_several_rows() {
        assert_eq!(own("server").len(), 5);
        assert!(own("gzip")[0].contexts.meets(Contexts::IF_IN_LOCATION) && own("gzip")[0].once);
        assert_eq!((own("error_page")[0].least, own("error_page")[0].most), (2, None));
        assert_eq!(own("gzip_comp_level")[0].words, "1-9");
        assert!(own("include")[0].contexts == Contexts::ANY);
        assert!(matches!(find("spdy_pool_size"), Some(Known::Gone(_))));
        assert_eq!(find("content_by_lua_block"), Some(Known::Foreign("lua")));
        assert_eq!(find("Listen"), None);
        assert!(is_block("location") && !is_block("server") && !is_block("listen"));
        assert!(takes_one_argument("root") && !takes_one_argument("gzip_types") && !takes_one_argument("upstream"));
    }

    #[test]
    fn nothing_foreign_is_nginx_own() {
        let foreign = FOREIGN.lines().flat_map(|line| line.split(' ').skip(1));
        let known: Vec<&str> = foreign.filter(|name| ROWS.iter().any(|row| row.name == *name)).collect();
        assert!(known.is_empty(), "{known:?}");
    }

    #[test]
    fn misspelt_names_find_their_word() {
        assert_eq!(suggestion("proxy_passs"), Some("proxy_pass"));
        assert_eq!(suggestion("Listen"), Some("listen"));
        assert_eq!(suggestion("proxy-pass"), Some("proxy_pass"));
        assert_eq!(suggestion("sever_name"), Some("server_name"));
        assert_eq!(suggestion("0,}$"), None);
    }
}
