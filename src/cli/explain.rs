//! `housecall explain`: a rule's page. SEAM: to be written with the rule pages.

use std::io::{self, Write};

use super::USAGE;

pub(super) fn run(_rule: &str, out: &mut dyn Write) -> io::Result<u8> {
    writeln!(out, "this build holds no rule pages")?;
    Ok(USAGE)
}
