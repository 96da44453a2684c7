//! What nginx tells uWSGI of a request: the `uwsgi_param`s that hold at a `uwsgi_pass`.

use super::include::Statement;
use super::level::{Context, Inherited, Level, Setting, is_stock_params};
use super::survey::Rows;
use crate::finding::Confidence;
use crate::rows;
use crate::stack::fact::{Fact, Missing};

rows! {
    #[doc = "what a `uwsgi_pass` does not tell uWSGI of a request; keyed by why: `missing`, `dropped`"]
    pub struct Request in "nginx_params" {
        #[doc = "the variables that an app cannot do without and does not get"]
        lacking: Vec<String>,
        #[doc = "the variables that it does get"]
        given: Vec<String>,
        #[doc = "the block whose `uwsgi_param`s hold, such as `location /app/`"]
        block: String,
        #[doc = "whether another directive can be put below the line of the pass"]
        has_own_line: bool,
    }
}

/// What Flask and Django read of every request, and what they take for granted: the rest they can do without.
const NEEDED: [&str; 5] = ["REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH"];

/// More than anybody sets in one block: each pass that inherits them would go through them all.
pub(super) const MOST_PARAMS: usize = 500;

/// Tells of what a `uwsgi_pass` lacks.
pub(super) fn of_pass(pass: &Statement<'_>, level: &Level<'_, '_>, rows: &mut Rows) {
    let from = match level.inherited(Setting::UwsgiParam) {
        Inherited::From(from) => from,
        Inherited::Nowhere => return rows.add(missing(pass, Confidence::Proved), None),
        // A server's own file is included by `http`, where nobody sets these; what includes a location may well do.
        Inherited::OutOfSight if level.is_whole_within(Context::Server) => {
            return rows.add(missing(pass, Confidence::Possible), None);
        }
        Inherited::OutOfSight => {
            let mut row = missing(pass, Confidence::Possible);
            row.lacking = Fact::unknown(Missing::new(
                "the `uwsgi_param`s that hold here",
                "lint the file that includes this one, and those that it includes, together",
            ));
            return rows.add(row, None);
        }
    };
    if from.count(Setting::UwsgiParam) > MOST_PARAMS {
        return;
    }
    let lacking = lacking(from);
    let Some(first) = from.first(Setting::UwsgiParam).filter(|_| !lacking.is_empty()) else { return };
    let outer = from.around().map(|outer| outer.inherited(Setting::UwsgiParam));
    let dropped = match outer {
        Some(Inherited::From(outer)) => outer.first(Setting::UwsgiParam),
        _ => None,
    };
    let mut row = missing(pass, Confidence::Proved);
    let given = from.all(Setting::UwsgiParam).filter_map(|param| param.text(0)).take(NEEDED.len());
    row.given = Fact::read(given.map(|name| name.into_owned()).collect(), first.place());
    row.block = Fact::derived(from.title());
    row.lacking = if !from.whole {
        Fact::unknown(Missing::new(
            format!("every `uwsgi_param` of {}", from.title()),
            "lint the files that it includes too",
        ))
    } else {
        let lacking: Vec<String> = lacking.into_iter().map(str::to_owned).collect();
        Fact::read(lacking, first.place())
    };
    if let Some(outer) = dropped {
        row.key = "dropped".to_owned();
        row.lacking = row.lacking.via(outer.place(), "those that are set here do not hold there");
    }
    rows.add(row, dropped.map(Statement::place));
}

/// A pass without any `uwsgi_param`.
fn missing(pass: &Statement<'_>, confidence: Confidence) -> Request {
    let mut row = Request::at(pass.place());
    row.key = "missing".to_owned();
    row.confidence = confidence;
    row.lacking = Fact::derived(NEEDED.map(str::to_owned).to_vec());
    row.given = Fact::absent();
    row.block = Fact::absent();
    row.has_own_line = Fact::derived(pass.ends_line());
    row
}

/// What the set of a block lacks; nothing where a template tag gives a name, or nginx's own file is included.
fn lacking(level: &Level<'_, '_>) -> Vec<&'static str> {
    let mut lacking = NEEDED.to_vec();
    for param in level.all(Setting::UwsgiParam) {
        match param.text(0) {
            Some(name) if !is_stock_params(param) => lacking.retain(|needed| **needed != *name),
            _ => return Vec::new(),
        }
        if lacking.is_empty() {
            break;
        }
    }
    lacking
}
