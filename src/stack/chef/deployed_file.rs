//! Files that recipes put on a host: who can read them, what takes notice when they change, and whether they say what their place expects.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Confidence;
use crate::rows;
use crate::secret;
use crate::source::Place;
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::dialect::{self, Dialect};
use crate::stack::chef::notification::{called, notices};
use crate::stack::chef::recipe::{Item, Resource};
use crate::stack::chef::service::exclude;
use crate::stack::chef::template_variable;
use crate::stack::chef::tree::{Tree, parent};
use crate::stack::chef::value::Value;
use crate::stack::deployment::{self, Content, Deployed};
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::kind::is_password_file;
use crate::syntax::erb::{self, TagKind};

rows! {
    #[doc = "one file or folder that a recipe puts on a host; keyed by the resource, such as `template`"]
    pub struct DeployedFile in "deployed_files" {
        #[doc = "where it lands"]
        path: String,
        #[doc = "the platforms on which it lands there; absent where it does on all"]
        platforms: String,
        #[doc = "its permission bits in four octal digits; absent where the resource names none"]
        mode: String,
        #[doc = "the mode as it is written, where it is a plain number and so no octal one"]
        decimal_mode: String,
        #[doc = "what names a secret that is printed into it"]
        secret: String,
        #[doc = "whether every user of the host can read it"]
        readable_by_all: bool,
        #[doc = "the service of the same cookbooks that reads it"]
        service: String,
        #[doc = "what makes that service take notice of a change"]
        noticed: String,
        #[doc = "the init system or supervisor that reads it, by where it lands"]
        lands_as: String,
        #[doc = "the one whose language it is written in, where that is another one"]
        written_as: String,
        #[doc = "another job, of another init system or supervisor, that starts uWSGI with the same ini"]
        also_started_by: String,
    }
}

/// Kinds of resources that put something at a path.
const KINDS: [&str; 6] = ["template", "file", "cookbook_file", "remote_file", "directory", "remote_directory"];

/// A row for each file or folder that the root's own recipes put somewhere.
pub fn files(root: &Root, deployed: &[Deployed], tree: &Tree<'_>) -> Vec<DeployedFile> {
    let own = |recipe: usize| root.books.get(recipe).is_some_and(|book| !book.is_context);
    let resources: Vec<(&Resource, usize)> = root
        .recipes
        .iter()
        .filter(|recipe| own(recipe.cookbook))
        .flat_map(|recipe| recipe.items.iter().map(|item| (item, recipe.cookbook)))
        .filter_map(|(item, book)| match item {
            Item::Resource(resource) => Some((resource, book)),
            Item::Include(..) => None,
        })
        .collect();
    let mut by_place: BTreeMap<Place, Vec<&Deployed>> = BTreeMap::new();
    deployed.iter().for_each(|one| by_place.entry(one.place).or_default().push(one));
    let around = Around {
        services: services(&resources),
        commands: commands(&resources),
        closed: closed_folders(deployed),
        starts: starts(deployed, tree),
        tree,
    };
    let puts = resources
        .iter()
        .filter(|(resource, _)| KINDS.contains(&resource.kind.as_str()) && !resource.properties.is_empty());
    puts.flat_map(|(resource, _)| {
        let contents = by_place.get(&resource.place).map_or(&[] as &[_], Vec::as_slice);
        landings(resource).into_iter().map(|landing| row(resource, landing, contents, &around)).collect::<Vec<_>>()
    })
    .collect()
}

/// What a file is compared with.
struct Around<'a> {
    services: Vec<&'a Resource>,
    /// Commands that run every time; what they notify is notified in every run.
    commands: Vec<&'a Resource>,
    closed: BTreeSet<&'a str>,
    starts: Vec<Start<'a>>,
    tree: &'a Tree<'a>,
}

fn commands<'a>(resources: &[(&'a Resource, usize)]) -> Vec<&'a Resource> {
    let is_command = |resource: &&Resource| {
        let guards = ["not_if", "only_if", "creates", "subscribes"];
        matches!(resource.kind.as_str(), "execute" | "bash" | "script")
            && guards.iter().all(|guard| resource.property(guard).is_none())
            && resource.property("action").is_none_or(|action| !mentions(&action.value, &["nothing"]))
    };
    resources.iter().map(|(resource, _)| *resource).filter(is_command).collect()
}

fn services<'a>(resources: &[(&'a Resource, usize)]) -> Vec<&'a Resource> {
    resources.iter().map(|(resource, _)| *resource).filter(|resource| resource.kind == "service").collect()
}

/// Where a resource puts its file, and the platforms where only some have it there: each path where the platform decides.
fn landings(resource: &Resource) -> Vec<(Answer<String>, Option<String>)> {
    let paths = deployment::paths(resource);
    if paths.is_empty() {
        return vec![(resource.text_or_name("path"), None)];
    }
    if paths.iter().any(|(platforms, _)| platforms.words().is_none()) {
        let all: Vec<_> = paths.iter().map(|(_, path)| path.as_str()).collect();
        let how = "say which in a JSON file named in `[chef] attributes` of housecall.toml";
        return vec![(Answer::Unknown(Missing::new(format!("which of {} it is", all.join(", ")), how)), None)];
    }
    paths.into_iter().map(|(platforms, path)| (Answer::Known(path), platforms.words())).collect()
}

fn row(
    resource: &Resource,
    (path, platforms): (Answer<String>, Option<String>),
    contents: &[&Deployed],
    around: &Around<'_>,
) -> DeployedFile {
    let at_path = |one: &&&Deployed| platforms.is_none() || one.path == path;
    let contents: &[&Deployed] = &contents.iter().filter(at_path).copied().collect::<Vec<_>>();
    let mut row = DeployedFile::at(resource.place);
    resource.kind.clone_into(&mut row.key);
    let is_certain = !resource.conditional && platforms.is_none();
    row.confidence = if is_certain { Confidence::Proved } else { Confidence::Likely };
    row.path = Fact { answer: path, ..Fact::read(String::new(), resource.place) };
    row.platforms = platforms.map_or_else(Fact::absent, Fact::derived);
    let mode = resource.property("mode");
    row.mode = match (contents.first(), mode) {
        (Some(one), Some(property)) => Fact { answer: one.mode.clone(), ..Fact::read(String::new(), property.place) },
        (None, Some(_)) => Fact::unknown(Missing::new("the mode", "write it as a string of octal digits")),
        (_, None) => Fact::absent(),
    };
    row.decimal_mode = mode
        .and_then(|mode| decimal(mode.place, &mode.value, around.tree))
        .map_or_else(Fact::absent, |(text, place)| Fact::read(text, place));
    row.secret = contents
        .iter()
        .find_map(|one| secret_in(one, resource, around.tree))
        .map_or_else(Fact::absent, |(name, place)| Fact::read(name, place));
    row.readable_by_all = readable(&row.mode, row.path.known(), &around.closed);
    (row.service, row.noticed) = match row.path.known().and_then(|path| reader(path, resource, contents, around)) {
        Some(service) => (
            Fact { answer: service.name.clone(), ..Fact::read(String::new(), service.place) },
            noticed(resource, service, around),
        ),
        None => (Fact::absent(), Fact::absent()),
    };
    let lands = row.path.known().and_then(|path| Dialect::of_place(path));
    let written = contents.iter().find_map(|one| dialect::written(text_of(one, around.tree)?));
    row.lands_as = lands.map_or_else(Fact::absent, |dialect| Fact::derived(dialect.name().to_owned()));
    row.written_as = match (lands, written) {
        (Some(lands), Some(written)) if lands != written => Fact::derived(written.name().to_owned()),
        _ => Fact::absent(),
    };
    row.also_started_by = contents
        .iter()
        .find_map(|one| twin(one, around))
        .map_or_else(Fact::absent, |(path, place)| Fact::read(path, place));
    row
}

fn text_of<'a>(one: &'a Deployed, tree: &'a Tree<'_>) -> Option<&'a str> {
    match &one.content {
        Content::Template(origin) | Content::File(origin) => tree.get(&origin.path).map(|file| file.text),
        Content::Text { text: Answer::Known(text), .. } => Some(text),
        _ => None,
    }
}

/// `mode 644` is the number 644, which is 1204 in octal.
fn decimal(place: Place, value: &Answer<Value>, tree: &Tree<'_>) -> Option<(String, Place)> {
    let Answer::Known(Value::Int(_)) = value else { return None };
    let text = tree.text_of(place.file)?;
    let digits = place.span?.of(text).rsplit(|character: char| !character.is_ascii_alphanumeric()).next()?;
    let is_plain = digits.len() >= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    is_plain.then(|| (digits.to_owned(), place))
}

/// What names a secret in what is printed, and where.
fn secret_in(one: &Deployed, resource: &Resource, tree: &Tree<'_>) -> Option<(String, Place)> {
    match &one.content {
        Content::Template(origin) => {
            let text = tree.get(&origin.path)?.text;
            erb::read(text).tags.iter().filter(|tag| tag.kind == TagKind::Output).find_map(|tag| {
                let code = tag.code.of(text);
                let name = name_of_secret(code)?;
                // Of what it is not handed a template prints nothing.
                let is_nil = code.contains(&format!("@{name}"))
                    && template_variable::given(&name, resource).known() == Some(&false);
                (!is_nil).then_some(())?;
                Some((name, Place::at(origin.file, tag.span)))
            })
        }
        Content::Text { file, .. } => {
            let content = resource.property("content")?;
            let text = tree.text_of(*file)?;
            let code = content.place.span?.of(text);
            let is_read = code.contains("node") || code.contains("data_bag");
            name_of_secret(code).filter(|_| is_read).map(|name| (name, content.place))
        }
        _ => None,
    }
}

/// The word of a piece of Ruby that names a secret, such as `db_password`; what is made of it by a digest is none.
fn name_of_secret(code: &str) -> Option<String> {
    if ["md5", "sha", "crypt", "digest", "Digest", ".any?", ".empty?", ".nil?"].iter().any(|word| code.contains(word)) {
        return None;
    }
    let words = code.split(|character: char| !character.is_ascii_alphanumeric() && !matches!(character, '_' | '-'));
    words
        .filter(|word| word.len() > 3)
        .find(|word| secret::is_named_by(word) || *word == "database_url")
        .map(str::to_owned)
}

/// The folders that only their owner and group may enter.
fn closed_folders(deployed: &[Deployed]) -> BTreeSet<&str> {
    let closed =
        deployed.iter().filter(|one| one.content == Content::Folder).filter_map(|one| match (&one.path, &one.mode) {
            (Answer::Known(folder), Answer::Known(mode)) if !opens(mode, 1) => Some(folder.trim_end_matches('/')),
            _ => None,
        });
    closed.collect()
}

/// Whether the last digit of a mode gives everybody this right.
fn opens(mode: &str, right: u32) -> bool {
    mode.chars().last().and_then(|digit| digit.to_digit(8)).is_none_or(|bits| bits & right != 0)
}

/// Chef leaves a file at 0644 where no mode is given; a closed folder keeps it to its owner all the same.
fn readable(mode: &Fact<String>, path: Option<&String>, closed: &BTreeSet<&str>) -> Fact<bool> {
    let closed = path.is_some_and(|path| closed.contains(parent(path)));
    match &mode.answer {
        _ if closed => Fact::derived(false),
        Answer::Known(mode) => Fact::derived(opens(mode, 4)),
        Answer::Absent => Fact::default_of(true),
        Answer::Unknown(missing) => Fact::unknown(missing.clone()),
    }
}

/// The declared service that reads a file, by where the file lands.
fn reader<'a>(path: &str, resource: &Resource, contents: &[&Deployed], around: &Around<'a>) -> Option<&'a Resource> {
    let once = matches!(resource.text("action"), Answer::Known(action) if action != "create")
        || matches!(resource.kind.as_str(), "directory" | "remote_directory" | "remote_file");
    if once || contents.is_empty() {
        return None;
    }
    let named = |name: &str| {
        let is_it =
            |service: &&&Resource| matches!(service.text_or_name("service_name"), Answer::Known(own) if own == name);
        around.services.iter().find(is_it).copied()
    };
    let base = path.rsplit('/').next().unwrap_or_default();
    let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
    match Dialect::of_place(path) {
        Some(Dialect::Upstart | Dialect::Systemd) => named(stem),
        // It is read when something is started or stopped, and by nothing that runs.
        Some(Dialect::Script) => None,
        Some(Dialect::Supervisor) => named("supervisor").or_else(|| named("supervisord")),
        None if is_password_file(base) => None,
        None if path.starts_with("/etc/nginx/") => named("nginx"),
        None if base.ends_with(".ini") => {
            let job = around
                .starts
                .iter()
                .find(|start| start.ini.ends_with(&format!("/{base}")) || start.ini.ends_with(&format!(">{base}")))?;
            let name = job.path.rsplit('/').next()?;
            named(name.rsplit_once('.').map_or(name, |(stem, _)| stem))
        }
        None => None,
    }
}

/// What makes a service take notice of a changed file: a notification either way, or a restart in every run.
fn noticed(resource: &Resource, service: &Resource, around: &Around<'_>) -> Fact<String> {
    if let Some(notice) = notices(resource).into_iter().find(|notice| notice.word == "notifies") {
        return Fact::read("notifies".to_owned(), notice.place);
    }
    let Answer::Known(service_name) = called(service) else {
        return Fact::unknown(Missing::new("the service's name", "write it as a plain string"));
    };
    let by_command = around
        .commands
        .iter()
        .flat_map(|command| notices(command))
        .find(|notice| notice.word == "notifies" && notice.target == Answer::Known(service_name.clone()));
    if let Some(notice) = by_command {
        return Fact::read("a command notifies it".to_owned(), notice.place);
    }
    let own_name = service.text_or_name("service_name").known().unwrap_or_default();
    let mut beside = around.commands.iter().filter(|command| command.place.file == resource.place.file);
    if let Some(command) = beside.find(|command| restarts(command, &own_name)) {
        return Fact::read("a command that is run every time".to_owned(), command.place);
    }
    let name = called(resource);
    let subscribes = notices(service).into_iter().filter(|notice| notice.word == "subscribes");
    for notice in subscribes {
        match (&notice.target, &name) {
            (Answer::Known(target), Answer::Known(name)) if target != name => {}
            (Answer::Known(_), Answer::Known(_)) => return Fact::read("subscribes".to_owned(), notice.place),
            _ => return Fact::unknown(Missing::new("what the service subscribes to", "write it as a plain string")),
        }
    }
    let restarts = service.property("action").is_some_and(|action| mentions(&action.value, &["restart", "reload"]));
    if restarts { Fact::read("restarted in every run".to_owned(), service.place) } else { Fact::absent() }
}

/// Whether a command such as `service nginx reload` restarts or reloads the service of this name.
fn restarts(command: &Resource, service: &str) -> bool {
    let text = match command.kind.as_str() {
        "execute" => command.text_or_name("command"),
        _ => command.text("code"),
    };
    let Answer::Known(text) = text else { return false };
    text.lines().any(|line| {
        let words: BTreeSet<&str> = line.split(|c: char| c.is_whitespace() || matches!(c, '/' | ';' | '&')).collect();
        let acts = ["restart", "reload", "force-reload", "reload-or-restart"].iter().any(|word| words.contains(word));
        acts && (words.contains(service) || words.contains(format!("{service}.service").as_str()))
    })
}

/// Whether an `action` is or holds one of the words.
pub fn mentions(value: &Answer<Value>, words: &[&str]) -> bool {
    match value {
        Answer::Known(Value::Text(text)) => words.contains(&text.as_str()),
        Answer::Known(Value::List(items)) => items.iter().any(|item| mentions(item, words)),
        _ => false,
    }
}

/// A deployed job that starts uWSGI with an ini.
struct Start<'a> {
    one: &'a Deployed,
    path: &'a str,
    dialect: Dialect,
    /// The ini as the job names it, template tags included.
    ini: String,
}

fn starts<'a>(deployed: &'a [Deployed], tree: &Tree<'_>) -> Vec<Start<'a>> {
    let start = |one: &'a Deployed| {
        let Answer::Known(path) = &one.path else { return None };
        let dialect = Dialect::of_place(path)?;
        let ini = dialect::ini_of(text_of(one, tree)?)?;
        Some(Start { one, path, dialect, ini })
    };
    deployed.iter().filter_map(start).collect()
}

/// An earlier job that starts the same ini under another supervisor, on the same hosts.
fn twin(one: &Deployed, around: &Around<'_>) -> Option<(String, Place)> {
    let at = around.starts.iter().position(|start| std::ptr::eq(start.one, one))?;
    let this = &around.starts[at];
    let other = around.starts[..at].iter().find(|start| {
        start.ini == this.ini
            && start.dialect != this.dialect
            && !(start.one.conditional || this.one.conditional)
            && !(start.one.place.file == this.one.place.file && exclude(&start.one.arms, &this.one.arms))
    })?;
    Some((other.path.to_owned(), other.one.place))
}
