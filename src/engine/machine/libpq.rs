//! What libpq adds to a connection string: the variables of the process, and a password that lies in a file
//! (fe-connect.c: `conninfo_add_defaults`, `passwordFromFile`).

use crate::host::{Failure, Host, Stage};
use crate::stack::env::Layers;
use crate::syntax::conninfo::ConnInfo;

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

/// The variables that are set, with their values.
pub(super) fn variables(layers: &Layers) -> Vec<(&'static str, String)> {
    let set = |(name, key): &(&'static str, &'static str)| Some((*key, layers.value(name)?.value.known()?.clone()));
    VARIABLES.iter().filter_map(set).filter(|(_, value)| !value.is_empty()).collect()
}

/// The string with what the variables add to it.
pub(super) fn completed(mut info: ConnInfo, variables: &[(&'static str, String)]) -> ConnInfo {
    for (key, value) in variables {
        info.set_default(key, value);
    }
    info
}

/// Whether the string leads to a service file, which says where the database is.
pub(super) fn names_a_service(info: &ConnInfo, layers: &Layers) -> bool {
    info.options.iter().any(|(key, _)| key == "service") || layers.value("PGSERVICE").is_some()
}

/// What stands for an attempt where a service file, which is not read, says where the database is.
pub(super) fn in_service_file() -> Failure {
    let said = "a service file says where the database is, and housecall does not read it".to_owned();
    Failure { at: Stage::Name, class: "service.file".into(), said, proved: false }
}

/// A login without a password proves nothing where libpq finds one in a file.
pub(super) fn doubted(
    failure: Failure,
    info: &ConnInfo,
    layers: &Layers,
    home: Option<&str>,
    host: &dyn Host,
) -> Failure {
    let names_a_file = info.options.iter().any(|(key, _)| key == "passfile") || layers.value("PGPASSFILE").is_some();
    let in_home = home.is_none_or(|home| host.stat(&format!("{home}/.pgpass")).is_ok());
    let is_doubtful = failure.class == "auth.no_password" && (names_a_file || in_home);
    Failure { proved: failure.proved && !is_doubtful, ..failure }
}

#[cfg(test)]
mod tests {
    use super::completed;
    use crate::syntax::conninfo::parse;

    #[test]
    fn a_variable_gives_what_the_string_leaves_open() {
        let set = |key, value: &str| (key, value.to_owned());
        let variables = [set("host", "db.example"), set("port", "5433"), set("user", "owl"), set("dbname", "barn")];
        let open = completed(parse("postgresql:///thena").tree, &variables);
        assert_eq!((open.hosts[0].name.value.as_str(), open.hosts[0].port_or_default()), ("db.example", 5433));
        assert_eq!(
            (open.user.as_ref().map(|user| user.value.as_str()), open.dbname_or_user()),
            (Some("owl"), Some("thena"))
        );
        let said = completed(parse("host=/run/pg port=1 user=me dbname=x").tree, &variables);
        assert_eq!((said.hosts[0].name.value.as_str(), said.hosts[0].port_or_default()), ("/run/pg", 1));
        assert_eq!(said.user.map(|user| user.value).as_deref(), Some("me"));
    }
}
