//! Connection strings as libpq and SQLAlchemy read them: `postgresql+driver://user:password@host:port/name?key=value`,
//! and libpq's `host=… dbname=…` (fe-connect.c: `conninfo_uri_parse_options`, `conninfo_parse`).

use std::fmt;

use crate::source::{Located, Span};
use crate::syntax::{Parsed, Problem};

/// A text that never reaches output: it has no `Display`, and its `Debug` shows only that it is there.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: to log in with, or to scrub it from what is shown.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

/// libpq's port where none is given.
pub const DEFAULT_PORT: u16 = 5432;
/// Debian's folder of the server's socket, libpq's address there where no host is given.
pub const DEFAULT_SOCKET_FOLDER: &str = "/var/run/postgresql";
/// libpq's `sslmode` where none is given.
pub const DEFAULT_SSLMODE: &str = "prefer";

/// Where a server is looked for; by default at libpq's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// A name, an address without brackets, or the folder of a socket (it starts with `/` or `@`); empty for the default.
    pub name: Located<String>,
    /// The port as written, where it is one.
    pub port: Option<Located<u16>>,
}

impl Host {
    /// The port a client connects to.
    pub fn port_or_default(&self) -> u16 {
        self.port.map_or(DEFAULT_PORT, |port| port.value)
    }

    /// Whether it is reached by a socket in the file system.
    pub fn is_socket(&self) -> bool {
        self.name.value.is_empty() || self.name.value.starts_with(['/', '@'])
    }
}

/// What a connection string says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnInfo {
    /// `postgresql`, `postgres`, or another database's; `None` for `key=value`.
    pub scheme: Option<Located<String>>,
    /// SQLAlchemy's driver: `psycopg2` in `postgresql+psycopg2://`.
    pub driver: Option<Located<String>>,
    /// In the order in which they are tried; never empty for PostgreSQL.
    pub hosts: Vec<Host>,
    /// Who logs in.
    pub user: Option<Located<String>>,
    /// With what.
    pub password: Option<Located<Secret>>,
    /// The database.
    pub dbname: Option<Located<String>>,
    /// How TLS is used.
    pub sslmode: Option<Located<String>>,
    /// Everything else.
    pub options: Vec<(String, Located<String>)>,
}

impl ConnInfo {
    /// The database's name: libpq takes the user's where none is given.
    pub fn dbname_or_user(&self) -> Option<&str> {
        self.dbname.as_ref().or(self.user.as_ref()).map(|found| found.value.as_str())
    }

    /// Whether it is PostgreSQL that it leads to.
    pub fn is_postgres(&self) -> bool {
        self.scheme.as_ref().is_none_or(|scheme| matches!(scheme.value.as_str(), "postgres" | "postgresql"))
    }

    /// Sets what it does not say itself.
    pub fn set_default(&mut self, key: &str, value: &str) {
        let is_open = match key {
            "host" => self.hosts.iter().all(|host| host.name.value.is_empty()),
            "port" => self.hosts.iter().all(|host| host.port.is_none()),
            "user" => self.user.is_none(),
            "password" => self.password.is_none(),
            "dbname" => self.dbname.is_none(),
            "sslmode" => self.sslmode.is_none(),
            _ => self.options.iter().all(|(known, _)| known != key),
        };
        if is_open {
            self.set(key, Located::new(value.to_owned(), Span::default()));
        }
    }

    fn set(&mut self, key: &str, value: Located<String>) {
        match key {
            "host" => self.set_hosts(&value),
            "hostaddr" if self.hosts.iter().all(|host| host.name.value.is_empty()) => self.set_hosts(&value),
            "port" => self.set_ports(&value),
            "user" => self.user = Some(value),
            "password" => self.password = Some(Located::new(Secret::new(value.value), value.span)),
            "dbname" => self.dbname = Some(value),
            "sslmode" => self.sslmode = Some(value),
            _ => self.options.push((key.to_owned(), value)),
        }
    }

    fn set_hosts(&mut self, list: &Located<String>) {
        let ports: Vec<_> = self.hosts.iter().map(|host| host.port).collect();
        let port_of = |at: usize| ports.get(at).or(ports.first().filter(|_| ports.len() == 1)).copied().flatten();
        let names = list.value.split(',').enumerate();
        self.hosts = names
            .map(|(at, name)| Host { name: Located::new(name.to_owned(), list.span), port: port_of(at) })
            .collect();
    }

    fn set_ports(&mut self, list: &Located<String>) {
        let ports: Vec<_> = list
            .value
            .split(',')
            .map(|port| port.trim().parse().ok().map(|port| Located::new(port, list.span)))
            .collect();
        if self.hosts.is_empty() {
            self.hosts = vec![no_host(list.span)];
        }
        for (at, host) in self.hosts.iter_mut().enumerate() {
            host.port = ports.get(at).or(ports.first().filter(|_| ports.len() == 1)).copied().flatten();
        }
    }
}

impl Default for Host {
    fn default() -> Self {
        no_host(Span::default())
    }
}

fn no_host(span: Span) -> Host {
    Host { name: Located::new(String::new(), span), port: None }
}

/// Reads a connection string of either form.
pub fn parse(text: &str) -> Parsed<ConnInfo> {
    let trimmed = text.trim_end();
    let start = trimmed.len() - trimmed.trim_start().len();
    match trimmed.find("://") {
        Some(end) if is_scheme(&trimmed[start..end]) => uri(trimmed, start, end),
        _ => pairs(trimmed),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_'))
}

fn located(text: &str, start: usize, end: usize) -> Located<String> {
    Located::new(decoded(&text[start..end]), Span::new(start, end))
}

fn uri(text: &str, start: usize, end: usize) -> Parsed<ConnInfo> {
    let mut problems = Vec::new();
    let mut info = ConnInfo::default();
    let scheme = &text[start..end];
    let plain = scheme.split('+').next().unwrap_or(scheme);
    info.scheme = Some(Located::new(plain.to_ascii_lowercase(), Span::new(start, start + plain.len())));
    if let Some((_, driver)) = scheme.split_once('+') {
        info.driver = Some(Located::new(driver.to_owned(), Span::new(end - driver.len(), end)));
    }
    if plain == "postgres" {
        let message =
            "SQLAlchemy 1.4 and later refuses the scheme `postgres`: `Can't load plugin: sqlalchemy.dialects:postgres`";
        let span = Span::new(start, start + plain.len());
        problems.push(
            Problem::new("database/url-scheme-removed", span, message)
                .hint("write `postgresql://`; libpq and Django take both"),
        );
    }
    let (authority, rest) = authority(text, end + 3, &mut problems);
    login(text, authority, &mut info);
    hosts(text, authority, &mut info);
    path_and_query(text, rest, &mut info, &mut problems);
    Parsed { tree: info, problems }
}

/// The part between `//` and the path: its login's end where it has one, its start and its end.
#[derive(Clone, Copy)]
struct Authority {
    start: usize,
    at: Option<usize>,
    end: usize,
}

/// Splits as it was meant, the last `@` ending the login, and reports what the programs take for something else: libpq and
/// SQLAlchemy end the login at the first `@` and then look for a host called by the rest of the password.
fn authority(text: &str, start: usize, problems: &mut Vec<Problem>) -> (Authority, usize) {
    let end_of = |from: usize| text[from..].find(['/', '?', '#']).map_or(text.len(), |at| from + at);
    let first_end = end_of(start);
    // A password may hold a raw `/`, `?` or `#`: then an `@` stands behind what looks like the end.
    let stray = text[first_end..].find('@').map(|at| first_end + at);
    let login_open = is_login(&text[start..first_end]);
    let at = match stray {
        Some(stray) if login_open => Some(stray),
        _ => text[start..first_end].rfind('@').map(|at| start + at),
    };
    let end = at.map_or(first_end, end_of);
    if let Some(at) = at {
        let password = text[start..at].find(':').map(|colon| start + colon + 1);
        let raw = password.map(|from| (from, &text[from..at])).into_iter();
        let strays = raw.flat_map(|(from, part)| part.char_indices().map(move |(offset, c)| (from + offset, c)));
        for (offset, c) in strays.filter(|(_, c)| matches!(c, '@' | '/' | '#' | '?' | '[' | ']')) {
            let message = format!("`{c}` in the password ends it for many readers of this address");
            let hint = format!("write it as `%{:02X}`", c as u32);
            problems.push(Problem::new("database/url-not-encoded", Span::new(offset, offset + 1), message).hint(hint));
        }
        bad_escapes(text, start, at, problems);
    }
    (Authority { start, at, end }, end)
}

/// Whether a text without `@` is the start of a login and not a host with its port.
fn is_login(text: &str) -> bool {
    let is_port = |port: &str| port.is_empty() || port.bytes().all(|byte| byte.is_ascii_digit());
    let in_brackets = text.starts_with('[') || text.contains(['@', ',']);
    !in_brackets && text.split_once(':').is_some_and(|(_, rest)| !is_port(rest))
}

/// `%` that two hexadecimal digits do not follow: libpq refuses the whole address.
fn bad_escapes(text: &str, start: usize, end: usize, problems: &mut Vec<Problem>) {
    for (offset, _) in text[start..end].match_indices('%') {
        let digits = text.as_bytes().get(start + offset + 1..start + offset + 3).unwrap_or_default();
        if digits.len() < 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
            let span = Span::new(start + offset, start + offset + 1);
            let message = "`%` in the login must be followed by two hexadecimal digits";
            problems
                .push(Problem::new("database/url-not-encoded", span, message).hint("write a percent sign as `%25`"));
        }
    }
}

fn login(text: &str, authority: Authority, info: &mut ConnInfo) {
    let Some(at) = authority.at else { return };
    let login = &text[authority.start..at];
    let colon = login.find(':').map(|colon| authority.start + colon);
    let user_end = colon.unwrap_or(at);
    if user_end > authority.start {
        info.user = Some(located(text, authority.start, user_end));
    }
    if let Some(colon) = colon {
        let found = located(text, colon + 1, at);
        info.password = Some(Located::new(Secret::new(found.value), found.span));
    }
}

fn hosts(text: &str, authority: Authority, info: &mut ConnInfo) {
    let mut start = authority.at.map_or(authority.start, |at| at + 1);
    for part in text[start..authority.end].split(',') {
        let end = start + part.len();
        let (name, port) = match part.strip_prefix('[').and_then(|inner| inner.find(']')) {
            Some(close) => ((start + 1, start + 1 + close), start + close + 2),
            None => {
                let colon = part.find(':').map_or(end, |colon| start + colon);
                ((start, colon), colon)
            }
        };
        let digits = text.get(port + 1..end).unwrap_or_default();
        let port = digits.parse().ok().map(|value| Located::new(value, Span::new(port + 1, end)));
        info.hosts.push(Host { name: located(text, name.0, name.1), port });
        start = end + 1;
    }
}

fn path_and_query(text: &str, start: usize, info: &mut ConnInfo, problems: &mut Vec<Problem>) {
    let question = text[start..].find('?').map_or(text.len(), |at| start + at);
    if let Some(hash) = text[start..question].find('#') {
        let span = Span::new(start + hash, start + hash + 1);
        let message = "`#` starts a fragment for many readers: what follows it is cut off";
        problems.push(Problem::new("database/url-not-encoded", span, message).hint("write it as `%23`"));
    }
    let name_start = if text[start..question].starts_with('/') { start + 1 } else { start };
    if name_start < question {
        info.dbname = Some(located(text, name_start, question));
    }
    let mut at = question + 1;
    for part in text.get(at..).unwrap_or_default().split('&').filter(|part| !part.is_empty()) {
        let start = at;
        at += part.len() + 1;
        let Some(equals) = part.find('=') else { continue };
        let value = &part[equals + 1..];
        let span = Span::new(start + equals + 1, start + part.len());
        info.set(&decoded(&part[..equals]), Located::new(decoded(value), span));
    }
}

/// `%xx` decoded; what is not valid stays as written, and so does `+`, as in libpq.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = hex.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// `key = 'value' …`: blanks around `=` are allowed, `\` escapes in values (fe-connect.c: `conninfo_parse`).
fn pairs(text: &str) -> Parsed<ConnInfo> {
    let mut info = ConnInfo { hosts: vec![no_host(Span::new(0, 0))], ..ConnInfo::default() };
    let mut problems = Vec::new();
    let bytes = text.as_bytes();
    let skip = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        at
    };
    let mut at = skip(0);
    while at < bytes.len() {
        let key_start = at;
        while bytes.get(at).is_some_and(|byte| *byte != b'=' && !byte.is_ascii_whitespace()) {
            at += 1;
        }
        let key = &text[key_start..at];
        let equals = skip(at);
        if bytes.get(equals) != Some(&b'=') {
            // The word may be part of a password with a blank in it, so it is not repeated.
            let message = "missing \"=\" after a word in the connection string";
            problems.push(
                Problem::new("database/conninfo-syntax", Span::new(key_start, at), message)
                    .hint("quote a value that holds a blank: key='a b'"),
            );
            at = equals;
            continue;
        }
        let start = skip(equals + 1);
        let (value, end, closed) = value_at(text, start);
        if !closed {
            problems.push(Problem::new(
                "database/conninfo-syntax",
                Span::new(start, end),
                "unterminated quoted string in the connection string",
            ));
        }
        info.set(key, Located::new(value, Span::new(start, end)));
        at = skip(end);
    }
    Parsed { tree: info, problems }
}

/// The value that starts at an offset, the offset after it, and whether its quote was closed.
fn value_at(text: &str, start: usize) -> (String, usize, bool) {
    let quoted = text[start..].starts_with('\'');
    let from = start + usize::from(quoted);
    let mut value = String::new();
    let mut escaped = false;
    for (offset, c) in text[from..].char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '\'' if quoted => return (value, from + offset + 1, true),
            _ if !quoted && c.is_ascii_whitespace() => return (value, from + offset, true),
            _ => value.push(c),
        }
    }
    (value, text.len(), !quoted)
}

#[cfg(test)]
mod tests;
