//! The first screen of doctor: the root cause, its evidence, the cure, and the request path hop by hop.

use std::io::{self, Write};

use crate::diagnosis::{Diagnosis, Hop, Reason, RootCause, State};
use crate::finding::{Confidence, Label};
use crate::output::frame::frames;
use crate::output::mend;
use crate::output::paint::{Paint, count};
use crate::output::prose::wrap;
use crate::output::{Shown, Texts, cannot_tell};

/// Writes the diagnosis for people.
///
/// # Errors
/// Only those of `out`.
pub fn write(diagnosis: &Diagnosis, texts: &Texts<'_>, shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
    let screen = Screen { texts, shown, paint: Paint(shown.colour) };
    for (at, cause) in diagnosis.root_causes.iter().enumerate() {
        screen.root_cause(at, cause, out)?;
    }
    if diagnosis.root_causes.is_empty() {
        for line in wrap(no_cause(diagnosis), shown.width) {
            writeln!(out, "{}", screen.paint.bold(&line))?;
        }
    }
    screen.hops(&diagnosis.hops, out)?;
    if !shown.quiet {
        screen.closing(diagnosis, out)?;
    }
    Ok(())
}

/// Unknown is never said to be well.
pub(super) fn no_cause(diagnosis: &Diagnosis) -> &'static str {
    let any = |wanted: fn(&State) -> bool| diagnosis.hops.iter().any(|hop| wanted(&hop.state));
    if diagnosis.hops.is_empty() {
        "No stack found on this host: no nginx that passes requests to an app, and no uWSGI with its configuration. Where \
         they lie elsewhere, name them: --nginx-conf FILE, --uwsgi-ini FILE."
    } else if !diagnosis.report.errors.is_empty() {
        "Nothing broken was found, but not everything could be read."
    } else if any(|state| matches!(state, State::Broken | State::Symptom)) {
        "Something is broken here, and no rule explains it."
    } else if any(|state| matches!(state, State::Unknown(_))) {
        "Nothing broken was found, but not every hop could be judged."
    } else if any(|state| matches!(state, State::Degraded)) {
        "Requests get through; something will fail under load or later."
    } else {
        "Every hop works."
    }
}

/// How sure a cause is, in a word.
pub(super) fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Proved => "proved",
        Confidence::Likely => "likely",
        Confidence::Possible => "possible",
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
            Reason::NoEvidence => "nothing here tells".to_owned(),
            Reason::NotAsked => "not asked to look".to_owned(),
            Reason::Changed => "it changed while being looked at: run again".to_owned(),
        },
    }
}

fn is_masked(hop: &Hop) -> bool {
    matches!(hop.state, State::Unknown(Reason::MaskedBy(_)))
}

struct Screen<'s, 't> {
    texts: &'s Texts<'t>,
    shown: &'s Shown,
    paint: Paint,
}

impl Screen<'_, '_> {
    fn root_cause(&self, at: usize, cause: &RootCause, out: &mut dyn Write) -> io::Result<()> {
        let finding = &cause.finding;
        if at > 0 {
            writeln!(out)?;
        }
        let lead = if at == 0 { "Root cause: " } else { "Second root cause: " };
        let lead = if at > 1 { "Another root cause: " } else { lead };
        let sentence = wrap(&format!("{lead}{}", self.texts.clean(&finding.message)), self.shown.width);
        for (line, text) in sentence.iter().enumerate() {
            match text.strip_prefix(lead.trim_end()).filter(|_| line == 0) {
                Some(rest) => writeln!(out, "{}{}", self.paint.red(lead.trim_end()), self.paint.bold(rest))?,
                None => writeln!(out, "{}", self.paint.bold(text))?,
            }
        }
        writeln!(out, "{}", self.paint.dim(&format!("{} ({})", finding.rule, sure(finding.confidence))))?;

        self.part("because", out)?;
        let because = if cause.because.is_empty() { std::slice::from_ref(&finding.primary) } else { &cause.because };
        let (spans, wholes): (Vec<_>, Vec<_>) = because.iter().partition(|label| label.place.span.is_some());
        let note = |label: &&Label| {
            let name = self.texts.name(label.place.file);
            let said = if label.text.is_empty() { name } else { format!("{name}: {}", self.texts.clean(&label.text)) };
            wrap(&said, self.shown.width.saturating_sub(8)).join("\n")
        };
        let notes = wholes.iter().map(note).collect();
        let first = spans.first().copied();
        let rest: Vec<Label> = spans.iter().skip(1).map(|label| (*label).clone()).collect();
        writeln!(out, "{}", frames(self.texts, finding.severity, first, &rest, notes, self.shown.look()))?;
        self.list("explains", &cause.explains, "- ", out)?;
        if let Some(fix) = &finding.fix {
            self.part("fix", out)?;
            let (title, lines) = mend::lines(self.texts, fix, None);
            for line in wrap(&title, self.shown.width - 2) {
                writeln!(out, "  {line}")?;
            }
            for line in lines {
                writeln!(out, "    {}", self.paint.diff(&line))?;
            }
        }
        self.list("verify with", &cause.verify, "", out)?;
        Ok(())
    }

    fn part(&self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n{}", self.paint.bold(name))
    }

    fn list(&self, name: &str, items: &[String], bullet: &str, out: &mut dyn Write) -> io::Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        self.part(name, out)?;
        for item in items {
            let clean = self.texts.clean(item);
            // A command is copied, so it is never broken.
            let lines = if bullet.is_empty() { vec![clean] } else { wrap(&clean, self.shown.width - 4) };
            for (at, line) in lines.iter().enumerate() {
                writeln!(out, "  {}{line}", if at == 0 { bullet } else { "  " })?;
            }
        }
        Ok(())
    }

    /// One group for each request path, one line for each hop.
    fn hops(&self, hops: &[Hop], out: &mut dyn Write) -> io::Result<()> {
        let shown: Vec<&Hop> = hops.iter().filter(|hop| hop.state != State::NotApplicable).collect();
        let mut path: Option<&String> = None;
        // Neighbours that are hidden behind one and the same hop take one line.
        for group in shown.chunk_by(|one, next| one.path == next.path && one.state == next.state && is_masked(one)) {
            let [hop, ..] = group else { continue };
            if path != Some(&hop.path) {
                writeln!(out, "\n{}", self.paint.bold(&self.texts.clean(&hop.path)))?;
                path = Some(&hop.path);
            }
            let titles: Vec<String> = group.iter().map(|hop| self.texts.clean(&hop.title)).collect();
            let said = said_of(hop, hops, self.texts);
            let (first, rest) = self.fitted(&titles.join(", "), &said);
            writeln!(out, "  {} {first}", self.mark(&hop.state))?;
            for line in rest {
                writeln!(out, "      {line}")?;
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

    fn closing(&self, diagnosis: &Diagnosis, out: &mut dyn Write) -> io::Result<()> {
        let others = self.shown.of(&diagnosis.report).count().saturating_sub(diagnosis.root_causes.len());
        let hidden = diagnosis.hops.iter().filter(|hop| hop.state == State::Unknown(Reason::NoPermission)).count();
        if others > 0 || hidden > 0 || !diagnosis.report.cannot_tell.is_empty() || !diagnosis.root_causes.is_empty() {
            writeln!(out)?;
        }
        if others > 0 {
            let them = if others == 1 { "it" } else { "them" };
            writeln!(out, "{} besides: housecall doctor --format json lists {them}", count(others, "finding"))?;
        }
        if hidden > 0 {
            writeln!(out, "{} hidden from this user: sudo housecall doctor", count(hidden, "hop"))?;
        }
        cannot_tell::write(&diagnosis.report.cannot_tell, self.texts, self.shown, out)?;
        match diagnosis.root_causes.iter().find(|cause| !cause.finding.rule.starts_with("hop/")) {
            Some(cause) => writeln!(out, "why, and how to be sure: housecall explain {}", cause.finding.rule),
            None => Ok(()),
        }
    }
}
