//! What an expression over the environment comes to in the process as it is started: `os.getenv('FLASK_CONFIG') or 'default'`.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Span;
use crate::stack::app::code::Code;
use crate::stack::app::walk::{Step, Trace};
use crate::syntax::python::{Expr, Node, argument};

/// The variables that the process is known to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// Their values.
    pub values: BTreeMap<String, String>,
    /// Names that are given with values out of sight.
    pub hidden: BTreeSet<String>,
    /// Whether it has no others: all that gives it variables was in sight.
    pub complete: bool,
}

/// What is read: the variable, and what takes its place where it is not set.
struct Asked<'e> {
    name: &'e str,
    otherwise: Option<&'e Expr>,
}

/// The literal that an expression comes to; the expression itself where it asks nothing of the environment, `None` where
/// what it asks for is out of sight.
pub fn evaluated(code: &Code, trace: &Trace, step: &Step, environment: &Environment, expr: &Expr) -> Option<Expr> {
    match &*expr.node {
        Node::Or(left, right) => {
            let left = evaluated(code, trace, step, environment, left)?;
            if is_false(&left) { evaluated(code, trace, step, environment, right) } else { Some(left) }
        }
        _ => {
            let Some(asked) = asked(code, trace, step, expr) else { return Some(expr.clone()) };
            let literal = |text: &str, span: Span| Expr::new(span, Node::Text(text.to_owned()));
            match (environment.values.get(asked.name), asked.otherwise) {
                (Some(value), _) => Some(literal(value, expr.span)),
                (None, _) if !environment.complete || environment.hidden.contains(asked.name) => None,
                (None, Some(otherwise)) => Some(otherwise.clone()),
                (None, None) => Some(Expr::new(expr.span, Node::None)),
            }
        }
    }
}

fn is_false(expr: &Expr) -> bool {
    expr.is_none() || expr.truth() == Some(false) || expr.text() == Some("")
}

fn asked<'e>(code: &Code, trace: &Trace, step: &Step, expr: &'e Expr) -> Option<Asked<'e>> {
    let canonical = |expr: &Expr| code.canonical(&trace.roots, step.unit, &step.event.scope, expr);
    match &*expr.node {
        Node::Subscript(object, key) if canonical(object)? == "os.environ" => {
            Some(Asked { name: key.text()?, otherwise: None })
        }
        Node::Call(callee, arguments) => {
            let path = canonical(callee)?;
            if !matches!(path.as_str(), "os.getenv" | "os.environ.get") {
                return None;
            }
            let name = argument(arguments, 0, &["key"])?.text()?;
            Some(Asked { name, otherwise: argument(arguments, 1, &["default"]) })
        }
        _ => None,
    }
}
