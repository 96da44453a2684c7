//! What an init script of System V starts: the one program among its commands that serves, with what the script sets for it.

use super::environment::{Environment, env_value};
use super::uwsgi_ini::uwsgi_ini;
use super::{Job, Reading, command_line, fact, program};
use crate::source::Span;
use crate::stack::app::name::last_segment;
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::launch::{Argument, Launch, Variables, argument, see_through};
use crate::syntax::shell::{self, Command, Part, Word};

/// Words by which a command stops, asks or tries, but starts nothing.
const STARTS_NOTHING: [&str; 11] =
    ["--stop", "-K", "--status", "-T", "--test", "-t", "--reload", "--signal", "-s", "--version", "--help"];

/// Files of functions that set none of a script's own variables.
const FUNCTIONS: [&str; 4] = ["/lib/", "/usr/lib/", "/etc/init.d/", "/etc/rc.d/"];

/// Reads an init script; `None` where it starts no server that is known, or starts one in several ways.
pub fn read(document: &Document) -> Option<Reading> {
    let text = document.text();
    let script = shell::script(text, Span::new(0, text.len()));
    let mut setting = Setting { document, variables: Variables::new(), env: Environment::default(), files: Vec::new() };
    script.commands.iter().for_each(|command| setting.take(command));
    let mut found: Option<Launch> = None;
    for command in script.in_functions.iter().chain(&script.commands) {
        let words = setting.words(command);
        if words.iter().any(|word| STARTS_NOTHING.contains(&word.written.as_str())) {
            continue;
        }
        let launch = see_through(document, words, &setting.variables);
        if program::server(&launch).is_none() && !launch.is_uwsgi() {
            continue;
        }
        match &found {
            Some(before) if written(before) != written(&launch) => return None,
            Some(_) => {}
            None => found = Some(launch),
        }
    }
    let launch = found?;
    let mut job = Job::at(document.place(launch.span()?));
    job.key = "sysv".to_owned();
    job.service_type = Fact::absent();
    // Such a script is meant to leave its program in the background.
    job.forks = Fact::absent();
    job.dialect = Fact::derived("sysv".to_owned());
    // The script is over when the program runs.
    job.execed = Fact::derived(true);
    job.name = Fact::derived(last_segment(&document.path).to_owned());
    job.path = Fact::derived(document.path.clone());
    job.user = launch.user.as_ref().map_or_else(|| Fact::default_of("root".to_owned()), |user| fact(document, user));
    job.command = command_line(document, &launch);
    let folder = launch.chdir.clone();
    let uwsgi = Some(launch).filter(Launch::is_uwsgi).map(|launch| launch.words);
    job.uwsgi_ini = match &uwsgi {
        Some(words) => uwsgi_ini(document, words, folder.as_ref(), document.is_open()),
        None => Fact::absent(),
    };
    Some(Reading {
        env: setting.env.into_rows(),
        sources_files: setting.files,
        inherits: Some(Missing::new("the variables of whoever runs the init script", "set them in the script")),
        is_main: false,
        open: document.is_open(),
        ..Reading::of(job, uwsgi)
    })
}

fn written(launch: &Launch) -> Vec<&str> {
    launch.words.iter().map(|word| word.written.as_str()).collect()
}

/// What a script sets before its functions are called.
struct Setting<'d> {
    document: &'d Document,
    variables: Variables,
    env: Environment,
    files: Vec<String>,
}

impl Setting<'_> {
    fn take(&mut self, command: &Command) {
        let words: Vec<Argument> =
            command.words.iter().map(|word| argument(self.document, word, &self.variables)).collect();
        match words.first().map(|word| word.written.as_str()) {
            Some("." | "source") => self.source(words.get(1)),
            Some("export") => self.set(&words[1..], true),
            _ if words.iter().all(|word| word.assignment().is_some()) => self.set(&words, false),
            _ => {}
        }
    }

    /// A file that is read in may set again what is set so far.
    fn source(&mut self, file: Option<&Argument>) {
        let path = file.map_or("?", |file| match &file.value {
            Answer::Known(path) => path.as_str(),
            _ => file.written.as_str(),
        });
        if FUNCTIONS.iter().any(|folder| path.starts_with(folder)) {
            return;
        }
        for value in self.variables.values_mut() {
            *value = Answer::Unknown(Missing::new(format!("what {path} sets"), "lint it together with the script"));
        }
        self.files.push(path.to_owned());
    }

    fn set(&mut self, words: &[Argument], exported: bool) {
        for word in words {
            let (name, value) = match word.assignment() {
                Some(assignment) => assignment,
                None if exported => match self.variables.get(&word.written) {
                    Some(value) => (word.written.clone(), value.clone()),
                    None => continue,
                },
                None => continue,
            };
            if exported || self.env.gives(&name) {
                self.env.set(&name, env_value(self.document, "sysv", &name, &value, word.span));
            }
            self.variables.insert(name, value);
        }
    }

    /// The words of a command, a variable without quotes split at its blanks as the shell does.
    fn words(&self, command: &Command) -> Vec<Argument> {
        let text = self.document.text();
        let split = |word: &Word| {
            let whole = argument(self.document, word, &self.variables);
            let is_bare = matches!(word.parts[..], [Part::Variable(_)]) && !word.span.of(text).starts_with('"');
            match &whole.value {
                Answer::Known(value) if is_bare => value
                    .split_whitespace()
                    .map(|part| {
                        let (value, written) = (Answer::Known(part.to_owned()), part.to_owned());
                        Argument { span: word.span, value, written }
                    })
                    .collect(),
                _ => vec![whole],
            }
        };
        command.words.iter().flat_map(split).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Origin, Sources};
    use crate::stack::document::Kind;

    fn read_text(text: &str) -> Option<Reading> {
        let mut sources = Sources::default();
        let file = sources.add("etc/init.d/shop", text.as_bytes().to_vec(), Origin::File);
        read(&Document::plain(file, "/etc/init.d/shop", Kind::InitScript, text.into()))
    }

    /// The ini, and the user.
    fn started(text: &str) -> Option<(String, String)> {
        let reading = read_text(text)?;
        let known = |fact: &Fact<String>| fact.known().cloned().unwrap_or_else(|| "?".to_owned());
        reading.uwsgi.as_ref()?;
        Some((known(&reading.job.uwsgi_ini), known(&reading.job.user)))
    }

    fn some(ini: &str, user: &str) -> Option<(String, String)> {
        Some((ini.to_owned(), user.to_owned()))
    }

    #[test]
    fn the_way_it_is_started_is_found_among_functions() {
        let debian = "#!/bin/sh\n### BEGIN INIT INFO\nNAME=shop\nDAEMON=/srv/venv/bin/uwsgi\nDAEMON_ARGS=\"--ini /srv/$NAME.ini -d /log\"\n\
                      . /lib/lsb/init-functions\nexport A=1\ndo_start()\n{\n  start-stop-daemon --start --quiet --exec $DAEMON --test > /dev/null || return 1\n  \
                      start-stop-daemon --start --quiet --chuid www-data:www-data --pidfile /run/shop.pid --exec $DAEMON -- $DAEMON_ARGS || return 2\n}\n\
                      do_stop() {\n  start-stop-daemon --stop --pidfile /run/shop.pid --exec $DAEMON\n}\ncase \"$1\" in\n  start)\n    do_start\n    ;;\nesac\n";
        assert_eq!(started(debian), some("/srv/shop.ini", "www-data"));
        let given = read_text(debian).map(|reading| reading.env.len());
        assert_eq!(given, Some(1));
        let defaults =
            debian.replace(". /lib/lsb/init-functions\n", "[ -r /etc/default/shop ] && . /etc/default/shop\n");
        assert_eq!(started(&defaults), None, "the file may name another program");
        let red_hat = "#!/bin/bash\n. /etc/rc.d/init.d/functions\nprog=/usr/bin/uwsgi\nstart() {\n  daemon --user=shop --pidfile=/run/a $prog --ini /srv/shop.ini\n}\n";
        assert_eq!(started(red_hat), some("/srv/shop.ini", "shop"));
        let plain = "#!/bin/sh\ncase \"$1\" in\nstart)\n  uwsgi /srv/shop.ini\n;;\nstop)\n  uwsgi --stop /run/shop.pid\n;;\nesac\n";
        assert_eq!(started(plain), some("/srv/shop.ini", "root"));
        let two = "start() {\n  uwsgi --ini /a.ini\n  uwsgi --ini /b.ini\n}\n";
        assert_eq!(started(two), None);
        assert!(read_text("start() {\n  gunicorn -D shop:app\n}\n").is_some_and(|reading| reading.uwsgi.is_none()));
    }
}
