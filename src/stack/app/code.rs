//! The Python files in sight: which file a module name means, and what a name in one of them stands for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crate::stack::app::name::{dotted, first_part, folder_of, is_normal, join, last_part, last_segment, normal};
use crate::stack::app::unit::Unit;
use crate::stack::document::Document;
use crate::syntax::python::{self, Class, Event, Expr, Function, Node, Scope, What, When};

/// How many values are followed to find out how one was made.
const HOPS: usize = 12;

/// The files, scopes and names that a look-up has asked already.
type Seen<'c> = BTreeSet<(&'c str, Scope, String)>;

/// What a name stands for.
#[derive(Debug, Clone)]
pub enum Meaning<'c> {
    /// A module in sight.
    Module(&'c Unit),
    /// A function in sight.
    Function(&'c Unit, &'c Function),
    /// A class in sight.
    Class(&'c Unit, &'c Class),
    /// A value assigned in sight, in this scope.
    Value(&'c Unit, &'c Event, &'c Expr),
    /// Something imported from a module that is not in sight, by its dotted path.
    Outside(String),
}

/// The Python files in sight by path.
#[derive(Debug, Default)]
pub struct Code {
    units: BTreeMap<String, Unit>,
    env_files: BTreeMap<String, BTreeSet<String>>,
}

impl Code {
    /// The files given; of several at one path the first counts.
    pub fn of(documents: impl IntoIterator<Item = Arc<Document>>) -> Self {
        let mut units = BTreeMap::new();
        let parsed = Arc::new(AtomicUsize::new(0));
        for document in documents {
            let parsed = Arc::clone(&parsed);
            units.entry(normal(&document.path)).or_insert_with(|| Unit::new(document, parsed));
        }
        Self { units, env_files: BTreeMap::new() }
    }

    /// Adds a `.env` file: `KEY=value` lines, with or without `export`. Only the names are kept.
    pub fn add_env_file(&mut self, path: &str, text: &str) {
        let key = |line: &str| {
            let line = line.trim();
            let (key, _) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
            (!line.starts_with('#')).then(|| key.trim().to_owned())
        };
        self.env_files.insert(normal(path), text.lines().filter_map(key).collect());
    }

    /// The path of the nearest `.env` file called `name`, with its names, looked for from `folder` upwards and then on Python's path.
    pub fn env_file(&self, roots: &[String], folder: &str, name: &str) -> Option<(&str, &BTreeSet<String>)> {
        let above = std::iter::successors(Some(folder), |folder| (!folder.is_empty()).then(|| folder_of(folder)));
        above.chain(roots.iter().map(String::as_str)).find_map(|folder| {
            let (path, names) = self.env_files.get_key_value(&join(folder, name))?;
            Some((path.as_str(), names))
        })
    }

    /// The nearest of the files of these names, looked for from `folder` upwards, in each folder in this order.
    pub fn nearest_file(&self, folder: &str, names: &[&str]) -> Option<(&str, &BTreeSet<String>)> {
        let mut above = std::iter::successors(Some(folder), |folder| (!folder.is_empty()).then(|| folder_of(folder)));
        above.find_map(|folder| {
            let found = names.iter().find_map(|name| self.env_files.get_key_value(&join(folder, name)))?;
            Some((found.0.as_str(), found.1))
        })
    }

    /// The file at a path.
    pub fn at(&self, path: &str) -> Option<&Unit> {
        if is_normal(path) { self.units.get(path) } else { self.units.get(&normal(path)) }
    }

    /// The file of a dotted module below one folder: `a/b.py` or `a/b/__init__.py`.
    pub fn module_below(&self, folder: &str, dotted: &str) -> Option<&Unit> {
        let base = join(folder, &dotted.replace('.', "/"));
        self.at(&join(&base, "__init__.py")).or_else(|| self.at(&format!("{base}.py")))
    }

    /// The file of a dotted module on Python's path.
    pub fn module(&self, roots: &[String], dotted: &str) -> Option<&Unit> {
        roots.iter().find_map(|root| self.module_below(root, dotted))
    }

    /// Every file whose path ends in `tail`, as whole segments.
    pub fn ending_in(&self, tail: &str) -> Vec<&Unit> {
        let tail = normal(tail);
        let ends = |path: &str| path == tail || path.strip_suffix(&tail).is_some_and(|before| before.ends_with('/'));
        self.units.iter().filter(|(path, _)| ends(path)).map(|(_, unit)| unit).collect()
    }

    /// Whether other settings lie beside these: `settings/dev.py` and `settings/production.py`, `settings_dev.py`.
    pub fn has_other_settings(&self, unit: &Unit) -> bool {
        let folder = folder_of(unit.path());
        let is_package = last_segment(folder).contains("settings");
        self.units.keys().any(|path| {
            let name = last_segment(path);
            path != unit.path()
                && folder_of(path) == folder
                && name != "__init__.py"
                && (is_package || name.contains("settings"))
        })
    }

    /// The files that lie in a folder itself, not in one below it.
    pub fn directly_in<'c>(&'c self, folder: &str) -> impl Iterator<Item = &'c Unit> + use<'c> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let from = self.units.range(prefix.clone()..);
        let below = from.map_while(move |(path, unit)| Some((path.strip_prefix(&prefix)?, unit)));
        below.filter(|(name, _)| !name.contains('/')).map(|(_, unit)| unit)
    }

    /// Whether any file lies below `folder/name`.
    pub fn has_folder(&self, folder: &str, name: &str) -> bool {
        let prefix = format!("{}/", join(folder, name));
        self.units.range(prefix.clone()..).next().is_some_and(|(path, _)| path.starts_with(&prefix))
    }

    /// The module an import statement of `unit` names; `level` dots before it.
    pub fn imported(&self, roots: &[String], unit: &Unit, level: usize, dotted: &str) -> Option<&Unit> {
        if level == 0 {
            // Python 2 looks beside the importing file too, and so does a folder that is the working directory.
            return self.module(roots, dotted).or_else(|| self.module_below(folder_of(unit.path()), dotted));
        }
        let mut folder = folder_of(unit.path());
        for _ in 1..level {
            folder = folder_of(folder);
        }
        if dotted.is_empty() { self.at(&join(folder, "__init__.py")) } else { self.module_below(folder, dotted) }
    }

    /// What a name means in a scope of `unit`.
    pub fn name<'c>(&'c self, roots: &[String], unit: &'c Unit, scope: &Scope, name: &str) -> Option<Meaning<'c>> {
        self.name_within(roots, unit, scope, name, &mut BTreeSet::new())
    }

    fn name_within<'c>(
        &'c self,
        roots: &[String],
        unit: &'c Unit,
        scope: &Scope,
        name: &str,
        seen: &mut Seen<'c>,
    ) -> Option<Meaning<'c>> {
        // Modules may take `*` from each other, so each is asked once.
        if !seen.insert((unit.path(), scope.clone(), name.to_owned())) {
            return None;
        }
        let outer = enclosing(scope);
        let here =
            unit.binding(scope, name).into_iter().rev().filter(|event| event.when != When::Never).find_map(|event| {
                match &event.what {
                    What::Assign { target, value } if matches!(&*target.node, Node::Name(own) if own == name) => {
                        Some(Meaning::Value(unit, event, value))
                    }
                    What::Function(function) if last_part(&function.name) == name => {
                        Some(Meaning::Function(unit, function))
                    }
                    What::Class(class) if last_part(&class.name) == name => Some(Meaning::Class(unit, class)),
                    What::Import(import) => self.by_import(roots, unit, import, name, seen),
                    _ => None,
                }
            });
        here.or_else(|| self.name_within(roots, unit, &outer?, name, seen))
    }

    fn by_import<'c>(
        &'c self,
        roots: &[String],
        unit: &'c Unit,
        import: &python::Import,
        name: &str,
        seen: &mut Seen<'c>,
    ) -> Option<Meaning<'c>> {
        let Some(names) = &import.names else {
            let bound = import.alias.as_deref().unwrap_or_else(|| first_part(&import.module));
            let module = if import.alias.is_some() { &import.module } else { bound };
            return (bound == name).then(|| match self.imported(roots, unit, 0, module) {
                Some(found) => Meaning::Module(found),
                None => Meaning::Outside(module.to_owned()),
            });
        };
        let (original, _) = names.iter().find(|(_, alias)| alias == name || alias == "*")?;
        let wanted = if original == "*" { name } else { original };
        let Some(module) = self.imported(roots, unit, import.level, &import.module) else {
            let below = dotted(&import.module, wanted);
            return match self.imported(roots, unit, import.level, &below) {
                Some(found) => Some(Meaning::Module(found)),
                None if original == "*" => None,
                None => Some(Meaning::Outside(format!("{}{below}", ".".repeat(import.level)))),
            };
        };
        let same_file = std::ptr::eq(module, unit);
        let inside = if same_file { None } else { self.name_within(roots, module, &Scope::Module, wanted, seen) };
        inside.or_else(|| {
            self.module_below(folder_of(module.path()), wanted).filter(|_| is_package(module)).map(Meaning::Module)
        })
    }

    /// What an expression means in a scope of `unit`: names, attributes of modules, and calls of classes.
    pub fn meaning<'c>(&'c self, roots: &[String], unit: &'c Unit, scope: &Scope, expr: &Expr) -> Option<Meaning<'c>> {
        match &*expr.node {
            Node::Name(name) => self.name(roots, unit, scope, name),
            Node::Attribute(object, name) => match self.meaning(roots, unit, scope, object)? {
                Meaning::Module(module) => self.name(roots, module, &Scope::Module, name).or_else(|| {
                    self.module_below(folder_of(module.path()), name)
                        .filter(|_| is_package(module))
                        .map(Meaning::Module)
                }),
                Meaning::Outside(path) => Some(Meaning::Outside(format!("{path}.{name}"))),
                _ => None,
            },
            _ => None,
        }
    }

    /// The dotted path of an expression with its first name followed to where it was made:
    /// `db.create_all` is `flask_sqlalchemy.SQLAlchemy().create_all`; a class in sight is `<class>`.
    pub fn canonical(&self, roots: &[String], unit: &Unit, scope: &Scope, expr: &Expr) -> Option<String> {
        self.canonical_within(roots, unit, scope, expr, HOPS)
    }

    fn canonical_within(
        &self,
        roots: &[String],
        unit: &Unit,
        scope: &Scope,
        expr: &Expr,
        hops: usize,
    ) -> Option<String> {
        if hops == 0 {
            return expr.path();
        }
        match &*expr.node {
            Node::Name(name) => Some(match self.name(roots, unit, scope, name) {
                Some(Meaning::Outside(path)) => path,
                Some(Meaning::Class(..)) => "<class>".to_owned(),
                Some(Meaning::Function(_, function)) => format!("<function>{}", function.name),
                Some(Meaning::Value(at, event, value)) => {
                    let path = self.canonical_within(roots, at, &event.scope, value, hops - 1);
                    path.filter(|path| path.contains('.') || path.contains('(')).unwrap_or_else(|| name.clone())
                }
                Some(Meaning::Module(_)) | None => name.clone(),
            }),
            Node::Attribute(object, name) => match self.meaning(roots, unit, scope, expr) {
                Some(Meaning::Value(at, event, value)) => {
                    self.canonical_within(roots, at, &event.scope, value, hops - 1)
                }
                Some(Meaning::Class(..)) => Some("<class>".to_owned()),
                _ => Some(format!("{}.{name}", self.canonical_within(roots, unit, scope, object, hops)?)),
            },
            Node::Call(callee, _) => Some(format!("{}()", self.canonical_within(roots, unit, scope, callee, hops)?)),
            Node::Subscript(object, _) => {
                Some(format!("{}[]", self.canonical_within(roots, unit, scope, object, hops)?))
            }
            _ => None,
        }
    }
}

/// The scope around a function or class; classes are not looked through from inside a function, as in Python.
fn enclosing(scope: &Scope) -> Option<Scope> {
    match scope {
        Scope::Module => None,
        Scope::Class(name) | Scope::Function(name) => Some(match name.rsplit_once('.') {
            Some((outer, _)) => Scope::Function(outer.into()),
            None => Scope::Module,
        }),
    }
}

fn is_package(unit: &Unit) -> bool {
    unit.path().ends_with("__init__.py")
}
