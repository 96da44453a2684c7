//! The databases the app is told to use: what their addresses say, and what connecting to them showed.

mod address;
mod known;
mod parts;
mod pool;

use address::Address;
pub use address::{Part, Taken, plain_scheme};
use known::Process;

use crate::finding::Label;
use crate::rows;
use crate::source::Place;
use crate::stack::app::address::{Sink, Taker};
use crate::stack::env::{EnvRead, Layers};
use crate::stack::fact::{Answer, Fact};
use crate::stack::requirement::Requirements;
use crate::syntax::conninfo::{self, ConnInfo};

rows! {
    #[doc = "one database, by the connection string the process really has; keyed by scheme"]
    pub struct Database in "databases" {
        #[doc = "the variable or setting the connection string came from"]
        variable: String,
        #[doc = "the scheme as written, such as `postgres`"]
        scheme: String,
        #[doc = "the driver it names: `psycopg2` in `postgresql+psycopg2://`"]
        driver: String,
        #[doc = "whether SQLAlchemy takes the address"]
        by_sqlalchemy: bool,
        #[doc = "whether the SQLAlchemy that is installed refuses the scheme `postgres`, and the app does not replace it"]
        scheme_refused: bool,
        #[doc = "another driver that is installed, where the one that SQLAlchemy takes for this scheme is not"]
        other_driver: String,
        #[doc = "the driver that SQLAlchemy takes where the address names none"]
        default_driver: String,
        #[doc = "what is wrong with the way the login is written"]
        not_encoded: String,
        #[doc = "how to write it"]
        encoding: String,
        #[doc = "the host, where it is another one than this"]
        remote_host: String,
        #[doc = "how TLS is used"]
        sslmode: String,
        #[doc = "what to write so that the server is verified, and where"]
        verify_cure: String,
        #[doc = "host and port, or the socket's folder; never the password"]
        address: String,
        #[doc = "the database's name"]
        name: String,
        #[doc = "the user that logs in"]
        user: String,
        #[doc = "how many connections one process opens as soon as it uses it; absent where as many as it asks for"]
        pool_least: i64,
        #[doc = "how many connections its pool gives to one process at most; absent where each thread gets its own"]
        pool_most: i64,
        #[doc = "on a host: how many connections the server takes of the app, less what it keeps for superusers; absent where it does not tell"]
        limit: i64,
        #[doc = "how far a connection came: `name`, `tcp`, `tls`, `login`, `query`, or `ok`"]
        failed_at: String,
        #[doc = "the class of the failure, such as `tcp.refused` or `auth.rejected`"]
        failure: String,
        #[doc = "what the system or the server said, without secrets"]
        said: String,
        #[doc = "how many sessions of the app have waited for a lock for a second or more; absent where the server does not tell"]
        waiting: i64,
        #[doc = "the pooler that listens at the address, such as `pgbouncer`"]
        pooler: String,
        #[doc = "its process"]
        pooler_pid: i64,
        #[doc = "where it passes the database on to"]
        pooler_server: String,
    }
}

/// MySQL's port where none is given.
const MYSQL_PORT: u16 = 3306;

/// Drivers by scheme: those that serve where the address names none, and others for the same database.
const DRIVERS: [(&str, &[&str], &[&str]); 2] = [
    (
        "postgresql",
        &["psycopg2", "psycopg2-binary", "psycopg2cffi"],
        &["psycopg", "pg8000", "asyncpg", "py-postgresql"],
    ),
    (
        "mysql",
        &["mysqlclient", "mysql-python"],
        &["pymysql", "mysql-connector-python", "mysql-connector", "aiomysql", "asyncmy"],
    ),
];

impl Database {
    /// The row says nothing about how its address is written: another one does.
    pub fn without_address(&mut self) {
        let absent = || Fact::absent();
        (self.scheme, self.driver, self.other_driver, self.default_driver) = (absent(), absent(), absent(), absent());
        (self.not_encoded, self.encoding, self.remote_host, self.sslmode) = (absent(), absent(), absent(), absent());
        self.verify_cure = absent();
        (self.pool_least, self.pool_most) = (Fact::absent(), Fact::absent());
        self.by_sqlalchemy = Fact::derived(false);
        self.scheme_refused = Fact::derived(false);
    }

    /// Says how the login of its address is written.
    pub fn written_as(&mut self, text: &str, place: Place) {
        let parsed = conninfo::parse(text);
        let problem = parsed.problems.iter().find(|problem| problem.kind == "database/url-not-encoded");
        self.scheme = known(parsed.tree.scheme.map(|scheme| scheme.value), place);
        self.not_encoded = known(problem.map(|problem| problem.message.clone()), place);
        self.encoding = known(problem.and_then(|problem| problem.hint.clone()), place);
    }

    /// Nothing was tried: what only a host can show is absent in files, so that no page asks for it.
    fn without_host(&mut self) {
        (self.failed_at, self.failure, self.said) = (Fact::absent(), Fact::absent(), Fact::absent());
        (self.waiting, self.limit) = (Fact::absent(), Fact::absent());
        self.without_pooler();
    }

    /// Nothing is seen to stand in between.
    pub fn without_pooler(&mut self) {
        (self.pooler, self.pooler_pid, self.pooler_server) = (Fact::absent(), Fact::absent(), Fact::absent());
    }
}

/// A database that an app names.
#[derive(Debug, Clone)]
pub struct Named {
    /// What is said of it.
    pub row: Database,
    /// What the process logs in with; `None` where some of it is out of sight, or where it is no PostgreSQL.
    pub login: Option<ConnInfo>,
    /// The variables that its address is put together from.
    pub variables: Vec<Taken>,
    /// Whether it stands in a function that nothing calls at import.
    pub in_function: bool,
}

impl Named {
    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.row.key.as_str(), "postgresql" | "postgres")
    }
}

/// The databases that an app uses: their addresses as they stand in its code, or in the variables that it reads and the process
/// has. What is out of sight of an address is unknown; where nothing tells of what kind the database is there is no row.
pub fn of_app(sinks: &[Sink], reads: &[EnvRead], layers: &Layers, requirements: &Requirements) -> Vec<Named> {
    let process = Process { reads, layers };
    let named = |sink: &Sink| {
        let found = address::of(sink, process)?;
        let row = row(&found, sink, process, requirements);
        Some(Named { row, login: found.login(), variables: found.variables, in_function: sink.in_function })
    };
    let mut all: Vec<Named> = Vec::new();
    for one in sinks.iter().filter_map(named) {
        let is_known = |known: &Named| {
            let (known, row) = (&known.row, &one.row);
            known.place == row.place
                && known.address.answer == row.address.answer
                && known.name.answer == row.name.answer
        };
        if !all.iter().any(is_known) {
            all.push(one);
        }
    }
    all
}

fn row(found: &Address, sink: &Sink, process: Process<'_>, requirements: &Requirements) -> Database {
    let (info, place) = (&found.info, found.place);
    let by_sqlalchemy = sink.taker == Taker::SqlAlchemy;
    let mut row = Database::at(place);
    row.without_host();
    row.key.clone_from(&found.scheme);
    row.confidence = sink.sure.min(found.sure);
    row.variable = match (&found.variable, &sink.name) {
        (Some(given), _) => {
            let variable = Fact::read(given.name.clone(), given.line);
            if given.line == given.read { variable } else { variable.via(given.read, "the app takes it from here") }
        }
        (None, Some(name)) => Fact::read(name.clone(), sink.place),
        (None, None) => Fact::read("the code".to_owned(), place),
    };
    let at = |part: Option<Place>| part.unwrap_or(place);
    row.scheme = Fact::read(found.scheme.clone(), at(found.parts.scheme));
    row.driver = known(found.driver.clone(), at(found.parts.scheme));
    row.name = found.fact(info.dbname_or_user().map(str::to_owned), at(found.parts.name));
    row.user = found.fact(info.user.as_ref().map(|user| user.value.clone()), at(found.parts.user));
    row.by_sqlalchemy = Fact::derived(by_sqlalchemy);
    row.scheme_refused = match (found.scheme.as_str(), !sink.mended) {
        ("postgres", true) => requirements.refuses_postgres(),
        _ => Fact::derived(false),
    };
    drivers(&mut row, &found.scheme, requirements);
    row.not_encoded = found.of_login(found.problem.as_ref().map(|problem| problem.message.clone()));
    row.encoding = found.of_login(found.problem.as_ref().and_then(|problem| problem.hint.clone()));
    row.address = found.place_of_server(|| shown(info, &found.scheme)).at(at(found.parts.host));
    let beside = |fact: &mut Fact<String>, part: Option<Place>, words: &str| {
        let own = fact.place;
        if let Some(place) = part.filter(|part| Some(*part) != own) {
            fact.trail.push(Label { place, text: words.to_owned() });
        }
    };
    beside(&mut row.address, found.parts.port, "the port");
    beside(&mut row.user, found.parts.password, "the password");
    row.remote_host = match found.place_of_server(|| remote(info)) {
        Fact { answer: Answer::Known(host), .. } => known(host, at(found.parts.host)),
        unknown => unknown.map(|_| String::new()),
    };
    row.sslmode = match &info.sslmode {
        Some(mode) => found.fact(Some(mode.value.clone()), at(found.parts.sslmode)),
        None => Fact { place: Some(place), ..Fact::default_of(conninfo::DEFAULT_SSLMODE.to_owned()) },
    };
    (row.pool_least, row.pool_most) = pool::bounds(sink, process);
    row.verify_cure = Fact::derived(found.source.verify_cure().to_owned());
    row
}

fn known(value: Option<String>, place: Place) -> Fact<String> {
    value.map_or_else(Fact::absent, |value| Fact::read(value, place))
}

fn drivers(row: &mut Database, scheme: &str, requirements: &Requirements) {
    let of_scheme = DRIVERS.iter().find(|(own, ..)| *own == scheme.replace("mariadb", "mysql"));
    (row.default_driver, row.other_driver) = match of_scheme {
        Some((_, wanted, others)) => {
            (Fact::derived((*wanted.first().unwrap_or(&"")).to_owned()), requirements.other_driver(wanted, others))
        }
        None => (Fact::absent(), Fact::absent()),
    };
}

/// Host and port of each server that is tried, or the folder of its socket.
fn shown(info: &ConnInfo, scheme: &str) -> String {
    let is_mysql = matches!(scheme, "mysql" | "mariadb");
    let one = |host: &conninfo::Host| match (host.name.value.as_str(), host.is_socket()) {
        ("", _) if is_mysql => "localhost".to_owned(),
        ("", _) => conninfo::DEFAULT_SOCKET_FOLDER.to_owned(),
        (folder, true) => folder.to_owned(),
        (name, false) if is_mysql => format!("{name}:{}", host.port.map_or(MYSQL_PORT, |port| port.value)),
        (name, false) => format!("{name}:{}", host.port_or_default()),
    };
    match info.hosts.as_slice() {
        [] => shown(&ConnInfo { hosts: vec![conninfo::Host::default()], ..ConnInfo::default() }, scheme),
        hosts => hosts.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

/// The first host that is reached over a network that others may share: not a socket, not this host, and not the plain name of
/// a container beside this one.
fn remote(info: &ConnInfo) -> Option<String> {
    let is_far = |name: &str| {
        let is_own = name == "localhost" || name.starts_with("127.") || name == "::1";
        !is_own && (name.contains('.') || name.contains(':'))
    };
    let host = info.hosts.iter().find(|host| !host.is_socket() && is_far(&host.name.value))?;
    info.is_postgres().then(|| host.name.value.clone())
}

#[cfg(test)]
mod tests;
