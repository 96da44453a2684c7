//! Names in another case than Chef looks for: they work on a Mac, and are not found on Linux.

use crate::rows;
use crate::source::Place;
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::tree::{RepoFile, Tree, join};
use crate::stack::fact::Fact;

rows! {
    #[doc = "one name in another case than Chef looks for"]
    pub struct Misnamed in "misnamed" {
        #[doc = "the name as it is written"]
        written: String,
        #[doc = "the name as it should be written"]
        meant: String,
        #[doc = "whether a resource asks for the file by the wrong name; else the file itself has it"]
        asked_for: bool,
    }
}

/// Folders of a cookbook.
const FOLDERS: [&str; 8] =
    ["recipes", "attributes", "templates", "files", "libraries", "providers", "resources", "definitions"];
/// Files that lie beside them.
const BESIDE: [&str; 5] = ["metadata.rb", "metadata.json", "Berksfile", "Policyfile.rb", "Cheffile"];

/// A row for each file of the root's own cookbooks whose name Chef would not find.
pub fn files(root: &Root, tree: &Tree<'_>) -> Vec<Misnamed> {
    let mut rows: Vec<Misnamed> = Vec::new();
    let mut folders: Vec<&str> =
        root.books.iter().filter(|book| !book.is_context).map(|book| book.folder.as_str()).collect();
    folders.push(&root.folder);
    folders.sort_unstable();
    folders.dedup();
    for folder in folders {
        for file in tree.under(folder) {
            let inner = file.path.get(folder.len()..).unwrap_or_default().trim_start_matches('/');
            let Some((written, meant)) = misnamed(folder, inner, tree) else { continue };
            if rows.iter().all(|row| row.written.known() != Some(&written)) {
                rows.push(row(false, &written, &meant, Place::whole(file.file)));
            }
        }
    }
    rows
}

/// What is written in another case, and how Chef looks for it; `inner` is the path in the cookbook's folder.
fn misnamed(folder: &str, inner: &str, tree: &Tree<'_>) -> Option<(String, String)> {
    let parts: Vec<&str> = inner.split('/').collect();
    let (first, rest) = parts.split_first()?;
    if rest.is_empty() {
        let meant = other_case(first, &BESIDE)?;
        return tree.get(&join(folder, meant)).is_none().then(|| (join(folder, first), join(folder, meant)));
    }
    if let Some(meant) = other_case(first, &FOLDERS) {
        let is_cookbook = tree.get(&join(folder, "metadata.rb")).is_some();
        return is_cookbook.then(|| (join(folder, first), join(folder, meant)));
    }
    let (last, _) = rest.split_last()?;
    let meant = match *first {
        "recipes" | "attributes" => {
            other_case(last, &["default.rb"]).map(str::to_owned).or_else(|| lower_ending(last, ".rb"))
        }
        "templates" => lower_ending(last, ".erb"),
        _ => None,
    }?;
    let above = inner.strip_suffix(last)?;
    Some((join(folder, inner), join(folder, &format!("{above}{meant}"))))
}

fn other_case<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known.iter().find(|one| one.eq_ignore_ascii_case(name) && **one != name).copied()
}

fn lower_ending(name: &str, ending: &str) -> Option<String> {
    let at = name.len().checked_sub(ending.len())?;
    let (stem, written) = (name.get(..at)?, name.get(at..)?);
    (written != ending && written.eq_ignore_ascii_case(ending)).then(|| format!("{stem}{ending}"))
}

/// The row of a name.
pub fn row(asked_for: bool, written: &str, meant: &str, place: Place) -> Misnamed {
    let mut row = Misnamed::at(place);
    row.asked_for = Fact::derived(asked_for);
    row.written = Fact::read(written.to_owned(), place);
    row.meant = Fact::derived(meant.to_owned());
    row
}

/// The file among `files` whose path is `path` but for its case.
pub fn in_other_case<'a>(path: &str, mut files: impl Iterator<Item = &'a RepoFile<'a>>) -> Option<&'a str> {
    files.find(|file| file.path.eq_ignore_ascii_case(path) && file.path != path).map(|file| file.path)
}
