//! Two faults at once that have nothing to do with each other: both are named, and nothing else.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{Fault, and, as_root, fault};
use crate::disk::Mounted;
use crate::lab::{Lab, Plan, SECOND_INI};
use crate::postgres::{self, PASSWORD};
use crate::refusing::refusing_port;
use crate::wait::wait_until;

pub const FAULTS: &[Fault] = &[
    as_root(and("socket/not-permitted", fault("P1", "database/refused", ("thena.conf", "env DATABASE_URL"), 502, p1))),
    as_root(and("resources/disk-full", fault("P2", "env/not-provided", ("wsgi.py", "os.environ"), 500, p2))),
    as_root(and("socket/not-permitted", fault("P3", "database/login-rejected", ("second.ini", "env ="), 502, p3))),
    and("front/config-not-reloaded", fault("P4", "database/no-such-database", ("thena.conf", "env"), 502, p4)),
];

const SHUT: &str = "chmod-socket = 600\n";

/// nginx may not open the socket, and behind it the database would refuse.
fn p1() -> Lab {
    let url = postgres::server().url_with(refusing_port(), PASSWORD);
    Lab::started(&Plan { socket_lines: SHUT.to_owned(), ..Plan::with_url(url) })
}

/// The variable lacks, and the disk for large requests is full.
fn p2() -> Lab {
    let before = |root: &Path| Mounted::small(&root.join("tmp"));
    let mut lab = Lab::started(&Plan { before, environment: Vec::new(), ..Plan::healthy() });
    lab.kept.push(Box::new(Mounted(lab.root().join("tmp"))));
    lab.fill_the_disk();
    lab
}

/// One site's socket is shut; the other's role may not log in.
fn p3() -> Lab {
    let mut lab = Lab::started(&Plan { socket_lines: SHUT.to_owned(), ..Plan::healthy() });
    add_second_site(&mut lab, &postgres::server().url_of("idle"));
    lab
}

/// nginx was not told of the right socket, and behind that there is no such database.
fn p4() -> Lab {
    let url = postgres::server().url().replace("/thena?", "/thenna?");
    let pass = "uwsgi_pass unix:{run}/uwsgi.socket";
    let lab = Lab::started(&Plan { pass, ..Plan::with_url(url) });
    super::untold::edit(&lab, "etc/nginx/nginx.conf", "uwsgi.socket", "uwsgi.sock");
    lab
}

/// A uWSGI that ends when it is dropped.
struct Uwsgi(Child);

impl Drop for Uwsgi {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-QUIT", "--", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

/// A second server of nginx with a uWSGI of its own, whose ini gives it its variable.
fn add_second_site(lab: &mut Lab, url: &str) {
    let (root, at) = (lab.root().to_owned(), lab.root().display());
    let ini = format!(
        "[uwsgi]\nplugin = python3\nmaster = true\nprocesses = 2\nlazy-apps = true\nsocket = {at}/run/second.sock\nchmod-socket = 666\n\
         chdir = {at}/srv/www/thena/current\nmodule = wsgi:app\nlogto = {at}/var/log/second.log\nenv = DATABASE_URL={url}\n"
    );
    std::fs::write(root.join(SECOND_INI), ini).unwrap();
    let conf = root.join("etc/nginx/nginx.conf");
    let text = std::fs::read_to_string(&conf).unwrap();
    let server = format!(
        "    server {{\n        listen 127.0.0.1:{};\n        server_name second.example;\n        location / {{\n            include \
         /etc/nginx/uwsgi_params;\n            uwsgi_pass unix:{at}/run/second.sock;\n        }}\n    }}\n}}\n",
        lab.port()
    );
    let (rest, _) = text.rsplit_once('}').unwrap();
    std::fs::write(&conf, format!("{rest}{server}")).unwrap();
    let uwsgi = Command::new("/usr/bin/uwsgi-core")
        .arg("--ini")
        .arg(root.join(SECOND_INI))
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    lab.kept.push(Box::new(Uwsgi(uwsgi)));
    let log = root.join("var/log/second.log");
    wait_until("the second app is loaded", || {
        std::fs::read_to_string(&log).unwrap_or_default().matches("WSGI app 0").count() >= 2
    });
    lab.reload_nginx();
    wait_until("the second site answers", || lab.status_of(b"GET / HTTP/1.0\r\nHost: second.example\r\n\r\n") == 500);
}
