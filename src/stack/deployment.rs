//! Which file of the repository lands at which absolute path, with which owner and mode: what the recipes' resources say.

use std::collections::BTreeMap;

use crate::source::{FileId, Place, Span};
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::platform::Platforms;
use crate::stack::chef::recipe::{Ends, Item, Resource};
use crate::stack::chef::tree::{Tree, base, join};
use crate::stack::chef::value::{Value, not_seen};
use crate::stack::fact::{Answer, Missing};

/// One path that a resource manages.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// Where it lands.
    pub path: Answer<String>,
    /// What is written of that path, also where a part of it is unknown.
    pub ends: Ends,
    /// What lands there.
    pub content: Content,
    /// Its owner; absent where the resource names none (root, as Chef runs as root).
    pub owner: Answer<String>,
    /// Its group.
    pub group: Answer<String>,
    /// Its permission bits as four octal digits, such as `0644`; absent where the resource names none.
    pub mode: Answer<String>,
    /// On which platforms it lands there.
    pub platforms: Platforms,
    /// The resource.
    pub place: Place,
    /// The kind of resource.
    pub kind: String,
    /// Whether it may not be deployed: its resource stands in a branch or a loop over something unknown.
    pub conditional: bool,
    /// Whether this is one of several paths of which the platform, or something out of sight, chooses one.
    pub one_of_several: bool,
    /// The arms of conditions in its recipe that it stands in: the condition's span and the arm's number.
    pub arms: Vec<(Span, usize)>,
    /// What `variables(…)` hands to the template.
    pub variables: BTreeMap<String, Answer<Value>>,
    /// The root and the cookbook whose attributes it is rendered with, by their numbers.
    pub owner_of_attributes: (usize, usize),
}

/// What lands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A template, rendered.
    Template(Origin),
    /// A file, as it is.
    File(Origin),
    /// A text in the recipe; `verbatim` is where the recipe holds it as it lands.
    Text {
        /// The recipe.
        file: FileId,
        /// Where it stands, if it stands there as it lands.
        verbatim: Option<Span>,
        /// The text.
        text: Answer<String>,
    },
    /// A link to this path.
    Link(Answer<String>),
    /// A folder; its files are not listed.
    Folder,
    /// A file of this name that the repository does not hold, or whose name is unknown.
    OutOfSight(Answer<String>),
}

/// A file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its source.
    pub file: FileId,
    /// Its path in the repository.
    pub path: String,
}

/// Everything that the recipes of `root` (number `number`) deploy, in the order of the recipes.
pub fn deployed(root: &Root, number: usize, tree: &Tree<'_>) -> Vec<Deployed> {
    let mut all = Vec::new();
    let direct = root.recipes.iter().flat_map(|recipe| {
        recipe.items.iter().filter_map(|item| match item {
            Item::Resource(resource) => Some((resource, recipe.cookbook)),
            Item::Include(..) => None,
        })
    });
    for (resource, cookbook) in direct.chain(root.within.iter().map(|(resource, cookbook)| (resource, *cookbook))) {
        for (content, is_choice) in contents(resource, root, cookbook, tree) {
            all.extend(at_each_path(&one(resource, content, is_choice, (number, cookbook)), resource));
        }
    }
    all
}

/// The same at each path that it may land at; where that is one path, or out of sight, it alone.
fn at_each_path(one: &Deployed, resource: &Resource) -> Vec<Deployed> {
    let paths = paths(resource);
    if paths.is_empty() {
        return vec![one.clone()];
    }
    let at = |(platforms, path)| Deployed {
        path: Answer::Known(path),
        platforms,
        conditional: true,
        one_of_several: true,
        ..one.clone()
    };
    paths.into_iter().map(at).collect()
}

/// The few paths that a resource may put something at, each with its platforms; empty where there is one, or none is
/// in sight.
pub(in crate::stack) fn paths(resource: &Resource) -> Vec<(Platforms, String)> {
    let mut paths = resource.texts_or_name(path_property(resource));
    // A part that is nil on some platform makes no path.
    paths.retain(|(_, path)| path.starts_with('/'));
    if paths.len() > 1 { paths } else { Vec::new() }
}

fn path_property(resource: &Resource) -> &'static str {
    if resource.kind == "link" { "target_file" } else { "path" }
}

fn one(resource: &Resource, content: Content, is_choice: bool, owner_of_attributes: (usize, usize)) -> Deployed {
    let property = path_property(resource);
    Deployed {
        path: resource.text_or_name(property),
        ends: resource.ends_or_name(property).clone(),
        content,
        owner: resource.text(if resource.property("owner").is_some() { "owner" } else { "user" }),
        group: resource.text("group"),
        mode: mode(resource),
        platforms: Platforms::ALL,
        place: resource.place,
        kind: resource.kind.clone(),
        conditional: resource.conditional || is_choice,
        one_of_several: false,
        arms: resource.arms.clone(),
        variables: variables(resource),
        owner_of_attributes,
    }
}

/// What the resource puts at its path; several where the node's platform chooses, then each is only possible.
fn contents(resource: &Resource, root: &Root, book: usize, tree: &Tree<'_>) -> Vec<(Content, bool)> {
    let removes = resource.property("action").is_some_and(|action| is_only(&action.value, "delete"));
    if removes {
        return Vec::new();
    }
    let sure = |content| vec![(content, false)];
    match resource.kind.as_str() {
        "template" => sources(resource, root, book, tree, "templates", ".erb", Content::Template),
        "cookbook_file" => sources(resource, root, book, tree, "files", "", Content::File),
        "directory" | "remote_directory" => sure(Content::Folder),
        "link" => sure(Content::Link(resource.text("to"))),
        "file" => {
            let Some(content) = resource.property("content") else {
                return sure(Content::OutOfSight(Answer::Absent));
            };
            sure(Content::Text { file: content.place.file, verbatim: content.verbatim, text: resource.text("content") })
        }
        _ => Vec::new(),
    }
}

fn is_only(value: &Answer<Value>, word: &str) -> bool {
    match value {
        Answer::Known(Value::Text(text)) => text == word,
        Answer::Known(Value::List(items)) => items.len() == 1 && is_only(&items[0], word),
        _ => false,
    }
}

/// The files that `source` may mean: in `default/`, in a platform's or host's folder, or right below `templates/`.
fn sources(
    resource: &Resource,
    root: &Root,
    book: usize,
    tree: &Tree<'_>,
    part: &str,
    ending: &str,
    content: impl Fn(Origin) -> Content,
) -> Vec<(Content, bool)> {
    let named = source_name(resource, ending);
    let Answer::Known(name) = &named else { return vec![(Content::OutOfSight(named), false)] };
    let Some(folder) = source_folder(resource, root, book) else { return vec![(Content::OutOfSight(named), false)] };
    let folder = join(folder, part);
    let mut found: Vec<Origin> = [join(&folder, &format!("default/{name}")), join(&folder, name)]
        .iter()
        .filter_map(|path| tree.get(path))
        .map(|file| Origin { file: file.file, path: file.path.to_owned() })
        .take(1)
        .collect();
    for choice in tree.folders_in(&folder).iter().filter(|choice| **choice != "default") {
        let file = tree.get(&format!("{folder}/{choice}/{name}"));
        found.extend(file.map(|file| Origin { file: file.file, path: file.path.to_owned() }));
    }
    if found.is_empty() {
        return vec![(Content::OutOfSight(named), false)];
    }
    let is_choice = found.len() > 1;
    found.into_iter().map(|origin| (content(origin), is_choice)).collect()
}

/// The name that `source` gives or, where there is none, the resource's name does.
pub(in crate::stack) fn source_name(resource: &Resource, ending: &str) -> Answer<String> {
    match resource.text("source") {
        Answer::Absent if resource.property("source").is_none() => default_source(resource, ending),
        Answer::Unknown(_) => first_item(resource),
        named => named,
    }
}

/// The folder of the cookbook that holds the resource's source; `None` where it is out of sight, or no cookbook's.
pub(in crate::stack) fn source_folder<'a>(resource: &Resource, root: &'a Root, book: usize) -> Option<&'a str> {
    let is_elsewhere =
        matches!(resource.property("local").map(|local| &local.value), Some(Answer::Known(Value::Bool(true))));
    let folder = match resource.text("cookbook") {
        Answer::Known(other) => root.books.iter().find(|book| book.name == other).map(|book| book.folder.as_str()),
        Answer::Absent if resource.property("cookbook").is_none() => {
            root.books.get(book).map(|book| book.folder.as_str())
        }
        // An attribute that is nil here is meant to be set by somebody else.
        Answer::Absent | Answer::Unknown(_) => None,
    };
    folder.filter(|_| !is_elsewhere)
}

/// Chef: the base name of the resource's name, and `.erb` for a template.
fn default_source(resource: &Resource, ending: &str) -> Answer<String> {
    match &resource.name {
        Answer::Known(name) => Answer::Known(format!("{}{ending}", base(name))),
        Answer::Absent => Answer::Absent,
        // The base name is known where the interpolation ends before it.
        Answer::Unknown(missing) => match resource.ends.tail.rsplit_once('/') {
            Some((_, name)) if !name.is_empty() => Answer::Known(format!("{name}{ending}")),
            _ => Answer::Unknown(missing.clone()),
        },
    }
}

/// `source ['a.erb', 'b.erb']`: Chef takes the first that is there.
fn first_item(resource: &Resource) -> Answer<String> {
    match resource.property("source").map(|source| &source.value) {
        Some(Answer::Known(Value::List(items))) => match items.first() {
            Some(Answer::Known(value)) => value.print(),
            _ => not_seen("the template's source"),
        },
        Some(Answer::Unknown(missing)) => Answer::Unknown(missing.clone()),
        _ => not_seen("the template's source"),
    }
}

/// `mode 0644`, `mode '644'` and `mode '0644'` are the same.
fn mode(resource: &Resource) -> Answer<String> {
    match resource.property("mode").map(|mode| &mode.value) {
        None | Some(Answer::Absent) => Answer::Absent,
        Some(Answer::Known(Value::Int(bits))) => Answer::Known(format!("{bits:04o}")),
        Some(Answer::Known(Value::Text(digits))) => Answer::Known(format!("{digits:0>4}")),
        Some(Answer::Known(_)) => Answer::Unknown(Missing::new("the mode", "write it as a string of octal digits")),
        Some(Answer::Unknown(missing)) => Answer::Unknown(missing.clone()),
    }
}

fn variables(resource: &Resource) -> BTreeMap<String, Answer<Value>> {
    let all = resource.properties.iter().filter(|property| property.name == "variables");
    let pairs = all.filter_map(|property| match &property.value {
        Answer::Known(Value::Hash(pairs)) => Some(&pairs.all),
        _ => None,
    });
    let mut variables: BTreeMap<String, Answer<Value>> = BTreeMap::new();
    for (name, value) in pairs.flatten() {
        let value = match variables.get(name) {
            Some(before) if before != value => not_seen(&format!("which @{name} the template gets")),
            _ => value.clone(),
        };
        variables.insert(name.clone(), value);
    }
    variables
}
