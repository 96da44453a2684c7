//! Reader for `requirements.txt`: which packages, and which versions of each (pip's requirements file format, PEP 508).

use crate::source::{Located, Span};

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Its name as pip compares it: lower case, `-` for `_` and `.`.
    pub name: Located<String>,
    /// The bounds as written, such as `>=1.4,<2`; empty where any version will do.
    pub bounds: String,
}

/// The lowest release that bounds allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// At most this one: `==`, `<`, `<=`, as major and minor.
    UpTo(u32, u32),
    /// The newest that there is: no bound from above.
    Newest,
}

/// The packages in order; options, addresses and what is none are passed over.
pub fn parse(text: &str) -> Vec<Requirement> {
    let mut at = 0;
    let mut all = Vec::new();
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let code = line.split(" #").next().unwrap_or(line).trim_end();
        let trimmed = code.trim_start();
        if trimmed.starts_with(['#', '-', '.', '/']) || trimmed.contains("://") {
            continue;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let end = trimmed.find(|c: char| !is_name(c)).unwrap_or(trimmed.len());
        let name: String =
            trimmed[..end].chars().map(|c| if c == '_' || c == '.' { '-' } else { c.to_ascii_lowercase() }).collect();
        if name.is_empty() {
            continue;
        }
        let rest = trimmed[end..].trim_start();
        let rest = match rest.strip_prefix('[').and_then(|extras| extras.split_once(']')) {
            Some((_, after)) => after,
            None => rest,
        };
        let bounds = rest.split(';').next().unwrap_or("").trim();
        let from = start + code.len() - trimmed.len();
        all.push(Requirement { name: Located::new(name, Span::new(from, from + end)), bounds: bounds.to_owned() });
    }
    all
}

impl Requirement {
    /// The highest release that its bounds allow: what pip installs.
    pub fn release(&self) -> Release {
        let mut release = Release::Newest;
        for bound in self.bounds.split(',').map(str::trim) {
            let operator = bound.find(|c: char| !matches!(c, '=' | '<' | '>' | '~' | '!')).unwrap_or(bound.len());
            let Some((major, minor)) = version(bound[operator..].trim()) else { continue };
            let below = |major: u32, minor: u32| match minor.checked_sub(1) {
                Some(minor) => Release::UpTo(major, minor),
                None => Release::UpTo(major.saturating_sub(1), u32::MAX),
            };
            let found = match &bound[..operator] {
                "==" | "===" | "<=" => Release::UpTo(major, minor),
                "<" => below(major, minor),
                // `~=1.3` allows 1.4, `~=1.3.0` does not.
                "~=" if bound.matches('.').count() >= 2 => Release::UpTo(major, minor),
                "~=" => Release::UpTo(major, u32::MAX),
                _ => continue,
            };
            release = release.min(found);
        }
        release
    }
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    let major = digits(parts.next()?)?;
    // `==1.*` is any of them.
    let minor = match parts.next() {
        Some("*") => u32::MAX,
        Some(part) => digits(part).unwrap_or(0),
        None => 0,
    };
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pip_would_install() {
        let text = "# all\n-r base.txt\nSQLAlchemy==1.3.24  # pinned\nflask_sqlalchemy>=2,<3\nPsycopg[binary]\ngit+https://x/y\na~=1.3\nb~=1.3.1\nc<2.0 ; python_version<'3'\nd==1.*\n";
        let found: Vec<_> = parse(text).iter().map(|one| (one.name.value.clone(), one.release())).collect();
        let expected = [
            ("sqlalchemy", Release::UpTo(1, 3)),
            ("flask-sqlalchemy", Release::UpTo(2, u32::MAX)),
            ("psycopg", Release::Newest),
            ("a", Release::UpTo(1, u32::MAX)),
            ("b", Release::UpTo(1, 3)),
            ("c", Release::UpTo(1, u32::MAX)),
            ("d", Release::UpTo(1, u32::MAX)),
        ];
        assert_eq!(found, expected.map(|(name, release)| (name.to_owned(), release)));
    }
}
