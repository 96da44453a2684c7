//! The options of the files and the command of one instance as one list, in the order in which uWSGI applies them.

use std::collections::BTreeSet;

use super::Around;
use super::assembly::{Assembly, Found, Part};
use super::missing::{missing_in, out_of_sight, shell_variable, template_lines};
use super::packaged;
use super::setting::Setting;
use crate::finding::Confidence;
use crate::source::{FileId, Place, Span};
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Missing};
use crate::stack::launch::Argument;
use crate::syntax::Problem;
use crate::syntax::data::Release;
use crate::syntax::uwsgi::{
    CommandOption, Config, DEFAULT_SECTION, Slot, Unresolved, expand_all, parse_command, references,
};

/// What is known of a scalar option.
pub(super) enum Scalar<'s, 'a> {
    Set(&'s Setting<'a>),
    Unset,
    Unknown(Missing, Option<Place>),
}

/// All options of one instance.
pub(super) struct Settings<'a> {
    pub all: Vec<Setting<'a>>,
    /// Lines in blocks whose condition is surely false.
    pub ignored: Vec<Setting<'a>>,
    /// What was read: first the ini itself, where there is one, then what it brings in.
    pub parts: Vec<Part<'a>>,
    /// What stands for the instance: the section header, or the command.
    pub owner: Place,
    /// Names used as `%(name)` or asked for by `if-opt`, in any section.
    pub referenced: BTreeSet<String>,
    /// Names that `declare-option` makes known.
    pub declared: BTreeSet<String>,
    /// Whether the command that starts uWSGI is among them.
    pub with_command: bool,
    /// Files that make uWSGI stop.
    pub problems: Vec<(FileId, Problem)>,
    /// Paths of files that are named and not in sight.
    pub wanted: Vec<String>,
    /// The release that reads them; `None` for any.
    pub release: Option<Release>,
    /// The name by which the init script of Debian's package knows it, where that starts it.
    pub packaged: Option<String>,
    open: Option<Missing>,
}

impl<'a> Settings<'a> {
    pub fn of_file(document: &'a Document, around: Around<'a>) -> Self {
        let package = packaged::of(document, around);
        let mut assembly = Assembly::new(around, package.is_some());
        let found = Found { document, section: DEFAULT_SECTION.to_owned(), confidence: Confidence::Proved };
        assembly.file(&found, None);
        assembly.wanted.extend(packaged::wanted(document, around));
        if let Some(package) = &package {
            package.surround(&mut assembly, document, around.release);
        }
        let settings = Self::of(assembly, Place::whole(document.file), package.is_some(), around.release);
        Self { packaged: package.map(|package| package.name.to_owned()), ..settings }
    }

    pub fn of_command(
        document: Option<&'a Document>,
        job: &'a Document,
        words: &[Argument],
        around: Around<'a>,
    ) -> Self {
        let texts: Vec<(String, Span)> = words.iter().map(|word| (word.known().to_owned(), word.span)).collect();
        let command = parse_command(&texts);
        let owner = command.options.iter().map(|option| option.span).reduce(Span::to);
        let owner = owner.map_or(Place::whole(job.file), |span| job.place(span));
        let mut assembly = Assembly::new(around, true);
        let mut waiting = document;
        for option in command.options {
            let value = option.value.as_ref().map(|value| value.span);
            let word = value.and_then(|value| {
                words.iter().find(|word| word.span.start <= value.start && value.end <= word.span.end)
            });
            let mut setting = of_word(job, option, around.release);
            // Whatever it looks like: what the program gets is put in by the one who starts it.
            if let Some(Answer::Unknown(missing)) = word.map(|word| &word.value) {
                setting.value = Answer::Unknown(missing.clone());
            }
            let ini = waiting.take_if(|_| setting.is(&["ini", "include", "config"]));
            setting.target = if ini.is_some() { None } else { setting.value_target() };
            setting.is_read = ini.is_some();
            let section = setting.decoded.as_deref().and_then(|value| value.rsplit_once(':')).map(|(_, name)| name);
            let section = section.filter(|name| !name.is_empty() && !name.contains('/'));
            let section = section.unwrap_or(DEFAULT_SECTION).to_owned();
            assembly.add(setting);
            if let Some(document) = ini {
                assembly.opened_as = assembly.all.last().and_then(opened_as);
                assembly.file(&Found { document, section, confidence: Confidence::Proved }, None);
            }
        }
        Self::of(assembly, owner, true, around.release)
    }

    /// Says what is out of sight, runs the passes over all values, and then reads what `inherit` brings in.
    fn of(mut assembly: Assembly<'a>, owner: Place, with_command: bool, release: Option<Release>) -> Self {
        let complete = open(&assembly, |setting| !setting.is(&["inherit"])).is_none();
        let mut slots: Vec<Slot> = assembly.all.iter().map(Setting::slot).collect();
        expand_all(&mut slots, &|_| None, complete);
        let before = slots.len();
        for (setting, slot) in assembly.all.iter_mut().zip(slots) {
            settle(setting, slot.value);
        }
        assembly.inherit();
        for setting in &mut assembly.all[before..] {
            if let Answer::Known(value) = &setting.value {
                let value = value.clone();
                settle(setting, Ok(value));
            }
        }
        let header = assembly.parts.first().map(|part| match part.config.header() {
            Some(header) => part.document.place(header.span),
            None => Place::whole(part.document.file),
        });
        Self {
            open: open(&assembly, |_| true),
            owner: header.unwrap_or(owner),
            referenced: assembly.parts.iter().flat_map(|part| referenced(part.document, &part.config)).collect(),
            declared: assembly.all.iter().filter_map(Setting::declares).collect(),
            all: assembly.all,
            ignored: assembly.ignored,
            parts: assembly.parts,
            problems: assembly.problems,
            wanted: assembly.wanted,
            packaged: None,
            with_command,
            release,
        }
    }

    /// Where its ini lies; `None` for a command without one.
    pub fn path(&self) -> Option<&str> {
        self.parts.first().map(|part| part.document.path.as_str())
    }

    /// How sure it is that every file among them is one that uWSGI reads.
    pub fn confidence(&self) -> Confidence {
        self.all.iter().map(|setting| setting.confidence).min().unwrap_or(Confidence::Proved)
    }

    /// What is out of sight and could set more.
    pub fn open(&self) -> Option<&Missing> {
        self.open.as_ref()
    }

    /// The last of these options that surely holds, as far as anything after it is in sight.
    pub fn last(&self, canonical: &[&str]) -> Scalar<'_, 'a> {
        let mut found = Scalar::Unset;
        for setting in &self.all {
            if setting.is(canonical) {
                found = match setting.doubt() {
                    Some(missing) => Scalar::Unknown(missing, Some(setting.place())),
                    None => Scalar::Set(setting),
                };
            } else if setting.brings_in_more() {
                found = Scalar::Unknown(out_of_sight(setting), Some(setting.place()));
            }
        }
        // uWSGI applies what `inherit` brings in after everything else.
        if let Some(inherit) = self.all.iter().find(|setting| setting.is(&["inherit"]) && setting.brings_in_more()) {
            return Scalar::Unknown(out_of_sight(inherit), Some(inherit.place()));
        }
        match (found, &self.open) {
            (Scalar::Unset, Some(missing)) => Scalar::Unknown(missing.clone(), None),
            (found, _) => found,
        }
    }
}

/// The path of the ini that an option names, without the section behind it.
fn opened_as(setting: &Setting) -> Option<String> {
    let Answer::Known(value) = &setting.value else { return None };
    let path = value.rsplit_once(':').map_or(value.as_str(), |(path, _)| path);
    path.starts_with('/').then(|| path.to_owned())
}

/// A word of a command as an option.
pub(super) fn of_word(job: &Document, option: CommandOption, release: Option<Release>) -> Setting<'_> {
    let (value, value_span) = option.value.map_or(("1".to_owned(), option.span), |value| (value.value, value.span));
    let mut setting = Setting::blank(job, Some(option.name.value), release);
    setting.value = if value.contains('$') && !value.contains("$(") {
        Answer::Unknown(shell_variable())
    } else {
        job.value(value_span, &value)
    };
    setting.decoded = Some(value);
    setting.span = option.span;
    setting.key_span = option.name.span;
    setting.value_span = value_span;
    setting
}

/// Puts in what the passes have made of a value.
fn settle(setting: &mut Setting, value: Result<String, Unresolved>) {
    if !matches!(setting.value, Answer::Known(_)) {
        return;
    }
    setting.value = match value.and_then(refuse_leftovers) {
        Ok(expanded) => Answer::Known(expanded),
        Err(unresolved) => Answer::Unknown(missing_in(setting.known, &unresolved)),
    };
}

fn open(assembly: &Assembly, counts: impl Fn(&Setting) -> bool) -> Option<Missing> {
    if let Some(setting) = assembly.all.iter().find(|setting| setting.brings_in_more() && counts(setting)) {
        return Some(out_of_sight(setting));
    }
    let templated = assembly.all.iter().any(|setting| setting.name.is_none());
    (templated || assembly.parts.iter().any(|part| part.document.is_open())).then(template_lines)
}

/// A value that still holds `%(x)`, `{{ x }}` or `${x}` is a part of something: another file defines `x`, or another
/// program fills it in. What uWSGI would do with the letters themselves is nobody's intent.
fn refuse_leftovers(value: String) -> Result<String, Unresolved> {
    if let Some(name) = references(&value).first() {
        return Err(Unresolved(format!("%({name})")));
    }
    match ["{{", "${"].into_iter().find(|opener| value.contains(opener)) {
        Some(opener) => Err(Unresolved(opener.to_owned())),
        None => Ok(value),
    }
}

/// Names that some value of the file, in any section, asks for.
fn referenced(document: &Document, config: &Config) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for option in config.options.iter().chain(&config.strays) {
        let value = option.value.span.of(document.text());
        names.extend(references(value).into_iter().map(str::to_owned));
        if matches!(option.key.value.plain(), Some("if-opt" | "if-not-opt")) {
            names.insert(value.split('=').next().unwrap_or(value).to_owned());
        }
    }
    names
}
