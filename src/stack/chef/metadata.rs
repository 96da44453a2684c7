//! What a cookbook says of itself: metadata.rb, or metadata.json where that is all there is.

use crate::source::{FileId, Located, Span};
use crate::stack::chef::attributes::Attributes;
use crate::stack::chef::scope::Scope;
use crate::stack::chef::value::Value;
use crate::stack::chef::walk::{Step, walk};
use crate::stack::fact::Answer;
use crate::syntax::ruby::Program;

/// A cookbook's metadata.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// The file it was read from.
    pub file: FileId,
    /// The name, where the file gives one.
    pub name: Option<Located<String>>,
    /// The version.
    pub version: Option<Located<String>>,
    /// The cookbooks it depends on, in order.
    pub depends: Vec<Depends>,
    /// The versions of Chef it is made for, as constraints.
    pub chef_version: Vec<Located<String>>,
    /// Every word that it uses, such as `source_url`, with whether it may not be reached.
    pub fields: Vec<(Located<String>, bool)>,
    /// Whether it gives a name or lists cookbooks in a way that only running it would show.
    pub is_computed: bool,
    /// Whether it is a metadata.rb, not a metadata.json.
    pub is_ruby: bool,
}

/// One `depends`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depends {
    /// The cookbook and where it is named.
    pub name: Located<String>,
    /// The constraints, such as `~> 1.4`; Chef takes one at most.
    pub constraints: Vec<String>,
}

impl Metadata {
    fn empty(file: FileId) -> Self {
        Self {
            file,
            name: None,
            version: None,
            depends: Vec::new(),
            chef_version: Vec::new(),
            fields: Vec::new(),
            is_computed: false,
            is_ruby: false,
        }
    }

    /// Reads a metadata.rb; what is computed and cannot be worked out is left out.
    pub fn read(program: &Program, file: FileId) -> Self {
        let mut metadata = Self { is_ruby: true, ..Self::empty(file) };
        let attributes = Attributes::default();
        let mut scope = Scope::of(attributes.seen_by(&[]));
        walk(&program.body, &mut scope, false, &mut |step| {
            metadata.take(step);
            true
        });
        metadata
    }

    fn take(&mut self, step: Step<'_, '_>) {
        let text = |at: usize| match step.scope.value(step.call.arguments.get(at)?) {
            // A constant is a name here, and its value is elsewhere.
            Answer::Known(value @ (Value::Text(_) | Value::Int(_))) => value.print().known(),
            _ => None,
        };
        let word = step.call.name.as_str();
        self.fields.push((Located::new(word.to_owned(), step.call.name_span), step.conditional));
        let Some(first) = text(0) else {
            self.is_computed |= matches!(word, "name" | "depends") && !step.call.arguments.is_empty();
            return;
        };
        let first = Located::new(first, step.expr.span);
        match word {
            "name" => self.name = Some(first),
            "version" => self.version = Some(first),
            "depends" => {
                let constraints = (1..step.call.arguments.len()).filter_map(text).collect();
                self.depends.push(Depends { name: first, constraints });
            }
            "chef_version" => self.chef_version.push(first),
            _ => {}
        }
    }

    /// Reads a metadata.json; one that is no JSON says nothing.
    pub fn read_json(text: &str, file: FileId) -> Self {
        let mut metadata = Self::empty(file);
        let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else { return metadata };
        let find = |value: &str| {
            let quoted = format!("\"{value}\"");
            let at = text.find(&quoted).unwrap_or(0);
            Located::new(value.to_owned(), Span::new(at, (at + quoted.len()).min(text.len())))
        };
        metadata.name = json["name"].as_str().map(find);
        metadata.version = json["version"].as_str().map(find);
        for (name, constraint) in json["dependencies"].as_object().into_iter().flatten() {
            let constraints = constraint.as_str().map(str::to_owned).into_iter().collect();
            metadata.depends.push(Depends { name: find(name), constraints });
        }
        metadata
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::source::{Origin, Sources};
    use crate::syntax::ruby::parse;

    fn file() -> FileId {
        Sources::default().add("metadata.rb", Vec::new(), Origin::File)
    }

    #[test]
    fn depends_are_read_from_calls_and_loops() {
        let text = "name 'thena'\nversion '1.2.0'\ndepends 'python', '~> 1.4'\n%w{apt nginx}.each do |cb|\n  depends cb\nend\n";
        let metadata = Metadata::read(&parse(text).tree, file());
        assert_eq!(metadata.name.unwrap().span.of(text), "name 'thena'");
        assert_eq!(metadata.version.unwrap().value, "1.2.0");
        let names: Vec<_> = metadata.depends.iter().map(|one| one.name.value.as_str()).collect();
        assert_eq!(names, ["python", "apt", "nginx"]);
        assert_eq!(metadata.depends[0].constraints, ["~> 1.4"]);
        assert!(!metadata.is_computed && metadata.is_ruby);
        assert!(Metadata::read(&parse("name File.read('NAME')").tree, file()).is_computed);
    }

    #[test]
    fn json_says_the_same() {
        let text = r#"{"name": "thena", "dependencies": {"apt": ">= 0.0.0"}}"#;
        let metadata = Metadata::read_json(text, file());
        assert_eq!(metadata.name.unwrap().value, "thena");
        assert_eq!(metadata.depends[0].name.span.of(text), "\"apt\"");
        assert!(Metadata::read_json("{", file()).name.is_none());
    }
}
