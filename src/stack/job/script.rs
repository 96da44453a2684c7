//! What the shell makes of a job's commands: faults that Upstart hands on, and that end the job under `sh -e`.

use super::JobLine;
use crate::source::Span;
use crate::stack::document::Document;
use crate::syntax::placeholder::is_filled_in;
use crate::syntax::shell::bashism::bashisms;
use crate::syntax::shell::{self, Command, End, Script, Word};
use crate::syntax::upstart::{self, Phase};

/// Words of the shell that `exec` cannot find as programs.
const NO_PROGRAM: [&str; 20] = [
    "cd", ".", "source", "export", "set", "unset", "ulimit", "umask", "eval", "exec", "trap", "shift", "local",
    "readonly", "alias", "if", "for", "while", "case", "{",
];

/// What an init system or a login reads for people; none of it is made for a job.
const PROFILES: [&str; 8] = [
    "/etc/profile",
    "/etc/bash.bashrc",
    "/etc/bashrc",
    "/.profile",
    "/.bashrc",
    "/.bash_profile",
    "/.bash_login",
    "/.zshrc",
];

pub(super) fn rows(document: &Document, phase: Phase, command: &upstart::Command) -> Vec<JobLine> {
    let text = command.text();
    let script = shell::script(document.text(), text.span);
    let mut rows = Vec::new();
    if is_filled_in(text.span.of(document.text())) {
        return rows;
    }
    match command {
        upstart::Command::Exec(_) => rows.extend(exec(document, text.span, &script)),
        upstart::Command::Script(_) => {
            rows.extend(script.commands.iter().filter_map(|command| profile(document, command)));
            if phase == Phase::PreStart {
                rows.extend(may_fail(document, &script.commands));
            }
        }
    }
    rows.extend(bashisms(document.text(), &script).into_iter().map(|one| {
        let row = JobLine::of("bashism", document, one.span);
        match one.cure {
            Some(cure) => row.cured_by(cure),
            None => row,
        }
    }));
    rows
}

/// What the commands of a job start and emit in their turn.
#[derive(Debug, Clone, Default)]
pub struct Deeds {
    /// Jobs: `start NAME`, `initctl start NAME`, `service NAME start`.
    pub starts: Vec<String>,
    /// Events: `initctl emit NAME`.
    pub emits: Vec<String>,
}

/// Adds what `command` starts and emits.
pub(super) fn collect(document: &Document, command: &upstart::Command, deeds: &mut Deeds) {
    let script = shell::script(document.text(), command.text().span);
    for command in script.commands.iter().chain(&script.in_functions) {
        let words: Vec<String> = command.words.iter().map(Word::value).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).skip_while(|word| *word == "exec").collect();
        match words[..] {
            ["start" | "restart", job, ..] | ["initctl", "start" | "restart", job, ..] => {
                deeds.starts.push(job.to_owned())
            }
            ["service", job, "start" | "restart", ..] => deeds.starts.push(job.to_owned()),
            ["initctl", "emit", ref rest @ ..] => {
                deeds.emits.extend(rest.iter().find(|word| !word.starts_with('-')).map(|word| (*word).to_owned()));
            }
            _ => {}
        }
    }
}

/// `exec` with a word of the shell, or with more than the one command that it runs.
fn exec(document: &Document, span: Span, script: &Script) -> Option<JobLine> {
    let text = document.text();
    let first = script.commands.first()?;
    let word = first.words.first()?;
    let name = word.value();
    if matches!(span.of(text).as_bytes().first(), Some(b'(')) {
        return Some(JobLine::of("exec-builtin", document, Span::new(span.range().start, span.range().start + 1)));
    }
    if NO_PROGRAM.contains(&name.as_str()) || word.assignment(text).is_some() {
        let row = JobLine::of("exec-builtin", document, word.span);
        return Some(match word.assignment(text) {
            Some((name, _)) => row.taken_as("variable").named(name.value),
            None => row.named(name),
        });
    }
    let second = script.commands.get(1)?;
    let operator = match first.end {
        End::And => "&&",
        End::Or => "||",
        End::Pipe => "|",
        End::Line => ";",
        End::Background => return None,
    };
    let tail = second.words.first()?.span.to(script.commands.last()?.words.last()?.span);
    Some(JobLine::of("exec-tail", document, tail).named(operator))
}

/// `. ~/.profile` and its like.
fn profile(document: &Document, command: &Command) -> Option<JobLine> {
    let [first, file, ..] = &command.words[..] else { return None };
    if !matches!(first.value().as_str(), "." | "source") {
        return None;
    }
    let path = file.value();
    let row = || JobLine::of("login-profile", document, file.span).named(path.clone());
    if path == "/etc/environment" {
        return Some(row().harmless(true));
    }
    PROFILES.iter().any(|profile| path.ends_with(profile)).then(row)
}

/// Commands of a `pre-start` that fail where nothing is wrong: the file is gone already, the process does not run.
fn may_fail(document: &Document, commands: &[Command]) -> Vec<JobLine> {
    let mut rows = Vec::new();
    let last = commands.len().saturating_sub(1);
    let mut guarded = false;
    for (at, command) in commands.iter().enumerate() {
        let was_guarded = std::mem::replace(&mut guarded, command.end == End::And);
        if command.nested || was_guarded || matches!(command.end, End::Or | End::Pipe | End::Background) {
            // The last of a list decides, but only where the ones before it went well.
            let decides = at == last && at > 0 && commands[at - 1].end == End::And && !command.nested;
            if decides && is_test(&commands[at - 1]) {
                rows.push(row(document, &commands[at - 1]).taken_as("last"));
            }
            continue;
        }
        if command.end == End::Line && fails_on_nothing(command) {
            rows.push(row(document, command));
        }
    }
    rows
}

fn row(document: &Document, command: &Command) -> JobLine {
    let all = command.words.iter().map(|word| word.span).reduce(Span::to).unwrap_or_default();
    JobLine::of("may-fail", document, all).named(command.words.first().map(Word::value).unwrap_or_default())
}

fn is_test(command: &Command) -> bool {
    matches!(command.words[0].value().as_str(), "[" | "test")
}

/// Whether a command ends with an error where there is nothing to do for it.
fn fails_on_nothing(command: &Command) -> bool {
    let words: Vec<String> = command.words.iter().map(Word::value).collect();
    let name = words[0].rsplit('/').next().unwrap_or_default();
    let flag = |letter: char| {
        words.iter().skip(1).any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(letter))
    };
    let has = |long: &str| words.iter().any(|word| word == long);
    match name {
        "rm" => !flag('f') && !has("--force"),
        "rmdir" | "unlink" => true,
        "mkdir" => !flag('p') && !has("--parents"),
        "kill" | "pkill" | "killall" | "pgrep" | "pidof" => true,
        "grep" | "egrep" | "fgrep" => true,
        "ln" => !flag('f') && !has("--force"),
        _ => false,
    }
}
