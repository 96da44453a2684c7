//! Variables that a recipe writes for login shells, beside a job that no login starts.

use std::sync::Arc;

use crate::finding::Confidence;
use crate::rows;
use crate::stack::assemble::Instance;
use crate::stack::deployment::Deployed;
use crate::stack::env::EnvValue;
use crate::stack::fact::{Answer, Fact};
use crate::stack::job::Job;

rows! {
    #[doc = "one variable that a recipe writes into a file of login shells, in a stack whose processes a job starts"]
    pub struct LoginVariable in "login_variables" {
        #[doc = "the variable"]
        name: String,
        #[doc = "the file"]
        path: String,
        #[doc = "whether it is for the person at the keyboard, as `PATH` and `EDITOR` are"]
        for_people: bool,
        #[doc = "whether the job or uWSGI gives it too; unknown where one of them is out of sight"]
        given: bool,
        #[doc = "whether the app is in sight, so that what it reads is judged"]
        app_seen: bool,
        #[doc = "the job"]
        job: Arc<Job>,
    }
}

/// Variables that shells and their programs read, not apps.
const FOR_PEOPLE: [&str; 16] = [
    "PATH",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "LESS",
    "PS1",
    "LANG",
    "LANGUAGE",
    "TERM",
    "HISTSIZE",
    "HISTFILESIZE",
    "HISTCONTROL",
    "MANPATH",
    "LS_COLORS",
    "GREP_OPTIONS",
    "SHELL",
];

/// A row for each such variable and each instance that a job starts.
pub fn login_variables(instances: &[Instance], login: &[Arc<EnvValue>], deployed: &[Deployed]) -> Vec<LoginVariable> {
    let mut rows = Vec::new();
    let is_deployed = |path: &String| deployed.iter().any(|one| one.path == Answer::Known(path.clone()));
    for value in login {
        let Some(name) = value.name.known() else { continue };
        if !value.path.known().is_some_and(is_deployed) {
            continue;
        }
        for instance in instances {
            let Some(job) = instance.link.job.known() else { continue };
            let mut row = LoginVariable::at(value.place);
            row.confidence = Confidence::Possible;
            row.name = Fact::read(name.clone(), value.place);
            row.path = value.path.clone();
            let is_for_people = FOR_PEOPLE.contains(&name.as_str()) || name.starts_with("LC_");
            row.for_people = Fact::derived(is_for_people);
            row.given = instance.layers.provided(name);
            row.app_seen = Fact::derived(instance.link.app.known().is_some());
            row.job = Fact::derived(Arc::clone(job)).at(job.place);
            rows.push(row);
        }
    }
    rows
}
