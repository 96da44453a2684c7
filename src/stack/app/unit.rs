//! One Python file: what happens in it, by the body of code that it happens in and by the names that are bound.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::source::{Place, Span};
use crate::stack::app::name::{first_part, last_part};
use crate::stack::document::Document;
use crate::syntax::python::{self, EnvRead, Event, Module, Node, Scope, What};

/// A module with its events by scope, and by the names they bind there (`*` for a starred import).
#[derive(Debug, Default)]
struct Index {
    module: Module,
    by_scope: BTreeMap<Scope, Vec<usize>>,
    bound: BTreeMap<Scope, BTreeMap<String, Vec<usize>>>,
    /// The events that change something inside the value of a name, by that name.
    changed: BTreeMap<Scope, BTreeMap<String, Vec<usize>>>,
    /// The reads of the environment by the place of their expressions.
    reads: BTreeMap<Span, usize>,
}

impl Index {
    fn of(module: Module) -> Self {
        let mut index = Self { module, ..Self::default() };
        for (at, event) in index.module.events.iter().enumerate() {
            index.by_scope.entry(event.scope.clone()).or_default().push(at);
            if matches!(event.what, What::Read(_)) {
                index.reads.insert(event.span, at);
            }
            if let Some(name) = changes(&event.what) {
                let names = index.changed.entry(event.scope.clone()).or_default();
                names.entry(name.to_owned()).or_default().push(at);
            }
            for name in bound_by(&event.what) {
                let names = index.bound.entry(event.scope.clone()).or_default();
                names.entry(name.to_owned()).or_default().push(at);
            }
        }
        index
    }
}

/// The methods of dictionaries and lists that change them.
const CHANGING: [&str; 9] = ["update", "setdefault", "pop", "popitem", "clear", "append", "extend", "insert", "remove"];

/// The name inside whose value an event changes something: `NAME['key'] = …`, `NAME['key'].update(…)`.
pub fn changes(what: &What) -> Option<&str> {
    let (inside, is_change) = match what {
        What::Assign { target, .. } => (target, matches!(&*target.node, Node::Subscript(..))),
        What::Call(call) => match &*call.call()?.0.node {
            Node::Attribute(object, method) => (object, CHANGING.contains(&method.as_str())),
            _ => return None,
        },
        _ => return None,
    };
    let mut at = inside;
    while let Node::Subscript(object, _) = &*at.node {
        at = object;
    }
    match &*at.node {
        Node::Name(name) if is_change => Some(name),
        _ => None,
    }
}

/// The names that an event binds in its scope.
fn bound_by(what: &What) -> Vec<&str> {
    match what {
        What::Assign { target, .. } => match &*target.node {
            Node::Name(name) => vec![name],
            _ => Vec::new(),
        },
        What::Function(function) => vec![last_part(&function.name)],
        What::Class(class) => vec![last_part(&class.name)],
        What::Import(import) => match &import.names {
            Some(names) => names.iter().map(|(_, alias)| alias.as_str()).collect(),
            None => vec![import.alias.as_deref().unwrap_or_else(|| first_part(&import.module))],
        },
        _ => Vec::new(),
    }
}

/// How many bytes of Python are parsed in all: each takes twenty times its size and more. A module beyond them counts as one
/// that was not read whole.
const MOST_PARSED: usize = 16 << 20;

/// One Python file; it is read when somebody asks for it.
#[derive(Debug)]
pub struct Unit {
    /// The file.
    pub document: Arc<Document>,
    index: OnceLock<Index>,
    /// The bytes that were parsed so far, of all files.
    parsed: Arc<AtomicUsize>,
}

impl Unit {
    /// The file of a document; `parsed` counts the bytes of all files that were parsed.
    pub fn new(document: Arc<Document>, parsed: Arc<AtomicUsize>) -> Self {
        Self { document, index: OnceLock::new(), parsed }
    }

    /// Where it lies.
    pub fn path(&self) -> &str {
        &self.document.path
    }

    /// Its facts.
    pub fn module(&self) -> &Module {
        &self.read().module
    }

    /// What happens in `scope`, in order.
    pub fn events(&self, scope: &Scope) -> impl DoubleEndedIterator<Item = &Event> {
        let index = self.read();
        index.by_scope.get(scope).into_iter().flatten().filter_map(|at| index.module.events.get(*at))
    }

    /// A place in it.
    pub fn place(&self, span: Span) -> Place {
        self.document.place(span)
    }

    /// Whether everything in it was read.
    pub fn is_complete(&self) -> bool {
        self.module().complete && !self.document.is_open()
    }

    /// The events of `scope` that bind `name`, or may by a starred import, in order.
    pub fn binding(&self, scope: &Scope, name: &str) -> Vec<&Event> {
        let index = self.read();
        let bound = index.bound.get(scope);
        let mut all: Vec<usize> = [name, "*"].iter().filter_map(|name| bound?.get(*name)).flatten().copied().collect();
        all.sort_unstable();
        all.into_iter().filter_map(|at| index.module.events.get(at)).collect()
    }

    /// The events of `scope` that change something inside the value of `name`, in order.
    pub fn changing(&self, scope: &Scope, name: &str) -> impl Iterator<Item = &Event> {
        let index = self.read();
        let found = index.changed.get(scope).and_then(|names| names.get(name));
        found.into_iter().flatten().filter_map(|at| index.module.events.get(*at))
    }

    /// The read of the environment that the expression standing here is.
    pub fn env_read(&self, span: Span) -> Option<&EnvRead> {
        let index = self.read();
        match &index.module.events.get(*index.reads.get(&span)?)?.what {
            What::Read(read) => Some(read),
            _ => None,
        }
    }

    fn read(&self) -> &Index {
        self.index.get_or_init(|| {
            let text = self.document.text();
            if self.parsed.fetch_add(text.len(), Ordering::Relaxed) > MOST_PARSED {
                return Index::default();
            }
            Index::of(python::parse(text).tree)
        })
    }
}
