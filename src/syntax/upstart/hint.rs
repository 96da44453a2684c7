//! What to do about a refusal: Upstart names the symptom, often far from the mistake.

use crate::source::Span;
use crate::syntax::upstart::Stanza;
use crate::syntax::upstart::lexer::{Reason, Refused, line_at};
use crate::syntax::upstart::names::STANZAS;

/// What to write, and where the mistake is if not where the refusal says.
pub(super) struct Advice {
    pub(super) text: String,
    pub(super) place: Option<Span>,
}

impl From<String> for Advice {
    fn from(text: String) -> Self {
        Self { text, place: None }
    }
}

impl From<&str> for Advice {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// The advice for a refusal of `stanza`.
pub(super) fn of(text: &str, refused: Refused, stanza: &Stanza) -> Advice {
    let name = stanza.name.value.as_str();
    match refused.reason {
        Reason::UnknownStanza => unknown(text, refused, stanza),
        Reason::UnexpectedToken => unexpected(text, refused, stanza).into(),
        Reason::ExpectedToken => missing(text, refused, stanza).into(),
        Reason::UnterminatedQuote if refused.span.of(text) == "'" => {
            "an apostrophe opens a quoted string in Upstart, and nothing closes this one: \
             put the whole value in double quotes"
                .into()
        }
        Reason::UnterminatedQuote => "this quotation mark is never closed: add the closing one on this line".into(),
        Reason::UnterminatedBlock => unterminated(text, refused),
        Reason::TrailingSlash => "the file ends in a backslash, which asks for one more line: remove it".into(),
        Reason::IllegalInterval => "write a whole number of seconds without a unit, such as `30`".into(),
        Reason::IllegalExitStatus => "write exit codes from 0 up, or signal names in capitals such as `TERM`".into(),
        Reason::IllegalSignal => {
            let upper = refused.span.of(text).to_ascii_uppercase();
            match super::signal::number(&upper) {
                Some(_) => format!("signal names are in capitals: write `{name} signal {upper}`").into(),
                None => "write a signal by its name in capitals, such as `INT`, or by its number".into(),
            }
        }
        Reason::IllegalUmask => "write an octal mask of up to three digits, such as `027`".into(),
        Reason::IllegalNice => "write a whole number from -20 to 19".into(),
        Reason::IllegalOom => "write a whole number from -17 to 15, `never`, or `score` and a number".into(),
        Reason::IllegalOomScore => "write a whole number from -1000 to 1000, or `never`".into(),
        Reason::IllegalLimit => "write a whole number without a unit, such as `65536`, or `unlimited`".into(),
        Reason::ExpectedEvent => "`and` and `or` stand between two events: add the one that is missing, \
                                  or put the word in quotes if it is the name of an event"
            .into(),
        Reason::ExpectedOperator => "write `and` or `or` between the two conditions".into(),
        Reason::ExpectedVariable => {
            "after a first `KEY=value` each further argument of an event needs its `KEY=` too, \
                                     without blanks around the `=`"
                .into()
        }
        Reason::MismatchedParentheses if refused.span.of(text) == "(" => {
            "this parenthesis is never closed: add the `)`".into()
        }
        Reason::MismatchedParentheses => "no parenthesis is open here: remove the `)`, or add the `(`".into(),
    }
}

fn unknown(text: &str, refused: Refused, stanza: &Stanza) -> Advice {
    if let Some(place) = spoilt_continuation(text, refused.noticed) {
        let text = "blanks after the backslash keep the line from going on here: remove them".to_owned();
        return Advice { text, place: Some(place) };
    }
    let name = stanza.name.value.as_str();
    let word = refused.span.of(text);
    if refused.span != stanza.name.span {
        return second_word(name, word).into();
    }
    if name.starts_with('\u{feff}') {
        return "the file starts with a byte order mark: save it as UTF-8 without one".into();
    }
    if let Some(event) = name.strip_prefix('(') {
        return format!("`{event}` stands on a line of its own: a condition goes on only inside its parentheses")
            .into();
    }
    let words = || line_at(text, refused.span.range().start).trim().to_owned();
    let advice = match name {
        "user" | "User" => "that is a word of systemd and Supervisor: Upstart's is `setuid NAME`".to_owned(),
        "group" | "Group" => "that is a word of systemd and Supervisor: Upstart's is `setgid NAME`".to_owned(),
        "command" => "Upstart's word for the command is `exec`".to_owned(),
        "directory" | "cwd" | "cd" => "Upstart's word for the working directory is `chdir`".to_owned(),
        "environment" => "Upstart's word is `env KEY=value`, one line for each variable".to_owned(),
        "import" | "tmpfiles" => {
            format!("only Chrome OS's Upstart has `{name}`; elsewhere the whole job is refused: remove the line")
        }
        "end" | "endscript" => "no script is open here: remove the line".to_owned(),
        "and" | "or" => "a condition over several lines needs parentheses: `start on (… ` to `)`".to_owned(),
        _ if name.contains('=') && !name.starts_with('[') => {
            format!("a variable needs `env` in front of it: `env {}`", words())
        }
        _ if name.starts_with(['\'', '"']) => "the name of a stanza cannot be quoted".to_owned(),
        _ if name.starts_with(['<', '{', '[']) => "Upstart knows no such line: remove it".to_owned(),
        _ => match closest(name, &STANZAS) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "Upstart has no such stanza: shell commands belong between `script` and `end script`".to_owned(),
        },
    };
    advice.into()
}

fn second_word(name: &str, word: &str) -> String {
    let allowed: &[&str] = match name {
        "console" => &["log", "none", "output", "owner"],
        "expect" => &["fork", "daemon", "stop", "none"],
        "kill" => &["signal", "timeout"],
        "reload" => &["signal"],
        "respawn" => return "write `respawn` alone, and `respawn limit COUNT SECONDS` on a line of its own".to_owned(),
        "start" | "stop" if word.starts_with("on(") => {
            return format!("write a blank before the parenthesis: `{name} on (`");
        }
        "start" | "stop" => return format!("write `{name} on` and the event"),
        "normal" => return "write `normal exit` and the exit codes".to_owned(),
        "limit" => return "write `limit`, a resource such as `nofile`, and its soft and hard value".to_owned(),
        "apparmor" => &["load", "switch"],
        _ => &["exec", "script"],
    };
    let lower = word.to_ascii_lowercase();
    let start = |one: &str| lower.get(..3).is_some_and(|head| one.starts_with(head));
    match allowed.iter().find(|one| start(one)) {
        Some(one) => format!("write `{name} {one}`"),
        None => format!("after `{name}` comes one of: {}", allowed.join(", ")),
    }
}

fn unexpected(text: &str, refused: Refused, stanza: &Stanza) -> String {
    let name = stanza.name.value.as_str();
    let rest = refused.span.of(text);
    let all =
        Span::new(stanza.words.first().map_or(refused.span, |word| word.span).range().start, refused.span.range().end);
    match name {
        "env" if rest.starts_with('=') => "no blanks around the `=`: write `env KEY=value`".to_owned(),
        "env" if rest.contains('=') => "one variable for each line: start a new line with `env`".to_owned(),
        "env" => "a value with blanks needs quotes: `env KEY=\"…\"`".to_owned(),
        "description" | "author" | "version" | "usage" => {
            format!("a text with blanks needs quotes: `{name} \"{}\"`", all.of(text).replace('"', "'"))
        }
        "script" => "`script` stands alone on its line: move the command to the next line, or write `exec`".to_owned(),
        "respawn" => "`unlimited` stands alone: write `respawn limit unlimited`".to_owned(),
        "task" => "`task` stands alone on its line".to_owned(),
        "pre-start" | "post-start" | "pre-stop" | "post-stop" => {
            format!("`{name} script` ends its line: move the command to the next line, or write `{name} exec`")
        }
        _ => format!("`{name}` takes one value here: remove the rest, or put all of it in quotes"),
    }
}

fn missing(text: &str, refused: Refused, stanza: &Stanza) -> String {
    let name = stanza.name.value.as_str();
    let first = stanza.words.first().map(|word| word.value.as_str());
    match (name, first) {
        ("limit", Some(resource)) => {
            let value = stanza.words.get(1).map_or("65536", |word| word.value.as_str());
            format!("a limit needs its soft and its hard value: `limit {resource} {value} {value}`")
        }
        ("respawn", _) => "`respawn limit` needs a count and a number of seconds, such as `10 5`".to_owned(),
        ("start" | "stop", Some(_)) if line_at(text, refused.noticed).trim().is_empty() && refused.noticed > 0 => {
            "no blank line may stand between these parentheses: remove it".to_owned()
        }
        ("start" | "stop", Some(_)) if line_at(text, refused.noticed).trim_start().starts_with('#') => {
            "no line of comment alone may stand between these parentheses: move it above the condition".to_owned()
        }
        ("start" | "stop", _) => format!("write `{name} on` and an event, such as `{name} on runlevel [2345]`"),
        ("exec", _) => "write the command after `exec` on the same line".to_owned(),
        ("pre-start" | "post-start" | "pre-stop" | "post-stop", _) => {
            format!("write `{name} exec` and a command, or `{name} script`")
        }
        ("env", _) => "write the variable: `env KEY=value`".to_owned(),
        _ => format!("`{name}` needs a value that is not empty"),
    }
}

fn unterminated(text: &str, refused: Refused) -> Advice {
    match almost_end_script(text, refused.span.range().start) {
        Some(line) => {
            let text = "write `end script` alone on its line: nothing else ends a script".to_owned();
            Advice { text, place: Some(line) }
        }
        None => {
            let start = refused.span.range().start;
            let opening = text[..start.min(text.len())].trim_end();
            let line = opening.rfind('\n').map_or(0, |at| at + 1);
            let blanks = opening[line..].len() - opening[line..].trim_start().len();
            let place = Some(Span::new(line + blanks, opening.len()));
            Advice { text: "no `end script` follows: add it on a line of its own".to_owned(), place }
        }
    }
}

/// The first line from `start` that was meant to be `end script`.
pub(super) fn almost_end_script(text: &str, start: usize) -> Option<Span> {
    let mut at = start;
    for line in text.get(start..)?.split_inclusive('\n') {
        let words = line.trim().to_ascii_lowercase();
        let tail = words.strip_prefix("end");
        let meant = tail.is_some_and(|tail| tail.is_empty() || (tail.contains("script") && !tail.contains('=')));
        if meant {
            let blanks = line.len() - line.trim_start().len();
            return Some(Span::new(at + blanks, at + line.trim_end().len()));
        }
        at += line.len();
    }
    None
}

/// The blanks after a backslash that ended the line before `at`.
fn spoilt_continuation(text: &str, at: usize) -> Option<Span> {
    let before = &text[..text.get(..at)?.rfind('\n')?];
    let kept = before.trim_end_matches([' ', '\t', '\r']);
    (kept.len() < before.len() && kept.ends_with('\\')).then(|| Span::new(kept.len() - 1, before.len()))
}

/// The name that differs from `word` in case, punctuation or one letter.
fn closest<'n>(word: &str, names: &[&'n str]) -> Option<&'n str> {
    let plain = |name: &str| name.to_ascii_lowercase().replace(['-', '_', ':'], "");
    let word = plain(word);
    names.iter().copied().find(|name| plain(name) == word).or_else(|| {
        names.iter().copied().find(|name| name.len() > 3 && one_letter_apart(plain(name).as_bytes(), word.as_bytes()))
    })
}

fn one_letter_apart(one: &[u8], other: &[u8]) -> bool {
    let head = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[head..], &other[head..]);
    let skip = |bytes: &[u8], count: usize| bytes.get(count..).map(<[u8]>::to_vec);
    let apart = |a: usize, b: usize| skip(one, a).is_some_and(|rest| Some(rest) == skip(other, b));
    let swapped =
        one.len() > 1 && other.len() > 1 && one[0] == other[1] && one[1] == other[0] && one[2..] == other[2..];
    swapped || apart(1, 1) || apart(1, 0) || apart(0, 1)
}
