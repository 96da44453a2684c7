//! Which uWSGIs take requests before their app is loaded, and let users wait for it.

use crate::engine::machine::environment::Running;
use crate::engine::machine::logs::{NginxLog, UwsgiLog};
use crate::engine::machine::paths::Path;
use crate::source::Place;
use crate::stack::assemble::Instance;
use crate::stack::fact::Fact;
use crate::stack::loading::Loading;
use crate::stack::process::{Found, Program};
use crate::syntax::log::{Event, UwsgiLine};

/// The uWSGI of a way, where it loads still and nginx gave up requests meanwhile.
pub(super) fn of_path(
    path: &Path,
    (instance, log): (&Instance, &UwsgiLog),
    (found, running): (&[Found], &[Running]),
    nginx: &NginxLog,
) -> Option<Loading> {
    let ini = instance.uwsgi.uwsgi.path.known()?;
    let pid = running.iter().find(|one| one.ini == *ini)?.pid;
    let started = found.iter().find(|one| one.process.pid == pid)?.process.started;
    let is_worker = |one: &&Found| one.program == Program::Uwsgi && one.process.ppid == pid;
    let workers: Vec<i64> = found.iter().filter(is_worker).map(|one| one.process.pid.into()).collect();
    // An app that could not be loaded is none that is being loaded.
    let failed = |line: &UwsgiLine| matches!(line.event, Event::AppNotLoaded | Event::NoApp { .. });
    let shown = log.generation.iter().rfind(|line| matches!(line.event, Event::WorkerSpawned { .. }));
    let shown = shown.or(log.generation.first())?;
    if log.generation.iter().any(failed) {
        return None;
    }
    let loaded = |line: &UwsgiLine| match &line.event {
        Event::AppReady { pid, .. } => Some(pid.value),
        _ => None,
    };
    let loaded: Vec<i64> = log.generation.iter().filter_map(loaded).collect();
    let lazy = instance.uwsgi.uwsgi.lazy_apps.known().copied().unwrap_or(false);
    let ready = match lazy {
        true => workers.iter().filter(|worker| loaded.contains(worker)).count(),
        false if loaded.is_empty() => 0,
        false => return None,
    };
    if ready > 0 && ready >= workers.len() {
        return None;
    }
    // nginx waits no longer, or the queue of the socket is full.
    let gave_up =
        |text: &'static str| nginx.about(path, text).filter(|(_, error)| nginx.is_since(error, Some(started)));
    let mut given_up: Vec<_> =
        gave_up("upstream timed out").chain(gave_up("Resource temporarily unavailable")).collect();
    given_up.sort_by_key(|(_, error)| error.time.value);
    let last = given_up.last()?;
    let place = log.place(shown.span)?;
    Some(Loading {
        key: String::new(),
        workers: Fact::read(workers.len().max(1).try_into().ok()?, place),
        ready: Fact::derived(ready.try_into().ok()?),
        lazy: Fact { place: instance.uwsgi.uwsgi.lazy_apps.place, ..Fact::derived(lazy) },
        given_up: Fact::read(given_up.len().try_into().ok()?, Place::at(last.0, last.1.message.span)),
        ..Loading::at(place)
    })
}
