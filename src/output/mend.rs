//! A fix in the form of a diff: the lines that go and the lines that come.

use crate::finding::{Edit, Fix, Safety};
use crate::output::texts::Texts;
use crate::source::FileId;

/// What to do, then the lines of each edit; `shown` is the file whose name the reader has in view already.
pub(super) fn lines(texts: &Texts<'_>, fix: &Fix, shown: Option<FileId>) -> (String, Vec<String>) {
    // Words alone are read anyway.
    let title = match fix.safety {
        Safety::Unsafe if !fix.edits.is_empty() => format!("{} (read it first)", texts.clean(&fix.title)),
        _ => texts.clean(&fix.title),
    };
    let mut lines = Vec::new();
    let mut current = shown;
    for edit in &fix.edits {
        if current != Some(edit.file) {
            lines.push(format!("in {}:", texts.name(edit.file)));
            current = Some(edit.file);
        }
        lines.extend(diff(texts, edit));
    }
    (title, lines)
}

fn diff(texts: &Texts<'_>, edit: &Edit) -> Vec<String> {
    let text = texts.text(edit.file);
    let (start, end) =
        (text.floor_char_boundary(edit.span.range().start), text.ceil_char_boundary(edit.span.range().end));
    let (before, after) = (before(&text, start), after(&text, end));
    let old = format!("{before}{}{after}", &text[start..end]);
    let new = format!("{before}{}{after}", texts.clean_lines(&edit.text));
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    // Lines that stay are not part of a diff.
    let same_head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[same_head..], &new[same_head..]);
    let same_tail = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let marked = |mark: char, lines: &[&str]| -> Vec<String> {
        lines.iter().filter(|line| !line.is_empty()).map(|line| format!("{mark} {line}")).collect()
    };
    let mut shown = marked('-', &old[..old.len() - same_tail]);
    shown.extend(marked('+', &new[..new.len() - same_tail]));
    shown
}

/// So much of a line is shown on either side of what changes, in bytes: a line may be the whole file.
const AROUND: usize = 160;

/// What stands on the line before `start`.
fn before(text: &str, start: usize) -> String {
    let near = text.ceil_char_boundary(start.saturating_sub(AROUND));
    match text[near..start].rfind('\n') {
        Some(at) => text[near + at + 1..start].to_owned(),
        None if near == 0 => text[..start].to_owned(),
        None => format!("\u{2026}{}", &text[near..start]),
    }
}

/// What stands on the line after `end`.
fn after(text: &str, end: usize) -> String {
    let near = text.floor_char_boundary((end + AROUND).min(text.len()));
    match text[end..near].find('\n') {
        Some(at) => text[end..end + at].to_owned(),
        None if near == text.len() => text[end..].to_owned(),
        None => format!("{}\u{2026}", &text[end..near]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Origin, Sources, Span};

    #[test]
    fn a_diff_holds_what_changes_only() {
        let mut sources = Sources::default();
        let file = sources.add("a.ini", b"[uwsgi]\nprocesses = 5\nmaster = 1\n".to_vec(), Origin::File);
        let texts = Texts::new(&sources);
        let diff =
            |start, end, text: &str| diff(&texts, &Edit { file, span: Span::new(start, end), text: text.to_owned() });
        assert_eq!(diff(22, 22, "lazy-apps = true\n"), ["+ lazy-apps = true"]);
        assert_eq!(diff(21, 21, "\nlazy-apps = true"), ["+ lazy-apps = true"]);
        assert_eq!(diff(20, 21, "4"), ["- processes = 5", "+ processes = 4"]);
        assert_eq!(diff(8, 22, ""), ["- processes = 5"]);
    }

    #[test]
    fn of_a_long_line_only_what_is_near_is_shown() {
        let mut sources = Sources::default();
        let line = format!("{}root /a;{}", "é".repeat(500), "x".repeat(500));
        let file = sources.add("nginx.conf", line.into_bytes(), Origin::File);
        let edit = Edit { file, span: Span::new(1005, 1007), text: "/b".to_owned() };
        let shown = diff(&Texts::new(&sources), &edit);
        assert!(
            shown[0].starts_with("- \u{2026}é") && shown[0].contains("root /a;x") && shown[0].ends_with("x\u{2026}")
        );
        assert!(shown[1].contains("root /b;x") && shown.iter().all(|line| line.len() < 400), "{shown:?}");
    }
}
