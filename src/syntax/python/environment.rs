//! Which expressions read the environment, by which library, and what becomes of the app when the variable is not set.

use crate::source::{Located, Span};
use crate::syntax::python::expression::{Argument, Expr, Node, argument};
use crate::syntax::python::names::{Names, default_of};

/// A read of one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvRead {
    /// The variable, standing where its name does.
    pub name: Located<String>,
    /// What reads it.
    pub reader: Reader,
    /// What happens when it is not set.
    pub unset: Unset,
    /// What the value is used for: the setting or variable it is assigned to, or the function it is given to.
    pub used_as: Option<String>,
    /// Whether the value is put into a text, where `None` becomes the word.
    pub becomes_text: bool,
    /// Whether `or` puts something else in the place of an empty value as well.
    pub replaces_empty: bool,
    /// The text that takes its place when it is not set, where that is a literal.
    pub default: Option<Located<String>>,
}

/// What reads a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// `os.environ`, `os.getenv` and whatever is built on nothing else.
    Process,
    /// A library that may also take the value from a file that is not part of the code.
    WithFile,
    /// python-decouple: what the process lacks may stand in the nearest `settings.ini` or `.env`, from the file that asks upwards
    /// (decouple.py: `AutoConfig`).
    Decouple,
    /// pydantic, told to read `.env` as well, without regard to case.
    Pydantic,
}

/// What happens when a variable is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unset {
    /// An exception.
    Raises,
    /// The value is `None`, and used as it is.
    None,
    /// Another value takes its place.
    Default,
    /// The code asks whether it is set, and copes.
    Tested,
}

/// A function that reads the variable it is given the name of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapper {
    /// The position of the parameter that names the variable.
    pub index: usize,
    /// Its name.
    pub keyword: String,
    /// What the function does when the variable is not set.
    pub unset: Unset,
    /// The parameter for a default, with its own default.
    pub default: Option<(usize, String, Option<Expr>)>,
}

/// A read as found in one expression: its key may still be a parameter.
#[derive(Debug)]
pub struct Found<'a> {
    /// The expression that names the variable, unless the library implies it.
    pub key: Option<&'a Expr>,
    /// The variable that the library implies.
    pub implied: Option<&'static str>,
    /// What reads it.
    pub reader: Reader,
    /// What happens when it is not set.
    pub unset: Unset,
    /// The default as written.
    pub default: Option<&'a Expr>,
}

/// Readings of django-environ and environs that name their variable themselves when they are given none.
const IMPLIED: [(&str, &str); 10] = [
    ("db", "DATABASE_URL"),
    ("db_url", "DATABASE_URL"),
    ("dj_db_url", "DATABASE_URL"),
    ("cache", "CACHE_URL"),
    ("cache_url", "CACHE_URL"),
    ("email", "EMAIL_URL"),
    ("email_url", "EMAIL_URL"),
    ("search_url", "SEARCH_URL"),
    ("channels", "CHANNELS_URL"),
    ("channels_url", "CHANNELS_URL"),
];

/// Readings of django-environ and environs by the type they give; no method at all is one too.
const TYPED: [&str; 29] = [
    "",
    "str",
    "bool",
    "int",
    "float",
    "complex",
    "list",
    "tuple",
    "dict",
    "url",
    "path",
    "json",
    "bytes",
    "unicode",
    "datetime",
    "date",
    "timedelta",
    "time",
    "uuid",
    "log_level",
    "decimal",
    "enum",
    "get_value",
    "parse_value",
    "set",
    "dj_email_url",
    "dj_cache_url",
    "search_url",
    "literal",
];

/// The read that an expression itself is, not those inside it.
pub fn found<'a>(expr: &'a Expr, names: &Names, shadows: &[String]) -> Option<Found<'a>> {
    match &*expr.node {
        Node::Subscript(object, key) => {
            let path = names.path(object, shadows)?;
            is_environment(&path).then_some(found_at(key, Unset::Raises))
        }
        Node::Compare(key, operator, object) if matches!(operator.as_str(), "in" | "not in") => {
            let path = names.path(object, shadows)?;
            let path = path.strip_suffix(".keys()").unwrap_or(&path);
            is_environment(path).then_some(found_at(key, Unset::Tested))
        }
        Node::Call(callee, arguments) => called(&names.path(callee, shadows)?, arguments, names),
        _ => None,
    }
}

/// Whether a path is the process's environment.
pub fn is_environment(path: &str) -> bool {
    matches!(path, "os.environ" | "os.environb")
}

fn found_at(key: &Expr, unset: Unset) -> Found<'_> {
    Found { key: Some(key), implied: None, reader: Reader::Process, unset, default: None }
}

fn called<'a>(path: &str, arguments: &'a [Argument], names: &Names) -> Option<Found<'a>> {
    let first = argument(arguments, 0, &["key"]);
    let with_default = |unset: Unset| {
        let default = default_of(arguments, 1, &["default"]);
        let unset = if default.is_some() { Unset::Default } else { unset };
        first.map(|key| Found { default, ..found_at(key, unset) })
    };
    match path {
        "os.getenv" | "os.getenvb" | "os.environ.get" | "os.environb.get" => return with_default(Unset::None),
        "os.environ.pop" if argument(arguments, 1, &[]).is_none() => return with_default(Unset::Raises),
        "os.environ.pop" => return first.map(|key| found_at(key, Unset::Default)),
        "os.environ.has_key" => return first.map(|key| found_at(key, Unset::Tested)),
        "dj_database_url.config" | "dj_email_url.config" | "django_cache_url.config" => {
            let default = default_of(arguments, 1, &["default"]);
            let unset = if default.is_some() { Unset::Default } else { Unset::None };
            let implied = match path {
                "dj_database_url.config" => "DATABASE_URL",
                "dj_email_url.config" => "EMAIL_URL",
                _ => "CACHE_URL",
            };
            return Some(Found {
                key: argument(arguments, 0, &["env"]),
                implied: Some(implied),
                reader: Reader::Process,
                unset,
                default,
            });
        }
        _ => {}
    }
    if path.ends_with(".from_envvar") {
        let silent = argument(arguments, 1, &["silent"]).and_then(Expr::truth) == Some(true);
        return argument(arguments, 0, &["variable_name"])
            .map(|key| found_at(key, if silent { Unset::Tested } else { Unset::Raises }));
    }
    if let Some(wrapper) = names.wrappers.get(path) {
        return wrapped(wrapper, arguments);
    }
    by_library(path, arguments, names)
}

/// A call of the module's own function around a read.
fn wrapped<'a>(wrapper: &Wrapper, arguments: &'a [Argument]) -> Option<Found<'a>> {
    let key = argument(arguments, wrapper.index, &[&wrapper.keyword])?;
    let Some((position, name, own)) = &wrapper.default else { return Some(found_at(key, wrapper.unset.clone())) };
    let given = argument(arguments, *position, &[name]);
    let is_given = given.or(own.as_ref()).is_some_and(|value| !value.is_none());
    // A wrapper that raises without a default passes its default on where it is given one.
    let unset = match (&wrapper.unset, is_given) {
        (Unset::Default, false) => Unset::None,
        (Unset::Raises | Unset::None, true) => Unset::Default,
        (unset, _) => unset.clone(),
    };
    Some(Found { default: given, ..found_at(key, unset) })
}

fn by_library<'a>(path: &str, arguments: &'a [Argument], names: &Names) -> Option<Found<'a>> {
    let (base, method) = match path.rsplit_once(").") {
        Some((base, method)) => (format!("{base})"), method),
        None => (path.to_owned(), ""),
    };
    let django = matches!(base.as_str(), "environ.Env()" | "environ.FileAwareEnv()" | "environs.Env()");
    let decouple = method.is_empty()
        && matches!(
            base.as_str(),
            "decouple.config"
                | "decouple.Config()"
                | "decouple.AutoConfig()"
                | "starlette.config.Config()"
                | "prettyconf.config"
                | "prettyconf.Configuration()"
        );
    let implied = IMPLIED.iter().find(|(own, _)| *own == method).map(|(_, name)| *name);
    let is_read = decouple || (django && (TYPED.contains(&method) || implied.is_some()));
    if !is_read {
        return None;
    }
    let key = argument(arguments, 0, &["var", "name", "key"]);
    // `default=None` is a default to these libraries: the value is None.
    let given = argument(arguments, if decouple { 1 } else { 2 }, &["default"]);
    let given = given.or_else(|| {
        if django { argument(arguments, 1, &["default"]).filter(|value| value.is_literal()) } else { None }
    });
    let in_schema = key.and_then(Expr::text).is_some_and(|name| names.with_default.contains(name));
    let unset = match given {
        Some(value) if value.is_none() => Unset::None,
        Some(_) => Unset::Default,
        None if in_schema => Unset::Default,
        None => Unset::Raises,
    };
    (key.is_some() || implied.is_some()).then_some(Found {
        key,
        implied,
        reader: if base == "decouple.config" || base == "decouple.AutoConfig()" {
            Reader::Decouple
        } else {
            Reader::WithFile
        },
        unset,
        default: given,
    })
}

/// Where the name of a found read stands and what it is; `None` where it is worked out when the app runs.
pub fn name_of(found: &Found, expr: &Expr) -> Option<Located<String>> {
    match (found.key, found.implied) {
        (Some(key), _) => key.text().filter(|name| is_name(name)).map(|name| Located::new(name.to_owned(), key.span)),
        (None, Some(implied)) => Some(Located::new(implied.to_owned(), expr.span)),
        (None, None) => None,
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0', '\u{1F}', '\u{1A}']) && !name.contains(char::is_whitespace)
}

/// Whether using an expression in this way fails when it is `None`.
pub fn fails_on_none(user: &Expr, value: Span, names: &Names, shadows: &[String]) -> bool {
    match &*user.node {
        Node::Attribute(object, _) | Node::Subscript(object, _) => object.span == value,
        Node::Add(left, right) => left.span == value || right.span == value,
        Node::Compare(_, operator, right) => matches!(operator.as_str(), "in" | "not in") && right.span == value,
        Node::Call(callee, arguments) => {
            let is_given = |argument: &Argument| argument.value.span == value;
            names.path(callee, shadows).is_some_and(|path| match path.as_str() {
                "int" | "float" | "open" | "os.path.join" | "os.path.exists" | "json.loads" | "len" | "map" => {
                    arguments.iter().any(is_given)
                }
                // Without an address both refuse at once; their other arguments may be None.
                "sqlalchemy.create_engine" => argument(arguments, 0, &["url"]).is_some_and(|url| url.span == value),
                "psycopg2.connect" => argument(arguments, 0, &["dsn"]).is_some_and(|dsn| dsn.span == value),
                _ => false,
            })
        }
        _ => false,
    }
}
