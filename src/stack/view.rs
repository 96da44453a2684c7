//! The file system as the stack will see it: documents by the path where they land.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::stack::document::{Document, Kind};

/// Documents by path, and how much of the real file system they stand for.
#[derive(Debug, Default)]
pub struct View {
    documents: BTreeMap<String, Vec<Arc<Document>>>,
    /// Whether a path that is not here is surely not there (a live host), or merely out of sight (a repository).
    pub complete: bool,
}

impl View {
    /// The view of a host: a path that is not there is surely not there.
    pub fn of_host() -> Self {
        Self { complete: true, ..Self::default() }
    }

    /// Adds a document at its path; one path may hold several where branches of a recipe disagree.
    pub fn add(&mut self, document: Document) -> Arc<Document> {
        let document = Arc::new(document);
        self.documents.entry(document.path.clone()).or_default().push(Arc::clone(&document));
        document
    }

    /// The documents at a path.
    pub fn at(&self, path: &str) -> &[Arc<Document>] {
        self.documents.get(path).map_or(&[], Vec::as_slice)
    }

    /// Every document of one language, by path.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Arc<Document>> {
        self.documents.values().flatten().filter(move |document| document.kind == kind)
    }

    /// Every path with its documents, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Arc<Document>])> {
        self.documents.iter().map(|(path, documents)| (path.as_str(), documents.as_slice()))
    }

    /// The paths that match a glob as glob(3) does: `*`, `?` and `[…]` within one segment, no hidden files by `*`; sorted.
    pub fn matching(&self, pattern: &str) -> Vec<&str> {
        let literal = &pattern[..pattern.find(['*', '?', '[', '\\']).unwrap_or(pattern.len())];
        let from = self.documents.range::<str, _>((Bound::Included(literal), Bound::Unbounded));
        let near = from.map(|(path, _)| path.as_str()).take_while(|path| path.starts_with(literal));
        near.filter(|path| glob_matches(pattern, path)).collect()
    }
}

/// Whether `path` matches `pattern`, as glob(3) with the default flags.
pub fn glob_matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut names) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), names.next()) {
            (None, None) => return true,
            (Some(pattern), Some(name)) if segment_matches(pattern.as_bytes(), name.as_bytes()) => {}
            _ => return false,
        }
    }
}

fn segment_matches(mut pattern: &[u8], mut name: &[u8]) -> bool {
    if let ([b'*' | b'?' | b'[', ..], [b'.', ..]) = (pattern, name) {
        return false;
    }
    // Only the last star may take more: whatever an earlier one could take, this one can take as well.
    let mut last_star: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            last_star = Some((rest, name));
            pattern = rest;
        } else if pattern.is_empty() && name.is_empty() {
            return true;
        } else if let Some(rest) = after_one(pattern, name) {
            (pattern, name) = rest;
        } else {
            let Some((after, [_, more @ ..])) = last_star else { return false };
            last_star = Some((after, more));
            (pattern, name) = (after, more);
        }
    }
}

/// What is left of both after one byte of the name that the pattern's first element takes; `None` where it does not.
fn after_one<'p, 'n>(pattern: &'p [u8], name: &'n [u8]) -> Option<(&'p [u8], &'n [u8])> {
    let (byte, name) = name.split_first()?;
    let (matched, rest) = match pattern {
        [] => return None,
        [b'?', rest @ ..] => (true, rest),
        [b'[', rest @ ..] => class_matches(rest, *byte).unwrap_or((*byte == b'[', rest)),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (literal == byte, rest),
    };
    matched.then_some((rest, name))
}

/// Matches one `[…]` class; gives the verdict and the pattern after it, or `None` where it is not closed.
fn class_matches(class: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (negated, members) = match class {
        [b'!' | b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let end = members.iter().skip(1).position(|member| *member == b']')? + 1;
    let (members, rest) = (&members[..end], &members[end + 1..]);
    let mut found = false;
    let mut at = 0;
    while at < members.len() {
        if at + 2 < members.len() && members[at + 1] == b'-' {
            found |= (members[at]..=members[at + 2]).contains(&byte);
            at += 3;
        } else {
            found |= members[at] == byte;
            at += 1;
        }
    }
    Some((found != negated, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_stars_cost_no_more_than_one() {
        let (pattern, name) = ("*a".repeat(40) + "b", "a".repeat(255));
        assert!(!glob_matches(&pattern, &name));
    }

    #[test]
    fn globs_as_glob3_does() {
        assert!(glob_matches("/etc/nginx/sites-enabled/*", "/etc/nginx/sites-enabled/thena"));
        assert!(!glob_matches("/etc/nginx/sites-enabled/*", "/etc/nginx/sites-enabled/.hidden"));
        assert!(!glob_matches("/etc/nginx/*", "/etc/nginx/sites-enabled/thena"));
        assert!(glob_matches("/a/[a-c]?.conf", "/a/bz.conf"));
        assert!(glob_matches("/a/[!a]*", "/a/b"));
        assert!(!glob_matches("/a/[!a]*", "/a/ab"));
        assert!(glob_matches("/a/*b*c.conf", "/a/xbxbyc.conf") && !glob_matches("/a/*b*c", "/a/xcb"));
        assert!(glob_matches("/a/\\*", "/a/*") && !glob_matches("/a/\\*", "/a/b"));
        assert!(glob_matches("/a/x[", "/a/x[") && glob_matches("/a/**", "/a/b") && glob_matches("/a/b*", "/a/b"));
    }
}
