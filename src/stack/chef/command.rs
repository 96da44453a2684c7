//! Commands that recipes run: what they need from the environment, and what they would leave behind in it.

use crate::finding::Confidence;
use crate::rows;
use crate::source::Span;
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::recipe::{Item, Property, Resource};
use crate::stack::chef::tree::Tree;
use crate::stack::chef::value::Value;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::shell::{self, Part, Word};

rows! {
    #[doc = "one `execute`, `bash` or `script` resource"]
    pub struct Command in "commands" {
        #[doc = "the kind of resource"]
        resource: String,
        #[doc = "the user it runs as; absent for root"]
        user: String,
        #[doc = "what in it looks for the user's home: `~`, `$HOME` or a program such as `npm`"]
        needs_home: String,
        #[doc = "what tells it where the user's home is"]
        home: String,
        #[doc = "the login shell's file that it reads, such as `~/.bashrc`"]
        login_file: String,
        #[doc = "the word it reads that file with: `source` or `.`"]
        login_word: String,
        #[doc = "the shell that runs it: `sh` or `bash`"]
        shell: String,
        #[doc = "what it only sets for itself: a variable, or a file's variables"]
        sets_only: String,
    }
}

/// Programs that write below the home folder of the user they run as.
const KEEP_AT_HOME: [&str; 7] = ["npm", "bower", "bundle", "git", "composer", "yarn", "pip"];

/// A row for each command of the root's own recipes.
pub fn commands(root: &Root, tree: &Tree<'_>) -> Vec<Command> {
    let own = root.recipes.iter().filter(|recipe| root.books.get(recipe.cookbook).is_some_and(|book| !book.is_context));
    let resources = own.flat_map(|recipe| &recipe.items).filter_map(|item| match item {
        Item::Resource(resource) => Some(resource),
        Item::Include(..) => None,
    });
    resources.filter_map(|resource| row(resource, tree)).collect()
}

fn row(resource: &Resource, tree: &Tree<'_>) -> Option<Command> {
    let text = match resource.kind.as_str() {
        "execute" => written(resource, "command", tree)?,
        "bash" | "script" => written(resource, "code", tree)?,
        _ => return None,
    };
    let mut row = Command::at(resource.place);
    row.confidence = if resource.conditional { Confidence::Likely } else { Confidence::Proved };
    row.resource = Fact::read(resource.kind.clone(), resource.place);
    row.user = user(resource);
    let shell = if resource.kind == "execute" { "sh" } else { "bash" };
    row.shell = Fact::derived(shell.to_owned());
    let commands = shell::commands(&text, Span::new(0, text.len()));
    row.home = home(resource, &text);
    row.needs_home = first(commands.iter().find_map(|command| needs_home(&command.words)));
    let read = commands.iter().find_map(|command| login_file(&command.words));
    row.login_word = first(read.as_ref().map(|(word, _)| word.clone()));
    row.login_file = first(read.map(|(_, file)| file));
    let sets: Vec<_> = commands.iter().map(|command| sets(&command.words, &text)).collect();
    // What is put together may do more than it shows.
    let is_whole = ["command", "code"].iter().any(|name| resource.text_or_name(name) == Answer::Known(text.clone()));
    let only = is_whole && sets.iter().all(Option::is_some);
    row.sets_only = first(sets.into_iter().flatten().next().filter(|_| only));
    Some(row)
}

fn first(found: Option<String>) -> Fact<String> {
    found.map_or_else(Fact::absent, Fact::derived)
}

/// The command, with interpolations as they are written where their values are out of sight.
fn written(resource: &Resource, name: &str, tree: &Tree<'_>) -> Option<String> {
    match resource.text_or_name(name) {
        Answer::Known(text) => Some(text),
        Answer::Absent => None,
        Answer::Unknown(_) => {
            let place = resource.property(name).map_or(resource.place, |property: &Property| property.place);
            let text = tree.text_of(place.file)?;
            let span = place.span?;
            // The property's word, then its value in quotes; of a heredoc only the head is there.
            let value = span.of(text).split_once(char::is_whitespace)?.1.trim_start();
            (!value.starts_with("<<")).then(|| value.trim_matches(['"', '\'', '(', ')']).to_owned())
        }
    }
}

fn user(resource: &Resource) -> Fact<String> {
    let Some(property) = resource.property("user") else { return Fact::absent() };
    match resource.text("user") {
        Answer::Known(user) if user == "root" => Fact::absent(),
        answer => Fact { answer, ..Fact::read(String::new(), property.place) },
    }
}

/// What tells a command where home is: Chef passes its own `HOME` on, root's, whoever the command runs as.
fn home(resource: &Resource, text: &str) -> Fact<String> {
    for property in &resource.properties {
        match (property.name.as_str(), &property.value) {
            ("environment" | "env", Answer::Known(value @ Value::Hash(_))) if value.get("HOME").is_some() => {
                return Fact::read("environment".to_owned(), property.place);
            }
            ("environment" | "env", Answer::Known(Value::Hash(_))) => {}
            ("environment" | "env", _) => {
                return Fact::unknown(Missing::new("whether `environment` sets HOME", "write it as a plain hash"));
            }
            ("login", value) if *value != Answer::Known(Value::Bool(false)) => {
                return Fact::read("login".to_owned(), property.place);
            }
            _ => {}
        }
    }
    let sets = ["HOME=", "su - ", "su -l", "sudo -i", "sudo -H", "--login", "bash -l", "bash -lc"];
    first(sets.iter().find(|word| text.contains(**word)).map(|word| word.trim().to_owned()))
}

/// What of a command looks for the home folder.
fn needs_home(words: &[Word]) -> Option<String> {
    let is_home = |word: &&Word| {
        let value = word.value();
        value == "~"
            || value.starts_with("~/")
            || word.parts.iter().any(|part| matches!(part, Part::Variable(name) if name == "HOME"))
    };
    if let Some(word) = words.iter().find(is_home) {
        return Some(if word.value().starts_with('~') { "~".to_owned() } else { "$HOME".to_owned() });
    }
    let program = words.iter().map(Word::value).find(|word| !word.contains('='))?;
    let name = program.rsplit('/').next().unwrap_or_default();
    let has = |flag: &str| words.iter().any(|word| word.value() == flag);
    let is_kept = KEEP_AT_HOME.contains(&name)
        && (name != "pip" || has("--user"))
        && (name != "git" || has("--global") || has("clone") || has("pull"));
    is_kept.then(|| name.to_owned())
}

/// The word and the file of a command that reads a login shell's file.
fn login_file(words: &[Word]) -> Option<(String, String)> {
    let [command, file, ..] = words else { return None };
    let command = command.value();
    let file = file.value();
    let name = file.rsplit('/').next().unwrap_or_default();
    let is_login = matches!(name, ".bashrc" | ".bash_profile" | ".profile" | ".bash_login" | ".zshrc")
        || file == "/etc/profile"
        || file.starts_with("/etc/profile.d/");
    (is_login && matches!(command.as_str(), "." | "source")).then_some((command, file))
}

/// What a command only sets in the shell that runs it.
fn sets(words: &[Word], text: &str) -> Option<String> {
    let name = |word: &Word| Some(word.assignment(text)?.0.value);
    match words.first()?.value().as_str() {
        "export" => name(words.get(1)?),
        "." | "source" => Some(words.get(1)?.value()).filter(|file| holds_variables(file)),
        _ if words.iter().all(|word| word.assignment(text).is_some()) => name(&words[0]),
        _ => None,
    }
}

/// A file that is there to be read for its variables, by its name; any other may do something.
fn holds_variables(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or_default();
    let by_name = name.contains("env") || name.contains("profile") || name.ends_with("rc");
    file.starts_with("/etc/default/") || file.starts_with("/etc/profile") || by_name
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn words(text: &str) -> Vec<Word> {
        shell::commands(text, Span::new(0, text.len())).remove(0).words
    }

    #[test]
    fn what_looks_for_home() {
        let needs = |text: &str| needs_home(&words(text));
        assert_eq!(needs("cp a ~/.ssh/config").as_deref(), Some("~"));
        assert_eq!(needs("ls \"$HOME/x\"").as_deref(), Some("$HOME"));
        assert_eq!(needs("NODE_ENV=production npm install").as_deref(), Some("npm"));
        assert_eq!(needs("/usr/bin/pip install --user x").as_deref(), Some("pip"));
        assert_eq!((needs("pip install x"), needs("cp a ~deploy/b"), needs("git status")), (None, None, None));
    }

    #[test]
    fn what_is_read_and_what_is_lost() {
        let read = |text: &str| login_file(&words(text));
        assert_eq!(read("source ~/.bashrc"), Some(("source".to_owned(), "~/.bashrc".to_owned())));
        assert_eq!(read(". /etc/profile.d/rvm.sh").unwrap().0, ".");
        assert_eq!(read(". bin/activate"), None);
        let lost = |text: &str| sets(&words(text), text);
        assert_eq!(lost("export A=1").as_deref(), Some("A"));
        assert_eq!(lost("A=1").as_deref(), Some("A"));
        assert_eq!(lost("A=1 make"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_command_is_read(pieces in proptest::collection::vec(".{0,12}|[-@.a-z ='\"#<%>\n]{0,12}", 0..12)) {
            let text = pieces.concat();
            for command in shell::commands(&text, Span::new(0, text.len())) {
                let _ = (needs_home(&command.words), login_file(&command.words), sets(&command.words, &text));
            }
        }
    }
}
