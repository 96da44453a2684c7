//! Real configurations of others, where they are at hand: lint ends, says the same twice, and points inside its texts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::path::{Path, PathBuf};

use housecall::engine::{Options, Run, lint};

const FOLDERS: &[&str] = &["corpus/nginx", "corpus/uwsgi", "corpus/upstart", "truth/nginx", "truth/upstart"];

fn run(folder: &Path) -> Run {
    let path = folder.to_str().unwrap().to_owned();
    lint(&[path], &Options::default()).unwrap_or_else(|message| panic!("{}: {message}", folder.display()))
}

/// What people see of a run, by place.
fn said(run: &Run) -> Vec<String> {
    let place = |file| run.sources.get(file).name.as_str();
    let finding = |finding: &housecall::finding::Finding| {
        let labels = std::iter::once(&finding.primary).chain(&finding.related);
        let labels: Vec<_> = labels.map(|label| format!("{}{:?}", place(label.place.file), label.place.span)).collect();
        format!("{} {:?} {} {labels:?}", finding.rule, finding.severity, finding.message)
    };
    run.report.findings.iter().map(finding).collect()
}

#[test]
fn lint_survives_real_input_and_says_the_same_twice() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    if !shared.is_dir() {
        println!("skipped: there is no ../shared");
        return;
    }
    let stacks = std::fs::read_dir(shared.join("corpus/stacks")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = stacks.filter(|path| path.is_dir()).collect();
    folders.extend(FOLDERS.iter().map(|name| shared.join(name)));
    let mut files = 0;
    let mut findings = 0;
    for folder in &folders {
        let first = run(folder);
        assert_eq!(first.report.errors, [], "{}", folder.display());
        for finding in &first.report.findings {
            for label in std::iter::once(&finding.primary).chain(&finding.related) {
                let text = first.sources.text(label.place.file);
                let inside = label.place.span.is_none_or(|span| text.get(span.range()).is_some());
                assert!(inside, "{} points outside {}", finding.rule, first.sources.get(label.place.file).name);
            }
        }
        assert_eq!(said(&first), said(&run(folder)), "{}", folder.display());
        files += first.report.files;
        findings += first.report.findings.len();
    }
    println!("{files} files in {} folders, {findings} findings", folders.len());
}
