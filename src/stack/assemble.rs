//! Puts the chain together: every document of a view, every cookbook, read and linked into the tables that rules run over.

use std::borrow::Cow;
use std::sync::Arc;

use crate::finding::Confidence;
use crate::source::{FileId, Place};
use crate::stack::activation::activate;
use crate::stack::app::absence::{AbsentApp, absence};
use crate::stack::app::code::Code;
use crate::stack::app::name::normal;
use crate::stack::app::{self, Entry, Moment};
use crate::stack::chef::{Chef, checkout};
use crate::stack::daemon_file::daemon_files;
use crate::stack::database::{self, Named};
use crate::stack::deployment::Deployed;
use crate::stack::document::Kind;
use crate::stack::elsewhere::Elsewhere;
use crate::stack::ends::services;
use crate::stack::entry::{entry, in_container};
use crate::stack::env::{EnvRead, EnvValue, Layers, may_be_empty, names_a_need, names_a_signing_key};
use crate::stack::fact::{Fact, Missing, Row};
use crate::stack::facts::Facts;
use crate::stack::front::{Front, fronts};
use crate::stack::image::Images;
use crate::stack::job::{self, Job};
use crate::stack::link::{Link, PassLink, Surroundings, Unlinked, pass_links};
use crate::stack::login_shell::login_shell;
use crate::stack::login_variable::login_variables;
use crate::stack::nginx::{self, Trees};
use crate::stack::permission;
use crate::stack::problem::refusal;
use crate::stack::provider::{Around, layers};
use crate::stack::requirement::Requirements;
use crate::stack::rival::rivals;
use crate::stack::run::{self, Run, Starter};
use crate::stack::server::{DatabaseServer, Limits, servers};
use crate::stack::start::{self, JobRows, Start};
use crate::stack::starter::Starters;
use crate::stack::unit::Units;
use crate::stack::uwsgi::{self, Socket};
use crate::stack::variables::{self, Reader};
use crate::stack::view::View;
use crate::syntax::Problem;
use crate::syntax::data::Release;

/// What there is to put together.
#[derive(Debug)]
pub struct Parts<'a> {
    /// Every document where it lands or lies.
    pub view: &'a View,
    /// nginx's documents, parsed.
    pub trees: &'a Trees,
    /// The release of nginx that runs, where it was said.
    pub nginx_release: Option<Release>,
    /// The cookbooks, where there are any.
    pub chef: &'a Chef,
    /// Whether every file of Python in reach was read.
    pub all_code: bool,
    /// The folder that the user named as the app's.
    pub app: Option<&'a str>,
    /// The release of uWSGI that runs, where it is known.
    pub uwsgi_release: Option<Release>,
    /// The files that start processes.
    pub starters: Starters,
    /// The Dockerfiles, where there are any.
    pub images: Images,
    /// Variables that the running process of an ini was started with, by the ini's path: only a host has them.
    pub started_with: Vec<(String, Started)>,
}

/// The environment at exec of the process that runs an ini.
#[derive(Debug, Clone)]
pub struct Started {
    /// The variables, keyed `process`.
    pub values: Vec<Arc<EnvValue>>,
    /// Why it could not be read, where it could not.
    pub hidden: Option<Missing>,
}

/// One uWSGI instance with all that was linked to it.
#[derive(Debug, Clone)]
pub struct Instance {
    /// What its ini and its job's command line say.
    pub uwsgi: uwsgi::Reading,
    /// The chain's row.
    pub link: Arc<Link>,
    /// What its app reads.
    pub reads: Vec<EnvRead>,
    /// Who gives it variables.
    pub layers: Layers,
    /// The databases that its app names.
    pub databases: Vec<Named>,
    /// What it is told to load and would not find.
    pub absent_app: Option<AbsentApp>,
}

/// Everything that was read, linked.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    /// One for each ini, and for each job that starts uWSGI without one.
    pub instances: Vec<Instance>,
    /// What nginx listens on and passes on.
    pub nginx: nginx::Reading,
    /// Each pass with the socket it meets, once they are [`linked`](Stack::linked).
    pub pass_links: Vec<Arc<PassLink>>,
    /// The same where no configuration of uWSGI is in sight.
    pub unlinked: Vec<Arc<dyn Row>>,
    /// The servers of databases, in a repository; on a host they are asked.
    pub servers: Vec<DatabaseServer>,
    /// Each instance with what nginx lets through to it.
    pub fronts: Vec<Front>,
    /// Every job with its stanzas, lines and events.
    pub jobs: Vec<JobRows>,
    /// What login shells set.
    pub login: Vec<Arc<EnvValue>>,
    /// What jobs give to their processes.
    pub given: Vec<Arc<EnvValue>>,
    /// What the real programs refuse.
    pub problems: Vec<(FileId, Problem)>,
}

/// Reads everything and links each uWSGI with its job and its app; its sockets and nginx are [`linked`](Stack::linked) next.
pub fn assemble(parts: &Parts<'_>) -> Stack {
    let units = Units::of(parts.view);
    let mut starts = start::all(parts.view, &units, &parts.images);
    let login: Arc<[Arc<EnvValue>]> =
        parts.view.of(Kind::LoginShell).flat_map(|document| login_shell(document)).map(Arc::new).collect();
    let params: Arc<[Arc<EnvValue>]> = nginx::params(parts.view, parts.trees).into_iter().map(Arc::new).collect();
    let around = uwsgi::Around::of(parts.view, parts.uwsgi_release);
    let runs = run::all(around, parts.view, &starts);
    start::finish(&mut starts, around, parts.view, &runs);
    let elsewhere = Arc::new(Elsewhere::of_stack(&starts, parts.view));
    let around = Around { login: &login, params: &params, elsewhere: &elsewhere };
    let mut code = Code::of(parts.view.of(Kind::Python).cloned());
    parts.view.of(Kind::Variables).for_each(|file| code.add_env_file(&file.path, file.text()));
    let requirements = Requirements::of(parts.view);
    let instances: Vec<Instance> = runs
        .into_iter()
        .map(|Run { mut uwsgi, starter }| {
            let start = match &starter {
                Starter::Job(at, sure) => {
                    activate(&units, &starts[*at], &mut uwsgi);
                    Ok((Cow::Borrowed(&starts[*at]), *sure))
                }
                Starter::Emperor(emperor) => Ok((Cow::Owned(emperor.start(&starts)), emperor.sure)),
                Starter::Several(missing) => Err(missing.clone()),
                Starter::Unseen => Err(parts.starters.missing()),
            };
            let start = start.as_ref().map(|(start, sure)| (&**start, *sure));
            instance(parts, (&code, &requirements), around, uwsgi, start)
        })
        .collect();
    let code = nginx::CodeFolders::of(instances.iter().map(|instance| &instance.uwsgi.uwsgi));
    let nginx = nginx::read_all(parts.view, parts.trees, &nginx::Beside { release: parts.nginx_release, code });
    let mut problems = problems(parts, &nginx, &starts, &instances);
    problems.extend(units.problems());
    let login = login.to_vec();
    let given = starts.iter().flat_map(|start| start.reading.env.iter().cloned()).map(Arc::new).collect();
    let jobs = starts.into_iter().map(Start::into_rows).collect();
    Stack { instances, nginx, jobs, login, given, problems, ..Stack::default() }
}

fn instance(
    parts: &Parts<'_>,
    (code, requirements): (&Code, &Requirements),
    around: Around<'_>,
    uwsgi: uwsgi::Reading,
    start: Result<(&Start, Confidence), &Missing>,
) -> Instance {
    let row = &uwsgi.uwsgi;
    let mut layers = layers(parts, around, &uwsgi, start.map(|(start, _)| start));
    let entry = entry(parts, &uwsgi, &layers);
    let app = match start {
        Ok((start, _)) => app::read(code, &in_container(&entry, row, &start.reading)),
        Err(_) => app::read(code, &entry),
    };
    let mut link = Link::at(row.place);
    link.key = row.key.clone();
    link.uwsgi = Fact::derived(Arc::clone(row)).at(row.place);
    link.job = match start {
        Ok((start, sure)) => {
            Fact::derived(Arc::new(Job { confidence: sure, ..Job::clone(&start.job) })).at(start.job.place)
        }
        Err(missing) => Fact::unknown(missing.clone()),
    };
    link.bypassed_release = match row.chdir.known() {
        Some(folder) => checkout::bypassed_release(&parts.chef.checkouts, folder),
        None if checkout::keep_releases(&parts.chef.checkouts) => row.chdir.clone(),
        None => Fact::absent(),
    };
    let (app, reads, sinks) = match app {
        Ok(reading) => {
            let app = Arc::new(reading.app);
            reading.env_files.iter().for_each(|path| load(parts, &mut layers, path));
            (Fact::derived(Arc::clone(&app)).at(app.place), reading.reads, reading.sinks)
        }
        Err(missing) => (Fact::unknown(missing), Vec::new(), Vec::new()),
    };
    link.app = app;
    link.compare_users();
    let seen_running = row.path.known().is_some_and(|path| parts.started_with.iter().any(|(ini, _)| ini == path));
    let sure = start.map_or(Confidence::Possible, |(_, sure)| sure);
    let sure = if seen_running { Confidence::Proved } else { sure.min(layers.sure) };
    let complete = parts.view.complete;
    let reads: Vec<EnvRead> = reads.iter().filter_map(|read| env_read(read, &link, &layers, sure, complete)).collect();
    let databases = database::of_app(&sinks, &reads, &layers, requirements);
    let absent_app = absent_app(parts, code, &entry, &uwsgi.uwsgi);
    Instance { uwsgi, link: Arc::new(link), reads, layers, databases, absent_app }
}

/// What of the app is not where uWSGI is told to look: in files alone, as a host's log says it better, and where all that says
/// where to look and all code is in sight. What a recipe fetches is not.
fn absent_app(parts: &Parts<'_>, code: &Code, entry: &Entry, row: &uwsgi::Uwsgi) -> Option<AbsentApp> {
    let said = [&row.module, &row.wsgi_file, &row.callable, &row.chdir];
    let is_open = said.iter().any(|fact| fact.is_unknown()) || row.pythonpath.is_unknown();
    let is_partial = parts.view.complete || !parts.chef.checkouts.is_empty() || !parts.all_code;
    let found = absence(code, entry).filter(|_| !is_open && !is_partial)?;
    Some(found.row(row))
}

/// The job that starts the instance which binds the socket of a pass.
fn job_of(link: &PassLink, instances: &[Instance]) -> Fact<Arc<Job>> {
    let Some(uwsgi) = link.instance.known() else {
        return link.instance.missing().cloned().map_or_else(Fact::absent, Fact::unknown);
    };
    let instance = instances.iter().find(|instance| instance.uwsgi.uwsgi.place == uwsgi.place);
    instance.map_or_else(Fact::absent, |instance| instance.link.job.clone())
}

/// Adds what a `.env` file gives that the app itself loads: what the process has already is kept.
fn load(parts: &Parts<'_>, layers: &mut Layers, path: &str) {
    let Some(document) = parts.view.of(Kind::Variables).find(|document| normal(&document.path) == path) else { return };
    let rows = variables::rows(document, Reader::Dotenv, "dotenv", Confidence::Likely);
    layers.given.splice(0..0, rows.into_iter().map(Arc::new));
    layers.files.insert(document.file);
}

/// One read of a variable with what gives it; `None` where it cannot matter.
fn env_read(read: &app::Read, link: &Link, layers: &Layers, job: Confidence, all_in_sight: bool) -> Option<EnvRead> {
    if !read.raises && read.selected == Some(false) {
        return None;
    }
    let mut row = EnvRead::at(read.place);
    row.key.clone_from(&read.name);
    row.name = Fact::read(read.name.clone(), read.place);
    row.name.trail = read.trail.clone().into();
    row.raises = Fact::derived(read.raises).at(read.place);
    row.has_default = Fact::derived(read.has_default).at(read.place);
    row.used_as = read.used_as.clone().map_or_else(Fact::absent, |used_as| Fact::read(used_as, read.place));
    row.vital = Fact::derived(is_vital(read)).at(read.place);
    let signs = names_a_signing_key(&read.name) || read.used_as.as_deref().is_some_and(names_a_signing_key);
    row.signs = Fact::derived(signs);
    row.needed = Fact::derived(read.raises || is_vital(read)).at(read.place);
    row.at_import = Fact::derived(read.moment == Moment::Import);
    row.becomes_text = Fact::derived(read.becomes_text).at(read.place);
    let replaces_empty = read.replaces_empty || read.used_as.as_deref().is_some_and(may_be_empty);
    row.replaces_empty = Fact::derived(replaces_empty).at(read.place);
    row.default_text = match &read.default_text {
        Some((text, place)) => Fact::read(text.clone(), *place),
        None => Fact::absent(),
    };
    row.job = link.job.clone();
    row.app = link.app.clone();
    layers.judge(&read.name, &mut row);
    if read.maybe_from_file.is_some() && !all_in_sight && row.provided.known() == Some(&false) {
        row.provided =
            Fact::unknown(Missing::new("the `.env` file that the app loads", "lint it together with the app"));
    }
    if !read.raises && read.selected.is_none() {
        row.provided =
            Fact::unknown(Missing::new("which configuration class the app selects", "select it by a literal name"));
    }
    row.confidence = link.app.known().map_or(job, |app| app.confidence.min(job));
    if read.sometimes || read.moment != Moment::Import {
        row.confidence = Confidence::Possible;
    }
    Some(row)
}

fn is_vital(read: &app::Read) -> bool {
    names_a_need(&read.name) || read.used_as.as_deref().is_some_and(names_a_need)
}

/// What nginx, Upstart and uWSGI refuse. Not in an nginx template with code tags: its branches need not balance one by one.
fn problems(
    parts: &Parts<'_>,
    nginx: &nginx::Reading,
    starts: &[Start],
    instances: &[Instance],
) -> Vec<(FileId, Problem)> {
    let mut all = nginx.problems.clone();
    for document in parts.view.of(Kind::Nginx) {
        let parsed = parts.trees.get(&document.file).filter(|_| !document.has_code());
        all.extend(
            parsed.into_iter().flat_map(|parsed| &parsed.problems).map(|problem| (document.file, problem.clone())),
        );
    }
    for start in starts {
        all.extend(start.reading.problems.iter().cloned());
    }
    all.extend(start::stray_overrides(parts.view).flat_map(job::upstart::problems_of_override));
    all.extend(instances.iter().flat_map(|instance| instance.uwsgi.problems.iter().cloned()));
    all
}

impl Stack {
    /// The same with nginx's passes joined to uWSGI's sockets. What nginx was read from is not needed for it.
    #[must_use]
    pub fn linked(mut self, view: &View, starters: &Starters, deployed: &[Deployed]) -> Self {
        if !view.complete {
            let limits = Limits::of(view);
            self.servers =
                servers(&self.instances, false, |instance, database| limits.for_database(instance, database));
        }
        let (instances, nginx) = (&self.instances, &mut self.nginx);
        let sockets: Vec<Arc<Socket>> =
            instances.iter().flat_map(|instance| instance.uwsgi.sockets.iter().cloned().map(Arc::new)).collect();
        let open = instances.iter().find_map(|instance| instance.uwsgi.open.as_ref());
        if sockets.is_empty() && open.is_none() && !view.complete {
            self.unlinked = Unlinked::all(&nginx.passes).collect();
            return self;
        }
        let rivals = if view.complete { Vec::new() } else { rivals(view, self.jobs.iter().map(|rows| &*rows.job)) };
        let services = services(instances);
        let containers = starters.containers.as_deref();
        let around = Surroundings { open, containers, rivals: &rivals, services: Some(&services) };
        self.pass_links = pass_links(&nginx.passes, &sockets, around);
        for link in self.pass_links.iter_mut().map(Arc::make_mut) {
            link.job = job_of(link, instances);
            if view.complete {
                link.shut_out = Fact::absent();
            } else {
                permission::judge(link, deployed);
            }
        }
        self.fronts = fronts(instances, &self.pass_links, &nginx.limits);
        let mounts = nginx::mounts(&nginx.mounted, &self.pass_links, view);
        nginx.rows.extend(mounts.into_iter().map(|row| Arc::new(row) as _));
        self
    }

    /// Adds every row to its table; `path_of` names a file.
    pub fn add_to(self, facts: &mut Facts, chef: Chef, path_of: impl Fn(FileId) -> String) {
        for row in daemon_files(&self.instances, &chef.deployed) {
            facts.add(Arc::new(row));
        }
        for row in login_variables(&self.instances, &self.login, &chef.deployed) {
            facts.add(Arc::new(row));
        }
        for instance in self.instances {
            if let Some(app) = instance.link.app.known() {
                facts.add(Arc::clone(app) as _);
            }
            facts.add(Arc::clone(&instance.uwsgi.uwsgi) as _);
            facts.add(instance.link as _);
            instance.uwsgi.options.into_iter().for_each(|row| facts.add(Arc::new(row)));
            instance.uwsgi.lines.into_iter().for_each(|row| facts.add(Arc::new(row)));
            instance.uwsgi.sockets.into_iter().for_each(|row| facts.add(Arc::new(row)));
            instance.uwsgi.variables.into_iter().for_each(|row| facts.add(Arc::new(row)));
            instance.reads.into_iter().for_each(|row| facts.add(Arc::new(row)));
            instance.databases.into_iter().for_each(|named| facts.add(Arc::new(named.row)));
            instance.absent_app.into_iter().for_each(|row| facts.add(Arc::new(row)));
        }
        self.nginx.passes.into_iter().for_each(|row| facts.add(row));
        self.nginx.listens.into_iter().for_each(|row| facts.add(row));
        self.nginx.rows.into_iter().for_each(|row| facts.add(row));
        self.pass_links.into_iter().for_each(|row| facts.add(row));
        self.unlinked.into_iter().for_each(|row| facts.add(row));
        self.servers.into_iter().for_each(|row| facts.add(Arc::new(row)));
        self.fronts.into_iter().for_each(|row| facts.add(Arc::new(row)));
        for job in self.jobs {
            facts.add(job.job);
            job.stanzas.into_iter().for_each(|row| facts.add(Arc::new(row)));
            job.lines.into_iter().for_each(|row| facts.add(Arc::new(row)));
            job.events.into_iter().for_each(|row| facts.add(Arc::new(row)));
        }
        self.login.into_iter().for_each(|row| facts.add(row));
        self.given.into_iter().for_each(|row| facts.add(row));
        for (file, problem) in self.problems.into_iter().chain(chef.problems) {
            let place = Place::at(file, problem.span);
            facts.add(Arc::new(refusal(&problem, place, path_of(file))));
        }
        chef.cookbooks.into_iter().for_each(|row| facts.add(row));
        chef.berksfiles.into_iter().for_each(|row| facts.add(row));
        chef.dependencies.into_iter().for_each(|row| facts.add(row));
        chef.services.into_iter().for_each(|row| facts.add(row));
        chef.checkouts.into_iter().for_each(|row| facts.add(row));
        chef.rows.into_iter().for_each(|row| facts.add(row));
    }
}
