//! Where a database is, as far as the code and the process say it: one text, or a table of its parts.

use super::known::{Given, Known, Process};
use super::parts;
use crate::finding::Confidence;
use crate::source::{Place, Span};
use crate::stack::app::address::{Sink, Taker};
use crate::stack::app::value::Value;
use crate::stack::fact::{Fact, Missing};
use crate::syntax::Problem;
use crate::syntax::conninfo::{self, ConnInfo};
use crate::syntax::erb::FILLER;

/// An address; what is out of sight is [`FILLER`] in it.
pub(super) struct Address {
    /// `postgresql`, `postgres`, `mysql` or `mariadb`.
    pub scheme: String,
    /// SQLAlchemy's driver.
    pub driver: Option<String>,
    /// What it says.
    pub info: ConnInfo,
    /// Where it is written.
    pub place: Place,
    /// Where its parts are, where they stand on their own.
    pub parts: Parts,
    /// The variable that it comes from as a whole.
    pub variable: Option<Given>,
    /// The variables that it is put together from.
    pub variables: Vec<Taken>,
    /// How it is written.
    pub source: Source,
    /// Whether host or port are out of sight.
    pub server_unknown: bool,
    /// What is out of sight, where something is.
    pub missing: Option<Missing>,
    /// What is wrong with its login.
    pub problem: Option<Problem>,
    /// How sure it is that the process has this one.
    pub sure: Confidence,
}

/// The places of its parts.
#[derive(Default)]
pub(super) struct Parts {
    pub scheme: Option<Place>,
    pub host: Option<Place>,
    pub port: Option<Place>,
    pub user: Option<Place>,
    pub password: Option<Place>,
    pub name: Option<Place>,
    pub sslmode: Option<Place>,
}

/// A variable that an address is put together from, and what of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its name.
    pub name: String,
    /// What it gives.
    pub part: Part,
}

/// What of an address matters at which stage of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Host or port.
    Server,
    /// User or password.
    Login,
    /// The database's name.
    Name,
    /// Anything else, or all of it.
    Other,
}

/// How an address is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// One text.
    Text,
    /// SQLAlchemy's `URL.create`.
    Url,
    /// A table of Django's `DATABASES`.
    Django,
    /// The arguments of a driver.
    Arguments,
}

impl Source {
    /// What to write so that the server is verified.
    pub fn verify_cure(self) -> &'static str {
        match self {
            Self::Text => "`?sslmode=verify-full&sslrootcert=/path/of/the/authority.pem` at the end of the address",
            Self::Url => {
                "`query={'sslmode': 'verify-full', 'sslrootcert': '/path/of/the/authority.pem'}` in `URL.create`"
            }
            Self::Django => {
                "`'OPTIONS': {'sslmode': 'verify-full', 'sslrootcert': '/path/of/the/authority.pem'}` beside HOST"
            }
            Self::Arguments => "`sslmode='verify-full', sslrootcert='/path/of/the/authority.pem'` in the call",
        }
    }
}

impl Address {
    /// A part of it: unknown where it is out of sight.
    pub fn fact(&self, part: Option<String>, place: Place) -> Fact<String> {
        match part {
            Some(text) if text.contains(FILLER) => self.out_of_sight().at(place),
            Some(text) => Fact::read(text, place),
            None if self.server_unknown && self.source == Source::Text => self.out_of_sight(),
            None => Fact::absent(),
        }
    }

    /// What is said of the way its login is written: unknown where the password is, and nothing where it stands apart.
    pub fn of_login(&self, words: Option<String>) -> Fact<String> {
        let is_open = |text: &str| text.contains(FILLER);
        let login_open = self.info.user.as_ref().is_some_and(|user| is_open(&user.value))
            || self.info.password.as_ref().is_some_and(|password| is_open(password.value.reveal()));
        match words {
            _ if self.source != Source::Text => Fact::absent(),
            Some(words) => Fact::read(words, self.place),
            None if login_open || self.server_unknown => self.out_of_sight(),
            None => Fact::absent(),
        }
    }

    /// What is worked out of host and port.
    pub fn place_of_server<T>(&self, make: impl FnOnce() -> T) -> Fact<T> {
        if self.server_unknown { self.out_of_sight() } else { Fact::read(make(), self.place) }
    }

    /// What the process logs in to PostgreSQL with; `None` where it is another database, or some of it is out of sight.
    pub fn login(&self) -> Option<ConnInfo> {
        let is_postgres = matches!(self.scheme.as_str(), "postgresql" | "postgres");
        let is_known = self.missing.is_none() && !texts_of(&self.info).any(|text| text.contains(FILLER));
        (is_postgres && is_known).then(|| self.info.clone())
    }

    fn out_of_sight<T>(&self) -> Fact<T> {
        let unsaid = || Missing::new("the whole address of the database", "look at what gives it to the process");
        Fact::unknown(self.missing.clone().unwrap_or_else(unsaid))
    }
}

/// Every value of a connection string.
fn texts_of(info: &ConnInfo) -> impl Iterator<Item = &str> {
    let parts = [&info.user, &info.dbname, &info.sslmode].into_iter().flatten().map(|part| part.value.as_str());
    let hosts = info.hosts.iter().map(|host| host.name.value.as_str());
    let options = info.options.iter().map(|(_, value)| value.value.as_str());
    parts.chain(hosts).chain(options).chain(info.password.iter().map(|password| password.value.reveal()))
}

/// The address of a sink; `None` where it is of no database that is known here, or where that is out of sight.
pub(super) fn of(sink: &Sink, process: Process<'_>) -> Option<Address> {
    of_value(&sink.value, sink, process)
}

fn of_value(value: &Value, sink: &Sink, process: Process<'_>) -> Option<Address> {
    match value {
        Value::Table(table) => parts::address(table, sink.taker, false, sink.place, process),
        Value::Composed(table) => parts::address(table, sink.taker, true, sink.place, process),
        // What a helper makes of a variable, put over a table: the table stays where there is no variable.
        Value::Either(left, right) if matches!(**left, Value::Parsed(..)) => {
            let left_known = process.known(left);
            let counts = left_known.missing.is_some() || left_known.text.is_some_and(|text| !text.is_empty());
            of_value(if counts { left } else { right }, sink, process)
        }
        Value::Parsed(_, false) => of_text(process.known(value), is_whole(value), sink).map(|mut found| {
            // A mode of its own would stand in the options as well.
            found.info.sslmode = None;
            found.info.set_default("sslmode", &FILLER.to_string());
            found
        }),
        value => of_text(process.known(value), is_whole(value), sink),
    }
}

/// Whether a value is one variable, whatever is changed in it.
fn is_whole(value: &Value) -> bool {
    match value {
        Value::Variable(_) => true,
        Value::Parsed(inner, _) | Value::Replaced(inner, ..) => is_whole(inner),
        Value::Either(left, _) => is_whole(left),
        _ => false,
    }
}

fn of_text(known: Known, whole: bool, sink: &Sink) -> Option<Address> {
    let text = known.text?;
    let parsed = conninfo::parse(&text);
    let info = parsed.tree;
    let scheme = match (&info.scheme, sink.taker) {
        (Some(scheme), _) => plain_scheme(&scheme.value)?.to_owned(),
        // libpq's `host=… dbname=…`
        (None, Taker::Postgres) if text.contains('=') => "postgresql".to_owned(),
        (None, _) => return None,
    };
    let (parts, variables) = if whole { of_whole(&known.given) } else { of_pieces(&info, &known.given) };
    let variable = known.given.into_iter().next().filter(|_| whole);
    Some(Address {
        driver: info.driver.as_ref().map(|driver| driver.value.clone()),
        place: variable.as_ref().map_or(sink.place, |given| given.line),
        server_unknown: server(&text).contains(FILLER),
        problem: parsed.problems.into_iter().find(|problem| problem.kind == "database/url-not-encoded"),
        parts,
        source: Source::Text,
        missing: known.missing,
        sure: known.sure,
        scheme,
        info,
        variable,
        variables,
    })
}

fn of_whole(given: &[Given]) -> (Parts, Vec<Taken>) {
    let taken = given.iter().map(|given| Taken { name: given.name.clone(), part: Part::Other });
    (Parts::default(), taken.collect())
}

/// The lines that give the parts of a text that is put together, and which variables they are.
fn of_pieces(info: &ConnInfo, given: &[Given]) -> (Parts, Vec<Taken>) {
    let gives = |given: &Given, span: Span| {
        given.span.start < span.end as usize && given.span.end > span.start as usize && span != Span::default()
    };
    let line = |span: Span| given.iter().find(|given| gives(given, span)).map(|given| given.line);
    let hosts = || info.hosts.iter().map(|host| host.name.span);
    let ports = || info.hosts.iter().filter_map(|host| host.port.as_ref()).map(|port| port.span);
    let user = info.user.as_ref().map(|user| user.span);
    let password = info.password.as_ref().map(|password| password.span);
    let name = info.dbname.as_ref().map(|name| name.span);
    let parts = Parts {
        host: hosts().find_map(line),
        port: ports().find_map(line),
        user: user.and_then(line),
        password: password.and_then(line),
        name: name.and_then(line),
        ..Parts::default()
    };
    let is_server = |given: &Given| hosts().chain(ports()).any(|span| gives(given, span));
    let is_login = |given: &Given| user.into_iter().chain(password).any(|span| gives(given, span));
    let part = |given: &Given| match () {
        () if is_server(given) => Part::Server,
        () if is_login(given) => Part::Login,
        () if name.is_some_and(|span| gives(given, span)) => Part::Name,
        () => Part::Other,
    };
    (parts, given.iter().map(|given| Taken { name: given.name.clone(), part: part(given) }).collect())
}

/// The scheme as facts name it; also those of dj-database-url. `None` for other databases.
pub fn plain_scheme(scheme: &str) -> Option<&str> {
    match scheme {
        "postgres" | "postgresql" | "mysql" | "mariadb" => Some(scheme),
        "postgis" | "pgsql" | "psql" | "timescale" => Some("postgresql"),
        "mysql2" | "mysqlgis" => Some("mysql"),
        _ => None,
    }
}

/// The part of an address that names host and port; all of it where it is of another form.
fn server(text: &str) -> &str {
    let Some((_, rest)) = text.split_once("://") else { return text };
    let end = rest.rfind('@').map_or(0, |at| at + 1);
    let rest = rest.get(end..).unwrap_or_default();
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}
