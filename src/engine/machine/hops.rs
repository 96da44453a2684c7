//! How each hop of a way fares, from what was seen and from nothing else.

use std::sync::Arc;

use crate::diagnosis::{Hop, Reason, State};
use crate::engine::machine::asked::{self, Asked};
use crate::engine::machine::chef_run::ChefRun;
use crate::engine::machine::databases::{self, Tried};
use crate::engine::machine::differences::Differing;
use crate::engine::machine::environment::Running;
use crate::engine::machine::logs::{NginxLog, UwsgiLog};
use crate::engine::machine::passes;
use crate::engine::machine::paths::Path;
use crate::engine::machine::pooler;
use crate::engine::machine::quote::quoted;
use crate::finding::{Confidence, Finding, Label, Severity};
use crate::source::{FileId, Place};
use crate::stack::assemble::{Instance, Stack};
use crate::stack::loading::Loading;
use crate::stack::process::{Found, Program};
use crate::syntax::log::{Event, UwsgiLine};

/// Everything that was seen of a host.
pub(super) struct Scene<'a> {
    pub(super) stack: &'a Stack,
    pub(super) found: &'a [Found],
    pub(super) running: &'a [Running],
    /// nginx's main files.
    pub(super) mains: &'a [String],
    /// The table of processes.
    pub(super) processes: FileId,
    /// One for each instance.
    pub(super) logs: &'a [UwsgiLog],
    pub(super) nginx: &'a NginxLog,
    /// Some for each instance.
    pub(super) tried: &'a [Vec<Tried>],
    /// Where running programs and their files tell apart.
    pub(super) differing: &'a [Differing],
    /// Of each way, the uWSGI that loads its app still.
    pub(super) loadings: &'a [Option<Arc<Loading>>],
    /// What of the stack is hidden from this user: files, folders, the process table.
    pub(super) hidden: &'a [String],
    /// How disk, memory and open files fare.
    pub(super) resources: &'a Said,
    /// What is recent, in words.
    pub(super) period: &'a str,
    /// Of each instance, why its databases were not connected to although that was allowed.
    pub(super) networks: &'a [Option<String>],
    /// The last run of Chef.
    pub(super) chef: Option<&'a ChefRun>,
    /// The request of the user.
    pub(super) asked: Option<&'a Asked>,
    /// Whether anything may be connected to.
    pub(super) network: bool,
}

/// What is said of one hop.
pub(super) type Said = (State, Vec<Label>);

pub(super) const MASTER: &str = "uwsgi-master";

/// What is said of the exception that ended an import.
pub(super) const THIS_IS_WHY: &str = "this is why";

impl Scene<'_> {
    /// Every hop of a way, client first. `speaks` gives the findings that would break a hop of this way.
    pub(super) fn hops<'f>(&self, path: &Path, speaks: impl Fn(&str) -> Vec<&'f Finding>) -> Vec<Hop> {
        let mut hops = Vec::new();
        // A pass that cannot work leaves requests without an answer, whatever uWSGI does.
        let upstream = self.upstream(path);
        let reached = !path.passes.is_empty() && upstream.0.0 != State::Broken;
        let mut add = |id: &'static str, title: String, (state, evidence): Said, own_fault: bool| {
            hops.push(Hop { id, title, state, evidence, path: path.name.clone(), own_fault });
        };
        if let Some(asked) = self.asked.filter(|asked| asked.path == path.name) {
            add(asked::HOP, asked.title.clone(), asked.said.clone(), false);
        }
        if self.resources.0 != State::NotApplicable {
            add("resources", "disk, memory and open files".to_owned(), self.resources.clone(), false);
        }
        if !path.passes.is_empty() {
            let entrance = path.entrance().unwrap_or_else(|| "its address".to_owned());
            add("listen", format!("nginx listens on {entrance}"), self.listen(path), false);
            let address = path.passes[0].address.known().map_or("an address that requests decide", String::as_str);
            let (said, own_fault) = upstream;
            add("upstream-socket", format!("nginx -> {address}"), said, own_fault);
        }
        let Some(at) = path.instance else {
            let is_uwsgi = path.passes.iter().any(|pass| pass.key == "uwsgi_pass");
            for (id, title) in OF_UWSGI {
                let said =
                    if is_uwsgi { self.unknown(self.unseen(), None) } else { (State::NotApplicable, Vec::new()) };
                add(id, title.to_owned(), said, false);
            }
            return hops;
        };
        let instance = &self.stack.instances[at];
        let ini = instance.uwsgi.uwsgi.path.known().map_or("its job", String::as_str);
        let master = self.master(path, instance);
        let runs = master.0 == State::Ok;
        let import = self.import(at, runs);
        let answers = self.answers(path, at, runs, reached);
        let environment = self.environment(at, (runs, &import.0, &answers.0), &speaks("environment"));
        let no_url = environment.0.clone();
        add(MASTER, format!("uWSGI master of {ini}"), master, false);
        add("workers", "uWSGI workers".to_owned(), self.workers(instance, runs, &speaks("workers")), false);
        add("app-import", format!("import of {}", app_name(instance)), import, false);
        add("app-answers", "answers of the app".to_owned(), answers, false);
        add("environment", "environment of the app".to_owned(), environment, false);
        for (stage, id) in databases::HOPS.into_iter().enumerate() {
            let (title, said) = self.database(at, stage, &no_url);
            // A pooler that refuses a login does not wait for its server.
            let is_own =
                self.tried[at].iter().any(|tried| tried.pooler.is_some() && tried.states[stage] == State::Broken);
            add(id, title, said, is_own);
            if let Some((title, said)) = self.pooler(at).filter(|_| id == "login") {
                add(pooler::HOP, title, said, false);
            }
        }
        for (id, title) in BESIDE {
            if let Some(said) = beside(&speaks(id)) {
                add(id, title.to_owned(), said, false);
            }
        }
        hops
    }

    pub(super) fn unseen(&self) -> Reason {
        if self.hidden.is_empty() { Reason::NoEvidence } else { Reason::NoPermission }
    }

    /// An unknown, with what root would see where that is the reason, else with what is not known.
    pub(super) fn unknown(&self, reason: Reason, what: Option<&str>) -> Said {
        let words = match (&reason, what, self.hidden) {
            (Reason::NoPermission, Some(what), _) => Some(format!("root would see {what}")),
            (Reason::NoPermission, None, []) => None,
            (Reason::NoPermission, None, [one]) => Some(format!("root would see {one}")),
            (Reason::NoPermission, None, [first, rest @ ..]) => {
                Some(format!("root would see {first} and {} more", rest.len()))
            }
            (Reason::NoEvidence, what, _) => what.map(str::to_owned),
            _ => None,
        };
        let evidence = words.map(|words| self.table(&words));
        (State::Unknown(reason), evidence.into_iter().collect())
    }

    pub(super) fn table(&self, text: &str) -> Label {
        Label { place: Place::whole(self.processes), text: text.to_owned() }
    }

    pub(super) fn running_of(&self, instance: &Instance) -> Option<&Running> {
        let ini = instance.uwsgi.uwsgi.path.known()?;
        self.running.iter().find(|one| one.ini == *ini)
    }

    fn master(&self, path: &Path, instance: &Instance) -> Said {
        if self.running_of(instance).is_some() {
            return (State::Ok, Vec::new());
        }
        let told = path.link.as_ref().and_then(|link| link.master_runs.known());
        let is_unsure =
            self.found.iter().any(|one| one.program == Program::Uwsgi && one.master && one.config.is_none());
        match told {
            Some(true) => (State::Ok, Vec::new()),
            None if is_unsure => self.unknown(self.unseen(), None),
            _ => {
                let ini = instance.uwsgi.uwsgi.path.known().map_or("this configuration", String::as_str);
                (State::Broken, vec![self.table(&format!("no uWSGI runs with {ini}"))])
            }
        }
    }

    fn workers(&self, instance: &Instance, runs: bool, speaking: &[&Finding]) -> Said {
        if !runs {
            return (State::Unknown(Reason::MaskedBy(MASTER.to_owned())), Vec::new());
        }
        let loads = |finding: &&Finding| self.loadings.iter().flatten().any(|row| row.place == finding.primary.place);
        if let Some(said) = speaking.iter().find(|finding| loads(finding)).map(|finding| told(finding)) {
            return said;
        }
        let Some(running) = self.running_of(instance) else {
            return (State::Unknown(Reason::NoEvidence), Vec::new());
        };
        let pid = running.pid;
        let workers = self.found.iter().filter(|one| one.program == Program::Uwsgi && one.process.ppid == pid).count();
        // Without a master the process answers itself; a cheap one forks when the first request comes.
        let by_itself = instance.uwsgi.uwsgi.master.known() != Some(&true);
        let waits = |row: &crate::stack::uwsgi::UwsgiOption| {
            row.name.known().is_some_and(|name| matches!(name.as_str(), "cheap" | "idle"))
        };
        match workers {
            0 if !by_itself && !instance.uwsgi.options.iter().any(waits) => {
                (State::Broken, vec![self.table("uWSGI's master has no worker")])
            }
            _ => (State::Ok, Vec::new()),
        }
    }

    fn import(&self, at: usize, runs: bool) -> Said {
        let log = &self.logs[at];
        let masked = || (State::Unknown(Reason::MaskedBy(MASTER.to_owned())), Vec::new());
        let tells = |event: &Event| {
            matches!(event, Event::AppReady { .. } | Event::AppNotLoaded | Event::NoApp { .. } | Event::Request(_))
        };
        let decisive = log.generation.iter().rposition(|line| tells(&line.event));
        let Some(decisive) = decisive else {
            let unknown = || self.unknown(log.reason(self.unseen()), log.hidden.as_deref());
            return if runs { unknown() } else { masked() };
        };
        let line = &log.generation[decisive];
        let loaded = match &line.event {
            Event::AppReady { .. } => true,
            Event::Request(request) => request.app.value >= 0,
            _ => false,
        };
        // Whoever stops uWSGI while a worker still loads the app interrupts that.
        let ready = |line: &UwsgiLine| matches!(line.event, Event::AppReady { .. });
        let stopped = !runs
            && (log.generation.iter().any(ready) || log.exceptions().any(|(_, words)| words == "KeyboardInterrupt"));
        if loaded || stopped {
            return if runs { (State::Ok, Vec::new()) } else { masked() };
        }
        let said = log.generation[..decisive].iter().rev().find(|line| matches!(line.event, Event::AppNotLoaded));
        let shown = said.unwrap_or(line).span;
        let why = log.exception_before(shown);
        let text = match why {
            Some((_, words)) => format!("uWSGI could not load the app: {}", quoted(words)),
            None => "uWSGI could not load the app".to_owned(),
        };
        let mut evidence: Vec<Label> = Vec::new();
        evidence.extend(log.place(shown).map(|place| Label { place, text }));
        evidence.extend(why.map(|(place, _)| Label { place, text: THIS_IS_WHY.to_owned() }));
        let line = log.frame_before(shown).filter(|_| why.is_some());
        evidence.extend(line.map(|place| Label { place, text: "the line of the code".to_owned() }));
        (State::Broken, evidence)
    }

    fn environment(&self, at: usize, (runs, import, answers): (bool, &State, &State), speaking: &[&Finding]) -> Said {
        let instance = &self.stack.instances[at];
        let running = self.running_of(instance);
        if let Some(hidden) = running.and_then(|running| running.started.hidden.as_ref()) {
            return match &*hidden.how {
                passes::SUDO => self.unknown(Reason::NoPermission, Some(&hidden.what)),
                how => self.unknown(Reason::NoEvidence, Some(&format!("{}: {how}", hidden.what))),
            };
        }
        // Of a process that ended only its log can tell whether its environment was the reason.
        if !runs && *import != State::Broken {
            return (State::Unknown(Reason::MaskedBy(MASTER.to_owned())), Vec::new());
        }
        let sure = speaking.iter().any(|finding| finding.confidence >= Confidence::Likely);
        if !speaking.is_empty() && (sure || *answers != State::Ok) {
            return (State::Broken, self.lacking(at, speaking));
        }
        let open =
            instance.reads.iter().any(|read| read.provided.is_unknown() && read.has_default.known() != Some(&true));
        let unread = instance.link.app.is_unknown();
        if unread || (open && *answers != State::Ok) {
            return self.unknown(self.unseen(), None);
        }
        (State::Ok, Vec::new())
    }

    /// What shows that variables lack: the names that the process has, and a job that has changed since.
    fn lacking(&self, at: usize, speaking: &[&Finding]) -> Vec<Label> {
        let instance = &self.stack.instances[at];
        let mut names: Vec<&str> = speaking.iter().filter_map(|finding| name_of(instance, finding)).collect();
        names.dedup();
        let (empty, names): (Vec<&str>, Vec<&str>) =
            names.into_iter().partition(|name| instance.layers.value(name).is_some());
        let line = |name: &str| instance.layers.line(name).map(|row| row.place);
        let is_empty = |name: &str| Some(Label { place: line(name)?, text: format!("{name} is empty") });
        let mut evidence: Vec<Label> = empty.into_iter().filter_map(is_empty).collect();
        let running = self.running_of(instance);
        let seen = running.and_then(|one| Some((one.names?, one.started.values.len())));
        if let Some((file, count)) = seen.filter(|_| !names.is_empty()) {
            let names = names.join(", ");
            let text = format!("{count} variables, and no {names} among them");
            evidence.push(Label { place: Place::whole(file), text });
        }
        for name in names {
            if let Some(row) = instance.layers.in_job(name).filter(|_| running.is_some()) {
                let text = "the job gives it now, but uWSGI was started before that: restart it".to_owned();
                evidence.push(Label { place: row.place, text });
            }
        }
        evidence
    }

    /// The worst of all databases of an instance at one stage.
    fn database(&self, at: usize, stage: usize, environment: &State) -> (String, Said) {
        let rank = |state: &State| match state {
            State::Broken => 0,
            State::Degraded => 1,
            State::Unknown(_) => 2,
            State::Ok => 3,
            _ => 4,
        };
        let all = &self.tried[at];
        let Some(worst) = all.iter().min_by_key(|tried| rank(&tried.states[stage])) else {
            let unseen = self.stack.instances[at].databases.iter().find(|named| named.is_postgres());
            if let Some(named) = unseen.filter(|_| !environment.fails()) {
                let unknown = State::Unknown(Reason::NoEvidence);
                let text = "where this leads, or who logs in there, is not in sight".to_owned();
                return (UNNAMED[stage].to_owned(), (unknown, vec![Label { place: named.row.place, text }]));
            }
            let state = match environment {
                State::Ok | State::NotApplicable => State::NotApplicable,
                State::Broken | State::Degraded | State::Symptom => {
                    State::Unknown(Reason::MaskedBy("environment".to_owned()))
                }
                unknown => unknown.clone(),
            };
            return (UNNAMED[stage].to_owned(), (state, Vec::new()));
        };
        let (mut state, address) = (worst.states[stage].clone(), &worst.address);
        let title = match databases::HOPS[stage] {
            "dns" => format!("name service: {address}"),
            "tcp" => format!("app -> PostgreSQL at {address}"),
            "tls" => "TLS to PostgreSQL".to_owned(),
            "login" => match worst.row.user.known() {
                Some(user) => format!("login of {user} to PostgreSQL"),
                None => "login to PostgreSQL".to_owned(),
            },
            _ => "first query".to_owned(),
        };
        let waiting = || Some(format!("{} of the app's sessions wait for a lock", worst.row.waiting.known()?));
        let said = worst.row.said.known().cloned().or_else(waiting);
        let label = said.map(|text| Label { place: worst.evidence.place, text });
        let is_told = state.fails() || state == State::Unknown(Reason::NoEvidence);
        let mut evidence: Vec<Label> = label.into_iter().filter(|_| is_told).collect();
        if let Some(words) = self.networks[at].as_ref().filter(|_| state == State::Unknown(Reason::NotAsked)) {
            state = State::Unknown(Reason::NoEvidence);
            evidence.push(self.table(words));
        }
        (title, (state, evidence))
    }
}

/// The variable that a finding is about: that of a read, or of a line that uWSGI ignores.
pub(super) fn name_of<'i>(instance: &'i Instance, finding: &Finding) -> Option<&'i str> {
    let place = Some(finding.primary.place);
    let read = instance.reads.iter().map(|read| &read.name).find(|name| name.place == place);
    let ignored = || instance.layers.ignored.iter().map(|value| &value.name).find(|name| name.place == place);
    read.or_else(ignored)?.known().map(String::as_str)
}

/// The hops of a database that nothing names, in the order of [`databases::HOPS`].
const UNNAMED: [&str; 5] = ["name of the database's host", "app -> PostgreSQL", "TLS", "login", "first query"];

/// What stands beside the way of a request: shown only where something is wrong with it.
const BESIDE: [(&str, &str); 3] = [
    ("release", "release that uWSGI runs"),
    ("supervision", "how uWSGI is started and stopped"),
    ("chef-run", "last run of Chef"),
];

/// What findings say of a hop that nothing else judges.
fn beside(speaking: &[&Finding]) -> Option<Said> {
    let counts =
        |finding: &&&Finding| finding.confidence >= Confidence::Likely && finding.severity >= Severity::Warning;
    speaking.iter().find(counts).map(|finding| told(finding))
}

/// A hop that works in part, by what a finding says of it.
fn told(finding: &Finding) -> Said {
    (State::Degraded, vec![Label { text: finding.message.clone(), ..finding.primary.clone() }])
}

/// The hops of a pass whose uWSGI is not in sight.
const OF_UWSGI: [(&str, &str); 5] = [
    (MASTER, "uWSGI master"),
    ("workers", "uWSGI workers"),
    ("app-import", "import of the app"),
    ("app-answers", "answers of the app"),
    ("environment", "environment of the app"),
];

fn app_name(instance: &Instance) -> String {
    let row = &instance.uwsgi.uwsgi;
    match (row.module.known(), row.wsgi_file.known(), row.callable.known()) {
        (Some(module), _, Some(callable)) if !module.contains(':') => format!("{module}:{callable}"),
        (Some(module), _, _) => module.clone(),
        (None, Some(file), _) => file.clone(),
        _ => "the app".to_owned(),
    }
}
