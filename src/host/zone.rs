//! The host's time zone, because logs write local time without saying which: `/etc/localtime`, as tzfile(5) has it.

use super::Files;

/// Seconds to add to UTC for the host's local time at `now`; 0 where the file is not there or not understood.
pub fn offset(files: &(impl Files + ?Sized), now: i64) -> i64 {
    files.read("/etc/localtime").ok().and_then(|bytes| of_file(&bytes, now)).unwrap_or(0)
}

/// Reads the first block of a file, which holds the transitions of 1901 to 2037.
fn of_file(bytes: &[u8], now: i64) -> Option<i64> {
    const HEADER: usize = 44;
    if bytes.get(..4)? != b"TZif" {
        return None;
    }
    let count = |at: usize| Some(be32(bytes.get(20 + at * 4..)?)? as usize);
    let (transitions, types) = (count(3)?, count(4)?);
    let times = bytes.get(HEADER..HEADER + transitions * 4)?;
    let kinds = bytes.get(HEADER + transitions * 4..HEADER + transitions * 5)?;
    let infos = bytes.get(HEADER + transitions * 5..HEADER + transitions * 5 + types * 6)?;
    let passed = times.chunks(4).filter_map(be32).take_while(|time| i64::from(*time) <= now).count();
    let kind = match passed.checked_sub(1) {
        Some(last) => usize::from(*kinds.get(last)?),
        None => 0,
    };
    Some(i64::from(be32(infos.get(kind * 6..)?)?))
}

fn be32(bytes: &[u8]) -> Option<i32> {
    Some(i32::from_be_bytes(bytes.get(..4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Standard time of +1 h until 1000, then summer time of +2 h.
    fn file() -> Vec<u8> {
        let counts: [i32; 6] = [0, 0, 0, 1, 2, 4];
        let mut bytes = b"TZif2".to_vec();
        bytes.resize(20, 0);
        counts.iter().for_each(|count| bytes.extend(count.to_be_bytes()));
        bytes.extend(1000_i32.to_be_bytes());
        bytes.push(1);
        for offset in [3600_i32, 7200] {
            bytes.extend(offset.to_be_bytes());
            bytes.extend([0, 0]);
        }
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
