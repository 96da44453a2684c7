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

/// The folders that uWSGI loads code from and all above them, each with the line that names the code's.
#[derive(Debug, Clone, Default)]
pub struct CodeFolders(BTreeMap<String, Fact<String>>);

impl CodeFolders {
    /// Those of the apps of some instances.
    pub fn of<'u>(apps: impl Iterator<Item = &'u Arc<Uwsgi>>) -> Self {
        let mut folders: BTreeMap<String, Fact<String>> = BTreeMap::new();
        for app in apps {
            let Some(folder) = app.chdir.known().filter(|folder| folder.starts_with('/')) else { continue };
            let mut above = folder.trim_end_matches('/');
            while !above.is_empty() {
                let code = || app.chdir.clone().map(|folder| folder.trim_end_matches('/').to_owned());
                folders.entry(above.to_owned()).or_insert_with(code);
                above = above.rsplit_once('/').map_or("", |(above, _)| above);
            }
        }
        Self(folders)
    }

    /// Whether no code is in sight.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is told of a folder that nginx hands out by `level`; nothing where no code lies in it.
    fn exposed(&self, folder: &str, place: Place, level: &Level<'_, '_>) -> Option<Root> {
        let folder = folder.trim_end_matches('/');
        let code = self.0.get(folder)?;
        let mut row = Root::at(place);
        row.folder = Fact::read(folder.to_owned(), place);
        row.location = Fact::derived(level.title());
        row.code = code.clone();
        Some(row)
    }
}

/// The code in the folder that a location hands out, where it does and any client can ask for it.
pub(super) fn of_location(level: &Level<'_, '_>, code: &CodeFolders) -> Option<Root> {
    if code.is_empty() {
        return None;
    }
    let Pattern { matching: Matching::Prefix { .. }, text, .. } = level.location()? else { return None };
    let answers = [Setting::Pass, Setting::Return, Setting::Internal];
    if answers.into_iter().any(|setting| level.has(setting)) || is_closed(level) {
        return None;
    }
    if let Some(alias) = level.first(Setting::Alias) {
        return code.exposed(&alias.text(0)?, alias.place(), level);
    }
    of_root(level, &text, code)
}

/// The code in the folder that a server hands out where no location answers.
pub(super) fn of_server<'p>(
    level: &Level<'_, '_>,
    mut patterns: impl Iterator<Item = &'p Pattern<'p>>,
    code: &CodeFolders,
) -> Option<Root> {
    let is_all = |pattern: &Pattern<'_>| pattern.prefix() == Some("/");
    let answers = [Setting::Return, Setting::Pass].into_iter().any(|setting| level.has(setting));
    if answers || is_closed(level) || !level.whole || patterns.any(is_all) {
        return None;
    }
    of_root(level, "/", code)
}

fn of_root(level: &Level<'_, '_>, path: &str, code: &CodeFolders) -> Option<Root> {
    let Inherited::From(from) = level.inherited(Setting::Root) else { return None };
    let root = from.first(Setting::Root)?;
    let folder = root.text(0)?;
    code.exposed(&format!("{}{path}", folder.trim_end_matches('/')), root.place(), level)
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
