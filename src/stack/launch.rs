//! What a command line really starts: wrappers such as `exec`, `env`, `su -c` or `start-stop-daemon` are seen through.

use std::collections::BTreeMap;

use crate::source::Span;
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Missing};
use crate::syntax::shell::{self, Part, Word};

/// One word of a command line, variables and template tags put in where they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Where it stands.
    pub span: Span,
    /// What the program gets.
    pub value: Answer<String>,
    /// As written, quotes resolved.
    pub written: String,
}

impl Argument {
    /// What the program gets, as written where that is not known.
    pub fn known(&self) -> &str {
        match &self.value {
            Answer::Known(value) => value,
            _ => &self.written,
        }
    }

    /// `NAME=VALUE` taken apart.
    pub fn assignment(&self) -> Option<(String, Answer<String>)> {
        let (name, _) = self.written.split_once('=')?;
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let value = match &self.value {
            Answer::Known(value) => Answer::Known(value.get(name.len() + 1..).unwrap_or("").to_owned()),
            other => other.clone(),
        };
        is_name.then(|| (name.to_owned(), value))
    }

    /// The last segment of a path, also where the folder before it is not known.
    pub fn base_name(&self) -> &str {
        self.known().rsplit('/').next().unwrap_or("")
    }
}

/// The variables known while a command line is read.
pub type Variables = BTreeMap<String, Answer<String>>;

/// A program with what its wrappers set for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Launch {
    /// The program and its arguments.
    pub words: Vec<Argument>,
    /// The user a wrapper switches to.
    pub user: Option<Argument>,
    /// Variables that wrappers set: name, value and place.
    pub variables: Vec<(String, Answer<String>, Span)>,
    /// The folder a wrapper changes to.
    pub chdir: Option<Answer<String>>,
    /// Whether a wrapper is a login shell, which reads the profile files.
    pub login: bool,
    /// The `su`, `runuser` or `sudo` that it goes through and that stays in front of it.
    pub through: Option<Argument>,
    /// Whether an init of containers stands in front that hands signals to all processes behind it.
    pub signals_all: bool,
    /// The word that leaves the program behind on its own: `setsid`, or `--background` of start-stop-daemon.
    pub left_behind: Option<Argument>,
}

impl Launch {
    /// Whether the program is uWSGI, whatever its folder or version suffix.
    pub fn is_uwsgi(&self) -> bool {
        let Some(rest) = self.words.first().and_then(|program| program.base_name().strip_prefix("uwsgi")) else {
            return false;
        };
        !rest.starts_with(|first: char| first.is_ascii_alphabetic()) && !rest.contains(".ini")
    }

    /// Whether this and `other` both start uWSGI, with other words.
    pub fn starts_uwsgi_otherwise(&self, other: &Self) -> bool {
        let written = |launch: &Self| launch.words.iter().map(|word| word.written.clone()).collect::<Vec<_>>();
        self.is_uwsgi() && other.is_uwsgi() && written(self) != written(other)
    }

    /// From the first word to the last.
    pub fn span(&self) -> Option<Span> {
        Some(self.words.first()?.span.to(self.words.last()?.span))
    }
}

/// Puts in what is known of a word.
pub fn argument(document: &Document, word: &Word, variables: &Variables) -> Argument {
    let mut unknown = None;
    for part in &word.parts {
        let missing = match part {
            Part::Text(_) => continue,
            Part::Variable(name) => match variables.get(name) {
                Some(Answer::Known(_)) => continue,
                Some(Answer::Unknown(missing)) => missing.clone(),
                _ => Missing::new(format!("the value of ${name}"), "set it with `env` in the job"),
            },
            Part::Other(code) => Missing::new(format!("what the shell makes of {code}"), "write it out"),
        };
        unknown.get_or_insert(missing);
    }
    let expanded = word.expand(|name| match variables.get(name) {
        Some(Answer::Known(value)) => Some(value.clone()),
        _ => None,
    });
    let value = unknown.map_or_else(|| document.value(word.span, &expanded), Answer::Unknown);
    Argument { span: word.span, value, written: word.value() }
}

/// What `words` start in the end.
pub fn see_through(document: &Document, words: Vec<Argument>, variables: &Variables) -> Launch {
    let mut launch = Launch { words, ..Launch::default() };
    // Each round takes a wrapper off; the bound holds whatever a file nests.
    for _ in 0..16 {
        let set = launch.words.iter().take_while(|word| word.assignment().is_some()).count();
        take_variables(&mut launch, set);
        let Some(program) = launch.words.first() else { return launch };
        let wrapper = program.clone();
        match wrapper.base_name() {
            "su" | "runuser" | "sudo" if launch.through.is_none() => launch.through = Some(wrapper.clone()),
            "setsid" => launch.left_behind = Some(wrapper.clone()),
            "dumb-init" | "tini" | "tini-static" => launch.signals_all |= hands_to_all(&launch.words),
            _ => {}
        }
        let seen = match wrapper.base_name() {
            "exec" | "command" | "nohup" | "setsid" | "time" => skip_options(&mut launch, &["-a"]),
            "env" => {
                skip_options(&mut launch, &["-u", "-C"]);
                true
            }
            "newrelic-admin" => take_runner(&mut launch, "run-program"),
            "poetry" => take_runner(&mut launch, "run"),
            // Of Heroku's buildpacks and of agents that watch the app: what follows is what they run.
            "ddtrace-run" | "start-nginx" | "start-nginx-solo" | "start-pgbouncer" | "start-stunnel" => {
                skip_options(&mut launch, &[])
            }
            "dumb-init" | "tini" | "tini-static" | "catatonit" => {
                skip_options(&mut launch, &["-p", "-e", "-r", "--rewrite"])
            }
            "nice" | "ionice" | "chrt" | "stdbuf" => skip_options(&mut launch, &["-n", "-c", "-p", "-o", "-e", "-i"]),
            "setuidgid" | "gosu" | "su-exec" => skip_options(&mut launch, &[]) && take_user(&mut launch),
            "chpst" | "sudo" => sudo(&mut launch),
            "su" | "runuser" => su(document, &mut launch, variables),
            "daemon" => daemon(&mut launch),
            "start-stop-daemon" => start_stop_daemon(&mut launch),
            "sh" | "bash" | "dash" => shell_command(document, &mut launch, variables),
            _ => false,
        };
        if !seen {
            return launch;
        }
    }
    launch
}

fn take_variables(launch: &mut Launch, count: usize) {
    for word in launch.words.drain(..count) {
        if let Some((name, value)) = word.assignment() {
            launch.variables.push((name, value, word.span));
        }
    }
}

/// Whether an init hands a signal to the whole session (dumb-init's own way, unless it is told otherwise) or group (`tini -g`).
fn hands_to_all(words: &[Argument]) -> bool {
    let options = || words.iter().skip(1).map(|word| word.written.as_str()).take_while(|word| word.starts_with('-'));
    match words.first().map(Argument::base_name) {
        Some("dumb-init") => !options().any(|word| matches!(word, "-c" | "--single-child")),
        _ => options().any(|word| word == "-g" || word.starts_with("-g")),
    }
}

/// Takes a wrapper off that runs what follows its word for that, such as `poetry run`, if no option stands between.
fn take_runner(launch: &mut Launch, word: &str) -> bool {
    let is_plain =
        matches!(&launch.words[1..], [run, program, ..] if run.written == word && !program.written.starts_with('-'));
    if is_plain {
        launch.words.drain(..2);
    }
    is_plain
}

/// Takes the program and its options off; `valued` are the options that take the next word.
fn skip_options(launch: &mut Launch, valued: &[&str]) -> bool {
    let mut rest = 1;
    while let Some(word) = launch.words.get(rest).filter(|word| word.written.starts_with('-')) {
        rest += 1 + usize::from(valued.contains(&word.written.as_str()));
        if word.written == "--" {
            break;
        }
    }
    launch.words.drain(..rest.min(launch.words.len()));
    true
}

fn take_user(launch: &mut Launch) -> bool {
    if launch.words.is_empty() {
        return false;
    }
    launch.user = Some(launch.words.remove(0));
    true
}

/// The value of an option: the next word, or what follows in the same one.
fn option_value(words: &[Argument], at: usize, short: &str, long: &str) -> Option<(Argument, usize)> {
    let word = &words[at];
    if word.written == short || word.written == long {
        return Some((words.get(at + 1)?.clone(), 2));
    }
    let inside = |prefix: &str| {
        let written = word.written.strip_prefix(prefix)?.to_owned();
        let value = match &word.value {
            Answer::Known(value) => Answer::Known(value.strip_prefix(prefix)?.to_owned()),
            other => other.clone(),
        };
        Some((Argument { span: word.span, value, written }, 1))
    };
    let glued = || (!word.written.starts_with("--")).then(|| inside(short)).flatten();
    inside(&format!("{long}=")).or_else(glued)
}

fn sudo(launch: &mut Launch) -> bool {
    let mut at = 1;
    while let Some(word) = launch.words.get(at).filter(|word| word.written.starts_with('-')) {
        if let Some((user, used)) = option_value(&launch.words, at, "-u", "--user") {
            launch.user = Some(user);
            at += used;
            continue;
        }
        launch.login |= matches!(word.written.as_str(), "-i" | "--login");
        at += 1 + usize::from(matches!(word.written.as_str(), "-g" | "-p" | "-C" | "-h" | "-e" | "-U"));
        if word.written == "--" {
            break;
        }
    }
    launch.words.drain(..at.min(launch.words.len()));
    true
}

/// `daemon --user=USER --pidfile=FILE program …`, the function of Red Hat's init scripts (`/etc/init.d/functions`).
fn daemon(launch: &mut Launch) -> bool {
    let mut at = 1;
    while let Some(word) = launch.words.get(at).filter(|word| word.written.starts_with(['-', '+'])) {
        if let Some((user, used)) = option_value(&launch.words, at, "--user", "--user") {
            launch.user = Some(user);
            at += used;
        } else {
            at += 1 + usize::from(matches!(word.written.as_str(), "--pidfile" | "--check"));
        }
    }
    launch.words.drain(..at.min(launch.words.len()));
    true
}

fn su(document: &Document, launch: &mut Launch, variables: &Variables) -> bool {
    let words = std::mem::take(&mut launch.words);
    let (mut at, mut command, mut rest) = (1, None, Vec::new());
    while at < words.len() {
        let word = &words[at];
        if word.written == "--" {
            rest = words[at + 1..].to_vec();
            break;
        } else if let Some((value, used)) = option_value(&words, at, "-c", "--command") {
            command = Some(value);
            at += used;
        } else if let Some((_, used)) = option_value(&words, at, "-s", "--shell") {
            at += used;
        } else if let Some((user, used)) = option_value(&words, at, "-u", "--user") {
            launch.user = Some(user);
            at += used;
        } else {
            launch.login |= matches!(word.written.as_str(), "-" | "-l" | "--login");
            if !word.written.starts_with('-') && launch.user.is_none() {
                launch.user = Some(word.clone());
            }
            at += 1;
        }
    }
    if launch.login {
        launch.chdir = Some(Answer::Unknown(Missing::new("the user's home folder", "write whole paths in the job")));
    }
    match command {
        // `su -c 'exec "$0" "$@"' user -- program …` runs what follows.
        Some(command) if !command.written.contains("$0") => take_inner(document, launch, &command, variables),
        _ => launch.words = rest,
    }
    !launch.words.is_empty()
}

fn start_stop_daemon(launch: &mut Launch) -> bool {
    let words = std::mem::take(&mut launch.words);
    let (mut at, mut program, mut startas) = (1, None, None);
    while at < words.len() {
        if words[at].written == "--" {
            at += 1;
            break;
        }
        let value = |short, long| option_value(&words, at, short, long);
        at += if let Some((word, used)) = value("-x", "--exec") {
            program = Some(word);
            used
        } else if let Some((word, used)) = value("-a", "--startas") {
            startas = Some(word);
            used
        } else if let Some((word, used)) = value("-c", "--chuid").or_else(|| value("-u", "--user")) {
            launch.user = Some(without_group(word));
            used
        } else if let Some((word, used)) = value("-d", "--chdir") {
            launch.chdir = Some(word.value);
            used
        } else {
            if matches!(words[at].written.as_str(), "-b" | "--background") {
                launch.left_behind = Some(words[at].clone());
            }
            1
        };
    }
    launch.words = startas.or(program).into_iter().chain(words.into_iter().skip(at)).collect();
    !launch.words.is_empty()
}

/// `user:group` without the group.
fn without_group(mut user: Argument) -> Argument {
    if let Answer::Known(value) = &mut user.value {
        value.truncate(value.find(':').unwrap_or(value.len()));
    }
    user
}

fn shell_command(document: &Document, launch: &mut Launch, variables: &Variables) -> bool {
    let options = launch.words.iter().skip(1).take_while(|word| word.written.starts_with('-'));
    let options: Vec<&str> = options.map(|word| word.written.as_str()).collect();
    let short = |letter: char| options.iter().any(|word| !word.starts_with("--") && word.contains(letter));
    if !short('c') {
        return false;
    }
    launch.login |= short('l') || options.contains(&"--login");
    let Some(command) = launch.words.get(options.len() + 1).cloned() else { return false };
    take_inner(document, launch, &command, variables);
    !launch.words.is_empty()
}

/// Goes into a command line given as one word: its last command, in the folder that a `cd` before it goes to. The words
/// keep the place of that word.
fn take_inner(document: &Document, launch: &mut Launch, command: &Argument, variables: &Variables) {
    let text = match &command.value {
        Answer::Known(text) => text.as_str(),
        _ => &command.written,
    };
    let commands = shell::commands(text, Span::new(0, text.len()));
    let resolved = |word: &Word| {
        let mut argument = argument(&document.without_tags(), word, variables);
        argument.span = command.span;
        if let (Answer::Unknown(missing), true) = (&command.value, argument.written.contains(['\u{1f}', '$', '`'])) {
            argument.value = Answer::Unknown(missing.clone());
        }
        argument
    };
    launch.words = commands.last().map(|last| last.words.iter().map(resolved).collect()).unwrap_or_default();
    let moves = commands.iter().rev().skip(1).find(|command| command.words[0].value() == "cd");
    if let Some(folder) = moves.and_then(|command| command.words.get(1)) {
        launch.chdir = Some(resolved(folder).value);
    }
}
