//! `housecall facts`: the stack as housecall reads it.

use std::io::{self, Read};

use super::args::Facts;
use super::{CLEAN, Streams, USAGE, lint};
use crate::engine;
use crate::output::{Texts, facts};

pub(super) fn run(args: &Facts, stdin: &mut dyn Read, streams: &mut Streams<'_>) -> io::Result<u8> {
    let read = lint::options(&args.reading, stdin);
    let run = match read.and_then(|options| engine::lint(&lint::paths(&args.reading), &options)) {
        Ok(run) => run,
        Err(message) => return Ok(streams.refuse(&message)),
    };
    let texts = Texts::new(&run.sources);
    facts::write(&run.facts, &texts, streams.out)?;
    streams.input_errors(&run.report.errors, &texts);
    Ok(if run.report.errors.is_empty() { CLEAN } else { USAGE })
}
