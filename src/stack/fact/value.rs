//! The values that facts may have, and how rule pages see them.

use std::sync::Arc;

use super::{Missing, Row, Table};

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

impl From<bool> for Look<'static> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&'static str> for Look<'static> {
    fn from(value: &'static str) -> Self {
        Self::Text(value)
    }
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
