//! What a `Procfile` starts: one command for each kind of process, with the variables of the platform.

use super::uwsgi_ini::uwsgi_ini;
use super::{Job, Reading, command_line};
use crate::source::Span;
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::launch::{Launch, Variables, argument, see_through};
use crate::syntax::shell;

/// Reads every line `name: command`.
pub fn read(document: &Document) -> Vec<Reading> {
    let mut at = 0;
    let mut all = Vec::new();
    for line in document.text().split_inclusive('\n') {
        let start = at;
        at += line.len();
        let Some(colon) = line.find(':').filter(|_| !line.trim_start().starts_with('#')) else { continue };
        let name = line[..colon].trim();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
            continue;
        }
        let end = start + line.trim_end().len();
        all.extend(reading(
            document,
            name,
            Span::new(start, start + colon),
            Span::new((start + colon + 1).min(end), end),
        ));
    }
    all
}

fn reading(document: &Document, name: &str, at: Span, command: Span) -> Option<Reading> {
    let variables = Variables::new();
    let words = shell::commands(document.text(), command).into_iter().next_back()?.words;
    let words = words.iter().map(|word| argument(document, word, &variables)).collect();
    let launch = see_through(document, words, &variables);
    let mut job = Job::at(document.place(at));
    job.key = "procfile".to_owned();
    job.service_type = Fact::absent();
    // What starts uWSGI is told apart once its ini is read.
    job.forks = Fact::absent();
    job.dialect = Fact::derived("procfile".to_owned());
    // How a line is started is the platform's matter.
    job.execed = Fact::derived(true);
    job.name = Fact::derived(name.to_owned());
    job.path = Fact::derived(document.path.clone());
    job.user = Fact::unknown(Missing::new("the user of the platform", "ask the platform"));
    job.command = command_line(document, &launch);
    let uwsgi = Some(launch).filter(Launch::is_uwsgi).map(|launch| launch.words);
    let folder = document.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    job.uwsgi_ini = match &uwsgi {
        Some(words) => uwsgi_ini(document, words, Some(&Answer::Known(folder)), false),
        None => Fact::absent(),
    };
    let inherits = Some(Missing::new(
        "the variables that the platform gives",
        "look at its settings: `heroku config`, or the `.env` of foreman",
    ));
    Some(Reading { inherits, ..Reading::of(job, uwsgi) })
}
