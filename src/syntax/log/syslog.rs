//! What a syslog daemon and journalctl put before each line, and what the kernel writes of processes that it ends for memory.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::lines;
use crate::source::Span;

/// Lines as their program wrote them, where all of them begin as journalctl's short form does:
/// `Nov 25 13:00:01 host uwsgi[812]: `. Any other text is left as it is.
pub fn without_prefixes(bytes: &[u8]) -> Vec<u8> {
    let is_note = |line: &[u8]| line.starts_with(b"-- ");
    let fits = |line: &[u8]| line.is_empty() || is_note(line) || prefix(line).is_some();
    if !bytes.split(|byte| *byte == b'\n').all(fits) {
        return bytes.to_vec();
    }
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| !is_note(line));
    lines.flat_map(|line| &line[prefix(line).unwrap_or(0)..]).copied().collect()
}

/// How long the prefix of a line is: time, host, and `program[pid]: `.
fn prefix(line: &[u8]) -> Option<usize> {
    const LONGEST: usize = 200;
    let start = String::from_utf8_lossy(&line[..line.len().min(LONGEST)]);
    let (_, rest) = stamp(&start)?;
    let (tag, _) = rest.split_once(": ")?;
    let (_host, program) = tag.trim_start().split_once(' ')?;
    let length = start.len() - rest.len() + tag.len() + ": ".len();
    (program.ends_with(']') && !program.contains(' ') && start.is_char_boundary(length)).then_some(length)
}

/// A time as syslog writes it.
#[derive(Debug, Clone, Copy)]
enum Stamp {
    /// RFC 3164 leaves the year out; here it stands in a leap year.
    InYear(DateTime),
    /// RFC 5424.
    Whole(DateTime),
}

/// The time a line begins with, and the rest of the line.
fn stamp(line: &str) -> Option<(Stamp, &str)> {
    const SHORT: usize = "Nov 25 13:00:01".len();
    const LONG: usize = "2026-11-25T13:00:01".len();
    if let Some((short, rest)) = line.split_at_checked(SHORT)
        && rest.starts_with(' ')
        && let Ok(time) = DateTime::strptime("%Y %b %e %H:%M:%S", format!("2024 {short}"))
    {
        return Some((Stamp::InYear(time), rest));
    }
    let (long, rest) = line.split_once(' ')?;
    let time = DateTime::strptime("%Y-%m-%dT%H:%M:%S", long.get(..LONG)?).ok()?;
    Some((Stamp::Whole(time), &line[line.len() - rest.len() - 1..]))
}

impl Stamp {
    /// Seconds since 1970 by the host's local time: of the years that it may be in, the last one not after `now`.
    fn seconds(self, now: i64) -> Option<i64> {
        let seconds = |time: DateTime| Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second());
        let time = match self {
            Stamp::Whole(time) => return seconds(time),
            Stamp::InYear(time) => time,
        };
        let this = Timestamp::from_second(now).ok()?.to_zoned(TimeZone::UTC).year();
        let in_year = |year| seconds(time.with().year(year).build().ok()?);
        // A minute for a clock that was set.
        in_year(this).filter(|then| *then <= now.saturating_add(60)).or_else(|| in_year(this - 1))
    }
}

/// A process that the kernel ended because memory was used up: `oom_kill_process` of mm/oom_kill.c.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfMemory {
    /// The line.
    pub span: Span,
    /// Seconds since 1970 by the host's local time.
    pub time: i64,
    /// The process.
    pub pid: i32,
    /// The kernel's name for it, at most 15 bytes.
    pub name: String,
    /// Whether it was the limit of a group and not the machine's memory that was used up.
    pub of_group: bool,
}

/// The processes that were ended for memory by a log of the kernel; `now` is by the host's local time.
pub fn out_of_memory(text: &str, now: i64) -> Vec<OutOfMemory> {
    let found = lines(text).filter_map(|(start, line)| {
        let (before, killed) = line
            .split_once("out of memory: Killed process ")
            .map(|found| (true, found))
            .or_else(|| line.split_once("Out of memory: Killed process ").map(|found| (false, found)))
            .map(|(of_group, (_, killed))| (of_group, killed))?;
        // `7151 (uwsgi) total-vm:…`, older kernels `7151, UID 33, (uwsgi)`.
        let digits = killed.bytes().take_while(u8::is_ascii_digit).count();
        let name = killed.split_once('(')?.1.split_once(')')?.0;
        Some(OutOfMemory {
            span: Span::new(start, start + line.len()),
            time: stamp(line)?.0.seconds(now)?,
            pid: killed[..digits].parse().ok()?,
            name: name.to_owned(),
            of_group: before,
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_journals_prefix_is_taken_off_where_every_line_has_it() {
        let text = "-- Journal begins at Tue --\nNov 25 13:00:01 web1 uwsgi[812]: spawned: 1\nNov  5 03:00:01 web1 uwsgi[812]:   File\n";
        assert_eq!(without_prefixes(text.as_bytes()), b"spawned: 1\n  File\n");
        let long = "2026-11-25T13:00:01+0100 web1 uwsgi[812]: spawned\n";
        assert_eq!(without_prefixes(long.as_bytes()), b"spawned\n");
        for other in ["[pid: 1|app: 0] GET /: x\n", "Nov 25 13:00:01 web1 uwsgi[812]: a\nTraceback (most: x\n", ""] {
            assert_eq!(without_prefixes(other.as_bytes()), other.as_bytes());
        }
    }

    #[test]
    fn the_kernel_names_whom_it_ended() {
        // 2026-01-02 00:00:00
        let now = 1_767_312_000;
        let text = "Jan  1 23:59:00 web1 kernel: [7.1] Memory cgroup out of memory: Killed process 7151 (uwsgi) total-vm:1kB\n\
                    2026-01-01T23:58:00.123456+00:00 web1 kernel: Out of memory: Killed process 9, UID 33, (nginx) total-vm\n\
                    Dec 31 10:00:00 web1 kernel: Out of memory: Killed process 8 (python3)\n\
                    Jan  1 23:59:00 web1 kernel: something else\n";
        let found = out_of_memory(text, now);
        let seen: Vec<_> = found.iter().map(|one| (now - one.time, one.pid, one.name.as_str(), one.of_group)).collect();
        assert_eq!(seen, [(60, 7151, "uwsgi", true), (120, 9, "nginx", false), (136_800, 8, "python3", false)]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(Nov 25 13:00:01|2026-11-25T13:00:01Z|[^\n]{0,20}) ?(h u\\[1\\]: )?(Out of memory: Killed process )?[^\n]{0,40}") {
            let _ = (without_prefixes(text.as_bytes()), out_of_memory(&text, 0));
        }
    }
}
