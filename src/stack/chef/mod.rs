//! What a Chef repository says: its layout, its cookbooks, and the resources its recipes declare.

pub mod attributes;
pub mod berks;
pub mod checkout;
pub mod cookbook;
mod layout;
pub mod metadata;
pub mod opsworks;
pub mod recipe;
mod role;
mod service;
pub mod target;
#[cfg(test)]
mod tests;
pub mod tree;
pub mod value;
pub mod walk;

use std::sync::Arc;

use crate::rows;
use crate::source::FileId;
use crate::stack::deployment::{self, Deployed};
use crate::stack::fact::Answer;
use crate::syntax::Problem;

pub use self::cookbook::Root;
pub use self::target::Target;
pub use self::tree::{RepoFile, Tree};

rows! {
    #[doc = "one cookbook"]
    pub struct Cookbook in "cookbooks" {
        #[doc = "its name"]
        name: String,
        #[doc = "its folder"]
        path: String,
        #[doc = "the consumer the repository is made for: `opsworks-11`, `opsworks-12`, `chef-server`, `cookbook`, `policyfile`"]
        target: String,
        #[doc = "on what evidence"]
        evidence: String,
        #[doc = "whether it lies under a `cookbooks` folder, where OpsWorks does not look"]
        nested: bool,
        #[doc = "the commands that move it to where the consumer looks"]
        moves: String,
    }

    #[doc = "one Berksfile"]
    pub struct Berksfile in "berksfiles" {
        #[doc = "where it lies"]
        path: String,
        #[doc = "whether the consumer reads it"]
        used: bool,
        #[doc = "the consumer the repository is made for"]
        target: String,
        #[doc = "why it is not read"]
        why_unused: String,
        #[doc = "the cookbooks it would fetch"]
        fetches: Vec<String>,
        #[doc = "those of them that come from nowhere else when it is not read"]
        lost: Vec<String>,
    }

    #[doc = "one `depends` of a cookbook's metadata"]
    pub struct Dependency in "dependencies" {
        #[doc = "the cookbook depended on"]
        name: String,
        #[doc = "the cookbook that depends on it"]
        cookbook: String,
        #[doc = "the consumer the repository is made for"]
        target: String,
        #[doc = "whether it will be there: in the repository, built in, or fetched by the Berksfile that is read"]
        fetched: bool,
        #[doc = "whether a Berksfile that is not read lists it"]
        in_unused_berksfile: bool,
        #[doc = "the Berksfile that is read, where there is one"]
        berksfile: String,
    }

    #[doc = "one `service` resource"]
    pub struct Service in "services" {
        #[doc = "the service's name"]
        name: String,
        #[doc = "the Upstart job that the cookbook writes for it"]
        upstart_job: String,
        #[doc = "the provider it names"]
        provider: String,
        #[doc = "the major version of Chef it runs under"]
        chef: i64,
    }

    #[doc = "one `git`, `deploy` or `deploy_revision` resource"]
    pub struct Checkout in "checkouts" {
        #[doc = "the kind of resource"]
        resource: String,
        #[doc = "the repository"]
        repository: String,
        #[doc = "whether it is fetched over SSH"]
        over_ssh: bool,
        #[doc = "the user that fetches"]
        user: String,
        #[doc = "what gives that user a key: an ssh_wrapper, GIT_SSH, or a key file written before"]
        key_from: String,
        #[doc = "where the code lands"]
        destination: String,
        #[doc = "whether it keeps releases behind a `current` link"]
        keeps_releases: bool,
    }
}

/// All that the Chef files of a repository say.
#[derive(Debug, Default)]
pub struct Chef {
    /// The folders that a consumer would take as a whole; kept apart.
    pub roots: Vec<Root>,
    /// One row for each cookbook.
    pub cookbooks: Vec<Arc<Cookbook>>,
    /// One row for each Berksfile.
    pub berksfiles: Vec<Arc<Berksfile>>,
    /// One row for each `depends`.
    pub dependencies: Vec<Arc<Dependency>>,
    /// One row for each `service`.
    pub services: Vec<Arc<Service>>,
    /// One row for each checkout of code.
    pub checkouts: Vec<Arc<Checkout>>,
    /// Which file lands where.
    pub deployed: Vec<Deployed>,
    /// What Ruby refuses, with its file.
    pub problems: Vec<(FileId, Problem)>,
}

/// Reads the Chef files among `files`; `target` is the consumer that the user declared.
pub fn read(files: &[RepoFile<'_>], target: Option<Target>) -> Chef {
    read_with(files, target, &[])
}

/// The same with the JSON files of attributes that the user named (`[chef] attributes`), by their paths among `files`.
pub fn read_with(files: &[RepoFile<'_>], target: Option<Target>, attributes: &[&str]) -> Chef {
    let tree = Tree::new(files);
    let mut chef = Chef { roots: cookbook::roots(&tree, attributes), ..Chef::default() };
    for (number, root) in chef.roots.iter().enumerate() {
        let decision = target::decide(target, root, &tree);
        let layout = layout::Layout::new(root, &decision, &tree);
        let deployed = deployment::deployed(root, number, &tree);
        chef.cookbooks.extend(layout.cookbooks().into_iter().map(Arc::new));
        chef.berksfiles.extend(layout.berksfiles().into_iter().map(Arc::new));
        chef.dependencies.extend(layout.dependencies().into_iter().map(Arc::new));
        chef.services.extend(service::services(root, &deployed, &decision, &tree).into_iter().map(Arc::new));
        chef.checkouts.extend(checkout::checkouts(root, &tree).into_iter().map(Arc::new));
        chef.deployed.extend(deployed);
        chef.problems.extend(root.problems.iter().cloned());
    }
    chef
}

impl Chef {
    /// What an output tag of a deployed template prints, by its code.
    pub fn evaluate(&self, deployed: &Deployed, code: &str) -> Answer<String> {
        let (root, book) = deployed.owner_of_attributes;
        let Some(root) = self.roots.get(root) else { return value::not_seen(code) };
        let mut scope = root.scope(book);
        scope.fields.clone_from(&deployed.variables);
        value::evaluate(code, &scope)
    }
}
