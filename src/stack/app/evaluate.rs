//! Works out values without running anything: literals, names, tables, texts put together, and the functions around them.
//! What is not one of these is unknown.

mod binding;
mod call;
mod text;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::source::Span;
use crate::stack::app::code::Code;
use crate::stack::app::configuration::{Edit, Settings, Written, is_config};
use crate::stack::app::unit::Unit;
use crate::stack::app::value::{Table, Value, Variable};
use crate::stack::fact::Missing;
use crate::syntax::python::{Expr, Node, Scope};

/// How deep expressions, names and calls are followed into each other.
const DEPTH: usize = 40;

/// How many expressions are worked out for one value: people's addresses take some dozens.
const MOST: usize = 4_000;

/// How many are worked out for all values of an app.
const MOST_IN_ALL: usize = 100_000;

/// Works out values in the code of one app.
pub struct Evaluator<'a, 'c> {
    code: &'c Code,
    roots: &'a [String],
    settings: &'a Settings,
    left: Cell<usize>,
    left_in_all: Cell<usize>,
}

/// Where an expression stands, and what the parameters around it were given.
#[derive(Clone)]
pub struct At<'c> {
    unit: &'c Unit,
    scope: Scope,
    given: Rc<BTreeMap<String, Value>>,
    depth: usize,
}

impl<'c> At<'c> {
    /// A body of code of a file, where nothing is known of its parameters.
    pub fn new(unit: &'c Unit, scope: &Scope) -> Self {
        Self { unit, scope: scope.clone(), given: Rc::default(), depth: 0 }
    }

    /// The same with the literals among what its parameters were given.
    #[must_use]
    pub fn with(self, given: &BTreeMap<String, Expr>) -> Self {
        let literal = |(name, expr): (&String, &Expr)| {
            let value = match &*expr.node {
                Node::Text(text) | Node::Number(text) => Value::Text(text.clone()),
                Node::None => Value::Nothing,
                _ => Value::unknown(&format!("what `{name}` is given")),
            };
            (name.clone(), value)
        };
        Self { given: Rc::new(given.iter().map(literal).collect()), ..self }
    }

    fn deeper(&self) -> Self {
        Self { depth: self.depth + 1, ..self.clone() }
    }
}

impl<'a, 'c> Evaluator<'a, 'c> {
    /// For an app with these settings, whose modules are looked for below `roots`.
    pub fn new(code: &'c Code, roots: &'a [String], settings: &'a Settings) -> Self {
        Self { code, roots, settings, left: Cell::new(0), left_in_all: Cell::new(MOST_IN_ALL) }
    }

    /// What an expression comes to.
    pub fn value(&self, at: &At<'c>, expr: &Expr) -> Value {
        self.within_budget(|| self.evaluate(at, expr))
    }

    fn within_budget<T>(&self, work: impl FnOnce() -> T) -> T {
        let budget = MOST.min(self.left_in_all.get());
        self.left.set(budget);
        let done = work();
        self.left_in_all.set(self.left_in_all.get() - (budget - self.left.get().min(budget)));
        done
    }

    /// What a setting comes to, with all that is changed in it afterwards; `None` where nothing in sight sets it.
    pub fn setting(&self, name: &str) -> Option<Value> {
        self.within_budget(|| self.set(name, 0))
    }

    fn set(&self, name: &str, depth: usize) -> Option<Value> {
        let (setting, _) = self.settings.written(name)?;
        let value = match &setting.value {
            Ok(_) => self.written(&setting.written, depth),
            Err(missing) => Value::Unknown(missing.clone()),
        };
        Some(setting.edits.iter().fold(value, |value, edit| self.edited(value, edit, depth)))
    }

    fn written(&self, written: &Written, depth: usize) -> Value {
        match self.code.at(&written.unit) {
            Some(unit) => {
                let at = At { depth: depth + 1, ..At::new(unit, &written.scope).with(&written.given) };
                self.evaluate(&at, &written.expr)
            }
            None => Value::unknown(&format!("the file {}", written.unit)),
        }
    }

    fn edited(&self, value: Value, edit: &Edit, depth: usize) -> Value {
        let new = match &edit.written {
            _ if edit.sometimes => Value::unknown("whether the condition before a change of this setting holds"),
            Some(written) => self.written(written, depth),
            None => Value::unknown("what a function does to this setting"),
        };
        let change = |old: Option<Value>| if edit.merges { merged(old, new.clone()) } else { new.clone() };
        match (&edit.keys, value) {
            (Some(keys), value) if keys.is_empty() => change(Some(value)),
            (Some(keys), Value::Table(mut table)) => {
                table.change(keys, Some(edit.place), &change);
                Value::Table(table)
            }
            (None, _) => Value::unknown("which part of this setting is changed"),
            (Some(keys), value) => value.tuned(keys),
        }
    }

    fn evaluate(&self, at: &At<'c>, expr: &Expr) -> Value {
        let left = self.left.get();
        if at.depth > DEPTH || left == 0 {
            return Value::unknown("a value that is put together of too many others");
        }
        self.left.set(left - 1);
        let at = &at.deeper();
        let value = |expr: &Expr| self.evaluate(at, expr);
        match &*expr.node {
            Node::Text(text) => text_of(text),
            Node::Number(number) => Value::Text(number.clone()),
            Node::None => Value::Nothing,
            Node::Name(name) => match at.given.get(name) {
                Some(given) => self.copied(given),
                None => self.named(at, expr),
            },
            Node::Attribute(..) => self.named(at, expr),
            Node::Subscript(object, key) => self.entry(at, expr, object, key, None),
            Node::Call(callee, arguments) => self.call(at, expr, callee, arguments),
            Node::Dict(pairs) => self.table(at, pairs),
            Node::Or(left, right) => Value::Either(Box::new(value(left)), Box::new(value(right))),
            Node::Add(left, right) => Value::Joined(vec![value(left), value(right)]),
            Node::Format(parts) => Value::Joined(parts.iter().map(value).collect()),
            Node::Percent(text, values) => self.percent(at, text, values),
            // `a if a else b`
            Node::Conditional { test, then, otherwise } if test.path().is_some() && test.path() == then.path() => {
                Value::Either(Box::new(value(then)), Box::new(value(otherwise)))
            }
            _ => Value::unknown("what an expression of the code comes to"),
        }
    }

    /// What a parameter was given. Functions that use theirs twice would double a value at each call, so that copies count.
    fn copied(&self, value: &Value) -> Value {
        let left = self.left.get().saturating_sub(value.size());
        self.left.set(left);
        if left == 0 { Value::unknown("a value that is put together of too many others") } else { value.clone() }
    }

    fn table(&self, at: &At<'c>, pairs: &[(Expr, Expr)]) -> Value {
        let mut table = Table::default();
        for (key, value) in pairs {
            let place = at.unit.place(value.span);
            match (key.text(), &*value.node) {
                (Some(key), _) => table.put(key, self.evaluate(at, value), place),
                // `**other`
                (None, Node::Other(inner)) if key.span == value.span => {
                    let other = inner.first().map(|inner| self.evaluate(at, inner));
                    match other.unwrap_or_else(|| Value::unknown("a part of a table")).table() {
                        Ok(other) => table.merge(other),
                        Err(missing) => table.lose(missing),
                    }
                }
                (None, _) => table.lose(Missing::new("a key of a table", "write it as a text")),
            }
        }
        Value::Table(table)
    }

    /// `object[key]`, or the same with what takes its place.
    fn entry(&self, at: &At<'c>, expr: &Expr, object: &Expr, key: &Expr, otherwise: Option<&Expr>) -> Value {
        let otherwise = || otherwise.map(|expr| Box::new(self.evaluate(at, expr)));
        if let Some(read) = self.read(at, expr.span) {
            return Value::Variable(Variable { unset: read.unset.or_else(otherwise), ..read });
        }
        let Value::Text(name) = self.evaluate(at, key) else { return Value::unknown("the key of a table") };
        if self.code.canonical(self.roots, at.unit, &at.scope, object).as_deref() == Some("os.environ") {
            return Value::Variable(Variable { name, place: at.unit.place(expr.span), unset: otherwise() });
        }
        if is_config(object) {
            return self.set(&name, at.depth).unwrap_or_else(|| Value::unknown(&format!("the setting `{name}`")));
        }
        let nothing = || otherwise().map_or_else(|| Value::unknown(&format!("the entry `{name}`")), |value| *value);
        match self.evaluate(at, object).table() {
            Ok(table) => table.get(&name).unwrap_or_else(nothing),
            Err(missing) => Value::Unknown(missing),
        }
    }

    /// The read of the environment that the expression standing here is, with its default where that is a literal.
    fn read(&self, at: &At<'c>, span: Span) -> Option<Variable> {
        let read = at.unit.env_read(span)?;
        let unset = read.default.as_ref().map(|text| Box::new(text_of(&text.value)));
        Some(Variable { name: read.name.value.clone(), place: at.unit.place(span), unset })
    }
}

/// A text that no template tag prints into.
fn text_of(text: &str) -> Value {
    match text.contains([crate::syntax::erb::FILLER, crate::source::SUBSTITUTE]) {
        true => Value::unknown("what a template prints into the code"),
        false => Value::Text(text.to_owned()),
    }
}

/// What `old.update(new)` makes of a table. What a helper makes of an address is empty where there is no address.
fn merged(old: Option<Value>, new: Value) -> Value {
    match (old, new) {
        (Some(Value::Table(mut old)), Value::Table(new)) => {
            old.merge(new);
            Value::Table(old)
        }
        (Some(old @ Value::Table(_)), new @ Value::Parsed(..)) => Value::Either(Box::new(new), Box::new(old)),
        (Some(Value::Unknown(missing)), _) | (_, Value::Unknown(missing)) => Value::Unknown(missing),
        (_, _) => Value::unknown("what a table is changed to"),
    }
}
