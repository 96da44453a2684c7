//! Local variables of a Chef file: what an assignment, a change in place, or the end of a condition leaves in them.

use std::collections::BTreeMap;

use crate::stack::chef::choice;
use crate::stack::chef::platform::Platforms;
use crate::stack::chef::value::{Value, not_seen};
use crate::stack::fact::Answer;
use crate::syntax::ruby::{Assign, Call, Expr, Kind};

/// Local variables.
pub type Locals = BTreeMap<String, Answer<Value>>;

/// The local variables after a condition, from what they are at the end of each way through it.
pub fn join_ways(mut ways: Vec<(Platforms, Locals)>) -> Locals {
    if ways.len() == 1 {
        return ways.remove(0).1;
    }
    let names: Vec<String> = ways.iter().flat_map(|(_, locals)| locals.keys().cloned()).collect();
    let mut joined = Locals::new();
    for name in names {
        if joined.contains_key(&name) {
            continue;
        }
        // A variable that a way does not set is nil after it.
        let value = |locals: &Locals| locals.get(&name).cloned().unwrap_or(Answer::Absent);
        let first = value(&ways[0].1);
        let is_same = !matches!(first, Answer::Unknown(_)) && ways.iter().all(|(_, locals)| value(locals) == first);
        let value = if is_same {
            first
        } else {
            choice::one_of(ways.iter().map(|(platforms, locals)| (*platforms, value(locals))))
        };
        joined.insert(name, value);
    }
    joined
}

/// After `name = value`, or `name['key'] = value`: a known hash gets a literal key, any other change leaves it unknown.
pub fn assign(locals: &mut Locals, assign: &Assign, value: Answer<Value>) {
    if let Kind::Local(name) = &assign.target.kind {
        locals.insert(name.clone(), value);
        return;
    }
    let Some(name) = variable(&assign.target) else { return };
    let changed = match (locals.remove(name), assign.target.call()) {
        (Some(Answer::Known(Value::Hash(mut pairs))), Some(call)) if assign.operator.is_empty() => {
            let key = call.receiver.as_ref().filter(|receiver| matches!(receiver.kind, Kind::Local(_)));
            match key.and(call.first_literal()) {
                Some(key) if call.name == "[]" => {
                    pairs.all.retain(|(name, _)| *name != key);
                    pairs.all.push((key, value));
                    Answer::Known(Value::Hash(pairs))
                }
                _ => changed_in_place(name),
            }
        }
        _ => changed_in_place(name),
    };
    locals.insert(name.to_owned(), changed);
}

/// After a call such as `name << item`, which changes what the variable holds.
pub fn after_call(locals: &mut Locals, call: &Call) {
    const CHANGE: [&str; 11] =
        ["<<", "push", "append", "unshift", "concat", "merge!", "update", "store", "delete", "insert", "replace"];
    let is_change = CHANGE.contains(&call.name.as_str()) || (call.name.ends_with('!') && call.name != "!");
    if let Some(name) = call.receiver.as_ref().filter(|_| is_change).and_then(variable) {
        locals.insert(name.to_owned(), changed_in_place(name));
    }
}

/// The variable that an index or a call goes out from.
fn variable(mut expr: &Expr) -> Option<&str> {
    loop {
        match &expr.kind {
            Kind::Local(name) => return Some(name),
            Kind::Call(call) => expr = call.receiver.as_ref()?,
            _ => return None,
        }
    }
}

fn changed_in_place(name: &str) -> Answer<Value> {
    not_seen(&format!("`{name}`, which is changed in place"))
}
