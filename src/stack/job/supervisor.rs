//! What supervisor starts: a program without a shell, with supervisord's own variables and those of `environment=`.

use std::sync::Arc;

use super::compose::is_default;
use super::container::{Process, Surroundings, started};
use super::environment::env_value;
use super::{Job, Reading, fact, stopping, work};
use crate::finding::Confidence;
use crate::source::Located;
use crate::stack::app::name::last_segment;
use crate::stack::document::{Document, Kind};
use crate::stack::env::EnvValue;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::image::landing::Landing;
use crate::stack::launch::{Argument, Launch, Variables, see_through};
use crate::stack::view::View;
use crate::syntax::supervisor::{self, Program};

/// More programs than any real stack has; the scripts of those beyond are not gone into.
const MOST_FOLLOWED: usize = 256;

/// Every program of a view, each with the text that its command stands in; `lands` is what lands in the images of the stack, one
/// of which may be where supervisor runs.
pub fn all(view: &View, lands: &Arc<[Arc<Landing>]>) -> Vec<(Reading, Arc<Document>)> {
    let mut all = Vec::new();
    for document in view.of(Kind::Supervisor) {
        for program in supervisor::parse(document.text()) {
            let view = (all.len() < MOST_FOLLOWED).then_some(view);
            all.push(reading(document, &program, view, lands));
        }
    }
    all
}

/// Gives the programs the variables of the container that runs supervisor, where one such container takes their file; of several
/// the service that is started where nobody says otherwise.
pub fn inherit(programs: &mut [(Reading, Arc<Document>)], containers: &[&Reading]) {
    let runs_supervisor = |reading: &&&Reading| {
        let command = reading.job.command.known().map_or("", String::as_str);
        command.split_whitespace().take(2).any(|word| last_segment(word) == "supervisord")
    };
    let containers: Vec<&Reading> = containers.iter().filter(runs_supervisor).copied().collect();
    for (program, _) in programs {
        let Some(path) = program.job.path.known() else { continue };
        let mut takers = containers.iter().filter(|one| one.lands.iter().any(|landing| landing.takes(path)));
        let container = match (takers.next(), takers.next()) {
            (only, None) => only,
            _ => {
                let mut defaults = containers.iter().filter(|one| is_default(&one.job));
                defaults.next().filter(|_| defaults.next().is_none())
            }
        };
        let Some(container) = container else { continue };
        let given = container.env.iter().map(|row| EnvValue { key: "supervisor".to_owned(), ..row.clone() });
        program.env.splice(0..0, given);
        program.files.splice(0..0, container.files.iter().cloned());
        program.inherits.clone_from(&container.inherits);
        program.open |= container.open;
        program.sure = program.sure.min(Confidence::Likely);
    }
}

fn reading(
    file: &Arc<Document>,
    program: &Program,
    view: Option<&View>,
    lands: &Arc<[Arc<Landing>]>,
) -> (Reading, Arc<Document>) {
    let mut job = Job::at(file.place(program.name.span));
    job.key = "supervisor".to_owned();
    job.service_type = Fact::absent();
    // What starts uWSGI is told apart once its ini is read.
    job.forks = Fact::absent();
    job.dialect = Fact::derived("supervisor".to_owned());
    job.name = file.fact(program.name.span, &program.name.value);
    job.path = Fact::derived(file.path.clone());
    let folder = match &program.directory {
        Some(folder) => expanded(file, folder).answer,
        None => Answer::Unknown(Missing::new(
            "the folder that supervisord works in",
            "write `directory=` below the program",
        )),
    };
    let launch = program.command.as_ref().and_then(|command| launch(file, command));
    let process = launch.map(|launch| {
        let process = Process::of(file, launch, folder.clone());
        let around = |view| Surroundings { view, lands, folder, variables: Variables::new(), key: "supervisor" };
        view.map_or_else(|| process.clone(), |view| around(view).follow(process.clone()))
    });
    let document = process.as_ref().map_or(file, |process| &process.document);
    let launch = process.as_ref().map(|process| &process.launch);
    job.user = match (&program.user, launch.and_then(|launch| launch.user.as_ref())) {
        (_, Some(user)) => fact(document, user),
        (Some(user), None) => expanded(file, user),
        // supervisord's own, which is mostly root's.
        (None, None) => Fact::unknown(Missing::new("the user of supervisord", "write `user=` below the program")),
    };
    if launch.is_none() {
        (job.command, job.uwsgi_ini) = (Fact::absent(), Fact::absent());
    }
    work::of_launch(&mut job, document, launch);
    stopping::of_program(&mut job, file, program);
    let (document, lands) = (Arc::clone(document), Arc::clone(lands));
    let (reading, _) = match process {
        Some(process) => {
            let missing = Missing::new("the program's command", "write it without template tags");
            started(job, Some(process), missing, file.is_open())
        }
        None => (Reading::of(job, None), None),
    };
    let env = program.environment.iter().map(|(name, value)| {
        let answer = expanded(file, value).answer;
        let mut row = env_value(file, "supervisor", &name.value, &answer, name.span.to(value.span));
        row.name = file.fact(name.span, &name.value).at(row.place);
        row
    });
    let missing = Missing::new("the variables that supervisord itself has", "it hands them on: look at what starts it");
    let reading = Reading {
        env: env.chain(reading.env).collect(),
        lands,
        inherits: Some(missing),
        defaults: &["PATH", "SUPERVISOR_ENABLED", "SUPERVISOR_PROCESS_NAME", "SUPERVISOR_GROUP_NAME"],
        open: file.is_open(),
        ..reading
    };
    (reading, document)
}

/// A value with `%(ENV_NAME)s` and its kin, which only supervisord can work out.
fn expanded(document: &Document, value: &Located<String>) -> Fact<String> {
    let mut fact = document.fact(value.span, &value.value);
    if value.value.contains("%(") {
        fact.answer = Answer::Unknown(Missing::new("what supervisord puts in for `%(…)s`", "write it out"));
    } else {
        fact.answer = fact.answer.map_known(|text| text.replace("%%", "%"));
    }
    fact
}

fn launch(document: &Document, command: &Located<String>) -> Option<Launch> {
    let word = |word: Located<String>| {
        let value = expanded(document, &word).answer;
        Argument { span: word.span, value, written: word.value }
    };
    let words = supervisor::words(document.text(), command.span).into_iter().map(word).collect();
    let launch = see_through(document, words, &Variables::new());
    (!launch.words.is_empty()).then_some(launch)
}
