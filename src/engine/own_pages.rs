//! The users' own rule pages, held to the gates that the built-in ones must pass.

use std::collections::BTreeSet;

use crate::engine::read_example;
use crate::engine::repository::{Outer, joined};
use crate::host::around;
use crate::rule::book::Rulebook;
use crate::rule::gate::{self, Fault};
use crate::rule::page::{self, Page};
use crate::source::{FileId, Origin, Sources};

/// What the gates said of some pages.
#[derive(Debug, Default)]
pub struct Tested {
    /// The pages' texts.
    pub sources: Sources,
    /// Each page with its faults, in the order of the folders and then of the ids.
    pub pages: Vec<(FileId, Vec<Fault>)>,
}

/// Tests every page (`family/name.md`) below these folders; those of the nearest `housecall.toml`'s `[rules] paths` where
/// none is named.
///
/// # Errors
/// A folder that is named nowhere, cannot be read, or holds no page; a configuration that cannot be used.
pub fn test_pages(folders: &[String]) -> Result<Tested, String> {
    let folders = if folders.is_empty() { configured()? } else { folders.to_vec() };
    let built_in = page::built_in().map_err(|error| error.to_string())?;
    let mut tested = Tested::default();
    let mut parsed = Vec::new();
    for folder in &folders {
        let pages = around::pages(folder).map_err(|error| format!("{folder}: {error}"))?;
        if pages.is_empty() {
            return Err(format!("{folder}: no rule page here; a page lies at `family/name.md` below it"));
        }
        for (id, text) in pages {
            let path = format!("{}/{id}.md", folder.trim_end_matches('/'));
            let page = Page::parse(&id, &text);
            parsed.push((tested.sources.add(path, text.into_bytes(), Origin::File), id, page));
        }
    }
    let own = parsed.iter().filter_map(|(_, _, page)| page.as_ref().ok());
    let all = Rulebook::of(built_in.iter().chain(own).cloned().collect());
    let mut taken: BTreeSet<&str> = built_in.iter().map(|page| page.id.as_str()).collect();
    for (file, id, page) in &parsed {
        let mut faults = match page {
            Ok(page) => gate::check(page, &all, &read_example),
            Err(error) => vec![Fault { line: Some(error.line), message: error.message.clone() }],
        };
        if !taken.insert(id) {
            faults.push(Fault {
                line: None,
                message: format!("another page is called `{id}`: give this one its own name"),
            });
        }
        tested.pages.push((*file, faults));
    }
    Ok(tested)
}

/// The folders that the nearest configuration names.
fn configured() -> Result<Vec<String>, String> {
    let none = "no folder of rule pages: name one, or put it into housecall.toml as [rules] paths = [\"ops/rules\"]";
    let path = around::nearest_above(".", "housecall.toml").ok_or(none)?;
    let outer = Outer::at(&path)?;
    match outer.config.rules.as_slice() {
        [] => Err(none.to_owned()),
        paths => Ok(paths.iter().map(|path| joined(&outer.folder, &path.value)).collect()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::test_pages;

    /// A page that is right in all but what `change` breaks.
    fn faults(id: &str, change: impl Fn(&str) -> String) -> Vec<String> {
        let page = "+++\ntitle = \"too many workers\"\nseverity = \"warning\"\neffect = \"degraded\"\nconfidence = \"likely\"\n\
            each = \"uwsgi\"\nwhen = \"it.workers > 8\"\nat = \"it.workers\"\nmessage = \"{{ it.workers }} workers\"\n+++\nWhy.\n\n\
            ## Bad\n`uwsgi.ini`:\n```ini\n[uwsgi]\n# fault\nprocesses = 9\n```\n\n\
            ## Good\n`uwsgi.ini`:\n```ini\n[uwsgi]\nprocesses = 2\n```\n";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{id}.md"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, change(page)).unwrap();
        let tested = test_pages(&[folder.path().to_str().unwrap().to_owned()]).unwrap();
        tested.pages.iter().flat_map(|(_, faults)| faults).map(ToString::to_string).collect()
    }

    #[test]
    fn a_page_of_ones_own_passes_the_same_gates() {
        assert_eq!(faults("ops/workers", str::to_owned), Vec::<String>::new());
        let unmarked = faults("ops/workers", |page| page.replace("# fault\n", ""));
        assert!(unmarked.iter().any(|fault| fault.starts_with("line 13: ")), "{unmarked:?}");
        let misspelt = faults("ops/workers", |page| page.replace("it.workers > 8", "it.wrkers > 8"));
        assert!(misspelt[0].starts_with("line 7: ") && misspelt[0].contains("wrkers"), "{misspelt:?}");
        let taken = faults("uwsgi/unknown-option", str::to_owned);
        assert!(taken[0].contains("another page is called"), "{taken:?}");
    }

    #[test]
    fn a_folder_without_pages_is_bad_usage() {
        let folder = tempfile::tempdir().unwrap();
        assert!(test_pages(&[folder.path().to_str().unwrap().to_owned()]).unwrap_err().contains("no rule page here"));
        assert!(test_pages(&["/nowhere".to_owned()]).is_err());
    }
}
