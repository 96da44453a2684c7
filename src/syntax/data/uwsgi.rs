//! The options uWSGI knows (1.9 to 2.1-dev, every plugin of its tree), with their synonyms, what they do besides, and the
//! releases that have them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::LazyLock;

use crate::syntax::data::Release;

const TABLE: &str = include_str!("uwsgi-options.tsv");

/// How uWSGI takes the value of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// False for `false`, `off`, `no` and `0`; true for anything else.
    Bool,
    /// The other way round: `disable-logging`.
    InvertedBool,
    /// `atoi`: the digits at the start.
    Int,
    /// The same, cut to 65535.
    Int16,
    /// The same, 64 bits.
    Int64,
    /// A plain number of megabytes.
    Megabytes,
    /// Each use adds one.
    List,
    /// The last one wins.
    Text,
    /// A rule of the internal router; each use adds one.
    Route,
    /// `if-*`, `for*`.
    Logic,
    /// A function of its own.
    Own,
}

/// Whether an option takes an argument on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// `--name` alone; `--name=false` is refused.
    No,
    /// `--name value` or `--name=value`.
    Required,
    /// `--name` or `--name=value`.
    Optional,
}

/// One option of uWSGI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownOption {
    /// Its name.
    pub name: &'static str,
    /// The name that stands for it and all its synonyms.
    pub canonical: &'static str,
    /// Its letter on the command line.
    pub short: Option<char>,
    /// Its argument on the command line.
    pub argument: Argument,
    /// How its value is taken.
    pub value: ValueKind,
    /// The first release that has it; `None` where 1.9.0 does.
    pub since: Option<&'static str>,
    /// The last release that has it; `None` where none has dropped it.
    pub last: Option<&'static str>,
    flags: &'static str,
}

impl KnownOption {
    /// Whether uWSGI applies it on sight, without expanding `$(…)`, `@(…)` and `%(…)` in it.
    pub fn is_immediate(&self) -> bool {
        self.has("immediate")
    }

    /// Whether its mere presence turns the master process on, whatever its value.
    pub fn turns_master_on(&self) -> bool {
        self.has("master") || self.has("log_master") || self.has("req_log_master")
    }

    /// Whether its mere presence lets Python's threads run, whatever its value.
    pub fn turns_threads_on(&self) -> bool {
        self.has("threads")
    }

    /// Whether it opens an `if` or a `for`.
    pub fn is_logic(&self) -> bool {
        self.value == ValueKind::Logic
    }

    /// Whether this release has it.
    pub fn is_in(&self, release: Release) -> bool {
        // A fourth number, as in 1.9.17.1, is beneath what people state.
        let three = |text: &'static str| text.splitn(4, '.').take(3).collect::<Vec<_>>().join(".").parse::<Release>();
        let bound = |text: Option<&'static str>| text.and_then(|text| three(text).ok());
        !bound(self.since).is_some_and(|since| release.is_before(since))
            && !bound(self.last).is_some_and(|last| last.is_before(release))
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.split(',').any(|known| known == flag)
    }
}

static OPTIONS: LazyLock<BTreeMap<&'static str, KnownOption>> =
    LazyLock::new(|| TABLE.lines().skip(1).filter_map(read_row).map(|option| (option.name, option)).collect());

static FOLDED: LazyLock<HashMap<String, &'static str>> =
    LazyLock::new(|| OPTIONS.keys().map(|name| (fold(name), *name)).collect());

/// The names long enough to be meant by a typo, each with the set of its letters.
static MASKS: LazyLock<Vec<(u64, &'static str)>> =
    LazyLock::new(|| OPTIONS.keys().filter(|name| name.len() >= 4).map(|name| (letter_mask(name), *name)).collect());

fn letter_mask(name: &str) -> u64 {
    name.bytes().fold(0, |mask, byte| mask | 1 << (byte % 64))
}

fn read_row(row: &'static str) -> Option<KnownOption> {
    let mut cells = row.split('\t');
    let name = cells.next().filter(|name| !name.is_empty())?;
    let short = cells.next()?.chars().next();
    let argument = match cells.next()? {
        "no" => Argument::No,
        "optional" => Argument::Optional,
        _ => Argument::Required,
    };
    let value = match cells.next()? {
        "bool" => ValueKind::Bool,
        "bool-inverted" => ValueKind::InvertedBool,
        "int" => ValueKind::Int,
        "int16" => ValueKind::Int16,
        "int64" => ValueKind::Int64,
        "megabytes" => ValueKind::Megabytes,
        "list" => ValueKind::List,
        "string" => ValueKind::Text,
        "route" => ValueKind::Route,
        "logic" => ValueKind::Logic,
        _ => ValueKind::Own,
    };
    let flags = cells.next()?;
    let mut filled = || cells.next().filter(|cell| !cell.is_empty());
    let (canonical, since, last) = (filled().unwrap_or(name), filled(), filled());
    Some(KnownOption { name, canonical, short, argument, value, since, last, flags })
}

/// The option with exactly this name; `None` where uWSGI knows none, and takes it for a placeholder.
pub fn find(name: &str) -> Option<&'static KnownOption> {
    OPTIONS.get(name)
}

/// The option with this letter on the command line.
pub fn find_short(letter: char) -> Option<&'static KnownOption> {
    OPTIONS.values().find(|option| option.short == Some(letter) && option.canonical == option.name)
}

/// The option that a command line means: by its name or, as `getopt_long` takes it, by the start of only one.
pub fn find_by_prefix(start: &str) -> Option<&'static KnownOption> {
    if let Some(exact) = find(start) {
        return Some(exact);
    }
    let from = (Bound::Included(start), Bound::Unbounded);
    let mut matching =
        OPTIONS.range::<str, _>(from).map(|(_, option)| option).take_while(|option| option.name.starts_with(start));
    let first = matching.next()?;
    matching.all(|other| other.canonical == first.canonical).then_some(first)
}

/// The known name that a misspelt one probably means: `_` for `-`, another case, or a typo of one or two letters.
///
/// A typo in a short word is rather another word, so it takes six letters to allow two; nothing is said of words under
/// four letters, nor of `ALL_CAPS`, which are meant as variables.
pub fn nearest(name: &str) -> Option<&'static str> {
    let letters = name.chars().count();
    if letters < 4 || !name.chars().any(char::is_lowercase) {
        return None;
    }
    let folded = fold(name);
    if let Some(known) = FOLDED.get(&folded) {
        return Some(known);
    }
    let allowed = if letters < 6 { 1 } else { 2 };
    let mask = letter_mask(&folded);
    MASKS
        .iter()
        // One edit changes at most two letters of the set: this spares nearly all comparisons.
        .filter(|(known, _)| (known ^ mask).count_ones() as usize <= 2 * allowed)
        .filter_map(|(_, known)| distance(&folded, known, allowed).map(|distance| (distance, *known)))
        .min()
        .map(|(_, known)| known)
}

fn fold(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

/// The edit distance (a swap of neighbours counts as one), where it is at most `most`.
fn distance(left: &str, right: &str, most: usize) -> Option<usize> {
    // Known names are ASCII, and no character takes more than four bytes.
    if left.len() + most < right.len() || left.len() > 4 * (right.len() + most) {
        return None;
    }
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    if left.len().abs_diff(right.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut current = Vec::with_capacity(right.len() + 1);
        current.push(row + 1);
        for (column, b) in right.iter().enumerate() {
            let mut best = (above[column] + usize::from(a != b)).min(above[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *a == right[column - 1] && left[row - 1] == *b {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        if current.iter().min().is_some_and(|best| *best > most) {
            return None;
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().filter(|distance| *distance <= most)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_row_is_read_and_every_synonym_leads_to_a_row() {
        assert_eq!(OPTIONS.len(), TABLE.lines().count() - 1);
        for option in OPTIONS.values() {
            assert_eq!(find(option.canonical).map(|known| known.canonical), Some(option.canonical), "{}", option.name);
        }
    }

    #[test]
    fn synonyms_flags_and_letters() {
        assert_eq!(find("workers").unwrap().canonical, "processes");
        assert_eq!(find("virtualenv").unwrap().canonical, find("home").unwrap().canonical);
        assert_eq!(find("uwsgi-socket").unwrap().canonical, "socket");
        assert!(find("touch-reload").unwrap().turns_master_on());
        assert!(find("gevent").unwrap().turns_threads_on() && !find("touch-reload").unwrap().turns_threads_on());
        assert!(find("include").unwrap().is_immediate());
        assert_eq!(find_short('p').unwrap().name, "processes");
        assert_eq!(find_by_prefix("lazy-app").unwrap().name, "lazy-apps");
        assert!(find_by_prefix("lazy-").is_some() && find_by_prefix("http-").is_none());
        assert!(find("lazy_apps").is_none());
    }

    #[test]
    fn releases_have_what_they_had() {
        let has = |name: &str, release: &str| find(name).unwrap().is_in(release.parse().unwrap());
        assert!(has("processes", "1.9") && has("max-requests-delta", "2.0.30"));
        assert!(!has("harakiri-graceful-timeout", "2.0.21") && has("harakiri-graceful-timeout", "2.0.22"));
        assert!(!has("reload-on-pss", "2.0.31") && has("reload-on-pss", "2.1"));
        assert!(has("erlang", "1.9.17") && !has("erlang", "2.0"));
        assert!(has("harakiri-graceful-timeout", "2.0"), "some 2.0 has it");
    }

    #[test]
    fn typos_find_their_word() {
        assert_eq!(nearest("lazy_apps"), Some("lazy-apps"));
        assert_eq!(nearest("Processes"), Some("processes"));
        assert_eq!(nearest("procesess"), Some("processes"));
        assert_eq!(nearest("chmod-sockert"), Some("chmod-socket"));
        for foreign in ["name", "app", "git", "project_root", "DATABASE_URL", "HOME", "domain"] {
            assert_eq!(nearest(foreign), None, "{foreign}");
        }
    }
}
