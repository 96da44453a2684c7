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
mod survey;
mod told;
mod units;
mod unread;

use crate::diagnosis::Diagnosis;
use crate::engine::judged;
use crate::finding::{CannotTell, Report};
use crate::host::{Host, Url};
use crate::rule::book::Rulebook;
use crate::rule::judge::judge;
use crate::rule::page::{self, Page};
use crate::secret::{is_open, is_telling};
use crate::source::{Place, Sources};
use crate::stack::connection::shared_connections;
use crate::stack::facts::Facts;
use crate::stack::process::{Found, Program};
use causes::Candidates;
use environment::Running;
use hops::Scene;
pub use record::{Record, record};
use survey::Survey;

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

impl Survey {
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

/// A hop says itself that it could not be judged; the question of its page would only repeat that.
fn is_unanswered(question: &CannotTell, pages: &[Page]) -> bool {
    pages.iter().any(|page| page.id == *question.rule && page.hop.is_none())
}

#[cfg(test)]
mod tests;
