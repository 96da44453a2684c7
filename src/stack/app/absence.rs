//! What uWSGI is told to load and would not find, where the folder that should hold it is in sight.

use crate::finding::Confidence;
use crate::rows;
use crate::source::Place;
use crate::stack::app::Entry;
use crate::stack::app::code::Code;
use crate::stack::app::locate::{callable, locate};
use crate::stack::app::name::{folder_of, join, last_part, normal};
use crate::stack::app::unit::Unit;
use crate::stack::fact::Fact;
use crate::stack::uwsgi::Uwsgi;
use crate::syntax::python::{Node, Scope, What, When};

rows! {
    #[doc = "one app that uWSGI is told to load and would not find, where the folder that should hold it is in sight; keyed by what is not there: `module`, `file` or `callable`"]
    pub struct AbsentApp in "absent_apps" {
        #[doc = "what is not there: `module`, `file` or `callable`"]
        what: String,
        #[doc = "the module, the file or the callable as uWSGI is given it"]
        name: String,
        #[doc = "the file, or the folder, that does not have it"]
        within: String,
        #[doc = "what is there in its stead: a name, a module or a file"]
        instead: String,
    }
}

/// Something that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// What is not there.
    pub what: Wanted,
    /// The name or path that uWSGI is given.
    pub name: String,
    /// The file, or the folder, that does not have it.
    pub within: String,
    /// That file.
    pub place: Option<Place>,
    /// What is there in its stead: a name, a module or a file.
    pub instead: Option<String>,
    /// How sure it is that this is the folder.
    pub sure: Confidence,
}

/// What uWSGI looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// `module = shop.wsgi`
    Module,
    /// `wsgi-file = shop/wsgi.py`
    File,
    /// `callable = app`
    Callable,
}

impl Absence {
    /// Its row, at the option of the instance that names it.
    pub fn row(self, uwsgi: &Uwsgi) -> AbsentApp {
        let names_it = match self.what {
            Wanted::Module => uwsgi.module.place,
            Wanted::File => uwsgi.wsgi_file.place,
            Wanted::Callable => uwsgi.callable.place,
        };
        let place = names_it.or(uwsgi.module.place).or(uwsgi.wsgi_file.place).unwrap_or(uwsgi.place);
        let mut row = AbsentApp::at(place);
        row.key = self.what.word().to_owned();
        row.confidence = self.sure;
        row.what = Fact::read(row.key.clone(), place);
        row.name = Fact::read(self.name, place);
        row.within = match self.place {
            Some(file) => Fact::read(self.within, file),
            None => Fact::derived(self.within),
        };
        row.instead = self.instead.map_or_else(Fact::absent, Fact::derived);
        row
    }
}

impl Wanted {
    /// As facts name it.
    fn word(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::File => "file",
            Self::Callable => "callable",
        }
    }
}

/// Calls that make a WSGI app, by their last word.
const MAKES_AN_APP: [&str; 6] =
    ["Flask", "create_app", "make_app", "get_wsgi_application", "WSGIHandler", "make_wsgi_app"];

/// What of an entry is not there. `None` where all of it is, and where the folder is not in sight.
pub fn absence(code: &Code, entry: &Entry) -> Option<Absence> {
    match locate(code, entry) {
        Ok((unit, _, sure)) => no_callable(unit, callable(entry), sure),
        Err(_) => {
            let roots: Vec<String> = entry.roots.iter().map(|root| in_tree(code, &normal(root))).collect();
            match (&entry.wsgi_file, &entry.module) {
                (Some(file), _) => no_file(code, &roots, file),
                (None, Some(module)) => no_module(code, &roots, module),
                (None, None) => None,
            }
        }
    }
}

/// A folder of the host as it lies in a tree that mirrors the host's.
fn in_tree(code: &Code, root: &str) -> String {
    let mirrored = root.trim_start_matches('/');
    let is_there = |folder: &str| code.has_folder("", folder);
    if !is_there(root) && is_there(mirrored) { mirrored.to_owned() } else { root.to_owned() }
}

fn no_callable(unit: &Unit, callable: &str, sure: Confidence) -> Option<Absence> {
    let name = callable.trim_end_matches("()").split('.').next().unwrap_or(callable);
    let is_bound = unit.binding(&Scope::Module, name).iter().any(|event| event.when != When::Never);
    if is_bound || !unit.is_complete() || may_bind(unit.document.text(), name) {
        return None;
    }
    Some(Absence {
        what: Wanted::Callable,
        name: name.to_owned(),
        within: unit.path().to_owned(),
        place: Some(Place::whole(unit.document.file)),
        instead: app_in(unit),
        sure,
    })
}

/// Whether a text may bind a name in a way that leaves no event: in a loop, by `with`, in a tuple, or by code that writes names.
fn may_bind(text: &str, name: &str) -> bool {
    // `uwsgi.applications` is a table of apps, which then takes the place of the callable (uWSGI: plugins/python/pyloader.c).
    let writes_names =
        ["exec(", "globals(", "locals(", "setattr(", "__getattr__", "execfile(", "__dict__", "applications"];
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let around = |(at, _): (usize, &str)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let is_whole = !before.ends_with(is_word) && !after.starts_with(is_word);
        let (before, after) = (before.trim_end(), after.trim_start_matches([' ', '\t']));
        let is_introduced = ["as", "for", "global", ",", "(", "*"].iter().any(|word| before.ends_with(word));
        let goes_on = [":=", ",", ")", "in "].iter().any(|word| after.starts_with(word));
        is_whole && (is_introduced || goes_on)
    };
    writes_names.iter().any(|word| text.contains(word)) || text.match_indices(name).any(around)
}

/// The name that a module gives the app that it makes.
fn app_in(unit: &Unit) -> Option<String> {
    let made = unit.events(&Scope::Module).filter(|event| event.when != When::Never).find_map(|event| {
        let What::Assign { target, value } = &event.what else { return None };
        let (Node::Name(name), Some((callee, _))) = (&*target.node, value.call()) else { return None };
        MAKES_AN_APP.contains(&last_part(&callee.path()?)).then(|| name.clone())
    });
    let imported = || {
        let names = ["app", "application"];
        names.iter().find(|name| !unit.binding(&Scope::Module, name).is_empty()).map(|name| (*name).to_owned())
    };
    made.or_else(imported)
}

fn no_module(code: &Code, roots: &[String], module: &str) -> Option<Absence> {
    let found = |within: String, instead: Option<String>| Absence {
        what: Wanted::Module,
        name: module.to_owned(),
        within,
        place: None,
        instead,
        sure: Confidence::Likely,
    };
    let Some((top, rest)) = module.split_once('.') else {
        // A module of one word may be an installed package, unless the app evidently lies in this very folder.
        let [root] = roots else { return None };
        let app =
            code.directly_in(root).find(|unit| !unit.path().ends_with("__init__.py") && app_in(unit).is_some())?;
        let instead = app.path().rsplit('/').next()?.strip_suffix(".py")?.to_owned();
        return Some(found(root.clone(), Some(instead)));
    };
    let root = roots.iter().find(|root| code.at(&join(&join(root, top), "__init__.py")).is_some())?;
    // The last of its packages that is there.
    let mut folder = join(root, top);
    for part in rest.split('.') {
        if !code.has_folder(&folder, part) {
            break;
        }
        folder = join(&folder, part);
    }
    let app = code.directly_in(&folder).find(|unit| !unit.path().ends_with("__init__.py") && app_in(unit).is_some());
    let instead = app.and_then(|unit| {
        let below = if root.is_empty() {
            unit.path()
        } else {
            unit.path().strip_prefix(root.as_str())?.trim_start_matches('/')
        };
        Some(below.strip_suffix(".py")?.replace('/', "."))
    });
    Some(found(folder, instead))
}

fn no_file(code: &Code, roots: &[String], file: &str) -> Option<Absence> {
    // Files of other names are not read.
    if !file.ends_with(".py") {
        return None;
    }
    let folders = roots.iter().map(|root| folder_of(&join(root, file)).to_owned());
    let within = folders.into_iter().find(|folder| code.directly_in(folder).next().is_some())?;
    let app = code.directly_in(&within).find(|unit| app_in(unit).is_some())?;
    let instead = app.path().rsplit('/').next().map(str::to_owned);
    Some(Absence { what: Wanted::File, name: file.to_owned(), within, place: None, instead, sure: Confidence::Likely })
}

#[cfg(test)]
mod tests;
