//! Real servers on loopback, one fault at a time: doctor must name it first, with the line that did it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod classes;
mod disk;
mod faults;
#[allow(dead_code)]
mod lab;
mod pgbouncer;
#[allow(dead_code)]
mod plan;
#[allow(dead_code)]
mod postgres;
mod refusing;
mod servers;
mod wait;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use faults::Fault;
use lab::{Lab, Plan, Verdict, is_root};

/// Whether one of the places of the root causes is the line that did it.
fn points_at(verdict: &Verdict, file: &str, word: &str) -> bool {
    let causes = verdict.json["root_causes"].as_array().cloned().unwrap_or_default();
    let because = causes.iter().flat_map(|cause| cause["because"].as_array().cloned().unwrap_or_default());
    because.into_iter().any(|label| {
        let (Some(path), Some(line)) = (label["path"].as_str(), label["line"].as_u64()) else { return false };
        // The journal's files hold no lines.
        let shown = || label["text"].as_str().unwrap_or_default().to_owned();
        let text = std::fs::read_to_string(path);
        let text =
            text.map_or_else(|_| shown(), |text| text.lines().nth(line as usize - 1).unwrap_or_default().to_owned());
        path.ends_with(file) && text.contains(word)
    })
}

/// A diagnosis of a stack and a recording of it with what `record` said, between which its uWSGI logged nothing: a worker may
/// still be writing down the last request.
fn at_one_moment(lab: &Lab) -> (Verdict, std::path::PathBuf, String) {
    for _ in 0..20 {
        let before = lab.log();
        let live = lab.doctor();
        let (recording, said) = lab.record();
        if lab.log() == before {
            return (live, recording, said);
        }
    }
    panic!("uWSGI's log never rests:\n{}", lab.log());
}

/// How the recording of a stack is diagnosed otherwise than the stack itself; nothing where it is not.
fn recorded_otherwise(id: &str, lab: &Lab) -> Option<String> {
    let (live, recording, said) = at_one_moment(lab);
    // A nginx at its limit complains of the doctor's own connections too.
    let stirred = lab.nginx_log().contains("worker_connections are not") || lab.nginx_log().contains("Too many open");
    let texts = lab::unpacked(&recording);
    let mut wrong = Vec::new();
    if texts.contains(postgres::PASSWORD) || said.contains(postgres::PASSWORD) {
        wrong.push("the password is in it".to_owned());
    }
    if said.contains("otherwise") {
        wrong.push(said);
    }
    let replayed = lab::replay(&recording);
    let told = |verdict: &Verdict| {
        let hops = verdict.json["hops"].as_array().unwrap().iter();
        let hop = |hop: &serde_json::Value| format!("{} {} {} {}", hop["path"], hop["id"], hop["state"], hop["reason"]);
        let causes = verdict.json["root_causes"].as_array().unwrap().iter();
        let label = |label: &serde_json::Value| {
            // What stands for a secret in a recording has no secret parts.
            let text = if id == "F11" { "" } else { label["text"].as_str().unwrap_or_default() };
            format!("{} {} {} {text}", label["path"], label["line"], label["label"])
        };
        let cause = |cause: &serde_json::Value| {
            let because = cause["because"].as_array().unwrap().iter().filter(|_| !stirred).map(label);
            format!("{} {} {:?}", cause["rule"], cause["message"], because.collect::<Vec<_>>())
        };
        (verdict.exit, hops.map(hop).collect::<Vec<_>>(), causes.map(cause).collect::<Vec<_>>())
    };
    if told(&replayed) != told(&live) {
        wrong.push(format!("live {:#?}\nrecorded {:#?}", told(&live), told(&replayed)));
    }
    (!wrong.is_empty()).then(|| format!("{id}, recorded: {}", wrong.join("\n")))
}

/// What doctor finds in stacks that are well.
fn found_in_healthy() -> Vec<String> {
    let only = std::env::var("HOUSECALL_LAB").ok();
    let is_wanted = |id: &str| only.as_deref().is_none_or(|only| only.split(',').any(|wanted| wanted == id));
    let mut failures = Vec::new();
    for (id, start) in faults::HEALTHY.iter().filter(|(id, _)| is_wanted(id)) {
        let lab = start();
        let verdict = lab.doctor();
        lab.show(id);
        println!("{:<8}{:<32}{:>8}{:>10.2}", "-", format!("({id})"), lab.status(), verdict.seconds);
        if verdict.exit != 0 || !causes(&verdict).is_empty() {
            failures.push(format!("{id}: exit {}: {:#}\n{}", verdict.exit, verdict.json, lab.log()));
        }
        failures.extend(recorded_otherwise(id, &lab));
    }
    failures
}

/// How many stacks run beside each other.
const AT_ONCE: usize = 3;

/// What one fault came to.
struct Outcome {
    id: &'static str,
    causes: Vec<String>,
    status: u16,
    /// Of the diagnosis, and of all: starting the stack, breaking it, looking at it twice.
    seconds: [f64; 2],
    failures: Vec<String>,
}

fn tried(fault: &'static Fault) -> Outcome {
    let started = Instant::now();
    let lab = (fault.start)();
    let status = lab.status();
    let mut failures = Vec::new();
    if fault.status != 0 && status != fault.status {
        failures.push(format!("{}: status {status}, not {}", fault.id, fault.status));
    }
    let verdict = lab.doctor();
    lab.show(fault.id);
    let causes = causes(&verdict);
    failures.extend(recorded_otherwise(fault.id, &lab));
    if !fault.is_named_by(&causes) || verdict.exit != 1 {
        let (json, log) = (&verdict.json["root_causes"], lab.log());
        failures.push(format!("{}: {causes:?}, exit {}: {json:#}\n{log}", fault.id, verdict.exit));
    } else if !points_at(&verdict, fault.line.0, fault.line.1) {
        let json = &verdict.json["root_causes"];
        failures.push(format!("{}: does not point at {:?}: {json:#}", fault.id, fault.line));
    }
    let seconds = [verdict.seconds, started.elapsed().as_secs_f64()];
    Outcome { id: fault.id, causes, status, seconds, failures }
}

fn causes(verdict: &Verdict) -> Vec<String> {
    let all = verdict.json["root_causes"].as_array().into_iter().flatten();
    all.map(|cause| cause["rule"].as_str().unwrap().to_owned()).collect()
}

/// Every fault, some at a time; `HOUSECALL_LAB=F16,F17` for those alone.
fn all_tried() -> Vec<(&'static Fault, Outcome)> {
    let only = std::env::var("HOUSECALL_LAB").ok();
    let is_wanted = |fault: &&Fault| only.as_deref().is_none_or(|only| only.split(',').any(|id| id == fault.id));
    let is_privileged = is_root() && disk::may_mount();
    let (wanted, skipped): (Vec<_>, Vec<_>) =
        faults::all().filter(is_wanted).partition(|fault| is_privileged || !fault.needs_root);
    for fault in skipped {
        println!("{} skipped: only root can bring it about, and only where it may mount", fault.id);
    }
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(fault) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = tried(fault);
                    outcomes.lock().unwrap().push((*fault, outcome));
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap();
    outcomes.sort_by_key(|(fault, _)| fault.id);
    outcomes
}

fn healthy() -> Vec<String> {
    let mut failures = Vec::new();
    let lab = Lab::started(&Plan::healthy());
    assert_eq!(lab.status(), 200, "the healthy stack answers: {}", lab.log());
    let verdict = lab.doctor();
    println!("{:<8}{:<30}{:>8}{:>10.2}", "-", "(healthy)", 200, verdict.seconds);
    if verdict.exit != 0 {
        failures.push(format!("healthy: exit {}: {:#}", verdict.exit, verdict.json));
    }
    lab.show("healthy");
    failures.extend(recorded_otherwise("healthy", &lab));
    if is_root() {
        let verdict = lab.doctor_as_nobody();
        println!("{:<8}{:<30}{:>8}{:>10.2}", "-", "(healthy, seen by nobody)", 200, verdict.seconds);
        if verdict.exit != 3 || verdict.json["root_causes"] != serde_json::json!([]) {
            failures.push(format!("healthy, seen by nobody: exit {}: {:#}", verdict.exit, verdict.json));
        }
    }
    failures
}

/// One test on purpose: PostgreSQL is started once, and ended when all is done.
#[test]
fn doctor_names_each_fault_first() {
    let mut failures = healthy();
    failures.extend(classes::wrongly_classed(postgres::server()));
    failures.extend(found_in_healthy());
    let outcomes = all_tried();
    println!("{:<8}{:<32}{:>8}{:>10}{:>8}", "fault", "named", "status", "seconds", "of all");
    let (mut first, mut named, mut wrong) = (0, 0, 0);
    for (fault, outcome) in outcomes {
        let Outcome { id, causes, status, seconds: [doctor, all], failures: more } = outcome;
        println!("{id:<8}{:<32}{status:>8}{doctor:>10.2}{all:>8.1}", causes.join(", "));
        first += usize::from(causes.first().is_some_and(|rule| fault.is_rule(rule)));
        named += usize::from(causes.iter().any(|rule| rule == fault.rule));
        wrong += causes.iter().filter(|rule| !fault.is_rule(rule)).count();
        failures.extend(more);
    }
    println!("right first {first}, right at all {named}, wrong {wrong}");
    postgres::stop();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
