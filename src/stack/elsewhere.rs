//! Variables that are written down for one process and asked for by another: of other jobs, and of files that nobody reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::finding::Confidence;
use crate::source::{FileId, Place};
use crate::stack::document::Kind;
use crate::stack::env::EnvValue;
use crate::stack::start::Start;
use crate::stack::variables::{self, Reader};
use crate::stack::view::View;

/// All that jobs and files of a stack give, by name. It is worked out once for all processes: each of thousands of jobs may
/// have variables that are no other's.
#[derive(Debug, Default)]
pub struct Elsewhere {
    by_name: BTreeMap<String, Vec<(Arc<EnvValue>, For)>>,
}

/// Whom a value is for.
#[derive(Debug, Clone)]
enum For {
    /// The process of the job that stands here, and is called so.
    Job(Place, Option<String>),
    /// Whoever reads the file.
    File(FileId, &'static str),
}

impl Elsewhere {
    /// What the jobs, and then the files of `NAME=value` lines, give.
    pub fn of_stack(starts: &[Start], view: &View) -> Self {
        let mut all = Self::default();
        for start in starts {
            let whom = For::Job(start.job.place, start.job.name.known().cloned());
            start.reading.env.iter().for_each(|value| all.add(Arc::new(value.clone()), whom.clone()));
        }
        for document in view.of(Kind::Variables) {
            let whom = For::File(document.file, why_unread(&document.path));
            let rows = variables::rows(document, Reader::Dotenv, "dotenv", Confidence::Possible);
            rows.into_iter().for_each(|row| all.add(Arc::new(row), whom.clone()));
        }
        all
    }

    fn add(&mut self, value: Arc<EnvValue>, whom: For) {
        if let Some(name) = value.name.known().cloned() {
            self.by_name.entry(name).or_default().push((value, whom));
        }
    }

    /// The last value under this name that does not reach the process of `job`, which reads `files`, and why it does not.
    /// Without a job no other job counts: it may be the one.
    pub fn of(&self, name: &str, job: Option<Place>, files: &BTreeSet<FileId>) -> Option<(&EnvValue, String)> {
        let is_elsewhere = |whom: &For| match whom {
            For::Job(place, _) => job.is_some_and(|own| own != *place),
            For::File(file, _) => !files.contains(file),
        };
        let (value, whom) = self.by_name.get(name)?.iter().rev().find(|(_, whom)| is_elsewhere(whom))?;
        Some((value, whom.to_string()))
    }
}

impl std::fmt::Display for For {
    /// Why the value does not reach the process.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            For::Job(_, name) => {
                write!(formatter, "this is for {}, another process", name.as_deref().unwrap_or("another job"))
            }
            For::File(_, why) => formatter.write_str(why),
        }
    }
}

fn why_unread(path: &str) -> &'static str {
    match path.rsplit('/').next().unwrap_or_default() {
        ".flaskenv" => "only the `flask` command reads this file, uWSGI does not",
        ".env" => "neither uWSGI nor the job reads this file, and the app does not load it",
        _ => "nothing on the way to the app reads this file",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::{Origin, Sources, Span};
    use crate::stack::fact::Fact;

    #[test]
    fn the_last_that_is_for_others_is_found_by_its_name() {
        let mut sources = Sources::default();
        let file = sources.add("a", Vec::new(), Origin::File);
        let place = |at: usize| Place::at(file, Span::new(at, at));
        let value = |at: usize| Arc::new(EnvValue { name: Fact::derived("A".to_owned()), ..EnvValue::at(place(at)) });
        let mut all = Elsewhere::default();
        all.add(value(1), For::Job(place(1), Some("web".to_owned())));
        all.add(value(2), For::Job(place(2), None));
        all.add(Arc::new(EnvValue::at(place(4))), For::Job(place(4), None));
        let none = BTreeSet::new();
        let found = |job: Option<Place>, files: &BTreeSet<FileId>| {
            all.of("A", job, files).map(|(value, why)| (value.place, why))
        };
        assert_eq!(found(Some(place(2)), &none), Some((place(1), "this is for web, another process".to_owned())));
        let other = Some((place(2), "this is for another job, another process".to_owned()));
        assert_eq!(found(Some(place(1)), &none), other);
        assert_eq!(found(None, &none), None, "without a job each may be the one");
        all.add(value(3), For::File(file, why_unread("srv/.env")));
        let found = |files: &BTreeSet<FileId>| all.of("A", None, files).map(|(value, _)| value.place);
        assert_eq!((found(&none), found(&BTreeSet::from([file]))), (Some(place(3)), None));
        assert!(all.of("B", Some(place(1)), &none).is_none());
    }
}
