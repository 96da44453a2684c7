//! Who asks for an environment variable, who gives it to the process as it is really started, and what only looks like it.

use std::sync::Arc;

use crate::rows;
use crate::stack::app::App;
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
        #[doc = "the user it is set for, where it is for one user only"]
        user: String,
        #[doc = "the line that would work"]
        cure: String,
    }
}
