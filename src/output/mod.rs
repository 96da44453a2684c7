//! What people and programs see: one file per format. Nothing is written but through [`Texts`], which masks secrets.

pub mod concise;
pub mod doctor;
pub mod facts;
pub mod github;
pub mod human;
pub mod json;
pub mod markdown;
pub mod prose;
pub mod sarif;
pub mod why;

mod cannot_tell;
mod fingerprint;
mod frame;
mod mend;
mod moment;
mod order;
mod paint;
mod path;
mod texts;

use std::io::{self, Write};

use crate::finding::{Finding, Report, Severity};

pub use texts::{Position, Texts};

/// How much is shown, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Findings below it are counted, not shown; JSON lists all.
    pub min_severity: Severity,
    /// Whether to write colours.
    pub colour: bool,
    /// Findings alone: no closing lines.
    pub quiet: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Default for Shown {
    fn default() -> Self {
        Self { min_severity: Severity::Warning, colour: false, quiet: false, width: 80 }
    }
}

impl Shown {
    /// The findings that people see, and that fail a run.
    pub fn of<'r>(&self, report: &'r Report) -> impl Iterator<Item = &'r Finding> + use<'r> {
        let min_severity = self.min_severity;
        report.findings.iter().filter(move |finding| finding.severity >= min_severity)
    }

    fn look(&self) -> frame::Look {
        frame::Look { colour: self.colour, width: self.width }
    }
}

/// One way to write what lint found.
pub trait Format {
    /// Writes the whole report.
    ///
    /// # Errors
    /// Only those of `out`.
    fn write(&self, report: &Report, texts: &Texts<'_>, shown: &Shown, out: &mut dyn Write) -> io::Result<()>;
}

#[cfg(test)]
mod tests;
