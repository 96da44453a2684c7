//! Calls that connect, or make what connects: of SQLAlchemy, of the drivers, of peewee.

use super::{Look, Pool, Sink, Taker};
use crate::finding::Confidence;
use crate::source::Place;
use crate::stack::app::evaluate::At;
use crate::stack::app::name::last_part;
use crate::stack::app::unit::Unit;
use crate::stack::app::value::{Table, Value};
use crate::syntax::python::{Argument, Expr, Scope, What, When, argument};

/// The parameters of MySQL's drivers by position (PEP 249 leaves them open; MySQLdb and PyMySQL have these).
const MYSQL: [&str; 5] = ["host", "user", "password", "database", "port"];

/// The parameters of psycopg2's pools by position, before those of a connection.
const POOL: [&str; 2] = ["minconn", "maxconn"];

/// The last words of the calls that are looked at.
const CALLS: [&str; 8] = [
    "create_engine",
    "create_async_engine",
    "connect",
    "SimpleConnectionPool",
    "ThreadedConnectionPool",
    "PersistentConnectionPool",
    "PostgresqlDatabase",
    "MySQLDatabase",
];

impl<'c> Look<'_, 'c> {
    /// The calls that are made at import, and those in the functions that are defined then.
    pub(super) fn of_calls(&self) -> Vec<Sink> {
        let mut all = Vec::new();
        for step in &self.trace.steps {
            match &step.event.what {
                What::Call(call) => {
                    let at = At::new(step.unit, &step.event.scope).with(&step.given);
                    let sure = if step.sometimes { Confidence::Possible } else { Confidence::Proved };
                    all.extend(self.of_call(step.unit, &step.event.scope, &at, call, sure));
                }
                What::Function(function) => {
                    let scope = Scope::Function(function.name.clone());
                    let at = At::new(step.unit, &scope);
                    for event in step.unit.events(&scope).filter(|event| event.when != When::Never) {
                        if let What::Call(call) = &event.what {
                            let found = self.of_call(step.unit, &scope, &at, call, Confidence::Possible);
                            all.extend(found.map(|sink| Sink { in_function: true, ..sink }));
                        }
                    }
                }
                _ => {}
            }
        }
        all
    }

    fn of_call(&self, unit: &'c Unit, scope: &Scope, at: &At<'c>, call: &Expr, sure: Confidence) -> Option<Sink> {
        let (callee, _) = call.call()?;
        // Nearly every call is something else, and that is told by its last word.
        let written = callee.path()?;
        if !CALLS.contains(&last_part(&written)) {
            return None;
        }
        let made = unit.place(call.span);
        self.taken(unit, scope, at, call, sure).map(|sink| Sink { made, ..sink })
    }

    fn taken(&self, unit: &'c Unit, scope: &Scope, at: &At<'c>, call: &Expr, sure: Confidence) -> Option<Sink> {
        let (callee, arguments) = call.call()?;
        let path = self.code.canonical(&self.trace.roots, unit, scope, callee)?;
        let module = path.split('.').next().unwrap_or_default();
        let whole = |taker, value: &Expr, pool| {
            Some(self.sink(taker, self.place(unit, scope, value), self.evaluator.value(at, value), pool, sure))
        };
        let parts = |taker, pool, positional: &[&str]| {
            self.of_parts((taker, pool), at, arguments, positional, unit.place(call.span), sure)
        };
        let string_or_parts = |dsn: Option<&Expr>, pool, positional: &[&str]| match dsn {
            Some(dsn) => whole(Taker::Postgres, dsn, pool),
            None => parts(Taker::Postgres, pool, positional),
        };
        match (module, last_part(&path)) {
            (_, "create_engine" | "create_async_engine") if !path.starts_with('<') => {
                let url = argument(arguments, 0, &["url", "name_or_url"])?;
                whole(Taker::SqlAlchemy, url, self.pool_of_engine(unit, at, arguments))
            }
            ("psycopg2" | "psycopg", "connect") => {
                let pool = if *scope == Scope::Module { Pool::One } else { Pool::Unbounded };
                string_or_parts(argument(arguments, 0, &["dsn", "conninfo"]), pool, &[])
            }
            ("psycopg2", "SimpleConnectionPool" | "ThreadedConnectionPool" | "PersistentConnectionPool") => {
                string_or_parts(argument(arguments, 2, &["dsn"]), self.pool_of_driver(at, arguments), &POOL)
            }
            ("MySQLdb" | "pymysql", "connect") => parts(Taker::MySql, Pool::Unbounded, &MYSQL),
            ("mysql", "connect") => parts(Taker::MySql, Pool::Unbounded, &[]),
            ("peewee" | "playhouse", "PostgresqlDatabase") => parts(Taker::Postgres, Pool::Unbounded, &["database"]),
            ("peewee" | "playhouse", "MySQLDatabase") => parts(Taker::MySql, Pool::Unbounded, &["database"]),
            _ => None,
        }
    }

    fn of_parts(
        &self,
        (taker, pool): (Taker, Pool),
        at: &At<'c>,
        arguments: &[Argument],
        names: &[&str],
        place: Place,
        sure: Confidence,
    ) -> Option<Sink> {
        let table: Table = self.evaluator.table_of(at, arguments, names);
        let says_where = table.entries().next().is_some();
        says_where.then(|| self.sink(taker, place, Value::Table(table), pool, sure))
    }
}
