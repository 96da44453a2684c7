//! The host's time zone, because logs write local time without saying which.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Files;

/// Seconds to add to UTC for the host's local time at `now`, by its `/etc/localtime`; 0 where that is not there or not understood.
pub fn offset(files: &(impl Files + ?Sized), now: i64) -> i64 {
    files.read("/etc/localtime").ok().and_then(|bytes| of_file(&bytes, now)).unwrap_or(0)
}

fn of_file(bytes: &[u8], now: i64) -> Option<i64> {
    let zone = TimeZone::tzif("localtime", bytes).ok()?;
    Some(zone.to_offset(Timestamp::from_second(now).ok()?).seconds().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Standard time of +1 h until 1000, then summer time of +2 h.
    fn file() -> Vec<u8> {
        let counts: [i32; 6] = [0, 0, 0, 1, 2, 8];
        let mut bytes = b"TZif".to_vec();
        bytes.resize(20, 0);
        counts.iter().for_each(|count| bytes.extend(count.to_be_bytes()));
        bytes.extend(1000_i32.to_be_bytes());
        bytes.push(1);
        for (offset, name) in [(3600_i32, 0), (7200, 4)] {
            bytes.extend(offset.to_be_bytes());
            bytes.extend([0, name]);
        }
        bytes.extend(b"CET\0EST\0");
        bytes
    }

    #[test]
    fn the_last_transition_counts() {
        assert_eq!(of_file(&file(), 999), Some(3600));
        assert_eq!(of_file(&file(), 1000), Some(7200));
    }

    #[test]
    fn any_other_file_says_nothing() {
        assert_eq!(of_file(b"Europe/Berlin\n", 0), None);
        for length in 0..file().len() {
            let _ = of_file(&file()[..length], 1000);
        }
        assert_eq!(of_file(&file()[..50], 1000), None);
    }
}
