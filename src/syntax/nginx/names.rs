//! The few names that the shape of a file hangs on; the rest is in the table of directives.

pub(super) use crate::syntax::data::nginx::is_block;
use crate::syntax::data::nginx::takes_one_argument;

/// Blocks whose lines are data and not directives.
const DATA: [&str; 5] = ["charset_map", "geo", "map", "split_clients", "types"];

/// The plain words that `listen` takes after its address.
const LISTEN: [&str; 11] = [
    "bind",
    "default",
    "default_server",
    "deferred",
    "http2",
    "multipath",
    "proxy_protocol",
    "quic",
    "reuseport",
    "spdy",
    "ssl",
];

/// Whether a directive of this name can have a block.
pub(super) fn may_be_block(name: &str) -> bool {
    is_block(name) || name == "server" || name.ends_with("_by_lua_block")
}

/// Whether the block of this name holds lines of data.
pub(super) fn holds_data(name: &str) -> bool {
    DATA.contains(&name)
}

/// Whether `directive` cannot take `word` as a further argument after its first.
pub(super) fn cannot_take(directive: &str, word: &str) -> bool {
    takes_one_argument(directive) || (directive == "listen" && !LISTEN.contains(&word))
}
