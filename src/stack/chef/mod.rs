//! What a Chef repository says: its layout, its cookbooks, and the resources its recipes declare.

pub mod attribute_read;
pub mod attributes;
pub mod berks;
pub mod berks_entry;
pub mod berks_lock;
pub mod checkout;
mod choice;
pub mod command;
pub mod cookbook;
mod custom_resource;
pub mod deployed_file;
mod dialect;
pub mod file_source;
mod host_key;
mod kitchen;
pub mod last_run;
mod layout;
mod local;
pub mod metadata;
pub mod metadata_field;
mod method;
pub mod misnamed;
pub mod notification;
pub mod opsworks;
pub mod platform;
pub mod policy_lock;
pub mod printed_value;
pub mod private_key;
pub mod recipe;
pub mod recipe_use;
mod role;
mod run_list;
pub mod scope;
mod service;
pub mod target;
pub mod template_variable;
#[cfg(test)]
mod tests;
pub mod tree;
pub mod value;
pub mod version;
pub mod walk;
pub mod written_secret;

use std::sync::Arc;

use crate::rows;
use crate::source::FileId;
use crate::stack::deployment::{self, Deployed};
use crate::stack::fact::{Answer, Row};
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
        #[doc = "the consumer the repository is made for: `opsworks-11` (Chef 11.10), `opsworks-11.4`, `opsworks-12`, `chef-server`, `cookbook`, `policyfile`"]
        target: String,
        #[doc = "on what evidence"]
        evidence: String,
        #[doc = "whether it lies under a `cookbooks` folder, where OpsWorks does not look"]
        nested: bool,
        #[doc = "the commands that move it to where the consumer looks"]
        moves: String,
        #[doc = "the last part of its folder; absent where it lies in the root"]
        folder: String,
        #[doc = "the name that its metadata gives"]
        named: String,
        #[doc = "whether it has a metadata.rb or metadata.json, or a gem that stands for it"]
        has_metadata: bool,
        #[doc = "whether it has recipes"]
        has_recipes: bool,
        #[doc = "whether OpsWorks with that Chef 11 has a cookbook of its name built in, and merges the two"]
        built_in: bool,
        #[doc = "whether some cookbook beside it has metadata"]
        others_have_metadata: bool,
        #[doc = "of a cookbook in the root: why OpsWorks with Chef 11 does not see that it is one; absent where it does"]
        not_recognised: String,
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
        #[doc = "the folder without metadata that its line `metadata` asks for"]
        metadata_missing: String,
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
        #[doc = "whether a cookbook depends on itself"]
        itself: bool,
    }

    #[doc = "one `service` resource"]
    pub struct Service in "services" {
        #[doc = "the service's name"]
        name: String,
        #[doc = "the platforms on which it has this name; absent where the name is the same on all"]
        platforms: String,
        #[doc = "the Upstart job that the cookbook writes for it"]
        upstart_job: String,
        #[doc = "the provider it names"]
        provider: String,
        #[doc = "the major version of Chef it runs under"]
        chef: i64,
        #[doc = "what restarts it because its job has changed: a notification of the job's own file"]
        restarted_by_job: String,
        #[doc = "the command that it is restarted with instead of its init system's own"]
        restart_command: String,
        #[doc = "whether every run restarts or reloads it, whatever has changed"]
        restarts_always: bool,
        #[doc = "whether its recipe is there for that: it fetches code, or its name says so"]
        in_deploy: bool,
        #[doc = "the job with nearly its name, where neither a job nor a package has it"]
        similar_job: String,
        #[doc = "the consumer the repository is made for"]
        target: String,
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
        #[doc = "why a key that is there is not used"]
        key_unusable: String,
        #[doc = "what makes the server's host key known to that user, or lets any pass"]
        host_key_from: String,
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
    /// The rows that only pages look at.
    pub rows: Vec<Arc<dyn Row>>,
    /// What Ruby refuses, with its file.
    pub problems: Vec<(FileId, Problem)>,
}

/// Reads the Chef files of `tree`. `target` is the consumer that the user declared; `attributes` are the paths of the JSON
/// files of attributes that the user named (`[chef] attributes`).
pub fn read(tree: &Tree<'_>, target: Option<Target>, attributes: &[&str]) -> Chef {
    let mut chef = Chef { roots: cookbook::roots(tree, attributes), ..Chef::default() };
    let roots = std::mem::take(&mut chef.roots);
    for (number, root) in roots.iter().enumerate() {
        let decision = target::decide(target, root, tree);
        let layout = layout::Layout::new(root, &decision, tree);
        let deployed = deployment::deployed(root, number, tree);
        chef.cookbooks.extend(layout.cookbooks(tree).into_iter().map(Arc::new));
        for berks in &root.berks {
            let row = Arc::new(layout.berksfile(berks, tree));
            chef.add(berks_entry::entries(root, berks, &row));
            chef.add(berks_entry::sources(berks, &row));
            chef.add(berks_lock::locks(root, berks, &row, tree));
            chef.berksfiles.push(row);
        }
        chef.dependencies.extend(layout.dependencies().into_iter().map(Arc::new));
        chef.services.extend(service::services(root, &deployed, &decision, tree).into_iter().map(Arc::new));
        chef.checkouts.extend(checkout::checkouts(root, &deployed, tree).into_iter().map(Arc::new));
        let sources = file_source::sources(root, &decision, tree);
        chef.add(file_source::in_other_case(&sources));
        chef.add(sources);
        chef.add(template_variable::variables(root, &deployed, tree));
        chef.add(printed_value::values(root, &deployed, tree));
        chef.add(deployed_file::files(root, &deployed, tree));
        chef.deployed.extend(deployed);
        chef.problems.extend(root.problems.iter().cloned());
        chef.add(version::versions(root));
        chef.add(metadata_field::fields(root, &decision));
        chef.add(recipe_use::uses(root, &decision, tree));
        chef.add(misnamed::files(root, tree));
        chef.add(attribute_read::reads(root, &decision, tree));
        chef.add(command::commands(root, tree));
        chef.add(notification::notifications(root, &decision));
        chef.add(written_secret::secrets(root, tree));
        chef.add(private_key::keys(root, tree));
        chef.add(policy_lock::locks(root, tree));
    }
    chef.roots = roots;
    chef
}

impl Chef {
    fn add<R: Row + 'static>(&mut self, rows: Vec<R>) {
        self.rows.extend(rows.into_iter().map(|row| Arc::new(row) as Arc<dyn Row>));
    }

    /// What an output tag of a deployed template prints, by its code.
    pub fn evaluate(&self, deployed: &Deployed, code: &str) -> Answer<String> {
        let (root, book) = deployed.owner_of_attributes;
        let Some(root) = self.roots.get(root) else { return value::not_seen(code) };
        let mut scope = root.scope(book);
        scope.fields.clone_from(&deployed.variables);
        scope::evaluate(code, &scope)
    }
}
