//! The files that resources take from their cookbook: whether they are where Chef looks for them.

use crate::finding::Confidence;
use crate::nearest::slip;
use crate::rows;
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::misnamed::{self, Misnamed};
use crate::stack::chef::opsworks;
use crate::stack::chef::recipe::{Item, Resource};
use crate::stack::chef::target::Decision;
use crate::stack::chef::tree::{Tree, base, join};
use crate::stack::deployment::{source_folder, source_name};
use crate::stack::fact::{Answer, Fact, Missing};

rows! {
    #[doc = "one file that a resource takes from its cookbook; keyed by the resource: `template`, `cookbook_file`, `remote_directory`"]
    pub struct FileSource in "file_sources" {
        #[doc = "the kind of resource"]
        kind: String,
        #[doc = "the file as it is asked for"]
        source: String,
        #[doc = "the resource's name: where the file lands"]
        path: String,
        #[doc = "the folder of the cookbook in which Chef looks, by the host's platform, then in `default/`"]
        folder: String,
        #[doc = "whether it is there"]
        found: bool,
        #[doc = "the file that is there under the same name in another case"]
        other_case: String,
        #[doc = "the file that was probably meant"]
        suggestion: String,
    }
}

/// Where a kind of resource takes its files from, and what their names end with where no source is given.
fn part(kind: &str) -> Option<(&'static str, &'static str)> {
    match kind {
        "template" => Some(("templates", ".erb")),
        "cookbook_file" | "remote_directory" => Some(("files", "")),
        _ => None,
    }
}

/// A row for each resource of the root's own recipes that takes a file from a cookbook.
pub fn sources(root: &Root, decision: &Decision, tree: &Tree<'_>) -> Vec<FileSource> {
    let mut rows = Vec::new();
    for recipe in &root.recipes {
        if root.books.get(recipe.cookbook).is_none_or(|book| book.is_context) {
            continue;
        }
        for item in &recipe.items {
            let Item::Resource(resource) = item else { continue };
            if let Some((folder, ending)) = part(&resource.kind).filter(|_| !removes(resource)) {
                rows.push(row(resource, (folder, ending), root, recipe.cookbook, decision, tree));
            }
        }
    }
    rows
}

fn removes(resource: &Resource) -> bool {
    // A word such as `cookbook_file` without a block may be anything.
    resource.name == Answer::Absent
        || matches!(resource.text("action"), Answer::Known(action) if action == "delete" || action == "nothing")
}

fn row(
    resource: &Resource,
    (folder, ending): (&str, &str),
    root: &Root,
    book: usize,
    decision: &Decision,
    tree: &Tree<'_>,
) -> FileSource {
    let place = resource.property("source").map_or(resource.place, |source| source.place);
    let mut row = FileSource::at(place);
    resource.kind.clone_into(&mut row.key);
    row.kind = Fact::derived(resource.kind.clone());
    let name = source_name(resource, ending);
    row.source = Fact { answer: name.clone(), ..Fact::read(String::new(), place) };
    row.path = Fact { answer: resource.name.clone(), ..Fact::read(String::new(), resource.place) };
    // A name that is put together may come out otherwise where a role or the stack sets a part of it.
    let ends = resource.property("source").map_or(&resource.ends, |source| &source.ends);
    let is_literal = ends.head == ends.tail && !ends.head.is_empty();
    row.confidence = match (is_literal, resource.conditional) {
        (false, _) => Confidence::Possible,
        (true, true) => Confidence::Likely,
        (true, false) => Confidence::Proved,
    };
    row.other_case = Fact::absent();
    row.suggestion = Fact::absent();
    let Answer::Known(name) = name else {
        row.found = Fact::unknown(Missing::new("which file the resource takes", "write its source as a plain string"));
        return row;
    };
    let Some(at) = source_folder(resource, root, book) else {
        row.found =
            Fact::unknown(Missing::new("the files of the cookbook that it is taken from", "vendor that cookbook"));
        return row;
    };
    let shelf = join(at, folder);
    row.folder = Fact::derived(shelf.clone());
    let is_there = |path: &str| {
        let inner = path.get(shelf.len() + 1..).unwrap_or_default();
        let below = inner.split_once('/').map_or("", |(_, rest)| rest);
        [inner, below].iter().any(|path| is_it(path, &name, resource.kind == "remote_directory"))
    };
    row.found = if tree.paths_under(&shelf).any(is_there) {
        Fact::derived(true)
    } else if merges(at, decision) {
        Fact::unknown(Missing::new(
            format!("the files that OpsWorks has in its own {}", base(at)),
            "it merges the two; look into its cookbooks on an instance",
        ))
    } else {
        Fact::derived(false)
    };
    let wanted = join(&shelf, &format!("default/{name}"));
    let other = misnamed::in_other_case(&wanted, tree.under(&shelf));
    row.other_case = other.map_or_else(Fact::absent, |path| Fact::derived(base(path).to_owned()));
    let names = tree.paths_under(&shelf).map(base);
    row.suggestion = slip(base(&name), names).map_or_else(Fact::absent, |near| Fact::derived(near.to_owned()));
    row
}

fn is_it(path: &str, name: &str, is_folder: bool) -> bool {
    if is_folder { path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')) } else { path == name }
}

fn merges(folder: &str, decision: &Decision) -> bool {
    opsworks::is_built_in(base(folder), decision.target)
}

/// The sources that are there but for their case.
pub fn in_other_case(rows: &[FileSource]) -> Vec<Misnamed> {
    let missing = rows.iter().filter(|row| row.found.known() == Some(&false));
    missing
        .filter_map(|row| Some(misnamed::row(true, row.source.known()?, row.other_case.known()?, row.place)))
        .collect()
}
