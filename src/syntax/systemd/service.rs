//! What the directives of `[Service]` add up to, an empty one taking back what stood before it.

use crate::source::{Located, Span};
use crate::syntax::Problem;
use crate::syntax::systemd::{Assignment, Text, Word, Words, refused};

/// What may stand before a program: may fail, its own `argv[0]`, no variables, full rights.
pub(super) const PREFIXES: [char; 5] = ['-', '@', ':', '+', '!'];

/// The prefixes of the first word of a command line.
pub(super) fn prefixes(word: &str) -> &str {
    &word[..word.len() - word.trim_start_matches(PREFIXES).len()]
}

/// A word with its value before specifiers are resolved.
pub type Setting = Located<String>;

/// One command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program, without its prefixes, and its arguments; specifiers and variables not put in yet.
    pub words: Vec<Word>,
    /// The prefixes.
    pub prefixes: String,
    /// The directive's value as a whole.
    pub span: Span,
}

/// A service, or what a drop-in adds to one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// Every `ExecStart=`, in order; more than one is for `Type=oneshot` alone.
    pub exec_start: Vec<Command>,
    /// Whether an `ExecStop=` is there.
    pub exec_stop: bool,
    /// Whether `SuccessAction=` of `[Unit]` says what happens in place of a command.
    pub acts: bool,
    /// `Type=`
    pub kind: Option<Setting>,
    /// `User=`
    pub user: Option<Setting>,
    /// `Group=`
    pub group: Option<Setting>,
    /// `KillSignal=`
    pub kill_signal: Option<Setting>,
    /// `KillMode=`
    pub kill_mode: Option<Setting>,
    /// `TimeoutStopSec=`, which `TimeoutSec=` sets as well.
    pub stop_timeout: Option<Setting>,
    /// Whether `SendSIGKILL=` leaves alone what does not stop.
    pub never_killed: Option<bool>,
    /// `UMask=`
    pub umask: Option<Setting>,
    /// `PrivateTmp=`
    pub private_tmp: Option<Setting>,
    /// `WorkingDirectory=`, `-` before it kept.
    pub folder: Option<Setting>,
    /// `Restart=`
    pub restart: Option<Setting>,
    /// `BusName=`
    pub bus_name: Option<Setting>,
    /// `RemainAfterExit=`
    pub remains: bool,
    /// The words of `Environment=` that are assignments.
    pub environment: Vec<Word>,
    /// The files of `EnvironmentFile=`, `-` before them kept.
    pub environment_files: Vec<Setting>,
    /// The names of `PassEnvironment=`.
    pub passed: Vec<Setting>,
    /// The names, or assignments, of `UnsetEnvironment=`.
    pub unset: Vec<Setting>,
    /// Which lists an empty directive emptied: a drop-in empties those of its unit too.
    pub emptied: Vec<&'static str>,
}

impl Service {
    pub(super) fn take(&mut self, assignment: &Assignment, unit: &str) {
        let value = &assignment.value;
        let one = || (!value.value.is_empty()).then(|| Located::new(value.value.clone(), value.whole()));
        match assignment.key.value.as_str() {
            "ExecStart" if value.value.is_empty() => self.clear("ExecStart"),
            "ExecStart" => self.exec_start.extend(commands(value)),
            "ExecStop" => self.exec_stop = !value.value.is_empty(),
            "Type" => self.kind = one(),
            "User" => self.user = one(),
            "Group" => self.group = one(),
            "KillSignal" => self.kill_signal = one(),
            "KillMode" => self.kill_mode = one(),
            "TimeoutStopSec" | "TimeoutSec" => self.stop_timeout = one(),
            "SendSIGKILL" => self.never_killed = Some(is_false(&value.value)),
            "UMask" => self.umask = one(),
            "PrivateTmp" => self.private_tmp = one(),
            "WorkingDirectory" => self.folder = one(),
            "Restart" => self.restart = one(),
            "BusName" => self.bus_name = one(),
            "RemainAfterExit" => self.remains = is_true(&value.value),
            "Environment" if value.value.is_empty() => self.clear("Environment"),
            "Environment" => self.environment.extend(assignments(value, unit)),
            "EnvironmentFile" if value.value.is_empty() => self.clear("EnvironmentFile"),
            "EnvironmentFile" => self.environment_files.extend(one().filter(|file| is_absolute(&file.value))),
            "PassEnvironment" if value.value.is_empty() => self.clear("PassEnvironment"),
            "PassEnvironment" => self.passed.extend(settings(value)),
            "UnsetEnvironment" if value.value.is_empty() => self.clear("UnsetEnvironment"),
            "UnsetEnvironment" => self.unset.extend(settings(value)),
            _ => {}
        }
    }

    fn clear(&mut self, list: &'static str) {
        match list {
            "ExecStart" => self.exec_start.clear(),
            "Environment" => self.environment.clear(),
            "EnvironmentFile" => self.environment_files.clear(),
            "PassEnvironment" => self.passed.clear(),
            _ => self.unset.clear(),
        }
        self.emptied.push(list);
    }
}

/// The service as it is for systemd with a drop-in read after it.
impl Service {
    /// Takes in what a later drop-in says; spans of both stay those of their own files, so only the unit's are shown.
    #[must_use]
    pub fn with(mut self, later: Service) -> Self {
        later.emptied.iter().for_each(|list| self.clear(list));
        self.exec_start.extend(later.exec_start);
        self.exec_stop |= later.exec_stop;
        self.acts |= later.acts;
        self.kind = later.kind.or(self.kind);
        self.user = later.user.or(self.user);
        self.group = later.group.or(self.group);
        self.kill_signal = later.kill_signal.or(self.kill_signal);
        self.kill_mode = later.kill_mode.or(self.kill_mode);
        self.stop_timeout = later.stop_timeout.or(self.stop_timeout);
        self.never_killed = later.never_killed.or(self.never_killed);
        self.umask = later.umask.or(self.umask);
        self.private_tmp = later.private_tmp.or(self.private_tmp);
        self.folder = later.folder.or(self.folder);
        self.restart = later.restart.or(self.restart);
        self.bus_name = later.bus_name.or(self.bus_name);
        self.remains |= later.remains;
        self.environment.extend(later.environment);
        self.environment_files.extend(later.environment_files);
        self.passed.extend(later.passed);
        self.unset.extend(later.unset);
        self
    }
}

/// systemd's words for true, in lower case (systemd: parse-util.c, `parse_boolean`).
pub fn is_true(value: &str) -> bool {
    matches!(value, "yes" | "true" | "1" | "on" | "y" | "t")
}

/// The words for false (`parse_boolean` as well).
fn is_false(value: &str) -> bool {
    matches!(value, "no" | "false" | "0" | "off" | "n" | "f")
}

fn is_absolute(file: &str) -> bool {
    file.trim_start_matches('-').starts_with(['/', '%']) || file.contains(crate::syntax::erb::FILLER)
}

/// The command lines of one value: a `;` alone ends one.
fn commands(value: &Text) -> Vec<Command> {
    let mut all: Vec<Command> = Vec::new();
    let mut open: Option<Command> = None;
    let mut words = Words::of(value);
    loop {
        let rest = words.rest();
        let alone =
            |mark: &str| rest == mark || rest.strip_prefix(mark).is_some_and(|rest| rest.starts_with([' ', '\t']));
        if alone(";") {
            words.skip(1);
            all.extend(open.take());
            continue;
        }
        if alone("\\;") {
            words.skip(2);
            continue;
        }
        let Some(word) = words.next(true).or_else(|_| words.next(false)).unwrap_or_default() else { break };
        match &mut open {
            Some(command) => command.words.push(word),
            None => {
                let found = prefixes(&word.value).to_owned();
                let program = Word { value: word.value[found.len()..].to_owned(), span: word.span };
                open = Some(Command { words: vec![program], prefixes: found, span: value.whole() });
            }
        }
    }
    all.extend(open);
    all
}

/// The assignments of an `Environment=`; systemd drops what is none, and everything behind a quote that does not end.
fn assignments(value: &Text, unit: &str) -> Vec<Word> {
    let mut all = Vec::new();
    let mut words = Words::of(value);
    while let Ok(Some(word)) = words.next(true) {
        let refused = matches!(super::resolve(&word.value, unit), super::Resolved::Refused(_));
        if word.value.contains('=') && !refused {
            all.push(word);
        }
    }
    all
}

fn settings(value: &Text) -> Vec<Setting> {
    let mut all = Vec::new();
    let mut words = Words::of(value);
    while let Ok(Some(word)) = words.next(true) {
        all.push(Located::new(word.value, word.span));
    }
    all
}

/// systemd 252: service.c, `service_verify`.
pub(super) fn refusal(service: &Service, at: Span) -> Option<Problem> {
    let kind = service.kind.as_ref().map_or("", |kind| kind.value.as_str());
    let oneshot = kind == "oneshot";
    let restart = service.restart.as_ref().filter(|restart| matches!(restart.value.as_str(), "always" | "on-success"));
    let whole = |words: &str, hint: &str| Some(refused(at, words, hint));
    match service.exec_start.as_slice() {
        [] if service.acts => None,
        [] if !service.exec_stop => whole(
            "Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.",
            "write what it starts as `ExecStart=/path/of/the/program` below `[Service]`",
        ),
        [] if !service.remains || !oneshot => whole(
            "Service has no ExecStart= setting. Refusing.",
            "write what it starts as `ExecStart=/path/of/the/program`",
        ),
        [_, second, ..] if !oneshot => Some(refused(
            second.span,
            "Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.",
            "keep one; in a drop-in write an empty `ExecStart=` before the new one",
        )),
        _ if oneshot && restart.is_some() => Some(refused(
            restart.map_or(at, |restart| restart.span),
            "Service has Restart= set to either always or on-success, which isn't allowed for Type=oneshot services. Refusing.",
            "leave `Restart=` out, or use another `Type=`",
        )),
        _ if kind == "dbus" && service.bus_name.is_none() => whole(
            "Service is of type D-Bus but no D-Bus service name has been specified. Refusing.",
            "write `BusName=`, or another `Type=`",
        ),
        _ => None,
    }
}
