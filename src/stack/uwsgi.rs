//! What a uWSGI configuration sets up: one row for the instance, one for each option, socket and variable.

use std::sync::Arc;

use crate::rows;

rows! {
    #[doc = "one uWSGI instance, as its ini and command line set it up"]
    pub struct Uwsgi in "uwsgi" {
        #[doc = "where its ini lies"]
        path: String,
        #[doc = "how many workers are forked"]
        workers: i64,
        #[doc = "whether each worker loads the app itself"]
        lazy_apps: bool,
        #[doc = "whether a master process runs, by `master` or by an option that turns it on"]
        master: bool,
        #[doc = "whether unknown options are refused"]
        strict: bool,
        #[doc = "the folder uWSGI changes to before it loads the app"]
        chdir: String,
        #[doc = "folders put on Python's path"]
        pythonpath: Vec<String>,
        #[doc = "the module of the app, without `:callable`"]
        module: String,
        #[doc = "the file of the app"]
        wsgi_file: String,
        #[doc = "the WSGI callable"]
        callable: String,
        #[doc = "the user it runs as"]
        uid: String,
        #[doc = "the group it runs as"]
        gid: String,
        #[doc = "the log file it writes"]
        logto: String,
        #[doc = "the deploy folder whose `current` link its code folder bypasses"]
        bypassed_release: String,
    }

    #[doc = "one option of a uWSGI configuration; keyed by its name, or `unknown`"]
    pub struct UwsgiOption in "uwsgi_options" {
        #[doc = "the name as written"]
        name: String,
        #[doc = "the known option that was probably meant"]
        suggestion: String,
        #[doc = "whether other lines use it as a placeholder"]
        referenced: bool,
        #[doc = "the instance it belongs to"]
        uwsgi: Arc<Uwsgi>,
    }

    #[doc = "one socket that uWSGI binds"]
    pub struct Socket in "sockets" {
        #[doc = "the address, such as `/run/app.sock` or `127.0.0.1:3031`"]
        address: String,
        #[doc = "`uwsgi` or `http`"]
        protocol: String,
        #[doc = "the option that opens it"]
        option: String,
        #[doc = "the instance that binds it"]
        uwsgi: Arc<Uwsgi>,
    }
}
