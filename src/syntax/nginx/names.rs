//! The few names that the shape of a file hangs on; what every directive takes is not known here.

/// Directives that exist only with a block, wherever they may stand; `server` is one too, but not in `upstream`.
const BLOCKS: [&str; 13] = [
    "charset_map",
    "events",
    "geo",
    "http",
    "if",
    "limit_except",
    "location",
    "mail",
    "map",
    "split_clients",
    "stream",
    "types",
    "upstream",
];

/// Blocks whose lines are data and not directives.
const DATA: [&str; 5] = ["charset_map", "geo", "map", "split_clients", "types"];

/// Common directives that take exactly one argument in every context: a second one is a line swallowed for want of a `;`.
const ONE_ARGUMENT: [&str; 38] = [
    "alias",
    "auth_basic",
    "auth_basic_user_file",
    "autoindex",
    "charset",
    "client_body_timeout",
    "client_max_body_size",
    "default_type",
    "gzip",
    "gzip_comp_level",
    "include",
    "log_not_found",
    "pid",
    "proxy_buffering",
    "proxy_connect_timeout",
    "proxy_http_version",
    "proxy_pass",
    "proxy_read_timeout",
    "root",
    "send_timeout",
    "sendfile",
    "server_name_in_redirect",
    "server_tokens",
    "ssl_certificate",
    "ssl_certificate_key",
    "ssl_prefer_server_ciphers",
    "ssl_session_timeout",
    "tcp_nodelay",
    "tcp_nopush",
    "types_hash_max_size",
    "uwsgi_buffering",
    "uwsgi_connect_timeout",
    "uwsgi_pass",
    "uwsgi_read_timeout",
    "uwsgi_send_timeout",
    "worker_connections",
    "worker_processes",
    "worker_rlimit_nofile",
];

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

/// Whether a directive of this name always has a block.
pub(super) fn is_block(name: &str) -> bool {
    BLOCKS.contains(&name)
}

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
    ONE_ARGUMENT.contains(&directive) || (directive == "listen" && !LISTEN.contains(&word))
}
