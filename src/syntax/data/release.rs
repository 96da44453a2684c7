//! A release of a program, such as `1.22.1`, or all that begin alike, such as `1.22`.

use std::fmt;
use std::str::FromStr;

/// A release by its numbers; what is left out stands for any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    numbers: [Option<u16>; 3],
}

impl Release {
    /// Whether every release meant here came before every one of `other`.
    pub fn is_before(&self, other: Release) -> bool {
        for (mine, theirs) in self.numbers.into_iter().zip(other.numbers) {
            match (mine, theirs) {
                (Some(mine), Some(theirs)) if mine == theirs => {}
                (Some(mine), Some(theirs)) => return mine < theirs,
                _ => return false,
            }
        }
        false
    }
}

/// What is no release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotARelease;

impl FromStr for Release {
    type Err = NotARelease;

    fn from_str(text: &str) -> Result<Self, NotARelease> {
        let parts: Vec<&str> = text.split('.').collect();
        if parts.len() > 3 || text.contains('+') {
            return Err(NotARelease);
        }
        let mut numbers = [None; 3];
        for (number, part) in numbers.iter_mut().zip(parts) {
            *number = Some(part.parse().map_err(|_| NotARelease)?);
        }
        Ok(Self { numbers })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, number) in self.numbers.iter().flatten().enumerate() {
            write!(formatter, "{}{number}", if at == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_left_out_stand_for_any() {
        let release = |text: &str| text.parse::<Release>().unwrap();
        assert!(release("1.9.13").is_before(release("1.22.1")));
        assert!(!release("1.22").is_before(release("1.22.1")) && !release("1.22.1").is_before(release("1.22")));
        assert!(release("1.22").is_before(release("1.23.0")) && !release("1.22").is_before(release("1.22")));
        assert!(!release("2").is_before(release("1.31.4")));
        assert_eq!(release("1.22").to_string(), "1.22");
        for text in ["", "1.", "1.2.3.4", "stable", "1.+2", "v1.22", "-1"] {
            assert!(text.parse::<Release>().is_err(), "{text}");
        }
    }
}
