//! Command lines: the words of a program and its arguments (systemd 252: config_parse_exec).

use super::{bad_specifier, within};
use crate::source::Span;
use crate::syntax::Problem;
use crate::syntax::systemd::{Broken, Text, Word, Words, ignored, refused, service};

/// Shell built-ins and operators that people write where systemd wants a program.
const BUILT_INS: [&str; 6] = ["cd", "source", ".", "export", "ulimit", "set"];

/// A command line: what systemd refuses the unit for, unless a `-` before the program says that it may fail.
pub(super) fn lines(text: &Text, unit: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut words = Words::of(text);
    let mut is_program = true;
    let mut may_fail = false;
    loop {
        let rest = words.rest();
        if !is_program && (rest == ";" || rest.starts_with("; ") || rest.starts_with(";\t")) {
            words.skip(1);
            is_program = true;
            continue;
        }
        if rest == "\\;" || rest.starts_with("\\; ") || rest.starts_with("\\;\t") {
            words.skip(2);
            continue;
        }
        let word = match words.next(true) {
            Ok(Some(word)) => word,
            Ok(None) => return problems,
            Err(Broken::Quote) => {
                let hint = "close the quote, or write the apostrophe as `\\'`";
                problems.push(at_level(may_fail || is_program, text.whole(), "Unbalanced quoting, ignoring", hint));
                return problems;
            }
            Err(Broken::Escape(span)) => {
                let hint = "write a backslash that is meant as such as `\\\\`";
                problems.push(ignored(span, "Ignoring unknown escape sequences", hint));
                match words.next(false) {
                    Ok(Some(word)) => word,
                    _ => return problems,
                }
            }
        };
        if std::mem::take(&mut is_program) {
            if word.value == ";" {
                is_program = true;
                continue;
            }
            may_fail = service::prefixes(&word.value).contains('-');
            problems.extend(program(&word, may_fail));
        }
        if let Some(specifier) = bad_specifier(&word, unit) {
            let hint = "write a `%` that is meant as such as `%%`";
            let span = within(text, &word, &specifier);
            let words = format!("Failed to resolve unit specifiers in '{specifier}'");
            problems.push(at_level(may_fail, span, words, hint));
            return problems;
        }
    }
}

fn at_level(ignores: bool, span: Span, words: impl std::fmt::Display, hint: &str) -> Problem {
    if ignores { ignored(span, words, hint) } else { refused(span, words, hint) }
}

fn program(word: &Word, may_fail: bool) -> Option<Problem> {
    let path = word.value.trim_start_matches(service::PREFIXES);
    if path.is_empty() || path.contains('%') {
        return None;
    }
    if BUILT_INS.contains(&path) {
        let hint = "systemd starts no shell: use `WorkingDirectory=` and `EnvironmentFile=`, or `/bin/sh -c '…'`";
        return Some(at_level(
            may_fail,
            word.span,
            format!("Command {path} is not executable: No such file or directory"),
            hint,
        ));
    }
    if path.starts_with('/') || !(path.contains('/') || matches!(path, "." | "..")) {
        return None;
    }
    let words = "Neither a valid executable name nor an absolute path";
    Some(at_level(may_fail, word.span, words, "write the program from `/` on"))
}
