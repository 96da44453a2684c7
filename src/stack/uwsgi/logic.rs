//! What an `if-*` or `for*` does with the lines in it, as far as the files decide that (uWSGI: `uwsgi_logic_opt_*`).

use std::collections::HashMap;

use super::setting::Setting;
use crate::stack::fact::Answer;
use crate::syntax::uwsgi::number;

/// How often one loop may repeat its lines before it counts as out of sight.
const MOST_ITEMS: usize = 64;

/// What happens to a line in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Logic {
    /// It counts once for each item, which is also what `%(_)` in it stands for; never where there is none.
    Each(Vec<String>),
    /// The host or what is out of sight decides.
    Doubt,
}

/// What uWSGI has read before a block, as `if-opt` asks for it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The first value of each name; `None` where it is not known, or may not be the first.
    first: HashMap<String, Option<String>>,
    /// Whether something out of sight may have set more.
    open: bool,
}

impl Seen {
    pub fn add(&mut self, setting: &Setting) {
        if let Some(name) = &setting.name
            && !self.first.contains_key(name)
        {
            let known = match &setting.value {
                Answer::Known(value) if setting.block.is_none() && !self.open => Some(value.clone()),
                _ => None,
            };
            self.first.insert(name.clone(), known);
        }
        self.open |= setting.name.is_none() || setting.brings_in_more();
    }
}

/// The block that `opener` opens; `all_seen` says whether what was read before it is all that there is.
pub(super) fn of(opener: &Setting, before: &Seen, all_seen: bool) -> Logic {
    let (Some(known), Answer::Known(argument)) = (opener.known, &opener.value) else { return Logic::Doubt };
    if opener.block.is_some() {
        return Logic::Doubt;
    }
    let items = match known.canonical {
        "for" => argument.split(' ').filter(|item| !item.is_empty()).map(str::to_owned).collect(),
        "for-times" => (1..=number(argument).min(MOST_ITEMS as i64 + 1)).map(|time| time.to_string()).collect(),
        "if-opt" => return if_option(argument, before, all_seen, true),
        "if-not-opt" => return if_option(argument, before, all_seen, false),
        _ => return Logic::Doubt,
    };
    each(items)
}

fn each(items: Vec<String>) -> Logic {
    if items.len() > MOST_ITEMS { Logic::Doubt } else { Logic::Each(items) }
}

/// `name` or `name=value`: the first option of that name is asked, as it stands before placeholders are filled in.
fn if_option(argument: &str, before: &Seen, all_seen: bool, wanted: bool) -> Logic {
    let (name, value) = argument.split_once('=').map_or((argument, None), |(name, value)| (name, Some(value)));
    let found = match before.first.get(name) {
        Some(Some(text)) => Some(text.clone()),
        Some(None) => return Logic::Doubt,
        None if !all_seen || before.open => return Logic::Doubt,
        None => None,
    };
    let holds = found.as_deref().is_some_and(|text| value.is_none_or(|value| value == text));
    match (holds == wanted, found) {
        (true, found) => Logic::Each(vec![found.unwrap_or_default()]),
        (false, _) => Logic::Each(Vec::new()),
    }
}
