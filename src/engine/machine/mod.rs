//! A host: what is read of it, what is probed, and how each hop fares.

mod addresses;
mod answers;
mod asked;
mod causes;
mod changes;
mod chef_run;
mod clock;
mod containers;
mod databases;
mod differences;
mod environment;
mod files;
mod front;
mod hops;
mod libpq;
mod loading;
mod log_files;
mod logs;
mod memory;
mod moment;
mod passes;
mod paths;
mod policy;
mod pooler;
mod quote;
mod record;
mod release;
mod resources;
mod serving;
mod spell;
mod told;
mod units;
mod unread;

use std::sync::Arc;

use crate::diagnosis::Diagnosis;
use crate::engine::judged;
use crate::finding::{CannotTell, InputError, Report};
use crate::host::{Host, Url};
use crate::rule::book::Rulebook;
use crate::rule::judge::judge;
use crate::rule::page::{self, Page};
use crate::secret::{is_open, is_telling};
use crate::source::{FileId, Place, Sources};
use crate::stack::assemble::{Parts, Stack, assemble};
use crate::stack::chef::Chef;
use crate::stack::connection::shared_connections;
use crate::stack::facts::Facts;
use crate::stack::image::Images;
use crate::stack::link::{PassLink, join_the_lost};
use crate::stack::loading::Loading;
use crate::stack::process::{self, Daemon, Found, Program};
use crate::stack::starter::Starters;
use asked::Asked;
use causes::Candidates;
use chef_run::ChefRun;
use databases::Tried;
use differences::Differing;
use environment::Running;
use files::Files;
use hops::Scene;
use logs::{NginxLog, UwsgiLog};
pub use record::{Record, record};

/// What to look at on a host.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// nginx's main file; found out where not given.
    pub nginx_conf: Option<String>,
    /// uWSGI's inis; found out where not given.
    pub uwsgi_ini: Vec<String>,
    /// Logs to read besides those that the configurations name.
    pub logs: Vec<String>,
    /// The one site to look at, by a name of its server; all where not given.
    pub site: Option<String>,
    /// How long before the moment a log line may have been written to tell of it, in seconds; a quarter of an hour where not given.
    pub since: Option<i64>,
    /// The moment that the logs are asked about, in seconds since 1970; now where not given.
    pub at: Option<i64>,
    /// Whether databases may be logged in to.
    pub login: bool,
    /// Whether anything may be connected to.
    pub network: bool,
    /// The one request to send, where one was asked for.
    pub url: Option<Url>,
}

/// What was read and found on a host.
#[derive(Debug, Default)]
pub struct Seen {
    /// Every text that the diagnosis can name.
    pub sources: Sources,
    /// Every table.
    pub facts: Facts,
    /// Hops, root causes, findings.
    pub diagnosis: Diagnosis,
}

/// Looks at a host and names what is broken.
///
/// # Errors
/// A rule page that cannot be used.
pub fn examine(host: &dyn Host, visit: &Visit) -> Result<Seen, String> {
    let rules = Rulebook::of(page::built_in().map_err(|error| error.to_string())?);
    Ok(Survey::of(host, visit).diagnosed(&rules, host))
}

/// Everything that was read and probed.
struct Survey {
    sources: Sources,
    errors: Vec<InputError>,
    hidden: Vec<String>,
    network: bool,
    period: String,
    resources: hops::Said,
    stack: Stack,
    found: Vec<Found>,
    daemons: Vec<Daemon>,
    processes: FileId,
    running: Vec<Running>,
    mains: Vec<String>,
    paths: Vec<paths::Path>,
    logs: Vec<UwsgiLog>,
    nginx: NginxLog,
    tried: Vec<Vec<Tried>>,
    differing: Vec<Differing>,
    /// One for each path.
    loadings: Vec<Option<Arc<Loading>>>,
    networks: Vec<Option<String>>,
    chef: Option<ChefRun>,
    notes: Vec<String>,
    /// The files that were read, with the program that reads each where one runs.
    read: Vec<(String, Program)>,
    moment: i64,
    asked: Option<Asked>,
}

impl Survey {
    fn of(host: &dyn Host, visit: &Visit) -> Self {
        // Whoever may not see other processes sees the files all the same.
        let listed = process::discover(host);
        let mut hidden: Vec<String> = listed.is_err().then(|| "/proc".to_owned()).into_iter().collect();
        // What runs in a container reads files that are not the ones of the same name here.
        let (contained, mut found): (Vec<Found>, Vec<Found>) =
            listed.unwrap_or_default().into_iter().partition(|one| one.process.is_contained());
        let mut files = Files::gather(host, visit, &found);
        let chef = Chef::default();
        let mut running = environment::running(host, &found, &files.inis, &mut files.sources);
        let nginx_release = release::of_nginx(host, &found);
        let read = |files: &Files<'_>, running: &[Running]| {
            assemble(&Parts {
                view: &files.view,
                trees: &files.trees,
                nginx_release,
                chef: &chef,
                all_code: false,
                app: None,
                started_with: running.iter().map(|one| (one.ini.clone(), one.started.clone())).collect(),
                uwsgi_release: None,
                starters: Starters::default(),
                images: Images::default(),
            })
            .linked(&files.view, &Starters::default(), &chef.deployed)
        };
        // Only the inis tell where the app lies, and which sockets show who serves it.
        let without_app: Vec<_> = read(&files, &running).instances.into_iter().map(|one| one.uwsgi).collect();
        files.read_apps(&without_app);
        if serving::settle(host, &mut found, &without_app) {
            let is_new = |ini: &&String| !running.iter().any(|one| one.ini == **ini);
            let new: Vec<String> = files.inis.iter().filter(is_new).cloned().collect();
            running.extend(environment::running(host, &found, &new, &mut files.sources));
        }
        let mut stack = read(&files, &running);
        hidden.append(&mut files.hidden);

        let read = changes::read_by(&files);
        let Files { mut sources, trees, mut errors, mains, .. } = files;
        let daemons = process::rows(host, &found, &mut sources);
        let processes = sources.by_name("processes").unwrap_or_else(|| sources.add_folder("processes"));
        let mut prober = passes::Prober::new(host, visit, &found);
        stack.pass_links.iter_mut().for_each(|link| prober.fill(Arc::make_mut(link), &mut sources));
        let sockets: Vec<_> =
            stack.instances.iter().flat_map(|one| one.uwsgi.sockets.iter().cloned().map(Arc::new)).collect();
        join_the_lost(&mut stack.pass_links, &sockets);
        let mut paths = paths::paths(&stack);
        if let Some(site) = &visit.site {
            errors.extend(paths::keep(&mut paths, site));
        }
        for path in paths.iter_mut().filter(|_| visit.network) {
            path.listening = path.entrance().map(|entrance| prober.connect_tcp(&entrance, &mut sources));
        }
        let networks: Vec<Option<String>> = stack
            .instances
            .iter()
            .map(|instance| containers::other_network(instance, &running, &found).filter(|_| visit.network))
            .collect();
        let from_afar = Visit { network: false, ..visit.clone() };
        let mut databases = [databases::Prober::new(host, visit), databases::Prober::new(host, &from_afar)];
        let mut tried: Vec<Vec<Tried>> = Vec::new();
        let users = host.users().unwrap_or_default();
        for (at, instance) in stack.instances.iter().enumerate() {
            let is_asked = paths.iter().any(|path| path.instance == Some(at));
            let prober = &mut databases[usize::from(networks[at].is_some())];
            let user = environment::user_of(instance, &running, &found, &users);
            let names = containers::other_names(host, instance, &running, &found);
            let around = (user, names.as_deref());
            tried.push(if is_asked { prober.of(instance, around, &mut sources) } else { Vec::new() });
        }
        // Before any log is read, so that they tell of it.
        let asked = visit.url.as_ref().filter(|_| visit.network).and_then(|url| {
            // Of several that fit as well the first is nginx's default.
            let path = paths.iter().rev().max_by_key(|path| path.fits(url))?;
            let is_sure = path.fits(url).0 || paths.len() == 1;
            let row = path.instance.map(|at| &stack.instances[at].uwsgi);
            let pid =
                row.and_then(|row| running.iter().find(|one| row.uwsgi.path.known() == Some(&one.ini))?.pid.into());
            let uwsgi = row.filter(|_| is_sure).and_then(|row| logs::requests_of(host, row, pid));
            Some(asked::ask(host, url, path, &asked::Logs { nginx: logs::access_logs(&trees), uwsgi }, &mut sources))
        });
        let logs = stack.instances.iter().map(|instance| {
            let row = &instance.uwsgi.uwsgi;
            let pid = running.iter().find(|one| row.path.known() == Some(&one.ini)).map(|one| one.pid);
            UwsgiLog::of(host, visit, row, instance.link.job.known().map(|job| &**job), pid, &mut sources)
        });
        let logs: Vec<UwsgiLog> = logs.collect();
        let mut error_logs = Vec::new();
        trees.values().for_each(|parsed| logs::error_logs(&parsed.tree, &mut error_logs));
        if error_logs.is_empty() {
            error_logs.push(NGINX_LOG.to_owned());
        }
        let masters = found.iter().filter(|one| one.program == Program::Nginx && one.master);
        let of_visit = masters.filter(|one| visit.nginx_conf.is_none() || one.config == visit.nginx_conf);
        let started = of_visit.map(|one| one.process.started).max();
        let nginx = NginxLog::of(host, visit, &error_logs, started, &mut sources);
        for path in &mut paths {
            let Some(own) = path.link.as_mut() else { continue };
            policy::judge(host, Arc::make_mut(own), &found, &nginx, path.instance.map(|at| &logs[at]));
            let is_same = |link: &&mut Arc<PassLink>| link.place == own.place && link.connects == own.connects;
            let same = stack.pass_links.iter_mut().filter(is_same);
            same.for_each(|link| Arc::make_mut(link).denied_by = own.denied_by.clone());
        }
        let loadings = paths.iter().map(|path| {
            let at = path.instance?;
            let loading = loading::of_path(path, (&stack.instances[at], &logs[at]), (&found, &running), &nginx)?;
            Some(Arc::new(loading))
        });
        let loadings: Vec<_> = loadings.collect();
        let differing = differences::all(&differences::Seen {
            host,
            stack: &stack,
            found: &found,
            running: &running,
            tried: &tried,
            nginx: &nginx,
            sources: &sources,
        });
        let parent = |path: &String| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let rows = || stack.instances.iter().map(|instance| &instance.uwsgi.uwsgi);
        let written = rows().filter_map(|row| row.logto.known()).chain(&error_logs).filter_map(parent);
        let sockets = paths.iter().flat_map(|path| &path.passes).filter_map(|pass| pass.address.known());
        let all = written.chain(sockets.filter_map(parent)).chain(rows().filter_map(|row| row.chdir.known().cloned()));
        let folders = all.filter(|folder| folder.starts_with('/')).collect();
        // Another nginx or uWSGI of this host is none of the stack's.
        let is_own = |one: &&Found| match one.program {
            Program::Nginx => one.config.as_ref().is_some_and(|config| mains.contains(config)),
            Program::Uwsgi => running.iter().any(|running| running.pid == one.process.pid),
        };
        let of_stack: Vec<Found> = found.iter().filter(is_own).cloned().collect();
        let killed = logs.iter().any(UwsgiLog::tells_of_a_kill);
        let users = resources::Users { folders, found: &of_stack, killed };
        let resources = resources::judge(host, visit, &users, &mut sources);
        let chef = chef_run::last(host, visit.moment(host), visit.ahead(host), &mut sources);
        let network = visit.network;
        let period = visit.period();
        let notes = [containers::notes(&contained), unread::notes(&found)].concat();
        Self {
            sources,
            errors,
            hidden,
            network,
            period,
            resources,
            stack,
            found,
            daemons,
            processes,
            running,
            mains,
            paths,
            logs,
            nginx,
            tried,
            differing,
            loadings,
            networks,
            chef,
            notes,
            read,
            moment: visit.moment(host),
            asked,
        }
    }

    fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        self.stack.clone().add_to(&mut facts, Chef::default(), |file| self.sources.get(file).name.clone());
        self.daemons.iter().for_each(|row| facts.add(Arc::new(row.clone())));
        self.tried.iter().flatten().for_each(|tried| facts.add(Arc::new(tried.row.clone())));
        let servers = databases::servers(&self.stack.instances, &self.tried);
        servers.into_iter().for_each(|row| facts.add(Arc::new(row)));
        self.differing.iter().for_each(|one| facts.add(Arc::clone(&one.row) as _));
        self.chef.iter().flat_map(|run| &run.rows).for_each(|row| facts.add(Arc::clone(row)));
        self.loadings.iter().flatten().for_each(|row| facts.add(Arc::clone(row) as _));
        facts
    }

    fn diagnosed(mut self, rules: &Rulebook, host: &dyn Host) -> Seen {
        let pages = rules.pages.as_slice();
        let facts = self.facts();
        let given: Vec<(String, String)> = self.stack.instances.iter().flat_map(environment::given).collect();
        for (name, value) in given {
            if !is_open(&name, &value) && is_telling(&value) {
                self.sources.confide_value(value);
            }
        }
        let (findings, cannot_tell) = judged(rules, &facts, &self.sources);
        // What somebody allowed may still be what breaks the stack.
        let (all, _) = judge(pages, &facts, &self.sources);
        let scene = Scene {
            stack: &self.stack,
            found: &self.found,
            running: &self.running,
            mains: &self.mains,
            processes: self.processes,
            logs: &self.logs,
            nginx: &self.nginx,
            tried: &self.tried,
            differing: &self.differing,
            loadings: &self.loadings,
            hidden: &self.hidden,
            period: &self.period,
            resources: &self.resources,
            networks: &self.networks,
            chef: self.chef.as_ref(),
            asked: self.asked.as_ref(),
            network: self.network,
        };
        let candidates = Candidates::of(pages, &all, &self.paths, &scene, &self.sharing(host));
        let mut diagnosis = causes::diagnose(&self.paths, &candidates, &all, &scene);
        let cannot_tell = cannot_tell.into_iter().filter(|question| is_unanswered(question, pages)).collect();
        self.date(&mut diagnosis, host);
        causes::worst_first(&mut diagnosis);
        diagnosis.notes = self.notes;
        diagnosis.report = Report { findings, cannot_tell, errors: self.errors, files: self.sources.iter().count() };
        Seen { sources: self.sources, facts, diagnosis }
    }

    /// Says since when requests fail, and what was done shortly before.
    fn date(&self, diagnosis: &mut Diagnosis, host: &dyn Host) {
        let ahead = self.nginx.ahead;
        diagnosis.ahead = ahead;
        for cause in diagnosis.root_causes.iter_mut().filter(|cause| cause.hop != asked::HOP) {
            let of_cause = self.paths.iter().filter(|path| cause.path.split("; ").any(|name| name == path.name));
            let log = |path: &paths::Path| path.instance.map(|at| &self.logs[at]);
            let spells = of_cause.filter_map(|path| spell::of(cause.hop, path, &self.nginx, log(path), ahead));
            cause.spell = spells.min_by_key(|spell| spell.first);
        }
        if diagnosis.root_causes.is_empty() {
            return;
        }
        let first = diagnosis.root_causes.iter().filter_map(|cause| Some(cause.spell?.first)).min();
        let is_own = |one: &&Found| match one.program {
            Program::Nginx => one.config.as_ref().is_some_and(|config| self.mains.contains(config)),
            Program::Uwsgi => self.running.iter().any(|own| [one.process.pid, one.process.ppid].contains(&own.pid)),
        };
        let found: Vec<Found> = self.found.iter().filter(is_own).cloned().collect();
        let looked = changes::Looked { found: &found, files: self.read.clone(), chef: self.chef.as_ref(), ahead };
        diagnosis.changes = changes::before(host, &looked, first.unwrap_or(self.moment));
    }

    /// The inis of which several processes hold one connection.
    fn sharing(&self, host: &dyn Host) -> Vec<Place> {
        let shared = shared_connections(host, &self.found).unwrap_or_default();
        let holds = |pid: i32| shared.iter().any(|connection| connection.pids.contains(&pid));
        let of_ini = |running: &Running| {
            let workers = self.found.iter().filter(|one| one.process.ppid == running.pid);
            let is_shared = workers.map(|one| one.process.pid).any(holds);
            let instance = self.stack.instances.iter().find(|one| one.uwsgi.uwsgi.path.known() == Some(&running.ini));
            instance.filter(|_| is_shared).map(|instance| instance.uwsgi.uwsgi.place)
        };
        self.running.iter().filter_map(of_ini).collect()
    }
}

/// Where Debian's nginx complains when its configuration does not say.
const NGINX_LOG: &str = "/var/log/nginx/error.log";

/// A hop says itself that it could not be judged; the question of its page would only repeat that.
fn is_unanswered(question: &CannotTell, pages: &[Page]) -> bool {
    pages.iter().any(|page| page.id == *question.rule && page.hop.is_none())
}

#[cfg(test)]
mod tests;
