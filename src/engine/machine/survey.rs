//! Everything that is read of a host and probed on it, one after the other, before anything is judged.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::asked::{self, Asked};
use super::chef_run::{self, ChefRun};
use super::databases::{self, Tried};
use super::differences::{self, Differing};
use super::environment::{self, Running};
use super::files::Files;
use super::hops;
use super::loading;
use super::logs::{self, NginxLog, UwsgiLog};
use super::{Visit, changes, containers, passes, paths, policy, release, resources, serving, unread};
use crate::finding::InputError;
use crate::host::Host;
use crate::source::{FileId, Sources};
use crate::stack::assemble::{Instance, Parts, Stack, assemble};
use crate::stack::chef::Chef;
use crate::stack::facts::Facts;
use crate::stack::image::Images;
use crate::stack::link::{PassLink, join_the_lost};
use crate::stack::loading::Loading;
use crate::stack::nginx::Trees;
use crate::stack::process::{self, Daemon, Found, Program};
use crate::stack::starter::Starters;

/// Where Debian's nginx complains when its configuration does not say.
const NGINX_LOG: &str = "/var/log/nginx/error.log";

/// Everything that was read and probed.
pub(super) struct Survey {
    pub(super) sources: Sources,
    pub(super) errors: Vec<InputError>,
    pub(super) hidden: Vec<String>,
    pub(super) network: bool,
    pub(super) period: String,
    pub(super) resources: hops::Said,
    pub(super) stack: Stack,
    pub(super) found: Vec<Found>,
    pub(super) daemons: Vec<Daemon>,
    pub(super) processes: FileId,
    pub(super) running: Vec<Running>,
    pub(super) mains: Vec<String>,
    pub(super) paths: Vec<paths::Path>,
    pub(super) logs: Vec<UwsgiLog>,
    pub(super) nginx: NginxLog,
    pub(super) tried: Vec<Vec<Tried>>,
    pub(super) differing: Vec<Differing>,
    /// One for each path.
    pub(super) loadings: Vec<Option<Arc<Loading>>>,
    pub(super) networks: Vec<Option<String>>,
    pub(super) chef: Option<ChefRun>,
    pub(super) notes: Vec<String>,
    /// The files that were read, with the program that reads each where one runs.
    pub(super) read: Vec<(String, Program)>,
    pub(super) moment: i64,
    pub(super) asked: Option<Asked>,
}

impl Survey {
    /// Reads files and processes, links them, then probes, and last reads the logs, which tell of the probes as well.
    pub(super) fn of(host: &dyn Host, visit: &Visit) -> Self {
        // Whoever may not see other processes sees the files all the same.
        let listed = process::discover(host);
        let mut hidden: Vec<String> = listed.is_err().then(|| "/proc".to_owned()).into_iter().collect();
        // What runs in a container reads files that are not the ones of the same name here.
        let (contained, mut found): (Vec<Found>, Vec<Found>) =
            listed.unwrap_or_default().into_iter().partition(|one| one.process.is_contained());
        let mut files = Files::gather(host, visit, &found);
        let (mut stack, running) = linked(host, &mut files, &mut found);
        hidden.append(&mut files.hidden);

        let read = changes::read_by(&files);
        let Files { mut sources, trees, mut errors, mains, .. } = files;
        let daemons = process::rows(host, &found, &mut sources);
        let processes = sources.by_name("processes").unwrap_or_else(|| sources.add_folder("processes"));
        let mut prober = passes::Prober::new(host, visit, &found);
        let mut paths = probed(&mut prober, &mut stack, &mut sources);
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
        let tried = tried(host, visit, (&stack.instances, &paths, &networks), (&running, &found), &mut sources);
        // Before any log is read, so that they tell of it.
        let asked = asked(host, visit, &paths, (&stack, &running, &trees), &mut sources);
        let logs: Vec<UwsgiLog> = stack
            .instances
            .iter()
            .map(|instance| {
                let row = &instance.uwsgi.uwsgi;
                let job = instance.link.job.known().map(|job| &**job);
                UwsgiLog::of(host, visit, row, job, pid_of(instance, &running), &mut sources)
            })
            .collect();
        let (nginx, error_logs) = nginx_log(host, visit, &trees, &found, &mut sources);
        note_denials(host, &mut paths, &mut stack.pass_links, &found, (&nginx, &logs));
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
        // Another nginx or uWSGI of this host is none of the stack's.
        let is_own = |one: &&Found| match one.program {
            Program::Nginx => one.config.as_ref().is_some_and(|config| mains.contains(config)),
            Program::Uwsgi => running.iter().any(|running| running.pid == one.process.pid),
        };
        let of_stack: Vec<Found> = found.iter().filter(is_own).cloned().collect();
        let killed = logs.iter().any(UwsgiLog::tells_of_a_kill);
        let users =
            resources::Users { folders: folders(&stack.instances, &paths, &error_logs), found: &of_stack, killed };
        let resources = resources::judge(host, visit, &users, &mut sources);
        let moment = visit.moment(host);
        let chef = chef_run::last(host, moment, visit.ahead(host), &mut sources);
        let notes = [containers::notes(&contained), unread::notes(&found)].concat();
        Self {
            sources,
            errors,
            hidden,
            network: visit.network,
            period: visit.period(),
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
            moment,
            asked,
        }
    }

    /// Every row that pages judge.
    pub(super) fn facts(&self) -> Facts {
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
}

/// The stack as its files and the running processes show it.
fn linked(host: &dyn Host, files: &mut Files<'_>, found: &mut [Found]) -> (Stack, Vec<Running>) {
    let mut running = environment::running(host, found, &files.inis, &mut files.sources);
    let nginx_release = release::of_nginx(host, found);
    let chef = Chef::default();
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
    let without_app: Vec<_> = read(files, &running).instances.into_iter().map(|one| one.uwsgi).collect();
    files.read_apps(&without_app);
    if serving::settle(host, found, &without_app) {
        let is_new = |ini: &&String| !running.iter().any(|one| one.ini == **ini);
        let new: Vec<String> = files.inis.iter().filter(is_new).cloned().collect();
        running.extend(environment::running(host, found, &new, &mut files.sources));
    }
    (read(files, &running), running)
}

/// The process that runs an instance.
fn pid_of(instance: &Instance, running: &[Running]) -> Option<i32> {
    let path = instance.uwsgi.uwsgi.path.known()?;
    running.iter().find(|one| one.ini == *path).map(|one| one.pid)
}

/// The paths of requests, once every pass was connected to.
fn probed(prober: &mut passes::Prober<'_>, stack: &mut Stack, sources: &mut Sources) -> Vec<paths::Path> {
    stack.pass_links.iter_mut().for_each(|link| prober.fill(Arc::make_mut(link), sources));
    let sockets: Vec<_> =
        stack.instances.iter().flat_map(|one| one.uwsgi.sockets.iter().cloned().map(Arc::new)).collect();
    join_the_lost(&mut stack.pass_links, &sockets);
    paths::paths(stack)
}

/// What became of the logins to each instance's databases; of one in another network only what can be told from afar.
fn tried(
    host: &dyn Host,
    visit: &Visit,
    (instances, paths, networks): (&[Instance], &[paths::Path], &[Option<String>]),
    (running, found): (&[Running], &[Found]),
    sources: &mut Sources,
) -> Vec<Vec<Tried>> {
    let from_afar = Visit { network: false, ..visit.clone() };
    let mut probers = [databases::Prober::new(host, visit), databases::Prober::new(host, &from_afar)];
    let users = host.users().unwrap_or_default();
    let mut tried = Vec::new();
    for (at, instance) in instances.iter().enumerate() {
        let is_asked = paths.iter().any(|path| path.instance == Some(at));
        let prober = &mut probers[usize::from(networks[at].is_some())];
        let user = environment::user_of(instance, running, found, &users);
        let names = containers::other_names(host, instance, running, found);
        let around = (user, names.as_deref());
        tried.push(if is_asked { prober.of(instance, around, sources) } else { Vec::new() });
    }
    tried
}

/// What came of the one request, where one was asked for.
fn asked(
    host: &dyn Host,
    visit: &Visit,
    paths: &[paths::Path],
    (stack, running, trees): (&Stack, &[Running], &Trees),
    sources: &mut Sources,
) -> Option<Asked> {
    let url = visit.url.as_ref().filter(|_| visit.network)?;
    // Of several that fit as well the first is nginx's default.
    let path = paths.iter().rev().max_by_key(|path| path.fits(url))?;
    let is_sure = path.fits(url).0 || paths.len() == 1;
    let instance = path.instance.map(|at| &stack.instances[at]).filter(|_| is_sure);
    let uwsgi = instance.and_then(|instance| logs::requests_of(host, &instance.uwsgi, pid_of(instance, running)));
    Some(asked::ask(host, url, path, &asked::Logs { nginx: logs::access_logs(trees), uwsgi }, sources))
}

/// What nginx's error logs say, and their paths.
fn nginx_log(
    host: &dyn Host,
    visit: &Visit,
    trees: &Trees,
    found: &[Found],
    sources: &mut Sources,
) -> (NginxLog, Vec<String>) {
    let mut error_logs = Vec::new();
    trees.values().for_each(|parsed| logs::error_logs(&parsed.tree, &mut error_logs));
    if error_logs.is_empty() {
        error_logs.push(NGINX_LOG.to_owned());
    }
    let masters = found.iter().filter(|one| one.program == Program::Nginx && one.master);
    let of_visit = masters.filter(|one| visit.nginx_conf.is_none() || one.config == visit.nginx_conf);
    let started = of_visit.map(|one| one.process.started).max();
    (NginxLog::of(host, visit, &error_logs, started, sources), error_logs)
}

/// Notes at each pass what else than permissions keeps nginx from its socket.
fn note_denials(
    host: &dyn Host,
    paths: &mut [paths::Path],
    links: &mut [Arc<PassLink>],
    found: &[Found],
    (nginx, logs): (&NginxLog, &[UwsgiLog]),
) {
    for path in paths {
        let Some(own) = path.link.as_mut() else { continue };
        policy::judge(host, Arc::make_mut(own), found, nginx, path.instance.map(|at| &logs[at]));
        let is_same = |link: &&mut Arc<PassLink>| link.place == own.place && link.connects == own.connects;
        let same = links.iter_mut().filter(is_same);
        same.for_each(|link| Arc::make_mut(link).denied_by = own.denied_by.clone());
    }
}

/// The folders that the stack writes to, or lies in.
fn folders(instances: &[Instance], paths: &[paths::Path], error_logs: &[String]) -> BTreeSet<String> {
    let parent = |path: &String| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let rows = || instances.iter().map(|instance| &instance.uwsgi.uwsgi);
    let written = rows().filter_map(|row| row.logto.known()).chain(error_logs).filter_map(parent);
    let sockets = paths.iter().flat_map(|path| &path.passes).filter_map(|pass| pass.address.known());
    let all = written.chain(sockets.filter_map(parent)).chain(rows().filter_map(|row| row.chdir.known().cloned()));
    all.filter(|folder| folder.starts_with('/')).collect()
}
