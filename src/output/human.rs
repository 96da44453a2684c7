//! What a person reads: each finding with frames in every file it touches, the fix, and one closing paragraph.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::finding::{Confidence, Finding, Label, Report, Severity};
use crate::output::frame::frames;
use crate::output::paint::{Paint, count, word};
use crate::output::prose::wrap;
use crate::output::{Format, Shown, Texts, cannot_tell, mend, order};

/// The format's name is `human`.
#[derive(Debug, Clone, Copy)]
pub struct Human;

impl Format for Human {
    fn write(&self, report: &Report, texts: &Texts<'_>, shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
        let mut findings: Vec<&Finding> = shown.of(report).collect();
        order::to_mend(&mut findings);
        for finding in findings {
            write_finding(finding, texts, shown, out)?;
        }
        if shown.quiet { Ok(()) } else { write_closing(report, texts, shown, out) }
    }
}

fn write_finding(finding: &Finding, texts: &Texts<'_>, shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(shown.colour);
    let head = paint.severity(finding.severity, &format!("{}[{}]", word(finding.severity), finding.rule));
    writeln!(out, "{head}{}", paint.bold(&format!(": {}", texts.clean(&finding.message))))?;
    if finding.primary.place.span.is_none() {
        writeln!(out, "  {} {}", paint.border("\u{250c}\u{2500}"), whole(&finding.primary, texts))?;
    }
    let related: Vec<Label> =
        finding.related.iter().filter(|label| label.place != finding.primary.place).cloned().collect();
    let body =
        frames(texts, finding.severity, Some(&finding.primary), &related, notes(finding, texts, shown), shown.look());
    if !body.is_empty() {
        writeln!(out, "{body}")?;
    }
    writeln!(out)
}

/// A whole file or folder: there is no line to frame.
fn whole(label: &Label, texts: &Texts<'_>) -> String {
    let name = texts.name(label.place.file);
    if label.text.is_empty() { name } else { format!("{name}: {}", texts.clean(&label.text)) }
}

fn notes(finding: &Finding, texts: &Texts<'_>, shown: &Shown) -> Vec<String> {
    let paint = Paint(shown.colour);
    let mut notes: Vec<String> = Vec::new();
    // The gutter, the bullet and a blank stand in front of a note.
    let room = shown.width.saturating_sub(8);
    let wholes = finding.related.iter().filter(|label| label.place.span.is_none());
    notes.extend(wholes.map(|label| wrap(&whole(label, texts), room).join("\n")));
    if let Some(fix) = &finding.fix {
        let (title, lines) = mend::lines(texts, fix, Some(finding.primary.place.file));
        let mut note = wrap(&format!("fix: {title}"), room);
        note.extend(lines.into_iter().map(|line| format!("     {}", paint.diff(&line))));
        notes.push(note.join("\n"));
    }
    match finding.confidence {
        Confidence::Proved => {}
        Confidence::Likely => notes.push("confidence: likely".to_owned()),
        Confidence::Possible => notes.push("confidence: possible".to_owned()),
    }
    notes
}

/// Counts, what could not be told and how it could, and where to read more.
fn write_closing(report: &Report, texts: &Texts<'_>, shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(shown.colour);
    let of = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let by_severity: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .filter(|severity| *severity >= shown.min_severity && of(*severity) > 0)
        .map(|severity| paint.severity(severity, &count(of(severity), word(severity))))
        .collect();
    let files = count(report.files, "file");
    let summary = match (by_severity.is_empty(), report.files) {
        (true, 0) => "no file of this stack found".to_owned(),
        (true, _) => format!("{files}, {}", paint.green("no fault found")),
        (false, _) => format!("{} in {files}", by_severity.join(", ")),
    };
    let hidden = report.findings.iter().filter(|finding| finding.severity < shown.min_severity);
    let least = hidden.clone().map(|finding| finding.severity).min();
    let hidden = match least {
        Some(least) => paint.dim(&format!(" ({} more with --min-severity {})", hidden.count(), word(least))),
        None => String::new(),
    };
    writeln!(out, "{summary}{hidden}")?;
    cannot_tell::write(&report.cannot_tell, texts, shown, out)?;
    let rules: BTreeSet<&str> = shown.of(report).map(|finding| finding.rule.as_str()).collect();
    match rules.len() {
        0 => Ok(()),
        1 => writeln!(out, "why, and how to be sure: housecall explain {}", rules.into_iter().collect::<String>()),
        _ => writeln!(out, "why, and how to be sure: housecall explain RULE"),
    }
}
