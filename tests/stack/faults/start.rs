//! uWSGI does not start, or starts without its app.

use super::{Fault, as_root, fault};
use crate::lab::{Lab, Plan};
use crate::wait::wait_until;

pub const FAULTS: &[Fault] = &[
    fault("F16", "uwsgi/not-running", ("uwsgi.ini", "socket ="), 502, f16),
    fault("F30", "import/module-not-found", ("uwsgi.log", "No module named 'owls_of_minerva'"), 500, f30),
    fault("F31", "import/module-not-found", ("uwsgi.log", "No module named 'owls_of_minerva'"), 502, f31),
    fault("F32", "import/callable-not-found", ("uwsgi.log", "unable to load app 0"), 500, f32),
    fault("E1", "import/wrong-version", ("uwsgi.log", "cannot import name 'Owl'"), 500, e1),
    fault("E2", "import/does-not-parse", ("uwsgi.log", "SyntaxError"), 500, e2),
    fault("F33", "import/module-not-found", ("uwsgi.log", "No module named 'flask'"), 500, f33),
    as_root(fault("F34", "import/not-readable", ("uwsgi.log", "Permission denied"), 500, f34)),
    fault("F36", "uwsgi/directory-missing", ("uwsgi.log", "chdir()"), 502, f36),
    fault("F37", "uwsgi/directory-missing", ("thena.log", "No such file or directory"), 502, f37),
    fault("F38", "uwsgi/directory-missing", ("uwsgi.log", "bind()"), 502, f38),
    fault("F39", "import/virtualenv-unusable", ("uwsgi.log", "encodings"), 502, f39),
    fault("F82", "upstart/expect-mismatch", ("thena.conf", "expect fork"), 200, f82),
    fault("F49", "uwsgi/listen-above-somaxconn", ("uwsgi.log", "Listen queue size is greater"), 502, f49),
];

const DOWN: [bool; 2] = [false, true];

fn f16() -> Lab {
    let mut lab = Lab::started(&Plan::with_ini("lazy-apps = true\nvacuum = true\n"));
    lab.stop_uwsgi();
    wait_until("uWSGI removed its socket", || !lab.root().join("run/uwsgi.sock").exists());
    lab
}

fn without_app(plan: &Plan) -> Lab {
    let lab = Lab::start(plan);
    wait_until("uWSGI gave up on the app", || lab.log().matches("unable to load app").count() >= 4);
    lab
}

fn f30() -> Lab {
    without_app(&Plan::with_app("import owls_of_minerva\n"))
}

fn f31() -> Lab {
    let plan =
        Plan { ini: "need-app = true\n".to_owned(), comes_up: DOWN, ..Plan::with_app("import owls_of_minerva\n") };
    Lab::start(&plan)
}

fn f32() -> Lab {
    without_app(&Plan { module: "wsgi:owl", ..Plan::healthy() })
}

/// The package is there, and another version of it.
fn e1() -> Lab {
    without_app(&Plan::with_app("from flask import Owl\n"))
}

fn e2() -> Lab {
    without_app(&Plan::with_app("def owl(:\n    pass\n"))
}

fn f33() -> Lab {
    without_app(&Plan::with_ini("lazy-apps = true\nno-site = true\n"))
}

fn f34() -> Lab {
    let before = |root: &std::path::Path| {
        use std::os::unix::fs::PermissionsExt;
        let app = root.join("srv/www/thena/current/wsgi.py");
        std::fs::set_permissions(app, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    without_app(&Plan { before, ..Plan::with_ini("lazy-apps = true\nuid = www-data\ngid = www-data\n") })
}

/// Its app could not be loaded until a moment ago: the log is full of that, and it is over.
pub fn restarted() -> Lab {
    let mut lab = without_app(&Plan::with_app("import owls_of_minerva\n"));
    assert_eq!(lab.status(), 500);
    let app = lab.root().join("srv/www/thena/current/wsgi.py");
    let text = std::fs::read_to_string(&app).unwrap();
    std::fs::write(&app, text.replace("import owls_of_minerva\n", "")).unwrap();
    lab.restart_uwsgi();
    lab
}

fn f36() -> Lab {
    Lab::start(&Plan { chdir: "srv/www/none", comes_up: DOWN, ..Plan::healthy() })
}

fn f37() -> Lab {
    Lab::start(&Plan { comes_up: DOWN, ..Plan::with_ini("lazy-apps = true\nlogto = {root}/var/log/none/uwsgi.log\n") })
}

fn f38() -> Lab {
    let (socket, pass) = ("run/thena/uwsgi.sock", "uwsgi_pass unix:{run}/thena/uwsgi.sock");
    Lab::start(&Plan { socket, pass, comes_up: DOWN, ..Plan::healthy() })
}

fn f39() -> Lab {
    Lab::start(&Plan { comes_up: DOWN, ..Plan::with_ini("virtualenv = {root}/srv/www/venv\n") })
}

fn f49() -> Lab {
    Lab::start(&Plan { comes_up: DOWN, ..Plan::with_ini("lazy-apps = true\nlisten = 1000000\n") })
}

/// Upstart is told to wait for a fork that never comes.
fn f82() -> Lab {
    let url = crate::postgres::server().url();
    let job = format!(
        "description \"thena\"\n\nexpect fork\nrespawn\n\nenv DATABASE_URL=\"{url}\"\n\nexec /usr/bin/uwsgi --ini \
         /etc/thena/uwsgi.ini\n"
    );
    Lab::started(&Plan { files: vec![("etc/init/thena.conf", job)], ..Plan::healthy() })
}
