//! `listen`: its address and its parameters (`ngx_http_core_listen` and those of stream and mail).

use super::argument::{Argument, Invalid};
use super::parameter::{self, Parameter, Takes};
use super::url::{self, Use};
use crate::stack::nginx::scalar::{self, Clock};
use crate::syntax::data::nginx::Contexts;

/// What `listen` of http takes in any release; `spdy` and `http2` were or will be gone.
const HTTP: &[Parameter] = &[
    ("default_server", Takes::Nothing),
    ("default", Takes::Nothing),
    ("ssl", Takes::Nothing),
    ("http2", Takes::Nothing),
    ("quic", Takes::Nothing),
    ("spdy", Takes::Nothing),
    ("proxy_protocol", Takes::Nothing),
    ("bind", Takes::Nothing),
    ("deferred", Takes::Nothing),
    ("reuseport", Takes::Nothing),
    ("multipath", Takes::Nothing),
    ("setfib", Takes::Number),
    ("fastopen", Takes::Number),
    ("backlog", Takes::Positive),
    ("rcvbuf", Takes::Size),
    ("sndbuf", Takes::Size),
    ("accept_filter", Takes::Text),
    ("ipv6only", Takes::Flag),
    ("so_keepalive", Takes::Text),
];

/// Besides those, where they make sense.
const STREAM: &[Parameter] = &[("udp", Takes::Nothing)];

/// What nginx refuses in a `listen`.
pub(super) fn refused(arguments: &[Argument<'_>], contexts: Contexts) -> Option<Invalid> {
    let address = arguments.first()?;
    if let Some(text) = address.final_text()
        && let Err(word) = url::parse(text, Use::Listen)
    {
        let hint = match text.split_once("://") {
            Some((_, host)) => format!("write the address without its scheme: `listen {host}`"),
            None => "write a port, an address with a port, or `unix:` and a path: `80`, `127.0.0.1:8080`, `[::]:80`"
                .to_owned(),
        };
        return Some(Invalid::new(0, format!("{word} in `{text}`"), hint));
    }
    let udp = contexts.meets(Contexts::STREAM_SERVER);
    let table: Vec<Parameter> = HTTP.iter().chain(if udp { STREAM } else { &[] }).copied().collect();
    parameter::refused(arguments, 1, &table).or_else(|| keepalive(arguments))
}

/// `so_keepalive=30m::10`.
fn keepalive(arguments: &[Argument<'_>]) -> Option<Invalid> {
    arguments.iter().enumerate().skip(1).find_map(|(at, argument)| {
        let value = argument.final_text()?.strip_prefix("so_keepalive=")?;
        let parts: Vec<&str> = value.splitn(3, ':').collect();
        let time = |text: &&str| text.is_empty() || scalar::time(text, Clock::Seconds).is_some();
        let count = parts.get(2).is_none_or(|text| text.is_empty() || scalar::number(text).is_some());
        let fine = matches!(value, "on" | "off")
            || (!value.trim_matches(':').is_empty() && parts.iter().take(2).all(time) && count);
        (!fine).then(|| {
            Invalid::new(
                at,
                format!("nginx does not take `{value}` for `so_keepalive`"),
                "write `on`, `off`, or such as `30m::10`",
            )
        })
    })
}

/// The address of a `listen` as nginx compares it, for the addresses that need no look-up of a name.
pub(super) fn address(text: &str) -> Option<(&str, u16)> {
    let url = url::parse(text, Use::Listen).ok()?;
    let host = match url.host {
        "" | "*" | "0.0.0.0" => "0.0.0.0",
        host => host,
    };
    Some((host, if url.unix { 0 } else { url.port.unwrap_or(80) }))
}

/// Whether a parameter of `listen` sets an option of its socket, which can be set once only.
pub(super) fn sets_socket(parameter: &str) -> bool {
    let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
    matches!(name, "bind" | "deferred" | "reuseport" | "multipath")
        || HTTP.iter().any(|(known, takes)| *known == name && *takes != Takes::Nothing)
}
