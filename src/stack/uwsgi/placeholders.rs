//! Placeholders that stay as they are written: in options that uWSGI applies on sight, and those that nobody defines.

use std::collections::BTreeSet;

use super::UwsgiLine;
use super::settings::{Setting, Settings};
use crate::finding::Confidence;
use crate::stack::fact::Fact;
use crate::syntax::uwsgi::references;

/// A placeholder in an option that uWSGI applies before it fills any in.
pub(super) fn not_expanded(setting: &Setting) -> Option<UwsgiLine> {
    let known = setting.known.filter(|known| known.is_immediate())?;
    // What these set is an option of its own, and that one is filled in.
    if matches!(known.canonical, "set" | "set-ph" | "set-placeholder" | "declare-option" | "declare-option2") {
        return None;
    }
    // A loop fills in its own item.
    let value =
        if setting.block.is_some() { setting.raw_value().replace("%(_)", "") } else { setting.raw_value().into() };
    let opener = ["%(", "$(", "@("].into_iter().find(|opener| value.contains(opener))?;
    let taken = value.split_once(opener).map(|(_, rest)| rest.split(')').next().unwrap_or_default());
    Some(UwsgiLine::of("not-expanded", setting).taken_as(format!("{opener}{})", taken.unwrap_or_default())))
}

/// Every `%(name)` that no line in sight defines.
pub(super) fn undefined(settings: &Settings) -> Vec<UwsgiLine> {
    if settings.open().is_some() {
        return Vec::new();
    }
    let defined: BTreeSet<&str> = settings.all.iter().filter_map(|setting| setting.name.as_deref()).collect();
    let fills_in = |setting: &&Setting| {
        setting.is_line
            && setting.name.as_deref().is_some_and(|name| !name.starts_with("log"))
            && !setting.known.is_some_and(|known| known.is_immediate())
    };
    settings.all.iter().filter(fills_in).filter_map(|setting| of_setting(setting, &defined)).collect()
}

fn of_setting(setting: &Setting, defined: &BTreeSet<&str>) -> Option<UwsgiLine> {
    let value = setting.decoded.as_deref().filter(|value| !value.contains("{{") && !value.contains("{%"))?;
    let is_name = |name: &&str| name.starts_with(|char: char| char.is_ascii_alphabetic());
    let name = references(value).into_iter().filter(is_name).find(|name| !defined.contains(name))?;
    let mut row = UwsgiLine::of("undefined", setting);
    if !setting.is(&["env"]) {
        row = row.taken_as(format!("%({name})"));
    }
    row.other = Fact::absent();
    // The command that starts uWSGI, and an emperor, can define more.
    row.confidence = Confidence::Possible;
    Some(row)
}
