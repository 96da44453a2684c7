//! Test Kitchen's configuration: the attributes that its suites give, and the Chef that it runs.

use crate::source::{FileId, Located, Place};
use crate::stack::chef::attributes::{Attributes, Level, Setting};
use crate::stack::chef::platform::Reach;
use crate::stack::chef::tree::{RepoFile, Tree, join};
use crate::stack::chef::value::{Pairs, Value, not_seen};
use crate::stack::fact::Answer;
use crate::syntax::yaml::{self, Node};

/// Its names: the older one is hidden.
const NAMES: [&str; 2] = [".kitchen.yml", "kitchen.yml"];

fn file<'t, 'a>(tree: &'t Tree<'a>, folder: &str) -> Option<&'t RepoFile<'a>> {
    NAMES.iter().find_map(|name| tree.get(&join(folder, name)))
}

/// The version of Chef that the kitchen in `folder` runs, such as `11.10.4`, and its file.
pub fn chef_version(tree: &Tree<'_>, folder: &str) -> Option<(Located<String>, FileId)> {
    const KEYS: [&str; 5] =
        ["require_chef_omnibus", "product_version", "chef_omnibus_version", "require_chef", "chef_version"];
    let file = file(tree, folder)?;
    let top = yaml::parse(file.text);
    let parts = ["provisioner", "driver"].iter().filter_map(|part| top.get(part));
    let mut versions = parts.flat_map(|part| KEYS.iter().filter_map(|key| part.get(key)?.text()));
    versions
        .find(|version| version.value.starts_with(|first: char| first.is_ascii_digit()))
        .map(|version| (version.clone(), file.file))
}

/// Adds what the suites and platforms of the kitchen in `folder` give: it counts where nothing else sets the attribute.
pub fn read(tree: &Tree<'_>, folder: &str, attributes: &mut Attributes) {
    let Some(file) = file(tree, folder) else { return };
    let top = yaml::parse(file.text);
    let parts = ["suites", "platforms"].iter().filter_map(|part| top.get(part)).flat_map(Node::items);
    for part in std::iter::once(&top).chain(top.get("provisioner")).chain(parts) {
        let pairs = part.get("attributes").map_or(&[][..], Node::pairs);
        add(pairs, &mut Vec::new(), file.file, attributes);
    }
}

fn add(pairs: &[(Located<String>, Node)], above: &mut Vec<String>, file: FileId, attributes: &mut Attributes) {
    for (key, node) in pairs {
        above.push(key.value.clone());
        match node {
            Node::Map(pairs) if !pairs.is_empty() => add(pairs, above, file, attributes),
            node => attributes.add(Setting {
                path: above.clone(),
                level: Level::Suite,
                value: value(node),
                place: Place::at(file, key.span),
                cookbook: None,
                reach: Reach::MAYBE,
                in_recipe: false,
            }),
        }
        above.pop();
    }
}

/// YAML's value as Ruby loads it.
fn value(node: &Node) -> Answer<Value> {
    Answer::Known(match node {
        Node::Plain(word) => plain(&word.value),
        Node::Quoted(text) => Value::Text(text.value.clone()),
        Node::List(items) => Value::List(items.iter().map(value).collect()),
        Node::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, node)| (key.value.clone(), value(node)));
            Value::Hash(Pairs::closed(pairs.collect()))
        }
        Node::Null => return Answer::Absent,
        Node::Opaque => return not_seen("what Test Kitchen gives"),
    })
}

fn plain(word: &str) -> Value {
    match word {
        "true" | "yes" | "on" => Value::Bool(true),
        "false" | "no" | "off" => Value::Bool(false),
        // With a zero in front it is an octal number.
        _ if word.len() > 1 && word.starts_with('0') => Value::Text(word.to_owned()),
        _ => word.parse().map_or_else(|_| Value::Text(word.to_owned()), Value::Int),
    }
}
