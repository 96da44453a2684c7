//! `housecall lint`: check files and repositories.

use std::io::{self, Read};

use super::args::{Kind, Lint, Output, Reading};
use super::{CLEAN, FOUND, Streams, USAGE, progress};
use crate::engine::{self, Options, Run};
use crate::output::concise::Concise;
use crate::output::github::Github;
use crate::output::human::Human;
use crate::output::json::Json;
use crate::output::sarif::Sarif;
use crate::output::{Format, Shown, Texts};
use crate::stack::document;

pub(super) fn run(
    args: Lint,
    shown: Shown,
    progress: bool,
    stdin: &mut dyn Read,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let read = match options(&args.reading, stdin) {
        Ok(read) => read,
        Err(message) => return Ok(streams.refuse(&message)),
    };
    let wanted = Options { select: args.select.clone(), ignore: args.ignore.clone(), ..read };
    let paths = paths(&args.reading);
    let lint = || engine::lint(&paths, &wanted);
    let done = if progress { progress::shown_while(lint, streams.err) } else { lint() };
    match done {
        Ok(run) => {
            let code = write(&args, &run, shown, streams);
            // The process ends here; giving back every row one by one would take longer than writing them out did.
            std::mem::forget(run);
            code
        }
        Err(message) => Ok(streams.refuse(&message)),
    }
}

/// The files and folders that both lint and facts read; standard input is not among them.
pub(super) fn paths(reading: &Reading) -> Vec<String> {
    let paths = reading.paths.iter().map(|path| path.to_string_lossy().into_owned());
    paths.filter(|path| path != STDIN).collect()
}

/// Stands for standard input among the paths.
const STDIN: &str = "-";

/// How both lint and facts read them, and the text from standard input where it is asked for.
///
/// # Errors
/// A name for a text that is not asked for, or one that cannot be read.
pub(super) fn options(reading: &Reading, stdin: &mut dyn Read) -> Result<Options, String> {
    let named = reading.stdin_filename.as_ref().map(|path| path.to_string_lossy().into_owned());
    let asked = reading.paths.iter().any(|path| path.as_os_str() == STDIN);
    let text = match (asked, named) {
        (false, None) => None,
        (false, Some(_)) => {
            return Err("--stdin-filename names a text from standard input: write `-` for it".to_owned());
        }
        (true, name) => {
            let mut bytes = Vec::new();
            let read = stdin.take(MOST_STDIN + 1).read_to_end(&mut bytes);
            read.map_err(|error| format!("standard input: {error}"))?;
            if bytes.len() as u64 > MOST_STDIN {
                return Err(format!("standard input: more than {} MiB", MOST_STDIN >> 20));
            }
            Some((name.unwrap_or_else(|| "stdin".to_owned()), bytes))
        }
    };
    Ok(Options {
        stdin: text,
        target: reading.target.clone(),
        kind: reading.kind.map(|kind| match kind {
            Kind::Uwsgi => document::Kind::Uwsgi,
            Kind::Nginx => document::Kind::Nginx,
            Kind::Upstart => document::Kind::Upstart,
            Kind::Systemd => document::Kind::Systemd,
        }),
        config: reading.config.as_ref().map(|path| path.to_string_lossy().into_owned()),
        ..Options::default()
    })
}

/// No configuration is longer.
const MOST_STDIN: u64 = 64 << 20;

/// Writes the run in the wanted format and says how to exit.
pub(super) fn write(args: &Lint, run: &Run, shown: Shown, streams: &mut Streams<'_>) -> io::Result<u8> {
    let min_severity = args.min_severity.map(Into::into).or(run.config.min_severity).unwrap_or(shown.min_severity);
    let shown = Shown { min_severity, quiet: args.quiet, ..shown };
    let format: &dyn Format = match args.format {
        Output::Human => &Human,
        Output::Concise => &Concise,
        Output::Json => &Json,
        Output::Github => &Github,
        Output::Sarif => &Sarif { pages: &run.pages },
    };
    let texts = Texts::new(&run.sources);
    let written = format.write(&run.report, &texts, &shown, streams.out).and_then(|()| streams.out.flush());
    if args.format != Output::Json {
        streams.input_errors(&run.report.errors, &texts);
    }
    // A reader that left early does not change what was found.
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
        _ => {}
    }
    Ok(exit(args, run, &shown))
}

fn exit(args: &Lint, run: &Run, shown: &Shown) -> u8 {
    let found = shown.of(&run.report).next().is_some();
    let unknown = args.fail_on_unknown && !run.report.cannot_tell.is_empty();
    match () {
        () if !run.report.errors.is_empty() => USAGE,
        () if (found || unknown) && !args.exit_zero => FOUND,
        () => CLEAN,
    }
}
