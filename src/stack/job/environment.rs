//! The variables that a job gives, each once: the last line of a name holds.

use std::collections::BTreeMap;

use crate::source::Span;
use crate::stack::document::Document;
use crate::stack::env::EnvValue;
use crate::stack::fact::{Answer, Fact};

/// Variables in the order in which their last lines stand.
#[derive(Debug, Default)]
pub(super) struct Environment {
    rows: Vec<Option<EnvValue>>,
    by_name: BTreeMap<String, usize>,
}

impl Environment {
    /// Sets a variable and forgets what was set under its name before.
    pub fn set(&mut self, name: &str, row: EnvValue) {
        if let Some(before) = self.by_name.insert(name.to_owned(), self.rows.len()) {
            self.rows[before] = None;
        }
        self.rows.push(Some(row));
    }

    /// Adds a row that sets no variable.
    pub fn add(&mut self, row: EnvValue) {
        self.rows.push(Some(row));
    }

    /// Whether a line gives this variable.
    pub fn gives(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub fn into_rows(self) -> Vec<EnvValue> {
        self.rows.into_iter().flatten().collect()
    }
}

/// The row of a variable; keyed `upstart` where the job gives it.
pub(super) fn env_value(document: &Document, key: &str, name: &str, value: &Answer<String>, span: Span) -> EnvValue {
    let place = document.place(span);
    let mut row = EnvValue::at(place);
    row.key = key.to_owned();
    row.name = document.fact(span, name);
    row.path = Fact::read(document.path.clone(), place);
    row.empty.place = Some(place);
    row.empty.answer = value.clone().map_known(|value| value.is_empty());
    row.value = Fact { answer: value.clone(), ..row.name.clone().at(place) };
    row.user = Fact::absent();
    row.cure = Fact::absent();
    row
}
