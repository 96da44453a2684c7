//! The tree of a file: prism's, owned, and reduced to calls, literals, assignments and branches.

use crate::source::Span;

/// A whole file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Program {
    /// Its statements, in order.
    pub body: Vec<Expr>,
}

/// One expression and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// All of it; of a heredoc, its `<<NAME` only.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of expressions that Chef files consist of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A string, `%w` word or heredoc, in parts.
    Text(Vec<Part>),
    /// `:name` or `name:`.
    Symbol(String),
    /// A whole number.
    Int(i64),
    /// `true` or `false`.
    Bool(bool),
    /// `nil`.
    Nil,
    /// `[…]` or `%w[…]`.
    Array(Vec<Expr>),
    /// `{…}` or trailing `key: value` arguments.
    Hash(Vec<(Expr, Expr)>),
    /// A method call, an index `a[b]`, or an operator.
    Call(Box<Call>),
    /// A local variable.
    Local(String),
    /// `@name`.
    Field(String),
    /// `A::B`.
    Constant(String),
    /// `target = value` and its kin.
    Assign(Box<Assign>),
    /// `if`, `unless`, `case` and `? :`.
    Branch(Branch),
    /// `left || right`.
    Either(Box<(Expr, Expr)>),
    /// `(…)` and `begin … end`.
    Sequence(Vec<Expr>),
    /// Anything else, with the expressions found in it.
    Other(Vec<Expr>),
}

/// A piece of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Characters, unescaped, and where they are written.
    Literal(String, Span),
    /// `#{…}`.
    Code(Expr),
}

/// A method call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What stands before the dot.
    pub receiver: Option<Expr>,
    /// The method; `[]` for an index.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// The arguments, in order; keyword arguments are one [`Kind::Hash`] at the end.
    pub arguments: Vec<Expr>,
    /// `do … end` or `{ … }`.
    pub block: Option<Block>,
}

/// The block of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The names between the bars.
    pub parameters: Vec<String>,
    /// Its statements.
    pub body: Vec<Expr>,
    /// All of it.
    pub span: Span,
}

/// An assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assign {
    /// A variable, an index or a method call without its `=`.
    pub target: Expr,
    /// What stands before the `=`: nothing, `||`, `+`, …
    pub operator: String,
    /// The right side.
    pub value: Expr,
}

/// A condition with all its arms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// What a `case` looks at.
    pub subject: Option<Box<Expr>>,
    /// In order; the arm without conditions is the `else`.
    pub arms: Vec<Arm>,
}

/// One arm of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// What is asked, or the values of a `when`; empty for `else`.
    pub conditions: Vec<Expr>,
    /// The statements.
    pub body: Vec<Expr>,
}

impl Branch {
    /// Whether one of its arms is always taken.
    pub fn has_else(&self) -> bool {
        self.arms.iter().any(|arm| arm.conditions.is_empty())
    }
}

impl Expr {
    /// The call, where it is one.
    pub fn call(&self) -> Option<&Call> {
        match &self.kind {
            Kind::Call(call) => Some(call),
            _ => None,
        }
    }

    /// The text of a string without interpolation, or of a symbol.
    pub fn literal(&self) -> Option<String> {
        match &self.kind {
            Kind::Symbol(name) => Some(name.clone()),
            Kind::Text(parts) => parts
                .iter()
                .map(|part| match part {
                    Part::Literal(text, _) => Some(text.as_str()),
                    Part::Code(_) => None,
                })
                .collect(),
            _ => None,
        }
    }

    /// The expressions directly inside, in order.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            Kind::Text(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    Part::Code(code) => Some(code),
                    Part::Literal(..) => None,
                })
                .collect(),
            Kind::Array(all) | Kind::Sequence(all) | Kind::Other(all) => all.iter().collect(),
            Kind::Hash(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).collect(),
            Kind::Call(call) => {
                let body = call.block.iter().flat_map(|block| &block.body);
                call.receiver.iter().chain(&call.arguments).chain(body).collect()
            }
            Kind::Assign(assign) => vec![&assign.target, &assign.value],
            Kind::Branch(branch) => {
                let arms = branch.arms.iter().flat_map(|arm| arm.conditions.iter().chain(&arm.body));
                branch.subject.iter().map(Box::as_ref).chain(arms).collect()
            }
            Kind::Either(both) => vec![&both.0, &both.1],
            _ => Vec::new(),
        }
    }
}

impl Call {
    /// The first argument's literal text.
    pub fn first_literal(&self) -> Option<String> {
        self.arguments.first()?.literal()
    }

    /// The value of a keyword argument, or of a pair of a trailing hash.
    pub fn keyword(&self, name: &str) -> Option<&Expr> {
        let Kind::Hash(pairs) = &self.arguments.last()?.kind else { return None };
        pairs.iter().find(|(key, _)| key.literal().as_deref() == Some(name)).map(|(_, value)| value)
    }
}

impl Program {
    /// Calls `visit` on every expression, outer before inner, in the order of the text.
    pub fn visit<'a>(&'a self, visit: &mut impl FnMut(&'a Expr)) {
        fn down<'a>(expr: &'a Expr, visit: &mut impl FnMut(&'a Expr)) {
            visit(expr);
            for child in expr.children() {
                down(child, visit);
            }
        }
        for expr in &self.body {
            down(expr, visit);
        }
    }
}
