//! What an init system starts: the command, as whom, and with which environment.

pub mod systemd;

use crate::rows;
use crate::source::{Place, Span};
use crate::stack::document::Document;
use crate::stack::env::EnvValue;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::launch::{Argument, Launch, Variables, argument, see_through};
use crate::syntax::upstart::{self, Command, Dialect};
use crate::syntax::{Problem, shell};

rows! {
    #[doc = "one job of an init system; keyed by its dialect"]
    pub struct Job in "jobs" {
        #[doc = "the name the init system knows it by"]
        name: String,
        #[doc = "`upstart` or `systemd`"]
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

/// A file of variables that a job names.
#[derive(Debug, Clone)]
pub struct VariablesFile {
    /// Where it should lie.
    pub path: Answer<String>,
    /// Whether the process starts without it as well.
    pub optional: bool,
    /// Where the job names it.
    pub place: Place,
}

/// All that a job says.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The job.
    pub job: Job,
    /// The program of the main process with its arguments, where that is uWSGI.
    pub uwsgi: Option<Vec<Argument>>,
    /// The variables it gives, keyed by its dialect, and those it only seems to give, keyed `upstart-export`.
    pub env: Vec<EnvValue>,
    /// What gives the process more variables, such as `/etc/default/x` behind `.` or `$(cat .env)` behind `export`;
    /// which ones is not known here.
    pub sources_files: Vec<String>,
    /// The files of variables that the init system reads for it.
    pub files: Vec<VariablesFile>,
    /// Whether a login shell starts the process: then it has what the user's profile sets.
    pub login: bool,
    /// Whether the script exports whatever it sets or sources.
    pub exports_all: bool,
    /// The names it exports without giving them a value: one that a sourced file sets is given.
    pub exported_later: Vec<String>,
    /// What the init system itself gives to every such job.
    pub defaults: &'static [&'static str],
    /// Whether a template tag may add stanzas, `env` among them.
    pub open: bool,
    /// What Upstart refuses.
    pub problems: Vec<Problem>,
}

/// What every Upstart job gets besides its own `env` stanzas (Upstart: `JOB_DEFAULT_ENVIRONMENT`, job_process.c).
const OF_EVERY_JOB: &[&str] = &["PATH", "TERM", "UPSTART_JOB", "UPSTART_INSTANCE"];

/// Whose Upstart a job is written for: those of Chrome OS say so in their first lines.
fn dialect(text: &str) -> Dialect {
    let says_so = |line: &str| ["ChromiumOS", "Chromium OS", "Chrome OS"].iter().any(|name| line.contains(name));
    if text.lines().take_while(|line| line.starts_with('#')).any(says_so) {
        return Dialect::ChromeOs;
    }
    Dialect::Upstart
}

/// Reads an Upstart job.
pub fn read(document: &Document) -> Reading {
    let parsed = upstart::parse_with(document.text(), dialect(document.text()));
    let (tree, stanzas) = (parsed.tree.job, parsed.tree.stanzas);
    let place = stanzas.first().map_or(Span::default(), |stanza| stanza.name.span);
    let mut env = Vec::new();
    let mut variables = Variables::new();
    for assignment in &tree.env {
        let name = assignment.value.split('=').next().unwrap_or_default();
        let value = if assignment.value.contains('=') {
            document.value(assignment.span, &assignment.value).map_known(|all| after_equals(&all))
        } else {
            Answer::Unknown(Missing::new(format!("init's own {name}"), "give it a value in the job"))
        };
        env.retain(|row: &EnvValue| row.name.known().is_none_or(|known| known != name));
        env.push(env_value(document, "upstart", name, &value, assignment.span));
        variables.insert(name.to_owned(), value);
    }
    for word in tree.export.iter().filter(|word| word.value.contains('=')) {
        let name = word.value.split('=').next().unwrap_or("");
        let value = Answer::Known(after_equals(&word.value));
        let mut row = env_value(document, "upstart-export", name, &value, word.span);
        row.cure = Fact::derived(format!("env {name}=…"));
        env.push(row);
    }

    let folder = tree.chdir.as_ref().map(|folder| document.value(folder.span, &folder.value));
    let mut main = Main {
        document,
        variables,
        env,
        sources_files: Vec::new(),
        exports_all: false,
        exported_later: Vec::new(),
        folder,
    };
    let launch = tree.main().and_then(|command| main.launch(command));
    let open = document.is_open();

    let mut job = Job::at(document.place(place));
    job.key = "upstart".to_owned();
    job.name = Fact::derived(job_name(&document.path).to_owned());
    job.dialect = Fact::derived("upstart".to_owned());
    job.path = Fact::derived(document.path.clone());
    job.user = match (&tree.setuid, launch.as_ref().and_then(|launch| launch.user.as_ref())) {
        (_, Some(user)) => fact(document, user),
        (Some(user), None) => document.fact(user.span, &user.value),
        (None, None) if open => hidden("the job's user"),
        (None, None) => Fact::default_of("root".to_owned()),
    };
    job.command = match &launch {
        Some(launch) => command_line(document, launch),
        None if open || tree.main().is_some() => hidden("the job's command"),
        None => Fact::absent(),
    };
    let login = launch.as_ref().is_some_and(|launch| launch.login);
    let uwsgi = launch.filter(Launch::is_uwsgi).map(|launch| launch.words);
    job.uwsgi_ini = match &uwsgi {
        Some(words) => uwsgi_ini(document, words, main.folder.as_ref(), open),
        None if job.command.is_unknown() => hidden("the job's command"),
        None => Fact::absent(),
    };
    Reading {
        job,
        uwsgi,
        env: main.env,
        sources_files: main.sources_files,
        files: Vec::new(),
        login,
        exports_all: main.exports_all,
        exported_later: main.exported_later,
        defaults: OF_EVERY_JOB,
        open,
        problems: parsed.problems,
    }
}

fn after_equals(assignment: &str) -> String {
    assignment.split_once('=').map_or("", |(_, value)| value).to_owned()
}

fn hidden<T>(what: &str) -> Fact<T> {
    Fact::unknown(Missing::new(what, "write it into the job without template tags"))
}

fn fact(document: &Document, argument: &Argument) -> Fact<String> {
    let mut fact = Fact::read(String::new(), document.place(argument.span));
    fact.answer = argument.value.clone();
    fact
}

fn env_value(document: &Document, key: &str, name: &str, value: &Answer<String>, span: Span) -> EnvValue {
    let place = document.place(span);
    let mut row = EnvValue::at(place);
    row.key = key.to_owned();
    row.name = document.fact(span, name);
    row.path = Fact::read(document.path.clone(), place);
    row.empty.place = Some(place);
    row.empty.answer = value.clone().map_known(|value| value.is_empty());
    row.value = Fact { answer: value.clone(), ..row.name.clone().at(place) };
    row.user = Fact::absent();
    row.cure = Fact::absent();
    row
}

/// The job's name: its path below `/etc/init`, without `.conf`.
fn job_name(path: &str) -> &str {
    let below = match path.rfind("etc/init/") {
        Some(at) if at == 0 || path.as_bytes()[at - 1] == b'/' => &path[at + "etc/init/".len()..],
        _ => path.rsplit('/').next().unwrap_or(path),
    };
    let below = below.strip_suffix(".erb").or_else(|| below.strip_suffix(".j2")).unwrap_or(below);
    below.strip_suffix(".conf").unwrap_or(below)
}

fn command_line(document: &Document, launch: &Launch) -> Fact<String> {
    let mut words = Vec::with_capacity(launch.words.len());
    let place = launch.span().map(|span| document.place(span));
    for word in &launch.words {
        match &word.value {
            Answer::Known(value) => words.push(value.as_str()),
            Answer::Absent => {}
            Answer::Unknown(missing) => return Fact { place, ..Fact::unknown(missing.clone()) },
        }
    }
    Fact { place, ..Fact::derived(words.join(" ")) }
}

/// The main process while its script is read from top to bottom.
struct Main<'d> {
    document: &'d Document,
    variables: Variables,
    env: Vec<EnvValue>,
    sources_files: Vec<String>,
    /// Whether `set -a` stands before: then every assignment is exported.
    exports_all: bool,
    exported_later: Vec<String>,
    folder: Option<Answer<String>>,
}

fn exports_all(options: &[Argument]) -> bool {
    let is_short = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.contains('a');
    options.iter().any(|word| is_short(&word.written) || word.written == "allexport")
}

impl Main<'_> {
    /// What the main process runs: uWSGI where it is among the commands, else the last one.
    fn launch(&mut self, command: &Command) -> Option<Launch> {
        let is_script = matches!(command, Command::Script(_));
        let mut started: Option<Launch> = None;
        for command in shell::commands(self.document.text(), command.text().span) {
            let words: Vec<_> =
                command.words.iter().map(|word| argument(self.document, word, &self.variables)).collect();
            if is_script && self.sets_up(&words) {
                continue;
            }
            let launch = see_through(self.document, words, &self.variables);
            // `exec a && b` never reaches b, yet b is what its author meant to run.
            let better = started.as_ref().is_none_or(|before| launch.is_uwsgi() || (is_script && !before.is_uwsgi()));
            if better && !launch.words.is_empty() {
                started = Some(launch);
            }
        }
        let launch = started?;
        for (name, value, span) in &launch.variables {
            self.env.push(env_value(self.document, "upstart", name, value, *span));
        }
        if launch.chdir.is_some() {
            self.folder.clone_from(&launch.chdir);
        }
        Some(launch)
    }

    /// Whether a line of the script only prepares the environment; takes up what it sets.
    fn sets_up(&mut self, words: &[Argument]) -> bool {
        let Some(first) = words.first() else { return true };
        let rest = &words[1..];
        match first.written.as_str() {
            "." | "source" => {
                let file = rest.first().map(|file| match &file.value {
                    Answer::Known(path) => path.clone(),
                    _ => file.written.clone(),
                });
                self.sources_files.extend(file);
            }
            "export" => self.set(rest, true),
            "eval" => self.sources_files.extend(rest.first().map(|code| code.written.clone())),
            "set" if exports_all(rest) => self.exports_all = true,
            "cd" => self.folder = rest.first().map(|folder| folder.value.clone()),
            "set" | "unset" | "ulimit" | "umask" | "trap" | "[" | "test" | "fi" | "done" | "esac" | "}" => {}
            _ if words.iter().all(|word| word.assignment().is_some()) => self.set(words, self.exports_all),
            _ => return false,
        }
        true
    }

    fn set(&mut self, words: &[Argument], exported: bool) {
        for word in words {
            let Some((name, value)) = word.assignment() else {
                if exported && let Some(value) = self.variables.get(&word.written) {
                    self.env.push(env_value(self.document, "upstart", &word.written, value, word.span));
                } else if exported && matches!(word.value, Answer::Unknown(_)) {
                    self.sources_files.push(word.written.clone());
                } else if exported {
                    self.exported_later.push(word.written.clone());
                }
                continue;
            };
            let known = |row: &EnvValue| row.key == "upstart" && row.name.known() == Some(&name);
            if exported || self.env.iter().any(known) {
                self.env.retain(|row| !known(row));
                self.env.push(env_value(self.document, "upstart", &name, &value, word.span));
            }
            self.variables.insert(name, value);
        }
    }
}

/// Options whose value may end in `.ini` without being the configuration.
const OTHER_FILES: [&str; 12] = [
    "--emperor",
    "--vassals-include",
    "--include",
    "--inherit",
    "--touch-reload",
    "--fs-reload",
    "--ini-paste",
    "--ini-paste-logged",
    "--paste",
    "--logto",
    "--daemonize",
    "-d",
];

/// The ini on uWSGI's command line: `--ini FILE`, `--ini=FILE`, or a bare word that ends in `.ini`.
fn uwsgi_ini(document: &Document, words: &[Argument], folder: Option<&Answer<String>>, open: bool) -> Fact<String> {
    let mut before = "";
    for word in words.iter().skip(1) {
        let written = word.written.as_str();
        let glued = written.starts_with("--ini=");
        let is_value = before == "--ini" || glued;
        let bare = || {
            let file = written.split(".ini:").next().unwrap_or(written);
            let named = written.ends_with(".ini") || file.len() < written.len();
            named && !written.starts_with('-') && !OTHER_FILES.contains(&before)
        };
        if is_value || bare() {
            let prefix = if glued { "--ini=".len() } else { 0 };
            let mut ini = fact(document, word);
            ini.answer = ini.answer.map_known(|path| path.get(prefix..).unwrap_or("").to_owned());
            return placed_in(ini, folder, open);
        }
        before = written;
    }
    match words.iter().find_map(|word| match &word.value {
        Answer::Unknown(missing) => Some(missing.clone()),
        _ => None,
    }) {
        Some(missing) => Fact::unknown(missing),
        None => Fact::absent(),
    }
}

/// The absolute path of an ini named relative to the job's folder, `/` where none is set.
fn placed_in(ini: Fact<String>, folder: Option<&Answer<String>>, open: bool) -> Fact<String> {
    let Some(path) = ini.known() else { return ini };
    let path = path.split_once(".ini:").map_or(path.clone(), |(file, _)| format!("{file}.ini"));
    if path.starts_with('/') || path.contains("://") {
        return Fact { answer: Answer::Known(path), ..ini };
    }
    let answer = match folder {
        Some(Answer::Known(folder)) => Answer::Known(joined(folder, &path)),
        Some(Answer::Unknown(missing)) => Answer::Unknown(missing.clone()),
        None if open => {
            Answer::Unknown(Missing::new("the job's folder", "write `chdir` into the job without template tags"))
        }
        Some(Answer::Absent) | None => Answer::Known(joined("/", &path)),
    };
    Fact { answer, ..ini }
}

fn joined(folder: &str, path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in folder.split('/').chain(path.split('/')) {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    format!("/{}", segments.join("/"))
}

#[cfg(test)]
mod tests;
