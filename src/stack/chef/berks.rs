//! What a Berksfile would fetch.

use crate::source::{FileId, Located, Place, Span};
use crate::stack::chef::attributes::Attributes;
use crate::stack::chef::scope::Scope;
use crate::stack::chef::value::Value;
use crate::stack::chef::walk::{Step, walk};
use crate::stack::fact::Answer;
use crate::syntax::ruby::{Expr, Program};

/// One Berksfile as written.
#[derive(Debug, Clone)]
pub struct Berks {
    /// Its source.
    pub file: FileId,
    /// Where it lies.
    pub path: String,
    /// The servers it asks, such as `source 'https://…'`.
    pub sources: Vec<Source>,
    /// Its `cookbook` lines.
    pub entries: Vec<Entry>,
    /// `metadata`, with the folder of its `path:`.
    pub metadata: Option<Located<String>>,
    /// Where it lists cookbooks in a way that only running it would show.
    pub computed: Option<Span>,
    /// Whether it loads an extension, such as halite, which finds metadata elsewhere.
    pub is_extended: bool,
}

/// One line that names a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The word: `source`, or `site` and `chef_api` of Berkshelf before 3.
    pub word: String,
    /// The server's address, or a word that stands for one, and where the line is.
    pub address: Located<String>,
}

/// One `cookbook` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The cookbook and where its line is.
    pub name: Located<String>,
    /// The version constraint.
    pub constraint: Option<String>,
    /// The folder of its `path:`, where it is not fetched at all.
    pub local: Option<String>,
    /// The repository of its `git:` or `github:`.
    pub git: Option<String>,
    /// Whether it stands in a group for tests or development.
    pub is_for_tests: bool,
    /// Whether it stands in a branch.
    pub conditional: bool,
}

impl Berks {
    /// Reads a Berksfile.
    pub fn read(program: &Program, file: FileId, path: &str) -> Self {
        let mut berks = Self {
            file,
            path: path.to_owned(),
            sources: Vec::new(),
            entries: Vec::new(),
            metadata: None,
            computed: None,
            is_extended: false,
        };
        let attributes = Attributes::default();
        let mut scope = Scope::of(attributes.seen_by(&[]));
        let mut test_groups: Vec<Span> = Vec::new();
        walk(&program.body, &mut scope, false, &mut |step| {
            berks.take(step);
            if step.call.name == "group" && step.call.arguments.iter().any(is_for_tests) {
                test_groups.push(step.expr.span);
            }
            true
        });
        for entry in &mut berks.entries {
            entry.is_for_tests |= test_groups.iter().any(|group| group.overlaps(entry.name.span));
        }
        berks
    }

    fn take(&mut self, step: Step<'_, '_>) {
        let text = |at: usize| match step.scope.value(step.call.arguments.get(at)?) {
            Answer::Known(Value::Text(text)) => Some(text),
            _ => None,
        };
        let option = |name: &str| match step.scope.text_of(step.call.keyword(name)?) {
            Answer::Known(text) => Some(text),
            _ => None,
        };
        let span = step.expr.span;
        match (step.call.name.as_str(), text(0)) {
            (word @ ("source" | "site" | "chef_api"), Some(address)) => {
                self.sources.push(Source { word: word.to_owned(), address: Located::new(address, span) });
            }
            ("metadata", _) => {
                self.metadata = Some(Located::new(option("path").unwrap_or_else(|| ".".to_owned()), span));
            }
            ("cookbook", Some(name)) => self.entries.push(Entry {
                name: Located::new(name, span),
                constraint: text(1),
                local: option("path").or_else(|| step.call.keyword("path").map(|_| String::new())),
                git: option("git").or_else(|| option("github")),
                is_for_tests: step.call.keyword("group").is_some_and(is_for_tests),
                conditional: step.conditional,
            }),
            ("group", _) | ("source" | "site" | "chef_api" | "solver", None) => {}
            ("extension", _) => self.is_extended = true,
            ("require" | "puts" | "raise" | "require_relative", _) => {}
            _ => self.computed = self.computed.or(Some(span)),
        }
    }

    /// Its first line that lists something, else the whole file.
    pub fn place(&self) -> Place {
        let lines = self.entries.iter().map(|entry| entry.name.span);
        let first = lines.chain(self.metadata.iter().map(|line| line.span)).min();
        first.map_or(Place::whole(self.file), |span| Place::at(self.file, span))
    }
}

fn is_for_tests(group: &Expr) -> bool {
    let name = group.literal().unwrap_or_default();
    ["test", "integration", "development", "kitchen", "spec"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::source::{Origin, Sources};
    use crate::syntax::ruby::parse;

    fn read(text: &str) -> Berks {
        let file = Sources::default().add("Berksfile", Vec::new(), Origin::File);
        Berks::read(&parse(text).tree, file, "Berksfile")
    }

    #[test]
    fn lines_of_a_berksfile() {
        let berks = read(
            "source 'https://supermarket.example.com'\nmetadata\ncookbook 'python', '~> 1.4'\n\
             group :test do\n  cookbook 'x', path: 'test/x'\nend\ncookbook 'y', git: 'https://example.org/y.git'\n",
        );
        assert_eq!(berks.sources[0].address.value, "https://supermarket.example.com");
        assert_eq!(berks.metadata.as_ref().unwrap().value, ".");
        let names: Vec<_> = berks.entries.iter().map(|entry| entry.name.value.as_str()).collect();
        assert_eq!(names, ["python", "x", "y"]);
        assert_eq!(berks.entries[0].constraint.as_deref(), Some("~> 1.4"));
        assert!(berks.entries[1].is_for_tests && !berks.entries[2].is_for_tests);
        assert_eq!(berks.entries[1].local.as_deref(), Some("test/x"));
        assert_eq!(berks.entries[2].git.as_deref(), Some("https://example.org/y.git"));
        assert_eq!(berks.computed, None);
    }

    #[test]
    fn a_computed_list_is_said_to_be_one() {
        assert!(read("Dir['*'].each { |dir| cookbook dir, path: dir }").computed.is_some());
        assert!(read("local 'x'").computed.is_some());
    }
}
