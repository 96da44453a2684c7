//! `env` lines that give the app another variable, or another value, than they seem to.

use super::UwsgiLine;
use super::setting::Setting;
use super::variables::{is_literal, unquoted};
use crate::stack::fact::Fact;

/// The first thing that is wrong with an `env`.
pub(super) fn row(setting: &Setting) -> Option<UwsgiLine> {
    if !setting.is(&["env"]) || setting.raw_value().is_empty() {
        return None;
    }
    let text = setting.raw_value();
    let written = setting.document.written(setting.value_span);
    let Some(equals) = text.find('=') else { return unset(setting, text) };
    let (name, value) = (&written[..equals], &written[equals + 1..]);
    let named = |key: &str, name: &str| {
        let mut row = UwsgiLine::of(key, setting);
        row.option = Fact::read(name.to_owned(), setting.document.place(setting.value_span));
        row
    };
    if unquoted(written) != written {
        let inner = unquoted(written);
        let name = inner.split('=').next().unwrap_or_default().trim();
        return Some(named("env-quoted", name).cured_by(inner));
    }
    if name.ends_with([' ', '\t']) {
        let (name, value) = (name.trim_end(), unquoted(value.trim_start()));
        return Some(named("env-name-spaced", name).cured_by(format!("{name}={value}")));
    }
    (unquoted(value) != value).then(|| named("env-quoted", name).cured_by(format!("{name}={}", unquoted(value))))
}

/// A name without a value. What follows the first word may be a password.
fn unset(setting: &Setting, text: &str) -> Option<UwsgiLine> {
    let name = text.split([' ', '\t', ':']).next().filter(|name| is_literal(name) && !name.contains('$'))?;
    let mut row = UwsgiLine::of("env-unset", setting);
    row.option = Fact::read(name.to_owned(), setting.document.place(setting.value_span));
    Some(row)
}
