//! What the services of a compose file start: their own command, or that of the image that is built for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::container::{Process, Surroundings, started, variables};
use super::environment::env_value;
use super::image::{started_by_base, user};
use super::{Job, Reading, VariablesFile, stopping};
use crate::source::{Located, Span};
use crate::stack::app::name::{folder_of, join, last_segment};
use crate::stack::document::{Document, Kind};
use crate::stack::env::EnvValue;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::image::landing::Landing;
use crate::stack::image::{Build, Image, Images};
use crate::stack::launch::{Argument, Variables, argument};
use crate::stack::view::View;
use crate::syntax::compose::{self, Command, Service};
use crate::syntax::shell;

/// More services than any real stack builds images for; the images of those beyond are out of sight.
const MOST_BUILT: usize = 256;

/// The files that `docker compose up` reads where none is named (Compose specification, "Compose file").
const DEFAULT_FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// Whether a job is a service of the file that is read where nobody names one.
pub fn is_default(job: &Job) -> bool {
    job.key == "compose" && job.path.known().is_some_and(|path| DEFAULT_FILES.contains(&last_segment(path)))
}

/// The services of a view, and the Dockerfiles that they build.
pub struct Services {
    /// Each with the text that its command stands in.
    pub readings: Vec<(Reading, Arc<Document>)>,
    /// The paths of the Dockerfiles whose images these services run as they are, or start uWSGI in.
    pub run: BTreeSet<String>,
    /// What lands in the images.
    pub lands: Vec<Arc<Landing>>,
}

impl Services {
    /// Reads the services of every compose file.
    pub fn of(view: &View, images: &Images) -> Self {
        let mut all = Self { readings: Vec::new(), run: BTreeSet::new(), lands: Vec::new() };
        let mut known: BTreeMap<String, Option<Arc<Image>>> = BTreeMap::new();
        let mut left = MOST_BUILT;
        for document in view.of(Kind::Compose) {
            for service in compose::parse(document.text()) {
                let build = service.build.as_ref().filter(|_| left > 0);
                left -= usize::from(build.is_some());
                let image = build.and_then(|build| all.image(document, build, images, &mut known));
                let reading = reading(view, document, &service, image.as_deref());
                let is_as_built = service.command.is_none() && service.entrypoint.is_none();
                if let Some(build) = service.build.as_ref().filter(|_| is_as_built || reading.0.uwsgi.is_some()) {
                    all.run.insert(dockerfile(document, build).1);
                }
                all.readings.push(reading);
            }
        }
        all
    }

    /// The image that a service builds, each built once.
    fn image(
        &mut self,
        document: &Document,
        build: &compose::Build,
        images: &Images,
        known: &mut BTreeMap<String, Option<Arc<Image>>>,
    ) -> Option<Arc<Image>> {
        let (context, dockerfile) = dockerfile(document, build);
        let key = format!("{context}\n{dockerfile}\n{:?}\n{:?}", build.target, build.arguments);
        if let Some(image) = known.get(&key) {
            return image.clone();
        }
        let (target, arguments) = (build.target.as_deref(), &build.arguments[..]);
        let image = images.built(Build { context: &context, dockerfile: &dockerfile, target, arguments }).map(Arc::new);
        self.lands.extend(image.iter().map(|image| Arc::clone(&image.landing)));
        known.insert(key, image.clone());
        image
    }
}

/// The folder that is built, and the path of its Dockerfile.
fn dockerfile(document: &Document, build: &compose::Build) -> (String, String) {
    let context = join(folder_of(&document.path), &build.context);
    let dockerfile = join(&context, build.dockerfile.as_deref().unwrap_or("Dockerfile"));
    (context, dockerfile)
}

fn reading(
    view: &View,
    document: &Arc<Document>,
    service: &Service,
    image: Option<&Image>,
) -> (Reading, Arc<Document>) {
    let name = &service.name.value;
    let mut job = Job::at(document.place(service.name.span));
    job.key = "compose".to_owned();
    job.service_type = Fact::absent();
    // What starts uWSGI is told apart once its ini is read.
    job.forks = Fact::absent();
    job.dialect = Fact::derived("compose".to_owned());
    job.name = Fact::derived(name.clone());
    job.path = Fact::derived(document.path.clone());
    let of_image = |what: &str| Missing::new(format!("{what} of the image of {name}"), "look at its Dockerfile");
    let mut mounts = Landing::default();
    for (here, there) in &service.mounts {
        let source = join(folder_of(&document.path), here);
        mounts.add(&source, here, there);
    }
    let lands: Arc<[Arc<Landing>]> =
        std::iter::once(Arc::new(mounts)).chain(image.map(|image| Arc::clone(&image.landing))).collect();
    let (mut env, mut values) = image.map(|image| variables(image, "compose")).unwrap_or_default();
    let own = environment(document, service);
    let given = |row: &EnvValue| Some((row.name.known()?.clone(), row.value.answer.clone()));
    values.extend(own.iter().filter_map(given));
    env.extend(own);
    let folder = match &service.folder {
        Some(folder) => known(document, folder),
        None => image.map_or_else(|| Answer::Unknown(of_image("the folder")), |image| image.folder.clone()),
    };
    let around = Surroundings { view, lands: &lands, folder, variables: values, key: "compose" };
    let process = process(&around, document, service, image);
    job.user = match (&process, &service.user, image) {
        (Some(Process { launch, .. }), Some(own), _) if launch.user.is_none() => {
            let user = known(document, own).map_known(|user| user.split(':').next().unwrap_or_default().to_owned());
            Fact { answer: user, ..Fact::read(String::new(), document.place(own.span)) }
        }
        (_, _, Some(image)) => user(image, process.as_ref()),
        (Some(Process { launch, document, .. }), ..) if launch.user.is_some() => {
            launch.user.as_ref().map_or_else(Fact::absent, |user| super::fact(document, user))
        }
        _ => Fact::unknown(of_image("the user")),
    };
    let signal = match &service.stop_signal {
        Some(signal) => document.fact(signal.span, &signal.value),
        None => image.map_or_else(|| Fact::unknown(of_image("the stop signal")), Image::stop_signal),
    };
    stopping::of_container(&mut job, signal);
    let (mut reading, stands_in) = started(job, process, of_image("the command"), false);
    if let Some(image) = image.filter(|_| service.command.is_none() && service.entrypoint.is_none() && !service.extends)
    {
        started_by_base(&mut reading.job, image);
    }
    let files = service.env_files.iter().map(|path| VariablesFile {
        path: known(document, path).map_known(|path| beside(&document.path, &path)),
        optional: false,
        place: document.place(path.span),
    });
    let reading = Reading {
        env: env.into_iter().chain(reading.env).collect(),
        files: files.collect(),
        lands,
        inherits: Some(of_image("the variables")),
        open: service.open,
        ..reading
    };
    (reading, stands_in.unwrap_or_else(|| Arc::clone(document)))
}

/// What a service starts: its own entrypoint and command, each in place of the image's (Compose specification, `command`,
/// `entrypoint`).
fn process(
    around: &Surroundings<'_>,
    document: &Arc<Document>,
    service: &Service,
    image: Option<&Image>,
) -> Option<Process> {
    let own = |command: &Command| words(document, command, &Variables::new());
    match (&service.entrypoint, &service.command) {
        _ if service.extends => service.command.as_ref().and_then(own).map(|words| around.of_words(document, words)),
        (None, None) => around.of_image(image?),
        (None, Some(command)) => {
            let words = own(command)?;
            // The image's entrypoint mostly hands on what it gets; where it lies here, it is gone through.
            let process = image.and_then(|image| around.before(image, document, &words));
            Some(process.unwrap_or_else(|| around.of_words(document, words)))
        }
        (Some(entrypoint), command) => {
            let mut all = own(entrypoint)?;
            match command {
                Some(command) => all.extend(own(command)?),
                None if all.is_empty() => return around.of_image(&Image { entrypoint: None, ..image?.clone() }),
                None => {}
            }
            Some(around.of_words(document, all))
        }
    }
}

/// The variables of `environment`.
fn environment(document: &Document, service: &Service) -> Vec<EnvValue> {
    let row = |(name, value): &(Located<String>, Option<Located<String>>)| {
        let answer = value.as_ref().map_or_else(
            || {
                Answer::Unknown(Missing::new(
                    format!("{} of whoever runs compose", name.value),
                    "give it a value in the file",
                ))
            },
            |value| known(document, value),
        );
        let span = value.as_ref().map_or(name.span, |value| name.span.to(value.span));
        let mut row = env_value(document, "compose", &name.value, &answer, span);
        row.name = document.fact(name.span, &name.value).at(row.place);
        if value.is_none() {
            // Where nobody has it, the container has it not either.
            row.name.answer = Answer::Unknown(Missing::new(
                format!("whether whoever runs compose has {}", name.value),
                "give it a value in the file",
            ));
        }
        row
    };
    service.environment.iter().map(row).collect()
}

/// A value; `${NAME}` stands for a variable of whoever runs compose, or of the `.env` beside the file.
fn known(document: &Document, value: &Located<String>) -> Answer<String> {
    if value.value.replace("$$", "").contains('$') {
        return Answer::Unknown(Missing::new("what compose puts in for `$NAME`", "write it out"));
    }
    document.value(value.span, &value.value.replace("$$", "$"))
}

/// A path of the file, seen from its folder.
fn beside(file: &str, path: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = path.trim_start_matches("./");
    if path.starts_with('/') || folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}

/// The words of a command; `None` where they are out of sight.
fn words(document: &Document, command: &Command, variables: &Variables) -> Option<Vec<Argument>> {
    let of_text = |span: Span, text: &str| {
        let commands = shell::commands(document.text(), span);
        // No shell sees the text: over several lines a newline is a blank.
        let skipped = if text.contains('\n') { 0 } else { commands.len().saturating_sub(1) };
        let words = commands.into_iter().skip(skipped).flat_map(|command| command.words);
        words.map(|word| argument(document, &word, variables)).collect()
    };
    match command {
        Command::Text(text) => Some(of_text(text.span, &text.value)),
        Command::Words(words) => {
            let word = |word: &Located<String>| Argument {
                span: word.span,
                value: known(document, word),
                written: word.value.clone(),
            };
            Some(words.iter().map(word).collect())
        }
        Command::Hidden => None,
    }
}
