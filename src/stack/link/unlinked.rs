//! Passes of a tree in which nothing is uWSGI's: thousands of links that differ in their pass alone, and share all the rest.

use std::sync::Arc;

use super::{NO_UWSGI, PassLink};
use crate::finding::Confidence;
use crate::source::Place;
use crate::stack::fact::{Fact, Leaf, Look, Row, Schema, Table};
use crate::stack::nginx::Pass;

/// A row of `pass_links` whose socket is out of sight because every one is.
#[derive(Debug)]
pub struct Unlinked {
    pass: Arc<Pass>,
    others: Arc<PassLink>,
}

/// The fact that is each row's own, by its name and its number among the columns.
const OWN: (&str, usize) = ("pass", 0);

impl Unlinked {
    /// The rows of `passes`.
    pub fn all(passes: &[Arc<Pass>]) -> impl Iterator<Item = Arc<dyn Row>> {
        let others = passes.first().map(|first| {
            Arc::new(PassLink {
                socket: Fact::unknown((&NO_UWSGI).into()),
                other_socket: Fact::unknown((&NO_UWSGI).into()),
                instance: Fact::unknown((&NO_UWSGI).into()),
                job: Fact::unknown((&NO_UWSGI).into()),
                shut_out: Fact::unknown((&NO_UWSGI).into()),
                confidence: Confidence::Possible,
                ..PassLink::of_files(first)
            })
        });
        let row = |(pass, others): (&Arc<Pass>, Arc<PassLink>)| -> Arc<dyn Row> {
            Arc::new(Self { pass: Arc::clone(pass), others })
        };
        passes.iter().zip(others.into_iter().cycle()).map(row)
    }
}

impl Row for Unlinked {
    fn schema(&self) -> &'static Schema {
        &PassLink::SCHEMA
    }

    fn fact(&self, name: &str) -> Option<Fact<Leaf>> {
        if name == OWN.0 {
            return Some(Fact::derived(Leaf::Row(Arc::clone(&self.pass) as _)).at(self.pass.place));
        }
        self.others.fact(name)
    }

    fn look(&self, column: usize) -> Option<Look<'_>> {
        if column == OWN.1 { Some(Look::Row(self.pass.as_ref())) } else { self.others.look(column) }
    }

    fn place(&self) -> Place {
        self.pass.place
    }

    fn key(&self) -> &str {
        &self.pass.key
    }

    fn confidence(&self) -> Confidence {
        self.others.confidence
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Surroundings, pass_links};
    use super::*;
    use crate::source::{Origin, Sources};

    #[test]
    fn they_say_what_links_without_any_socket_say() {
        let mut sources = Sources::default();
        let pass = |(file, key): (&str, &str)| {
            let place = Place::whole(sources.add(file, Vec::new(), Origin::File));
            Arc::new(Pass { key: key.into(), address: Fact::derived("/run/a.sock".to_owned()), ..Pass::at(place) })
        };
        let passes: Vec<Arc<Pass>> = [("a.conf", "uwsgi_pass"), ("b.conf", "proxy_pass")].map(pass).into();
        let mut linked = pass_links(&passes, &[], Surroundings::default());
        // These two are judged by the instance behind the socket, which is out of sight with it.
        for link in linked.iter_mut().map(Arc::make_mut) {
            (link.job, link.shut_out) = (Fact::unknown((&NO_UWSGI).into()), Fact::unknown((&NO_UWSGI).into()));
        }
        let unlinked: Vec<Arc<dyn Row>> = Unlinked::all(&passes).collect();
        assert_eq!(unlinked.len(), linked.len());
        for (row, link) in unlinked.iter().zip(&linked) {
            assert_eq!((row.key(), row.place(), row.confidence()), (link.key(), link.place(), link.confidence()));
            for (at, column) in PassLink::SCHEMA.columns.iter().enumerate() {
                assert_eq!(format!("{:?}", row.look(at)), format!("{:?}", link.look(at)), "{}", column.name);
                assert_eq!(format!("{:?}", row.fact(column.name)), format!("{:?}", link.fact(column.name)));
            }
        }
        assert!(unlinked[0].look(PassLink::SCHEMA.columns.len()).is_none() && Unlinked::all(&[]).next().is_none());
    }
}
