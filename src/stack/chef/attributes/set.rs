//! Which attributes anything sets, whatever their values come to.

use std::ops::Bound;

use super::{Attributes, descend};
use crate::stack::chef::value::Value;
use crate::stack::fact::Answer;

impl Attributes {
    /// The first keys that the cookbook of this number sets in its attribute files, on every run.
    pub fn first_keys(&self, cookbook: usize) -> impl Iterator<Item = &str> {
        let own = self.settings.iter().filter(move |setting| setting.cookbook == Some(cookbook) && !setting.in_recipe);
        own.filter_map(|setting| Some(setting.path.first()?.as_str()))
    }

    /// Whether any assignment sets `path`, something below it, or all of a group that it lies in; `None` where one sets
    /// a group whose keys are out of sight.
    pub fn reaches(&self, path: &[String]) -> Option<bool> {
        let mut hidden = false;
        for setting in self.touching(path).map(|at| &self.settings[at]) {
            if setting.path.len() >= path.len() {
                return Some(true);
            }
            match descend(&setting.value, &path[setting.path.len()..]) {
                Some(Answer::Unknown(_)) => hidden = true,
                Some(_) => return Some(true),
                // A group with a key that only a run shows ends before that key.
                None => hidden |= !matches!(setting.value, Answer::Known(Value::Hash(_))),
            }
        }
        if hidden { None } else { Some(false) }
    }

    /// The keys that are set directly below `path`.
    pub fn keys_below(&self, path: &[String]) -> Vec<&str> {
        let mut keys: Vec<&str> = Vec::new();
        for setting in self.touching(path).map(|at| &self.settings[at]) {
            match setting.path.get(path.len()) {
                Some(key) => keys.push(key),
                None => {
                    let mut value = Some(&setting.value);
                    for key in &path[setting.path.len()..] {
                        value = match value {
                            Some(Answer::Known(Value::Hash(pairs))) => {
                                pairs.all.iter().find(|(name, _)| name == key).map(|(_, value)| value)
                            }
                            _ => None,
                        };
                    }
                    if let Some(Answer::Known(Value::Hash(pairs))) = value {
                        keys.extend(pairs.all.iter().map(|(name, _)| name.as_str()));
                    }
                }
            }
        }
        keys
    }

    /// The numbers of the assignments that cover `path` or lie below it, in no particular order.
    pub(super) fn touching<'s>(&'s self, path: &'s [String]) -> impl Iterator<Item = usize> + 's {
        let covers = (1..path.len()).filter_map(|length| self.by_path.get(&path[..length]));
        let from = self.by_path.range::<[String], _>((Bound::Included(path), Bound::Unbounded));
        let below = from.take_while(move |(key, _)| key.starts_with(path)).map(|(_, numbers)| numbers);
        covers.chain(below).flatten().copied()
    }
}
