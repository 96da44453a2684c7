//! Reader for Upstart jobs (`/etc/init/*.conf`): the stanzas in order, and the job they make.
//!
//! Upstart stops at the first refusal and then knows no such job; this reader goes on at the next line, so that all
//! refusals are seen in one run (Upstart: init(5), init/parse_job.c).

mod events;
mod hint;
mod job;
mod lexer;
mod names;
mod quirk;
mod signal;
mod stanza;

pub use events::{Events, Step};
pub use job::{Command, Console, Expect, Job, Limit, Phase};
pub use quirk::{Quirk, quirks};
pub use signal::name as signal_name;

use crate::source::{Located, Span};
use crate::syntax::upstart::lexer::{Lexer, Reason, Refused, is_blank, line_at};
use crate::syntax::{Parsed, Problem};

/// Whose Upstart reads the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// Upstart 1.x, as Ubuntu shipped it.
    #[default]
    Upstart,
    /// Chrome OS's, which also has `import` and `tmpfiles`.
    ChromeOs,
}

/// One stanza as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stanza {
    /// Its first word.
    pub name: Located<String>,
    /// The other words, quotes resolved; the command of an `exec` is one word, a script has none.
    pub words: Vec<Located<String>>,
    /// From the name to the last byte read for it.
    pub span: Span,
}

/// A job file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    /// The stanzas in order, refused ones too.
    pub stanzas: Vec<Stanza>,
    /// What the accepted stanzas add up to.
    pub job: Job,
}

/// Whether a word that begins with `text` may be the name of a stanza; quotes may stand anywhere in one.
pub fn may_begin_stanza(text: &str) -> bool {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\')).unwrap_or(text.len());
    // Chrome OS has two of its own.
    names::STANZAS.iter().chain(&["import", "tmpfiles"]).any(|name| name.starts_with(&text[..end]))
}

/// Reads a job as Upstart 1.x does.
pub fn parse(text: &str) -> Parsed<Tree> {
    parse_with(text, Dialect::Upstart)
}

/// Reads a job as the given Upstart does.
pub fn parse_with(text: &str, dialect: Dialect) -> Parsed<Tree> {
    let mut parsed = Parsed::<Tree>::default();
    let mut lexer = Lexer::new(text);
    loop {
        while lexer.peek().is_some_and(is_blank) {
            lexer.at += 1;
        }
        if lexer.at_end() {
            break;
        }
        if !lexer.has_token() {
            lexer.next_line();
            continue;
        }
        let start = lexer.at;
        let mut stanza = empty_stanza(start);
        let refused = stanza::read(&mut lexer, &mut stanza, &mut parsed.tree.job, dialect).err();
        if let Some(refused) = refused {
            parsed.problems.push(problem(text, refused, &stanza));
            recover(&mut lexer, refused, &stanza, &mut parsed.tree.job);
        }
        lexer.at = lexer.at.max(start + 1).min(text.len());
        let read = text.get(start..lexer.at).unwrap_or("").trim_end();
        stanza.span = Span::new(start, start + read.len()).to(stanza.name.span);
        parsed.tree.stanzas.push(stanza);
    }
    parsed
}

fn empty_stanza(at: usize) -> Stanza {
    let span = Span::new(at, at);
    Stanza { name: Located::new(String::new(), span), words: Vec::new(), span }
}

/// The refusal as people should see it: at the mistake, with what to do, and where Upstart itself reports it.
fn problem(text: &str, refused: Refused, stanza: &Stanza) -> Problem {
    let advice = hint::of(text, refused, stanza);
    let place = advice.place.unwrap_or(refused.span);
    let mut problem = Problem::new("upstart/syntax", place, format!("Upstart: {}", refused.reason.words()));
    problem.hint = Some(advice.text);
    let noticed = refused.noticed.min(text.len());
    let (first, last) = (noticed.min(place.range().start), noticed.max(place.range().start));
    if text.as_bytes()[first..last].contains(&b'\n') {
        problem = problem.also(Span::new(noticed, noticed), "Upstart reports this line instead");
    }
    problem
}

/// Moves on to where the next stanza most likely starts.
fn recover(lexer: &mut Lexer, refused: Refused, stanza: &Stanza, job: &mut Job) {
    let name = stanza.name.span;
    match refused.reason {
        Reason::UnterminatedBlock => {
            let start = refused.span.start as usize;
            let (body, after) = hint::almost_end_script(lexer.text, start)
                .map_or((lexer.text.len(), lexer.text.len()), |line| (line.range().start, line.range().end));
            let body = Span::new(start, body);
            job.run(stanza::phase(stanza), Command::Script(Located::new(body.of(lexer.text).to_owned(), body)), name);
            lexer.at = after;
            lexer.next_line();
        }
        Reason::UnterminatedQuote
        | Reason::ExpectedEvent
        | Reason::ExpectedOperator
        | Reason::ExpectedVariable
        | Reason::MismatchedParentheses => next_known_line(lexer, name.range().start),
        Reason::ExpectedToken if matches!(name.of(lexer.text), "start" | "stop") => {
            next_known_line(lexer, name.range().start);
        }
        _ => {
            lexer.at = refused.span.range().start.max(name.range().start).min(lexer.text.len());
            next_statement(lexer);
            skip_block_of(lexer, name.range().start);
        }
    }
}

/// Goes to the next line that is not continued from this one.
fn next_statement(lexer: &mut Lexer) {
    loop {
        let continued = line_at(lexer.text, lexer.at).ends_with('\\');
        lexer.next_line();
        if !continued || lexer.at_end() {
            return;
        }
    }
}

fn next_known_line(lexer: &mut Lexer, from: usize) {
    lexer.at = from;
    loop {
        lexer.next_line();
        let line = line_at(lexer.text, lexer.at);
        let name = line.split_ascii_whitespace().next().unwrap_or("");
        if lexer.at_end() || names::STANZAS.contains(&name) {
            return;
        }
    }
}

/// A refused line that meant to open a script takes its lines with it.
fn skip_block_of(lexer: &mut Lexer, start: usize) {
    let line = line_at(lexer.text, start);
    let opens = line.split('#').next().is_some_and(|code| code.split_ascii_whitespace().any(|word| word == "script"));
    if !opens || lexer.at > lexer.last_end_script {
        return;
    }
    let mut ahead = *lexer;
    while !ahead.at_end() {
        if let Some(after) = ahead.after_end_script() {
            lexer.at = after;
            return;
        }
        if line_at(ahead.text, ahead.at).split_ascii_whitespace().any(|word| word == "script") {
            return;
        }
        ahead.next_line();
    }
}

#[cfg(test)]
mod tests;
