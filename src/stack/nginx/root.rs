//! The folders whose files nginx hands out, and the code of the app where it lies in one of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::level::{Inherited, Level, Setting};
use super::location::{Matching, Pattern};
use crate::rows;
use crate::source::Place;
use crate::stack::fact::Fact;
use crate::stack::uwsgi::Uwsgi;

rows! {
    #[doc = "one folder of files that nginx hands out, with the app's code in it"]
    pub struct Root in "nginx_roots" {
        #[doc = "the folder"]
        folder: String,
        #[doc = "the location it is handed out by"]
        location: String,
        #[doc = "the folder of the code, as uWSGI changes to it"]
        code: String,
    }
}

/// A folder that nginx hands out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Its path, without a `/` at its end.
    pub(super) folder: String,
    /// Where its `root` or `alias` stands.
    pub(super) place: Place,
    /// The location it is handed out by.
    pub(super) location: String,
}

/// The folder that a location hands out, where it does and any client can ask for it.
pub(super) fn of_location(level: &Level<'_, '_>) -> Option<Served> {
    let Pattern { matching: Matching::Prefix { .. }, text, .. } = level.location()? else { return None };
    let answers = [Setting::Pass, Setting::Return, Setting::Internal];
    if answers.into_iter().any(|setting| level.has(setting)) || is_closed(level) {
        return None;
    }
    if let Some(alias) = level.first(Setting::Alias) {
        return served(&alias.text(0)?, alias.place(), level.title());
    }
    of_root(level, &text)
}

/// The folder that a server hands out where no location answers.
pub(super) fn of_server<'p>(
    level: &Level<'_, '_>,
    mut patterns: impl Iterator<Item = &'p Pattern<'p>>,
) -> Option<Served> {
    let is_all = |pattern: &Pattern<'_>| pattern.prefix() == Some("/");
    let answers = [Setting::Return, Setting::Pass].into_iter().any(|setting| level.has(setting));
    if answers || is_closed(level) || !level.whole || patterns.any(is_all) {
        return None;
    }
    of_root(level, "/")
}

fn of_root(level: &Level<'_, '_>, path: &str) -> Option<Served> {
    let Inherited::From(from) = level.inherited(Setting::Root) else { return None };
    let root = from.first(Setting::Root)?;
    let folder = root.text(0)?;
    served(&format!("{}{path}", folder.trim_end_matches('/')), root.place(), level.title())
}

fn served(folder: &str, place: Place, location: String) -> Option<Served> {
    let folder = folder.trim_end_matches('/');
    (folder.starts_with('/') && !folder.contains('$')).then(|| Served { folder: folder.to_owned(), place, location })
}

/// Whether files are not looked for, or not for everybody.
fn is_closed(level: &Level<'_, '_>) -> bool {
    let names_files = |word: &str| word.contains("$uri") || word.contains("$request_filename");
    let tries_others =
        level.all(Setting::TryFiles).any(|line| !line.directive.arguments().any(|word| names_files(word.value())));
    tries_others
        || level
            .statements
            .iter()
            .any(|statement| matches!(statement.directive.name(), "deny" | "auth_basic" | "auth_request"))
}

/// Whether a server keeps the sources back by a location of its own.
pub(super) fn keeps_sources_back<'p>(mut patterns: impl Iterator<Item = &'p Pattern<'p>>) -> bool {
    patterns.any(|pattern| matches!(pattern.matching, Matching::Regex { .. }) && pattern.text.contains("py"))
}

/// The folders among `served` that hold the code of one of the apps.
pub fn exposed<'u>(served: &[Served], apps: impl Iterator<Item = &'u Arc<Uwsgi>>) -> Vec<Root> {
    let mut code: BTreeMap<String, &Fact<String>> = BTreeMap::new();
    for app in apps {
        let Some(folder) = app.chdir.known().filter(|folder| folder.starts_with('/')) else { continue };
        let mut above = folder.trim_end_matches('/');
        while !above.is_empty() {
            code.entry(above.to_owned()).or_insert(&app.chdir);
            above = above.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }
    let row = |served: &Served| {
        let code = *code.get(&served.folder)?;
        let mut row = Root::at(served.place);
        row.folder = Fact::read(served.folder.clone(), served.place);
        row.location = Fact::derived(served.location.clone());
        row.code = code.clone();
        Some(row)
    };
    served.iter().filter_map(row).collect()
}
