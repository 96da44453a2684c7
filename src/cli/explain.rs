//! `housecall explain RULE`: a rule's page, for someone at a terminal.

use std::io;

use super::{CLEAN, Streams};
use crate::finding::{Confidence, Effect, Severity};
use crate::nearest::did_you_mean;
use crate::output::prose::{WIDTH, fill, fill_markdown};
use crate::rule::example::{Example, ExampleFile, Show, is_mark};
use crate::rule::page::Page;
use crate::secret::sanitise_equal;

/// Prints the page with this id, or with this name where only one family has it. Exit code 0, or 2 where there is none.
///
/// # Errors
/// Those of the writer.
pub(super) fn run(rule: &str, pages: &[Page], streams: &mut Streams<'_>) -> io::Result<u8> {
    match find(rule, pages) {
        Ok(page) => streams.out.write_all(sanitise_equal(&text(page)).as_bytes()).map(|()| CLEAN),
        Err(message) => Ok(streams.refuse(&message)),
    }
}

fn find<'a>(rule: &str, pages: &'a [Page]) -> Result<&'a Page, String> {
    let name = |page: &'a Page| page.id.split('/').nth(1).unwrap_or(&page.id);
    if let Some(page) = pages.iter().find(|page| page.id == rule) {
        return Ok(page);
    }
    let named: Vec<&Page> = pages.iter().filter(|page| name(page) == rule).collect();
    match &named[..] {
        [page] => Ok(page),
        [] => {
            let candidates = pages.iter().map(|page| if rule.contains('/') { &page.id } else { name(page) });
            let hint = did_you_mean(rule, candidates);
            Err(format!("there is no rule `{rule}`{hint}; `housecall rules` lists them all"))
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|page| page.id.as_str()).collect();
            Err(format!("several rules are called `{rule}`: {}", ids.join(", ")))
        }
    }
}

/// The page as plain text, 80 columns wide where it is not code.
pub fn text(page: &Page) -> String {
    let mut text = format!("{}\n{}\n", page.id, fill(&page.title, ""));
    text.push_str(&format!("  severity    {}\n", severity_words(page.severity)));
    text.push_str(&format!("  effect      {}\n", effect_words(page.effect)));
    text.push_str(&format!("  confidence  {}\n", confidence_words(page.confidence)));
    if let Some(hop) = &page.hop {
        text.push_str(&format!("  breaks      the hop `{hop}`\n"));
    }
    text.push('\n');
    text.push_str(&fill_markdown(&page.prose, WIDTH));
    if let Some(fix) = page.cure() {
        text.push_str(&format!("\nFix: {}", fill(&fix, "     ")));
    }
    page.examples.iter().for_each(|example| text.push_str(&example_text(example)));
    if !page.seen.is_empty() {
        text.push_str("\nIn logs it reads:\n");
        page.seen.iter().for_each(|seen| text.push_str(&format!("    {seen}\n")));
    }
    if page.each.is_some() {
        text.push_str("\nTo keep it, say so on the line above, with the reason:\n");
        text.push_str(&format!("    # housecall: allow {} because …\n", page.id));
    }
    if !page.see.is_empty() {
        text.push_str("\nRead on:\n");
        page.see.iter().for_each(|address| text.push_str(&format!("    {address}\n")));
    }
    text
}

fn severity_words(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error: users see it now, or the program refuses the file",
        Severity::Warning => "warning: it will hurt under load, on a restart, or later",
        Severity::Note => "note: worth knowing; most healthy stacks do it too",
    }
}

fn effect_words(effect: Effect) -> &'static str {
    match effect {
        Effect::Refused => "refused: the program rejects the file",
        Effect::Broken => "broken: requests fail",
        Effect::Degraded => "degraded: it fails under load, on a restart, or later",
        Effect::Exposed => "exposed: someone gets what they should not",
        Effect::Untidy => "untidy: it costs the next reader",
    }
}

fn confidence_words(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Proved => "proved: read or seen directly",
        Confidence::Likely => "likely: read from the files, by a link that could be wrong",
        Confidence::Possible => "possible: something out of sight decides",
    }
}

fn example_text(example: &Example) -> String {
    let name = match example.show {
        Show::Bad => "Bad",
        Show::Good => "Good",
        Show::Fixed => "Fixed",
    };
    let mut text = match example.words.as_str() {
        "" => format!("\n{name}\n"),
        words => format!("\n{}", fill(&format!("{name}: {words}"), "")),
    };
    example.files.iter().for_each(|file| text.push_str(&file_text(file, example.show)));
    text
}

/// The file with `>` at the faulty lines in place of the comments that mark them.
fn file_text(file: &ExampleFile, show: Show) -> String {
    let mut text = format!("  {}\n", file.path);
    let content = String::from_utf8_lossy(&file.bytes);
    for (line, number) in content.lines().zip(1..).filter(|(line, _)| !is_mark(line)) {
        let mark = if show == Show::Bad && file.faults.contains(&number) { "  > " } else { "    " };
        text.push_str(format!("{mark}{line}").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn page(id: &str) -> Page {
        let text = "+++\ntitle = \"too many workers\"\nseverity = \"error\"\neffect = \"broken\"\nconfidence = \"likely\"\n\
            each = \"uwsgi\"\nat = \"it.workers\"\nmessage = \"x\"\nsee = [\"https://example.org/\"]\n+++\nBecause\nof this.\n\n\
            ## Bad\n`u.ini`:\n```\n[uwsgi]\n# fault\nworkers = 9\n```\n\n## Good: few\n`u.ini`:\n```\n[uwsgi]\n```\n";
        Page::parse(id, text).unwrap()
    }

    fn ran(rule: &str) -> (u8, String, String) {
        let pages = [page("uwsgi/too-many"), page("nginx/shared"), page("uwsgi/shared")];
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = run(rule, &pages, &mut Streams { out: &mut out, err: &mut err }).unwrap();
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn a_page_in_plain_text() {
        let (code, out, _) = ran("uwsgi/too-many");
        assert_eq!(code, 0);
        assert!(out.starts_with("uwsgi/too-many\ntoo many workers\n\n  severity    error: "), "{out}");
        assert!(out.contains("\nBecause of this.\n"), "{out}");
        assert!(out.contains("\nBad\n  u.ini\n    [uwsgi]\n  > workers = 9\n"), "{out}");
        assert!(out.contains("\nGood: few\n"), "{out}");
        assert!(out.ends_with("Read on:\n    https://example.org/\n"), "{out}");
    }

    #[test]
    fn a_rule_is_found_by_its_name_and_a_typo_is_answered() {
        assert_eq!(ran("too-many").0, 0);
        let (code, out, err) = ran("uwsgi/too-mny");
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.contains("did you mean `uwsgi/too-many`?"), "{err}");
        assert!(ran("too-mani").2.contains("did you mean `too-many`?"));
        assert!(ran("shared").2.contains("nginx/shared, uwsgi/shared"));
    }
}
