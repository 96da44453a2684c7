//! The command line: one file per command. Everything is handed in, so a test runs a command as `main` does.

mod args;
mod completions;
mod doctor;
mod explain;
mod facts;
mod guard;
mod init;
mod lint;
mod man;
mod progress;
mod record;
mod rules;
mod rules_test;
mod when;
mod why;

use std::ffi::OsString;
use std::io::{self, Read, Write};

use clap::Parser;

use crate::engine;
use crate::finding::{InputError, Severity};
use crate::output::{Shown, Texts};
use crate::rule::page::Page;
use crate::secret::Secrets;
use args::{Arguments, Color, Command, Rules};

/// What a command may know of the process it runs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `NO_COLOR` is set to something, see no-color.org.
    pub no_color: bool,
    /// Standard output is a terminal that can show colours.
    pub terminal: bool,
    /// Columns of the terminal, where there is one.
    pub columns: Option<usize>,
    /// Standard error is a terminal on which a line can be erased.
    pub progress: bool,
    /// Standard input is a terminal: someone has to type what a command reads from it.
    pub asks: bool,
}

/// Clean and fully judged.
const CLEAN: u8 = 0;
/// There is something to mend.
const FOUND: u8 = 1;
/// Bad usage or configuration, or an input that could not be read.
const USAGE: u8 = 2;
/// Doctor: nothing found, but not everything could be judged.
const UNJUDGED: u8 = 3;
/// A bug in housecall.
const BUG: u8 = 4;

/// Runs one command and says how the process should exit: 0 clean, 1 found something, 2 bad usage, configuration or
/// input, 3 (doctor) not everything could be judged, 4 a bug. Where several hold: 4, 2, 1, 3, 0.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    stdin: &mut dyn Read,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(answer) => return usage(&answer, environment, stdout, stderr),
    };
    match guard::guarded(|| dispatch(arguments, environment, stdin, Streams { out: stdout, err: stderr })) {
        Ok(code) => code,
        Err(place) => {
            let _ = writeln!(
                stderr,
                "housecall: a bug in housecall at {place}; its message is kept back, it may quote a secret"
            );
            BUG
        }
    }
}

fn dispatch(arguments: Arguments, environment: &Environment, stdin: &mut dyn Read, mut streams: Streams<'_>) -> u8 {
    let colour = match arguments.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => environment.terminal && !environment.no_color,
    };
    let shown = Shown { colour, width: environment.columns.unwrap_or(80).clamp(60, 160), ..Shown::default() };
    let done = match arguments.command {
        Command::Lint(lint) => lint::run(lint, shown, environment.progress, stdin, &mut streams),
        Command::Doctor(doctor) => doctor::run(&doctor, shown, stdin, &mut streams),
        Command::Record(record) => record::run(&record, stdin, &mut streams),
        Command::Why(args) => {
            if args.file.is_none() && environment.asks {
                let _ = writeln!(streams.err, "housecall: paste the log or the message, then press Ctrl-D");
            }
            pages(&mut streams, |pages, streams| why::run(&args, pages, shown, stdin, streams))
        }
        Command::Facts(facts) => facts::run(&facts, stdin, &mut streams),
        Command::Explain { rule } => pages(&mut streams, |pages, streams| explain::run(&rule, pages, streams)),
        Command::Rules { action: Some(Rules::Test { folders }), .. } => rules_test::run(&folders, &mut streams),
        Command::Rules { action: None, format } => {
            pages(&mut streams, |pages, streams| rules::run(format.into(), pages, streams.out))
        }
        Command::Init { force } => init::run(force, &mut streams),
        Command::Completions { shell } => completions::run(shell, streams.out),
        Command::Man { command } => man::run(command.as_deref(), &mut streams),
    };
    let flushed = streams.out.flush();
    // Whoever reads may have seen enough (`housecall lint | head`): that changes nothing.
    let code = *done.as_ref().unwrap_or(&CLEAN);
    match done.map(drop).and(flushed) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(streams.err, "housecall: cannot write the output: {error}");
            USAGE
        }
        _ => code,
    }
}

/// Hands the pages that hold here to a command that only reads them.
fn pages(
    streams: &mut Streams<'_>,
    command: impl FnOnce(&[Page], &mut Streams<'_>) -> io::Result<u8>,
) -> io::Result<u8> {
    match engine::pages_here() {
        Ok(pages) => command(&pages, streams),
        Err(message) => Ok(streams.refuse(&message)),
    }
}

/// Results go to one, everything else to the other.
struct Streams<'s> {
    out: &'s mut dyn Write,
    err: &'s mut dyn Write,
}

impl Streams<'_> {
    /// Says what is wrong with the usage or the configuration, which it may quote.
    fn refuse(&mut self, message: &str) -> u8 {
        for line in message.lines() {
            let _ = writeln!(self.err, "housecall: {}", Secrets::default().clean(line));
        }
        USAGE
    }

    /// Says something beside the result.
    fn say(&mut self, message: &str) {
        let _ = writeln!(self.err, "housecall: {}", Secrets::default().clean(message));
    }

    fn input_errors(&mut self, errors: &[InputError], texts: &Texts<'_>) {
        for error in errors {
            let _ = writeln!(self.err, "housecall: {}: {}", texts.clean(&error.path), texts.clean(&error.message));
        }
    }
}

/// Help and version are answers, anything else is bad usage.
fn usage(answer: &clap::Error, environment: &Environment, stdout: &mut dyn Write, stderr: &mut dyn Write) -> u8 {
    let text = answer.render();
    let colour = environment.terminal && !environment.no_color;
    let text = if colour { text.ansi().to_string() } else { text.to_string() };
    if answer.use_stderr() {
        let _ = stderr.write_all(text.as_bytes());
        return USAGE;
    }
    let _ = stdout.write_all(text.as_bytes());
    CLEAN
}

impl From<args::Listing> for rules::Format {
    fn from(listing: args::Listing) -> Self {
        match listing {
            args::Listing::Human => Self::Human,
            args::Listing::Json => Self::Json,
        }
    }
}

impl From<args::Least> for Severity {
    fn from(least: args::Least) -> Self {
        match least {
            args::Least::Note => Self::Note,
            args::Least::Warning => Self::Warning,
            args::Least::Error => Self::Error,
        }
    }
}

#[cfg(test)]
mod tests;
