//! A rule page, read and checked: TOML front matter between `+++` lines, then Markdown with prose and examples.

mod title;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use toml::Spanned;

use crate::finding::{Confidence, Effect, Safety, Severity};
use crate::rule::example::{self, Example};
use crate::rule::expr::{Term, Text};
use crate::rule::front::{self, Front, Terms};
use crate::rule::path::FactPath;
use crate::rule::schema;
use crate::stack::fact::Schema;

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// Families whose pages may stand without a table: `hop` speaks for a break no rule explains, `housecall` for its own comments.
const WITHOUT_TABLE: [&str; 2] = ["hop", "housecall"];

/// What a page without a table can name in its texts.
static NO_FACTS: Schema = Schema { table: "", doc: "", columns: &[] };

/// One rule.
#[derive(Debug, Clone)]
pub struct Page {
    /// `family/name`: the path of the page below its folder.
    pub id: String,
    /// The fault, in general.
    pub title: String,
    /// How much it matters, unless a case says otherwise.
    pub severity: Severity,
    /// What happens to the stack.
    pub effect: Effect,
    /// How sure it is at most, unless a case says otherwise.
    pub confidence: Confidence,
    /// The rows it runs over; `None` for a page that serves `why`, a hop, or housecall's own comments.
    pub each: Option<Each>,
    /// What must hold for every case.
    pub when: Vec<Arc<Term>>,
    /// Strengths of the fault, the strongest first; never empty where there is a table.
    pub cases: Vec<Case>,
    /// Texts of logs that lead here, `…` matching any run.
    pub seen: Vec<String>,
    /// The cure.
    pub fix: Option<FixPlan>,
    /// Where to read on.
    pub see: Vec<String>,
    /// The hop that the fault breaks.
    pub hop: Option<String>,
    /// Whether each of its `seen` texts is proof enough, whatever the facts tell.
    pub by_log: bool,
    /// Whether it only says that something broke its hop, so that whatever else speaks for the hop is the cause.
    pub echo: bool,
    /// Why it happens and how to be sure, in Markdown.
    pub prose: String,
    /// Bad, Good and Fixed, in order.
    pub examples: Vec<Example>,
}

/// The rows a page runs over.
#[derive(Debug, Clone)]
pub struct Each {
    /// The table.
    pub schema: &'static Schema,
    /// The key within the table.
    pub key: Option<String>,
}

/// One strength of a fault.
#[derive(Debug, Clone)]
pub struct Case {
    /// What must hold besides the page's own conditions.
    pub when: Vec<Arc<Term>>,
    /// How much it matters.
    pub severity: Severity,
    /// How sure it is at most.
    pub confidence: Confidence,
    /// The line to look at first.
    pub at: FactPath,
    /// This fault, with its names and numbers.
    pub message: Text,
    /// The other ends of the chain.
    pub also: Vec<Also>,
}

/// A further label.
#[derive(Debug, Clone)]
pub struct Also {
    /// Where.
    pub at: FactPath,
    /// What is there.
    pub text: Text,
}

/// A cure before its facts are known.
#[derive(Debug, Clone)]
pub struct FixPlan {
    /// The cure in a few words, as an order; one that renders to nothing is no cure.
    pub title: Text,
    /// Whether it may be applied unread.
    pub safety: Safety,
    /// The edit, where the cure is one.
    pub change: Option<Change>,
}

/// One edit before its facts are known.
#[derive(Debug, Clone)]
pub enum Change {
    /// New lines after the line of a fact.
    Insert {
        /// The fact.
        after: FactPath,
        /// A fact of the file that the lines belong into: they follow this one where the other stands in another file.
        into: Option<FactPath>,
        /// The lines.
        text: Text,
    },
    /// Another text in a fact's place.
    Replace(FactPath, Text),
}

/// A page that cannot be used: which, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageError {
    /// The id of the page.
    pub page: String,
    /// The line in it, from 1.
    pub line: usize,
    /// What is wrong and how to write it.
    pub message: String,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule page {}, line {}: {}", self.page, self.line, self.message)
    }
}

impl std::error::Error for PageError {}

/// The pages that housecall comes with, sorted by id.
///
/// # Errors
/// The first page that cannot be used, which a test makes sure there is not.
pub fn built_in() -> Result<Vec<Page>, PageError> {
    built_in_about(|_, _| true)
}

/// Those of them that a run needs, by their ids and the rows they run over, as `each` names them.
///
/// # Errors
/// As [`built_in`].
pub fn built_in_about(needs: impl Fn(&str, Option<&str>) -> bool + Sync) -> Result<Vec<Page>, PageError> {
    let needed = BUILT_IN.par_iter().filter(|(id, each, _)| needs(id, *each));
    needed.map(|(id, _, text)| Page::parse(id, text)).collect()
}

/// The ids of the pages that housecall comes with, in order.
pub fn built_in_ids() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(id, ..)| *id)
}

/// The table of `table` or `table[key]`, and the key.
pub fn rows_of(each: &str) -> Option<(&str, Option<&str>)> {
    match each.split_once('[') {
        None => Some((each, None)),
        Some((table, rest)) => rest.strip_suffix(']').filter(|key| !key.is_empty()).map(|key| (table, Some(key))),
    }
}

/// Where in a page something is wrong: a byte range of the front matter, or nothing better than its first line.
type Fault = (Option<Range<usize>>, String);

impl Page {
    /// The cure in words, where no row is at hand to name its facts; `None` where it cannot do without them.
    pub fn cure(&self) -> Option<String> {
        let schema = self.each.as_ref().map_or(&NO_FACTS, |each| each.schema);
        let words = self.fix.as_ref()?.title.without_row(schema)?;
        (!words.trim().is_empty()).then_some(words)
    }

    /// Reads a page and checks every name in it.
    ///
    /// # Errors
    /// Names the first mistake with its line and what to write instead.
    pub fn parse(id: &str, text: &str) -> Result<Self, PageError> {
        let error = |line: usize, message: String| PageError { page: id.to_owned(), line, message };
        check_id(id).map_err(|message| error(1, message))?;
        let (front, markdown) = split(text).ok_or_else(|| {
            error(1, "a page begins with `+++`, its keys in TOML, and `+++` again, each on a line of its own".into())
        })?;
        let line_of = |offset: usize| text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1;
        let keys: Front = toml::from_str(&text[front.clone()]).map_err(|mistake| {
            error(line_of(front.start + mistake.span().map_or(0, |span| span.start)), mistake.message().to_owned())
        })?;
        let (prose, examples) =
            example::parse(&text[markdown..], line_of(markdown)).map_err(|(line, message)| error(line, message))?;
        build(id, keys, prose, examples)
            .map_err(|(span, message)| error(line_of(front.start + span.map_or(0, |span| span.start)), message))
    }

    /// Whether it judges no facts: only logs lead to it.
    pub fn is_without_facts(&self) -> bool {
        self.each.is_none() && !self.seen.is_empty()
    }

    /// Whether a line of a log that holds one of its texts is all that it needs.
    pub fn is_known_by_logs(&self) -> bool {
        self.is_without_facts() || self.by_log
    }

    /// The part of the id before the slash.
    pub fn family(&self) -> &str {
        self.id.split('/').next().unwrap_or(&self.id)
    }

    /// The page without one of the terms that all its cases share: what [`Page::when`] is for is what changes.
    #[must_use]
    pub fn without_term(&self, at: usize) -> Self {
        let mut page = self.clone();
        page.when.remove(at);
        page
    }

    /// The page without one of the terms of one case.
    #[must_use]
    pub fn without_case_term(&self, case: usize, at: usize) -> Self {
        let mut page = self.clone();
        page.cases[case].when.remove(at);
        page
    }
}

fn check_id(id: &str) -> Result<(), String> {
    let kebab = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    match id.split_once('/') {
        Some((family, name)) if kebab(family) && kebab(name) => Ok(()),
        _ => Err("a page lies at `family/name.md`, both in lower case with hyphens".into()),
    }
}

/// The byte range of the front matter, and where the Markdown begins.
fn split(text: &str) -> Option<(Range<usize>, usize)> {
    let mut at = 0;
    let mut start = None;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        match (start, line.trim_end() == "+++") {
            (None, true) => start = Some(end),
            (None, false) => return None,
            (Some(start), true) => return Some((start..at, end)),
            (Some(_), false) => {}
        }
        at = end;
    }
    None
}

fn build(id: &str, keys: Front, prose: String, examples: Vec<Example>) -> Result<Page, Fault> {
    title::check(&keys.title, &prose)?;
    if prose.is_empty() {
        return Err((None, "say below the keys why it happens and how to be sure".into()));
    }
    let mut page = Page {
        id: id.to_owned(),
        title: keys.title.into_inner(),
        severity: keys.severity,
        effect: keys.effect,
        confidence: keys.confidence,
        each: None,
        when: Vec::new(),
        cases: Vec::new(),
        seen: keys.seen,
        fix: None,
        see: keys.see,
        hop: keys.hop,
        by_log: keys.by_log,
        echo: keys.echo,
        prose,
        examples,
    };
    if page.echo && page.hop.is_none() {
        return Err((None, "`echo` needs `hop`: of what it gives way to others".into()));
    }
    let Some(each) = keys.each else {
        let needless = !keys.when.0.is_empty() || keys.at.is_some() || !keys.also.is_empty() || !keys.cases.is_empty();
        if needless || (page.seen.is_empty() && !WITHOUT_TABLE.contains(&page.family())) {
            return Err((None, "say which rows it runs over: each = \"table\" or \"table[key]\"".into()));
        }
        page.fix = keys.fix.map(|fix| fix_plan(fix, &NO_FACTS)).transpose()?;
        return Ok(page);
    };
    if page.by_log && page.seen.is_empty() {
        return Err((None, "`by_log` needs `seen`: the texts that are proof enough".into()));
    }
    let each = parse_each(each)?;
    let schema = each.schema;
    page.each = Some(each);
    page.when = terms(keys.when, schema)?;
    page.fix = keys.fix.map(|fix| fix_plan(fix, schema)).transpose()?;
    let at = keys.at.map(|at| path(at, schema)).transpose()?.unwrap_or_else(FactPath::row);
    let also = labels(keys.also, schema)?;
    let message = keys.message.map(|message| checked_text(message, schema)).transpose()?;
    let plain =
        front::Case { when: Terms::default(), severity: None, confidence: None, at: None, message: None, also: None };
    let cases = if keys.cases.is_empty() { vec![plain] } else { keys.cases };
    for case in cases {
        let own = case.message.map(|message| checked_text(message, schema)).transpose()?;
        let Some(message) = own.or_else(|| message.clone()) else {
            return Err((None, "say what is wrong here, with its names and numbers: message = \"…\"".into()));
        };
        page.cases.push(Case {
            when: terms(case.when, schema)?,
            severity: case.severity.unwrap_or(page.severity),
            confidence: case.confidence.unwrap_or(page.confidence),
            at: case.at.map(|at| path(at, schema)).transpose()?.unwrap_or_else(|| at.clone()),
            message,
            also: case.also.map_or_else(|| Ok(also.clone()), |also| labels(also, schema))?,
        });
    }
    Ok(page)
}

fn parse_each(each: Spanned<String>) -> Result<Each, Fault> {
    let span = Some(each.span());
    let text = each.into_inner();
    let Some((name, key)) = rows_of(&text) else {
        let name = text.split('[').next().unwrap_or_default();
        return Err((span, format!("`{text}`: write `{name}` or `{name}[key]`")));
    };
    let schema = schema::table(name).map_err(|message| (span, message))?;
    Ok(Each { schema, key: key.map(str::to_owned) })
}

fn terms(terms: Terms, schema: &'static Schema) -> Result<Vec<Arc<Term>>, Fault> {
    let parse =
        |(span, term): (_, String)| Term::parse(&term, schema).map(Arc::new).map_err(|message| (Some(span), message));
    terms.0.into_iter().map(parse).collect()
}

fn path(path: Spanned<String>, schema: &'static Schema) -> Result<FactPath, Fault> {
    FactPath::parse(path.get_ref(), schema).map_err(|message| (Some(path.span()), message))
}

fn checked_text(text: Spanned<String>, schema: &'static Schema) -> Result<Text, Fault> {
    Text::parse(text.get_ref(), schema).map_err(|message| (Some(text.span()), message))
}

fn labels(also: Vec<front::Also>, schema: &'static Schema) -> Result<Vec<Also>, Fault> {
    also.into_iter()
        .map(|label| Ok(Also { at: path(label.at, schema)?, text: checked_text(label.text, schema)? }))
        .collect()
}

fn fix_plan(fix: Spanned<front::Fix>, schema: &'static Schema) -> Result<FixPlan, Fault> {
    let span = fix.span();
    let fix = fix.into_inner();
    let into = fix.into.map(|into| path(into, schema)).transpose()?;
    let change = match (fix.after, fix.insert, fix.replace, fix.with) {
        (None, None, None, None) if into.is_none() => None,
        (Some(after), Some(insert), None, None) => {
            Some(Change::Insert { after: path(after, schema)?, into, text: checked_text(insert, schema)? })
        }
        (None, None, Some(replace), Some(with)) if into.is_none() => {
            Some(Change::Replace(path(replace, schema)?, checked_text(with, schema)?))
        }
        _ => return Err((Some(span), "a fix has `after` with `insert`, or `replace` with `with`, or neither".into())),
    };
    if change.is_some() && fix.safety.is_none() {
        return Err((Some(span), "say whether the edit may be applied unread: safety = \"safe\" or \"unsafe\"".into()));
    }
    Ok(FixPlan { title: checked_text(fix.title, schema)?, safety: fix.safety.unwrap_or(Safety::Unsafe), change })
}

#[cfg(test)]
mod tests;
