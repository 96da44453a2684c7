//! One way through all blocks of an nginx configuration for what it passes on, and where requests come in.

use std::sync::Arc;

use rayon::prelude::*;

use super::address::{self, Target};
use super::backend::{Upstreams, add_upstreams, unknown_variable};
use super::include::{Assembly, Statement};
use super::limits::Limits;
use super::{Listen, Pass, Reading};
use crate::source::{Place, Span};
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Fact, Lack, Missing};
use crate::syntax::nginx::Word;

/// How many statements of a file or of `http` are gone through in one go; other threads take the next.
const PART: usize = 2048;

/// What a file passes on, and what its includes refuse.
pub(super) fn passed_on<'a>(assembly: &Assembly<'a>, document: &'a Arc<Document>, main: bool) -> Reading {
    let (top, mut whole) = assembly.top(document);
    let mut user = user_of(&top, main && whole);
    if !main {
        user = Fact::unknown(Missing::new("nginx's main file", "lint it together with this one: its `user` counts"));
    }
    let mut upstreams = Upstreams::default();
    add_upstreams(assembly, &top, &mut upstreams);
    let (https, rest): (Vec<_>, Vec<_>) = top.into_iter().partition(|statement| statement.directive.is("http"));
    let around = Scope::of_file(main);
    let mut parts = vec![(around.clone(), rest)];
    for http in https {
        let (inside, seen) = assembly.inside(&http);
        whole &= seen;
        add_upstreams(assembly, &inside, &mut upstreams);
        parts.push((around.within(&http, &inside, seen), inside));
    }
    let known = Known { upstreams, whole: main && whole, user };
    let mut reading = Reading::default();
    for (scope, statements) in parts {
        let branch = assembly.branch();
        let through = |part: &[Statement<'a>]| {
            let assembly = branch.assembly();
            let mut walk = Walk { assembly: &assembly, known: &known, reading: Reading::default() };
            walk.through(part, &scope);
            let mut reading = walk.reading;
            reading.problems = assembly.problems.take();
            reading.included = assembly.included.take();
            reading
        };
        let read: Vec<Reading> = statements.par_chunks(PART).map(through).collect();
        read.into_iter().for_each(|part| reading.add(part));
    }
    reading.problems.extend(assembly.problems.take());
    reading.included.extend(assembly.included.take());
    reading
}

/// The `user` of the main context; the compiled-in `nobody` where the whole context was seen without one.
fn user_of(top: &[Statement<'_>], whole: bool) -> Fact<Arc<str>> {
    let set = top.iter().find(|statement| statement.directive.is("user"));
    match set.and_then(|statement| Some((statement, statement.directive.argument(0)?))) {
        Some((statement, name)) => statement.fact(name).map(Arc::from),
        None if whole => Fact::default_of("nobody".into()),
        None => Fact::unknown(Missing::new("`user` of nginx", "lint the files that its main file includes too")),
    }
}

/// The most passes before upstreams are no longer gone through: a row is made for each pass to each server, and thousands of
/// both would fill the memory.
const MOST_PASSES: usize = 100_000;
/// How many passes of one block are followed: nginx refuses a second one, and only a template has more to choose from.
const MOST_IN_BLOCK: usize = 64;

/// The blocks around a statement, as far as they matter to a pass.
#[derive(Debug, Clone)]
struct Scope<'a> {
    server_names: Fact<Arc<[String]>>,
    location: Location<'a>,
    limits: Arc<Limits>,
}

/// The location around a statement.
#[derive(Debug, Clone, Copy)]
enum Location<'a> {
    None,
    OutOfSight,
    Seen(Statement<'a>),
}

/// What a fragment's surroundings lack.
static AROUND_SERVER: Lack = Lack::fixed("the server around it", "lint the file that includes this one too");
static AROUND_LOCATION: Lack = Lack::fixed("the location around it", "lint the file that includes this one too");

impl<'a> Scope<'a> {
    fn of_file(main: bool) -> Self {
        let limits = Limits::of_file(main);
        if main {
            return Self { server_names: Fact::absent(), location: Location::None, limits };
        }
        Self { server_names: Fact::unknown((&AROUND_SERVER).into()), location: Location::OutOfSight, limits }
    }

    /// That of a block within this one, by what stands in it.
    fn within(&self, block: &Statement<'a>, inside: &[Statement<'a>], seen: bool) -> Self {
        let name = block.directive.name();
        let limits = Limits::within(Arc::clone(&self.limits), name, inside, seen);
        match name {
            "server" => {
                // Nameless servers are told apart by their place.
                let names = server_names(inside, seen);
                let server_names = Fact { place: names.place.or(Some(block.place())), ..names };
                Self { server_names, location: self.location, limits }
            }
            "location" => Self { location: Location::Seen(*block), limits, ..self.clone() },
            _ => Self { limits, ..self.clone() },
        }
    }
}

impl Location<'_> {
    /// Its arguments as written.
    fn fact(&self) -> Fact<Arc<str>> {
        match self {
            Self::None => Fact::absent(),
            Self::OutOfSight => Fact::unknown((&AROUND_LOCATION).into()),
            Self::Seen(location) => text_of(location),
        }
    }
}

/// What holds for every pass.
struct Known {
    upstreams: Upstreams,
    /// Whether every upstream is in sight.
    whole: bool,
    user: Fact<Arc<str>>,
}

/// One way through some blocks of an assembly, collecting rows.
struct Walk<'w, 'a> {
    assembly: &'w Assembly<'a>,
    known: &'w Known,
    reading: Reading,
}

impl<'a> Walk<'_, 'a> {
    fn through(&mut self, statements: &[Statement<'a>], scope: &Scope<'a>) {
        let mut passes = 0..MOST_IN_BLOCK;
        for statement in statements {
            match statement.directive.name() {
                "uwsgi_pass" | "proxy_pass" => {
                    if passes.next().is_some() {
                        self.pass(statement, scope);
                    }
                }
                "listen" => self.listen(statement, scope),
                "stream" | "mail" | "upstream" => {}
                _ if !statement.directive.has_block() => {}
                _ => {
                    let (inside, seen) = self.assembly.inside(statement);
                    self.through(&inside, &scope.within(statement, &inside, seen));
                }
            }
        }
    }

    fn pass(&mut self, statement: &Statement<'a>, scope: &Scope<'a>) {
        let directive = statement.directive;
        let Some(argument) = directive.argument(0) else { return };
        let uwsgi = directive.is("uwsgi_pass");
        let spelled = if uwsgi { "uwsgi_pass" } else { "proxy_pass" };
        let name = statement.document.place(directive.name_span());
        let written = statement.fact(argument);
        let location = scope.location.fact();
        for address in self.addresses(written, uwsgi) {
            let mut pass = Pass::at(statement.document.place(directive.head()));
            pass.key = spelled.to_owned();
            pass.directive = Fact::read(spelled, name);
            pass.address = address;
            pass.server_names = scope.server_names.clone();
            pass.location = location.clone();
            pass.user = self.known.user.clone();
            self.reading.passes.push(Arc::new(pass));
            self.reading.limits.push(Arc::clone(&scope.limits));
        }
    }

    /// The addresses that a written target stands for: one, or one for each server of an upstream.
    fn addresses(&self, written: Fact<String>, uwsgi: bool) -> Vec<Fact<String>> {
        let Some(value) = written.known() else { return vec![written] };
        let target = if uwsgi { address::of_uwsgi_pass(value) } else { address::of_proxy_pass(value) };
        let unknown = |missing: Missing| Fact { answer: Answer::Unknown(missing), ..written.clone() };
        let (name, port) = match target {
            Target::Address(address) => return vec![written.map(|_| address)],
            Target::Variable(name) => return vec![unknown(unknown_variable(&name))],
            Target::Name(name, port) => (name, port),
        };
        if self.reading.passes.len() > MOST_PASSES {
            let what = format!("the servers of upstream `{name}`");
            return vec![unknown(Missing::new(what, "there are more passes than are followed to each server"))];
        }
        if let Some(servers) = self.known.upstreams.get(&name) {
            let through = |server: &Fact<String>| {
                let (answer, trail) = (server.answer.clone(), server.trail.clone());
                Fact { answer, place: written.place, basis: written.basis, trail }
            };
            return servers.iter().map(through).collect();
        }
        match port {
            Some(port) if self.known.whole || name.contains('.') || name == "localhost" => {
                vec![written.map(|_| format!("{name}:{port}"))]
            }
            _ => vec![unknown(Missing::new(
                format!("upstream `{name}`"),
                "lint the file that defines it together with this one",
            ))],
        }
    }

    fn listen(&mut self, statement: &Statement<'a>, scope: &Scope<'a>) {
        let Some(argument) = statement.directive.argument(0) else { return };
        let mut listen = Listen::at(statement.document.place(statement.directive.head()));
        listen.address = statement.fact(argument);
        let port = |address: &str| match address.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') && host != "unix" => port.parse().ok(),
            _ => Some(address.parse().unwrap_or(80)),
        };
        let written = listen.address.clone();
        listen.port = match written.known() {
            Some(address) if address.starts_with("unix:") => Fact::absent(),
            Some(address) => match port(address) {
                Some(port) => written.map(|_| port),
                None => listen.port,
            },
            None => written.map(|_| 0),
        };
        let ssl = statement.directive.arguments().find(|argument| argument.value() == "ssl");
        listen.ssl = match ssl {
            _ if statement.has_branches() => listen.ssl,
            Some(word) => Fact::read(true, statement.document.place(word.span)),
            None => Fact::default_of(false),
        };
        listen.server_names = scope.server_names.clone();
        self.reading.listens.push(Arc::new(listen));
    }
}

/// All names of a server; the empty name where it has none.
fn server_names(inside: &[Statement<'_>], seen: bool) -> Fact<Arc<[String]>> {
    let mut names = Vec::new();
    let mut place: Option<Place> = None;
    for statement in inside.iter().filter(|statement| statement.directive.is("server_name")) {
        place = place.or(Some(statement.document.place(statement.directive.head())));
        for argument in statement.directive.arguments() {
            match statement.value(argument) {
                Answer::Known(name) => names.push(name),
                Answer::Absent => {}
                Answer::Unknown(missing) => return Fact::unknown(missing),
            }
        }
    }
    match place {
        Some(place) => Fact::read(names.into(), place),
        None if seen => Fact::default_of([String::new()].into()),
        None => Fact::unknown(Missing::new("the server's names", "lint the files that it includes too")),
    }
}

/// The arguments of a location as written.
fn text_of(location: &Statement<'_>) -> Fact<Arc<str>> {
    let arguments = location.directive.arguments();
    let Some(span) = arguments.clone().map(|argument| argument.span).reduce(Span::to) else { return Fact::absent() };
    let words: Vec<&str> = arguments.map(Word::value).collect();
    location.document.fact(span, &words.join(" ")).map(Arc::from)
}
