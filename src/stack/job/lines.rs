//! Lines of a job that Upstart takes otherwise than they look: it cuts, keeps or drops, and says nothing.

use std::collections::BTreeMap;

use super::layer::{Layer, Layers};
use super::{JobLine, script};
use crate::secret::Secrets;
use crate::source::{Located, Span};
use crate::stack::document::Document;
use crate::stack::fact::Fact;
use crate::syntax::erb::FILLER;
use crate::syntax::upstart::{Command, Phase, Quirk, Stanza, quirks};

/// Stanzas whose words are text of the user's own, where a `#` may be meant.
const WITH_TEXT: [&str; 11] = [
    "env",
    "exec",
    "pre-start",
    "post-start",
    "pre-stop",
    "post-stop",
    "chdir",
    "instance",
    "description",
    "usage",
    "setuid",
];

impl JobLine {
    /// A row of this key for what stands at `span`, that says nothing else yet.
    pub(super) fn of(key: &str, document: &Document, span: Span) -> Self {
        let place = document.place(span);
        let mut row = Self::at(place);
        row.key = key.to_owned();
        row.value = Fact::read(document.written(span).to_owned(), place);
        row.name = Fact::absent();
        row.taken_as = Fact::absent();
        row.harmless = Fact::derived(false);
        row.cure = Fact::absent();
        row.other = Fact::absent();
        row
    }

    #[must_use]
    pub(super) fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Fact::derived(name.into());
        self
    }

    #[must_use]
    pub(super) fn taken_as(mut self, text: impl Into<String>) -> Self {
        self.taken_as = Fact::derived(text.into());
        self
    }

    #[must_use]
    pub(super) fn cured_by(mut self, text: impl Into<String>) -> Self {
        self.cure = Fact::derived(text.into());
        self
    }

    #[must_use]
    pub(super) fn harmless(mut self, harmless: bool) -> Self {
        self.harmless = Fact::derived(harmless);
        self
    }

    #[must_use]
    pub(super) fn against(mut self, document: &Document, other: Span) -> Self {
        self.other = Fact::read(document.written(other).to_owned(), document.place(other));
        self
    }
}

pub(super) fn rows(layers: &Layers<'_>) -> Vec<JobLine> {
    let mut rows = Vec::new();
    for layer in &layers.0 {
        for stanza in &layer.tree.stanzas {
            rows.extend(of_stanza(layer.document, stanza));
        }
        rows.extend(repeated(layer));
    }
    for (document, phase, command, name) in layers.processes() {
        rows.extend(script::rows(document, phase, command));
        if let Command::Script(body) = command
            && phase != Phase::Security
        {
            rows.extend(carriage_returns(document, body, name));
        }
    }
    rows
}

fn of_stanza(document: &Document, stanza: &Stanza) -> Vec<JobLine> {
    let name = stanza.name.value.as_str();
    let mut rows = Vec::new();
    if WITH_TEXT.contains(&name) && !opens_script(stanza) {
        rows.extend(silently(document, stanza));
    }
    match (name, stanza.words.first()) {
        ("env", Some(word)) => rows.extend(of_env(document, word)),
        ("export", _) => rows.extend(stanza.words.iter().filter_map(|word| export_with_value(document, word))),
        ("chdir" | "chroot", Some(word)) => rows.extend(not_expanded(document, word, name)),
        _ => {}
    }
    rows
}

fn opens_script(stanza: &Stanza) -> bool {
    stanza.words.first().is_some_and(|word| word.value == "script")
}

/// The first of each way in which a stanza's words come out otherwise.
fn silently(document: &Document, stanza: &Stanza) -> Vec<JobLine> {
    let text = document.text();
    let name = stanza.name.value.as_str();
    let is_command = name == "exec" || stanza.words.first().is_some_and(|word| word.value == "exec");
    let span = Span::new(stanza.name.span.range().end, stanza.span.range().end);
    let mut rows: Vec<JobLine> = Vec::new();
    for quirk in quirks(text, span, is_command) {
        let row = match quirk.value {
            Quirk::Cut => cut(document, stanza, quirk.span, is_command),
            Quirk::KeptBackslash => JobLine::of("backslash", document, quirk.span),
            Quirk::EatenBlank => JobLine::of("backslash", document, quirk.span).taken_as(r"\\"),
            Quirk::JoinedLines => JobLine::of("joined-lines", document, quirk.span),
        };
        if rows.iter().all(|before| before.key != row.key) {
            let variable =
                stanza.words.first().and_then(|word| word.value.split_once('=')).map(|(variable, _)| variable);
            let about = variable.filter(|_| name == "env").unwrap_or(name);
            rows.push(row.named(about).harmless(matches!(name, "description" | "usage")));
        }
    }
    rows
}

/// What a `#` cuts off, with the word in quotes as the cure where it holds none.
fn cut(document: &Document, stanza: &Stanza, lost: Span, is_command: bool) -> JobLine {
    let before = &document.text()[stanza.name.span.range().end..lost.range().start];
    let word = before.rfind([' ', '\t']).map_or(before, |at| &before[at + 1..]);
    let start = lost.range().start - word.len();
    let all = Span::new(start, lost.range().end);
    let written = document.written(all);
    let row = JobLine::of("cut", document, all).against(document, lost);
    if written.contains(['"', '\'', '\\', '`']) || (is_command && written.contains(['$', ';', '|', '&', '>'])) {
        return row;
    }
    match written.split_once('=').filter(|_| stanza.name.value == "env") {
        Some((name, value)) => row.cured_by(format!("{name}=\"{value}\"")),
        None => row.cured_by(format!("\"{written}\"")),
    }
}

fn of_env(document: &Document, word: &Located<String>) -> Vec<JobLine> {
    let Some((name, value)) = word.value.split_once('=') else {
        let known = !word.value.contains(FILLER);
        return known
            .then(|| JobLine::of("env-from-init", document, word.span).named(word.value.clone()))
            .into_iter()
            .collect();
    };
    let mut rows = Vec::new();
    if let Some(variable) = variable_in(value).filter(|_| !names_a_secret(name)) {
        rows.push(JobLine::of("env-not-expanded", document, word.span).named(name).taken_as(variable));
    }
    let is_secret =
        !document.is_templated(word.span) && matches!(Secrets::default().mask(&word.value), std::borrow::Cow::Owned(_));
    if is_secret {
        rows.push(JobLine::of("secret", document, word.span).named(name));
    }
    rows
}

/// `$` may stand in a password for itself.
fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["PASS", "SECRET", "TOKEN", "KEY", "PWD", "SALT"].iter().any(|word| name.contains(word))
}

/// The first variable or home folder that a shell would put in: `$HOME`, `${HOME}` or `~`.
fn variable_in(value: &str) -> Option<String> {
    if value == "~" || value.starts_with("~/") || value.contains(":~/") {
        return Some("~".to_owned());
    }
    for (at, _) in value.match_indices('$') {
        let rest = &value[at + 1..];
        let (inside, braced) = rest.strip_prefix('{').map_or((rest, false), |inside| (inside, true));
        let length = inside.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let name = &inside[..length];
        let is_name =
            length > 1 && name.bytes().all(|byte| !byte.is_ascii_lowercase()) && !name.as_bytes()[0].is_ascii_digit();
        if braced && length > 0 && inside[length..].starts_with('}') {
            return Some(format!("${{{name}}}"));
        }
        if !braced && is_name {
            return Some(format!("${name}"));
        }
    }
    None
}

fn export_with_value(document: &Document, word: &Located<String>) -> Option<JobLine> {
    let (name, _) = word.value.split_once('=')?;
    Some(JobLine::of("export-with-value", document, word.span).named(name))
}

/// `chdir ~/shop` and `chdir $HOME`: Upstart looks for a folder of that very name.
fn not_expanded(document: &Document, word: &Located<String>, stanza: &str) -> Option<JobLine> {
    let variable = variable_in(&word.value)
        .or_else(|| word.value.starts_with('~').then(|| "~".to_owned()))
        .or_else(|| word.value.starts_with('$').then(|| word.value.clone()))?;
    Some(JobLine::of("path-not-expanded", document, word.span).named(stanza).taken_as(variable))
}

/// A script whose lines end in CR LF: the shell takes the CR for a letter.
fn carriage_returns(document: &Document, body: &Located<String>, name: Span) -> Option<JobLine> {
    body.span.of(document.text()).contains("\r\n").then(|| JobLine::of("crlf", document, name))
}

/// What a stanza sets, where a later one of the same kind takes its place; `None` where they add up.
fn slot(stanza: &Stanza) -> Option<String> {
    let name = stanza.name.value.as_str();
    let first = stanza.words.first().map(|word| word.value.as_str());
    match name {
        "exec" | "script" => Some("main process".to_owned()),
        "pre-start" | "post-start" | "pre-stop" | "post-stop" | "description" | "author" | "version" | "usage"
        | "expect" | "console" | "umask" | "nice" | "oom" | "chroot" | "chdir" | "setuid" | "setgid" | "instance" => {
            Some(name.to_owned())
        }
        "start" | "stop" => Some(format!("{name} on")),
        "kill" | "reload" | "limit" => Some(format!("{name} {}", first?)),
        "respawn" => first.map(|first| format!("respawn {first}")),
        "env" => first?.split_once('=').map(|(variable, _)| format!("env {variable}")),
        _ => None,
    }
}

/// Stanzas that a later one of the same file takes the place of.
fn repeated(layer: &Layer<'_>) -> Vec<JobLine> {
    let document = layer.document;
    let mut last: BTreeMap<String, &Stanza> = BTreeMap::new();
    let mut rows = Vec::new();
    for stanza in layer.tree.stanzas.iter().rev() {
        let Some(slot) = slot(stanza).filter(|slot| !slot.contains(FILLER)) else { continue };
        if document.is_conditional(stanza.span) {
            continue;
        }
        let Some(later) = last.get(slot.as_str()) else {
            last.insert(slot, stanza);
            continue;
        };
        let same = body(document, stanza) == body(document, later) && !document.is_templated(stanza.span);
        rows.push(
            JobLine::of("repeated", document, stanza.name.span)
                .named(slot)
                .taken_as(later.name.value.clone())
                .harmless(same)
                .against(document, later.name.span),
        );
    }
    rows.reverse();
    rows
}

fn body<'t>(document: &'t Document, stanza: &Stanza) -> Vec<&'t str> {
    stanza.span.of(document.text()).split_ascii_whitespace().collect()
}
