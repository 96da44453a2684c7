//! What conditions and handlers around a read make of it: a default, a test, or a stop.

use tree_sitter::Node as Syntax;

use crate::source::Span;
use crate::syntax::python::environment::Unset;
use crate::syntax::python::expression::{Expr, Node};
use crate::syntax::python::lower::{children, span};
use crate::syntax::python::{Module, Scope, What, When};

/// A name that an `if` asks about, and whether the branch for a missing value raises.
pub struct Tested {
    /// Where the `if` stands.
    pub scope: Scope,
    /// The name.
    pub name: String,
    /// Whether the app stops without a value.
    pub raises: bool,
    /// The condition.
    pub at: Span,
}

/// What becomes of a read that gives `None` where the expressions around it do something else then.
pub fn coped(expr: &Expr, users: &[&Expr]) -> Unset {
    let Some(user) = users.last() else { return Unset::None };
    match &*user.node {
        Node::Or(left, right) if left.span == expr.span => {
            if right.is_none() {
                Unset::None
            } else {
                Unset::Default
            }
        }
        // The last of a chain: what the whole chain gives is None as well.
        Node::Or(..) => coped(user, &users[..users.len() - 1]),
        Node::Not(_) | Node::Compare(..) => Unset::Tested,
        Node::Conditional { test, .. } if test.span == expr.span => Unset::Tested,
        Node::Call(callee, _) if callee.path().as_deref() == Some("bool") => Unset::Tested,
        _ => Unset::None,
    }
}

/// Marks reads whose value a later `if` of the same scope asks about.
pub fn settle_tested(module: &mut Module, tested: &[Tested]) {
    for event in &mut module.events {
        let What::Read(read) = &mut event.what else { continue };
        if read.unset != Unset::None {
            continue;
        }
        let in_condition = tested.iter().any(|test| test.at.overlaps(event.span));
        let later = tested.iter().find(|test| {
            test.scope == event.scope && test.at.start > event.span.start && read.used_as.as_ref() == Some(&test.name)
        });
        match later {
            Some(test) if test.raises => read.unset = Unset::Raises,
            Some(_) => read.unset = Unset::Tested,
            None if in_condition => read.unset = Unset::Tested,
            None => {}
        }
    }
}

/// When the first branch of `if test` runs in an imported module.
pub fn branch_of(test: &Expr) -> When {
    match &*test.node {
        Node::Compare(left, operator, right) if operator == "==" => {
            let is_main = |a: &Expr, b: &Expr| a.path().as_deref() == Some("__name__") && b.text() == Some("__main__");
            if is_main(left, right) || is_main(right, left) { When::Never } else { When::Sometimes }
        }
        Node::Name(_) | Node::Attribute(..) if test.path().is_some_and(|path| path.ends_with("TYPE_CHECKING")) => {
            When::Never
        }
        Node::True => When::Always,
        Node::False => When::Never,
        _ => When::Sometimes,
    }
}

/// Whether a condition holds when what it asks about is missing.
pub fn is_negative(test: &Expr) -> bool {
    match &*test.node {
        Node::Not(_) => true,
        Node::Compare(_, operator, right) => {
            operator == "not in" || (matches!(operator.as_str(), "is" | "==") && right.is_none())
        }
        _ => false,
    }
}

/// The plain names that a condition asks about.
pub fn names_in(test: &Expr) -> Vec<String> {
    match &*test.node {
        Node::Name(name) => vec![name.clone()],
        Node::Call(..) | Node::Lambda(_) => Vec::new(),
        _ => test.children().into_iter().flat_map(names_in).collect(),
    }
}

/// Whether a block leaves the module: its last statement raises or exits.
pub fn stops(body: Syntax) -> bool {
    children(body).last().is_some_and(|last| last.kind() == "raise_statement")
}

/// Whether the block of a handler does.
pub fn stops_inside(handler: Syntax) -> bool {
    children(handler).into_iter().any(|child| child.kind() == "block" && stops(child))
}

/// Whether a handler takes the exception that a missing variable raises.
pub fn takes_missing(handler: Syntax, text: &str) -> bool {
    takes(
        handler,
        text,
        &["KeyError", "LookupError", "ImproperlyConfigured", "UndefinedValueError", "EnvError", "RuntimeError"],
    )
}

/// Whether a handler takes the exception that a missing module raises.
pub fn takes_no_module(handler: Syntax, text: &str) -> bool {
    takes(handler, text, &["ImportError", "ModuleNotFoundError"])
}

/// Whether a handler takes one of these exceptions, or all of them.
fn takes(handler: Syntax, text: &str, exceptions: &[&str]) -> bool {
    let kinds: Vec<_> = children(handler).into_iter().filter(|child| child.kind() != "block").collect();
    let is_one = |word: &str| matches!(word, "Exception" | "BaseException") || exceptions.contains(&word);
    kinds.is_empty() || kinds.iter().any(|kind| span(*kind).of(text).split(|c: char| !c.is_alphanumeric()).any(is_one))
}
