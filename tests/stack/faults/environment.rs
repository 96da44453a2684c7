//! The app lacks a variable, or has one that cannot work.

use super::{Fault, fault};
use crate::lab::{Lab, Plan};
use crate::postgres;

pub const FAULTS: &[Fault] = &[
    fault("F01", "env/not-provided", ("wsgi.py", "os.environ['DATABASE_URL']"), 500, f01),
    fault("F02", "env/not-provided", ("wsgi.py", "os.environ['DATABASE_URL']"), 502, f02),
    fault("F04", "env/only-in-login-shell", (".profile", "export DATABASE_URL"), 500, f04),
    fault("F05", "uwsgi/env-in-shell-syntax", ("uwsgi.ini", "env DATABASE_URL"), 500, f05),
    fault("F06", "uwsgi/env-name-with-space", ("uwsgi.ini", "env = DATABASE_URL ="), 500, f06),
    fault("F07", "uwsgi/env-value-quoted", ("uwsgi.ini", "env = DATABASE_URL="), 500, f07),
    fault("F08", "env/given-by-uwsgi-param-only", ("nginx.conf", "uwsgi_param DATABASE_URL"), 500, f08),
    fault("F09", "env/empty", ("thena.conf", "env DATABASE_URL"), 500, f09),
    fault("F10", "database/url-scheme-removed", ("uwsgi.log", "sqlalchemy.dialects:postgres"), 500, f10),
    fault("F11", "database/url-not-encoded", ("thena.conf", "env DATABASE_URL"), 500, f11),
];

fn without_url(plan: Plan) -> Lab {
    Lab::started(&Plan { environment: Vec::new(), ..plan })
}

fn with_line(before: &str, after: &str) -> Lab {
    without_url(Plan::with_ini(format!("lazy-apps = true\n{before}{}{after}\n", postgres::server().url())))
}

fn f01() -> Lab {
    without_url(Plan::healthy())
}

fn f02() -> Lab {
    without_url(Plan::with_app("app.config['PROPAGATE_EXCEPTIONS'] = True\n"))
}

fn f04() -> Lab {
    let profile = format!("# ubuntu's own\nexport DATABASE_URL='{}'\n", postgres::server().url());
    without_url(Plan { files: vec![("home/ubuntu/.profile", profile)], ..Plan::healthy() })
}

fn f05() -> Lab {
    with_line("env DATABASE_URL=\"", "\"")
}

fn f06() -> Lab {
    with_line("env = DATABASE_URL = ", "")
}

fn f07() -> Lab {
    with_line("env = DATABASE_URL=\"", "\"")
}

fn f08() -> Lab {
    let pass =
        "uwsgi_param DATABASE_URL postgresql://thena@127.0.0.1/thena;\n            uwsgi_pass unix:{run}/uwsgi.sock";
    without_url(Plan { pass, ..Plan::healthy() })
}

fn f09() -> Lab {
    Lab::started(&Plan::with_url(""))
}

fn f10() -> Lab {
    Lab::started(&Plan::with_url(postgres::server().url().replace("postgresql://", "postgres://")))
}

/// A password with an `@` makes a host of its second half.
fn f11() -> Lab {
    Lab::started(&Plan::with_url(format!(
        "postgresql://at:owl@nest-93-Feather@127.0.0.1:{}/thena?sslmode=require",
        postgres::server().port
    )))
}

/// The reading of the catalogue says that uWSGI takes the CR away: nothing is wrong.
pub fn f83() -> Lab {
    with_line("env = DATABASE_URL=", "\r")
}
