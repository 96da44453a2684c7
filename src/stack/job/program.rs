//! What is known of the programs that jobs start: which of them serve, and how often they fork on their way into the background.

use crate::stack::fact::{Answer, Missing};
use crate::stack::launch::{Argument, Launch};

/// Programs that run for as long as the host is up and usually come with the app, into its virtualenv.
const SERVERS_OF_APPS: [&str; 16] = [
    "uwsgi",
    "gunicorn",
    "gunicorn_django",
    "gunicorn_paster",
    "celery",
    "celeryd",
    "celerybeat",
    "flask",
    "daphne",
    "uvicorn",
    "hypercorn",
    "waitress-serve",
    "pserve",
    "rq",
    "rqworker",
    "huey_consumer",
];

/// Others that run for as long; a version at the end (`python3`) does not matter.
const SERVERS: [&str; 18] = [
    "supervisord",
    "circusd",
    "nginx",
    "node",
    "nodejs",
    "unicorn",
    "unicorn_rails",
    "puma",
    "thin",
    "sidekiq",
    "redis-server",
    "memcached",
    "postgres",
    "postmaster",
    "mongod",
    "haproxy",
    "statsd",
    "java",
];

/// What else a virtualenv brings.
const OF_VIRTUALENV: [&str; 3] = ["python", "django-admin", "django-admin.py"];

/// Django's and Celery's commands that serve: `python manage.py runserver`.
const SERVING: [&str; 9] =
    ["runserver", "run_gunicorn", "celery", "celeryd", "celerybeat", "celerycam", "rqworker", "runfcgi", "worker"];

fn serves(name: &str) -> bool {
    SERVERS_OF_APPS.contains(&name) || SERVERS.contains(&name)
}

/// The base name of the program without the version at its end.
pub(super) fn name(launch: &Launch) -> Option<&str> {
    let base = launch.words.first()?.base_name();
    let plain = base.trim_end_matches(|character: char| character.is_ascii_digit() || matches!(character, '.' | '-'));
    Some(if plain.is_empty() { base } else { plain }).filter(|name| !name.is_empty())
}

/// The program, where it is one that serves: also the module of `python -m`, or what `manage.py` is told to run.
pub(super) fn server(launch: &Launch) -> Option<&str> {
    let name = name(launch)?;
    let words = || launch.words.iter().skip(1).map(|word| word.written.as_str());
    if name == "python" {
        let module = words().skip_while(|word| *word != "-m").nth(1);
        let told = words().find(|word| SERVING.contains(word));
        return module.filter(|module| serves(module)).or(told);
    }
    if matches!(name, "manage" | "django-admin" | "manage.py" | "django-admin.py") {
        return words().find(|word| SERVING.contains(word));
    }
    // `celery call` and `flask db upgrade` end; `java` is whatever it is told to be.
    let ends = match name {
        "celery" => !words().any(|word| matches!(word, "worker" | "beat" | "flower" | "multi" | "events")),
        "flask" => !words().any(|word| word == "run"),
        "rq" => !words().any(|word| word == "worker"),
        "nginx" => words().any(|word| matches!(word, "-t" | "-s" | "-v" | "-V")),
        _ => false,
    };
    serves(name).then_some(name).filter(|_| !ends)
}

/// Whether the program usually comes with the app, into its virtualenv.
pub(super) fn is_of_virtualenv(launch: &Launch) -> bool {
    name(launch).is_some_and(|name| SERVERS_OF_APPS.contains(&name) || OF_VIRTUALENV.contains(&name))
}

/// How often a program forks on its way into the background and which of its words says so; absent for one that is not known.
pub(super) fn forks(launch: &Launch) -> (Answer<i64>, Option<&Argument>) {
    let words = || launch.words.iter().skip(1);
    let says = |options: &[&str]| words().find(|word| options.contains(&word.written.as_str()));
    let hidden = |file: &str| {
        Answer::Unknown(Missing::new(format!("whether {file} sends it into the background"), "say so in the job"))
    };
    match name(launch) {
        Some("gunicorn" | "gunicorn_django" | "gunicorn_paster") => match says(&["-D", "--daemon"]) {
            Some(word) => (Answer::Known(2), Some(word)),
            None if says(&["-c", "--config"]).is_some() => (hidden("gunicorn's configuration file"), None),
            None => (Answer::Known(0), None),
        },
        Some("unicorn" | "unicorn_rails") => match says(&["-D", "--daemonize"]) {
            Some(word) => (Answer::Known(2), Some(word)),
            None => (Answer::Known(0), None),
        },
        Some("celery" | "celeryd" | "celerybeat") if says(&["multi"]).is_none() => match says(&["--detach"]) {
            Some(word) => (Answer::Known(2), Some(word)),
            None => (Answer::Known(0), None),
        },
        Some("python")
            if server(launch).is_some_and(|told| matches!(told, "runserver" | "gunicorn" | "flask" | "uvicorn")) =>
        {
            match says(&["-D", "--daemon"]) {
                Some(word) => (Answer::Known(2), Some(word)),
                None => (Answer::Known(0), None),
            }
        }
        Some(
            "flask" | "daphne" | "uvicorn" | "hypercorn" | "waitress-serve" | "rq" | "rqworker" | "node" | "nodejs",
        ) => (Answer::Known(0), None),
        _ => (Answer::Absent, None),
    }
}
