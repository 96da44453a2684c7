//! The systemd services of a host that start uWSGI, with their drop-ins, sockets and files of variables.

use std::collections::BTreeSet;

use crate::engine::machine::files::Files;
use crate::source::Origin;
use crate::stack::document::{Document, Kind};
use crate::stack::fact::Answer;
use crate::stack::job;
use crate::stack::unit::Units;
use crate::stack::view::View;

/// Where systemd looks for units, the folder that wins first (systemd.unit(5)).
const FOLDERS: [&str; 3] = ["/etc/systemd/system", "/run/systemd/system", "/lib/systemd/system"];

/// A service with the texts it is made of.
pub(super) struct Found {
    /// The ini that its command names, where it names one.
    pub(super) ini: Option<String>,
    /// The unit, its drop-ins and sockets.
    pub(super) documents: Vec<Document>,
    /// The files of variables it reads.
    pub(super) files: Vec<String>,
}

/// Every service whose command is uWSGI.
pub(super) fn services(files: &mut Files<'_>) -> Vec<Found> {
    let mut view = View::of_host();
    let mut seen = BTreeSet::new();
    for folder in FOLDERS {
        for name in files.host().list(folder).unwrap_or_default() {
            let is_unit = name.ends_with(".service") || name.ends_with(".socket");
            if is_unit && seen.insert(name.clone()) {
                add(files, &mut view, &format!("{folder}/{name}"), true);
            }
        }
    }
    let names: Vec<String> = view.iter().filter_map(|(path, _)| Some(path.rsplit_once('/')?.1.to_owned())).collect();
    for name in names {
        for folder in FOLDERS {
            let folder = format!("{folder}/{name}.d");
            for drop_in in files.host().list(&folder).unwrap_or_default().iter().filter(|name| name.ends_with(".conf"))
            {
                add(files, &mut view, &format!("{folder}/{drop_in}"), false);
            }
        }
    }
    let units = Units::of(&view);
    let found = units.services().filter_map(|unit| {
        let (reading, _) = job::systemd::read(&unit)?;
        reading.uwsgi.as_ref()?;
        let sockets = units.sockets_of(unit.name()).map(|file| &file.document);
        let documents = unit.files.iter().map(|file| &file.document).chain(sockets);
        let known = |file: &job::VariablesFile| match &file.path {
            Answer::Known(path) => Some(path.clone()),
            _ => None,
        };
        Some(Found {
            ini: reading.job.uwsgi_ini.known().cloned(),
            documents: documents.map(|document| (**document).clone()).collect(),
            files: reading.files.iter().filter_map(known).collect(),
        })
    });
    found.collect()
}

/// Reads a file into the view; of units only those that have to do with uWSGI or open a socket.
fn add(files: &mut Files<'_>, view: &mut View, path: &str, is_unit: bool) {
    let Ok(bytes) = files.host().read(path) else { return };
    let concerns = bytes.windows("uwsgi".len()).any(|window| window == b"uwsgi") || path.ends_with(".socket");
    if is_unit && !concerns {
        return;
    }
    let file = files.sources.add(files.host().shown(path), bytes, Origin::File);
    let text = files.sources.get(file).shared_text();
    view.add(Document::plain(file, path, Kind::Systemd, text));
}
