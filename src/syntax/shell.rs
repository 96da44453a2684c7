//! Reader for the plain parts of shell files: commands as words, and the variables they set.
//!
//! Not a shell: what it does not understand it skips. Here-documents and the bodies of functions are passed over.

pub mod bashism;
mod reader;

use crate::source::{Located, Span};
use crate::syntax::shell::reader::{Reader, Token};

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Text(String),
    /// `$NAME` or `${NAME}`.
    Variable(String),
    /// A substitution that only a shell could work out; holds it as written.
    Other(String),
}

/// One word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Where it stands, quotes included.
    pub span: Span,
    /// What it is made of.
    pub parts: Vec<Part>,
}

impl Word {
    /// The word with the variables that `lookup` knows put in; what it does not know stays as written.
    pub fn expand(&self, lookup: impl Fn(&str) -> Option<String>) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Other(text) => text.clone(),
                Part::Variable(name) => lookup(name).unwrap_or_else(|| format!("${name}")),
            })
            .collect()
    }

    /// The word, substitutions as written.
    pub fn value(&self) -> String {
        self.expand(|_| None)
    }

    /// Whether it says what it means without a shell.
    pub fn is_literal(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// `NAME=VALUE` taken apart, where the word is that; `text` is the one it was read from.
    pub fn assignment(&self, text: &str) -> Option<(Located<String>, Word)> {
        let Some(Part::Text(first)) = self.parts.first() else { return None };
        let (name, rest) = first.split_once('=')?;
        let written = self.span.of(text);
        let plain = written.trim_start_matches(['"', '\'']);
        if !is_name(name) || !plain.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')) {
            return None;
        }
        let start = self.span.range().start + written.len() - plain.len();
        let value_start = start + name.len() + 1;
        let mut parts = self.parts.clone();
        parts[0] = Part::Text(rest.to_owned());
        let value = Word { span: Span::new(value_start, self.span.range().end), parts };
        Some((Located::new(name.to_owned(), Span::new(start, start + name.len())), value))
    }
}

/// What ends a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The end of the line, `;` or a parenthesis.
    Line,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
    /// `&`
    Background,
}

/// One simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its words; never empty. Words that open a compound command, such as `if` or `then`, are left out.
    pub words: Vec<Word>,
    /// What ends it.
    pub end: End,
    /// Whether it stands between `if` or `while` and `fi` or `done`, or behind `!`, so that `sh -e` may pass it or go on after it.
    pub nested: bool,
}

/// What a part of a text says to the shell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// The simple commands in order, without those in functions.
    pub commands: Vec<Command>,
    /// The simple commands in the bodies of functions.
    pub in_functions: Vec<Command>,
    /// What only larger shells such as bash have, found between the words: `[[` and other words are not among them.
    pub not_posix: Vec<Span>,
}

/// A variable that a file sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The variable.
    pub name: Located<String>,
    /// The value, quotes resolved, substitutions as written.
    pub value: Located<String>,
    /// Whether a shell would have to work out the value.
    pub substituted: bool,
    /// Whether programs started from the shell get it.
    pub exported: bool,
}

/// The variables that a file for `sh` sets.
pub fn assignments(text: &str) -> Vec<Assignment> {
    let mut all: Vec<Assignment> = Vec::new();
    let mut export_all = false;
    for command in commands(text, Span::new(0, text.len())) {
        let first = command.words[0].value();
        let words = &command.words[usize::from(matches!(first.as_str(), "export" | "declare" | "typeset"))..];
        let values: Vec<String> = words.iter().map(Word::value).collect();
        match first.as_str() {
            "export" if values.iter().any(|word| word == "-n") => {}
            "export" => set(&mut all, text, words, true),
            "declare" | "typeset" => {
                set(&mut all, text, words, values.iter().any(|word| word.starts_with('-') && word.contains('x')))
            }
            "set" => export_all |= values.iter().any(|word| word == "-a" || word == "allexport"),
            // `K=v command` sets it for that command alone.
            _ if words.iter().all(|word| word.assignment(text).is_some()) => set(&mut all, text, words, export_all),
            _ => {}
        }
    }
    all
}

fn set(all: &mut Vec<Assignment>, text: &str, words: &[Word], exported: bool) {
    for word in words {
        if let Some((name, value)) = word.assignment(text) {
            let substituted = !value.is_literal();
            let value = Located::new(value.value(), value.span);
            all.push(Assignment { name, value, substituted, exported });
            continue;
        }
        let name = word.value();
        if let Some(earlier) = all.iter_mut().rev().find(|earlier| earlier.name.value == name).filter(|_| exported) {
            earlier.exported = true;
        }
    }
}

/// The variables of `/etc/environment`, which is no shell file: one `NAME=VALUE` a line, all exported (pam_env(8)).
pub fn environment_file(text: &str) -> Vec<Assignment> {
    let mut at = 0;
    let mut all = Vec::new();
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let code = line.split('#').next().unwrap_or("").trim_end();
        let trimmed = code.trim_start();
        let trimmed = trimmed.strip_prefix("export ").map_or(trimmed, str::trim_start);
        let Some((name, value)) = trimmed.split_once('=') else { continue };
        if !is_name(name) {
            continue;
        }
        let name_start = start + code.len() - trimmed.len();
        let name_end = name_start + name.len();
        let quoted = value.strip_prefix(['"', '\'']).unwrap_or(value);
        let decoded = quoted.strip_suffix(['"', '\'']).unwrap_or(quoted);
        all.push(Assignment {
            name: Located::new(name.to_owned(), Span::new(name_start, name_end)),
            value: Located::new(decoded.to_owned(), Span::new(name_end + 1, name_end + 1 + value.len())),
            substituted: false,
            exported: true,
        });
    }
    all
}

fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
}

const OPENERS: [&str; 9] = ["if", "then", "else", "elif", "while", "until", "do", "!", "{"];

/// The simple commands of a part of `text` in order, without the bodies of functions; spans are those of `text`.
pub fn commands(text: &str, within: Span) -> Vec<Command> {
    script(text, within).commands
}

/// Reads a part of `text`; spans are those of `text`.
pub fn script(text: &str, within: Span) -> Script {
    let mut all = Script::default();
    let Some(seen) = text.get(..within.range().end).filter(|seen| seen.is_char_boundary(within.range().start)) else {
        return all;
    };
    let mut reader = Reader::new(seen, within.range().start);
    let mut words: Vec<Word> = Vec::new();
    let (mut function_depth, mut nesting, mut groups) = (0_usize, 0_usize, 0_usize);
    loop {
        let (end, ended) = match reader.next() {
            Token::Word(word) => {
                words.push(word);
                continue;
            }
            Token::Opening if reader.is_function_head(&words) => {
                words.clear();
                function_depth += usize::from(function_depth == 0 && reader.enters_body());
                continue;
            }
            Token::Opening => {
                groups += 1;
                (End::Line, false)
            }
            // `start)` of a `case`: a pattern, not a command.
            Token::Closing if groups == 0 => {
                words.clear();
                continue;
            }
            Token::Closing => {
                groups -= 1;
                (End::Line, false)
            }
            Token::Separator(end) => (end, false),
            Token::End => (End::Line, true),
        };
        let mut command = std::mem::take(&mut words);
        let opening = command.iter().take_while(|word| OPENERS.contains(&word.value().as_str())).count();
        let braces = |words: &[Word], brace: &str| words.iter().filter(|word| word.value() == brace).count();
        let first = command.first().map(Word::value).unwrap_or_default();
        if function_depth > 0 {
            function_depth = (function_depth + braces(&command, "{")).saturating_sub(braces(&command, "}"));
            command.drain(..opening);
            if !command.is_empty() {
                all.in_functions.push(Command { words: command, end, nested: true });
            }
        } else if first == "function" {
            reader.not_posix.push(command[0].span);
            function_depth = braces(&command, "{").max(1);
        } else {
            let opens = |word: &&Word| matches!(word.value().as_str(), "if" | "while" | "until" | "for" | "case");
            nesting += command.iter().take(opening + 1).filter(opens).count();
            let nested = nesting > 0 || first == "!";
            nesting = nesting.saturating_sub(usize::from(matches!(first.as_str(), "fi" | "done" | "esac")));
            command.drain(..opening);
            if !command.is_empty() {
                all.commands.push(Command { words: command, end, nested });
            }
        }
        if ended {
            all.not_posix = reader.not_posix;
            return all;
        }
    }
}

#[cfg(test)]
mod tests;
