//! The sockets that uWSGI binds.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::setting::Setting;
use super::settings::Settings;
use super::{Socket, Uwsgi, UwsgiLine};
use crate::stack::app::name;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::uwsgi::number;

pub(super) fn rows(settings: &Settings, uwsgi: &Arc<Uwsgi>) -> Vec<Socket> {
    let spoken = settings.all.iter().rfind(|setting| setting.is(&["protocol"]));
    settings.all.iter().filter_map(|setting| row(setting, spoken, uwsgi)).collect()
}

/// The row of a socket option; `spoken` is the `protocol` option, which tells what the plain sockets speak.
fn row(setting: &Setting, spoken: Option<&Setting>, uwsgi: &Arc<Uwsgi>) -> Option<Socket> {
    let (key, protocol) = match (setting.known?.canonical, spoken) {
        ("socket", Some(spoken)) => ("uwsgi", spoken.fact()),
        ("socket" | "puwsgi-socket", _) => ("uwsgi", Fact::derived("uwsgi".to_owned())),
        ("http-socket" | "http11-socket" | "http", _) => ("http", Fact::derived("http".to_owned())),
        _ => return None,
    };
    let mut row = Socket::at(setting.place());
    row.key = key.to_owned();
    row.address = setting.fact();
    if let Answer::Known(written) = &row.address.answer {
        row.address.answer = in_folder(normal(written), uwsgi);
    }
    row.confidence = setting.confidence;
    row.protocol = protocol;
    row.option = Fact::read(setting.name.clone()?, setting.document.place(setting.key_span));
    row.uwsgi = Fact::derived(Arc::clone(uwsgi));
    Some(row)
}

/// Sockets whose address an earlier one has: uWSGI keeps the first (uWSGI: `uwsgi_get_socket_by_name`), while a router
/// binds for itself.
pub(super) fn given_twice(settings: &Settings) -> Vec<UwsgiLine> {
    let mut first: BTreeMap<String, &Setting> = BTreeMap::new();
    let mut rows = Vec::new();
    for setting in settings.all.iter().filter(|setting| setting.block.is_none()) {
        let (Some(language), Answer::Known(written)) = (language(setting), &setting.value) else { continue };
        let Answer::Known(address) = normal(written) else { continue };
        let Some(other) = first.get(&address) else {
            first.insert(address, setting);
            continue;
        };
        let taken_as = match self::language(other) {
            Some(spoken) if spoken == ROUTER || language == ROUTER => "bind",
            Some(spoken) if spoken != language => spoken,
            _ => "same",
        };
        if let Some(name) = other.name.clone().filter(|_| setting.is_line) {
            let mut row = UwsgiLine::of("socket-twice", setting).taken_as(taken_as);
            row.other = Fact::read(name, other.place());
            rows.push(row);
        }
    }
    rows
}

const ROUTER: &str = "router";

/// What is spoken at the address of an option; a router is a process of its own.
fn language(setting: &Setting) -> Option<&'static str> {
    Some(match setting.known?.canonical {
        "socket" => "uwsgi",
        "http-socket" | "http11-socket" => "HTTP",
        "http" | "fastrouter" => ROUTER,
        _ => return None,
    })
}

/// A unix socket without a folder lies in the one that uWSGI has changed to before it binds.
fn in_folder(address: Answer<String>, uwsgi: &Uwsgi) -> Answer<String> {
    let Answer::Known(path) = address else { return address };
    if path.starts_with(['/', '@']) || path.contains(':') {
        return Answer::Known(path);
    }
    match &uwsgi.chdir.answer {
        Answer::Known(folder) if folder.starts_with('/') => {
            Answer::Known(format!("{}/{}", folder.trim_end_matches('/'), path.trim_start_matches("./")))
        }
        Answer::Unknown(missing) => Answer::Unknown(missing.clone()),
        _ => Answer::Unknown(Missing::new(
            format!("the folder of the socket `{path}`"),
            "uWSGI makes it where it is started: write the whole path",
        )),
    }
}

/// One spelling for one address: `:3031` is every interface, and a port ends where its digits end (uWSGI: `atoi`).
/// A lone number is a unix socket of that name, as for uWSGI.
fn normal(written: &str) -> Answer<String> {
    if written.contains('*') {
        return Answer::Unknown(Missing::new("which interface `*` stands for", "write the address itself"));
    }
    if written.starts_with('=') || written.starts_with("fd://") {
        return Answer::Unknown(Missing::new("the shared socket it takes", "name the address here"));
    }
    if written.starts_with('/') {
        return Answer::Known(name::normal(written));
    }
    Answer::Known(match written.rsplit_once(':') {
        Some(("", port)) => format!("0.0.0.0:{}", number(port)),
        Some((host, port)) => format!("{host}:{}", number(port)),
        None => written.to_owned(),
    })
}
