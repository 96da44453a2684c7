//! `housecall rules`: every rule. SEAM: to be written with the rule pages.

use std::io::{self, Write};

use super::USAGE;
use super::args::Listing;

pub(super) fn run(_format: Listing, out: &mut dyn Write) -> io::Result<u8> {
    writeln!(out, "this build holds no rule pages")?;
    Ok(USAGE)
}
