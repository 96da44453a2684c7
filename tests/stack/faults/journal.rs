//! What uWSGI prints under systemd lies in the journal alone.

use std::fs;
use std::process::{Command, Stdio};

use super::{Fault, fault};
use crate::lab::{Lab, Plan};

pub const FAULTS: &[Fault] = &[
    fault(
        "journal",
        "import/module-not-found",
        ("journal of thena.service", "No module named 'owls_of_minerva'"),
        502,
        printed,
    ),
    fault("203", "systemd/program-not-found", ("journal of thena.service", "Failed at step EXEC"), 502, not_started),
];

/// A stack whose service does not come up, and whose journal is written by systemd's own writer.
fn printed() -> Lab {
    let lab = down();
    let log = lab.log();
    let lines = log.lines().flat_map(|line| [("_SYSTEMD_UNIT=thena.service", line), OTHER]);
    write_journal(&lab, lines);
    without_logs(lab)
}

/// A unit whose program is not there, in systemd 252's words.
fn not_started() -> Lab {
    let lab = down();
    let unit = lab.root().join("etc/systemd/system/thena.service");
    let text = fs::read_to_string(&unit).unwrap().replace("/usr/bin/uwsgi", "/srv/www/thena/venv/bin/uwsgi");
    fs::write(&unit, text).unwrap();
    let tried = [
        "Started thena.service - thena.",
        "thena.service: Failed to locate executable /srv/www/thena/venv/bin/uwsgi: No such file or directory",
        "thena.service: Failed at step EXEC spawning /srv/www/thena/venv/bin/uwsgi: No such file or directory",
        "thena.service: Main process exited, code=exited, status=203/EXEC",
        "thena.service: Failed with result 'exit-code'.",
    ];
    let given_up = ["thena.service: Start request repeated too quickly.", "Failed to start thena.service - thena."];
    let lines = [tried; 5].into_iter().flatten().chain(given_up);
    write_journal(&lab, lines.flat_map(|line| [("UNIT=thena.service\n_SYSTEMD_UNIT=init.scope", line), OTHER]));
    without_logs(lab)
}

/// What another service prints meanwhile.
const OTHER: (&str, &str) = ("_SYSTEMD_UNIT=cron.service", "*** Starting uWSGI owl ***");

/// A stack under systemd whose uWSGI ended at once.
fn down() -> Lab {
    let plan = Plan {
        ini: "need-app = true\n".to_owned(),
        comes_up: [false, true],
        ..Plan::with_app("import owls_of_minerva\n")
    };
    let lab = Lab::start(&plan);
    let (root, at) = (lab.root(), lab.root().display());
    let ini = root.join("etc/thena/uwsgi.ini");
    let text = fs::read_to_string(&ini).unwrap().replace(&format!("logto = {at}/var/log/uwsgi.log\n"), "");
    fs::write(&ini, text).unwrap();
    fs::remove_dir_all(root.join("etc/init")).unwrap();
    let units = root.join("etc/systemd/system");
    fs::create_dir_all(&units).unwrap();
    let unit = format!("[Service]\nEnvironment=DATABASE_URL={}\n", plan.environment[0].1);
    let unit = format!("{unit}ExecStart=/usr/bin/uwsgi --ini {at}/etc/thena/uwsgi.ini\nRestart=always\n");
    fs::write(units.join("thena.service"), unit).unwrap();
    lab
}

/// The same with nothing but the journal to tell.
fn without_logs(lab: Lab) -> Lab {
    fs::remove_dir_all(lab.root().join("var/log/upstart")).unwrap();
    fs::remove_file(lab.root().join("var/log/uwsgi.log")).unwrap();
    lab
}

/// Writes entries: each the fields that say whose it is, and its text.
fn write_journal<'l>(lab: &Lab, lines: impl Iterator<Item = (&'l str, &'l str)>) {
    const MACHINE: &str = "0123456789abcdef0123456789abcdef";
    let folder = lab.root().join("var/log/journal").join(MACHINE);
    fs::create_dir_all(&folder).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    let entry = |(at, (whose, line)): (usize, (&str, &str))| {
        let (at, wall) = (at as u128, now - 1_000_000 + at as u128);
        let pid = if whose.starts_with("UNIT") { 1 } else { 77 };
        format!(
            "__REALTIME_TIMESTAMP={wall}\n__MONOTONIC_TIMESTAMP={at}\n_BOOT_ID={MACHINE}\n{whose}\n_PID={pid}\n\
             MESSAGE={line}\n\n"
        )
    };
    let entries: String = lines.enumerate().map(entry).collect();
    let export = lab.root().join("tmp/journal.export");
    fs::write(&export, entries).unwrap();
    let written = Command::new("/lib/systemd/systemd-journal-remote")
        .arg("-o")
        .arg(folder.join("system.journal"))
        .arg(&export)
        .stderr(Stdio::null())
        .status();
    assert!(written.unwrap().success(), "systemd-journal-remote writes the journal");
}
