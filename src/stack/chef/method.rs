//! What Ruby's methods make of a value, as far as Chef files use them.

use crate::stack::chef::value::{Value, map, not_seen};
use crate::stack::fact::Answer;

/// `name` called on `value` with the text of its first argument.
pub(super) fn method(value: &Value, name: &str, argument: Option<String>) -> Answer<Value> {
    match (value, name, argument) {
        (Value::Hash(_) | Value::List(_), "[]" | "fetch" | "dig", Some(key)) => {
            value.get(&key).unwrap_or(Answer::Absent)
        }
        (Value::Hash(_) | Value::List(_), "to_hash" | "to_h" | "to_a" | "dup" | "freeze" | "compact", None) => {
            Answer::Known(value.clone())
        }
        (Value::List(items), "first", None) => items.first().cloned().unwrap_or(Answer::Absent),
        (Value::List(items), "last", None) => items.last().cloned().unwrap_or(Answer::Absent),
        (Value::List(items), "sort", None) => sorted(items.clone(), |item| match item {
            Answer::Known(value) => value.print().known(),
            _ => None,
        }),
        (Value::Hash(pairs), "sort", None) => {
            let pair = |(key, value): &(String, Answer<Value>)| {
                Answer::Known(Value::List(vec![Answer::Known(Value::Text(key.clone())), value.clone()]))
            };
            let key = |item: &Answer<Value>| match item {
                Answer::Known(Value::List(pair)) => match pair.first() {
                    Some(Answer::Known(key)) => key.print().known(),
                    _ => None,
                },
                _ => None,
            };
            sorted(pairs.all.iter().map(pair).collect(), key)
        }
        (Value::List(items), "join", glue) => join(items, &glue.unwrap_or_default()),
        (Value::Hash(pairs), "keys", None) => {
            let keys = pairs.all.iter().map(|(key, _)| Answer::Known(Value::Text(key.clone())));
            Answer::Known(Value::List(keys.collect()))
        }
        (Value::Hash(pairs), "values", None) => {
            Answer::Known(Value::List(pairs.all.iter().map(|(_, value)| value.clone()).collect()))
        }
        // `new_resource.path`, and a Mash's `deploy.user`.
        (Value::Hash(pairs), key, None) if pairs.all.iter().any(|(name, _)| name == key) => {
            pairs.get(key).unwrap_or(Answer::Absent)
        }
        (Value::List(_) | Value::Hash(_), _, _) => not_seen(&format!("the result of `{name}`")),
        (Value::Int(left), "+", Some(right)) => number(right.parse().ok().and_then(|right| left.checked_add(right))),
        (Value::Int(left), "*", Some(right)) => number(right.parse().ok().and_then(|right| left.checked_mul(right))),
        (scalar, name, argument) => match scalar.print() {
            Answer::Known(text) => text_method(&text, name, argument.as_deref()),
            other => map(other, Value::Text),
        },
    }
}

/// The items by their keys; unknown where one has none.
fn sorted(items: Vec<Answer<Value>>, key: impl Fn(&Answer<Value>) -> Option<String>) -> Answer<Value> {
    let keyed: Option<Vec<_>> = items.into_iter().map(|item| Some((key(&item)?, item))).collect();
    let Some(mut keyed) = keyed else { return not_seen("the result of `sort`") };
    keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
    Answer::Known(Value::List(keyed.into_iter().map(|(_, item)| item).collect()))
}

/// `File.dirname` and `File.basename` of a path; `None` for other methods of `File`.
pub(super) fn file_method(name: &str, path: &str) -> Option<Answer<Value>> {
    let path = path.trim_end_matches('/');
    let (folder, base) = path.rsplit_once('/').unwrap_or((".", path));
    let text = match name {
        "dirname" if folder.is_empty() => "/",
        "dirname" => folder,
        "basename" => base,
        _ => return None,
    };
    Some(Answer::Known(Value::Text(text.to_owned())))
}

fn text_method(text: &str, name: &str, argument: Option<&str>) -> Answer<Value> {
    let changed = match (name, argument) {
        ("to_s" | "to_sym" | "dup" | "freeze", _) => text.to_owned(),
        ("strip", None) => text.trim().to_owned(),
        ("chomp", None) => text.trim_end_matches(['\n', '\r']).to_owned(),
        ("chomp", Some(end)) => text.strip_suffix(end).unwrap_or(text).to_owned(),
        ("downcase", None) => text.to_lowercase(),
        ("upcase", None) => text.to_uppercase(),
        ("+", Some(more)) => format!("{text}{more}"),
        ("split", Some(glue)) if !glue.is_empty() && glue != " " => {
            let parts = text.trim_end_matches(glue).split(glue).map(|part| Answer::Known(Value::Text(part.to_owned())));
            return Answer::Known(Value::List(parts.collect()));
        }
        ("to_i", None) => return number(text.parse().ok()),
        _ => return not_seen(&format!("the result of `{name}`")),
    };
    Answer::Known(Value::Text(changed))
}

fn join(items: &[Answer<Value>], glue: &str) -> Answer<Value> {
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Answer::Known(value) => match value.print() {
                Answer::Known(text) => texts.push(text),
                other => return map(other, Value::Text),
            },
            Answer::Absent => texts.push(String::new()),
            Answer::Unknown(missing) => return Answer::Unknown(missing.clone()),
        }
    }
    Answer::Known(Value::Text(texts.join(glue)))
}

fn number(value: Option<i64>) -> Answer<Value> {
    value.map_or_else(|| not_seen("the number that the recipe works out"), |value| Answer::Known(Value::Int(value)))
}
