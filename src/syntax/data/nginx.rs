//! The directives nginx knows: where each may stand, what it takes, and in which releases it exists.
//!
//! The table holds every directive of nginx 1.31.4 (its `ngx_command_t` tables) with the first release that had it, and the
//! names that are gone with their last. Names of NGINX Plus and of third-party modules are known too, but not what they take.

use std::ops::{BitAnd, BitOr};
use std::sync::LazyLock;

use foldhash::{HashMap, HashSet};

use super::Release;
use crate::nearest::nearest;

const TABLE: &str = include_str!("nginx-directives.tsv");
const FOREIGN: &str = include_str!("nginx-foreign.txt");
const VARIABLES: &str = include_str!("nginx-variables.txt");

/// A set of the blocks that a directive may stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Contexts(u16);

/// The contexts with the words for them, in the order in which they are named.
const CONTEXTS: [(&str, Contexts, &str); 14] = [
    ("main", Contexts::MAIN, "outside every block"),
    ("events", Contexts::EVENTS, "in `events`"),
    ("http", Contexts::HTTP, "in `http`"),
    ("server", Contexts::SERVER, "in `server`"),
    ("location", Contexts::LOCATION, "in `location`"),
    ("if-in-server", Contexts::IF_IN_SERVER, "in an `if` of a server"),
    ("if-in-location", Contexts::IF_IN_LOCATION, "in an `if` of a location"),
    ("limit_except", Contexts::LIMIT_EXCEPT, "in `limit_except`"),
    ("upstream", Contexts::UPSTREAM, "in `upstream`"),
    ("stream", Contexts::STREAM, "in `stream`"),
    ("stream-server", Contexts::STREAM_SERVER, "in a `server` of `stream`"),
    ("stream-upstream", Contexts::STREAM_UPSTREAM, "in an `upstream` of `stream`"),
    ("mail", Contexts::MAIL, "in `mail`"),
    ("mail-server", Contexts::MAIL_SERVER, "in a `server` of `mail`"),
];

impl Contexts {
    /// No context at all.
    pub const NONE: Self = Self(0);
    /// Outside every block of the main file.
    pub const MAIN: Self = Self(1);
    /// `events`.
    pub const EVENTS: Self = Self(1 << 1);
    /// `http`.
    pub const HTTP: Self = Self(1 << 2);
    /// `server` in `http`.
    pub const SERVER: Self = Self(1 << 3);
    /// `location`.
    pub const LOCATION: Self = Self(1 << 4);
    /// `if` in `server`.
    pub const IF_IN_SERVER: Self = Self(1 << 5);
    /// `if` in `location`.
    pub const IF_IN_LOCATION: Self = Self(1 << 6);
    /// `limit_except`.
    pub const LIMIT_EXCEPT: Self = Self(1 << 7);
    /// `upstream` in `http`.
    pub const UPSTREAM: Self = Self(1 << 8);
    /// `stream`.
    pub const STREAM: Self = Self(1 << 9);
    /// `server` in `stream`.
    pub const STREAM_SERVER: Self = Self(1 << 10);
    /// `upstream` in `stream`.
    pub const STREAM_UPSTREAM: Self = Self(1 << 11);
    /// `mail`.
    pub const MAIL: Self = Self(1 << 12);
    /// `server` in `mail`.
    pub const MAIL_SERVER: Self = Self(1 << 13);
    /// Every context.
    pub const ANY: Self = Self((1 << 14) - 1);

    /// Whether it is the empty set.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether the two sets have a context in common.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The contexts one by one.
    pub fn each(self) -> impl Iterator<Item = Self> {
        CONTEXTS.iter().map(|(_, context, _)| *context).filter(move |context| self.meets(*context))
    }

    /// Where that is, in words: "in `http` or in `server`".
    pub fn words(self) -> String {
        let words: Vec<&str> =
            CONTEXTS.iter().filter(|(_, context, _)| self.meets(*context)).map(|(_, _, words)| *words).collect();
        match words.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }

    /// What stands in the block that a directive of this name opens in one of these contexts (`ngx_conf_parse` with another
    /// `cmd_type`); none where the block holds data or is not known.
    pub fn inside(self, name: &str) -> Self {
        let opened = |outer: Self, inner: Self| if self.meets(outer) { inner } else { Self::NONE };
        match name {
            "events" => opened(Self::MAIN, Self::EVENTS),
            "http" => opened(Self::MAIN, Self::HTTP),
            "stream" => opened(Self::MAIN, Self::STREAM),
            "mail" => opened(Self::MAIN, Self::MAIL),
            "server" => {
                opened(Self::HTTP, Self::SERVER)
                    | opened(Self::STREAM, Self::STREAM_SERVER)
                    | opened(Self::MAIL, Self::MAIL_SERVER)
            }
            "upstream" => opened(Self::HTTP, Self::UPSTREAM) | opened(Self::STREAM, Self::STREAM_UPSTREAM),
            "location" => opened(Self::SERVER | Self::LOCATION, Self::LOCATION),
            "if" => opened(Self::SERVER, Self::IF_IN_SERVER) | opened(Self::LOCATION, Self::IF_IN_LOCATION),
            "limit_except" => opened(Self::LOCATION, Self::LIMIT_EXCEPT),
            _ => Self::NONE,
        }
    }
}

impl BitOr for Contexts {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Contexts {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

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
    let contexts = contexts.split(',').filter_map(context).reduce(|all, one| all | one)?;
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

fn context(name: &str) -> Option<Contexts> {
    match name {
        "any" => Some(Contexts::ANY),
        name => CONTEXTS.iter().find(|(known, _, _)| *known == name).map(|(_, context, _)| *context),
    }
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

/// The variables that nginx's own modules define, names ending in `_` being the start of a name.
#[derive(Debug)]
struct Variables {
    names: HashSet<&'static str>,
    starts: Vec<&'static str>,
}

impl Variables {
    fn on_line(first: &str) -> Self {
        let line = VARIABLES.lines().find_map(|line| line.strip_prefix(first)?.strip_prefix(' '));
        let (starts, names): (Vec<_>, Vec<_>) =
            line.unwrap_or_default().split(' ').partition(|name| name.ends_with('_'));
        Self { names: names.into_iter().collect(), starts }
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(name) || self.starts.iter().any(|start| name.starts_with(start))
    }
}

static HTTP: LazyLock<Variables> = LazyLock::new(|| Variables::on_line("http"));
static STREAM: LazyLock<Variables> = LazyLock::new(|| Variables::on_line("stream"));
static FIXED: LazyLock<Variables> = LazyLock::new(|| Variables::on_line("fixed"));

/// Whether a module of nginx itself defines a variable in `http`, or else in `stream`; the name in lower case.
pub fn is_variable(name: &str, stream: bool) -> bool {
    if stream { STREAM.has(name) } else { HTTP.has(name) }
}

/// Whether a variable of `http` cannot be set (`NGX_HTTP_VAR_CHANGEABLE` is not among its flags).
pub fn is_fixed_variable(name: &str) -> bool {
    FIXED.has(name)
}

/// The names of the variables of `http`, or else of `stream`.
pub fn variables(stream: bool) -> impl Iterator<Item = &'static str> {
    let variables = if stream { &STREAM } else { &HTTP };
    variables.names.iter().copied()
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

    #[test]
    fn variables_by_name_and_by_start() {
        assert!(is_variable("request_uri", false) && is_variable("http_x_token", false) && is_variable("arg_", false));
        assert!(
            !is_variable("request_url", false) && !is_variable("request_uri", true) && is_variable("protocol", true)
        );
        assert!(
            is_fixed_variable("uri") && !is_fixed_variable("args") && FIXED.names.iter().all(|name| HTTP.has(name))
        );
    }

    #[test]
    fn contexts_in_words() {
        assert_eq!(Contexts::HTTP.words(), "in `http`");
        assert_eq!((Contexts::HTTP | Contexts::SERVER).words(), "in `http` or in `server`");
        assert_eq!((Contexts::HTTP | Contexts::STREAM).inside("server"), Contexts::SERVER | Contexts::STREAM_SERVER);
        assert_eq!(Contexts::HTTP.inside("location"), Contexts::NONE);
    }
}
