//! Options that hold one value and are given two.

use std::collections::BTreeMap;

use super::UwsgiLine;
use super::instance::is_true;
use super::settings::{Setting, Settings};
use crate::stack::fact::{Answer, Fact};
use crate::syntax::data::uwsgi::{KnownOption, ValueKind};
use crate::syntax::uwsgi::number;

/// Each line that a later one of another value overrules. Sections of one file that build on one another overrule each
/// other on purpose, and so may the branches of a template.
pub(super) fn rows(settings: &Settings) -> Vec<UwsgiLine> {
    let in_parts = settings.all.iter().any(|setting| setting.is_line && setting.is_read);
    if in_parts || settings.file.as_ref().is_some_and(|(document, _)| document.has_code()) {
        return Vec::new();
    }
    let mut last: BTreeMap<&str, (&Setting, Worth)> = BTreeMap::new();
    let mut rows = Vec::new();
    for setting in settings.all.iter().rev().filter(|setting| setting.is_line && setting.block.is_none()) {
        let Some((known, worth)) = setting.known.and_then(|known| Some((known, worth(known, setting)?))) else {
            continue;
        };
        match last.get(known.canonical) {
            Some((_, winning)) if *winning == worth => {}
            Some((winner, _)) => rows.push(overruled(setting, winner)),
            None => {
                last.insert(known.canonical, (setting, worth));
            }
        }
    }
    rows.reverse();
    rows
}

/// What an option comes to, so that `4` and `4 ; four` are the same.
#[derive(PartialEq)]
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

fn overruled(setting: &Setting, winner: &Setting) -> UwsgiLine {
    let mut row = UwsgiLine::of("twice", setting).taken_as(winner.document.written(winner.value_span));
    if let Some(name) = &winner.name {
        row.other = Fact::read(name.clone(), winner.place());
    }
    row
}
