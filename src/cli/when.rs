//! Times and spans of time as people type them, or paste them from a log.

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

/// `15m`, `2h`, `1d`, in seconds. Errors: what is none, in a sentence.
pub(super) fn span(text: &str) -> Result<i64, String> {
    let days = text.trim().strip_suffix('d').and_then(|days| days.trim().parse::<i64>().ok());
    let seconds = match days {
        Some(days) => days.checked_mul(86400),
        None => text.trim().parse::<SignedDuration>().ok().map(|span| span.as_secs()),
    };
    seconds.filter(|seconds| *seconds > 0).ok_or_else(|| "write it as 15m, 2h or 1d".to_owned())
}

/// A moment in seconds since 1970: in UTC with a `Z` or an offset, else by the host's clock, which is `ahead` seconds ahead
/// of UTC. Dates of nginx's and uWSGI's logs are understood too. Errors: what is none, in a sentence.
pub(super) fn moment(text: &str, ahead: i64) -> Result<i64, String> {
    let text = text.trim().trim_matches(['[', ']']);
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment.as_second());
    }
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let local = text
        .replace('/', "-")
        .parse::<civil::DateTime>()
        .or_else(|_| civil::DateTime::strptime("%Y-%m-%d %H:%M", squeezed.replace('/', "-")))
        .or_else(|_| civil::DateTime::strptime("%a %b %d %H:%M:%S %Y", &squeezed));
    let zoned = local.ok().and_then(|local| local.to_zoned(TimeZone::UTC).ok());
    let seconds = zoned.map(|zoned| zoned.timestamp().as_second());
    seconds.map(|seconds| seconds.saturating_sub(ahead)).ok_or_else(|| {
        format!("`{text}` is no time: write 2026-05-04 02:15 (the host's clock) or 2026-05-04T02:15:00Z")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_taken_as_logs_write_them() {
        for text in [
            "2016-05-04T02:15:00Z",
            "2016-05-04 04:15",
            "2016/05/04 04:15:00",
            "Wed May  4 04:15:00 2016",
            "[2016-05-04T04:15:00+02:00]",
        ] {
            assert_eq!(moment(text, 7200), Ok(1_462_328_100), "{text}");
        }
        assert!(moment("yesterday", 0).is_err());
        assert_eq!((span("15m"), span("2h"), span("1d")), (Ok(900), Ok(7200), Ok(86400)));
        assert!(span("0s").is_err() && span("-5m").is_err() && span("soon").is_err());
    }
}
