//! Python 2 and 3: what a module imports, assigns, defines, calls and asks of its environment, in the order of the text.
//! Nothing is run; tree-sitter reads the text, with its errors stepped over.

mod conditions;
pub mod environment;
pub mod expression;
mod lower;
mod names;
mod settings;
mod statements;

use std::sync::Arc;

pub use environment::{EnvRead, Unset};
pub use expression::{Argument, Expr, Node, SPREAD, argument};

use crate::source::{Located, Span};
use crate::syntax::Parsed;

/// One module's facts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Module {
    /// In the order of the text.
    pub events: Vec<Event>,
    /// Whether all of it could be read; where not, nothing is surely absent.
    pub complete: bool,
}

/// Something that happens when its scope runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where it stands.
    pub span: Span,
    /// What has to run for it to happen.
    pub scope: Scope,
    /// Whether it happens whenever its scope runs.
    pub when: When,
    /// What happens.
    pub what: What,
}

/// A body of code that runs as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// When the module is imported.
    Module,
    /// When the class is defined; the name is dotted for one inside another scope.
    Class(Arc<str>),
    /// When the function is called.
    Function(Arc<str>),
}

impl Scope {
    /// The dotted name; empty for the module.
    pub fn name(&self) -> &str {
        match self {
            Scope::Module => "",
            Scope::Class(name) | Scope::Function(name) => name,
        }
    }
}

/// Whether something happens whenever its scope runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Every time.
    Always,
    /// In one branch of a condition, or in a handler of exceptions.
    Sometimes,
    /// Under `if __name__ == '__main__'` or `if TYPE_CHECKING`: never in an imported module.
    Never,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// `import a.b as c`, or one `from` statement.
    Import(Import),
    /// `target = value`, once for each target.
    Assign {
        /// What is assigned to.
        target: Expr,
        /// What is assigned.
        value: Expr,
    },
    /// A call; the expression is its [`Node::Call`].
    Call(Expr),
    /// A read of the environment.
    Read(EnvRead),
    /// A variable put into the process's own environment.
    Provide {
        /// The variable.
        name: Located<String>,
        /// Its value.
        value: Expr,
    },
    /// `def`: nothing of its body happens yet.
    Function(Function),
    /// `class`: its body happens now.
    Class(Class),
    /// `return value`
    Return(Expr),
}

/// An import statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// How many dots stand before the module.
    pub level: usize,
    /// The module as written, dotted; may be empty after dots.
    pub module: String,
    /// `from module import …`: each name with its alias; `None` for a plain `import`.
    pub names: Option<Vec<(String, String)>>,
    /// `import a.b as c`: `c`.
    pub alias: Option<String>,
    /// Whether the code goes on where there is no such module.
    pub optional: bool,
}

/// A function definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The dotted name of its scope.
    pub name: Arc<str>,
    /// Where its name stands.
    pub name_span: Span,
    /// Its parameters with their defaults.
    pub parameters: Vec<(String, Option<Expr>)>,
    /// Its decorators, innermost last.
    pub decorators: Vec<Expr>,
}

/// A class definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// The dotted name of its scope.
    pub name: Arc<str>,
    /// Where its name stands.
    pub name_span: Span,
    /// Its base classes.
    pub bases: Vec<Expr>,
}

impl Module {
    /// What happens in `scope`, in order.
    pub fn within<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a Event> {
        self.events.iter().filter(move |event| event.scope == *scope)
    }

    /// Every read of the environment, wherever it stands.
    pub fn reads(&self) -> impl Iterator<Item = (&Event, &EnvRead)> {
        self.events.iter().filter_map(|event| match &event.what {
            What::Read(read) => Some((event, read)),
            _ => None,
        })
    }

    /// The function of this dotted name; the last definition wins, as in Python.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.events.iter().rev().find_map(|event| match &event.what {
            What::Function(function) if &*function.name == name => Some(function),
            _ => None,
        })
    }

    /// The class of this dotted name; the last definition wins.
    pub fn class(&self, name: &str) -> Option<&Class> {
        self.events.iter().rev().find_map(|event| match &event.what {
            What::Class(class) if &*class.name == name => Some(class),
            _ => None,
        })
    }

    /// The last value assigned to a plain name in `scope`, and the event.
    pub fn assigned<'a>(&'a self, scope: &Scope, name: &str) -> Option<(&'a Event, &'a Expr)> {
        self.events.iter().rev().filter(|event| event.scope == *scope && event.when != When::Never).find_map(|event| {
            match &event.what {
                What::Assign { target, value } if matches!(&*target.node, Node::Name(own) if own == name) => {
                    Some((event, value))
                }
                _ => None,
            }
        })
    }

    /// The imports of a scope, in order.
    pub fn imports<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = (&'a Event, &'a Import)> {
        self.within(scope).filter_map(|event| match &event.what {
            What::Import(import) => Some((event, import)),
            _ => None,
        })
    }
}

/// Reads a module. A text that Python refuses gives what could be read of it and `complete == false`.
pub fn parse(text: &str) -> Parsed<Module> {
    let (tree, readable) = match lower::tree(text) {
        Some(found) => found,
        None => return Parsed::default(),
    };
    Parsed { tree: statements::module(text, &tree, readable), problems: Vec::new() }
}
