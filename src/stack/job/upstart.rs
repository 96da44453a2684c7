//! What an Upstart job starts, and how Upstart watches over it (Upstart: init(5), job_process.c).

use std::sync::Arc;

use super::environment::env_value;
use super::layer::{Layer, Layers, hidden};
use super::main_process::{Main, Started};
use super::uwsgi_ini::uwsgi_ini;
use super::{
    Deeds, Job, JobStanza, Reading, after_equals, command_line, condition, fact, lines, paths, program, script,
    stopping, work,
};
use crate::source::{FileId, Located, Span};
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::launch::{Argument, Launch};
use crate::syntax::Problem;
use crate::syntax::placeholder::is_filled_in;
use crate::syntax::upstart::{Command, Dialect, Events, Expect, Stanza};

/// What every Upstart job gets besides its own `env` stanzas (Upstart: `JOB_DEFAULT_ENVIRONMENT`, job_process.c).
const OF_EVERY_JOB: &[&str] = &["PATH", "TERM", "UPSTART_JOB", "UPSTART_INSTANCE"];

/// Reads an Upstart job; what its override says comes after what its own file says.
///
/// Says too in which of the two its command stands.
pub fn read(document: &Arc<Document>, override_file: Option<&Arc<Document>>) -> (Reading, Arc<Document>) {
    let files = || std::iter::once(document).chain(override_file);
    let layers = Layers(files().map(|file| Layer::of(file)).collect());
    let main_command = layers.last(|job| job.main());
    let stands_in = main_command.and_then(|(found, _)| files().find(|file| std::ptr::eq(file.as_ref(), found)));
    let folder = layers.last(|job| job.chdir.as_ref()).map(|(file, folder)| file.value(folder.span, &folder.value));
    let mut main = Main::new(main_command.map_or(document, |(file, _)| file), "upstart", folder);
    give_variables(&layers, &mut main);
    let sets_path = main.env.gives("PATH");
    let started =
        main_command.and_then(|(_, command)| main.start(command.text().span, matches!(command, Command::Script(_))));
    let open = layers.is_open();
    let filled_in_later = main_command.is_some_and(|(file, command)| is_filled_in(command.text().span.of(file.text())));

    let mut job = identity(&layers, document);
    let launch = started.as_ref().map(|started| &started.launch);
    job.user = match (layers.last(|job| job.setuid.as_ref()), launch.and_then(|launch| launch.user.as_ref())) {
        (_, Some(user)) => fact(main.document, user),
        (Some((file, user)), None) => file.fact(user.span, &user.value),
        (None, None) if open || filled_in_later => hidden("the job's user"),
        (None, None) => Fact::default_of("root".to_owned()),
    };
    job.command = match &started {
        Some(started) => command_line(main.document, &started.launch),
        None if open || main_command.is_some() => hidden("the job's command"),
        None => Fact::absent(),
    };
    supervise(&mut job, &layers);
    let path_is_known = sets_path || !main.sources_files.is_empty() || main.variables.contains_key("PATH");
    run(&mut job, &layers, main.document, started.as_ref(), path_is_known);

    let mut lines = lines::rows(&layers);
    let folder_is_root = main.folder.is_none() && !open && !filled_in_later;
    lines.extend(
        launch.filter(|_| folder_is_root).into_iter().flat_map(|launch| paths::relative(main.document, launch)),
    );
    let mut events = Vec::new();
    for (file, condition) in layers.start_on().into_iter().chain(layers.last(|job| job.stop_on.as_ref())) {
        lines.extend(condition::lines(file, condition));
        events.extend(condition::events(file, &condition.value));
    }
    lines.retain(|line| layers.is_sure(line.place));
    let mut deeds = Deeds::default();
    layers.processes().for_each(|(file, _, command, _)| script::collect(file, command, &mut deeds));
    deeds.emits.extend(layers.0.iter().flat_map(|layer| layer.tree.job.emits.iter().map(|event| event.value.clone())));

    let login = launch.is_some_and(|launch| launch.login);
    let uwsgi = started.map(|started| started.launch).filter(Launch::is_uwsgi).map(|launch| launch.words);
    job.uwsgi_ini = match &uwsgi {
        Some(words) => uwsgi_ini(main.document, words, main.folder.as_ref(), open),
        None if job.command.is_unknown() => hidden("the job's command"),
        None => Fact::absent(),
    };
    let reading = Reading {
        env: main.env.into_rows(),
        sources_files: main.sources_files,
        login,
        exports_all: main.exports_all,
        exported_later: main.exported_later,
        defaults: OF_EVERY_JOB,
        open,
        stanzas: stanzas(&layers),
        lines,
        events,
        deeds,
        problems: problems(&layers),
        ..Reading::of(job, uwsgi)
    };
    (reading, Arc::clone(stands_in.unwrap_or(document)))
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
    job.service_type = Fact::absent();
    job.name = Fact::derived(job_name(&document.path).to_owned());
    let is_chrome_os = layers.0.iter().any(|layer| layer.dialect == Dialect::ChromeOs);
    job.dialect = Fact::derived(if is_chrome_os { "chromeos" } else { "upstart" }.to_owned());
    job.path = Fact::derived(document.path.clone());
    job
}

/// How Upstart watches over it.
fn supervise(job: &mut Job, layers: &Layers<'_>) {
    let expect = |document: &Document, expect: &Located<Expect>| {
        let named = |word: &str| Fact::read(word.to_owned(), document.place(expect.span));
        match expect.value {
            Expect::None => Fact::absent(),
            Expect::Stop => named("stop"),
            Expect::Daemon => named("daemon"),
            Expect::Fork => named("fork"),
        }
    };
    job.expect = if layers.is_filled_in("expect") {
        hidden("what the job's `expect` says")
    } else {
        layers.fact("what the job's `expect` says", |job| job.expect.as_ref(), expect)
    };
    job.task = layers.flag("whether the job is a task", "task", |job| job.task.as_ref());
    job.respawn = layers.flag("whether the job has `respawn`", "respawn", |job| job.respawn.as_ref());
    let limit = |document: &Document, limit: &Located<(i64, i64)>| {
        let words = match limit.value {
            (0, 0) => "unlimited".to_owned(),
            (count, seconds) => format!("{count} {seconds}"),
        };
        Fact::read(words, document.place(limit.span))
    };
    job.respawn_limit = if layers.is_filled_in("respawn") {
        hidden("the job's `respawn limit`")
    } else {
        layers.fact("the job's `respawn limit`", |job| job.respawn_limit.as_ref(), limit)
    };
    let condition =
        |document: &Document, events: &Located<Events>| document.fact(events.span, &events.value.to_string());
    job.start_on = match layers.start_on() {
        Some((file, events)) if file.is_conditional(events.span) => hidden("the job's `start on`"),
        Some((file, events)) => condition(file, events),
        None => layers.unset("the job's `start on`"),
    };
    job.stop_on = layers.fact("the job's `stop on`", |job| job.stop_on.as_ref(), condition);
    job.manual = layers.manual();
    job.instance = layers.text("the job's `instance`", |job| job.instance.as_ref());
    job.started_by = Fact::absent();
    job.setuid = layers.text("the job's `setuid`", |job| job.setuid.as_ref());
    job.setgid = layers.text("the job's `setgid`", |job| job.setgid.as_ref());
    stopping::of_upstart(job, layers);
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
    work::of_launch(job, document, started.map(|started| &started.launch));
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
    if launch.span().is_some_and(|span| document.is_conditional(span)) || layers.may_be_replaced(document) {
        job.server = hidden("whether the template's conditions leave the job's command in");
        job.finishes = hidden("whether the template's conditions leave the job's command in");
    }
    job.execed = Fact { place, ..Fact::derived(started.execed) };
    // A command in quotes, for another shell, may set PATH itself.
    let is_plain = |word: &&Argument| word.span.of(document.text()) == word.written;
    let bare = launch.words.first().filter(is_plain).is_some_and(|word| !word.written.contains(['/', '$', '\u{1f}']));
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
    let row = |(document, stanza): (&Document, &Stanza)| {
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

/// The job's name: its path below `/etc/init`, without `.conf`.
fn job_name(path: &str) -> &str {
    let below = match path.rfind("etc/init/") {
        Some(at) if at == 0 || path.as_bytes()[at - 1] == b'/' => &path[at + "etc/init/".len()..],
        _ => path.rsplit('/').next().unwrap_or(path),
    };
    let below = below.strip_suffix(".erb").or_else(|| below.strip_suffix(".j2")).unwrap_or(below);
    below.strip_suffix(".conf").unwrap_or(below)
}
