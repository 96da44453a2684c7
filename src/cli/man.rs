//! `housecall man`: the manual page of the program, or of one command.

use std::io;

use clap::CommandFactory;

use super::args::Arguments;
use super::{CLEAN, Streams};

pub(super) fn run(command: Option<&str>, streams: &mut Streams<'_>) -> io::Result<u8> {
    let mut whole = Arguments::command();
    whole.build();
    let Some(name) = command else {
        clap_mangen::Man::new(whole).render(streams.out)?;
        return Ok(CLEAN);
    };
    let Some(one) = whole.find_subcommand(name) else {
        return Ok(streams.refuse(&format!("no command `{name}`: see housecall --help")));
    };
    clap_mangen::Man::new(one.clone()).title(format!("housecall-{name}")).render(streams.out)?;
    Ok(CLEAN)
}
