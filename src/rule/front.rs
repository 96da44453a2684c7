//! The front matter of a rule page as it is written: keys and their types, each value with its place.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use toml::Spanned;

use crate::finding::{Confidence, Effect, Safety, Severity};

/// All keys of a page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Front {
    pub title: Spanned<String>,
    pub severity: Severity,
    pub effect: Effect,
    pub confidence: Confidence,
    pub each: Option<Spanned<String>>,
    #[serde(default)]
    pub when: Terms,
    pub at: Option<Spanned<String>>,
    pub message: Option<Spanned<String>>,
    #[serde(default)]
    pub also: Vec<Also>,
    #[serde(default)]
    pub seen: Vec<String>,
    pub fix: Option<Spanned<Fix>>,
    #[serde(default)]
    pub see: Vec<String>,
    pub hop: Option<String>,
    #[serde(default)]
    pub by_log: bool,
    #[serde(default)]
    pub echo: bool,
    #[serde(default, rename = "case")]
    pub cases: Vec<Case>,
}

/// A further label.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Also {
    pub at: Spanned<String>,
    pub text: Spanned<String>,
}

/// The cure: words only, a new line after a fact's line, or another text in a fact's place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    pub title: Spanned<String>,
    pub safety: Option<Safety>,
    pub after: Option<Spanned<String>>,
    pub into: Option<Spanned<String>>,
    pub insert: Option<Spanned<String>>,
    pub replace: Option<Spanned<String>>,
    pub with: Option<Spanned<String>>,
}

/// One strength of the fault; what it leaves out is the page's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    #[serde(default)]
    pub when: Terms,
    pub severity: Option<Severity>,
    pub confidence: Option<Confidence>,
    pub at: Option<Spanned<String>>,
    pub message: Option<Spanned<String>>,
    pub also: Option<Vec<Also>>,
}

/// One condition or a list of them, each with its place.
#[derive(Debug, Default)]
pub struct Terms(pub Vec<(Range<usize>, String)>);

/// A condition alone has no place of its own: it is that of the whole value.
struct Bare(Vec<(Option<Range<usize>>, String)>);

impl<'de> Deserialize<'de> for Terms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bare = Spanned::<Bare>::deserialize(deserializer)?;
        let whole = bare.span();
        let terms = bare.into_inner().0.into_iter();
        Ok(Self(terms.map(|(span, term)| (span.unwrap_or_else(|| whole.clone()), term)).collect()))
    }
}

impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Bare;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a condition or a list of conditions")
            }

            fn visit_str<E>(self, term: &str) -> Result<Bare, E> {
                Ok(Bare(vec![(None, term.to_owned())]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bare, A::Error> {
                let mut terms = Vec::new();
                while let Some(term) = list.next_element::<Spanned<String>>()? {
                    terms.push((Some(term.span()), term.into_inner()));
                }
                Ok(Bare(terms))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}
