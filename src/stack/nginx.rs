//! What an nginx configuration passes on, to which address, from which server and location.

mod address;
mod alias;
mod backend;
mod capture;
mod condition;
mod expression;
mod header;
mod include;
mod level;
mod limits;
mod line;
mod location;
mod mount;
mod param;
mod redirect;
mod refused;
mod request;
mod root;
mod scalar;
mod server;
mod survey;
mod taint;
mod target;
mod upstream;
mod variable;

use crate::rows;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use alias::Alias;
pub use condition::If;
pub use header::Header;
pub use include::{Trees, includes, prefix};
pub use limits::{Limit, Limits};
pub use line::Line;
pub use mount::{Mount, Mounted, mounts};
pub use param::params;
pub use redirect::Redirect;
pub use request::Request;
pub use root::{CodeFolders, Root};
pub use server::Server;
pub use taint::Taint;
pub use target::PassTarget;
pub use upstream::KeepAlive;

use crate::source::{FileId, Place, Span};
use crate::stack::document::{Document, Kind};
use crate::stack::fact::{Answer, Fact, Lack, Missing, Row};
use crate::stack::view::View;
use crate::syntax::Problem;
use crate::syntax::data::Release;
use crate::syntax::nginx::{Config, Word};
use address::Target;
use backend::{Upstreams, add_upstreams, unknown_variable};
use include::{Assembly, Statement};

rows! {
    #[doc = "one `uwsgi_pass` or `proxy_pass` of nginx; keyed by the directive"]
    pub struct Pass in "passes" {
        #[doc = "the directive"]
        directive: &'static str,
        #[doc = "the address it connects to, such as `/run/app.sock` or `127.0.0.1:3031`, through `upstream` where there is one"]
        address: String,
        #[doc = "the names of its server"]
        server_names: Arc<[String]>,
        #[doc = "the location it stands in"]
        location: Arc<str>,
        #[doc = "the user nginx's workers run as"]
        user: Arc<str>,
    }
    derived {
        #[doc = "the protocol it speaks: `uwsgi` or `http`"]
        protocol: &'static str = directive by protocol_of,
        #[doc = "whether the address is on this host: a unix socket or a loopback address"]
        local: bool = address by address::is_local,
        #[doc = "whether the address is a unix socket"]
        unix: bool = address by is_path,
    }

    #[doc = "one `listen` of nginx: where requests come in"]
    pub struct Listen in "listens" {
        #[doc = "the address as written, such as `80`, `127.0.0.1:8080` or `unix:/run/nginx.sock`"]
        address: String,
        #[doc = "the TCP port; absent for a unix socket"]
        port: i64,
        #[doc = "whether it speaks TLS"]
        ssl: bool,
        #[doc = "the names of its server"]
        server_names: Arc<[String]>,
    }
}

fn protocol_of(directive: &str) -> &'static str {
    if directive == "uwsgi_pass" { "uwsgi" } else { "http" }
}

fn is_path(address: &str) -> bool {
    address.starts_with('/')
}

/// What was read from nginx's files.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Every pass, through each server of its upstream.
    pub passes: Vec<Arc<Pass>>,
    /// The limits that hold at each of them, in the same order.
    pub limits: Vec<Arc<Limits>>,
    /// Every listen.
    pub listens: Vec<Arc<Listen>>,
    /// What else its directives come to where they take effect.
    pub rows: Vec<Arc<dyn Row>>,
    /// The apps that it passes to below a path of their own.
    pub mounted: Vec<Mounted>,
    /// What nginx refuses across files, by the file it stands in.
    pub problems: Vec<(FileId, Problem)>,
    /// The files that were included.
    pub included: BTreeSet<FileId>,
}

impl Reading {
    fn add(&mut self, other: Reading) {
        self.passes.extend(other.passes);
        self.limits.extend(other.limits);
        self.listens.extend(other.listens);
        self.rows.extend(other.rows);
        self.mounted.extend(other.mounted);
        self.problems.extend(other.problems);
        self.included.extend(other.included);
    }
}

/// Whether a file is a main file, by its name or by what only a main file holds.
pub fn is_main(document: &Document, tree: &Config) -> bool {
    let named = document.path.rsplit('/').next() == Some("nginx.conf");
    named || tree.directives().any(|directive| directive.is("events") || directive.is("http"))
}

/// What is known beside nginx's files.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// The release that runs, where it was said.
    pub release: Option<Release>,
    /// Where the code of the apps lies.
    pub code: CodeFolders,
}

/// Reads every main file of the view with what it includes, then each fragment that nothing includes.
pub fn read_all(view: &View, trees: &Trees, beside: &Beside) -> Reading {
    let documents = view.of(Kind::Nginx).filter_map(|document| Some((document, &trees.get(&document.file)?.tree)));
    let (mains, fragments): (Vec<_>, Vec<_>) = documents.partition(|(document, tree)| is_main(document, tree));
    let mut all = Reading::default();
    for (document, _) in mains {
        all.add(read(view, trees, beside, document));
    }
    let alone: Vec<(FileId, Reading)> = fragments
        .into_iter()
        .filter(|(document, _)| !all.included.contains(&document.file))
        .map(|(document, _)| (document.file, read(view, trees, beside, document)))
        .collect();
    let mut includers: BTreeMap<FileId, BTreeSet<FileId>> = BTreeMap::new();
    for (file, reading) in &alone {
        reading.included.iter().for_each(|included| {
            includers.entry(*included).or_default().insert(*file);
        });
    }
    // Of two fragments that include each other the first one speaks.
    let speaks = |file: &FileId, reading: &Reading| {
        includers.get(file).is_none_or(|by| by.iter().all(|other| other >= file && reading.included.contains(other)))
    };
    alone.into_iter().filter(|(file, reading)| speaks(file, reading)).for_each(|(_, reading)| all.add(reading));
    all
}

/// Reads one main file, or one fragment on its own, with all that it includes.
pub fn read(view: &View, trees: &Trees, beside: &Beside, document: &Arc<Document>) -> Reading {
    let Some(parsed) = trees.get(&document.file) else { return Reading::default() };
    let main = is_main(document, &parsed.tree);
    let assembly = || Assembly::new(view, trees, prefix(document, main));
    // Three ways through the same statements, of which none needs what another finds.
    let refused = || {
        let assembly = assembly();
        (refused::problems(&assembly, document, beside.release, view.complete), assembly.included.take())
    };
    let surveyed = || {
        let assembly = assembly();
        let (top, seen) = assembly.top(document);
        survey::survey(&assembly, &top, seen, &beside.code)
    };
    let passed_on = || passed_on(&assembly(), document, main);
    // The longest first: whoever is done with another takes the third.
    let (found, ((problems, included), mut reading)) = rayon::join(surveyed, || rayon::join(refused, passed_on));
    (reading.rows, reading.mounted) = (found.rows, found.mounted);
    reading.problems.splice(0..0, problems);
    reading.included.extend(included);
    reading
}

/// What a file passes on, and what its includes refuse.
fn passed_on<'a>(assembly: &Assembly<'a>, document: &'a Arc<Document>, main: bool) -> Reading {
    let (top, mut whole) = assembly.top(document);
    let mut user = user_of(&top, main && whole);
    if !main {
        user = Fact::unknown(Missing::new("nginx's main file", "lint it together with this one: its `user` counts"));
    }
    let mut upstreams = Upstreams::default();
    add_upstreams(assembly, &top, &mut upstreams);
    for http in top.iter().filter(|statement| statement.directive.is("http")) {
        let (inside, seen) = assembly.inside(http);
        whole &= seen;
        add_upstreams(assembly, &inside, &mut upstreams);
    }
    let mut walk = Walk { assembly, upstreams, whole: main && whole, user, reading: Reading::default() };
    walk.through(&top, &Scope::of_file(main));
    let mut reading = walk.reading;
    reading.problems = assembly.problems.take();
    reading.included = assembly.included.take();
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

impl Scope<'_> {
    fn of_file(main: bool) -> Self {
        let limits = Limits::of_file(main);
        if main {
            return Self { server_names: Fact::absent(), location: Location::None, limits };
        }
        Self { server_names: Fact::unknown((&AROUND_SERVER).into()), location: Location::OutOfSight, limits }
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

/// One way through all blocks of an assembly, collecting rows.
struct Walk<'a> {
    assembly: &'a Assembly<'a>,
    upstreams: Upstreams,
    /// Whether every upstream is in sight.
    whole: bool,
    user: Fact<Arc<str>>,
    reading: Reading,
}

impl<'a> Walk<'a> {
    fn through(&mut self, statements: &[Statement<'a>], scope: &Scope<'a>) {
        for statement in statements {
            match statement.directive.name() {
                "uwsgi_pass" | "proxy_pass" => self.pass(statement, scope),
                "listen" => self.listen(statement, scope),
                "stream" | "mail" | "upstream" => {}
                _ if !statement.directive.has_block() => {}
                name => {
                    let (inside, seen) = self.assembly.inside(statement);
                    let mut scope = scope.clone();
                    scope.limits = Limits::within(scope.limits, name, &inside, seen);
                    if name == "server" {
                        // Nameless servers are told apart by their place.
                        let block = statement.document.place(statement.directive.head());
                        let names = server_names(&inside, seen);
                        scope.server_names = Fact { place: names.place.or(Some(block)), ..names };
                    } else if name == "location" {
                        scope.location = Location::Seen(*statement);
                    }
                    self.through(&inside, &scope);
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
            pass.user = self.user.clone();
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
        if let Some(servers) = self.upstreams.get(&name) {
            let through = |server: &Fact<String>| {
                let (answer, trail) = (server.answer.clone(), server.trail.clone());
                Fact { answer, place: written.place, basis: written.basis, trail }
            };
            return servers.iter().map(through).collect();
        }
        match port {
            Some(port) if self.whole || name.contains('.') || name == "localhost" => {
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

#[cfg(test)]
mod tests;
