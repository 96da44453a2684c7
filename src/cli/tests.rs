//! The command line as a user types it: exit codes, streams, help.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::ffi::OsString;
use std::io::{self, Write};

use clap::{CommandFactory, Parser};

use super::args::{Arguments, Command, Diagnosed, Doctor, Lint};
use super::{Environment, Streams, doctor, guard, lint};
use crate::diagnosis::{Hop, Reason, RootCause, State};
use crate::engine::{Run, Seen, Visit};
use crate::finding::{CannotTell, Confidence, Effect, Finding, InputError, Label, Missing, Severity};
use crate::output::Shown;
use crate::source::{Origin, Place, Span};

mod secrets;

fn housecall(line: &str) -> (u8, String, String) {
    housecall_with(line, b"")
}

fn housecall_with(line: &str, mut stdin: &[u8]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = std::iter::once("housecall").chain(line.split_whitespace()).map(OsString::from);
    let code = super::run(args, &Environment::default(), &mut stdin, &mut out, &mut err);
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn lint_args(line: &str) -> Lint {
    match Arguments::parse_from(["housecall", "lint"].into_iter().chain(line.split_whitespace())).command {
        Command::Lint(lint) => lint,
        other => panic!("{other:?}"),
    }
}

fn doctor_args(line: &str) -> Doctor {
    match Arguments::parse_from(["housecall", "doctor"].into_iter().chain(line.split_whitespace())).command {
        Command::Doctor(doctor) => doctor,
        other => panic!("{other:?}"),
    }
}

/// A run with one finding of this severity.
fn found(severity: Severity) -> Run {
    let mut run = Run::default();
    let file = run.sources.add("a.ini", b"[uwsgi]\n".to_vec(), Origin::File);
    let primary = Label { place: Place::at(file, Span::new(0, 7)), text: String::new() };
    run.report.findings.push(Finding {
        rule: "uwsgi/x".to_owned(),
        severity,
        effect: Effect::Broken,
        confidence: Confidence::Proved,
        title: "x".to_owned(),
        message: "x".to_owned(),
        primary,
        related: Vec::new(),
        fix: None,
    });
    run
}

fn exit_of_lint(line: &str, run: &Run) -> u8 {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    lint::write(&lint_args(line), run, Shown::default(), &mut Streams { out: &mut out, err: &mut err }).unwrap()
}

#[test]
fn the_definition_holds() {
    Arguments::command().debug_assert();
}

#[test]
fn help_is_an_answer_and_nonsense_is_not() {
    let (code, out, err) = housecall("--help");
    assert_eq!((code, err.as_str()), (0, ""));
    for command in ["lint", "doctor", "explain", "rules", "init", "facts", "completions", "man"] {
        assert!(out.contains(&format!("\n  {command} ")), "{out}");
    }
    let (code, out, err) = housecall("lint --frmat json");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("--format"), "{err}");
    assert_eq!(housecall("").0, 2);
}

#[test]
fn pages_come_from_the_definition() {
    let (code, out, _) = housecall("completions bash");
    assert!(code == 0 && out.contains("--min-severity"));
    let (code, out, _) = housecall("man");
    assert!(code == 0 && out.contains("housecall\\-lint"), "{out}");
    let (code, out, _) = housecall("man lint");
    assert!(code == 0 && out.contains("fail\\-on\\-unknown"), "{out}");
    assert_eq!(housecall("man nothing").0, 2);
}

#[test]
fn a_refusal_shows_neither_escapes_nor_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("housecall.toml");
    std::fs::write(&config, "[lint]\nselect = [\"a\\u001b[31m\\u202e\", \"b\"]\n").unwrap();
    let line = format!("lint {} --config {}", folder.path().display(), config.display());
    for line in [line.as_str(), "explain a\u{1b}[31m", "man a\u{1b}[31m", "lint . --select password=hunter2!"] {
        let (code, out, err) = housecall(line);
        assert_eq!((code, out.as_str()), (2, ""), "{line}");
        assert!(err.starts_with("housecall: ") && !err.contains(['\u{1b}', '\u{202e}']), "{err:?}");
        assert!(!err.contains("hunter2"), "{err}");
    }
}

#[test]
fn lint_exits_by_what_people_see() {
    assert_eq!(exit_of_lint("", &found(Severity::Warning)), 1);
    assert_eq!(exit_of_lint("", &found(Severity::Note)), 0);
    assert_eq!(exit_of_lint("--min-severity note", &found(Severity::Note)), 1);
    assert_eq!(exit_of_lint("--format json", &found(Severity::Note)), 0);
    assert_eq!(exit_of_lint("--exit-zero", &found(Severity::Error)), 0);
    let mut configured = found(Severity::Note);
    configured.config.min_severity = Some(Severity::Note);
    assert_eq!(exit_of_lint("", &configured), 1);
    assert_eq!(exit_of_lint("--min-severity error", &configured), 0);
    let mut unread = found(Severity::Error);
    unread.report.errors.push(InputError { path: "b".to_owned(), message: "gone".to_owned() });
    assert_eq!(exit_of_lint("--exit-zero", &unread), 2);
    let mut open = Run::default();
    let file = open.sources.add("a.ini", b"".to_vec(), Origin::File);
    open.report.cannot_tell.push(CannotTell {
        rule: "a/b".into(),
        missing: Missing::new("x", "y"),
        place: Place::whole(file),
    });
    assert_eq!(exit_of_lint("", &open), 0);
    assert_eq!(exit_of_lint("--fail-on-unknown", &open), 1);
}

#[test]
fn doctor_never_takes_unknown_for_well() {
    let seen = |states: &[(&'static str, State)]| {
        let mut seen = Seen::default();
        seen.diagnosis.hops = states
            .iter()
            .map(|(id, state)| Hop {
                id,
                title: (*id).to_owned(),
                state: state.clone(),
                evidence: Vec::new(),
                path: "/".to_owned(),
                own_fault: false,
            })
            .collect();
        seen
    };
    let exit = |line: &str, seen: &Seen| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let visit = doctor::visit(&doctor_args(line).looking);
        let mut streams = Streams { out: &mut out, err: &mut err };
        doctor::write(Diagnosed::Human, seen, &visit, Shown::default(), &mut streams).unwrap()
    };
    let unknown = State::Unknown(Reason::NoEvidence);
    assert_eq!(exit("", &seen(&[])), 3, "no stack");
    assert_eq!(exit("", &seen(&[("app-import", State::Ok)])), 0);
    assert_eq!(exit("", &seen(&[("login", unknown.clone())])), 3);
    assert_eq!(exit("--no-login", &seen(&[("login", unknown.clone())])), 0);
    assert_eq!(exit("--no-login", &seen(&[("tcp", unknown.clone())])), 3);
    assert_eq!(exit("--no-network", &seen(&[("tcp", unknown.clone())])), 0);
    assert_eq!(exit("", &seen(&[("tcp", State::Broken), ("login", unknown.clone())])), 1, "broken and unexplained");
    let mut explained = seen(&[("tcp", unknown)]);
    let run = found(Severity::Error);
    explained.sources = run.sources;
    explained.diagnosis.root_causes.push(RootCause {
        finding: run.report.findings[0].clone(),
        hop: "tcp",
        because: Vec::new(),
        explains: Vec::new(),
        verify: Vec::new(),
        path: "/".to_owned(),
        spell: None,
    });
    assert_eq!(exit("", &explained), 1);
}

#[test]
fn a_root_that_is_not_there_is_bad_usage() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams { out: &mut out, err: &mut err };
    let exit =
        doctor::run(&doctor_args("--root /nowhere/at/all"), Shown::default(), &mut io::empty(), &mut streams).unwrap();
    assert_eq!((exit, out.is_empty()), (2, true));
    assert!(String::from_utf8_lossy(&err).contains("/nowhere/at/all: no such folder"));
}

#[test]
fn doctor_says_what_it_looked_for_and_what_it_could_not_read() {
    let said = |seen: &Seen| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams { out: &mut out, err: &mut err };
        let wide = Shown { width: 200, ..Shown::default() };
        doctor::write(Diagnosed::Human, seen, &Visit::default(), wide, &mut streams).unwrap();
        String::from_utf8(out).unwrap()
    };
    let mut seen = Seen::default();
    assert!(said(&seen).contains("--nginx-conf FILE"), "{}", said(&seen));
    seen.diagnosis.hops.push(Hop {
        id: "listen",
        title: "nginx listens".to_owned(),
        state: State::Ok,
        evidence: Vec::new(),
        path: "/".to_owned(),
        own_fault: false,
    });
    assert!(said(&seen).starts_with("Every hop works."));
    seen.diagnosis.report.errors.push(InputError { path: "x".to_owned(), message: "no such file".to_owned() });
    assert!(said(&seen).starts_with("Nothing broken was found, but not everything could be read."), "{}", said(&seen));
}

#[test]
fn a_panic_keeps_its_message_to_itself() {
    let place = guard::guarded(|| panic!("password hunter2")).unwrap_err();
    assert!(place.contains("tests.rs:") && !place.contains("hunter2"), "{place}");
    assert_eq!(guard::guarded(|| 7), Ok(7));
}

/// A pipe whose reader has gone.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut err = Vec::new();
    let mut streams = Streams { out: &mut Closed, err: &mut err };
    assert_eq!(lint::write(&lint_args(""), &found(Severity::Error), Shown::default(), &mut streams).unwrap(), 1);
    let man = ["housecall", "man"].map(OsString::from);
    assert_eq!(super::run(man.clone(), &Environment::default(), &mut io::empty(), &mut Closed, &mut err), 0);
    assert_eq!(
        super::run(man, &Environment::default(), &mut io::empty(), &mut io::BufWriter::new(Closed), &mut err),
        0
    );
    assert!(err.is_empty());
}

#[test]
fn why_explains_what_is_piped_in_and_shows_no_secret_of_it() {
    let log = "GET /?token=tr0ub4dor3 => x\nSSL error: decryption failed or bad record mac tr0ub4dor3\n\x1b[2J\n";
    for format in ["human", "json"] {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = ["housecall", "why", "--format", format].map(OsString::from);
        let code = super::run(args, &Environment::default(), &mut log.as_bytes(), &mut out, &mut err);
        let out = String::from_utf8(out).unwrap();
        assert_eq!(code, 0, "{out}");
        assert!(out.contains("uwsgi/pool-shared-by-forks"), "{out}");
        assert!(!out.contains("tr0ub4dor3") && !out.contains('\x1b'), "{out}");
    }
}

#[test]
fn a_text_from_standard_input_stands_where_it_is_said_to_lie() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("housecall.toml"), "").unwrap();
    std::fs::write(folder.path().join("base.ini"), "[uwsgi]\nprocesses = auto\n").unwrap();
    std::fs::write(folder.path().join("shop.ini"), "[uwsgi]\nlazy_apps = 1\n").unwrap();
    let file = folder.path().join("shop.ini").display().to_string();
    let text = b"[uwsgi]\ninclude = %d/base.ini\nmodule = shop\nprocesses = 2 ; two\nvaccum = 1\n";
    let (code, out, err) = housecall_with(&format!("lint - --stdin-filename {file} --format concise"), text);
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(out.contains("shop.ini:5:1: error[uwsgi/unknown-option]") && !out.contains("lazy_apps"), "{out}");
    assert!(!out.contains("no-workers"), "the line after the include counts: {out}");
    let (code, out, _) = housecall_with("lint - --as uwsgi --format concise", b"[uwsgi]\nvaccum = 1\n");
    assert!(code == 1 && out.starts_with("stdin:2:1: error[uwsgi/unknown-option]"), "{out}");
    let (code, _, err) = housecall(&format!("lint {file} --stdin-filename {file}"));
    assert!(code == 2 && err.contains("write `-`"), "{err}");
}
