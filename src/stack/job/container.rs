//! The process of a container: its entrypoint and command put together, and the scripts of the repository that these go through.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::environment::env_value;
use super::main_process::Main;
use super::uwsgi_ini::uwsgi_ini;
use super::{Job, Reading, command_line};
use crate::finding::Confidence;
use crate::source::{Located, Span};
use crate::stack::app::name::join;
use crate::stack::document::{Document, Kind};
use crate::stack::env::EnvValue;
use crate::stack::fact::{Answer, Fact, Lack, Missing};
use crate::stack::image::Image;
use crate::stack::image::landing::Landing;
use crate::stack::launch::{Argument, Launch, Variables, see_through};
use crate::stack::link::by_path;
use crate::stack::view::View;
use crate::syntax::dockerfile::Command;

/// A script that starts a script that starts a script: real ones go no further.
const MOST_SCRIPTS: usize = 4;

/// Where a program without a folder is looked for, if its image says nothing else.
const PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Some shells take the place of their last command by themselves, others stay in front of it.
static SHELL: Lack =
    Lack::fixed("whether the shell stays in front of the program", "write the command as a list, `[\"uwsgi\", …]`");

/// What a container starts in the end.
#[derive(Debug, Clone)]
pub(super) struct Process {
    /// The text that the program and its arguments stand in.
    pub document: Arc<Document>,
    /// The program with its arguments.
    pub launch: Launch,
    /// Where it starts.
    pub folder: Answer<String>,
    /// The variables that scripts on the way to it export.
    pub env: Vec<EnvValue>,
    /// The files of variables that they read.
    pub sources_files: Vec<String>,
    /// The ini that `UWSGI_INI` names: uWSGI takes every option from the environment as well.
    pub named_ini: Answer<String>,
    /// Whether the container waits for it, and not for another command that goes on beside or after it.
    pub is_main: bool,
    /// Whether every script on the way gives way to it, so that a signal reaches it.
    pub execed: Answer<bool>,
    /// How sure it is that these scripts are the ones.
    pub sure: Confidence,
}

impl Process {
    /// What is launched in this folder, if nothing on the way to it leaves the folder.
    pub fn of(document: &Arc<Document>, launch: Launch, folder: Answer<String>) -> Self {
        Self {
            document: Arc::clone(document),
            folder: launch.chdir.clone().unwrap_or(folder),
            launch,
            env: Vec::new(),
            sources_files: Vec::new(),
            named_ini: Answer::Unknown(Missing::new(
                "the variables of uWSGI's container",
                "name the ini in its command",
            )),
            is_main: true,
            execed: Answer::Known(true),
            sure: Confidence::Proved,
        }
    }
}

/// Where a process runs: its files, its folder and its variables.
pub(super) struct Surroundings<'a> {
    pub view: &'a View,
    /// What lands where, the mounts of a service before the files of its image.
    pub lands: &'a [Arc<Landing>],
    pub folder: Answer<String>,
    pub variables: Variables,
    /// The dialect of the job.
    pub key: &'static str,
}

impl Surroundings<'_> {
    /// The process of `image`, if it is started as the image says.
    pub fn of_image(&self, image: &Image) -> Option<Process> {
        let cmd = image.cmd.as_ref();
        match image.entrypoint.as_ref() {
            // What a shell is told to run gets no arguments.
            Some(Command::Shell(span)) => self.in_shell(&image.document, *span),
            Some(Command::Words(words)) if !words.is_empty() => {
                let mut all = written(&image.document, words);
                match cmd {
                    Some(Command::Words(words)) => all.extend(written(&image.document, words)),
                    Some(Command::Shell(span)) => all.push(as_one(&image.document, *span)),
                    None => {}
                }
                Some(self.of_words(&image.document, all))
            }
            _ => match cmd? {
                Command::Shell(span) => self.in_shell(&image.document, *span),
                Command::Words(words) => Some(self.of_words(&image.document, written(&image.document, words))),
            },
        }
    }

    /// The process that these words start.
    pub fn of_words(&self, document: &Arc<Document>, words: Vec<Argument>) -> Process {
        let launch = see_through(document, words, &self.variables);
        self.follow(Process::of(document, launch, self.folder.clone()))
    }

    /// The process of `words` as the entrypoint script of an image hands them on; `None` where none lies here.
    pub fn before(&self, image: &Image, document: &Arc<Document>, words: &[Argument]) -> Option<Process> {
        let Some(Command::Words(entrypoint)) = &image.entrypoint else { return None };
        let mut all = written(&image.document, entrypoint);
        let own = all.first()?.span;
        all.extend(words.iter().cloned());
        let process = self.of_words(document, all);
        let is_as_before = |first: &Argument| Arc::ptr_eq(&process.document, document) && first.span == own;
        let is_gone_through = process.launch.words.first().is_some_and(|first| !is_as_before(first));
        is_gone_through.then_some(process)
    }

    /// What a line for a shell starts.
    fn in_shell(&self, document: &Arc<Document>, span: Span) -> Option<Process> {
        let mut main = Main::new(document, self.key, Some(self.folder.clone()));
        main.variables.clone_from(&self.variables);
        let started = main.start(span, true)?;
        let folder = main.folder.unwrap_or_else(|| self.folder.clone());
        let process = Process {
            env: main.env.into_rows(),
            sources_files: main.sources_files,
            is_main: started.is_last && started.ampersand.is_none(),
            execed: if started.execed { Answer::Known(true) } else { Answer::Unknown((&SHELL).into()) },
            ..Process::of(document, started.launch, folder)
        };
        Some(self.follow(process))
    }

    /// Goes into the scripts of the repository that a process begins with.
    pub fn follow(&self, mut process: Process) -> Process {
        if let Some(ini) = self.variables.get("UWSGI_INI") {
            process.named_ini = ini.clone();
        }
        for _ in 0..MOST_SCRIPTS {
            let Some((script, sure, arguments)) = self.script(&process) else { break };
            let mut main = Main::new(&script, self.key, Some(process.folder.clone()));
            main.variables.clone_from(&self.variables);
            let Some(mut started) = main.start(Span::new(0, script.text().len()), true) else { break };
            if started.is_choice {
                // Branches start it in different ways, and which one is taken is not known.
                process.launch.words.iter_mut().for_each(|word| {
                    let missing = Missing::new(format!("which branch of {} starts uWSGI", script.path), "keep one");
                    word.value = Answer::Unknown(missing);
                });
                return process;
            }
            let takes_all =
                started.launch.words.iter().position(|word| matches!(word.written.as_str(), "$@" | "${@}" | "$*"));
            let passes_on = takes_all == Some(0);
            if let Some(at) = takes_all {
                let place = started.launch.words[at].span;
                // Each stands where the script hands it on, if the program itself stands in the script.
                let handed =
                    arguments.into_iter().map(|word| if passes_on { word } else { Argument { span: place, ..word } });
                started.launch.words.splice(at..=at, handed);
            }
            process.env.extend(main.env.into_rows());
            process.sources_files.extend(main.sources_files);
            process.folder = main.folder.unwrap_or(process.folder);
            process.sure = process.sure.min(sure);
            if !started.execed {
                process.execed = Answer::Known(false);
                if script.text().contains("trap") {
                    let missing = Missing::new(
                        format!("what {} does with signals", script.path),
                        "start the program with `exec` there",
                    );
                    process.execed = Answer::Unknown(missing);
                }
            }
            process.is_main &= started.is_last && started.ampersand.is_none();
            let (user, left_behind) = (process.launch.user.take(), process.launch.left_behind.take());
            if !passes_on {
                process.document = script;
            }
            let words = std::mem::take(&mut started.launch.words);
            let inner = see_through(&process.document, words, &self.variables);
            process.launch = Launch {
                user: inner.user.clone().or(started.launch.user).or(user),
                signals_all: inner.signals_all || started.launch.signals_all || process.launch.signals_all,
                left_behind: inner.left_behind.clone().or(started.launch.left_behind).or(left_behind),
                ..inner
            };
            if process.launch.words.is_empty() {
                break;
            }
        }
        process
    }

    /// The script that a process begins with, how sure it is that it is that one, and what it is handed.
    fn script(&self, process: &Process) -> Option<(Arc<Document>, Confidence, Vec<Argument>)> {
        let words = &process.launch.words;
        let is_shell = matches!(words.first()?.base_name(), "sh" | "bash" | "dash" | "ash");
        let at =
            if is_shell { words.iter().skip(1).position(|word| !word.written.starts_with(['-', '+']))? + 1 } else { 0 };
        let Answer::Known(program) = &words[at].value else { return None };
        let mut paths = Vec::new();
        if program.starts_with('/') {
            paths.push(join("", program));
        } else if let (true, Answer::Known(folder)) = (is_shell || program.contains('/'), &process.folder) {
            paths.push(join(folder, program));
        } else if !program.contains('/') {
            paths.extend(PATH.iter().map(|folder| format!("{folder}/{program}")));
        }
        let rest = words[at + 1..].to_vec();
        let is_script = |path: &String| self.view.at(path).iter().find(|document| document.kind == Kind::Script);
        let landed = paths.iter().flat_map(|path| self.lands.iter().flat_map(|landing| landing.origins(path)));
        if let Some(script) = landed.collect::<Vec<_>>().iter().find_map(is_script) {
            return Some((Arc::clone(script), Confidence::Likely, rest));
        }
        if !program.contains(['/', '.']) {
            return None;
        }
        let scripts: Vec<&Arc<Document>> = self.view.of(Kind::Script).collect();
        let (script, sure) = by_path(&scripts, |script| &script.path, program)?;
        Some((Arc::clone(script), sure, rest))
    }
}

/// The job with what its process tells, and the text that its command stands in.
pub(super) fn started(
    mut job: Job,
    process: Option<Process>,
    missing: Missing,
    open: bool,
) -> (Reading, Option<Arc<Document>>) {
    let Some(process) = process else {
        job.command = Fact::unknown(missing.clone());
        job.execed = Fact::unknown(missing.clone());
        job.uwsgi_ini = Fact::unknown(missing);
        return (Reading::of(job, None), None);
    };
    let document = process.document;
    job.command = command_line(&document, &process.launch);
    job.execed = Fact { answer: process.execed, ..job.command.clone().map(|_| true) };
    if process.launch.signals_all {
        job.signals_all = Fact::derived(true);
    }
    let uwsgi = Some(process.launch).filter(Launch::is_uwsgi).map(|launch| launch.words);
    job.uwsgi_ini = match &uwsgi {
        // Where nothing is said on its command line, the environment does.
        Some(words) if words.len() == 1 => Fact { answer: process.named_ini, ..job.command.clone() },
        Some(words) => uwsgi_ini(&document, words, Some(&process.folder), open),
        None => match job.command.missing() {
            Some(missing) => Fact::unknown(missing.clone()),
            None => Fact::absent(),
        },
    };
    let reading = Reading {
        env: process.env,
        sources_files: process.sources_files,
        folder: Some(process.folder),
        sure: process.sure,
        is_main: process.is_main,
        ..Reading::of(job, uwsgi)
    };
    (reading, Some(document))
}

/// The words of a list, which no shell sees.
fn written(document: &Document, words: &[Located<String>]) -> Vec<Argument> {
    let word = |word: &Located<String>| Argument {
        span: word.span,
        value: document.value(word.span, &word.value),
        written: word.value.clone(),
    };
    words.iter().map(word).collect()
}

/// A line for a shell as one word.
fn as_one(document: &Document, span: Span) -> Argument {
    let text = span.of(document.text());
    Argument { span, value: document.value(span, text), written: text.to_owned() }
}

/// The variables of an image as rows of a job of this dialect, and as a shell in it sees them.
pub(super) fn variables(image: &Image, key: &'static str) -> (Vec<EnvValue>, Variables) {
    let row = |(name, (value, span)): (&String, &(Answer<String>, Span))| {
        let mut row = env_value(&image.document, key, name, value, *span);
        row.name.answer = image.document.value(*span, name);
        row
    };
    let values: BTreeMap<String, Answer<String>> =
        image.variables.iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect();
    (image.variables.iter().map(row).collect(), values)
}
