//! What supervisor starts: a program without a shell, with supervisord's own variables and those of `environment=`.

use super::environment::env_value;
use super::uwsgi_ini::uwsgi_ini;
use super::{Job, Reading, command_line, fact, stopping, work};
use crate::source::Located;
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::launch::{Launch, Variables, argument, see_through};
use crate::syntax::shell;
use crate::syntax::supervisor::{self, Program};

/// Reads every program of a configuration.
pub fn read(document: &Document) -> Vec<Reading> {
    supervisor::parse(document.text()).iter().map(|program| reading(document, program)).collect()
}

fn reading(document: &Document, program: &Program) -> Reading {
    let mut job = Job::at(document.place(program.name.span));
    job.key = "supervisor".to_owned();
    job.service_type = Fact::absent();
    // What starts uWSGI is told apart once its ini is read.
    job.forks = Fact::absent();
    job.dialect = Fact::derived("supervisor".to_owned());
    job.name = document.fact(program.name.span, &program.name.value);
    job.path = Fact::derived(document.path.clone());
    let launch = program.command.as_ref().and_then(|command| launch(document, command));
    job.user = match (&program.user, launch.as_ref().and_then(|launch| launch.user.as_ref())) {
        (_, Some(user)) => fact(document, user),
        (Some(user), None) => expanded(document, user),
        // supervisord's own, which is mostly root's.
        (None, None) => Fact::unknown(Missing::new("the user of supervisord", "write `user=` below the program")),
    };
    job.command = match &launch {
        Some(launch) => command_line(document, launch),
        None => Fact::absent(),
    };
    work::of_launch(&mut job, document, launch.as_ref());
    stopping::of_program(&mut job, document, program);
    let folder = match &program.directory {
        Some(folder) => expanded(document, folder).answer,
        None => Answer::Unknown(Missing::new(
            "the folder that supervisord works in",
            "write `directory=` below the program",
        )),
    };
    let uwsgi = launch.filter(Launch::is_uwsgi).map(|launch| launch.words);
    job.uwsgi_ini = match &uwsgi {
        Some(words) => uwsgi_ini(document, words, Some(&folder), document.is_open()),
        None if job.command.is_unknown() => {
            Fact::unknown(Missing::new("the program's command", "write it without template tags"))
        }
        None => Fact::absent(),
    };
    let env = program.environment.iter().map(|(name, value)| {
        let answer = expanded(document, value).answer;
        let mut row = env_value(document, "supervisor", &name.value, &answer, name.span.to(value.span));
        row.name = document.fact(name.span, &name.value).at(row.place);
        row
    });
    let missing = Missing::new("the variables that supervisord itself has", "it hands them on: look at what starts it");
    Reading {
        env: env.collect(),
        inherits: Some(missing),
        defaults: &["PATH", "SUPERVISOR_ENABLED", "SUPERVISOR_PROCESS_NAME", "SUPERVISOR_GROUP_NAME"],
        open: document.is_open(),
        ..Reading::of(job, uwsgi)
    }
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
    let variables = Variables::new();
    let mut words = Vec::new();
    // Over its lines as well: a newline is a blank to supervisor.
    for command in shell::commands(document.text(), command.span) {
        words.extend(command.words.iter().map(|word| {
            let mut word = argument(document, word, &variables);
            if word.written.contains("%(") {
                word.value = Answer::Unknown(Missing::new("what supervisord puts in for `%(…)s`", "write it out"));
            }
            word
        }));
    }
    let launch = see_through(document, words, &variables);
    (!launch.words.is_empty()).then_some(launch)
}
