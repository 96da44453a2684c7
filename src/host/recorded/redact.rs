//! Secrets are replaced before anything is written, by stand-ins of the same length and shape.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::{Table, Value};

use super::format::Recording;
use crate::secret::{Secrets, StandIns, is_open, is_telling};
use crate::source::{SUBSTITUTE, text_of_equal_length};

/// The files without their secrets, which `table` loses as well. Secret is what reads like one, what the environments of
/// `recording` give, and `values`.
pub(super) fn without_secrets(
    table: &mut Table,
    recording: &Recording,
    files: &BTreeMap<String, Arc<[u8]>>,
    values: &[String],
) -> BTreeMap<String, Arc<[u8]>> {
    let environs = recording.process.values().filter_map(|process| process.environ.as_ref()).flatten();
    let given: Vec<(&str, &str)> = environs.filter_map(|pair| pair.split_once('=')).collect();
    let telling = given.iter().filter(|(name, value)| !is_open(name, value) && is_telling(value));
    let hidden: Vec<&str> = telling
        .map(|(_, value)| *value)
        .chain(values.iter().map(String::as_str))
        // A name of the host itself: without it no path would lead anywhere.
        .filter(|value| !recording.file.keys().any(|path| path.contains(value)))
        .collect();
    let mut stand_ins = StandIns::default();
    let texts: BTreeMap<&String, Arc<str>> =
        files.iter().map(|(path, bytes)| (path, text_of_equal_length(bytes))).collect();
    let mut strings = Vec::new();
    collect(table, &mut strings);
    let confided: Vec<String> = given.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let all = strings.iter().map(String::as_str).chain(texts.values().map(AsRef::as_ref));
    let secrets = Secrets::harvest_with(all.chain(confided.iter().map(String::as_str)), hidden);

    redact_environs(table, &secrets, &mut stand_ins);
    redact(table, &secrets, &mut stand_ins);
    let mut redacted = |(path, text): (&String, Arc<str>)| {
        let bytes = redacted_bytes(&text, &files[path], &secrets, &mut stand_ins);
        (path.clone(), if path.ends_with("pgpass") { without_passwords(&text, bytes, &mut stand_ins) } else { bytes })
    };
    texts.into_iter().map(&mut redacted).collect()
}

/// libpq's password file without the last field of each line, whatever that looks like.
fn without_passwords(text: &str, mut bytes: Arc<[u8]>, stand_ins: &mut StandIns) -> Arc<[u8]> {
    let mut hidden = bytes.to_vec();
    for (start, line) in crate::syntax::log::lines(text) {
        let Some(at) = crate::syntax::pgpass::password_at(line) else { continue };
        let shown = stand_ins.of(&line[at..]);
        if shown.len() == line.len() - at && start + line.len() <= hidden.len() {
            hidden[start + at..start + line.len()].copy_from_slice(shown.as_bytes());
        }
    }
    bytes = hidden.into();
    bytes
}

/// Every key and every string of a table.
fn collect(table: &Table, into: &mut Vec<String>) {
    fn of_value(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(text) => into.push(text.clone()),
            Value::Array(values) => values.iter().for_each(|value| of_value(value, into)),
            Value::Table(table) => collect(table, into),
            _ => {}
        }
    }
    for (key, value) in table {
        into.push(key.clone());
        of_value(value, into);
    }
}

/// Where a process entry has its environment.
const ENVIRON: &str = "environ";

/// A value of an environment stays only where it may, and then without the secrets in it.
fn redact_environs(table: &mut Table, secrets: &Secrets, stand_ins: &mut StandIns) {
    let processes = table.get_mut("process").and_then(Value::as_table_mut).into_iter().flat_map(Table::iter_mut);
    let environs = processes.filter_map(|(_, process)| process.get_mut(ENVIRON)?.as_array_mut());
    for pair in environs.flatten() {
        let Some(text) = pair.as_str() else { continue };
        *pair = Value::String(match text.split_once('=') {
            Some((name, value)) if !is_open(name, value) => format!("{name}={}", stand_ins.of(value)),
            _ => secrets.redact(text, stand_ins).into_owned(),
        });
    }
}

fn redact(table: &mut Table, secrets: &Secrets, stand_ins: &mut StandIns) {
    fn of_value(value: &mut Value, secrets: &Secrets, stand_ins: &mut StandIns) {
        match value {
            Value::String(text) => *text = secrets.redact(text, stand_ins).into_owned(),
            Value::Array(values) => values.iter_mut().for_each(|value| of_value(value, secrets, stand_ins)),
            Value::Table(table) => redact(table, secrets, stand_ins),
            _ => {}
        }
    }
    for (key, mut value) in std::mem::take(table) {
        // A stand-in would get one of its own, which is not the one of the same secret elsewhere.
        if key == ENVIRON && value.is_array() {
            table.insert(key, value);
            continue;
        }
        of_value(&mut value, secrets, stand_ins);
        table.insert(secrets.redact(&key, stand_ins).into_owned(), value);
    }
}

/// Bytes that are no text stay as they are; everything keeps its place.
fn redacted_bytes(text: &str, bytes: &[u8], secrets: &Secrets, stand_ins: &mut StandIns) -> Arc<[u8]> {
    let redacted = secrets.redact(text, stand_ins);
    let kept = redacted.bytes().zip(bytes).map(|(shown, byte)| if shown == SUBSTITUTE as u8 { *byte } else { shown });
    kept.collect()
}
