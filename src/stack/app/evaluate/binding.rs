//! What a name stands for at the place where it is used.

use super::{At, Evaluator};
use crate::stack::app::code::Meaning;
use crate::stack::app::configuration::Edit;
use crate::stack::app::name::last_part;
use crate::stack::app::unit::Unit;
use crate::stack::app::value::Value;
use crate::syntax::python::{Class, Event, Expr, Node, Scope, What, When};

impl<'c> Evaluator<'_, 'c> {
    /// `name`, `module.NAME`, `Class.NAME`
    pub(super) fn named(&self, at: &At<'c>, expr: &Expr) -> Value {
        let path = expr.path().unwrap_or_default();
        let found = match self.code.meaning(self.roots, at.unit, &at.scope, expr) {
            Some(Meaning::Value(unit, event, _)) => self.bound(at, expr, unit, event),
            Some(_) => None,
            None => self.of_class(at, expr),
        };
        found.unwrap_or_else(|| Value::unknown(&format!("what `{path}` stands for")))
    }

    /// The value that the last binding before the use gives; `None` where that is not sure.
    fn bound(&self, at: &At<'c>, used: &Expr, unit: &'c Unit, event: &Event) -> Option<Value> {
        let path = used.path()?;
        let name = last_part(&path);
        let same_body = std::ptr::eq(unit, at.unit) && event.scope == at.scope;
        let is_before = |event: &Event| !same_body || event.span.end <= used.span.start;
        let binds = |event: &&Event| event.when != When::Never && is_before(event) && self.binds(unit, event, name);
        let last = unit.binding(&event.scope, name).into_iter().rfind(binds)?;
        let What::Assign { value, .. } = &last.what else { return None };
        if last.when == When::Sometimes && !mends_itself(value, name) {
            return None;
        }
        let inner = At { unit, scope: last.scope.clone(), ..at.clone() };
        let inner = if same_body { inner } else { At { given: std::rc::Rc::default(), ..inner } };
        let value = self.evaluate(&inner, value);
        let changes = unit.changing(&last.scope, name);
        let changes = changes.filter(|event| event.span.start >= last.span.end && is_before(event));
        let here = changes.filter(|event| event.when != When::Never).filter_map(|event| Edit::of(unit, event));
        let value = here.fold(value, |value, edit| self.edited(value, &edit, at.depth));
        // Settings that take `*` from this module share its tables, and may change them.
        let elsewhere = self.settings.written(name).into_iter().flat_map(|(setting, _)| &setting.edits);
        let elsewhere = elsewhere.filter(|edit| edit.place.file != unit.document.file);
        Some(elsewhere.fold(value, |value, edit| self.edited(value, edit, at.depth)))
    }

    /// Whether an event that may bind a name does: of another module's names only those that it has.
    fn binds(&self, unit: &'c Unit, event: &Event, name: &str) -> bool {
        let What::Import(import) = &event.what else { return true };
        let is_starred = import.names.iter().flatten().any(|(name, _)| name == "*");
        let module = self.code.imported(self.roots, unit, import.level, &import.module);
        match module.filter(|_| is_starred) {
            Some(module) => self.code.name(self.roots, module, &Scope::Module, name).is_some(),
            None => true,
        }
    }

    fn of_class(&self, at: &At<'c>, expr: &Expr) -> Option<Value> {
        let Node::Attribute(object, name) = &*expr.node else { return None };
        let Some(Meaning::Class(unit, class)) = self.code.meaning(self.roots, at.unit, &at.scope, object) else {
            return None;
        };
        self.attribute(at, unit, class, name)
    }

    /// The attribute of a class: its own, else that of its bases.
    fn attribute(&self, at: &At<'c>, unit: &'c Unit, class: &'c Class, name: &str) -> Option<Value> {
        if at.depth > super::DEPTH {
            return None;
        }
        let scope = Scope::Class(class.name.clone());
        let at = At { depth: at.depth + 1, ..At::new(unit, &scope) };
        let own = unit.binding(&scope, name).into_iter().rev().find(|event| event.when != When::Never);
        match own.map(|event| (event.when, &event.what)) {
            Some((When::Always, What::Assign { value, .. })) => Some(self.evaluate(&at, value)),
            Some(_) => None,
            None => {
                class.bases.iter().find_map(|base| match self.code.meaning(self.roots, unit, &Scope::Module, base)? {
                    Meaning::Class(unit, class) => self.attribute(&at, unit, class, name),
                    _ => None,
                })
            }
        }
    }
}

/// `name.replace(a, b)` given to `name`: where the condition before it does not hold there is nothing to replace.
fn mends_itself(value: &Expr, name: &str) -> bool {
    let Some((callee, _)) = value.call() else { return false };
    matches!(&*callee.node, Node::Attribute(object, method)
        if method == "replace" && matches!(&*object.node, Node::Name(own) if own == name))
}
