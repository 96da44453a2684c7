//! What a program ends before it stops, and what of it the signal that asks it to stop breaks off.

use super::{Job, program};
use crate::stack::document::Document;
use crate::stack::fact::Fact;
use crate::stack::launch::{Argument, Launch};

/// The pools of Celery that work in processes of their own, which take SIGTERM as any process does (celery:
/// concurrency/prefork.py, `process_initializer` resets it).
const OF_PROCESSES: [&str; 2] = ["prefork", "processes"];

/// Sets what is known of the program of a job.
pub(super) fn of_launch(job: &mut Job, document: &Document, launch: Option<&Launch>) {
    let Some(launch) = launch else {
        if job.command.is_absent() {
            (job.finishes, job.has_pool) = (Fact::absent(), Fact::derived(false));
        }
        return;
    };
    let place = launch.words.first().map(|word| document.place(word.span));
    let works = is_celery_worker(launch);
    let finishes = match program::server(launch) {
        _ if works => Some("tasks"),
        Some("gunicorn" | "gunicorn_django" | "gunicorn_paster") => Some("requests"),
        _ => None,
    };
    job.finishes = finishes.map_or_else(Fact::absent, |what| Fact { place, ..Fact::derived(what.to_owned()) });
    job.has_pool = match pool(launch) {
        _ if !works => Fact::derived(false),
        Some(word) => {
            let name = word.written.rsplit('=').next().unwrap_or_default().trim_start_matches("-P");
            let answer = word.value.clone().map_known(|_| OF_PROCESSES.contains(&name));
            Fact { answer, ..Fact::read(true, document.place(word.span)) }
        }
        None => Fact { place, ..Fact::default_of(true) },
    };
}

/// Whether the program is a worker of Celery in the foreground: `celery worker`, `celeryd`, `manage.py celery worker`.
fn is_celery_worker(launch: &Launch) -> bool {
    let says = |wanted: &str| launch.words.iter().skip(1).any(|word| word.written == wanted);
    let is_celery = program::server(launch).is_some_and(|server| matches!(server, "celery" | "celeryd" | "worker"));
    let named = program::name(launch) == Some("celeryd") || says("celeryd");
    is_celery && (named || (says("worker") && (program::name(launch) == Some("celery") || says("celery"))))
}

/// The word that says how Celery works: `-P gevent`, `-Pgevent`, `--pool=gevent`.
fn pool(launch: &Launch) -> Option<&Argument> {
    let says = |word: &Argument| {
        matches!(word.written.as_str(), "--pool")
            || word.written.starts_with("-P")
            || word.written.starts_with("--pool=")
    };
    let at = launch.words.iter().position(says)?;
    let word = &launch.words[at];
    if matches!(word.written.as_str(), "-P" | "--pool") { launch.words.get(at + 1) } else { Some(word) }
}
