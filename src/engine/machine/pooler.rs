//! A pooler between the app and PostgreSQL: that it lets the app in proves nothing of the server behind it.

use crate::diagnosis::{Reason, State};
use crate::engine::machine::databases::Tried;
use crate::engine::machine::hops::{Said, Scene};
use crate::engine::machine::passes::words;
use crate::finding::Label;
use crate::host::{Connect, Failure, Host, Process, Stage};
use crate::source::{Origin, Place, Sources};
use crate::stack::database::Database;
use crate::stack::fact::Fact;
use crate::syntax::conninfo::{self, ConnInfo};
use crate::syntax::pgbouncer;

/// The class of a failure that only the server behind a pooler explains.
pub(super) const CLASS: &str = "pooler.server";
/// The hop from a pooler to its server.
pub(super) const HOP: &str = "pooler";

/// One that listens where the app connects.
#[derive(Debug, Clone)]
pub(super) struct Pooler {
    pid: i32,
    /// Where it passes the database on to, and the line that says so.
    server: Option<(String, Place)>,
    /// What connecting there showed.
    pub(super) seen: Option<Connect>,
}

/// The pgbouncer that listens on this host where a connection string leads; its server is connected to, and no byte sent.
pub(super) fn of(host: &dyn Host, info: &ConnInfo, sources: &mut Sources) -> Option<Pooler> {
    let port = info.hosts.iter().find(|host| is_local(&host.name.value))?.port_or_default();
    let all = host.processes().ok()?;
    let mut poolers = all.iter().filter(|process| is_pgbouncer(process)).peekable();
    poolers.peek()?;
    let listeners = host.listeners().ok()?;
    let holders = || listeners.iter().filter(|listener| listener.port == port).flat_map(|listener| &listener.pids);
    let is_hidden = holders().next().is_none();
    poolers.find_map(|process| {
        let path = configuration(process);
        let bytes = path.as_ref().and_then(|path| Some((path, host.read(path).ok()?)));
        let text = bytes.as_ref().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
        let read = pgbouncer::parse(&text);
        let listens = holders().any(|pid| *pid == process.pid) || is_hidden && read.listen_port == Some(port);
        listens.then_some(())?;
        let mut pooler = Pooler { pid: process.pid, server: None, seen: None };
        if let Some(((path, bytes), (_, string))) = bytes.zip(read.entry(info.dbname_or_user().unwrap_or_default())) {
            let shown = host.shown(path);
            let file = sources.by_name(&shown).unwrap_or_else(|| sources.add(shown, bytes.to_vec(), Origin::File));
            let behind = conninfo::parse(&string.value).tree;
            let (address, seen) = connected(host, &behind);
            pooler.server = Some((address, Place::at(file, string.span)));
            pooler.seen = Some(seen);
        }
        Some(pooler)
    })
}

fn is_local(name: &str) -> bool {
    name.is_empty() || name.starts_with('/') || name == "localhost" || name.starts_with("127.") || name == "::1"
}

fn is_pgbouncer(process: &Process) -> bool {
    let program = process.exe.as_deref().ok().or(process.cmdline.first().map(String::as_str));
    program.is_some_and(|path| path.trim_end_matches(" (deleted)").rsplit('/').next() == Some("pgbouncer"))
}

/// The file that its command line names last: pgbouncer(1).
fn configuration(process: &Process) -> Option<String> {
    let named = process.cmdline.iter().skip(1).rfind(|argument| !argument.starts_with('-'))?;
    if named.starts_with('/') {
        return Some(named.clone());
    }
    Some(format!("{}/{named}", process.cwd.as_ref().ok()?.trim_end_matches('/')))
}

fn connected(host: &dyn Host, behind: &ConnInfo) -> (String, Connect) {
    let server = behind.hosts.first();
    let port = server.map_or(conninfo::DEFAULT_PORT, conninfo::Host::port_or_default);
    match server.filter(|server| !server.is_socket()) {
        Some(server) => {
            let name = &server.name.value;
            (format!("{name}:{port}"), host.connect_tcp(name, port))
        }
        None => {
            let folder = server.map(|server| server.name.value.as_str()).filter(|name| !name.is_empty());
            let path = format!("{}/.s.PGSQL.{port}", folder.unwrap_or(conninfo::DEFAULT_SOCKET_FOLDER));
            let seen = host.connect_unix(&path);
            (path, seen)
        }
    }
}

impl Scene<'_> {
    /// What stands between the app and a database: where it fails, the one that does.
    pub(super) fn pooler(&self, at: usize) -> Option<(String, Said)> {
        let is_it = |tried: &&Tried| tried.pooler.is_some() || tried.ended_at() == Some(HOP);
        let tried = self.tried[at].iter().filter(is_it).max_by_key(|tried| tried.ended_at() == Some(HOP))?;
        let title = tried.pooler.as_ref().map_or_else(|| "pooler -> PostgreSQL".to_owned(), Pooler::title);
        if tried.ended_at() == Some(HOP) {
            let text = tried.row.said.known().cloned().unwrap_or_default();
            return Some((title, (State::Broken, vec![Label { place: tried.evidence.place, text }])));
        }
        let reaches = tried.pooler.as_ref().is_some_and(|pooler| pooler.seen == Some(Connect::Ok));
        let state = match tried.states.last() {
            Some(State::Ok | State::Degraded) => State::Ok,
            _ if reaches => State::Ok,
            _ => State::Unknown(Reason::NoEvidence),
        };
        Some((title, (state, Vec::new())))
    }
}

impl Pooler {
    /// Its hop, for people.
    pub(super) fn title(&self) -> String {
        let server = self.server.as_ref().map_or("its server", |(server, _)| server.as_str());
        format!("pgbouncer -> PostgreSQL at {server}")
    }

    /// Why a login fails that it neither refuses nor answers: its server is out of its reach.
    pub(super) fn explains(&self, failure: &Failure) -> Option<Failure> {
        let waits = matches!(&*failure.class, "peer.silent" | "peer.closed" | CLASS) && failure.at >= Stage::Login;
        let seen = self
            .seen
            .as_ref()
            .filter(|seen| waits && matches!(seen, Connect::Missing | Connect::Refused | Connect::TimedOut))?;
        let server = self.server.as_ref().map(|(server, _)| server.as_str())?;
        let said = format!("pgbouncer is there, and nobody answers it at {server}: {}", words(seen));
        Some(Failure { at: Stage::Login, class: CLASS.into(), said, proved: true })
    }

    /// Says of a database what stands in between.
    pub(super) fn describe(&self, row: &mut Database) {
        row.pooler = Fact::derived("pgbouncer".to_owned());
        row.pooler_pid = Fact::derived(self.pid.into());
        if let Some((server, place)) = &self.server {
            row.pooler_server = Fact::read(server.clone(), *place);
        }
    }
}
