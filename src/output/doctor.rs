//! The first screen of doctor: the root cause, its evidence, the cure, and the request path hop by hop.

use std::io::{self, Write};

use crate::diagnosis::{Change, Diagnosis, Reason, RootCause, Spell, State};
use crate::finding::{Confidence, Label};
use crate::output::frame::frames;
use crate::output::mend;
use crate::output::moment::moment;
use crate::output::paint::{Paint, count};
use crate::output::path::Paths;
use crate::output::prose::wrap;
use crate::output::{Shown, Texts, cannot_tell};

/// Writes the diagnosis for people.
///
/// # Errors
/// Only those of `out`.
pub fn write(diagnosis: &Diagnosis, texts: &Texts<'_>, shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
    let screen = Screen { texts, shown, paint: Paint(shown.colour), ahead: diagnosis.ahead };
    let paths = Paths::of(&diagnosis.hops);
    if paths.are_several() {
        let sentence = if diagnosis.root_causes.is_empty() { no_cause(diagnosis).to_owned() } else { paths.sentence() };
        screen.sentence(&sentence, out)?;
        screen.overview(&paths, out)?;
        if !diagnosis.root_causes.is_empty() {
            writeln!(out)?;
        }
    }
    for (at, cause) in diagnosis.root_causes.iter().enumerate() {
        screen.root_cause(at, cause, paths.are_several(), out)?;
    }
    if diagnosis.root_causes.is_empty() && !paths.are_several() {
        screen.sentence(no_cause(diagnosis), out)?;
    }
    screen.changes(&diagnosis.changes, out)?;
    screen.hops(&paths, out)?;
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

pub(super) struct Screen<'s, 't> {
    pub(super) texts: &'s Texts<'t>,
    pub(super) shown: &'s Shown,
    pub(super) paint: Paint,
    /// How far the host's clock is ahead of UTC, in seconds.
    ahead: i64,
}

/// How a moment is told.
const MOMENT: &str = "%Y-%m-%d %H:%M:%S";

impl Screen<'_, '_> {
    fn sentence(&self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        for line in wrap(text, self.shown.width) {
            writeln!(out, "{}", self.paint.bold(&line))?;
        }
        Ok(())
    }

    fn root_cause(&self, at: usize, cause: &RootCause, several: bool, out: &mut dyn Write) -> io::Result<()> {
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
        for path in cause.path.split("; ").filter(|_| several) {
            writeln!(out, "{}", self.paint.dim(&format!("breaks {}", self.texts.clean(path))))?;
        }

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
        self.list("seen", self.spell(cause).as_slice(), "- ", out)?;
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

    fn spell(&self, cause: &RootCause) -> Option<String> {
        let Spell { first, last, times } = cause.spell?;
        let [first, last] = [first, last].map(|at| moment(at, self.ahead, MOMENT));
        Some(match times {
            1 => format!("once, at {first}"),
            _ => format!("{}, first at {first}, last at {last}", count(times, "time")),
        })
    }

    /// What was done before: the last is what people ask for first.
    fn changes(&self, changes: &[Change], out: &mut dyn Write) -> io::Result<()> {
        let line = |change: &Change| format!("{}  {}", moment(change.at, self.ahead, MOMENT), change.what);
        let lines: Vec<String> = changes.iter().map(line).collect();
        self.list("changed in the day before", &lines, "- ", out)
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

    fn closing(&self, diagnosis: &Diagnosis, out: &mut dyn Write) -> io::Result<()> {
        let others = self.shown.of(&diagnosis.report).count().saturating_sub(diagnosis.root_causes.len());
        let hidden = diagnosis.hops.iter().filter(|hop| hop.state == State::Unknown(Reason::NoPermission)).count();
        if others > 0
            || hidden > 0
            || !diagnosis.notes.is_empty()
            || !diagnosis.report.cannot_tell.is_empty()
            || !diagnosis.root_causes.is_empty()
        {
            writeln!(out)?;
        }
        for note in &diagnosis.notes {
            for line in wrap(&self.texts.clean(note), self.shown.width) {
                writeln!(out, "{line}")?;
            }
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
