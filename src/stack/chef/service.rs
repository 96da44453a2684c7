//! Services: whether Chef would find the Upstart job that the cookbook writes for them.

use crate::finding::Confidence;
use crate::source::{Place, Span};
use crate::stack::chef::Service;
use crate::stack::chef::cookbook::{Book, Root};
use crate::stack::chef::recipe::{Item, Resource};
use crate::stack::chef::target::{Decision, Target};
use crate::stack::chef::tree::{Tree, join};
use crate::stack::deployment::Deployed;
use crate::stack::fact::{Answer, Fact, Missing};

/// A row for each `service` of the root's own recipes.
pub fn services(root: &Root, deployed: &[Deployed], decision: &Decision, tree: &Tree<'_>) -> Vec<Service> {
    let mut rows = Vec::new();
    for recipe in &root.recipes {
        let Some(book) = root.books.get(recipe.cookbook).filter(|book| !book.is_context) else { continue };
        for item in &recipe.items {
            let Item::Resource(resource) = item else { continue };
            if resource.kind == "service" {
                let mut row = service(resource, deployed, chef(book, decision, tree));
                row.confidence = row.confidence.min(decision.confidence);
                rows.push(row);
            }
        }
    }
    rows
}

fn service(resource: &Resource, deployed: &[Deployed], chef: Fact<i64>) -> Service {
    let mut row = Service::at(resource.place);
    let name = resource.text_or_name("service_name");
    row.upstart_job = match &name {
        Answer::Known(name) => upstart_job(name, resource, deployed),
        Answer::Absent => Fact::absent(),
        Answer::Unknown(missing) => Fact::unknown(missing.clone()),
    };
    let is_certain = row.upstart_job.known().is_some() && !resource.conditional;
    row.confidence = if is_certain { Confidence::Proved } else { Confidence::Possible };
    row.name = Fact { answer: name, ..Fact::read(String::new(), resource.place) };
    row.provider = provider(resource);
    row.chef = chef;
    row
}

/// The job's path, where it is written whenever the service is declared; a job in another arm of the same condition is
/// for other hosts.
fn upstart_job(name: &str, resource: &Resource, deployed: &[Deployed]) -> Fact<String> {
    let path = format!("/etc/init/{name}.conf");
    let goes_along = |job: &&Deployed| job.place.file != resource.place.file || !exclude(&job.arms, &resource.arms);
    let deployed = || deployed.iter().filter(goes_along);
    if let Some(job) = deployed().find(|job| matches!(&job.path, Answer::Known(at) if *at == path)) {
        return Fact::read(path, job.place);
    }
    let could_be = deployed().find_map(|job| match &job.path {
        Answer::Unknown(missing) if job.ends.tail.ends_with(".conf") && job.ends.fit(&path) => Some(missing.clone()),
        _ => None,
    });
    could_be.map_or_else(Fact::absent, Fact::unknown)
}

/// Whether two ways through a recipe take different arms of one condition.
fn exclude(left: &[(Span, usize)], right: &[(Span, usize)]) -> bool {
    left.iter().any(|(condition, arm)| right.iter().any(|(other, taken)| condition == other && arm != taken))
}

/// The provider's name, or `commands` where the resource says how to start it itself.
fn provider(resource: &Resource) -> Fact<String> {
    if let Some(property) = resource.property("provider") {
        let answer = match resource.text("provider") {
            Answer::Known(name) => Answer::Known(name),
            // Whichever it is, one is named.
            _ => Answer::Known("provider".to_owned()),
        };
        return Fact { answer, ..Fact::read(String::new(), property.place) };
    }
    let commands = ["start_command", "restart_command", "init_command"].iter().find_map(|name| resource.property(name));
    commands.map_or_else(Fact::absent, |property| Fact::read("commands".to_owned(), property.place))
}

/// The major version of Chef: the consumer's, else the lowest that the metadata or Test Kitchen names.
fn chef(book: &Book, decision: &Decision, tree: &Tree<'_>) -> Fact<i64> {
    match decision.target {
        Some(Target::OpsWorks11) => return Fact { place: decision.fact().place, ..Fact::derived(11) },
        Some(Target::OpsWorks12) => return Fact { place: decision.fact().place, ..Fact::derived(12) },
        _ => {}
    }
    let metadata =
        book.metadata.iter().flat_map(|metadata| metadata.chef_version.iter().map(|line| (metadata.file, line)));
    for (file, line) in metadata {
        let constraint = line.value.trim_start_matches(['>', '=', '~', ' ']);
        if !line.value.trim_start().starts_with('<')
            && let Some(major) = major(constraint)
        {
            return Fact::read(major, Place::at(file, line.span));
        }
    }
    for name in [".kitchen.yml", "kitchen.yml"] {
        let Some(file) = tree.get(&join(&book.folder, name)) else { continue };
        let line = file.text.lines().find_map(|line| {
            let (key, value) = line.trim().split_once(':')?;
            let is_version = matches!(key, "require_chef_omnibus" | "product_version" | "chef_omnibus_version");
            is_version.then(|| major(value.trim().trim_matches(['"', '\''])))?
        });
        if let Some(major) = line {
            return Fact::read(major, Place::whole(file.file));
        }
    }
    Fact::unknown(Missing::new(
        "the version of Chef",
        "say what the cookbook runs on: `--target`, or `chef_version '>= 12'` in metadata.rb",
    ))
}

fn major(version: &str) -> Option<i64> {
    version.split('.').next()?.trim().parse().ok()
}
