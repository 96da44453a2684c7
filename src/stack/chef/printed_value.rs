//! Values that a template prints into a line which gives its program a variable: whether all their characters arrive.

use crate::rows;
use crate::secret;
use crate::source::{Place, Span};
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::dialect::Dialect;
use crate::stack::chef::scope;
use crate::stack::chef::tree::Tree;
use crate::stack::deployment::{Content, Deployed};
use crate::stack::fact::{Answer, Fact};
use crate::syntax::erb::{self, Tag, TagKind};

rows! {
    #[doc = "one value that a template prints into a line which gives its program a variable"]
    pub struct PrintedValue in "printed_values" {
        #[doc = "the variable that the line gives"]
        variable: String,
        #[doc = "the program that reads the line: `Upstart`, `systemd` or `uWSGI`"]
        program: String,
        #[doc = "the characters that do not arrive there as they are"]
        special: String,
        #[doc = "whether the template changes the value before it is printed, as `gsub` does"]
        escaped: bool,
        #[doc = "whether the value holds one of them, or comes from outside and may"]
        at_risk: bool,
        #[doc = "those of the special characters that the value holds; unknown where the value is"]
        eaten: String,
        #[doc = "what to write in the tag"]
        cure: String,
    }
}

/// A row for each such value of the root's own templates.
pub fn values(root: &Root, deployed: &[Deployed], tree: &Tree<'_>) -> Vec<PrintedValue> {
    let mut rows: Vec<PrintedValue> = Vec::new();
    for one in deployed {
        let (Answer::Known(path), Content::Template(origin)) = (&one.path, &one.content) else { continue };
        if root.is_context(&origin.path) {
            continue;
        }
        let Some(text) = tree.get(&origin.path).map(|file| file.text) else { continue };
        let Some(reader) = Reader::of(path, text) else { continue };
        for tag in erb::read(text).tags.iter().filter(|tag| tag.kind == TagKind::Output) {
            let place = Place::at(origin.file, tag.span);
            if let Some(variable) =
                variable(text, tag.span, &reader).filter(|_| rows.iter().all(|row| row.place != place))
            {
                rows.push(row(root, one, (text, tag), (&variable, &reader), place));
            }
        }
    }
    rows
}

/// A program that reads variables from a line.
struct Reader {
    program: &'static str,
    /// What the line begins with.
    opening: &'static str,
    /// What the program replaces or ends the value at.
    special: &'static [char],
    cure: &'static str,
}

impl Reader {
    fn of(path: &str, text: &str) -> Option<Self> {
        match Dialect::of_place(path) {
            Some(Dialect::Upstart) => Some(Self {
                program: "Upstart",
                opening: "env ",
                special: &['"', '$', '\\', '`'],
                cure: ".gsub(/[\"$\\\\`]/) { |c| \"\\\\#{c}\" }",
            }),
            Some(Dialect::Systemd) => Some(Self {
                program: "systemd",
                opening: "Environment=",
                special: &['"', '%', '\\'],
                cure: ".gsub('%', '%%')",
            }),
            None if path.ends_with(".ini") && text.contains("[uwsgi]") => {
                Some(Self { program: "uWSGI", opening: "env", special: &['%'], cure: ".gsub('%', '%%')" })
            }
            _ => None,
        }
    }
}

/// The variable of the line that the tag stands in.
fn variable(text: &str, tag: Span, reader: &Reader) -> Option<String> {
    let line = text[..tag.range().start].rsplit('\n').next()?.trim_start();
    let rest = line.strip_prefix(reader.opening)?.trim_start_matches([' ', '\t', '=', '"', '\'']);
    let name = rest.split('=').next()?;
    let is_name =
        !name.is_empty() && rest.contains('=') && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_');
    is_name.then(|| name.to_owned())
}

fn row(
    root: &Root,
    one: &Deployed,
    (text, tag): (&str, &Tag),
    (variable, reader): (&str, &Reader),
    place: Place,
) -> PrintedValue {
    let code = tag.code.of(text);
    let mut scope = root.scope(one.owner_of_attributes.1);
    scope.fields.clone_from(&one.variables);
    let mut row = PrintedValue::at(place);
    row.variable = Fact::read(variable.to_owned(), place);
    row.program = Fact::derived(reader.program.to_owned());
    row.special = Fact::derived(reader.special.iter().map(char::to_string).collect::<Vec<_>>().join(" "));
    let escapes = ["gsub", "shellescape", "Shellwords", "inspect", "dump", "escape", "tr(", "to_json"];
    row.escaped = Fact::derived(escapes.iter().any(|word| code.contains(word)));
    let eaten = |value: String| value.chars().filter(|one| reader.special.contains(one)).collect::<String>();
    row.eaten = match scope::evaluate(code, &scope).map_known(eaten) {
        Answer::Known(eaten) if eaten.is_empty() => Fact::absent(),
        // Any text may come, but a port or a path holds none of these.
        Answer::Unknown(_) if !may_hold_any(variable) => Fact::absent(),
        answer => Fact { answer, ..Fact::read(String::new(), place) },
    };
    row.at_risk = Fact::derived(!row.eaten.is_absent());
    row.cure = Fact::derived(format!("{code}{}", reader.cure));
    row
}

/// Passwords, and addresses with a password in them.
fn may_hold_any(variable: &str) -> bool {
    secret::is_named_by(variable) || ["_URL", "_URI", "_DSN"].iter().any(|end| variable.ends_with(end))
}
