//! The addresses that an instance logs in to PostgreSQL with: those of its environment, and those that its code puts together.

use crate::finding::{Confidence, Label};
use crate::stack::assemble::Instance;
use crate::stack::database::{Database, Named, Part, Taken, plain_scheme};
use crate::stack::env::EnvRead;
use crate::stack::fact::Fact;
use crate::syntax::conninfo::{self, ConnInfo};

/// An address, and the lines that it is made of.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// What it says.
    pub(super) info: ConnInfo,
    /// The variables that it is put together from.
    pub(super) variables: Vec<Taken>,
    /// What is known of it before anything is tried.
    pub(super) row: Database,
}

/// Every address of an instance, each once; one that a function names, which nothing calls at import, only where it is the only
/// one: a test's database may stand beside the app's.
pub(super) fn of(instance: &Instance) -> Vec<Address> {
    let mut all: Vec<Address> = Vec::new();
    for read in &instance.reads {
        let found = of_read(instance, read);
        all.extend(found.filter(|found| !all.iter().any(|known| is_same(&known.info, &found.info))));
    }
    let is_tried = |all: &[Address], named: &Named| {
        let variable = named.row.variable.known();
        let of_variable = |known: &Address| variable.is_some() && known.row.variable.known() == variable;
        all.iter()
            .any(|known| of_variable(known) || named.login.as_ref().is_some_and(|info| is_same(&known.info, info)))
    };
    let at_import = instance.databases.iter().filter(|named| !named.in_function && is_sure(named));
    for named in at_import {
        if !is_tried(&all, named) {
            all.extend(of_named(named));
        }
    }
    if all.is_empty() {
        let mut others = instance.databases.iter().filter_map(of_named);
        all.extend(others.next());
        if others.any(|other| !all.iter().any(|known| is_same(&known.info, &other.info))) {
            all.clear();
        }
    }
    all
}

/// Whether an app surely uses a database that it names: its settings were not guessed, and no condition leads to them.
fn is_sure(named: &Named) -> bool {
    named.row.confidence > Confidence::Possible
}

/// Whether two lead to the same place in the same way, wherever they are written.
fn is_same(one: &ConnInfo, other: &ConnInfo) -> bool {
    let text = |part: &Option<crate::source::Located<String>>| part.as_ref().map(|part| part.value.clone());
    let hosts = |info: &ConnInfo| {
        info.hosts.iter().map(|host| (host.name.value.clone(), host.port_or_default())).collect::<Vec<_>>()
    };
    let password = |info: &ConnInfo| info.password.as_ref().map(|password| password.value.clone());
    let options = |info: &ConnInfo| {
        info.options.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect::<Vec<_>>()
    };
    hosts(one) == hosts(other)
        && [&one.user, &one.dbname, &one.sslmode].map(text) == [&other.user, &other.dbname, &other.sslmode].map(text)
        && password(one) == password(other)
        && options(one) == options(other)
}

/// The address in the variable of a read; `None` where its value is none, or only the beginning of one.
fn of_read(instance: &Instance, read: &EnvRead) -> Option<Address> {
    let name = read.name.known()?;
    let given = instance.layers.value(name)?;
    let value = given.value.known()?;
    let own = postgres(value)?;
    let is_part = |named: &Named| named.variables.iter().any(|taken| taken.name == *name);
    let is_whole = |named: &&Named| named.row.variable.known() == Some(name);
    let named = instance.databases.iter().find(is_whole);
    if named.is_none() && instance.databases.iter().any(is_part) {
        return None;
    }
    // The line of a file says more than the process it started.
    let in_job = instance.layers.in_job(name).filter(|row| row.value.known() == Some(value));
    let line = in_job.filter(|_| given.key == "process").unwrap_or(given).place;
    // The code may change what the variable says.
    let info = named.and_then(|named| named.login.clone()).unwrap_or(own);
    let mut row = Database::at(line);
    row.without_address();
    row.key = info.scheme.as_ref().map(|scheme| scheme.value.clone()).unwrap_or_default();
    row.variable = Fact::read(name.clone(), line).via(read.place, "the app takes it from here");
    if named.is_none() {
        row.written_as(value, line);
    }
    Some(Address { info, variables: vec![Taken { name: name.clone(), part: Part::Other }], row })
}

/// The address that the code names, where all of it is known.
fn of_named(named: &Named) -> Option<Address> {
    let info = named.login.clone()?;
    let mut row = named.row.clone();
    row.without_address();
    // What was written down was already judged.
    row.confidence = if named.in_function { Confidence::Possible } else { Confidence::Proved };
    Some(Address { info, variables: named.variables.clone(), row })
}

impl Address {
    /// What to call it where a part of it fails: the variables that give the part, else the place that names the database.
    pub(super) fn name_for(&self, part: Part) -> Option<String> {
        let of_part = self.variables.iter().filter(|taken| taken.part == part);
        let mut names: Vec<&str> = of_part.map(|taken| taken.name.as_str()).collect();
        names.dedup();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// The line of one of its parts, with what leads there: where that is another file than the one that names the database.
    pub(super) fn part(&self, fact: &Fact<String>, value: String) -> Fact<String> {
        let named = self.row.variable.place.unwrap_or(self.row.place);
        let place = fact.place.unwrap_or(self.row.place);
        let mut part = Fact { trail: fact.trail.clone(), ..Fact::read(value, place) };
        self.row.variable.trail.iter().for_each(|label| part.trail.push(label.clone()));
        if place.file != named.file {
            part.trail.push(Label { place: named, text: "the app takes it from here".to_owned() });
        }
        part
    }
}

/// The reading of a value that is a PostgreSQL address in either of libpq's forms; `None` for any other text.
fn postgres(value: &str) -> Option<ConnInfo> {
    let Some((scheme, _)) = value.trim_start().split_once("://") else {
        let parsed = conninfo::parse(value);
        let names_a_service = parsed.tree.options.iter().any(|(key, _)| key == "service");
        let is_whole = parsed.tree.dbname.is_some() && parsed.tree.user.is_some();
        let is_one = parsed.problems.is_empty() && (is_whole || names_a_service);
        return is_one.then_some(parsed.tree);
    };
    let plain = scheme.split('+').next()?.to_ascii_lowercase();
    let is_postgres = matches!(plain_scheme(&plain), Some("postgres" | "postgresql"));
    is_postgres.then(|| conninfo::parse(value).tree)
}
