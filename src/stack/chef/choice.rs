//! A value that is one of a few: which one, the platform or a condition decides.

use crate::stack::chef::platform::Platforms;
use crate::stack::chef::value::Value;
use crate::stack::fact::{Answer, Missing};

/// One of several values, and the platforms on which it may be the one.
pub type Choice = (Platforms, Answer<Value>);

/// More than these are no answer.
const MAX_CHOICES: usize = 12;

/// Two values or more, none of them unknown, none a choice again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices(Vec<Choice>);

impl Choices {
    /// In the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Choice> {
        self.0.iter()
    }

    /// That it is not known which.
    pub fn missing(&self) -> Missing {
        too_many(self.0.len())
    }
}

fn too_many(count: usize) -> Missing {
    Missing::new(
        format!("which of {count} values it has"),
        "say which in a JSON file named in `[chef] attributes` of housecall.toml",
    )
}

/// One of these: what is known to be the same on each platform is known, and one that is unknown leaves all unknown.
pub fn one_of(all: impl IntoIterator<Item = Choice>) -> Answer<Value> {
    let mut found: Vec<Choice> = Vec::new();
    for (platforms, value) in all {
        for (platforms, value) in alternatives(value).into_iter().map(|(own, value)| (own.and(platforms), value)) {
            if platforms.is_empty() {
                continue;
            }
            if matches!(value, Answer::Unknown(_)) {
                return value;
            }
            match found.iter_mut().find(|(_, other)| *other == value) {
                Some((others, _)) => *others = others.or(platforms),
                None => found.push((platforms, value)),
            }
        }
    }
    match found.len() {
        0 => Answer::Absent,
        1 => found.remove(0).1,
        2..=MAX_CHOICES => Answer::Known(Value::OneOf(Choices(found))),
        count => Answer::Unknown(too_many(count)),
    }
}

/// What a value may be, with the platforms; itself alone where it is no choice.
pub fn alternatives(value: Answer<Value>) -> Vec<Choice> {
    match value {
        Answer::Known(Value::OneOf(choices)) => choices.0,
        other => vec![(Platforms::ALL, other)],
    }
}

/// The change of each value that it may be.
pub fn each(value: Answer<Value>, change: impl Fn(Answer<Value>) -> Answer<Value>) -> Answer<Value> {
    match value {
        Answer::Known(Value::OneOf(choices)) => {
            one_of(choices.0.into_iter().map(|(platforms, value)| (platforms, change(value))))
        }
        other => change(other),
    }
}

/// The change of each two values that go together on some platform.
pub fn each_pair(
    left: Answer<Value>,
    right: Answer<Value>,
    change: impl Fn(Answer<Value>, Answer<Value>) -> Answer<Value>,
) -> Answer<Value> {
    let rights = alternatives(right);
    one_of(alternatives(left).into_iter().flat_map(|(platforms, left)| {
        let pair = |(own, right): &Choice| (platforms.and(*own), change(left.clone(), right.clone()));
        rights.iter().filter(|(own, _)| !platforms.and(*own).is_empty()).map(pair).collect::<Vec<_>>()
    }))
}
