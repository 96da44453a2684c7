//! A fact is known, absent or unknown, and says where it was read; a row is a group of facts about one thing.

mod table;
mod value;

use std::ops::Deref;
use std::sync::Arc;

use crate::finding::Label;
use crate::source::Place;

pub use crate::finding::{Lack, Missing};
pub use table::{Column, Row, Schema, Table};
pub use value::{Leaf, Look, Type, Value};

/// The three answers. Unknown is never taken for absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// Read, worked out, or the program's default.
    Known(T),
    /// Looked for in the whole space where it could be, and not there.
    Absent,
    /// Out of sight.
    Unknown(Missing),
}

impl<T> Answer<T> {
    /// The value where it is known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    /// The answer with a known value changed.
    pub fn map_known<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Known(value) => Answer::Known(change(value)),
            Self::Absent => Answer::Absent,
            Self::Unknown(missing) => Answer::Unknown(missing),
        }
    }
}

/// The places that led to a fact, in order, each with a few words. Few facts have any, so none takes one word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trail(Option<Arc<Vec<Label>>>);

impl Trail {
    /// Adds a place at its end.
    pub fn push(&mut self, label: Label) {
        Arc::make_mut(self.0.get_or_insert_default()).push(label);
    }
}

impl Deref for Trail {
    type Target = [Label];

    fn deref(&self) -> &[Label] {
        self.0.as_ref().map_or(&[], |labels| labels)
    }
}

impl From<Vec<Label>> for Trail {
    fn from(labels: Vec<Label>) -> Self {
        Self((!labels.is_empty()).then(|| Arc::new(labels)))
    }
}

/// How a fact came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// It stands in a file or a probe.
    Read,
    /// Nobody set it; the program's default holds.
    Default,
    /// Worked out from other facts.
    Derived,
}

/// One thing that is known, absent or unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact<T> {
    /// The answer.
    pub answer: Answer<T>,
    /// Where it stands; `None` where only its row has a place.
    pub place: Option<Place>,
    /// How it came to be known.
    pub basis: Basis,
    /// Further places that led to it, in order, each with a few words.
    pub trail: Trail,
}

impl<T> Fact<T> {
    /// Read at `place`.
    pub fn read(value: T, place: Place) -> Self {
        Self { answer: Answer::Known(value), place: Some(place), basis: Basis::Read, trail: Trail::default() }
    }

    /// The program's default.
    pub fn default_of(value: T) -> Self {
        Self { answer: Answer::Known(value), place: None, basis: Basis::Default, trail: Trail::default() }
    }

    /// Worked out from other facts.
    pub fn derived(value: T) -> Self {
        Self { answer: Answer::Known(value), place: None, basis: Basis::Derived, trail: Trail::default() }
    }

    /// Not there, and the whole space was seen.
    pub fn absent() -> Self {
        Self { answer: Answer::Absent, place: None, basis: Basis::Derived, trail: Trail::default() }
    }

    /// Out of sight.
    pub fn unknown(missing: Missing) -> Self {
        Self { answer: Answer::Unknown(missing), place: None, basis: Basis::Derived, trail: Trail::default() }
    }

    /// The same fact, standing at `place`.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same fact, with one more place that led to it.
    #[must_use]
    pub fn via(mut self, place: Place, text: impl Into<String>) -> Self {
        self.trail.push(Label { place, text: text.into() });
        self
    }

    /// The value where it is known.
    pub fn known(&self) -> Option<&T> {
        match &self.answer {
            Answer::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it is out of sight.
    pub fn is_unknown(&self) -> bool {
        matches!(self.answer, Answer::Unknown(_))
    }

    /// Whether it was looked for everywhere and is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self.answer, Answer::Absent)
    }

    /// What is lacked, where it is out of sight.
    pub fn missing(&self) -> Option<&Missing> {
        match &self.answer {
            Answer::Unknown(missing) => Some(missing),
            _ => None,
        }
    }

    /// The answer without a copy of it.
    pub fn look(&self) -> Look<'_>
    where
        T: Value,
    {
        match &self.answer {
            Answer::Known(value) => value.look(),
            Answer::Absent => Look::Absent,
            Answer::Unknown(missing) => Look::Unknown(missing),
        }
    }

    /// The answer to what is worked out of the value, and needs nothing of it.
    pub fn look_by<U: Into<Look<'static>>>(&self, work: impl FnOnce(&T) -> U) -> Look<'_> {
        match &self.answer {
            Answer::Known(value) => work(value).into(),
            Answer::Absent => Look::Absent,
            Answer::Unknown(missing) => Look::Unknown(missing),
        }
    }

    /// The fact with its value changed, place and trail kept.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        let answer = self.answer.map_known(change);
        Fact { answer, place: self.place, basis: self.basis, trail: self.trail }
    }
}
