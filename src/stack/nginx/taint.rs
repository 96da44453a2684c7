//! Where what a client sends ends up in a header, in the `Host` that an app trusts, or in the address that nginx connects to.
//!
//! nginx: `$uri` and captures of it are decoded (`%0A` is a line break in them), `$request_uri`, `$arg_…` and `$http_…` are
//! not; `rewrite` and `set` escape what `$1` to `$9` hold (`ngx_http_script_copy_capture_code`), but not named groups.

use std::borrow::Cow;
use std::ops::Range;

use super::capture::{Captured, named, numbered};
use super::expression::Group;
use super::include::Statement;
use super::level::{Context, Level, Setting};
use super::location::{Matching, Pattern};
use super::survey::{Http, Rows};
use super::variable::{Given, Variable, expand, values, variables};
use crate::rows;
use crate::source::Place;
use crate::stack::fact::{Fact, Missing};

rows! {
    #[doc = "one directive through which a client has a say where it should have none; keyed by what it can do: `response`, `host`, `target`"]
    pub struct Taint in "nginx_taints" {
        #[doc = "the directive"]
        directive: String,
        #[doc = "what holds what the client sent, such as `$uri` or `$1`"]
        source: String,
        #[doc = "what it gets into, such as `the header X-Path`"]
        sink: String,
        #[doc = "whether it can hold what does harm there"]
        harmful: bool,
    }
}

/// What is said of the directive that gives a variable its value.
const GIVEN: &str = "it gets its value here";

/// What is said of the expression whose group it is.
const CAPTURED: &str = "it is captured here";

/// How often a variable is looked up through others.
const DEEPEST: usize = 5;

/// nginx's own variables that hold the decoded path.
const DECODED: [&str; 5] = ["uri", "document_uri", "request_filename", "fastcgi_script_name", "fastcgi_path_info"];

/// What can do harm, and the directives that led to it.
#[derive(Debug, Clone)]
struct Found {
    source: String,
    /// The directives that led to it, each with a few words.
    through: Vec<(Place, &'static str)>,
    /// Whether it is sure; not where an expression cannot be read.
    sure: bool,
}

impl Found {
    /// A variable of which it was not found out what it holds.
    fn beyond(variable: Variable<'_>) -> Self {
        Self { source: format!("${}", variable.name), through: Vec::new(), sure: false }
    }
}

/// Tells of what a client can do through one directive.
pub(super) fn of_directive<'a>(statement: &Statement<'a>, level: &Level<'_, 'a>, http: &Http<'a>, rows: &mut Rows) {
    let name = statement.directive.name();
    if let Some((text, sink)) = line(statement)
        && text.contains('$')
    {
        let rewrite = (name == "rewrite").then_some(statement);
        let look = Look { level, http, escapes: rewrite.is_some(), rewrite, is_target: name == "proxy_pass" };
        if let Some(found) = look.line_break(&text, 0) {
            rows.add(row(statement, "response", &found, sink.words()), None);
        }
    }
    match name {
        "proxy_set_header" if statement.text(0).is_some_and(|header| header.eq_ignore_ascii_case("host")) => {
            if let Some(found) = statement.text(1).and_then(|value| foreign_host(&value, level, http)) {
                rows.add(row(statement, "host", &found, "the `Host` that the app sees".to_owned()), None);
            }
        }
        "proxy_pass" | "uwsgi_pass" if !is_internal(level) => {
            let target = statement.text(0).filter(|target| target.contains('$'));
            if let Some(found) = target.and_then(|target| foreign_target(&target, level, http)) {
                rows.add(row(statement, "target", &found, "the address that nginx connects to".to_owned()), None);
            }
        }
        _ => {}
    }
}

fn row(statement: &Statement<'_>, key: &str, found: &Found, sink: String) -> Taint {
    let mut row = Taint::at(statement.place());
    row.key = key.to_owned();
    row.directive = Fact::read(statement.directive.name().to_owned(), statement.place());
    row.source = Fact::read(found.source.clone(), statement.place());
    for (place, words) in &found.through {
        row.source = row.source.via(*place, *words);
    }
    row.sink = Fact::derived(sink);
    row.harmful = if found.sure {
        Fact::derived(true)
    } else {
        Fact::unknown(Missing::new(
            format!("what {} can hold", found.source),
            "its expression uses what only PCRE knows, or there is more than is followed: read it yourself",
        ))
    };
    row
}

/// Whether only nginx itself gets to a location.
fn is_internal(level: &Level<'_, '_>) -> bool {
    level.nearest(Context::Location).is_some_and(|location| location.has(Setting::Internal))
}

/// The line that a value gets into.
enum Sink<'a> {
    /// A header of the answer.
    Header(Cow<'a, str>),
    /// A header of the request that is passed on.
    RequestHeader(Cow<'a, str>),
    /// The first line of that request.
    Request,
}

impl Sink<'_> {
    const LOCATION: Self = Self::Header(Cow::Borrowed("Location"));

    fn words(&self) -> String {
        match self {
            Self::Header(name) => format!("the header {name}"),
            Self::RequestHeader(name) => format!("the header {name} of the request to the app"),
            Self::Request => "the request to the app".to_owned(),
        }
    }
}

/// What a directive puts into a line of a request or an answer, and what that line is.
fn line<'a>(statement: &Statement<'a>) -> Option<(Cow<'a, str>, Sink<'a>)> {
    let last = statement.directive.arguments().len().checked_sub(1)?;
    match statement.directive.name() {
        "add_header" => Some((statement.text(1)?, Sink::Header(statement.text(0)?))),
        "proxy_set_header" => Some((statement.text(1)?, Sink::RequestHeader(statement.text(0)?))),
        "proxy_pass" => Some((statement.text(0)?, Sink::Request)),
        "return" if last == 0 => Some((statement.text(0).filter(|url| is_url(url))?, Sink::LOCATION)),
        "return" => {
            let code = statement.text(0)?;
            matches!(&*code, "301" | "302" | "303" | "307" | "308")
                .then(|| Some((statement.text(1)?, Sink::LOCATION)))?
        }
        "rewrite" => {
            let to = statement.text(1)?;
            let redirects = is_url(&to) || matches!(statement.text(2).as_deref(), Some("redirect" | "permanent"));
            redirects.then_some((to, Sink::LOCATION))
        }
        "error_page" => Some((statement.text(last).filter(|url| is_url(url))?, Sink::LOCATION)),
        _ => None,
    }
}

fn is_url(text: &str) -> bool {
    ["http://", "https://", "$scheme"].iter().any(|start| text.starts_with(start))
}

/// A look for what a value can hold.
#[derive(Clone, Copy)]
struct Look<'s, 'l, 'a> {
    level: &'s Level<'l, 'a>,
    http: &'s Http<'a>,
    /// Whether what `$1` to `$9` hold is escaped.
    escapes: bool,
    /// The `rewrite` whose own groups count.
    rewrite: Option<&'s Statement<'a>>,
    /// Whether the value begins with a host: that is looked up, and with a line break in it there is none to send to.
    is_target: bool,
}

impl<'s, 'a> Look<'s, '_, 'a> {
    /// The first variable of a value that can hold a line break.
    fn line_break(self, text: &str, depth: usize) -> Option<Found> {
        if !self.http.steps.allows(text.len()) {
            return variables(text).next().map(Found::beyond);
        }
        let path = if self.is_target { authority(text).end } else { 0 };
        variables(text).find_map(|variable| {
            let in_host = variable.start < path;
            if in_host && self.given(variable).is_empty() && !DECODED.contains(&variable.name) {
                return None;
            }
            Look { is_target: in_host, ..self }.variable(variable, depth)
        })
    }

    fn given(self, variable: Variable<'_>) -> &'s [Given<'a>] {
        if variable.is_numbered() { &[] } else { values(variable.name, self.level, self.http) }
    }

    fn variable(self, variable: Variable<'_>, depth: usize) -> Option<Found> {
        let found = |sure| Found { source: format!("${}", variable.name), through: Vec::new(), sure };
        let from = |captured: &Captured<'_>, sure| Found { through: vec![(captured.place, CAPTURED)], ..found(sure) };
        if let Some(number) = variable.number() {
            let captured = (!self.escapes).then(|| numbered(self.level)).flatten()?;
            return self.captured(&captured, Group::Number(number), depth).map(|sure| from(&captured, sure));
        }
        if depth >= DEEPEST {
            return None;
        }
        if DECODED.contains(&variable.name) {
            return self.path_can_hold_line_break().map(found);
        }
        let given = self.given(variable);
        if given.is_empty() {
            let captured = named(variable.name, self.level, self.rewrite)?;
            return self.captured(&captured, Group::Name(variable.name), depth).map(|sure| from(&captured, sure));
        }
        given.iter().find_map(|given| {
            let mut inner = match &given.key {
                None => Look { escapes: true, ..self }.line_break(&given.value, depth + 1),
                Some(key) => self.mapped(variable.name, given, key, depth),
            }?;
            inner.through.insert(0, (given.place, GIVEN));
            Some(inner)
        })
    }

    /// The same for a value of a `map`, whose `$1` stands for a group of its key.
    fn mapped(self, name: &str, given: &Given<'a>, key: &str, depth: usize) -> Option<Found> {
        let subject = self.http.maps.get(name)?.source()?;
        let place = given.place;
        if !self.http.steps.allows(given.value.len()) {
            return variables(&given.value).next().map(Found::beyond);
        }
        variables(&given.value).find_map(|variable| {
            let group = match variable.number() {
                Some(number) => Group::Number(number),
                None => Group::Name(variable.name),
            };
            let expression = key.strip_prefix("~*").or_else(|| key.strip_prefix('~'));
            let is_group = expression.is_some_and(|expression| {
                variable.is_numbered() || self.http.expression(expression).is_none_or(|read| read.names(variable.name))
            });
            if !is_group {
                return self.variable(variable, depth + 1);
            }
            let captured = Captured { expression: Cow::Borrowed(expression?), subject: Some(subject.clone()), place };
            let sure = self.captured(&captured, group, depth + 1)?;
            Some(Found { source: format!("${}", variable.name), through: Vec::new(), sure })
        })
    }

    /// Whether what a group captures can hold a line break; `Some(false)` where that cannot be told.
    fn captured(self, captured: &Captured<'_>, group: Group<'_>, depth: usize) -> Option<bool> {
        if let Some(subject) = &captured.subject
            && depth < DEEPEST
        {
            self.line_break(subject, depth + 1)?;
        }
        match self.http.expression(&captured.expression) {
            Some(expression) => expression.can_hold(group, '\n').then_some(true),
            None => Some(false),
        }
    }

    /// Whether the path of a request can hold a line break where it has got here.
    fn path_can_hold_line_break(self) -> Option<bool> {
        let Some(Pattern { matching, text, .. }) = self.level.location() else { return Some(true) };
        match matching {
            Matching::Exact => None,
            Matching::Regex { .. } => match self.http.expression(&text) {
                Some(expression) => expression.can_hold(Group::Whole, '\n').then_some(true),
                None => Some(false),
            },
            Matching::Prefix { .. } | Matching::Named => Some(true),
        }
    }
}

/// What of a client's own gets into a `Host` header.
fn foreign_host<'a>(value: &str, level: &Level<'_, 'a>, http: &Http<'a>) -> Option<Found> {
    let expansions = expand(value, level, http);
    let found = expansions.all.into_iter().find_map(|expansion| {
        let variable = variables(&expansion.text).find(|variable| is_sent(variable.name))?;
        Some(Found { source: format!("${}", variable.name), through: given(expansion.through), sure: true })
    });
    found.or_else(|| expansions.beyond.then(|| variables(value).next().map(Found::beyond)).flatten())
}

/// What of a client's own gets into the host, or the scheme, of a target.
fn foreign_target<'a>(target: &str, level: &Level<'_, 'a>, http: &Http<'a>) -> Option<Found> {
    let expansions = expand(target, level, http);
    let found = expansions.all.into_iter().find_map(|expansion| {
        let host = authority(&expansion.text);
        for variable in variables(&expansion.text).take_while(|variable| variable.start < host.end) {
            match reach(variable, level, http) {
                Reach::Anywhere { sure, captured } => {
                    let mut through = given(expansion.through.clone());
                    through.extend(captured.map(|place| (place, CAPTURED)));
                    return Some(Found { source: format!("${}", variable.name), through, sure });
                }
                Reach::PathOnly => return None,
                Reach::Nowhere => {}
            }
        }
        None
    });
    found.or_else(|| expansions.beyond.then(|| variables(target).next().map(Found::beyond)).flatten())
}

fn given(through: Vec<Place>) -> Vec<(Place, &'static str)> {
    through.into_iter().map(|place| (place, GIVEN)).collect()
}

/// Where the host of a URL stands, with its port.
fn authority(url: &str) -> Range<usize> {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    start..end
}

/// What a variable can do to the host of a target.
enum Reach {
    /// Name any host.
    Anywhere {
        /// Whether that is sure.
        sure: bool,
        /// The block whose expression captures it.
        captured: Option<Place>,
    },
    /// It begins with `/`, so that the host ends before it.
    PathOnly,
    /// Nothing.
    Nowhere,
}

fn reach<'a>(variable: Variable<'_>, level: &Level<'_, 'a>, http: &Http<'a>) -> Reach {
    if is_sent(variable.name) || matches!(variable.name, "args" | "query_string" | "request_body") {
        return Reach::Anywhere { sure: true, captured: None };
    }
    if variable.name == "request_uri" || DECODED.contains(&variable.name) {
        return Reach::PathOnly;
    }
    let (captured, group) = match variable.number() {
        Some(number) => (numbered(level), Group::Number(number)),
        None => (named(variable.name, level, None), Group::Name(variable.name)),
    };
    let Some(captured) = captured else { return Reach::Nowhere };
    match http.expression(&captured.expression) {
        None => Reach::Anywhere { sure: false, captured: Some(captured.place) },
        Some(expression) if expression.begins_with(group, '/') => Reach::PathOnly,
        Some(expression) if expression.can_hold(group, '.') => {
            Reach::Anywhere { sure: true, captured: Some(captured.place) }
        }
        Some(_) => Reach::Nowhere,
    }
}

/// Whether a variable is what the client sent, as it sent it.
fn is_sent(name: &str) -> bool {
    ["arg_", "http_", "cookie_"].iter().any(|prefix| name.starts_with(prefix))
}
