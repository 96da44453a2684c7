//! What a compose file starts where it names the command itself: a container, with what the file gives it and what its image sets.

use super::environment::env_value;
use super::uwsgi_ini::uwsgi_ini;
use super::{Job, Reading, VariablesFile, command_line};
use crate::source::Located;
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::launch::{Argument, Launch, Variables, argument, see_through};
use crate::syntax::compose::{self, Command, Service};
use crate::syntax::shell;

/// Reads every service.
pub fn read(document: &Document) -> Vec<Reading> {
    compose::parse(document.text()).iter().map(|service| reading(document, service)).collect()
}

fn reading(document: &Document, service: &Service) -> Reading {
    let name = &service.name.value;
    let mut job = Job::at(document.place(service.name.span));
    job.key = "compose".to_owned();
    job.service_type = Fact::absent();
    // What starts uWSGI is told apart once its ini is read.
    job.forks = Fact::absent();
    job.dialect = Fact::derived("compose".to_owned());
    job.name = Fact::derived(name.clone());
    job.path = Fact::derived(document.path.clone());
    let of_image = |what: &str| Missing::new(format!("{what} of the image of {name}"), "look at its Dockerfile");
    job.user = Fact::unknown(of_image("the user"));
    let launch = service.command.as_ref().map(|command| launch(document, command));
    job.command = match &launch {
        Some(launch) => command_line(document, launch),
        None => Fact::unknown(of_image("the command")),
    };
    let uwsgi = launch.filter(Launch::is_uwsgi).map(|launch| launch.words);
    job.uwsgi_ini = match &uwsgi {
        Some(words) => uwsgi_ini(document, words, Some(&Answer::Unknown(of_image("the folder"))), false),
        None if job.command.is_unknown() => Fact::unknown(of_image("the command")),
        None => Fact::absent(),
    };
    let env = service.environment.iter().map(|(name, value)| {
        let answer = value.as_ref().map_or_else(
            || {
                Answer::Unknown(Missing::new(
                    format!("{} of whoever runs compose", name.value),
                    "give it a value in the file",
                ))
            },
            |value| known(document, value),
        );
        let span = value.as_ref().map_or(name.span, |value| name.span.to(value.span));
        let mut row = env_value(document, "compose", &name.value, &answer, span);
        row.name = document.fact(name.span, &name.value).at(row.place);
        if value.is_none() {
            // Where nobody has it, the container has it not either.
            row.name.answer = Answer::Unknown(Missing::new(
                format!("whether whoever runs compose has {}", name.value),
                "give it a value in the file",
            ));
        }
        row
    });
    let files = service.env_files.iter().map(|path| VariablesFile {
        path: known(document, path).map_known(|path| beside(&document.path, &path)),
        optional: false,
        place: document.place(path.span),
    });
    let inherits = of_image("the variables");
    Reading {
        env: env.collect(),
        files: files.collect(),
        inherits: Some(inherits),
        open: service.open,
        ..Reading::of(job, uwsgi)
    }
}

/// A value; `${NAME}` stands for a variable of whoever runs compose, or of the `.env` beside the file.
fn known(document: &Document, value: &Located<String>) -> Answer<String> {
    if value.value.replace("$$", "").contains('$') {
        return Answer::Unknown(Missing::new("what compose puts in for `$NAME`", "write it out"));
    }
    document.value(value.span, &value.value.replace("$$", "$"))
}

/// A path of the file, seen from its folder.
fn beside(file: &str, path: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = path.trim_start_matches("./");
    if path.starts_with('/') || folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}

fn launch(document: &Document, command: &Command) -> Launch {
    let variables = Variables::new();
    let words: Vec<Argument> = match command {
        Command::Text(text) => {
            let last = shell::commands(document.text(), text.span).into_iter().next_back();
            let words = last.map(|command| command.words).unwrap_or_default();
            words.iter().map(|word| argument(document, word, &variables)).collect()
        }
        Command::Words(words) => words
            .iter()
            .map(|word| Argument { span: word.span, value: known(document, word), written: word.value.clone() })
            .collect(),
    };
    see_through(document, words, &variables)
}
