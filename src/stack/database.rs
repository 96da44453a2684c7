//! The databases the app is told to use: what their addresses say, and what connecting to them showed.

use crate::finding::Confidence;
use crate::rows;
use crate::source::Place;
use crate::stack::app::address::{Sink, Taker};
use crate::stack::env::{EnvRead, Layers};
use crate::stack::fact::Fact;
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
        #[doc = "host and port, or the socket's folder; never the password"]
        address: String,
        #[doc = "the database's name"]
        name: String,
        #[doc = "the user that logs in"]
        user: String,
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
        self.waiting = Fact::absent();
        self.without_pooler();
    }

    /// Nothing is seen to stand in between.
    pub fn without_pooler(&mut self) {
        (self.pooler, self.pooler_pid, self.pooler_server) = (Fact::absent(), Fact::absent(), Fact::absent());
    }
}

/// The addresses that an app uses at import: those in its code, and those in the variables that it reads and the process has.
pub fn of_app(sinks: &[Sink], reads: &[EnvRead], layers: &Layers, requirements: &Requirements) -> Vec<Database> {
    let mut rows = Vec::new();
    for sink in sinks.iter().filter(|sink| sink.literal.is_some()) {
        let place = Place::at(sink.file, sink.span);
        let text = sink.literal.as_deref().unwrap_or_default();
        rows.extend(row(text, place, None, sink, requirements, Confidence::Proved));
    }
    for read in reads {
        let Some(name) = read.name.known() else { continue };
        let Some(sink) = sinks.iter().find(|sink| sink.is_fed_by(read.place)) else { continue };
        if let Some(given) = layers.line(name) {
            let Some(value) = given.value.known() else { continue };
            let place = given.value.place.unwrap_or(given.place);
            let sure = read.confidence.min(given.confidence);
            let Some(mut row) = row(value, place, Some(name), sink, requirements, sure) else { continue };
            row.variable = row.variable.via(read.place, "the app takes it from here");
            rows.push(row);
        } else if read.provided.known() == Some(&false)
            && let (Some(text), Some(place)) = (read.default_text.known(), read.default_text.place)
        {
            rows.extend(row(text, place, Some(name), sink, requirements, read.confidence));
        }
    }
    rows
}

fn row(
    text: &str,
    place: Place,
    variable: Option<&str>,
    sink: &Sink,
    requirements: &Requirements,
    sure: Confidence,
) -> Option<Database> {
    let parsed = conninfo::parse(text);
    let info = parsed.tree;
    let scheme = info.scheme.as_ref()?.value.clone();
    if !matches!(scheme.as_str(), "postgres" | "postgresql" | "mysql" | "mariadb") {
        return None;
    }
    let mut row = Database::at(place);
    row.without_host();
    row.key.clone_from(&scheme);
    row.confidence = sure;
    row.variable = Fact::read(variable.unwrap_or("the code").to_owned(), place);
    row.scheme = Fact::read(scheme.clone(), place);
    row.driver = known(info.driver.as_ref().map(|driver| driver.value.clone()), place);
    row.name = known(info.dbname_or_user().map(str::to_owned), place);
    row.user = known(info.user.as_ref().map(|user| user.value.clone()), place);
    row.by_sqlalchemy = Fact::derived(sink.taker == Taker::SqlAlchemy);
    row.scheme_refused = match (scheme.as_str(), sink.mended) {
        ("postgres", false) => requirements.refuses_postgres(),
        _ => Fact::derived(false),
    };
    drivers(&mut row, &scheme, requirements);
    let problem = parsed.problems.iter().find(|problem| problem.kind == "database/url-not-encoded");
    row.not_encoded = known(problem.map(|problem| problem.message.clone()), place);
    row.encoding = known(problem.and_then(|problem| problem.hint.clone()), place);
    row.address = Fact::read(shown(&info), place);
    row.remote_host = known(remote(&info), place);
    row.sslmode = match &info.sslmode {
        Some(mode) => Fact::read(mode.value.clone(), place),
        None => Fact { place: Some(place), ..Fact::default_of(conninfo::DEFAULT_SSLMODE.to_owned()) },
    };
    Some(row)
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

fn shown(info: &ConnInfo) -> String {
    let one = |host: &conninfo::Host| match host.is_socket() {
        true => host.name.value.clone(),
        false => format!("{}:{}", host.name.value, host.port_or_default()),
    };
    info.hosts.iter().map(one).collect::<Vec<_>>().join(", ")
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
