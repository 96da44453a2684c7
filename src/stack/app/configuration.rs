//! The app's settings as they stand after import: Flask's `app.config` in the order it is filled, or Django's settings module.

mod edit;
mod gather;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub use edit::Edit;
pub use gather::settings;

use crate::finding::{Confidence, Label};
use crate::source::{Place, Span};
use crate::stack::app::name::last_part;
use crate::stack::app::unit::Unit;
use crate::stack::fact::{Fact, Missing};
use crate::syntax::python::{Expr, Scope};

/// One setting's value.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The value, or why it is not known.
    pub value: Result<Expr, Missing>,
    /// Where it is set.
    pub place: Place,
    /// What led there.
    pub trail: Vec<Label>,
    /// The value as it is written.
    pub written: Written,
    /// What is changed inside it afterwards, in order.
    pub edits: Vec<Edit>,
}

/// An expression with what its names mean.
#[derive(Debug, Clone)]
pub struct Written {
    /// The expression.
    pub expr: Expr,
    /// The file it stands in: a path.
    pub unit: String,
    /// The body of code that it stands in.
    pub scope: Scope,
    /// What the parameters of that function were given.
    pub given: Rc<BTreeMap<String, Expr>>,
}

/// The settings of an app.
#[derive(Debug, Default)]
pub struct Settings {
    all: BTreeMap<String, Setting>,
    /// Those that a file may change which is out of sight and need not be there.
    doubted: BTreeMap<String, Setting>,
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
            (Some(Setting { value: Ok(value), place, trail, .. }), _) => {
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

    /// A setting as it is written and changed, and how sure it is that nothing else changes it.
    pub fn written(&self, name: &str) -> Option<(&Setting, Confidence)> {
        let sure = self.all.get(name).map(|setting| (setting, Confidence::Proved));
        sure.or_else(|| self.doubted.get(name).map(|setting| (setting, Confidence::Possible)))
    }

    fn set(&mut self, name: &str, value: Expr, written: Written, place: Place, sometimes: bool, trail: &[Label]) {
        let value = if sometimes {
            Err(Missing::new(format!("whether the condition before `{name}` holds"), "set it without a condition"))
        } else {
            Ok(value)
        };
        self.doubted.remove(name);
        self.all.insert(name.to_owned(), Setting { value, place, trail: trail.to_vec(), written, edits: Vec::new() });
    }

    fn edit(&mut self, name: &str, edit: Edit) {
        if let Some(setting) = self.all.get_mut(name) {
            setting.edits.push(edit);
        }
    }

    fn lose(&mut self, missing: Missing) {
        self.doubted.clear();
        self.all.clear();
        self.unseen = Some(missing);
    }

    /// A file may change all of them that is out of sight and need not be there.
    fn doubt(&mut self, missing: Missing) {
        self.doubted.append(&mut self.all);
        self.unseen = Some(missing);
    }
}

/// Whether an expression is the configuration of a Flask app.
pub fn is_config(object: &Expr) -> bool {
    object.path().is_some_and(|path| path.contains('.') && last_part(&path) == "config")
}

/// Where an expression is called as apps are.
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
