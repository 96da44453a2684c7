//! What an init system starts: the command, as whom, and with which environment.

pub mod compose;
mod condition;
mod container;
mod environment;
pub mod image;
mod layer;
mod lines;
mod main_process;
mod paths;
pub mod procfile;
mod program;
mod script;
mod stopping;
pub mod supervisor;
pub mod systemd;
pub mod upstart;
mod uwsgi_ini;
mod work;

pub use condition::{Emitters, judge};
pub use script::Deeds;

use std::sync::Arc;

use crate::finding::Confidence;
use crate::rows;
use crate::source::{FileId, Place};
use crate::stack::document::Document;
use crate::stack::env::EnvValue;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::image::landing::Landing;
use crate::stack::launch::{Argument, Launch};
use crate::syntax::Problem;

rows! {
    #[doc = "one job of an init system; keyed by which: `upstart`, `systemd`, `supervisor`, `procfile`, `compose` or `dockerfile`"]
    pub struct Job in "jobs" {
        #[doc = "the name the init system knows it by"]
        name: String,
        #[doc = "`upstart`, `systemd`, `supervisor`, `procfile`, `compose` or `dockerfile`, or `chromeos` for the Upstart of Chrome OS"]
        dialect: String,
        #[doc = "where its file lies"]
        path: String,
        #[doc = "the command of the main process"]
        command: String,
        #[doc = "the user it runs as; root where none is set"]
        user: String,
        #[doc = "the group it runs as, where one is set"]
        group: String,
        #[doc = "the signal that asks it to stop, such as `TERM`"]
        kill_signal: String,
        #[doc = "of systemd: how a service says that it is up, as `Type=` does: `simple`, `forking`, `notify`, …"]
        service_type: String,
        #[doc = "how many seconds it has to stop before it is killed; absent where it has as long as it likes"]
        kill_timeout: i64,
        #[doc = "whether the signal that asks it to stop goes to all its processes, not to the first alone"]
        signals_all: bool,
        #[doc = "what it ends before it stops: `tasks`, as a Celery worker does, or `requests`; absent for other programs"]
        finishes: String,
        #[doc = "whether it works in processes of its own that the signal ends at once, as Celery does unless `--pool` says otherwise"]
        has_pool: bool,
        #[doc = "the permission bits that its files lack, in three octal digits"]
        umask: String,
        #[doc = "whether it sees a `/tmp` and a `/var/tmp` of its own"]
        private_tmp: bool,
        #[doc = "the ini that the command names, where it starts uWSGI"]
        uwsgi_ini: String,
        #[doc = "the program that serves, such as `uwsgi` or `celery`; absent where the job starts none that housecall knows"]
        server: String,
        #[doc = "whether the main process is a `script`"]
        is_script: bool,
        #[doc = "whether the program takes the place of the shell that starts it"]
        execed: bool,
        #[doc = "whether only PATH decides which program of that name is started, and it usually comes with the app"]
        path_decides: bool,
        #[doc = "`su`, `runuser` or `sudo`, where the program is started through it"]
        wrapper: String,
        #[doc = "what leaves the program behind on its own: `&`, `setsid`, or `--background` of start-stop-daemon"]
        left_behind: String,
        #[doc = "how often the program forks on its way into the background; absent for one that housecall does not know"]
        forks: i64,
        #[doc = "the first command of the script, before the program, for which the shell forks"]
        forks_before: String,
        #[doc = "`fork`, `daemon` or `stop`, as `expect` says"]
        expect: String,
        #[doc = "whether it is a task, which ends"]
        task: bool,
        #[doc = "whether it is started again when it ends"]
        respawn: bool,
        #[doc = "the count and the seconds of `respawn limit`, or `unlimited`"]
        respawn_limit: String,
        #[doc = "what starts it by itself"]
        start_on: String,
        #[doc = "what stops it by itself"]
        stop_on: String,
        #[doc = "whether `manual` says that it shall not start by itself"]
        manual: bool,
        #[doc = "what tells its instances apart"]
        instance: String,
        #[doc = "the job whose script starts it"]
        started_by: String,
        #[doc = "the user of `setuid`"]
        setuid: String,
        #[doc = "the group of `setgid`"]
        setgid: String,
        #[doc = "the folder of `chdir`; `/` where none is set"]
        chdir: String,
    }

    #[doc = "one stanza of a job; keyed by its first word"]
    pub struct JobStanza in "stanzas" {
        #[doc = "its first word"]
        name: String,
        #[doc = "the other words, quotes resolved; the command of an `exec`; absent for a `script`"]
        value: String,
        #[doc = "the job"]
        job: Arc<Job>,
    }

    #[doc = "one place in a job that Upstart or its shell takes otherwise than it looks; keyed by how"]
    pub struct JobLine in "job_lines" {
        #[doc = "what it is about: the variable, the stanza, the command or the operator"]
        name: String,
        #[doc = "as it is written"]
        value: String,
        #[doc = "what it is taken for"]
        taken_as: String,
        #[doc = "whether it comes to what was probably meant all the same"]
        harmless: bool,
        #[doc = "what to write in its place"]
        cure: String,
        #[doc = "the other place that it runs into"]
        other: String,
        #[doc = "the job"]
        job: Arc<Job>,
    }

    #[doc = "one event that a job waits for"]
    pub struct Event in "events" {
        #[doc = "the event"]
        name: String,
        #[doc = "the job that it names, as `started NAME` does"]
        names_job: String,
        #[doc = "whether Upstart, or something in sight, emits it"]
        emitted: bool,
        #[doc = "the event that was probably meant"]
        suggestion: String,
        #[doc = "the job"]
        job: Arc<Job>,
    }
}

/// A file of variables that a job names.
#[derive(Debug, Clone)]
pub struct VariablesFile {
    /// Where it should lie.
    pub path: Answer<String>,
    /// Whether the process starts without it as well.
    pub optional: bool,
    /// Where the job names it.
    pub place: Place,
}

/// All that a job says.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The job.
    pub job: Job,
    /// The program of the main process with its arguments, where that is uWSGI.
    pub uwsgi: Option<Vec<Argument>>,
    /// The variables it gives, keyed by its dialect, and those it only seems to give, keyed `upstart-export`.
    pub env: Vec<EnvValue>,
    /// What gives the process more variables, such as `/etc/default/x` behind `.` or `$(cat .env)` behind `export`;
    /// which ones is not known here.
    pub sources_files: Vec<String>,
    /// The files of variables that the init system reads for it.
    pub files: Vec<VariablesFile>,
    /// Whether a login shell starts the process: then it has what the user's profile sets.
    pub login: bool,
    /// Whether the script exports whatever it sets or sources.
    pub exports_all: bool,
    /// The names it exports without giving them a value: one that a sourced file sets is given.
    pub exported_later: Vec<String>,
    /// What hands more variables on to the process and is out of sight, such as the environment of supervisord.
    pub inherits: Option<Missing>,
    /// Which files of the repository land where the process runs, what hides others first; none where it runs on the host.
    pub lands: Arc<[Arc<Landing>]>,
    /// Where the process of a container starts.
    pub folder: Option<Answer<String>>,
    /// How sure it is that the scripts which it goes through are those that lie here.
    pub sure: Confidence,
    /// Whether its supervisor waits for it; a script may go on to something else.
    pub is_main: bool,
    /// What the init system itself gives to every such job.
    pub defaults: &'static [&'static str],
    /// Whether a template tag may add stanzas, `env` among them.
    pub open: bool,
    /// Its stanzas.
    pub stanzas: Vec<JobStanza>,
    /// Its lines that are taken otherwise than they look.
    pub lines: Vec<JobLine>,
    /// The events that it waits for, not judged yet.
    pub events: Vec<Event>,
    /// The events that its `emits` names, and what its scripts start and emit.
    pub deeds: Deeds,
    /// What Upstart refuses.
    pub problems: Vec<(FileId, Problem)>,
}

impl Reading {
    /// A job that says nothing else.
    fn of(job: Job, uwsgi: Option<Vec<Argument>>) -> Self {
        Self {
            job,
            uwsgi,
            env: Vec::new(),
            sources_files: Vec::new(),
            files: Vec::new(),
            login: false,
            exports_all: false,
            exported_later: Vec::new(),
            inherits: None,
            lands: Arc::default(),
            folder: None,
            sure: Confidence::Proved,
            is_main: true,
            defaults: &["PATH"],
            open: false,
            stanzas: Vec::new(),
            lines: Vec::new(),
            events: Vec::new(),
            deeds: Deeds::default(),
            problems: Vec::new(),
        }
    }
}

fn after_equals(assignment: &str) -> String {
    assignment.split_once('=').map_or("", |(_, value)| value).to_owned()
}

fn fact(document: &Document, argument: &Argument) -> Fact<String> {
    let mut fact = Fact::read(String::new(), document.place(argument.span));
    fact.answer = argument.value.clone();
    fact
}

/// What is started, as one line.
fn command_line(document: &Document, launch: &Launch) -> Fact<String> {
    let mut words = Vec::with_capacity(launch.words.len());
    let place = launch.span().map(|span| document.place(span));
    for word in &launch.words {
        match &word.value {
            Answer::Known(value) => words.push(value.as_str()),
            Answer::Absent => {}
            Answer::Unknown(missing) => return Fact { place, ..Fact::unknown(missing.clone()) },
        }
    }
    Fact { place, ..Fact::derived(words.join(" ")) }
}

#[cfg(test)]
mod tests;
