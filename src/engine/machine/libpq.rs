//! What libpq adds to a connection string: a service file, the variables of the process, and a password that lies in a file
//! (fe-connect.c: `conninfo_add_defaults`, `parseServiceInfo`, `passwordFromFile`).

use crate::host::{Failure, FileKind, Host, ReadError, Stage, User};
use crate::source::Sources;
use crate::stack::env::Layers;
use crate::syntax::conninfo::{self, ConnInfo, DEFAULT_SOCKET_FOLDER};
use crate::syntax::{pg_service, pgpass};

/// Its variables, each with what it stands for where the string does not say (libpq-envars).
const VARIABLES: &[(&str, &str)] = &[
    ("PGHOST", "host"),
    ("PGPORT", "port"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGDATABASE", "dbname"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
];

/// Where Debian's libpq looks for the service file of all users.
const SYSTEM_CONFIGURATION: &str = "/etc/postgresql-common";

/// Where a process finds what its connection strings leave open.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) layers: &'a Layers,
    /// The user that it runs as.
    pub(super) user: Option<&'a User>,
}

/// Why a string without a password gets none from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoPassword {
    /// It has one, or no file has one for it.
    Sure,
    /// There is a file, and libpq passes over it; why, in words.
    PassedOver(String),
    /// The file is out of sight.
    Hidden,
}

/// The variables that are set, with their values.
pub(super) fn variables(layers: &Layers) -> Vec<(&'static str, String)> {
    let set = |(name, key): &(&'static str, &'static str)| Some((*key, layers.value(name)?.value.known()?.clone()));
    VARIABLES.iter().filter_map(set).filter(|(_, value)| !value.is_empty()).collect()
}

impl Around<'_> {
    /// The string with what the variables add to it, and the user of the process where nothing names one.
    pub(super) fn completed(&self, mut info: ConnInfo, variables: &[(&'static str, String)]) -> ConnInfo {
        for (key, value) in variables {
            info.set_default(key, value);
        }
        if let Some(user) = self.user {
            info.set_default("user", &user.name);
        }
        if info.hosts.is_empty() {
            info.hosts.push(conninfo::Host::default());
        }
        info
    }

    fn home(&self) -> Option<&str> {
        self.user.map(|user| user.home.trim_end_matches('/'))
    }

    fn set(&self, info: &ConnInfo, option: &str, variable: &str) -> Option<String> {
        let written = info.options.iter().find(|(key, _)| key == option).map(|(_, value)| value.value.clone());
        written.or_else(|| self.layers.value(variable)?.value.known().cloned())
    }

    /// The string with what the service adds that it names. Errors: why that is not known, or that there is no such service.
    pub(super) fn with_service(&self, mut info: ConnInfo, sources: &mut Sources) -> Result<ConnInfo, Failure> {
        let Some(name) = self.set(&info, "service", "PGSERVICE") else {
            return match self.layers.value("PGSERVICE") {
                Some(_) => Err(hidden("a service that is not in sight says where the database is")),
                None => Ok(info),
            };
        };
        let own = self.layers.value("PGSERVICEFILE").and_then(|row| row.value.known().cloned());
        let own = own.or_else(|| Some(format!("{}/.pg_service.conf", self.home()?)));
        let folder = self.layers.value("PGSYSCONFDIR").and_then(|row| row.value.known().cloned());
        let system = format!("{}/pg_service.conf", folder.as_deref().unwrap_or(SYSTEM_CONFIGURATION));
        let is_home_known = own.is_some();
        for path in own.into_iter().chain([system]) {
            let text = match self.host.read(&path) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(ReadError::NotFound) => continue,
                Err(error) => return Err(hidden(&format!("{path} says where the database is: {error}"))),
            };
            let Some(parameters) = pg_service::service(&text, &name) else { continue };
            for (key, value) in parameters {
                if key == "password" {
                    sources.confide_value(value.clone());
                }
                info.set_default(&key, &value);
            }
            return Ok(info);
        }
        let said = format!("definition of service \"{name}\" not found");
        Err(Failure { at: Stage::Name, class: "service.missing".into(), said, proved: is_home_known })
    }

    /// The string with the password that a file has for it, and else why it gets none.
    pub(super) fn with_password(&self, mut info: ConnInfo, sources: &mut Sources) -> (ConnInfo, NoPassword) {
        if info.password.is_some() {
            return (info, NoPassword::Sure);
        }
        let path = self.set(&info, "passfile", "PGPASSFILE");
        let Some(path) = path.or_else(|| Some(format!("{}/.pgpass", self.home()?))) else {
            return (info, NoPassword::Hidden);
        };
        match self.host.stat(&path) {
            Err(ReadError::NotFound) => return (info, NoPassword::Sure),
            Err(_) => return (info, NoPassword::Hidden),
            Ok(stat) if stat.kind != FileKind::File => {
                return (info, NoPassword::PassedOver(format!("{path} is not a plain file")));
            }
            Ok(stat) if stat.mode & 0o077 != 0 => {
                let mode = stat.mode & 0o7777;
                let words = format!("{path} has mode {mode:04o}, and libpq passes over one that others may read");
                return (info, NoPassword::PassedOver(words));
            }
            Ok(_) => {}
        }
        let Ok(bytes) = self.host.read(&path) else { return (info, NoPassword::Hidden) };
        let entries = pgpass::parse(&String::from_utf8_lossy(&bytes));
        entries.iter().for_each(|entry| sources.confide_value(entry.password.reveal().to_owned()));
        let database = info.dbname_or_user().unwrap_or_default();
        let user = info.user.as_ref().map_or("", |user| user.value.as_str());
        let mut hosts = info.hosts.iter().map(|host| {
            // The default socket goes by `localhost`.
            let name = match host.name.value.as_str() {
                "" | DEFAULT_SOCKET_FOLDER => "localhost",
                name => name,
            };
            (name, host.port_or_default())
        });
        let found = hosts.find_map(|(host, port)| pgpass::password(&entries, host, port, database, user));
        if let Some(password) = found.map(|password| password.reveal().to_owned()) {
            info.set_default("password", &password);
        }
        (info, NoPassword::Sure)
    }
}

fn hidden(said: &str) -> Failure {
    Failure { at: Stage::Name, class: "service.file".into(), said: said.to_owned(), proved: false }
}

impl NoPassword {
    /// What a login without a password proves: nothing where libpq may find one in a file that is out of sight.
    pub(super) fn judged(&self, failure: Failure) -> Failure {
        if failure.class != "auth.no_password" {
            return failure;
        }
        match self {
            NoPassword::Sure => failure,
            NoPassword::PassedOver(words) => Failure { said: format!("{}; {words}", failure.said), ..failure },
            NoPassword::Hidden => Failure { proved: false, ..failure },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::host::recorded::Recorded;
    use crate::syntax::conninfo::parse;

    fn thena() -> User {
        User { name: "thena".to_owned(), uid: 1000, gid: 1000, groups: Vec::new(), home: "/srv/thena/".to_owned() }
    }

    #[test]
    fn a_variable_gives_what_the_string_leaves_open() {
        let set = |key, value: &str| (key, value.to_owned());
        let variables = [set("host", "db.example"), set("port", "5433"), set("user", "owl"), set("dbname", "barn")];
        let (host, layers, user) = (Recorded::healthy().unwrap(), Layers::default(), thena());
        let around = Around { host: &host, layers: &layers, user: Some(&user) };
        let open = around.completed(parse("postgresql:///thena").tree, &variables);
        assert_eq!((open.hosts[0].name.value.as_str(), open.hosts[0].port_or_default()), ("db.example", 5433));
        assert_eq!(
            (open.user.as_ref().map(|user| user.value.as_str()), open.dbname_or_user()),
            (Some("owl"), Some("thena"))
        );
        let said = around.completed(parse("host=/run/pg port=1 user=me dbname=x").tree, &variables);
        assert_eq!((said.hosts[0].name.value.as_str(), said.hosts[0].port_or_default()), ("/run/pg", 1));
        assert_eq!(said.user.map(|user| user.value).as_deref(), Some("me"));
        let bare = around.completed(ConnInfo::default(), &[]);
        assert_eq!(
            (bare.dbname_or_user(), bare.hosts.len()),
            (Some("thena"), 1),
            "its user's name, at the usual socket"
        );
    }

    fn looked(host: &Recorded, text: &str) -> (Result<ConnInfo, Failure>, Option<String>, NoPassword) {
        let (layers, user) = (Layers::default(), thena());
        let around = Around { host, layers: &layers, user: Some(&user) };
        let mut sources = Sources::default();
        let info = around.with_service(parse(text).tree, &mut sources);
        let (with, why) = around.with_password(info.clone().unwrap_or_default(), &mut sources);
        (info, with.password.map(|password| password.value.reveal().to_owned()), why)
    }

    #[test]
    fn a_password_lies_in_a_file_that_only_its_user_reads() {
        let healthy = Recorded::healthy().unwrap();
        let file = |mode: &str| {
            let host = healthy.clone().with_file("/srv/thena/.pgpass", &b"db.example:*:*:owl:feather-1\n"[..]);
            host.patched(&format!("file.\"/srv/thena/.pgpass\" = {{ mode = \"{mode}\" }}")).unwrap()
        };
        let url = "postgresql://owl@db.example/barn";
        assert_eq!(looked(&file("0600"), url).1.as_deref(), Some("feather-1"));
        assert_eq!(looked(&file("0600"), "postgresql://minerva@db.example/barn").1, None);
        let (_, password, why) = looked(&file("0644"), url);
        assert!(password.is_none() && matches!(why, NoPassword::PassedOver(words) if words.contains("0644")));
        assert_eq!(looked(&healthy, url).2, NoPassword::Sure);
    }

    #[test]
    fn a_service_says_where_the_database_is() {
        let healthy = Recorded::healthy().unwrap();
        let host =
            healthy.with_file("/etc/postgresql-common/pg_service.conf", &b"[barn]\nhost=db.example\nuser=owl\n"[..]);
        let found = looked(&host, "service=barn dbname=x").0.unwrap();
        assert_eq!((found.hosts[0].name.value.as_str(), found.dbname_or_user()), ("db.example", Some("x")));
        let missing = looked(&host, "service=stable").0.unwrap_err();
        assert!(missing.proved && missing.said.contains("stable"));
    }
}
