//! What an expression of the code comes to, worked out but for the variables of the environment in it.

use std::collections::BTreeMap;

use crate::source::Place;
use crate::stack::fact::Missing;

/// The keys of Django's table that say where a database is and who logs in. Another ENGINE is one for the same server: with
/// connections that are kept, or with types of geography.
const SAYS_WHERE: [&str; 5] = ["NAME", "USER", "PASSWORD", "HOST", "PORT"];

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text, or a number as it is written.
    Text(String),
    /// `None`
    Nothing,
    /// What the environment has under a name.
    Variable(Variable),
    /// Texts one after the other.
    Joined(Vec<Value>),
    /// The first unless it is empty or `None`, else the second.
    Either(Box<Value>, Box<Value>),
    /// A text with its special characters as `%` and their code.
    Encoded(Box<Value>),
    /// A text with a part replaced by another.
    Replaced(Box<Value>, String, String),
    /// `{'key': value}`
    Table(Table),
    /// The table that Django's helpers make of an address; `false` where its options are changed afterwards.
    Parsed(Box<Value>, bool),
    /// SQLAlchemy's address made of a table of its parts.
    Composed(Table),
    /// Out of sight.
    Unknown(Missing),
}

/// A variable that the code reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// The read.
    pub place: Place,
    /// What takes its place where it is not set; `None` where that is nothing, or an exception.
    pub unset: Option<Box<Value>>,
}

/// A value and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
}

/// A dictionary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    entries: BTreeMap<String, Placed>,
    /// Why it may have other entries, and those that are here other values, where it may.
    open: Option<Missing>,
}

impl Table {
    /// Its keys with their values.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Placed)> {
        self.entries.iter().map(|(key, placed)| (key.as_str(), placed))
    }

    /// Why it may have other entries, where it may.
    pub fn open(&self) -> Option<&Missing> {
        self.open.as_ref()
    }

    /// The value under a key: `None` where there is none.
    pub fn get(&self, key: &str) -> Option<Value> {
        let known = self.entries.get(key).map(|placed| placed.value.clone());
        known.or_else(|| self.open.clone().map(Value::Unknown))
    }

    /// Where the value under a key stands.
    pub fn place(&self, key: &str) -> Option<Place> {
        self.entries.get(key).map(|placed| placed.place)
    }

    /// Puts a value under a key.
    pub fn put(&mut self, key: &str, value: Value, place: Place) {
        self.entries.insert(key.to_owned(), Placed { value, place });
    }

    /// Takes in all of another table; what is under the same keys goes.
    pub fn merge(&mut self, other: Table) {
        if let Some(missing) = other.open {
            self.lose(missing);
        }
        self.entries.extend(other.entries);
    }

    /// Anything may be put into it.
    pub fn lose(&mut self, missing: Missing) {
        self.entries.values_mut().for_each(|placed| placed.value = Value::Unknown(missing.clone()));
        self.open = Some(missing);
    }

    /// Changes the value that a path of keys leads to, which is made where it is not there.
    pub fn change(&mut self, keys: &[String], place: Option<Place>, change: &dyn Fn(Option<Value>) -> Value) {
        let Some((first, rest)) = keys.split_first() else { return };
        let old = self.get(first);
        let new = match (rest, old) {
            ([], old) => change(old),
            (_, Some(Value::Table(mut inner))) => {
                inner.change(rest, place, change);
                Value::Table(inner)
            }
            (rest, Some(inner)) => inner.tuned(rest),
            (_, None) => Value::unknown("a table that is changed in the code"),
        };
        let old = self.place(first);
        let place = if rest.is_empty() { place.or(old) } else { old.or(place) };
        if let Some(place) = place {
            self.put(first, new, place);
        }
    }
}

impl Value {
    /// A value that only the running code has.
    pub fn unknown(what: &str) -> Self {
        Self::Unknown(Missing::new(what, "it is worked out when the app starts"))
    }

    /// The same with something changed inside it, at a path of keys.
    #[must_use]
    pub fn tuned(self, keys: &[String]) -> Self {
        match (self, keys.first().map(String::as_str)) {
            (Self::Unknown(missing), _) => Self::Unknown(missing),
            (Self::Parsed(address, _), Some("OPTIONS")) => Self::Parsed(address, false),
            (Self::Parsed(address, known), Some(key)) if !SAYS_WHERE.contains(&key) => Self::Parsed(address, known),
            (Self::Either(left, right), Some(_)) => {
                Self::Either(Box::new(left.tuned(keys)), Box::new(right.tuned(keys)))
            }
            (Self::Table(mut table), Some(_)) => {
                table.change(keys, None, &|_| Self::unknown("a table that is changed in the code"));
                Self::Table(table)
            }
            _ => Self::unknown("a table that is changed in the code"),
        }
    }

    /// Of how many values it is put together.
    pub fn size(&self) -> usize {
        let of_table = |table: &Table| table.entries().map(|(_, placed)| placed.value.size()).sum::<usize>();
        1 + match self {
            Self::Text(_) | Self::Nothing | Self::Unknown(_) => 0,
            Self::Variable(variable) => variable.unset.as_ref().map_or(0, |unset| unset.size()),
            Self::Joined(parts) => parts.iter().map(Self::size).sum(),
            Self::Either(left, right) => left.size() + right.size(),
            Self::Encoded(inner) | Self::Parsed(inner, _) | Self::Replaced(inner, ..) => inner.size(),
            Self::Table(table) | Self::Composed(table) => of_table(table),
        }
    }

    /// The table that it is, or why that is not known.
    pub fn table(self) -> Result<Table, Missing> {
        match self {
            Self::Table(table) => Ok(table),
            Self::Unknown(missing) => Err(missing),
            _ => Err(Missing::new("a table of the code", "it is worked out when the app starts")),
        }
    }
}
