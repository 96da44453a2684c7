//! Checkouts of code: from where, by whom, with which key, and which folder is the release that runs.

use std::sync::Arc;

use crate::source::{Place, Span};
use crate::stack::chef::Checkout;
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::host_key::HostKeys;
use crate::stack::chef::recipe::{self, Item, Recipe, Resource};
use crate::stack::chef::tree::Tree;
use crate::stack::chef::value::{Value, not_seen};
use crate::stack::deployment::Deployed;
use crate::stack::fact::{Answer, Fact, Missing};

/// Kinds that fetch code with git and keep releases behind a `current` link.
const DEPLOYS: [&str; 5] = ["deploy", "deploy_revision", "deploy_branch", "timestamped_deploy", "opsworks_deploy"];

/// A row for each checkout of the root's own recipes, and for each app of OpsWorks' custom JSON that a recipe deploys.
pub fn checkouts(root: &Root, deployed: &[Deployed], tree: &Tree<'_>) -> Vec<Checkout> {
    let mut rows = Vec::new();
    let host_keys = HostKeys::of(root, deployed, tree);
    for recipe in own_recipes(root) {
        for item in &recipe.items {
            let Item::Resource(resource) = item else { continue };
            let is_checkout = resource.kind == "git" || DEPLOYS[..4].contains(&resource.kind.as_str());
            if is_checkout && !resource.properties.is_empty() {
                let mut row = checkout(resource, recipe, root);
                row.host_key_from = host_keys.known_to(resource, recipe, root);
                rows.push(row);
            }
        }
    }
    rows.extend(opsworks_apps(root, tree));
    rows
}

fn own_recipes(root: &Root) -> impl Iterator<Item = &Recipe> {
    root.recipes.iter().filter(|recipe| root.books.get(recipe.cookbook).is_some_and(|book| !book.is_context))
}

fn checkout(resource: &Resource, recipe: &Recipe, root: &Root) -> Checkout {
    let mut row = Checkout::at(resource.place);
    let keeps_releases = resource.kind != "git";
    row.resource = Fact::read(resource.kind.clone(), resource.place);
    row.repository = repository(resource, root);
    row.over_ssh = row.repository.clone().map(|repository| is_ssh(&repository));
    row.user = stated(resource, "user");
    row.key_from = key(resource, &row.user, recipe, root);
    row.key_unusable = other_key(resource, recipe, root);
    let property = if keeps_releases { "deploy_to" } else { "destination" };
    let place = resource.property(property).map_or(resource.place, |property| property.place);
    row.destination = Fact { answer: resource.text_or_name(property), ..Fact::read(String::new(), place) };
    row.keeps_releases = Fact::derived(keeps_releases).at(resource.place);
    row
}

fn stated(resource: &Resource, name: &str) -> Fact<String> {
    match resource.property(name) {
        Some(property) => Fact { answer: resource.text(name), ..Fact::read(String::new(), property.place) },
        None => Fact::absent(),
    }
}

fn repository(resource: &Resource, root: &Root) -> Fact<String> {
    let name = ["repository", "repo"].into_iter().find(|name| resource.property(name).is_some());
    let Some(name) = name else { return Fact::absent() };
    let fact = stated(resource, name);
    let Some(value) = fact.known() else { return fact };
    let setting = root.attributes.setting_of(value);
    match setting {
        Some(place) => fact.via(place, "the repository is set here"),
        None => fact,
    }
}

/// git: `ssh://…`, `git+ssh://…` and the scp form `user@host:path`; a colon after a slash is a plain path.
pub(super) fn is_ssh(repository: &str) -> bool {
    if let Some((scheme, _)) = repository.split_once("://") {
        return matches!(scheme, "ssh" | "git+ssh" | "ssh+git");
    }
    let Some((host, _)) = repository.split_once(':') else { return false };
    !host.contains('/') && host.contains('@')
}

/// What gives the user a key before the checkout: the resource itself, or something that was run before.
fn key(resource: &Resource, user: &Fact<String>, recipe: &Recipe, root: &Root) -> Fact<String> {
    for name in ["ssh_wrapper", "git_ssh_wrapper", "deploy_key", "ssh_key", "ssh_private_key"] {
        if let Some(property) = resource.property(name).filter(|property| property.value != Answer::Absent) {
            return Fact::read(name.to_owned(), property.place);
        }
    }
    let environment = resource.properties.iter().find(|property| {
        matches!(property.name.as_str(), "environment" | "env")
            && match &property.value {
                Answer::Known(value) => value.get("GIT_SSH").or_else(|| value.get("GIT_SSH_COMMAND")).is_some(),
                _ => true,
            }
    });
    if let Some(property) = environment {
        return Fact::read("GIT_SSH".to_owned(), property.place);
    }
    let run = recipe::run(&root.recipes, recipe);
    let at = run.resources.iter().position(|(other, _)| std::ptr::eq(*other, resource)).unwrap_or_default();
    let mut unknown = None;
    for other in not_later(&run, at, root) {
        match gives_key(other, user) {
            Answer::Known(words) => return Fact::read(words, other.place),
            Answer::Unknown(missing) => unknown = unknown.or(Some(missing)),
            Answer::Absent => {}
        }
    }
    let foreign = run.foreign.iter().filter(|(before, _)| *before <= at);
    for (_, name) in foreign {
        match name {
            Answer::Known(name) if may_write_keys(name) => {
                unknown = unknown.or_else(|| Some(Missing::new(format!("what the recipe {name} does"), VENDOR)));
            }
            Answer::Unknown(missing) => unknown = unknown.or_else(|| Some(missing.clone())),
            _ => {}
        }
    }
    unknown.map_or_else(Fact::absent, Fact::unknown)
}

/// All resources of the root but those that come after number `at` of a run.
fn not_later<'a>(run: &recipe::Run<'a>, at: usize, root: &'a Root) -> Vec<&'a Resource> {
    let later: Vec<&Resource> = run.resources.iter().skip(at + 1).map(|(other, _)| *other).collect();
    let all = root.recipes.iter().flat_map(|recipe| &recipe.items).filter_map(|item| match item {
        Item::Resource(other) if !later.iter().any(|late| std::ptr::eq(*late, other)) => Some(other),
        _ => None,
    });
    all.collect()
}

/// That a key is written below `.ssh` under a name that ssh does not try by itself.
fn other_key(resource: &Resource, recipe: &Recipe, root: &Root) -> Fact<String> {
    let run = recipe::run(&root.recipes, recipe);
    let at = run.resources.iter().position(|(other, _)| std::ptr::eq(*other, resource)).unwrap_or_default();
    let keys = not_later(&run, at, root).into_iter().filter(|other| matches!(other.kind.as_str(), "file" | "template"));
    let named = keys.filter_map(|other| {
        let Answer::Known(path) = other.text_or_name("path") else { return None };
        let name = path.rsplit_once("/.ssh/")?.1;
        let why = || format!("ssh does not try {path} by itself");
        (!is_tried(name) && !holds_no_key(name)).then(|| Fact::read(why(), other.place))
    });
    named.into_iter().next().unwrap_or_else(Fact::absent)
}

/// The names under which ssh looks for a key by itself, and its configuration, which may name another
/// (openssh: `_PATH_SSH_CLIENT_ID_*` in pathnames.h).
fn is_tried(name: &str) -> bool {
    const NAMES: [&str; 9] =
        ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk", "id_xmss", "identity", "config"];
    NAMES.contains(&name)
}

fn holds_no_key(name: &str) -> bool {
    name.is_empty()
        || name.ends_with(".pub")
        || matches!(name, "authorized_keys" | "authorized_keys2" | "known_hosts" | "environment" | "rc")
}

const VENDOR: &str = "vendor its cookbook, so that it can be read";

fn may_write_keys(recipe: &str) -> bool {
    ["ssh", "key", "user", "deploy", "git", "secret", "vault", "scm"].iter().any(|word| recipe.contains(word))
}

/// Whether a resource gives `user` a private key.
fn gives_key(resource: &Resource, user: &Fact<String>) -> Answer<String> {
    match resource.kind.as_str() {
        "file" | "template" | "cookbook_file" | "remote_file" | "link" => writes_key(resource, user),
        "execute" | "bash" | "script" => {
            let of = |name| match resource.text(name) {
                Answer::Known(text) => text,
                _ => String::new(),
            };
            let text = [of("command"), of("code")].concat();
            let is_key = text.contains("ssh-keygen") || text.contains("ssh-add") || text.contains(".ssh/id_");
            if is_key { Answer::Known(format!("the `{}` that handles a key", resource.kind)) } else { Answer::Absent }
        }
        "prepare_git_checkouts" => match resource.property("ssh_key").map(|key| &key.value) {
            Some(Answer::Known(Value::Text(key))) if key.trim().is_empty() => Answer::Absent,
            Some(Answer::Absent) | None => Answer::Absent,
            Some(_) => Answer::Known("OpsWorks' `prepare_git_checkouts`".to_owned()),
        },
        kind if (kind.contains("ssh") && kind.contains("key"))
            || kind.contains("ssh_config")
            || kind == "deploy_key" =>
        {
            not_seen(&format!("what the resource {kind} does"))
        }
        _ => Answer::Absent,
    }
}

/// A key below `.ssh` of the user's home where ssh looks for it, or a configuration that may name one.
fn writes_key(resource: &Resource, user: &Fact<String>) -> Answer<String> {
    let ends = resource.ends_or_name("path");
    let (path, name) = match resource.text_or_name("path") {
        Answer::Known(path) => (Some(path.clone()), path),
        _ => (None, ends.tail.clone()),
    };
    if name == "/etc/ssh/ssh_config" {
        return Answer::Known(format!("the file {name}"));
    }
    let Some((_, name)) = name.rsplit_once(".ssh/") else { return Answer::Absent };
    if !is_tried(name) {
        return Answer::Absent;
    }
    let home = path.as_deref().and_then(|path| path.split("/.ssh/").next());
    let user = match &user.answer {
        Answer::Known(user) => user.as_str(),
        Answer::Absent => "root",
        Answer::Unknown(_) => return Answer::Known(format!("the file .ssh/{name}")),
    };
    let is_home =
        home.is_none_or(|home| home.rsplit('/').next().is_some_and(|last| last.trim_start_matches('~') == user));
    let owner = resource.text("owner");
    let is_owner = matches!(&owner, Answer::Known(owner) if owner == user) || matches!(owner, Answer::Unknown(_));
    if is_home || is_owner { Answer::Known(format!("the file .ssh/{name}")) } else { Answer::Absent }
}

/// Apps of the custom JSON, where a recipe lets OpsWorks' own `opsworks_deploy` fetch them: the agent writes
/// `~/.ssh/id_dsa` for the deploy user only if `ssh_key` is not blank (aws/opsworks-cookbooks: deploy/definitions).
fn opsworks_apps(root: &Root, tree: &Tree<'_>) -> Vec<Checkout> {
    let deploys = own_recipes(root).flat_map(|recipe| &recipe.items).find_map(|item| match item {
        Item::Resource(resource) if resource.kind == "opsworks_deploy" => Some(resource.place),
        Item::Include(Answer::Known(name), place, _) if name.starts_with("deploy::") && name != "deploy::default" => {
            Some(*place)
        }
        _ => None,
    });
    let Some(deploys) = deploys else { return Vec::new() };
    if root.json.is_empty() {
        return vec![app_out_of_sight(deploys)];
    }
    let apps = root.json.iter().flat_map(|(file, json)| {
        json["deploy"].as_object().into_iter().flatten().map(move |(app, settings)| (*file, app, settings))
    });
    apps.filter_map(|(file, app, settings)| {
        let scm = &settings["scm"];
        let repository = scm["repository"].as_str()?;
        let text = tree.text_of(file).unwrap_or_default();
        let at = text.find(repository)?;
        let place = Place::at(file, Span::new(at, at + repository.len()));
        let mut row = Checkout::at(place);
        row.resource = Fact::read("opsworks_deploy".to_owned(), deploys);
        row.repository = Fact::read(repository.to_owned(), place).via(deploys, "this recipe deploys it");
        row.over_ssh = Fact::derived(is_ssh(repository)).at(place);
        row.user = Fact::default_of("deploy".to_owned());
        row.key_from = match scm["ssh_key"].as_str() {
            Some(key) if !key.trim().is_empty() => Fact::read("scm.ssh_key of the stack".to_owned(), place),
            _ => Fact::absent(),
        };
        row.key_unusable = Fact::absent();
        // The agent's own ssh_config for the deploy user asks for none.
        row.host_key_from = Fact::default_of("OpsWorks itself".to_owned());
        row.destination = match settings["deploy_to"].as_str() {
            Some(folder) => Fact::read(folder.to_owned(), place),
            None => Fact::default_of(format!("/srv/www/{app}")),
        };
        row.keeps_releases = Fact::default_of(true);
        Some(row)
    })
    .collect()
}

/// An app whose address and key only the stack's settings have.
fn app_out_of_sight(deploys: Place) -> Checkout {
    let missing = || {
        Missing::new(
            "the address of the app that OpsWorks deploys, and whether its field *Repository SSH key* is filled in",
            "look at the app in the console, or put the stack's custom JSON beside the cookbooks",
        )
    };
    Checkout {
        resource: Fact::read("opsworks_deploy".to_owned(), deploys),
        repository: Fact::unknown(missing()),
        over_ssh: Fact::unknown(missing()),
        user: Fact::default_of("deploy".to_owned()),
        key_from: Fact::unknown(missing()),
        key_unusable: Fact::absent(),
        host_key_from: Fact::default_of("OpsWorks itself".to_owned()),
        destination: Fact::unknown(Missing::new(
            "the short name of the app that OpsWorks deploys",
            "look at the app in the console",
        )),
        keeps_releases: Fact::default_of(true),
        ..Checkout::at(deploys)
    }
}

/// Whether any of them keeps releases behind a `current` link.
pub fn keep_releases(checkouts: &[Arc<Checkout>]) -> bool {
    checkouts.iter().any(|row| row.keeps_releases.known() == Some(&true))
}

/// The deploy folder whose `current` link the code folder `folder` bypasses: it lies in the deploy folder, but not in
/// `current`, `releases` or `shared`. Unknown where a deploy folder is out of sight and `folder` may lie in it.
pub fn bypassed_release(checkouts: &[Arc<Checkout>], folder: &str) -> Fact<String> {
    let folder = folder.trim_end_matches('/');
    let keeping = checkouts.iter().filter(|row| row.keeps_releases.known() == Some(&true));
    let mut unknown = None;
    for row in keeping {
        match &row.destination.answer {
            Answer::Known(root) => {
                let root = root.trim_end_matches('/');
                if !root.is_empty() && bypasses(folder, root) {
                    let place = row.destination.place.unwrap_or(row.place);
                    return Fact::derived(root.to_owned())
                        .at(row.place)
                        .via(place, "releases are kept behind `current` here");
                }
            }
            // OpsWorks deploys to `/srv/www/APP`, whatever the app is called.
            Answer::Unknown(missing) if under_srv_www(folder) => unknown = unknown.or(Some(missing.clone())),
            _ => {}
        }
    }
    unknown.map_or_else(Fact::absent, Fact::unknown)
}

fn bypasses(folder: &str, root: &str) -> bool {
    let Some(inner) = folder.strip_prefix(root) else { return false };
    if !inner.is_empty() && !inner.starts_with('/') {
        return false;
    }
    let first = inner.trim_start_matches('/').split('/').next().unwrap_or_default();
    !matches!(first, "current" | "releases" | "shared")
}

fn under_srv_www(folder: &str) -> bool {
    let Some(inner) = folder.strip_prefix("/srv/www/") else { return false };
    let app = inner.split('/').next().unwrap_or_default();
    !app.is_empty() && bypasses(folder, &format!("/srv/www/{app}"))
}
