//! Two faults at once that have nothing to do with each other: both are named, and nothing else. And one fault beside much that is
//! none: of that nothing is said.

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
    and("front/body-too-large", fault("P5", "database/refused", ("thena.conf", "env DATABASE_URL"), 500, p5)),
    and("database/login-rejected", fault("P6", "workers/harakiri", ("uwsgi.log", "HARAKIRI ON WORKER"), 502, p6)),
    and("upstart/expect-mismatch", fault("P7", "env/not-provided", ("wsgi.py", "os.environ"), 500, p7)),
    and("release/stale", fault("P8", "database/too-many-connections", ("thena.conf", "env DATABASE_URL"), 500, p8)),
    fault("N1", "database/login-rejected", ("second.ini", "env ="), 200, n1),
    fault("N2", "socket/stale", ("nginx.conf", "uwsgi_pass"), 502, n2),
    fault("N3", "database/no-such-database", ("thena.conf", "env DATABASE_URL"), 500, n3),
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
    add_second_site(&mut lab, &postgres::server().url_of("idle"), 500);
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

/// Nobody listens for the app, and nginx takes no large request.
fn p5() -> Lab {
    let url = postgres::server().url_with(refusing_port(), PASSWORD);
    let lab = Lab::started(&Plan { nginx: ["", "", "client_max_body_size 1k;"], ..Plan::with_url(url) });
    let request = format!("POST / HTTP/1.0\r\nHost: thena.example\r\nContent-Length: 2000\r\n\r\n{}", "o".repeat(2000));
    assert_eq!(lab.status_of(request.as_bytes()), 413);
    lab
}

/// One site is too slow; the other's role may not log in.
fn p6() -> Lab {
    let slow = "__import__('os').environ.get('SLOW') and app.before_request(lambda: __import__('time').sleep(30))\n";
    let mut environment = Plan::healthy().environment;
    environment.push(("SLOW", "1".to_owned()));
    let plan = Plan { app_line: slow, environment, ..Plan::with_ini("lazy-apps = true\nharakiri = 2\n") };
    let mut lab = Lab::started(&plan);
    add_second_site(&mut lab, &postgres::server().url_of("idle"), 500);
    lab
}

/// Upstart waits for a fork that never comes, and the job gives no variable.
fn p7() -> Lab {
    let job = "description \"thena\"\n\nexpect fork\nrespawn\n\nexec /usr/bin/uwsgi --ini /etc/thena/uwsgi.ini\n";
    let files = vec![("etc/init/thena.conf", job.to_owned())];
    Lab::started(&Plan { files, environment: Vec::new(), ..Plan::healthy() })
}

/// The release was changed under a uWSGI whose role has no connection left.
fn p8() -> Lab {
    super::untold::with_stale_release(Plan::with_url(postgres::server().url_of("full")))
}

/// Two sites log in as one role to one database; only the second has another password than the role's.
fn n1() -> Lab {
    let mut lab = Lab::started(&Plan::healthy());
    add_second_site(&mut lab, &postgres::server().url_with(postgres::server().port, "not-the-Password-1"), 500);
    lab
}

/// The other site is well.
fn n2() -> Lab {
    let mut lab = Lab::started(&Plan::healthy());
    add_second_site(&mut lab, &postgres::server().url(), 200);
    lab.kill_uwsgi();
    lab
}

/// Yesterday's log is full of other faults, scanners ask for what is not there, and clients hang up.
fn n3() -> Lab {
    let url = postgres::server().url().replace("/thena?", "/thenna?");
    noisy(&Plan { before: yesterday, ..Plan::with_url(url) })
}

/// The same around an app that is well.
pub fn noisy_and_well() -> Lab {
    noisy(&Plan { before: yesterday, ..Plan::healthy() })
}

fn noisy(plan: &Plan) -> Lab {
    let lab = Lab::started(plan);
    for path in ["/wp-login.php", "/.env", "/phpmyadmin/", "/cgi-bin/luci"] {
        lab.status_of(format!("GET {path} HTTP/1.0\r\nHost: thena.example\r\n\r\n").as_bytes());
    }
    lab.status_of(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    (0..5).for_each(|_| lab.ask_and_leave());
    lab.status();
    lab
}

/// What went wrong the day before, and is over.
fn yesterday(root: &Path) {
    let uwsgi = "*** Starting uWSGI 2.0.21-debian (64bit) on [Tue Nov 24 03:00:00 2026] ***\n\
        Traceback (most recent call last):\n  File \"/srv/x.py\", line 3, in x\n\
        psycopg2.OperationalError: SSL error: decryption failed or bad record mac\n\
        [pid: 7|app: 0|req: 1/1] 10.0.0.9 () {28 vars in 306 bytes} [Tue Nov 24 03:12:07 2026] GET / => generated 0 bytes in 9 \
        msecs (HTTP/1.1 500) 0 headers in 0 bytes (1 switches on core 0)\n\
        *** HARAKIRI ON WORKER 1 (pid: 7, try: 1) ***\nDAMN ! worker 1 (pid: 7) died, killed by signal 9 :( trying respawn ...\n";
    let nginx = "2026/11/24 03:12:07 [error] 7#7: *1 connect() to unix:/run/x.sock failed (111: Connection refused) while connecting \
        to upstream, client: 10.0.0.9, server: thena.example, request: \"GET / HTTP/1.1\", upstream: \
        \"uwsgi://unix:/run/x.sock:\", host: \"thena.example\"\n\
        2026/11/24 03:12:08 [alert] 7#7: 768 worker_connections are not enough\n";
    std::fs::write(root.join("var/log/uwsgi.log"), uwsgi).unwrap();
    std::fs::write(root.join("var/log/error.log"), nginx).unwrap();
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
fn add_second_site(lab: &mut Lab, url: &str, status: u16) {
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
    wait_until("the second site answers", || {
        lab.status_of(b"GET / HTTP/1.0\r\nHost: second.example\r\n\r\n") == status
    });
}
