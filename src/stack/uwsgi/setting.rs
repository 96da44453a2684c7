//! One option of an instance, wherever it is written: in an ini, in a command, or by way of `set`.

use super::missing::missing_of;
use crate::finding::Confidence;
use crate::source::{Place, Span};
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::data::Release;
use crate::syntax::data::uwsgi::{KnownOption, find};
use crate::syntax::uwsgi::{ConfigOption, Magic, Piece, Slot, Unresolved};

/// One option, wherever it is written.
#[derive(Clone)]
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
    /// The `if` or `for` that decides whether it counts; `None` where it surely does.
    pub block: Option<String>,
    /// Whether it is a line of an ini of its own, not a word of a command, made by `set` or repeated by a loop.
    pub is_line: bool,
    /// Whether what it names was read in its place.
    pub is_read: bool,
    /// The file it names, where it is an option that brings one in.
    pub target: Option<Target>,
    /// The `inherit` that brought its file in, after all placeholders were filled in.
    pub inherited: Option<Place>,
    /// The section of a file that it was read from, counted in the order of reading.
    pub part: usize,
    /// How sure it is that its file is the one that uWSGI reads.
    pub confidence: Confidence,
}

/// A file as an option names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Path and, behind a colon, section.
    pub name: String,
    /// Whether it starts from the folder of the file that names it (`%d`), which lies at a relative path.
    pub beside: bool,
}

/// The options that bring in more options.
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

impl<'a> Setting<'a> {
    /// A line of an ini.
    pub fn of_line(document: &'a Document, option: &ConfigOption, magic: &Magic, release: Option<Release>) -> Self {
        let key = option.key.value.resolve(magic).ok();
        let name = key.filter(|key| {
            !is_templated(document, option.key.span) && matches!(document.value(option.key.span, key), Answer::Known(_))
        });
        let decoded = option.value.value.resolve(magic);
        let value = match &decoded {
            Ok(decoded) => document.value(option.value.span, decoded),
            Err(letter) => Answer::Unknown(missing_of(&Unresolved(format!("%{letter}")))),
        };
        let mut setting = Self::blank(document, name, release);
        setting.target = setting.brings_in_file().then(|| target(document, option, magic)).flatten();
        setting.decoded = decoded.ok();
        setting.value = value;
        setting.span = option.span;
        setting.key_span = option.key.span;
        setting.value_span = option.value.span;
        setting.is_line = true;
        setting
    }

    /// An option of this name that stands nowhere and says nothing yet.
    pub fn blank(document: &'a Document, name: Option<String>, release: Option<Release>) -> Self {
        let nowhere = Span::new(0, 0);
        Self {
            known: name.as_deref().and_then(find).filter(|known| release.is_none_or(|release| known.is_in(release))),
            name,
            decoded: None,
            value: Answer::Absent,
            document,
            span: nowhere,
            key_span: nowhere,
            value_span: nowhere,
            block: None,
            is_line: false,
            is_read: false,
            target: None,
            inherited: None,
            part: 0,
            confidence: Confidence::Proved,
        }
    }

    /// What `set = k=v` sets: the option `k`.
    pub fn made_by_set(&self, release: Option<Release>) -> Option<Self> {
        let decoded = self.decoded.as_deref().filter(|_| self.is(&["set", "set-ph"]))?;
        let (name, value) = decoded.split_once('=')?;
        let of_whole = |whole: &str| whole.split_once('=').map_or_else(String::new, |(_, value)| value.to_owned());
        let mut made = self.clone();
        made.is_line = false;
        made.name = Some(name.to_owned());
        made.known = Self::blank(self.document, made.name.clone(), release).known.filter(|_| self.is(&["set"]));
        made.decoded = Some(value.to_owned());
        made.value = self.value.clone().map_known(|whole| of_whole(&whole));
        made.target = made.value_target();
        Some(made)
    }

    /// The same for one item of a loop or the argument of a condition: `%(_)` stands for it.
    pub fn for_item(&self, item: &str, first: bool) -> Self {
        let filled = |text: &String| text.replace("%(_)", item);
        let mut setting = self.clone();
        setting.decoded = self.decoded.as_ref().map(filled);
        setting.value = self.value.clone().map_known(|value| filled(&value));
        if let Some(target) = &mut setting.target {
            target.name = filled(&target.name);
        }
        setting.is_line &= first;
        setting
    }

    /// Whether a template's condition or loop decides if it is there.
    pub fn is_conditional(&self) -> bool {
        self.document.is_conditional(self.span)
    }

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
        if self.is_conditional() {
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
    pub fn declares(&self) -> Option<String> {
        let declaration = self.is(&["declare-option", "declare-option2"]).then_some(self.decoded.as_deref())??;
        Some(declaration.split_once('=')?.0.to_owned())
    }

    /// Whether it brings in options from another file.
    pub fn brings_in_file(&self) -> bool {
        self.known.is_some() && self.name.as_deref().is_some_and(|name| FILES.contains(&name))
    }

    /// Whether it brings in options from a file that was not read.
    pub fn brings_in_more(&self) -> bool {
        !self.is_read && self.brings_in_file()
    }

    /// The file that its value names, as far as that is known now.
    pub fn value_target(&self) -> Option<Target> {
        match &self.value {
            Answer::Known(name) if self.brings_in_file() => Some(Target { name: name.clone(), beside: false }),
            _ => None,
        }
    }

    /// The option on its way through the passes.
    pub fn slot(&self) -> Slot {
        Slot {
            key: self.name.clone(),
            value: match &self.value {
                Answer::Known(value) => Ok(value.clone()),
                _ => Err(Unresolved(String::new())),
            },
            immediate: self.known.is_some_and(KnownOption::is_immediate),
            certain: self.block.is_none() && !self.is_conditional(),
        }
    }
}

/// The file that a line names; `%d` of a file at a relative path starts from where that lies.
fn target(document: &Document, option: &ConfigOption, magic: &Magic) -> Option<Target> {
    let folder = document.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let of_folder = |piece: &Piece| matches!(piece, Piece::Magic('d'));
    let beside = !document.path.starts_with('/') && option.value.value.pieces.iter().any(of_folder);
    let magic = if beside { &magic.clone().given('d', format!("{folder}/")) } else { magic };
    let decoded = option.value.value.resolve(magic).ok()?;
    match document.value(option.value.span, &decoded) {
        Answer::Known(name) => Some(Target { name, beside }),
        _ => None,
    }
}

/// Whether a tag of some template language stands in a key: then it is not the key that uWSGI will see.
fn is_templated(document: &Document, span: Span) -> bool {
    let raw = span.of(document.text());
    document.is_templated(span) || ["{{", "{%", "<%", "${", "$("].iter().any(|opener| raw.contains(opener))
}
