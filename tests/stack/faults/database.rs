//! PostgreSQL is not reached, does not let the app in, or does not answer.

use super::{Fault, as_root, fault};
use crate::lab::{Lab, Plan};
use crate::postgres::{self, PASSWORD};
use crate::refusing::refusing_port;
use crate::wait::wait_until;

pub const FAULTS: &[Fault] = &[
    fault("F13", "database/connection-stale", ("uwsgi.log", "closed unexpectedly"), 200, f13),
    fault("F15", "database/recovering", JOB, 500, f15),
    fault("F44", "database/lock-wait", JOB, 504, f44),
    fault("F63", "database/refused", JOB, 500, f63),
    fault("F64", "dns/no-such-host", JOB, 500, f64),
    as_root(fault("F65", "dns/resolver-dead", JOB, 500, f65)),
    as_root(fault("F66", "dns/resolver-dead", ("uwsgi.log", "Temporary failure in name resolution"), 500, f66)),
    fault("F67", "database/login-rejected", JOB, 500, f67),
    fault("F68", "database/no-such-database", JOB, 500, f68),
    fault("F69", "database/login-rejected", JOB, 500, f69),
    fault("F70", "database/too-many-connections", JOB, 500, f70),
    fault("F71", "database/certificate-rejected", JOB, 500, f71),
    fault("F72", "database/host-not-allowed", JOB, 500, f72),
    fault("F73", "database/silent", JOB, 504, f73),
    fault("F74", "database/socket-missing", JOB, 500, f74),
    fault("F75", "database/host-not-allowed", JOB, 500, f75),
    fault("F76", "database/no-password", JOB, 500, f76),
    fault("E3", "database/not-permitted", ("uwsgi.log", "permission denied for table mews"), 500, e3),
    fault("E4", "database/read-only", ("uwsgi.log", "read-only transaction"), 500, e4),
];

const JOB: (&str, &str) = ("thena.conf", "env DATABASE_URL");

fn at(url: impl Into<String>) -> Lab {
    Lab::started(&Plan::with_url(url))
}

/// The server ends the connection that the pool keeps: the next request fails, and those after it do not.
fn f13() -> Lab {
    let url = format!("{}&application_name=stale", postgres::server().url());
    let lab = Lab::started(&Plan { ini: "lazy-apps = true\nworkers = 1\n".to_owned(), ..Plan::with_url(url) });
    assert_eq!(lab.status(), 200);
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'stale'";
    assert!(postgres::server().sql("postgres", end));
    wait_until("a request fails", || lab.status() == 500);
    lab
}

fn f15() -> Lab {
    let standby = postgres::server().recovering();
    let url = format!("postgresql://thena:{PASSWORD}@127.0.0.1:{}/thena", standby.port);
    let mut lab = at(url);
    lab.kept.push(Box::new(standby));
    lab
}

/// Somebody holds the table, and every request waits for it. Its role is its own: the others' sessions would be seen to wait.
fn f44() -> Lab {
    let session = postgres::server().session("begin; lock table barn in access exclusive mode;");
    let app_line = "app.before_request(lambda: connect().execute(text('select 1 from barn')))\n";
    let mut lab = Lab::started(&Plan {
        app_line,
        nginx: ["", "", "uwsgi_read_timeout 1s;"],
        ..Plan::with_url(postgres::server().url_of("patient"))
    });
    lab.kept.push(Box::new(session));
    lab
}

fn f63() -> Lab {
    at(postgres::server().url_with(refusing_port(), PASSWORD))
}

fn f64() -> Lab {
    at(postgres::server().url().replace("127.0.0.1", "thena-db.invalid"))
}

/// Its host's name service is dead, for housecall as for the app.
fn f65() -> Lab {
    Lab::started(&Plan { looks_from_inside: true, ..without_resolver() })
}

/// Only uWSGI has such a name service.
fn f66() -> Lab {
    Lab::started(&without_resolver())
}

fn without_resolver() -> Plan {
    let resolv = ("etc/thena/resolv.conf", "# nobody listens there\nnameserver 127.0.0.99\n".to_owned());
    let url = postgres::server().url().replace("127.0.0.1", "thena-db.invalid");
    Plan {
        files: vec![resolv],
        mounts: "mount --bind {root}/etc/thena/resolv.conf /etc/resolv.conf",
        ..Plan::with_url(url)
    }
}

fn f67() -> Lab {
    at(postgres::server().url_with(postgres::server().port, "not-the-Password-1"))
}

fn f68() -> Lab {
    at(postgres::server().url().replace("/thena?", "/thenna?"))
}

/// PostgreSQL says of a role that may not log in just that, and not that its password is wrong.
fn f69() -> Lab {
    at(postgres::server().url_of("idle"))
}

fn f70() -> Lab {
    at(postgres::server().url_of("full"))
}

/// The server's certificate is its own, and the app trusts another.
fn f71() -> Lab {
    let roots = postgres::server().other_certificate();
    let url = postgres::server().url().replace("sslmode=require", "sslmode=verify-full");
    at(format!("{url}&sslrootcert={}", roots.display()))
}

fn f72() -> Lab {
    at(postgres::server().url_of("barred"))
}

/// Something accepts connections and says nothing.
fn f73() -> Lab {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = postgres::server().url_with(port, PASSWORD);
    let mut lab = Lab::started(&Plan { nginx: ["", "", "uwsgi_read_timeout 1s;"], ..Plan::with_url(url) });
    lab.kept.push(Box::new(listener));
    lab
}

fn f74() -> Lab {
    at("postgresql://thena@/thena?host=/tmp/no-such-folder")
}

/// Without TLS no line of pg_hba.conf fits.
fn f75() -> Lab {
    at(postgres::server().url().replace("sslmode=require", "sslmode=disable"))
}

/// Another role owns the table.
fn e3() -> Lab {
    assert!(postgres::server().sql("thena", "create table if not exists mews (name text)"));
    asked(Plan::with_app("app.before_request(lambda: connect().execute(text('select 1 from mews')) and None)\n"))
}

/// The role may only read, as on a standby.
fn e4() -> Lab {
    let url = format!("{}&options=-c%20default_transaction_read_only%3Don", postgres::server().url());
    let app_line = "app.before_request(lambda: connect().execute(text(\"insert into barn values ('x')\")) and None)\n";
    asked(Plan { app_line, ..Plan::with_url(url) })
}

fn asked(plan: Plan) -> Lab {
    let lab = Lab::started(&plan);
    lab.status();
    lab
}

fn f76() -> Lab {
    at(postgres::server().url().replace(&format!(":{PASSWORD}"), ""))
}
