//! Services: whether Chef would find the Upstart job that the cookbook writes for them.

use crate::finding::Confidence;
use crate::nearest::slip;
use crate::source::{Place, Span};
use crate::stack::chef::Service;
use crate::stack::chef::cookbook::{Book, Root};
use crate::stack::chef::deployed_file::mentions;
use crate::stack::chef::dialect::Dialect;
use crate::stack::chef::kitchen;
use crate::stack::chef::notification::notices;
use crate::stack::chef::platform::Platforms;
use crate::stack::chef::recipe::{Item, Recipe, Resource};
use crate::stack::chef::target::{Decision, Target};
use crate::stack::chef::tree::Tree;
use crate::stack::deployment::Deployed;
use crate::stack::fact::{Answer, Fact, Missing};

/// A row for each `service` of the root's own recipes.
pub fn services(root: &Root, deployed: &[Deployed], decision: &Decision, tree: &Tree<'_>) -> Vec<Service> {
    let mut rows = Vec::new();
    let names = Names::of(root, deployed);
    for recipe in &root.recipes {
        let Some(book) = root.books.get(recipe.cookbook).filter(|book| !book.is_context) else { continue };
        for item in &recipe.items {
            let Item::Resource(resource) = item else { continue };
            if resource.kind == "service" {
                for name in called(resource) {
                    let mut row = service(resource, name, deployed, chef(book, decision, tree));
                    row.restarted_by_job = restarted_by_job(&row, root, deployed);
                    row.similar_job = names.similar_job(&row.name);
                    row.in_deploy = Fact::derived(is_deploy(recipe));
                    row.target = decision.fact();
                    row.confidence = row.confidence.min(decision.confidence);
                    rows.push(row);
                }
            }
        }
    }
    rows
}

/// Its name, and the platforms where only some have that one: each where the platform decides.
fn called(resource: &Resource) -> Vec<(Answer<String>, Platforms)> {
    let names = resource.texts_or_name("service_name");
    if names.is_empty() || names.iter().any(|(platforms, _)| *platforms == Platforms::ALL) {
        return vec![(resource.text_or_name("service_name"), Platforms::ALL)];
    }
    names.into_iter().map(|(platforms, name)| (Answer::Known(name), platforms)).collect()
}

fn service(
    resource: &Resource,
    (name, platforms): (Answer<String>, Platforms),
    deployed: &[Deployed],
    chef: Fact<i64>,
) -> Service {
    let mut row = Service::at(resource.place);
    row.upstart_job = match &name {
        Answer::Known(name) => upstart_job(name, resource, platforms, deployed),
        Answer::Absent => Fact::absent(),
        Answer::Unknown(missing) => Fact::unknown(missing.clone()),
    };
    let is_certain = row.upstart_job.known().is_some() && !resource.conditional && platforms == Platforms::ALL;
    row.confidence = if is_certain { Confidence::Proved } else { Confidence::Possible };
    row.name = Fact { answer: name, ..Fact::read(String::new(), resource.place) };
    row.platforms = platforms.words().map_or_else(Fact::absent, Fact::derived);
    row.provider = provider(resource);
    row.restart_command = match resource.property("restart_command") {
        Some(property) => {
            Fact { answer: resource.text("restart_command"), ..Fact::read(String::new(), property.place) }
        }
        None => Fact::absent(),
    };
    row.restarts_always = restarts_always(resource);
    row.chef = chef;
    row
}

/// A restart that neither waits for a notification nor asks whether it is needed.
fn restarts_always(resource: &Resource) -> Fact<bool> {
    let asks = ["only_if", "not_if", "subscribes"].iter().any(|name| resource.property(name).is_some());
    match resource.property("action") {
        Some(action) if mentions(&action.value, &["restart", "reload"]) => {
            Fact::read(!asks && !resource.conditional, action.place)
        }
        _ => Fact::derived(false),
    }
}

/// A recipe that fetches code, or says by its name that it restarts something.
fn is_deploy(recipe: &Recipe) -> bool {
    let name = recipe.name.rsplit("::").next().unwrap_or_default();
    let says =
        ["deploy", "restart", "reload", "configure", "update", "stop", "start"].iter().any(|word| name.contains(word));
    let fetches = |item: &Item| match item {
        Item::Resource(resource) => resource.kind == "git" || resource.kind.contains("deploy"),
        Item::Include(Answer::Known(name), ..) => name.contains("deploy"),
        Item::Include(..) => false,
    };
    says || recipe.items.iter().any(fetches)
}

/// The notification by which the job's own file restarts the service.
fn restarted_by_job(row: &Service, root: &Root, deployed: &[Deployed]) -> Fact<String> {
    let (Some(path), Some(name)) = (row.upstart_job.known(), row.name.known()) else {
        return Fact { answer: row.upstart_job.answer.clone(), ..Fact::absent() };
    };
    let job = deployed.iter().find(|one| matches!(&one.path, Answer::Known(at) if at == path));
    let items = root.recipes.iter().flat_map(|recipe| &recipe.items);
    let resources = items.filter_map(|item| match item {
        Item::Resource(resource) => Some(resource),
        Item::Include(..) => None,
    });
    let target = format!("service[{name}]");
    let of_job = resources.filter(|resource| job.is_some_and(|job| job.place == resource.place));
    let mut restarts = of_job.flat_map(notices).filter(|notice| {
        notice.word == "notifies"
            && notice.action == Answer::Known("restart".to_owned())
            && notice.target == Answer::Known(target.clone())
    });
    restarts.next().map_or_else(Fact::absent, |notice| Fact::read("notifies".to_owned(), notice.place))
}

/// The names that a service could have: of jobs, packages and other services.
struct Names {
    jobs: Vec<(String, Place)>,
    others: Vec<String>,
    is_open: bool,
}

impl Names {
    fn of(root: &Root, deployed: &[Deployed]) -> Self {
        let name_of = |one: &Deployed| {
            let Answer::Known(path) = &one.path else { return None };
            let name = path.rsplit('/').next()?;
            match Dialect::of_place(path)? {
                Dialect::Script => Some((name.to_owned(), one.place)),
                Dialect::Upstart | Dialect::Systemd => Some((name.rsplit_once('.')?.0.to_owned(), one.place)),
                Dialect::Supervisor => None,
            }
        };
        let jobs: Vec<_> = deployed.iter().filter_map(name_of).collect();
        let mut names = Self { jobs, others: Vec::new(), is_open: false };
        for item in root.recipes.iter().flat_map(|recipe| &recipe.items) {
            let Item::Resource(resource) = item else { continue };
            match (resource.kind.as_str(), &resource.name) {
                ("package" | "apt_package" | "yum_package" | "dpkg_package", Answer::Known(name)) => {
                    names.others.push(name.clone());
                }
                ("package" | "apt_package" | "yum_package" | "dpkg_package", _) => names.is_open = true,
                _ => {}
            }
        }
        names
    }

    /// A job that is written under nearly this name, so that one of the two is a slip.
    fn similar_job(&self, name: &Fact<String>) -> Fact<String> {
        let Some(name) = name.known() else { return Fact { answer: name.answer.clone(), ..Fact::absent() } };
        if self.is_open || self.others.contains(name) || self.jobs.iter().any(|(job, _)| job == name) {
            return Fact::absent();
        }
        let near = slip(name, self.jobs.iter().map(|(job, _)| job.as_str())).filter(|_| name.len() > 4);
        let job = near.and_then(|near| self.jobs.iter().find(|(job, _)| job == near));
        job.map_or_else(Fact::absent, |(job, place)| Fact::read(job.clone(), *place))
    }
}

/// The job's path, where it is written whenever the service is declared; a job in another arm of the same condition is
/// for other hosts.
fn upstart_job(name: &str, resource: &Resource, platforms: Platforms, deployed: &[Deployed]) -> Fact<String> {
    let path = format!("/etc/init/{name}.conf");
    let goes_along = |job: &&Deployed| {
        let is_other_arm = job.place.file == resource.place.file && exclude(&job.arms, &resource.arms);
        !is_other_arm && !job.platforms.and(platforms).is_empty()
    };
    let deployed = || deployed.iter().filter(goes_along);
    if let Some(job) = deployed().find(|job| matches!(&job.path, Answer::Known(at) if *at == path)) {
        // A job that some of these hosts get and others do not: a service may have another file there.
        if !platforms.without(job.platforms).is_empty() {
            return Fact::unknown(Missing::new(
                "which platform the host runs",
                "lint the job and the service in one branch",
            ));
        }
        return Fact::read(path, job.place);
    }
    let could_be = deployed().find_map(|job| match &job.path {
        Answer::Unknown(missing) if job.ends.tail.ends_with(".conf") && job.ends.fit(&path) => Some(missing.clone()),
        _ => None,
    });
    could_be.map_or_else(Fact::absent, Fact::unknown)
}

/// Whether two ways through a recipe take different arms of one condition.
pub fn exclude(left: &[(Span, usize)], right: &[(Span, usize)]) -> bool {
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
    // A command to restart with starts nothing: Chef still looks for the script.
    let starts = resource.property("action").is_some_and(|action| mentions(&action.value, &["start", "enable"]));
    let names: &[&str] =
        if starts { &["start_command", "init_command"] } else { &["start_command", "restart_command", "init_command"] };
    let commands = names.iter().find_map(|name| resource.property(name));
    commands.map_or_else(Fact::absent, |property| Fact::read("commands".to_owned(), property.place))
}

/// The major version of Chef: the consumer's, else the lowest that the metadata or Test Kitchen names.
fn chef(book: &Book, decision: &Decision, tree: &Tree<'_>) -> Fact<i64> {
    match decision.target {
        Some(target) if target.is_opsworks_11() => return Fact { place: decision.fact().place, ..Fact::derived(11) },
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
    if let Some((version, file)) = kitchen::chef_version(tree, &book.folder)
        && let Some(major) = major(&version.value)
    {
        return Fact::read(major, Place::at(file, version.span));
    }
    Fact::unknown(Missing::new(
        "the version of Chef",
        "say what the cookbook runs on: `--target`, or `chef_version '>= 12'` in metadata.rb",
    ))
}

fn major(version: &str) -> Option<i64> {
    version.split('.').next()?.trim().parse().ok()
}
