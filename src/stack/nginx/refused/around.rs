//! What stands around a statement, as far as it decides what nginx takes there.

use crate::stack::nginx::location::Matching;
use crate::syntax::data::nginx::Contexts;

/// The blocks a statement may stand in, and what kind of location the nearest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Around {
    /// One context; several for a fragment that fits more than one.
    pub contexts: Contexts,
    /// The nearest location.
    pub location: LocationKind,
}

/// The kind of a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum LocationKind {
    /// None, or out of sight.
    Unknown,
    /// `location /a`, `location ^~ /a`.
    Prefix,
    /// `location = /a`.
    Exact,
    /// `location ~ a`.
    Regex,
    /// `location @a`.
    Named,
    /// `if` in a location, `limit_except`.
    Nameless,
}

impl From<Matching> for LocationKind {
    fn from(matching: Matching) -> Self {
        match matching {
            Matching::Exact => Self::Exact,
            Matching::Prefix { .. } => Self::Prefix,
            Matching::Regex { .. } => Self::Regex,
            Matching::Named => Self::Named,
        }
    }
}

impl Around {
    /// In these contexts, no location being known.
    pub fn of(contexts: Contexts) -> Self {
        Self { contexts, location: LocationKind::Unknown }
    }
}
