//! Notifications between resources: whether the one that is meant is there.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::finding::Confidence;
use crate::nearest::slip;
use crate::rows;
use crate::source::Place;
use crate::stack::chef::cookbook::{Book, Root};
use crate::stack::chef::recipe::{self, Item, Recipe, Resource};
use crate::stack::chef::target::{Decision, Target};
use crate::stack::chef::value::{Value, not_seen};
use crate::stack::fact::{Answer, Fact, Missing};

rows! {
    #[doc = "one `notifies` or `subscribes`"]
    pub struct Notification in "notifications" {
        #[doc = "`notifies` or `subscribes`"]
        word: String,
        #[doc = "the resource that it is written in, as `kind[name]`"]
        resource: String,
        #[doc = "the resource that is meant, as `kind[name]`"]
        target: String,
        #[doc = "what the notified one does"]
        action: String,
        #[doc = "whether a resource of that kind and name is declared"]
        declared: bool,
        #[doc = "the one that was probably meant"]
        suggestion: String,
    }
}

/// Kinds of resources that Chef itself has; any other may be a definition, which declares more of them.
const CORE: [&str; 44] = [
    "template",
    "file",
    "cookbook_file",
    "remote_file",
    "remote_directory",
    "directory",
    "link",
    "service",
    "package",
    "execute",
    "bash",
    "script",
    "ruby_block",
    "user",
    "group",
    "git",
    "subversion",
    "deploy",
    "deploy_revision",
    "cron",
    "log",
    "mount",
    "gem_package",
    "chef_gem",
    "apt_package",
    "yum_package",
    "rpm_package",
    "dpkg_package",
    "route",
    "http_request",
    "ohai",
    "env",
    "python",
    "ruby",
    "perl",
    "csh",
    "ifconfig",
    "mdadm",
    "erl_call",
    "breakpoint",
    "apt_update",
    "systemd_unit",
    "powershell_script",
    "include_recipe",
];

/// What a property notifies: the kinds and names of the resources, and the action.
#[derive(Debug, Clone)]
pub struct Notice {
    /// `notifies` or `subscribes`.
    pub word: String,
    /// The resource it stands in.
    pub from: Answer<String>,
    /// What is meant: `kind[name]`.
    pub target: Answer<String>,
    /// The action.
    pub action: Answer<String>,
    /// The property.
    pub place: Place,
}

/// `kind[name]`, as notifications call a resource.
pub fn called(resource: &Resource) -> Answer<String> {
    resource.name.clone().map_known(|name| format!("{}[{name}]", resource.kind))
}

/// The notifications of a resource.
pub fn notices(resource: &Resource) -> Vec<Notice> {
    let words =
        resource.properties.iter().filter(|property| matches!(property.name.as_str(), "notifies" | "subscribes"));
    words
        .flat_map(|property| {
            let print = |value: Option<&Answer<Value>>| match value {
                Some(Answer::Known(value)) => value.print(),
                _ => not_seen("what is notified"),
            };
            let notice = |target| Notice {
                word: property.name.clone(),
                from: called(resource),
                target,
                action: print(Some(&property.value)),
                place: property.place,
            };
            match property.rest.first() {
                // `resources(:service => ['a', 'b'])` and `[…]` name several.
                Some(Answer::Known(Value::List(items))) => items.iter().map(|item| notice(print(Some(item)))).collect(),
                other => vec![notice(print(other))],
            }
        })
        .collect()
}

/// Everything that is declared in a root, by kind and name, and the kinds of which some name is out of sight.
#[derive(Debug, Default)]
pub struct Declared {
    names: BTreeSet<String>,
    open: BTreeSet<String>,
}

impl Declared {
    /// What the recipes of `root` declare, and what its definitions, providers and libraries do by plain names.
    pub fn of(root: &Root) -> Self {
        let mut declared = Self::default();
        for item in root.recipes.iter().flat_map(|recipe| &recipe.items) {
            let Item::Resource(resource) = item else { continue };
            match &resource.name {
                Answer::Known(name) => declared.names.extend(Some(format!("{}[{name}]", resource.kind))),
                _ => declared.open.extend(Some(resource.kind.clone())),
            }
        }
        for (_, _, program) in &root.programs {
            program.visit(&mut |expr| {
                let Some(call) = expr.call().filter(|call| call.receiver.is_none()) else { return };
                if let Some(name) = call.first_literal() {
                    declared.names.insert(format!("{}[{name}]", call.name));
                }
            });
        }
        declared
    }

    /// The resource of the same kind whose name `target` is a slip of.
    fn nearly(&self, target: &str) -> Option<String> {
        let kind = target.get(..=target.find('[')?)?;
        let of_kind = self.names.range::<str, _>((Bound::Included(kind), Bound::Unbounded));
        slip(target, of_kind.map(String::as_str).take_while(|name| name.starts_with(kind))).map(str::to_owned)
    }

    /// Whether `kind[name]` is declared; `None` where one of that kind has a name that is out of sight.
    fn has(&self, target: &str) -> Option<bool> {
        let (kind, names) = target.trim_end_matches(']').split_once('[')?;
        let mut all = names.split(',').map(|name| format!("{kind}[{}]", name.trim()));
        if all.all(|one| self.names.contains(&one)) {
            return Some(true);
        }
        if self.open.contains(kind) { None } else { Some(false) }
    }
}

/// A row for each notification in the root's own recipes.
pub fn notifications(root: &Root, decision: &Decision) -> Vec<Notification> {
    let declared = Declared::of(root);
    let mut rows = Vec::new();
    for recipe in &root.recipes {
        let Some(book) = root.books.get(recipe.cookbook).filter(|book| !book.is_context) else { continue };
        let hidden = hidden(root, book, recipe).or_else(|| beside(decision));
        for item in &recipe.items {
            let Item::Resource(resource) = item else { continue };
            for notice in notices(resource) {
                rows.push(row(notice, resource, &declared, hidden.as_ref()));
            }
        }
    }
    rows
}

fn row(notice: Notice, resource: &Resource, declared: &Declared, hidden: Option<&Missing>) -> Notification {
    let mut row = Notification::at(notice.place);
    row.confidence = if resource.conditional { Confidence::Possible } else { Confidence::Likely };
    row.word = Fact::read(notice.word, notice.place);
    row.resource = Fact { answer: notice.from, ..Fact::read(String::new(), resource.place) };
    row.action = Fact { answer: notice.action, ..Fact::read(String::new(), notice.place) };
    let near = match &notice.target {
        Answer::Known(target) if declared.has(target) == Some(false) => declared.nearly(target),
        _ => None,
    };
    // Of a slip it is plain what was meant, whatever else may be declared.
    let hidden = hidden.filter(|_| near.is_none());
    row.declared = match &notice.target {
        Answer::Known(target) => match (declared.has(target), hidden) {
            (Some(true), _) => Fact::derived(true),
            (Some(false), None) => Fact::derived(false),
            (Some(false), Some(missing)) => Fact::unknown(missing.clone()),
            (None, _) => Fact::unknown(Missing::new("the names of all resources", "write them as plain strings")),
        },
        Answer::Absent => Fact::absent(),
        Answer::Unknown(missing) => Fact::unknown(missing.clone()),
    };
    row.suggestion = near.map_or_else(Fact::absent, Fact::derived);
    row.target = Fact { answer: notice.target, ..Fact::read(String::new(), notice.place) };
    row
}

/// OpsWorks runs its own recipes in the same run, and which ones the layer decides.
fn beside(decision: &Decision) -> Option<Missing> {
    let is_open = decision.target.is_none_or(Target::is_opsworks_11);
    is_open
        .then(|| Missing::new("what the recipes of the layer declare", "say what the cookbook is for, with `--target`"))
}

/// What may declare more than is in sight when this recipe runs.
fn hidden(root: &Root, book: &Book, recipe: &Recipe) -> Option<Missing> {
    let run = recipe::run(&root.recipes, recipe);
    if let Some((_, name)) = run.foreign.first() {
        return Some(match name {
            Answer::Known(name) => Missing::new(format!("what the recipe {name} declares"), "vendor its cookbook"),
            _ => Missing::new("which recipe is included", "write its name as a plain string"),
        });
    }
    let depends = book.metadata.iter().flat_map(|metadata| &metadata.depends);
    let absent = depends.map(|one| &one.name.value).find(|name| root.books.iter().all(|book| book.name != **name));
    if let Some(name) = absent {
        return Some(Missing::new(format!("what the recipes of {name} declare"), "vendor its cookbook"));
    }
    let other = run.resources.iter().map(|(resource, _)| resource).find(|one| !CORE.contains(&one.kind.as_str()));
    other.map(|other| Missing::new(format!("what `{}` declares", other.kind), "it is no resource of Chef's own"))
}
