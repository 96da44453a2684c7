//! The moment that doctor looks at, and how long before it a log line may have been written to tell of it.

use super::Visit;
use crate::host::{Host, zone};

/// How long ago a line may have been written to tell of now, in seconds, where the user does not say.
const RECENT: i64 = 15 * 60;

impl Visit {
    /// How long before the moment lines are recent, in seconds.
    pub(super) fn recent(&self) -> i64 {
        self.since.unwrap_or(RECENT)
    }

    /// The moment, in seconds since 1970.
    pub(super) fn moment(&self, host: &dyn Host) -> i64 {
        self.at.unwrap_or_else(|| host.now())
    }

    /// How far the host's logs are ahead of UTC at that moment, in seconds: they write local time.
    pub(super) fn ahead(&self, host: &dyn Host) -> i64 {
        zone::offset(host, self.moment(host))
    }

    /// The moment as the host's logs write it.
    pub(super) fn in_logs(&self, host: &dyn Host) -> i64 {
        self.moment(host).saturating_add(self.ahead(host))
    }

    /// What is recent, in words: `the last 15 minutes`.
    pub(super) fn period(&self) -> String {
        let seconds = self.recent();
        let (number, unit) = match seconds {
            _ if seconds % 86400 == 0 => (seconds / 86400, "day"),
            _ if seconds % 3600 == 0 => (seconds / 3600, "hour"),
            _ if seconds % 60 == 0 => (seconds / 60, "minute"),
            _ => (seconds, "second"),
        };
        let length = if number == 1 { unit.to_owned() } else { format!("{number} {unit}s") };
        if self.at.is_some() { format!("the {length} before that") } else { format!("the last {length}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_said_in_its_largest_unit() {
        let period = |since, at| Visit { since, at, ..Visit::default() }.period();
        assert_eq!(period(None, None), "the last 15 minutes");
        assert_eq!(period(Some(3600), None), "the last hour");
        assert_eq!(period(Some(90), Some(5)), "the 90 seconds before that");
    }
}
