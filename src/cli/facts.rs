//! `housecall facts`: the stack as housecall reads it.

use std::io;

use super::args::Facts;
use super::{CLEAN, Streams, USAGE, lint};
use crate::engine;
use crate::output::{Texts, facts};

pub(super) fn run(args: Facts, streams: &mut Streams<'_>) -> io::Result<u8> {
    let run = match engine::lint(&lint::paths(&args.reading), &lint::options(&args.reading)) {
        Ok(run) => run,
        Err(message) => return Ok(streams.refuse(&message)),
    };
    let texts = Texts::new(&run.sources);
    facts::write(&run.facts, &texts, streams.out)?;
    streams.input_errors(&run.report.errors, &texts);
    Ok(if run.report.errors.is_empty() { CLEAN } else { USAGE })
}
