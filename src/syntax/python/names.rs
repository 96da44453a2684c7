//! What a name of the module stands for: `g` is `os.getenv` after `from os import getenv as g`.

use std::collections::{BTreeMap, BTreeSet};

use crate::syntax::python::environment::Wrapper;
use crate::syntax::python::expression::{Expr, Node, argument};
use crate::syntax::python::settings::SettingsClass;
use crate::syntax::python::{Import, Unset};

/// Constructors whose instances read the environment when they are called.
const READERS: [&str; 7] = [
    "environ.Env()",
    "environ.FileAwareEnv()",
    "environs.Env()",
    "decouple.Config()",
    "decouple.AutoConfig()",
    "starlette.config.Config()",
    "prettyconf.Configuration()",
];

/// Words in the names of modules whose `*` brings a project's settings, and with them its reader of the environment.
const SETTINGS: [&str; 6] = ["settings", "base", "common", "config", "default", "production"];

/// The names of one module, as far as they were bound when a line is read.
#[derive(Debug, Default)]
pub struct Names {
    known: BTreeMap<String, String>,
    starred: bool,
    /// Keys of `environ.Env(KEY=(type, default))`.
    pub with_default: BTreeSet<String>,
    /// Classes of pydantic whose fields are variables.
    pub settings: BTreeMap<String, SettingsClass>,
    /// Functions that read the variable they are given the name of.
    pub wrappers: BTreeMap<String, Wrapper>,
}

impl Names {
    /// Takes in an import.
    pub fn import(&mut self, import: &Import) {
        match (&import.names, &import.alias) {
            (None, Some(alias)) => self.bind(alias, import.module.clone()),
            (None, None) => {
                let top = import.module.split('.').next().unwrap_or_default();
                self.bind(top, top.to_owned());
            }
            (Some(names), _) => {
                let module = format!("{}{}", ".".repeat(import.level), import.module);
                for (name, alias) in names {
                    if name == "*" {
                        self.starred |= import.level > 0 || SETTINGS.iter().any(|word| module.contains(word));
                    } else if import.level > 0 && name == "env" {
                        // The settings of a split project share one django-environ reader under its usual name.
                        self.bind(alias, "environ.Env()".to_owned());
                    } else {
                        self.bind(alias, format!("{module}.{name}"));
                    }
                }
            }
        }
    }

    /// Takes in `target = value` where the value is a reader of the environment or a function of it.
    pub fn assign(&mut self, target: &Expr, value: &Expr) {
        let Node::Name(name) = &*target.node else { return };
        let Some(path) = self.path(value, &[]) else { return };
        if READERS.contains(&path.as_str()) {
            let arguments = value.call().map_or(&[][..], |(_, arguments)| arguments);
            let defaulted = |value: &Expr| matches!(&*value.node, Node::Sequence(all) if all.len() > 1);
            let keys = arguments.iter().filter(|argument| defaulted(&argument.value));
            self.with_default.extend(keys.filter_map(|argument| argument.keyword.clone()));
            self.bind(name, path);
        } else if path.starts_with("os.") && value.call().is_none() && !matches!(&*value.node, Node::Subscript(..)) {
            self.bind(name, path);
        }
    }

    fn bind(&mut self, name: &str, path: String) {
        self.known.insert(name.to_owned(), path);
    }

    /// The full dotted path of a name, its first part resolved; `shadows` are parameters that hide module names.
    pub fn path(&self, expr: &Expr, shadows: &[String]) -> Option<String> {
        let written = expr.path()?;
        let end = written.find(['.', '(', '[']).unwrap_or(written.len());
        let (first, rest) = written.split_at(end);
        if shadows.iter().any(|shadow| shadow == first) {
            return Some(format!("<{first}>{rest}"));
        }
        Some(match self.known.get(first) {
            Some(path) => format!("{path}{rest}"),
            None if self.starred && first == "environ" => format!("os.environ{rest}"),
            None if self.starred && first == "env" => format!("environ.Env(){rest}"),
            None => written,
        })
    }

    /// Remembers that `function` passes its parameter on to a read.
    pub fn wrap(
        &mut self,
        function: &str,
        parameters: &[(String, Option<Expr>)],
        key: &Expr,
        unset: &Unset,
        default: Option<&Expr>,
    ) {
        let position = |expr: &Expr| match &*expr.node {
            Node::Name(name) => parameters.iter().position(|(own, _)| own == name),
            _ => None,
        };
        let Some(index) = position(key) else { return };
        let default = default
            .and_then(position)
            .and_then(|at| parameters.get(at).map(|(name, own)| (at, name.clone(), own.clone())));
        let keyword = parameters.get(index).map(|(name, _)| name.clone()).unwrap_or_default();
        self.wrappers.insert(function.to_owned(), Wrapper { index, keyword, unset: unset.clone(), default });
    }
}

/// The positional or named argument, and whether there is one that is not the literal `None`.
pub fn default_of<'a>(
    arguments: &'a [crate::syntax::python::Argument],
    position: usize,
    keywords: &[&str],
) -> Option<&'a Expr> {
    argument(arguments, position, keywords).filter(|value| !value.is_none())
}
