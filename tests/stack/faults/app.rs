//! Workers are slow, stop each other, or end.

use super::{Fault, fault};
use crate::lab::{Lab, Plan};
use crate::wait::wait_until;

pub const FAULTS: &[Fault] = &[
    fault("F12", "uwsgi/pool-shared-by-forks", ("eager.py", "engine.connect()"), 0, f12),
    fault("F14", "workers/not-ready-yet", ("uwsgi.log", "spawned uWSGI worker"), 504, f14),
    fault("F40", "supervision/stop-reloads", ("uwsgi.log", "...brutally killing workers..."), 200, f40),
    fault("F42", "workers/harakiri", ("uwsgi.log", "HARAKIRI ON WORKER"), 502, f42),
    fault("F43", "link/timeout-order", ("error.log", "upstream timed out"), 504, f43),
    fault("F46", "workers/app-exits", ("uwsgi.log", "died :( trying respawn"), 502, f46),
    fault("F47", "workers/killed", ("uwsgi.log", "killed by signal 9"), 0, f47),
];

/// The shared connection breaks for whoever meets another worker's reply; a few parallel requests see to that.
fn f12() -> Lab {
    for _ in 0..5 {
        let lab = Lab::started(&Plan { module: "eager:app", ..Plan::with_ini("harakiri = 5\n") });
        let broken = || SHARED_CONNECTION.iter().any(|text| lab.log().contains(text));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    (0..10).for_each(|_| {
                        if !broken() {
                            lab.status();
                        }
                    })
                });
            }
        });
        if broken() {
            return lab;
        }
    }
    panic!("five stacks with a shared connection, and none of them broke");
}

/// Every worker imports for a minute and a half, and is asked meanwhile.
fn f14() -> Lab {
    let app_line = "__import__('time').sleep(90)\n";
    let lab = Lab::start(&Plan { nginx: ["", "", "uwsgi_read_timeout 1s;"], ..Plan::with_app(app_line) });
    wait_until("the workers run", || lab.log().matches("spawned uWSGI worker").count() == 4);
    lab
}

const SHARED_CONNECTION: &[&str] =
    &["bad record mac", "SSL SYSCALL error: EOF detected", "server closed the connection unexpectedly"];

/// Without `die-on-term` a stop starts everything again.
fn f40() -> Lab {
    let lab = Lab::started(&Plan::with_ini("lazy-apps = true\ndie-on-term = false\n"));
    lab.signal_uwsgi("-TERM");
    wait_until("uWSGI starts again", || lab.log().matches("*** Starting uWSGI").count() >= 2);
    wait_until("its app is loaded again", || {
        lab.log().rsplit("*** Starting uWSGI").next().unwrap_or_default().contains("WSGI app 0")
    });
    wait_until("nginx reaches a worker", || lab.status() == 200);
    lab
}

const SLOW: &str = "app.before_request(lambda: __import__('time').sleep(30))\n";

fn f42() -> Lab {
    Lab::started(&Plan { app_line: SLOW, ..Plan::with_ini("lazy-apps = true\nharakiri = 2\n") })
}

fn f43() -> Lab {
    Lab::started(&Plan { nginx: ["", "", "uwsgi_read_timeout 1s;"], ..Plan::with_app(SLOW) })
}

fn f46() -> Lab {
    a_worker_died(Plan::with_app("app.before_request(lambda: __import__('os')._exit(3))\n"))
}

/// Many users at once, and each is served.
pub fn under_load() -> Lab {
    let lab = Lab::started(&Plan::healthy());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(lab.status(), 200)));
        }
    });
    lab
}

/// As the kernel does where memory is used up.
fn f47() -> Lab {
    let kill = "app.before_request(lambda: __import__('os').kill(__import__('os').getpid(), 9))\n";
    a_worker_died(Plan::with_app(kill))
}

fn a_worker_died(plan: Plan) -> Lab {
    let lab = Lab::started(&plan);
    wait_until("uWSGI says so", || lab.log().contains("trying respawn"));
    lab
}
