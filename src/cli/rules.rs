//! `housecall rules`: every rule in a line, or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::finding::{Confidence, Effect, Severity};
use crate::rule::page::Page;
use crate::secret::sanitise;

/// How the rules are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Id, severity and title in columns.
    Human,
    /// One object.
    Json,
}

/// Lists the rules, sorted by id. The exit code is 0.
///
/// # Errors
/// Those of the writer.
pub fn run(format: Format, pages: &[Page], out: &mut dyn Write) -> io::Result<u8> {
    let mut rules: Vec<Rule<'_>> = pages.iter().map(Rule::of).collect();
    rules.sort_by_key(|rule| rule.id);
    match format {
        Format::Human => {
            let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
            for Rule { id, severity, title, .. } in rules {
                writeln!(out, "{id:width$}  {:7}  {}", severity_name(severity), sanitise(title))?;
            }
        }
        Format::Json => {
            let tool = Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
            serde_json::to_writer_pretty(&mut *out, &List { schema_version: 1, tool, rules })?;
            writeln!(out)?;
        }
    }
    Ok(0)
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

#[derive(Serialize)]
struct List<'a> {
    schema_version: u32,
    tool: Tool,
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Rule<'a> {
    id: &'a str,
    title: &'a str,
    severity: Severity,
    effect: Effect,
    confidence: Confidence,
    table: Option<&'static str>,
    hop: Option<&'a str>,
    /// Whether it comes with an edit.
    fixable: bool,
    see: &'a [String],
}

impl<'a> Rule<'a> {
    fn of(page: &'a Page) -> Self {
        Self {
            id: &page.id,
            title: &page.title,
            severity: page.severity,
            effect: page.effect,
            confidence: page.confidence,
            table: page.each.as_ref().map(|each| each.schema.table),
            hop: page.hop.as_deref(),
            fixable: page.fix.as_ref().is_some_and(|fix| fix.change.is_some()),
            see: &page.see,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ran(format: Format) -> String {
        let page = |id: &str, severity: &str| {
            let keys =
                format!("title = \"t\"\nseverity = \"{severity}\"\neffect = \"untidy\"\nconfidence = \"likely\"\n");
            Page::parse(id, &format!("+++\n{keys}seen = [\"x\"]\n+++\nWhy.\n")).unwrap()
        };
        let mut out = Vec::new();
        run(format, &[page("b/longer", "warning"), page("a/b", "note")], &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_aligned_and_sorted() {
        assert_eq!(ran(Format::Human), "a/b       note     t\nb/longer  warning  t\n");
    }

    #[test]
    fn json_has_every_rule() {
        let json: serde_json::Value = serde_json::from_str(&ran(Format::Json)).unwrap();
        assert_eq!(json["schema_version"], 1);
        assert_eq!(json["rules"][0]["id"], "a/b");
        assert_eq!(json["rules"][1]["severity"], "warning");
    }
}
