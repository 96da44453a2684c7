//! Moments as the host's clock had them.

use jiff::Timestamp;
use jiff::tz::Offset;

/// `at`, in seconds since 1970, by a clock that is `ahead` of UTC by so many seconds; `…` where that is no time.
pub(super) fn moment(at: i64, ahead: i64, format: &str) -> String {
    let zoned = || {
        let offset = Offset::from_seconds(i32::try_from(ahead).ok()?).ok()?;
        Some(Timestamp::from_second(at).ok()?.to_zoned(offset.to_time_zone()))
    };
    zoned().map_or_else(|| "\u{2026}".to_owned(), |zoned| zoned.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn a_moment_is_told_by_the_hosts_clock() {
        assert_eq!(moment(1_462_327_200, 7200, "%Y-%m-%dT%H:%M:%S%:z"), "2016-05-04T04:00:00+02:00");
        assert_eq!(moment(i64::MAX, 0, "%H"), "\u{2026}");
    }
}
