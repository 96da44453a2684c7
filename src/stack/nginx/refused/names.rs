//! What statements define for others and ask of them by name: variables, log formats, zones, upstreams.

mod undefined;

use std::borrow::Cow;
use std::collections::hash_map::Entry;

use foldhash::HashMap;

use super::argument::Argument;
use super::around::Around;
use super::file::File;
use super::once;
use super::regex;
use crate::source::Span;
use crate::stack::nginx::variable::{Reference, Variable, references};
use crate::syntax::Problem;
use crate::syntax::data::nginx::{Contexts, Row, is_fixed_variable, is_variable};
use crate::syntax::nginx::Directive;

const VALUE: &str = "nginx/invalid-value";

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Thing {
    Variable,
    LogFormat,
    /// A log format by its name in lower case.
    AnyLogFormat,
    RequestZone,
    ConnectionZone,
    /// The zone of a cache, by the protocol that uses it.
    CacheZone(&'static str),
    Upstream,
}

impl Thing {
    fn words(self) -> &'static str {
        match self {
            Self::Variable => "variable",
            Self::LogFormat | Self::AnyLogFormat => "log format",
            Self::RequestZone | Self::ConnectionZone | Self::CacheZone(_) => "zone",
            Self::Upstream => "upstream",
        }
    }

    /// The line that defines one.
    fn defined_by(self, name: &str) -> String {
        match self {
            Self::Variable => "define it with `set`, `map` or `geo`".to_owned(),
            Self::LogFormat | Self::AnyLogFormat => {
                format!("write `log_format {name} '…';` in `http`, above its first use")
            }
            Self::RequestZone => {
                format!("write `limit_req_zone $binary_remote_addr zone={name}:10m rate=10r/s;` in `http`")
            }
            Self::ConnectionZone => format!("write `limit_conn_zone $binary_remote_addr zone={name}:10m;` in `http`"),
            Self::CacheZone(protocol) => {
                format!("write `{protocol}_cache_path /var/cache/nginx keys_zone={name}:10m;` in `http`")
            }
            Self::Upstream => format!("write `upstream {name} {{ server …; }}` in `http`"),
        }
    }
}

/// A name of `http` or of `stream`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Name<'a> {
    thing: Thing,
    stream: bool,
    text: Cow<'a, str>,
}

#[derive(Debug, Clone, Copy)]
struct Spot<'a> {
    file: File<'a>,
    span: Span,
}

#[derive(Debug)]
struct Asked<'a> {
    name: Name<'a>,
    spot: Spot<'a>,
    /// Whether it was defined above already.
    after: bool,
}

/// A pass to a host with a port of its own.
#[derive(Debug)]
struct WithPort<'a> {
    host: Name<'a>,
    port: u16,
    spot: Spot<'a>,
}

/// The names of one assembly.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    defined: HashMap<Name<'a>, Spot<'a>>,
    asked: Vec<Asked<'a>>,
    with_port: Vec<WithPort<'a>>,
    /// Whether something out of sight may define variables.
    pub open_variables: bool,
    /// Whether something out of sight may define what only `http` or `stream` itself can.
    pub open_top: bool,
}

impl<'a> Names<'a> {
    /// Something out of sight stands here.
    pub fn open(&mut self, around: Around) {
        self.open_variables = true;
        let top = Contexts::HTTP | Contexts::STREAM;
        self.open_top |= around.contexts.meets(top);
    }

    /// What a directive defines and asks for.
    pub fn see(
        &mut self,
        row: &Row,
        arguments: &[Argument<'a>],
        around: Around,
        file: File<'a>,
        problems: &mut Vec<Problem>,
    ) {
        let scope = Scope { stream: is_stream(around), file };
        self.define(row.name, arguments, scope, problems);
        self.ask(row.name, arguments, scope);
        if let Some(first) = row.variables {
            let first = usize::from(first) - 1;
            let pattern = |argument: &&Argument<'a>| !(argument.raw.starts_with('~') && takes_patterns(row.name));
            for argument in arguments.iter().skip(first).filter(pattern) {
                self.variables_in(argument, scope, problems);
            }
        }
    }

    /// The words of a line of data, or of an `if`, whose variables count.
    pub fn variables_of(
        &mut self,
        argument: &Argument<'a>,
        around: Around,
        file: File<'a>,
        problems: &mut Vec<Problem>,
    ) {
        self.variables_in(argument, Scope { stream: is_stream(around), file }, problems);
    }

    /// The captures that a pattern names.
    pub fn captures(&mut self, argument: &Argument<'a>, around: Around, file: File<'a>) {
        if !argument.raw.contains("(?") {
            return;
        }
        let Some(text) = argument.text() else { return };
        let names: Vec<String> = regex::names(text).map(str::to_owned).collect();
        let spot = Spot { file, span: argument.span };
        for name in names {
            self.add(Thing::Variable, is_stream(around), Cow::Owned(name), spot);
        }
    }

    /// A directive of another module: what begins with `$` in it may be a variable that it defines.
    pub fn foreign(&mut self, directive: Directive<'a>, around: Around, file: File<'a>) {
        self.open_variables = true;
        let words = directive.arguments().map(|word| (word.value(), word.span));
        let inner = directive.directives().map(|inner| (inner.name(), inner.name_span()));
        for (word, span) in words.chain(inner) {
            if let Some(name) = word.strip_prefix('$') {
                self.add(Thing::Variable, is_stream(around), Cow::Borrowed(name), Spot { file, span });
            }
        }
    }

    fn add(&mut self, thing: Thing, stream: bool, text: Cow<'a, str>, spot: Spot<'a>) -> Option<Spot<'a>> {
        let text = if thing == Thing::Variable { lowered(text) } else { text };
        if thing == Thing::LogFormat {
            // Compared letter by letter with each other, and in any case with what is asked for.
            let text = Cow::Owned(text.to_lowercase());
            self.defined.entry(Name { thing: Thing::AnyLogFormat, stream, text }).or_insert(spot);
        }
        match self.defined.entry(Name { thing, stream, text }) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(free) => {
                free.insert(spot);
                None
            }
        }
    }

    fn define(&mut self, name: &str, arguments: &[Argument<'a>], scope: Scope<'a>, problems: &mut Vec<Problem>) {
        let at = match name {
            "set" | "auth_request_set" | "perl_set" => 0,
            "map" | "split_clients" => 1,
            "geo" => arguments.len().saturating_sub(1),
            "log_format" | "upstream" => 0,
            "limit_req_zone" | "limit_conn_zone" => return self.define_zone(name, arguments, "zone=", scope, problems),
            name if name.ends_with("_cache_path") => {
                return self.define_zone(name, arguments, "keys_zone=", scope, problems);
            }
            "load_module" => {
                self.open_variables = true;
                return;
            }
            _ => return,
        };
        let Some(argument) = arguments.get(at) else { return };
        let spot = Spot { file: scope.file, span: argument.span };
        let Some(text) =
            argument.written().map(Cow::Borrowed).or_else(|| argument.text().map(|text| Cow::Owned(text.to_owned())))
        else {
            return self.unseen(name);
        };
        let thing = match name {
            "log_format" => Thing::LogFormat,
            "upstream" => Thing::Upstream,
            _ => {
                let Some(variable) = without_dollar(text) else { return };
                let redefined = is_fixed_variable(&lowered(variable.clone()));
                if redefined && !scope.stream {
                    problems.push(
                        Problem::new(VALUE, argument.span, format!("`${variable}` is nginx's own and cannot be set"))
                            .hint("give the variable another name"),
                    );
                }
                self.add(Thing::Variable, scope.stream, variable, spot);
                return;
            }
        };
        self.define_once(thing, text, spot, scope, problems);
    }

    fn define_once(
        &mut self,
        thing: Thing,
        text: Cow<'a, str>,
        spot: Spot<'a>,
        scope: Scope<'a>,
        problems: &mut Vec<Problem>,
    ) {
        let Some(first) = self.add(thing, scope.stream, text.clone(), spot) else { return };
        let once_and_for_all = first.file.fixed && spot.file.fixed;
        if once_and_for_all && (first.span, first.file.document.file) != (spot.span, spot.file.document.file) {
            let message = format!("a second {} called `{text}`", thing.words());
            let problem =
                Problem::new(once::KIND, spot.span, message).hint("remove one of them, or give it another name");
            problems.push(once::related(problem, spot.file, first.file, first.span, "the first one", false));
        }
    }

    fn define_zone(
        &mut self,
        name: &str,
        arguments: &[Argument<'a>],
        key: &str,
        scope: Scope<'a>,
        problems: &mut Vec<Problem>,
    ) {
        let thing = match name {
            "limit_req_zone" => Thing::RequestZone,
            "limit_conn_zone" => Thing::ConnectionZone,
            name => Thing::CacheZone(protocol(name)),
        };
        let zone = arguments.iter().find(|argument| argument.text().is_none_or(|text| text.starts_with(key)));
        let Some(argument) = zone else { return };
        let Some(text) = argument.text() else { return self.unseen(name) };
        let zone = text[key.len()..].split(':').next().unwrap_or_default().to_owned();
        let spot = Spot { file: scope.file, span: argument.span };
        self.define_once(thing, Cow::Owned(zone), spot, scope, problems);
    }

    fn unseen(&mut self, name: &str) {
        match name {
            "set" | "auth_request_set" | "perl_set" | "map" | "split_clients" | "geo" => self.open_variables = true,
            _ => self.open_top = true,
        }
    }

    fn ask(&mut self, name: &str, arguments: &[Argument<'a>], scope: Scope<'a>) {
        match name {
            "access_log" if !arguments.first().is_some_and(|first| first.is("off")) => match arguments.get(1) {
                Some(format) if !format.is("combined") || scope.stream => {
                    self.ask_for(Thing::AnyLogFormat, format, "", scope)
                }
                _ => {}
            },
            "limit_req" => {
                let zone =
                    arguments.iter().find(|argument| argument.text().is_some_and(|text| text.starts_with("zone=")));
                zone.into_iter().for_each(|zone| self.ask_for(Thing::RequestZone, zone, "zone=", scope));
            }
            "limit_conn" => {
                arguments.iter().take(1).for_each(|zone| self.ask_for(Thing::ConnectionZone, zone, "", scope))
            }
            "proxy_cache" | "uwsgi_cache" | "fastcgi_cache" | "scgi_cache" => {
                let zone = arguments.first().filter(|zone| !zone.is("off"));
                zone.into_iter().for_each(|zone| self.ask_for(Thing::CacheZone(protocol(name)), zone, "", scope));
            }
            "proxy_pass" | "uwsgi_pass" | "fastcgi_pass" | "scgi_pass" | "grpc_pass" => self.pass(arguments, scope),
            _ => {}
        }
    }

    fn ask_for(&mut self, thing: Thing, argument: &Argument<'a>, key: &str, scope: Scope<'a>) {
        let Some(text) = argument.final_text().filter(|text| !text.contains('$')) else { return };
        let text = text[key.len()..].to_owned();
        let text = if thing == Thing::AnyLogFormat { text.to_lowercase() } else { text };
        let name = Name { thing, stream: scope.stream, text: Cow::Owned(text) };
        let after = self.defined.contains_key(&name);
        self.asked.push(Asked { name, spot: Spot { file: scope.file, span: argument.span }, after });
    }

    /// A host that is passed to with a port must not be an upstream (`ngx_http_upstream_add`).
    fn pass(&mut self, arguments: &[Argument<'a>], scope: Scope<'a>) {
        let Some(argument) = arguments.first() else { return };
        let Some(text) = argument.final_text().filter(|text| !text.contains('$')) else { return };
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let host = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
        let Some((host, port)) = host.split_once(':') else { return };
        let Ok(port) = port.parse() else { return };
        if host.parse::<core::net::IpAddr>().is_ok() {
            return;
        }
        let host = Name { thing: Thing::Upstream, stream: scope.stream, text: Cow::Owned(host.to_owned()) };
        self.with_port.push(WithPort { host, port, spot: Spot { file: scope.file, span: argument.span } });
    }

    fn variables_in(&mut self, argument: &Argument<'a>, scope: Scope<'a>, problems: &mut Vec<Problem>) {
        if !argument.raw.contains('$') {
            return;
        }
        let Some(text) = argument.final_text() else { return };
        for found in references(text) {
            let (message, hint) = match found {
                Reference::Variable(capture) if capture.is_capture() => continue,
                Reference::Variable(found) => {
                    self.variable(found.name, argument.span_of(found.start..found.end), scope);
                    continue;
                }
                Reference::Unclosed(Variable { name, .. }) => {
                    (format!("`${{{name}` lacks its closing `}}`"), format!("write `${{{name}}}`"))
                }
                Reference::Nameless => (
                    "a `$` without the name of a variable".to_owned(),
                    "write the name behind it; nginx has no way to write the sign itself here, but a variable can hold it: `geo $dollar { default \"$\"; }`"
                        .to_owned(),
                ),
            };
            // nginx stops there.
            return problems.push(Problem::new(VALUE, argument.span, message).hint(hint));
        }
    }

    fn variable(&mut self, name: &str, span: Span, scope: Scope<'a>) {
        let name = lowered(Cow::Borrowed(name));
        if is_variable(&name, scope.stream) {
            return;
        }
        let name = Name { thing: Thing::Variable, stream: scope.stream, text: Cow::Owned(name.into_owned()) };
        self.asked.push(Asked { name, spot: Spot { file: scope.file, span }, after: true });
    }
}

/// Where a directive stands, as far as its names go.
#[derive(Debug, Clone, Copy)]
struct Scope<'a> {
    stream: bool,
    file: File<'a>,
}

fn is_stream(around: Around) -> bool {
    !around.contexts.meets(
        Contexts::HTTP | Contexts::SERVER | Contexts::LOCATION | Contexts::IF_IN_SERVER | Contexts::IF_IN_LOCATION,
    ) && around.contexts.meets(Contexts::STREAM | Contexts::STREAM_SERVER | Contexts::STREAM_UPSTREAM)
}

/// Directives whose words are patterns where they begin with `~`.
fn takes_patterns(name: &str) -> bool {
    name.starts_with("proxy_cookie") || name == "proxy_redirect"
}

fn protocol(name: &str) -> &'static str {
    ["proxy", "uwsgi", "fastcgi", "scgi"].into_iter().find(|protocol| name.starts_with(protocol)).unwrap_or("proxy")
}

fn without_dollar(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match text {
        Cow::Borrowed(text) => text.strip_prefix('$').map(Cow::Borrowed),
        Cow::Owned(text) => text.strip_prefix('$').map(|name| Cow::Owned(name.to_owned())),
    }
}

fn lowered(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) { Cow::Owned(text.to_ascii_lowercase()) } else { text }
}
