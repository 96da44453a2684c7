//! The closing lines of what could not be told: one for each way to bring it into sight.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::finding::{CannotTell, Missing};
use crate::output::paint::count;
use crate::output::prose::wrap;
use crate::output::{Shown, Texts};

/// How many things are named in a line.
const MOST_NAMED: usize = 3;

/// Writes them, the most asked for first.
pub(super) fn write(
    cannot_tell: &[CannotTell],
    texts: &Texts<'_>,
    shown: &Shown,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut asked: BTreeMap<&Missing, usize> = BTreeMap::new();
    for one in cannot_tell {
        *asked.entry(&one.missing).or_default() += 1;
    }
    let mut by_cure: BTreeMap<&str, Vec<(&Missing, usize)>> = BTreeMap::new();
    for (missing, times) in asked {
        by_cure.entry(&missing.how).or_default().push((missing, times));
    }
    let mut lines: Vec<(usize, String)> = by_cure.into_values().map(|lacks| line(lacks, texts)).collect();
    lines.sort_by_key(|(times, _)| std::cmp::Reverse(*times));
    for (_, line) in lines {
        for (at, line) in wrap(&line, shown.width.saturating_sub(2)).iter().enumerate() {
            writeln!(out, "{}{line}", if at == 0 { "" } else { "  " })?;
        }
    }
    Ok(())
}

/// How many things could not be told without these, and the line that says so. All of them have the same cure.
fn line(mut lacks: Vec<(&Missing, usize)>, texts: &Texts<'_>) -> (usize, String) {
    lacks.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    let times = lacks.iter().map(|(_, times)| times).sum();
    let how = lacks.first().map_or("", |(missing, _)| missing.how.as_ref());
    let named = if lacks.len() > MOST_NAMED + 1 { MOST_NAMED } else { lacks.len() };
    let mut whats: Vec<String> = lacks[..named].iter().map(|(missing, _)| missing.what.to_string()).collect();
    let last = match lacks.len() - named {
        0 => whats.pop().unwrap_or_default(),
        more => format!("{more} others"),
    };
    let whats = if whats.is_empty() { last } else { format!("{} or {last}", whats.join(", ")) };
    let line = format!("cannot tell {} without {whats}: {how}", count(times, "thing"));
    // Words of our own hold no secret, and cleaning the first line reads every file.
    let is_fixed = lacks.iter().all(|(missing, _)| missing.is_fixed());
    (times, if is_fixed { line } else { texts.clean(&line) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::{FileId, Origin, Place, Sources};

    fn said(sources: &Sources, file: FileId, lacks: &[(&str, &str)]) -> String {
        let one = |(what, how): &(&str, &str)| CannotTell {
            rule: "upstart/no-respawn".into(),
            missing: Missing::new(*what, *how),
            place: Place::whole(file),
        };
        let all: Vec<CannotTell> = lacks.iter().map(one).collect();
        let mut out = Vec::new();
        write(&all, &Texts::new(sources), &Shown { width: 200, ..Shown::default() }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_has_the_same_cure_is_told_in_one_line() {
        let mut sources = Sources::default();
        let file = sources.add("web.conf.erb", b"exec true\n".to_vec(), Origin::File);
        let said = |lacks: &[(&str, &str)]| said(&sources, file, lacks);
        assert_eq!(said(&[("a", "look"), ("a", "look")]), "cannot tell 2 things without a: look\n");
        assert_eq!(
            said(&[("c", "ask"), ("a", "look"), ("b", "look"), ("b", "look")]),
            "cannot tell 3 things without b or a: look\ncannot tell 1 thing without c: ask\n"
        );
        let many = ["a", "b", "c", "d", "e"].map(|what| (what, "look"));
        assert_eq!(said(&many), "cannot tell 5 things without a, b, c or 2 others: look\n");
    }
}
