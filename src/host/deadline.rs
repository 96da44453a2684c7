//! How long a probe and the whole run may take; what does not end in time is left behind and reported as such.

use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The longest that one probe may take.
pub const PROBE: Duration = Duration::from_secs(3);
/// The longest that all probes of one run may take.
pub const RUN: Duration = Duration::from_secs(20);

/// The time that is left for a whole run, and for each of its probes.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    ends: Instant,
    probe: Duration,
}

impl Budget {
    /// A run of `run` from now on, of which each probe may take `probe`.
    pub fn new(run: Duration, probe: Duration) -> Self {
        Self { ends: Instant::now() + run, probe }
    }

    /// When a probe that starts now has to end.
    pub fn deadline(&self) -> Deadline {
        Deadline(self.ends.min(Instant::now() + self.probe))
    }

    /// Whether the time of the whole run is over: what did not answer was not given the time of a probe.
    pub fn is_spent(&self) -> bool {
        Deadline(self.ends).left().is_none()
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(RUN, PROBE)
    }
}

/// When a probe has to end.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// What is left, or `None` where the time is over; never zero, which sockets would take for "no limit".
    pub fn left(&self) -> Option<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        (left > Duration::from_millis(1)).then_some(left)
    }

    /// The result of `work`, or `None` where it did not end in time; its thread is then left behind.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let left = self.left()?;
        let (done, result) = mpsc::sync_channel(1);
        std::thread::Builder::new()
            .name("probe".to_owned())
            .spawn(move || {
                // Nobody waits any more where this fails.
                let _ = done.send(work());
            })
            .ok()?;
        result.recv_timeout(left).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn work_that_hangs_is_left_behind() {
        let budget = Budget::new(Duration::from_secs(5), Duration::from_millis(50));
        let begin = Instant::now();
        assert_eq!(budget.deadline().run(|| std::thread::sleep(Duration::from_secs(30))), None);
        assert!(begin.elapsed() < Duration::from_secs(5));
        assert_eq!(budget.deadline().run(|| 7), Some(7));
    }

    #[test]
    fn a_spent_budget_starts_nothing() {
        let budget = Budget::new(Duration::ZERO, PROBE);
        assert!(budget.deadline().left().is_none());
        assert_eq!(budget.deadline().run(|| 7), None);
    }
}
