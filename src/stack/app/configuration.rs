//! The app's settings as they stand after import: Flask's `app.config` in the order it is filled, or Django's settings module.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Label;
use crate::source::{Place, Span};
use crate::stack::app::code::{Code, Meaning, Unit, folder_of, join, last_part};
use crate::stack::app::environment::{Environment, evaluated};
use crate::stack::app::walk::{Step, Trace, value_of};
use crate::stack::fact::{Fact, Missing};
use crate::syntax::python::{Argument, Class, Expr, Node, Scope, What, When, argument};

/// How many base classes or starred modules deep settings are gathered.
const DEPTH: usize = 8;

/// One setting's value.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The value, or why it is not known.
    pub value: Result<Expr, Missing>,
    /// Where it is set.
    pub place: Place,
    /// What led there.
    pub trail: Vec<Label>,
}

/// The settings of an app.
#[derive(Debug, Default)]
pub struct Settings {
    all: BTreeMap<String, Setting>,
    /// Why a setting that is not here may still be set.
    pub unseen: Option<Missing>,
    /// The class or module that was loaded, as last selected.
    pub selected: Option<(String, Place)>,
    /// The selected classes and their bases: file and name.
    classes: BTreeSet<(String, String)>,
    /// Files of which a class was selected: other classes there are configurations that do not matter.
    files: BTreeSet<String>,
    /// Whether what is selected is decided out of sight.
    undecided: bool,
}

impl Settings {
    /// A setting as it stands in the end; absent where nothing sets it.
    pub fn get(&self, name: &str) -> Fact<Expr> {
        match (self.all.get(name), &self.unseen) {
            (Some(Setting { value: Ok(value), place, trail }), _) => {
                Fact { trail: trail.clone().into(), ..Fact::read(value.clone(), *place) }
            }
            (Some(Setting { value: Err(missing), place, .. }), _) => Fact::unknown(missing.clone()).at(*place),
            (None, Some(missing)) => Fact::unknown(missing.clone()),
            (None, None) => Fact::absent(),
        }
    }

    /// Whether a class body counts: `None` where the selection is out of sight.
    pub fn counts(&self, unit: &Unit, class: &str) -> Option<bool> {
        let path = unit.path().to_owned();
        if self.classes.contains(&(path.clone(), class.to_owned())) {
            return Some(true);
        }
        if self.files.contains(&path) {
            return Some(false);
        }
        // Undecided: any class beside a name like a configuration may be the one.
        (!(self.undecided && class.to_ascii_lowercase().contains("conf"))).then_some(true)
    }

    fn set(&mut self, name: &str, value: Expr, place: Place, sometimes: bool, trail: &[Label]) {
        let value = if sometimes {
            Err(Missing::new(format!("whether the condition before `{name}` holds"), "set it without a condition"))
        } else {
            Ok(value)
        };
        self.all.insert(name.to_owned(), Setting { value, place, trail: trail.to_vec() });
    }

    fn lose(&mut self, missing: Missing) {
        self.all.clear();
        self.unseen = Some(missing);
    }
}

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
        let value = self.value(step, value);
        self.settings.set(&name, value, step.place(), step.sometimes, &step.trail);
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
            match (&one.keyword, &*value.node) {
                (Some(name), _) => {
                    self.settings.set(name, value.clone(), step.unit.place(one.value.span), step.sometimes, &step.trail)
                }
                (None, Node::Dict(pairs)) => {
                    for (key, value) in pairs {
                        if let Some(name) = key.text() {
                            let place = step.unit.place(key.span.to(value.span));
                            self.settings.set(name, self.value(step, value), place, step.sometimes, &step.trail);
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
        for event in unit.events(scope).filter(|event| event.when != When::Never) {
            let sometimes = event.when == When::Sometimes;
            match &event.what {
                What::Assign { target, value } => {
                    if let Node::Name(name) = &*target.node
                        && !name.chars().any(char::is_lowercase)
                    {
                        let value = value_of(self.code, &self.trace.roots, unit, scope, &BTreeMap::new(), value);
                        self.settings.set(name, value, unit.place(event.span), sometimes, trail);
                    }
                }
                What::Import(import) if import.names.iter().flatten().any(|(name, _)| name == "*") && depth > 0 => {
                    match self.code.imported(&self.trace.roots, unit, import.level, &import.module) {
                        Some(other) if std::ptr::eq(other, unit) => {}
                        Some(other) => self.module(other, trail, depth - 1),
                        None => {
                            let how = "add its file to what is checked, or read it by hand";
                            self.settings.lose(Missing::new(format!("the settings in `{}`", import.module), how));
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

fn is_config(object: &Expr) -> bool {
    object.path().is_some_and(|path| path.contains('.') && last_part(&path) == "config")
}

fn is_app(object: &Expr) -> bool {
    object.path().is_some_and(|path| {
        matches!(last_part(&path), "app" | "application" | "flask_app" | "server" | "current_app" | "wsgi_app")
    })
}

/// Where in a step's value a class such as `NullPool` is named.
pub fn names_class(expr: &Expr, class: &str) -> Option<Span> {
    if expr.path().is_some_and(|path| last_part(&path) == class) {
        return Some(expr.span);
    }
    expr.children().into_iter().find_map(|child| names_class(child, class))
}
