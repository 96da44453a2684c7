//! `housecall why [FILE]`: what a log, a traceback or an error message means.

use std::io::{self, Read};

use super::args::{Listing, Why};
use super::{CLEAN, FOUND, Streams};
use crate::engine;
use crate::host::input;
use crate::output::{Shown, Texts, json, why};
use crate::rule::page::Page;
use crate::source::{Origin, Sources};

/// Explains what was read. Exit code 0 where a rule knows a line of it, 1 where none does, 2 where it cannot be read.
///
/// # Errors
/// Those of the writer.
pub(super) fn run(
    args: &Why,
    pages: &[Page],
    shown: Shown,
    stdin: &mut dyn Read,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let name = args.file.as_ref().map(|path| path.to_string_lossy().into_owned()).filter(|path| path != "-");
    let read = match &name {
        Some(path) => input::end_of_file(path).map_err(|error| error.to_string()),
        None => input::end_of(stdin).map_err(|error| error.to_string()),
    };
    let shown_name = name.unwrap_or_else(|| "standard input".to_owned());
    let tail = match read {
        Ok(tail) => tail,
        Err(message) => return Ok(streams.refuse(&format!("{shown_name}: {message}"))),
    };
    let mut sources = Sources::default();
    let log = match tail.cut {
        true => sources.add(format!("the end of {shown_name}"), tail.bytes, Origin::Probe),
        false => sources.add(shown_name, tail.bytes, Origin::Probe),
    };
    let leads = match engine::leads(log, &sources, pages) {
        Ok(leads) => leads,
        Err(message) => return Ok(streams.refuse(&message)),
    };
    let texts = Texts::new(&sources);
    match args.format {
        Listing::Human => why::write(&leads, &texts, &shown, streams.out)?,
        Listing::Json => json::write_leads(&leads, &texts, streams.out)?,
    }
    Ok(if leads.is_empty() { FOUND } else { CLEAN })
}
