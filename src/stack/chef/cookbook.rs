//! The cookbooks of one Chef root: where they lie, what they depend on, their attributes and recipes.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{FileId, Place};
use crate::stack::chef::attributes::Attributes;
use crate::stack::chef::berks::Berks;
use crate::stack::chef::custom_resource;
use crate::stack::chef::kitchen;
use crate::stack::chef::metadata::Metadata;
use crate::stack::chef::recipe::{self, Recipe, Resource};
use crate::stack::chef::role;
use crate::stack::chef::scope::Scope;
use crate::stack::chef::tree::{Tree, base, join, parent};
use crate::syntax::Problem;
use crate::syntax::ruby::{self, Program};

/// One cookbook of a root.
#[derive(Debug)]
pub struct Book {
    /// Its folder.
    pub folder: String,
    /// Its name: as metadata says, else its folder's.
    pub name: String,
    /// Its metadata, where it has any.
    pub metadata: Option<Metadata>,
    /// Its name in metadata.rb, else its first file.
    pub place: Place,
    /// Whether it lies in `cookbooks/` or `site-cookbooks/` of the root.
    pub is_nested: bool,
    /// Whether it is somebody else's: read, not judged.
    pub is_context: bool,
    /// Whether a gem stands for it, as halite packs cookbooks: it then has no metadata of its own.
    pub is_gem: bool,
    /// How many recipes it has.
    pub recipes: usize,
    /// Its own number and those of the cookbooks it depends on, near and far.
    pub sees: Vec<usize>,
}

/// One folder that a consumer would take as a whole, and all that was read in it.
#[derive(Debug)]
pub struct Root {
    /// The folder; empty for the root of the tree.
    pub folder: String,
    /// In order of their folders.
    pub books: Vec<Book>,
    /// In order of their paths.
    pub berks: Vec<Berks>,
    /// Every Ruby file that was read, in the order of their paths.
    pub programs: Vec<(String, FileId, Program)>,
    /// Every assignment of an attribute.
    pub attributes: Attributes,
    /// Every recipe.
    pub recipes: Vec<Recipe>,
    /// What the cookbooks' own resources declare where recipes use them, with the cookbook of the recipe.
    pub within: Vec<(Resource, usize)>,
    /// JSON files of attributes with a `deploy` section: OpsWorks' custom JSON.
    pub json: Vec<(FileId, serde_json::Value)>,
    /// What Ruby refuses.
    pub problems: Vec<(FileId, Problem)>,
}

/// Folders that hold other people's cookbooks, or cookbooks that only tests use.
const CONTEXT: [&str; 10] = [
    "vendor",
    "berks-cookbooks",
    "berkshelf-cookbooks",
    "test",
    "tests",
    "spec",
    "fixtures",
    "examples",
    "node_modules",
    "features",
];

fn is_context(path: &str) -> bool {
    path.split('/').any(|part| CONTEXT.contains(&part) || (part.starts_with('.') && part.len() > 1))
}

fn is_collection(folder: &str) -> bool {
    matches!(base(folder), "cookbooks" | "site-cookbooks" | "vendor")
}

/// The folders that hold a cookbook.
fn cookbook_folders<'a>(tree: &Tree<'a>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    for file in tree.all() {
        let (folder, name) = (parent(file.path), base(file.path));
        let owner = parent(folder);
        match (base(folder), name) {
            (_, "metadata.rb") if !folder.split('/').any(|part| matches!(part, "templates" | "files")) => {
                found.insert(folder);
            }
            // A cookbook that was packaged has no metadata.rb, and one made of libraries has no recipes either.
            (part, "metadata.json") if !matches!(part, "templates" | "files") && holds_code(tree, folder) => {
                found.insert(folder);
            }
            ("recipes", "default.rb") | ("attributes", "default.rb" | "customize.rb") => {
                found.insert(owner);
            }
            ("recipes", name) if name.ends_with(".rb") => {
                let has = |part| tree.has_folder(&join(owner, part));
                if ["attributes", "templates", "files", "definitions", "libraries"].into_iter().any(has) {
                    found.insert(owner);
                }
            }
            _ => {}
        }
    }
    found
}

fn holds_code(tree: &Tree<'_>, folder: &str) -> bool {
    ["recipes", "libraries", "resources", "providers"]
        .iter()
        .any(|part| tree.under(&join(folder, part)).any(|file| file.path.ends_with(".rb")))
}

/// The folders that a consumer would take as a whole: the outermost ones with signs of Chef.
fn root_folders(tree: &Tree<'_>, cookbooks: &BTreeSet<&str>) -> Vec<String> {
    let mut roots = BTreeSet::new();
    let has_own = cookbooks.iter().any(|folder| !is_context(folder));
    for &folder in cookbooks.iter().filter(|folder| if has_own { !is_context(folder) } else { !is_test("", folder) }) {
        let mut root = parent(folder);
        let has_siblings = cookbooks.iter().any(|&other| other != folder && parent(other) == root);
        let stands_alone = ["Berksfile", "Policyfile.rb", ".kitchen.yml", "kitchen.yml"]
            .iter()
            .any(|name| tree.get(&join(folder, name)).is_some());
        if folder.is_empty() || (stands_alone && !has_siblings && !is_collection(root) && !root.is_empty()) {
            root = folder;
        }
        while is_collection(root) {
            root = parent(root);
        }
        let mut above = root;
        while !above.is_empty() {
            above = parent(above);
            let has_file = |name: &&str| tree.get(&join(above, name)).is_some();
            let has_folder = |name: &&str| tree.has_folder(&join(above, name));
            if ["Berksfile", "Policyfile.rb", "Cheffile"].iter().any(has_file)
                || ["roles", "environments", "data_bags", "policyfiles"].iter().any(has_folder)
            {
                root = above;
            }
        }
        roots.insert(root.to_owned());
    }
    let within = |inner: &str, outer: &str| outer.is_empty() || inner.starts_with(&format!("{outer}/"));
    let outermost = |root: &&String| !roots.iter().any(|other| other != *root && within(root, other));
    roots.iter().filter(outermost).cloned().collect()
}

/// Reads every root of the tree; `named` are the JSON files of attributes that the user named.
pub fn roots(tree: &Tree<'_>, named: &[&str]) -> Vec<Root> {
    let cookbooks = cookbook_folders(tree);
    root_folders(tree, &cookbooks).into_iter().map(|folder| root(tree, folder, &cookbooks, named)).collect()
}

fn root(tree: &Tree<'_>, folder: String, cookbooks: &BTreeSet<&str>, named: &[&str]) -> Root {
    let inside: Vec<&str> =
        cookbooks.iter().copied().filter(|book| tree_holds(&folder, book) && !is_test(&folder, book)).collect();
    let files: Vec<_> = tree.under(&folder).filter(|file| is_read(file.path, &folder, &inside)).copied().collect();
    let texts: Vec<&str> = files.iter().map(|file| file.text).collect();
    let parsed = ruby::parse_all(&texts, rayon::current_num_threads());
    let gems = gem_folders(tree);
    let mut root = Root {
        folder,
        books: Vec::new(),
        berks: Vec::new(),
        programs: Vec::new(),
        attributes: Attributes::default(),
        recipes: Vec::new(),
        within: Vec::new(),
        json: Vec::new(),
        problems: Vec::new(),
    };
    for (file, parsed) in files.iter().zip(parsed) {
        if !root.is_context(file.path) {
            root.problems.extend(parsed.problems.into_iter().map(|problem| (file.file, problem)));
        }
        root.programs.push((file.path.to_owned(), file.file, parsed.tree));
    }
    root.books = inside.iter().map(|book| read_book(tree, &root, book, &gems)).collect();
    see_dependencies(&mut root.books);
    root.berks = root
        .programs
        .iter()
        .filter(|(path, ..)| base(path) == "Berksfile" && !root.is_context(path))
        .map(|(path, file, program)| Berks::read(program, *file, path))
        .collect();
    read_json(tree, &mut root, named);
    read_attributes(&mut root);
    role::read(tree, &root.folder, &mut root.attributes);
    let own = root.books.iter().filter(|book| !book.is_context).map(|book| book.folder.as_str());
    let folders: BTreeSet<&str> = own.chain([root.folder.as_str()]).collect();
    folders.into_iter().for_each(|folder| kitchen::read(tree, folder, &mut root.attributes));
    read_recipes(&mut root);
    root.within = custom_resource::declared(&root);
    root
}

/// The folders of gems that halite makes cookbooks of.
fn gem_folders<'a>(tree: &Tree<'a>) -> BTreeSet<&'a str> {
    let gems = tree.all().filter(|file| file.path.ends_with(".gemspec") && file.text.contains("halite"));
    gems.map(|file| parent(file.path)).collect()
}

fn tree_holds(root: &str, book: &str) -> bool {
    root.is_empty() || book == root || book.starts_with(&format!("{root}/"))
}

/// A cookbook of tests; one that is merely vendored is read as context.
fn is_test(root: &str, book: &str) -> bool {
    let inner = book.get(root.len()..).unwrap_or(book);
    inner.split('/').any(|part| matches!(part, "test" | "tests" | "spec" | "fixtures" | "features"))
}

fn is_read(path: &str, root: &str, books: &[&str]) -> bool {
    if base(path) == "Berksfile" {
        // Below `files/` it is what a recipe puts somewhere.
        let is_content = parent(path).split('/').any(|part| matches!(part, "files" | "templates"));
        return !is_test(root, path) && !is_content;
    }
    let Some(folder) = path.ends_with(".rb").then(|| parent(path)) else { return false };
    if base(path) == "metadata.rb" {
        return books.contains(&folder);
    }
    const PARTS: [&str; 6] = ["attributes", "recipes", "definitions", "libraries", "providers", "resources"];
    PARTS.contains(&base(folder)) && books.contains(&parent(folder))
}

impl Root {
    /// Whether a path of this root is somebody else's: read, not judged.
    pub fn is_context(&self, path: &str) -> bool {
        let inner = path.get(self.folder.len()..).unwrap_or(path).trim_start_matches('/');
        is_context(parent(inner)) || parent(inner).split('/').skip(1).any(|part| part == "cookbooks")
    }

    /// The Ruby files below a folder, by path; the empty name is the root of the tree.
    pub fn programs_under(&self, folder: &str) -> &[(String, FileId, Program)] {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let start = self.programs.partition_point(|(path, ..)| *path < prefix);
        let rest = &self.programs[start..];
        &rest[..rest.partition_point(|(path, ..)| path.starts_with(&prefix))]
    }

    /// The Ruby files in a folder itself.
    fn programs_in(&self, folder: &str) -> impl Iterator<Item = &(String, FileId, Program)> {
        self.programs_under(folder).iter().filter(move |(path, ..)| parent(path) == folder)
    }

    /// The cookbook that a file of this root belongs to.
    pub(super) fn book_of(&self, path: &str) -> Option<usize> {
        let folder = if base(path) == "metadata.rb" { parent(path) } else { parent(parent(path)) };
        self.books.binary_search_by(|book| book.folder.as_str().cmp(folder)).ok()
    }

    /// The attributes as the cookbook of this number sees them.
    pub fn scope(&self, book: usize) -> Scope<'_> {
        Scope::of(self.attributes.seen_by(self.books.get(book).map_or(&[], |book| &book.sees)))
    }
}

fn read_book(tree: &Tree<'_>, root: &Root, folder: &str, gems: &BTreeSet<&str>) -> Book {
    let ruby = join(folder, "metadata.rb");
    let metadata = match root.programs.iter().find(|(path, ..)| *path == ruby) {
        Some((_, file, program)) => Some(Metadata::read(program, *file)),
        None => tree.get(&join(folder, "metadata.json")).map(|file| Metadata::read_json(file.text, file.file)),
    };
    let named = metadata.as_ref().and_then(|metadata| Some((metadata.file, metadata.name.clone()?)));
    let recipes = join(folder, "recipes");
    let inner = folder.get(root.folder.len()..).unwrap_or(folder).trim_start_matches('/');
    let place = match (&named, &metadata) {
        (Some((file, name)), _) => Some(Place::at(*file, name.span)),
        (None, Some(metadata)) => Some(Place::whole(metadata.file)),
        (None, None) => tree.place_of(&recipes).or_else(|| tree.place_of(folder)),
    };
    Book {
        folder: folder.to_owned(),
        name: named.map_or_else(|| base(folder).to_owned(), |(_, name)| name.value),
        place: place.unwrap_or_else(|| Place::whole(root.programs[0].1)),
        is_nested: is_collection(parent(inner)) && !parent(inner).contains('/'),
        is_context: root.is_context(&join(folder, "metadata.rb")),
        is_gem: gems.contains(parent(folder)),
        recipes: root.programs_in(&recipes).count(),
        sees: Vec::new(),
        metadata,
    }
}

fn see_dependencies(books: &mut [Book]) {
    let by_name: BTreeMap<String, usize> = books.iter().enumerate().map(|(at, book)| (book.name.clone(), at)).collect();
    let direct: Vec<Vec<usize>> = books
        .iter()
        .map(|book| {
            let depends = book.metadata.iter().flat_map(|metadata| &metadata.depends);
            depends.filter_map(|one| by_name.get(&one.name.value).copied()).collect()
        })
        .collect();
    for (at, book) in books.iter_mut().enumerate() {
        let (mut open, mut seen) = (vec![at], vec![false; direct.len()]);
        while let Some(next) = open.pop() {
            if !std::mem::replace(&mut seen[next], true) {
                book.sees.push(next);
                open.extend(&direct[next]);
            }
        }
    }
}

/// Attribute files in Chef's order: a cookbook after its dependencies, `default.rb` first, then by name. Recipes last.
fn read_attributes(root: &mut Root) {
    let mut order: Vec<usize> = (0..root.books.len()).collect();
    order.sort_by_key(|&book| root.books[book].sees.len());
    let mut attributes = std::mem::take(&mut root.attributes);
    let files_of = |book: usize, part: &str| {
        let folder = join(&root.books[book].folder, part);
        let mut files: Vec<_> = root.programs_in(&folder).collect();
        files.sort_by_key(|(path, ..)| (base(path) != "default.rb", path.clone()));
        files
    };
    for (part, in_recipe) in [("attributes", false), ("recipes", true)] {
        for &book in &order {
            for (_, file, program) in files_of(book, part) {
                attributes.read(program, *file, book, &root.books[book].sees, in_recipe);
            }
        }
    }
    root.attributes = attributes;
}

fn read_recipes(root: &mut Root) {
    let recipes = root
        .programs
        .iter()
        .filter(|(path, ..)| base(parent(path)) == "recipes")
        .filter_map(|(path, file, program)| {
            let book = root.book_of(path)?;
            let name = format!("{}::{}", root.books[book].name, base(path).trim_end_matches(".rb"));
            Some(recipe::read(program, *file, name, book, root.scope(book)))
        })
        .collect();
    root.recipes = recipes;
}

/// Larger files are data, not a stack's custom JSON.
const MAX_JSON: usize = 256 << 10;

fn read_json(tree: &Tree<'_>, root: &mut Root, named: &[&str]) {
    for file in tree.under(&root.folder) {
        let is_candidate = file.path.ends_with(".json")
            && file.text.len() <= MAX_JSON
            && file.text.contains("\"deploy\"")
            && !root.is_context(file.path)
            && !named.contains(&file.path);
        let json = is_candidate.then(|| serde_json::from_str::<serde_json::Value>(file.text).ok()).flatten();
        root.json.extend(json.filter(|json| json["deploy"].is_object()).map(|json| (file.file, json)));
    }
    let only = root.json.len() == 1;
    for (file, json) in &root.json {
        root.attributes.read_json(json, Place::whole(*file), !only);
    }
    for file in named.iter().filter_map(|path| tree.get(path)) {
        let Ok(json) = serde_json::from_str::<serde_json::Value>(file.text) else { continue };
        root.attributes.read_json(&json, Place::whole(file.file), false);
        if json["deploy"].is_object() {
            root.json.push((file.file, json));
        }
    }
}
