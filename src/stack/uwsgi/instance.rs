//! The facts of an instance, with uWSGI's defaults (uWSGI: `core/init.c`, `uwsgi_opt_true`, `uwsgi_opt_set_int`).

use super::Uwsgi;
use super::setting::Setting;
use super::settings::{Scalar, Settings};
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::data::uwsgi::KnownOption;
use crate::syntax::uwsgi::number;

pub(super) fn row(settings: &Settings) -> Uwsgi {
    let mut row = Uwsgi::at(settings.owner);
    row.confidence = settings.confidence();
    row.path = match settings.path() {
        Some(path) => Fact::read(path.to_owned(), settings.owner),
        None => unset(settings),
    };
    row.workers = text(settings, &["processes"]).map(|value| number(&value)).or_default(1);
    row.lazy_apps = lazy_apps(settings);
    row.master = master(settings);
    row.strict = flag(settings, "strict");
    row.manage_script_name = flag(settings, "manage-script-name");
    row.chdir = text(settings, &["chdir"]);
    row.pythonpath = pythonpath(settings);
    let module = text(settings, &["module"]);
    row.wsgi_file = text(settings, &["wsgi-file"]);
    row.callable = callable(settings, &module, &row.wsgi_file);
    row.module = module.map(|module| module.split(':').next().unwrap_or_default().to_owned());
    row.uid = text(settings, &["uid"]);
    row.gid = text(settings, &["gid"]);
    row.logto = logto(settings);
    row.daemonize = text(settings, &["daemonize", "daemonize2"]);
    row
}

/// A scalar option: absent where nothing sets it and nothing out of sight could.
pub(super) fn text(settings: &Settings, canonical: &[&str]) -> Fact<String> {
    match settings.last(canonical) {
        Scalar::Set(setting) => setting.fact(),
        Scalar::Unset => Fact::absent(),
        Scalar::Unknown(missing, place) => Fact { place, ..Fact::unknown(missing) },
    }
}

fn unset<T>(settings: &Settings) -> Fact<T> {
    settings.open().map_or_else(Fact::absent, |missing| Fact::unknown(missing.clone()))
}

pub(super) trait OrDefault<T> {
    /// The program's default where the option is absent.
    fn or_default(self, default: T) -> Self;
}

impl<T> OrDefault<T> for Fact<T> {
    fn or_default(self, default: T) -> Self {
        if self.is_absent() { Fact::default_of(default) } else { self }
    }
}

/// uWSGI's truth: only these four words are false.
pub(super) fn is_true(value: &str) -> bool {
    !(["false", "off", "no"].iter().any(|word| word.eq_ignore_ascii_case(value)) || value == "0")
}

pub(super) fn flag(settings: &Settings, name: &str) -> Fact<bool> {
    text(settings, &[name]).map(|value| is_true(&value)).or_default(false)
}

/// `lazy` reloads differently, but it too loads the app in each worker (uWSGI: `uwsgi_init_all_apps` is skipped for both).
fn lazy_apps(settings: &Settings) -> Fact<bool> {
    let (apps, lazy) = (flag(settings, "lazy-apps"), flag(settings, "lazy"));
    match (apps.known(), lazy.known()) {
        (Some(true), _) | (None, Some(false) | None) => apps,
        (_, Some(true)) | (Some(false), None) => lazy,
        (Some(false), Some(false)) => apps,
    }
}

/// The option itself is applied after every line was read, so it beats the options that turn the master on by the way.
fn master(settings: &Settings) -> Fact<bool> {
    let own = text(settings, &["master"]);
    if !own.is_absent() {
        return own.map(|value| is_true(&value));
    }
    by_the_way(settings, KnownOption::turns_master_on, "this option turns the master on")
}

/// Whether some option turns something on by its mere presence; unknown where only one in an `if` or `for` may.
pub(super) fn by_the_way(settings: &Settings, turns_on: fn(&KnownOption) -> bool, words: &str) -> Fact<bool> {
    let mut all = settings.all.iter().filter(|setting| setting.known.is_some_and(turns_on));
    if let Some(setting) = all.clone().find(|setting| setting.doubt().is_none()) {
        return Fact::read(true, setting.place()).via(setting.place(), words);
    }
    match all.find_map(|setting| Some((setting.doubt()?, setting.place()))) {
        Some((missing, place)) => Fact::unknown(missing).at(place),
        None => unset(settings).or_default(false),
    }
}

fn pythonpath(settings: &Settings) -> Fact<Vec<String>> {
    let items: Vec<&Setting> = settings.all.iter().filter(|setting| setting.is(&["pythonpath"])).collect();
    let (Some(first), None) = (items.first(), settings.open()) else {
        return settings.open().map_or_else(|| Fact::default_of(Vec::new()), |missing| Fact::unknown(missing.clone()));
    };
    let mut folders = Vec::with_capacity(items.len());
    for item in &items {
        match item.fact().answer {
            Answer::Known(folder) => folders.push(folder),
            Answer::Unknown(missing) => return Fact::unknown(missing).at(item.place()),
            Answer::Absent => {}
        }
    }
    Fact::read(folders, first.place())
}

/// `module = x:y` names it; else `callable`; else Python's own default, where there is an app at all.
fn callable(settings: &Settings, module: &Fact<String>, wsgi_file: &Fact<String>) -> Fact<String> {
    match &module.answer {
        Answer::Known(name) if name.contains(':') => {
            return module
                .clone()
                .map(|name| name.split_once(':').map_or_else(String::new, |(_, callable)| callable.to_owned()));
        }
        Answer::Unknown(missing) => return Fact { place: module.place, ..Fact::unknown(missing.clone()) },
        _ => {}
    }
    let callable = text(settings, &["callable"]);
    if module.is_absent() && wsgi_file.is_absent() {
        return callable;
    }
    callable.or_default("application".to_owned())
}

/// `logto2` is opened last, then `logto`, then `daemonize`; an address instead of a path is no file.
fn logto(settings: &Settings) -> Fact<String> {
    for name in ["logto2", "logto", "daemonize"] {
        let fact = text(settings, &[name]);
        match &fact.answer {
            Answer::Known(target) if target.contains(':') && !target.starts_with('/') => return Fact::absent(),
            Answer::Absent => {}
            _ => return fact,
        }
    }
    match settings.all.iter().find(|setting| setting.is(&["logger"])) {
        Some(logger) => Fact::unknown(Missing::new("where its `logger` writes", "use `logto`")).at(logger.place()),
        None => Fact::absent(),
    }
}
