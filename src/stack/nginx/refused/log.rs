//! `access_log`, `error_log` and `log_format`: what stands behind the path or the name.

use super::argument::{Argument, Invalid};
use super::parameter::{self, Parameter, Takes};
use crate::nearest::did_you_mean;
use crate::stack::nginx::scalar::{self, Clock};

const ACCESS_LOG: &[Parameter] =
    &[("buffer", Takes::Size), ("flush", Takes::Time(Clock::Milliseconds)), ("if", Takes::Text)];

/// What nginx refuses in an `access_log`.
pub(super) fn access_log(arguments: &[Argument<'_>]) -> Option<Invalid> {
    if arguments.first()?.is("off") {
        let text = arguments.get(1)?.final_text()?;
        return Some(Invalid::new(1, format!("`{text}` cannot follow `off`"), "write `access_log off` alone"));
    }
    arguments.iter().enumerate().skip(2).find_map(|(at, argument)| {
        let text = argument.final_text()?;
        match text.strip_prefix("gzip") {
            Some("") => None,
            Some(level) if level.starts_with('=') => {
                let fine = scalar::number(&level[1..]).is_some_and(|level| (1..=9).contains(&level));
                (!fine).then(|| Invalid::new(at, format!("`{text}` is no level"), "write `gzip=1` to `gzip=9`"))
            }
            _ => parameter::refused(&arguments[..=at], at, ACCESS_LOG),
        }
    })
}

/// A level that is none (`ngx_log_set_levels`).
pub(super) fn error_log(arguments: &[Argument<'_>]) -> Option<Invalid> {
    const LEVELS: [&str; 14] = [
        "emerg",
        "alert",
        "crit",
        "error",
        "warn",
        "notice",
        "info",
        "debug",
        "debug_core",
        "debug_alloc",
        "debug_mutex",
        "debug_event",
        "debug_http",
        "debug_mail",
    ];
    arguments.iter().enumerate().skip(1).find_map(|(at, argument)| {
        let text = argument.final_text()?;
        let fine = LEVELS.contains(&text) || text == "debug_stream";
        (!fine).then(|| {
            let message = format!("`{text}` is no level of the error log{}", did_you_mean(text, LEVELS));
            Invalid::new(at, message, "write `debug`, `info`, `notice`, `warn`, `error`, `crit`, `alert` or `emerg`")
        })
    })
}

/// An escaping that is none.
pub(super) fn format(arguments: &[Argument<'_>]) -> Option<Invalid> {
    let text = arguments.get(1)?.final_text()?;
    let escaping = text.strip_prefix("escape=")?;
    let fine = matches!(escaping, "default" | "json" | "none");
    (!fine).then(|| {
        Invalid::new(
            1,
            format!("nginx knows no escaping `{escaping}`"),
            "write `escape=json`, `escape=none` or `escape=default`",
        )
    })
}
