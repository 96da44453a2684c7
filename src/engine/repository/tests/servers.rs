//! Workers and the connections that a database takes of them: what is counted, and what leaves the limit out of sight.

use super::{Options, lint_memory};
use crate::finding::Confidence;

const CONF: (&str, &str) = ("etc/postgresql/15/main/postgresql.conf", "max_connections = 20 # of all\n");
const JOB: (&str, &str) = (
    "etc/init/shop.conf",
    "start on runlevel [2345]\nenv URL=postgresql://shop:example-only@localhost/shop\nexec uwsgi --ini /srv/shop.ini\n",
);
const ENGINE: &str = "import os\nfrom sqlalchemy import create_engine\nfrom sqlalchemy.pool import NullPool\n\
                      engine = create_engine(os.environ['URL'])\ndef application(e, s):\n    return []\n";

/// A stack by what differs from a usual one: the ini's lines, the app, and files that are there besides or instead.
fn said(ini: &str, app: &str, others: &[(&str, &str)]) -> Vec<(String, Confidence)> {
    let ini = format!("[uwsgi]\nmaster = true\nchdir = /srv\nsocket = :3031\nmodule = wsgi\n{ini}\n");
    let mut files = vec![CONF, JOB, ("srv/shop.ini", &ini), ("srv/wsgi.py", app)];
    for other in others {
        files.retain(|(path, _)| *path != other.0);
        files.push(*other);
    }
    let files: Vec<_> = files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect();
    let findings = lint_memory(&files, &Options::default()).report.findings;
    let own = findings.into_iter().filter(|finding| finding.rule == "link/more-connections-than-allowed");
    own.map(|finding| (finding.message, finding.confidence)).collect()
}

fn speaks(ini: &str, app: &str, others: &[(&str, &str)]) -> bool {
    !said(ini, app, others).is_empty()
}

/// The usual app with other arguments of its engine.
fn engine(arguments: &str) -> String {
    ENGINE.replace("['URL'])", &format!("['URL'], {arguments})"))
}

#[test]
fn all_workers_count_and_what_is_kept_for_superusers_does_not() {
    let found = said("processes = 18", ENGINE, &[]);
    assert!(found[0].0.contains("18 connections to localhost:5432, and PostgreSQL takes 17"), "{found:?}");
    assert!(!speaks("processes = 17", ENGINE, &[]));
    assert!(speaks("processes = 18\ncheaper = 2", ENGINE, &[]));
    assert!(!speaks("", ENGINE, &[]));
    let open = (CONF.0, "max_connections = 20\nsuperuser_reserved_connections = 0\n");
    assert!(!speaks("processes = 18", ENGINE, &[open]));
    let as_superuser = JOB.1.replace("shop:", "postgres:");
    assert!(!speaks("processes = 18", ENGINE, &[(JOB.0, &as_superuser)]));
}

#[test]
fn a_worker_opens_what_its_threads_ask_for_and_its_pool_allows() {
    let two = "processes = 9\nthreads = 2";
    for (arguments, expected) in [
        ("echo=True", true),
        ("pool_size=1, max_overflow=0", false),
        ("pool_size=1, max_overflow=-1", true),
        ("pool_size=0", true),
        ("poolclass=NullPool", true),
        ("pool_size=int(os.environ.get('POOL', 5))", true),
        // Out of sight.
        ("**options", false),
        ("poolclass=Own", false),
    ] {
        assert_eq!(speaks(two, &engine(arguments), &[]), expected, "{arguments}");
    }
    assert!(speaks("gevent = 100", &engine("pool_size=20"), &[]) && !speaks("gevent = 100", ENGINE, &[]));
    assert!(!speaks("gevent = 100\nprocesses = 1", &engine("pool_size=5"), &[]));
}

#[test]
fn flasks_settings_and_djangos_tables() {
    let two = "processes = 9\nthreads = 2";
    let flask = |settings: &str| {
        let uri = "app.config['SQLALCHEMY_DATABASE_URI'] = os.environ['URL']";
        format!(
            "import os\nfrom flask import Flask\nfrom flask_sqlalchemy import SQLAlchemy\nfrom sqlalchemy.pool import NullPool\n\
             app = application = Flask(__name__)\n{uri}\n{settings}\ndb = SQLAlchemy(app)\n"
        )
    };
    for (settings, expected) in [
        ("", true),
        ("app.config['SQLALCHEMY_ENGINE_OPTIONS'] = {'pool_size': 1, 'max_overflow': 0}", false),
        ("app.config['SQLALCHEMY_ENGINE_OPTIONS'] = {'pool_size': 1, 'max_overflow': -1}", true),
        ("app.config['SQLALCHEMY_ENGINE_OPTIONS'] = {'poolclass': NullPool}", true),
        ("app.config['SQLALCHEMY_POOL_SIZE'] = 1\napp.config['SQLALCHEMY_MAX_OVERFLOW'] = 0", false),
        ("app.config.from_envvar('MORE')", false),
    ] {
        assert_eq!(speaks(two, &flask(settings), &[]), expected, "{settings}");
    }
    let django = "import os\nfrom django.core.wsgi import get_wsgi_application\n\
                  os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\napplication = get_wsgi_application()\n";
    let settings = |more: &str| {
        format!(
            "DATABASES = {{'default': {{'ENGINE': 'django.db.backends.postgresql', 'NAME': 'a', 'HOST': 'localhost', {more}}}}}\n"
        )
    };
    for (ini, more, expected) in [
        (two, "'CONN_MAX_AGE': 60", true),
        ("processes = 9", "", false),
        ("processes = 9", "'OPTIONS': {'pool': {'min_size': 2, 'max_size': 4}}", true),
        (two, "'OPTIONS': {'pool': {'min_size': 1, 'max_size': 1}}", false),
    ] {
        assert_eq!(speaks(ini, django, &[("srv/settings.py", &settings(more))]), expected, "{ini} {more}");
    }
}

#[test]
fn another_server_or_one_that_more_may_be_said_of_is_not_judged() {
    let many = "processes = 30";
    let other_port = JOB.1.replace("localhost/", "localhost:5433/");
    assert!(!speaks(many, ENGINE, &[(JOB.0, &other_port)]));
    let at_that_port = (CONF.0, "port = 5433\nmax_connections = 20\n");
    assert!(speaks(many, ENGINE, &[(JOB.0, &other_port), at_that_port]));
    for (conf, expected) in [
        ("max_connections = 20\ninclude_dir = 'conf.d'\n", true),
        ("include 'more.conf'\nmax_connections = 20\n", true),
        ("max_connections = 20\ninclude 'more.conf'\n", false),
        ("max_connections = 20\nmax_connections = 200\n", false),
        ("listen_addresses = '*'\n", false),
    ] {
        assert_eq!(speaks(many, ENGINE, &[(CONF.0, conf)]), expected, "{conf}");
    }
    let beside = ("etc/postgresql/15/main/conf.d/more.conf", "max_connections = 300\n");
    let includes = (CONF.0, "max_connections = 20\ninclude_dir = 'conf.d'\n");
    assert!(!speaks(many, ENGINE, &[includes, beside]));
    assert!(!speaks(many, ENGINE, &[("replica/postgresql.conf", "max_connections = 20\n")]));
    let far = JOB.1.replace("localhost", "db.shop.example");
    let found = said(many, ENGINE, &[(JOB.0, &far)]);
    assert_eq!(found[0].1, Confidence::Possible, "{found:?}");
}

#[test]
fn jobs_beside_each_other_add_up() {
    let second = [
        ("etc/init/jobs.conf", JOB.1.replace("shop.ini", "jobs.ini")),
        (
            "srv/jobs.ini",
            "[uwsgi]\nmaster = true\nchdir = /srv\nsocket = :3032\nmodule = wsgi\nprocesses = 9\n".to_owned(),
        ),
    ];
    let second = second.each_ref().map(|(path, text)| (*path, text.as_str()));
    let found = said("processes = 9", ENGINE, &second);
    assert!(found[0].0.contains("18 connections") && found[0].0.contains("jobs.ini"), "{found:?}");
    // Nobody knows whether this one runs on the same host.
    assert!(!speaks("processes = 9", ENGINE, &second[1..]));
}

#[test]
fn a_pooler_has_a_limit_of_its_own() {
    let to_pooler = JOB.1.replace("localhost/", "localhost:6432/");
    let pooler = |text: &'static str| [(JOB.0, to_pooler.as_str()), ("etc/pgbouncer/pgbouncer.ini", text)];
    let found = said("processes = 101", ENGINE, &pooler("[databases]\n* = host=db\n[pgbouncer]\n"));
    assert!(found[0].0.contains("pgbouncer takes 100"), "{found:?}");
    assert!(!speaks("processes = 100", ENGINE, &pooler("[pgbouncer]\n")));
    assert!(!speaks("processes = 200", ENGINE, &pooler("[pgbouncer]\nmax_client_conn = 500\n")));
    assert!(!speaks("processes = 200", ENGINE, &pooler("[pgbouncer]\n%include /etc/more.ini\n")));
    // A pooler that nothing in sight configures.
    assert!(!speaks("processes = 200", ENGINE, &[(JOB.0, &to_pooler)]));
}

#[test]
fn what_compose_says_of_its_database() {
    let to_service = JOB.1.replace("localhost/", "db/");
    let compose = |db: &str| format!("services:\n  db:\n{db}");
    for (db, expected) in [
        ("    image: postgres:15\n    command: postgres -c max_connections=20\n", true),
        ("    image: postgres:15\n    command: -c 'max_connections=20'\n", true),
        ("    image: postgres:15\n    command: [\"postgres\", \"--max-connections=20\"]\n", true),
        ("    image: postgres:15\n    command: postgres -c max_connections=20 -c max_connections=200\n", false),
        ("    image: postgres:15\n    command: postgres -c max_connections=${MOST}\n", false),
        ("    image: edoburu/pgbouncer\n    command: postgres -c max_connections=20\n", false),
        // Its default, which its data folder may change.
        ("    image: postgres:15\n", false),
    ] {
        let file = compose(db);
        let files = [(JOB.0, to_service.as_str()), ("docker-compose.yml", file.as_str())];
        assert_eq!(speaks("processes = 120", ENGINE, &files), expected, "{db}");
    }
    let (small, large) = (compose("    command: postgres -N 20\n"), compose("    command: postgres -N 900\n"));
    let both = [(JOB.0, to_service.as_str()), ("docker-compose.yml", &small), ("docker-compose.live.yml", &large)];
    assert!(!speaks("processes = 120", ENGINE, &both) && speaks("processes = 120", ENGINE, &both[..2]));
}
