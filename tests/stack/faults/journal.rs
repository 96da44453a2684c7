//! What uWSGI prints under systemd lies in the journal alone.

use std::fs;
use std::process::{Command, Stdio};

use super::{Fault, fault};
use crate::lab::{Lab, Plan};

pub const FAULTS: &[Fault] = &[fault(
    "journal",
    "import/module-not-found",
    ("journal of thena.service", "No module named 'owls_of_minerva'"),
    502,
    journal,
)];

/// A stack whose service does not come up, and whose journal is written by systemd's own writer.
fn journal() -> Lab {
    let plan = Plan {
        ini: "need-app = true\n".to_owned(),
        comes_up: [false, true],
        ..Plan::with_app("import owls_of_minerva\n")
    };
    let lab = Lab::start(&plan);
    let root = lab.root();
    let at = root.display();
    let ini = root.join("etc/thena/uwsgi.ini");
    let text = fs::read_to_string(&ini).unwrap().replace(&format!("logto = {at}/var/log/uwsgi.log\n"), "");
    fs::write(&ini, text).unwrap();
    fs::remove_dir_all(root.join("etc/init")).unwrap();
    let units = root.join("etc/systemd/system");
    fs::create_dir_all(&units).unwrap();
    let unit = format!("[Service]\nEnvironment=DATABASE_URL={}\n", plan.environment[0].1);
    let unit = format!("{unit}ExecStart=/usr/bin/uwsgi --ini {at}/etc/thena/uwsgi.ini\nRestart=always\n");
    fs::write(units.join("thena.service"), unit).unwrap();
    write_journal(&lab, &lab.log());
    fs::remove_dir_all(root.join("var/log/upstart")).unwrap();
    fs::remove_file(root.join("var/log/uwsgi.log")).unwrap();
    lab
}

/// The lines as entries of the service, with another service between them.
fn write_journal(lab: &Lab, log: &str) {
    const MACHINE: &str = "0123456789abcdef0123456789abcdef";
    let folder = lab.root().join("var/log/journal").join(MACHINE);
    fs::create_dir_all(&folder).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    let lines = log.lines().flat_map(|line| [("thena.service", line), ("cron.service", "*** Starting uWSGI owl ***")]);
    let entry = |(at, (unit, line)): (usize, (&str, &str))| {
        let (at, wall) = (at as u128, now - 1_000_000 + at as u128);
        format!(
            "__REALTIME_TIMESTAMP={wall}\n__MONOTONIC_TIMESTAMP={at}\n_BOOT_ID={MACHINE}\n_SYSTEMD_UNIT={unit}\n\
             _PID=77\nMESSAGE={line}\n\n"
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
