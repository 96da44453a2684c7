//! How the package of Debian and Ubuntu starts uWSGI: one for each ini in `/etc/uwsgi/apps-enabled`, with a configuration of
//! its own before that ini and a log after it (Debian: `/usr/share/uwsgi/init/specific_daemon`).

use std::sync::Arc;

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
    name: &'a str,
    /// The configuration before it, where it is in sight.
    default: Option<&'a Document>,
}

/// How the package starts this ini; `None` where it lies elsewhere, an emperor takes it, or, on a host, the package is not
/// installed.
pub(super) fn of<'a>(document: &'a Document, files: Option<&'a View>) -> Option<Package<'a>> {
    let (_, path) = document.path.rsplit_once("uwsgi/")?;
    let (folder, file) = path.split_once('/')?;
    let namespace = folder.strip_suffix("s-enabled").or_else(|| folder.strip_suffix("s-available"))?;
    let (name, _) = file.rsplit('/').next()?.split_once(".ini")?;
    let view = files?;
    if namespace != "app" || has_emperor(view) {
        return None;
    }
    let default = match view.at(DEFAULT_INI) {
        [only] if only.kind == Kind::Uwsgi => Some(&**only),
        _ => None,
    };
    (default.is_some() || !view.complete).then_some(Package { namespace, name, default })
}

/// Whether an emperor takes what lies in these folders, and no init script.
fn has_emperor(view: &View) -> bool {
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
