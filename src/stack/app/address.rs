//! Which database addresses the app hands to SQLAlchemy or to a driver: literals, and reads of the environment that end there.

use std::collections::BTreeSet;

use crate::source::{FileId, Place, Span};
use crate::stack::app::code::{Code, Meaning, last_part};
use crate::stack::app::walk::{Step, Trace, value_of};
use crate::syntax::python::{Expr, Node, What, argument};

/// What takes an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Taker {
    /// SQLAlchemy, also through Flask-SQLAlchemy.
    SqlAlchemy,
    /// A driver itself, which is libpq in the end.
    Driver,
}

/// An expression whose value is a database's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sink {
    /// What takes it.
    pub taker: Taker,
    /// The file and the place of the expression that makes the value.
    pub file: FileId,
    /// Where that expression stands.
    pub span: Span,
    /// The address itself, where it stands in the code.
    pub literal: Option<String>,
    /// Whether the code puts another scheme in the place of `postgres://` first.
    pub mended: bool,
}

impl Sink {
    /// Whether a read of the environment at `place` gives the address.
    pub fn is_fed_by(&self, place: Place) -> bool {
        place.file == self.file && place.span.is_some_and(|span| self.span.overlaps(span))
    }
}

/// Every address that is used at import, in order.
pub fn sinks(code: &Code, trace: &Trace) -> Vec<Sink> {
    let mended = trace.steps.iter().any(|step| matches!(&step.event.what, What::Call(call) if mends(call)));
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for step in &trace.steps {
        let Some((taker, value)) = taken(code, trace, step) else { continue };
        let (file, value) = followed(code, trace, step, value);
        if seen.insert((file, value.span)) {
            let literal = value.text().map(str::to_owned);
            all.push(Sink { taker, file, span: value.span, literal, mended });
        }
    }
    all
}

/// The setting or argument of a step that is an address.
fn taken<'s>(code: &Code, trace: &Trace, step: &'s Step) -> Option<(Taker, &'s Expr)> {
    match &step.event.what {
        What::Assign { target, value } => {
            let named = match &*target.node {
                Node::Name(name) | Node::Attribute(_, name) => name.as_str(),
                Node::Subscript(_, key) => key.text()?,
                _ => return None,
            };
            (named == "SQLALCHEMY_DATABASE_URI").then_some((Taker::SqlAlchemy, value))
        }
        What::Call(call) => {
            let (callee, arguments) = call.call()?;
            let path = code.canonical(&trace.roots, step.unit, &step.event.scope, callee)?;
            match last_part(&path) {
                "create_engine" | "create_async_engine" if !path.starts_with('<') => {
                    Some((Taker::SqlAlchemy, argument(arguments, 0, &["url", "name_or_url"])?))
                }
                "connect" if path.starts_with("psycopg") => {
                    Some((Taker::Driver, argument(arguments, 0, &["dsn", "conninfo"])?))
                }
                _ => {
                    let keyword =
                        arguments.iter().find(|one| one.keyword.as_deref() == Some("SQLALCHEMY_DATABASE_URI"))?;
                    Some((Taker::SqlAlchemy, &keyword.value))
                }
            }
        }
        _ => None,
    }
}

/// The expression that a name was given, where that is one step away.
fn followed(code: &Code, trace: &Trace, step: &Step, value: &Expr) -> (FileId, Expr) {
    let here =
        (step.unit.document.file, value_of(code, &trace.roots, step.unit, &step.event.scope, &step.given, value));
    match code.meaning(&trace.roots, step.unit, &step.event.scope, value) {
        Some(Meaning::Value(unit, _, expr)) => (unit.document.file, expr.clone()),
        _ => here,
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
