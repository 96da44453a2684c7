//! The whole of lint over one nginx file: read, linked, judged by every page, and written in every format that quotes it.
#![no_main]

use housecall::engine::{Options, lint_memory};
use housecall::output::concise::Concise;
use housecall::output::human::Human;
use housecall::output::json::Json;
use housecall::output::{Format, Shown, Texts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let run = lint_memory(&[("etc/nginx/nginx.conf".to_owned(), bytes.to_vec())], &Options::default());
    let texts = Texts::new(&run.sources);
    let formats: [&dyn Format; 3] = [&Human, &Concise, &Json];
    for format in formats {
        let written = format.write(&run.report, &texts, &Shown::default(), &mut std::io::sink());
        assert!(written.is_ok());
    }
});
