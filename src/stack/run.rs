//! The uWSGI instances of a stack: each ini, and each command that names none, with what starts it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::finding::Confidence;
use crate::source::FileId;
use crate::stack::app::name::last_segment;
use crate::stack::document::{Document, Kind};
use crate::stack::emperor::{Emperor, crown};
use crate::stack::fact::Missing;
use crate::stack::link::by_path;
use crate::stack::start::Start;
use crate::stack::uwsgi;
use crate::stack::view::View;

/// One instance.
#[derive(Debug)]
pub struct Run {
    /// What its ini and the command line that starts it say.
    pub uwsgi: uwsgi::Reading,
    /// What starts it.
    pub starter: Starter,
}

/// What starts an instance.
#[derive(Debug, Clone)]
pub enum Starter {
    /// Nothing in sight.
    Unseen,
    /// A job, by its place among the jobs, and how sure that is.
    Job(usize, Confidence),
    /// One of several jobs.
    Several(Missing),
    /// An emperor, as its vassal.
    Emperor(Emperor),
}

/// The files that `docker compose up` reads where none is named (Compose specification, "Compose file").
const DEFAULT_COMPOSE: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

impl Starter {
    /// What starts an ini that these jobs name. Of several jobs none is chosen, but of services the one that is started where nobody
    /// says otherwise.
    fn among(jobs: &[(usize, Confidence)], starts: &[Start]) -> Self {
        if let [] | [_] = jobs {
            return jobs.first().map_or(Self::Unseen, |(at, sure)| Self::Job(*at, *sure));
        }
        let is_default = |at: usize| {
            let path = starts[at].job.path.known().map_or("", |path| last_segment(path));
            DEFAULT_COMPOSE.contains(&path)
        };
        let mut defaults = jobs.iter().filter(|(at, _)| is_default(*at));
        match (defaults.next(), defaults.next()) {
            (Some((at, _)), None) if jobs.iter().all(|(at, _)| starts[*at].job.key == "compose") => {
                Self::Job(*at, Confidence::Possible)
            }
            _ => {
                let names: Vec<&str> = jobs
                    .iter()
                    .filter_map(|(at, _)| starts[*at].job.path.known())
                    .map(String::as_str)
                    .take(3)
                    .collect();
                Self::Several(Missing::new(
                    format!("which of several jobs starts uWSGI: {}", names.join(", ")),
                    "lint the files of one host on their own",
                ))
            }
        }
    }

    /// The job that itself names the ini.
    pub fn job(&self) -> Option<usize> {
        if let Self::Job(at, _) = self { Some(*at) } else { None }
    }
}

/// Every uWSGI instance with what starts it: first the inis, then the jobs without one.
pub fn all(around: uwsgi::Around<'_>, view: &View, starts: &[Start]) -> Vec<Run> {
    let inis: Vec<&Arc<Document>> = view.of(Kind::Uwsgi).collect();
    let mut of_job: Vec<_> = starts.iter().map(|start| ini_of(view, &inis, start)).collect();
    if let Some(at) = only_candidate(view, &inis, starts, &of_job) {
        of_job[at] = inis.first().map(|ini| (ini, Confidence::Possible));
    }
    let mut all = Vec::new();
    for ini in &inis {
        let jobs = of_job.iter().enumerate();
        let jobs = jobs
            .filter_map(|(at, found)| found.filter(|(found, _)| Arc::ptr_eq(found, ini)).map(|(_, sure)| (at, sure)));
        let starter = Starter::among(&jobs.collect::<Vec<_>>(), starts);
        let words = starter.job().and_then(|at| starts[at].reading.uwsgi.as_ref().map(|words| (&starts[at], words)));
        let uwsgi = match words {
            Some((start, words)) => uwsgi::read_with_command(Some(ini), &start.document, words, around),
            None => uwsgi::read(ini, around),
        };
        all.push(Run { uwsgi, starter });
    }
    let mut all = without_fragments(all, &inis, view.complete);
    for (at, start) in starts.iter().enumerate().filter(|(_, start)| start.job.uwsgi_ini.is_absent()) {
        if let Some(words) = &start.reading.uwsgi {
            let uwsgi = uwsgi::read_with_command(None, &start.document, words, around);
            all.push(Run { uwsgi, starter: Starter::Job(at, Confidence::Proved) });
        }
    }
    crown(&mut all, view);
    all
}

/// Those that are started: no ini that another brings in, unless a job names it or, in a repository where no job starts the
/// other, it opens a socket of its own.
fn without_fragments(mut all: Vec<Run>, inis: &[&Arc<Document>], on_host: bool) -> Vec<Run> {
    let brings: Vec<(FileId, BTreeSet<FileId>, bool)> = inis
        .iter()
        .zip(&all)
        .map(|(ini, run)| (ini.file, run.uwsgi.brought_in.clone(), run.starter.job().is_some()))
        .collect();
    let mut files = inis.iter().map(|ini| ini.file);
    all.retain(|run| {
        let Some(file) = files.next() else { return true };
        // Of a circle neither file is a part of the other.
        let outer = brings.iter().filter(|(other, brought_in, _)| {
            *other != file && brought_in.contains(&file) && !run.uwsgi.brought_in.contains(other)
        });
        let outer: Vec<_> = outer.collect();
        let may_be_started =
            !on_host && run.uwsgi.uwsgi.serves.known() == Some(&true) && !outer.iter().any(|(_, _, has_job)| *has_job);
        outer.is_empty() || run.starter.job().is_some() || may_be_started
    });
    all
}

/// The ini that a job names. On a host the path decides; in a repository files lie elsewhere, and a base name may do.
pub(super) fn ini_of<'a>(
    view: &View,
    inis: &'a [&Arc<Document>],
    start: &Start,
) -> Option<(&'a &'a Arc<Document>, Confidence)> {
    let path = start.job.uwsgi_ini.known()?;
    let origins = start.reading.lands.iter().flat_map(|landing| landing.origins(path));
    let landed = origins.filter_map(|origin| inis.iter().find(|ini| ini.path == origin)).next();
    let found = landed.map(|ini| (ini, Confidence::Likely)).or_else(|| by_path(inis, |ini| &ini.path, path));
    let found = found.map(|(ini, sure)| (ini, sure.min(start.reading.sure)));
    found.filter(|(_, sure)| !view.complete || *sure == Confidence::Proved)
}

/// The one job that starts uWSGI, with an ini that is not in sight, where there is also just one ini that no job names: in a
/// repository that is probably the file, under the name that it has on the host.
fn only_candidate<T>(view: &View, inis: &[&Arc<Document>], starts: &[Start], of_job: &[Option<T>]) -> Option<usize> {
    if view.complete || inis.len() != 1 || of_job.iter().any(Option::is_some) {
        return None;
    }
    let names_ini = |(_, start): &(usize, &Start)| start.reading.uwsgi.is_some() && !start.job.uwsgi_ini.is_absent();
    let mut jobs = starts.iter().enumerate().filter(names_ini);
    let (Some((at, start)), None) = (jobs.next(), jobs.next()) else { return None };
    // An emperor's own ini, whose vassals lie here.
    let path = start.job.uwsgi_ini.known()?;
    (!path.contains("emperor") && !path.contains("vassal")).then_some(at)
}
