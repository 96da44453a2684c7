//! How many connections a server takes, by what a repository says of it: a compose file's command, PostgreSQL's own
//! configuration or pgbouncer's.

use std::sync::Arc;

use crate::finding::Confidence;
use crate::source::{Located, Place, Span};
use crate::stack::assemble::Instance;
use crate::stack::database::Database;
use crate::stack::document::{Document, Kind};
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::kind::without_template_suffix;
use crate::stack::uwsgi::is_for_development;
use crate::stack::view::View;
use crate::syntax::compose::{self, Command, Service};
use crate::syntax::conninfo::DEFAULT_PORT;
use crate::syntax::{pgbouncer, postgresql_conf, shell};

/// What PostgreSQL keeps back for its superusers (`superuser_reserved_connections`).
const RESERVED: i64 = 3;

/// What pgbouncer takes unless it is told otherwise, and where it listens (pgbouncer(5): `max_client_conn`, `listen_port`).
const OF_PGBOUNCER: i64 = 100;
const PORT_OF_PGBOUNCER: u16 = 6432;

/// The limit of one server.
#[derive(Debug, Clone)]
pub struct Limit {
    /// What answers there.
    pub program: &'static str,
    /// The setting that says it.
    pub setting: &'static str,
    /// How many connections of the app it takes.
    pub allowed: Fact<i64>,
    /// How sure it is that it is the server that the app means.
    pub sure: Confidence,
}

/// What a stack says of servers.
#[derive(Debug, Default)]
pub struct Limits {
    services: Vec<(Arc<Document>, Service)>,
    poolers: Vec<(Arc<Document>, pgbouncer::Pgbouncer)>,
    servers: Vec<(Arc<Document>, postgresql_conf::Configuration)>,
    /// The folders in which more files of configuration lie.
    folders: Vec<String>,
}

impl Limits {
    /// Those of a view.
    pub fn of(view: &View) -> Self {
        let read = |kind| view.of(kind).filter(|document| !is_for_development(&document.path)).cloned();
        let services = read(Kind::Compose).flat_map(|document| {
            let services = compose::parse(document.text());
            services.into_iter().map(move |service| (Arc::clone(&document), service))
        });
        let is_main = |document: &Arc<Document>| without_template_suffix(&document.path).ends_with("postgresql.conf");
        let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let brought_in = view.of(Kind::Postgresql).filter(|document| !is_main(document));
        Self {
            services: services.collect(),
            poolers: read(Kind::Pgbouncer)
                .map(|document| (Arc::clone(&document), pgbouncer::parse(document.text())))
                .collect(),
            servers: read(Kind::Postgresql)
                .filter(is_main)
                .map(|document| (Arc::clone(&document), postgresql_conf::parse(document.text())))
                .collect(),
            folders: brought_in.filter_map(|document| folder(&document.path)).collect(),
        }
    }

    /// The limit of the server that an app connects to; `None` where nothing in sight tells. PostgreSQL's default is never
    /// taken: `ALTER SYSTEM` keeps what it sets in the data folder, which no repository shows.
    pub fn for_database(&self, instance: &Instance, database: &Database) -> Option<Limit> {
        let address = database.address.known()?;
        let (host, port) = match address.starts_with('/') {
            true => ("localhost", DEFAULT_PORT),
            false => address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)))?,
        };
        let is_superuser = database.user.known().is_some_and(|user| user == "postgres");
        let mut named = self.services.iter().filter(|(_, service)| service.name.value == host).peekable();
        if named.peek().is_some() {
            let services: Vec<_> = named.collect();
            return if port == DEFAULT_PORT { of_services(&services, instance) } else { None };
        }
        let is_local = host == "localhost" || host.starts_with("127.") || host == "[::1]";
        match self.poolers.as_slice() {
            [] => {}
            [(document, pooler)] if pooler.listens_at(PORT_OF_PGBOUNCER) == Some(port) => {
                return of_pooler(document, pooler, is_local);
            }
            [(_, pooler)] if pooler.listens_at(PORT_OF_PGBOUNCER).is_some() => {}
            _ => return None,
        }
        // A pooler's usual names and port.
        if port == PORT_OF_PGBOUNCER || host.contains("bouncer") || host.contains("pool") {
            return None;
        }
        self.of_server(port, is_local, is_superuser)
    }

    /// The one configuration of PostgreSQL in sight.
    fn of_server(&self, port: u16, is_local: bool, is_superuser: bool) -> Option<Limit> {
        let [(document, configuration)] = self.servers.as_slice() else { return None };
        let own_port = configuration.last("port").map(|(_, port)| document.value(port.span, &port.value).known());
        if own_port.map_or(Some(DEFAULT_PORT), |port| port?.parse().ok()) != Some(port) {
            return None;
        }
        let (name, value) = configuration.last("max_connections")?;
        let after = |span: Span| span.start > name.span.start;
        if configuration
            .includes
            .iter()
            .any(|one| after(one.path.span) && (!one.is_folder || self.holds(document, &one.path)))
        {
            return None;
        }
        if document.is_open() || document.is_conditional(name.span) {
            return None;
        }
        let reserved: i64 = ["superuser_reserved_connections", "reserved_connections"]
            .iter()
            .zip([RESERVED, 0])
            .map(|(name, default)| {
                let written =
                    configuration.last(name).map(|(_, value)| number(&document.value(value.span, &value.value)));
                written.map_or(default, |number| number.unwrap_or(0))
            })
            .sum();
        let kept = if is_superuser { 0 } else { reserved };
        let is_placed = document.path.starts_with('/');
        let sure = if is_local && is_placed { Confidence::Likely } else { Confidence::Possible };
        Some(Limit { sure, ..of_postgresql(document, value, kept) })
    }

    /// Whether files lie in the folder that an `include_dir` names.
    fn holds(&self, document: &Document, folder: &Located<String>) -> bool {
        let beside = document.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path =
            if folder.value.starts_with('/') { folder.value.clone() } else { format!("{beside}/{}", folder.value) };
        self.folders.iter().any(|known| known.trim_start_matches('/') == path.trim_start_matches('/'))
    }
}

fn of_postgresql(document: &Document, value: &Located<String>, kept: i64) -> Limit {
    let fact = document.fact(value.span, &value.value);
    let answer = match &fact.answer {
        Answer::Known(_) => number(&fact.answer).map_or_else(
            || Answer::Unknown(Missing::new("the number of `max_connections`", "write it out")),
            |most| Answer::Known(most.saturating_sub(kept)),
        ),
        Answer::Absent => Answer::Absent,
        Answer::Unknown(missing) => Answer::Unknown(missing.clone()),
    };
    let allowed = Fact { answer, ..fact.map(|_| 0) };
    Limit { program: "PostgreSQL", setting: "max_connections", allowed, sure: Confidence::Likely }
}

fn number(answer: &Answer<String>) -> Option<i64> {
    match answer {
        Answer::Known(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// What the compose files of a stack say of a service: the command line beats every file, `ALTER SYSTEM` too. Several files that
/// disagree are for several hosts. Compose's user of the image is a superuser, for whom nothing is kept back.
fn of_services(services: &[&(Arc<Document>, Service)], instance: &Instance) -> Option<Limit> {
    let is_pooler = |(_, service): &&&(Arc<Document>, Service)| {
        let image = service.image.as_ref().map_or("", |image| image.value.as_str());
        ["bouncer", "pgpool", "pgcat", "odyssey"].iter().any(|name| image.contains(name))
    };
    if services.iter().any(|one| is_pooler(&one)) {
        return None;
    }
    let mut found = services
        .iter()
        .filter_map(|(document, service)| Some((document, max_connections(document, service.command.as_ref()?)?)));
    let (document, value) = found.next()?;
    if found.any(|(_, other)| other.value != value.value) {
        return None;
    }
    let job = instance.link.job.known().filter(|job| job.key == "compose");
    let is_beside = job.and_then(|job| job.path.known()).is_some_and(|path| *path == document.path);
    let sure = if is_beside { Confidence::Likely } else { Confidence::Possible };
    Some(Limit { sure, ..of_postgresql(document, &value, 0) })
}

/// The value that a command of PostgreSQL gives to `max_connections`, the last one: `-c name=value`, `--name=value`, `-N value`
/// (postgres(1)).
fn max_connections(document: &Document, command: &Command) -> Option<Located<String>> {
    let words: Vec<Located<String>> = match command {
        Command::Hidden => return None,
        Command::Words(words) => words.clone(),
        Command::Text(text) => shell::commands(document.text(), text.span)
            .into_iter()
            .next_back()?
            .words
            .into_iter()
            .map(|word| Located::new(word.value(), word.span))
            .collect(),
    };
    let value = |word: &Located<String>, text: &str| {
        let quote = usize::from(word.span.of(document.text()).ends_with(['"', '\'']));
        let end = word.span.range().end.saturating_sub(quote);
        Located::new(text.to_owned(), Span::new(end.saturating_sub(text.len()), end))
    };
    let mut found = None;
    let mut before = "";
    for word in &words {
        let text = word.value.as_str();
        let assigned = match before {
            "-c" => Some(text),
            _ => text.strip_prefix("-c").or_else(|| text.strip_prefix("--")).filter(|rest| rest.contains('=')),
        };
        let set = assigned.and_then(|assigned| assigned.split_once('='));
        match set {
            Some((name, number)) if name.replace('-', "_").eq_ignore_ascii_case("max_connections") => {
                found = Some(value(word, number));
            }
            _ if before == "-N" => found = Some(value(word, text)),
            _ => {}
        }
        before = text;
    }
    found
}

fn of_pooler(document: &Document, pooler: &pgbouncer::Pgbouncer, is_local: bool) -> Option<Limit> {
    if pooler.includes || document.is_open() {
        return None;
    }
    let allowed = match &pooler.max_clients {
        Some(value) => {
            let fact = document.fact(value.span, &value.value);
            let answer = number(&fact.answer).map(Answer::Known)?;
            Fact { answer, ..fact.map(|_| 0) }
        }
        None => Fact::default_of(OF_PGBOUNCER).at(Place::whole(document.file)),
    };
    let sure = if is_local && document.path.starts_with('/') { Confidence::Likely } else { Confidence::Possible };
    Some(Limit { program: "pgbouncer", setting: "max_client_conn", allowed, sure })
}
