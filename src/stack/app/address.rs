//! Which databases the app is told to use: what it hands to SQLAlchemy, to Django or to a driver.

mod call;
mod pool;

pub use pool::Pool;

use crate::finding::Confidence;
use crate::source::Place;
use crate::stack::app::code::{Code, Meaning};
use crate::stack::app::configuration::Settings;
use crate::stack::app::evaluate::{At, Evaluator};
use crate::stack::app::name::last_part;
use crate::stack::app::unit::Unit;
use crate::stack::app::value::{Placed, Value};
use crate::stack::app::walk::Trace;
use crate::syntax::python::{Expr, Node, Scope, What};

/// How many databases are looked at of one app.
const MOST: usize = 200;

/// What takes an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Taker {
    /// SQLAlchemy, also through Flask-SQLAlchemy.
    SqlAlchemy,
    /// Django.
    Django,
    /// PostgreSQL's driver itself, which is libpq in the end.
    Postgres,
    /// MySQL's.
    MySql,
}

/// A database that the code names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sink {
    /// What takes it.
    pub taker: Taker,
    /// What it is called in the code, where it has a name there: `DATABASES['default']`.
    pub name: Option<String>,
    /// Where the address is written.
    pub place: Place,
    /// The address, or a table of its parts.
    pub value: Value,
    /// Whether the code puts another scheme in the place of `postgres://` first.
    pub mended: bool,
    /// What bounds the connections of one process.
    pub pool: Pool,
    /// Where the pool is made.
    pub made: Place,
    /// How sure it is that the app uses this one.
    pub sure: Confidence,
    /// Whether it stands in a function that nothing calls at import.
    pub in_function: bool,
}

/// Every database that the code names on the way of an import, and in the functions that it defines there.
pub fn sinks(code: &Code, trace: &Trace, settings: &Settings) -> Vec<Sink> {
    let look = Look { code, trace, settings, evaluator: Evaluator::new(code, &trace.roots, settings) };
    let mut all = look.of_django();
    all.extend(look.of_flask());
    all.extend(look.of_calls());
    let mut kept: Vec<Sink> = Vec::new();
    for sink in all.into_iter().take(MOST) {
        // Flask's setting is often given to an engine as well.
        if !kept.iter().any(|known| known.taker == sink.taker && known.value == sink.value) {
            kept.push(sink);
        }
    }
    kept
}

struct Look<'a, 'c> {
    code: &'c Code,
    trace: &'a Trace<'c>,
    settings: &'a Settings,
    evaluator: Evaluator<'a, 'c>,
}

impl<'c> Look<'_, 'c> {
    /// Django's `DATABASES`.
    fn of_django(&self) -> Vec<Sink> {
        if self.trace.settings.is_none() {
            return Vec::new();
        }
        let Some((setting, sure)) = self.settings.written("DATABASES") else { return Vec::new() };
        let Some(Ok(databases)) = self.evaluator.setting("DATABASES").map(Value::table) else { return Vec::new() };
        let sure = if self.trace.settings_guessed { Confidence::Possible } else { sure };
        let one = |(alias, placed): (&str, &Placed)| Sink {
            taker: Taker::Django,
            name: Some(format!("DATABASES['{alias}']")),
            place: if placed.place.span.is_some() { placed.place } else { setting.place },
            value: placed.value.clone(),
            mended: false,
            pool: pool::of_django(&placed.value),
            made: placed.place,
            sure,
            in_function: false,
        };
        databases.entries().map(one).collect()
    }

    /// Flask-SQLAlchemy's settings; where those are out of sight, the one address that a configuration in sight has.
    fn of_flask(&self) -> Vec<Sink> {
        let name = "SQLALCHEMY_DATABASE_URI";
        let mut all: Vec<Sink> = Vec::new();
        if let Some((setting, sure)) = self.settings.written(name)
            && let Some(value) = self.evaluator.setting(name)
        {
            let unit = self.code.at(&setting.written.unit);
            let place =
                unit.map_or(setting.place, |unit| self.place(unit, &setting.written.scope, &setting.written.expr));
            all.push(self.sink(Taker::SqlAlchemy, place, value, self.pool_of_flask(), sure));
        } else if self.settings.unseen.is_some() {
            let mut found = self.trace.steps.iter().filter_map(|step| {
                let What::Assign { target, value } = &step.event.what else { return None };
                let counts = match &step.event.scope {
                    Scope::Class(class) => self.settings.counts(step.unit, class) != Some(false),
                    _ => true,
                };
                (counts && is_named(target, name)).then_some((step, value))
            });
            if let (Some((step, value)), None) = (found.next(), found.next()) {
                let place = self.place(step.unit, &step.event.scope, value);
                let at = At::new(step.unit, &step.event.scope).with(&step.given);
                let value = self.evaluator.value(&at, value);
                all.push(self.sink(Taker::SqlAlchemy, place, value, self.pool_of_flask(), Confidence::Possible));
            }
        }
        if let Some((setting, sure)) = self.settings.written("SQLALCHEMY_BINDS")
            && let Some(Ok(binds)) = self.evaluator.setting("SQLALCHEMY_BINDS").map(Value::table)
        {
            let one = |(_, placed): (&str, &Placed)| {
                let place = if placed.place.span.is_some() { placed.place } else { setting.place };
                self.sink(Taker::SqlAlchemy, place, placed.value.clone(), self.pool_of_flask(), sure)
            };
            all.extend(binds.entries().map(one));
        }
        all
    }

    fn sink(&self, taker: Taker, place: Place, value: Value, pool: Pool, sure: Confidence) -> Sink {
        let mends = |what: &What| matches!(what, What::Call(call) if mends(call));
        let mended = taker == Taker::SqlAlchemy && self.trace.steps.iter().any(|step| mends(&step.event.what));
        Sink { taker, name: None, place, value, mended, pool, made: place, sure, in_function: false }
    }

    /// Where an address is written: where its name was given the value, if that is one step away.
    fn place(&self, unit: &'c Unit, scope: &Scope, value: &Expr) -> Place {
        match self.code.meaning(&self.trace.roots, unit, scope, value) {
            Some(Meaning::Value(unit, _, expr)) => unit.place(expr.span),
            _ => unit.place(value.span),
        }
    }
}

/// Whether a target is a setting: `NAME`, `….NAME`, `…['NAME']`.
fn is_named(target: &Expr, name: &str) -> bool {
    match &*target.node {
        Node::Name(own) | Node::Attribute(_, own) => own == name,
        Node::Subscript(_, key) => key.text() == Some(name),
        _ => false,
    }
}

/// `url.replace("postgres://", "postgresql://", 1)`, and the same with a pattern.
fn mends(call: &Expr) -> bool {
    call.call().is_some_and(|(callee, arguments)| {
        let name = callee.path().unwrap_or_default();
        let is_text =
            |expr: &Expr| expr.text().is_some_and(|text| text.trim_start_matches('^').starts_with("postgres"));
        matches!(last_part(&name), "replace" | "sub" | "startswith") && arguments.iter().any(|one| is_text(&one.value))
    })
}
