//! Gathers the settings of an app: Flask's calls in their order, Django's module with those it takes `*` from.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::edit::Edit;
use super::{Settings, Written, is_app, is_config};
use crate::finding::Label;
use crate::source::Place;
use crate::stack::app::code::{Code, Meaning};
use crate::stack::app::environment::{Environment, evaluated};
use crate::stack::app::name::{folder_of, join};
use crate::stack::app::unit::{Unit, changes};
use crate::stack::app::walk::{Step, Trace, value_of};
use crate::stack::fact::Missing;
use crate::syntax::python::{Argument, Class, Event, Expr, Import, Node, SPREAD, Scope, What, When, argument};

/// How many base classes or starred modules deep settings are gathered.
const DEPTH: usize = 8;

/// Gathers the settings along a trace.
pub fn settings<'c>(code: &'c Code, trace: &Trace<'c>, environment: &Environment) -> Settings {
    let mut gather = Gather {
        code,
        trace,
        environment,
        settings: Settings { unseen: trace.missing.first().cloned(), ..Settings::default() },
    };
    if let Some(unit) = trace.settings {
        gather.module(unit, &[], DEPTH);
        gather.settings.selected = Some((unit.path().to_owned(), Place::whole(unit.document.file)));
        return gather.settings;
    }
    for step in &trace.steps {
        match &step.event.what {
            What::Assign { target, value } => gather.assigned(step, target, value),
            What::Call(call) => gather.called(step, call),
            _ => {}
        }
    }
    gather.settings
}

struct Gather<'a, 'c> {
    code: &'c Code,
    trace: &'a Trace<'c>,
    environment: &'a Environment,
    settings: Settings,
}

impl<'c> Gather<'_, 'c> {
    fn value(&self, step: &Step, expr: &Expr) -> Expr {
        value_of(self.code, &self.trace.roots, step.unit, &step.event.scope, &step.given, expr)
    }

    fn assigned(&mut self, step: &Step<'c>, target: &Expr, value: &Expr) {
        let name = match &*target.node {
            Node::Subscript(object, key) if is_config(object) => match key.text() {
                Some(key) => key.to_owned(),
                None => return,
            },
            Node::Attribute(object, name) if matches!(name.as_str(), "debug" | "testing") && is_app(object) => {
                name.to_uppercase()
            }
            _ => return,
        };
        let written = written_in(step, value);
        let value = self.value(step, value);
        self.settings.set(&name, value, written, step.place(), step.sometimes, &step.trail);
    }

    fn called(&mut self, step: &Step<'c>, call: &Expr) {
        let Some((callee, arguments)) = call.call() else { return };
        let Node::Attribute(object, method) = &*callee.node else { return };
        if !is_config(object) {
            return;
        }
        match method.as_str() {
            "update" | "from_mapping" => self.mapped(step, arguments),
            "from_object" => {
                if let Some(given) = argument(arguments, 0, &["obj"]) {
                    self.load_object(step, given);
                }
            }
            "from_pyfile" => {
                let file = argument(arguments, 0, &["filename"]).map(|given| self.value(step, given));
                let unit = file
                    .as_ref()
                    .and_then(Expr::text)
                    .and_then(|file| self.code.at(&join(folder_of(step.unit.path()), file)));
                match unit {
                    Some(unit) if !step.sometimes => self.module(unit, &step.trail, DEPTH),
                    _ => self.settings.lose(Missing::new("the file given to from_pyfile", "add it to what is checked")),
                }
            }
            "from_envvar" | "from_json" | "from_file" | "from_prefixed_env" | "from_toml" => {
                self.settings.lose(Missing::new(format!("what `{method}` loads"), "read it by hand"));
            }
            _ => {}
        }
    }

    fn mapped(&mut self, step: &Step<'c>, arguments: &[Argument]) {
        for one in arguments {
            let value = self.value(step, &one.value);
            match (one.keyword.as_deref().filter(|keyword| *keyword != SPREAD), &*value.node) {
                (Some(name), _) => {
                    let (written, place) = (written_in(step, &one.value), step.unit.place(one.value.span));
                    self.settings.set(name, value.clone(), written, place, step.sometimes, &step.trail);
                }
                (None, Node::Dict(pairs)) => {
                    for (key, value) in pairs {
                        if let Some(name) = key.text() {
                            let (written, place) = (written_in(step, value), step.unit.place(key.span.to(value.span)));
                            let value = self.value(step, value);
                            self.settings.set(name, value, written, place, step.sometimes, &step.trail);
                        }
                    }
                }
                _ => self.settings.lose(Missing::new("the settings given to `update`", "write them in the call")),
            }
        }
    }

    fn load_object(&mut self, step: &Step<'c>, given: &Expr) {
        let mut trail = (*step.trail).clone();
        trail.push(Label { place: step.place(), text: "the configuration is selected here".to_owned() });
        match self.object(step, given, DEPTH) {
            _ if step.sometimes => {
                self.settings.undecided = true;
                let how = "select it without a condition";
                self.settings.lose(Missing::new("which configuration the app selects", how));
            }
            Some(Meaning::Class(unit, class)) => {
                self.class(unit, class, &trail, DEPTH);
                self.settings.selected = Some((class.name.to_string(), unit.place(class.name_span)));
            }
            Some(Meaning::Module(unit)) => {
                self.module(unit, &trail, DEPTH);
                self.settings.selected = Some((unit.path().to_owned(), Place::whole(unit.document.file)));
            }
            _ => {
                self.settings.undecided = true;
                let how = format!("name it in the call in {}, or read it by hand", step.unit.path());
                self.settings.lose(Missing::new("which configuration the app selects", how));
            }
        }
    }

    /// The module or class that `from_object` is given.
    fn object(&self, step: &Step<'c>, given: &Expr, depth: usize) -> Option<Meaning<'c>> {
        let depth = depth.checked_sub(1)?;
        let given = &evaluated(self.code, self.trace, step, self.environment, given)?;
        let (unit, scope) = (step.unit, &step.event.scope);
        let roots = &self.trace.roots;
        match &*given.node {
            Node::Text(text) => {
                if let Some(found) = self.code.imported(roots, unit, 0, text) {
                    return Some(Meaning::Module(found));
                }
                let (module, name) = text.rsplit_once('.')?;
                self.code.name(roots, self.code.imported(roots, unit, 0, module)?, &Scope::Module, name)
            }
            Node::Subscript(table, key) => self.entry(step, table, key, depth),
            Node::Call(callee, arguments) => match &*callee.node {
                // A table with a fallback: `config.get(name, DefaultConfig)`.
                Node::Attribute(table, method) if method == "get" => {
                    self.entry(step, table, argument(arguments, 0, &[])?, depth)
                }
                _ => match self.code.meaning(roots, unit, scope, callee)? {
                    class @ Meaning::Class(..) => Some(class),
                    _ => None,
                },
            },
            Node::Name(name) if name == "__name__" => Some(Meaning::Module(unit)),
            _ => {
                if let Node::Name(name) = &*given.node
                    && let Some(value) = step.given.get(name)
                {
                    return self.object(step, value, depth);
                }
                match self.code.meaning(roots, unit, scope, given)? {
                    found @ (Meaning::Class(..) | Meaning::Module(_)) => Some(found),
                    Meaning::Value(at, event, value) if event.when == When::Always => {
                        let step = Step { unit: at, event, ..step.clone() };
                        self.object(&step, value, depth)
                    }
                    _ => None,
                }
            }
        }
    }

    /// A key that picks a configuration: a literal, or what the environment says.
    fn selected(&self, step: &Step<'c>, key: &Expr) -> Option<Expr> {
        let key = self.value(step, key);
        if let Some(Meaning::Value(unit, event, value)) =
            self.code.meaning(&self.trace.roots, step.unit, &step.event.scope, &key)
        {
            let step = Step { unit, event, ..step.clone() };
            return evaluated(self.code, self.trace, &step, self.environment, value);
        }
        evaluated(self.code, self.trace, step, self.environment, &key)
    }

    /// The class that a table such as `config = {'production': ProductionConfig}` has for a key.
    fn entry(&self, step: &Step<'c>, table: &Expr, key: &Expr, depth: usize) -> Option<Meaning<'c>> {
        let key = self.selected(step, key)?;
        let key = key.text()?;
        let Meaning::Value(unit, event, value) =
            self.code.meaning(&self.trace.roots, step.unit, &step.event.scope, table)?
        else {
            return None;
        };
        let class = match &*value.node {
            Node::Dict(pairs) => {
                pairs.iter().find(|(own, _)| own.text() == Some(key)).map(|(_, class)| class.clone())?
            }
            // `dict(production=ProductionConfig)`
            Node::Call(callee, arguments) if callee.path().as_deref() == Some("dict") => {
                arguments.iter().find(|one| one.keyword.as_deref() == Some(key))?.value.clone()
            }
            _ => return None,
        };
        let step = Step { unit, event, ..step.clone() };
        self.object(&step, &class, depth)
    }

    /// The upper-case attributes of a class, its bases first.
    fn class(&mut self, unit: &Unit, class: &Class, trail: &[Label], depth: usize) {
        self.settings.files.insert(unit.path().to_owned());
        if depth == 0 || !self.settings.classes.insert((unit.path().to_owned(), class.name.to_string())) {
            return;
        }
        for base in class.bases.iter().rev() {
            match self.code.meaning(&self.trace.roots, unit, &Scope::Module, base) {
                Some(Meaning::Class(unit, class)) => self.class(unit, class, trail, depth - 1),
                None if base.path().as_deref() == Some("object") => {}
                _ => self.settings.lose(Missing::new(format!("the base class of {}", class.name), "add its file")),
            }
        }
        self.body(unit, &Scope::Class(class.name.clone()), trail, depth);
    }

    /// The upper-case names of a module, with those of the modules it takes `*` from.
    fn module(&mut self, unit: &Unit, trail: &[Label], depth: usize) {
        if !unit.is_complete() {
            self.settings.lose(Missing::new(format!("the whole of {}", unit.path()), "mend its syntax"));
        }
        self.body(unit, &Scope::Module, trail, depth);
    }

    fn body(&mut self, unit: &Unit, scope: &Scope, trail: &[Label], depth: usize) {
        let body = Body { unit, scope, trail };
        for event in unit.events(scope).filter(|event| event.when != When::Never) {
            match &event.what {
                What::Assign { target, value } => self.bound(&body, event, target, value),
                What::Call(call) => self.changed(&body, event, call),
                What::Import(import) => self.taken(&body, event, import, depth),
                _ => {}
            }
        }
    }

    /// `NAME = value`, or a value put somewhere inside it.
    fn bound(&mut self, body: &Body, event: &Event, target: &Expr, value: &Expr) {
        let sometimes = event.when == When::Sometimes;
        let (place, written) = (body.unit.place(event.span), body.written(value));
        if let Node::Name(name) = &*target.node {
            if is_setting(name) {
                let value =
                    value_of(self.code, &self.trace.roots, body.unit, body.scope, &BTreeMap::new(), &written.expr);
                self.settings.set(name, value, written, place, sometimes, body.trail);
            }
        } else {
            self.edited(body, event);
        }
    }

    /// `NAME['key'] = value`, `NAME.update(value)`, and functions that are given all names of the module to change.
    fn changed(&mut self, body: &Body, event: &Event, call: &Expr) {
        let (_, arguments) = call.call().unwrap_or((call, &[]));
        let is_all =
            |one: &Argument| one.value.path().is_some_and(|path| matches!(path.as_str(), "locals()" | "globals()"));
        if arguments.iter().any(is_all) {
            let (sometimes, place) = (event.when == When::Sometimes, body.unit.place(event.span));
            let edit = Edit { keys: Some(Vec::new()), written: None, merges: false, sometimes, place };
            return self.settings.edit("DATABASES", edit);
        }
        self.edited(body, event);
    }

    fn edited(&mut self, body: &Body, event: &Event) {
        if let Some(name) = changes(&event.what).filter(|name| is_setting(name))
            && let Some(edit) = Edit::of(body.unit, event)
        {
            self.settings.edit(name, edit);
        }
    }

    /// Settings that come from another module: all of them by `*`, or some by name.
    fn taken(&mut self, body: &Body, event: &Event, import: &Import, depth: usize) {
        let names = || import.names.iter().flatten();
        let found = self.code.imported(&self.trace.roots, body.unit, import.level, &import.module);
        if !names().any(|(name, _)| name == "*") {
            for (name, alias) in names().filter(|(_, alias)| is_setting(alias)) {
                self.named(body, event, found, name, alias);
            }
            return;
        }
        match found {
            Some(other) if std::ptr::eq(other, body.unit) => {}
            Some(other) if depth > 0 => self.module(other, body.trail, depth - 1),
            Some(_) => {}
            None => {
                let how = "add its file to what is checked, or read it by hand";
                let missing = Missing::new(format!("the settings in `{}`", import.module), how);
                if import.optional { self.settings.doubt(missing) } else { self.settings.lose(missing) }
            }
        }
    }

    /// `from .databases import DATABASES`
    fn named(&mut self, body: &Body, event: &Event, module: Option<&'c Unit>, name: &str, alias: &str) {
        let meaning = module.and_then(|module| self.code.name(&self.trace.roots, module, &Scope::Module, name));
        let Some(Meaning::Value(unit, at, value)) = meaning else { return };
        let value_there = value_of(self.code, &self.trace.roots, unit, &at.scope, &BTreeMap::new(), value);
        let written = Body { unit, scope: &at.scope, trail: body.trail }.written(value);
        let sometimes = at.when == When::Sometimes || event.when == When::Sometimes;
        self.settings.set(alias, value_there, written, unit.place(at.span), sometimes, body.trail);
    }
}

/// A body of code that sets settings by binding names.
struct Body<'b> {
    unit: &'b Unit,
    scope: &'b Scope,
    trail: &'b [Label],
}

impl Body<'_> {
    fn written(&self, expr: &Expr) -> Written {
        let unit = self.unit.path().to_owned();
        Written { expr: expr.clone(), unit, scope: self.scope.clone(), given: Rc::default() }
    }
}

fn written_in(step: &Step, expr: &Expr) -> Written {
    Written {
        expr: expr.clone(),
        unit: step.unit.path().to_owned(),
        scope: step.event.scope.clone(),
        given: Rc::clone(&step.given),
    }
}

fn is_setting(name: &str) -> bool {
    !name.chars().any(char::is_lowercase)
}
