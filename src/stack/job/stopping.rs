//! How a job is stopped, and what else of its surroundings the files and sockets that it makes depend on.

use super::Job;
use super::layer::{Layers, hidden};
use crate::source::Located;
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::supervisor::Program;
use crate::syntax::systemd::{Setting, TimeSpan, is_true, parse_time_span};
use crate::syntax::upstart::{Command, signal_name};

/// Upstart: `JOB_DEFAULT_KILL_TIMEOUT` and `JOB_DEFAULT_UMASK` of job_class.h.
pub(super) fn of_upstart(job: &mut Job, layers: &Layers<'_>) {
    let signal = |document: &Document, signal: &Located<i64>| {
        let name = signal_name(signal.value).map_or_else(|| signal.value.to_string(), str::to_owned);
        Fact::read(name, document.place(signal.span))
    };
    job.kill_signal = layers.fact("the job's `kill signal`", |job| job.kill_signal.as_ref(), signal);
    let number = |document: &Document, number: &Located<i64>| Fact::read(number.value, document.place(number.span));
    job.kill_timeout = layers.fact("the job's `kill timeout`", |job| job.kill_timeout.as_ref(), number);
    let mask =
        |document: &Document, mask: &Located<u32>| Fact::read(format!("{:03o}", mask.value), document.place(mask.span));
    job.umask = layers.fact("the job's `umask`", |job| job.umask.as_ref(), mask);
    if layers.is_filled_in("kill") {
        job.kill_signal = hidden("the job's `kill signal`");
        job.kill_timeout = hidden("the job's `kill timeout`");
    }
    let sets_umask = |(document, command): (&Document, &Command)| match command {
        Command::Script(_) => command.text().span.of(document.text()).contains("umask"),
        Command::Exec(_) => false,
    };
    if layers.is_filled_in("umask") || layers.last(|job| job.main()).is_some_and(sets_umask) {
        job.umask = hidden("the job's `umask`");
    }
    default(&mut job.kill_signal, "TERM".to_owned());
    default(&mut job.kill_timeout, 5);
    default(&mut job.umask, "022".to_owned());
    // It signals the process group (Upstart: system.c, `system_kill`).
    job.signals_all = Fact::default_of(true);
    job.group = job.setgid.clone();
    job.private_tmp = Fact::default_of(false);
}

/// `DefaultTimeoutStopSec=`, in seconds (systemd-system.conf(5)).
const DEFAULT_PATIENCE: i64 = 90;

/// What a service of systemd says (systemd.kill(5), systemd.service(5), systemd.exec(5)).
pub(super) struct OfService<'u> {
    pub kill_signal: Option<(&'u Document, &'u Setting)>,
    pub kill_mode: Option<(&'u Document, &'u Setting)>,
    pub timeout: Option<(&'u Document, &'u Setting)>,
    pub umask: Option<(&'u Document, &'u Setting)>,
    pub private_tmp: Option<(&'u Document, &'u Setting)>,
    pub group: Option<Fact<String>>,
    /// Whether a command of its own stops it.
    pub exec_stop: bool,
    /// Whether what does not stop is left alone.
    pub never_killed: bool,
    /// Whether a template tag may add more.
    pub open: bool,
}

/// Sets the same facts for a service.
pub(super) fn of_service(job: &mut Job, service: OfService<'_>) {
    let written = |found: Option<(&Document, &Setting)>, what: &str| match found {
        Some((document, setting)) => document.fact(setting.span, &setting.value),
        None if service.open => unseen(what),
        None => Fact::absent(),
    };
    job.kill_signal = written(service.kill_signal, "the service's `KillSignal=`").map(|name| bare_signal(&name));
    job.umask = written(service.umask, "the service's `UMask=`").map(|mask| format!("{mask:0>3}"));
    job.private_tmp = written(service.private_tmp, "the service's `PrivateTmp=`").map(|value| is_true(&value));
    job.group =
        service.group.unwrap_or_else(|| if service.open { unseen("the service's group") } else { Fact::absent() });
    default(&mut job.kill_signal, "TERM".to_owned());
    default(&mut job.umask, "022".to_owned());
    default(&mut job.private_tmp, false);
    let mode = written(service.kill_mode, "the service's `KillMode=`");
    let without_signal = mode.known().is_some_and(|mode| mode == "none");
    job.signals_all = mode.map(|mode| mode == "control-group");
    default(&mut job.signals_all, true);
    job.kill_timeout = patience(written(service.timeout, "the service's `TimeoutStopSec=`"));
    default(&mut job.kill_timeout, DEFAULT_PATIENCE);
    if service.never_killed || job.kill_timeout.known() == Some(&0) {
        job.kill_timeout.answer = Answer::Absent;
    }
    if without_signal {
        job.kill_signal = Fact::absent();
    }
    if service.exec_stop {
        job.kill_signal = Fact::unknown(Missing::new("what the service's `ExecStop=` does", "look at the command"));
    }
}

/// The seconds of `TimeoutStopSec=`; 0 where there is no limit.
fn patience(span: Fact<String>) -> Fact<i64> {
    let answer = match &span.answer {
        Answer::Known(text) => match parse_time_span(text) {
            Some(TimeSpan::Seconds(seconds)) => Answer::Known(seconds.ceil() as i64),
            Some(TimeSpan::Infinity) => Answer::Known(0),
            None => Answer::Unknown(Missing::new("the number of `TimeoutStopSec=`", "write it in seconds")),
        },
        Answer::Absent => Answer::Absent,
        Answer::Unknown(missing) => Answer::Unknown(missing.clone()),
    };
    Fact { answer, ..span.map(|_| 0) }
}

/// Sets what a program of supervisor says of it (supervisor: options.py, `processes_from_section`).
pub(super) fn of_program(job: &mut Job, document: &Document, program: &Program) {
    let written = |setting: &Option<Located<String>>| match setting {
        Some(setting) => document.fact(setting.span, &setting.value),
        None if document.is_open() => unseen("how the program is stopped"),
        None => Fact::absent(),
    };
    job.kill_signal = written(&program.stop_signal).map(|name| bare_signal(&name.to_ascii_uppercase()));
    let seconds = written(&program.stop_wait);
    job.kill_timeout = match seconds.known().map(|text| text.parse::<i64>()) {
        Some(Err(_)) => unseen("the number of `stopwaitsecs`"),
        _ => seconds.map(|text| text.parse().unwrap_or_default()),
    };
    default(&mut job.kill_signal, "TERM".to_owned());
    default(&mut job.kill_timeout, 10);
    job.signals_all = written(&program.stop_as_group)
        .map(|value| matches!(&*value.to_ascii_lowercase(), "true" | "yes" | "on" | "1"));
    default(&mut job.signals_all, false);
    job.private_tmp = Fact::default_of(false);
    job.umask = match &program.umask {
        Some(_) => written(&program.umask).map(|mask| format!("{mask:0>3}")),
        None => Fact::unknown(Missing::new("the umask of supervisord", "write `umask=` below the program")),
    };
}

/// Sets what is known of a container that is asked to stop: the first process alone gets the signal.
pub(super) fn of_container(job: &mut Job, signal: Fact<String>) {
    job.kill_signal = signal.map(|name| bare_signal(&name.to_ascii_uppercase()));
    job.signals_all = Fact::derived(false);
    job.private_tmp = Fact::default_of(false);
    job.umask = Fact::default_of("022".to_owned());
}

fn unseen<T>(what: &str) -> Fact<T> {
    Fact::unknown(Missing::new(what, "write it into the unit without template tags"))
}

/// `SIGTERM`, `TERM` and `15` are one.
fn bare_signal(written: &str) -> String {
    let number = written.parse().ok().and_then(signal_name);
    number.unwrap_or_else(|| written.strip_prefix("SIG").unwrap_or(written)).to_owned()
}

fn default<T>(fact: &mut Fact<T>, value: T) {
    if fact.is_absent() {
        *fact = Fact::default_of(value);
    }
}
