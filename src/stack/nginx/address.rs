//! The address that `uwsgi_pass`, `proxy_pass` and `server` in `upstream` connect to (`ngx_parse_url` in `ngx_inet.c`).

/// What the target of a pass names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// An address, such as `/run/app.sock` or `127.0.0.1:3031`.
    Address(String),
    /// A name without a port: an `upstream`, or a host with this default port where the directive has one.
    Name(String, Option<u16>),
    /// It holds this variable, so that each request decides.
    Variable(String),
}

/// The target of `uwsgi_pass`.
pub(super) fn of_uwsgi_pass(value: &str) -> Target {
    let value = value.strip_prefix("uwsgi://").or_else(|| value.strip_prefix("suwsgi://")).unwrap_or(value);
    of_host(value, None)
}

/// The target of `proxy_pass`, without the URI after the host.
pub(super) fn of_proxy_pass(value: &str) -> Target {
    let scheme = |name: &str| value.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name)).map(str::len);
    let (rest, port) = match (scheme("http://"), scheme("https://")) {
        (Some(length), _) => (&value[length..], 80),
        (_, Some(length)) => (&value[length..], 443),
        _ => (value, 80),
    };
    let end = if is_unix(rest) { rest[5..].find(':').map(|at| at + 5) } else { uri_start(rest) };
    of_host(&rest[..end.unwrap_or(rest.len())], Some(port))
}

/// Where the URI after a host begins; the variables for one begin with its `/`.
fn uri_start(rest: &str) -> Option<usize> {
    let variables = ["$request_uri", "$document_uri", "$uri", "${request_uri}", "${document_uri}", "${uri}"];
    variables.iter().filter_map(|name| rest.find(name)).chain(rest.find(['/', '?'])).min()
}

/// The address of a `server` in `upstream`, whose port is 80 where none is given.
pub(super) fn of_upstream_server(value: &str) -> Target {
    match of_host(value, Some(80)) {
        Target::Name(name, _) => Target::Address(format!("{name}:80")),
        target => target,
    }
}

/// Whether an address is on this host.
pub(super) fn is_local(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    address.starts_with('/') || host.starts_with("127.") || host == "localhost" || host == "[::1]"
}

fn of_host(value: &str, port: Option<u16>) -> Target {
    if let Some(at) = value.find('$') {
        let name: String = value[at + 1..]
            .chars()
            .skip_while(|c| *c == '{')
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        return Target::Variable(name);
    }
    if is_unix(value) {
        return Target::Address(format!("/{}", value[5..].trim_start_matches('/')));
    }
    let after_brackets = value.rfind(']').map_or(value, |at| &value[at..]);
    match (after_brackets.contains(':'), port) {
        (true, _) => Target::Address(value.to_ascii_lowercase()),
        (false, Some(port)) if is_ip(value) => Target::Address(format!("{value}:{port}")),
        (false, _) => Target::Name(value.to_owned(), port),
    }
}

fn is_unix(value: &str) -> bool {
    value.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("unix:"))
}

/// Whether a host is an address, in brackets or not.
pub(super) fn is_ip(value: &str) -> bool {
    value.trim_start_matches('[').trim_end_matches(']').parse::<core::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_in_every_spelling() {
        let address = |text: &str| Target::Address(text.to_owned());
        assert_eq!(of_uwsgi_pass("unix:/run/a.sock"), address("/run/a.sock"));
        assert_eq!(of_uwsgi_pass("unix:///run/a.sock"), address("/run/a.sock"));
        assert_eq!(of_uwsgi_pass("uwsgi://127.0.0.1:3031"), address("127.0.0.1:3031"));
        assert_eq!(of_uwsgi_pass("app"), Target::Name("app".into(), None));
        assert_eq!(of_uwsgi_pass("127.0.0.1"), Target::Name("127.0.0.1".into(), None));
        assert_eq!(of_proxy_pass("http://unix:/run/a.sock:/app/"), address("/run/a.sock"));
        assert_eq!(of_proxy_pass("http://unix:/run/a.sock"), address("/run/a.sock"));
        assert_eq!(of_proxy_pass("http://localhost:80/app"), address("localhost:80"));
        assert_eq!(of_proxy_pass("HTTPS://10.0.0.1"), address("10.0.0.1:443"));
        assert_eq!(of_proxy_pass("http://[::1]/x"), address("[::1]:80"));
        assert_eq!(of_proxy_pass("http://app/x"), Target::Name("app".into(), Some(80)));
        assert_eq!(of_proxy_pass("http://${backend}:80/x"), Target::Variable("backend".into()));
        assert_eq!(of_proxy_pass("http://127.0.0.1:8000$request_uri"), address("127.0.0.1:8000"));
        assert_eq!(of_proxy_pass("http://127.0.0.1:8000${uri}"), address("127.0.0.1:8000"));
        assert_eq!(of_upstream_server("app"), address("app:80"));
        assert_eq!(of_upstream_server("unix:/run/a.sock"), address("/run/a.sock"));
    }

    #[test]
    fn loopback_and_unix_are_local() {
        assert!(is_local("/run/a.sock") && is_local("127.0.0.2:1") && is_local("localhost:80") && is_local("[::1]:80"));
        assert!(!is_local("10.0.0.1:80") && !is_local("app:127"));
    }
}
