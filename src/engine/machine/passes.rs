//! What happens where nginx passes requests on: each address is connected to once, as nginx's workers would.

use std::collections::BTreeMap;

use crate::engine::machine::Visit;
use crate::host::{Connect, FileKind, Host, Identity, Process, ReadError, Space, connect};
use crate::source::{Origin, Place, Sources, Span};
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::link::PassLink;
use crate::stack::process::{self, Found, Program};

/// Connects, and remembers what was seen by address.
pub(super) struct Prober<'a> {
    host: &'a dyn Host,
    visit: &'a Visit,
    found: &'a [Found],
    seen: BTreeMap<(String, String), (Connect, Place)>,
}

/// How to see what is hidden from this user.
pub(super) const SUDO: &str = "run with sudo";

/// Somebody who connects, with a name to say so.
struct Caller {
    name: String,
    identity: Identity,
    /// What it has of its own, and its process; nothing where none runs.
    apart: Vec<Space>,
    pid: i32,
}

impl Caller {
    fn of(name: String, process: &Process) -> Self {
        Self { name, identity: process.into(), apart: process.apart.clone(), pid: process.pid }
    }

    /// The path by which housecall opens what the caller opens as `path`.
    fn sees(&self, path: &str) -> String {
        let own = self.apart.contains(&Space::Mounts) || self.apart.contains(&Space::Root);
        if own { format!("/proc/{}/root{path}", self.pid) } else { path.to_owned() }
    }
}

impl<'a> Prober<'a> {
    pub(super) fn new(host: &'a dyn Host, visit: &'a Visit, found: &'a [Found]) -> Self {
        Self { host, visit, found, seen: BTreeMap::new() }
    }

    /// Fills in what only a host can tell of a pass.
    pub(super) fn fill(&mut self, link: &mut PassLink, sources: &mut Sources) {
        let Some(pass) = link.pass.known().cloned() else { return };
        link.master_runs = self.master_runs(link);
        let Some(address) = pass.address.known().cloned() else {
            let unknown = || Missing::new("the address that nginx connects to", "write it out in the configuration");
            link.connects = Fact::unknown(unknown());
            link.listened = Fact::unknown(unknown());
            return;
        };
        link.listened = self.listened(&address);
        if !self.visit.network {
            link.connects = Fact::unknown(Missing::new("what connecting shows", "leave --no-network out"));
            return;
        }
        let caller = self.caller(pass.user.known().map(AsRef::as_ref));
        if let Some(caller) = caller.as_ref().filter(|one| one.apart.contains(&Space::Network))
            && !address.starts_with('/')
        {
            let what = "what answers in the network of nginx, which is not the one of this shell";
            let how = format!("run housecall there: sudo nsenter --net --target {} housecall doctor", caller.pid);
            link.connects = Fact::unknown(Missing::new(what, how));
            return;
        }
        let (seen, place) = self.connect(&address, caller.as_ref(), sources);
        link.connects = match seen {
            Connect::Hidden(words) => Fact::unknown(Missing::new(words, SUDO)).at(place),
            Connect::Other(words) => Fact::unknown(Missing::new(words, "run it again")).at(place),
            seen => Fact::read(seen.word().to_owned(), place),
        };
        // Somebody answers here, so no other socket is meant.
        if link.connects.known().is_some_and(|word| word == Connect::Ok.word()) {
            link.other_socket = Fact::absent();
        }
        let denied = || {
            let caller = caller.as_ref()?;
            self.host.access(&caller.sees(&address), &caller.identity).because(&caller.name, self.host)
        };
        if link.connects.known().is_some_and(|seen| seen == "missing") {
            link.other_mounts = self.other_mounts(link, &address, caller.as_ref());
        }
        link.denied_because = denied().map_or_else(Fact::absent, |words| Fact::derived(words).at(place));
    }

    /// Whose own mounts hide a socket that is there for uWSGI, and not where nginx looks.
    fn other_mounts(&self, link: &PassLink, address: &str, caller: Option<&Caller>) -> Fact<String> {
        let ini = link.socket.known().and_then(|socket| socket.uwsgi.known()).and_then(|uwsgi| uwsgi.path.known());
        let Some(ini) = ini.filter(|_| address.starts_with('/')) else { return Fact::absent() };
        let master = process::masters_of(self.host, self.found, ini).next();
        let has_own = |spaces: &[Space]| spaces.contains(&Space::Mounts);
        let (who, path) = match master.map(|one| &one.process) {
            Some(process) if has_own(&process.apart) => ("uWSGI", format!("/proc/{}/root{address}", process.pid)),
            Some(_) if caller.is_some_and(|caller| has_own(&caller.apart)) => ("nginx", address.to_owned()),
            _ => return Fact::absent(),
        };
        match self.host.stat(&path) {
            Ok(stat) if stat.kind == FileKind::Socket => Fact::derived(who.to_owned()),
            Ok(_) | Err(ReadError::NotFound) => Fact::absent(),
            // The table of sockets has the path that it was bound by.
            Err(_) if link.listened.known() == Some(&true) => Fact::derived(who.to_owned()),
            Err(_) => Fact::unknown(Missing::new(format!("whether {address} is there for uWSGI"), SUDO)),
        }
    }

    /// Connects once, and keeps as a text what happened.
    pub(super) fn connect_tcp(&mut self, address: &str, sources: &mut Sources) -> (Connect, Place) {
        self.connect(address, None, sources)
    }

    fn connect(&mut self, address: &str, caller: Option<&Caller>, sources: &mut Sources) -> (Connect, Place) {
        let caller = caller.filter(|_| address.starts_with('/'));
        let name = caller.map(|caller| caller.name.clone()).unwrap_or_default();
        let key = (address.to_owned(), name);
        if let Some(known) = self.seen.get(&key) {
            return known.clone();
        }
        let seen = match (address.starts_with('/'), address.rsplit_once(':')) {
            (true, _) => match caller {
                Some(caller) => connect::unix_as(self.host, &caller.sees(address), &caller.identity),
                None => self.host.connect_unix(address),
            },
            (false, Some((host, port))) => match port.parse() {
                Ok(port) => self.host.connect_tcp(host, port),
                Err(_) => Connect::Other("this is no port".to_owned()),
            },
            (false, None) => Connect::Other("this address has no port".to_owned()),
        };
        let probe = match caller {
            Some(caller) => format!("connect {address} as {}", caller.name),
            None => format!("connect {address}"),
        };
        let text = words(&seen).to_owned();
        let span = Span::new(0, text.len());
        let place = Place::at(sources.add(probe, format!("{text}\n").into_bytes(), Origin::Probe), span);
        self.seen.insert(key, (seen.clone(), place));
        (seen, place)
    }

    /// nginx's workers where some run, else the user it is told to run as.
    fn caller(&self, user: Option<&str>) -> Option<Caller> {
        let users = self.host.users().unwrap_or_default();
        let masters = || self.found.iter().filter(|one| one.program == Program::Nginx && one.master);
        let of_this = |conf: &Option<String>| self.visit.nginx_conf.is_none() || *conf == self.visit.nginx_conf;
        let mut workers = self.found.iter().filter(|one| one.program == Program::Nginx && !one.master);
        let worker =
            workers.find(|one| masters().any(|head| head.process.pid == one.process.ppid && of_this(&head.config)));
        if let Some(worker) = worker {
            let name = users.iter().find(|user| user.uid == worker.process.uid).map(|user| user.name.clone());
            let name = name.or_else(|| user.map(str::to_owned)).unwrap_or_else(|| worker.process.uid.to_string());
            return Some(Caller::of(name, &worker.process));
        }
        let user = users.iter().find(|known| Some(known.name.as_str()) == user)?;
        Some(Caller { name: user.name.clone(), identity: user.into(), apart: Vec::new(), pid: 0 })
    }

    fn listened(&self, address: &str) -> Fact<bool> {
        let hidden = |what: &str| Fact::unknown(Missing::new(what.to_owned(), SUDO));
        if address.starts_with('/') {
            let real = self.host.real_path(address).unwrap_or_else(|_| address.to_owned());
            return match self.host.unix_sockets() {
                Ok(sockets) => Fact::derived(
                    sockets.iter().any(|socket| socket.listening && (socket.path == address || socket.path == real)),
                ),
                Err(_) => hidden("the table of unix sockets"),
            };
        }
        let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        match (self.host.listeners(), port) {
            (Ok(listeners), Some(port)) => Fact::derived(listeners.iter().any(|listener| listener.port == port)),
            _ => hidden("the table of listening sockets"),
        }
    }

    fn master_runs(&self, link: &PassLink) -> Fact<bool> {
        let socket = link.socket.known().or(link.other_socket.known());
        let ini = socket.and_then(|socket| socket.uwsgi.known()).and_then(|uwsgi| uwsgi.path.known());
        let runs = match (ini, &link.socket.answer) {
            (Some(ini), _) => process::master_runs(self.host, self.found, ini),
            (None, Answer::Known(_)) => None,
            (None, _) => (!self.found.iter().any(|one| one.program == Program::Uwsgi)).then_some(false),
        };
        match runs {
            Some(runs) => Fact::derived(runs),
            None => Fact::unknown(Missing::new("which uWSGI process serves this ini", SUDO)),
        }
    }
}

/// What happened, in a few words.
pub(super) fn words(seen: &Connect) -> &str {
    match seen {
        Connect::Ok => "accepted",
        Connect::Missing => "missing: no such file or name",
        Connect::Refused => "refused: nobody listens",
        Connect::Denied => "denied: permission denied",
        Connect::TimedOut => "no answer in time",
        Connect::Full => "full: the listen queue takes no more",
        Connect::Hidden(_) => "this user may not connect; root may",
        Connect::Other(words) => words,
    }
}
