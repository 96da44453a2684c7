//! Files that only the `include` of another file shows to be nginx's or uWSGI's: their own lines could be anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::group::Group;
use crate::source::FileId;
use crate::stack::document::{Document, Kind};
use crate::stack::nginx::{self, Trees};
use crate::stack::view::{View, glob_matches};
use crate::stack::{kind, uwsgi};
use crate::syntax;

/// Adds the inis that other inis name.
pub(super) fn inis(group: &Group<'_>, members: &[(&str, FileId)], view: &mut View) {
    let mut seen = BTreeSet::new();
    loop {
        let around = uwsgi::Around::of(view, group.release());
        let inis = view.of(Kind::Uwsgi);
        let mut wanted: BTreeSet<String> = inis.flat_map(|ini| uwsgi::read(ini, around).wanted).collect();
        wanted.retain(|path| seen.insert(path.clone()));
        let found = members.iter().filter(|(path, _)| wanted.contains(&group.landing(path)));
        let found: Vec<&(&str, FileId)> = found.collect();
        if found.is_empty() {
            return;
        }
        for (path, file) in found {
            view.add(group.read_as(path, *file, Kind::Uwsgi));
        }
    }
}

/// Parses nginx's files, and adds those that they include, until none is new.
pub(super) fn nginx(group: &Group<'_>, members: &[(&str, FileId)], view: &mut View) -> Trees {
    let mut trees = parsed(view.of(Kind::Nginx));
    let known: BTreeSet<FileId> =
        view.iter().flat_map(|(_, documents)| documents).map(|document| document.file).collect();
    let unknown = members.iter().filter(|(_, file)| !known.contains(file));
    let mut unknown: Vec<(String, &str, FileId)> =
        unknown.map(|(path, file)| (group.landing(path), *path, *file)).collect();
    let mut asked = BTreeSet::new();
    while !unknown.is_empty() {
        let mut patterns = patterns(view, &trees);
        patterns.retain(|pattern| asked.insert(pattern.clone()));
        // Only a pattern has to be tried on each file.
        let globs: Vec<&String> = patterns.iter().filter(|pattern| pattern.contains(['*', '?', '[', '\\'])).collect();
        let is_included = |path: &str| {
            let path = kind::without_template_suffix(path);
            patterns.contains(path) || globs.iter().any(|pattern| glob_matches(pattern, path))
        };
        let (included, rest) = unknown.into_iter().partition(|(lands, ..)| is_included(lands));
        unknown = rest;
        let included: Vec<(String, &str, FileId)> = included;
        if included.is_empty() {
            break;
        }
        let added: Vec<Arc<Document>> =
            included.into_iter().map(|(_, path, file)| view.add(group.read_as(path, file, Kind::Nginx))).collect();
        trees.extend(parsed(added.iter()));
    }
    trees
}

/// The files that nginx's files include, as absolute patterns. Each counts from the folder of the main file that leads there,
/// as nginx has it; where none does, from its own.
fn patterns(view: &View, trees: &Trees) -> BTreeSet<String> {
    let tree = |document: &Document| trees.get(&document.file).map(|parsed| &parsed.tree);
    let is_main = |document: &&Arc<Document>| tree(document).is_some_and(|tree| nginx::is_main(document, tree));
    let (mains, fragments): (Vec<_>, Vec<_>) = view.of(Kind::Nginx).partition(is_main);
    let first = mains.into_iter().map(|document| (document, true));
    let mut patterns = BTreeSet::new();
    let mut reached: BTreeMap<FileId, BTreeSet<String>> = BTreeMap::new();
    for (document, main) in first.chain(fragments.into_iter().map(|document| (document, false))) {
        if !main && reached.contains_key(&document.file) {
            continue;
        }
        let prefix = nginx::prefix(document, main);
        let mut pending = vec![document];
        while let Some(document) = pending.pop() {
            let Some(tree) = tree(document) else { continue };
            if !reached.entry(document.file).or_default().insert(prefix.clone()) {
                continue;
            }
            for pattern in nginx::includes(document, tree, &prefix) {
                pending.extend(view.matching(&pattern).into_iter().flat_map(|path| view.at(path)));
                patterns.insert(pattern);
            }
        }
    }
    patterns
}

/// Documents parsed side by side, each file once.
fn parsed<'d>(documents: impl Iterator<Item = &'d Arc<Document>>) -> Trees {
    let documents: BTreeMap<FileId, &Arc<Document>> = documents.map(|document| (document.file, document)).collect();
    let parse = |document: &Arc<Document>| syntax::nginx::parse(document.shared_text());
    documents.into_par_iter().map(|(file, document)| (file, parse(document))).collect()
}
