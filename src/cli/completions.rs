//! `housecall completions`: for the shell to load.

use std::io::{self, Write};

use clap::CommandFactory;

use super::CLEAN;
use super::args::Arguments;

pub(super) fn run(shell: clap_complete::Shell, out: &mut dyn Write) -> io::Result<u8> {
    // clap_complete panics where its stream fails, memory does not.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "housecall", &mut script);
    out.write_all(&script)?;
    Ok(CLEAN)
}
