//! Policyfile.lock.json beside its Policyfile: what the Policyfile asks for and the lock does not have.

use std::collections::BTreeSet;

use crate::rows;
use crate::source::{FileId, Located, Place};
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::run_list;
use crate::stack::chef::tree::{RepoFile, Tree, base, parent, resolve};
use crate::stack::chef::version::Range;
use crate::stack::fact::Fact;
use crate::syntax::ruby;

rows! {
    #[doc = "one cookbook or recipe that a Policyfile with a lock asks for"]
    pub struct PolicyLock in "policy_locks" {
        #[doc = "the cookbook, or the recipe as `cookbook::recipe`"]
        name: String,
        #[doc = "what is wrong with it: `apart` (the version that is locked is outside of the constraint), `not-locked`, `not-in-run-list`, or `dependency` (not locked, and a cookbook of this repository depends on it); absent where nothing is"]
        fault: String,
        #[doc = "the version that is locked"]
        locked: String,
        #[doc = "the constraint in the Policyfile"]
        constraint: String,
        #[doc = "of a dependency: the cookbook that depends on it"]
        by: String,
        #[doc = "the lock"]
        lock: String,
    }
}

/// A lock as `chef install` writes it.
struct Lock {
    path: String,
    file: FileId,
    /// The versions of its cookbooks, by name.
    versions: serde_json::Map<String, serde_json::Value>,
    /// The recipes of all its run lists.
    recipes: BTreeSet<String>,
}

/// One row for each cookbook and each recipe that a Policyfile of the root asks for, where a lock lies beside it.
pub fn locks(root: &Root, tree: &Tree<'_>) -> Vec<PolicyLock> {
    let mut rows = Vec::new();
    for file in tree.under(&root.folder).filter(|file| !root.is_context(file.path)) {
        let is_one = base(file.path) == "Policyfile.rb"
            || (base(parent(file.path)) == "policyfiles" && file.path.ends_with(".rb"));
        let Some(lock) = is_one.then(|| Lock::beside(file, tree)).flatten() else { continue };
        rows.extend(cookbooks(file, &lock, root));
        for recipe in run_list::of_policyfile(file) {
            let mut row = lock.row(&recipe, file);
            if !lock.recipes.contains(&recipe.value) {
                row.fault = Fact::derived("not-in-run-list".to_owned());
            }
            rows.push(row);
        }
    }
    rows
}

/// The entries `cookbook 'apt', '~> 2.0'`; of those with a `path` in this repository also what their metadata depends on.
fn cookbooks(file: &RepoFile<'_>, lock: &Lock, root: &Root) -> Vec<PolicyLock> {
    let mut rows = Vec::new();
    for expr in ruby::parse(file.text).tree.body {
        let Some(call) = expr.call().filter(|call| call.name == "cookbook" && call.receiver.is_none()) else {
            continue;
        };
        let (Some(name), Some(first)) = (call.first_literal(), call.arguments.first()) else { continue };
        let mut row = lock.row(&Located::new(name.clone(), first.span), file);
        let constraint = call.arguments.get(1).and_then(|second| Some((second.literal()?, second.span)));
        if let Some((constraint, span)) = &constraint {
            row.constraint = Fact::read(constraint.clone(), Place::at(file.file, *span));
        }
        row.fault = match (lock.version(&name), &constraint) {
            (None, _) => Fact::derived("not-locked".to_owned()),
            (Some(version), Some((constraint, _))) if is_apart(constraint, version) => {
                Fact::derived("apart".to_owned())
            }
            (Some(_), _) => Fact::absent(),
        };
        rows.push(row);
        let folder = call.keyword("path").and_then(|path| Some(resolve(parent(file.path), &path.literal()?)));
        let Some(book) = folder.and_then(|folder| root.books.iter().find(|book| book.folder == folder)) else {
            continue;
        };
        let Some(metadata) = &book.metadata else { continue };
        for dependency in metadata.depends.iter().filter(|one| lock.version(&one.name.value).is_none()) {
            let place = Place::at(metadata.file, dependency.name.span);
            rows.push(PolicyLock {
                name: Fact::read(dependency.name.value.clone(), place),
                fault: Fact::derived("dependency".to_owned()),
                by: Fact::derived(book.name.clone()),
                place,
                ..lock.row(&dependency.name, file)
            });
        }
    }
    rows
}

fn is_apart(constraint: &str, version: &str) -> bool {
    let ranges = Range::of(constraint).zip(Range::of(version));
    ranges.is_some_and(|(asked, locked)| !asked.meets(&locked))
}

impl Lock {
    /// The lock of a Policyfile: `Policyfile.lock.json`, `policyfiles/web.lock.json`; `None` where it is none.
    fn beside(policyfile: &RepoFile<'_>, tree: &Tree<'_>) -> Option<Self> {
        let path = format!("{}.lock.json", policyfile.path.strip_suffix(".rb")?);
        let source = tree.get(&path)?;
        let json: serde_json::Value = serde_json::from_str(source.text).ok()?;
        let versions = json.get("cookbook_locks")?.as_object()?.clone();
        let named = json["named_run_lists"].as_object().into_iter().flatten().map(|(_, list)| list);
        let items = named.chain([&json["run_list"]]).filter_map(|list| list.as_array()).flatten();
        let recipes = items.filter_map(|item| {
            let inner = item.as_str()?.strip_prefix("recipe[")?.strip_suffix(']')?;
            Some(inner.split_once('@').map_or(inner, |(name, _)| name).to_owned())
        });
        Some(Self { recipes: recipes.collect(), path, file: source.file, versions })
    }

    fn version(&self, cookbook: &str) -> Option<&str> {
        self.versions.get(cookbook)?.get("version")?.as_str()
    }

    /// A row without a fault.
    fn row(&self, asked: &Located<String>, policyfile: &RepoFile<'_>) -> PolicyLock {
        let place = Place::at(policyfile.file, asked.span);
        let cookbook = asked.value.split("::").next().unwrap_or_default();
        PolicyLock {
            name: Fact::read(asked.value.clone(), place),
            fault: Fact::absent(),
            locked: self.version(cookbook).map_or_else(Fact::absent, |version| Fact::derived(version.to_owned())),
            constraint: Fact::absent(),
            by: Fact::absent(),
            lock: Fact::read(self.path.clone(), Place::whole(self.file)),
            ..PolicyLock::at(place)
        }
    }
}
