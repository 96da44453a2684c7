//! `housecall rules test`: the users' own pages, held to what ours must show of themselves.

use std::io::{self, Write};

use std::path::PathBuf;

use super::{CLEAN, FOUND, Streams};
use crate::engine::{self, Tested};
use crate::output::Texts;

/// One line for each page, `path:line: what is wrong` for each fault.
pub(super) fn run(folders: &[PathBuf], streams: &mut Streams<'_>) -> io::Result<u8> {
    let folders: Vec<String> = folders.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    match engine::test_pages(&folders) {
        Ok(tested) => write(&tested, streams.out),
        Err(message) => Ok(streams.refuse(&message)),
    }
}

fn write(tested: &Tested, out: &mut dyn Write) -> io::Result<u8> {
    let texts = Texts::new(&tested.sources);
    let mut faulty = 0;
    for (file, faults) in &tested.pages {
        let path = texts.name(*file);
        let Some(last) = faults.len().checked_sub(1) else {
            writeln!(out, "{path}: ok")?;
            continue;
        };
        faulty += 1;
        writeln!(out, "{path}: {} fault{}", faults.len(), if last == 0 { "" } else { "s" })?;
        for fault in faults {
            let message = texts.clean_lines(&fault.message);
            let message = message.trim_end().replace('\n', "\n    ");
            writeln!(out, "  {path}:{}: {message}", fault.line.unwrap_or(1))?;
        }
    }
    let pages = tested.pages.len();
    let well = if faulty == 0 { "all show what they say".to_owned() } else { format!("{faulty} with faults") };
    writeln!(out, "{pages} page{}, {well}", if pages == 1 { "" } else { "s" })?;
    Ok(if faulty == 0 { CLEAN } else { FOUND })
}
