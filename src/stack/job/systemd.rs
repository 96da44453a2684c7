//! What a systemd service starts: the command of `ExecStart=`, as whom, and with which environment (systemd.exec(5)).

use std::sync::Arc;

use super::environment::env_value;
use super::stopping::{self, OfService};
use super::uwsgi_ini::uwsgi_ini;
use super::{Job, Reading, VariablesFile, command_line, fact, work};
use crate::source::Span;
use crate::stack::document::Document;
use crate::stack::env::EnvValue;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::launch::{Argument, Launch, Variables, see_through};
use crate::stack::unit::{Unit, UnitFile};
use crate::syntax::systemd::{Command, Resolved, Setting, Word, resolve};

/// What systemd gives to every service of the system's manager (systemd.exec(5)).
const OF_EVERY_SERVICE: &[&str] = &["PATH", "LANG", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID"];
/// The same where `User=` is set.
const OF_A_USER: &[&str] =
    &["PATH", "LANG", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "HOME", "USER", "LOGNAME", "SHELL"];

/// Reads a service with its drop-ins, and says in which document its command stands.
pub fn read(unit: &Unit<'_>) -> Option<(Reading, Arc<Document>)> {
    let main = unit.files.first()?;
    let mut service =
        Read { unit: unit.name(), environment: Vec::new(), files: Vec::new(), passed: Vec::new(), unset: Vec::new() };
    unit.files.iter().for_each(|file| service.take(file));
    let command = unit.files.iter().rev().find_map(|file| Some((*file, file.tree().service.exec_start.first()?)));
    let open = unit.files.iter().any(|file| file.document.is_open());
    let setting = |pick: fn(&UnitFile) -> Option<&Setting>| {
        unit.files.iter().rev().find_map(|file| Some((&file.document, pick(file)?)))
    };
    let variables = service.variables();
    let launch = command
        .map(|(file, command)| launch(&file.document, command, unit.name(), &variables, !service.files.is_empty()));
    let stands_in = command.map_or(&main.document, |(file, _)| &file.document);

    let place = main.tree().sections.iter().find(|section| section.value == "Service");
    let mut job = Job::at(main.document.place(place.map_or(Span::default(), |section| section.span)));
    job.key = "systemd".to_owned();
    job.dialect = Fact::derived("systemd".to_owned());
    job.name = Fact::derived(unit.name().to_owned());
    job.path = Fact::derived(main.document.path.clone());
    let user = setting(|file| file.tree().service.user.as_ref());
    job.user = match (&user, launch.as_ref().and_then(|launch| launch.user.as_ref())) {
        (_, Some(user)) => fact(stands_in, user),
        (Some((document, user)), None) => resolved(document, user, unit.name()),
        (None, None) if open => hidden("the service's user"),
        (None, None) => Fact::default_of("root".to_owned()),
    };
    job.command = match &launch {
        Some(launch) => command_line(stands_in, launch),
        None if open => hidden("the service's command"),
        None => Fact::absent(),
    };
    let folder = setting(|file| file.tree().service.folder.as_ref())
        .map(|(document, folder)| folder_of(document, folder, unit.name()));
    let folder = launch.as_ref().and_then(|launch| launch.chdir.clone()).or(folder);
    let group = setting(|file| file.tree().service.group.as_ref());
    // What starts uWSGI is told apart once its ini is read.
    job.forks = Fact::absent();
    job.service_type = match setting(|file| file.tree().service.kind.as_ref()) {
        Some((document, kind)) => resolved(document, kind, unit.name()),
        None if open => hidden("the service's `Type=`"),
        None => Fact::default_of("simple".to_owned()),
    };
    job.execed = Fact::derived(true);
    work::of_launch(&mut job, stands_in, launch.as_ref());
    stopping::of_service(
        &mut job,
        OfService {
            kill_signal: setting(|file| file.tree().service.kill_signal.as_ref()).map(borrowed),
            kill_mode: setting(|file| file.tree().service.kill_mode.as_ref()).map(borrowed),
            timeout: setting(|file| file.tree().service.stop_timeout.as_ref()).map(borrowed),
            never_killed: unit.files.iter().rev().find_map(|file| file.tree().service.never_killed).unwrap_or(false),
            umask: setting(|file| file.tree().service.umask.as_ref()).map(borrowed),
            private_tmp: setting(|file| file.tree().service.private_tmp.as_ref()).map(borrowed),
            group: group.map(|(document, group)| resolved(document, group, unit.name())),
            exec_stop: unit.files.iter().any(|file| file.tree().service.exec_stop),
            open,
        },
    );
    let wrapped = launch.as_ref().map_or_else(Vec::new, |launch| launch.variables.clone());
    let login = launch.as_ref().is_some_and(|launch| launch.login);
    let uwsgi = launch.filter(Launch::is_uwsgi).map(|launch| launch.words);
    job.uwsgi_ini = match &uwsgi {
        Some(words) => uwsgi_ini(stands_in, words, folder.as_ref(), open),
        None if job.command.is_unknown() => hidden("the service's command"),
        None => Fact::absent(),
    };
    let mut env = service.rows();
    env.extend(wrapped.iter().map(|(name, value, span)| env_value(stands_in, "systemd", name, value, *span)));
    let reading = Reading {
        env,
        files: service.files,
        login,
        defaults: if user.is_some() { OF_A_USER } else { OF_EVERY_SERVICE },
        open,
        ..Reading::of(job, uwsgi)
    };
    Some((reading, Arc::clone(stands_in)))
}

fn borrowed<'u>((document, setting): (&'u Arc<Document>, &'u Setting)) -> (&'u Document, &'u Setting) {
    (document, setting)
}

fn hidden<T>(what: &str) -> Fact<T> {
    Fact::unknown(Missing::new(what, "write it into the unit without template tags"))
}

/// The environment while unit and drop-ins are read in order.
struct Read<'a> {
    unit: &'a str,
    environment: Vec<(Arc<Document>, String, Answer<String>, Span)>,
    files: Vec<VariablesFile>,
    passed: Vec<(Arc<Document>, Setting)>,
    unset: Vec<String>,
}

impl Read<'_> {
    fn take(&mut self, file: &UnitFile) {
        let (document, service) = (&file.document, &file.tree().service);
        for list in &service.emptied {
            match *list {
                "Environment" => self.environment.clear(),
                "EnvironmentFile" => self.files.clear(),
                "PassEnvironment" => self.passed.clear(),
                "UnsetEnvironment" => self.unset.clear(),
                _ => {}
            }
        }
        for word in &service.environment {
            let name = word.value.split('=').next().unwrap_or_default();
            let value = answer(document, word, self.unit).map_known(|all| super::after_equals(&all));
            self.environment.push((Arc::clone(document), name.to_owned(), value, word.span));
        }
        for named in &service.environment_files {
            let optional = named.value.starts_with('-');
            let path =
                resolved(document, named, self.unit).answer.map_known(|path| path.trim_start_matches('-').to_owned());
            self.files.push(VariablesFile { path, optional, place: document.place(named.span) });
        }
        self.passed.extend(service.passed.iter().map(|name| (Arc::clone(document), name.clone())));
        self.unset.extend(service.unset.iter().map(|name| name.value.clone()));
    }

    /// What `$NAME` stands for on the command line.
    fn variables(&self) -> Variables {
        self.environment.iter().map(|(_, name, value, _)| (name.clone(), value.clone())).collect()
    }

    fn rows(&self) -> Vec<EnvValue> {
        let is_unset = |name: &str| self.unset.iter().any(|unset| unset.split('=').next() == Some(name));
        let mut rows: Vec<EnvValue> = self
            .environment
            .iter()
            .filter(|(_, name, ..)| !is_unset(name))
            .map(|(document, name, value, span)| env_value(document, "systemd", name, value, *span))
            .collect();
        for (document, name) in self.passed.iter().filter(|(_, name)| !is_unset(&name.value)) {
            let of_manager = Missing::new(format!("the manager's own {}", name.value), "`systemctl show-environment`");
            let mut row = env_value(document, "systemd", &name.value, &Answer::Unknown(of_manager.clone()), name.span);
            // The manager may have none of that name.
            row.name.answer = Answer::Unknown(of_manager);
            rows.push(row);
        }
        rows
    }
}

/// A word with template tags and specifiers put in.
fn answer(document: &Document, word: &Word, unit: &str) -> Answer<String> {
    match document.value(word.span, &word.value) {
        Answer::Known(text) => match resolve(&text, unit) {
            Resolved::Known(text) => Answer::Known(text),
            Resolved::Unknown(specifier) => {
                Answer::Unknown(Missing::new(format!("what `{specifier}` stands for"), "write it out in the unit"))
            }
            Resolved::Refused(specifier) => {
                Answer::Unknown(Missing::new(format!("a value with `{specifier}`"), "write each `%` as `%%`"))
            }
        },
        other => other,
    }
}

fn resolved(document: &Document, setting: &Setting, unit: &str) -> Fact<String> {
    let word = Word { value: setting.value.clone(), span: setting.span };
    Fact { answer: answer(document, &word, unit), ..Fact::read(String::new(), document.place(setting.span)) }
}

/// `WorkingDirectory=`; `~` is the user's home.
fn folder_of(document: &Document, folder: &Setting, unit: &str) -> Answer<String> {
    match resolved(document, folder, unit).answer {
        Answer::Known(path) => match path.trim_start_matches('-') {
            "~" => Answer::Unknown(Missing::new("the home of the service's user", "write the folder out")),
            path => Answer::Known(path.to_owned()),
        },
        other => other,
    }
}

/// What the command starts in the end: systemd puts in `$NAME` and `${NAME}` itself, unless `:` stands before the program.
fn launch(document: &Document, command: &Command, unit: &str, variables: &Variables, more: bool) -> Launch {
    let literal = command.prefixes.contains(':');
    let mut words = Vec::new();
    for (at, word) in command.words.iter().enumerate() {
        // The second word is only what the program is told to be called.
        if at == 1 && command.prefixes.contains('@') {
            continue;
        }
        let value = answer(document, word, unit);
        let value = if at == 0 || literal { value } else { expanded(value, variables, more) };
        let written = match &value {
            Answer::Known(value) => value.clone(),
            _ => word.value.clone(),
        };
        words.push(Argument { span: word.span, value, written });
    }
    see_through(document, words, variables)
}

fn expanded(value: Answer<String>, variables: &Variables, more: bool) -> Answer<String> {
    let Answer::Known(text) = &value else { return value };
    if !text.contains('$') {
        return value;
    }
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, behind) = match braced {
            Some((name, behind)) => (name, behind),
            None if after.starts_with('$') => {
                out.push('$');
                rest = &after[1..];
                continue;
            }
            None => {
                let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
                after.split_at(end)
            }
        };
        // Inside a word only `${NAME}` is put in.
        if name.is_empty() || (braced.is_none() && (at != 0 || !behind.is_empty())) {
            out.push('$');
            rest = after;
            continue;
        }
        match variables.get(name) {
            Some(Answer::Known(known)) => out.push_str(known),
            Some(Answer::Unknown(missing)) => return Answer::Unknown(missing.clone()),
            _ if more => {
                return Answer::Unknown(Missing::new(
                    format!("the value of ${name}"),
                    "lint its `EnvironmentFile=` together with the unit",
                ));
            }
            _ => {}
        }
        rest = behind;
    }
    out.push_str(rest);
    Answer::Known(out)
}
