//! What a Chef repository says: its layout, its cookbooks, and the resources its recipes declare.


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
