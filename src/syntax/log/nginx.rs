//! nginx's `error_log`: `ngx_log_error_core` writes time, level, pid, connection and message, then
//! `ngx_http_log_error` adds what it knows of the request, each as `, name: value`.

use super::cursor::Cursor;
use super::{lines, seconds};
use crate::source::{Located, Span};

/// One line of an error log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NginxError {
    /// The line.
    pub span: Span,
    /// Seconds since 1970 by the host's local time.
    pub time: Located<i64>,
    /// `emerg`, `alert`, `crit`, `error`, `warn`, `notice`, `info` or `debug`.
    pub level: Located<String>,
    /// The process that wrote it.
    pub pid: Option<i64>,
    /// The system's error number, as in `(13: Permission denied)`.
    pub errno: Option<Located<i64>>,
    /// What happened, without time, level and request.
    pub message: Located<String>,
    /// The client's address.
    pub client: Option<Located<String>>,
    /// The name of the server block.
    pub server: Option<Located<String>>,
    /// The request line: method, URI, protocol.
    pub request: Option<Located<String>>,
    /// Where the request was passed on, such as `uwsgi://unix:/run/app.sock:`.
    pub upstream: Option<Located<String>>,
    /// The `Host` header.
    pub host: Option<Located<String>>,
}

/// What nginx adds to a message, in its order (`ngx_http_log_error_handler`), and whether in quotes.
const FIELDS: [(&str, bool); 7] = [
    ("client", false),
    ("server", false),
    ("request", true),
    ("subrequest", true),
    ("upstream", true),
    ("host", true),
    ("referrer", true),
];

/// Reads one line; `None` where it is not of an nginx error log. Spans are offsets into `line`.
pub fn parse_nginx_error(line: &str) -> Option<NginxError> {
    parse_line(line, 0)
}

/// Reads every line of a log that can be read. Spans are offsets into `text`.
pub fn parse_nginx(text: &str) -> Vec<NginxError> {
    lines(text).filter_map(|(start, line)| parse_line(line, start)).collect()
}

fn parse_line(line: &str, start: usize) -> Option<NginxError> {
    let mut cursor = Cursor::new(line, start);
    let stamp = cursor.take("2016/05/04 02:10:00".len())?;
    let time = seconds("%Y/%m/%d %H:%M:%S", stamp.value)?;
    cursor.skip(" [")?;
    let level = owned(cursor.until("] ")?);
    let mut ahead = cursor;
    let pid = ahead.number().map(|pid| pid.value);
    if pid.is_some() && ahead.until(": ").is_some_and(|thread| thread.value.starts_with('#')) {
        cursor = ahead;
    }
    let mut ahead = cursor;
    if ahead.skip("*").is_some() && ahead.number().is_some() && ahead.skip(" ").is_some() {
        cursor = ahead;
    }
    let (message, mut fields) = split_fields(cursor);
    let errno = errno(message);
    let mut field = |name: &str| {
        let at = fields.iter().position(|(known, _)| *known == name)?;
        Some(fields.swap_remove(at).1)
    };
    Some(NginxError {
        span: Span::new(start, start + line.len()),
        time: Located::new(time, stamp.span),
        level,
        pid,
        errno,
        message: owned(message),
        client: field("client"),
        server: field("server"),
        request: field("request"),
        upstream: field("upstream"),
        host: field("host"),
    })
}

type Fields = Vec<(&'static str, Located<String>)>;

/// The message, and the fields after it. A value in quotes may hold anything, a quote too, so it ends only where the
/// next field or the line does.
fn split_fields(mut cursor: Cursor<'_>) -> (Located<&str>, Fields) {
    let Some(at) = cursor.rest().find(", client: ") else { return (cursor.all(), Vec::new()) };
    let message = cursor.take(at);
    let mut fields = Vec::new();
    for (nth, (name, quoted)) in FIELDS.into_iter().enumerate() {
        if cursor.skip(&opening(name, quoted)).is_none() {
            continue;
        }
        let rest = cursor.rest();
        let ends = FIELDS[nth + 1..].iter().filter_map(|(next, next_quoted)| {
            let next = opening(next, *next_quoted);
            rest.find(&if quoted { format!("\"{next}") } else { next })
        });
        let end = ends.min().unwrap_or_else(|| if quoted { rest.rfind('"').unwrap_or(rest.len()) } else { rest.len() });
        let Some(value) = cursor.take(end) else { break };
        fields.push((name, owned(value)));
        if quoted && cursor.skip("\"").is_none() {
            break;
        }
    }
    (message.unwrap_or(Located::new("", Span::default())), fields)
}

fn opening(name: &str, quoted: bool) -> String {
    format!(", {name}: {}", if quoted { "\"" } else { "" })
}

/// The number of the last `(N: words)`, which `ngx_log_errno` appends.
fn errno(message: Located<&str>) -> Option<Located<i64>> {
    message.value.rmatch_indices('(').find_map(|(at, _)| {
        let start = message.span.start as usize + at + 1;
        let mut cursor = Cursor::new(&message.value[at + 1..], start);
        let number = cursor.number()?;
        cursor.skip(": ").map(|()| number)
    })
}

fn owned(part: Located<&str>) -> Located<String> {
    Located::new(part.value.to_owned(), part.span)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const CONNECT: &str = "2016/05/04 02:10:00 [crit] 812#812: *7 connect() to unix:/run/thena/thena.sock failed \
        (13: Permission denied) while connecting to upstream, client: 203.0.113.7, server: thena.example, \
        request: \"GET /a?b=\"c\", upstream: HTTP/1.1\", upstream: \"uwsgi://unix:/run/thena/thena.sock:\", \
        host: \"thena.example\"";

    #[test]
    fn every_part_is_where_it_stands() {
        let error = parse_nginx_error(CONNECT).unwrap();
        assert_eq!(error.time.value, 1_462_327_800);
        assert_eq!((error.level.value.as_str(), error.pid), ("crit", Some(812)));
        assert_eq!(error.errno.unwrap().value, 13);
        assert_eq!(error.errno.unwrap().span.of(CONNECT), "13");
        assert!(error.message.value.starts_with("connect() to unix:"));
        assert!(error.message.value.ends_with("while connecting to upstream"));
        assert_eq!(error.client.unwrap().value, "203.0.113.7");
        assert_eq!(error.server.unwrap().value, "thena.example");
        assert_eq!(error.request.unwrap().value, "GET /a?b=\"c\", upstream: HTTP/1.1");
        let upstream = error.upstream.unwrap();
        assert_eq!(upstream.span.of(CONNECT), "uwsgi://unix:/run/thena/thena.sock:");
        assert_eq!(error.host.unwrap().value, "thena.example");
    }

    #[test]
    fn lines_of_the_program_itself_have_no_request() {
        let line = "2016/05/04 02:10:00 [emerg] 811#811: bind() to 0.0.0.0:80 failed (98: Address already in use)";
        let error = parse_nginx_error(line).unwrap();
        assert_eq!((error.errno.unwrap().value, error.client), (98, None));
        let line = "2016/05/04 02:10:00 [error] 9#9: *1 upstream prematurely closed connection while reading response header from upstream, client: ::1, server: , request: \"GET / HTTP/1.1\"";
        let error = parse_nginx_error(line).unwrap();
        assert_eq!((error.errno, error.server.unwrap().value.as_str()), (None, ""));
        assert_eq!(error.upstream, None);
    }

    #[test]
    fn what_is_no_error_line_is_none() {
        for line in [
            "",
            "2016/05/04",
            "2016/13/04 02:10:00 [crit] x",
            "\u{e9}\u{e9}/05/04 02:10:00 [crit] x",
            "2016/05/04 02:10:00 crit x",
        ] {
            assert_eq!(parse_nginx_error(line), None, "{line}");
        }
        assert_eq!(parse_nginx(&format!("junk\n{CONNECT}\n")).len(), 1);
    }
}
