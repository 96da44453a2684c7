//! What is changed inside a value after a name was given it.

use std::rc::Rc;

use super::Written;
use crate::source::Place;
use crate::stack::app::unit::Unit;
use crate::syntax::python::{Event, Expr, Node, SPREAD, What, When, argument};

/// `DATABASES['default']['HOST'] = …`, `DATABASES['default'].update(…)`.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The keys that lead to what is changed; `None` where they are not literal.
    pub keys: Option<Vec<String>>,
    /// What is put there; `None` where that is not known.
    pub written: Option<Written>,
    /// Whether it is put beside what is there, rather than in its place.
    pub merges: bool,
    /// Whether it stands in a branch that may not be taken.
    pub sometimes: bool,
    /// Where it stands.
    pub place: Place,
}

impl Edit {
    /// The change that an event makes inside the value of a name; `None` where it makes none.
    pub fn of(unit: &Unit, event: &Event) -> Option<Self> {
        let written = |expr: &Expr| Written {
            expr: expr.clone(),
            unit: unit.path().to_owned(),
            scope: event.scope.clone(),
            given: Rc::default(),
        };
        let (sometimes, place) = (event.when == When::Sometimes, unit.place(event.span));
        match &event.what {
            What::Assign { target, value } => {
                Some(Self { keys: keys(target), written: Some(written(value)), merges: false, sometimes, place })
            }
            What::Call(call) => {
                let (callee, arguments) = call.call()?;
                let Node::Attribute(object, method) = &*callee.node else { return None };
                let given = argument(arguments, 0, &[SPREAD]).filter(|_| method == "update" && arguments.len() == 1);
                Some(Self { keys: keys(object), written: given.map(written), merges: true, sometimes, place })
            }
            _ => None,
        }
    }
}

/// The keys behind a name; `None` where one of them is not literal.
fn keys(expr: &Expr) -> Option<Vec<String>> {
    let mut keys = Vec::new();
    let mut at = expr;
    while let Node::Subscript(object, key) = &*at.node {
        keys.push(key.text()?.to_owned());
        at = object;
    }
    keys.reverse();
    Some(keys)
}
