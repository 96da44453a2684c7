//! What an init system starts: the command, as whom, and with which environment.

use crate::rows;

rows! {
    #[doc = "one job of an init system; keyed by its dialect"]
    pub struct Job in "jobs" {
        #[doc = "the name the init system knows it by"]
        name: String,
        #[doc = "`upstart`"]
        dialect: String,
        #[doc = "where its file lies"]
        path: String,
        #[doc = "the command of the main process"]
        command: String,
        #[doc = "the user it runs as; root where none is set"]
        user: String,
        #[doc = "the ini that the command names, where it starts uWSGI"]
        uwsgi_ini: String,
    }
}
