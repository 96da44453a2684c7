//! Options that hold one value and are given two, in one file or by way of `inherit`.

use std::collections::BTreeMap;

use super::UwsgiLine;
use super::instance::is_true;
use super::setting::Setting;
use super::settings::Settings;
use crate::stack::fact::{Answer, Fact};
use crate::syntax::data::uwsgi::{KnownOption, ValueKind};
use crate::syntax::uwsgi::number;

/// Each line that a later one of another value overrules. Files and sections that build on one another overrule each other
/// on purpose, and so may the branches of a template; only what `inherit` brings in wins where nobody expects it.
pub(super) fn rows(settings: &Settings) -> Vec<UwsgiLine> {
    let mut last: BTreeMap<(&str, Option<usize>), (&Setting, Worth)> = BTreeMap::new();
    let mut rows = Vec::new();
    let counts = |setting: &&Setting| setting.is_line && setting.block.is_none() && !setting.document.has_code();
    for setting in settings.all.iter().rev().filter(counts) {
        let Some((known, worth)) = setting.known.and_then(|known| Some((known, worth(known, setting)?))) else {
            continue;
        };
        let inherited = last.get(&(known.canonical, None)).filter(|_| setting.inherited.is_none());
        let same_part = last.get(&(known.canonical, Some(setting.part)));
        match (inherited, same_part) {
            (Some((winner, winning)), _) if *winning != worth => rows.push(overruled("inherited", setting, winner)),
            (_, Some((winner, winning))) if *winning != worth => rows.push(overruled("twice", setting, winner)),
            _ => {}
        }
        if setting.inherited.is_some() {
            last.entry((known.canonical, None)).or_insert_with(|| (setting, worth.clone()));
        }
        last.entry((known.canonical, Some(setting.part))).or_insert((setting, worth));
    }
    rows.reverse();
    rows
}

/// What an option comes to, so that `4` and `4 ; four` are the same.
#[derive(Clone, PartialEq)]
enum Worth {
    Flag(bool),
    Number(i64),
    Text(String),
}

fn worth(known: &KnownOption, setting: &Setting) -> Option<Worth> {
    let Answer::Known(value) = &setting.value else { return None };
    Some(match known.value {
        ValueKind::Bool | ValueKind::InvertedBool => Worth::Flag(is_true(value)),
        ValueKind::Int | ValueKind::Int16 | ValueKind::Int64 | ValueKind::Megabytes => Worth::Number(number(value)),
        ValueKind::Text => Worth::Text(value.clone()),
        ValueKind::List | ValueKind::Route | ValueKind::Logic | ValueKind::Own => return None,
    })
}

fn overruled(key: &str, setting: &Setting, winner: &Setting) -> UwsgiLine {
    let mut row = UwsgiLine::of(key, setting).taken_as(winner.document.written(winner.value_span));
    if let Some(name) = &winner.name {
        row.other = Fact::read(name.clone(), winner.place());
    }
    row
}
