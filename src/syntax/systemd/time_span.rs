//! Time spans as systemd writes them: `90`, `1min 30s`, `infinity` (systemd.time(7); systemd: time-util.c, `parse_time`).

/// Units by all their names, with their seconds; a number without one counts seconds.
const UNITS: [(&[&str], f64); 10] = [
    (&["", "seconds", "second", "sec", "s"], 1.0),
    (&["minutes", "minute", "min", "m"], 60.0),
    (&["months", "month", "M"], 2_629_800.0),
    (&["msec", "ms"], 1e-3),
    (&["hours", "hour", "hr", "h"], 3_600.0),
    (&["days", "day", "d"], 86_400.0),
    (&["weeks", "week", "w"], 604_800.0),
    (&["years", "year", "y"], 31_557_600.0),
    (&["usec", "us", "µs", "μs"], 1e-6),
    (&["nsec", "ns"], 1e-9),
];

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TimeSpan {
    /// So many seconds.
    Seconds(f64),
    /// As long as it likes.
    Infinity,
}

/// Reads a span: numbers, each with a unit or seconds where it has none; `None` where systemd would ignore the line.
pub fn parse(text: &str) -> Option<TimeSpan> {
    if text == "infinity" {
        return Some(TimeSpan::Infinity);
    }
    let mut rest = text.trim();
    let mut seconds = None;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number = Some(&rest[..end]).filter(|number| number.starts_with(|first: char| first.is_ascii_digit()))?;
        let after = rest[end..].trim_start();
        let unit = after.find(|c: char| c.is_ascii_digit() || c == ' ').unwrap_or(after.len());
        let (_, factor) = UNITS.iter().find(|(names, _)| names.contains(&&after[..unit]))?;
        seconds = Some(seconds.unwrap_or(0.0) + number.parse::<f64>().ok()? * factor);
        rest = after[unit..].trim_start();
    }
    seconds.map(TimeSpan::Seconds)
}

#[cfg(test)]
mod tests {
    use super::{TimeSpan, parse};

    #[test]
    fn numbers_add_up_each_with_its_unit() {
        for (text, seconds) in [("90", 90.0), ("1min 30s", 90.0), ("2h", 7200.0), ("1.5m", 90.0), ("500ms", 0.5)] {
            assert_eq!(parse(text), Some(TimeSpan::Seconds(seconds)), "{text}");
        }
        assert_eq!(parse("infinity"), Some(TimeSpan::Infinity));
        assert!(["", "soon", "5 parsecs", "-1", "s", "1.2.3"].into_iter().all(|text| parse(text).is_none()));
    }
}
