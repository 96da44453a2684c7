//! One line on a terminal while a command works for longer than a moment, erased when it is done.

use std::io::Write;
use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Nobody needs to be told sooner; then the line is written anew as often.
const PATIENCE: Duration = Duration::from_secs(1);
/// As much as the main thread has, because readers recurse.
const STACK: usize = 8 << 20;
/// To the first column, and erase to the end of the line.
const ERASE: &str = "\r\x1b[K";

/// Does the work on a thread of its own, and says on `err` that it is still at it once that takes over a second.
pub(super) fn shown_while<T: Send>(work: impl Fn() -> T + Sync, err: &mut dyn Write) -> T {
    shown_after(PATIENCE, work, err)
}

fn shown_after<T: Send>(patience: Duration, work: impl Fn() -> T + Sync, err: &mut dyn Write) -> T {
    let start = Instant::now();
    thread::scope(|scope| {
        let (done, wait) = channel::<()>();
        let work = &work;
        let started = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
            // Dropped when the work ends, by a panic too.
            let _done = done;
            work()
        });
        // Where no thread can be had, the work is done without a word.
        let Ok(worker) = started else { return work() };
        let mut written = false;
        while wait.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            let _ = write!(err, "{ERASE}housecall: reading, {} s", start.elapsed().as_secs());
            let _ = err.flush();
            written = true;
        }
        if written {
            let _ = write!(err, "{ERASE}");
            let _ = err.flush();
        }
        worker.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn only_long_work_is_spoken_of_and_the_line_is_erased() {
        let mut err = Vec::new();
        assert_eq!(shown_after(Duration::from_secs(60), || 7, &mut err), 7);
        assert_eq!(err, b"");
        let slow = || thread::sleep(Duration::from_millis(60));
        shown_after(Duration::from_millis(20), slow, &mut err);
        let text = String::from_utf8(err).unwrap();
        assert!(text.contains("housecall: reading, 0 s") && text.ends_with(ERASE), "{text:?}");
    }

    #[test]
    #[should_panic(expected = "as it was")]
    fn a_panic_comes_through() {
        shown_after(Duration::from_secs(60), || panic!("as it was"), &mut Vec::new());
    }
}
