//! Whether ssh will know the server that code is fetched from: without a person to ask, an unknown one ends the checkout.

use crate::source::Place;
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::recipe::{self, Item, Recipe, Resource};
use crate::stack::chef::tree::Tree;
use crate::stack::deployment::{Content, Deployed};
use crate::stack::fact::{Answer, Fact, Missing};

/// What of a root makes host keys known, whoever fetches.
pub(super) struct HostKeys<'a> {
    everywhere: Option<(String, Place)>,
    wrappers: Vec<(&'a str, &'a str)>,
}

/// Words of ssh's configuration that say which host keys count.
const SETTINGS: [&str; 4] = ["StrictHostKeyChecking", "UserKnownHostsFile", "GlobalKnownHostsFile", "known_hosts"];

impl<'a> HostKeys<'a> {
    pub(super) fn of(root: &Root, deployed: &'a [Deployed], tree: &'a Tree<'_>) -> Self {
        let resources = root.recipes.iter().flat_map(|recipe| &recipe.items).filter_map(|item| match item {
            Item::Resource(resource) => Some(resource),
            Item::Include(..) => None,
        });
        let everywhere = resources.filter_map(|resource| Some((makes_known(resource)?, resource.place))).next();
        let text_of = |one: &'a Deployed| match &one.content {
            Content::Template(origin) | Content::File(origin) => tree.get(&origin.path).map(|file| file.text),
            Content::Text { text: Answer::Known(text), .. } => Some(text.as_str()),
            _ => None,
        };
        let wrappers = deployed.iter().filter_map(|one| match &one.path {
            Answer::Known(path) => Some((path.as_str(), text_of(one)?)),
            _ => None,
        });
        Self { everywhere, wrappers: wrappers.collect() }
    }

    /// What lets `resource` reach its server.
    pub(super) fn known_to(&self, resource: &Resource, recipe: &Recipe, root: &Root) -> Fact<String> {
        if let Some((words, place)) = &self.everywhere {
            return Fact::read(words.clone(), *place);
        }
        let wrapper = ["ssh_wrapper", "git_ssh_wrapper"].iter().find_map(|name| resource.property(name));
        let in_environment =
            resource.properties.iter().any(|property| matches!(property.name.as_str(), "environment" | "env"));
        match wrapper {
            Some(property) => match resource.text(&property.name) {
                Answer::Known(path) => match self.wrappers.iter().find(|(at, _)| *at == path) {
                    Some((_, text)) if SETTINGS.iter().any(|word| text.contains(word)) => {
                        return Fact::read("the wrapper".to_owned(), property.place);
                    }
                    Some(_) => {}
                    None => {
                        return Fact::unknown(Missing::new(
                            format!("what {path} does"),
                            "lint the recipe that writes it",
                        ));
                    }
                },
                _ => {
                    return Fact::unknown(Missing::new(
                        "what the ssh_wrapper does",
                        "write its path as a plain string",
                    ));
                }
            },
            None if in_environment => return Fact::unknown(Missing::new("what GIT_SSH does", "use `ssh_wrapper`")),
            None => {}
        }
        let run = recipe::run(&root.recipes, recipe);
        let foreign = run.foreign.iter().find_map(|(_, name)| match name {
            Answer::Known(name) => {
                ["ssh", "known", "git", "user"].iter().any(|word| name.contains(word)).then(|| name.clone())
            }
            _ => Some("that is included under a computed name".to_owned()),
        });
        foreign.map_or_else(Fact::absent, |name| {
            Fact::unknown(Missing::new(
                format!("what the recipe {name} does"),
                "vendor its cookbook, so that it can be read",
            ))
        })
    }
}

/// Whether a resource makes host keys known, or tells ssh not to ask.
fn makes_known(resource: &Resource) -> Option<String> {
    if resource.kind.contains("known_host") {
        return Some(format!("`{}`", resource.kind));
    }
    let is_file = matches!(resource.kind.as_str(), "file" | "template" | "cookbook_file" | "remote_file");
    if is_file {
        let path = match resource.text_or_name("path") {
            Answer::Known(path) => path,
            _ => resource.ends_or_name("path").tail.clone(),
        };
        let is_setting =
            path.ends_with(".ssh/config") || path.ends_with("/ssh_config") || path.ends_with("known_hosts");
        return is_setting.then_some(path);
    }
    let is_command = matches!(resource.kind.as_str(), "execute" | "bash" | "script" | "ruby_block");
    let mut texts = ["command", "code"].into_iter().filter_map(|name| match resource.text_or_name(name) {
        Answer::Known(text) => Some(text),
        _ => None,
    });
    let says = |text: String| text.contains("ssh-keyscan") || SETTINGS.iter().any(|word| text.contains(word));
    (is_command && texts.any(says)).then(|| format!("the `{}`", resource.kind))
}
