//! A database that the code names by its parts: Django's `DATABASES`, SQLAlchemy's `URL.create`, a driver's arguments.

use super::address::{Address, Part, Parts, Source, Taken};
use super::known::{Known, Process};
use crate::finding::Confidence;
use crate::source::Place;
use crate::stack::app::address::Taker;
use crate::stack::app::value::{Table, Value};
use crate::stack::fact::Missing;
use crate::syntax::conninfo::ConnInfo;
use crate::syntax::erb::FILLER;

/// What the parts are called: of each the names that are tried, the first that is there counts.
struct Names {
    host: &'static [&'static str],
    port: &'static [&'static str],
    user: &'static [&'static str],
    password: &'static [&'static str],
    name: &'static [&'static str],
    sslmode: &'static [&'static str],
    /// The key of a table with further parameters of the connection; without one they are among the parts.
    options: Option<&'static str>,
}

/// Django's keys (django/conf/global_settings.py, docs: settings, DATABASES).
const DJANGO: Names = Names {
    host: &["HOST"],
    port: &["PORT"],
    user: &["USER"],
    password: &["PASSWORD"],
    name: &["NAME"],
    sslmode: &[],
    options: Some("OPTIONS"),
};

/// The arguments of `URL.create`.
const URL: Names = Names {
    host: &["host"],
    port: &["port"],
    user: &["username"],
    password: &["password"],
    name: &["database"],
    sslmode: &[],
    options: Some("query"),
};

/// The arguments of drivers: psycopg2, MySQLdb, PyMySQL, peewee.
const DRIVER: Names = Names {
    host: &["host"],
    port: &["port"],
    user: &["user"],
    password: &["password", "passwd"],
    name: &["dbname", "database", "db"],
    sslmode: &["sslmode"],
    options: None,
};

/// Parameters that say where the database is and who logs in, where a table of options has them (libpq-connect).
const FURTHER: [&str; 9] =
    ["host", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "service", "passfile"];

/// The address that a table says; `None` where it is of no database that is known here, or where that is out of sight.
pub fn address(table: &Table, taker: Taker, composed: bool, place: Place, process: Process<'_>) -> Option<Address> {
    let names = match taker {
        _ if composed => URL,
        Taker::Django => DJANGO,
        _ => DRIVER,
    };
    let part = |names: &[&str]| {
        let key = names.iter().find(|name| table.place(name).is_some()).or(names.first())?;
        let value = table.get(key)?;
        let known = process.known(&value);
        let place = known.given.first().map(|given| given.line).or(table.place(key)).unwrap_or(place);
        Some((known, place))
    };
    let (scheme, driver, at) = match taker {
        _ if composed => {
            let (known, at) = part(&["drivername"])?;
            let drivername = said(&known)?;
            let (scheme, driver) =
                drivername.split_once('+').map_or((drivername, None), |(scheme, driver)| (scheme, Some(driver)));
            (known_scheme(scheme)?.to_owned(), driver.map(str::to_owned), at)
        }
        Taker::Django => {
            let (known, at) = part(&["ENGINE"])?;
            (engine(said(&known)?)?.to_owned(), None, at)
        }
        Taker::MySql => ("mysql".to_owned(), None, place),
        Taker::SqlAlchemy | Taker::Postgres => ("postgresql".to_owned(), None, place),
    };
    let mut parts = Parts { scheme: Some(at), ..Parts::default() };
    let mut info = ConnInfo::default();
    let mut missing: Option<Missing> = None;
    let mut sure = Confidence::Proved;
    let mut variables: Vec<Taken> = Vec::new();
    let mut take = |key: &str, found: Option<(Known, Place)>, info: &mut ConnInfo| -> Option<Place> {
        let (known, place) = found?;
        sure = sure.min(known.sure);
        let part = match key {
            "host" | "port" => Part::Server,
            "user" | "password" => Part::Login,
            "dbname" => Part::Name,
            _ => Part::Other,
        };
        variables.extend(known.given.iter().map(|given| Taken { name: given.name.clone(), part }));
        if missing.is_none() {
            missing.clone_from(&known.missing);
        }
        let text = known.text.filter(|text| !text.is_empty())?;
        info.set_default(key, &text);
        Some(place)
    };
    parts.host = take("host", part(names.host), &mut info);
    let port = part(names.port);
    let port_unknown = port.as_ref().is_some_and(|(known, _)| known.missing.is_some());
    parts.port = take("port", port, &mut info);
    parts.user = take("user", part(names.user), &mut info);
    parts.password = take("password", part(names.password), &mut info);
    parts.name = take("dbname", part(names.name), &mut info);
    parts.sslmode = take("sslmode", part(names.sslmode), &mut info);
    let options = match names.options {
        Some(key) => table.get(key),
        None => Some(Value::Table(table.clone())),
    };
    match options {
        Some(Value::Table(options)) => {
            for (key, placed) in options.entries().filter(|(key, _)| FURTHER.contains(key)) {
                let place = take(key, Some((process.known(&placed.value), placed.place)), &mut info);
                if key == "sslmode" {
                    parts.sslmode = place;
                }
            }
            if options.open().is_some() {
                info.set_default("sslmode", &FILLER.to_string());
            }
        }
        Some(Value::Nothing) | None => {}
        Some(_) => info.set_default("sslmode", &FILLER.to_string()),
    }
    let in_service_file = info.options.iter().any(|(key, _)| key == "service");
    let host_unknown = info.hosts.iter().any(|host| host.name.value.contains(FILLER));
    let server_unknown = port_unknown || host_unknown || in_service_file;
    Some(Address {
        scheme,
        driver,
        info,
        place: parts.host.or(parts.name).unwrap_or(place),
        parts,
        variable: None,
        variables,
        source: match taker {
            _ if composed => Source::Url,
            Taker::Django => Source::Django,
            _ => Source::Arguments,
        },
        server_unknown,
        missing,
        problem: None,
        sure,
    })
}

fn said(known: &Known) -> Option<&str> {
    known.text.as_deref().filter(|_| known.missing.is_none())
}

fn known_scheme(scheme: &str) -> Option<&str> {
    matches!(scheme, "postgres" | "postgresql" | "mysql" | "mariadb").then_some(scheme)
}

/// The scheme of a database that an ENGINE of Django stands for; also of backends that wrap Django's own.
fn engine(engine: &str) -> Option<&'static str> {
    match engine.rsplit('.').next().unwrap_or(engine) {
        "postgresql" | "postgresql_psycopg2" | "postgis" => Some("postgresql"),
        "mysql" => Some("mysql"),
        _ => None,
    }
}
