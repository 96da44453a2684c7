//! The `@variables` that templates use: whether the resource that renders the template hands them over.

use std::collections::{BTreeMap, BTreeSet};

use crate::rows;
use crate::source::{FileId, Place, Span};
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::recipe::{Item, Resource};
use crate::stack::chef::tree::Tree;
use crate::stack::chef::value::Value;
use crate::stack::deployment::{Content, Deployed};
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::erb::{self, TagKind};

rows! {
    #[doc = "one `@variable` that a template prints or calls, with one resource that renders it"]
    pub struct TemplateVariable in "template_variables" {
        #[doc = "its name, without the `@`"]
        name: String,
        #[doc = "the template"]
        template: String,
        #[doc = "whether the resource hands it over"]
        given: bool,
        #[doc = "the method that the template calls on it, which fails where it is nil; absent where it is only printed"]
        called: String,
        #[doc = "whether the template asks first whether it is set"]
        tested: bool,
        #[doc = "whether it stands in a branch of the template, and some resource hands it over: the branch may be for that one"]
        optional: bool,
        #[doc = "the resource that renders the template"]
        resource: String,
    }
}

/// What Chef gives to every template (`chef: lib/chef/mixin/template.rb`).
const GIVEN_BY_CHEF: [&str; 11] = [
    "node",
    "template",
    "cookbook_name",
    "recipe_name",
    "recipe_line",
    "recipe_line_string",
    "recipe_path",
    "template_name",
    "template_path",
    "template_finder",
    "_extension_modules",
];

/// How a template uses one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Use {
    span: Span,
    called: Option<String>,
    tested: bool,
    /// Whether all its uses stand in branches.
    in_branch: bool,
}

/// A row for each variable of each template that a resource of the root's own recipes renders.
pub fn variables(root: &Root, deployed: &[Deployed], tree: &Tree<'_>) -> Vec<TemplateVariable> {
    let by_place: BTreeMap<Place, &Resource> = resources(root).map(|resource| (resource.place, resource)).collect();
    let mut rendered: BTreeMap<&str, (FileId, BTreeMap<Place, &Resource>)> = BTreeMap::new();
    for one in deployed {
        if let (Content::Template(origin), Some(resource)) = (&one.content, by_place.get(&one.place)) {
            let (_, by) = rendered.entry(&origin.path).or_insert_with(|| (origin.file, BTreeMap::new()));
            by.insert(one.place, resource);
        }
    }
    let texts: BTreeMap<&str, &str> = tree.all().map(|file| (file.path, file.text)).collect();
    let mut rows = Vec::new();
    for (template, (file, by)) in rendered {
        for (name, how) in texts.get(template).map_or_else(BTreeMap::new, |text| uses(text)) {
            let given: Vec<Fact<bool>> = by.values().map(|resource| given(&name, resource)).collect();
            let is_handed = given.iter().any(|given| given.known() != Some(&false));
            for (resource, given) in by.values().zip(given) {
                let mut row = TemplateVariable::at(Place::at(file, how.span));
                row.name = Fact::read(name.clone(), row.place);
                row.template = Fact::derived(template.to_owned());
                row.given = given;
                row.called = how.called.clone().map_or_else(Fact::absent, |method| Fact::read(method, row.place));
                row.tested = Fact::derived(how.tested);
                row.optional = Fact::derived(how.in_branch && is_handed);
                row.resource = Fact::read(resource.kind.clone(), resource.place);
                rows.push(row);
            }
        }
    }
    rows
}

fn resources(root: &Root) -> impl Iterator<Item = &Resource> {
    let own = root.recipes.iter().filter(|recipe| root.books.get(recipe.cookbook).is_some_and(|book| !book.is_context));
    own.flat_map(|recipe| &recipe.items).filter_map(|item| match item {
        Item::Resource(resource) => Some(resource),
        Item::Include(..) => None,
    })
}

/// Whether a resource hands a variable to its template.
pub(super) fn given(name: &str, resource: &Resource) -> Fact<bool> {
    let mut hidden = None;
    for property in resource.properties.iter().filter(|property| property.name == "variables") {
        match &property.value {
            Answer::Known(Value::Hash(pairs)) if pairs.all.iter().any(|(key, _)| key == name) => {
                return Fact::read(true, property.place);
            }
            Answer::Known(Value::Hash(pairs)) if pairs.open.is_none() => {}
            _ => hidden = Some(Missing::new("what `variables` hands to the template", "write it as a plain hash")),
        }
    }
    hidden.map_or_else(|| Fact::derived(false), Fact::unknown)
}

/// Every variable of a template; of several uses the first one, and whether any asks or sets before.
fn uses(text: &str) -> BTreeMap<String, Use> {
    let mut all: BTreeMap<String, Use> = BTreeMap::new();
    let template = erb::read(text);
    for tag in template.tags.iter().filter(|tag| tag.kind != TagKind::Comment) {
        let code = tag.code.of(text);
        let block = template.blocks.iter().find(|block| block.start <= tag.span.start && tag.span.end <= block.end);
        let before = template.tags.iter().filter(|other| {
            block.is_some_and(|block| block.start <= other.span.start) && other.span.start < tag.span.start
        });
        let in_branch = before.map(|tag| tag.code.of(text).trim_start()).any(opens_branch);
        for (at, name) in fields(code).filter(|(_, name)| !GIVEN_BY_CHEF.contains(name)) {
            let start = tag.code.range().start + at;
            let rest = &code[at + 1 + name.len()..];
            let one = Use {
                span: Span::new(start, start + 1 + name.len()),
                called: method(rest).map(str::to_owned),
                tested: is_test(code, rest),
                in_branch,
            };
            all.entry(name.to_owned()).and_modify(|known| known.merge(&one)).or_insert(one);
        }
    }
    all
}

impl Use {
    /// A variable that is asked for anywhere is meant to be left out; one call of a method is enough to fail.
    fn merge(&mut self, other: &Self) {
        self.tested |= other.tested;
        self.in_branch &= other.in_branch;
        if self.called.is_none() && other.called.is_some() {
            self.called.clone_from(&other.called);
            self.span = other.span;
        }
    }
}

fn opens_branch(code: &str) -> bool {
    ["if", "unless", "case", "elsif", "when"].iter().any(|word| {
        code.strip_prefix(word).is_some_and(|rest| rest.starts_with(|next: char| next.is_whitespace() || next == '('))
    })
}

/// Each `@name` of a piece of Ruby, class variables and addresses such as `a@b` left out.
fn fields(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.match_indices('@').filter_map(|(at, _)| {
        let is_word = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '@' | '.');
        let rest = &code[at + 1..];
        let end =
            rest.find(|character: char| !character.is_ascii_alphanumeric() && character != '_').unwrap_or(rest.len());
        let starts = rest.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
        (starts && !code[..at].ends_with(is_word)).then(|| (at, &rest[..end]))
    })
}

/// The method that is called on it, other than those that nil has too.
fn method(rest: &str) -> Option<&str> {
    if rest.starts_with('[') {
        return Some("[]");
    }
    let name = rest.strip_prefix('.')?;
    let end = name
        .find(|character: char| !character.is_ascii_alphanumeric() && !matches!(character, '_' | '?' | '!'))
        .unwrap_or(name.len());
    let name = &name[..end];
    let is_of_nil = matches!(
        name,
        "to_s"
            | "to_a"
            | "to_i"
            | "to_f"
            | "to_h"
            | "nil?"
            | "inspect"
            | "to_json"
            | "is_a?"
            | "class"
            | "respond_to?"
            | "to_yaml"
    );
    (!is_of_nil && !name.is_empty()).then_some(name)
}

/// Whether the code asks for the variable, or sets it, rather than taking it for given.
fn is_test(code: &str, rest: &str) -> bool {
    let words: BTreeSet<&str> = code.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '?')).collect();
    let rest = rest.trim_start();
    let is_set =
        rest.starts_with("||") || (rest.starts_with('=') && !rest.starts_with("==") && !rest.starts_with("=~"));
    is_set
        || rest.starts_with("&.")
        || ["if", "unless", "elsif", "while", "for", "defined?", "nil?", "rescue", "and", "or"]
            .iter()
            .any(|word| words.contains(word))
        || code.contains(" ? ")
        || code.contains("&&")
        || code.contains("||")
}

#[cfg(test)]
mod tests {
    use super::uses;

    #[test]
    fn uses_of_a_template() {
        let text = "a <%= @port %> b\n<% @hosts.each do |host| %>\n<%= @mail || 'x@y' %>\n<% if @tls %>\n<%= @tls[:key] %>\n<% end %>\n\
            <%= @node['a'] %> <%# @old %> <%= 'me@example' %> <%= \"#{@port.to_s}\" %>";
        let all = uses(text);
        let names: Vec<_> = all.iter().map(|(name, how)| (name.as_str(), how.called.as_deref(), how.tested)).collect();
        let expected =
            [("hosts", Some("each"), false), ("mail", None, true), ("port", None, false), ("tls", Some("[]"), true)];
        assert_eq!(names, expected);
        assert_eq!(all["port"].span.of(text), "@port");
    }

    proptest::proptest! {
        #[test]
        fn any_template_is_read(pieces in proptest::collection::vec(".{0,12}|[-@.a-z ='\"#<%>\n]{0,12}", 0..12)) {
            let text = pieces.concat();
            for one in uses(&format!("<%{text}%>{text}")).values() {
                proptest::prop_assert!(one.span.start < one.span.end);
            }
        }
    }
}
