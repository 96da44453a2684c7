//! What a Python app asks of its environment, what it opens when it is imported, and what it lets escape.

pub mod absence;
pub mod address;
pub mod code;
mod configuration;
mod database;
pub mod environment;
mod evaluate;
mod locate;
pub mod name;
mod setting;
mod threads;
mod unit;
pub mod value;
mod walk;

use std::collections::BTreeSet;

use crate::finding::Label;
use crate::rows;
use crate::source::Place;
use crate::stack::app::address::Sink;
use crate::stack::app::code::Code;
use crate::stack::app::configuration::Settings;
use crate::stack::app::environment::Environment;
use crate::stack::app::locate::{callable, callable_place, locate};
use crate::stack::app::name::{folder_of, last_part};
use crate::stack::app::walk::{Step, Trace};
use crate::stack::fact::{Fact, Missing};
use crate::stack::uwsgi::Uwsgi;
use crate::syntax::python::environment::Reader;
use crate::syntax::python::{EnvRead, Event, Expr, Scope, Unset, What, When};

rows! {
    #[doc = "one WSGI app"]
    pub struct App in "apps" {
        #[doc = "the file of its WSGI module"]
        path: String,
        #[doc = "`flask`, `django` or `wsgi`"]
        framework: String,
        #[doc = "what opens a database connection while the app is imported"]
        connects_at_import: String,
        #[doc = "what makes an engine or pool while the app is imported"]
        engine_at_import: String,
        #[doc = "what starts a thread that goes on between requests, while the app is imported"]
        starts_thread: String,
        #[doc = "what replaces the pool in each worker: an after-fork dispose, NullPool, or a process check"]
        fork_safe: String,
        #[doc = "the setting that lets exceptions leave the WSGI callable"]
        exceptions_escape: String,
        #[doc = "what turns debug mode on for whoever sends a request: Django's `DEBUG`, or Werkzeug's debugger around the app"]
        debug: String,
        #[doc = "the names that Django answers to, `ALLOWED_HOSTS`; absent where the framework has no such list"]
        allowed_hosts: Vec<String>,
        #[doc = "how many bytes of a body it takes, where it says so"]
        body_limit: i64,
        #[doc = "the setting's configuration class or file, as selected"]
        configuration: String,
    }
}

/// How uWSGI is told to find the app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// `module = thena.wsgi`
    pub module: Option<String>,
    /// `wsgi-file = app/wsgi.py`
    pub wsgi_file: Option<String>,
    /// The callable; uWSGI's default is `application`.
    pub callable: Option<String>,
    /// Where modules are looked for, in order: each `pythonpath`, then the folder uWSGI works in.
    pub roots: Vec<String>,
    /// Variables that the process is known to have, such as `DJANGO_SETTINGS_MODULE`.
    pub environment: Environment,
}

impl Entry {
    /// What a uWSGI configuration says. Without `chdir` uWSGI is taken to work in the folder of its ini.
    pub fn of(uwsgi: &Uwsgi) -> Self {
        let home = uwsgi.path.known().map_or("", |path| folder_of(path));
        let works_in = uwsgi.chdir.known().map_or_else(|| home.to_owned(), |chdir| name::join(home, chdir));
        let paths = uwsgi.pythonpath.known().into_iter().flatten().map(|path| name::join(&works_in, path));
        Self {
            module: uwsgi.module.known().cloned(),
            wsgi_file: uwsgi.wsgi_file.known().cloned(),
            callable: uwsgi.callable.known().cloned(),
            roots: paths.chain([works_in.clone()]).collect(),
            environment: Environment::default(),
        }
    }
}

/// When a read happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// While the WSGI module is imported.
    Import,
    /// When this function is called, which nothing does at import.
    Call(String),
}

/// One read of the environment on the import path of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The variable.
    pub name: String,
    /// The read.
    pub place: Place,
    /// Whether the app stops with an exception where the variable is not set and nothing before the read set it.
    pub raises: bool,
    /// Whether something else takes the value's place: a default, a test, or a value the code itself set before.
    pub has_default: bool,
    /// What the value is used for.
    pub used_as: Option<String>,
    /// Whether it is put into a text, where `None` becomes the word.
    pub becomes_text: bool,
    /// Whether something else takes the place of an empty value as well.
    pub replaces_empty: bool,
    /// The literal text that takes its place when it is not set.
    pub default_text: Option<(String, Place)>,
    /// Whether it counts: `Some(false)` in a configuration class that is not the selected one, `None` where the
    /// selection is out of sight. A read that raises counts wherever its class is defined.
    pub selected: Option<bool>,
    /// When it happens.
    pub moment: Moment,
    /// Whether it stands in a branch that may not be taken.
    pub sometimes: bool,
    /// A `.env` file that may give the variable and is out of sight: where it is loaded.
    pub maybe_from_file: Option<Place>,
    /// The imports and calls that lead to it, outermost first.
    pub trail: Vec<Label>,
}

/// An app and what it reads.
#[derive(Debug)]
pub struct Reading {
    /// Its row.
    pub app: App,
    /// In the order in which they happen; those that happen in a request come last.
    pub reads: Vec<Read>,
    /// The database addresses it uses at import.
    pub sinks: Vec<Sink>,
    /// The `.env` files that it loads at import, whatever branch is taken.
    pub env_files: Vec<String>,
}

/// Reads the app that `entry` names. What lacks is an error where its file is not in sight, or more than one could be it.
pub fn read(code: &Code, entry: &Entry) -> Result<Reading, Missing> {
    let (unit, roots, confidence) = locate(code, entry)?;
    let mut trace = walk::walk(code, &roots, unit, &entry.environment);
    let framework = framework(code, &trace, callable(entry));
    trace.missing.extend(framework.missing().cloned());
    let settings = configuration::settings(code, &trace, &entry.environment);
    let connections = database::connections(code, &trace, &settings);
    let mut app = App::at(callable_place(unit, entry));
    app.key = unit.path().to_owned();
    app.confidence = confidence;
    app.path = Fact::read(unit.path().to_owned(), Place::whole(unit.document.file));
    app.exceptions_escape = setting::exceptions_escape(&settings, framework.known().map(String::as_str));
    if framework.is_unknown() {
        app.exceptions_escape = framework.clone();
    }
    app.body_limit = setting::body_limit(&settings, framework.known().map(String::as_str));
    app.framework = framework;
    app.configuration = match (&settings.selected, &settings.unseen) {
        (Some((name, place)), _) => Fact::read(name.clone(), *place),
        (None, Some(missing)) => Fact::unknown(missing.clone()),
        (None, None) => Fact::absent(),
    };
    app.connects_at_import = connections.connects;
    app.engine_at_import = connections.engine;
    app.fork_safe = connections.safe;
    app.starts_thread = threads::started(code, &trace);
    app.debug = setting::debug(code, &trace, &settings, app.framework.known().map(String::as_str));
    app.allowed_hosts = setting::allowed_hosts(&trace, &settings, app.framework.known().map(String::as_str));
    let sinks = address::sinks(code, &trace, &settings);
    Ok(Reading { app, reads: reads(code, &trace, &settings), sinks, env_files: env_files(code, &trace) })
}

/// Which framework makes the callable, by what is called at import.
fn framework(code: &Code, trace: &Trace, callable: &str) -> Fact<String> {
    let called = trace.steps.iter().find_map(|step| {
        let What::Call(call) = &step.event.what else { return None };
        let path = code.canonical(&trace.roots, step.unit, &step.event.scope, call.call()?.0)?;
        let name = match path.as_str() {
            "django.core.wsgi.get_wsgi_application" | "django.core.handlers.wsgi.WSGIHandler" => "django",
            "flask.Flask" | "Flask" | "connexion.FlaskApp" | "connexion.App" => "flask",
            _ => return None,
        };
        Some(Fact::read(name.to_owned(), step.unit.place(call.span)))
    });
    let unseen = || trace.missing.first().cloned().or_else(|| factory_out_of_sight(code, trace, callable));
    called.unwrap_or_else(|| unseen().map_or_else(|| Fact::derived("wsgi".to_owned()), Fact::unknown))
}

/// An app that is imported or made by a module that is not in sight is out of sight itself.
fn factory_out_of_sight(code: &Code, trace: &Trace, callable: &str) -> Option<Missing> {
    let first = trace.steps.first()?.unit;
    // The callable may be set by a caller who does not know its name; then the usual ones are tried.
    let meaning = [callable, "application", "app"]
        .iter()
        .find_map(|name| code.name(&trace.roots, first, &Scope::Module, name))?;
    let path = match meaning {
        code::Meaning::Outside(path) => path,
        code::Meaning::Value(unit, event, value) => {
            code.canonical(&trace.roots, unit, &event.scope, value).filter(|path| path.contains('('))?
        }
        _ => return None,
    };
    let top = name::first_part(path.trim_start_matches('.')).trim_end_matches("()").to_owned();
    let how = "add its file, or name its folder: [app] path = \"…\" in housecall.toml";
    (!path.starts_with('<')).then(|| Missing::new(format!("the module `{top}`, which makes the app"), how))
}

fn reads(code: &Code, trace: &Trace, settings: &Settings) -> Vec<Read> {
    let mut provided: BTreeSet<&str> = BTreeSet::new();
    let mut file: Option<Place> = None;
    let mut all = Vec::new();
    let mut later = Vec::new();
    for step in &trace.steps {
        match &step.event.what {
            What::Provide { name, .. } if !step.sometimes => {
                provided.insert(&name.value);
            }
            What::Call(call) => match loaded_file(code, trace, step, call).map(|found| found.map(|(_, names)| names)) {
                Some(Some(names)) if !step.sometimes => provided.extend(names.iter().map(String::as_str)),
                Some(_) => {
                    file.get_or_insert_with(|| step.place());
                }
                None => {}
            },
            What::Read(read) => {
                let read_there = happening(step, read, settings, &provided, file);
                // What its library reads is no variable of the process, which other reads would find as well.
                let is_given = gives_beside(code, trace, step, read);
                let raises = read_there.raises && !is_given;
                all.push(Read { raises, has_default: read_there.has_default || is_given, ..read_there });
            }
            What::Function(function) => later.extend(in_requests(step, &function.name)),
            _ => {}
        }
    }
    let done: BTreeSet<Place> = all.iter().map(|read| read.place).collect();
    later.retain(|read| !done.contains(&read.place));
    for read in &mut later {
        read.has_default |= provided.contains(read.name.as_str());
        read.raises &= !provided.contains(read.name.as_str());
        read.maybe_from_file = read.maybe_from_file.or(file);
    }
    all.extend(later);
    all
}

/// The names in the `.env` file that a call loads: `None` where it loads none, `Some(None)` where it is out of sight.
fn loaded_file<'c>(
    code: &'c Code,
    trace: &Trace,
    step: &Step,
    call: &Expr,
) -> Option<Option<(&'c str, &'c BTreeSet<String>)>> {
    let (callee, arguments) = call.call()?;
    let path = code.canonical(&trace.roots, step.unit, &step.event.scope, callee)?;
    if !matches!(last_part(&path), "load_dotenv" | "read_env" | "read_dotenv" | "read_envfile") {
        return None;
    }
    let written = arguments.iter().flat_map(|argument| walk::texts(&argument.value)).find(|text| text.contains("env"));
    let name = written.unwrap_or_else(|| ".env".to_owned());
    Some(code.env_file(&trace.roots, folder_of(step.unit.path()), name.trim_start_matches('/')))
}

/// Whether the library behind a read takes the value from a file in sight where the process lacks it.
fn gives_beside(code: &Code, trace: &Trace, step: &Step, read: &EnvRead) -> bool {
    let folder = folder_of(step.unit.path());
    let found = match read.reader {
        Reader::Decouple => code.nearest_file(folder, &["settings.ini", ".env"]),
        Reader::Pydantic => code.env_file(&trace.roots, folder, ".env"),
        Reader::Process | Reader::WithFile => None,
    };
    found.is_some_and(|(_, names)| names.iter().any(|name| name.eq_ignore_ascii_case(&read.name.value)))
}

/// The `.env` files that are loaded in any case.
fn env_files(code: &Code, trace: &Trace) -> Vec<String> {
    let calls = trace.steps.iter().filter(|step| !step.sometimes).filter_map(|step| match &step.event.what {
        What::Call(call) => loaded_file(code, trace, step, call)?,
        _ => None,
    });
    calls.map(|(path, _)| path.to_owned()).collect()
}

fn happening(step: &Step, read: &EnvRead, settings: &Settings, provided: &BTreeSet<&str>, file: Option<Place>) -> Read {
    let selected = match &step.event.scope {
        Scope::Class(class) => settings.counts(step.unit, class),
        _ => Some(true),
    };
    let is_provided = provided.contains(read.name.value.as_str());
    let made = made(step, step.event, read, Moment::Import);
    Read {
        raises: made.raises && !is_provided,
        has_default: made.has_default || is_provided,
        selected,
        sometimes: step.sometimes,
        maybe_from_file: made.maybe_from_file.or(file),
        ..made
    }
}

fn made(step: &Step, event: &Event, read: &EnvRead, moment: Moment) -> Read {
    let place = step.unit.place(event.span);
    Read {
        name: read.name.value.clone(),
        place,
        raises: read.unset == Unset::Raises,
        has_default: matches!(read.unset, Unset::Default | Unset::Tested),
        used_as: read.used_as.clone(),
        becomes_text: read.becomes_text,
        replaces_empty: read.replaces_empty || read.unset == Unset::Tested,
        default_text: read.default.as_ref().map(|text| (text.value.clone(), step.unit.place(text.span))),
        selected: Some(true),
        moment,
        sometimes: event.when == When::Sometimes,
        maybe_from_file: (read.reader != Reader::Process).then_some(place),
        trail: (*step.trail).clone(),
    }
}

/// The reads in the body of a function that is defined at import.
fn in_requests(step: &Step, function: &str) -> Vec<Read> {
    let scope = Scope::Function(function.into());
    let events = step.unit.events(&scope).filter(|event| event.when != When::Never);
    events
        .filter_map(|event| match &event.what {
            What::Read(read) => Some(made(step, event, read, Moment::Call(function.to_owned()))),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
