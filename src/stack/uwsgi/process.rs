//! How an instance runs its processes, with uWSGI's defaults (uWSGI: `core/init.c`, `core/uwsgi.c`).

use std::collections::BTreeSet;

use super::Uwsgi;
use super::instance::{OrDefault, by_the_way, flag, is_true, text};
use super::settings::{Scalar, Settings};
use crate::stack::fact::{Answer, Fact};
use crate::syntax::data::Release;
use crate::syntax::data::uwsgi::{KnownOption, ValueKind};

/// The options that open a socket for requests.
const OPENS_A_SOCKET: [&str; 17] = [
    "socket",
    "http",
    "http-socket",
    "http11-socket",
    "https",
    "https-socket",
    "shared-socket",
    "undeferred-shared-socket",
    "puwsgi-socket",
    "ssl-socket",
    "fastcgi-socket",
    "fastcgi-nph-socket",
    "scgi-socket",
    "scgi-nph-socket",
    "raw-socket",
    "fastrouter",
    "zerg",
];

/// From here on `enable-threads` does nothing: threads always run.
const THREADS_ALWAYS: &str = "2.0.27";

/// Sets the facts of `row` about its processes.
pub(super) fn complete(row: &mut Uwsgi, settings: &Settings) {
    row.serves = by_the_way(settings, |known| OPENS_A_SOCKET.contains(&known.canonical), "a socket is opened here");
    row.threads = threads(settings);
    row.harakiri = number(settings, "harakiri").or_default(0);
    row.die_on_term = flag(settings, "die-on-term");
    row.term_hook = term_hook(settings);
    row.buffer_size = number(settings, "buffer-size").or_default(4096);
    row.limit_post = number(settings, "limit-post").or_default(0);
    row.need_app = flag(settings, "need-app");
    row.dynamic_apps = any_flag(settings, &["dynamic-apps", "vhost", "vhost-host"]);
    row.lazy_option = lazy_option(settings);
    row.threads_enabled = threads_enabled(settings);
    row.cheaper = number(settings, "cheaper");
    if row.cheaper.known() == Some(&0) {
        row.cheaper.answer = Answer::Absent;
    }
    row.max_worker_lifetime = number(settings, "max-worker-lifetime").or_default(0);
    row.min_worker_lifetime = number(settings, "min-worker-lifetime").or_default(10);
    row.catch_exceptions = flag(settings, "catch-exceptions");
    row.autoreload = number(settings, "py-autoreload").or_default(0);
    row.turned_off = turned_off(settings);
    row.for_development = row.path.clone().map(|path| is_for_development(&path));
}

/// The number of an option: the digits at the start of its value.
fn number(settings: &Settings, name: &str) -> Fact<i64> {
    text(settings, &[name]).map(|value| crate::syntax::uwsgi::number(&value))
}

/// How many requests a worker takes at a time. `gevent` and `asyncio` set what `async` does (uWSGI: `plugins/gevent`).
fn threads(settings: &Settings) -> Fact<i64> {
    let mut most = Fact::default_of(1);
    for name in ["threads", "gevent", "asyncio", "async"] {
        let own = number(settings, name);
        if own.is_unknown() {
            return own;
        }
        if own.known() > most.known() {
            most = own;
        }
    }
    most
}

/// A hook such as `hook-master-start = unix_signal:15 gracefully_kill_them_all`.
fn term_hook(settings: &Settings) -> Fact<bool> {
    let hooks = settings.all.iter().filter(|setting| setting.is(&["hook-master-start"]));
    let handles =
        |value: &str| value.trim_start().strip_prefix("unix_signal:15").is_some_and(|rest| rest.starts_with(' '));
    for hook in hooks {
        match hook.fact().answer {
            Answer::Known(value) if handles(&value) => return Fact::read(true, hook.place()),
            Answer::Unknown(missing) => return Fact::unknown(missing).at(hook.place()),
            _ => {}
        }
    }
    settings.open().map_or_else(|| Fact::default_of(false), |missing| Fact::unknown(missing.clone()))
}

/// Whether one of these flags is on; unknown where one may be.
fn any_flag(settings: &Settings, names: &[&str]) -> Fact<bool> {
    let on = |fact: &Fact<bool>| fact.known() == Some(&true);
    let flags = || names.iter().map(|name| flag(settings, name));
    flags().find(on).or_else(|| flags().find(Fact::is_unknown)).unwrap_or_else(|| Fact::default_of(false))
}

fn lazy_option(settings: &Settings) -> Fact<String> {
    let Scalar::Set(setting) = settings.last(&["lazy"]) else { return text(settings, &["lazy"]) };
    let name = setting.document.place(setting.key_span);
    match setting.fact().answer {
        Answer::Known(value) if is_true(&value) => {
            Fact::read(setting.document.written(setting.key_span).to_owned(), name)
        }
        Answer::Known(_) | Answer::Absent => Fact::absent(),
        Answer::Unknown(missing) => Fact::unknown(missing).at(name),
    }
}

/// `enable-threads`, or an option that lets threads run by the way.
fn threads_enabled(settings: &Settings) -> Fact<bool> {
    let since: Option<Release> = THREADS_ALWAYS.parse().ok();
    if since.zip(settings.release).is_some_and(|(since, release)| since == release || since.is_before(release)) {
        return Fact::default_of(true);
    }
    let own = flag(settings, "enable-threads");
    if own.known() == Some(&true) {
        return own;
    }
    let other = by_the_way(settings, KnownOption::turns_threads_on, "this option lets threads run");
    if own.is_unknown() && other.known() == Some(&false) { own } else { other }
}

/// Flags whose last line says false.
fn turned_off(settings: &Settings) -> Fact<Vec<String>> {
    let mut off = BTreeSet::new();
    for setting in &settings.all {
        let Some(known) = setting.known.filter(|known| known.value == ValueKind::Bool) else { continue };
        match setting.fact().answer {
            Answer::Known(value) if !is_true(&value) => off.insert(known.canonical),
            _ => off.remove(known.canonical),
        };
    }
    Fact::derived(off.into_iter().map(str::to_owned).collect())
}

/// Whether a word of the path says so; `/usr/local` is a folder of every host.
pub fn is_for_development(path: &str) -> bool {
    const WORDS: [&str; 9] = ["dev", "devel", "develop", "development", "local", "debug", "test", "tests", "testing"];
    let path = path.replace("usr/local/", "").to_ascii_lowercase();
    path.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|word| WORDS.contains(&word))
}
