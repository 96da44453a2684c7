//! Recipes: the resources they declare, in order, with what their names and properties come to.

use crate::source::{FileId, Place, Span};
use crate::stack::chef::choice::{self, Choice};
use crate::stack::chef::platform::Platforms;
use crate::stack::chef::scope::Scope;
use crate::stack::chef::value::{Value, not_seen};
use crate::stack::chef::walk::{Step, walk};
use crate::stack::fact::Answer;
use crate::syntax::ruby::{Call, Expr, Kind, Part, Program};

/// One recipe of a cookbook.
#[derive(Debug)]
pub struct Recipe {
    /// `cookbook::recipe`.
    pub name: String,
    /// The cookbook, by its number in the tree.
    pub cookbook: usize,
    /// In order.
    pub items: Vec<Item>,
}

/// What a recipe does next.
#[derive(Debug)]
pub enum Item {
    /// Declares a resource.
    Resource(Resource),
    /// Includes another recipe, named in full; the flag says that it stands in a branch.
    Include(Answer<String>, Place, bool),
}

/// One resource, or another call that only a cookbook's library can explain.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its kind, such as `template`.
    pub kind: String,
    /// Its name.
    pub name: Answer<String>,
    /// What the name comes to, also where it is one of a few.
    pub named: Answer<Value>,
    /// What is written at the ends of the name, also where its middle is unknown.
    pub ends: Ends,
    /// Its kind and name, or its kind alone.
    pub place: Place,
    /// Whether it may not be declared.
    pub conditional: bool,
    /// The arms of conditions that it stands in: the condition's span and the arm's number.
    pub arms: Vec<(Span, usize)>,
    /// In order; arms of conditions may set one twice.
    pub properties: Vec<Property>,
}

/// One property of a resource.
#[derive(Debug, Clone)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Answer<Value>,
    /// Its further arguments, as `notifies` has them.
    pub rest: Vec<Answer<Value>>,
    /// Where its value is written as it stands, such as the body of a heredoc.
    pub verbatim: Option<Span>,
    /// What is written at the ends of its value.
    pub ends: Ends,
    /// On which platforms it is set.
    pub platforms: Platforms,
    /// The whole line of it.
    pub place: Place,
}

/// The literal beginning and end of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ends {
    /// Before the first interpolation.
    pub head: String,
    /// After the last interpolation.
    pub tail: String,
    /// What it surely begins with: the head, and the interpolations after it whose values are known.
    pub start: String,
}

impl Ends {
    /// Whether a text with these ends could be `text`.
    pub fn fit(&self, text: &str) -> bool {
        text.len() >= self.head.len().max(self.tail.len())
            && text.starts_with(&self.start)
            && text.ends_with(&self.tail)
    }

    /// Of an expression with its value.
    fn of(expr: Option<&Expr>, value: &Answer<Value>, scope: &Scope<'_>) -> Self {
        let Some(Kind::Text(parts)) = expr.map(|expr| &expr.kind) else { return Self::default() };
        let start = match value {
            Answer::Known(Value::Text(text)) => text.clone(),
            _ => {
                let known = parts.iter().map_while(|part| match part {
                    Part::Literal(text, _) => Some(text.clone()),
                    Part::Code(code) => scope.text_of(code).known(),
                });
                known.collect()
            }
        };
        let literal = |part: Option<&Part>| match part {
            Some(Part::Literal(text, _)) => text.clone(),
            _ => String::new(),
        };
        Self { head: literal(parts.first()), tail: literal(parts.last()), start }
    }
}

impl Resource {
    /// The last property of this name.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().rev().find(|property| property.name == name)
    }

    /// The text of a property; absent where it is not set.
    pub fn text(&self, name: &str) -> Answer<String> {
        print(self.value_of(name))
    }

    /// The value of a property, one of several where arms of conditions set it differently.
    fn value_of(&self, name: &str) -> Answer<Value> {
        let mut set = self.properties.iter().filter(|property| property.name == name);
        let Some(first) = set.next() else { return Answer::Absent };
        if !set.clone().any(|other| other.value != first.value) {
            return first.value.clone();
        }
        choice::one_of([first].into_iter().chain(set).map(|one| (one.platforms, one.value.clone())))
    }

    /// The few texts that a property, or else the name, may come to, each with its platforms; empty where it is known or
    /// out of sight.
    pub fn texts_or_name(&self, property: &str) -> Vec<(Platforms, String)> {
        let value = match self.value_of(property) {
            Answer::Absent => self.named.clone(),
            set => set,
        };
        let Answer::Known(Value::OneOf(choices)) = value else { return Vec::new() };
        let text = |(platforms, value): &Choice| Some((*platforms, print(value.clone()).known()?));
        choices.iter().filter_map(text).collect()
    }

    /// A property, or else the resource's name, as Chef does for `path`, `destination` and `service_name`.
    pub fn text_or_name(&self, property: &str) -> Answer<String> {
        match self.text(property) {
            Answer::Absent => self.name.clone(),
            set => set,
        }
    }

    /// The ends of what [`Resource::text_or_name`] gives.
    pub fn ends_or_name(&self, property: &str) -> &Ends {
        self.property(property).map_or(&self.ends, |property| &property.ends)
    }
}

fn print(value: Answer<Value>) -> Answer<String> {
    match value {
        Answer::Known(value) => value.print(),
        Answer::Absent => Answer::Absent,
        Answer::Unknown(missing) => Answer::Unknown(missing),
    }
}

/// Kinds that people declare without a block; other words without a block are kept too, but most mean nothing here.
const NOT_RESOURCES: [&str; 16] = [
    "include_attribute",
    "require",
    "require_relative",
    "raise",
    "puts",
    "extend",
    "include",
    "return",
    "p",
    "fail",
    "node",
    "private",
    "attr_reader",
    "data_bag_item",
    "search",
    "chef_gem",
];

/// Reads a recipe of the cookbook number `cookbook`; `name` is `cookbook::recipe`.
pub fn read(program: &Program, file: FileId, name: String, cookbook: usize, mut scope: Scope<'_>) -> Recipe {
    let (own, recipe) =
        name.split_once("::").map_or((name.clone(), String::new()), |(own, recipe)| (own.into(), recipe.into()));
    scope.locals.insert("cookbook_name".to_owned(), Answer::Known(Value::Text(own.clone())));
    scope.locals.insert("recipe_name".to_owned(), Answer::Known(Value::Text(recipe)));
    let items = declared(&program.body, file, &own, &mut scope);
    Recipe { name, cookbook, items }
}

/// Words of a provider whose blocks declare what stands in them.
const AROUND: [&str; 3] = ["converge_by", "converge_if_changed", "with_run_context"];

/// What the statements of a recipe of the cookbook `own`, or of an action, declare.
pub fn declared(body: &[Expr], file: FileId, own: &str, scope: &mut Scope<'_>) -> Vec<Item> {
    let mut items = Vec::new();
    walk(body, scope, false, &mut |step| {
        let word = step.call.name.as_str();
        if word == "include_recipe" || word == "require_recipe" {
            items.extend(step.call.arguments.iter().map(|argument| {
                let name = match step.scope.text_of(argument) {
                    Answer::Known(name) => Answer::Known(full_name(&name, own)),
                    other => other,
                };
                Item::Include(name, Place::at(file, step.expr.span), step.conditional)
            }));
        } else if AROUND.contains(&word) {
            return true;
        } else if !NOT_RESOURCES.contains(&word) && (step.call.block.is_some() || !step.call.arguments.is_empty()) {
            items.push(Item::Resource(resource(step, file)));
        }
        false
    });
    items
}

/// `cookbook` is `cookbook::default`, `::recipe` belongs to the cookbook that says it.
pub fn full_name(name: &str, own: &str) -> String {
    match name.split_once("::") {
        Some(("", recipe)) => format!("{own}::{recipe}"),
        Some(_) => name.to_owned(),
        None => format!("{name}::default"),
    }
}

fn resource(step: Step<'_, '_>, file: FileId) -> Resource {
    let call = step.call;
    let first = call.arguments.first();
    let keywords = first.filter(|first| matches!(first.kind, Kind::Hash(_)));
    let named = if keywords.is_some() { None } else { first };
    let span = named.map_or(call.name_span, |name| call.name_span.to(name.span));
    let mut properties = keywords.map(|hash| pairs(hash, step.scope, file)).unwrap_or_default();
    if let Some(block) = &call.block {
        let mut scope = step.scope.clone();
        walk(&block.body, &mut scope, false, &mut |step| {
            properties.push(property(step.call, step.expr, step.scope, file));
            false
        });
    }
    let value = named.map_or(Answer::Absent, |name| step.scope.value(name));
    Resource {
        kind: call.name.clone(),
        name: print(value.clone()),
        ends: Ends::of(named, &value, step.scope),
        named: value,
        place: Place::at(file, span),
        conditional: step.conditional,
        arms: step.scope.arms.clone(),
        properties,
    }
}

fn pairs(hash: &Expr, scope: &Scope<'_>, file: FileId) -> Vec<Property> {
    let Kind::Hash(pairs) = &hash.kind else { return Vec::new() };
    let named = pairs.iter().filter_map(|(key, value)| Some((key.literal()?, key, value)));
    named
        .map(|(name, key, value)| (name, key, value, scope.value(value)))
        .map(|(name, key, value, given)| Property {
            name,
            ends: Ends::of(Some(value), &given, scope),
            value: given,
            rest: Vec::new(),
            verbatim: None,
            platforms: Platforms::ALL,
            place: Place::at(file, key.span.to(value.span)),
        })
        .collect()
}

fn property(call: &Call, expr: &Expr, scope: &Scope<'_>, file: FileId) -> Property {
    let first = call.arguments.first();
    let value = match first {
        Some(first) => scope.value(first),
        None => not_seen("what a block decides"),
    };
    let verbatim = match first.map(|first| &first.kind) {
        Some(Kind::Text(parts)) => match parts.as_slice() {
            [Part::Literal(text, span)] if text.len() == span.range().len() => Some(*span),
            _ => None,
        },
        _ => None,
    };
    let rest = call.arguments.iter().skip(1).map(|argument| scope.value(argument)).collect();
    let place = Place::at(file, first.map_or(expr.span, |first| call.name_span.to(first.span)));
    Property {
        name: call.name.clone(),
        ends: Ends::of(first, &value, scope),
        value,
        rest,
        verbatim,
        platforms: scope.reach.may,
        place,
    }
}

/// The resources that running `recipe` declares, its included recipes' at the place of the include, each recipe once;
/// `foreign` gets the names of the recipes that are out of sight.
pub fn run<'a>(recipes: &'a [Recipe], recipe: &'a Recipe) -> Run<'a> {
    let mut run = Run { resources: Vec::new(), foreign: Vec::new(), seen: vec![&recipe.name] };
    run.follow(recipes, recipe);
    run
}

/// What a run of one recipe declares.
#[derive(Debug)]
pub struct Run<'a> {
    /// In order, each with the cookbook that declares it.
    pub resources: Vec<(&'a Resource, usize)>,
    /// Includes of recipes that are not in the tree: how many resources came before, and the name where it is known.
    pub foreign: Vec<(usize, Answer<String>)>,
    seen: Vec<&'a str>,
}

impl<'a> Run<'a> {
    fn follow(&mut self, recipes: &'a [Recipe], recipe: &'a Recipe) {
        for item in &recipe.items {
            match item {
                Item::Resource(resource) => self.resources.push((resource, recipe.cookbook)),
                Item::Include(Answer::Known(name), ..) => match recipes.iter().find(|other| other.name == *name) {
                    Some(other) if self.seen.contains(&other.name.as_str()) => {}
                    Some(other) if self.seen.len() < 100 => {
                        self.seen.push(&other.name);
                        self.follow(recipes, other);
                    }
                    _ => self.foreign.push((self.resources.len(), Answer::Known(name.clone()))),
                },
                Item::Include(name, ..) => self.foreign.push((self.resources.len(), name.clone())),
            }
        }
    }
}
