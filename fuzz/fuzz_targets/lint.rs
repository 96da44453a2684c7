//! The whole of lint over a folder: files of every kind that meet and link, judged by every page, written in every format.
#![no_main]

use std::sync::LazyLock;

use housecall::engine::{Options, lint_memory};
use housecall::finding::Severity;
use housecall::output::concise::Concise;
use housecall::output::github::Github;
use housecall::output::human::Human;
use housecall::output::json::Json;
use housecall::output::sarif::Sarif;
use housecall::output::{Format, Shown, Texts, facts};
use housecall_fuzz::{PAGES, holds_finding, holds_place, texts};
use libfuzzer_sys::fuzz_target;

/// The names that the texts of an input take, by number.
static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("../names.txt").lines().collect());

fuzz_target!(|bytes: &[u8]| {
    let files: Vec<_> = texts(bytes, &NAMES).into_iter().map(|(name, text)| (name.to_owned(), text.to_vec())).collect();
    let options = Options { pages: Some(PAGES.clone()), ..Options::default() };
    let run = lint_memory(&files, &options);
    run.report.findings.iter().for_each(|finding| holds_finding(finding, &run.sources));
    run.report.cannot_tell.iter().for_each(|question| holds_place(question.place, &run.sources));
    let texts = Texts::new(&run.sources);
    let shown = Shown { min_severity: Severity::Note, colour: true, ..Shown::default() };
    let formats: [&dyn Format; 5] = [&Human, &Concise, &Json, &Github, &Sarif { pages: &run.pages }];
    for format in formats {
        assert!(format.write(&run.report, &texts, &shown, &mut std::io::sink()).is_ok());
    }
    assert!(facts::write(&run.facts, &texts, &mut std::io::sink()).is_ok());
});
