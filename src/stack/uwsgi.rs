//! What a uWSGI configuration sets up: one row for the instance, one for each option, socket and variable.

mod address;
mod assembly;
mod assignments;
mod blocks;
mod emperor;
mod exposed;
mod instance;
mod limits;
mod lines;
mod loading;
mod logic;
mod missing;
mod options;
pub mod packaged;
mod percents;
mod placeholders;
mod process;
mod refusals;
mod setting;
mod settings;
mod socket_file;
mod twice;
mod values;
mod variables;

use crate::rows;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::source::FileId;
use crate::stack::document::Document;
use crate::stack::env::EnvValue;
use crate::stack::fact::Missing;
use crate::stack::launch::Argument;
use crate::stack::view::View;
use crate::syntax::Problem;
use crate::syntax::data::Release;
pub use emperor::Realm;
pub use process::is_for_development;
use settings::Settings;

rows! {
    #[doc = "one uWSGI instance, as its ini and command line set it up"]
    pub struct Uwsgi in "uwsgi" {
        #[doc = "where its ini lies"]
        path: String,
        #[doc = "how many workers are forked"]
        workers: i64,
        #[doc = "how many requests each worker serves at the same time: its threads, or the greenlets of `gevent` and its kin"]
        threads: i64,
        #[doc = "whether each worker loads the app itself"]
        lazy_apps: bool,
        #[doc = "whether a master process runs, by `master` or by an option that turns it on"]
        master: bool,
        #[doc = "whether it opens a socket for requests; where it does not, the program that starts it brings in more"]
        serves: bool,
        #[doc = "after how many seconds a request is broken off; 0 for never"]
        harakiri: i64,
        #[doc = "whether `die-on-term` makes SIGTERM a stop and SIGQUIT a reload"]
        die_on_term: bool,
        #[doc = "whether a hook of its own says what SIGTERM does"]
        term_hook: bool,
        #[doc = "how many bytes of address, headers and other variables it takes of a request"]
        buffer_size: i64,
        #[doc = "how many bytes of a body it takes; 0 for any number"]
        limit_post: i64,
        #[doc = "the permission bits of its unix sockets in three octal digits, where `chmod-socket` or `umask` sets them"]
        socket_mode: String,
        #[doc = "the owner that `chown-socket` gives its unix sockets, as written"]
        socket_owner: String,
        #[doc = "whether it ends where no app can be loaded"]
        need_app: bool,
        #[doc = "whether it may load apps later, when they are asked for"]
        dynamic_apps: bool,
        #[doc = "the option `lazy` as written, where it is on"]
        lazy_option: String,
        #[doc = "whether Python's threads run between requests, from 2.0.27 on they always do; where no release is stated, by its options"]
        threads_enabled: bool,
        #[doc = "how many workers are kept when there is little to do; absent where all are"]
        cheaper: i64,
        #[doc = "after how many seconds a worker is replaced; 0 for never"]
        max_worker_lifetime: i64,
        #[doc = "for how many seconds a worker is kept at least"]
        min_worker_lifetime: i64,
        #[doc = "whether exceptions are answered with their traceback"]
        catch_exceptions: bool,
        #[doc = "every how many seconds the app's files are looked at for changes; 0 for never"]
        autoreload: i64,
        #[doc = "the options that it sets to false, by their first names"]
        turned_off: Vec<String>,
        #[doc = "whether its path says that it is for development, as `uwsgi-dev.ini` does"]
        for_development: bool,
        #[doc = "whether unknown options are refused"]
        strict: bool,
        #[doc = "whether it takes the path of a `mount` off before the app sees it"]
        manage_script_name: bool,
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
        #[doc = "the log file that `daemonize` names, and with which it goes into the background"]
        daemonize: String,
    }

    #[doc = "one option of a uWSGI configuration; keyed by its name, or `unknown`, `not-in-target-version`, `ignored`"]
    pub struct UwsgiOption in "uwsgi_options" {
        #[doc = "the name as written"]
        name: String,
        #[doc = "the known option that was probably meant"]
        suggestion: String,
        #[doc = "whether other lines use it as a placeholder"]
        referenced: bool,
        #[doc = "its value as written"]
        written: String,
        #[doc = "its value once letters, variables and placeholders are put in"]
        value: String,
        #[doc = "what becomes of it: `applied`, `overridden` (it says by which line), `placeholder`, `unknown` or `ignored`"]
        fate: String,
        #[doc = "the releases of uWSGI that have it, where some have not, such as `2.0.22 and later`"]
        releases: String,
        #[doc = "the instance it belongs to"]
        uwsgi: Arc<Uwsgi>,
    }

    #[doc = "one line of a uWSGI ini that uWSGI takes otherwise than it looks; keyed by how"]
    pub struct UwsgiLine in "uwsgi_lines" {
        #[doc = "the option, or the variable of an `env`"]
        option: String,
        #[doc = "the value as written, or the part of it; absent for a variable's"]
        value: String,
        #[doc = "what uWSGI takes it for"]
        taken_as: String,
        #[doc = "whether it comes to what was probably meant all the same"]
        harmless: bool,
        #[doc = "what to write in place of the value"]
        cure: String,
        #[doc = "the option of the other line that this one runs into"]
        other: String,
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

/// Everything one uWSGI configuration says.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The instance.
    pub uwsgi: Arc<Uwsgi>,
    /// Its options, in order.
    pub options: Vec<UwsgiOption>,
    /// Its lines that uWSGI takes otherwise than they look.
    pub lines: Vec<UwsgiLine>,
    /// What uWSGI refuses.
    pub problems: Vec<(FileId, Problem)>,
    /// The sockets it binds. One in an `if` or `for` has an unknown address.
    pub sockets: Vec<Socket>,
    /// What it watches over as an emperor.
    pub realm: Realm,
    /// The variables it gives to the app. One in an `if` or `for` is only possible; one from a folder has an unknown name.
    pub variables: Vec<EnvValue>,
    /// What is out of sight and could set more options, sockets or variables.
    pub open: Option<Missing>,
    /// The files that its own brings in.
    pub brought_in: BTreeSet<FileId>,
    /// Paths of inis that are named and not in sight.
    pub wanted: Vec<String>,
    /// The name by which the init script of Debian's package knows it, where that starts it.
    pub packaged: Option<String>,
}

/// What uWSGI finds besides the ini.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around<'a> {
    /// The files that it may bring in; `None` where it is read alone.
    pub files: Option<&'a View>,
    /// The release that reads it; `None` for any.
    pub release: Option<Release>,
    /// Whether an emperor takes what the init script of Debian's package would start.
    has_emperor: bool,
}

impl<'a> Around<'a> {
    /// The files that it may bring in, read by a release or by any.
    pub fn of(files: &'a View, release: Option<Release>) -> Self {
        Self { files: Some(files), release, has_emperor: packaged::has_emperor(files) }
    }
}

/// Reads an ini with what it brings in. What its job's command line adds is not in it: see [`read_with_command`].
pub fn read<'a>(document: &'a Document, around: Around<'a>) -> Reading {
    reading(&Settings::of_file(document, around))
}

/// Reads what the words of a job's command set up, in uWSGI's order: `document`, where the command's first
/// configuration file is at hand, in the place where it is named. `job` is the text the words stand in.
pub fn read_with_command<'a>(
    document: Option<&'a Document>,
    job: &'a Document,
    words: &[Argument],
    around: Around<'a>,
) -> Reading {
    reading(&Settings::of_command(document, job, words, around))
}

fn reading(settings: &Settings) -> Reading {
    let mut uwsgi = instance::row(settings);
    process::complete(&mut uwsgi, settings);
    socket_file::complete(&mut uwsgi, settings);
    let uwsgi = Arc::new(uwsgi);
    Reading {
        options: options::rows(settings, &uwsgi),
        lines: lines::rows(settings, &uwsgi),
        problems: refusals::problems(settings, &uwsgi),
        sockets: address::rows(settings, &uwsgi),
        realm: Realm::of(settings),
        variables: variables::rows(settings),
        open: settings.open().cloned(),
        brought_in: settings.parts.iter().skip(1).map(|part| part.document.file).collect(),
        wanted: settings.wanted.clone(),
        packaged: settings.packaged.clone(),
        uwsgi,
    }
}

#[cfg(test)]
mod tests;
