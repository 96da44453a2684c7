//! The tables of facts as JSON, masked: a value beside a telling name is a secret, however short.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::output::Texts;
use crate::stack::fact::{Answer, Basis, Fact, Leaf, Row};
use crate::stack::facts::Facts;

/// Writes every table, with every text masked; documented by `docs/schema/facts.schema.json`.
///
/// A row names its place and its facts; a fact is `{"value": …}`, `{"absent": true}` or `{"unknown": "what is lacked"}`,
/// with the place it was read at where it has one of its own.
///
/// # Errors
/// Only those of `out`.
pub fn write(facts: &Facts, texts: &Texts<'_>, out: &mut dyn Write) -> io::Result<()> {
    let tables: Map<String, Value> = facts
        .tables()
        .map(|(name, rows)| (name.to_owned(), rows.iter().map(|row| row_object(row.as_ref(), texts)).collect()))
        .collect();
    let tool = json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") });
    write_masked(&json!({ "schema_version": 1, "tool": tool, "tables": tables }), texts, out)
}

fn write_masked(tables: &Value, texts: &Texts<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &masked(tables, "", texts))?;
    writeln!(out)
}

fn row_object(row: &dyn Row, texts: &Texts<'_>) -> Value {
    let mut object = Map::new();
    object.insert("at".to_owned(), place_text(row.place(), texts).into());
    for column in row.schema().columns {
        if let Some(fact) = row.fact(column.name) {
            object.insert(column.name.to_owned(), fact_object(&fact, texts));
        }
    }
    Value::Object(object)
}

fn fact_object(fact: &Fact<Leaf>, texts: &Texts<'_>) -> Value {
    let mut object = match &fact.answer {
        Answer::Known(leaf) => json!({ "value": leaf_value(leaf, texts) }),
        Answer::Absent => json!({ "absent": true }),
        Answer::Unknown(missing) => json!({ "unknown": missing.what, "how": missing.how }),
    };
    if fact.basis == Basis::Default {
        object["default"] = true.into();
    }
    if let Some(place) = fact.place {
        object["at"] = place_text(place, texts).into();
    }
    object
}

/// A row inside a row is named by its place; its own facts stand in its own table.
fn leaf_value(leaf: &Leaf, texts: &Texts<'_>) -> Value {
    match leaf {
        Leaf::Bool(value) => (*value).into(),
        Leaf::Int(value) => (*value).into(),
        Leaf::Text(text) => text.clone().into(),
        Leaf::List(items) => items.clone().into(),
        Leaf::Row(row) => json!({ "table": row.schema().table, "at": place_text(row.place(), texts) }),
    }
}

fn place_text(place: crate::source::Place, texts: &Texts<'_>) -> String {
    match texts.position(place) {
        Some(position) => format!("{}:{}:{}", texts.name(place.file), position.line, position.column),
        None => texts.name(place.file),
    }
}

fn masked(value: &Value, name: &str, texts: &Texts<'_>) -> Value {
    match value {
        Value::String(text) => Value::String(under(name, text, texts)),
        Value::Array(all) => all.iter().map(|one| masked(one, name, texts)).collect(),
        Value::Object(fields) => {
            // `{"name": "DB_PASSWORD", "value": "…"}` says the key in another field.
            let said = ["name", "key"].iter().find_map(|field| fields.get(*field)?.as_str());
            let entry = |(field, value): (&String, &Value)| {
                let name = if field == "value" { said.unwrap_or(field) } else { field };
                (texts.clean(field), masked(value, name, texts))
            };
            Value::Object(fields.iter().map(entry).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// `text` as it may be shown where `name` names it.
fn under(name: &str, text: &str, texts: &Texts<'_>) -> String {
    let assigned = texts.clean_lines(&format!("{name}={text}"));
    // Masking keeps the length, so the name in front is as long as before.
    assigned.get(name.len() + 1..).map_or_else(String::new, |rest| texts.clean(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn a_telling_name_masks_its_value() {
        let sources = Sources::default();
        let facts = serde_json::json!({
            "env_values": [{"name": "DB_PASSWORD", "value": "abc"}, {"name": "HOME", "value": "/srv"}],
            "password": "x1", "url": "postgres://u:abc@db/app", "workers": 5,
        });
        let mut out = Vec::new();
        write_masked(&facts, &Texts::new(&sources), &mut out).unwrap_or_default();
        let shown: Value = serde_json::from_slice(&out).unwrap_or_default();
        let expected = serde_json::json!({
            "env_values": [{"name": "DB_PASSWORD", "value": "***"}, {"name": "HOME", "value": "/srv"}],
            "password": "**", "url": "postgres://u:***@db/app", "workers": 5,
        });
        assert_eq!(shown, expected);
    }
}
