//! What a log means, for people: each page it leads to, with the lines that say so, the reason and the cure.

use std::io::{self, Write};

use crate::engine::Lead;
use crate::finding::Severity;
use crate::output::frame::frames;
use crate::output::paint::{Paint, count};
use crate::output::prose::{fill_markdown, wrap};
use crate::output::{Shown, Texts};

/// So many are told at length: what comes after them is seldom it.
const TOLD: usize = 4;
/// So many lines of the log are shown of each.
const LINES: usize = 3;

/// Writes the leads, the likeliest first; says so where there are none.
///
/// # Errors
/// Only those of `out`.
pub fn write(leads: &[Lead<'_>], texts: &Texts<'_>, shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(shown.colour);
    if leads.is_empty() {
        writeln!(out, "{}", paint.bold("not known: no rule knows a line of this"))?;
        return writeln!(out, "on the server itself, `sudo housecall doctor` looks further than a log tells");
    }
    for (at, lead) in leads.iter().take(TOLD).enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        tell(lead, texts, shown, out)?;
    }
    let rest: Vec<&str> = leads.iter().skip(TOLD).map(|lead| lead.page.id.as_str()).collect();
    if !rest.is_empty() {
        writeln!(out)?;
        wrap(&format!("less likely: {}", rest.join(", ")), shown.width)
            .iter()
            .try_for_each(|line| writeln!(out, "{line}"))?;
    }
    if shown.quiet {
        return Ok(());
    }
    writeln!(out, "\nhow to be sure: housecall explain RULE; on the server itself: sudo housecall doctor")
}

fn tell(lead: &Lead<'_>, texts: &Texts<'_>, shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(shown.colour);
    let page = lead.page;
    writeln!(out, "{}: {}", paint.severity(Severity::Error, &page.id), paint.bold(&texts.clean(&page.title)))?;
    let lines = &lead.lines[..lead.lines.len().min(LINES)];
    let more = (lead.lines.len() > LINES).then(|| format!("{} lead here in all", count(lead.times, "line")));
    let first = lines.first();
    let rest = lines.get(1..).unwrap_or_default();
    let frame = frames(texts, page.severity, first, rest, more.into_iter().collect(), shown.look());
    writeln!(out, "{frame}\n")?;
    write!(out, "{}", fill_markdown(opening(&page.prose), shown.width))?;
    if let Some(fix) = page.cure() {
        wrap(&format!("fix: {fix}"), shown.width).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    Ok(())
}

/// What the page says first, on one line.
pub(super) fn first_paragraph(prose: &str) -> String {
    opening(prose).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the page says first: what happens, and why; with the lines it leads up to, where it ends in the middle of a sentence.
fn opening(prose: &str) -> &str {
    let prose = prose.trim();
    let mut end = 0;
    for paragraph in prose.split_inclusive("\n\n") {
        end += paragraph.len();
        let is_code = paragraph.starts_with("    ");
        if !is_code && paragraph.trim_end().ends_with(['.', '?', '`', ')']) {
            break;
        }
    }
    prose[..end].trim_end()
}

#[cfg(test)]
mod tests {
    use super::{first_paragraph, opening};

    #[test]
    fn a_page_is_quoted_up_to_the_end_of_a_sentence() {
        assert_eq!(first_paragraph("\nIt\nfails.\n\nMore.\n"), "It fails.");
        assert_eq!(
            first_paragraph("The log says only\n\n    killed\n\nand no more.\n\nx."),
            "The log says only killed and no more."
        );
        let listed = "See which:\n\n- one (this)\n- two.\n\nMore.";
        assert_eq!(opening(listed), "See which:\n\n- one (this)\n- two.");
    }
}
