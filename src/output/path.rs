//! The request paths of a host: one line for each, and hop by hop those that do not work in every respect.

use std::io::{self, Write};

use crate::diagnosis::{Hop, Reason, State};
use crate::output::Texts;
use crate::output::doctor::Screen;
use crate::output::paint::count;
use crate::output::prose::wrap;

/// The hops of a host by their paths.
pub(super) struct Paths<'d>(Vec<&'d [Hop]>);

impl<'d> Paths<'d> {
    pub(super) fn of(hops: &'d [Hop]) -> Self {
        Self(hops.chunk_by(|one, next| one.path == next.path).collect())
    }

    pub(super) fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// How many of them fail.
    pub(super) fn sentence(&self) -> String {
        let all = self.0.len();
        let with =
            |states: fn(&State) -> bool| self.0.iter().filter(move |hops| hops.iter().any(|hop| states(&hop.state)));
        match with(|state| *state == State::Broken).count() {
            0 => match with(|state| *state == State::Degraded).count() {
                1 => format!("1 of {} works in part.", count(all, "request path")),
                some => format!("{some} of {} work in part.", count(all, "request path")),
            },
            1 => format!("1 of {} is broken.", count(all, "request path")),
            broken => format!("{broken} of {} are broken.", count(all, "request path")),
        }
    }
}

/// The hop that says most of its path: what is broken goes before what cannot be told.
fn decisive(hops: &[Hop]) -> Option<&Hop> {
    let rank = |state: &State| match state {
        State::Broken => 4,
        State::Degraded => 3,
        State::Symptom => 2,
        State::Unknown(Reason::MaskedBy(_)) | State::Ok | State::NotApplicable => 0,
        State::Unknown(_) => 1,
    };
    // Of equals the one nearest to the database, which explains the others.
    hops.iter().filter(|hop| rank(&hop.state) > 0).max_by_key(|hop| rank(&hop.state))
}

fn is_same_unknown(one: &Hop, other: &Hop) -> bool {
    let words = |hop: &Hop| hop.evidence.first().map(|label| label.text.clone());
    matches!(one.state, State::Unknown(_)) && one.state == other.state && words(one) == words(other)
}

impl Screen<'_, '_> {
    /// One line for each path: its mark, its name, and what is to be said of it.
    pub(super) fn overview(&self, paths: &Paths<'_>, out: &mut dyn Write) -> io::Result<()> {
        for hops in &paths.0 {
            let [first, ..] = hops else { continue };
            let name = self.texts.clean(&first.path);
            let (mark, said) = match decisive(hops) {
                None => (self.mark(&State::Ok), String::new()),
                Some(hop) => (self.mark(&hop.state), format!(": {}", self.brief(hop, hops))),
            };
            let line = cut(&format!("{name}{said}"), self.shown.width.saturating_sub(4));
            writeln!(out, "  {mark} {line}")?;
        }
        Ok(())
    }

    fn brief(&self, hop: &Hop, hops: &[Hop]) -> String {
        match hop.state {
            State::Unknown(_) => {
                let open = hops.iter().filter(|hop| matches!(hop.state, State::Unknown(_))).count();
                format!("{} cannot be judged", count(open, "hop"))
            }
            _ => said_of(hop, hops, self.texts),
        }
    }

    /// One group for each path, one line for each hop; of several paths those of which their line does not say all.
    pub(super) fn hops(&self, paths: &Paths<'_>, out: &mut dyn Write) -> io::Result<()> {
        for hops in paths.0.iter().filter(|hops| !paths.are_several() || decisive(hops).is_some()) {
            let [first, ..] = hops else { continue };
            writeln!(out, "\n{}", self.paint.bold(&self.texts.clean(&first.path)))?;
            let shown: Vec<&Hop> = hops.iter().filter(|hop| hop.state != State::NotApplicable).collect();
            // Neighbours that cannot be judged for one and the same reason take one line.
            for group in shown.chunk_by(|one, next| is_same_unknown(one, next)) {
                let [hop, ..] = group else { continue };
                let titles: Vec<String> = group.iter().map(|hop| self.texts.clean(&hop.title)).collect();
                let (first, rest) = self.fitted(&titles.join(", "), &said_of(hop, hops, self.texts));
                writeln!(out, "  {} {first}", self.mark(&hop.state))?;
                for line in rest {
                    writeln!(out, "      {line}")?;
                }
            }
        }
        Ok(())
    }

    fn mark(&self, state: &State) -> String {
        match state {
            State::Ok => self.paint.green("\u{2713}"),
            State::Broken => self.paint.red("\u{2717}"),
            State::Degraded => self.paint.yellow("~"),
            State::Symptom => self.paint.yellow("\u{b7}"),
            State::Unknown(_) => self.paint.bold("?"),
            State::NotApplicable => " ".to_owned(),
        }
    }

    /// The hop's title with what is said of it, on one line where both fit.
    fn fitted(&self, title: &str, said: &str) -> (String, Vec<String>) {
        let room = self.shown.width.saturating_sub(4);
        if said.is_empty() {
            return (title.to_owned(), Vec::new());
        }
        if title.chars().count() + 2 + said.chars().count() <= room {
            return (format!("{title}: {said}"), Vec::new());
        }
        let mut lines = wrap(&format!("{title}:"), room).into_iter();
        let first = lines.next().unwrap_or_default();
        (first, lines.chain(wrap(said, room.saturating_sub(2))).collect())
    }
}

/// The state in a word; `None` where the stack has no such hop.
pub(super) fn word_of(state: &State) -> Option<&'static str> {
    Some(match state {
        State::Ok => "ok",
        State::Broken => "broken",
        State::Degraded => "degraded",
        State::Symptom => "symptom",
        State::Unknown(_) => "unknown",
        State::NotApplicable => return None,
    })
}

/// The state in words where the mark alone does not say enough.
pub(super) fn said_of(hop: &Hop, hops: &[Hop], texts: &Texts<'_>) -> String {
    let evidence = hop.evidence.iter().find(|label| !label.text.is_empty()).map(|label| texts.clean(&label.text));
    match &hop.state {
        State::Ok | State::NotApplicable => String::new(),
        State::Broken => evidence.unwrap_or_else(|| "broken".to_owned()),
        State::Degraded => evidence.unwrap_or_else(|| "degraded".to_owned()),
        State::Symptom => "fails because of the root cause".to_owned(),
        State::Unknown(reason) => match reason {
            Reason::NoPermission => match evidence {
                Some(what) => format!("cannot be told as this user: {what}"),
                None => "cannot be told as this user: run with sudo".to_owned(),
            },
            Reason::Timeout => "no answer in time".to_owned(),
            Reason::MaskedBy(id) => {
                let title = hops
                    .iter()
                    .find(|other| other.id == id && other.path == hop.path)
                    .map(|other| other.title.as_str());
                format!("hidden behind {}", texts.clean(title.unwrap_or(id)))
            }
            Reason::NoEvidence => match evidence {
                Some(what) => format!("cannot be told: {what}"),
                None => "nothing here tells".to_owned(),
            },
            Reason::NotAsked => "not asked to look".to_owned(),
            Reason::Changed => "it changed while being looked at: run again".to_owned(),
        },
    }
}

/// At most `width` characters of a line.
fn cut(line: &str, width: usize) -> String {
    match line.char_indices().nth(width) {
        None => line.to_owned(),
        Some(_) => format!("{}\u{2026}", line.chars().take(width.saturating_sub(1)).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host whose paths have hops in these states.
    fn sentence(paths: &[&[State]]) -> String {
        let hop = |at: usize, state: &State| Hop {
            id: "listen",
            title: String::new(),
            state: state.clone(),
            evidence: Vec::new(),
            path: at.to_string(),
            own_fault: false,
        };
        let of_path = |(at, states): (usize, &&[State])| states.iter().map(|state| hop(at, state)).collect::<Vec<_>>();
        let hops: Vec<Hop> = paths.iter().enumerate().flat_map(of_path).collect();
        Paths::of(&hops).sentence()
    }

    #[test]
    fn what_works_in_part_is_not_broken() {
        use State::{Broken, Degraded, Ok, Symptom};
        assert_eq!(sentence(&[&[Ok], &[Symptom, Broken]]), "1 of 2 request paths is broken.");
        assert_eq!(sentence(&[&[Broken], &[Broken], &[Ok]]), "2 of 3 request paths are broken.");
        assert_eq!(sentence(&[&[Symptom, Degraded], &[Ok]]), "1 of 2 request paths works in part.");
    }

    #[test]
    fn a_line_is_cut_by_characters() {
        assert_eq!((cut("\u{e4}bc", 3).as_str(), cut("\u{e4}bcd", 3).as_str()), ("\u{e4}bc", "\u{e4}b\u{2026}"));
    }
}
