//! Specifiers: `%` and a letter, which systemd replaces before it uses a value (systemd.unit(5), unit-printf.c).

/// What a text comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// Every specifier in it is known here.
    Known(String),
    /// One of them, such as `%H`, depends on the host or the instance.
    Unknown(String),
    /// One of them is none: systemd ignores the value.
    Refused(String),
}

/// Letters that stand for nothing, also in the newest release.
const NONE: &str = "ekxzFKOQXZ0123456789";

/// The text with its specifiers resolved for the unit of this name, in the system's own manager.
pub fn resolve(text: &str, unit: &str) -> Resolved {
    let mut value = String::with_capacity(text.len());
    let mut characters = text.chars();
    let mut unknown = None;
    while let Some(c) = characters.next() {
        if c != '%' {
            value.push(c);
            continue;
        }
        match characters.next() {
            None => value.push('%'),
            Some('%') => value.push('%'),
            Some(letter) if NONE.contains(letter) => return Resolved::Refused(format!("%{letter}")),
            Some(letter) => match of_system(letter, unit) {
                Some(known) => value.push_str(&known),
                None if letter.is_ascii_alphabetic() => drop(unknown.get_or_insert(format!("%{letter}"))),
                None => value.extend(['%', letter]),
            },
        }
    }
    unknown.map_or(Resolved::Known(value), Resolved::Unknown)
}

/// What a letter stands for where that does not depend on the host. `%u`, `%U` and `%h` are those of the manager, root, and
/// not those of `User=`.
fn of_system(letter: char, unit: &str) -> Option<String> {
    let without_suffix = unit.rsplit_once('.').map_or(unit, |(name, _)| name);
    let (prefix, instance) = match without_suffix.split_once('@') {
        Some((prefix, instance)) => (prefix, Some(instance)),
        None => (without_suffix, None),
    };
    let fixed = match letter {
        'n' if instance != Some("") => unit,
        'N' if instance != Some("") => without_suffix,
        'p' if !prefix.contains('\\') => prefix,
        'i' if !instance.is_some_and(str::is_empty) => instance.unwrap_or(""),
        't' => "/run",
        'S' => "/var/lib",
        'C' => "/var/cache",
        'L' => "/var/log",
        'E' => "/etc",
        'T' => "/tmp",
        'V' => "/var/tmp",
        'h' => "/root",
        'u' | 'g' => "root",
        'U' | 'G' => "0",
        _ => return None,
    };
    Some(fixed.to_owned())
}
