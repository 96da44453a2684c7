//! What is out of sight. Thousands of facts may lack the same thing, so it is two words long and cheap to copy.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// What is out of sight, and how it could be brought into sight.
#[derive(Debug, Clone)]
pub struct Missing(Words);

#[derive(Debug, Clone)]
enum Words {
    /// The same in every run.
    Fixed(&'static Lack),
    Told(Arc<Lack>),
}

/// The words of a [`Missing`].
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lack {
    /// The thing lacked, such as `the app's source`.
    pub what: Cow<'static, str>,
    /// How to get it, such as `name its folder: [app] path = "…" in housecall.toml`.
    pub how: Cow<'static, str>,
}

impl Lack {
    /// Words that stand in the program.
    pub const fn fixed(what: &'static str, how: &'static str) -> Self {
        Self { what: Cow::Borrowed(what), how: Cow::Borrowed(how) }
    }
}

impl Missing {
    /// `what` is out of sight; `how` to bring it into sight.
    pub fn new(what: impl Into<String>, how: impl Into<String>) -> Self {
        Self(Words::Told(Arc::new(Lack { what: Cow::Owned(what.into()), how: Cow::Owned(how.into()) })))
    }
}

impl Missing {
    /// Whether its words stand in the program, so that nothing of any file can be in them.
    pub fn is_fixed(&self) -> bool {
        matches!(self.0, Words::Fixed(_))
    }
}

impl From<&'static Lack> for Missing {
    fn from(lack: &'static Lack) -> Self {
        Self(Words::Fixed(lack))
    }
}

impl Deref for Missing {
    type Target = Lack;

    fn deref(&self) -> &Lack {
        match &self.0 {
            Words::Fixed(lack) => lack,
            Words::Told(lack) => lack,
        }
    }
}

impl PartialEq for Missing {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Missing {}

impl PartialOrd for Missing {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By words; most of those that are compared are one and the same.
impl Ord for Missing {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, other): (&Lack, &Lack) = (self, other);
        if std::ptr::eq(one, other) { Ordering::Equal } else { one.cmp(other) }
    }
}

impl Hash for Missing {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Lack::hash(self, state);
    }
}
