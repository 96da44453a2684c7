//! Log lines of nginx and uWSGI, with a span on every part that a finding may quote.
//!
//! A log is a text of many writers: workers interleave their lines, so each line is read for itself as far as possible.

mod cursor;
pub mod nginx;
pub mod syslog;
pub mod uwsgi;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

pub use nginx::{NginxError, parse_nginx_error};
pub use uwsgi::{Event, UwsgiLine, parse_uwsgi};

/// The lines of a text without their ends, each with the offset of its first byte.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |next, line| {
        let start = *next;
        *next += line.len();
        Some((start, line.trim_end_matches(['\n', '\r'])))
    })
}

/// Seconds since 1970 of a date and time as written; the time zone of a log is its host's and not in the line.
pub(crate) fn seconds(format: &str, stamp: &str) -> Option<i64> {
    let local = DateTime::strptime(format, stamp).ok()?;
    Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines that look right for a while, and then do not.
    fn broken_lines() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "2016/05/04 02:10:00 [crit] 1#1: *7 ",
            "x (13: y) ",
            ", client: a",
            ", request: \"",
            "\"",
            ", upstream: \"",
            "[pid: 1|app: -1|req: 1/1] h () {1 vars in 2 bytes} [Wed May  4 02:15:00 2016] GET / => generated 1 bytes in 1 msecs (HTTP/1.1 500) ",
            "0 headers in 0 bytes",
            "Traceback (most recent call last):",
            "  File \"",
            "\", line 3",
            "KeyError: 'A'",
            "spawned uWSGI worker 1 (pid: 9",
            "DAMN ! worker 1 (pid: 9) died, killed by signal ",
            "\n",
            "\r\n",
            " ",
            ": ",
            "\u{1a}",
            "\u{e9}",
            "-",
            "99999999999999999999",
        ]);
        prop::collection::vec(prop_oneof![3 => pieces.prop_map(str::to_owned), 1 => ".{0,8}"], 0..24)
            .prop_map(|all| all.concat())
    }

    proptest! {
        #[test]
        fn any_text_is_survived_with_spans_inside_it(text in broken_lines()) {
            for error in nginx::parse_nginx(&text) {
                prop_assert_eq!(error.message.span.of(&text), error.message.value.as_str());
                for part in [error.client, error.server, error.request, error.upstream, error.host].into_iter().flatten() {
                    prop_assert_eq!(part.span.of(&text), part.value.as_str());
                }
            }
            for line in parse_uwsgi(&text) {
                prop_assert!(!line.span.of(&text).is_empty());
                match line.event {
                    Event::Request(request) => prop_assert_eq!(request.uri.span.of(&text), request.uri.value.as_str()),
                    Event::Traceback { exception, .. } => prop_assert_eq!(exception.span.of(&text), exception.value.as_str()),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn times_count_from_1970() {
        let seconds = |stamp| seconds("%Y/%m/%d %H:%M:%S", stamp);
        assert_eq!(seconds("1970/01/01 00:00:00"), Some(0));
        assert_eq!(seconds("2016/05/04 02:15:00"), Some(1_462_328_100));
        assert_eq!(seconds("2016/02/29 12:00:00"), Some(1_456_747_200));
        assert_eq!(seconds("2016/13/01 00:00:00"), None);
        assert_eq!(seconds("2016/01/01 00:00"), None);
    }

    #[test]
    fn lines_keep_their_offsets() {
        let found: Vec<_> = lines("a\r\n\nb").collect();
        assert_eq!(found, [(0, "a"), (3, ""), (4, "b")]);
    }
}
