//! The vassals of an emperor that a job starts: each ini in its folder runs as its user and with its variables (uWSGI:
//! `core/emperor.c`, `uwsgi_emperor_dir`, `uwsgi_emperor_glob`, `uwsgi_emperor_vassal_start`).

use std::sync::Arc;

use crate::finding::Confidence;
use crate::stack::app::name::{folder_of, last_segment};
use crate::stack::env::EnvValue;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::job::{Job, Reading};
use crate::stack::run::{Run, Starter};
use crate::stack::start::Start;
use crate::stack::view::{View, glob_matches};

/// An emperor, as its vassals see it.
#[derive(Debug, Clone)]
pub struct Emperor {
    /// The job that starts it, by its place among the jobs.
    job: usize,
    /// How sure it is that it starts the vassal.
    pub sure: Confidence,
    /// The user and the group that its own configuration makes it.
    uid: Fact<String>,
    gid: Fact<String>,
    /// Whether each vassal runs as the owner of its file instead.
    tyrant: bool,
    /// The variables that its own configuration gives, which vassals inherit.
    variables: Vec<EnvValue>,
    /// What may give more.
    open: Option<Missing>,
    /// The folder that the vassals work in.
    folder: String,
}

/// Finds the vassals among the instances that no job starts.
pub(super) fn crown(runs: &mut [Run], view: &View) {
    let emperors: Vec<(Emperor, String)> = runs.iter().flat_map(of_run).collect();
    if emperors.is_empty() {
        return;
    }
    for run in runs.iter_mut().filter(|run| matches!(run.starter, Starter::Unseen)) {
        let Some(path) = run.uwsgi.uwsgi.path.known() else { continue };
        let mut exact = emperors.iter().filter(|(_, watched)| watches(watched, path));
        let found = match (exact.next(), exact.next()) {
            (Some((emperor, _)), None) => Some((emperor, Confidence::Proved)),
            // In a repository the folder lies elsewhere, under the same name.
            (None, _) if !view.complete => match &emperors[..] {
                [(emperor, watched)] if is_called_as(watched, path) => Some((emperor, Confidence::Possible)),
                _ => None,
            },
            _ => None,
        };
        if let Some((emperor, sure)) = found {
            run.starter = Starter::Emperor(Emperor {
                sure: emperor.sure.min(sure),
                folder: folder_of(path).to_owned(),
                ..emperor.clone()
            });
        }
    }
}

/// The emperor that an instance is, for each folder or pattern that it watches.
fn of_run(run: &Run) -> Vec<(Emperor, String)> {
    let Starter::Job(job, sure) = run.starter else { return Vec::new() };
    let reading = &run.uwsgi;
    let emperor = Emperor {
        job,
        sure,
        uid: reading.uwsgi.uid.clone(),
        gid: reading.uwsgi.gid.clone(),
        tyrant: reading.realm.tyrant,
        variables: reading.variables.clone(),
        open: reading.open.clone(),
        folder: String::new(),
    };
    reading.realm.watched.iter().map(|watched| (emperor.clone(), watched.clone())).collect()
}

/// Whether an emperor of this folder or pattern starts the ini at `path`.
fn watches(watched: &str, path: &str) -> bool {
    folder_of(path) == watched || glob_matches(watched, path)
}

/// Whether the ini lies in a folder of the name that the emperor's has on the host.
fn is_called_as(watched: &str, path: &str) -> bool {
    let folder = if watched.contains(['*', '?', '[']) { folder_of(watched) } else { watched };
    let own = last_segment(folder_of(path));
    !own.is_empty() && own == last_segment(folder)
}

impl Emperor {
    /// The start of a vassal: the emperor's job, as far as it reaches the vassal.
    pub fn start(&self, starts: &[Start]) -> Start {
        let of = &starts[self.job];
        let own = |fact: &Fact<String>, job: &Fact<String>| if fact.is_absent() { job.clone() } else { fact.clone() };
        let owner = || Fact::unknown(Missing::new("the owner of the vassal's file", "set `uid` in the vassal"));
        let job = Job {
            user: if self.tyrant { owner() } else { own(&self.uid, &of.job.user) },
            group: if self.tyrant { owner() } else { own(&self.gid, &of.job.group) },
            // The init system's signal goes to the emperor, which stops its vassals in its own way.
            kill_signal: Fact::absent(),
            ..Job::clone(&of.job)
        };
        let key = job.key.clone();
        let inherited = self.variables.iter().map(|row| EnvValue { key: key.clone(), ..row.clone() });
        let reading = Reading {
            uwsgi: None,
            env: of.reading.env.iter().cloned().chain(inherited).collect(),
            inherits: of.reading.inherits.clone().or_else(|| self.open.clone()),
            folder: Some(Answer::Known(self.folder.clone())),
            job: job.clone(),
            ..of.reading.clone()
        };
        Start { document: Arc::clone(&of.document), reading, job: Arc::new(job) }
    }
}
