//! A fact is known, absent or unknown, and says where it was read; a row is a group of facts about one thing.
//! Rows are declared once, with [`rows!`](crate::rows): the struct, its documentation and the schema that rule pages are checked against.

use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;

use crate::finding::{Confidence, Label};
use crate::source::Place;

pub use crate::finding::{Lack, Missing};

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

    /// The fact with its value changed, place and trail kept.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        let answer = self.answer.map_known(change);
        Fact { answer, place: self.place, basis: self.basis, trail: self.trail }
    }
}

/// The type of a fact, as rule pages see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// true or false
    Bool,
    /// a whole number
    Int,
    /// text
    Text,
    /// a list of texts
    List,
    /// a row of the table with this name
    Row(&'static str),
}

/// One fact as rule pages see it: plain, or another row.
#[derive(Debug, Clone)]
pub enum Leaf {
    /// true or false
    Bool(bool),
    /// a whole number
    Int(i64),
    /// text
    Text(String),
    /// a list of texts
    List(Vec<String>),
    /// another row
    Row(Arc<dyn Row>),
}

/// The answer of a fact without a copy of it, for conditions that are asked of every row.
#[derive(Debug, Clone, Copy)]
pub enum Look<'r> {
    /// true or false
    Bool(bool),
    /// a whole number
    Int(i64),
    /// text
    Text(&'r str),
    /// a list of texts
    List(&'r [String]),
    /// another row
    Row(&'r dyn Row),
    /// not there
    Absent,
    /// out of sight
    Unknown(&'r Missing),
}

/// What may be the value of a fact.
pub trait Value: Clone {
    /// Its type for the schema.
    const TYPE: Type;
    /// The value for an expression.
    fn leaf(&self) -> Leaf;
    /// The same without a copy.
    fn look(&self) -> Look<'_>;
}

impl Value for bool {
    const TYPE: Type = Type::Bool;
    fn leaf(&self) -> Leaf {
        Leaf::Bool(*self)
    }
    fn look(&self) -> Look<'_> {
        Look::Bool(*self)
    }
}

impl Value for i64 {
    const TYPE: Type = Type::Int;
    fn leaf(&self) -> Leaf {
        Leaf::Int(*self)
    }
    fn look(&self) -> Look<'_> {
        Look::Int(*self)
    }
}

impl Value for String {
    const TYPE: Type = Type::Text;
    fn leaf(&self) -> Leaf {
        Leaf::Text(self.clone())
    }
    fn look(&self) -> Look<'_> {
        Look::Text(self)
    }
}

impl Value for Vec<String> {
    const TYPE: Type = Type::List;
    fn leaf(&self) -> Leaf {
        Leaf::List(self.clone())
    }
    fn look(&self) -> Look<'_> {
        Look::List(self)
    }
}

/// A text that stands in the program.
impl Value for &'static str {
    const TYPE: Type = Type::Text;
    fn leaf(&self) -> Leaf {
        Leaf::Text((*self).to_owned())
    }
    fn look(&self) -> Look<'_> {
        Look::Text(self)
    }
}

/// A text that many rows share.
impl Value for Arc<str> {
    const TYPE: Type = Type::Text;
    fn leaf(&self) -> Leaf {
        Leaf::Text(self.as_ref().to_owned())
    }
    fn look(&self) -> Look<'_> {
        Look::Text(self)
    }
}

/// A list that many rows share.
impl Value for Arc<[String]> {
    const TYPE: Type = Type::List;
    fn leaf(&self) -> Leaf {
        Leaf::List(self.to_vec())
    }
    fn look(&self) -> Look<'_> {
        Look::List(self)
    }
}

impl<R: Table + 'static> Value for Arc<R> {
    const TYPE: Type = Type::Row(R::NAME);
    fn leaf(&self) -> Leaf {
        Leaf::Row(Arc::clone(self) as Arc<dyn Row>)
    }
    fn look(&self) -> Look<'_> {
        Look::Row(self.as_ref())
    }
}

/// One column of a table, declared by [`rows!`](crate::rows).
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The fact's name in expressions.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// One line of words.
    pub doc: &'static str,
}

/// The declaration of a table.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The table's name in `each = "…"`.
    pub table: &'static str,
    /// One line of words.
    pub doc: &'static str,
    /// Its facts.
    pub columns: &'static [Column],
}

/// A row whose type is known at compile time.
pub trait Table: Row {
    /// The table's name.
    const NAME: &'static str;
    /// The declaration.
    const SCHEMA: Schema;
}

/// One item a rule can run over.
pub trait Row: Debug + Send + Sync {
    /// The declaration of its table.
    fn schema(&self) -> &'static Schema;
    /// A fact by name; `None` where the table declares no such fact.
    fn fact(&self, name: &str) -> Option<Fact<Leaf>>;
    /// The answer of a fact by its number among the columns of the schema; `None` past the last one.
    fn look(&self, column: usize) -> Option<Look<'_>>;
    /// The item itself: where a default or absent fact of it is shown.
    fn place(&self) -> Place;
    /// What `each = "table[key]"` selects on.
    fn key(&self) -> &str;
    /// How sure the weakest link is that this row was made with.
    fn confidence(&self) -> Confidence;
}

/// Declares tables: `rows! { /// words  pub struct Job in "jobs" { /// words  exec: String, } }`.
///
/// Each field becomes a [`Fact`] that starts as unknown, so a fact that nobody works out is never taken for absent.
#[macro_export]
macro_rules! rows {
    ($(
        #[doc = $doc:literal]
        pub struct $name:ident in $table:literal {
            $( #[doc = $field_doc:literal] $field:ident: $type:ty, )*
        }
    )*) => { $(
        #[doc = $doc]
        #[derive(Debug, Clone)]
        pub struct $name {
            /// The item itself.
            pub place: $crate::source::Place,
            /// What `each = "table[key]"` selects on.
            pub key: String,
            /// How sure the weakest link is that it was made with.
            pub confidence: $crate::finding::Confidence,
            $( #[doc = $field_doc] pub $field: $crate::stack::fact::Fact<$type>, )*
        }

        impl $name {
            /// The row at `place`, with every fact still unknown.
            pub fn at(place: $crate::source::Place) -> Self {
                Self {
                    place,
                    key: String::new(),
                    confidence: $crate::finding::Confidence::Proved,
                    $( $field: {
                        static UNREAD: $crate::stack::fact::Lack = $crate::stack::fact::Lack::fixed(
                            concat!($table, ".", stringify!($field)), "this version does not read it here");
                        $crate::stack::fact::Fact::unknown((&UNREAD).into())
                    }, )*
                }
            }
        }

        impl $crate::stack::fact::Table for $name {
            const NAME: &'static str = $table;
            const SCHEMA: $crate::stack::fact::Schema = $crate::stack::fact::Schema {
                table: $table,
                doc: $doc,
                columns: &[ $( $crate::stack::fact::Column {
                    name: stringify!($field),
                    kind: <$type as $crate::stack::fact::Value>::TYPE,
                    doc: $field_doc,
                }, )* ],
            };
        }

        impl $crate::stack::fact::Row for $name {
            fn schema(&self) -> &'static $crate::stack::fact::Schema {
                &<Self as $crate::stack::fact::Table>::SCHEMA
            }
            fn fact(&self, name: &str) -> Option<$crate::stack::fact::Fact<$crate::stack::fact::Leaf>> {
                match name {
                    $( stringify!($field) => Some(self.$field.clone().map(|value| $crate::stack::fact::Value::leaf(&value))), )*
                    _ => None,
                }
            }
            fn look(&self, column: usize) -> Option<$crate::stack::fact::Look<'_>> {
                const LOOKS: &[fn(&$name) -> $crate::stack::fact::Look<'_>] = &[ $( |row| row.$field.look(), )* ];
                LOOKS.get(column).map(|look| look(self))
            }
            fn place(&self) -> $crate::source::Place {
                self.place
            }
            fn key(&self) -> &str {
                &self.key
            }
            fn confidence(&self) -> $crate::finding::Confidence {
                self.confidence
            }
        }
    )* };
}
