//! Plain conditions beside minijinja: on any row both say the same, and lack the same.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use proptest::prelude::{any as arbitrary, prop_assert_eq, proptest};

use super::*;
use crate::rule::expr::{Subject, Term};
use crate::rule::page;
use crate::source::{Origin, Place, Sources};
use crate::stack::fact::{Answer, Fact, Leaf, Table};
use crate::stack::link::{Link, PassLink};
use crate::stack::uwsgi::Uwsgi;

/// A row of any table, with any answers.
#[derive(Debug)]
struct Fake {
    schema: &'static Schema,
    answers: Vec<Answer<Leaf>>,
    place: Place,
    confidence: Confidence,
}

impl Row for Fake {
    fn schema(&self) -> &'static Schema {
        self.schema
    }
    fn fact(&self, name: &str) -> Option<Fact<Leaf>> {
        let at = self.schema.columns.iter().position(|column| column.name == name)?;
        Some(Fact { answer: self.answers[at].clone(), ..Fact::absent() })
    }
    fn look(&self, column: usize) -> Option<Look<'_>> {
        Some(match self.answers.get(column)? {
            Answer::Known(Leaf::Bool(value)) => Look::Bool(*value),
            Answer::Known(Leaf::Int(value)) => Look::Int(*value),
            Answer::Known(Leaf::Text(value)) => Look::Text(value),
            Answer::Known(Leaf::List(value)) => Look::List(value),
            Answer::Known(Leaf::Row(row)) => Look::Row(row.as_ref()),
            Answer::Absent => Look::Absent,
            Answer::Unknown(missing) => Look::Unknown(missing),
        })
    }
    fn place(&self) -> Place {
        self.place
    }
    fn key(&self) -> &str {
        ""
    }
    fn confidence(&self) -> Confidence {
        self.confidence
    }
}

/// A row of `schema` whose answers follow from `seed`; rows inside rows up to a depth.
fn fake(schema: &'static Schema, seed: &mut dyn Iterator<Item = u8>, depth: usize) -> Arc<dyn Row> {
    let place = Place::whole(Sources::default().add("a", Vec::new(), Origin::File));
    let answer = |column: &crate::stack::fact::Column, seed: &mut dyn Iterator<Item = u8>| {
        let turn = seed.next().unwrap_or(0);
        let texts = ["", "denied", "uwsgi", "tcp.refused", "/run/a.sock"];
        match (turn % 4, column.kind) {
            (0, _) => Answer::Absent,
            (1, _) => Answer::Unknown(Missing::new(column.name, "ask")),
            (_, Type::Bool) => Answer::Known(Leaf::Bool(turn % 8 > 3)),
            (_, Type::Int) => Answer::Known(Leaf::Int(i64::from(turn / 4) - 2)),
            (_, Type::Text) => Answer::Known(Leaf::Text(texts[usize::from(turn / 4) % texts.len()].to_owned())),
            (_, Type::List) => Answer::Known(Leaf::List(vec!["x".to_owned(); usize::from(turn / 4) % 2])),
            (_, Type::Row(_)) if depth == 0 => Answer::Absent,
            (_, Type::Row(table)) => Answer::Known(Leaf::Row(fake(schema::table(table).unwrap(), seed, depth - 1))),
        }
    };
    let answers = schema.columns.iter().map(|column| answer(column, seed)).collect();
    let confidence = [Confidence::Possible, Confidence::Likely, Confidence::Proved][depth % 3];
    Arc::new(Fake { schema, answers, place, confidence })
}

/// The conditions of every page that need no interpreter, and some that no page has, each with its table.
fn conditions() -> Vec<(&'static Schema, String)> {
    let pages = page::built_in().unwrap();
    let terms = pages.iter().filter_map(|page| Some((page, page.each.as_ref()?.schema)));
    let mut all: Vec<(&'static Schema, String)> = terms
        .flat_map(|(page, schema)| {
            let terms = page.when.iter().chain(page.cases.iter().flat_map(|case| &case.when));
            terms.map(move |term| (schema, term.source().to_owned()))
        })
        .collect();
    for own in [
        "not it.workers <= 3 and it.master or it.uid == 'uwsgi'",
        "not not it.master",
        "it.workers < 2 or not it.uid in ['uwsgi', \"denied\"]",
        "it.uid not in ['uwsgi'] and it.uid is not none",
        "it.workers >= it.harakiri",
        "it.workers != it.harakiri",
        "it.uid != it.gid",
        "it.master == true or it.lazy_apps != false",
        "it.master == it.lazy_apps",
        "it.pythonpath",
    ] {
        all.push((Box::leak(Box::new(Uwsgi::SCHEMA)), own.to_owned()));
    }
    all.retain(|(schema, source)| Plain::parse(source, schema).is_some());
    all
}

#[test]
fn most_conditions_are_plain_and_others_are_left_to_minijinja() {
    let plain = |source: &str| Plain::parse(source, schema::table("links").unwrap()).is_some();
    assert!(conditions().len() > 60, "{}", conditions().len());
    assert!(plain("it.uwsgi.workers > 1") && plain(" not it.app.path "));
    for other in [
        "it.uwsgi.module | length > 3",
        "it.uwsgi.module is startingwith('/')",
        "it.uwsgi.module == 'a' 'b'",
        "(it.uwsgi.workers)",
        "it.uwsgi.workers + 1 > 2",
        "it.uwsgi.workers > 1.5",
        "it.uwsgi.workers > 'a'",
        "it.uwsgi.module > 'a'",
        "it.uwsgi is none",
        "it.uwsgi.worker > 1",
        "it.uwsgi.module == 'it\\'s'",
        "it.uwsgi.module.x",
        "1 < it.uwsgi.workers",
        "it",
        "nothing",
        "",
    ] {
        assert!(!plain(other), "{other}");
    }
}

proptest! {
    #[test]
    fn both_say_the_same(seed in proptest::collection::vec(arbitrary::<u8>(), 400)) {
        for (schema, source) in conditions() {
            let row = fake(schema, &mut seed.iter().copied().cycle(), 2);
            let (by_plain, by_interpreter) = (Subject::new(&row), Subject::new(&row));
            let verdict = Term::parse(&source, schema).unwrap().verdict(&by_plain);
            let expected = Term::interpreted(&source, schema).unwrap().verdict(&by_interpreter);
            prop_assert_eq!(&verdict, &expected, "{} of {:?}", source, row);
            prop_assert_eq!(by_plain.confidence(), by_interpreter.confidence(), "{} of {:?}", source, row);
        }
    }
}

#[test]
fn every_table_looks_at_its_own_columns() {
    let place = Place::whole(Sources::default().add("a", Vec::new(), Origin::File));
    let row = PassLink { listened: Fact::derived(true), connects: Fact::absent(), ..PassLink::at(place) };
    let path = Path::resolve("it.listened", schema::table("pass_links").unwrap()).unwrap();
    let mut met = Met { missing: Vec::new(), confidence: Confidence::Proved };
    assert_eq!(path.follow(&row, &mut met, bool), Some(Some(true)));
    let link = Link::at(place);
    assert!(link.look(0).is_some() && link.look(Link::SCHEMA.columns.len()).is_none());
}
