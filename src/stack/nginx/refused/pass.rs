//! Where requests are passed to: `proxy_pass`, `uwsgi_pass` and their kin, and the servers of an upstream.

use super::argument::{Argument, Invalid};
use super::around::{Around, LocationKind};
use super::parameter::{self, Parameter, Takes};
use super::url::{self, Url, Use};
use crate::stack::nginx::scalar::Clock;
use crate::syntax::data::nginx::Contexts;

/// What nginx refuses in `proxy_pass` of http (`ngx_http_proxy_pass`).
pub(super) fn proxy(arguments: &[Argument<'_>], around: Around) -> Option<Invalid> {
    let text = arguments.first()?.final_text()?;
    if text.contains('$') {
        return None;
    }
    let Some(rest) = without_scheme(text, &["http://", "https://"]) else {
        let hint = match text.split_once("://") {
            Some(("uwsgi" | "suwsgi", target)) => format!("write `uwsgi_pass {target}`"),
            Some(("fastcgi", target)) => format!("write `fastcgi_pass {target}`"),
            Some(_) => "write `http://` or `https://` before the host".to_owned(),
            None => format!("write `proxy_pass http://{text}`"),
        };
        return Some(Invalid::new(0, format!("`{text}` does not begin with `http://` or `https://`"), hint));
    };
    let url = match url::parse(rest, Use::ConnectWithUri) {
        Ok(url) => url,
        Err(word) => return Some(bad_host(word, text)),
    };
    without_pattern(text, url, around)
}

/// A URI where nginx cannot tell which part of the path it stands for.
fn without_pattern(text: &str, url: Url<'_>, around: Around) -> Option<Invalid> {
    let place = match around.location {
        LocationKind::Regex => "a location with a pattern",
        LocationKind::Named => "a named location",
        LocationKind::Nameless if around.contexts.meets(Contexts::LIMIT_EXCEPT) => "`limit_except`",
        LocationKind::Nameless => "an `if`",
        _ => return None,
    };
    if url.uri.is_empty() {
        return None;
    }
    let bare = text.strip_suffix(url.uri)?.trim_end_matches(':');
    let message = format!("`proxy_pass` cannot have the URI `{}` in {place}", url.uri);
    let hint = if url.uri == "/" {
        format!("write `proxy_pass {bare}`: the path of the request is passed on as it is")
    } else {
        format!("write `proxy_pass {bare}`, with a `rewrite … break` before it that changes the path")
    };
    let invalid = Invalid::new(0, message, hint);
    Some(if url.uri == "/" { invalid.cure(bare) } else { invalid })
}

/// What nginx refuses in `uwsgi_pass`, `fastcgi_pass` and others that take an address.
pub(super) fn plain(name: &str, arguments: &[Argument<'_>]) -> Option<Invalid> {
    let text = arguments.first()?.final_text()?;
    if text.contains('$') {
        return None;
    }
    let schemes: &[&str] = match name {
        "uwsgi_pass" => &["uwsgi://", "suwsgi://"],
        "grpc_pass" => &["grpc://", "grpcs://"],
        _ => &[],
    };
    let rest = without_scheme(text, schemes).unwrap_or(text);
    let word = url::parse(rest, Use::Connect).err()?;
    let invalid = bad_host(word, text);
    Some(match text.split_once("://") {
        Some((_, target)) if name != "proxy_pass" && !rest.starts_with("unix:") => {
            let target = target.trim_end_matches('/');
            let fits = url::parse(target, Use::Connect).is_ok();
            let hint = format!("`{name}` takes an address, not a URL: write `{name} {target}`");
            let invalid = Invalid { hint, ..invalid };
            if fits { invalid.cure(target) } else { invalid }
        }
        _ => invalid,
    })
}

fn bad_host(word: &str, text: &str) -> Invalid {
    let hint = match word {
        "invalid port" => "write a port from 1 to 65535 after the last `:`",
        "no path in the unix domain socket" => "write the path of the socket right behind `unix:`",
        "too long path in the unix domain socket" => "a socket's path can have at most 107 bytes: use a shorter one",
        "invalid IPv6 address" => "write the address in brackets: `[::1]:80`",
        _ => "write an address with a port, `unix:` and a path, or the name of an `upstream`",
    };
    Invalid::new(0, format!("{word} in `{text}`"), hint)
}

fn without_scheme<'a>(text: &'a str, schemes: &[&str]) -> Option<&'a str> {
    let begins = |scheme: &&str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    schemes.iter().find(|scheme| begins(scheme)).map(|scheme| &text[scheme.len()..])
}

/// What a server of an upstream takes in any release, NGINX Plus included.
const SERVER: &[Parameter] = &[
    ("weight", Takes::Positive),
    ("max_conns", Takes::Number),
    ("max_fails", Takes::Number),
    ("fail_timeout", Takes::Time(Clock::Seconds)),
    ("backup", Takes::Nothing),
    ("down", Takes::Nothing),
    ("drain", Takes::Nothing),
    ("resolve", Takes::Nothing),
    ("service", Takes::Text),
    ("route", Takes::Text),
    ("slow_start", Takes::Time(Clock::Seconds)),
];

/// What nginx refuses in a `server` of an upstream (`ngx_http_upstream_server`).
pub(super) fn upstream_server(arguments: &[Argument<'_>]) -> Option<Invalid> {
    if let Some(text) = arguments.first()?.final_text()
        && let Err(word) = url::parse(text, Use::Connect)
    {
        let invalid = bad_host(word, text);
        let Some((_, target)) = text.split_once("://") else { return Some(invalid) };
        let target = target.trim_end_matches('/');
        let hint = format!("a server of an upstream is an address, not a URL: write `server {target}`");
        return Some(Invalid { hint, ..invalid }.cure(target));
    }
    parameter::refused(arguments, 1, SERVER)
}
