//! Parameters such as `max_fails=3`, `backup` or `zone=one:10m`, by the table of their directive.

use super::argument::{Argument, Invalid};
use super::url::{self, Use};
use crate::nearest::did_you_mean;
use crate::stack::nginx::scalar::{self, Clock};

/// What stands behind the `=` of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing: the word stands alone.
    Nothing,
    /// Any text.
    Text,
    /// A whole number.
    Number,
    /// A whole number above zero.
    Positive,
    /// Bytes.
    Size,
    /// Bytes, with `g` too.
    Offset,
    /// A time.
    Time(Clock),
    /// `on` or `off`.
    Flag,
    /// A name and a size of at least so many kilobytes: `one:10m`.
    Zone(i64),
    /// Requests each second or minute: `10r/s`.
    Rate,
}

/// A parameter with what it takes.
pub(super) type Parameter = (&'static str, Takes);

/// The first of `arguments` from `first` on that is none of `table`.
pub(super) fn refused(arguments: &[Argument<'_>], first: usize, table: &[Parameter]) -> Option<Invalid> {
    let rest = arguments.iter().enumerate().skip(first);
    rest.filter_map(|(at, argument)| Some((at, argument.final_text()?))).find_map(|(at, text)| one(text, at, table))
}

fn one(text: &str, at: usize, table: &[Parameter]) -> Option<Invalid> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let Some((_, takes)) =
        table.iter().find(|(known, takes)| *known == name && (*takes == Takes::Nothing) == value.is_none())
    else {
        return Some(unknown(text, name, at, table));
    };
    let value = value.unwrap_or_default();
    let (fine, hint) = match takes {
        Takes::Nothing | Takes::Text => (true, String::new()),
        Takes::Number => (scalar::number(value).is_some(), format!("write a whole number, such as `{name}=10`")),
        Takes::Positive => {
            let fine = scalar::number(value).is_some_and(|number| number > 0);
            (fine, format!("write a whole number above zero, such as `{name}=10`"))
        }
        Takes::Size => (scalar::size(value).is_some(), format!("write a size, such as `{name}=64k`")),
        Takes::Offset => (scalar::offset(value).is_some(), format!("write a size, such as `{name}=10g`")),
        Takes::Time(clock) => (scalar::time(value, *clock).is_some(), format!("write a time, such as `{name}=30s`")),
        Takes::Flag => (matches!(value, "on" | "off"), format!("write `{name}=on` or `{name}=off`")),
        Takes::Zone(least) => {
            (is_zone(value, *least), format!("write a name and a size of at least {least}k: `{name}=one:10m`"))
        }
        Takes::Rate => {
            (is_rate(value), format!("write whole requests each second or minute: `{name}=10r/s` or `{name}=30r/m`"))
        }
    };
    (!fine).then(|| Invalid::new(at, format!("nginx does not take `{value}` for `{name}`"), hint))
}

fn unknown(text: &str, name: &str, at: usize, table: &[Parameter]) -> Invalid {
    let known: Vec<String> = table
        .iter()
        .map(|(name, takes)| format!("`{name}{}`", if *takes == Takes::Nothing { "" } else { "=…" }))
        .collect();
    let names = table.iter().map(|(name, _)| *name);
    let meant = if table.iter().any(|(known, _)| *known == name) { String::new() } else { did_you_mean(name, names) };
    Invalid::new(at, format!("nginx knows no `{text}` here{meant}"), format!("it takes {}", known.join(", ")))
}

fn is_zone(text: &str, least: i64) -> bool {
    let Some((name, size)) = text.split_once(':') else { return false };
    !name.is_empty() && scalar::size(size).is_some_and(|size| size >= least * 1024)
}

fn is_rate(text: &str) -> bool {
    let number = ["r/s", "r/m"].iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(text);
    scalar::number(number).is_some_and(|number| number > 0)
}

const LIMIT_REQ_ZONE: &[Parameter] = &[("zone", Takes::Zone(32)), ("rate", Takes::Rate)];
const LIMIT_CONN_ZONE: &[Parameter] = &[("zone", Takes::Zone(32))];
const LIMIT_REQ: &[Parameter] =
    &[("zone", Takes::Text), ("burst", Takes::Positive), ("delay", Takes::Positive), ("nodelay", Takes::Nothing)];
const OPEN_FILE_CACHE: &[Parameter] =
    &[("max", Takes::Positive), ("inactive", Takes::Time(Clock::Seconds)), ("off", Takes::Nothing)];
const CACHE_PATH: &[Parameter] = &[
    ("keys_zone", Takes::Zone(8)),
    ("levels", Takes::Text),
    ("use_temp_path", Takes::Flag),
    ("inactive", Takes::Time(Clock::Seconds)),
    ("max_size", Takes::Offset),
    ("min_free", Takes::Offset),
    ("loader_files", Takes::Number),
    ("loader_sleep", Takes::Time(Clock::Milliseconds)),
    ("loader_threshold", Takes::Time(Clock::Milliseconds)),
    ("manager_files", Takes::Number),
    ("manager_sleep", Takes::Time(Clock::Milliseconds)),
    ("manager_threshold", Takes::Time(Clock::Milliseconds)),
    // NGINX Plus.
    ("purger", Takes::Flag),
    ("purger_files", Takes::Number),
    ("purger_sleep", Takes::Time(Clock::Milliseconds)),
    ("purger_threshold", Takes::Time(Clock::Milliseconds)),
];

/// `limit_req_zone` and `limit_conn_zone`.
pub(super) fn limit_zone(name: &str, arguments: &[Argument<'_>]) -> Option<Invalid> {
    let requests = name == "limit_req_zone";
    // NGINX Plus alone knows `sync`, always the last.
    let sync = usize::from(arguments.last().is_some_and(|last| last.is("sync")));
    let table = if requests { LIMIT_REQ_ZONE } else { LIMIT_CONN_ZONE };
    refused(&arguments[..arguments.len() - sync], 1, table).or_else(|| needs(arguments, "zone", "zone=one:10m"))
}

/// `limit_req`.
pub(super) fn limit_req(arguments: &[Argument<'_>]) -> Option<Invalid> {
    refused(arguments, 0, LIMIT_REQ).or_else(|| needs(arguments, "zone", "zone=one"))
}

/// `limit_conn`.
pub(super) fn limit_conn(arguments: &[Argument<'_>]) -> Option<Invalid> {
    let text = arguments.get(1)?.final_text()?;
    let fine = scalar::number(text).is_some_and(|number| (1..=65535).contains(&number));
    (!fine).then(|| {
        Invalid::new(
            1,
            format!("`{text}` is no number of connections"),
            "write the zone, then a number from 1 to 65535",
        )
    })
}

/// `open_file_cache`.
pub(super) fn open_file_cache(arguments: &[Argument<'_>]) -> Option<Invalid> {
    let off = arguments.iter().any(|argument| argument.is("off"));
    refused(arguments, 0, OPEN_FILE_CACHE).or_else(|| if off { None } else { needs(arguments, "max", "max=1000") })
}

/// `proxy_cache_path`, `uwsgi_cache_path` and their kin.
pub(super) fn cache_path(arguments: &[Argument<'_>]) -> Option<Invalid> {
    refused(arguments, 1, CACHE_PATH).or_else(|| needs(arguments, "keys_zone", "keys_zone=one:10m"))
}

/// A parameter that must be there, where all are in sight.
fn needs(arguments: &[Argument<'_>], name: &str, example: &str) -> Option<Invalid> {
    let has = |argument: &Argument<'_>| {
        argument.text().is_none_or(|text| text.split_once('=').is_some_and(|(known, _)| known == name))
    };
    let lacking = !arguments.iter().any(has) && !arguments.is_empty();
    lacking.then(|| {
        Invalid::new(arguments.len() - 1, format!("it must have a `{name}=`"), format!("write such as `{example}`"))
    })
}

/// `proxy_cache_valid` and its kin: codes, then a time.
pub(super) fn cache_valid(arguments: &[Argument<'_>]) -> Option<Invalid> {
    let last = arguments.len().checked_sub(1)?;
    let codes = arguments[..last].iter().enumerate().find_map(|(at, argument)| {
        let text = argument.final_text()?;
        let fine = text == "any" || scalar::number(text).is_some_and(|code| (100..=599).contains(&code));
        (!fine).then(|| {
            Invalid::new(at, format!("`{text}` is no status code"), "write codes or `any`, then a time: `200 302 10m`")
        })
    });
    codes.or_else(|| super::value::time(arguments[last].final_text()?, last, Clock::Seconds))
}

/// `resolver`: addresses of name servers, and a few parameters.
pub(super) fn resolver(arguments: &[Argument<'_>]) -> Option<Invalid> {
    const TABLE: &[Parameter] = &[
        ("valid", Takes::Time(Clock::Seconds)),
        ("ipv4", Takes::Flag),
        ("ipv6", Takes::Flag),
        ("status_zone", Takes::Text),
    ];
    arguments.iter().enumerate().find_map(|(at, argument)| {
        let text = argument.final_text()?;
        if TABLE.iter().any(|(name, _)| text.split_once('=').is_some_and(|(known, _)| known == *name)) {
            return one(text, at, TABLE);
        }
        let word = url::parse(text, Use::Connect).err()?;
        let hint = "write the address of a name server, an IPv6 one in brackets: `127.0.0.53` or `[::1]`";
        Some(Invalid::new(at, format!("{word} in `{text}`"), hint))
    })
}

/// `ssl_session_cache`.
pub(super) fn ssl_session_cache(arguments: &[Argument<'_>]) -> Option<Invalid> {
    arguments.iter().enumerate().find_map(|(at, argument)| {
        let text = argument.final_text()?;
        let fine = match text.split_once(':') {
            None => matches!(text, "off" | "none" | "builtin"),
            Some(("builtin", number)) => scalar::number(number).is_some(),
            Some(("shared", zone)) => is_zone(zone, 32),
            Some(_) => false,
        };
        let hint = "write `off`, `none`, `builtin`, or a name and a size of at least 32k: `shared:SSL:10m`";
        (!fine).then(|| Invalid::new(at, format!("`{text}` is no session cache"), hint))
    })
}

/// `zone` of an upstream.
pub(super) fn zone(arguments: &[Argument<'_>]) -> Option<Invalid> {
    let text = arguments.get(1)?.final_text()?;
    let fine = scalar::size(text).is_some_and(|size| size >= 32 * 1024);
    (!fine).then(|| {
        Invalid::new(
            1,
            format!("`{text}` is no size for a zone"),
            "write the name, then a size of at least 32k, such as `64k`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_by_their_table() {
        for text in ["zone=one:10m", "rate=10r/s", "rate=30r/m", "rate=5"] {
            assert_eq!(one(text, 0, LIMIT_REQ_ZONE), None, "{text}");
        }
        for text in ["zone=one", "zone=one:1k", "rate=0.5r/s", "rate=0", "zone=:10m", "burst=5", "rate"] {
            assert!(one(text, 0, LIMIT_REQ_ZONE).is_some(), "{text}");
        }
        assert!(one("bust=5", 0, LIMIT_REQ).is_some_and(|invalid| invalid.message.ends_with("did you mean `burst`?")));
        assert_eq!(one("nodelay", 0, LIMIT_REQ), None);
        assert!(one("nodelay=1", 0, LIMIT_REQ).is_some());
    }
}
