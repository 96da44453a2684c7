//! What opens database connections while the app is imported, and what gives each worker its own afterwards.

use crate::finding::Label;
use crate::source::Place;
use crate::stack::app::code::{Code, Meaning};
use crate::stack::app::configuration::{Settings, names_class};
use crate::stack::app::name::last_part;
use crate::stack::app::walk::{Step, Trace, value_of};
use crate::stack::fact::{Fact, Missing};
use crate::syntax::python::{Argument, Expr, Function, Node, Scope, What, argument};

/// Calls that open a connection of their own, outside any engine.
const RAW: [&str; 12] = [
    "psycopg2.connect",
    "psycopg.connect",
    "psycopg2.pool.SimpleConnectionPool",
    "psycopg2.pool.ThreadedConnectionPool",
    "psycopg2.pool.PersistentConnectionPool",
    "psycopg_pool.ConnectionPool",
    "MySQLdb.connect",
    "pymysql.connect",
    "mysql.connector.connect",
    "cx_Oracle.connect",
    "pg8000.connect",
    "pg8000.dbapi.connect",
];

/// Calls that make an engine or pool.
const ENGINES: [&str; 6] = [
    "create_engine",
    "create_async_engine",
    "engine_from_config",
    "SQLAlchemy",
    "sqlalchemy_engine_from_config",
    "PooledDB",
];

/// Methods that run a query at once.
const RUNS: [&str; 10] =
    ["all", "first", "one", "one_or_none", "scalar", "count", "get", "get_or_404", "first_or_404", "paginate"];

/// Methods of a Django manager or queryset that run a query at once.
const DJANGO_RUNS: [&str; 14] = [
    "get",
    "first",
    "last",
    "count",
    "exists",
    "create",
    "get_or_create",
    "update_or_create",
    "bulk_create",
    "aggregate",
    "earliest",
    "latest",
    "delete",
    "update",
];

/// The three facts about connections.
#[derive(Debug)]
pub struct Connections {
    /// What opens a connection.
    pub connects: Fact<String>,
    /// What makes an engine or pool.
    pub engine: Fact<String>,
    /// What replaces the pool in each worker.
    pub safe: Fact<String>,
}

/// One call that matters.
struct Hit<'t, 'c> {
    at: usize,
    step: &'t Step<'c>,
    call: &'t Expr,
    raw: bool,
}

/// Works out the facts along a trace.
pub fn connections(code: &Code, trace: &Trace, settings: &Settings) -> Connections {
    let missing = trace.missing.first();
    let uri = settings.get("SQLALCHEMY_DATABASE_URI");
    let flask_on_sqlite = uri.known().is_some_and(is_sqlite_address);
    let look = Look { code, trace, flask_on_sqlite };
    let on_sqlite = look.all_on_sqlite();
    let (mut engines, mut connects) = (Vec::new(), Vec::new());
    for (at, step) in trace.steps.iter().enumerate() {
        let What::Call(call) = &step.event.what else { continue };
        let Some((callee, arguments)) = call.call() else { continue };
        let path = look.canonical(step, callee);
        if look.is_engine(step, &path, arguments) {
            engines.push(Hit { at, step, call, raw: false });
        } else if let Some(raw) = look.connects(step, &path, arguments).filter(|raw| *raw || !on_sqlite) {
            connects.push(Hit { at, step, call, raw });
        }
    }
    let found = connects.iter().find(|hit| !hit.step.sometimes).or(connects.first());
    let origin = found.filter(|hit| !hit.raw).and_then(|hit| engines.iter().rfind(|engine| engine.at < hit.at));
    let mut connects_fact = fact_of(found, missing);
    if let Some(engine) = origin {
        connects_fact = connects_fact.via(engine.step.unit.place(engine.call.span), "the engine is made here");
    }
    Connections {
        connects: connects_fact,
        engine: fact_of(engines.iter().find(|hit| !hit.step.sometimes).or(engines.first()), missing),
        safe: look.safe(found, missing),
    }
}

fn fact_of(hit: Option<&Hit>, missing: Option<&Missing>) -> Fact<String> {
    let Some(Hit { step, call, .. }) = hit else {
        return missing.map_or_else(Fact::absent, |missing| Fact::unknown(missing.clone()));
    };
    step.fact_of(call)
}

struct Look<'a, 'c> {
    code: &'a Code,
    trace: &'a Trace<'c>,
    flask_on_sqlite: bool,
}

impl Look<'_, '_> {
    fn canonical(&self, step: &Step, expr: &Expr) -> String {
        self.code.canonical(&self.trace.roots, step.unit, &step.event.scope, expr).unwrap_or_default()
    }

    fn is_engine(&self, step: &Step, path: &str, arguments: &[Argument]) -> bool {
        let name = last_part(path);
        if !ENGINES.contains(&name) || path.starts_with('<') {
            return false;
        }
        if name == "SQLAlchemy" {
            return !self.flask_on_sqlite;
        }
        !self.is_sqlite(step, arguments)
    }

    /// Whether the first argument is, or names, a literal SQLite address: a file, so no connection is shared.
    fn is_sqlite(&self, step: &Step, arguments: &[Argument]) -> bool {
        let url = argument(arguments, 0, &["name_or_url", "url"]);
        let value =
            url.map(|url| value_of(self.code, &self.trace.roots, step.unit, &step.event.scope, &step.given, url));
        value.as_ref().is_some_and(is_sqlite_address)
    }

    /// Whether a call opens a connection: `Some(true)` for one of its own, `Some(false)` through an engine.
    fn connects(&self, step: &Step, path: &str, arguments: &[Argument]) -> Option<bool> {
        if RAW.contains(&path) {
            return Some(true);
        }
        let (base, method) = path.rsplit_once('.').unwrap_or(("", path));
        let flask =
            path.starts_with("flask_sqlalchemy.SQLAlchemy()") || path.starts_with("flask.ext.sqlalchemy.SQLAlchemy()");
        if flask && self.flask_on_sqlite {
            return None;
        }
        let is_db = base == "db" || last_part(base) == "SQLAlchemy()";
        let is_metadata = matches!(last_part(base), "metadata" | "MetaData()");
        let is_engine = last_part(base) == "engine"
            || matches!(last_part(base), "create_engine()" | "get_engine()" | "engine_from_config()");
        let is_session = base == "session"
            || matches!(last_part(base), "session" | "Session()")
            || base.ends_with("sessionmaker()()")
            || base.contains("scoped_session()");
        let runs = match method {
            "create_all" | "drop_all" | "reflect" => is_db || is_metadata,
            "connect" | "begin" | "raw_connection" | "table_names" | "has_table" => is_engine,
            "execute" | "scalar" | "scalars" => is_engine || is_session,
            "prepare" => base.contains("automap_base()") && asks_database(arguments),
            "Table" | "MetaData" => path.contains("sqlalchemy") && asks_database(arguments),
            "inspect" => argument(arguments, 0, &[])
                .is_some_and(|given| self.canonical(step, given).ends_with("create_engine()")),
            "cursor" | "ensure_connection" => base.starts_with("django.db.connection"),
            _ => false,
        };
        let root = path.split(['.', '(']).next().unwrap_or_default();
        let by_query = RUNS.contains(&method)
            && (base.contains(".query.") || base.ends_with(".query") || base.contains(".query()"));
        let queries = by_query
            && (root == "<class>"
                || root == "db"
                || root == "session"
                || flask
                || base.contains("scoped_session()")
                || base.contains("sessionmaker()"));
        let objects = DJANGO_RUNS.contains(&method) && (base.ends_with(".objects") || base.contains(".objects."));
        (runs || queries || (objects && self.trace.settings.is_some())).then_some(false)
    }

    /// Whether every engine of the app is SQLite's.
    fn all_on_sqlite(&self) -> bool {
        let mut engines = self.trace.steps.iter().filter_map(|step| {
            let What::Call(call) = &step.event.what else { return None };
            let (callee, arguments) = call.call()?;
            (last_part(&callee.path()?) == "create_engine").then_some((step, arguments))
        });
        let Some((step, arguments)) = engines.next() else { return false };
        self.is_sqlite(step, arguments) && engines.all(|(step, arguments)| self.is_sqlite(step, arguments))
    }

    fn safe(&self, connects: Option<&Hit>, missing: Option<&Missing>) -> Fact<String> {
        let raw = connects.is_some_and(|hit| hit.raw);
        let after = connects.map_or(0, |hit| hit.at);
        let hits = self.trace.steps.iter().enumerate().filter(|(_, step)| !step.sometimes);
        let found = hits.filter_map(|(at, step)| self.makes_safe(step, raw, at > after)).next();
        match (found, missing) {
            (Some((words, place, trail)), _) => Fact { trail: trail.into(), ..Fact::read(words, place) },
            (None, Some(missing)) => Fact::unknown(missing.clone()),
            (None, None) => Fact::absent(),
        }
    }

    fn makes_safe(&self, step: &Step, raw: bool, after: bool) -> Option<(String, Place, Vec<Label>)> {
        let at = |words: &str, span| Some((words.to_owned(), step.unit.place(span), (*step.trail).clone()));
        match &step.event.what {
            What::Call(call) => {
                let (callee, arguments) = call.call()?;
                let path = self.canonical(step, callee);
                if ENGINES.contains(&last_part(&path)) && !raw {
                    let pool = arguments.iter().find_map(|one| names_class(&one.value, "NullPool"));
                    return pool.and_then(|span| at("NullPool", span));
                }
                if path == "os.register_at_fork" {
                    let child = argument(arguments, 3, &["after_in_child"])?;
                    return self.renews(step, child).then(|| at("os.register_at_fork", call.span)).flatten();
                }
                if last_part(&path) == "dispose" && after && !raw {
                    return at("dispose()", call.span);
                }
                None
            }
            What::Assign { target, value } => {
                let path = target.path().unwrap_or_default();
                if path.contains("ENGINE_OPTIONS")
                    || target_key(target).is_some_and(|key| key.contains("ENGINE_OPTIONS"))
                {
                    return names_class(value, "NullPool").filter(|_| !raw).and_then(|span| at("NullPool", span));
                }
                let hook = last_part(&path) == "post_fork_hook" && self.renews(step, value);
                hook.then(|| at("uwsgi.post_fork_hook", step.event.span)).flatten()
            }
            What::Function(function) => {
                let name = |decorator: &Expr| {
                    let path = self.canonical(step, decorator);
                    last_part(path.trim_end_matches("()")).to_owned()
                };
                let decorator = |wanted: &str| function.decorators.iter().find(|one| name(one) == wanted);
                if decorator("postfork").is_some() && self.body_renews(step, function) {
                    return at("@postfork", function.name_span);
                }
                let checks =
                    decorator("listens_for").is_some() && self.body_calls(step, function, |path| path == "os.getpid");
                checks.then(|| at("a check of the process id", function.name_span)).flatten()
            }
            _ => None,
        }
    }

    /// Whether a function given by name, as a method or as a lambda closes or remakes connections.
    fn renews(&self, step: &Step, given: &Expr) -> bool {
        match &*given.node {
            Node::Lambda(body) => body.call().is_some_and(|(callee, _)| renews_by(&self.canonical(step, callee))),
            _ => match self.code.meaning(&self.trace.roots, step.unit, &step.event.scope, given) {
                Some(Meaning::Function(unit, function)) => {
                    let step = Step { unit, ..step.clone() };
                    self.body_renews(&step, function)
                }
                _ => renews_by(&self.canonical(step, given)),
            },
        }
    }

    fn body_renews(&self, step: &Step, function: &Function) -> bool {
        self.body_calls(step, function, renews_by)
    }

    fn body_calls(&self, step: &Step, function: &Function, wanted: impl Fn(&str) -> bool) -> bool {
        let scope = Scope::Function(function.name.clone());
        step.unit.events(&scope).any(|event| match &event.what {
            What::Call(call) => call.call().is_some_and(|(callee, _)| {
                wanted(&self.code.canonical(&self.trace.roots, step.unit, &scope, callee).unwrap_or_default())
            }),
            _ => false,
        })
    }
}

/// Whether an address starts with SQLite's scheme, also where the path is put together.
fn is_sqlite_address(value: &Expr) -> bool {
    match &*value.node {
        Node::Text(text) => text.starts_with("sqlite"),
        Node::Add(left, _) | Node::Percent(left, _) => is_sqlite_address(left),
        Node::Format(parts) | Node::Other(parts) => parts.first().is_some_and(is_sqlite_address),
        _ => false,
    }
}

fn renews_by(path: &str) -> bool {
    matches!(
        last_part(path),
        "dispose" | "close" | "close_all" | "connect" | "create_engine" | "init_db" | "init_app" | "configure"
    )
}

fn target_key(target: &Expr) -> Option<&str> {
    match &*target.node {
        Node::Subscript(_, key) => key.text(),
        _ => None,
    }
}

/// Whether a call asks the database for the tables.
fn asks_database(arguments: &[Argument]) -> bool {
    arguments.iter().any(|one| match one.keyword.as_deref() {
        Some("autoload" | "reflect") => one.value.truth() == Some(true),
        Some("autoload_with") => !one.value.is_none(),
        _ => false,
    })
}
