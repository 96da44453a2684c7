//! Paths of a job's command that are meant from a folder in which the job is not: without `chdir` that is `/`.

use super::JobLine;
use super::program;
use crate::stack::document::Document;
use crate::stack::fact::Answer;
use crate::stack::launch::{Argument, Launch};
use crate::syntax::erb::FILLER;

/// The relative paths of what a job starts in the folder `/`.
pub(super) fn relative(document: &Document, launch: &Launch) -> Vec<JobLine> {
    let mut words: Vec<&Argument> =
        launch.words.first().filter(|program| program.written.contains('/')).into_iter().collect();
    match program::name(launch) {
        Some("uwsgi") => words.extend(of_uwsgi(launch)),
        Some("python") => {
            let script = launch.words.iter().skip(1).find(|word| !word.written.starts_with('-'));
            words.extend(script.filter(|script| script.written.ends_with(".py")));
        }
        _ => {}
    }
    let is_relative = |word: &&Argument| {
        matches!(&word.value, Answer::Known(path) if !path.starts_with(['/', '~', '$']) && !path.contains("://"))
            && !word.written.contains(FILLER)
    };
    let row = |word: &Argument| {
        let row = JobLine::of("relative-path", document, word.span);
        row.named(word.written.clone()).taken_as(format!("/{}", word.written.trim_start_matches("./")))
    };
    words.into_iter().filter(is_relative).map(row).collect()
}

/// `--ini FILE` and a bare `FILE.ini`; the app's own file where no `--chdir` says from where.
fn of_uwsgi(launch: &Launch) -> Vec<&Argument> {
    let mut files = Vec::new();
    let mut before = "";
    let has = |option: &str| launch.words.iter().any(|word| word.written.starts_with(option));
    let moves = has("--chdir") || has("--chdir2") || has("--ini") || has("--emperor");
    for word in launch.words.iter().skip(1) {
        let written = word.written.as_str();
        let is_configuration = matches!(before, "--ini" | "--xml" | "--yaml" | "--json" | "-x" | "-y");
        let is_app = matches!(before, "--wsgi-file" | "--file") && !moves;
        if is_configuration
            || is_app
            || (written.ends_with(".ini") && !written.starts_with('-') && !before.starts_with('-'))
        {
            files.push(word);
        }
        before = written;
    }
    files
}
