//! Fact paths such as `it.uwsgi.workers`: which place a page points at.

use std::sync::Arc;

use crate::rule::schema;
use crate::source::Place;
use crate::stack::fact::{Answer, Leaf, Row, Schema, Trail};

/// A checked path from a row to one of its facts, or to the row itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactPath {
    steps: Vec<String>,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where the fact stands; a default or absent one is shown at the row that owns it.
    pub place: Place,
    /// The places that led to it.
    pub trail: Trail,
    /// Whether the path led all the way: every row on it is there, and the fact is not unknown.
    pub reached: bool,
    /// Whether the fact at its end is absent: its place is then its owner's, of which there is nothing to say.
    pub absent: bool,
}

impl FactPath {
    /// The path to the row itself.
    pub fn row() -> Self {
        Self { steps: Vec::new() }
    }

    /// Checks a path for rows of `schema`.
    ///
    /// # Errors
    /// Says which step leads nowhere.
    pub fn parse(source: &str, schema: &'static Schema) -> Result<Self, String> {
        schema::type_of(schema, source)?;
        Ok(Self { steps: source.split('.').skip(1).map(str::to_owned).collect() })
    }

    /// Follows the path from `row` as far as it leads.
    pub fn follow(&self, row: &Arc<dyn Row>) -> Target {
        let mut owner = Arc::clone(row);
        let mut target = Target { place: owner.place(), trail: Trail::default(), reached: true, absent: false };
        for (at, step) in self.steps.iter().enumerate() {
            let last = at + 1 == self.steps.len();
            let Some(fact) = owner.fact(step) else { return Target { reached: false, ..target } };
            if last {
                target.place = fact.place.unwrap_or(target.place);
                target.trail = fact.trail;
            }
            match fact.answer {
                Answer::Known(Leaf::Row(next)) => {
                    owner = next;
                    if !last || fact.place.is_none() {
                        target.place = owner.place();
                    }
                }
                Answer::Known(_) => {}
                Answer::Absent => {
                    target.reached = last;
                    target.absent = true;
                }
                Answer::Unknown(_) => target.reached = false,
            }
            if !target.reached {
                return target;
            }
        }
        target
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::{Origin, Sources, Span};
    use crate::stack::fact::{Fact, Missing, Table};
    use crate::stack::link::Link;
    use crate::stack::uwsgi::Uwsgi;

    #[test]
    fn a_default_is_shown_at_its_owner_and_a_missing_row_is_not_reached() {
        let file = Sources::default().add("a", b"0123456789".to_vec(), Origin::File);
        let place = |start| Place::at(file, Span::new(start, start + 1));
        let uwsgi = Uwsgi {
            workers: Fact::default_of(1),
            master: Fact::read(true, place(3)).via(place(4), "from here"),
            uid: Fact::absent(),
            gid: Fact::unknown(Missing::new("", "")),
            ..Uwsgi::at(place(2))
        };
        let link: Arc<dyn Row> =
            Arc::new(Link { uwsgi: Fact::derived(Arc::new(uwsgi)), app: Fact::absent(), ..Link::at(place(1)) });
        let follow = |path: &str| FactPath::parse(path, &Link::SCHEMA).unwrap().follow(&link);
        assert_eq!((follow("it").place, follow("it").reached), (place(1), true));
        assert_eq!(follow("it.uwsgi").place, place(2));
        assert_eq!((follow("it.uwsgi.workers").place, follow("it.uwsgi.workers").reached), (place(2), true));
        assert_eq!((follow("it.uwsgi.master").place, follow("it.uwsgi.master").trail.len()), (place(3), 1));
        assert_eq!((follow("it.uwsgi.uid").place, follow("it.uwsgi.uid").reached), (place(2), true));
        assert!(follow("it.uwsgi.uid").absent && !follow("it.uwsgi.workers").absent);
        assert!(!follow("it.uwsgi.gid").reached);
        assert_eq!((follow("it.app.path").place, follow("it.app.path").reached), (place(1), false));
    }
}
