//! The main process of a job, its script read from top to bottom: what it starts, where, and with which variables.

use super::environment::{Environment, env_value};
use crate::source::Span;
use crate::stack::document::Document;
use crate::stack::fact::Answer;
use crate::stack::launch::{Argument, Launch, Variables, argument, see_through};
use crate::syntax::shell::{self, End, Part};

/// What is known of the main process while it is read.
pub(super) struct Main<'d> {
    pub document: &'d Document,
    /// The dialect of the job, by which the variables that it gives are keyed.
    key: &'static str,
    pub variables: Variables,
    pub env: Environment,
    pub sources_files: Vec<String>,
    /// Whether `set -a` stands before: then every assignment is exported.
    pub exports_all: bool,
    /// Names that are exported before they have a value.
    pub exported_later: Vec<String>,
    /// Where it is when it starts the program.
    pub folder: Option<Answer<String>>,
}

/// What the main process starts in the end, and how.
pub(super) struct Started {
    pub launch: Launch,
    /// Whether the program takes the place of the shell.
    pub execed: bool,
    /// The `&` that leaves it behind.
    pub ampersand: Option<Span>,
    /// The first command before it for which the shell forks.
    pub forks_before: Option<Span>,
    /// Whether it is the last command.
    pub is_last: bool,
    /// Whether other commands start uWSGI as well, in another way.
    pub is_choice: bool,
}

/// What dash does itself, without a fork.
const BUILT_IN: [&str; 30] = [
    ".", ":", "[", "alias", "cd", "command", "echo", "eval", "exec", "exit", "export", "false", "fi", "done", "esac",
    "for", "case", "getopts", "hash", "local", "printf", "pwd", "read", "return", "set", "shift", "test", "trap",
    "true", "}",
];

const BUILT_IN_TOO: [&str; 7] = ["type", "ulimit", "umask", "unalias", "unset", "source", "wait"];

fn exports_all(options: &[Argument]) -> bool {
    let is_short = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.contains('a');
    options.iter().any(|word| is_short(&word.written) || word.written == "allexport")
}

/// Whether the shell forks for a command: it is no part of the shell, or one of its words is what another command prints.
fn forks(command: &shell::Command) -> bool {
    let first = command.words[0].value();
    let assigns =
        first.split_once('=').is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    let is_built_in = BUILT_IN.contains(&first.as_str()) || BUILT_IN_TOO.contains(&first.as_str());
    let substitutes =
        |part: &Part| matches!(part, Part::Other(code) if code.starts_with("$(") || code.starts_with('`'));
    !(is_built_in || assigns) || command.words.iter().flat_map(|word| &word.parts).any(substitutes)
}

impl<'d> Main<'d> {
    pub fn new(document: &'d Document, key: &'static str, folder: Option<Answer<String>>) -> Self {
        let (variables, env) = (Variables::new(), Environment::default());
        Self {
            document,
            key,
            variables,
            env,
            sources_files: Vec::new(),
            exports_all: false,
            exported_later: Vec::new(),
            folder,
        }
    }

    /// What the commands at `span` run: uWSGI where it is among them, else the last one. No script but an `exec` of Upstart runs
    /// the first one alone.
    pub fn start(&mut self, span: Span, is_script: bool) -> Option<Started> {
        let mut started: Option<Started> = None;
        let mut forks_before = None;
        let mut is_choice = false;
        for command in shell::commands(self.document.text(), span) {
            let words: Vec<_> =
                command.words.iter().map(|word| argument(self.document, word, &self.variables)).collect();
            let place = command.words[0].span.to(command.words[command.words.len() - 1].span);
            let execed = !is_script || words.iter().find(|word| word.assignment().is_none()).is_some_and(is_exec);
            let forked = forks(&command).then_some(place).filter(|_| !execed);
            if is_script && self.sets_up(&words) {
                forks_before = forks_before.or(forked);
                continue;
            }
            let launch = see_through(self.document, words, &self.variables);
            if let Some(before) = &mut started {
                before.is_last = false;
            }
            is_choice |= started.as_ref().is_some_and(|before| before.launch.starts_uwsgi_otherwise(&launch));
            // `exec a && b` never reaches b, yet b is what its author meant to run.
            let better =
                started.as_ref().is_none_or(|before| launch.is_uwsgi() || (is_script && !before.launch.is_uwsgi()));
            if better && !launch.words.is_empty() {
                let ampersand = (command.end == End::Background).then_some(place);
                started = Some(Started { launch, execed, ampersand, forks_before, is_last: true, is_choice });
            }
            forks_before = forks_before.or(forked);
        }
        let started = Started { is_choice, ..started? };
        for (name, value, span) in &started.launch.variables {
            self.env.set(name, env_value(self.document, self.key, name, value, *span));
        }
        if started.launch.chdir.is_some() {
            self.folder.clone_from(&started.launch.chdir);
        }
        Some(started)
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
                    let row = env_value(self.document, self.key, &word.written, value, word.span);
                    self.env.set(&word.written, row);
                } else if exported && matches!(word.value, Answer::Unknown(_)) {
                    self.sources_files.push(word.written.clone());
                } else if exported {
                    self.exported_later.push(word.written.clone());
                }
                continue;
            };
            if exported || self.env.gives(&name) {
                self.env.set(&name, env_value(self.document, self.key, &name, &value, word.span));
            }
            self.variables.insert(name, value);
        }
    }
}

fn is_exec(word: &Argument) -> bool {
    word.written == "exec"
}
