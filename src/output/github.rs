//! Workflow commands of GitHub Actions: each finding is an annotation at its line.

use std::io::{self, Write};

use crate::finding::{Finding, Report, Severity};
use crate::output::{Format, Shown, Texts};
use crate::source::Origin;

/// The format's name is `github`.
#[derive(Debug, Clone, Copy)]
pub struct Github;

impl Format for Github {
    fn write(&self, report: &Report, texts: &Texts<'_>, shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
        for finding in shown.of(report) {
            let command = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "notice",
            };
            let properties = properties(finding, texts);
            writeln!(out, "::{command} {properties}::{}", escaped_message(&message(finding, texts)))?;
        }
        Ok(())
    }
}

/// Where the annotation stands; what a probe saw is no file, so it has no place of its own.
fn properties(finding: &Finding, texts: &Texts<'_>) -> String {
    let place = finding.primary.place;
    let mut properties: Vec<(&str, String)> = Vec::new();
    if texts.source(place.file).origin != Origin::Probe {
        properties.push(("file", texts.name(place.file)));
        if let Some(at) = texts.position(place) {
            properties.push(("line", at.line.to_string()));
            properties.push(("endLine", at.end_line.to_string()));
            // GitHub refuses columns of a range over several lines.
            if at.line == at.end_line {
                properties.push(("col", at.column.to_string()));
                properties.push(("endColumn", at.end_column.to_string()));
            }
        }
    }
    properties.push(("title", finding.rule.clone()));
    let written: Vec<String> =
        properties.into_iter().map(|(name, value)| format!("{name}={}", escaped_property(&value))).collect();
    written.join(",")
}

/// The message, then a line for each other end of the chain, then the cure: an annotation has one place only.
fn message(finding: &Finding, texts: &Texts<'_>) -> String {
    let mut lines = vec![texts.clean(&finding.message)];
    if texts.source(finding.primary.place.file).origin == Origin::Probe {
        lines.push(format!("seen in {}", texts.name(finding.primary.place.file)));
    }
    for label in &finding.related {
        let line = texts.position(label.place).map(|at| format!(":{}", at.line)).unwrap_or_default();
        lines.push(format!("{}{line}: {}", texts.name(label.place.file), texts.clean(&label.text)));
    }
    lines.extend(finding.fix.as_ref().map(|fix| format!("fix: {}", texts.clean(&fix.title))));
    lines.join("\n")
}

/// actions/toolkit: `escapeData` of `command.ts`.
fn escaped_message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// actions/toolkit: `escapeProperty` of `command.ts`.
fn escaped_property(text: &str) -> String {
    escaped_message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(escaped_message("100 %\r\na: b, c"), "100 %25%0D%0Aa: b, c");
        assert_eq!(escaped_property("a:b,c%0A\n"), "a%3Ab%2Cc%250A%0A");
    }
}
