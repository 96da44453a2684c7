//! Attributes: every assignment of a Chef tree in the order Chef would make it, and what a cookbook sees under a path.

use std::collections::BTreeMap;

use crate::source::{FileId, Place};
use crate::stack::chef::choice::{self, Choice};
use crate::stack::chef::platform::{Platforms, Reach};
use crate::stack::chef::value::{Pairs, Value, not_seen, unset};
use crate::stack::fact::{Answer, Missing};
use crate::syntax::ruby::Program;

/// Chef's precedence, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What Test Kitchen gives its suites. Chef takes it for `normal`, but on no host that counts.
    Suite,
    /// `default`, and what ohai would give.
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
    /// On which platforms it may be made and surely is: nowhere surely in a recipe, a loop, or with `||=`.
    pub reach: Reach,
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
        reader::read(self, program, file, (cookbook, sure), in_recipe);
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
                reach: if conditional { Reach::MAYBE } else { Reach::ALWAYS },
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
    /// Set differently by those who may set it: one of those values.
    pub fn get(&self, path: &[String]) -> Answer<Value> {
        if path.is_empty() {
            return not_seen("all attributes of the node");
        }
        let mut settings: Vec<(&Setting, usize)> =
            self.attributes.touching(path).map(|at| (&self.attributes.settings[at], at)).collect();
        settings.sort_by_key(|(setting, at)| std::cmp::Reverse((setting.level, *at)));
        self.resolve(path, &settings)
    }

    /// The platforms on which `setting` is surely made.
    fn sure_on(&self, setting: &Setting) -> Platforms {
        let runs = setting.cookbook.is_none_or(|cookbook| self.sure.contains(&cookbook));
        if runs { setting.reach.must } else { Platforms::NONE }
    }

    /// `settings` in order of strength, strongest first; each covers `path` or lies below it.
    fn resolve(&self, path: &[String], settings: &[(&Setting, usize)]) -> Answer<Value> {
        let below: Vec<_> = settings.iter().copied().filter(|(setting, _)| setting.path.len() > path.len()).collect();
        let mut candidates: Vec<Choice> = Vec::new();
        let mut left = Platforms::ALL;
        for (setting, _) in settings.iter().filter(|(setting, _)| setting.path.len() <= path.len()) {
            let Some(value) = descend(&setting.value, &path[setting.path.len()..]) else { continue };
            candidates.push((left.and(setting.reach.may), value));
            // A hash is merged with what weaker levels put into it, anything else hides them.
            left = left.without(self.sure_on(setting));
            if left.is_empty() {
                break;
            }
        }
        let is_group = |(_, value): &Choice| matches!(value, Answer::Known(Value::Hash(_)));
        let settled = match candidates.as_slice() {
            [] if below.is_empty() => return Answer::Unknown(unset(&written(path))),
            [] => Answer::Known(Value::Hash(Pairs::default())),
            [(_, first), rest @ ..] if rest.iter().all(|(_, other)| other == first) => first.clone(),
            several if several.iter().any(is_group) => {
                let what = format!("which of {} values {} has", several.len(), written(path));
                return Answer::Unknown(Missing::new(
                    what,
                    "say which in a JSON file named in `[chef] attributes` of housecall.toml",
                ));
            }
            _ => return choice::one_of(candidates.into_iter().rev()),
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
        Answer::Known(Value::OneOf(choices)) => {
            let inner = |(platforms, value): &Choice| Some((*platforms, descend(value, keys)?));
            let found: Vec<Choice> = choices.iter().filter_map(inner).collect();
            (!found.is_empty()).then(|| choice::one_of(found))
        }
        Answer::Known(known) => descend(&known.get(key)?, rest),
        Answer::Absent => None,
        Answer::Unknown(missing) => Some(Answer::Unknown(missing.clone())),
    }
}

/// The path as recipes write it.
pub fn written(path: &[String]) -> String {
    path.iter().fold(String::from("node"), |text, key| format!("{text}['{key}']"))
}

mod reader;
mod set;
#[cfg(test)]
mod tests;
