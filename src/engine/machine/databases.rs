//! The databases that the app is told to use: each connection string is tried once, stage by stage, as the app would.

use crate::diagnosis::{Reason, State};
use crate::engine::machine::Visit;
use crate::engine::machine::addresses::{self, Address};
use crate::engine::machine::libpq::{self, NoPassword};
use crate::engine::machine::pooler::{self, Pooler};
use crate::finding::{Confidence, Finding, Label};
use crate::host::{Connect, Failure, Host, Login, NoAddress, SslMode, Stage, Target, User};
use crate::source::{Origin, Place, Sources, Span};
use crate::stack::assemble::Instance;
use crate::stack::database::{Database, Part, Taken};
use crate::stack::fact::Fact;
use crate::stack::server::{self, DatabaseServer, Limit};
use crate::syntax::conninfo::{self, ConnInfo};

/// The hops of a connection, in the order of [`Stage::ALL`].
pub(super) const HOPS: [&str; 5] = ["dns", "tcp", "tls", "login", "query"];

/// One database of an instance with what trying it showed.
#[derive(Debug, Clone)]
pub(super) struct Tried {
    /// Its row.
    pub(super) row: Database,
    /// How each of [`HOPS`] fares.
    pub(super) states: [State; 5],
    /// What shows it.
    pub(super) evidence: Label,
    /// Where it is, for people.
    pub(super) address: String,
    /// What stands in between.
    pub(super) pooler: Option<Pooler>,
    /// The variables that its address is put together from.
    pub(super) variables: Vec<Taken>,
}

impl Tried {
    /// Whether a finding is about it.
    pub(super) fn is_of(&self, finding: &Finding) -> bool {
        self.row.place == finding.primary.place || finding.related.contains(&self.evidence)
    }

    /// Whether a variable is a part of its address.
    pub(super) fn takes(&self, variable: &str) -> bool {
        self.variables.iter().any(|taken| taken.name == variable)
    }

    /// The hop at which the connection ended, where it failed.
    pub(super) fn ended_at(&self) -> Option<&'static str> {
        if self.row.failure.known().is_some_and(|class| class == pooler::CLASS) {
            return Some(pooler::HOP);
        }
        let at = self.states.iter().position(|state| *state == State::Broken)?;
        HOPS.get(at).copied()
    }
}

/// Tries addresses, each once.
pub(super) struct Prober<'a> {
    host: &'a dyn Host,
    visit: &'a Visit,
    seen: Vec<(Attempt, Outcome)>,
}

/// What an attempt rests on: a second one would show the same.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attempt {
    target: Target,
    elsewhere: Option<Failure>,
    no_password: NoPassword,
}

/// What trying one address showed.
#[derive(Debug, Clone)]
struct Outcome {
    states: [State; 5],
    failure: Option<Failure>,
    /// How many of the app's sessions wait for a lock.
    waiting: Option<u32>,
    /// How many connections the server takes.
    limit: Option<i64>,
    pooler: Option<Pooler>,
    place: Place,
}

impl<'a> Prober<'a> {
    pub(super) fn new(host: &'a dyn Host, visit: &'a Visit) -> Self {
        Self { host, visit, seen: Vec::new() }
    }

    /// Every PostgreSQL that the app of an instance logs in to, as far as its addresses are known.
    ///
    /// `user` is the one that the app runs as; `other_names` says why a name need not lead there for the app.
    pub(super) fn of(
        &mut self,
        instance: &Instance,
        (user, other_names): (Option<&User>, Option<&str>),
        sources: &mut Sources,
    ) -> Vec<Tried> {
        let variables = libpq::variables(&instance.layers);
        let around = libpq::Around { host: self.host, layers: &instance.layers, user };
        let mut all = Vec::new();
        for address in addresses::of(instance) {
            let (info, elsewhere) = match around.with_service(address.info.clone(), sources) {
                Ok(info) => (info, None),
                Err(failure) => (address.info.clone(), Some(failure)),
            };
            let (info, no_password) = around.with_password(around.completed(info, &variables), sources);
            confide(&info, sources);
            let by_name = info.hosts.iter().any(|host| !host.is_socket() && !is_address(&host.name.value));
            let elsewhere = elsewhere.or_else(|| other_names.filter(|_| by_name).map(of_other_names));
            let attempt = Attempt { target: self.numbered(self.target(&info)), elsewhere, no_password };
            let known = self.seen.iter().find(|(known, _)| *known == attempt).map(|(_, outcome)| outcome.clone());
            let outcome = known.unwrap_or_else(|| self.attempt(&info, &attempt, sources));
            all.push(tried(&address, &info, &outcome));
            self.seen.push((attempt, outcome));
        }
        all
    }

    /// Tries it, unless only something elsewhere knows the way.
    fn attempt(&self, info: &ConnInfo, attempt: &Attempt, sources: &mut Sources) -> Outcome {
        let Attempt { target, elsewhere, no_password } = attempt;
        let over_tcp = info.hosts.iter().any(|host| !host.is_socket());
        let not_asked = State::Unknown(Reason::NotAsked);
        let (login, last) = match (self.visit.network, self.visit.login && !target.user.is_empty()) {
            (false, _) => (Login::default(), None),
            _ if elsewhere.is_some() => (Login { failure: elsewhere.clone(), ..Login::default() }, Some(Stage::Query)),
            (true, true) => (self.host.login(target), Some(Stage::Query)),
            (true, false) => (Login { failure: self.reach(target), ..Login::default() }, Some(Stage::Tcp)),
        };
        let pooler = pooler::of(self.host, info, sources).filter(|_| self.visit.network);
        let failure = login.failure.map(|failure| no_password.judged(failure));
        let failure = failure.map(|failure| match pooler.as_ref().and_then(|pooler| pooler.explains(&failure)) {
            Some(behind) => behind,
            None => failure,
        });
        let waiting = login.server.as_ref().and_then(|server| server.waiting);
        // What a pooler passes on is the limit of the server behind it.
        let limit = login.server.as_ref().and_then(|server| server.limit).filter(|_| pooler.is_none());
        let states = std::array::from_fn(|at| {
            let stage = Stage::ALL[at];
            let skipped = match stage {
                Stage::Name => info.hosts.iter().all(|host| host.is_socket() || is_address(&host.name.value)),
                Stage::Tls => last == Some(Stage::Query) && failure.is_none() && !login.tls || !over_tcp,
                _ => false,
            };
            match &failure {
                _ if last.is_none_or(|last| stage > last) => not_asked.clone(),
                _ if skipped => State::NotApplicable,
                None if stage == Stage::Query && waiting.is_some_and(|sessions| sessions > 0) => State::Degraded,
                None => State::Ok,
                Some(failure) if failure.class == pooler::CLASS && stage >= Stage::Login => {
                    State::Unknown(Reason::MaskedBy(pooler::HOP.to_owned()))
                }
                Some(failure) if stage < failure.at => State::Ok,
                Some(failure) if stage > failure.at => State::Unknown(Reason::MaskedBy(hop(failure.at).to_owned())),
                Some(failure) if !failure.proved => State::Unknown(Reason::NoEvidence),
                Some(_) => State::Broken,
            }
        });
        let probe = format!("connect to PostgreSQL at {}", address(info));
        let (text, span) = transcript(&states, failure.as_ref(), waiting, limit);
        let place = Place::at(sources.add(probe, text.into_bytes(), Origin::Probe), span);
        Outcome { states, failure, waiting, limit, pooler, place }
    }

    /// Name and connection only: the first host that accepts decides, as for libpq.
    fn reach(&self, target: &Target) -> Option<Failure> {
        let mut first_failure = None;
        for (host, port) in &target.hosts {
            let failure = self.reach_one(host, *port)?;
            first_failure.get_or_insert(failure);
        }
        first_failure
    }

    /// Why one host cannot be reached; what was not tried, or not as the app's user, proves nothing.
    fn reach_one(&self, host: &str, port: u16) -> Option<Failure> {
        let failure = |at, class: &'static str, said: String| Failure { at, class: class.into(), said, proved: true };
        if host.starts_with(['/', '@']) {
            let path = format!("{host}/.s.PGSQL.{port}");
            return match self.host.connect_unix(&path) {
                Connect::Ok => None,
                Connect::Missing => Some(failure(Stage::Tcp, "unix.missing", format!("{path}: missing"))),
                Connect::Refused => Some(failure(Stage::Tcp, "unix.refused", format!("{path}: refused"))),
                other => {
                    let said = format!("{path}: {}", other.word());
                    Some(Failure { proved: false, ..failure(Stage::Tcp, "unix.unreachable", said) })
                }
            };
        }
        match self.host.resolve(host) {
            Err(NoAddress::NoSuchName) => {
                return Some(failure(Stage::Name, "dns.nxdomain", "name or service not known".to_owned()));
            }
            Err(NoAddress::TimedOut) => {
                let said = "the name service did not answer in time".to_owned();
                return Some(Failure { proved: false, ..failure(Stage::Name, "dns.resolver", said) });
            }
            Err(NoAddress::NoResolver(words)) => return Some(failure(Stage::Name, "dns.resolver", words)),
            Ok(_) => {}
        }
        match self.host.connect_tcp(host, port) {
            Connect::Ok => None,
            Connect::Refused => Some(failure(Stage::Tcp, "tcp.refused", "refused".to_owned())),
            Connect::TimedOut => Some(failure(Stage::Tcp, "tcp.timeout", "no answer in time".to_owned())),
            other => {
                let said = other.word().to_owned();
                Some(Failure { proved: false, ..failure(Stage::Tcp, "tcp.unreachable", said) })
            }
        }
    }

    /// The target with its number among the ways in which its role was tried at this place.
    fn numbered(&self, target: Target) -> Target {
        let place = |target: &Target| (target.hosts.clone(), target.user.clone(), target.dbname.clone());
        let mut number = 0;
        for (known, _) in self.seen.iter().filter(|(known, _)| place(&known.target) == place(&target)) {
            let same = Target { number: known.target.number, ..target.clone() };
            if same == known.target {
                return same;
            }
            number = number.max(known.target.number + 1);
        }
        Target { number, ..target }
    }

    fn target(&self, info: &ConnInfo) -> Target {
        let hosts = info.hosts.iter().map(|host| {
            let name = if host.name.value.is_empty() { conninfo::DEFAULT_SOCKET_FOLDER } else { &host.name.value };
            (name.to_owned(), host.port_or_default())
        });
        let option = |name: &str| info.options.iter().find(|(key, _)| key == name).map(|(_, value)| &value.value);
        Target {
            hosts: hosts.collect(),
            user: info.user.as_ref().map(|user| user.value.clone()).unwrap_or_default(),
            password: info.password.as_ref().map(|password| password.value.reveal().to_owned()),
            dbname: info.dbname_or_user().unwrap_or_default().to_owned(),
            sslmode: sslmode(info.sslmode.as_ref().map_or(conninfo::DEFAULT_SSLMODE, |mode| &mode.value)),
            number: 0,
            root_certificates: option("sslrootcert").and_then(|path| Some(self.host.read(path).ok()?.to_vec())),
        }
    }
}

/// The servers that told their limit, with what the workers that run may open.
pub(super) fn servers(instances: &[Instance], tried: &[Vec<Tried>]) -> Vec<DatabaseServer> {
    server::servers(instances, true, |_, database| limit_of(tried, database))
}

/// What the server of a database said of its limit, to the role that the app logs in as.
fn limit_of(tried: &[Vec<Tried>], database: &Database) -> Option<Limit> {
    let same =
        |row: &&Database| row.address.known() == database.address.known() && row.user.known() == database.user.known();
    let asked = tried.iter().flatten().map(|tried| &tried.row).filter(same);
    let allowed = asked.map(|row| &row.limit).find(|limit| limit.known().is_some())?.clone();
    Some(Limit { program: "PostgreSQL", setting: "max_connections", allowed, sure: Confidence::Proved })
}

/// Keeps a password from being shown, but for one that is the user's or the database's own name: that would hide those.
fn confide(info: &ConnInfo, sources: &mut Sources) {
    let Some(password) = info.password.as_ref().map(|password| password.value.reveal()) else { return };
    let names = [&info.user, &info.dbname].into_iter().flatten();
    if !names.into_iter().any(|name| name.value == password) {
        sources.confide_value(password);
    }
}

/// What stands for an attempt where only the app's own name service knows the way.
fn of_other_names(why: &str) -> Failure {
    Failure { at: Stage::Name, class: "name.elsewhere".into(), said: why.to_owned(), proved: false }
}

fn tried(named: &Address, info: &ConnInfo, outcome: &Outcome) -> Tried {
    let address = address(info);
    let evidence = Label { place: outcome.place, text: "tried just now".to_owned() };
    let part = |fact: &Fact<String>, value: Option<&str>| match value {
        Some(value) => {
            let mut part = named.part(fact, value.to_owned());
            part.trail.push(evidence.clone());
            part
        }
        None => Fact::absent(),
    };
    let mut row = named.row.clone();
    row.without_pooler();
    outcome.pooler.iter().for_each(|pooler| pooler.describe(&mut row));
    row.variable.trail.push(evidence.clone());
    row.name = part(&row.name, info.dbname_or_user());
    row.user = part(&row.user, info.user.as_ref().map(|user| user.value.as_str()));
    row.address = part(&row.address, Some(&address));
    let failure = outcome.failure.as_ref();
    if let Some(names) = failure.and_then(|failure| named.name_for(part_of(failure))) {
        row.variable = row.variable.map(|_| names);
    }
    let of_failure = |words: Option<String>| match words {
        Some(words) => Fact::read(words, outcome.place),
        None => Fact::absent(),
    };
    let failed = failure.map_or("ok", |failure| failure.at.word());
    row.failed_at = Fact::read(failed.to_owned(), outcome.place);
    row.failure = of_failure(failure.map(|failure| failure.class.to_string()));
    row.said = of_failure(failure.map(|failure| said(failure, &address)));
    row.waiting = match outcome.waiting {
        Some(sessions) => Fact::read(sessions.into(), outcome.place),
        None => Fact::absent(),
    };
    row.limit = match outcome.limit {
        Some(connections) => Fact::read(connections, outcome.place),
        None => Fact::absent(),
    };
    let (states, pooler, variables) = (outcome.states.clone(), outcome.pooler.clone(), named.variables.clone());
    Tried { row, states, evidence, address, pooler, variables }
}

/// The part of an address that a failure is about.
fn part_of(failure: &Failure) -> Part {
    match failure.at {
        Stage::Name | Stage::Tcp | Stage::Tls => Part::Server,
        Stage::Login if failure.class == "db.missing" => Part::Name,
        Stage::Login => Part::Login,
        Stage::Query => Part::Other,
    }
}

/// The words without the address, which stands beside them.
fn said(failure: &Failure, address: &str) -> String {
    let words = failure.said.strip_prefix(address).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&failure.said);
    if words == "refused" { "connection refused".to_owned() } else { words.to_owned() }
}

fn hop(stage: Stage) -> &'static str {
    Stage::ALL.iter().position(|known| *known == stage).map_or("query", |at| HOPS[at])
}

/// One line for each stage that was tried, and where the last one stands.
fn transcript(
    states: &[State; 5],
    failure: Option<&Failure>,
    waiting: Option<u32>,
    limit: Option<i64>,
) -> (String, Span) {
    let mut text = String::new();
    let mut last = Span::default();
    for (stage, state) in Stage::ALL.iter().zip(states) {
        let words = match (state, failure) {
            (State::Ok, _) if *stage == Stage::Query && limit.is_some() => {
                format!("ok; it takes {} connections of the app", limit.unwrap_or_default())
            }
            (State::Ok, _) => "ok".to_owned(),
            (State::Degraded, _) => {
                format!("ok; {} of the app's sessions wait for a lock", waiting.unwrap_or_default())
            }
            (State::Broken | State::Unknown(Reason::NoEvidence), Some(failure)) => failure.said.clone(),
            _ => continue,
        };
        let start = text.len();
        text += &format!("{}: {words}", hop(*stage));
        last = Span::new(start, text.len());
        text.push('\n');
    }
    if let Some(failure) = failure.filter(|failure| failure.class == pooler::CLASS) {
        let start = text.len();
        text += &format!("{}: {}", pooler::HOP, failure.said);
        last = Span::new(start, text.len());
        text.push('\n');
    }
    if text.is_empty() {
        text.push_str("not asked\n");
        last = Span::new(0, "not asked".len());
    }
    (text, last)
}

fn address(info: &ConnInfo) -> String {
    let one = |host: &conninfo::Host| match host.is_socket() {
        true if host.name.value.is_empty() => conninfo::DEFAULT_SOCKET_FOLDER.to_owned(),
        true => host.name.value.clone(),
        false => format!("{}:{}", host.name.value, host.port_or_default()),
    };
    info.hosts.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn is_address(name: &str) -> bool {
    name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
}

fn sslmode(word: &str) -> SslMode {
    match word {
        "disable" => SslMode::Disable,
        "allow" => SslMode::Allow,
        "require" => SslMode::Require,
        "verify-ca" => SslMode::VerifyCa,
        "verify-full" => SslMode::VerifyFull,
        _ => SslMode::Prefer,
    }
}
