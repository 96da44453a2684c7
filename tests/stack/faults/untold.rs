//! A file was written, and nobody told the program that reads it.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Fault, fault};
use crate::lab::{Lab, Plan};
use crate::postgres::{self, PASSWORD};
use crate::refusing::refusing_port;
use crate::wait::wait_until;

const NOT_APPLIED: &str = "supervision/config-not-applied";

pub const FAULTS: &[Fault] = &[
    fault("F58", "front/config-not-reloaded", ("nginx.conf", "uwsgi_pass"), 502, f58),
    fault("F62", "release/stale", ("uwsgi.ini", "chdir"), 200, f62),
    fault("F84", NOT_APPLIED, ("thena.conf", "env DATABASE_URL"), 500, f84),
    fault("F85", NOT_APPLIED, ("variables", "DATABASE_URL"), 500, f85),
    fault("F86", NOT_APPLIED, ("thena.conf", "env DATABASE_URL"), 500, f86),
    fault("F87", NOT_APPLIED, ("uwsgi.ini", "socket ="), 502, f87),
];

/// Changes a file of a stack, later than anything was started in it.
pub fn edit(lab: &Lab, path: &str, from: &str, to: &str) {
    let file = lab.root().join(path);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{path} holds {from}");
    let since = Instant::now();
    wait_until("the start is some seconds ago", || since.elapsed() > Duration::from_secs(4));
    std::fs::write(&file, text.replace(from, to)).unwrap();
}

/// The path in nginx's file is right by now.
fn f58() -> Lab {
    let lab = Lab::started(&Plan { pass: "uwsgi_pass unix:{run}/uwsgi.socket", ..Plan::healthy() });
    edit(&lab, "etc/nginx/nginx.conf", "uwsgi.socket", "uwsgi.sock");
    lab
}

/// A deploy that ended with the link.
fn f62() -> Lab {
    with_stale_release(Plan::healthy())
}

/// The same of any other stack.
pub fn with_stale_release(plan: Plan) -> Lab {
    fn before(root: &Path) {
        let thena = root.join("srv/www/thena");
        std::fs::create_dir(thena.join("releases")).unwrap();
        std::fs::rename(thena.join("current"), thena.join("releases/1")).unwrap();
        std::os::unix::fs::symlink("releases/1", thena.join("current")).unwrap();
    }
    let lab = Lab::started(&Plan { before, ..plan });
    let thena = lab.root().join("srv/www/thena");
    std::fs::create_dir(thena.join("releases/2")).unwrap();
    for file in ["wsgi.py", "eager.py"] {
        std::fs::copy(thena.join("releases/1").join(file), thena.join("releases/2").join(file)).unwrap();
    }
    std::fs::remove_file(thena.join("current")).unwrap();
    std::os::unix::fs::symlink("releases/2", thena.join("current")).unwrap();
    lab
}

/// The job names the right port by now.
fn f84() -> Lab {
    let wrong = postgres::server().url_with(refusing_port(), PASSWORD);
    let lab = Lab::started(&Plan::with_url(wrong.clone()));
    edit(&lab, "etc/init/thena.conf", &wrong, &postgres::server().url());
    lab
}

/// So does the file of variables that the unit names.
fn f85() -> Lab {
    let wrong = postgres::server().url_with(refusing_port(), PASSWORD);
    let unit = "[Service]\nEnvironmentFile=/etc/thena/variables\nExecStart=/usr/bin/uwsgi --ini /etc/thena/uwsgi.ini\n\
                KillSignal=SIGQUIT\nType=notify\n";
    let files = vec![
        ("etc/systemd/system/thena.service", unit.to_owned()),
        ("etc/thena/variables", format!("DATABASE_URL={wrong}\n")),
    ];
    let before = |root: &Path| std::fs::remove_file(root.join("etc/init/thena.conf")).unwrap();
    let lab = Lab::started(&Plan { files, before, ..Plan::with_url(wrong.clone()) });
    edit(&lab, "etc/thena/variables", &wrong, &postgres::server().url());
    lab
}

/// The variable that lacked is in the job by now.
fn f86() -> Lab {
    let lab = Lab::started(&Plan { environment: Vec::new(), ..Plan::healthy() });
    let line = format!("respawn\n\nenv DATABASE_URL=\"{}\"\n", postgres::server().url());
    edit(&lab, "etc/init/thena.conf", "respawn\n", &line);
    lab
}

/// The ini and nginx agree on another socket by now; nginx was told, uWSGI was not.
fn f87() -> Lab {
    let lab = Lab::started(&Plan::healthy());
    edit(&lab, "etc/thena/uwsgi.ini", "run/uwsgi.sock", "run/thena.sock");
    edit(&lab, "etc/nginx/nginx.conf", "run/uwsgi.sock", "run/thena.sock");
    lab.reload_nginx();
    wait_until("nginx passes to the other socket", || lab.status() == 502);
    lab
}
