//! nginx itself fails users.

use std::io::Write;
use std::net::TcpStream;

use super::{Fault, as_root, fault};
use crate::disk::Mounted;
use crate::lab::{Lab, Plan};
use crate::wait::wait_until;

pub const FAULTS: &[Fault] = &[
    fault("F27", "nginx/uwsgi-params-missing", ("nginx.conf", "uwsgi_pass"), 502, f27),
    fault("F29", "link/response-header-too-big", ("error.log", "upstream sent too big header"), 502, f29),
    fault("F51", "front/connections-exhausted", ("error.log", "worker_connections are not enough"), 0, f51),
    fault("F52", "resources/file-descriptors", ("error.log", "Too many open files"), 0, f52),
    as_root(fault("F53", "resources/disk-full", ("error.log", "No space left on device"), 0, f53)),
    fault("F56", "front/body-too-large", ("error.log", "too large body"), 200, f56),
    fault("F59", "front/upstream-unresolvable", ("error.log", "host not found in upstream"), 0, f59),
];

fn f27() -> Lab {
    Lab::started(&Plan { params: "uwsgi_param QUERY_STRING $query_string", ..Plan::healthy() })
}

fn f29() -> Lab {
    let app_line = "app.after_request(lambda r: r.headers.add('X-Owl', 'o' * 20000) or r)\n";
    Lab::started(&Plan { app_line, ..Plan::healthy() })
}

/// Four connections are one user and its way to uWSGI, beside nginx's own.
fn f51() -> Lab {
    let mut lab = Lab::started(&Plan { nginx: ["", "worker_connections 8;", ""], ..Plan::healthy() });
    wait_until("no connection is left", || {
        hold(&mut lab);
        lab.nginx_log().contains("worker_connections are not enough")
    });
    lab
}

fn f52() -> Lab {
    let mut lab = Lab::started(&Plan { nginx: ["worker_rlimit_nofile 16;\n", "", ""], ..Plan::healthy() });
    wait_until("no descriptor is left", || {
        hold(&mut lab);
        lab.nginx_log().contains("Too many open files")
    });
    lab
}

/// A user who has asked for nothing yet.
fn hold(lab: &mut Lab) {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", lab.port())) else { return };
    let _ = stream.write_all(b"GET /");
    lab.kept.push(Box::new(stream));
}

/// A body that nginx has to put on a disk without room.
fn f53() -> Lab {
    let before = |root: &std::path::Path| Mounted::small(&root.join("tmp"));
    let mut lab = Lab::started(&Plan { before, ..Plan::healthy() });
    lab.kept.push(Box::new(Mounted(lab.root().join("tmp"))));
    lab.fill_the_disk();
    lab
}

fn f56() -> Lab {
    let lab = Lab::started(&Plan { nginx: ["", "", "client_max_body_size 1k;"], ..Plan::healthy() });
    let request = format!("POST / HTTP/1.0\r\nHost: thena.example\r\nContent-Length: 2000\r\n\r\n{}", "o".repeat(2000));
    assert_eq!(lab.status_of(request.as_bytes()), 413);
    lab
}

/// nginx passed to a socket that is not there, and has read a better configuration since.
pub fn reloaded() -> Lab {
    let lab = Lab::started(&Plan { pass: "uwsgi_pass unix:{run}/uwsgi.socket", ..Plan::healthy() });
    assert_eq!(lab.status(), 502);
    let file = lab.root().join("etc/nginx/nginx.conf");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("uwsgi.socket", "uwsgi.sock")).unwrap();
    lab.reload_nginx();
    wait_until("nginx passes to uWSGI", || lab.status() == 200);
    lab
}

fn f59() -> Lab {
    let pass = "uwsgi_pass thena-app.invalid:3031";
    let lab = Lab::start(&Plan { pass, comes_up: [true, false], ..Plan::healthy() });
    wait_until("uWSGI has workers, as nothing else is wrong", || lab.log().contains("spawned uWSGI worker"));
    lab
}
