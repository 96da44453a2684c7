//! Where a running program and its files tell apart, by content: a variable, a socket, an upstream, the code.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::machine::databases::Tried;
use crate::engine::machine::environment::Running;
use crate::engine::machine::logs::NginxLog;
use crate::finding::Label;
use crate::host::{Host, Process, Space};
use crate::source::{Place, Sources, Span};
use crate::stack::assemble::{Instance, Stack};
use crate::stack::difference::{Difference, restart};
use crate::stack::fact::Fact;
use crate::stack::nginx::Pass;
use crate::stack::process::{Found, Program};
use crate::syntax::log::NginxError;

/// One difference, and the hop that it breaks; none where nothing fails for it yet.
#[derive(Debug, Clone)]
pub(super) struct Differing {
    pub(super) row: Arc<Difference>,
    pub(super) hop: Option<&'static str>,
}

/// The pages that say of a break that it is mended in the files and not in the program.
pub(super) const NOT_TAKEN_UP: [&str; 2] = ["front/config-not-reloaded", "supervision/config-not-applied"];

/// A file that was written within this many seconds of a start may have been there before it: starts are counted in ticks.
const SLACK: i64 = 2;

/// What was seen of a host.
pub(super) struct Seen<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) stack: &'a Stack,
    pub(super) found: &'a [Found],
    pub(super) running: &'a [Running],
    pub(super) tried: &'a [Vec<Tried>],
    pub(super) nginx: &'a NginxLog,
    pub(super) sources: &'a Sources,
}

/// Every difference, uWSGI's before nginx's.
pub(super) fn all(seen: &Seen<'_>) -> Vec<Differing> {
    let mut all = Vec::new();
    for (at, instance) in seen.stack.instances.iter().enumerate() {
        let ini = instance.uwsgi.uwsgi.path.known();
        let Some(running) = seen.running.iter().find(|one| Some(&one.ini) == ini) else { continue };
        let Some(master) = seen.found.iter().find(|one| one.process.pid == running.pid) else { continue };
        all.extend(variables(seen.host, instance, running, &master.process, &seen.tried[at]));
        all.extend(sockets(seen.host, instance, &master.process));
        all.extend(release(seen.host, instance, &master.process));
    }
    all.extend(upstreams(seen));
    all
}

fn is_written_since(host: &dyn Host, path: &str, process: &Process) -> bool {
    host.stat(path).is_ok_and(|stat| stat.modified >= process.started + SLACK)
}

/// What the job, or a file that it names, gives now to a variable that the app reads, and the process was not started with.
fn variables(
    host: &dyn Host,
    instance: &Instance,
    running: &Running,
    process: &Process,
    tried: &[Tried],
) -> Vec<Differing> {
    let layers = &instance.layers;
    let mut all = Vec::new();
    let mut looked_at = BTreeSet::new();
    for read in &instance.reads {
        let Some(name) = read.name.known().filter(|name| looked_at.insert(name.as_str())) else { continue };
        let Some(line) = layers.in_job(name) else { continue };
        let (Some(value), Some(path)) = (line.value.known(), line.path.known()) else { continue };
        let given = layers.value(name);
        let has = match given {
            // What uWSGI itself sets wins over both.
            Some(given) if given.key != "process" => continue,
            Some(given) if given.value.known().is_none_or(|had| had == value) => continue,
            None if layers.out_of_sight.is_some() => continue,
            other => other.is_some(),
        };
        if !is_written_since(host, path, process) {
            continue;
        }
        let mut row = Difference::of("uwsgi", "variable", process.pid, line.place);
        row.name = Fact::read(name.clone(), line.place);
        let words = if has { "another one" } else { "none" }.to_owned();
        row.running = match running.names {
            Some(file) => Fact::read(words, given.and_then(|row| row.name.place).unwrap_or(Place::whole(file))),
            None => Fact::derived(words),
        };
        row.path = Fact::read(host.shown(path), line.place);
        row.cure = Fact::derived(restart(instance.link.job.known().map(AsRef::as_ref)));
        let database = tried.iter().find(|tried| tried.takes(name)).and_then(Tried::ended_at);
        let lacks = !has && read.needed.known() == Some(&true);
        all.push(Differing { row: Arc::new(row), hop: database.or(lacks.then_some("environment")) });
    }
    all
}

/// The addresses that the ini binds now, where its master holds others.
fn sockets(host: &dyn Host, instance: &Instance, process: &Process) -> Vec<Differing> {
    let row = &instance.uwsgi.uwsgi;
    let Some(ini) = row.path.known().filter(|ini| is_written_since(host, ini, process)) else { return Vec::new() };
    let (Ok(unix), Ok(tcp)) = (host.unix_sockets(), host.listeners()) else { return Vec::new() };
    let is_held = |pids: &[i32]| pids.contains(&process.pid);
    let paths = unix.iter().filter(|socket| socket.listening && is_held(&socket.pids)).map(|one| one.path.clone());
    let ports = tcp.iter().filter(|listener| is_held(&listener.pids));
    let held: Vec<String> = paths.chain(ports.map(|one| format!("{}:{}", one.address, one.port))).collect();
    if held.is_empty() {
        return Vec::new();
    }
    let port = |address: &str| address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    let is_bound = |address: &str| match address.starts_with('/') {
        true => {
            let real = host.real_path(address).unwrap_or_else(|_| address.to_owned());
            held.iter().any(|one| one == address || *one == real)
        }
        false => held.iter().any(|one| !one.starts_with('/') && port(one) == port(address)),
    };
    let differs = |socket: &&crate::stack::uwsgi::Socket| socket.address.known().is_some_and(|one| !is_bound(one));
    let of_socket = |socket: &crate::stack::uwsgi::Socket| {
        let mut row = Difference::of("uwsgi", "socket", process.pid, socket.address.place.unwrap_or(socket.place));
        row.written = socket.address.clone();
        row.running = Fact::derived(held.join(", "));
        row.path = Fact::derived(host.shown(ini));
        row.cure = Fact::derived(restart(instance.link.job.known().map(AsRef::as_ref)));
        Differing { row: Arc::new(row), hop: Some("upstream-socket") }
    };
    instance.uwsgi.sockets.iter().filter(differs).map(of_socket).collect()
}

/// The folder that uWSGI went into by a link that leads elsewhere now: the code that it loaded is that of an earlier release.
fn release(host: &dyn Host, instance: &Instance, process: &Process) -> Option<Differing> {
    let chdir = &instance.uwsgi.uwsgi.chdir;
    let folder = chdir.known().filter(|_| !process.apart.iter().any(|space| *space != Space::Network))?;
    let leads_to = host.real_path(folder).ok()?;
    let had = process.cwd.as_ref().ok()?;
    let in_it = had.trim_end_matches(" (deleted)");
    let parent = |path: &str| path.rsplit_once('/').map(|(parent, _)| parent.to_owned());
    // An app may go elsewhere by itself; releases lie side by side.
    let is_other = in_it != leads_to && parent(in_it) == parent(&leads_to);
    if !is_other || leads_to == folder.trim_end_matches('/') {
        return None;
    }
    let mut row = Difference::of("release", "code", process.pid, chdir.place?);
    row.written = Fact::derived(leads_to);
    row.running = Fact::derived(had.clone());
    row.path = Fact::derived(folder.clone());
    row.cure = Fact::derived(restart(instance.link.job.known().map(AsRef::as_ref)));
    Some(Differing { row: Arc::new(row), hop: Some("release") })
}

/// The addresses that nginx's workers connect to, by its log, and that its files do not name any more.
fn upstreams(seen: &Seen<'_>) -> Vec<Differing> {
    let passes = &seen.stack.nginx.passes;
    let mut all: Vec<Differing> = Vec::new();
    for (file, error) in seen.nginx.errors.iter().rev() {
        let Some((address, worker)) = upstream(error).zip(worker_of(error, seen.found)) else { continue };
        let server = error.server.as_ref().map(|server| server.value.as_str());
        let of_server = |pass: &&Arc<Pass>| {
            let names = pass.server_names.known();
            names.is_some_and(|names| server.is_none_or(|server| names.iter().any(|name| name == server)))
        };
        let mut candidates = passes.iter().filter(of_server).peekable();
        // A variable or a name can lead to any address.
        let is_open = candidates.clone().any(|pass| pass.address.known().is_none_or(|known| !is_literal(known)));
        let Some(pass) = candidates.peek().filter(|_| !is_open) else { continue };
        let is_named = |pass: &Arc<Pass>| pass.address.known().is_some_and(|known| known == address);
        let is_told = |one: &Differing| one.row.place == pass.place;
        if passes.iter().any(is_named) || all.iter().any(is_told) {
            continue;
        }
        let mut row = Difference::of("nginx", "upstream", worker, pass.place);
        row.written = pass.address.clone();
        row.running = Fact::read(address.to_owned(), Place::at(*file, error.message.span));
        row.path = Fact::derived(seen.sources.get(pass.place.file).name.clone());
        row.cure = Fact::derived("sudo nginx -t && sudo nginx -s reload".to_owned());
        all.push(Differing { row: Arc::new(row), hop: Some("upstream-socket") });
    }
    all
}

/// The address in `uwsgi://unix:/run/app.sock:` or `http://127.0.0.1:8000/path`, where nginx could not connect to it.
fn upstream(error: &NginxError) -> Option<&str> {
    let tried = error.message.value.contains("while connecting to upstream");
    let (scheme, rest) = error.upstream.as_ref().filter(|_| tried)?.value.split_once("://")?;
    if !matches!(scheme, "uwsgi" | "http" | "https") {
        return None;
    }
    match rest.strip_prefix("unix:") {
        Some(path) => Some(path.split(':').next().unwrap_or(path)),
        None => Some(rest.split('/').next().unwrap_or(rest)),
    }
}

/// The worker that wrote a line, where it runs still: what it connects to is what it has read.
fn worker_of(error: &NginxError, found: &[Found]) -> Option<i32> {
    let pid = i32::try_from(error.pid?).ok()?;
    let is_it = |one: &&Found| one.program == Program::Nginx && one.process.pid == pid;
    found.iter().find(is_it).map(|one| one.process.pid)
}

fn is_literal(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    address.starts_with('/') || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
}

impl Differing {
    /// What to say of the hop that it breaks.
    pub(super) fn label(&self) -> Option<Label> {
        let running = self.row.running.known()?;
        let place = self.row.running.place.unwrap_or(self.row.place);
        Some(Label { place, text: format!("the running process has {running}") })
    }

    /// Whether its line stands in one of these passes.
    pub(super) fn is_at(&self, key: &str, passes: &[Arc<Pass>]) -> bool {
        let overlaps =
            |one: Option<Span>, other: Option<Span>| one.zip(other).is_some_and(|(a, b)| a.overlaps(b) || a == b);
        let place = self.row.place;
        self.row.key == key
            && passes.iter().any(|pass| pass.place.file == place.file && overlaps(pass.place.span, place.span))
    }
}
