//! The options of an ini and of a command line as one list, in the order in which uWSGI applies them.

use std::collections::BTreeSet;

use crate::source::{Place, Span};
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::data::uwsgi::{KnownOption, find};
use crate::syntax::uwsgi::{
    Config, ConfigOption, DEFAULT_SECTION, Magic, Slot, Unresolved, expand_all, parse_command, parse_section,
    references, same_file_section,
};

/// One option, wherever it is written.
pub(super) struct Setting<'a> {
    /// The name as written; `None` where a template tag or a letter decides it.
    pub name: Option<String>,
    /// What uWSGI knows of it.
    pub known: Option<&'static KnownOption>,
    /// The value before placeholders, template tags as fillers; `None` where a letter is not known.
    pub decoded: Option<String>,
    /// The value that uWSGI applies.
    pub value: Answer<String>,
    /// The document it stands in.
    pub document: &'a Document,
    /// All of it.
    pub span: Span,
    /// Its name.
    pub key_span: Span,
    /// Its value.
    pub value_span: Span,
    /// The `if` or `for` it stands in.
    pub block: Option<String>,
    /// Whether a template's condition or loop decides if it is there.
    pub is_conditional: bool,
    /// Whether it is a line of an ini of its own, not a word of a command or made by `set`.
    pub is_line: bool,
    /// Whether what it names was read in its place.
    pub is_read: bool,
}

impl Setting<'_> {
    pub fn place(&self) -> Place {
        self.document.place(self.span)
    }

    /// The value as the reader sees it: nothing replaced yet, template tags as fillers.
    pub fn raw_value(&self) -> &str {
        self.value_span.of(self.document.text())
    }

    /// Whether no `=` stands in its line.
    pub fn is_bare(&self) -> bool {
        self.span == self.key_span
    }

    /// Whether it is one of these options or a synonym of one.
    pub fn is(&self, canonical: &[&str]) -> bool {
        self.known.is_some_and(|known| canonical.contains(&known.canonical))
    }

    /// What it takes for a fact of this option to hold; `None` where it surely holds.
    pub fn doubt(&self) -> Option<Missing> {
        if self.is_conditional {
            return Some(Missing::new(
                "which lines the template's conditions leave in",
                "lint the file that it becomes",
            ));
        }
        let block = self.block.as_ref()?;
        Some(Missing::new(
            format!("whether uWSGI applies its `{block}` block"),
            "run `housecall doctor` where uWSGI runs",
        ))
    }

    /// The value with the place of the whole option.
    pub fn fact(&self) -> Fact<String> {
        let mut fact = Fact::read(String::new(), self.place());
        fact.answer = match self.doubt() {
            Some(missing) => Answer::Unknown(missing),
            None => self.value.clone(),
        };
        fact
    }

    /// The name that a `declare-option` makes known.
    fn declares(&self) -> Option<String> {
        let declaration = self.is(&["declare-option", "declare-option2"]).then_some(self.decoded.as_deref())??;
        Some(declaration.split_once('=')?.0.to_owned())
    }

    /// Whether it brings in options from a file that was not read.
    fn brings_in_more(&self) -> bool {
        const FILES: [&str; 12] = [
            "ini",
            "include",
            "inherit",
            "config",
            "xml",
            "xmlconfig",
            "yaml",
            "yml",
            "json",
            "js",
            "inject-before",
            "inject-after",
        ];
        !self.is_read && self.name.as_deref().is_some_and(|name| FILES.contains(&name))
    }
}

/// What is known of a scalar option.
pub(super) enum Scalar<'s, 'a> {
    Set(&'s Setting<'a>),
    Unset,
    Unknown(Missing, Option<Place>),
}

/// All options of one instance.
pub(super) struct Settings<'a> {
    pub all: Vec<Setting<'a>>,
    /// Where the ini lies; `None` for a command without one.
    pub path: Option<String>,
    /// What stands for the instance: the section header, or the command.
    pub owner: Place,
    /// Names used as `%(name)` or asked for by `if-opt`, in any section.
    pub referenced: BTreeSet<String>,
    /// Names that `declare-option` makes known.
    pub declared: BTreeSet<String>,
    /// The ini as parsed, where there is one.
    pub file: Option<(&'a Document, Config)>,
    /// Whether the command that starts uWSGI is among them.
    pub with_command: bool,
    open: Option<Missing>,
}

impl<'a> Settings<'a> {
    pub fn of_file(document: &'a Document, section: Option<&str>) -> Self {
        let config = parse_section(document.text(), section.unwrap_or(DEFAULT_SECTION)).tree;
        let all = file_settings(document, &config);
        let owner = config.header().map_or(Place::whole(document.file), |header| document.place(header.span));
        let referenced = referenced(document, &config);
        Self {
            all,
            path: Some(document.path.clone()),
            owner,
            referenced,
            declared: BTreeSet::new(),
            file: Some((document, config)),
            with_command: false,
            open: None,
        }
        .finish(&[document])
    }

    pub fn of_command(document: Option<&'a Document>, job: &'a Document, words: &[(String, Span)]) -> Self {
        let command = parse_command(words);
        let owner = command.options.iter().map(|option| option.span).reduce(Span::to);
        let mut settings = Self {
            all: Vec::new(),
            path: None,
            owner: owner.map_or(Place::whole(job.file), |span| job.place(span)),
            referenced: BTreeSet::new(),
            declared: BTreeSet::new(),
            file: None,
            with_command: true,
            open: None,
        };
        let mut waiting = document;
        for option in command.options {
            let (value, value_span) =
                option.value.map_or(("1".to_owned(), option.span), |value| (value.value, value.span));
            let known = find(&option.name.value);
            let names_ini = matches!(option.name.value.as_str(), "ini" | "include" | "config");
            let ini = waiting.take_if(|_| names_ini);
            settings.all.push(Setting {
                known,
                decoded: Some(value.clone()),
                value: if value.contains('$') && !value.contains("$(") {
                    Answer::Unknown(shell_variable())
                } else {
                    job.value(value_span, &value)
                },
                document: job,
                span: option.span,
                key_span: option.name.span,
                value_span,
                block: None,
                is_conditional: job.is_conditional(option.span),
                is_line: false,
                is_read: ini.is_some(),
                name: Some(option.name.value),
            });
            if let Some(ini) = ini {
                let section =
                    value.rsplit_once(':').map(|(_, section)| section).filter(|section| !section.contains('/'));
                let config = parse_section(ini.text(), section.unwrap_or(DEFAULT_SECTION)).tree;
                settings.owner = config.header().map_or(Place::whole(ini.file), |header| ini.place(header.span));
                settings.path = Some(ini.path.clone());
                settings.referenced = referenced(ini, &config);
                settings.all.extend(file_settings(ini, &config));
                settings.file = Some((ini, config));
            }
        }
        let documents: Vec<&Document> = document.into_iter().collect();
        settings.finish(&documents)
    }

    /// Adds what `set` sets, says what is out of sight, and runs the passes over all values.
    fn finish(mut self, documents: &[&Document]) -> Self {
        self.all = self.all.into_iter().flat_map(with_what_it_sets).collect();
        self.declared = self.all.iter().filter_map(Setting::declares).collect();
        self.open = self.find_open(documents);
        let mut slots: Vec<Slot> = self.all.iter().map(slot).collect();
        expand_all(&mut slots, &|_| None, self.open.is_none());
        for (setting, slot) in self.all.iter_mut().zip(slots) {
            if let Answer::Known(value) = &mut setting.value {
                match slot.value.and_then(refuse_leftovers) {
                    Ok(expanded) => *value = expanded,
                    Err(unresolved) => setting.value = Answer::Unknown(missing_in(setting.known, &unresolved)),
                }
            }
        }
        self
    }

    fn find_open(&self, documents: &[&Document]) -> Option<Missing> {
        if let Some(setting) = self.all.iter().find(|setting| setting.brings_in_more()) {
            return Some(out_of_sight(setting));
        }
        let templated = self.all.iter().any(|setting| setting.name.is_none());
        (templated || documents.iter().any(|document| document.is_open())).then(template_lines)
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
        if let Some(inherit) = self.all.iter().find(|setting| setting.is(&["inherit"])) {
            return Scalar::Unknown(out_of_sight(inherit), Some(inherit.place()));
        }
        match (found, &self.open) {
            (Scalar::Unset, Some(missing)) => Scalar::Unknown(missing.clone(), None),
            (found, _) => found,
        }
    }
}

fn file_settings<'a>(document: &'a Document, config: &Config) -> Vec<Setting<'a>> {
    let magic = Magic::of_path(&document.path);
    config.options.iter().map(|option| file_setting(document, config, option, &magic)).collect()
}

fn file_setting<'a>(document: &'a Document, config: &Config, option: &ConfigOption, magic: &Magic) -> Setting<'a> {
    let key = option.key.value.resolve(magic).ok();
    let name = key.filter(|key| {
        !is_templated(document, option.key.span) && matches!(document.value(option.key.span, key), Answer::Known(_))
    });
    let decoded = option.value.value.resolve(magic);
    let value = match &decoded {
        Ok(decoded) => document.value(option.value.span, decoded),
        Err(letter) => Answer::Unknown(missing_of(&Unresolved(format!("%{letter}")))),
    };
    Setting {
        known: name.as_deref().and_then(find),
        name,
        decoded: decoded.ok(),
        value,
        document,
        span: option.span,
        key_span: option.key.span,
        value_span: option.value.span,
        block: config.block_of(option).map(|block| block.kind.clone()),
        is_conditional: document.is_conditional(option.span),
        is_line: true,
        is_read: same_file_section(option).is_some(),
    }
}

/// Whether a tag of some template language stands in a key: then it is not the key that uWSGI will see.
fn is_templated(document: &Document, span: Span) -> bool {
    let raw = span.of(document.text());
    document.is_templated(span) || ["{{", "{%", "<%", "${", "$("].iter().any(|opener| raw.contains(opener))
}

/// `set = k=v` is the option `k` as well.
fn with_what_it_sets(setting: Setting) -> Vec<Setting> {
    let made = match (&setting.known, &setting.decoded) {
        (Some(known), Some(decoded)) if matches!(known.canonical, "set" | "set-ph") => decoded.split_once('='),
        _ => None,
    };
    let Some((name, value)) = made.map(|(name, value)| (name.to_owned(), value.to_owned())) else {
        return vec![setting];
    };
    let whole = match &setting.value {
        Answer::Known(whole) => {
            Answer::Known(whole.split_once('=').map_or_else(String::new, |(_, value)| value.to_owned()))
        }
        other => other.clone(),
    };
    let made = Setting {
        known: find(&name),
        name: Some(name),
        decoded: Some(value),
        value: whole,
        document: setting.document,
        span: setting.span,
        key_span: setting.key_span,
        value_span: setting.value_span,
        block: setting.block.clone(),
        is_conditional: setting.is_conditional,
        is_line: false,
        is_read: false,
    };
    vec![setting, made]
}

fn slot(setting: &Setting) -> Slot {
    Slot {
        key: setting.name.clone(),
        value: match &setting.value {
            Answer::Known(value) => Ok(value.clone()),
            _ => Err(Unresolved(String::new())),
        },
        immediate: setting.known.is_some_and(KnownOption::is_immediate),
        certain: setting.block.is_none() && !setting.is_conditional,
    }
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

/// Of a variable's value not even the name of a placeholder is told: it may be part of a password.
fn missing_in(known: Option<&KnownOption>, unresolved: &Unresolved) -> Missing {
    if known.is_some_and(|known| known.canonical == "env") {
        return Missing::new("a placeholder in the variable's value", "write the value itself");
    }
    missing_of(unresolved)
}

fn missing_of(unresolved: &Unresolved) -> Missing {
    let text = unresolved.0.as_str();
    match text.get(..2) {
        // What stands in it may be part of a password.
        Some("@(") => Missing::new("what `@(…)` reads when uWSGI starts", "write the value itself"),
        Some("$(") => {
            Missing::new(format!("`{text}`, a variable of the process"), "set it in the job that starts uWSGI")
        }
        Some("%(") => Missing::new(format!("the option that `{text}` stands for"), "define it in the same file"),
        Some(opener @ ("{{" | "${")) => {
            let closer = if opener == "{{" { "}}" } else { "}" };
            Missing::new(format!("what fills in `{opener} … {closer}`"), "check the file as it is after that")
        }
        _ => Missing::new(format!("`{text}`, which the host decides"), "run `housecall doctor` where uWSGI runs"),
    }
}

fn out_of_sight(setting: &Setting) -> Missing {
    let name = setting.name.as_deref().unwrap_or_default();
    Missing::new(format!("the options of the file that `{name}` brings in"), "write the options in the ini itself")
}

fn template_lines() -> Missing {
    Missing::new("the options that the template's tags add", "write the options in the ini itself")
}

fn shell_variable() -> Missing {
    Missing::new("a shell variable of the command", "write the value itself")
}
