//! The floors of the house: a module uses those below it, and only `host` touches the machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

/// Lowest first; modules of one floor may use each other.
const FLOORS: &[&[&str]] = &[
    &["source", "nearest"],
    &["finding", "secret", "config", "syntax", "host"],
    &["stack"],
    &["rule"],
    &["engine", "diagnosis", "output"],
    &["cli"],
];

/// What only `host` may use, and who else may for a stated reason.
const MACHINE: &[(&str, &[&str])] = &[
    ("std::fs", &["host"]),
    ("std::net::Tcp", &["host"]),
    ("std::os::unix::net", &["host"]),
    ("std::process::Command", &[]),
    // Nothing is written to a disk but what a command was asked to write.
    ("host::write", &["cli"]),
    // main hands arguments and environment in, and gives the exit code back.
    ("std::env", &["main"]),
    ("sysinfo::", &["host"]),
    ("procfs::", &["host"]),
    // main asks for the width of the terminal.
    ("rustix::", &["host", "main"]),
    ("postgres::", &["host"]),
    ("ignore::", &["host"]),
    ("codespan_reporting::", &["output"]),
    ("println!", &[]),
    ("eprintln!", &[]),
    ("unsafe ", &[]),
];

/// Where only the start of a module's own tests is cut: tests may do what they like.
fn code_of(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
        .iter()
        .map(|path| {
            (path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn module_of(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn is_test_module(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

#[test]
fn a_module_uses_only_floors_below_it() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let module = module_of(&path);
        if matches!(module, "lib" | "main") || is_test_module(&path) {
            continue;
        }
        let floor = floor_of(module).unwrap_or_else(|| panic!("{path} stands on no floor"));
        for line in code_of(&text).lines().filter(|line| !line.trim_start().starts_with("//")) {
            for used in line.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if let Some(other) = floor_of(&used)
                    && other > floor
                {
                    wrong.push(format!("{path}: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these use a floor above their own:\n{}", wrong.join("\n"));
}

#[test]
fn only_the_host_floor_touches_the_machine() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if is_test_module(&path) {
            continue;
        }
        for line in code_of(&text).lines().filter(|line| !line.trim_start().starts_with("//")) {
            // Our own module for the database is not the crate of the same name.
            let line = line.replace("host::postgres::", "");
            for (what, allowed) in MACHINE {
                if line.contains(what) && !allowed.contains(&module_of(&path)) {
                    wrong.push(format!("{path}: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these belong to src/host (or nowhere):\n{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if !text.starts_with("//!") {
            wrong.push(format!("{path} does not open with //!"));
        }
        let lines = text.lines().count();
        if lines > 450 {
            wrong.push(format!("{path} has {lines} lines"));
        }
        let code = code_of(&text);
        for bad in ["todo!(", "unimplemented!(", ".unwrap()", ".expect(\""] {
            if code.contains(bad) && !is_test_module(&path) {
                wrong.push(format!("{path} has {bad}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
