//! What single settings of Flask and Django come to: exceptions that escape, debug mode, the largest body.

use crate::stack::app::code::Code;
use crate::stack::app::configuration::Settings;
use crate::stack::app::walk::Trace;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::python::{Expr, Node, What};

/// The setting that lets exceptions leave the callable. Flask: `PROPAGATE_EXCEPTIONS`, and where that is not set
/// `TESTING` or `DEBUG` (flask/app.py: `handle_exception`); Django: `DEBUG_PROPAGATE_EXCEPTIONS`.
pub fn exceptions_escape(settings: &Settings, framework: Option<&str>) -> Fact<String> {
    let names: &[&str] = match framework {
        Some("flask") => {
            let explicit = settings.get("PROPAGATE_EXCEPTIONS");
            if explicit.known().is_some_and(|value| !value.is_none()) {
                return escapes("PROPAGATE_EXCEPTIONS", explicit);
            }
            &["PROPAGATE_EXCEPTIONS", "TESTING", "DEBUG"]
        }
        Some("django") => &["DEBUG_PROPAGATE_EXCEPTIONS"],
        _ => {
            return Fact::unknown(Missing::new(
                "whether this framework lets exceptions out",
                "look for an error handler around the callable",
            ));
        }
    };
    let facts: Vec<_> = names.iter().map(|name| escapes(name, settings.get(name))).collect();
    let known = facts.iter().find(|fact| fact.known().is_some());
    // An explicit PROPAGATE_EXCEPTIONS out of sight would decide alone, so nothing after it is sure.
    let first_unknown = facts.first().filter(|fact| fact.is_unknown());
    let unknown = || facts.iter().find(|fact| fact.is_unknown());
    first_unknown.or(known).or_else(unknown).cloned().unwrap_or_else(Fact::absent)
}

/// What shows tracebacks and settings to whoever sends a request. In Flask `DEBUG` alone does not: it lets exceptions escape.
pub fn debug(code: &Code, trace: &Trace, settings: &Settings, framework: Option<&str>) -> Fact<String> {
    if framework == Some("django") && trace.settings_guessed {
        let how = "set DJANGO_SETTINGS_MODULE in the uWSGI configuration, or lint the job that does";
        return Fact::unknown(Missing::new("which settings the process loads", how));
    }
    if framework == Some("django") {
        return escapes("DEBUG", settings.get("DEBUG"));
    }
    let wraps = trace.steps.iter().find_map(|step| {
        let What::Call(call) = &step.event.what else { return None };
        let path = code.canonical(&trace.roots, step.unit, &step.event.scope, call.call()?.0)?;
        let is_debugger = path == "werkzeug.debug.DebuggedApplication" || path == "werkzeug.DebuggedApplication";
        is_debugger.then(|| step.fact_of(call).map(|_| "DebuggedApplication".to_owned()))
    });
    wraps.or_else(|| trace.missing.first().cloned().map(Fact::unknown)).unwrap_or_else(Fact::absent)
}

/// The names that Django answers to: any other gets 400 (django/http/request.py, `validate_host`).
pub fn allowed_hosts(trace: &Trace, settings: &Settings, framework: Option<&str>) -> Fact<Vec<String>> {
    const NAME: &str = "ALLOWED_HOSTS";
    match framework {
        Some("django") => {}
        Some(_) => return Fact::absent(),
        None => {
            return Fact::unknown(Missing::new(
                "which framework the app uses",
                "lint its source together with the ini",
            ));
        }
    }
    if trace.settings_guessed {
        let how = "set DJANGO_SETTINGS_MODULE in the uWSGI configuration, or lint the job that does";
        return Fact::unknown(Missing::new("which settings the process loads", how));
    }
    let value = settings.get(NAME);
    let is_edited = settings.written(NAME).is_none_or(|(setting, _)| !setting.edits.is_empty());
    let names = value.known().filter(|_| !is_edited).and_then(|value| match &*value.node {
        Node::Sequence(items) => items.iter().map(Expr::text).collect::<Option<Vec<&str>>>(),
        _ => None,
    });
    let answer = match (names, value.missing()) {
        (Some(names), _) => Answer::Known(names.into_iter().map(str::to_owned).collect()),
        (None, Some(missing)) => Answer::Unknown(missing.clone()),
        (None, None) => Answer::Unknown(Missing::new("the names in `ALLOWED_HOSTS`", "write them out in the settings")),
    };
    Fact { answer, ..value.map(|_| Vec::new()) }
}

fn escapes(name: &str, value: Fact<Expr>) -> Fact<String> {
    let truth = match value.known().map(|value| &*value.node) {
        None => return value.map(|_| name.to_owned()),
        Some(Node::True) => true,
        Some(Node::False | Node::None) => false,
        Some(Node::Number(number)) => !number.trim_matches(['0', '.']).is_empty(),
        Some(Node::Text(text)) => !text.is_empty(),
        Some(_) => {
            let missing = Missing::new(format!("the value of `{name}`"), "it is worked out when the app starts");
            return Fact { answer: Answer::Unknown(missing), ..value.map(|_| name.to_owned()) };
        }
    };
    if truth { value.map(|value| format!("{name} = {}", shown(&value))) } else { Fact::absent() }
}

fn shown(value: &Expr) -> &str {
    match &*value.node {
        Node::Number(number) => number,
        Node::Text(_) => "'…'",
        _ => "True",
    }
}

/// The largest body that the framework reads: Flask's `MAX_CONTENT_LENGTH`, Django's `DATA_UPLOAD_MAX_MEMORY_SIZE`.
pub fn body_limit(settings: &Settings, framework: Option<&str>) -> Fact<i64> {
    let name = match framework {
        Some("flask") => "MAX_CONTENT_LENGTH",
        Some("django") => "DATA_UPLOAD_MAX_MEMORY_SIZE",
        _ => {
            return Fact::unknown(Missing::new(
                "which framework the app uses",
                "lint its source together with the ini",
            ));
        }
    };
    let value = settings.get(name);
    let answer = match value.known() {
        None => return value.map(|_| 0),
        Some(value) if value.is_none() => Answer::Absent,
        Some(value) => number(value).map_or_else(
            || Answer::Unknown(Missing::new(format!("the value of `{name}`"), "it is worked out when the app starts")),
            Answer::Known,
        ),
    };
    Fact { answer, ..value.map(|_| 0) }
}

/// A whole number: `16777216`, `16 * 1024 * 1024`.
fn number(expr: &Expr) -> Option<i64> {
    match &*expr.node {
        Node::Number(digits) => digits.replace('_', "").parse().ok(),
        Node::Multiply(left, right) => number(left)?.checked_mul(number(right)?),
        _ => None,
    }
}
