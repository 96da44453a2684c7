//! A job's file and its override, the later before the earlier (Upstart: `conf_load_path_with_override`, conf.c).

use crate::source::{Located, Place, Span};
use crate::stack::document::Document;
use crate::stack::fact::{Fact, Missing};
use crate::syntax::Problem;
use crate::syntax::erb::FILLER;
use crate::syntax::upstart::{self, Command, Dialect, Job, Phase, Stanza, Tree};

/// One file of a job as it was read.
pub(super) struct Layer<'d> {
    pub document: &'d Document,
    pub tree: Tree,
    pub dialect: Dialect,
    pub problems: Vec<Problem>,
    /// From where on template code decides what is a stanza and what a line of a script.
    tangled: Option<u32>,
}

/// Whose Upstart a job is written for: those of Chrome OS say so in their first lines.
fn dialect(text: &str) -> Dialect {
    let says_so = |line: &str| ["ChromiumOS", "Chromium OS", "Chrome OS"].iter().any(|name| line.contains(name));
    if text.lines().take_while(|line| line.starts_with('#')).any(says_so) {
        return Dialect::ChromeOs;
    }
    Dialect::Upstart
}

impl<'d> Layer<'d> {
    pub fn of(document: &'d Document) -> Self {
        let dialect = dialect(document.text());
        let parsed = upstart::parse_with(document.text(), dialect);
        let tangled = parsed.tree.stanzas.iter().find(|stanza| is_tangled(document, stanza));
        let tangled = tangled.map(|stanza| stanza.span.start);
        let sure = |problem: &Problem| {
            !is_templated(document, &parsed.tree.stanzas, problem)
                && tangled.is_none_or(|from| problem.span.start < from)
        };
        let problems = parsed.problems.into_iter().filter(sure).collect();
        Self { document, tree: parsed.tree, dialect, problems, tangled }
    }

    /// Whether it is part of what one of the job's processes runs.
    fn is_in_command(&self, span: Span) -> bool {
        self.tree.job.processes.values().any(|(command, _)| command.text().span.overlaps(span))
    }

    /// Whether the file says `manual`, which drops what it and the files before it say in `start on`.
    fn is_manual(&self) -> bool {
        self.tree.stanzas.iter().any(|stanza| stanza.name.value == "manual")
    }
}

/// Whether a template decides what stands from the start of a refused stanza to where Upstart notices it: then there may be
/// a rendering that it accepts.
fn is_templated(document: &Document, stanzas: &[Stanza], problem: &Problem) -> bool {
    let all = problem.related.iter().fold(problem.span, |all, place| all.to(place.span));
    let text = document.text();
    let before = stanzas.partition_point(|stanza| stanza.span.start <= all.start);
    let stanza = stanzas[..before].last().map_or(all.start, |stanza| stanza.span.start) as usize;
    let start = text[..all.range().start.min(stanza)].rfind('\n').map_or(0, |at| at + 1);
    let end = text[all.range().end..].find('\n').map_or(text.len(), |at| all.range().end + at);
    let begins_line = text[start..].trim_start().len() == text[all.range().start..].len();
    let refused_anyway =
        begins_line && !upstart::may_begin_stanza(all.of(text).split(FILLER).next().unwrap_or_default());
    let is_printed = document.is_templated(Span::new(stanza, all.range().end));
    document.holds_code(Span::new(start, end)) || (is_printed && !refused_anyway)
}

/// Whether a stanza begins in one block or branch of template code and ends in another: what follows it may be something
/// else in each rendering.
fn is_tangled(document: &Document, stanza: &Stanza) -> bool {
    let around = document.block_at(stanza.span.start);
    let after = document.block_at(stanza.span.end.saturating_sub(1));
    around != after || (around.is_some() && document.holds_code(stanza.span))
}

/// The files of one job, the override last.
pub(super) struct Layers<'d>(pub Vec<Layer<'d>>);

impl<'d> Layers<'d> {
    /// What the last file that sets it says.
    pub fn last<T>(&self, pick: impl Fn(&Job) -> Option<&T>) -> Option<(&'d Document, &T)> {
        self.0.iter().rev().find_map(|layer| Some((layer.document, pick(&layer.tree.job)?)))
    }

    /// The same of a value with its place, and whether it is there in every rendering of a template.
    fn last_of<T>(&self, pick: impl Fn(&Job) -> Option<&Located<T>>) -> Option<(&'d Document, &Located<T>, bool)> {
        let (document, found) = self.last(pick)?;
        Some((document, found, !document.is_conditional(found.span) && !self.may_be_replaced(document)))
    }

    /// A fact made of a value with its place: out of sight where a template's conditions decide whether it is there.
    pub fn fact<T, U>(
        &self,
        what: &str,
        pick: impl Fn(&Job) -> Option<&Located<T>>,
        make: impl FnOnce(&Document, &Located<T>) -> Fact<U>,
    ) -> Fact<U> {
        match self.last_of(pick) {
            Some((document, found, true)) => make(document, found),
            Some((_, _, false)) => hidden(what),
            None => self.unset(what),
        }
    }

    /// A text of the job: absent where no file sets it and no template tag may.
    pub fn text(&self, what: &str, pick: impl Fn(&Job) -> Option<&Located<String>>) -> Fact<String> {
        self.fact(what, pick, |document, word| document.fact(word.span, &word.value))
    }

    /// The fact of what no file sets.
    pub fn unset<T>(&self, what: &str) -> Fact<T> {
        if self.is_open() { hidden(what) } else { Fact::absent() }
    }

    /// Whether a stanza of this name is there whose words a template tag prints, so that what it sets is not known.
    pub fn is_filled_in(&self, name: &str) -> bool {
        self.stanzas().any(|(document, stanza)| stanza.name.value == name && document.is_templated(stanza.span))
    }

    /// Whether a stanza without a value is there, such as `task`.
    pub fn flag(&self, what: &str, name: &str, pick: impl Fn(&Job) -> Option<&Span>) -> Fact<bool> {
        match self.last(pick) {
            Some((document, span)) if document.is_conditional(*span) => hidden(what),
            Some((document, span)) => Fact::read(true, document.place(*span)),
            None if self.is_open() || self.is_filled_in(name) => hidden(what),
            None => Fact::default_of(false),
        }
    }

    /// Whether a template tag may add stanzas, or prints the name of one.
    pub fn is_open(&self) -> bool {
        self.0.iter().any(|layer| layer.document.is_open())
            || self.0.iter().any(|layer| layer.tangled.is_some())
            || self.stanzas().any(|(_, stanza)| stanza.name.value.contains(FILLER))
    }

    /// Whether what stands there is surely what it was read as, and no command that another one replaces further down.
    pub fn is_sure(&self, place: Place) -> bool {
        let Some(span) = place.span else { return self.0.iter().all(|layer| layer.tangled.is_none()) };
        self.0.iter().filter(|layer| layer.document.file == place.file).all(|layer| match layer.tangled {
            Some(from) => span.start < from && !layer.is_in_command(span),
            None => true,
        })
    }

    /// Whether what this file sets may be set again in it: what stands at its end is something else in each rendering.
    pub fn may_be_replaced(&self, document: &Document) -> bool {
        self.0.iter().any(|layer| std::ptr::eq(layer.document, document) && layer.tangled.is_some())
    }

    /// What makes the job start by itself; `None` where nothing does, or `manual` says that nothing shall.
    pub fn start_on(&self) -> Option<(&'d Document, &Located<upstart::Events>)> {
        for layer in self.0.iter().rev() {
            if let Some(events) = &layer.tree.job.start_on {
                return Some((layer.document, events));
            }
            if layer.is_manual() {
                return None;
            }
        }
        None
    }

    /// Whether `manual` says that it shall not start by itself.
    pub fn manual(&self) -> Fact<bool> {
        match self.0.iter().rev().flat_map(stanzas).find(|(_, stanza)| stanza.name.value == "manual") {
            Some((document, stanza)) => Fact::read(true, document.place(stanza.name.span)),
            None if self.is_open() => hidden("whether the job is `manual`"),
            None => Fact::default_of(false),
        }
    }

    /// Every stanza with its document.
    pub fn stanzas(&self) -> impl Iterator<Item = (&'d Document, &Stanza)> {
        self.0.iter().flat_map(stanzas)
    }

    /// Every process of the job: the last of each phase in each file.
    pub fn processes(&self) -> impl Iterator<Item = (&'d Document, Phase, &Command, Span)> {
        self.0.iter().flat_map(|layer| {
            let all = layer.tree.job.processes.iter();
            all.map(|(phase, (command, name))| (layer.document, *phase, command, *name))
        })
    }
}

fn stanzas<'l, 'd>(layer: &'l Layer<'d>) -> impl Iterator<Item = (&'d Document, &'l Stanza)> {
    layer.tree.stanzas.iter().map(|stanza| (layer.document, stanza))
}

/// What only a template tag knows.
pub(super) fn hidden<T>(what: &str) -> Fact<T> {
    Fact::unknown(Missing::new(what, "write it into the job without template tags"))
}
