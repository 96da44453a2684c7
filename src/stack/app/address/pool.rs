//! How many connections one process of the app may hold: what the pool that it makes allows.

use super::Look;
use crate::stack::app::configuration::{Settings, names_class};
use crate::stack::app::evaluate::At;
use crate::stack::app::unit::Unit;
use crate::stack::app::value::{Table, Value};
use crate::stack::fact::Missing;
use crate::syntax::python::{Argument, Expr, Node, argument};

/// SQLAlchemy's defaults (sqlalchemy/pool/impl.py, `QueuePool`).
const SIZE: &str = "5";
const OVERFLOW: &str = "10";

/// What psycopg's pool opens unless it is told otherwise (psycopg_pool/pool.py).
const OF_PSYCOPG: &str = "4";

/// What bounds the connections of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pool {
    /// Nothing: each thread that asks gets one of its own.
    Unbounded,
    /// All threads share one.
    One,
    /// SQLAlchemy's: so many are kept, and so many more are opened for a while.
    Queue {
        /// `pool_size`; 0 for any number.
        size: Value,
        /// `max_overflow`; below 0 for any number.
        overflow: Value,
    },
    /// Some are opened at once, and never more than others.
    Range {
        /// `minconn`, `min_size`
        least: Value,
        /// `maxconn`, `max_size`
        most: Value,
    },
    /// Out of sight.
    Unknown(Missing),
}

fn text(number: &str) -> Value {
    Value::Text(number.to_owned())
}

/// The pool that a class named in `expr` stands for; `None` where it names none.
fn of_class(expr: &Expr) -> Option<Pool> {
    let named = |class: &str| names_class(expr, class).is_some();
    if named("NullPool") {
        return Some(Pool::Unbounded);
    }
    named("StaticPool").then_some(Pool::One)
}

/// SQLAlchemy's pool by its options; `class` is the expression of `poolclass`, where one is given.
fn queue(options: &Table, class: Option<&Expr>) -> Pool {
    if let Some(missing) = options.open() {
        return Pool::Unknown(missing.clone());
    }
    match class.map(|class| (of_class(class), names_class(class, "QueuePool"))) {
        Some((Some(pool), _)) => return pool,
        Some((None, None)) => return Pool::Unknown(Missing::new("what its `poolclass` allows", "look at that class")),
        Some((None, Some(_))) | None => {}
    }
    let of = |key: &str, default: &str| options.get(key).unwrap_or_else(|| text(default));
    Pool::Queue { size: of("pool_size", SIZE), overflow: of("max_overflow", OVERFLOW) }
}

impl<'c> Look<'_, 'c> {
    /// The pool of `create_engine(…)`.
    pub(super) fn pool_of_engine(&self, unit: &'c Unit, at: &At<'c>, arguments: &[Argument]) -> Pool {
        let mut options = self.evaluator.table_of(at, arguments, &["url"]);
        let named = |keyword: &str| arguments.iter().find(|one| one.keyword.as_deref() == Some(keyword));
        for keyword in ["pool_size", "max_overflow"] {
            if let Some(one) = named(keyword)
                && let Some(number) = negative(unit, &one.value)
            {
                options.put(keyword, number, unit.place(one.value.span));
            }
        }
        // What makes its connections itself keeps its own count.
        if named("pool").is_some() || named("creator").is_some() {
            return Pool::Unknown(Missing::new("what the engine's own pool allows", "look at its `pool`"));
        }
        queue(&options, named("poolclass").map(|one| &one.value))
    }

    /// Flask-SQLAlchemy's, by its settings.
    pub(super) fn pool_of_flask(&self) -> Pool {
        if let Some(missing) = &self.settings.unseen {
            return Pool::Unknown(missing.clone());
        }
        let given = self.trace.steps.iter().any(|step| match &step.event.what {
            crate::syntax::python::What::Call(call) => call.call().is_some_and(|(_, arguments)| {
                arguments.iter().any(|one| one.keyword.as_deref() == Some("engine_options"))
            }),
            _ => false,
        });
        if given {
            return Pool::Unknown(Missing::new("the `engine_options` of the app", "look at where they are given"));
        }
        let name = "SQLALCHEMY_ENGINE_OPTIONS";
        let mut options = match self.evaluator.setting(name).map(Value::table) {
            None => Table::default(),
            Some(Ok(options)) => options,
            Some(Err(missing)) => return Pool::Unknown(missing),
        };
        let written = self.settings.written(name).map(|(setting, _)| &setting.written.expr);
        let class = written.and_then(|written| entry(written, "poolclass"));
        for (key, setting) in [("pool_size", "SQLALCHEMY_POOL_SIZE"), ("max_overflow", "SQLALCHEMY_MAX_OVERFLOW")] {
            let (value, place) = match (self.evaluator.setting(setting), self.settings.written(setting)) {
                (Some(value), Some((written, _))) => {
                    (self.signed(self.settings, setting).unwrap_or(value), written.place)
                }
                _ => continue,
            };
            options.put(key, value, place);
        }
        if let Some(written) = written.and_then(|written| entry(written, "max_overflow"))
            && let Some((setting, _)) = self.settings.written(name)
            && let Some(unit) = self.code.at(&setting.written.unit)
            && let Some(number) = negative(unit, written)
        {
            options.put("max_overflow", number, setting.place);
        }
        queue(&options, class)
    }

    /// A setting that is a number below zero.
    fn signed(&self, settings: &Settings, name: &str) -> Option<Value> {
        let (setting, _) = settings.written(name)?;
        negative(self.code.at(&setting.written.unit)?, &setting.written.expr)
    }

    /// The pool of a driver's own class, whose first two arguments are the least and the most.
    pub(super) fn pool_of_driver(&self, at: &At<'c>, arguments: &[Argument]) -> Pool {
        let value = |position, keyword: &str| {
            let given = argument(arguments, position, &[keyword]);
            given.map_or_else(|| Value::unknown("the size of the pool"), |given| self.evaluator.value(at, given))
        };
        Pool::Range { least: value(0, "minconn"), most: value(1, "maxconn") }
    }
}

/// The pool of one entry of Django's `DATABASES`: a connection for each thread, unless `OPTIONS` has a `pool`
/// (django/db/backends/postgresql/base.py).
pub(super) fn of_django(database: &Value) -> Pool {
    let options = match database {
        Value::Table(table) => table.get("OPTIONS"),
        _ => None,
    };
    let pool = match options {
        Some(Value::Table(options)) => options.get("pool"),
        Some(Value::Unknown(missing)) => return Pool::Unknown(missing),
        _ => None,
    };
    match pool {
        None | Some(Value::Nothing) => Pool::Unbounded,
        Some(Value::Table(pool)) => {
            let least = pool.get("min_size").unwrap_or_else(|| text(OF_PSYCOPG));
            Pool::Range { most: pool.get("max_size").unwrap_or_else(|| least.clone()), least }
        }
        Some(Value::Unknown(missing)) => Pool::Unknown(missing),
        Some(_) => Pool::Unknown(Missing::new("the `pool` of the database", "write its sizes as a table")),
    }
}

/// `-1` as it is written; `None` for anything else.
fn negative(unit: &Unit, expr: &Expr) -> Option<Value> {
    let written = expr.span.of(unit.document.text());
    let digits = written.strip_prefix('-')?.trim();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text(&format!("-{digits}")))
}

/// The value under a key of a dictionary as it is written: `{'key': value}`, `dict(key=value)`.
fn entry<'e>(expr: &'e Expr, key: &str) -> Option<&'e Expr> {
    match &*expr.node {
        Node::Dict(pairs) => pairs.iter().find(|(own, _)| own.text() == Some(key)).map(|(_, value)| value),
        Node::Call(_, arguments) => {
            arguments.iter().find(|one| one.keyword.as_deref() == Some(key)).map(|one| &one.value)
        }
        _ => None,
    }
}
