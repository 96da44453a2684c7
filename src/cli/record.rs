//! `housecall record`: save what doctor would see of this host, without its secrets, for someone else to diagnose.

use std::io::{self, Read};
use std::path::Path;

use super::args::Record;
use super::{CLEAN, Streams, USAGE, doctor};
use crate::engine;
use crate::host::write;
use crate::output::Texts;

pub(super) fn run(args: &Record, stdin: &mut dyn Read, streams: &mut Streams<'_>) -> io::Result<u8> {
    let visit = doctor::visit(&args.looking);
    let host = match doctor::live(&args.looking, stdin) {
        Ok(host) => host,
        Err(message) => return Ok(streams.refuse(&message)),
    };
    let record = match engine::record(&host, &visit) {
        Ok(record) => record,
        Err(message) => return Ok(streams.refuse(&message)),
    };
    let packed = record.recorded.packed()?;
    let name = args.output.to_string_lossy();
    if args.output == Path::new("-") {
        streams.out.write_all(&packed)?;
    } else if let Err(error) = write::create_private(&args.output, &packed) {
        return Ok(streams.refuse(&format!("{name}: {error}")));
    }
    let files = record.recorded.file_count();
    let kib = packed.len().div_ceil(1024);
    streams.say(&format!(
        "{name}: {files} files, {kib} KiB. Passwords, keys and tokens are replaced by others of the same shape; configuration, the \
         app's Python and the ends of logs are in it as they are. Look first (tar tzf), then send it."
    ));
    if !record.faithful {
        streams.say("without its secrets doctor would judge this host otherwise: say so to whoever gets the recording");
    }
    if record.seen.diagnosis.hops.is_empty() {
        streams.say("no nginx or uWSGI was found on this host: name their files with --nginx-conf and --uwsgi-ini");
    }
    let errors = &record.seen.diagnosis.report.errors;
    streams.input_errors(errors, &Texts::new(&record.seen.sources));
    Ok(if errors.is_empty() { CLEAN } else { USAGE })
}
