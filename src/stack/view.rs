//! The file system as the stack will see it: documents by the path where they land.

use std::collections::BTreeMap;
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
        self.documents.keys().map(String::as_str).filter(|path| glob_matches(pattern, path)).collect()
    }
}

/// Whether `path` matches `pattern`, as glob(3) with the default flags.
pub fn glob_matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut names) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), names.next()) {
            (None, None) => return true,
            (Some(pattern), Some(name)) if segment_matches(pattern.as_bytes(), name.as_bytes(), true) => {}
            _ => return false,
        }
    }
}

fn segment_matches(pattern: &[u8], name: &[u8], at_start: bool) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*' | b'?' | b'[', ..], [b'.', ..]) if at_start => false,
        ([b'*', rest @ ..], _) => (0..=name.len()).any(|skip| segment_matches(rest, &name[skip..], false)),
        ([b'?', rest @ ..], [_, name @ ..]) => segment_matches(rest, name, false),
        ([b'[', rest @ ..], [byte, name @ ..]) => match class_matches(rest, *byte) {
            Some((matched, rest)) => matched && segment_matches(rest, name, false),
            None => *byte == b'[' && segment_matches(rest, name, false),
        },
        ([b'\\', literal, rest @ ..], [byte, name @ ..]) => literal == byte && segment_matches(rest, name, false),
        ([literal, rest @ ..], [byte, name @ ..]) => literal == byte && segment_matches(rest, name, false),
        _ => false,
    }
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
    fn globs_as_glob3_does() {
        assert!(glob_matches("/etc/nginx/sites-enabled/*", "/etc/nginx/sites-enabled/thena"));
        assert!(!glob_matches("/etc/nginx/sites-enabled/*", "/etc/nginx/sites-enabled/.hidden"));
        assert!(!glob_matches("/etc/nginx/*", "/etc/nginx/sites-enabled/thena"));
        assert!(glob_matches("/a/[a-c]?.conf", "/a/bz.conf"));
        assert!(glob_matches("/a/[!a]*", "/a/b"));
        assert!(!glob_matches("/a/[!a]*", "/a/ab"));
    }
}
