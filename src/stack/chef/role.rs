//! Roles and environments: what they set on the nodes that have them, beside the cookbooks' own attributes.

use crate::source::Place;
use crate::stack::chef::attributes::{Attributes, Level, Setting, from_json};
use crate::stack::chef::platform::Reach;
use crate::stack::chef::scope::Scope;
use crate::stack::chef::tree::{RepoFile, Tree, base, join, parent};
use crate::stack::chef::value::Value;
use crate::stack::fact::Answer;
use crate::syntax::ruby::{self, Kind};

/// What a role or an environment may set, and how strong that is (`chef: lib/chef/role.rb`). Within a level it stands
/// after every cookbook.
const LEVELS: [(&str, Level); 2] = [("default_attributes", Level::Default), ("override_attributes", Level::Override)];

/// Adds what the roles and environments below `folder` set; each may or may not be the node's.
pub(super) fn read(tree: &Tree<'_>, folder: &str, attributes: &mut Attributes) {
    let parts = ["roles", "environments"].map(|part| join(folder, part));
    for file in parts.iter().flat_map(|part| tree.under(part)) {
        match base(file.path).rsplit_once('.') {
            Some((_, "rb")) if parts.iter().any(|part| parent(file.path) == part) => of_ruby(file, attributes),
            Some((_, "json")) => of_json(file, attributes),
            _ => {}
        }
    }
}

fn of_ruby(file: &RepoFile<'_>, attributes: &mut Attributes) {
    for expr in ruby::parse(file.text).tree.body {
        let Kind::Call(call) = &expr.kind else { continue };
        let Some((_, level)) = LEVELS.iter().find(|(name, _)| *name == call.name) else { continue };
        let nobody = Attributes::default();
        let scope = Scope::of(nobody.seen_by(&[]));
        let values: Vec<Answer<Value>> = call.arguments.iter().map(|argument| scope.value(argument)).collect();
        for value in values {
            let Answer::Known(Value::Hash(pairs)) = value else { continue };
            add(pairs.all, *level, Place::at(file.file, expr.span), attributes);
        }
    }
}

fn of_json(file: &RepoFile<'_>, attributes: &mut Attributes) {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(file.text) else { return };
    for (name, level) in LEVELS {
        let Some(pairs) = json[name].as_object() else { continue };
        let pairs = pairs.iter().map(|(key, value)| (key.clone(), from_json(value))).collect();
        add(pairs, level, Place::whole(file.file), attributes);
    }
}

fn add(pairs: Vec<(String, Answer<Value>)>, level: Level, place: Place, attributes: &mut Attributes) {
    for (key, value) in pairs {
        attributes.add(Setting {
            path: vec![key],
            level,
            value,
            place,
            cookbook: None,
            reach: Reach::MAYBE,
            in_recipe: false,
        });
    }
}
