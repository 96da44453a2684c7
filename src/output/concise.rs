//! One line per finding: `path:line:col: severity[rule]: message`, for editors and grep.

use std::io::{self, Write};

use crate::finding::Report;
use crate::output::paint::{Paint, word};
use crate::output::{Format, Shown, Texts};

/// The format's name is `concise`.
#[derive(Debug, Clone, Copy)]
pub struct Concise;

impl Format for Concise {
    fn write(&self, report: &Report, texts: &Texts<'_>, shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
        let paint = Paint(shown.colour);
        for finding in shown.of(report) {
            let place = finding.primary.place;
            let position = texts.position(place).map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default();
            let severity = paint.severity(finding.severity, word(finding.severity));
            let message = texts.clean(&finding.message);
            writeln!(out, "{}{position}: {severity}[{}]: {message}", texts.name(place.file), finding.rule)?;
        }
        Ok(())
    }
}
