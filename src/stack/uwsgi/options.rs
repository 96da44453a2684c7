//! One row for each line of an ini, known or not.

use std::sync::Arc;

use super::lines;
use super::settings::{Setting, Settings};
use super::variables::is_shell_syntax;
use super::{Uwsgi, UwsgiOption};
use crate::stack::fact::Fact;
use crate::syntax::data::uwsgi::nearest;
use crate::syntax::uwsgi::closes_block;

pub(super) fn rows(settings: &Settings, uwsgi: &Arc<Uwsgi>) -> Vec<UwsgiOption> {
    settings.all.iter().filter(|setting| setting.is_line).map(|setting| row(settings, setting, uwsgi)).collect()
}

fn row(settings: &Settings, setting: &Setting, uwsgi: &Arc<Uwsgi>) -> UwsgiOption {
    let place = setting.document.place(setting.key_span);
    let mut row = UwsgiOption::at(setting.place());
    row.key = key(settings, setting);
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
    row.uwsgi = Fact::derived(Arc::clone(uwsgi));
    row
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

const UNKNOWN: &str = "unknown";

fn key(settings: &Settings, setting: &Setting) -> String {
    let key = match (&setting.name, setting.known) {
        (None, _) => "templated",
        (_, Some(known)) => known.canonical,
        (Some(name), None) if closes_block(name) => "endif",
        (Some(_), None) if is_shell_syntax(setting) => "shell-syntax",
        (Some(_), None) if lines::lacks_equals(setting) => "without-equals",
        (Some(name), None) if settings.declared.contains(name) => "declared",
        _ => UNKNOWN,
    };
    key.to_owned()
}
