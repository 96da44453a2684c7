//! What nginx refuses in the arguments of a directive, by the function that its table names.

use super::argument::{Argument, Invalid};
use super::around::Around;
use super::{condition, listen, location, log, parameter, pass, rewrite};
use crate::nearest::did_you_mean;
use crate::stack::nginx::scalar::{self, Clock};
use crate::syntax::data::nginx::{Contexts, Row, ValueKind};

/// What nginx refuses in `arguments`, whose number is right.
pub(super) fn refused(row: &Row, arguments: &[Argument<'_>], around: Around) -> Option<Invalid> {
    let first = arguments.first();
    let first_text = first.and_then(Argument::final_text);
    match row.value {
        ValueKind::Flag => flag(first_text?, 0),
        ValueKind::Size => size(first_text?, 0),
        ValueKind::Offset => offset(first_text?, 0),
        ValueKind::Milliseconds => time(first_text?, 0, Clock::Milliseconds),
        ValueKind::Seconds => time(first_text?, 0, Clock::Seconds),
        ValueKind::Number => number(first_text?, row.words),
        ValueKind::Enum => word(first_text?, 0, row.words),
        ValueKind::Words => {
            arguments.iter().enumerate().find_map(|(at, argument)| word(argument.final_text()?, at, row.words))
        }
        ValueKind::Buffers => buffers(arguments),
        ValueKind::Access => arguments.iter().enumerate().find_map(|(at, argument)| access(argument.final_text()?, at)),
        ValueKind::Path => levels(arguments),
        ValueKind::Own => own(row, arguments, around),
    }
}

/// Directives whose table names a function of their own.
fn own(row: &Row, arguments: &[Argument<'_>], around: Around) -> Option<Invalid> {
    let text = |at: usize| arguments.get(at).and_then(Argument::final_text);
    match row.name {
        "listen" => listen::refused(arguments, row.contexts),
        "server_name" => location::server_name(arguments),
        "location" => location::refused(arguments),
        "if" => condition::refused(arguments),
        "return" if row.contexts.meets(Contexts::SERVER) => rewrite::return_code(arguments),
        "rewrite" => rewrite::refused(arguments),
        "error_page" => rewrite::error_page(arguments),
        "try_files" => rewrite::try_files(arguments),
        "set" | "auth_request_set" | "perl_set" => rewrite::variable(arguments, 0),
        "map" | "split_clients" => rewrite::variable(arguments, 1),
        "geo" => rewrite::variable(arguments, arguments.len().checked_sub(1)?),
        "root" | "alias" => rewrite::root(arguments, row.name),
        "proxy_pass" if row.contexts.meets(Contexts::LOCATION) => pass::proxy(arguments, around),
        "uwsgi_pass" | "fastcgi_pass" | "scgi_pass" | "grpc_pass" | "memcached_pass" => {
            pass::plain(row.name, arguments)
        }
        "proxy_pass" => pass::plain(row.name, arguments),
        "server" if !row.block => pass::upstream_server(arguments),
        "add_header" | "add_trailer" => third_word(arguments, "always"),
        "uwsgi_param" | "fastcgi_param" | "scgi_param" => third_word(arguments, "if_not_empty"),
        "expires" => expires(arguments),
        "keepalive_timeout" => {
            let header = text(1).and_then(|text| time(text, 1, Clock::Seconds));
            text(0).and_then(|text| time(text, 0, Clock::Milliseconds)).or(header)
        }
        "access_log" => log::access_log(arguments),
        "error_log" => log::error_log(arguments),
        "log_format" => log::format(arguments),
        "limit_req_zone" | "limit_conn_zone" => parameter::limit_zone(row.name, arguments),
        "limit_req" => parameter::limit_req(arguments),
        "limit_conn" => parameter::limit_conn(arguments),
        "limit_except" => arguments.iter().enumerate().find_map(|(at, argument)| method(argument.final_text()?, at)),
        "allow" | "deny" => network(text(0)?),
        "resolver" => parameter::resolver(arguments),
        "ssl_session_cache" => parameter::ssl_session_cache(arguments),
        "open_file_cache" => parameter::open_file_cache(arguments),
        "zone" => parameter::zone(arguments),
        "worker_processes" => (text(0)? != "auto").then(|| positive(text(0)?, "a number, or `auto`")).flatten(),
        "worker_connections" => positive(text(0)?, "a number, such as `1024`"),
        "keepalive" => number(text(0)?, ""),
        "limit_rate"
        | "limit_rate_after"
        | "proxy_limit_rate"
        | "uwsgi_limit_rate"
        | "fastcgi_limit_rate"
        | "scgi_limit_rate"
        | "proxy_download_rate"
        | "proxy_upload_rate" => (!text(0)?.contains('$')).then(|| size(text(0)?, 0)).flatten(),
        "aio" => aio(text(0)?),
        "directio" => (text(0)? != "off").then(|| offset(text(0)?, 0)).flatten(),
        "charset_types" | "gzip_types" => None,
        "gzip_disable" | "valid_referers" => regexes(row.name, arguments),
        "fastcgi_split_path_info" => super::pattern::refused(text(0)?, 0, 0),
        name if name.ends_with("_cache_valid") => parameter::cache_valid(arguments),
        name if name.ends_with("_cache_path") => parameter::cache_path(arguments),
        _ => None,
    }
}

fn flag(text: &str, at: usize) -> Option<Invalid> {
    if text.eq_ignore_ascii_case("on") || text.eq_ignore_ascii_case("off") {
        return None;
    }
    let invalid = Invalid::new(at, format!("it must be `on` or `off`, not `{text}`"), "write `on` or `off`");
    let meant = match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" | "enable" | "enabled" => "on",
        "no" | "false" | "0" | "disable" | "disabled" | "none" => "off",
        _ => return Some(invalid),
    };
    Some(invalid.cure(meant))
}

fn size(text: &str, at: usize) -> Option<Invalid> {
    if scalar::size(text).is_some() {
        return None;
    }
    let invalid = Invalid::new(
        at,
        format!("`{text}` is no size"),
        "write a whole number of bytes, or one with `k` or `m` right behind it, such as `16k`",
    );
    Some(match (scalar::offset(text), size_meant(text)) {
        // It knows no `g`, which other directives do.
        (Some(bytes), _) => invalid.cure(format!("{}m", bytes >> 20)),
        (None, Some(meant)) if scalar::size(&meant).is_some() => invalid.cure(meant),
        _ => invalid,
    })
}

fn offset(text: &str, at: usize) -> Option<Invalid> {
    if scalar::offset(text).is_some() {
        return None;
    }
    let invalid = Invalid::new(
        at,
        format!("`{text}` is no size"),
        "write a whole number of bytes, or one with `k`, `m` or `g` right behind it, such as `10m`",
    );
    Some(match size_meant(text) {
        Some(meant) => invalid.cure(meant),
        None => invalid,
    })
}

/// `10MB`, `10 M` and `10mb` mean `10m`.
fn size_meant(text: &str) -> Option<String> {
    let folded: String = text.to_ascii_lowercase().split_whitespace().collect();
    let shorter = ["ib", "b"].iter().find_map(|end| folded.strip_suffix(end)).unwrap_or(&folded);
    (shorter != text && scalar::offset(shorter).is_some()).then(|| shorter.to_owned())
}

pub(super) fn time(text: &str, at: usize, clock: Clock) -> Option<Invalid> {
    if scalar::time(text, clock).is_some() {
        return None;
    }
    let units = match clock {
        Clock::Milliseconds => "`ms`, `s`, `m`, `h`, `d` or `w`",
        Clock::Seconds => "`s`, `m`, `h`, `d`, `w`, `M` or `y`",
    };
    let hint = format!("write a whole number of seconds, or one with {units} right behind it, such as `30s` or `1h`");
    let invalid = Invalid::new(at, format!("`{text}` is no time"), hint);
    Some(match time_meant(text).filter(|meant| scalar::time(meant, clock).is_some()) {
        Some(meant) => invalid.cure(meant),
        None => invalid,
    })
}

/// `30sec` means `30s`, `5min` means `5m`.
fn time_meant(text: &str) -> Option<String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim().to_ascii_lowercase().trim_end_matches('s') {
        "" | "sec" | "second" => "s",
        "min" | "minute" => "m",
        "hr" | "hour" | "h" => "h",
        "day" | "d" => "d",
        "msec" | "milli" | "millisecond" => "ms",
        _ => return None,
    };
    (digits > 0).then(|| format!("{number}{unit}"))
}

fn not_a_number(text: &str, example: &str) -> Invalid {
    Invalid::new(0, format!("`{text}` is no whole number"), format!("write digits alone, such as `{example}`"))
}

fn number(text: &str, bounds: &str) -> Option<Invalid> {
    let Some(number) = scalar::number(text) else { return Some(not_a_number(text, "8")) };
    let (least, most) =
        bounds.split_once('-').and_then(|(least, most)| Some((least.parse().ok()?, most.parse().ok()?)))?;
    let inside = (least..=most).contains(&number);
    (!inside).then(|| {
        Invalid::new(0, format!("`{text}` is out of bounds"), format!("write a number from {least} to {most}"))
    })
}

fn positive(text: &str, what: &str) -> Option<Invalid> {
    let fine = scalar::number(text).is_some_and(|number| number > 0);
    (!fine).then(|| Invalid::new(0, format!("`{text}` is no number that nginx takes here"), format!("write {what}")))
}

/// A word that is none of `words`, which nginx compares in any case.
pub(super) fn word(text: &str, at: usize, words: &str) -> Option<Invalid> {
    if words.split(',').any(|known| known.eq_ignore_ascii_case(text)) {
        return None;
    }
    let known = words.replace(',', "`, `");
    let hint = format!("nginx knows `{known}` here");
    Some(Invalid::new(at, format!("nginx knows no `{text}` here{}", did_you_mean(text, words.split(','))), hint))
}

fn buffers(arguments: &[Argument<'_>]) -> Option<Invalid> {
    let [count, each] = arguments else { return None };
    let positive = |number: Option<i64>| number.is_some_and(|number| number > 0);
    match (count.final_text(), each.final_text()) {
        (Some(text), _) if !positive(scalar::number(text)) => Some(Invalid::new(
            0,
            format!("`{text}` is no number of buffers"),
            "write how many, then how large: `4 16k`",
        )),
        (_, Some(text)) if !positive(scalar::size(text)) => size(text, 1)
            .or_else(|| Some(Invalid::new(1, "buffers without any size", "write how large each is, such as `16k`"))),
        _ => None,
    }
}

fn access(text: &str, at: usize) -> Option<Invalid> {
    let right = ["user:", "group:", "all:"].iter().find_map(|who| text.strip_prefix(who));
    let fine = right.is_some_and(|right| matches!(right, "r" | "rw"));
    (!fine).then(|| {
        Invalid::new(at, format!("`{text}` gives nobody any right"), "write words such as `user:rw group:rw all:r`")
    })
}

fn levels(arguments: &[Argument<'_>]) -> Option<Invalid> {
    arguments.iter().enumerate().skip(1).find_map(|(at, argument)| {
        let text = argument.final_text()?;
        let fine = scalar::number(text).is_some_and(|level| level > 0);
        (!fine).then(|| Invalid::new(at, format!("`{text}` is no level"), "write one to three digits after the folder"))
    })
}

fn third_word(arguments: &[Argument<'_>], word: &str) -> Option<Invalid> {
    let text = arguments.get(2)?.final_text()?;
    (text != word).then(|| {
        let hint = format!("the third word may only be `{word}`; put a value that has blanks in quotes");
        Invalid::new(2, format!("nginx knows no `{text}` here"), hint)
    })
}

fn expires(arguments: &[Argument<'_>]) -> Option<Invalid> {
    let first = arguments.first()?.final_text()?;
    let modified = arguments.len() == 2;
    if modified && first != "modified" {
        return Some(Invalid::new(
            0,
            format!("nginx knows no `{first}` here"),
            "write one time, or `modified` and a time",
        ));
    }
    let at = arguments.len() - 1;
    let text = arguments[at].final_text()?;
    if text.contains('$') || (!modified && matches!(text, "epoch" | "max" | "off")) {
        return None;
    }
    if modified && text.starts_with('@') {
        return Some(Invalid::new(at, "a time of day cannot follow `modified`", "write a time such as `1h`"));
    }
    let bare = text.strip_prefix(['@', '+', '-']).unwrap_or(text);
    match scalar::time(bare, Clock::Seconds) {
        Some(seconds) if text.starts_with('@') && seconds > 24 * 60 * 60 => {
            Some(Invalid::new(at, format!("`{text}` is later than a day"), "write a time of day such as `@15h30m`"))
        }
        Some(_) => None,
        None => Some(Invalid {
            hint: "write a time such as `30d`, or `epoch`, `max` or `off`".to_owned(),
            ..time(bare, at, Clock::Seconds)?
        }),
    }
}

fn method(text: &str, at: usize) -> Option<Invalid> {
    const METHODS: &str =
        "GET,HEAD,POST,PUT,DELETE,MKCOL,COPY,MOVE,OPTIONS,PROPFIND,PROPPATCH,LOCK,UNLOCK,PATCH,CONNECT";
    word(text, at, METHODS)
}

fn network(text: &str) -> Option<Invalid> {
    let fine = matches!(text, "all" | "unix:") || scalar::is_network(text);
    (!fine).then(|| {
        let hint = "write an address, a network such as `10.0.0.0/8`, `unix:` or `all`; nginx looks no name up here";
        Invalid::new(0, format!("`{text}` is no address"), hint)
    })
}

fn aio(text: &str) -> Option<Invalid> {
    let fine = matches!(text, "on" | "off" | "threads" | "sendfile") || text.starts_with("threads=");
    (!fine).then(|| Invalid::new(0, format!("nginx knows no `{text}` here"), "write `on`, `off` or `threads`"))
}

fn regexes(name: &str, arguments: &[Argument<'_>]) -> Option<Invalid> {
    arguments.iter().enumerate().find_map(|(at, argument)| {
        let text = argument.final_text()?;
        match name {
            "gzip_disable" => super::pattern::refused(text, at, 0),
            _ => super::pattern::refused(text.strip_prefix('~')?, at, 1),
        }
    })
}
