//! What calls come to: of the functions that people make addresses with, of methods of texts and tables, and of functions in sight.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{At, Evaluator};
use crate::stack::app::code::Meaning;
use crate::stack::app::name::last_part;
use crate::stack::app::unit::Unit;
use crate::stack::app::value::{Table, Value, Variable};
use crate::stack::fact::Missing;
use crate::syntax::python::{Argument, Expr, Function, Node, SPREAD, Scope, What, When, argument};

/// The positional arguments of SQLAlchemy's `URL` and `URL.create` (sqlalchemy/engine/url.py).
const URL: [&str; 7] = ["drivername", "username", "password", "host", "port", "database", "query"];

impl<'c> Evaluator<'_, 'c> {
    pub(super) fn call(&self, at: &At<'c>, expr: &Expr, callee: &Expr, arguments: &[Argument]) -> Value {
        let path = self.code.canonical(self.roots, at.unit, &at.scope, callee).unwrap_or_default();
        if let Some(variable) = self.called_read(at, expr, &path, arguments) {
            return variable;
        }
        let first = || argument(arguments, 0, &[]).map(|first| self.evaluate(at, first));
        let of_first = |make: fn(Box<Value>) -> Value| first().map(|first| make(Box::new(first)));
        let known = match path.as_str() {
            "str" | "int" | "sqlalchemy.engine.url.make_url" | "sqlalchemy.engine.make_url" | "sqlalchemy.make_url" => {
                first()
            }
            "urllib.parse.quote_plus" | "urllib.parse.quote" | "urllib.quote_plus" | "urllib.quote" => {
                of_first(Value::Encoded)
            }
            "dj_database_url.parse" => first().map(|first| Value::Parsed(Box::new(first), !requires_tls(arguments))),
            "dict" => Some(Value::Table(self.arguments(at, arguments, &[]))),
            _ if is_url(&path) => Some(Value::Composed(self.arguments(at, arguments, &URL))),
            _ => None,
        };
        known
            .or_else(|| self.method(at, expr, callee, arguments))
            .unwrap_or_else(|| self.function(at, callee, arguments))
    }

    /// A call that reads a variable: those of libraries are found where the module is read.
    fn called_read(&self, at: &At<'c>, expr: &Expr, path: &str, arguments: &[Argument]) -> Option<Value> {
        let gets = matches!(path, "os.getenv" | "os.environ.get");
        let default = || {
            let position = if gets || last_part(path) == "config" { 1 } else { usize::MAX };
            let given = argument(arguments, position, &["default"])?;
            Some(Box::new(self.evaluate(at, given)))
        };
        let own = || {
            let Value::Text(name) = self.evaluate(at, argument(arguments, 0, &["key"]).filter(|_| gets)?) else {
                return None;
            };
            Some(Variable { name, place: at.unit.place(expr.span), unset: None })
        };
        let variable = self.read(at, expr.span).or_else(own)?;
        let variable = Variable { unset: variable.unset.clone().or_else(default), ..variable };
        let casts = arguments.iter().find(|one| one.keyword.as_deref() == Some("cast"));
        let cast = casts.and_then(|one| self.code.canonical(self.roots, at.unit, &at.scope, &one.value));
        let parses = matches!(path, "dj_database_url.config")
            || matches!(last_part(path), "db" | "db_url" | "dj_db_url")
            || cast.is_some_and(|cast| cast == "dj_database_url.parse");
        let value = Value::Variable(variable);
        Some(if parses { Value::Parsed(Box::new(value), !requires_tls(arguments)) } else { value })
    }

    /// A method of a text or of a table.
    fn method(&self, at: &At<'c>, expr: &Expr, callee: &Expr, arguments: &[Argument]) -> Option<Value> {
        let Node::Attribute(object, method) = &*callee.node else { return None };
        let text = |at: usize| argument(arguments, at, &[])?.text().map(str::to_owned);
        match method.as_str() {
            "format" => self.format(at, object, arguments),
            "format_map" => {
                let value = argument(arguments, 0, &[])?.clone();
                self.format(at, object, &[Argument { keyword: Some(SPREAD.to_owned()), value }])
            }
            "replace" => Some(Value::Replaced(Box::new(self.evaluate(at, object)), text(0)?, text(1)?)),
            "get" => {
                let otherwise = argument(arguments, 1, &["default"]);
                let value = self.entry(at, expr, object, argument(arguments, 0, &["key"])?, otherwise);
                Some(value)
            }
            "copy" | "strip" if arguments.is_empty() => Some(self.evaluate(at, object)),
            "render_as_string" => Some(self.evaluate(at, object)),
            _ => None,
        }
    }

    /// What a function in sight gives back, where it has one way to do so.
    fn function(&self, at: &At<'c>, callee: &Expr, arguments: &[Argument]) -> Value {
        let unknown = || Value::unknown(&format!("what `{}` gives back", callee.path().unwrap_or_default()));
        let Some(Meaning::Function(unit, function)) = self.code.meaning(self.roots, at.unit, &at.scope, callee) else {
            return unknown();
        };
        let scope = Scope::Function(function.name.clone());
        let returned = {
            let mut returns = unit.events(&scope).filter_map(|event| match &event.what {
                What::Return(value) => Some((event.when, value)),
                _ => None,
            });
            returns.next().filter(|_| returns.next().is_none())
        };
        match returned {
            Some((When::Always, value)) => {
                let given = Rc::new(self.given(at, unit, function, arguments));
                self.evaluate(&At { unit, scope, given, depth: at.depth }, value)
            }
            _ => unknown(),
        }
    }

    /// What each parameter is given: the argument, else its default.
    fn given(
        &self,
        at: &At<'c>,
        unit: &'c Unit,
        function: &Function,
        arguments: &[Argument],
    ) -> BTreeMap<String, Value> {
        let spreads = arguments.iter().any(|one| one.keyword.as_deref() == Some(SPREAD));
        let own = At { depth: at.depth, ..At::new(unit, &Scope::Module) };
        let one = |(position, (name, default)): (usize, &(String, Option<Expr>))| {
            let value = match (argument(arguments, position, &[name]), default) {
                (Some(given), _) => self.evaluate(at, given),
                (None, Some(default)) if !spreads => self.evaluate(&own, default),
                _ => Value::unknown(&format!("what `{name}` is given")),
            };
            (name.clone(), value)
        };
        function.parameters.iter().enumerate().map(one).collect()
    }

    /// The arguments of a call as a table, those by position under `names`.
    pub(super) fn arguments(&self, at: &At<'c>, arguments: &[Argument], names: &[&str]) -> Table {
        let mut table = Table::default();
        let mut names = names.iter();
        for one in arguments {
            let place = at.unit.place(one.value.span);
            match one.keyword.as_deref() {
                Some(SPREAD) => match self.evaluate(at, &one.value).table() {
                    Ok(other) => table.merge(other),
                    Err(missing) => table.lose(missing),
                },
                Some(keyword) => table.put(keyword, self.evaluate(at, &one.value), place),
                None => match (names.next(), self.evaluate(at, &one.value)) {
                    (Some(name), value) => table.put(name, value, place),
                    (None, Value::Table(other)) => table.merge(other),
                    (None, _) => table.lose(Missing::new("an argument without a name", "name it")),
                },
            }
        }
        table
    }

    /// The arguments of the call that stands at a place as a table, those by position under `names`.
    pub fn table_of(&self, at: &At<'c>, arguments: &[Argument], names: &[&str]) -> Table {
        self.within_budget(|| self.arguments(at, arguments, names))
    }
}

/// Whether dj-database-url may put an `sslmode` of its own into the options.
fn requires_tls(arguments: &[Argument]) -> bool {
    argument(arguments, usize::MAX, &["ssl_require"]).is_some_and(|given| given.truth() != Some(false))
}

/// Whether a call makes SQLAlchemy's address of its parts.
fn is_url(path: &str) -> bool {
    let path = path.strip_suffix(".create").unwrap_or(path);
    path.starts_with("sqlalchemy.") && last_part(path) == "URL"
}
