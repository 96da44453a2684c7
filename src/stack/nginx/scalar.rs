//! Flags, numbers, sizes and times as nginx reads them (`ngx_string.c`, `ngx_parse.c`).

/// A whole number, digits alone (`ngx_atoi`).
pub(super) fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Bytes, with `k` or `m` (`ngx_parse_size`).
pub(super) fn size(text: &str) -> Option<i64> {
    scaled(text, &[(b'k', 1 << 10), (b'm', 1 << 20)])
}

/// Bytes, with `k`, `m` or `g` (`ngx_parse_offset`).
pub(super) fn offset(text: &str) -> Option<i64> {
    scaled(text, &[(b'k', 1 << 10), (b'm', 1 << 20), (b'g', 1 << 30)])
}

fn scaled(text: &str, units: &[(u8, i64)]) -> Option<i64> {
    let last = text.as_bytes().last()?.to_ascii_lowercase();
    match units.iter().find(|(unit, _)| *unit == last) {
        Some((_, scale)) => number(&text[..text.len() - 1])?.checked_mul(*scale),
        None => number(text),
    }
}

/// The unit of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// `30s`, `1h 30m`, `500ms`: no months or years.
    Milliseconds,
    /// `30s`, `1y`: no milliseconds.
    Seconds,
}

/// Milliseconds or seconds, the larger units first (`ngx_parse_time`).
pub(super) fn time(text: &str, clock: Clock) -> Option<i64> {
    let seconds = clock == Clock::Seconds;
    let mut rest = text;
    let (mut total, mut rank, mut any) = (0_i64, if seconds { 0 } else { 2 }, false);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let value = if digits == 0 { 0 } else { number(&rest[..digits])? };
        any |= digits > 0;
        rest = &rest[digits..];
        if rest.is_empty() {
            total = total.checked_add(value.checked_mul(if seconds { 1 } else { 1000 })?)?;
            break;
        }
        let (taken, unit, scale) = match rest.as_bytes() {
            [b'y', ..] if rank == 0 => (1, 1, 60 * 60 * 24 * 365),
            [b'M', ..] => (1, 2, 60 * 60 * 24 * 30),
            [b'w', ..] => (1, 3, 60 * 60 * 24 * 7),
            [b'd', ..] => (1, 4, 60 * 60 * 24),
            [b'h', ..] => (1, 5, 60 * 60),
            [b'm', b's', ..] if seconds => return None,
            [b'm', b's', ..] => (2, 8, 1),
            [b'm', ..] => (1, 6, 60),
            [b's', ..] => (1, 7, 1),
            [b' ', ..] if rank < 7 => (1, 9, 1),
            _ => return None,
        };
        if rank >= unit {
            return None;
        }
        rank = unit;
        let scale = if seconds || unit == 8 { scale } else { scale * 1000 };
        total = total.checked_add(value.checked_mul(scale)?)?;
        rest = rest[taken..].trim_start_matches(' ');
    }
    any.then_some(total)
}

/// Whether `text` is an address or a network such as `10.0.0.0/8` or `::1` (`ngx_ptocidr`).
pub(super) fn is_network(text: &str) -> bool {
    let (address, mask) = text.split_once('/').map_or((text, None), |(address, mask)| (address, Some(mask)));
    let most = match address.parse::<core::net::IpAddr>() {
        Ok(core::net::IpAddr::V4(_)) => 32,
        Ok(core::net::IpAddr::V6(_)) => 128,
        // nginx takes `010.0.0.1` too.
        Err(_) if is_lenient_v4(address) => 32,
        Err(_) => return false,
    };
    mask.is_none_or(|mask| number(mask).is_some_and(|bits| bits <= most))
}

fn is_lenient_v4(text: &str) -> bool {
    text.split('.').count() == 4 && text.split('.').all(|part| number(part).is_some_and(|number| number <= 255))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("10m"), Some(10 << 20));
        assert_eq!(size("8K"), Some(8192));
        assert_eq!(offset("1G"), Some(1 << 30));
        for refused in ["", "1g", "10q", "m", "1 m", "-1", "1.5m", "99999999999999999999"] {
            assert_eq!(size(refused), None, "{refused}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(time("30", Clock::Seconds), Some(30));
        assert_eq!(time("30s", Clock::Milliseconds), Some(30_000));
        assert_eq!(time("1h 30m", Clock::Milliseconds), Some(5_400_000));
        assert_eq!(time("1h30", Clock::Seconds), Some(3630));
        assert_eq!(time("500ms", Clock::Milliseconds), Some(500));
        assert_eq!(time("1y1M", Clock::Seconds), Some(60 * 60 * 24 * 395));
        for refused in ["", "10q", "s", "1m1h", "1s1s", "30sec", "1y", "1M", "-1", "1d ms s"] {
            assert_eq!(time(refused, Clock::Milliseconds), None, "{refused}");
        }
        assert_eq!(time("500ms", Clock::Seconds), None);
        assert_eq!(time(&"9".repeat(30), Clock::Seconds), None);
    }

    #[test]
    fn networks() {
        assert!(
            is_network("10.0.0.0/8") && is_network("::1") && is_network("2001:db8::/32") && is_network("127.0.0.1")
        );
        assert!(!is_network("10.0.0.0/33") && !is_network("10.0.0/8") && !is_network("::1/129") && !is_network("all"));
    }
}
