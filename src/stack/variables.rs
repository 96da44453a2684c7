//! Files of `NAME=value` lines: what each gives depends on who reads it, systemd, a shell, or a library of the app.

use crate::finding::Confidence;
use crate::source::Span;
use crate::stack::document::Document;
use crate::stack::env::EnvValue;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::systemd::environment_file;
use crate::syntax::{dotenv, shell};

/// Who reads a file of variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader<'a> {
    /// systemd, for `EnvironmentFile=`: no `export`, nothing put in for `$NAME`.
    Systemd,
    /// A shell that sources it: what it exports, or all where `set -a` came before.
    Shell {
        /// Whether all is exported.
        all: bool,
        /// What is exported after it was sourced.
        later: &'a [String],
    },
    /// python-dotenv and its kin, or a program that has the same rules, such as foreman and compose.
    Dotenv,
}

/// The variables that `reader` takes from a file, keyed `key`, in order; the last of a name holds.
pub fn rows(document: &Document, reader: Reader<'_>, key: &str, sure: Confidence) -> Vec<EnvValue> {
    let text = document.text();
    let row = |name: &str, name_span: Span, value: &str, value_span: Span, worked_out: bool| {
        row(document, key, sure, (name, name_span), (value, value_span), worked_out)
    };
    match reader {
        Reader::Systemd => environment_file::parse(text)
            .into_iter()
            .filter(environment_file::Assignment::is_taken)
            .map(|one| row(&one.name.value, one.name.span, &one.value.value, one.value.span, false))
            .collect(),
        Reader::Shell { all, later } => shell::assignments(text)
            .into_iter()
            .filter(|one| all || one.exported || later.contains(&one.name.value))
            .map(|one| row(&one.name.value, one.name.span, &one.value.value, one.value.span, one.substituted))
            .collect(),
        Reader::Dotenv => dotenv::parse(text)
            .into_iter()
            .map(|one| row(&one.name.value, one.name.span, &one.value.value, one.value.span, one.substituted))
            .collect(),
    }
}

fn row(
    document: &Document,
    key: &str,
    sure: Confidence,
    (name, name_span): (&str, Span),
    (value, value_span): (&str, Span),
    worked_out: bool,
) -> EnvValue {
    let place = document.place(name_span.to(value_span));
    let value = match document.value(value_span, value) {
        Answer::Known(_) if worked_out => {
            Answer::Unknown(Missing::new(format!("what `{name}` is put together from"), "write it out"))
        }
        answer => answer,
    };
    let mut row = EnvValue::at(place);
    row.key = key.to_owned();
    row.confidence = sure;
    row.name = document.fact(name_span, name).at(place);
    row.path = Fact::read(document.path.clone(), place);
    row.empty = Fact { answer: value.clone().map_known(|value| value.is_empty()), ..Fact::read(false, place) };
    row.value = Fact { answer: value, ..Fact::read(String::new(), place) };
    row.user = Fact::absent();
    row.cure = Fact::absent();
    row
}
