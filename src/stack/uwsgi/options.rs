//! One row for each line of an ini, known or not, with what becomes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::lines;
use super::setting::Setting;
use super::settings::Settings;
use super::variables::is_shell_syntax;
use super::{Uwsgi, UwsgiOption};
use crate::source::{FileId, Place, Span};
use crate::stack::fact::Fact;
use crate::syntax::data::uwsgi::{KnownOption, ValueKind, find, nearest};
use crate::syntax::uwsgi::{Magic, closes_block};

pub(super) fn rows(settings: &Settings, uwsgi: &Arc<Uwsgi>) -> Vec<UwsgiOption> {
    let winners = winners(settings);
    let lines = settings.all.iter().enumerate().filter(|(_, setting)| setting.is_line);
    let mut rows: Vec<UwsgiOption> = lines
        .map(|(at, setting)| {
            let winner = setting.known.and_then(|known| winners.get(known.canonical)).filter(|winner| **winner > at);
            let fate = fate(settings, setting, winner.map(|winner| settings.all[*winner].place()));
            row(settings, setting, fate, uwsgi)
        })
        .collect();
    let not_applied = settings.ignored.iter().filter(|setting| setting.is_line);
    rows.extend(not_applied.map(|setting| row(settings, setting, Fact::derived(IGNORED.to_owned()), uwsgi)));
    rows.extend(strays(settings, uwsgi));
    rows
}

const IGNORED: &str = "ignored";
const UNKNOWN: &str = "unknown";
const NOT_IN_TARGET_VERSION: &str = "not-in-target-version";

fn row(settings: &Settings, setting: &Setting, fate: Fact<String>, uwsgi: &Arc<Uwsgi>) -> UwsgiOption {
    let place = setting.document.place(setting.key_span);
    let mut row = UwsgiOption::at(setting.place());
    row.key = key(settings, setting);
    row.confidence = setting.confidence;
    row.name = match &setting.name {
        Some(name) => Fact::read(told(setting, name, &row.key), place),
        None => setting.document.fact(setting.key_span, setting.key_span.of(setting.document.text())),
    };
    row.suggestion = match setting.name.as_deref().filter(|_| row.key == UNKNOWN).and_then(nearest) {
        Some(known) => Fact::derived(known.to_owned()).at(place),
        None => Fact::absent(),
    };
    row.referenced = match (&setting.name, settings.open()) {
        (Some(name), _) if settings.referenced.contains(name) => Fact::derived(true),
        (_, Some(missing)) => Fact::unknown(missing.clone()),
        (_, None) => Fact::derived(false),
    };
    let value_place = setting.document.place(setting.value_span);
    let shown = |text: &str| shown(setting, &row.key, text);
    row.written = if setting.is_bare() {
        Fact::absent()
    } else {
        Fact::read(shown(setting.document.written(setting.value_span)), value_place)
    };
    let value = setting.value.clone().map_known(|value| shown(&value));
    row.value = Fact { answer: value, ..Fact::read(String::new(), value_place) };
    row.fate = fate;
    let known = setting.known.or_else(|| setting.name.as_deref().and_then(find));
    row.releases = known.and_then(releases).map_or_else(Fact::absent, Fact::derived);
    row.uwsgi = Fact::derived(Arc::clone(uwsgi));
    row
}

/// The last setting that surely counts of each option that holds one value.
fn winners(settings: &Settings) -> BTreeMap<&'static str, usize> {
    let mut winners = BTreeMap::new();
    for (at, setting) in settings.all.iter().enumerate().filter(|(_, setting)| setting.block.is_none()) {
        let many = |known: &&KnownOption| {
            matches!(known.value, ValueKind::List | ValueKind::Route | ValueKind::Logic | ValueKind::Own)
        };
        if let Some(known) = setting.known.filter(|known| !many(known)) {
            winners.insert(known.canonical, at);
        }
    }
    winners
}

fn fate(settings: &Settings, setting: &Setting, winner: Option<Place>) -> Fact<String> {
    let says = |word: &str| Fact::derived(word.to_owned());
    match (setting.known, setting.name.as_deref(), winner) {
        (_, None, _) => Fact { answer: setting.value.clone(), ..says(UNKNOWN) }.map(|_| UNKNOWN.to_owned()),
        (_, _, Some(winner)) => says("overridden").at(winner),
        (Some(known), _, _) if matches!(known.canonical, "set-ph") => says("placeholder"),
        (Some(_), _, _) => match setting.doubt() {
            Some(missing) => Fact::unknown(missing),
            None => says("applied"),
        },
        (None, Some(name), _) if closes_block(name) || settings.declared.contains(name) => says("applied"),
        (None, Some(name), _) if settings.referenced.contains(name) => says("placeholder"),
        (None, Some(_), _) => says(UNKNOWN),
    }
}

/// Lines of sections that nothing reads.
fn strays(settings: &Settings, uwsgi: &Arc<Uwsgi>) -> Vec<UwsgiOption> {
    let read: BTreeSet<(FileId, Span)> = settings
        .parts
        .iter()
        .flat_map(|part| part.config.options.iter().map(|option| (part.document.file, option.span)))
        .collect();
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for part in &settings.parts {
        let document = part.document;
        for stray in part.config.strays.iter().filter(|stray| !read.contains(&(document.file, stray.span))) {
            if !seen.insert((document.file, stray.span)) {
                continue;
            }
            let setting = Setting::of_line(document, stray, &Magic::default(), settings.release);
            let mut row = row(settings, &setting, Fact::derived(IGNORED.to_owned()), uwsgi);
            row.key = IGNORED.to_owned();
            rows.push(row);
        }
    }
    rows
}

/// The releases that have an option, in words; `None` where all have it.
fn releases(known: &KnownOption) -> Option<String> {
    match (known.since, known.last) {
        (None, None) => None,
        (Some(since), None) => Some(format!("{since} and later")),
        (None, Some(last)) => Some(format!("up to {last}")),
        (Some(since), Some(last)) => Some(format!("{since} to {last}")),
    }
}

/// A value as it may be shown: of a variable no more than its name.
fn shown(setting: &Setting, key: &str, value: &str) -> String {
    let name = match key {
        "shell-syntax" => 0,
        _ if !setting.is(&["env", "unenv"]) => return value.to_owned(),
        _ => value.find(['=', ' ', '\t', ':']).map_or(value.len(), |end| end + 1),
    };
    let (name, secret) = value.split_at(name);
    name.chars().chain(secret.chars().map(|_| '*')).collect()
}

/// The name as it may be shown: a line without `=` is all key, and what follows its first word may be a password.
fn told(setting: &Setting, name: &str, key: &str) -> String {
    let words = match key {
        "shell-syntax" => 2,
        _ if setting.key_span == setting.span => 1,
        _ => return name.to_owned(),
    };
    let told: Vec<&str> = name.split([' ', '\t', ':']).filter(|word| !word.is_empty()).take(words).collect();
    told.join(" ")
}

fn key(settings: &Settings, setting: &Setting) -> String {
    let key = match (&setting.name, setting.known) {
        (None, _) => "templated",
        (_, Some(known)) => known.canonical,
        (Some(name), None) if closes_block(name) => "endif",
        (Some(_), None) if is_shell_syntax(setting) => "shell-syntax",
        (Some(_), None) if lines::lacks_equals(setting) => "without-equals",
        (Some(name), None) if settings.declared.contains(name) => "declared",
        (Some(name), None) if find(name).is_some() => NOT_IN_TARGET_VERSION,
        _ => UNKNOWN,
    };
    key.to_owned()
}
