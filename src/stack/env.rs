//! Who asks for an environment variable, who gives it to the process as it is really started, and what only looks like it.

use crate::rows;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::finding::Confidence;
use crate::source::{FileId, Place};
use crate::stack::app::App;
use crate::stack::elsewhere::Elsewhere;
use crate::stack::fact::{Answer, Fact, Missing};
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
        #[doc = "whether it is a secret key or a database's address"]
        vital: bool,
        #[doc = "whether it is a key that sessions or tokens are signed with"]
        signs: bool,
        #[doc = "whether it happens while the app is imported, not in a request"]
        at_import: bool,
        #[doc = "whether the value is put into a text, where None becomes the word `None`"]
        becomes_text: bool,
        #[doc = "whether an empty value is replaced as well, as `or` and a test do"]
        replaces_empty: bool,
        #[doc = "the literal text that takes its place where it is not set; masked wherever it is shown"]
        default_text: String,
        #[doc = "whether the process as it is started has it"]
        provided: bool,
        #[doc = "what gives it to the process: a path"]
        given_by: String,
        #[doc = "whether what gives it is written with an empty value; one that a template prints is not"]
        empty: bool,
        #[doc = "the value where what gives it is written as `None` or `null`"]
        none_as_word: String,
        #[doc = "where a login shell sets it"]
        login_shell: String,
        #[doc = "the user whose login shell sets it"]
        login_user: String,
        #[doc = "where the login shell of another user sets it, while that of the job's own user starts the process"]
        other_login: String,
        #[doc = "where nginx gives it to requests"]
        uwsgi_param: String,
        #[doc = "where it is written in a syntax that the program ignores"]
        wrong_syntax: String,
        #[doc = "another place that has it, and from where it does not reach the process"]
        looks_like: String,
        #[doc = "why it does not reach the process from there"]
        looks_like_because: String,
        #[doc = "how to give it to the process"]
        cure: String,
        #[doc = "the job that starts the process"]
        job: Arc<Job>,
        #[doc = "the app that reads it"]
        app: Arc<App>,
    }

    #[doc = "one place that gives, or seems to give, an environment variable; keyed by how: `uwsgi`, `uwsgi-shell-syntax`, `upstart`, `upstart-export`, `systemd`, `supervisor`, `compose`, `file`, `dotenv`, `uwsgi-param`, `login-shell`, `process`"]
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

/// Whether a setting that is empty is as good as none: of Django's databases all parts but the name and the kind
/// (django/db/backends/postgresql/base.py, `get_connection_params`).
pub fn may_be_empty(setting: &str) -> bool {
    let part = setting.strip_prefix("DATABASES[").and_then(|rest| rest.rsplit_once("['"));
    part.is_some_and(|(_, part)| matches!(part.trim_end_matches("']"), "HOST" | "PORT" | "USER" | "PASSWORD"))
}

/// Whether the name of a variable, or of the setting it becomes, says that it signs sessions or tokens.
pub fn names_a_signing_key(name: &str) -> bool {
    let name = name.to_uppercase();
    let ends = ["SECRET_KEY", "SECRET_KEY_BASE", "JWT_SECRET", "PASSWORD_SALT", "SIGNING_KEY"];
    // `AWS_SECRET_KEY` and its kin are somebody else's.
    let of_others = ["AWS", "S3", "STRIPE", "RECAPTCHA", "TEST", "SOCIAL", "OAUTH", "STORAGE"];
    ends.iter().any(|end| name.ends_with(end)) && !of_others.iter().any(|word| name.contains(word))
}

/// The environment of one process, by everything that gives variables to it or only seems to.
#[derive(Debug, Clone)]
pub struct Layers {
    /// The job, uWSGI's `env`, and what a running process was started with.
    pub given: Vec<Arc<EnvValue>>,
    /// Lines that a program ignores.
    pub ignored: Vec<Arc<EnvValue>>,
    /// What the job's file gives at the next start: also where a running process was asked instead.
    pub job: Vec<Arc<EnvValue>>,
    /// What login shells set that do not start the process.
    pub login: Arc<[Arc<EnvValue>]>,
    /// Whether a login shell starts the process, so that those of `login` are other users' shells.
    pub login_started: bool,
    /// What nginx gives to requests.
    pub params: Arc<[Arc<EnvValue>]>,
    /// What is in sight and is for no process, or for another one.
    pub elsewhere: Arc<Elsewhere>,
    /// Where the job of the process stands: what it says is not for another one.
    pub own_job: Option<Place>,
    /// The files that the process or its job reads.
    pub files: BTreeSet<FileId>,
    /// What the init system itself gives.
    pub defaults: &'static [&'static str],
    /// How sure it is that the files are those that the job means.
    pub sure: Confidence,
    /// Where a variable should be written so that the process gets it, `NAME` standing for its name.
    pub cure: Option<String>,
    /// Why a variable may be given by something out of sight, where it may.
    pub out_of_sight: Option<Missing>,
}

impl Default for Layers {
    fn default() -> Self {
        Self {
            given: Vec::new(),
            ignored: Vec::new(),
            job: Vec::new(),
            login: Arc::default(),
            login_started: false,
            params: Arc::default(),
            elsewhere: Arc::default(),
            own_job: None,
            files: BTreeSet::new(),
            defaults: &["PATH"],
            sure: Confidence::Proved,
            cure: None,
            out_of_sight: None,
        }
    }
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

    /// The variables that are given with values out of sight.
    pub fn hidden(&self) -> BTreeSet<String> {
        let hidden = self.given.iter().filter(|value| value.value.is_unknown());
        hidden.filter_map(|value| value.name.known().cloned()).collect()
    }

    /// The value that the process has under this name, where something in sight gives it: the last one wins.
    pub fn value(&self, name: &str) -> Option<&EnvValue> {
        named(&self.given, name)
    }

    /// The line that gives the process its value: that of a file says more than the process it started.
    pub fn line(&self, name: &str) -> Option<&EnvValue> {
        let given = self.value(name)?;
        let in_job = self.in_job(name).filter(|row| given.key == "process" && given.value.known() == row.value.known());
        in_job.or(Some(given))
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
        if self.defaults.contains(&name) {
            return Fact::default_of(true);
        }
        match &self.out_of_sight {
            Some(missing) => Fact::unknown(missing.clone()),
            None => Fact::derived(false),
        }
    }

    /// The value of a variable whose name is this one and a blank.
    fn spaced(&self, name: &str) -> Option<&EnvValue> {
        let is_spaced = |value: &str| value != name && value.trim_end() == name;
        self.given.iter().rev().find(|value| value.name.known().is_some_and(|known| is_spaced(known))).map(Arc::as_ref)
    }

    /// Fills in a read of `name`: whether the process has it and from where, and what only looks like giving it.
    pub fn judge(&self, name: &str, read: &mut EnvRead) {
        read.provided = self.provided(name);
        let given = self.line(name);
        let of_given = |unset: Fact<String>| given.map_or(unset, place_of);
        read.given_by = match &read.provided.answer {
            Answer::Unknown(missing) => Fact::unknown(missing.clone()),
            _ => of_given(Fact::absent()),
        };
        // A value that a template prints is written down, so nobody has to be asked about it.
        let written = given.and_then(|value| Some((value, value.value.known()?)));
        read.empty = Fact::derived(written.is_some_and(|(_, value)| value.is_empty()));
        read.none_as_word = match written {
            Some((row, word)) if is_none_as_word(word) => {
                Fact { place: Some(row.place), ..Fact::derived(word.clone()) }
            }
            _ => Fact::absent(),
        };
        let (own, other) = if self.login_started { (&[][..], &self.login[..]) } else { (&self.login[..], &[][..]) };
        read.wrong_syntax = match self.spaced(name) {
            Some(value) => place_of(value),
            None => looks_like(&self.ignored, name),
        };
        read.login_shell = looks_like(own, name);
        read.other_login = looks_like(other, name);
        read.login_user = named(&self.login, name).map_or_else(Fact::absent, |value| value.user.clone());
        read.uwsgi_param = looks_like(&self.params, name);
        (read.looks_like, read.looks_like_because) = match self.elsewhere.of(name, self.own_job, &self.files) {
            Some((value, why)) => (place_of(value), Fact::derived(why)),
            None => (Fact::absent(), Fact::absent()),
        };
        read.cure = match &self.cure {
            Some(cure) => Fact::derived(cure.replace("NAME", name)),
            None => Fact::absent(),
        };
    }
}

/// Whether a value is what somebody wrote who meant "nothing".
fn is_none_as_word(value: &str) -> bool {
    matches!(value.trim_matches(['"', '\'']), "None" | "null" | "nil")
}

fn looks_like(values: &[Arc<EnvValue>], name: &str) -> Fact<String> {
    named(values, name).map_or_else(Fact::absent, place_of)
}

/// The path that a value stands in, shown at its line.
fn place_of(value: &EnvValue) -> Fact<String> {
    match value.path.known() {
        Some(path) => Fact::read(path.clone(), value.name.place.unwrap_or(value.place)),
        None => Fact::absent(),
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
        assert!(may_be_empty("DATABASES['default']['HOST']") && !may_be_empty("DATABASES['default']['NAME']"));
        assert!(["SECRET_KEY", "SHOP_SECRET_KEY", "JWT_SECRET"].into_iter().all(names_a_signing_key));
        assert!(!["AWS_SECRET_KEY", "SECRET_KEY_FILE"].into_iter().any(names_a_signing_key));
    }
}
