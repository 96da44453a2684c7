//! What libpq finds beside the connection string, and what stands between it and PostgreSQL.

use std::os::unix::fs::PermissionsExt;

use super::{Fault, fault};
use crate::lab::{Lab, Plan};
use crate::pgbouncer::Pgbouncer;
use crate::postgres::{self, PASSWORD};
use crate::refusing::refusing_port;

pub const FAULTS: &[Fault] = &[
    fault("F77", "database/pooler-cannot-reach", ("pgbouncer.ini", "thena = host"), 504, f77),
    fault("F88", "database/no-password", ("thena.conf", "env DATABASE_URL"), 500, f88),
    fault("F89", "database/no-such-database", ("thena.conf", "env DATABASE_URL"), 500, f89),
];

/// pgbouncer runs, and nobody answers where it passes the database on to.
fn f77() -> Lab {
    through(Pgbouncer::to(refusing_port(), ""), Plan { nginx: ["", "", "uwsgi_read_timeout 1s;"], ..Plan::healthy() })
}

/// It runs, and so does PostgreSQL behind it.
pub fn pooled() -> Lab {
    through(Pgbouncer::to(postgres::server().port, ""), Plan::healthy())
}

fn through(pooler: Pgbouncer, plan: Plan) -> Lab {
    let mut lab = Lab::started(&Plan { environment: vec![("DATABASE_URL", pooler.url())], ..plan });
    lab.kept.push(Box::new(pooler));
    lab
}

/// A folder with a file, which stays as long as the stack.
fn file(name: &str, text: &str, mode: u32) -> (tempfile::TempDir, String) {
    let folder = tempfile::TempDir::with_prefix("housecall-libpq-").unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    (folder, path.display().to_string())
}

fn with_passfile(mode: u32) -> Lab {
    let port = postgres::server().port;
    let (folder, path) = file("pgpass", &format!("# of the lab\n127.0.0.1:{port}:*:thena:{PASSWORD}\n"), mode);
    let url = format!("postgresql://thena@127.0.0.1:{port}/thena?sslmode=require");
    let environment = vec![("DATABASE_URL", url), ("PGPASSFILE", path)];
    let mut lab = Lab::started(&Plan { environment, ..Plan::healthy() });
    lab.kept.push(Box::new(folder));
    lab
}

/// The password lies in a file.
pub fn passfile() -> Lab {
    with_passfile(0o600)
}

/// libpq passes over one that others may read.
fn f88() -> Lab {
    with_passfile(0o644)
}

fn with_service(database: &str) -> Lab {
    let port = postgres::server().port;
    let text = format!("[thena]\nhost=127.0.0.1\nport={port}\nuser=thena\npassword={PASSWORD}\ndbname={database}\n");
    let (folder, path) = file("pg_service.conf", &text, 0o600);
    let environment = vec![("DATABASE_URL", "postgresql:///?service=thena".to_owned()), ("PGSERVICEFILE", path)];
    let mut lab = Lab::started(&Plan { environment, ..Plan::healthy() });
    lab.kept.push(Box::new(folder));
    lab
}

/// A service says all there is to know.
pub fn service() -> Lab {
    with_service("thena")
}

/// The service names a database that is not there.
fn f89() -> Lab {
    with_service("thenna")
}
