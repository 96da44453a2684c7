//! How the package of Debian and Ubuntu starts uWSGI: one for each ini in `/etc/uwsgi/apps-enabled`, with a configuration of
//! its own before that ini and a log after it (Debian: `/usr/share/uwsgi/init/specific_daemon`).

use std::sync::Arc;

use super::Around;
use super::assembly::{Assembly, Found};
use super::settings::of_word;
use crate::finding::Confidence;
use crate::source::{Located, Span};
use crate::stack::document::{Document, Kind};
use crate::stack::view::View;
use crate::syntax::data::Release;
use crate::syntax::uwsgi::{CommandOption, DEFAULT_SECTION};

/// The configuration that comes before each ini, where `/etc/default/uwsgi` names no other.
pub const DEFAULT_INI: &str = "/usr/share/uwsgi/conf/default.ini";

/// What it says (uwsgi 2.0.21 of Debian 12, in the order of the file), for where it is not in sight.
const DEFAULTS: [(&str, &str); 9] = [
    ("master", "true"),
    ("workers", "2"),
    ("no-orphans", "true"),
    ("pidfile", "/run/uwsgi/%(deb-confnamespace)/%(deb-confname)/pid"),
    ("socket", "/run/uwsgi/%(deb-confnamespace)/%(deb-confname)/socket"),
    ("chmod-socket", "660"),
    ("log-date", "true"),
    ("uid", "www-data"),
    ("gid", "www-data"),
];

/// The names that the init script gives to an ini.
pub(super) struct Package<'a> {
    namespace: &'a str,
    /// By which `service uwsgi restart NAME` knows it.
    pub name: &'a str,
    /// The configuration before it, where it is in sight.
    default: Option<&'a Document>,
}

/// How the package starts this ini; `None` where it lies elsewhere, an emperor takes it, or, on a host, the package is not
/// installed.
pub(super) fn of<'a>(document: &'a Document, around: Around<'a>) -> Option<Package<'a>> {
    let (namespace, name) = named(&document.path).filter(|_| !around.has_emperor)?;
    let view = around.files?;
    let default = match view.at(DEFAULT_INI) {
        [only] if only.kind == Kind::Uwsgi => Some(&**only),
        _ => None,
    };
    (default.is_some() || !view.complete).then_some(Package { namespace, name, default })
}

/// What is to be read on a host before [`of`] can tell.
pub(super) fn wanted(document: &Document, around: Around<'_>) -> Option<String> {
    let is_open = around.files.is_some_and(|view| view.complete && view.at(DEFAULT_INI).is_empty());
    (is_open && !around.has_emperor && named(&document.path).is_some()).then(|| DEFAULT_INI.to_owned())
}

/// The name space and the name of an ini, by its path: `app` and `shop` of `/etc/uwsgi/apps-enabled/shop.ini`.
fn named(path: &str) -> Option<(&str, &str)> {
    let (_, path) = path.rsplit_once("uwsgi/")?;
    let (folder, file) = path.split_once('/')?;
    let namespace = folder.strip_suffix("s-enabled").or_else(|| folder.strip_suffix("s-available"))?;
    let (name, _) = file.rsplit('/').next()?.split_once(".ini")?;
    (namespace == "app").then_some((namespace, name))
}

/// Whether an emperor takes what lies in these folders, and no init script.
pub(super) fn has_emperor(view: &View) -> bool {
    let starts = [Kind::Uwsgi, Kind::Upstart, Kind::Systemd, Kind::Supervisor].into_iter();
    let mut texts = starts.flat_map(|kind| view.of(kind)).map(|document: &Arc<Document>| document.text());
    texts.any(|text| text.contains("emperor") && text.contains("apps-"))
}

impl<'a> Package<'a> {
    /// Puts what the init script says around the options of the ini, as said at its section.
    pub fn surround(&self, assembly: &mut Assembly<'a>, document: &'a Document, release: Option<Release>) {
        let header = assembly.parts.first().and_then(|part| Some(part.config.header()?.span));
        let at = header.unwrap_or(Span::new(0, 0));
        let word = |name: &str, value: String| {
            let located = |value: String| Located { value, span: at };
            of_word(
                document,
                CommandOption { name: located(name.to_owned()), value: Some(located(value)), span: at },
                release,
            )
        };
        let own = assembly.all.len();
        for (name, value) in [("deb-confnamespace", self.namespace), ("deb-confname", self.name)] {
            assembly.add(word("set-ph", format!("{name}={value}")));
        }
        match self.default {
            Some(document) => {
                let section = DEFAULT_SECTION.to_owned();
                assembly.file(&Found { document, section, confidence: Confidence::Proved }, None);
            }
            None => DEFAULTS.into_iter().for_each(|(name, value)| assembly.add(word(name, value.to_owned()))),
        }
        assembly.all.rotate_left(own);
        assembly.add(word("daemonize", format!("/var/log/uwsgi/{}/{}.log", self.namespace, self.name)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::FileId;
    use crate::stack::uwsgi::{Reading, read};

    const INI: &str = "[uwsgi]\nmodule = shop:app\nprocesses = 4\n";

    fn read_among(mut view: View, others: &[(&str, Kind, &str)]) -> Reading {
        let document = |at: u32, path: &str, kind, text: &str| {
            let mut sources = crate::source::Sources::default();
            let file =
                (0..=at).map(|_| sources.add(path, text.as_bytes().to_vec(), crate::source::Origin::File)).last();
            Document::plain(file.unwrap(), path, kind, text.into())
        };
        let ini = document(0, "/etc/uwsgi/apps-enabled/shop.ini", Kind::Uwsgi, INI);
        for (at, (path, kind, text)) in (1..).zip(others) {
            view.add(document(at, path, *kind, text));
        }
        view.add(ini.clone());
        read(&ini, Around::of(&view, None))
    }

    fn files(reading: &Reading) -> Vec<FileId> {
        reading.sockets.iter().map(|socket| socket.place.file).collect()
    }

    #[test]
    fn what_the_package_says_comes_first() {
        let reading = read_among(View::default(), &[]);
        let addresses: Vec<_> = reading.sockets.iter().filter_map(|socket| socket.address.known()).collect();
        assert_eq!(addresses, ["/run/uwsgi/app/shop/socket"]);
        let uwsgi = &reading.uwsgi;
        assert_eq!((uwsgi.master.known(), uwsgi.workers.known()), (Some(&true), Some(&4)));
        assert_eq!(uwsgi.logto.known().map(String::as_str), Some("/var/log/uwsgi/app/shop.log"));
        assert_eq!(reading.packaged.as_deref(), Some("shop"));
        assert!(reading.options.iter().all(|option| option.place.file == uwsgi.place.file));
    }

    #[test]
    fn on_a_host_its_own_file_is_asked_for_and_decides() {
        let reading = read_among(View::of_host(), &[]);
        assert!(reading.packaged.is_none() && reading.wanted == [DEFAULT_INI]);
        let own = "[uwsgi]\nsocket = /run/%(deb-confname).sock\nprocesses = 2\n";
        let reading = read_among(View::of_host(), &[(DEFAULT_INI, Kind::Uwsgi, own)]);
        let uwsgi = &reading.uwsgi;
        assert_eq!((uwsgi.master.known(), uwsgi.workers.known()), (Some(&false), Some(&4)));
        assert_eq!(reading.sockets[0].address.known().unwrap(), "/run/shop.sock");
        assert_ne!(files(&reading)[0], uwsgi.place.file);
        assert_eq!(reading.brought_in.len(), 1);
    }

    #[test]
    fn an_emperor_takes_the_ini_as_it_is() {
        let job = "exec uwsgi --emperor /etc/uwsgi/apps-enabled\n";
        let reading = read_among(View::default(), &[("/etc/init/emperor.conf", Kind::Upstart, job)]);
        assert!(reading.packaged.is_none() && reading.sockets.is_empty());
    }
}
