//! What a value of the code comes to in the process as it is started: the variables in it are those that the process has.

use std::ops::Range;

use crate::finding::Confidence;
use crate::source::Place;
use crate::stack::app::value::{Value, Variable};
use crate::stack::env::{EnvRead, Layers};
use crate::stack::fact::{Answer, Missing};
use crate::syntax::erb::FILLER;

/// The longest address that is put together, in bytes; people's have some dozens.
const LONGEST: usize = 4 << 10;

/// A text as far as it is known.
#[derive(Debug, Clone)]
pub struct Known {
    /// The text, [`FILLER`] standing for what is out of sight; absent where the value is `None`.
    pub text: Option<String>,
    /// What is out of sight, where something is.
    pub missing: Option<Missing>,
    /// The variables in it, in order.
    pub given: Vec<Given>,
    /// How sure it is that the process has these.
    pub sure: Confidence,
}

/// A variable with the line that gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Its name.
    pub name: String,
    /// The line that gives it, or the default that takes its place.
    pub line: Place,
    /// Where the app takes it.
    pub read: Place,
    /// The bytes of the text that it gives.
    pub span: Range<usize>,
}

impl Given {
    fn shifted(self, by: usize) -> Self {
        Self { span: self.span.start + by..self.span.end + by, ..self }
    }
}

impl Known {
    fn of(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), missing: None, given: Vec::new(), sure: Confidence::Proved }
    }

    fn nothing() -> Self {
        Self { text: None, ..Self::of("") }
    }

    fn unknown(missing: Missing) -> Self {
        Self { missing: Some(missing), ..Self::of(FILLER.to_string()) }
    }

    /// The same with another text, of which any byte may come from any variable in it.
    fn map(self, change: impl FnOnce(String) -> String) -> Self {
        let text = self.text.map(change);
        let length = text.as_ref().map_or(0, String::len);
        let given = self.given.into_iter().map(|given| Given { span: 0..length, ..given }).collect();
        Self { text, given, ..self }.bounded()
    }

    fn bounded(self) -> Self {
        match &self.text {
            Some(text) if text.len() > LONGEST => {
                Self::unknown(Missing::new("a text of more than 4 KiB", "it is no address"))
            }
            _ => self,
        }
    }

    /// Whether all of it is known, and it is a text with something in it.
    fn is_said(&self) -> bool {
        self.missing.is_none() && self.text.as_ref().is_some_and(|text| !text.is_empty())
    }
}

/// A process by what it has in its environment and what its app reads of it.
#[derive(Debug, Clone, Copy)]
pub struct Process<'a> {
    /// The app's reads.
    pub reads: &'a [EnvRead],
    /// What gives it variables.
    pub layers: &'a Layers,
}

impl Process<'_> {
    /// What a value comes to.
    pub fn known(&self, value: &Value) -> Known {
        match value {
            Value::Text(text) => Known::of(text.clone()),
            Value::Nothing => Known::nothing(),
            Value::Variable(variable) => self.variable(variable),
            Value::Joined(parts) => parts.iter().map(|part| self.known(part)).fold(Known::of(""), joined),
            Value::Either(left, right) => {
                let left = self.known(left);
                if left.missing.is_some() || left.is_said() { left } else { self.known(right) }
            }
            Value::Encoded(inner) => self.known(inner).map(|text| encoded(&text)),
            Value::Replaced(inner, from, to) if !from.is_empty() => {
                self.known(inner).map(|text| text.replace(from, to))
            }
            Value::Parsed(inner, _) => self.known(inner),
            Value::Unknown(missing) => Known::unknown(missing.clone()),
            Value::Replaced(..) | Value::Table(_) | Value::Composed(_) => {
                Known::unknown(Missing::new("what the code makes of a table", "it is worked out when the app starts"))
            }
        }
    }

    fn variable(&self, variable: &Variable) -> Known {
        let Variable { name, place, unset } = variable;
        let read = self.reads.iter().find(|read| read.place == *place && read.name.known() == Some(name));
        let sure = read.map_or(self.layers.sure, |read| read.confidence);
        if let Some(given) = self.layers.line(name) {
            let line = given.value.place.unwrap_or(given.place);
            let known = match &given.value.answer {
                Answer::Known(value) => Known::of(value.clone()),
                Answer::Absent => Known::of(""),
                Answer::Unknown(missing) => Known::unknown(missing.clone()),
            };
            let span = 0..known.text.as_ref().map_or(0, String::len);
            let given_by = Given { name: name.clone(), line, read: *place, span };
            return Known { given: vec![given_by], sure: sure.min(given.confidence), ..known };
        }
        let provided = read.map_or_else(|| self.layers.provided(name), |read| read.provided.clone());
        let set_by_code = unset.is_none() && read.is_some_and(|read| read.has_default.known() == Some(&true));
        match (&provided.answer, unset) {
            (Answer::Known(false), Some(unset)) => {
                let line = read.and_then(|read| read.default_text.place).unwrap_or(*place);
                let known = self.known(unset);
                let span = 0..known.text.as_ref().map_or(0, String::len);
                let own = Given { name: name.clone(), line, read: *place, span };
                Known {
                    given: std::iter::once(own).chain(known.given.clone()).collect(),
                    sure: sure.min(known.sure),
                    ..known
                }
            }
            (Answer::Known(false), None) if !set_by_code => Known { sure, ..Known::nothing() },
            (Answer::Unknown(missing), _) => Known::unknown(missing.clone()),
            _ => Known::unknown(Missing::new(format!("the value of {name}"), "look at what gives it to the process")),
        }
    }
}

/// Two texts one after the other. A `None` among them becomes a word that nobody means.
fn joined(left: Known, right: Known) -> Known {
    let nothing = || Missing::new("a value that is None and is put into a text", "give the variable it comes from");
    let missing = left.missing.or(right.missing).or_else(|| right.text.is_none().then(nothing));
    let mut text = left.text.unwrap_or_default();
    let shifted = right.given.into_iter().map(|given| given.shifted(text.len()));
    let given = left.given.into_iter().chain(shifted).collect();
    text += &right.text.unwrap_or_else(|| FILLER.to_string());
    Known { text: Some(text), missing, given, sure: left.sure.min(right.sure) }.bounded()
}

/// A text as an address needs it; what is out of sight stays so.
fn encoded(text: &str) -> String {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'~') || byte == FILLER as u8;
    let one = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}
