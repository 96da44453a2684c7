//! The values of Ruby that attributes, resources and templates are made of.

use crate::stack::chef::choice::Choices;
use crate::stack::fact::{Answer, Missing};

/// A value of Ruby's; `nil` is [`Answer::Absent`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string or a symbol.
    Text(String),
    /// A whole number.
    Int(i64),
    /// `true` or `false`.
    Bool(bool),
    /// A constant such as a provider's class.
    Constant(String),
    /// An array.
    List(Vec<Answer<Value>>),
    /// A hash.
    Hash(Pairs),
    /// One of a few, which are never choices themselves.
    OneOf(Choices),
}

/// The pairs of a hash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pairs {
    /// In order.
    pub all: Vec<(String, Answer<Value>)>,
    /// Where the hash is a group of attributes, its path as recipes write it: settings out of sight may add to it.
    pub open: Option<String>,
}

impl Pairs {
    /// A hash whose every pair is in sight.
    pub fn closed(all: Vec<(String, Answer<Value>)>) -> Self {
        Self { all, open: None }
    }

    /// The last value under `key`; `None` where there is surely none.
    pub fn get(&self, key: &str) -> Option<Answer<Value>> {
        let found = self.all.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        found.or_else(|| self.open.as_ref().map(|path| Answer::Unknown(unset(&format!("{path}['{key}']")))))
    }
}

/// The attribute `path` is set by nobody in sight.
pub fn unset(path: &str) -> Missing {
    Missing::new(
        format!("the value of {path}"),
        "no attribute file here sets it; put it in a JSON file named in `[chef] attributes` of housecall.toml",
    )
}

impl Value {
    /// As interpolation prints it.
    pub fn print(&self) -> Answer<String> {
        match self {
            Value::Text(text) | Value::Constant(text) => Answer::Known(text.clone()),
            Value::Int(number) => Answer::Known(number.to_string()),
            Value::Bool(truth) => Answer::Known(truth.to_string()),
            Value::List(_) | Value::Hash(_) => {
                Answer::Unknown(Missing::new("the text of an array or a hash", "print one of its items"))
            }
            Value::OneOf(choices) => Answer::Unknown(choices.missing()),
        }
    }

    /// The item of a hash or list under `key`; `None` where it has none.
    pub fn get(&self, key: &str) -> Option<Answer<Value>> {
        match self {
            Value::Hash(pairs) => pairs.get(key),
            Value::List(items) => items.get(key.parse::<usize>().ok()?).cloned(),
            _ => None,
        }
    }
}

/// An answer about something that only a run of Chef decides.
pub fn not_seen<T>(what: &str) -> Answer<T> {
    Answer::Unknown(Missing::new(what, "only a run of Chef decides it"))
}

/// The answer with its value changed.
pub fn map<T, U>(answer: Answer<T>, change: impl FnOnce(T) -> U) -> Answer<U> {
    match answer {
        Answer::Known(value) => Answer::Known(change(value)),
        Answer::Absent => Answer::Absent,
        Answer::Unknown(missing) => Answer::Unknown(missing),
    }
}
