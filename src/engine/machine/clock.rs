//! uWSGI's requests are dated by their worker, whose time zone the app may change: Django sets it to its `TIME_ZONE`
//! (django/conf/__init__.py, `time.tzset()`), which is Chicago's where nobody says another.

use crate::syntax::log::{Event, UwsgiLine};

/// Time zones lie a multiple of this apart, in seconds: Nepal's is 5:45 ahead.
const STEP: i64 = 15 * 60;
/// How long after its request a line may have been written, besides what the request took, in seconds.
const SLACK: i64 = 60;
/// The furthest that two zones lie apart, in seconds: -12:00 and +14:00.
const FURTHEST: i64 = 26 * 60 * 60;

/// Dates the requests of a log by its host's clock.
///
/// The last request tells how far they are off: it was written when the file was, at `written` by that clock. Where anything but
/// the start of another worker follows it, or its time fits to no time zone, they stay as they are.
pub(super) fn set(lines: &mut [UwsgiLine], text: &str, written: i64) {
    let Some(last) = lines.iter().rposition(|line| matches!(line.event, Event::Request(_))) else { return };
    let starts = |line: &UwsgiLine| matches!(line.event, Event::AppReady { .. } | Event::WorkerSpawned { .. });
    let behind = text.get(lines[last].span.end as usize..).unwrap_or_default();
    let written_behind = behind.lines().filter(|line| !line.trim().is_empty()).count();
    if !lines[last + 1..].iter().all(starts) || written_behind != lines.len() - last - 1 {
        return;
    }
    let Some(off) = off(&lines[last], written) else { return };
    for line in lines {
        if let Event::Request(request) = &mut line.event {
            request.time = request.time.map(|time| time.saturating_sub(off));
        }
    }
}

/// How far the time of a line is ahead of when it was written; `None` where it is no more than an old line.
fn off(line: &UwsgiLine, written: i64) -> Option<i64> {
    let Event::Request(request) = &line.event else { return None };
    let ended = request.time?.saturating_add(request.milliseconds.unwrap_or(0) / 1000);
    let ahead = ended.saturating_sub(written);
    let off = ahead.saturating_add(STEP / 2).div_euclid(STEP).saturating_mul(STEP);
    let is_zone = (off - FURTHEST..=off + FURTHEST).contains(&0) && (ahead - off).abs() <= SLACK;
    (is_zone && off != 0).then_some(off)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::syntax::log::parse_uwsgi;

    /// The times of the requests of a log that was written at noon on 25 November 2026.
    fn times(log: &str) -> Vec<i64> {
        const NOON: i64 = 1_795_608_000;
        let mut lines = parse_uwsgi(log);
        set(&mut lines, log, NOON);
        let times = lines.iter().filter_map(|line| match &line.event {
            Event::Request(request) => request.time,
            _ => None,
        });
        times.map(|time| time - NOON).collect()
    }

    fn request(time: &str, took: i64) -> String {
        format!(
            "[pid: 7|app: 0|req: 1/1] 127.0.0.1 () {{28 vars in 306 bytes}} [Wed Nov 25 {time} 2026] GET / => generated 8 \
             bytes in {took} msecs (HTTP/1.0 500) 1 headers in 59 bytes (1 switches on core 0)\n"
        )
    }

    #[test]
    fn the_last_line_was_written_when_the_file_was() {
        let chicago = request("05:50:00", 10) + &request("05:59:58", 1500);
        assert_eq!(times(&chicago), [-600, -2]);
        let kathmandu = request("17:44:57", 3);
        assert_eq!(times(&kathmandu), [-3]);
        assert_eq!(times(&request("11:59:59", 3)), [-1], "the host's own zone");
        let ready =
            "WSGI app 0 (mountpoint='') ready in 0 seconds on interpreter 0x7f0411960018 pid: 9 (default app)\n";
        assert_eq!(times(&(request("05:59:58", 3) + ready)), [-2], "another worker has come up since");
    }

    #[test]
    fn an_old_line_stays_old() {
        assert_eq!(times(&request("09:53:00", 3)), [-7620], "no zone lies so far off");
        let open = request("05:59:58", 3) + "*** HARAKIRI ON WORKER 1 (pid: 7, try: 1) ***\n";
        assert_eq!(times(&open), [-21602], "another line was the last");
    }
}
