//! Which environment variables have values that may leave a host, where neither name nor shape says that they are secret.

use super::value::holds_secret;
use super::worth_searching;

/// Variables that say where and how a program runs.
const OPEN: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PWD",
    "TERM",
    "TZ",
    "HOSTNAME",
    "VIRTUAL_ENV",
    "PGDATABASE",
    "PGSSLMODE",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGPASSFILE",
];
const OPEN_STARTS: &[&str] = &["LANG", "LC_", "UPSTART_", "SYSTEMD_", "UWSGI_", "PYTHON", "FLASK_", "DJANGO_"];
const OPEN_ENDS: &[&str] =
    &["HOST", "PORT", "USER", "_NAME", "_DB", "_MODULE", "_SETTINGS", "_CONFIG", "_ENV", "_DIR", "_PATH"];

/// Whether the value of a variable may be recorded as it is: what it says is where and how a program runs, or it is an
/// address, whose password is found by its shape.
pub fn is_open(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase();
    // It names the file with the password, not the password.
    if holds_secret_in(&name) && name != "PGPASSFILE" {
        return false;
    }
    let is_listed = OPEN.contains(&name.as_str())
        || OPEN_STARTS.iter().any(|start| name.starts_with(start))
        || OPEN_ENDS.iter().any(|end| name.ends_with(end));
    let is_word =
        matches!(value.to_ascii_lowercase().as_str(), "" | "true" | "false" | "yes" | "no" | "on" | "off" | "none");
    let is_number = value.len() <= 5 && value.bytes().all(|byte| byte.is_ascii_digit());
    let is_path = value.starts_with('/') && !value.contains("//") && !value.contains(['=', '+']);
    is_listed || is_word || is_number || is_path || value.contains("://")
}

/// The name of a secret holds one of its words; `is_open` must not let `DJANGO_SECRET_KEY` through.
fn holds_secret_in(name: &str) -> bool {
    ["PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "PW"].iter().any(|word| name.contains(word)) && holds_secret(name)
}

/// Whether a value that is not open is searched for in other texts too. A word in small letters may mean something else
/// there: `worker` as the value of `ROLE` would blank half a configuration.
pub fn is_telling(value: &str) -> bool {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_' | b'-' | b' '));
    worth_searching(value) && (value.len() >= 16 || !is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_how_a_program_runs_is_open() {
        for (name, value) in [
            ("PATH", "/bin:/usr/bin"),
            ("DJANGO_SETTINGS_MODULE", "thena.settings"),
            ("DATABASE_URL", "postgresql://u:p@h/d"),
            ("WORKERS", "4"),
            ("CELERY", ""),
            ("STATIC_ROOT", "/srv/static"),
        ] {
            assert!(is_open(name, value), "{name}");
        }
        for (name, value) in
            [("DJANGO_SECRET_KEY", "abc"), ("FLASK_PASSWORD", "x"), ("MAGIC", "hunter2"), ("SALT", "/ab//c=")]
        {
            assert!(!is_open(name, value), "{name}");
        }
        assert!(is_telling("Hunter2!") && is_telling("correct.horse.battery") && !is_telling("worker"));
    }
}
