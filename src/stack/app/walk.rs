//! What happens, in order, while the WSGI module is imported: its statements, those of the modules it imports,
//! and those of the functions it calls on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::finding::Label;
use crate::source::{Place, Span};
use crate::stack::app::code::{Code, Meaning};
use crate::stack::app::environment::Environment;
use crate::stack::app::name::{dotted, first_part, folder_of, join, last_part};
use crate::stack::app::unit::Unit;
use crate::stack::fact::{Fact, Missing};
use crate::syntax::python::{Event, Expr, Function, Import, Node, Scope, What, When, argument};

/// How deep imports, calls and class bodies are followed into each other; people's apps stay far below.
const DEPTH: usize = 100;

/// One event that happens at import.
#[derive(Debug, Clone)]
pub struct Step<'c> {
    /// The file it stands in.
    pub unit: &'c Unit,
    /// The event.
    pub event: &'c Event,
    /// Whether it may not happen, because it or a call or import before it stands in a branch.
    pub sometimes: bool,
    /// What the parameters of the function around it were given.
    pub given: Rc<BTreeMap<String, Expr>>,
    /// The imports and calls that led here, outermost first.
    pub trail: Rc<Vec<Label>>,
}

impl Step<'_> {
    /// Where it stands.
    pub fn place(&self) -> Place {
        self.unit.place(self.event.span)
    }

    /// The words of a call of this step; unknown where it stands in a branch.
    pub fn fact_of(&self, call: &Expr) -> Fact<String> {
        let place = self.unit.place(call.span);
        let words = call.path().unwrap_or_default();
        let mut fact = if self.sometimes {
            Fact::unknown(Missing::new(format!("whether `{words}` runs at import"), "it stands in a branch")).at(place)
        } else {
            Fact::read(words, place)
        };
        fact.trail = (*self.trail).clone().into();
        fact
    }
}

/// Everything that happens at import.
#[derive(Debug, Default)]
pub struct Trace<'c> {
    /// In order.
    pub steps: Vec<Step<'c>>,
    /// What was out of sight on the way.
    pub missing: Vec<Missing>,
    /// Python's path.
    pub roots: Vec<String>,
    /// The Django settings module, once it was loaded.
    pub settings: Option<&'c Unit>,
    /// Whether the process may well load other settings than these: the code only gives their name where nothing else does, what
    /// else does is out of sight, and others lie beside them.
    pub settings_guessed: bool,
    visited: BTreeSet<&'c str>,
}

/// Where a walk is.
#[derive(Clone)]
struct Here<'c> {
    unit: &'c Unit,
    scope: Scope,
    sometimes: bool,
    given: Rc<BTreeMap<String, Expr>>,
    trail: Rc<Vec<Label>>,
    depth: usize,
}

impl Here<'_> {
    fn led(&self, span: Span, text: String) -> Rc<Vec<Label>> {
        let mut trail = (*self.trail).clone();
        trail.push(Label { place: self.unit.place(span), text });
        Rc::new(trail)
    }
}

/// Walks from the module in `entry`; `environment` are variables the process is known to have.
pub fn walk<'c>(code: &'c Code, roots: &[String], entry: &'c Unit, environment: &Environment) -> Trace<'c> {
    let trace = Trace { roots: roots.to_vec(), ..Trace::default() };
    let mut walker =
        Walker { code, trace, environment: environment.clone(), guessed: BTreeSet::new(), executed: BTreeSet::new() };
    walker.module(entry, false, Rc::default(), 0);
    walker.trace
}

struct Walker<'c> {
    code: &'c Code,
    trace: Trace<'c>,
    environment: Environment,
    /// Names that the code itself gave a value to while the process's own may be out of sight.
    guessed: BTreeSet<String>,
    executed: BTreeSet<(&'c str, &'c str)>,
}

impl<'c> Walker<'c> {
    fn module(&mut self, unit: &'c Unit, sometimes: bool, trail: Rc<Vec<Label>>, depth: usize) {
        if !self.trace.visited.insert(unit.path()) {
            return;
        }
        if !unit.is_complete() {
            let how = "mend its syntax, or the template tags in it".to_owned();
            self.trace.missing.push(Missing::new(format!("the whole of {}", unit.path()), how));
        }
        self.run(Here { unit, scope: Scope::Module, sometimes, given: Rc::default(), trail, depth });
    }

    fn run(&mut self, here: Here<'c>) {
        if here.depth >= DEPTH {
            let what = format!("what {} does further down", here.unit.path());
            return self.trace.missing.push(Missing::new(what, "it is nested too deeply to be followed"));
        }
        for event in here.unit.events(&here.scope).filter(|event| event.when != When::Never) {
            let sometimes = here.sometimes || event.when == When::Sometimes;
            let here = Here { sometimes, ..here.clone() };
            let step = Step {
                unit: here.unit,
                event,
                sometimes,
                given: Rc::clone(&here.given),
                trail: Rc::clone(&here.trail),
            };
            self.trace.steps.push(step);
            match &event.what {
                What::Import(import) => self.import(&here, event, import),
                What::Class(class) => {
                    self.run(Here { scope: Scope::Class(class.name.clone()), depth: here.depth + 1, ..here });
                }
                What::Provide { name, value } => {
                    let name = &name.value;
                    let is_known = self.environment.values.contains_key(name) || self.environment.hidden.contains(name);
                    // A variable that the process already has is what `setdefault` keeps.
                    if let Some(value) = value.text().filter(|_| !is_known) {
                        self.environment.values.insert(name.clone(), value.to_owned());
                        if !self.environment.complete {
                            self.guessed.insert(name.clone());
                        }
                    }
                }
                What::Call(call) => self.call(&here, event, call),
                _ => {}
            }
        }
    }

    fn import(&mut self, here: &Here<'c>, event: &Event, import: &Import) {
        let written = format!("{}{}", ".".repeat(import.level), import.module);
        let trail = here.led(event.span, format!("`{written}` is imported here"));
        let mut so_far = String::new();
        for part in import.module.split('.').filter(|part| !part.is_empty()) {
            so_far = dotted(&so_far, part);
            self.follow(here, import.level, &so_far, &trail);
        }
        if import.module.is_empty() {
            self.follow(here, import.level, "", &trail);
        }
        let found = self.code.imported(&self.trace.roots, here.unit, import.level, &import.module);
        for (name, _) in import.names.iter().flatten().filter(|(name, _)| name != "*") {
            let is_name =
                found.is_some_and(|module| self.code.name(&self.trace.roots, module, &Scope::Module, name).is_some());
            if !is_name {
                self.follow(here, import.level, &dotted(&import.module, name), &trail);
            }
        }
        let top = first_part(&import.module);
        let is_ours = import.level > 0 || self.trace.roots.iter().any(|root| self.code.has_folder(root, top));
        let is_folder = found.is_none()
            && import.names.iter().flatten().any(|(name, _)| {
                self.code.imported(&self.trace.roots, here.unit, import.level, &dotted(&import.module, name)).is_some()
            });
        if found.is_none() && is_ours && !is_folder && !import.module.is_empty() && event.when == When::Always {
            let how = format!(
                "add its file, or name its folder: [app] path = \"…\" in housecall.toml (imported by {})",
                here.unit.path()
            );
            self.trace.missing.push(Missing::new(format!("the module `{written}`"), how));
        }
    }

    fn follow(&mut self, here: &Here<'c>, level: usize, module: &str, trail: &Rc<Vec<Label>>) {
        if let Some(unit) = self.code.imported(&self.trace.roots, here.unit, level, module) {
            self.module(unit, here.sometimes, Rc::clone(trail), here.depth + 1);
        }
    }

    fn call(&mut self, here: &Here<'c>, event: &'c Event, call: &'c Expr) {
        let Some((callee, arguments)) = call.call() else { return };
        let path = self.code.canonical(&self.trace.roots, here.unit, &here.scope, callee).unwrap_or_default();
        let named = argument(arguments, 0, &[]).and_then(Expr::text);
        match path.as_str() {
            "django.core.wsgi.get_wsgi_application" | "django.setup" | "django.core.handlers.wsgi.WSGIHandler" => {
                return self.django(here, event);
            }
            "importlib.import_module" | "__import__" | "werkzeug.utils.import_string" => {
                if let Some(module) = named {
                    self.follow(here, 0, module, &here.led(event.span, format!("`{module}` is imported here")));
                }
                return;
            }
            _ if path.ends_with(".from_object") => {
                if let Some(text) = named {
                    let trail = here.led(event.span, format!("`{text}` is loaded here"));
                    let module = text.rsplit_once('.').map_or(text, |(module, _)| module);
                    self.follow(here, 0, text, &trail);
                    self.follow(here, 0, module, &trail);
                }
                return;
            }
            _ if path.ends_with(".from_pyfile") => {
                let unit = named.and_then(|file| self.code.at(&join(folder_of(here.unit.path()), file)));
                if let Some(unit) = unit {
                    let trail = here.led(event.span, format!("`{}` is loaded here", unit.path()));
                    self.module(unit, here.sometimes, trail, here.depth + 1);
                }
                return;
            }
            _ => {}
        }
        let meaning = self.code.meaning(&self.trace.roots, here.unit, &here.scope, callee);
        let Some(Meaning::Function(unit, function)) = meaning else { return };
        if !self.executed.insert((unit.path(), &function.name)) {
            return;
        }
        let given = Rc::new(self.given(here, function, call));
        let trail = here.led(event.span, format!("`{}` is called here", function.name));
        let scope = Scope::Function(function.name.clone());
        self.run(Here { unit, scope, given, trail, depth: here.depth + 1, ..here.clone() });
    }

    /// What each parameter stands for: the argument, else the parameter's default.
    fn given(&self, here: &Here<'c>, function: &Function, call: &Expr) -> BTreeMap<String, Expr> {
        let arguments = call.call().map_or(&[][..], |(_, arguments)| arguments);
        let one = |(at, (name, default)): (usize, &(String, Option<Expr>))| {
            let value = match argument(arguments, at, &[name]) {
                Some(value) => value_of(self.code, &self.trace.roots, here.unit, &here.scope, &here.given, value),
                None => default.clone()?,
            };
            Some((name.clone(), value))
        };
        function.parameters.iter().enumerate().filter_map(one).collect()
    }

    /// Loads the settings and then what `INSTALLED_APPS` names: `django.setup()` does it in this order.
    fn django(&mut self, here: &Here<'c>, event: &Event) {
        let Some(name) = self.environment.values.get("DJANGO_SETTINGS_MODULE").cloned() else {
            let how = "set DJANGO_SETTINGS_MODULE in wsgi.py or in the uWSGI configuration";
            return self.trace.missing.push(Missing::new("the Django settings", how));
        };
        let Some(unit) = self.code.imported(&self.trace.roots, here.unit, 0, &name) else {
            let how = "add its file, or name its folder: [app] path = \"…\" in housecall.toml";
            return self.trace.missing.push(Missing::new(format!("the settings module `{name}`"), how));
        };
        if self.trace.settings.is_some() {
            return;
        }
        let trail = here.led(event.span, format!("Django loads `{name}` here"));
        for end in name.match_indices('.').map(|(at, _)| at) {
            self.follow(here, 0, &name[..end], &trail);
        }
        self.module(unit, here.sometimes, Rc::clone(&trail), here.depth + 1);
        self.trace.settings = Some(unit);
        self.trace.settings_guessed =
            self.guessed.contains("DJANGO_SETTINGS_MODULE") && self.code.has_other_settings(unit);
        for app in self.installed(unit) {
            let package = app.split(".apps.").next().unwrap_or(&app).to_owned();
            for module in [package.clone(), format!("{package}.apps"), format!("{package}.models")] {
                self.follow(here, 0, &module, &trail);
            }
        }
    }

    /// The names in every list assigned to `INSTALLED_APPS` or a part of it.
    fn installed(&self, settings: &Unit) -> Vec<String> {
        let folder = folder_of(settings.path());
        let lists =
            self.trace.steps.iter().filter(|step| folder_of(step.unit.path()) == folder).filter_map(|step| match &step
                .event
                .what
            {
                What::Assign { target, value } if target.path().is_some_and(|name| name.ends_with("_APPS")) => {
                    Some(value)
                }
                _ => None,
            });
        lists.flat_map(texts).collect()
    }
}

/// Every string literal in an expression.
pub fn texts(expr: &Expr) -> Vec<String> {
    match &*expr.node {
        Node::Text(text) => vec![text.clone()],
        _ => expr.children().into_iter().flat_map(texts).collect(),
    }
}

/// The literal that an expression stands for where names lead to exactly one; else the expression itself.
pub fn value_of(
    code: &Code,
    roots: &[String],
    unit: &Unit,
    scope: &Scope,
    given: &BTreeMap<String, Expr>,
    expr: &Expr,
) -> Expr {
    if let Node::Name(name) = &*expr.node
        && let Some(value) = given.get(name)
    {
        return value.clone();
    }
    let Some(Meaning::Value(at, event, value)) = code.meaning(roots, unit, scope, expr) else { return expr.clone() };
    let name = expr.path().unwrap_or_default();
    let assigned = |event: &&Event| matches!(&event.what, What::Assign { target, .. } if target.path().as_deref() == Some(last_part(&name)));
    let only = at.binding(&event.scope, last_part(&name)).iter().filter(|event| assigned(event)).count() == 1
        && event.when == When::Always;
    if only && (value.is_literal() || value.is_none()) { value.clone() } else { expr.clone() }
}
