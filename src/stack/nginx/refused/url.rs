//! Addresses as nginx reads them: `ngx_parse_url` in `ngx_inet.c`.

use crate::stack::nginx::scalar::number;

/// What an address is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// To listen on: a port alone will do, and ports may be a range.
    Listen,
    /// To connect to.
    Connect,
    /// To connect to, with a URI behind it.
    ConnectWithUri,
}

/// An address in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Url<'a> {
    /// The host, or the path of a socket; empty for a port alone.
    pub host: &'a str,
    /// The first port; absent where none is written.
    pub port: Option<u16>,
    /// The URI behind it; empty where there is none.
    pub uri: &'a str,
    /// Whether it is a unix socket.
    pub unix: bool,
}

/// Reads an address; the error is nginx's own word.
pub(super) fn parse(text: &str, purpose: Use) -> Result<Url<'_>, &'static str> {
    if text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("unix:")) {
        return unix(&text[5..], purpose);
    }
    match text.strip_prefix('[') {
        Some(rest) => inet6(text, rest, purpose),
        None => inet(text, purpose),
    }
}

/// The longest path of a socket, `sizeof(sun_path)` less the closing zero.
const LONGEST_PATH: usize = 107;

fn unix(rest: &str, purpose: Use) -> Result<Url<'_>, &'static str> {
    let cut = (purpose == Use::ConnectWithUri).then(|| rest.split_once(':')).flatten();
    let (path, uri) = cut.unwrap_or((rest, ""));
    match path.len() {
        0 => Err("no path in the unix domain socket"),
        length if length > LONGEST_PATH => Err("too long path in the unix domain socket"),
        _ => Ok(Url { host: path, port: None, uri, unix: true }),
    }
}

fn inet(text: &str, purpose: Use) -> Result<Url<'_>, &'static str> {
    let end = text.find(['/', '?']);
    if end.is_some() && purpose != Use::ConnectWithUri {
        return Err("invalid host");
    }
    let (address, uri) = text.split_at(end.unwrap_or(text.len()));
    let url = |host, port| Ok(Url { host, port, uri, unix: false });
    match address.split_once(':') {
        Some((host, written)) => {
            let port = port(written, purpose)?;
            if host.is_empty() { Err("no host") } else { url(host, Some(port)) }
        }
        None if purpose == Use::Listen && starts_a_port(address) => url("", Some(port(address, purpose)?)),
        None if address.is_empty() => Err("no host"),
        None => url(address, None),
    }
}

fn inet6<'a>(text: &'a str, rest: &'a str, purpose: Use) -> Result<Url<'a>, &'static str> {
    let Some((address, behind)) = rest.split_once(']') else { return Err("invalid host") };
    let end = behind.find('/');
    if end.is_some() && purpose != Use::ConnectWithUri {
        return Err("invalid host");
    }
    let (written, uri) = behind.split_at(end.unwrap_or(behind.len()));
    let port = match written.strip_prefix(':') {
        Some(written) => Some(port(written, purpose)?),
        None if written.is_empty() => None,
        None => return Err("invalid host"),
    };
    match address.parse::<core::net::Ipv6Addr>() {
        _ if address.is_empty() => Err("no host"),
        Err(_) => Err("invalid IPv6 address"),
        Ok(_) => Ok(Url { host: &text[..address.len() + 2], port, uri, unix: false }),
    }
}

/// Whether a `listen` without a colon is a port or a range of ports rather than a host.
fn starts_a_port(text: &str) -> bool {
    let (first, last) = text.split_once('-').map_or((text, None), |(first, last)| (first, Some(last)));
    number(first).is_some() && last.is_none_or(|last| number(last).is_some())
}

/// The port, or the first of a range.
fn port(text: &str, purpose: Use) -> Result<u16, &'static str> {
    let one = |text: &str| match number(text).map(u16::try_from) {
        Some(Ok(port)) if port > 0 => Ok(port),
        _ => Err("invalid port"),
    };
    match text.split_once('-').filter(|_| purpose == Use::Listen) {
        None => one(text),
        Some((first, last)) => {
            let (last, first) = (one(last)?, one(first)?);
            if first > last { Err("invalid port range") } else { Ok(first) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(text: &str) -> Result<(&str, Option<u16>), &'static str> {
        parse(text, Use::Listen).map(|url| (url.host, url.port))
    }

    #[test]
    fn what_listen_takes() {
        assert_eq!(listen("80"), Ok(("", Some(80))));
        assert_eq!(listen("*:443"), Ok(("*", Some(443))));
        assert_eq!(listen("localhost"), Ok(("localhost", None)));
        assert_eq!(listen("[::]:80"), Ok(("[::]", Some(80))));
        assert_eq!(listen("[::1]"), Ok(("[::1]", None)));
        assert_eq!(listen("8000-8010"), Ok(("", Some(8000))));
        assert_eq!(listen("unix:/run/a.sock"), Ok(("/run/a.sock", None)));
        assert_eq!(listen("99999"), Err("invalid port"));
        assert_eq!(listen("0"), Err("invalid port"));
        assert_eq!(listen("a:b"), Err("invalid port"));
        assert_eq!(listen("8010-8000"), Err("invalid port range"));
        assert_eq!(listen("http://a:80"), Err("invalid host"));
        assert_eq!(listen("[::1"), Err("invalid host"));
        assert_eq!(listen("[x]:80"), Err("invalid IPv6 address"));
        assert_eq!(listen("unix:"), Err("no path in the unix domain socket"));
        assert_eq!(listen(":80"), Err("no host"));
        assert_eq!(listen("::80"), Err("invalid port"));
    }

    #[test]
    fn what_passes_take() {
        let uri = |text| parse(text, Use::ConnectWithUri).map(|url| url.uri);
        assert_eq!(uri("127.0.0.1:80/app"), Ok("/app"));
        assert_eq!(uri("app?x"), Ok("?x"));
        assert_eq!(uri("unix:/run/a.sock:/app/"), Ok("/app/"));
        assert_eq!(uri("[::1]:80/a"), Ok("/a"));
        assert_eq!(parse("http://127.0.0.1:80", Use::Connect), Err("invalid host"));
        assert_eq!(parse("127.0.0.1:x", Use::Connect), Err("invalid port"));
        assert_eq!(parse("app", Use::Connect).map(|url| url.port), Ok(None));
    }
}
