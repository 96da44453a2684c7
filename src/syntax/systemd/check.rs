//! Which values systemd ignores, and for which it refuses the unit (systemd 252: load-fragment.c), in its own words.

mod command;

use crate::source::Span;
use crate::syntax::Problem;
use crate::syntax::data::systemd::ValueKind;
use crate::syntax::erb::FILLER;
use crate::syntax::placeholder::is_filled_in;
use crate::syntax::systemd::{
    Assignment, Broken, Resolved, Text, Word, Words, ignored, parse_time_span, refused, resolve,
};

/// What is wrong with a value; nothing where a template tag decides it.
pub(super) fn value(assignment: &Assignment, kind: ValueKind, unit: &str) -> Vec<Problem> {
    let (key, text) = (assignment.key.value.as_str(), &assignment.value);
    // Most directives take an empty value as "back to the default".
    if text.value.contains(FILLER)
        || is_placeholder(kind, &text.value)
        || (text.value.is_empty() && !matches!(kind, ValueKind::Bool))
    {
        return Vec::new();
    }
    let one = |problem: Option<Problem>| problem.into_iter().collect();
    match kind {
        ValueKind::Text => Vec::new(),
        ValueKind::Bool => one(boolean(text)),
        ValueKind::Seconds => one(seconds(key, text)),
        ValueKind::Mode => one(mode(text)),
        ValueKind::Signal => one(signal(text)),
        ValueKind::Units => units(text),
        ValueKind::Exec => command::lines(text, unit),
        ValueKind::Environment => environment(text, unit),
        ValueKind::Names => Vec::new(),
        ValueKind::EnvironmentFile | ValueKind::Path => one(path(key, text)),
        ValueKind::Paths => paths(key, text),
        ValueKind::Directories => directories(key, text),
        ValueKind::Folder => one(folder(text)),
        ValueKind::Output => one(output(text)),
        ValueKind::User => one(user(text)),
        ValueKind::Word => one(word(key, text)),
        ValueKind::Address => one(address(text)),
    }
}

/// Whether some script fills the value in before systemd sees it: `${SERVICE_USER}`, `@bindir@/shop`, `<folder>`, and where a
/// path begins, `INSTALL_DIR`. systemd puts variables into the arguments of a command alone.
fn is_placeholder(kind: ValueKind, value: &str) -> bool {
    let first = value.split(super::text::BLANKS).next().unwrap_or(value);
    let shell = match kind {
        ValueKind::Exec => first.contains("${"),
        ValueKind::Environment => false,
        _ => value.contains("${"),
    };
    let is_path = matches!(
        kind,
        ValueKind::Exec | ValueKind::EnvironmentFile | ValueKind::Path | ValueKind::Paths | ValueKind::Folder
    );
    let start = first.split('/').next().unwrap_or(first);
    let is_name = |letter: u8| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == b'_';
    let in_capitals = is_path && start.len() > 2 && start.bytes().all(is_name);
    let in_brackets = is_path && start.starts_with('<') && value.contains('>');
    shell || is_filled_in(first) || in_capitals || in_brackets
}

fn boolean(text: &Text) -> Option<Problem> {
    let words = ["1", "yes", "y", "true", "t", "on", "0", "no", "n", "false", "f", "off"];
    let known = words.iter().any(|word| word.eq_ignore_ascii_case(&text.value));
    (!known).then(|| ignored(text.whole(), "Failed to parse boolean value, ignoring", "write `yes` or `no`"))
}

fn seconds(key: &str, text: &Text) -> Option<Problem> {
    if parse_time_span(&text.value).is_some() {
        return None;
    }
    let words = match key {
        "TimeoutStartSec" | "TimeoutSec" => format!("Failed to parse {key}= parameter, ignoring"),
        "RestartSec" | "WatchdogSec" | "StartLimitInterval" | "StartLimitIntervalSec" => {
            "Failed to parse sec value, ignoring".to_owned()
        }
        _ => "Failed to parse time value, ignoring".to_owned(),
    };
    Some(ignored(text.whole(), words, "write a number of seconds, or a span such as `1min 30s`"))
}

fn mode(text: &Text) -> Option<Problem> {
    let good = u32::from_str_radix(&text.value, 8).is_ok_and(|mode| mode <= 0o7777) && !text.value.starts_with('+');
    (!good).then(|| ignored(text.whole(), "Failed to parse mode value, ignoring", "write it in octal, such as `0022`"))
}

fn signal(text: &Text) -> Option<Problem> {
    const NAMES: [&str; 34] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "IOT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
        "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM",
        "PROF", "WINCH", "IO", "POLL", "PWR", "SYS", "RTMIN",
    ];
    let name = text.value.strip_prefix("SIG").unwrap_or(&text.value);
    let is_number = name.parse().is_ok_and(|number: u32| (1..=64).contains(&number));
    if NAMES.contains(&name) || name.starts_with("RTM") || is_number {
        return None;
    }
    Some(ignored(text.whole(), "Failed to parse signal name, ignoring", "write it in capitals, such as `SIGQUIT`"))
}

fn units(text: &Text) -> Vec<Problem> {
    let words = text.value.split(super::text::BLANKS).filter(|word| !word.is_empty());
    let bad = words.filter(|word| !word.contains(['%', '"', '\'', '\\']) && !is_unit_name(word));
    bad.map(|word| {
        let start = word.as_ptr() as usize - text.value.as_ptr() as usize;
        let span = text.span(start..start + word.len());
        let words = format!("Failed to add dependency on {word}, ignoring");
        let hint = if word.contains('.') {
            "no unit can be called that".to_owned()
        } else {
            format!("write `{word}.service`, or the suffix that it has")
        };
        ignored(span, words, hint)
    })
    .collect()
}

fn is_unit_name(name: &str) -> bool {
    let suffixes =
        ["service", "socket", "target", "device", "mount", "automount", "swap", "timer", "path", "slice", "scope"];
    let Some((prefix, suffix)) = name.rsplit_once('.') else { return false };
    let letters = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    suffixes.contains(&suffix)
        && !prefix.is_empty()
        && !prefix.starts_with('@')
        && prefix.chars().all(letters)
        && !prefix.ends_with('@')
}

fn bad_specifier(word: &Word, unit: &str) -> Option<String> {
    match resolve(&word.value, unit) {
        Resolved::Refused(specifier) => Some(specifier),
        Resolved::Known(_) | Resolved::Unknown(_) => None,
    }
}

/// Where in a word a text stands as written; the whole word where quotes or escapes hide it.
fn within(text: &Text, word: &Word, part: &str) -> Span {
    let whole = text.whole();
    let offset = (word.span.start - whole.start) as usize;
    let found = text.value.get(offset..).and_then(|rest| rest.find(part)).map(|at| offset + at);
    found.map(|at| text.span(at..at + part.len())).filter(|span| word.span.overlaps(*span)).unwrap_or(word.span)
}

fn environment(text: &Text, unit: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut words = Words::of(text);
    loop {
        let word = match words.next(true) {
            Ok(Some(word)) => word,
            Ok(None) => return problems,
            Err(broken) => {
                let (span, hint) = match broken {
                    Broken::Quote => {
                        (text.whole(), "close the quote: systemd takes nothing from here to the end of the line")
                    }
                    Broken::Escape(span) => {
                        (span, "write a backslash as `\\\\`: systemd takes nothing from here to the end of the line")
                    }
                };
                problems.push(ignored(span, "Invalid syntax, ignoring", hint));
                return problems;
            }
        };
        if let Some(specifier) = bad_specifier(&word, unit) {
            let name = word.value.split('=').next().unwrap_or_default();
            // The value may be a password, so it is not repeated.
            let words = format!("Failed to resolve specifiers in {name}, ignoring");
            let hint = format!("write each `%` as `%%`: because of `{specifier}` the variable is not set at all");
            problems.push(ignored(within(text, &word, &specifier), words, hint));
        } else if !is_assignment(&word.value) {
            problems.push(ignored(
                word.span,
                "Invalid environment assignment, ignoring",
                not_an_assignment(&word.value),
            ));
        }
    }
}

fn is_assignment(word: &str) -> bool {
    let Some((name, value)) = word.split_once('=') else { return false };
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(first)
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !value.chars().any(|c| c.is_control() && c != '\t' && c != '\n')
}

fn not_an_assignment(word: &str) -> String {
    match word {
        "export" => "leave `export` out: this is no shell".to_owned(),
        _ if word.starts_with('#') => "a comment needs a line of its own".to_owned(),
        _ if !word.contains('=') => {
            "put the whole assignment in quotes where its value has a blank: `Environment=\"NAME=a b\"`".to_owned()
        }
        _ => "a name has letters, digits and `_` alone".to_owned(),
    }
}

fn path(key: &str, text: &Text) -> Option<Problem> {
    let written =
        if key == "EnvironmentFile" { text.value.strip_prefix('-').unwrap_or(&text.value) } else { &text.value };
    if written.starts_with(['/', '%']) {
        return None;
    }
    let hint = "systemd knows no working folder here: write it with all its folders, from `/` on";
    Some(ignored(text.whole(), format!("{key}= path is not absolute, ignoring"), hint))
}

fn paths(key: &str, text: &Text) -> Vec<Problem> {
    each(text, |word| {
        let written = word.value.trim_start_matches(['-', '+']);
        let words = format!("{key}= path is not absolute, ignoring");
        (!written.starts_with(['/', '%'])).then(|| ignored(word.span, words, "write it from `/` on"))
    })
}

fn directories(key: &str, text: &Text) -> Vec<Problem> {
    let below = match key {
        "RuntimeDirectory" => "/run",
        "StateDirectory" => "/var/lib",
        "CacheDirectory" => "/var/cache",
        "LogsDirectory" => "/var/log",
        _ => "/etc",
    };
    each(text, |word| {
        let name = word.value.split(':').next().unwrap_or_default();
        if name.starts_with('/') {
            let cure =
                name.strip_prefix(below).map(|rest| rest.trim_start_matches('/')).filter(|rest| !rest.is_empty());
            let hint = match cure {
                Some(cure) => format!("write `{cure}`: systemd makes it below {below}"),
                None => format!("write its name below {below}"),
            };
            return Some(ignored(word.span, format!("{key}= path is absolute, ignoring"), hint));
        }
        let strays = name.split('/').any(|part| matches!(part, "." | ".."));
        strays.then(|| ignored(word.span, format!("{key}= path is not normalized, ignoring"), "leave `.` and `..` out"))
    })
}

fn each(text: &Text, judge: impl Fn(&Word) -> Option<Problem>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut words = Words::of(text);
    while let Ok(Some(word)) = words.next(true) {
        problems.extend(judge(&word));
    }
    problems
}

fn folder(text: &Text) -> Option<Problem> {
    let (written, may_lack) = match text.value.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text.value.as_str(), false),
    };
    if written == "~" || written.starts_with(['/', '%']) {
        return None;
    }
    let hint = "write it from `/` on, without quotes; `~` alone is the home of `User=`";
    let words = "WorkingDirectory= path is not absolute";
    Some(if may_lack {
        ignored(text.whole(), format!("{words}, ignoring"), hint)
    } else {
        refused(text.whole(), words, hint)
    })
}

fn output(text: &Text) -> Option<Problem> {
    let known = ["inherit", "null", "tty", "journal", "kmsg", "journal+console", "kmsg+console", "socket", "fd"];
    let value = text.value.as_str();
    if known.contains(&value) || ["fd:", "file:", "append:", "truncate:"].iter().any(|prefix| value.starts_with(prefix))
    {
        return None;
    }
    if matches!(value, "syslog" | "syslog+console") {
        let words = format!("Standard output type {value} is obsolete, automatically updating to journal");
        let hint = "leave the line out: the journal hands everything on to syslog";
        return Some(Problem { kind: "systemd/output-to-syslog", ..ignored(text.whole(), words, hint) });
    }
    Some(ignored(
        text.whole(),
        "Failed to parse output specifier, ignoring",
        "write `journal`, or `append:/path/of/a/log`",
    ))
}

fn user(text: &Text) -> Option<Problem> {
    let name = text.value.as_str();
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    let strict = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && name.len() <= 31;
    if strict || is_number || name.contains('%') {
        return None;
    }
    let impossible = name.starts_with('-')
        || matches!(name, "." | "..")
        || name.contains([':', '/'])
        || name.contains(char::is_control);
    let hint = "write the name of one user or group";
    if impossible {
        return Some(refused(text.whole(), "Invalid user/group name or numeric ID", hint));
    }
    let words = format!("Accepting user/group name '{name}', which does not match strict user/group name rules.");
    Some(ignored(text.whole(), words, hint))
}

fn word(key: &str, text: &Text) -> Option<Problem> {
    let is_bool = || boolean(text).is_none();
    let (words, message, also_bool): (&[&str], _, _) = match key {
        "Type" => (
            &["simple", "forking", "oneshot", "dbus", "notify", "notify-reload", "idle", "exec"],
            "Failed to parse service type, ignoring",
            false,
        ),
        "Restart" => (
            &["no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"],
            "Failed to parse service restart specifier, ignoring",
            false,
        ),
        "KillMode" => {
            (&["control-group", "process", "mixed", "none"], "Failed to parse kill mode specification, ignoring", false)
        }
        "NotifyAccess" => {
            (&["none", "main", "exec", "all"], "Failed to parse notify access specifier, ignoring", false)
        }
        "ProtectSystem" => (&["full", "strict"], "Failed to parse protect system value, ignoring", true),
        "ProtectHome" => (&["read-only", "tmpfs"], "Failed to parse protect home value, ignoring", true),
        _ => return None,
    };
    if words.contains(&text.value.as_str()) || (also_bool && is_bool()) {
        return None;
    }
    let all = words.join("`, `");
    let more = if also_bool { ", `yes` or `no`" } else { "" };
    Some(ignored(text.whole(), message, format!("it takes `{all}`{more}")))
}

fn address(text: &Text) -> Option<Problem> {
    let value = text.value.as_str();
    let port = value.rsplit(':').next().unwrap_or(value);
    let is_port = port.parse().is_ok_and(|port: u16| port > 0);
    let good = value.starts_with(['/', '@', '%', '[']) || is_port || value.starts_with("vsock:");
    (!good).then(|| {
        let hint = "write a path from `/` on, a port, or `ADDRESS:PORT`";
        ignored(text.whole(), "Failed to parse address value, ignoring", hint)
    })
}
