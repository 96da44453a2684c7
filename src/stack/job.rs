//! What an init system starts: the command, as whom, and with which environment.

mod condition;
mod environment;
mod layer;
mod lines;
mod main_process;
mod paths;
mod program;
mod script;
mod uwsgi_ini;

pub use condition::{Emitters, judge};
pub use script::Deeds;

use crate::rows;
use std::sync::Arc;

use crate::source::{FileId, Span};
use crate::stack::document::Document;
use crate::stack::env::EnvValue;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::launch::{Argument, Launch};
use crate::syntax::Problem;
use crate::syntax::upstart::{Command, Dialect, Expect};
use environment::env_value;
use layer::{Layer, Layers, hidden};
use main_process::{Main, Started};

rows! {
    #[doc = "one job of an init system; keyed by which: `upstart`"]
    pub struct Job in "jobs" {
        #[doc = "the name the init system knows it by"]
        name: String,
        #[doc = "whose job it is: `upstart`, or `chromeos` for the Upstart of Chrome OS"]
        dialect: String,
        #[doc = "where its file lies"]
        path: String,
        #[doc = "the command of the main process"]
        command: String,
        #[doc = "the user it runs as; root where none is set"]
        user: String,
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

/// All that an Upstart job says.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The job.
    pub job: Job,
    /// The program of the main process with its arguments, where that is uWSGI.
    pub uwsgi: Option<Vec<Argument>>,
    /// The variables it gives, keyed `upstart`, and those it only seems to give, keyed `upstart-export`.
    pub env: Vec<EnvValue>,
    /// What gives the process more variables, such as `/etc/default/x` behind `.` or `$(cat .env)` behind `export`;
    /// which ones is not known here.
    pub sources_files: Vec<String>,
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

/// Reads an Upstart job; what its override says comes after what its own file says.
pub fn read(document: &Document, override_file: Option<&Document>) -> Reading {
    let layers = Layers(std::iter::once(document).chain(override_file).map(Layer::of).collect());
    let main_command = layers.last(|job| job.main());
    let folder = layers.last(|job| job.chdir.as_ref()).map(|(file, folder)| file.value(folder.span, &folder.value));
    let mut main = Main::new(main_command.map_or(document, |(file, _)| file), folder);
    give_variables(&layers, &mut main);
    let sets_path = main.env.gives("PATH");
    let started = main_command.and_then(|(_, command)| main.start(command));
    let open = layers.is_open();

    let mut job = identity(&layers, document);
    let launch = started.as_ref().map(|started| &started.launch);
    job.user = match (layers.last(|job| job.setuid.as_ref()), launch.and_then(|launch| launch.user.as_ref())) {
        (_, Some(user)) => fact(main.document, user),
        (Some((file, user)), None) => file.fact(user.span, &user.value),
        (None, None) if open => hidden("the job's user"),
        (None, None) => Fact::default_of("root".to_owned()),
    };
    job.command = match &started {
        Some(started) => main.command_line(started),
        None if open || main_command.is_some() => hidden("the job's command"),
        None => Fact::absent(),
    };
    supervise(&mut job, &layers);
    let path_is_known = sets_path || !main.sources_files.is_empty() || main.variables.contains_key("PATH");
    run(&mut job, &layers, main.document, started.as_ref(), path_is_known);

    let mut lines = lines::rows(&layers);
    let folder_is_root = main.folder.is_none() && !open;
    lines.extend(
        launch.filter(|_| folder_is_root).into_iter().flat_map(|launch| paths::relative(main.document, launch)),
    );
    let mut events = Vec::new();
    for (file, condition) in layers.start_on().into_iter().chain(layers.last(|job| job.stop_on.as_ref())) {
        lines.extend(condition::lines(file, &condition.value));
        events.extend(condition::events(file, &condition.value));
    }
    let mut deeds = Deeds::default();
    layers.processes().for_each(|(file, _, command, _)| script::collect(file, command, &mut deeds));
    deeds.emits.extend(layers.0.iter().flat_map(|layer| layer.tree.job.emits.iter().map(|event| event.value.clone())));

    let uwsgi = started.map(|started| started.launch).filter(Launch::is_uwsgi).map(|launch| launch.words);
    job.uwsgi_ini = match &uwsgi {
        Some(words) => uwsgi_ini::uwsgi_ini(main.document, words, main.folder.as_ref(), open),
        None if job.command.is_unknown() => hidden("the job's command"),
        None => Fact::absent(),
    };
    Reading {
        job,
        uwsgi,
        env: main.env.into_rows(),
        sources_files: main.sources_files,
        open,
        stanzas: stanzas(&layers),
        lines,
        events,
        deeds,
        problems: problems(&layers),
    }
}

/// What is refused in an override whose job is out of sight: Upstart reads it all the same.
pub fn problems_of_override(document: &Document) -> Vec<(FileId, Problem)> {
    problems(&Layers(vec![Layer::of(document)]))
}

fn problems(layers: &Layers<'_>) -> Vec<(FileId, Problem)> {
    let of_layer = |layer: &Layer<'_>| {
        let file = layer.document.file;
        layer.problems.iter().map(|problem| (file, problem.clone())).collect::<Vec<_>>()
    };
    layers.0.iter().flat_map(of_layer).collect()
}

/// The `env` stanzas, and the `export`s that only look like them.
fn give_variables(layers: &Layers<'_>, main: &mut Main<'_>) {
    for layer in &layers.0 {
        let document = layer.document;
        for assignment in &layer.tree.job.env {
            let name = assignment.value.split('=').next().unwrap_or_default();
            let value = if assignment.value.contains('=') {
                document.value(assignment.span, &assignment.value).map_known(|all| after_equals(&all))
            } else {
                Answer::Unknown(Missing::new(format!("init's own {name}"), "give it a value in the job"))
            };
            main.env.set(name, env_value(document, "upstart", name, &value, assignment.span));
            main.variables.insert(name.to_owned(), value);
        }
        for word in layer.tree.job.export.iter().filter(|word| word.value.contains('=')) {
            let name = word.value.split('=').next().unwrap_or("");
            let value = Answer::Known(after_equals(&word.value));
            let mut row = env_value(document, "upstart-export", name, &value, word.span);
            row.cure = Fact::derived(format!("env {name}=…"));
            main.env.add(row);
        }
    }
}

/// What the job is called, and where it lies.
fn identity(layers: &Layers<'_>, document: &Document) -> Job {
    let place = layers.stanzas().next().map_or(Span::default(), |(_, stanza)| stanza.name.span);
    let mut job = Job::at(document.place(place));
    job.key = "upstart".to_owned();
    job.name = Fact::derived(job_name(&document.path).to_owned());
    let is_chrome_os = layers.0.iter().any(|layer| layer.dialect == Dialect::ChromeOs);
    job.dialect = Fact::derived(if is_chrome_os { "chromeos" } else { "upstart" }.to_owned());
    job.path = Fact::derived(document.path.clone());
    job
}

/// How Upstart watches over it.
fn supervise(job: &mut Job, layers: &Layers<'_>) {
    job.expect = match layers.last(|job| job.expect.as_ref()) {
        Some((file, expect)) => {
            let place = file.place(expect.span);
            let named = |word: &str| Fact::read(word.to_owned(), place);
            match expect.value {
                Expect::None => Fact::absent(),
                Expect::Stop => named("stop"),
                Expect::Daemon => named("daemon"),
                Expect::Fork => named("fork"),
            }
        }
        None => layers.unset("what the job's `expect` says"),
    };
    job.task = layers.flag("whether the job is a task", |job| job.task.as_ref());
    job.respawn = layers.flag("whether the job has `respawn`", |job| job.respawn.as_ref());
    job.respawn_limit = match layers.last(|job| job.respawn_limit.as_ref()) {
        Some((file, limit)) => {
            let words = match limit.value {
                (0, 0) => "unlimited".to_owned(),
                (count, seconds) => format!("{count} {seconds}"),
            };
            Fact::read(words, file.place(limit.span))
        }
        None => layers.unset("the job's `respawn limit`"),
    };
    job.start_on = match layers.start_on() {
        Some((file, events)) => file.fact(events.span, &events.value.to_string()),
        None => layers.unset("the job's `start on`"),
    };
    job.stop_on = match layers.last(|job| job.stop_on.as_ref()) {
        Some((file, events)) => file.fact(events.span, &events.value.to_string()),
        None => layers.unset("the job's `stop on`"),
    };
    job.manual = layers.manual();
    job.instance = layers.text("the job's `instance`", |job| job.instance.as_ref());
    job.started_by = Fact::absent();
    job.setuid = layers.text("the job's `setuid`", |job| job.setuid.as_ref());
    job.setgid = layers.text("the job's `setgid`", |job| job.setgid.as_ref());
    job.chdir = layers.text("the job's `chdir`", |job| job.chdir.as_ref());
    if job.chdir.is_absent() {
        job.chdir = Fact::default_of("/".to_owned());
    }
}

/// How the main process comes to its program.
fn run(job: &mut Job, layers: &Layers<'_>, document: &Document, started: Option<&Started>, path_is_known: bool) {
    let main = layers.last(|job| job.main());
    job.is_script = match main {
        Some((_, command)) => Fact::derived(matches!(command, Command::Script(_))),
        None if layers.is_open() => hidden("the job's command"),
        None => Fact::derived(false),
    };
    let Some(started) = started else {
        job.server = layers.unset("the job's command");
        job.execed = Fact::derived(true);
        job.path_decides = Fact::derived(false);
        job.wrapper = Fact::absent();
        job.left_behind = Fact::absent();
        job.forks = layers.unset("the job's command");
        job.forks_before = Fact::absent();
        return;
    };
    let launch = &started.launch;
    let place = launch.words.first().map(|word| document.place(word.span));
    let shown = |word: &Argument| Fact::read(word.written.clone(), document.place(word.span));
    let at_span = |span: Option<Span>| match span {
        Some(span) => Fact::read(document.written(span).to_owned(), document.place(span)),
        None => Fact::absent(),
    };
    let at_program = |server: &str| Fact { place, ..Fact::derived(server.to_owned()) };
    job.server = program::server(launch).map_or_else(Fact::absent, at_program);
    job.execed = Fact { place, ..Fact::derived(started.execed) };
    let bare = launch.words.first().is_some_and(|word| !word.written.contains(['/', '$', '\u{1f}']));
    job.path_decides = Fact { place, ..Fact::derived(bare && !path_is_known && program::is_of_virtualenv(launch)) };
    job.wrapper = launch
        .through
        .as_ref()
        .map_or_else(Fact::absent, |word| Fact::read(word.base_name().to_owned(), document.place(word.span)));
    job.left_behind = match (&launch.left_behind, started.ampersand) {
        (_, Some(span)) => Fact::read("&".to_owned(), document.place(span)),
        (Some(word), None) => shown(word),
        (None, None) => Fact::absent(),
    };
    let (forks, said_by) = program::forks(launch);
    job.forks = Fact { answer: forks, ..Fact::derived(0) };
    job.forks.place = said_by.map(|word| document.place(word.span)).or(place);
    job.forks_before = at_span(started.forks_before);
}

fn stanzas(layers: &Layers<'_>) -> Vec<JobStanza> {
    let row = |(document, stanza): (&Document, &crate::syntax::upstart::Stanza)| {
        let mut row = JobStanza::at(document.place(stanza.span));
        row.key.clone_from(&stanza.name.value);
        row.name = document.fact(stanza.name.span, &stanza.name.value);
        let words: Vec<&str> = stanza.words.iter().map(|word| word.value.as_str()).collect();
        row.value = match (stanza.words.first(), stanza.words.last()) {
            (Some(first), Some(last)) => document.fact(first.span.to(last.span), &words.join(" ")),
            _ => Fact::absent(),
        };
        row
    };
    layers.stanzas().map(row).collect()
}

fn after_equals(assignment: &str) -> String {
    assignment.split_once('=').map_or("", |(_, value)| value).to_owned()
}

fn fact(document: &Document, argument: &Argument) -> Fact<String> {
    let mut fact = Fact::read(String::new(), document.place(argument.span));
    fact.answer = argument.value.clone();
    fact
}

/// The job's name: its path below `/etc/init`, without `.conf`.
fn job_name(path: &str) -> &str {
    let below = match path.rfind("etc/init/") {
        Some(at) if at == 0 || path.as_bytes()[at - 1] == b'/' => &path[at + "etc/init/".len()..],
        _ => path.rsplit('/').next().unwrap_or(path),
    };
    let below = below.strip_suffix(".erb").or_else(|| below.strip_suffix(".j2")).unwrap_or(below);
    below.strip_suffix(".conf").unwrap_or(below)
}

#[cfg(test)]
mod tests;
