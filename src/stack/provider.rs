//! Who gives variables to the process of a uWSGI instance as it is really started, and what only looks as if it did.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::finding::Confidence;
use crate::source::FileId;
use crate::stack::assemble::Parts;
use crate::stack::document::{Document, Kind};
use crate::stack::elsewhere::Elsewhere;
use crate::stack::env::{EnvValue, Layers};
use crate::stack::fact::{Answer, Missing};
use crate::stack::job::VariablesFile;
use crate::stack::link::by_path;
use crate::stack::start::Start;
use crate::stack::uwsgi;
use crate::stack::variables::{self, Reader};

/// What there is in a stack besides the job and the ini.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// What login shells set.
    pub login: &'a Arc<[Arc<EnvValue>]>,
    /// What nginx gives to requests.
    pub params: &'a Arc<[Arc<EnvValue>]>,
    /// What is written down for any process.
    pub elsewhere: &'a Arc<Elsewhere>,
}

/// Who gives variables to the process of an instance.
pub fn layers(
    parts: &Parts<'_>,
    around: Around<'_>,
    uwsgi: &uwsgi::Reading,
    start: Result<&Start, &Missing>,
) -> Layers {
    let mut layers = Layers {
        login: Arc::clone(around.login),
        params: Arc::clone(around.params),
        elsewhere: Arc::clone(around.elsewhere),
        own_job: start.ok().map(|start| start.job.place),
        ..Layers::default()
    };
    let started = uwsgi.uwsgi.path.known().and_then(|path| parts.started_with.iter().find(|(ini, _)| ini == path));
    let mut read = BTreeSet::new();
    if let Some((_, started)) = started {
        layers.given.extend(started.values.iter().cloned());
        layers.out_of_sight.clone_from(&started.hidden);
    }
    match start {
        Ok(start) => {
            let mut from_job = Layers::default();
            of_job(parts, around, start, &mut from_job, &mut read);
            layers.job.clone_from(&from_job.given);
            layers.ignored.extend(from_job.ignored);
            layers.defaults = from_job.defaults;
            layers.sure = from_job.sure;
            layers.cure = from_job.cure;
            // What a process was started with says more than a file that may have changed since.
            if started.is_none() {
                layers.given = from_job.given;
                layers.out_of_sight = from_job.out_of_sight;
                layers.login_started = from_job.login_started;
                if layers.login_started {
                    layers.login = from_job.login;
                }
            } else if started.is_some_and(|(_, started)| started.hidden.is_some()) {
                layers.given.extend(from_job.given);
            }
        }
        // The init script of the package gives nothing but names.
        Err(_) if uwsgi.packaged.is_some() => layers.cure = uwsgi.packaged.as_deref().map(|name| cure("package", name)),
        Err(missing) if started.is_none() => layers.out_of_sight = Some(missing.clone()),
        Err(_) => {}
    }
    layers.add(uwsgi.variables.iter().cloned().map(Arc::new), "uwsgi");
    if layers.out_of_sight.is_none() {
        layers.out_of_sight.clone_from(&uwsgi.open);
    }
    layers.files = read;
    layers
}

/// What the job gives: the files it reads, its own lines, and the profile where a login shell starts the process.
fn of_job(parts: &Parts<'_>, around: Around<'_>, start: &Start, layers: &mut Layers, read: &mut BTreeSet<FileId>) {
    let reading = &start.reading;
    let dialect = start.job.key.as_str();
    layers.defaults = reading.defaults;
    layers.cure = start.job.name.known().map(|name| cure(dialect, name));
    layers.login = Arc::default();
    if reading.login {
        profile(around, start, layers);
    }
    let own = |layers: &mut Layers| layers.add(reading.env.iter().cloned().map(Arc::new), dialect);
    // systemd reads the files last, so that they win; those of compose give way to its `environment`. A script sources them
    // before it exports more, which is as good as equal.
    if dialect != "compose" {
        own(layers);
    }
    for file in &reading.files {
        named_file(parts, file, dialect == "systemd", layers, read);
    }
    if dialect == "compose" {
        own(layers);
    }
    for path in &reading.sources_files {
        let shell = Reader::Shell { all: reading.exports_all, later: &reading.exported_later };
        match found(parts, path) {
            Some((document, sure)) => {
                read.insert(document.file);
                layers.sure = layers.sure.min(sure);
                let rows = variables::rows(document, shell, "file", sure);
                layers.add(rows.into_iter().map(Arc::new), "file");
            }
            None => lose(layers, Missing::new(format!("the variables of {path}"), "look into that file")),
        }
    }
    if let Some(missing) = &reading.inherits {
        lose(layers, missing.clone());
    }
    if reading.open {
        let what = format!("what the template tags in {} print", start.document.path);
        lose(layers, Missing::new(what, "write the job's variables without template tags"));
    }
}

fn lose(layers: &mut Layers, missing: Missing) {
    layers.out_of_sight.get_or_insert(missing);
}

/// A file that systemd or compose reads: without it the process starts only where a `-` allows that.
fn named_file(
    parts: &Parts<'_>,
    file: &VariablesFile,
    is_systemd: bool,
    layers: &mut Layers,
    read: &mut BTreeSet<FileId>,
) {
    let path = match &file.path {
        Answer::Known(path) => path,
        Answer::Absent => return,
        Answer::Unknown(missing) => return lose(layers, missing.clone()),
    };
    match found(parts, path) {
        Some((document, sure)) => {
            read.insert(document.file);
            layers.sure = layers.sure.min(sure);
            let reader = if is_systemd { Reader::Systemd } else { Reader::Dotenv };
            let rows = variables::rows(document, reader, "file", sure);
            layers.add(rows.into_iter().map(Arc::new), "file");
        }
        None if parts.view.complete && file.optional => {}
        None => lose(layers, Missing::new(format!("the variables of {path}"), "lint that file together with the unit")),
    }
}

/// The file of a path: that very one, or the only one of its name in a repository.
fn found<'a>(parts: &'a Parts<'_>, path: &str) -> Option<(&'a Arc<Document>, Confidence)> {
    if let Some(exact) = parts.view.at(path).first() {
        return Some((exact, Confidence::Proved));
    }
    if parts.view.complete {
        return None;
    }
    let files: Vec<&Arc<Document>> = parts.view.of(Kind::Variables).collect();
    by_path(&files, |document| &document.path, path).map(|(document, sure)| (*document, sure))
}

/// What a login shell of the job's user sets; other users' files are only like it.
fn profile(around: Around<'_>, start: &Start, layers: &mut Layers) {
    layers.login_started = true;
    let Some(user) = start.job.user.known() else {
        return lose(layers, Missing::new("whose login shell starts the process", "name the user in the job"));
    };
    let owner = |value: &EnvValue| value.user.known().cloned();
    let of_all = |value: &&Arc<EnvValue>| owner(value).is_none();
    // A shell that nobody types into leaves `.bashrc` at its first lines.
    let own = |value: &&Arc<EnvValue>| owner(value).as_ref() == Some(user) && !is_bashrc(value);
    layers.given.extend(around.login.iter().filter(of_all).chain(around.login.iter().filter(own)).cloned());
    layers.login = around.login.iter().filter(|value| !of_all(value) && !own(value)).cloned().collect();
    if !around.login.iter().any(|value| own(&value)) {
        lose(
            layers,
            Missing::new(format!("the profile of {user}"), format!("lint {user}'s ~/.profile together with the job")),
        );
    }
}

fn is_bashrc(value: &EnvValue) -> bool {
    value.path.known().is_some_and(|path| path.ends_with("bashrc"))
}

/// Where a variable has to be written so that a job of this dialect gives it.
fn cure(dialect: &str, job: &str) -> String {
    match dialect {
        "systemd" => format!(
            "`Environment=NAME=…` below `[Service]` of {job}, then `sudo systemctl daemon-reload` and `sudo systemctl restart {job}`"
        ),
        "supervisor" => format!(
            "`environment=NAME=\"…\"` below `[program:{job}]`, then `sudo supervisorctl reread` and `sudo supervisorctl update`"
        ),
        "procfile" => "set it in the platform's settings, such as `heroku config:set NAME=…`".to_owned(),
        "package" => format!("`env = NAME=…` in the uWSGI ini, then `sudo service uwsgi restart {job}`"),
        "dockerfile" => {
            format!("`ENV NAME=…` in {job}, or `-e NAME=…` where the container is run (a secret belongs there)")
        }
        "compose" => format!("`NAME: …` in `environment:` of the service {job}, then `docker compose up -d {job}`"),
        _ => format!(
            "`env NAME=…` in the Upstart job {job}, then `sudo stop {job}` and `sudo start {job}` (`restart` keeps the old job)"
        ),
    }
}
