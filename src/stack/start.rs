//! Every job in sight, whatever starts it, and what only the others can tell of a job.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::stack::document::{Document, Kind};
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::image::{Image, Images};
use crate::stack::job::compose::Services;
use crate::stack::job::{self, Emitters, Event, Job, JobLine, JobStanza};
use crate::stack::run::{Run, Starter, ini_of};
use crate::stack::unit::Units;
use crate::stack::uwsgi;
use crate::stack::view::View;

/// A job with its document, so that its command line can be read as options.
#[derive(Debug, Clone)]
pub struct Start {
    /// The text that its command stands in.
    pub document: Arc<Document>,
    /// All that it says.
    pub reading: job::Reading,
    /// Its row, whole once [`finish`] has run.
    pub job: Arc<Job>,
}

/// The rows of one job.
#[derive(Debug, Clone)]
pub struct JobRows {
    /// The job.
    pub job: Arc<Job>,
    /// Its stanzas.
    pub stanzas: Vec<JobStanza>,
    /// Its lines that are taken otherwise than they look.
    pub lines: Vec<JobLine>,
    /// The events that it waits for.
    pub events: Vec<Event>,
}

impl Start {
    /// The rows of the job, each with the job itself.
    pub fn into_rows(self) -> JobRows {
        let Self { job, mut reading, .. } = self;
        let whole = || Fact::derived(Arc::clone(&job));
        reading.stanzas.iter_mut().for_each(|row| row.job = whole());
        reading.lines.iter_mut().for_each(|row| row.job = whole());
        reading.events.iter_mut().for_each(|row| row.job = whole());
        JobRows { stanzas: reading.stanzas, lines: reading.lines, events: reading.events, job }
    }
}

/// More images than any real repository has; those beyond are out of sight.
const MOST_IMAGES: usize = 256;

const OVERRIDE: &str = ".override";

/// The jobs of a view: those of Upstart with their overrides, the services of systemd, and what else starts processes.
pub fn all(view: &View, units: &Units, images: &Images) -> Vec<Start> {
    let own = view.of(Kind::Upstart).filter(|document| !document.path.ends_with(OVERRIDE));
    let upstart = own.map(|document| {
        let base = document.path.strip_suffix(".conf");
        let override_file = base.and_then(|base| view.at(&format!("{base}{OVERRIDE}")).first());
        job::upstart::read(document, override_file)
    });
    let systemd = units.services().filter_map(|unit| job::systemd::read(&unit));
    let several = |kind: Kind, read: fn(&Document) -> Vec<job::Reading>| {
        view.of(kind)
            .flat_map(move |document| read(document).into_iter().map(move |reading| (reading, Arc::clone(document))))
    };
    let procfile = several(Kind::Procfile, job::procfile::read);
    let services = Services::of(view, images);
    let others: Vec<Image> = images.others(&services.run).take(MOST_IMAGES).collect();
    let mut lands = services.lands;
    lands.extend(others.iter().map(|image| Arc::clone(&image.landing)));
    let supervisor = job::supervisor::all(view, &lands.into());
    let images = others.iter().map(|image| job::image::read(image, view));
    upstart
        .chain(systemd)
        .chain(supervisor)
        .chain(procfile)
        .chain(services.readings)
        .chain(images)
        .map(|(reading, document)| Start { job: Arc::new(reading.job.clone()), document, reading })
        .collect()
}

/// Overrides whose job is out of sight: a package may bring it.
pub fn stray_overrides(view: &View) -> impl Iterator<Item = &Document> {
    view.of(Kind::Upstart).map(Arc::as_ref).filter(|document| {
        let base = document.path.strip_suffix(OVERRIDE);
        base.is_some_and(|base| view.at(&format!("{base}.conf")).is_empty())
    })
}

/// Completes the jobs by what their inis and the other jobs say.
pub fn finish(starts: &mut [Start], around: uwsgi::Around<'_>, view: &View, runs: &[Run]) {
    let inis: Vec<&Arc<Document>> = view.of(Kind::Uwsgi).collect();
    let forks: Vec<Option<Fact<i64>>> =
        (0..starts.len()).map(|at| forks(starts, at, around, view, &inis, runs)).collect();
    let started_by = started_by(starts);
    let events: Vec<Vec<Event>> = {
        let emitters = Emitters {
            jobs: starts.iter().filter_map(|start| start.job.name.known().map(String::as_str)).collect(),
            emits: starts.iter().flat_map(|start| start.reading.deeds.emits.iter().map(String::as_str)).collect(),
        };
        starts.iter().map(|start| judged(start, &emitters)).collect()
    };
    for (((start, forks), by), events) in starts.iter_mut().zip(forks).zip(started_by).zip(events) {
        if let Some(forks) = forks {
            start.reading.job.forks = forks;
        }
        start.reading.job.started_by = by.map_or_else(Fact::absent, Fact::derived);
        start.reading.events = events;
        start.job = Arc::new(start.reading.job.clone());
    }
}

/// The events of a job with who emits them. Chrome OS has events and jobs of its own.
fn judged(start: &Start, emitters: &Emitters<'_>) -> Vec<Event> {
    if start.job.dialect.known().is_some_and(|dialect| dialect == "chromeos") {
        return Vec::new();
    }
    let mut events = start.reading.events.clone();
    events.iter_mut().for_each(|event| job::judge(event, emitters));
    events
}

/// How often the uWSGI of a job forks: twice with `daemonize`, on its command line or in its ini.
fn forks(
    starts: &[Start],
    at: usize,
    around: uwsgi::Around<'_>,
    view: &View,
    inis: &[&Arc<Document>],
    runs: &[Run],
) -> Option<Fact<i64>> {
    let start = &starts[at];
    let words = start.reading.uwsgi.as_ref().filter(|_| start.reading.is_main)?;
    let linked = runs.iter().find(|run| matches!(run.starter, Starter::Job(of, _) if of == at));
    let daemonize = match (linked, ini_of(view, inis, start)) {
        (Some(run), _) => run.uwsgi.uwsgi.daemonize.clone(),
        // Several jobs may share an ini.
        (None, Some((ini, _))) => {
            uwsgi::read_with_command(Some(ini), &start.document, words, around).uwsgi.daemonize.clone()
        }
        (None, None) => {
            let alone = uwsgi::read_with_command(None, &start.document, words, around).uwsgi.daemonize.clone();
            if alone.known().is_some() {
                alone
            } else {
                Fact::unknown(Missing::new("the ini that the job names", "lint it together with the job"))
            }
        }
    };
    Some(match &daemonize.answer {
        Answer::Known(_) => Fact { answer: Answer::Known(2), ..daemonize.map(|_| 2) },
        Answer::Absent => Fact { place: start.job.forks.place, ..Fact::default_of(0) },
        Answer::Unknown(missing) => Fact::unknown(missing.clone()),
    })
}

/// For each job the first other one whose script starts it.
fn started_by(starts: &[Start]) -> Vec<Option<String>> {
    let mut by: BTreeMap<&str, &str> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for start in starts {
        let Some(own) = start.job.name.known() else { continue };
        for name in start.reading.deeds.starts.iter().filter(|name| *name != own) {
            if seen.insert(name.as_str()) {
                by.insert(name, own);
            }
        }
    }
    starts.iter().map(|start| by.get(start.job.name.known()?.as_str()).map(|by| (*by).to_owned())).collect()
}
