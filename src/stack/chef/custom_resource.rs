//! Resources that cookbooks define themselves: what a recipe declares with one, as far as its properties are known.
//! A custom resource has its actions beside its properties, an older one in `providers/`; a definition is a block.

use std::collections::BTreeMap;

use crate::source::FileId;
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::deployed_file::mentions;
use crate::stack::chef::recipe::{self, Item, Resource};
use crate::stack::chef::scope::Scope;
use crate::stack::chef::tree::{base, parent};
use crate::stack::chef::value::{Pairs, Value, not_seen};
use crate::stack::fact::Answer;
use crate::syntax::ruby::{Call, Expr, Kind, Program};

/// Resources made of resources made of resources: deeper ones are left out.
const MAX_DEPTH: usize = 4;

/// A root that declares more this way is read up to here.
const MAX_DECLARED: usize = 4000;

/// One resource that a cookbook defines.
#[derive(Debug, Default)]
struct Custom<'a> {
    book: usize,
    /// Each property with its default.
    properties: Vec<(String, Option<&'a Expr>)>,
    /// The property that takes the resource's name where it is not set.
    named: Vec<String>,
    /// The statements of each action, with their file; a definition has one without a name.
    actions: Vec<(String, FileId, &'a [Expr])>,
    /// What is done where a recipe names no action.
    default_action: Option<String>,
    is_definition: bool,
}

/// What the uses of such resources in the root's recipes declare, each with the cookbook that uses it.
pub fn declared(root: &Root) -> Vec<(Resource, usize)> {
    let known = customs(root);
    let mut all: Vec<(Resource, usize)> = Vec::new();
    if known.is_empty() {
        return all;
    }
    for recipe in &root.recipes {
        let mut used: Vec<&Resource> = Vec::new();
        used.extend(recipe.items.iter().filter_map(|item| match item {
            Item::Resource(resource) => Some(resource),
            Item::Include(..) => None,
        }));
        let mut level: Vec<Resource> = used.into_iter().flat_map(|one| uses(one, &known, root)).collect();
        for _ in 0..MAX_DEPTH {
            if level.is_empty() || all.len() + level.len() > MAX_DECLARED {
                break;
            }
            let next: Vec<Resource> = level.iter().flat_map(|one| uses(one, &known, root)).collect();
            all.extend(level.into_iter().map(|one| (one, recipe.cookbook)));
            level = next;
        }
    }
    all
}

/// Every resource that a cookbook of the root defines, by the names that recipes call it.
fn customs(root: &Root) -> BTreeMap<String, Custom<'_>> {
    let mut all: BTreeMap<String, Custom<'_>> = BTreeMap::new();
    for (path, file, program) in &root.programs {
        let part = base(parent(path));
        let Some(book) = root.book_of(path).filter(|_| matches!(part, "resources" | "providers" | "definitions"))
        else {
            continue;
        };
        if part == "definitions" {
            definitions(program, *file, book, &mut all);
            continue;
        }
        let stem = base(path).trim_end_matches(".rb");
        let mut names = vec![kind_of(&root.books[book].name, stem)];
        let calls = || program.body.iter().filter_map(Expr::call).filter(|call| call.receiver.is_none());
        let named = calls().filter(|call| matches!(call.name.as_str(), "resource_name" | "provides"));
        names.extend(named.filter_map(Call::first_literal));
        let named = if part == "resources" { names } else { names[..1].to_vec() };
        for name in named {
            let custom = all.entry(name).or_default();
            custom.book = book;
            calls().for_each(|call| custom.add(call, *file));
        }
    }
    all
}

/// `shop_site` for `resources/site.rb` of the cookbook `shop`, `shop` for its `default.rb`.
fn kind_of(book: &str, stem: &str) -> String {
    let book = book.replace('-', "_");
    if stem == "default" { book } else { format!("{book}_{stem}") }
}

fn definitions<'a>(program: &'a Program, file: FileId, book: usize, all: &mut BTreeMap<String, Custom<'a>>) {
    for call in program.body.iter().filter_map(Expr::call).filter(|call| call.name == "define") {
        let (Some(name), Some(block)) = (call.first_literal(), &call.block) else { continue };
        let mut custom = Custom { book, is_definition: true, ..Custom::default() };
        let defaults = call.arguments.iter().filter_map(|argument| match &argument.kind {
            Kind::Hash(pairs) => Some(pairs),
            _ => None,
        });
        for (key, value) in defaults.flatten() {
            custom.properties.extend(key.literal().map(|key| (key, Some(value))));
        }
        custom.actions.push((String::new(), file, &block.body));
        all.insert(name, custom);
    }
}

impl<'a> Custom<'a> {
    /// Takes in one statement of a file in `resources/` or `providers/`.
    fn add(&mut self, call: &'a Call, file: FileId) {
        let first = call.first_literal();
        match (call.name.as_str(), first) {
            ("property" | "attribute", Some(name)) => {
                let is_named = ["name_property", "name_attribute"]
                    .iter()
                    .any(|key| call.keyword(key).is_some_and(|value| matches!(value.kind, Kind::Bool(true))));
                if is_named {
                    self.named.push(name.clone());
                }
                self.properties.push((name, call.keyword("default")));
            }
            ("default_action", Some(action)) => self.default_action = Some(action),
            ("actions", Some(action)) => self.default_action = self.default_action.take().or(Some(action)),
            ("action", Some(action)) => {
                if let Some(block) = &call.block {
                    self.actions.push((action, file, &block.body));
                }
            }
            _ => {}
        }
    }

    /// The actions that one use runs: those it names, else the default, else the first.
    fn run_by(&self, used: &Resource) -> impl Iterator<Item = &(String, FileId, &'a [Expr])> {
        let named = used.property("action").map(|action| &action.value);
        let first = self.actions.first().map(|(action, ..)| action.as_str());
        let default = self.default_action.as_deref().or(first).unwrap_or_default();
        self.actions.iter().filter(move |(action, ..)| match named {
            Some(named) => self.is_definition || mentions(named, &[action]),
            None => self.is_definition || action == default,
        })
    }
}

/// What one use of a resource declares; nothing where it is not one of these.
fn uses(used: &Resource, known: &BTreeMap<String, Custom<'_>>, root: &Root) -> Vec<Resource> {
    let Some(custom) = known.get(&used.kind) else { return Vec::new() };
    let own = &root.books[custom.book].name;
    let mut all = Vec::new();
    for (_, file, body) in custom.run_by(used) {
        let mut scope = root.scope(custom.book);
        let mut pairs = Vec::new();
        for (name, default) in &custom.properties {
            let value = value_of(name, *default, custom, used, &scope);
            pairs.push((name.clone(), value));
        }
        if custom.is_definition {
            let given = used.properties.iter().map(|property| (property.name.clone(), property.value.clone()));
            pairs.extend(given);
        } else {
            scope.locals.extend(pairs.iter().cloned());
        }
        pairs.retain(|(name, _)| name != "name");
        pairs.push(("name".to_owned(), used.named.clone()));
        let object = Answer::Known(Value::Hash(Pairs::closed(pairs)));
        let called = if custom.is_definition { "params" } else { "new_resource" };
        scope.locals.insert(called.to_owned(), object.clone());
        scope.fields.insert(called.to_owned(), object);
        scope.locals.insert("name".to_owned(), used.named.clone());
        all.extend(recipe::declared(body, *file, own, &mut scope).into_iter().filter_map(|item| match item {
            Item::Resource(resource) => Some(within(resource, used)),
            Item::Include(..) => None,
        }));
    }
    all
}

fn value_of(
    name: &str,
    default: Option<&Expr>,
    custom: &Custom<'_>,
    used: &Resource,
    scope: &Scope<'_>,
) -> Answer<Value> {
    let mut set = used.properties.iter().filter(|property| property.name == name);
    match (set.next(), set.next(), default) {
        (Some(only), None, _) => only.value.clone(),
        (Some(_), Some(_), _) => not_seen(&format!("which `{name}` the {} gets", used.kind)),
        (None, ..) if custom.named.iter().any(|named| named == name) => used.named.clone(),
        (None, _, Some(default)) => scope.value(default),
        (None, _, None) => Answer::Absent,
    }
}

/// What an action declares is there where its use is.
fn within(inner: Resource, used: &Resource) -> Resource {
    let guarded = ["only_if", "not_if"].iter().any(|guard| used.property(guard).is_some());
    let arms = used.arms.iter().chain(&inner.arms).copied().collect();
    Resource { conditional: inner.conditional || used.conditional || guarded, arms, ..inner }
}

#[cfg(test)]
mod tests {
    use crate::stack::chef::tests::read_tree;
    use crate::stack::fact::Answer;

    const BOOK: (&str, &str) = ("shop/metadata.rb", "name 'shop'\n");

    /// Where the files land that the uses in this recipe declare.
    fn landed(files: &[(&str, &str)], recipe: &str) -> Vec<Option<String>> {
        let all = [files, &[BOOK, ("shop/recipes/default.rb", recipe)]].concat();
        read_tree(&all, None).deployed.into_iter().map(|one| one.path.known()).collect()
    }

    fn at(path: &str) -> Vec<Option<String>> {
        vec![Some(path.to_owned())]
    }

    #[test]
    fn a_custom_resource_puts_its_files() {
        let site = "property :port, Integer, default: 80\nproperty :root, String, name_property: true\n\
                    action :create do\n  template \"/etc/sites/#{root}-#{new_resource.port}.conf\" do\n    source 'a.erb'\n  end\nend\n\
                    action :delete do\n  file '/gone' do\n    content 'x'\n  end\nend\n";
        let files = [("shop/resources/site.rb", site)];
        assert_eq!(landed(&files, "shop_site 'web' do\n  port 81\nend\n"), at("/etc/sites/web-81.conf"));
        assert_eq!(landed(&files, "shop_site 'web'\n"), at("/etc/sites/web-80.conf"));
        assert_eq!(landed(&files, "shop_site 'web' do\n  port node['x']\nend\n"), [None]);
        assert_eq!(landed(&files, "shop_site 'web' do\n  action :delete\nend\n"), at("/gone"));
        assert_eq!(landed(&files, "shop_site 'web' do\n  action :nothing\nend\n"), []);
    }

    #[test]
    fn an_older_one_has_its_actions_in_a_provider() {
        let resource = "actions :enable, :disable\nattribute :dir, :kind_of => String, :default => '/srv'\n";
        let provider = "use_inline_resources\naction :enable do\n  converge_by('x') do\n    file ::File.join(new_resource.dir, new_resource.name) do\n      content 'x'\n    end\n  end\nend\n";
        let files = [("shop/resources/default.rb", resource), ("shop/providers/default.rb", provider)];
        assert_eq!(landed(&files, "shop 'a'\n"), at("/srv/a"));
        assert_eq!(landed(&files, "shop 'a' do\n  dir '/opt'\n  action [:enable]\nend\n"), at("/opt/a"));
        assert_eq!(landed(&files, "%w(a b).each { |n| shop n }\n"), [at("/srv/a"), at("/srv/b")].concat());
    }

    #[test]
    fn a_definition_and_resources_within_resources() {
        let define = "define :app_conf, :dir => '/etc' do\n  file \"#{params[:dir]}/#{params[:name]}\" do\n    content 'x'\n  end\nend\n";
        let outer =
            "resource_name :outer\naction :create do\n  app_conf name do\n    dir '/opt'\n  end\n  outer name\nend\n";
        let files = [("shop/definitions/app_conf.rb", define), ("shop/resources/outer.rb", outer)];
        assert_eq!(landed(&files, "app_conf 'a'\n"), at("/etc/a"));
        let nested = landed(&files, "outer 'b'\n");
        assert!(!nested.is_empty() && nested.iter().all(|path| *path == Some("/opt/b".to_owned())), "{nested:?}");
    }

    #[test]
    fn what_is_not_given_is_nil_and_prints_nothing() {
        let site = "property :suffix, String\naction :create do\n  file \"/a#{new_resource.suffix}\" do\n    content 'x'\n  end\nend\n";
        let all = [
            BOOK,
            ("shop/resources/site.rb", site),
            ("shop/recipes/default.rb", "shop_site 'x' do\n  only_if { true }\nend\n"),
        ];
        let chef = read_tree(&all, None);
        assert_eq!(chef.deployed[0].path, Answer::Known("/a".to_owned()));
        assert!(chef.deployed[0].conditional);
    }
}
