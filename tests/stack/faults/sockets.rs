//! nginx and uWSGI do not meet.

use super::{Fault, as_root, fault};
use crate::lab::{Lab, Plan};
use crate::wait::wait_until;

pub const FAULTS: &[Fault] = &[
    fault("F17", "socket/stale", ("nginx.conf", "uwsgi_pass"), 502, f17),
    as_root(fault("F18", "socket/not-permitted", ("nginx.conf", "uwsgi_pass"), 502, f18)),
    as_root(fault("F21", "socket/other-mount-namespace", ("nginx.conf", "uwsgi_pass"), 502, f21)),
    fault("F23", "link/socket-not-the-same", ("nginx.conf", "uwsgi_pass"), 502, f23),
    fault("F24", "link/socket-not-the-same", ("nginx.conf", "uwsgi_pass"), 502, f24),
    fault("F25", "link/protocol-mismatch", ("uwsgi.ini", "http-socket"), 502, f25),
    fault("F26", "link/protocol-mismatch", ("nginx.conf", "proxy_pass"), 502, f26),
    fault("F48", "socket/queue-full", ("error.log", "11: Resource temporarily unavailable"), 502, f48),
];

fn f17() -> Lab {
    let mut lab = Lab::started(&Plan::healthy());
    lab.kill_uwsgi();
    lab
}

fn f18() -> Lab {
    Lab::started(&Plan { socket_lines: "chmod-socket = 600\n".to_owned(), ..Plan::healthy() })
}

/// uWSGI's folder of sockets is a disk that only uWSGI sees.
fn f21() -> Lab {
    Lab::started(&Plan { mounts: "mount -t tmpfs lab {root}/run", ..Plan::healthy() })
}

fn f23() -> Lab {
    Lab::started(&Plan { pass: "uwsgi_pass unix:{run}/uwsgi.socket", ..Plan::healthy() })
}

fn f24() -> Lab {
    Lab::started(&Plan { pass: "uwsgi_pass 127.0.0.1:1", ..Plan::healthy() })
}

fn f25() -> Lab {
    Lab::started(&Plan { socket_option: "http-socket", ..Plan::healthy() })
}

fn f26() -> Lab {
    Lab::started(&Plan { pass: "proxy_pass http://unix:{run}/uwsgi.sock", ..Plan::healthy() })
}

/// The one worker is busy, and two more requests fill the queue.
fn f48() -> Lab {
    let app_line = "app.before_request(lambda: __import__('time').sleep(60))\n";
    let ini = "lazy-apps = true\nworkers = 1\nlisten = 2\n".to_owned();
    let mut lab = Lab::start(&Plan { app_line, ini, ..Plan::healthy() });
    wait_until("the app is loaded", || lab.log().contains("WSGI app 0"));
    wait_until("the queue is full", || {
        lab.ask_and_stay();
        lab.nginx_log().contains("11: Resource temporarily unavailable")
    });
    lab
}
