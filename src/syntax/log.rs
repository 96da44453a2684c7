//! Log lines of nginx and uWSGI, with a span on every part that a finding may quote.
//!
//! A log is a text of many writers: workers interleave their lines, so each line is read for itself as far as possible.

mod cursor;
pub mod nginx;
pub mod uwsgi;

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
pub(crate) fn seconds(year: i64, month: i64, day: i64, clock: &str) -> Option<i64> {
    let mut parts = clock.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let in_range = (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !in_range || !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..=60).contains(&second) {
        return None;
    }
    // Days of the civil calendar, counted from March so that a leap day is the last of its year.
    let (from_march, year) = ((month + 9) % 12, if month <= 2 { year - 1 } else { year });
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = 365 * year + leap_days + (from_march * 306 + 5) / 10 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_1970() {
        assert_eq!(seconds(1970, 1, 1, "00:00:00"), Some(0));
        assert_eq!(seconds(2016, 5, 4, "02:15:00"), Some(1_462_328_100));
        assert_eq!(seconds(2016, 2, 29, "12:00:00"), Some(1_456_747_200));
        assert_eq!(seconds(2016, 13, 1, "00:00:00"), None);
        assert_eq!(seconds(2016, 1, 1, "00:00"), None);
    }

    #[test]
    fn lines_keep_their_offsets() {
        let found: Vec<_> = lines("a\r\n\nb").collect();
        assert_eq!(found, [(0, "a"), (3, ""), (4, "b")]);
    }
}
