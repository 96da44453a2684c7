//! Attributes: every assignment of a Chef tree in the order Chef would make it, and what a cookbook sees under a path.

use std::collections::BTreeMap;

use crate::source::{FileId, Place};
use crate::stack::chef::value::{Pairs, Scope, Value, not_seen, unset};
use crate::stack::chef::walk::MAX_ROUNDS;
use crate::stack::fact::{Answer, Missing};
use crate::syntax::ruby::{Assign, Call, Expr, Kind, Program};

/// Chef's precedence, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `default`, and what ohai would give: weakest.
    Default,
    /// `force_default`.
    ForceDefault,
    /// `normal`, `set`, and the custom JSON.
    Normal,
    /// `override`.
    Override,
    /// `force_override`.
    ForceOverride,
}

/// One assignment.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The path, such as `["thena", "port"]`.
    pub path: Vec<String>,
    /// How strong it is.
    pub level: Level,
    /// What it sets.
    pub value: Answer<Value>,
    /// Where it stands.
    pub place: Place,
    /// The cookbook that makes it; `None` for a JSON file of the tree.
    pub cookbook: Option<usize>,
    /// Whether it may not be made: in a branch, in a recipe, or with `||=`.
    pub conditional: bool,
    /// Whether a recipe makes it, or nothing but a role or a stack's settings.
    pub in_recipe: bool,
}

/// Every assignment of one Chef tree.
#[derive(Debug, Default)]
pub struct Attributes {
    settings: Vec<Setting>,
    by_path: BTreeMap<Vec<String>, Vec<usize>>,
}

/// The attributes as one cookbook sees them: its own and its dependencies' are sure, others' may be made too.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    attributes: &'a Attributes,
    sure: &'a [usize],
}

impl Attributes {
    /// Adds one assignment, after all that were added before.
    pub fn add(&mut self, setting: Setting) {
        if !setting.path.is_empty() {
            self.by_path.entry(setting.path.clone()).or_default().push(self.settings.len());
            self.settings.push(setting);
        }
    }

    /// What the cookbook sees whose own and dependencies' indexes are `sure`.
    pub fn seen_by<'a>(&'a self, sure: &'a [usize]) -> View<'a> {
        View { attributes: self, sure }
    }

    /// Where an attribute is set to this text, for a label.
    pub fn setting_of(&self, text: &str) -> Option<Place> {
        let is_it = |setting: &&Setting| matches!(&setting.value, Answer::Known(Value::Text(value)) if value == text);
        self.settings.iter().find(is_it).map(|setting| setting.place)
    }

    /// Adds the assignments of an attribute file, or of a recipe (`in_recipe`), which may not run.
    pub fn read(&mut self, program: &Program, file: FileId, cookbook: usize, sure: &[usize], in_recipe: bool) {
        let mut reader =
            Reader { attributes: self, file, cookbook, in_recipe, sure, locals: BTreeMap::new(), rounds: 1 };
        reader.statements(&program.body, in_recipe);
    }

    /// Adds a JSON file of attributes, such as OpsWorks' custom JSON; `conditional` where it is one of several.
    pub fn read_json(&mut self, json: &serde_json::Value, place: Place, conditional: bool) {
        let serde_json::Value::Object(top) = json else { return };
        for (key, value) in top {
            self.add(Setting {
                path: vec![key.clone()],
                level: Level::Normal,
                value: from_json(value),
                place,
                cookbook: None,
                conditional,
                in_recipe: false,
            });
        }
    }
}

/// A JSON value as an attribute's.
pub(super) fn from_json(json: &serde_json::Value) -> Answer<Value> {
    use serde_json::Value as Json;
    Answer::Known(match json {
        Json::Null => return Answer::Absent,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Text(number.to_string()),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(from_json).collect()),
        Json::Object(pairs) => {
            Value::Hash(Pairs::closed(pairs.iter().map(|(key, value)| (key.clone(), from_json(value))).collect()))
        }
    })
}

impl View<'_> {
    /// The value under `path`. Nobody sets it: unknown, for roles, stack settings and ohai are out of sight.
    /// Set differently by those who may set it: unknown.
    pub fn get(&self, path: &[String]) -> Answer<Value> {
        if path.is_empty() {
            return not_seen("all attributes of the node");
        }
        let mut settings: Vec<(&Setting, usize)> =
            self.attributes.touching(path).map(|at| (&self.attributes.settings[at], at)).collect();
        settings.sort_by_key(|(setting, at)| std::cmp::Reverse((setting.level, *at)));
        self.resolve(path, &settings)
    }

    fn is_sure(&self, setting: &Setting) -> bool {
        !setting.conditional && setting.cookbook.is_none_or(|cookbook| self.sure.contains(&cookbook))
    }

    /// `settings` in order of strength, strongest first; each covers `path` or lies below it.
    fn resolve(&self, path: &[String], settings: &[(&Setting, usize)]) -> Answer<Value> {
        let below: Vec<_> = settings.iter().copied().filter(|(setting, _)| setting.path.len() > path.len()).collect();
        let mut candidates: Vec<Answer<Value>> = Vec::new();
        for (setting, _) in settings.iter().filter(|(setting, _)| setting.path.len() <= path.len()) {
            let Some(value) = descend(&setting.value, &path[setting.path.len()..]) else { continue };
            if !candidates.contains(&value) {
                candidates.push(value);
            }
            // A hash is merged with what weaker levels put into it, anything else hides them.
            if self.is_sure(setting) {
                break;
            }
        }
        let settled = match candidates.as_slice() {
            [] if below.is_empty() => return Answer::Unknown(unset(&written(path))),
            [] => Answer::Known(Value::Hash(Pairs::default())),
            [Answer::Known(Value::Hash(pairs))] => Answer::Known(Value::Hash(pairs.clone())),
            [one] => return one.clone(),
            _ => {
                let what = format!("which of {} values {} has", candidates.len(), written(path));
                return Answer::Unknown(Missing::new(
                    what,
                    "say which in a JSON file named in `[chef] attributes` of housecall.toml",
                ));
            }
        };
        let Answer::Known(Value::Hash(mut pairs)) = settled else { return settled };
        pairs.open = Some(written(path));
        let mut keys: Vec<&String> = below.iter().map(|(setting, _)| &setting.path[path.len()]).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let mut longer = path.to_vec();
            longer.push(key.clone());
            let about: Vec<_> = settings
                .iter()
                .copied()
                .filter(|(setting, _)| longer.starts_with(&setting.path) || setting.path.starts_with(&longer))
                .collect();
            let value = self.resolve(&longer, &about);
            pairs.all.retain(|(name, _)| name != key);
            pairs.all.push((key.clone(), value));
        }
        Answer::Known(Value::Hash(pairs))
    }
}

/// What lies under `keys` in a value that was assigned as a whole; `None` where it says nothing about them.
fn descend(value: &Answer<Value>, keys: &[String]) -> Option<Answer<Value>> {
    let Some((key, rest)) = keys.split_first() else { return Some(value.clone()) };
    match value {
        Answer::Known(known) => descend(&known.get(key)?, rest),
        Answer::Absent => None,
        Answer::Unknown(missing) => Some(Answer::Unknown(missing.clone())),
    }
}

/// The path as recipes write it.
pub fn written(path: &[String]) -> String {
    path.iter().fold(String::from("node"), |text, key| format!("{text}['{key}']"))
}

struct Reader<'a, 's> {
    attributes: &'a mut Attributes,
    file: FileId,
    cookbook: usize,
    in_recipe: bool,
    sure: &'s [usize],
    locals: BTreeMap<String, Answer<Value>>,
    /// How often the loops that lead here go round, taken together.
    rounds: usize,
}

impl Reader<'_, '_> {
    fn statements(&mut self, body: &[Expr], conditional: bool) {
        for expr in body {
            self.statement(expr, conditional);
        }
    }

    fn statement(&mut self, expr: &Expr, conditional: bool) {
        match &expr.kind {
            Kind::Assign(assign) => self.assign(expr, assign, conditional),
            Kind::Branch(branch) => {
                for arm in &branch.arms {
                    self.statements(&arm.body, true);
                }
            }
            Kind::Sequence(body) | Kind::Other(body) => self.statements(body, conditional),
            Kind::Call(call) => self.call(expr, call, conditional),
            _ => {}
        }
    }

    /// `[…].each do |x| default[x] = … end` is made for each item; of any other block the assignments may be made.
    fn call(&mut self, expr: &Expr, call: &Call, conditional: bool) {
        if matches!(call.name.as_str(), "<<" | "push" | "concat" | "merge!" | "delete" | "tap") {
            if let Some((level, path)) = call.receiver.as_ref().and_then(|target| self.target(target)) {
                let what = format!("{} after `{}`", written(&path), call.name);
                self.set(level, path, not_seen(&what), expr, true);
            }
            return;
        }
        let Some(block) = &call.block else { return };
        if let Some(rounds) = self.rounds_of(call, &block.parameters) {
            let outer = self.rounds;
            self.rounds = outer * rounds.len().max(1);
            for values in rounds {
                self.locals.extend(block.parameters.iter().cloned().zip(values));
                self.statements(&block.body, conditional);
            }
            self.rounds = outer;
            return;
        }
        for parameter in &block.parameters {
            self.locals.insert(parameter.clone(), not_seen(parameter));
        }
        self.statements(&block.body, true);
    }

    /// The values of a block's parameters in each round of an `each`; `None` where they are out of sight or too many.
    fn rounds_of(&self, call: &Call, parameters: &[String]) -> Option<Vec<Vec<Answer<Value>>>> {
        let items = call.receiver.as_ref().filter(|_| call.name == "each")?;
        let rounds: Vec<Vec<Answer<Value>>> = match (self.scope().value(items), parameters) {
            (Answer::Known(Value::List(items)), [_]) => items.into_iter().map(|item| vec![item]).collect(),
            (Answer::Known(Value::Hash(pairs)), [_, _]) => {
                let round = |(name, item)| vec![Answer::Known(Value::Text(name)), item];
                pairs.all.into_iter().map(round).collect()
            }
            _ => return None,
        };
        (self.rounds * rounds.len() <= MAX_ROUNDS).then_some(rounds)
    }

    fn assign(&mut self, expr: &Expr, assign: &Assign, conditional: bool) {
        let value = if matches!(assign.operator.as_str(), "" | "||") {
            self.scope().value(&assign.value)
        } else {
            not_seen("a value that is changed in place")
        };
        if let Kind::Local(name) = &assign.target.kind {
            let value = match self.locals.get(name) {
                Some(before) if conditional && *before != value => not_seen(name),
                _ => value,
            };
            self.locals.insert(name.clone(), value);
            return;
        }
        let Some((level, path)) = self.target(&assign.target) else { return };
        self.set(level, path, value, expr, conditional || assign.operator == "||");
    }

    fn set(&mut self, level: Level, path: Vec<String>, value: Answer<Value>, expr: &Expr, conditional: bool) {
        let place = Place::at(self.file, expr.span);
        let cookbook = Some(self.cookbook);
        let in_recipe = self.in_recipe;
        self.attributes.add(Setting { path, level, value, place, cookbook, conditional, in_recipe });
    }

    fn scope(&self) -> Scope<'_> {
        let mut scope = Scope::of(self.attributes.seen_by(self.sure));
        scope.locals.clone_from(&self.locals);
        scope
    }

    /// Level and path of `default['a'][:b]`, `node.override.a.b`, `node['a']`; a path whose key is unknown ends before it.
    fn target(&self, target: &Expr) -> Option<(Level, Vec<String>)> {
        let scope = self.scope();
        let mut keys: Vec<Option<String>> = Vec::new();
        let mut at = target.call()?;
        loop {
            match (at.name.as_str(), at.arguments.as_slice()) {
                ("[]", [key]) => keys.push(match scope.text_of(key) {
                    Answer::Known(key) => Some(key),
                    _ => None,
                }),
                (name, []) => keys.push(Some(name.to_owned())),
                _ => return None,
            }
            match &at.receiver {
                Some(receiver) => at = receiver.call()?,
                None => break,
            }
        }
        keys.reverse();
        let mut keys = keys.into_iter().peekable();
        let mut level = None;
        if keys.next_if(|key| key.as_deref() == Some("node")).is_some() {
            level = Some(Level::Normal);
        }
        if let Some(named) = keys.peek().and_then(|key| level_named(key.as_deref()?)) {
            level = Some(named);
            keys.next();
        }
        let path: Vec<String> = keys.map_while(|key| key).collect();
        Some((level?, path))
    }
}

fn level_named(name: &str) -> Option<Level> {
    match name {
        "default" | "default_unless" | "automatic" => Some(Level::Default),
        "force_default" | "default!" => Some(Level::ForceDefault),
        "normal" | "set" | "normal_unless" | "set_unless" => Some(Level::Normal),
        "override" | "override_unless" => Some(Level::Override),
        "force_override" | "override!" => Some(Level::ForceOverride),
        _ => None,
    }
}

mod set;
#[cfg(test)]
mod tests;
