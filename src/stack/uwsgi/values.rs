//! Values that uWSGI takes for something else: quotes and comments it keeps, words it takes for true, units it drops.

use super::UwsgiLine;
use super::instance::is_true;
use super::setting::Setting;
use super::settings::Settings;
use crate::stack::fact::Answer;
use crate::syntax::data::uwsgi::{KnownOption, ValueKind};
use crate::syntax::uwsgi::number;

/// What uWSGI makes of more than 16 bits (uWSGI: `uwsgi_opt_set_16bit`).
const MOST_16_BITS: i64 = 65_535;

/// The first thing that is wrong with a value.
pub(super) fn row(setting: &Setting) -> Option<UwsgiLine> {
    let known = setting.known.filter(|known| !takes_any_text(known))?;
    comment(setting, known)
        .or_else(|| quoted(setting, known))
        .or_else(|| flag(setting, known))
        .or_else(|| unit(setting, known))
        .or_else(|| clamped(setting, known))
}

/// Options whose value is a command, a text to print or a rule: quotes, `;` and `#` may well belong to it.
fn takes_any_text(known: &KnownOption) -> bool {
    const PARTS: [&str; 15] = [
        "exec",
        "hook",
        "cron",
        "alarm",
        "print",
        "header",
        "eval",
        "argv",
        "log-format",
        "logformat",
        "log-date",
        "logger",
        "expires",
        "command",
        "procname",
    ];
    let name = known.name;
    matches!(known.value, ValueKind::Route | ValueKind::Logic)
        || matches!(known.canonical, "env" | "set" | "set-ph" | "declare-option" | "declare-option2" | "metric")
        || PARTS.iter().any(|part| name.contains(part))
        || name.starts_with("log-")
        || (name.contains("daemon") && !name.starts_with("daemonize"))
}

fn is_flag(known: &KnownOption) -> bool {
    matches!(known.value, ValueKind::Bool | ValueKind::InvertedBool)
}

fn is_number(known: &KnownOption) -> bool {
    matches!(known.value, ValueKind::Int | ValueKind::Int16 | ValueKind::Int64 | ValueKind::Megabytes)
}

/// Where a comment was meant to start: at a `;` or `#` with a blank before it, or at the very start with one after it.
fn comment_start(value: &str) -> Option<usize> {
    let bytes = value.as_bytes();
    let blank = |at: usize| bytes.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    (0..bytes.len())
        .filter(|&at| matches!(bytes[at], b';' | b'#'))
        .find(|&at| if at == 0 { blank(1) } else { blank(at - 1) })
}

fn comment(setting: &Setting, known: &KnownOption) -> Option<UwsgiLine> {
    let raw = setting.raw_value();
    let start = comment_start(raw)?;
    let meant = raw[..start].trim_end();
    let harmless = (is_number(known) && meant.starts_with(|char: char| char.is_ascii_digit()))
        || (is_flag(known) && is_true(meant))
        || ends_with_port(meant) && !raw[start..].contains(':');
    let row = UwsgiLine::of("comment", setting).harmless(harmless);
    let row = if is_flag(known) { row.taken_as("true") } else { row };
    let written = setting.document.written(setting.span);
    let (option, comment) = written.split_at(written.len() - (raw.len() - start));
    Some(row.cured_by(format!("{comment}\n{}", option.trim_end())))
}

/// A port is read as far as its digits go (uWSGI: `socket_to_in_addr`).
fn ends_with_port(address: &str) -> bool {
    let port = address.rsplit_once(':').filter(|_| !address.starts_with('/')).map(|(_, port)| port);
    port.is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn quoted(setting: &Setting, known: &KnownOption) -> Option<UwsgiLine> {
    let raw = setting.raw_value();
    let inner = |quote: char| raw.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote));
    let meant = inner('"').or_else(|| inner('\''))?;
    let written = setting.document.written(setting.value_span);
    let row = UwsgiLine::of("quoted", setting)
        .harmless(is_flag(known) && is_true(meant))
        .cured_by(&written[1..written.len() - 1]);
    Some(match known.value {
        _ if is_flag(known) => row.taken_as("true"),
        _ if is_number(known) => row.taken_as("0"),
        _ => row,
    })
}

/// A word that says no and means yes.
fn flag(setting: &Setting, known: &KnownOption) -> Option<UwsgiLine> {
    const NO: [&str; 11] = ["n", "none", "null", "nil", "f", "never", "disable", "disabled", "undefined", "00", "0.0"];
    let Answer::Known(value) = &setting.value else { return None };
    if !is_flag(known) || !NO.iter().any(|word| word.eq_ignore_ascii_case(value)) {
        return None;
    }
    let row = UwsgiLine::of("flag", setting).taken_as("true");
    Some(if is_templated(setting) { row } else { row.cured_by("false") })
}

/// The number and the letters after it, such as 30 and `s`.
fn with_unit(value: &str) -> Option<(i64, &str)> {
    let letters = value.find(|char: char| !char.is_ascii_digit()).filter(|at| *at > 0)?;
    let unit = value[letters..].trim_start();
    unit.bytes().all(|byte| byte.is_ascii_alphabetic()).then(|| (number(value), unit))
}

fn unit(setting: &Setting, known: &KnownOption) -> Option<UwsgiLine> {
    let Answer::Known(value) = &setting.value else { return None };
    let (count, unit) = with_unit(value).filter(|_| is_number(known))?;
    let meant = in_own_unit(known, count, unit);
    let row = UwsgiLine::of("unit", setting).taken_as(count.to_string()).harmless(meant == Some(count));
    Some(match meant.filter(|_| !is_templated(setting)) {
        Some(meant) if known.value == ValueKind::Int16 => row.cured_by(meant.min(MOST_16_BITS).to_string()),
        Some(meant) => row.cured_by(meant.to_string()),
        None => row,
    })
}

/// The number in what the option counts: megabytes, bytes or seconds; `None` where the letters may mean anything.
fn in_own_unit(known: &KnownOption, count: i64, unit: &str) -> Option<i64> {
    let unit = unit.to_ascii_lowercase();
    let is_size = ["size", "buffer", "limit"].iter().any(|word| known.name.contains(word));
    let factor = match unit.trim_end_matches("ib").trim_end_matches('b') {
        "m" if known.value == ValueKind::Megabytes => 1,
        "g" if known.value == ValueKind::Megabytes => 1 << 10,
        _ if known.value == ValueKind::Megabytes => return None,
        "" if is_size => 1,
        "k" if is_size => 1 << 10,
        "m" if is_size => 1 << 20,
        "g" if is_size => 1 << 30,
        _ if is_size => return None,
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    };
    count.checked_mul(factor)
}

fn clamped(setting: &Setting, known: &KnownOption) -> Option<UwsgiLine> {
    let Answer::Known(value) = &setting.value else { return None };
    if known.value != ValueKind::Int16 || number(value) <= MOST_16_BITS {
        return None;
    }
    let row = UwsgiLine::of("clamped", setting).taken_as(MOST_16_BITS.to_string());
    Some(if is_templated(setting) { row } else { row.cured_by(MOST_16_BITS.to_string()) })
}

/// Whether a template prints the value, so that the cure belongs where the template takes it from.
pub(super) fn is_templated(setting: &Setting) -> bool {
    setting.document.is_templated(setting.value_span)
}

/// A `chmod-socket` that lets every user of the host write to the unix socket.
pub(super) fn open_to_all(settings: &Settings) -> Option<UwsgiLine> {
    let is_unix = |setting: &&Setting| {
        setting.is(&["socket", "http-socket"])
            && matches!(&setting.value, Answer::Known(value) if value.starts_with('/') || !value.contains(':'))
    };
    settings.all.iter().find(is_unix)?;
    let setting = settings.all.iter().rfind(|setting| setting.is(&["chmod-socket"]) && setting.is_line)?;
    let Answer::Known(value) = &setting.value else { return None };
    let by_default = matches!(value.as_str(), "" | "1");
    if !by_default && (!is_mode(value) || !value.ends_with(['2', '3', '6', '7'])) {
        return None;
    }
    let row = UwsgiLine::of("open-to-all", setting).taken_as(if by_default { "666" } else { value });
    Some(if setting.is_bare() || is_templated(setting) || value.is_empty() { row } else { row.cured_by("660") })
}

/// Three octal digits (uWSGI: `uwsgi_opt_chmod_socket`).
pub(super) fn is_mode(value: &str) -> bool {
    value.len() == 3 && value.bytes().all(|byte| matches!(byte, b'0'..=b'7'))
}

/// What a quoted or commented value was meant to be is said by those pages.
pub(super) fn says_more(setting: &Setting) -> bool {
    setting.known.is_some_and(|known| comment(setting, known).or_else(|| quoted(setting, known)).is_some())
}
