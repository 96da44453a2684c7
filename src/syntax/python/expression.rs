//! Python expressions as far as the facts need them: names, literals, calls, and whatever holds them.

use std::sync::Arc;

use crate::source::Span;

/// An expression and where it stands; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// Where it stands, without enclosing parentheses.
    pub span: Span,
    /// What it is.
    pub node: Arc<Node>,
}

/// The kinds of expression that facts tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A string without interpolation, escapes decoded, adjacent literals joined.
    Text(String),
    /// A number as written.
    Number(String),
    /// `True`
    True,
    /// `False`
    False,
    /// `None`
    None,
    /// `name`
    Name(String),
    /// `object.name`
    Attribute(Expr, String),
    /// `object[index]`
    Subscript(Expr, Expr),
    /// `callee(arguments)`
    Call(Expr, Vec<Argument>),
    /// `{key: value}`
    Dict(Vec<(Expr, Expr)>),
    /// A list, tuple or set.
    Sequence(Vec<Expr>),
    /// `left or right`
    Or(Expr, Expr),
    /// `not operand`
    Not(Expr),
    /// `left operator right`, the operator as one word: `==`, `in`, `not in`, `is`, …
    Compare(Expr, String, Expr),
    /// `left + right`
    Add(Expr, Expr),
    /// `left * right`
    Multiply(Expr, Expr),
    /// `then if test else otherwise`
    Conditional {
        /// The condition.
        test: Expr,
        /// Its value where the condition holds.
        then: Expr,
        /// Its value where it does not.
        otherwise: Expr,
    },
    /// The body of a lambda, which runs when it is called.
    Lambda(Expr),
    /// A text with values put in: the parts of an f-string in order.
    Format(Vec<Expr>),
    /// `text % values`
    Percent(Expr, Expr),
    /// Anything else, with the expressions inside it.
    Other(Vec<Expr>),
}

/// What stands for the keyword in `**value`, whose keys are the keywords.
pub const SPREAD: &str = "**";

/// One argument of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The keyword, for `keyword=value`; [`SPREAD`] for `**value`.
    pub keyword: Option<String>,
    /// The value.
    pub value: Expr,
}

impl Expr {
    /// `node`, standing at `span`.
    pub fn new(span: Span, node: Node) -> Self {
        Self { span, node: Arc::new(node) }
    }

    /// The text of a string literal.
    pub fn text(&self) -> Option<&str> {
        match &*self.node {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of `True` and `False`.
    pub fn truth(&self) -> Option<bool> {
        match &*self.node {
            Node::True => Some(true),
            Node::False => Some(false),
            _ => None,
        }
    }

    /// Whether it is the literal `None`.
    pub fn is_none(&self) -> bool {
        matches!(&*self.node, Node::None)
    }

    /// Whether its value stands in the text itself and cannot be `None`.
    pub fn is_literal(&self) -> bool {
        matches!(
            &*self.node,
            Node::Text(_) | Node::Number(_) | Node::True | Node::False | Node::Dict(_) | Node::Sequence(_)
        )
    }

    /// A name with attributes and calls as one text: `db.session.query().first`; `None` where it starts with anything else.
    pub fn path(&self) -> Option<String> {
        match &*self.node {
            Node::Name(name) => Some(name.clone()),
            Node::Attribute(object, name) => Some(format!("{}.{name}", object.path()?)),
            Node::Call(callee, _) => Some(format!("{}()", callee.path()?)),
            Node::Subscript(object, _) => Some(format!("{}[]", object.path()?)),
            _ => None,
        }
    }

    /// The parts of a call.
    pub fn call(&self) -> Option<(&Expr, &[Argument])> {
        match &*self.node {
            Node::Call(callee, arguments) => Some((callee, arguments)),
            _ => None,
        }
    }

    /// The expressions directly inside it.
    pub fn children(&self) -> Vec<&Expr> {
        match &*self.node {
            Node::Text(_) | Node::Number(_) | Node::True | Node::False | Node::None | Node::Name(_) => Vec::new(),
            Node::Attribute(inner, _) | Node::Not(inner) | Node::Lambda(inner) => vec![inner],
            Node::Subscript(left, right)
            | Node::Or(left, right)
            | Node::Add(left, right)
            | Node::Percent(left, right)
            | Node::Multiply(left, right) => {
                vec![left, right]
            }
            Node::Compare(left, _, right) => vec![left, right],
            Node::Call(callee, arguments) => {
                std::iter::once(callee).chain(arguments.iter().map(|argument| &argument.value)).collect()
            }
            Node::Dict(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).collect(),
            Node::Sequence(all) | Node::Format(all) | Node::Other(all) => all.iter().collect(),
            Node::Conditional { test, then, otherwise } => vec![test, then, otherwise],
        }
    }
}

/// The argument at `position`, or the one with one of these keywords.
pub fn argument<'a>(arguments: &'a [Argument], position: usize, keywords: &[&str]) -> Option<&'a Expr> {
    let named =
        arguments.iter().find(|argument| argument.keyword.as_deref().is_some_and(|name| keywords.contains(&name)));
    let by_position = || arguments.iter().filter(|argument| argument.keyword.is_none()).nth(position);
    named.or_else(by_position).map(|argument| &argument.value)
}
