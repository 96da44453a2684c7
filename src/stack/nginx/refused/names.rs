//! What statements define for others and ask of them by name: variables, log formats, zones, upstreams.

use std::borrow::Cow;
use std::collections::HashMap;

use super::argument::Argument;
use super::around::Around;
use super::file::File;
use super::once;
use super::regex;
use super::variable::{Variable, variables};
use crate::nearest::nearest;
use crate::source::Span;
use crate::syntax::Problem;
use crate::syntax::data::nginx::{Contexts, Row, is_fixed_variable, is_variable, variables as known_variables};
use crate::syntax::nginx::Directive;

const KIND: &str = "nginx/undefined-reference";
const VALUE: &str = "nginx/invalid-value";

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Thing {
    Variable,
    LogFormat,
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
            Self::LogFormat => "log format",
            Self::RequestZone | Self::ConnectionZone | Self::CacheZone(_) => "zone",
            Self::Upstream => "upstream",
        }
    }

    /// The line that defines one.
    fn defined_by(self, name: &str) -> String {
        match self {
            Self::Variable => format!("define it with `set`, `map` or `geo`"),
            Self::LogFormat => format!("write `log_format {name} '…';` in `http`, above its first use"),
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
        let text = if thing == Thing::Variable || thing == Thing::LogFormat { lowered(text) } else { text };
        let name = Name { thing, stream, text };
        match self.defined.get(&name) {
            Some(first) => Some(*first),
            None => {
                self.defined.insert(name, spot);
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
                if redefined && !scope.stream && name != "geo" {
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
                    self.ask_for(Thing::LogFormat, format, "", scope)
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
        let text = if thing == Thing::LogFormat { text.to_lowercase() } else { text };
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
        for found in variables(text) {
            let (message, hint) = match found {
                Variable::Named(name, range) => {
                    self.variable(name, argument.span_of(range), scope);
                    continue;
                }
                Variable::Unclosed(name) => {
                    (format!("`${{{name}` lacks its closing `}}`"), format!("write `${{{name}}}`"))
                }
                Variable::Nameless => (
                    "a `$` without the name of a variable".to_owned(),
                    "write the name behind it; nginx has no way to write the sign itself here, but a variable can hold it: `geo $dollar { default \"$\"; }`"
                        .to_owned(),
                ),
            };
            problems.push(Problem::new(VALUE, argument.span, message).hint(hint));
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

    /// What was asked for and defined nowhere; `main` where the whole of `http` is in sight but for what was said to be open.
    pub fn undefined(&self, main: bool) -> Vec<(File<'a>, Problem)> {
        let mut problems = Vec::new();
        for asked in &self.asked {
            let problem = match self.defined.get(&asked.name) {
                Some(defined) => self.too_late(asked, defined),
                None => self.unknown(asked, main),
            };
            problems.extend(problem.map(|problem| (asked.spot.file, problem)));
        }
        for pass in &self.with_port {
            if let Some(upstream) = self.defined.get(&pass.host) {
                let (name, spot) = (&pass.host.text, pass.spot);
                let message = format!("the upstream `{name}` cannot be given the port {}", pass.port);
                let problem = Problem::new(VALUE, spot.span, message)
                    .hint(format!("write `{name}` alone: each server of the upstream has its own port"));
                let problem = once::related(problem, spot.file, upstream.file, upstream.span, "the upstream", false);
                problems.push((spot.file, problem));
            }
        }
        problems
    }

    /// A log format that is defined below its use.
    fn too_late(&self, asked: &Asked<'a>, defined: &Spot<'a>) -> Option<Problem> {
        if asked.after || asked.name.thing != Thing::LogFormat || !asked.spot.file.fixed || !defined.file.fixed {
            return None;
        }
        let message = format!("the log format `{}` is defined further down only", asked.name.text);
        let problem = Problem::new(KIND, asked.spot.span, message)
            .hint("move the `log_format` up: nginx must have read it before");
        Some(once::related(problem, asked.spot.file, defined.file, defined.span, "it is defined here", false))
    }

    fn unknown(&self, asked: &Asked<'a>, main: bool) -> Option<Problem> {
        let Name { thing, stream, text } = &asked.name;
        let open = if *thing == Thing::Variable { self.open_variables } else { self.open_top };
        let sure = main && !open;
        let meant = self.meant(&asked.name, sure);
        if !sure && meant.is_none() {
            return None;
        }
        let sign = if *thing == Thing::Variable { "$" } else { "" };
        let message = format!("nothing defines the {} `{sign}{text}`", thing.words());
        let problem = Problem::new(KIND, asked.spot.span, message);
        let problem = match meant {
            Some(meant) => problem.hint(format!("`{sign}{meant}` was probably meant")),
            None if *stream && *thing == Thing::LogFormat => problem
                .hint(format!("write `log_format {text} '…';` in `stream`: the formats of `http` do not count there")),
            None => problem.hint(thing.defined_by(text)),
        };
        Some(if sure { problem } else { problem.doubtful() })
    }

    /// The name that was probably meant; among nginx's own alone where others may be out of sight, and then only by a typo
    /// that is no other word.
    fn meant(&self, name: &Name<'a>, sure: bool) -> Option<String> {
        let text = name.text.as_ref();
        let built_in: Vec<&str> = match name.thing {
            Thing::Variable => known_variables(name.stream).collect(),
            Thing::LogFormat if !name.stream => vec!["combined"],
            _ => Vec::new(),
        };
        if sure {
            let same = self.defined.keys().filter(|other| other.thing == name.thing && other.stream == name.stream);
            return nearest(text, same.map(|other| other.text.as_ref()).chain(built_in)).map(str::to_owned);
        }
        let likely = |known: &&str| {
            let near = strsim::damerau_levenshtein(text, known) <= if text.len() < 9 { 1 } else { 2 };
            near && text.len() > 4
                && !text.contains(known)
                && !known.contains(text)
                && !text.ends_with(|c: char| c.is_ascii_digit())
        };
        built_in.into_iter().find(likely).map(str::to_owned)
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
