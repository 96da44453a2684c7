//! The diagnosis for a ticket: Markdown in which nothing that a log or a file holds is read as markup.

use std::io::{self, Write};

use crate::diagnosis::{Diagnosis, Hop, RootCause};
use crate::finding::Label;
use crate::output::Texts;
use crate::output::doctor::{no_cause, sure};
use crate::output::mend;
use crate::output::path::{said_of, word_of};

/// Writes the diagnosis as Markdown.
///
/// # Errors
/// Only those of `out`.
pub fn write(diagnosis: &Diagnosis, texts: &Texts<'_>, out: &mut dyn Write) -> io::Result<()> {
    for (at, cause) in diagnosis.root_causes.iter().enumerate() {
        root_cause(at, cause, texts, out)?;
    }
    if diagnosis.root_causes.is_empty() {
        writeln!(out, "## {}\n", plain(no_cause(diagnosis)))?;
    }
    for group in diagnosis.hops.chunk_by(|one, next| one.path == next.path) {
        hops(group, &diagnosis.hops, texts, out)?;
    }
    Ok(())
}

fn root_cause(at: usize, cause: &RootCause, texts: &Texts<'_>, out: &mut dyn Write) -> io::Result<()> {
    let finding = &cause.finding;
    let lead = if at == 0 { "Root cause" } else { "Another root cause" };
    writeln!(out, "## {lead}: {}\n", plain(&texts.clean(&finding.message)))?;
    writeln!(
        out,
        "{} ({}), on {}\n",
        plain(&finding.rule),
        sure(finding.confidence),
        plain(&texts.clean(&cause.path))
    )?;
    writeln!(out, "**Because**\n")?;
    for label in &cause.because {
        evidence(label, texts, out)?;
    }
    list("Explains", &cause.explains, texts, out)?;
    if let Some(fix) = &finding.fix {
        let (title, lines) = mend::lines(texts, fix, None);
        writeln!(out, "**Fix**: {}\n", plain(&title))?;
        block("diff", &lines, out)?;
    }
    if !cause.verify.is_empty() {
        writeln!(out, "**Verify with**\n")?;
        let commands: Vec<String> = cause.verify.iter().map(|command| texts.clean(command)).collect();
        block("sh", &commands, out)?;
    }
    Ok(())
}

/// Where a line stands, what it says, and the line.
fn evidence(label: &Label, texts: &Texts<'_>, out: &mut dyn Write) -> io::Result<()> {
    let name = plain(&texts.name(label.place.file));
    let line = texts.position(label.place).map(|at| format!(", line {}", at.line)).unwrap_or_default();
    let said = if label.text.is_empty() { String::new() } else { format!(": {}", plain(&texts.clean(&label.text))) };
    writeln!(out, "{name}{line}{said}\n")?;
    let shown: Vec<String> = texts.line_of(label.place).into_iter().collect();
    block("", &shown, out)
}

fn list(name: &str, items: &[String], texts: &Texts<'_>, out: &mut dyn Write) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "**{name}**\n")?;
    for item in items {
        writeln!(out, "- {}", plain(&texts.clean(item)))?;
    }
    writeln!(out)
}

/// One way of requests as a table.
fn hops(group: &[Hop], all: &[Hop], texts: &Texts<'_>, out: &mut dyn Write) -> io::Result<()> {
    let shown: Vec<&Hop> = group.iter().filter(|hop| word_of(&hop.state).is_some()).collect();
    let [first, ..] = &shown[..] else { return Ok(()) };
    writeln!(out, "### {}\n\n| hop | state | |\n| --- | --- | --- |", plain(&texts.clean(&first.path)))?;
    for hop in shown {
        let word = word_of(&hop.state).unwrap_or_default();
        let said = said_of(hop, all, texts);
        writeln!(out, "| {} | {word} | {} |", plain(&texts.clean(&hop.title)), plain(&said))?;
    }
    writeln!(out)
}

/// A block that no line in it can end.
fn block(language: &str, lines: &[String], out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    writeln!(out, "{fence}{language}")?;
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    writeln!(out, "{fence}\n")
}

/// Words as they stand: an image or a link in a log line must not become one in the ticket.
fn plain(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, ',' | '.' | ':' | ';' | '/' | '-' | '\'' | '"' | '?' | '=' | '%') {
            written.push('\\');
        }
        written.push(c);
    }
    // A bare address would be made a link all the same.
    written.replace("://", ":\\//")
}

#[cfg(test)]
mod tests {
    use super::{block, plain};

    #[test]
    fn nothing_quoted_is_markup() {
        assert_eq!(plain("![x](http://evil.example) `a|b` <b>"), r"\!\[x\]\(http:\//evil.example\) \`a\|b\` \<b\>");
        let mut out = Vec::new();
        block("", &["a ``` b".to_owned(), "````".to_owned()], &mut out).ok();
        assert_eq!(String::from_utf8_lossy(&out), "`````\na ``` b\n````\n`````\n\n");
    }
}
