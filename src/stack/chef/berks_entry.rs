//! The lines of a Berksfile: a cookbook named twice, or otherwise than it is called, or asked for in two versions; and servers that are gone.

use std::sync::Arc;

use crate::finding::Confidence;
use crate::rows;
use crate::source::{Place, Span};
use crate::stack::chef::Berksfile;
use crate::stack::chef::berks::{Berks, Entry};
use crate::stack::chef::cookbook::{Book, Root};
use crate::stack::chef::tree::{parent, resolve};
use crate::stack::chef::version::Range;
use crate::stack::fact::Fact;

rows! {
    #[doc = "one `cookbook` line of a Berksfile"]
    pub struct BerksEntry in "berks_entries" {
        #[doc = "the cookbook it names"]
        name: String,
        #[doc = "the version constraint it gives"]
        constraint: String,
        #[doc = "an earlier line that brings the same cookbook: `cookbook` or `metadata`"]
        repeats: String,
        #[doc = "what the metadata in the folder of its `path:` calls the cookbook, where that is another name"]
        called: String,
        #[doc = "the constraint of the metadata that asks for the same cookbook, where it is another one"]
        metadata_constraint: String,
        #[doc = "whether no version satisfies both constraints"]
        apart: bool,
        #[doc = "the Berksfile"]
        berksfile: Arc<Berksfile>,
    }

    #[doc = "one line of a Berksfile that names a server, or the lack of one"]
    pub struct BerksSource in "berks_sources" {
        #[doc = "what is wrong with it: `missing`, `gone`, `retired-word` or `not-https`"]
        fault: String,
        #[doc = "the word it begins with, such as `source`"]
        word: String,
        #[doc = "the server's address as written"]
        address: String,
        #[doc = "what to write in its place"]
        cure: String,
        #[doc = "the Berksfile"]
        berksfile: Arc<Berksfile>,
    }
}

/// Where cookbooks come from today.
const SUPERMARKET: &str = "source 'https://supermarket.chef.io'";

/// Servers that no longer answer as a Berkshelf source, or never were one.
const GONE: [&str; 5] = [
    "cookbooks.opscode.com",
    "api.berkshelf.com",
    "supermarket.getchef.com",
    "community.opscode.com",
    "cookbooks.opscode",
];

/// A row for each `cookbook` line of `berks`, whose own row is `file`.
pub fn entries(root: &Root, berks: &Berks, file: &Arc<Berksfile>) -> Vec<BerksEntry> {
    let folder = parent(&berks.path);
    let named = |entry: &Entry| entry.local.as_ref().and_then(|path| book_in(root, &resolve(folder, path)));
    let own = berks.metadata.as_ref().and_then(|line| Some((book_in(root, &resolve(folder, &line.value))?, line.span)));
    let mut rows = Vec::new();
    for (at, entry) in berks.entries.iter().enumerate() {
        let place = Place::at(berks.file, entry.name.span);
        let mut row = BerksEntry::at(place);
        row.confidence = if entry.conditional { Confidence::Possible } else { file.confidence };
        row.name = Fact::read(entry.name.value.clone(), place);
        row.constraint = entry.constraint.clone().map_or_else(Fact::absent, |constraint| Fact::read(constraint, place));
        row.repeats = repeats(berks, at, own);
        row.called = match named(entry).and_then(name_in_metadata) {
            Some((name, place)) if name != entry.name.value => Fact::read(name, place),
            _ => Fact::absent(),
        };
        let (other, apart) = other_constraint(root, berks, entry);
        row.metadata_constraint = other;
        row.apart = Fact::derived(apart);
        row.berksfile = Fact::derived(Arc::clone(file));
        rows.push(row);
    }
    rows
}

fn book_in<'a>(root: &'a Root, folder: &str) -> Option<&'a Book> {
    root.books.iter().find(|book| book.folder == folder)
}

fn name_in_metadata(book: &Book) -> Option<(String, Place)> {
    let metadata = book.metadata.as_ref()?;
    let name = metadata.name.as_ref()?;
    Some((name.value.clone(), Place::at(metadata.file, name.span)))
}

/// An earlier line of the same cookbook; one in a branch may be the other half of it.
fn repeats(berks: &Berks, at: usize, own: Option<(&Book, Span)>) -> Fact<String> {
    let entry = &berks.entries[at];
    if entry.conditional {
        return Fact::absent();
    }
    if let Some((_, span)) = own.filter(|(book, _)| book.name == entry.name.value) {
        return Fact::read("metadata".to_owned(), Place::at(berks.file, span));
    }
    let earlier = berks.entries[..at].iter().find(|other| other.name.value == entry.name.value && !other.conditional);
    earlier.map_or_else(Fact::absent, |other| Fact::read("cookbook".to_owned(), Place::at(berks.file, other.name.span)))
}

/// What the metadata of the cookbooks that this Berksfile brings by their paths asks for, where it is something else.
fn other_constraint(root: &Root, berks: &Berks, entry: &Entry) -> (Fact<String>, bool) {
    let Some(constraint) = &entry.constraint else { return (Fact::absent(), false) };
    let folder = parent(&berks.path);
    let paths =
        berks.metadata.iter().map(|line| &line.value).chain(berks.entries.iter().filter_map(|e| e.local.as_ref()));
    for book in paths.filter_map(|path| book_in(root, &resolve(folder, path))) {
        let Some(metadata) = &book.metadata else { continue };
        let asked = metadata.depends.iter().find(|one| one.name.value == entry.name.value);
        let Some((asked, other)) = asked.and_then(|one| Some((one, one.constraints.first()?))) else { continue };
        let (Some(left), Some(right)) = (Range::of(constraint), Range::of(other)) else { continue };
        if left != right {
            let place = Place::at(metadata.file, asked.name.span);
            return (Fact::read(other.clone(), place), !left.meets(&right));
        }
    }
    (Fact::absent(), false)
}

/// A row for each server of `berks`, and one where it names none although it fetches something.
pub fn sources(berks: &Berks, file: &Arc<Berksfile>) -> Vec<BerksSource> {
    let row = |fault: &str, place: Place| BerksSource {
        fault: if fault.is_empty() { Fact::absent() } else { Fact::read(fault.to_owned(), place) },
        confidence: file.confidence,
        word: Fact::absent(),
        address: Fact::absent(),
        cure: Fact::derived(SUPERMARKET.to_owned()),
        berksfile: Fact::derived(Arc::clone(file)),
        ..BerksSource::at(place)
    };
    let mut rows: Vec<BerksSource> = berks
        .sources
        .iter()
        .map(|source| {
            let place = Place::at(berks.file, source.address.span);
            let address = source.address.value.as_str();
            let fault = fault(&source.word, address);
            let mut row = row(fault, place);
            row.word = Fact::read(source.word.clone(), place);
            row.address = Fact::read(address.to_owned(), place);
            if fault == "not-https" {
                row.cure = Fact::derived(format!("source '{}'", address.replacen("http://", "https://", 1)));
            }
            row
        })
        .collect();
    let fetches = berks.entries.iter().any(|entry| entry.local.is_none() && entry.git.is_none());
    if berks.sources.is_empty() && berks.computed.is_none() && (fetches || berks.metadata.is_some()) {
        rows.push(row("missing", berks.place()));
    }
    rows
}

/// What is wrong with a server; nothing for one that may be alive.
fn fault(word: &str, address: &str) -> &'static str {
    let host = address.split_once("://").map_or(address, |(_, rest)| rest).split('/').next().unwrap_or_default();
    match word {
        _ if GONE.contains(&host) => "gone",
        "site" | "chef_api" => "retired-word",
        _ if address.starts_with("http://") && host.ends_with("chef.io") => "not-https",
        _ => "",
    }
}
