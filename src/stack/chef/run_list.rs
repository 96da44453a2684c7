//! Run lists that name recipes outside of recipes: roles, Test Kitchen, Policyfiles, Vagrantfiles.

use crate::source::{FileId, Located, Span};
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::recipe::full_name;
use crate::stack::chef::tree::{RepoFile, Tree, base, join, parent};
use crate::syntax::ruby;

/// One recipe of a run list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What names it: `role`, `kitchen`, `policyfile` or `vagrant`.
    pub by: &'static str,
    /// `cookbook::recipe`, and where it is named.
    pub recipe: Located<String>,
    /// The file.
    pub file: FileId,
}

/// Every recipe that the run lists of this root name.
pub fn named(root: &Root, tree: &Tree<'_>) -> Vec<Named> {
    let mut all = Vec::new();
    let folders = ["roles", "environments"].map(|part| join(&root.folder, part));
    for file in tree.under(&root.folder).filter(|file| !root.is_context(file.path)) {
        let is_role = folders.iter().any(|folder| parent(file.path).starts_with(folder.as_str()));
        let by = match base(file.path) {
            ".kitchen.yml" | "kitchen.yml" => "kitchen",
            "Vagrantfile" => "vagrant",
            "Policyfile.rb" => "policyfile",
            name if parent(file.path).ends_with("policyfiles") && name.ends_with(".rb") => "policyfile",
            name if is_role && (name.ends_with(".rb") || name.ends_with(".json")) => "role",
            _ => continue,
        };
        match by {
            "policyfile" => {
                all.extend(of_policyfile(file).into_iter().map(|recipe| Named { by, recipe, file: file.file }));
                continue;
            }
            "vagrant" => all.extend(added(file)),
            _ => {}
        }
        all.extend(in_brackets(file.text).map(|recipe| Named { by, recipe, file: file.file }));
    }
    all
}

/// Each `recipe[cookbook::recipe]` outside of comments; one whose name is put together says nothing.
fn in_brackets(text: &str) -> impl Iterator<Item = Located<String>> {
    const OPENING: &str = "recipe[";
    text.match_indices(OPENING).filter_map(move |(at, _)| {
        let start = at + OPENING.len();
        let line = text[..at].rsplit('\n').next().unwrap_or_default();
        let name = text[start..].split([']', '\n']).next()?;
        // A version may follow: `recipe[shop@1.0.0]`.
        let (name, _) = name.split_once('@').unwrap_or((name, ""));
        let is_name = !name.is_empty() && name.chars().all(is_of_name) && !line.trim_start().starts_with(['#', '/']);
        is_name.then(|| Located::new(full_name(name, ""), Span::new(at, start + name.len() + 1)))
    })
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | ':' | '.')
}

/// The recipes of a Policyfile's run lists: `run_list 'a::b', 'recipe[c]'` and `named_run_list :name, 'a'`.
pub fn of_policyfile(file: &RepoFile<'_>) -> Vec<Located<String>> {
    let mut all: Vec<Located<String>> = in_brackets(file.text).collect();
    for call in ruby::parse(file.text).tree.body.iter().filter_map(|expr| expr.call()) {
        let skipped = match call.name.as_str() {
            "run_list" => 0,
            "named_run_list" => 1,
            _ => continue,
        };
        let items = call.arguments.iter().skip(skipped).flat_map(|argument| match &argument.kind {
            ruby::Kind::Array(items) => items.iter().collect(),
            _ => vec![argument],
        });
        all.extend(items.filter_map(|item| {
            let name = item.literal().filter(|name| name.chars().all(is_of_name) && !name.is_empty())?;
            Some(Located::new(full_name(&name, ""), item.span))
        }));
    }
    all
}

/// `chef.add_recipe 'a::b'` of a Vagrantfile.
fn added(file: &RepoFile<'_>) -> Vec<Named> {
    let mut all = Vec::new();
    ruby::parse(file.text).tree.visit(&mut |expr| {
        let Some(call) = expr.call().filter(|call| call.name == "add_recipe") else { return };
        if let Some(name) = call.first_literal().filter(|name| !name.contains('[')) {
            let recipe = Located::new(full_name(&name, ""), expr.span);
            all.push(Named { by: "vagrant", recipe, file: file.file });
        }
    });
    all
}

#[cfg(test)]
mod tests {
    use super::in_brackets;

    #[test]
    fn recipes_in_brackets() {
        let text = "run_list:\n  - recipe[shop]\n  # - recipe[old]\n  - recipe[shop::web@1.0.0]\n  - role[web]\n  - recipe[#{x}]\n  - recipe[";
        let names: Vec<_> = in_brackets(text).map(|one| one.value).collect();
        assert_eq!(names, ["shop::default", "shop::web"]);
        assert_eq!(in_brackets(text).next().map(|one| one.span.of(text)), Some("recipe[shop]"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(pieces in proptest::collection::vec(".{0,12}|[-@.a-z ='\"#<%>\n]{0,12}", 0..12)) {
            let text = pieces.concat();
            let text = format!("recipe[{text}recipe[");
            in_brackets(&text).for_each(|one| assert!(!one.value.is_empty()));
        }
    }
}
