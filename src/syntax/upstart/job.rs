//! What the stanzas of a job add up to; absent stanzas are `None`, Upstart's defaults are named where they matter.

use std::collections::BTreeMap;

use crate::source::{Located, Span};
use crate::syntax::upstart::events::Events;

/// Which of a job's processes a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// `exec` or `script`.
    Main,
    /// `pre-start`.
    PreStart,
    /// `post-start`.
    PostStart,
    /// `pre-stop`.
    PreStop,
    /// `post-stop`.
    PostStop,
    /// What `apparmor load` runs before the others.
    Security,
}

/// What a process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `exec`: one command, comment dropped, lines joined; the span covers it as written.
    Exec(Located<String>),
    /// `script`: for `/bin/sh -e`, common indentation cut off; the span covers the lines of the body.
    Script(Located<String>),
}

impl Command {
    /// The command or script with its place.
    pub fn text(&self) -> &Located<String> {
        match self {
            Self::Exec(text) | Self::Script(text) => text,
        }
    }
}

/// How Upstart finds the process id of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// `expect none`: the process it started.
    None,
    /// `expect stop`: the process stops itself when it is ready.
    Stop,
    /// `expect daemon`: it forks twice.
    Daemon,
    /// `expect fork`: it forks once.
    Fork,
}

/// Where a job's output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// `/dev/null`.
    None,
    /// The console.
    Output,
    /// The console, as its owner.
    Owner,
    /// `/var/log/upstart/NAME.log`, the default since 1.4.
    Log,
}

/// Soft and hard value of a resource limit; −1 is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What holds.
    pub soft: i64,
    /// What the process may raise it to.
    pub hard: i64,
}

/// A job as Upstart has it after reading its file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Job {
    /// `description`.
    pub description: Option<Located<String>>,
    /// `author`.
    pub author: Option<Located<String>>,
    /// `version`.
    pub version: Option<Located<String>>,
    /// `usage`.
    pub usage: Option<Located<String>>,
    /// `env`, each `KEY=VALUE` or `KEY`, in order; the last of a key holds.
    pub env: Vec<Located<String>>,
    /// `export`: names of variables that go into the job's events.
    pub export: Vec<Located<String>>,
    /// `emits`.
    pub emits: Vec<Located<String>>,
    /// `start on`, unless a later `manual` dropped it.
    pub start_on: Option<Located<Events>>,
    /// `stop on`.
    pub stop_on: Option<Located<Events>>,
    /// What the job runs, the last stanza of each phase, with the span of the stanza's name.
    pub processes: BTreeMap<Phase, (Command, Span)>,
    /// `expect`.
    pub expect: Option<Located<Expect>>,
    /// `task`.
    pub task: Option<Span>,
    /// `respawn` without arguments.
    pub respawn: Option<Span>,
    /// `respawn limit COUNT SECONDS`; (0, 0) is unlimited, the default 10 in 5 seconds.
    pub respawn_limit: Option<Located<(i64, i64)>>,
    /// `kill timeout` in seconds; the default is 5.
    pub kill_timeout: Option<Located<i64>>,
    /// `kill signal` by number; the default is 15, TERM.
    pub kill_signal: Option<Located<i64>>,
    /// `reload signal` by number; the default is 1, HUP.
    pub reload_signal: Option<Located<i64>>,
    /// `normal exit`: exit codes, and signals as `number << 8`.
    pub normal_exit: Vec<Located<i64>>,
    /// `console`.
    pub console: Option<Located<Console>>,
    /// `umask`; the default is 022.
    pub umask: Option<Located<u32>>,
    /// `nice`.
    pub nice: Option<Located<i64>>,
    /// `oom` as a score from −1000 to 1000.
    pub oom: Option<Located<i64>>,
    /// `limit`, by resource.
    pub limits: BTreeMap<String, Located<Limit>>,
    /// `chroot`.
    pub chroot: Option<Located<String>>,
    /// `chdir`; the default is `/`.
    pub chdir: Option<Located<String>>,
    /// `setuid`.
    pub setuid: Option<Located<String>>,
    /// `setgid`.
    pub setgid: Option<Located<String>>,
    /// `instance`.
    pub instance: Option<Located<String>>,
}

impl Job {
    /// The main process.
    pub fn main(&self) -> Option<&Command> {
        self.processes.get(&Phase::Main).map(|(command, _)| command)
    }

    /// Sets what a phase runs: the last one holds.
    pub(super) fn run(&mut self, phase: Phase, command: Command, name: Span) {
        self.processes.insert(phase, (command, name));
    }
}
