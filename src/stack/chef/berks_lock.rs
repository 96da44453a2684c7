//! Berksfile.lock beside its Berksfile: a cookbook that only one of them names, or that is locked outside of its constraint.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::finding::Confidence;
use crate::rows;
use crate::source::{Place, Span};
use crate::stack::chef::Berksfile;
use crate::stack::chef::berks::Berks;
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::tree::{Tree, parent, resolve};
use crate::stack::chef::version::Range;
use crate::stack::fact::{Answer, Fact, Missing};

rows! {
    #[doc = "one cookbook that a Berksfile or the Berksfile.lock beside it names"]
    pub struct BerksLock in "berks_locks" {
        #[doc = "the cookbook"]
        name: String,
        #[doc = "what is wrong with it: `apart` (the version that is locked is outside of the constraint), `not-locked` or `not-declared`; absent where nothing is"]
        fault: String,
        #[doc = "the version that is locked"]
        locked: String,
        #[doc = "the constraint in the Berksfile"]
        constraint: String,
        #[doc = "the Berksfile"]
        berksfile: Arc<Berksfile>,
    }
}

/// A Berksfile.lock as Berkshelf writes it since 3.0.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lock<'a> {
    /// The cookbooks that the Berksfile named when it was written.
    dependencies: BTreeMap<&'a str, Span>,
    /// The versions of those and of all that they depend on.
    graph: BTreeMap<&'a str, (&'a str, Span)>,
}

/// Reads a lock (berkshelf: lib/berkshelf/lockfile.rb); `None` where it is in the form of an earlier Berkshelf.
fn read(text: &str) -> Option<Lock<'_>> {
    let mut lock = Lock::default();
    let mut section = "";
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let (content, at) = (line.trim_end(), start);
        start += line.len();
        let Some(item) = content.strip_prefix("  ").filter(|item| !item.starts_with(' ')) else {
            if !content.starts_with(' ') && !content.is_empty() {
                section = content;
            }
            continue;
        };
        let (name, rest) = item.split_once(" (").unwrap_or((item, ""));
        let span = Span::new(at + 2, at + content.len());
        match section {
            "DEPENDENCIES" => {
                lock.dependencies.insert(name, span);
            }
            "GRAPH" => {
                lock.graph.insert(name, (rest.trim_end_matches(')'), span));
            }
            _ => {}
        }
    }
    (!lock.dependencies.is_empty()).then_some(lock)
}

/// One row for each cookbook that `berks`, whose own row is `file`, or its lock names; none where there is no lock.
pub fn locks(root: &Root, berks: &Berks, file: &Arc<Berksfile>, tree: &Tree<'_>) -> Vec<BerksLock> {
    let Some(source) = tree.get(&format!("{}.lock", berks.path)) else { return Vec::new() };
    let Some(lock) = read(source.text) else { return Vec::new() };
    let row = |name: &str, place: Place| BerksLock {
        confidence: file.confidence,
        name: Fact::read(name.to_owned(), place),
        fault: Fact::absent(),
        locked: Fact::absent(),
        constraint: Fact::absent(),
        berksfile: Fact::derived(Arc::clone(file)),
        ..BerksLock::at(place)
    };
    let mut rows = Vec::new();
    let mut declared: Vec<&str> = Vec::new();
    for entry in &berks.entries {
        let name = entry.name.value.as_str();
        let place = Place::at(berks.file, entry.name.span);
        declared.push(name);
        let mut one = row(name, place);
        if entry.conditional {
            one.confidence = Confidence::Possible;
        }
        one.constraint = entry.constraint.clone().map_or_else(Fact::absent, |text| Fact::read(text, place));
        let graphed = lock.graph.get(name).map(|(version, span)| (*version, Place::at(source.file, *span)));
        if let Some((version, place)) = graphed {
            one.locked = Fact::read(version.to_owned(), place);
        }
        // What another cookbook brought has its version locked all the same.
        one.fault = match graphed {
            None if entry.conditional => Fact::absent(),
            None => Fact::derived("not-locked".to_owned()),
            Some((version, _)) if is_apart(entry.constraint.as_deref(), version) => Fact::derived("apart".to_owned()),
            Some(_) => Fact::absent(),
        };
        rows.push(one);
    }
    let own = berks.metadata.as_ref().map(|line| resolve(parent(&berks.path), &line.value));
    let own = own.and_then(|folder| root.books.iter().find(|book| book.folder == folder));
    declared.extend(own.map(|book| book.name.as_str()));
    // A cookbook whose name only a run of its metadata shows may be any of them.
    let is_hidden = berks.computed.is_some() || berks.is_extended || (berks.metadata.is_some() && own.is_none());
    for (name, span) in lock.dependencies.iter().filter(|(name, _)| !declared.contains(name)) {
        let mut one = row(name, Place::at(source.file, *span));
        one.fault = Fact::derived("not-declared".to_owned());
        if is_hidden {
            let why = Missing::new(format!("what {} lists", berks.path), "it is computed when berks runs");
            one.fault.answer = Answer::Unknown(why);
        }
        rows.push(one);
    }
    rows
}

fn is_apart(constraint: Option<&str>, version: &str) -> bool {
    let ranges = constraint.and_then(|constraint| Some((Range::of(constraint)?, Range::of(version)?)));
    ranges.is_some_and(|(asked, locked)| !asked.meets(&locked))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn both_sections_are_read() {
        let text = "DEPENDENCIES\n  apt (~> 2.9)\n  shop\n    path: .\n    metadata: true\n\nGRAPH\r\n  apt (2.9.2)\n  shop (0.1.0)\n    apt (>= 0.0.0)\n";
        let lock = read(text).unwrap();
        assert_eq!(lock.dependencies.keys().copied().collect::<Vec<_>>(), ["apt", "shop"]);
        assert_eq!(lock.graph["apt"].0, "2.9.2");
        assert_eq!(lock.graph["shop"].1.of(text), "shop (0.1.0)");
        assert_eq!(lock.graph.len(), 2);
        assert_eq!(read("{\n  \"sources\": {}\n}\n"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_lock_is_read(pieces in proptest::collection::vec("DEPENDENCIES\n|GRAPH\n|  [a-zé() .]{0,9}\n?|.{0,9}\n", 0..12)) {
            let text = pieces.concat();
            for span in read(&text).iter().flat_map(|lock| lock.dependencies.values()) {
                assert!(!span.of(&text).contains('\n'));
            }
        }
    }
}
