//! Who asks for an environment variable, who gives it to the process as it is really started, and what only looks like it.

use crate::rows;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::stack::app::App;
use crate::stack::fact::{Fact, Missing};
use crate::stack::job::Job;

rows! {
    #[doc = "one place where the app reads an environment variable"]
    pub struct EnvRead in "env_reads" {
        #[doc = "the variable"]
        name: String,
        #[doc = "whether the app stops with an exception when it is not set"]
        raises: bool,
        #[doc = "whether the read has a default"]
        has_default: bool,
        #[doc = "what the app uses it for, such as `SQLALCHEMY_DATABASE_URI`"]
        used_as: String,
        #[doc = "whether the app cannot do without it: the read raises, or it is a secret key or a database's address"]
        needed: bool,
        #[doc = "whether it happens while the app is imported, not in a request"]
        at_import: bool,
        #[doc = "whether the process as it is started has it"]
        provided: bool,
        #[doc = "where a login shell sets it"]
        login_shell: String,
        #[doc = "the user whose login shell sets it"]
        login_user: String,
        #[doc = "where it is written in a syntax that the program ignores"]
        wrong_syntax: String,
        #[doc = "the job that starts the process"]
        job: Arc<Job>,
        #[doc = "the app that reads it"]
        app: Arc<App>,
    }

    #[doc = "one place that gives, or seems to give, an environment variable; keyed by how: `uwsgi`, `uwsgi-shell-syntax`, `upstart`, `login-shell`, `process`"]
    pub struct EnvValue in "env_values" {
        #[doc = "the variable"]
        name: String,
        #[doc = "where it is written: a path"]
        path: String,
        #[doc = "whether the value is empty"]
        empty: bool,
        #[doc = "the value; masked wherever it is shown"]
        value: String,
        #[doc = "the user it is set for, where it is for one user only"]
        user: String,
        #[doc = "the line that would work"]
        cure: String,
    }
}

/// Whether the name of a variable, or of the setting it becomes, says that the app cannot do without its value: Flask and
/// Django need their `SECRET_KEY`, SQLAlchemy and Django the address of the database. What only tests use is not needed.
pub fn names_a_need(name: &str) -> bool {
    let name = name.to_uppercase();
    let database = ["DATABASE_URI", "DATABASE_URL"].iter().any(|end| name.ends_with(end));
    // Of Django's parts only these have to be there; without a host, user or password libpq takes its defaults.
    let of_django =
        ["DATABASES", "DATABASES['DEFAULT']", "DATABASES['DEFAULT']['NAME']", "DATABASES['DEFAULT']['ENGINE']"];
    !name.contains("TEST") && (name == "SECRET_KEY" || database || of_django.contains(&name.as_str()))
}

/// What every Upstart job gets besides its own `env` stanzas (Upstart: `JOB_DEFAULT_ENVIRONMENT`, job_process.c).
const OF_EVERY_JOB: &[&str] = &["PATH", "TERM", "UPSTART_JOB", "UPSTART_INSTANCE"];

/// The environment of one process, by everything that gives variables to it or only seems to.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The job, uWSGI's `env`, and what a running process was started with.
    pub given: Vec<Arc<EnvValue>>,
    /// Lines that a program ignores.
    pub ignored: Vec<Arc<EnvValue>>,
    /// What the job's file gives at the next start: also where a running process was asked instead.
    pub job: Vec<Arc<EnvValue>>,
    /// What login shells set; the process is not started by one.
    pub login: Vec<Arc<EnvValue>>,
    /// Why a variable may be given by something out of sight, where it may.
    pub out_of_sight: Option<Missing>,
}

impl Layers {
    /// Adds the values keyed `gives` to those that the process has, and the others to those that only seem to be given.
    ///
    /// A value without a known name may be any variable.
    pub fn add(&mut self, values: impl Iterator<Item = Arc<EnvValue>>, gives: &str) {
        for value in values {
            if value.key != gives {
                self.ignored.push(value);
                continue;
            }
            if let Some(missing) = value.name.missing() {
                self.out_of_sight.get_or_insert_with(|| missing.clone());
            }
            self.given.push(value);
        }
    }

    /// The variables whose value is at hand, for code whose path depends on them.
    pub fn texts(&self) -> BTreeMap<String, String> {
        let known = |value: &Arc<EnvValue>| Some((value.name.known()?.clone(), value.value.known()?.clone()));
        self.given.iter().filter_map(known).collect()
    }

    /// The value that the process has under this name, where something in sight gives it: the last one wins.
    pub fn value(&self, name: &str) -> Option<&EnvValue> {
        named(&self.given, name)
    }

    /// What the job's file gives under this name.
    pub fn in_job(&self, name: &str) -> Option<&EnvValue> {
        named(&self.job, name)
    }

    /// Whether the process has the variable.
    pub fn provided(&self, name: &str) -> Fact<bool> {
        if let Some(value) = named(&self.given, name) {
            return Fact::derived(true).at(value.name.place.unwrap_or(value.place));
        }
        if OF_EVERY_JOB.contains(&name) {
            return Fact::default_of(true);
        }
        match &self.out_of_sight {
            Some(missing) => Fact::unknown(missing.clone()),
            None => Fact::derived(false),
        }
    }

    /// Fills in a read of `name`: whether the process has it, and what only looks like giving it.
    pub fn judge(&self, name: &str, read: &mut EnvRead) {
        read.provided = self.provided(name);
        read.wrong_syntax = self.looks_like(&self.ignored, name);
        read.login_shell = self.looks_like(&self.login, name);
        read.login_user = match named(&self.login, name) {
            Some(value) => value.user.clone(),
            None => Fact::absent(),
        };
    }

    fn looks_like(&self, values: &[Arc<EnvValue>], name: &str) -> Fact<String> {
        match named(values, name) {
            Some(value) => match value.path.known() {
                Some(path) => Fact::read(path.clone(), value.name.place.unwrap_or(value.place)),
                None => Fact::absent(),
            },
            None => Fact::absent(),
        }
    }
}

/// The last value with this name: later lines win in every one of these files.
fn named<'a>(values: &'a [Arc<EnvValue>], name: &str) -> Option<&'a EnvValue> {
    values.iter().rev().find(|value| value.name.known().is_some_and(|known| known == name)).map(Arc::as_ref)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_and_a_secret_key_are_needed_and_most_else_is_not() {
        let needed =
            ["SECRET_KEY", "secret_key", "DATABASE_URL", "SQLALCHEMY_DATABASE_URI", "DATABASES['default']['NAME']"];
        assert!(needed.into_iter().all(names_a_need));
        let not = ["SENTRY_DSN", "TEST_DATABASE_URL", "AWS_SECRET_KEY", "DATABASES['default']['PORT']", "database"];
        assert!(!not.into_iter().any(names_a_need));
    }
}
