//! The options of all files of one instance, in the order in which uWSGI comes to them (uWSGI: `add_exported_option_do`,
//! `uwsgi_ini_config`, `uwsgi_opt_load`).

use std::sync::Arc;

use super::Around;
use super::logic::{self, Logic, Seen};
use super::setting::{Setting, Target};
use crate::finding::Confidence;
use crate::source::{FileId, Place};
use crate::stack::document::{Document, Kind};
use crate::stack::link::by_path;
use crate::syntax::Problem;
use crate::syntax::uwsgi::{Config, DEFAULT_SECTION, Magic, closes_block, opens_block, parse_section};

/// How many sections of files one instance may bring in before the rest stays out of sight: copies of copies would
/// never end.
const MOST_PARTS: usize = 256;
/// How deep files may bring in each other.
const DEEPEST: usize = 16;
/// How many bytes the loops of one instance may make.
const MOST_COPIED: usize = 1 << 22;

/// One section of one file, as it was read.
pub(super) struct Part<'a> {
    pub document: &'a Document,
    pub config: Arc<Config>,
    /// The section that was asked for.
    pub section: String,
}

/// A section of a file that was found, and how sure it is that it is the one meant.
pub(super) struct Found<'a> {
    pub document: &'a Document,
    pub section: String,
    pub confidence: Confidence,
}

/// A block that was opened and not closed yet.
struct Open {
    kind: String,
    logic: Logic,
}

/// Options in order, while files are being read.
pub(super) struct Assembly<'a> {
    around: Around<'a>,
    /// Whether the command that starts uWSGI is read too, so that an option that is not here is nowhere.
    with_command: bool,
    /// Every option that uWSGI adds.
    pub all: Vec<Setting<'a>>,
    /// Lines that surely do not count, because the condition around them is false.
    pub ignored: Vec<Setting<'a>>,
    /// What was read, in the order of reading.
    pub parts: Vec<Part<'a>>,
    /// Files that make uWSGI stop.
    pub problems: Vec<(FileId, Problem)>,
    /// Paths of files that are named and not in sight.
    pub wanted: Vec<String>,
    open: Option<Open>,
    /// Set while uWSGI runs the line of a block, and all that it brings in: the block, where it may not count.
    running: Option<Option<String>>,
    copied: usize,
    seen: Seen,
    /// The letters of the first file.
    first: Option<Magic>,
    /// The path by which the command names the first file, where it is whole: `%d` and its kin are parts of it.
    pub opened_as: Option<String>,
    /// The part being read, and those that brought it in, outermost first.
    within: Vec<usize>,
}

impl<'a> Assembly<'a> {
    pub fn new(around: Around<'a>, with_command: bool) -> Self {
        Self {
            around,
            with_command,
            all: Vec::new(),
            ignored: Vec::new(),
            parts: Vec::new(),
            problems: Vec::new(),
            wanted: Vec::new(),
            open: None,
            running: None,
            copied: 0,
            seen: Seen::default(),
            first: None,
            opened_as: None,
            within: Vec::new(),
        }
    }

    /// Reads one section of a file in its place.
    pub fn file(&mut self, found: &Found<'a>, inherited: Option<Place>) {
        let document = found.document;
        let config = Arc::new(parse_section(document.text(), &found.section).tree);
        let named = if found.section == DEFAULT_SECTION { "" } else { &found.section };
        let is_first = self.parts.first().is_none_or(|first| first.document.file == document.file);
        let path = self.opened_as.as_deref().filter(|_| is_first).unwrap_or(&document.path);
        let own = Magic::of_path(path).given('x', named);
        let magic = match &self.first {
            Some(first) => own.within(first),
            None => own.clone().within(&own),
        };
        self.first.get_or_insert_with(|| magic.clone());
        let part = self.parts.len();
        self.parts.push(Part { document, config: Arc::clone(&config), section: found.section.clone() });
        self.within.push(part);
        for option in &config.options {
            let mut setting = Setting::of_line(document, option, &magic, self.around.release);
            setting.inherited = inherited;
            setting.part = part;
            setting.confidence = found.confidence;
            self.add(setting);
        }
        self.within.pop();
    }

    /// Adds one option; in a block, as often as the block says.
    pub fn add(&mut self, setting: Setting<'a>) {
        if self.running.is_some() {
            return self.take(setting);
        }
        // A block that a template may leave open goes on.
        if setting.name.as_deref().is_some_and(closes_block) && !setting.is_conditional() {
            self.open = None;
        }
        let Some(open) = &self.open else { return self.take(setting) };
        match open.logic.clone() {
            Logic::Each(items) if self.copied + size_of_copies(&setting, &items) <= MOST_COPIED => {
                self.copied += size_of_copies(&setting, &items);
                if items.is_empty() {
                    self.ignored.push(setting);
                    return;
                }
                self.running = Some(None);
                for (at, item) in items.iter().enumerate() {
                    self.take(setting.for_item(item, at == 0));
                }
            }
            _ => {
                self.running = Some(Some(open.kind.clone()));
                self.take(setting);
            }
        }
        self.running = None;
    }

    fn take(&mut self, mut setting: Setting<'a>) {
        setting.block = self.running.clone().flatten();
        let opens = setting.known.is_some() && setting.name.as_deref().is_some_and(opens_block);
        if opens && self.running.is_none() {
            let kind = setting.name.clone().unwrap_or_default();
            self.open = Some(Open { kind, logic: logic::of(&setting, &self.seen, self.with_command) });
        }
        let made = setting.made_by_set(self.around.release);
        // `inherit` waits until all placeholders are filled in.
        let brings = setting.brings_in_file() && !setting.is(&["inherit"]);
        let found = if brings { self.bring(&mut setting) } else { None };
        self.seen.add(&setting);
        self.all.push(setting);
        if let Some(found) = found {
            self.file(&found, None);
        }
        if let Some(made) = made {
            self.add(made);
        }
    }

    /// Reads what every `inherit` names, once the placeholders are filled in: its options come after all others.
    pub fn inherit(&mut self) {
        let mut at = 0;
        while at < self.all.len() {
            if self.all[at].is(&["inherit"]) {
                let mut setting = self.all[at].clone();
                if !setting.target.as_ref().is_some_and(|target| target.beside) {
                    setting.target = setting.value_target();
                }
                self.within.clear();
                if let Some(found) = self.bring(&mut setting) {
                    let place = setting.place();
                    self.running = setting.block.is_some().then(|| setting.block.clone());
                    self.file(&found, Some(place));
                    self.running = None;
                }
                self.all[at] = setting;
            }
            at += 1;
        }
    }

    /// The file that an option names, where it is in sight; what uWSGI would stop at is a problem.
    fn bring(&mut self, setting: &mut Setting<'a>) -> Option<Found<'a>> {
        let target = setting.target.clone()?;
        if let Some(problem) = refused(setting, &target) {
            setting.is_read = true;
            self.problems.push((setting.document.file, problem));
            return None;
        }
        let found = self.find(setting, &target)?;
        let is_same = |part: &Part| part.document.file == found.document.file && part.section == found.section;
        if self.within.iter().any(|part| is_same(&self.parts[*part])) {
            setting.is_read = true;
            self.problems.push((setting.document.file, circle(setting)));
            return None;
        }
        if self.within.len() >= DEEPEST || self.parts.len() >= MOST_PARTS {
            return None;
        }
        setting.is_read = true;
        Some(Found { confidence: found.confidence.min(setting.confidence), ..found })
    }

    fn find(&mut self, setting: &Setting<'a>, target: &Target) -> Option<Found<'a>> {
        let (path, section) = match target.name.rsplit_once(':') {
            Some((path, "")) => (path, DEFAULT_SECTION),
            Some((path, section)) => (path, section),
            None => (target.name.as_str(), DEFAULT_SECTION),
        };
        let section = section.to_owned();
        if path.is_empty() {
            // The file that was opened last, which is this one unless it has brought in another (uWSGI: `last_file`).
            let document = self.parts.last().map_or(setting.document, |part| part.document);
            return Some(Found { document, section, confidence: Confidence::Proved });
        }
        // `ini` alone asks for no ending; `config` is for formats of plugins.
        let is_ini = setting.is(&["ini"]) || (setting.is(&["include", "inherit"]) && path.ends_with(".ini"));
        if !is_ini || path.contains("://") || path == "-" {
            return None;
        }
        let (document, confidence) = match path.starts_with('/') {
            true => self.at(path)?,
            false if target.beside => (self.exactly_at(path)?, Confidence::Likely),
            // uWSGI starts from where it was started; people start it in the folder of its ini.
            false => {
                let folder = self.parts.first()?.document.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                (self.exactly_at(&format!("{folder}/{path}"))?, Confidence::Possible)
            }
        };
        Some(Found { document, section, confidence })
    }

    /// The ini at an absolute path; in a repository, where files lie elsewhere, a base name may do.
    fn at(&mut self, path: &str) -> Option<(&'a Document, Confidence)> {
        let view = self.around.files?;
        if let Some(document) = self.exactly_at(path) {
            return Some((document, Confidence::Proved));
        }
        if view.complete || view.at(&normal(path)).len() > 1 {
            return None;
        }
        let inis: Vec<&'a Document> = view.of(Kind::Uwsgi).map(Arc::as_ref).collect();
        let (document, sure) = by_path(&inis, |ini| &ini.path, path)?;
        Some((*document, sure))
    }

    fn exactly_at(&mut self, path: &str) -> Option<&'a Document> {
        let path = normal(path);
        match self.around.files?.at(&path) {
            [only] if only.kind == Kind::Uwsgi => Some(only),
            [] => {
                self.wanted.push(path);
                None
            }
            _ => None,
        }
    }
}

/// How many bytes a line takes once for each item, names and places included.
fn size_of_copies(setting: &Setting, items: &[String]) -> usize {
    let value = setting.raw_value();
    let holes = value.matches("%(_)").count();
    items.iter().map(|item| 256 + value.len() + holes * item.len()).sum()
}

/// The path without `.`, `..` and doubled slashes.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("{}{}", if path.starts_with('/') { "/" } else { "" }, parts.join("/"))
}

/// A name by whose ending uWSGI does not know how to read the file (uWSGI: `uwsgi_opt_load`); `ini` asks for none.
fn refused(setting: &Setting, target: &Target) -> Option<Problem> {
    const OTHERS: [&str; 8] = ["conf", "cfg", "txt", "config", "uwsgi", "include", "inc", "template"];
    if !setting.is(&["include", "inherit"]) || setting.block.is_some() {
        return None;
    }
    let problem = |message: String| Problem::new("uwsgi/file-not-loaded", setting.value_span, message);
    let name = &target.name;
    let section = name.rsplit_once(':').filter(|(path, section)| {
        (path.is_empty() || path.ends_with(".ini")) && !section.is_empty() && !section.contains('/')
    });
    if let Some((_, section)) = section {
        let option = setting.name.as_deref().unwrap_or_default();
        let message = format!("`{option}` takes no section: uWSGI stops at `:{section}`");
        return Some(problem(message).hint(format!("write `ini = {name}`")));
    }
    let ending = name.rsplit('/').next()?.rsplit_once('.').map_or("", |(_, ending)| ending);
    (OTHERS.contains(&ending) || (ending.is_empty() && !name.contains("://"))).then(|| {
        problem("uWSGI does not know how to read this file: its name does not end with `.ini`".to_owned())
            .hint("name it `….ini`, or write `ini = …`, which asks for no ending")
    })
}

fn circle(setting: &Setting) -> Problem {
    Problem::new(
        "uwsgi/include-in-a-circle",
        setting.value_span,
        "this leads back to a file that is being read: uWSGI reads in a circle until it crashes",
    )
    .hint("remove one of the lines of the circle")
}

#[cfg(test)]
mod tests;
