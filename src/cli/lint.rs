//! `housecall lint`: check files and repositories.

use std::io;

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

pub(super) fn run(args: Lint, shown: Shown, progress: bool, streams: &mut Streams<'_>) -> io::Result<u8> {
    let wanted = Options { select: args.select.clone(), ignore: args.ignore.clone(), ..options(&args.reading) };
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

/// The files and folders that both lint and facts read.
pub(super) fn paths(reading: &Reading) -> Vec<String> {
    reading.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

/// How both lint and facts read them.
pub(super) fn options(reading: &Reading) -> Options {
    Options {
        target: reading.target.clone(),
        kind: reading.kind.map(|kind| match kind {
            Kind::Uwsgi => document::Kind::Uwsgi,
            Kind::Nginx => document::Kind::Nginx,
            Kind::Upstart => document::Kind::Upstart,
            Kind::Systemd => document::Kind::Systemd,
        }),
        config: reading.config.as_ref().map(|path| path.to_string_lossy().into_owned()),
        ..Options::default()
    }
}

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
