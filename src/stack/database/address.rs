//! Where a database is, as far as the code and the process say it: one text, or a table of its parts.

use super::known::{Given, Known, Process};
use super::parts;
use crate::finding::Confidence;
use crate::source::Place;
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
    pub user: Option<Place>,
    pub name: Option<Place>,
    pub sslmode: Option<Place>,
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

    fn out_of_sight<T>(&self) -> Fact<T> {
        let unsaid = || Missing::new("the whole address of the database", "look at what gives it to the process");
        Fact::unknown(self.missing.clone().unwrap_or_else(unsaid))
    }
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
    let variable = known.given.into_iter().next().filter(|_| whole);
    Some(Address {
        driver: info.driver.as_ref().map(|driver| driver.value.clone()),
        place: variable.as_ref().map_or(sink.place, |given| given.line),
        server_unknown: server(&text).contains(FILLER),
        problem: parsed.problems.into_iter().find(|problem| problem.kind == "database/url-not-encoded"),
        parts: Parts::default(),
        source: Source::Text,
        missing: known.missing,
        sure: known.sure,
        scheme,
        info,
        variable,
    })
}

/// The scheme as facts name it; also those of dj-database-url. `None` for other databases.
fn plain_scheme(scheme: &str) -> Option<&str> {
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
