//! Placeholders that stay as they are written: in options that uWSGI applies on sight, and those that nobody defines.

use std::collections::BTreeSet;

use super::UwsgiLine;
use super::setting::Setting;
use super::settings::Settings;
use crate::finding::Confidence;
use crate::source::Place;
use crate::stack::fact::Fact;
use crate::syntax::uwsgi::references;

/// A placeholder in an option that uWSGI applies before it fills any in, or in a file that it reads after that.
pub(super) fn not_expanded(defined: &BTreeSet<&str>, setting: &Setting) -> Option<UwsgiLine> {
    if let Some(inherit) = setting.inherited {
        return in_inherited(defined, setting, inherit);
    }
    let known = setting.known.filter(|known| known.is_immediate())?;
    // What these set is an option of its own, and that one is filled in.
    if matches!(known.canonical, "set" | "set-ph" | "set-placeholder" | "declare-option" | "declare-option2") {
        return None;
    }
    // A loop fills in its own item.
    let value = setting.decoded.as_deref()?.replace("%(_)", if setting.block.is_some() { "" } else { "%(_)" });
    let opener = ["%(", "$(", "@("].into_iter().find(|opener| value.contains(opener))?;
    let taken = value.split_once(opener).map(|(_, rest)| rest.split(')').next().unwrap_or_default());
    Some(UwsgiLine::of("not-expanded", setting).taken_as(format!("{opener}{})", taken.unwrap_or_default())))
}

/// A placeholder in a file that `inherit` brings in; a name that no line defines may be a part of a log format.
fn in_inherited(defined: &BTreeSet<&str>, setting: &Setting, inherit: Place) -> Option<UwsgiLine> {
    let value = setting.decoded.as_deref().filter(|value| !value.contains("{{") && !value.contains("{%"))?;
    let placeholder = references(value).into_iter().find(|name| defined.contains(name));
    let placeholder = placeholder.map(|name| format!("%({name})"));
    let mut row = UwsgiLine::of("not-expanded", setting);
    row.other = Fact::read("inherit".to_owned(), inherit);
    match placeholder {
        Some(placeholder) if !setting.is(&["env"]) => Some(row.taken_as(placeholder)),
        Some(_) => Some(row),
        None if value.contains("$(") && !setting.is(&["env"]) => {
            let name = value.split_once("$(").map_or("", |(_, rest)| rest.split(')').next().unwrap_or_default());
            Some(row.taken_as(format!("$({name})")))
        }
        None => None,
    }
}

/// Every `%(name)` that no line in sight defines. Where the command that starts uWSGI is out of sight, it may define
/// any name; then only one that is nearly that of a line here is a fault.
pub(super) fn undefined(settings: &Settings, defined: &BTreeSet<&str>) -> Vec<UwsgiLine> {
    let mut rows = given_later(settings);
    if settings.open().is_some() {
        return rows;
    }
    let sure = if settings.with_command { Confidence::Likely } else { Confidence::Possible };
    let fills_in = |setting: &&Setting| {
        setting.is_line
            && setting.inherited.is_none()
            && setting.name.as_deref().is_some_and(|name| !name.starts_with("log"))
            && !setting.known.is_some_and(|known| known.is_immediate())
    };
    let unknown = settings.all.iter().filter(fills_in).filter_map(|setting| of_setting(setting, defined, sure));
    rows.extend(unknown.filter(|row| settings.with_command || !row.other.is_absent()));
    rows
}

/// The names of all options and placeholders.
pub(super) fn defined<'s>(settings: &'s Settings) -> BTreeSet<&'s str> {
    settings.all.iter().filter_map(|setting| setting.name.as_deref()).collect()
}

/// Every `$(NAME)` of a variable that an `env` of the same files gives: that comes when all placeholders are filled in.
/// The process may have it too.
fn given_later(settings: &Settings) -> Vec<UwsgiLine> {
    let name_of =
        |setting: &Setting| setting.decoded.as_deref()?.split_once('=').map(|(name, _)| name.trim().to_owned());
    let given: BTreeSet<String> =
        settings.all.iter().filter(|setting| setting.is(&["env"])).filter_map(name_of).collect();
    let row = |setting: &Setting| {
        // `env = PATH=$(PATH):/srv/bin` adds to what the process has.
        if !setting.is_line || setting.is(&["env"]) || setting.known.is_some_and(|known| known.is_immediate()) {
            return None;
        }
        let value = setting.decoded.as_deref()?;
        let names =
            value.match_indices("$(").filter_map(|(at, _)| value[at + 2..].split_once(')').map(|(name, _)| name));
        let name = names.into_iter().find(|name| given.contains(*name))?;
        let mut row = UwsgiLine::of("undefined", setting).taken_as(format!("$({name})"));
        row.confidence = Confidence::Possible;
        Some(row)
    };
    if given.is_empty() { Vec::new() } else { settings.all.iter().filter_map(row).collect() }
}

fn of_setting(setting: &Setting, defined: &BTreeSet<&str>, sure: Confidence) -> Option<UwsgiLine> {
    let value = setting.decoded.as_deref().filter(|value| !value.contains("{{") && !value.contains("{%"))?;
    let is_name = |name: &&str| name.starts_with(|char: char| char.is_ascii_alphabetic());
    let name = references(value).into_iter().filter(is_name).find(|name| !defined.contains(name))?;
    let mut row = UwsgiLine::of("undefined", setting);
    if !setting.is(&["env"]) {
        row = row.taken_as(format!("%({name})"));
    }
    let meant = defined.iter().copied().find(|known| is_misspelt(name, known));
    row.other = meant.map_or_else(Fact::absent, |meant| Fact::derived(meant.to_owned()));
    row.confidence = sure;
    Some(row)
}

/// Whether `-` stands for `_`, or one letter is wrong, or two of a long name.
fn is_misspelt(name: &str, known: &str) -> bool {
    let allowed = match known.len() {
        0..4 => return false,
        4..8 => 1,
        _ => 2,
    };
    let fold = |name: &str| name.to_lowercase().replace('_', "-");
    strsim::damerau_levenshtein(&fold(name), &fold(known)) <= allowed
}
