//! The packages that are installed for an app, as far as its `requirements.txt` and lock files say.

use crate::source::Place;
use crate::stack::document::Kind;
use crate::stack::fact::{Fact, Missing};
use crate::stack::view::View;
use crate::syntax::lockfile;
use crate::syntax::requirements::{self, Release, Requirement};

/// The packages of one stack.
#[derive(Debug, Default)]
pub struct Requirements {
    all: Vec<(Requirement, Place)>,
    seen: bool,
}

impl Requirements {
    /// All that the files of a view name.
    pub fn of(view: &View) -> Self {
        let mut requirements = Self::default();
        for document in view.of(Kind::Requirements) {
            requirements.seen = true;
            let name = document.path.rsplit('/').next().unwrap_or_default();
            let rows = match lockfile::is_lock_file(name) {
                true => lockfile::parse(name, document.text()),
                false => requirements::parse(document.text()),
            };
            requirements.all.extend(rows.into_iter().map(|row| {
                let place = document.place(row.name.span);
                (row, place)
            }));
        }
        requirements
    }

    fn find(&self, name: &str) -> impl Iterator<Item = &(Requirement, Place)> {
        self.all.iter().filter(move |(row, _)| row.name.value == name)
    }

    /// Whether a package is named.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).next().is_some()
    }

    /// The first of these that is named.
    pub fn any_of(&self, names: &[&'static str]) -> Option<(&'static str, Place)> {
        names.iter().find_map(|name| self.find(name).next().map(|(_, place)| (*name, *place)))
    }

    /// Whether the SQLAlchemy that pip installs refuses the scheme `postgres`: it does from 1.4 on.
    pub fn refuses_postgres(&self) -> Fact<bool> {
        let removed = |release: Release| release >= Release::UpTo(1, 4);
        let mut own = self.find("sqlalchemy");
        if let Some((row, place)) = own.next() {
            let all = std::iter::once(row).chain(own.map(|(row, _)| row)).all(|row| removed(row.release()));
            return Fact::read(all, *place);
        }
        // Flask-SQLAlchemy 3 asks for 1.4.18 at least; an unpinned one is newer.
        if let Some((row, place)) = self.find("flask-sqlalchemy").next()
            && row.release() >= Release::UpTo(3, 0)
        {
            return Fact::read(true, *place);
        }
        self.unknown("the version of SQLAlchemy")
    }

    /// Another driver for a database, where none of those that its address asks for is installed.
    pub fn other_driver(&self, wanted: &[&'static str], others: &[&'static str]) -> Fact<String> {
        if !self.seen {
            return self.unknown("which database drivers are installed");
        }
        match (self.any_of(wanted), self.any_of(others)) {
            (None, Some((name, place))) => Fact::read(name.to_owned(), place),
            _ => Fact::absent(),
        }
    }

    fn unknown<T>(&self, what: &str) -> Fact<T> {
        Fact::unknown(Missing::new(what, "write it into requirements.txt"))
    }
}
