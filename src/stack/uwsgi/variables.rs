//! The environment variables that an ini gives to the app, and lines that only look as if they did.

use std::collections::BTreeSet;

use super::setting::Setting;
use super::settings::Settings;
use crate::finding::Confidence;
use crate::source::Span;
use crate::stack::env::EnvValue;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::data::uwsgi::find;
use crate::syntax::erb::FILLER;

/// From the last line to the first, so that it is known which names a later line takes away.
pub(super) fn rows(settings: &Settings) -> Vec<EnvValue> {
    let mut rows = Vec::new();
    let mut taken_away: BTreeSet<&str> = BTreeSet::new();
    for setting in settings.all.iter().rev() {
        if let Some(name) = takes_away(setting) {
            taken_away.insert(name);
        } else if setting.is(&["env"]) {
            rows.extend(
                given(setting).filter(|row| row.name.known().is_none_or(|name| !taken_away.contains(name.as_str()))),
            );
        } else if setting.is(&["envdir"]) {
            rows.push(of_folder(setting));
        } else if setting.known.is_none() && setting.is_line {
            rows.extend(in_shell_syntax(setting));
        }
    }
    rows.reverse();
    rows
}

/// `unenv = K`, or `env = K` without a second `=`.
fn takes_away<'s>(setting: &'s Setting) -> Option<&'s str> {
    let Answer::Known(value) = &setting.value else { return None };
    let takes = setting.is(&["unenv"]) || (setting.is(&["env"]) && !value.contains('='));
    (takes && setting.block.is_none()).then_some(value)
}

fn given(setting: &Setting) -> Option<EnvValue> {
    let mut row = blank(setting, "uwsgi");
    let as_written = setting.decoded.as_deref().map(|text| text.split_once('=').map_or(text, |(name, _)| name));
    match (&setting.value, as_written) {
        (Answer::Known(whole), _) => {
            let (name, value) = whole.split_once('=')?;
            row.name.answer = Answer::Known(name.to_owned());
            row.empty.answer = Answer::Known(value.is_empty());
            row.value = Fact::read(value.to_owned(), setting.place());
        }
        (Answer::Unknown(missing), Some(name)) if is_literal(name) => {
            row.name.answer = Answer::Known(name.to_owned());
            row.empty.answer = Answer::Unknown(missing.clone());
        }
        (Answer::Unknown(missing), _) => {
            row.name.answer = Answer::Unknown(missing.clone());
            row.empty.answer = Answer::Unknown(missing.clone());
        }
        (Answer::Absent, _) => {}
    }
    if let Some(missing) = setting.doubt() {
        row.confidence = Confidence::Possible;
        row.empty.answer = Answer::Unknown(missing.clone());
        row.value.answer = Answer::Unknown(missing.clone());
        if row.name.known().is_some_and(|name| !is_literal(name)) {
            row.name.answer = Answer::Unknown(missing);
        }
    }
    Some(row)
}

pub(super) fn is_literal(name: &str) -> bool {
    !name.contains([FILLER, '(', '{'])
}

fn of_folder(setting: &Setting) -> EnvValue {
    let mut row = blank(setting, "uwsgi");
    let missing = Missing::new("the variables of the folder that `envdir` names", "write them as `env = NAME=value`");
    row.name.answer = Answer::Unknown(missing.clone());
    row.empty.answer = Answer::Unknown(missing);
    row
}

/// A row whose name stands at the whole option, so that a fix can replace it.
fn blank(setting: &Setting, key: &str) -> EnvValue {
    let mut row = EnvValue::at(setting.place());
    row.key = key.to_owned();
    row.name = row.name.at(setting.place());
    row.empty = row.empty.at(setting.place());
    row.confidence = setting.confidence;
    row.path = Fact::read(setting.document.path.clone(), setting.place());
    row.user = Fact::absent();
    row.cure = Fact::absent();
    row
}

/// `env K="v"` and its kin: uWSGI takes `env K` for a placeholder's name.
struct ShellLine {
    name: Span,
    value: Span,
}

/// Whether a key that uWSGI does not know is an assignment in some shell's words.
pub(super) fn is_shell_syntax(setting: &Setting) -> bool {
    shell_line(setting).is_some()
}

fn shell_line(setting: &Setting) -> Option<ShellLine> {
    let text = setting.document.text();
    let line = setting.span.of(text);
    let (word, rest) = line.split_once([' ', '\t'])?;
    let rest = rest.trim_start();
    let name_end = rest.find(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).unwrap_or(rest.len());
    let (name, tail) = rest.split_at(name_end);
    let value = match tail.trim_start().strip_prefix('=') {
        Some(value) => value,
        None if word == "setenv" && tail.starts_with([' ', '\t']) => tail,
        None => return None,
    };
    let meant = match word {
        "env" | "export" | "setenv" => true,
        // `set` may as well have been meant for uWSGI's own `set = option=value`.
        "set" => !name.chars().any(char::is_lowercase),
        _ => false,
    };
    if !meant || name.is_empty() || name.starts_with(|char: char| char.is_ascii_digit()) || find(name).is_some() {
        return None;
    }
    let start = |part: &str| setting.span.start as usize + (part.as_ptr() as usize - line.as_ptr() as usize);
    let value = unquoted(value.trim_matches([' ', '\t']));
    Some(ShellLine {
        name: Span::new(start(name), start(name) + name.len()),
        value: Span::new(start(value), start(value) + value.len()),
    })
}

/// uWSGI keeps quotes as part of a value, so the cure drops them.
pub(super) fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

fn in_shell_syntax(setting: &Setting) -> Option<EnvValue> {
    let line = shell_line(setting)?;
    let (document, text) = (setting.document, setting.document.text());
    let name = line.name.of(text);
    let mut row = blank(setting, "uwsgi-shell-syntax");
    row.name.answer = Answer::Known(name.to_owned());
    row.empty = document.fact(line.value, line.value.of(text)).map(|value| value.is_empty()).at(setting.place());
    let value = document.written(line.value);
    let kept = if document.is_templated(line.value) { value.to_owned() } else { percents_kept(value) };
    row.cure = Fact::derived(format!("env = {name}={kept}"));
    if setting.block.is_some() {
        row.confidence = Confidence::Possible;
    }
    Some(row)
}

/// uWSGI eats a lone `%` and the letter after it; one before two hex digits is part of a URL and must be doubled.
fn percents_kept(value: &str) -> String {
    let mut kept = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('%') {
        let (before, from) = rest.split_at(at);
        let width = if from.starts_with("%%") { 2 } else { 1 };
        let hex = from.as_bytes().get(1..3).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        kept.push_str(before);
        kept.push_str(if hex { "%%" } else { &from[..width] });
        rest = &from[width..];
    }
    kept + rest
}
