//! Headers that `add_header` does not send where they were meant to be.
//!
//! nginx: `ngx_http_headers_filter_module.c`; a block with an `add_header` of its own drops those of the blocks around it,
//! unless `add_header_inherit merge` (1.29.3) holds in it. Without `always` a header goes with 200, 201, 204, 206, 301, 302,
//! 303, 304, 307 and 308 alone.

use std::borrow::Cow;

use super::include::Statement;
use super::level::{Inherited, Level, Setting};
use super::survey::Rows;
use crate::finding::Confidence;
use crate::rows;
use crate::stack::fact::{Fact, Missing};

rows! {
    #[doc = "response headers that nginx does not send where they were meant to be; keyed by how they get lost: `dropped`, `not-always`"]
    pub struct Header in "nginx_headers" {
        #[doc = "the headers that get lost"]
        headers: Vec<String>,
        #[doc = "the block they get lost in, such as `location /static/`"]
        block: String,
        #[doc = "what to write: the lines of those that were dropped, or the value with `always`"]
        cure: String,
    }
}

/// What browsers protect users by, in lower case.
const PROTECTING: [&str; 11] = [
    "cache-control",
    "content-security-policy",
    "content-security-policy-report-only",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
];

/// Those that do not matter on a page that says no more than that something went wrong.
const FOR_GOOD_ANSWERS: [&str; 1] = ["cache-control"];

/// The old filter of Internet Explorer; no browser heeds it now, but those who set it meant to protect.
const OUTDATED: &str = "x-xss-protection";

/// What `add_header` gets lost in a block.
pub(super) fn of_block(level: &Level<'_, '_>, rows: &mut Rows) {
    if !level.has(Setting::AddHeader) {
        return;
    }
    for line in level.all(Setting::AddHeader) {
        if let Some(row) = not_always(line, level) {
            rows.add(row, None);
        }
    }
    dropped(level, rows);
}

fn name_of<'a>(line: &Statement<'a>) -> Option<Cow<'a, str>> {
    line.text(0)
}

fn protects(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == OUTDATED || PROTECTING.contains(&name.as_str())
}

fn not_always(line: &Statement<'_>, level: &Level<'_, '_>) -> Option<Header> {
    let name = name_of(line).filter(|name| protects(name))?;
    let lower = name.to_ascii_lowercase();
    if FOR_GOOD_ANSWERS.contains(&lower.as_str()) || lower == OUTDATED || line.directive.arguments().len() != 2 {
        return None;
    }
    // nginx sends no header whose value is empty.
    let value = line.directive.argument(1).filter(|value| !value.value().is_empty())?;
    let place = line.document.place(value.span);
    let mut row = Header::at(line.place());
    row.key = "not-always".to_owned();
    row.headers = Fact::read(vec![name.into_owned()], line.place());
    row.block = Fact::derived(level.title());
    row.cure = Fact::read(format!("{} always", line.document.written(value.span)), place);
    Some(row)
}

/// Tells of what the blocks around add and this block's own `add_header` drops.
fn dropped(level: &Level<'_, '_>, rows: &mut Rows) {
    let Some(outer) = level.around() else { return };
    let Inherited::From(outer) = outer.inherited(Setting::AddHeader) else { return };
    let confidence = match level.inherited(Setting::AddHeaderInherit) {
        Inherited::From(setter)
            if setter.all(Setting::AddHeaderInherit).any(|line| line.text(0).as_deref() != Some("on")) =>
        {
            return;
        }
        Inherited::OutOfSight => Confidence::Likely,
        _ => Confidence::Proved,
    };
    let own: Option<Vec<Cow<'_, str>>> = level.all(Setting::AddHeader).map(name_of).collect();
    let (Some(own), Some(last)) = (own, level.all(Setting::AddHeader).next_back()) else { return };
    let is_lost = |line: &&Statement<'_>| {
        name_of(line).is_some_and(|name| protects(&name) && !own.iter().any(|own| own.eq_ignore_ascii_case(&name)))
    };
    let lost: Vec<&Statement<'_>> = outer.all(Setting::AddHeader).take(MOST).filter(is_lost).collect();
    let Some(first) = lost.first() else { return };
    let names: Vec<String> = lost.iter().filter_map(|line| name_of(line)).map(Cow::into_owned).collect();
    let mut row = Header::at(last.place());
    row.key = "dropped".to_owned();
    row.confidence = confidence;
    row.block = Fact::derived(level.title());
    row.headers = if level.whole {
        Fact::read(names, last.place()).via(first.place(), format!("set here, for {}", around(outer)))
    } else {
        Fact::unknown(Missing::new(format!("every header of {}", level.title()), "lint the files that it includes too"))
    };
    let lines: Vec<String> =
        lost.iter().map(|line| format!("{};", line.document.written(line.directive.head()))).collect();
    let is_plain = last.ends_line() && lines.iter().all(|line| !line.contains('\n'));
    row.cure = if is_plain { Fact::derived(lines.join("\n")) } else { Fact::absent() };
    rows.add(row, Some(first.place()));
}

/// More than anybody sets in one block; what is beyond it is not looked at, so that no input takes long.
const MOST: usize = 100;

fn around(level: &Level<'_, '_>) -> String {
    match level.block {
        Some(block) => format!("the whole `{}`", block.directive.name()),
        None => "all that it holds".to_owned(),
    }
}
