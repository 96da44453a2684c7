//! A real Django, whose settings name the database by its parts, as do the addresses that Flask apps put together.

use super::{Fault, fault};
use crate::lab::{Lab, Plan};
use crate::postgres::{self, PASSWORD};
use crate::refusing::refusing_port;

pub const FAULTS: &[Fault] = &[
    fault("D1", "database/refused", ("settings.py", "'HOST'"), 500, d1),
    fault("D2", "database/login-rejected", ("settings.py", "'USER'"), 500, d2),
    fault("D3", "database/no-such-database", ("thena.conf", "env DB_NAME"), 500, d3),
    fault("D4", "dns/no-such-host", ("thena.conf", "env DB_HOST"), 500, d4),
    fault("D5", "database/login-rejected", ("thena.conf", "env DATABASE_URL"), 500, d5),
    fault("D6", "database/refused", ("thena.conf", "env DB_PORT"), 500, d6),
    fault("D7", "database/login-rejected", ("thena.conf", "env DB_USER"), 500, d7),
    fault("D9", "database/login-rejected", ("uwsgi.log", "is not permitted to log in"), 500, d9),
    fault("D8", "supervision/config-not-applied", ("thena.conf", "env DB_PORT"), 500, d8),
];

/// Every part of the lab's database, each given by the job.
fn parts() -> Vec<(&'static str, String)> {
    vec![
        ("SECRET_KEY", "snowy-Feather-77-moon".to_owned()),
        ("DB_NAME", "thena".to_owned()),
        ("DB_USER", "thena".to_owned()),
        ("DB_PASSWORD", PASSWORD.to_owned()),
        ("DB_HOST", "127.0.0.1".to_owned()),
        ("DB_PORT", postgres::server().port.to_string()),
    ]
}

/// The same with another value of one variable.
fn parts_with(name: &str, value: &str) -> Vec<(&'static str, String)> {
    let mut parts = parts();
    parts.iter_mut().filter(|(known, _)| *known == name).for_each(|(_, known)| value.clone_into(known));
    parts
}

/// A stack whose settings end with these lines.
fn django(lines: &str, environment: Vec<(&'static str, String)>) -> Plan {
    let file = |name: &str| {
        std::fs::read_to_string(format!("{}/tests/stack/django/barn/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let files = vec![
        ("srv/www/thena/current/barn/__init__.py", String::new()),
        ("srv/www/thena/current/barn/settings.py", format!("{}{lines}", file("settings.py"))),
        ("srv/www/thena/current/barn/urls.py", file("urls.py")),
        ("srv/www/thena/current/barn/views.py", file("views.py")),
        ("srv/www/thena/current/barn/wsgi.py", file("wsgi.py")),
    ];
    Plan { module: "barn.wsgi:application", files, environment, ..Plan::healthy() }
}

/// Everything is written down.
fn literal(name: &str, password: &str, port: u16) -> String {
    format!(
        "DATABASES = {{\n    'default': {{\n        'ENGINE': 'django.db.backends.postgresql',\n        'NAME': '{name}',\n        \
         'USER': 'thena',\n        'PASSWORD': '{password}',\n        'HOST': '127.0.0.1',\n        'PORT': '{port}',\n        \
         'OPTIONS': {{'sslmode': 'require'}},\n    }}\n}}\n"
    )
}

/// Everything is given by the job.
const GIVEN: &str = "DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.postgresql',
        'NAME': os.environ['DB_NAME'],
        'USER': os.environ['DB_USER'],
        'PASSWORD': os.environ.get('DB_PASSWORD', ''),
        'HOST': os.environ.get('DB_HOST', 'localhost'),
        'PORT': os.environ.get('DB_PORT', '5432'),
        'OPTIONS': {'sslmode': 'require'},
    }
}
";

fn secret() -> Vec<(&'static str, String)> {
    parts().into_iter().take(1).collect()
}

fn d1() -> Lab {
    Lab::started(&django(&literal("thena", PASSWORD, refusing_port()), secret()))
}

/// Another password than the role's, which is one that is used elsewhere: it must not be shown either.
fn d2() -> Lab {
    let lines = literal("thena", PASSWORD, postgres::server().port)
        .replace("'thena',\n        'PASS", "'idle',\n        'PASS");
    Lab::started(&django(&lines, secret()))
}

fn d3() -> Lab {
    Lab::started(&django(GIVEN, parts_with("DB_NAME", "thenna")))
}

fn d4() -> Lab {
    Lab::started(&django(GIVEN, parts_with("DB_HOST", "thena-db.invalid")))
}

/// An address that a helper takes apart.
fn d5() -> Lab {
    let mut environment = secret();
    environment.push(("DATABASE_URL", postgres::server().url_of("idle").replace("postgresql://", "postgis://")));
    let lines = "import dj_database_url\n\nDATABASES = {'default': dj_database_url.config(conn_max_age=60)}\n\
                 DATABASES['default']['ENGINE'] = 'django.db.backends.postgresql'\n";
    Lab::started(&django(lines, environment))
}

/// A Flask app that makes the address of these lines.
fn flask(address: &str, environment: Vec<(&'static str, String)>) -> Plan {
    let text = std::fs::read_to_string(format!("{}/tests/stack/app/wsgi.py", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let text = text.replace("os.environ['DATABASE_URL']", address);
    let text = text.replace("from sqlalchemy import", "from sqlalchemy.engine import URL\nfrom sqlalchemy import");
    assert!(text.contains(address));
    Plan { files: vec![("srv/www/thena/current/wsgi.py", text)], environment, ..Plan::healthy() }
}

const TEXT: &str = "f\"postgresql://{os.environ['DB_USER']}:{os.environ['DB_PASSWORD']}@{os.environ['DB_HOST']}:\
                    {os.environ['DB_PORT']}/{os.environ['DB_NAME']}?sslmode=require\"";

fn d6() -> Lab {
    Lab::started(&flask(TEXT, parts_with("DB_PORT", &refusing_port().to_string())))
}

fn d7() -> Lab {
    let url = "URL.create('postgresql+psycopg2', username=os.environ['DB_USER'], \
               password=os.environ['DB_PASSWORD'], host=os.environ['DB_HOST'], port=os.environ['DB_PORT'], \
               database=os.environ['DB_NAME'], query={'sslmode': 'require'})";
    Lab::started(&flask(url, parts_with("DB_USER", "idle")))
}

/// Only the running code knows the address: what it says is in the log.
fn d9() -> Lab {
    let url = "bytes.fromhex(os.environ['SEALED']).decode()";
    let sealed: String = postgres::server().url_of("idle").bytes().map(|byte| format!("{byte:02x}")).collect();
    Lab::started(&flask(url, vec![("SEALED", sealed)]))
}

/// The job gives the right port by now.
fn d8() -> Lab {
    let wrong = refusing_port().to_string();
    let lab = Lab::started(&django(GIVEN, parts_with("DB_PORT", &wrong)));
    lab.status();
    super::untold::edit(&lab, "etc/init/thena.conf", &wrong, &postgres::server().port.to_string());
    lab
}

pub fn of_parts() -> Lab {
    answering(&django(GIVEN, parts()))
}

pub fn written_down() -> Lab {
    answering(&django(&literal("thena", PASSWORD, postgres::server().port), secret()))
}

/// An empty host is the socket's folder, where the job gives another one.
pub fn by_socket() -> Lab {
    let mut environment = parts_with("DB_HOST", "");
    environment.push(("PGHOST", postgres::server().socket_folder()));
    answering(&django(&GIVEN.replace("'require'", "'prefer'"), environment))
}

pub fn by_parts_of_flask() -> Lab {
    answering(&flask(TEXT, parts()))
}

fn answering(plan: &Plan) -> Lab {
    let lab = Lab::started(plan);
    assert_eq!(lab.status(), 200, "{}", lab.log());
    lab
}
