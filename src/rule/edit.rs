//! The edit that a page's fix makes, once the facts are known.

use std::sync::Arc;

use crate::finding::{Edit, Fix};
use crate::rule::page::{Change, FixPlan};
use crate::rule::path::FactPath;
use crate::rule::subject::GAP;
use crate::source::{Origin, Place, Source, Sources, Span};
use crate::stack::fact::Row;

/// The cure for one row; `None` where its title renders to nothing. Without edits where the fact's line is out of sight.
pub fn fix(plan: &FixPlan, row: &Arc<dyn Row>, sources: &Sources) -> Option<Fix> {
    let title = plan.title.render(row).ok().filter(|title| !title.trim().is_empty())?;
    let edits = plan.change.as_ref().and_then(|change| edit(change, row, sources)).into_iter().collect();
    Some(Fix { title, safety: plan.safety, edits })
}

fn edit(change: &Change, row: &Arc<dyn Row>, sources: &Sources) -> Option<Edit> {
    let (target, text) = match change {
        Change::Insert { after, into, text } => (anchor(after, into.as_ref(), row)?, text),
        Change::Replace(path, text) => (Some(path.follow(row)).filter(|target| target.reached)?.place, text),
    };
    let text = text.render(row).ok()?;
    // What is not known cannot be written into a file.
    if text.contains(GAP) {
        return None;
    }
    let Place { file, span: Some(span) } = target else { return None };
    let source = sources.get(file);
    if source.origin != Origin::File {
        return None;
    }
    Some(match change {
        Change::Insert { .. } => {
            let (span, text) = insertion(source, span, &text)?;
            Edit { file, span, text }
        }
        Change::Replace(..) => Edit { file, span, text },
    })
}

/// The place of a fact that is there: an absent one has its owner's, which may lie in a file of another language.
fn there(path: &FactPath, row: &Arc<dyn Row>) -> Option<Place> {
    let target = path.follow(row);
    (target.reached && !target.absent).then_some(target.place)
}

/// The place that new lines follow. What an ini could say may stand in the command line of a job, and a job takes no line of
/// an ini: then they follow what the page names of the file that they belong into, and nothing where there is none.
fn anchor(after: &FactPath, into: Option<&FactPath>, row: &Arc<dyn Row>) -> Option<Place> {
    let Some(into) = into else { return there(after, row) };
    let home = there(into, row)?;
    Some(there(after, row).filter(|place| place.file == home.file).unwrap_or(home))
}

/// Where lines are inserted after the one that `after` ends on, and how: with its indentation and its line ending.
fn insertion(source: &Source, after: Span, text: &str) -> Option<(Span, String)> {
    let whole = source.text();
    let (first, _) = source.line_column(after.start);
    let (last, _) = source.line_column(after.end.max(after.start + 1) - 1);
    let indented = source.line_span(first)?.of(whole);
    let indent = &indented[..indented.len() - indented.trim_start_matches([' ', '\t']).len()];
    let end = source.line_span(last)?.end as usize;
    let rest = &whole[end..];
    let ending = match rest {
        _ if rest.starts_with("\r\n") => "\r\n",
        _ if rest.is_empty() && whole.contains("\r\n") => "\r\n",
        _ => "\n",
    };
    let lines = text.trim_end_matches('\n').lines().map(|line| format!("{indent}{line}"));
    if rest.is_empty() {
        return Some((Span::new(end, end), lines.map(|line| format!("{ending}{line}")).collect()));
    }
    let at = end + rest.find('\n')? + 1;
    Some((Span::new(at, at), lines.map(|line| format!("{line}{ending}")).collect()))
}

/// `bytes` with all `edits` made, equal ones once; `None` where two overlap or one does not fit.
pub fn applied<'a>(bytes: &[u8], edits: impl IntoIterator<Item = &'a Edit>) -> Option<Vec<u8>> {
    let mut edits: Vec<&Edit> = edits.into_iter().collect();
    edits.sort();
    edits.dedup();
    let mut result = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for edit in edits {
        let range = edit.span.range();
        result.extend_from_slice(bytes.get(done..range.start)?);
        result.extend_from_slice(edit.text.as_bytes());
        done = range.end;
    }
    result.extend_from_slice(bytes.get(done..)?);
    Some(result)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn inserted(text: &str, word: &str) -> String {
        let mut sources = Sources::default();
        let id = sources.add("a", text.as_bytes().to_vec(), Origin::File);
        let at = text.find(word).unwrap();
        let (span, new) = insertion(sources.get(id), Span::new(at, at + word.len()), "x = 1\ny = 2").unwrap();
        format!("{}{new}{}", &text[..span.range().start], &text[span.range().end..])
    }

    #[test]
    fn lines_keep_indentation_and_ending() {
        assert_eq!(inserted("[u]\n\ta = 1\nb = 2\n", "1"), "[u]\n\ta = 1\n\tx = 1\n\ty = 2\nb = 2\n");
        assert_eq!(inserted("[u]\r\na = 1\r\n", "[u]"), "[u]\r\nx = 1\r\ny = 2\r\na = 1\r\n");
        assert_eq!(inserted("[u]\n  a = 1", "1"), "[u]\n  a = 1\n  x = 1\n  y = 2");
        assert_eq!(inserted("[u]\r\na = 1", "1"), "[u]\r\na = 1\r\nx = 1\r\ny = 2");
        assert_eq!(inserted("  a(\n1,\n2)\nb\n", "a(\n1,\n2)"), "  a(\n1,\n2)\n  x = 1\n  y = 2\nb\n");
    }

    #[test]
    fn edits_that_overlap_are_refused() {
        let file = Sources::default().add("a", Vec::new(), Origin::File);
        let edit = |start, end, text: &str| Edit { file, span: Span::new(start, end), text: text.into() };
        let (first, second, inside) = (edit(0, 1, "A"), edit(3, 3, "!"), edit(0, 2, "x"));
        assert_eq!(applied(b"abc", [&second, &first, &first]).as_deref(), Some(&b"Abc!"[..]));
        assert_eq!(applied(b"abc", [&first, &inside]), None);
        assert_eq!(applied(b"ab", [&second]), None);
    }
}
