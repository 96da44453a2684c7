//! The blocks of an nginx configuration that directives may stand in.

use std::ops::{BitAnd, BitOr};

/// A set of the blocks that a directive may stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Contexts(u16);

/// The contexts with the words for them, in the order in which they are named.
const CONTEXTS: [(&str, Contexts, &str); 14] = [
    ("main", Contexts::MAIN, "outside every block"),
    ("events", Contexts::EVENTS, "in `events`"),
    ("http", Contexts::HTTP, "in `http`"),
    ("server", Contexts::SERVER, "in `server`"),
    ("location", Contexts::LOCATION, "in `location`"),
    ("if-in-server", Contexts::IF_IN_SERVER, "in an `if` of a server"),
    ("if-in-location", Contexts::IF_IN_LOCATION, "in an `if` of a location"),
    ("limit_except", Contexts::LIMIT_EXCEPT, "in `limit_except`"),
    ("upstream", Contexts::UPSTREAM, "in `upstream`"),
    ("stream", Contexts::STREAM, "in `stream`"),
    ("stream-server", Contexts::STREAM_SERVER, "in a `server` of `stream`"),
    ("stream-upstream", Contexts::STREAM_UPSTREAM, "in an `upstream` of `stream`"),
    ("mail", Contexts::MAIL, "in `mail`"),
    ("mail-server", Contexts::MAIL_SERVER, "in a `server` of `mail`"),
];

impl Contexts {
    /// No context at all.
    pub const NONE: Self = Self(0);
    /// Outside every block of the main file.
    pub const MAIN: Self = Self(1);
    /// `events`.
    pub const EVENTS: Self = Self(1 << 1);
    /// `http`.
    pub const HTTP: Self = Self(1 << 2);
    /// `server` in `http`.
    pub const SERVER: Self = Self(1 << 3);
    /// `location`.
    pub const LOCATION: Self = Self(1 << 4);
    /// `if` in `server`.
    pub const IF_IN_SERVER: Self = Self(1 << 5);
    /// `if` in `location`.
    pub const IF_IN_LOCATION: Self = Self(1 << 6);
    /// `limit_except`.
    pub const LIMIT_EXCEPT: Self = Self(1 << 7);
    /// `upstream` in `http`.
    pub const UPSTREAM: Self = Self(1 << 8);
    /// `stream`.
    pub const STREAM: Self = Self(1 << 9);
    /// `server` in `stream`.
    pub const STREAM_SERVER: Self = Self(1 << 10);
    /// `upstream` in `stream`.
    pub const STREAM_UPSTREAM: Self = Self(1 << 11);
    /// `mail`.
    pub const MAIL: Self = Self(1 << 12);
    /// `server` in `mail`.
    pub const MAIL_SERVER: Self = Self(1 << 13);
    /// Every context.
    pub const ANY: Self = Self((1 << 14) - 1);

    /// The context of a name, or of `any`.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "any" => Some(Self::ANY),
            name => CONTEXTS.iter().find(|(known, _, _)| *known == name).map(|(_, context, _)| *context),
        }
    }

    /// Whether it is the empty set.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether the two sets have a context in common.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The contexts one by one.
    pub fn each(self) -> impl Iterator<Item = Self> {
        CONTEXTS.iter().map(|(_, context, _)| *context).filter(move |context| self.meets(*context))
    }

    /// Where that is, in words: "in `http` or in `server`".
    pub fn words(self) -> String {
        let words: Vec<&str> =
            CONTEXTS.iter().filter(|(_, context, _)| self.meets(*context)).map(|(_, _, words)| *words).collect();
        match words.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }

    /// What stands in the block that a directive of this name opens in one of these contexts (`ngx_conf_parse` with another
    /// `cmd_type`); none where the block holds data or is not known.
    pub fn inside(self, name: &str) -> Self {
        let opened = |outer: Self, inner: Self| if self.meets(outer) { inner } else { Self::NONE };
        match name {
            "events" => opened(Self::MAIN, Self::EVENTS),
            "http" => opened(Self::MAIN, Self::HTTP),
            "stream" => opened(Self::MAIN, Self::STREAM),
            "mail" => opened(Self::MAIN, Self::MAIL),
            "server" => {
                opened(Self::HTTP, Self::SERVER)
                    | opened(Self::STREAM, Self::STREAM_SERVER)
                    | opened(Self::MAIL, Self::MAIL_SERVER)
            }
            "upstream" => opened(Self::HTTP, Self::UPSTREAM) | opened(Self::STREAM, Self::STREAM_UPSTREAM),
            "location" => opened(Self::SERVER | Self::LOCATION, Self::LOCATION),
            "if" => opened(Self::SERVER, Self::IF_IN_SERVER) | opened(Self::LOCATION, Self::IF_IN_LOCATION),
            "limit_except" => opened(Self::LOCATION, Self::LIMIT_EXCEPT),
            _ => Self::NONE,
        }
    }
}

impl BitOr for Contexts {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Contexts {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_in_words() {
        assert_eq!(Contexts::HTTP.words(), "in `http`");
        assert_eq!((Contexts::HTTP | Contexts::SERVER).words(), "in `http` or in `server`");
        assert_eq!((Contexts::HTTP | Contexts::STREAM).inside("server"), Contexts::SERVER | Contexts::STREAM_SERVER);
        assert_eq!(Contexts::HTTP.inside("location"), Contexts::NONE);
    }
}
