//! What a Dockerfile comes to: the process of its image, with the variables, the folder and the files that it finds there.

mod base;
pub mod landing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::source::{Located, Span};
use crate::stack::app::name::{folder_of, join, last_segment};
use crate::stack::document::{Document, Kind};
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::view::View;
use crate::syntax::dockerfile::word::{Part, parts};
use crate::syntax::dockerfile::{self, Command, Dockerfile, Instruction, Stage, Variable};
use landing::Landing;

/// More variables and copies than any real file has; those beyond are out of sight, as those of the base are.
const MOST_VARIABLES: usize = 256;

/// The longest value that is worked out, in bytes: a few lines that each double the one before would fill the memory.
const MOST_EXPANDED: usize = 1 << 14;

/// One image, as its last stage or the one that is asked for leaves it.
#[derive(Debug, Clone)]
pub struct Image {
    /// The Dockerfile, its lines joined.
    pub document: Arc<Document>,
    /// Where its last stage begins.
    pub place: Span,
    /// The last `ENTRYPOINT`; `None` where only the image that it starts from may have one.
    pub entrypoint: Option<Command>,
    /// The last `CMD` that counts.
    pub cmd: Option<Command>,
    /// Every `ENV`, the last of a name alone, with its place.
    pub variables: BTreeMap<String, (Answer<String>, Span)>,
    /// Where its processes start.
    pub folder: Answer<String>,
    /// As whom, where it says so.
    pub user: Option<(Answer<String>, Span)>,
    /// The signal that asks its process to stop, where it says so.
    pub stop_signal: Option<(Answer<String>, Span)>,
    /// Which files of the repository land where.
    pub landing: Arc<Landing>,
    /// The image that it starts from in the end.
    pub base: String,
}

impl Image {
    /// The signal that asks its process to stop, as written; `TERM` where neither it nor the image that it starts from says so.
    pub fn stop_signal(&self) -> Fact<String> {
        match &self.stop_signal {
            Some((signal, span)) => {
                Fact { answer: signal.clone(), ..Fact::read(String::new(), self.document.place(*span)) }
            }
            None if base::has_no_signal(&self.base) => Fact::default_of("TERM".to_owned()),
            None => Fact::unknown(of_base("the stop signal", &self.base)),
        }
    }

    /// The ini that uWSGI is started with where the image that it starts from does so, and it says nothing else.
    pub fn ini_of_base(&self) -> Option<Answer<String>> {
        if self.entrypoint.is_some() || self.cmd.is_some() {
            return None;
        }
        let ini = base::default_ini(&self.base)?;
        let named = self.variables.get("UWSGI_INI").map(|(value, _)| value.clone());
        Some(named.unwrap_or_else(|| Answer::Known(ini.to_owned())))
    }
}

/// How an image is built, by what a compose file says.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// The folder whose files it may copy.
    pub context: &'a str,
    /// The path of its Dockerfile.
    pub dockerfile: &'a str,
    /// The stage that is built; the last one where none is named.
    pub target: Option<&'a str>,
    /// The `ARG`s that are set.
    pub arguments: &'a [String],
}

/// The Dockerfiles of one stack.
#[derive(Debug, Default)]
pub struct Images {
    files: Vec<(Arc<Document>, Dockerfile)>,
    /// Every folder and file of the stack, read or not: they tell which folder a Dockerfile copies from.
    paths: BTreeSet<String>,
}

impl Images {
    /// Reads the Dockerfiles of a view, in which `paths` are there.
    pub fn of<'p>(view: &View, paths: impl Iterator<Item = &'p str>) -> Self {
        let read = |document: &Arc<Document>| {
            let file = dockerfile::parse(document.text());
            (Arc::new(document.with_text(&file.text)), file)
        };
        let files: Vec<_> = view.of(Kind::Dockerfile).map(read).collect();
        let mut all = BTreeSet::new();
        if !files.is_empty() {
            for path in paths {
                let folders =
                    std::iter::successors(Some(path), |path| Some(folder_of(path)).filter(|path| !path.is_empty()));
                for folder in folders {
                    if !all.insert(folder.to_owned()) {
                        break;
                    }
                }
            }
        }
        Self { files, paths: all }
    }

    /// The image that a compose file builds so; `None` where its Dockerfile is not in sight.
    pub fn built(&self, build: Build<'_>) -> Option<Image> {
        let (document, file) = self.files.iter().find(|(document, _)| document.path == build.dockerfile)?;
        let at = match build.target {
            Some(target) => stage_named(&file.stages, target)?,
            None => file.stages.len().checked_sub(1)?,
        };
        Some(image(document, file, at, build.context, build.arguments))
    }

    /// The image of each Dockerfile but those that a service runs already, as its own lines show how it is built.
    pub fn others<'a>(&'a self, run: &'a BTreeSet<String>) -> impl Iterator<Item = Image> + 'a {
        let others = self.files.iter().filter(|(document, _)| !run.contains(&document.path));
        others.filter_map(|(document, file)| {
            let last = file.stages.len().checked_sub(1)?;
            Some(image(document, file, last, self.context(document, file), &[]))
        })
    }

    /// The folder that a Dockerfile copies from: its own, or the nearest above it that holds all that it copies.
    fn context<'d>(&self, document: &'d Document, file: &Dockerfile) -> &'d str {
        let own = folder_of(&document.path);
        let copies =
            file.stages.iter().flat_map(|stage| &stage.instructions).filter_map(|instruction| match instruction {
                Instruction::Copy(copy) if copy.from.is_none() => Some(&copy.sources),
                _ => None,
            });
        let is_plain = |source: &&str| !source.contains(['$', '*', '?', '[', '<']) && !source.contains("://");
        let sources: Vec<&str> =
            copies.flatten().map(|source| source.value.as_str()).filter(is_plain).take(64).collect();
        let holds = |folder: &str| {
            sources.iter().filter(|source| self.is_there(&join(folder, source.trim_start_matches('/')))).count()
        };
        let above = std::iter::successors(Some(own), |folder| (!folder.is_empty()).then(|| folder_of(folder)));
        let mut best = (own, holds(own));
        for folder in above.take(8).skip(1) {
            let held = holds(folder);
            if held > best.1 {
                best = (folder, held);
            }
        }
        best.0
    }

    fn is_there(&self, path: &str) -> bool {
        path.is_empty() || self.paths.contains(path)
    }
}

fn stage_named(stages: &[Stage], name: &str) -> Option<usize> {
    stages.iter().rposition(|stage| stage.name.as_ref().is_some_and(|own| own.value.eq_ignore_ascii_case(name)))
}

/// The stage `at` after those that it starts from.
fn image(document: &Arc<Document>, file: &Dockerfile, at: usize, context: &str, set: &[String]) -> Image {
    let mut chain = vec![at];
    // Each starts from an earlier one, so that this ends.
    let mut first = at;
    while let Some(earlier) = stage_named(&file.stages[..first], &file.stages[first].base.value) {
        chain.push(earlier);
        first = earlier;
    }
    let base = file.stages[first].base.value.clone();
    let mut image = Image {
        document: Arc::clone(document),
        place: file.stages[at].base.span,
        entrypoint: None,
        cmd: None,
        variables: BTreeMap::new(),
        folder: Answer::Unknown(of_base("the folder", &base)),
        user: None,
        stop_signal: None,
        landing: Arc::default(),
        base,
    };
    for stage in chain.into_iter().rev() {
        let mut builder = Builder { image: &mut image, file, arguments: BTreeMap::new(), context, set, has_cmd: false };
        file.stages[stage].instructions.iter().for_each(|instruction| builder.take(instruction));
    }
    image
}

fn of_base(what: &str, base: &str) -> Missing {
    Missing::new(format!("{what} of the image {base}"), "say it in the Dockerfile")
}

/// One stage while it is built.
struct Builder<'a> {
    image: &'a mut Image,
    file: &'a Dockerfile,
    /// The `ARG`s of the stage.
    arguments: BTreeMap<String, Answer<String>>,
    context: &'a str,
    set: &'a [String],
    /// Whether the stage itself says what is started.
    has_cmd: bool,
}

impl Builder<'_> {
    fn take(&mut self, instruction: &Instruction) {
        match instruction {
            Instruction::Env(variables) => {
                // Those of one line do not see one another.
                let values: Vec<_> = variables.iter().filter_map(|one| self.variable(one)).collect();
                self.image.variables.extend(values);
                while self.image.variables.len() > MOST_VARIABLES {
                    self.image.variables.pop_last();
                }
            }
            Instruction::Arg(variables) => variables.iter().for_each(|one| self.argument(one)),
            Instruction::Workdir(folder) => {
                self.image.folder = match (self.expanded(folder), &self.image.folder) {
                    (Answer::Known(folder), _) if folder.starts_with('/') => Answer::Known(join("", &folder)),
                    (Answer::Known(folder), Answer::Known(before)) => Answer::Known(join(before, &folder)),
                    (Answer::Known(_) | Answer::Absent, before) => before.clone(),
                    (unknown, _) => unknown,
                };
            }
            Instruction::User(user) => {
                let name = self.expanded(user).map_known(|user| user.split(':').next().unwrap_or_default().to_owned());
                self.image.user = Some((name, user.span));
            }
            Instruction::StopSignal(signal) => self.image.stop_signal = Some((self.expanded(signal), signal.span)),
            Instruction::Copy(copy) => self.copy(copy),
            Instruction::Cmd(command) => {
                self.image.cmd = Some(command.clone());
                self.has_cmd = true;
            }
            Instruction::Entrypoint(command) => {
                self.image.entrypoint = Some(command.clone());
                // What the stage below starts was meant for the entrypoint there (BuildKit: `dispatchEntrypoint`).
                if !self.has_cmd {
                    self.image.cmd = None;
                }
            }
        }
    }

    fn variable(&self, variable: &Variable) -> Option<(String, (Answer<String>, Span))> {
        let value = variable.value.as_ref()?;
        // `--build-arg` may give another value than the file.
        let is_argument = |part: &Part| {
            let (Part::Variable(name) | Part::Default(name, _)) = part else { return false };
            self.arguments.contains_key(name) && !self.image.variables.contains_key(name)
        };
        let answer = if parts(&value.value, self.file.escape).iter().any(is_argument) {
            Answer::Unknown(Missing::new("what the image is built with", "write the value itself"))
        } else {
            self.expanded(value)
        };
        Some((variable.name.value.clone(), (answer, variable.name.span.to(value.span))))
    }

    fn argument(&mut self, argument: &Variable) {
        let name = &argument.name.value;
        let global = || self.file.arguments.iter().rev().find(|global| global.name.value == *name)?.value.as_ref();
        let value = match argument.value.as_ref().or_else(global) {
            Some(value) if !self.set.contains(name) => self.expanded(value),
            _ => Answer::Unknown(Missing::new(format!("the build's argument {name}"), "give it a default")),
        };
        self.arguments.insert(name.clone(), value);
    }

    fn copy(&mut self, copy: &dockerfile::Copy) {
        let destination = match (self.expanded(&copy.destination), &self.image.folder) {
            (Answer::Known(path), _) if path.starts_with('/') => path,
            (Answer::Known(path), Answer::Known(folder)) => format!("{folder}/{path}"),
            _ => return,
        };
        if copy.from.is_some() {
            let landing = Arc::make_mut(&mut self.image.landing);
            landing.cover(&destination);
            copy.sources
                .iter()
                .for_each(|source| landing.cover(&format!("{destination}/{}", last_segment(&source.value))));
            return;
        }
        for source in copy.sources.iter().take(MOST_VARIABLES) {
            if let Answer::Known(source) = self.expanded(source)
                && !source.contains("://")
                && !source.starts_with("<<")
            {
                let path = join(self.context, source.trim_start_matches('/'));
                let name = last_segment(source.trim_end_matches('/'));
                Arc::make_mut(&mut self.image.landing).add(&path, name, &destination);
            }
        }
    }

    /// A word with its variables put in.
    fn expanded(&self, word: &Located<String>) -> Answer<String> {
        let mut text = String::new();
        for part in parts(&word.value, self.file.escape) {
            let (name, default) = match part {
                Part::Text(plain) => {
                    text.push_str(&plain);
                    continue;
                }
                Part::Variable(name) => (name, None),
                Part::Default(name, default) => (name, Some(default)),
                Part::Other(code) => {
                    return Answer::Unknown(Missing::new(format!("what the builder makes of {code}"), "write it out"));
                }
            };
            let own = self.image.variables.get(&name).map(|(value, _)| value);
            match (own.or_else(|| self.arguments.get(&name)), default) {
                (Some(Answer::Known(value)), Some(default)) if value.is_empty() => text.push_str(&default),
                (Some(Answer::Known(value)), _) => text.push_str(value),
                (Some(Answer::Unknown(missing)), _) => return Answer::Unknown(missing.clone()),
                _ => return Answer::Unknown(of_base(&format!("${name}"), &self.image.base)),
            }
            if text.len() > MOST_EXPANDED {
                return Answer::Unknown(Missing::new("a value that grows with each line", "write it out"));
            }
        }
        self.image.document.value(word.span, &text)
    }
}

#[cfg(test)]
mod tests;
