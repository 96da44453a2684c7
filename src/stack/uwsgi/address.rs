//! The sockets that uWSGI binds.

use std::sync::Arc;

use super::settings::{Setting, Settings};
use super::{Socket, Uwsgi};
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::uwsgi::number;

pub(super) fn rows(settings: &Settings, uwsgi: &Arc<Uwsgi>) -> Vec<Socket> {
    settings.all.iter().filter_map(|setting| row(setting, uwsgi)).collect()
}

fn row(setting: &Setting, uwsgi: &Arc<Uwsgi>) -> Option<Socket> {
    let protocol = match setting.known?.canonical {
        "socket" | "puwsgi-socket" => "uwsgi",
        "http-socket" | "http11-socket" | "http" => "http",
        _ => return None,
    };
    let mut row = Socket::at(setting.place());
    row.key = protocol.to_owned();
    row.address = setting.fact();
    if let Answer::Known(written) = &row.address.answer {
        row.address.answer = normal(written);
    }
    row.protocol = Fact::derived(protocol.to_owned());
    row.option = Fact::read(setting.name.clone()?, setting.document.place(setting.key_span));
    row.uwsgi = Fact::derived(Arc::clone(uwsgi));
    Some(row)
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
        return Answer::Known(written.to_owned());
    }
    Answer::Known(match written.rsplit_once(':') {
        Some(("", port)) => format!("0.0.0.0:{}", number(port)),
        Some((host, port)) => format!("{host}:{}", number(port)),
        None => written.to_owned(),
    })
}
