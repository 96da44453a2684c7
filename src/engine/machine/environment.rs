//! What each running uWSGI was started with: the names of its variables become a source, their values are only confided.

use std::sync::Arc;

use crate::host::{Host, ReadError, User};
use crate::source::{FileId, Origin, Place, Sources, Span};
use crate::stack::assemble::{Instance, Started};
use crate::stack::env::EnvValue;
use crate::stack::fact::{Fact, Missing};
use crate::stack::process::{self, Found};

/// The process that heads the workers of one ini.
#[derive(Debug)]
pub(super) struct Running {
    /// The ini.
    pub(super) ini: String,
    /// The process.
    pub(super) pid: i32,
    /// Its environment at exec.
    pub(super) started: Started,
    /// The names of its variables, where they can be seen.
    pub(super) names: Option<FileId>,
}

/// The running master of each ini that has one.
pub(super) fn running(host: &dyn Host, found: &[Found], inis: &[String], sources: &mut Sources) -> Vec<Running> {
    let mut all = Vec::new();
    for ini in inis {
        let Some(master) = process::masters_of(host, found, ini).next() else { continue };
        let pid = master.process.pid;
        all.push(match &master.process.environ {
            Ok(pairs) => {
                let (file, values) = rows(pid, pairs, sources);
                Running { ini: ini.clone(), pid, started: Started { values, hidden: None }, names: Some(file) }
            }
            Err(error) => {
                let how = match error {
                    ReadError::NoPermission => "run with sudo".to_owned(),
                    other => other.to_string(),
                };
                let hidden = Missing::new(format!("the environment of uWSGI (pid {pid})"), how);
                let started = Started { values: Vec::new(), hidden: Some(hidden) };
                Running { ini: ini.clone(), pid, started, names: None }
            }
        });
    }
    all
}

/// The user that the workers of an instance run as, where they run.
pub(super) fn user_of<'u>(
    instance: &Instance,
    running: &[Running],
    found: &[Found],
    users: &'u [User],
) -> Option<&'u User> {
    let running = running.iter().find(|one| instance.uwsgi.uwsgi.path.known() == Some(&one.ini))?;
    let worker = found.iter().find(|one| one.process.ppid == running.pid);
    let process = worker.or_else(|| found.iter().find(|one| one.process.pid == running.pid))?;
    users.iter().find(|user| user.uid == process.process.uid)
}

/// Every variable with its value, whatever gives it to an instance or only seems to.
pub(super) fn given(instance: &Instance) -> Vec<(String, String)> {
    let layers = &instance.layers;
    let rows = layers.given.iter().chain(&layers.ignored).chain(&layers.job).chain(layers.login.iter());
    let of_row = |row: &Arc<EnvValue>| {
        let name = row.name.known()?.clone();
        // What a program ignores has no value, but its cure says the one that was meant.
        let meant = || Some(row.cure.known()?.split_once(&format!("{name}="))?.1.to_owned());
        let value = row.value.known().cloned().or_else(meant)?;
        Some((name, value))
    };
    rows.filter_map(of_row).collect()
}

fn rows(pid: i32, pairs: &[(String, String)], sources: &mut Sources) -> (FileId, Vec<Arc<EnvValue>>) {
    let mut text = String::new();
    let mut spans = Vec::new();
    for (name, value) in pairs {
        spans.push(Span::new(text.len(), text.len() + name.len()));
        text += name;
        text.push('\n');
        sources.confide(format!("{name}={value}"));
    }
    let path = format!("environment of uWSGI (pid {pid}) at start");
    let file = sources.add(path.clone(), text.into_bytes(), Origin::Probe);
    let row = |((name, value), span): (&(String, String), Span)| {
        let place = Place::at(file, span);
        let mut row = EnvValue::at(place);
        row.key = "process".to_owned();
        row.name = Fact::read(name.clone(), place);
        row.path = Fact::read(path.clone(), place);
        row.empty = Fact::read(value.is_empty(), place);
        row.value = Fact::read(value.clone(), place);
        row.user = Fact::absent();
        row.cure = Fact::absent();
        Arc::new(row)
    };
    (file, pairs.iter().zip(spans).map(row).collect())
}
