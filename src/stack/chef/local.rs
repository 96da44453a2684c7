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

/// After `name = value`, or `name['a']['b'] = value`: what is put into a known hash under literal keys is known.
pub fn assign(locals: &mut Locals, assign: &Assign, value: Answer<Value>) {
    let Some((name, keys)) = path(&assign.target) else { return };
    let value = match assign.operator.as_str() {
        "" | "||" => value,
        _ => changed_in_place(name),
    };
    put(locals, name, keys, value, assign.operator == "||");
}

/// After a call such as `name << item`, which changes what the variable holds.
pub fn after_call(locals: &mut Locals, call: &Call) {
    const CHANGE: [&str; 11] =
        ["<<", "push", "append", "unshift", "concat", "merge!", "update", "store", "delete", "insert", "replace"];
    let is_change = CHANGE.contains(&call.name.as_str()) || (call.name.ends_with('!') && call.name != "!");
    if let Some((name, keys)) = call.receiver.as_ref().filter(|_| is_change).and_then(path) {
        put(locals, name, keys, changed_in_place(name), false);
    }
}

/// The variable that an index or a call goes out from, and the keys to it; `None` for a key that is not literal.
fn path(mut expr: &Expr) -> Option<(&str, Vec<Option<String>>)> {
    let mut keys = Vec::new();
    loop {
        match &expr.kind {
            Kind::Local(name) => {
                keys.reverse();
                return Some((name, keys));
            }
            Kind::Call(call) => {
                keys.push(call.first_literal().filter(|_| call.name == "[]" && call.arguments.len() == 1));
                expr = call.receiver.as_ref()?;
            }
            _ => return None,
        }
    }
}

/// Sets what lies under `keys` in a variable: up to the first key that is not literal, under which all is unknown then.
fn put(locals: &mut Locals, name: &str, keys: Vec<Option<String>>, value: Answer<Value>, only_if_absent: bool) {
    let hidden = keys.iter().any(Option::is_none);
    let value = if hidden { changed_in_place(name) } else { value };
    let keys: Vec<String> = keys.into_iter().map_while(|key| key).collect();
    let before = locals.remove(name).unwrap_or(Answer::Absent);
    locals.insert(name.to_owned(), with(before, &keys, value, only_if_absent && !hidden));
}

/// `whole` with `value` under `keys`. What is no hash is changed in a way that nobody sees.
fn with(whole: Answer<Value>, keys: &[String], value: Answer<Value>, only_if_absent: bool) -> Answer<Value> {
    let Some((key, rest)) = keys.split_first() else {
        let stays = only_if_absent && !matches!(whole, Answer::Absent | Answer::Known(Value::Bool(false)));
        return if stays { whole } else { value };
    };
    let Answer::Known(Value::Hash(mut pairs)) = whole else { return changed_in_place(key) };
    let at = pairs.all.iter().position(|(name, _)| name == key);
    let inner = match at {
        Some(at) => pairs.all.remove(at).1,
        None => pairs.get(key).unwrap_or(Answer::Absent),
    };
    pairs.all.insert(at.unwrap_or(pairs.all.len()), (key.clone(), with(inner, rest, value, only_if_absent)));
    Answer::Known(Value::Hash(pairs))
}

fn changed_in_place(name: &str) -> Answer<Value> {
    not_seen(&format!("`{name}`, which is changed in place"))
}

#[cfg(test)]
mod tests {
    use crate::stack::chef::attributes::Attributes;
    use crate::stack::chef::scope::{Scope, evaluate};
    use crate::stack::chef::walk::walk;
    use crate::syntax::ruby;

    #[test]
    fn what_changes_leave_in_a_variable() {
        let text = "a = { 'x' => 1, 'y' => { 'z' => 2 } }\na['y']['w'] = 3\na['v'] ||= 4\na['x'] ||= 5\na['y']['z'] += 1\n\
                    a['l'] = ['b']\na['l'] << 'c'\na['m'] = {}\na['m'][other] = 6\nb = !a['x']\nc = { 'p' => 7 }\nc.delete('p')\n";
        let attributes = Attributes::default();
        let mut scope = Scope::of(attributes.seen_by(&[]));
        walk(&ruby::parse(text).tree.body, &mut scope, false, &mut |_| false);
        // In a text of its own a local variable is a call.
        let printed = |code: &str| evaluate(code, &scope).known();
        for (code, expected) in [("a['x']", "1"), ("a['y']['w']", "3"), ("a['v']", "4")] {
            assert_eq!(printed(code).as_deref(), Some(expected), "{code}");
        }
        for code in ["a['y']['z']", "a['l'].first", "a['m']['k']", "c['p']"] {
            assert_eq!(printed(code), None, "{code}");
        }
    }
}
