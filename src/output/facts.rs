//! The tables of facts as JSON, masked: a value beside a telling name is a secret, however short.

use std::io::{self, Write};

use serde_json::{Map, Value};

use crate::output::Texts;

/// Writes `facts`, whatever its shape, with every text masked.
///
/// # Errors
/// Only those of `out`.
pub fn write(facts: &Value, texts: &Texts<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &masked(facts, "", texts))?;
    writeln!(out)
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
        write(&facts, &Texts::new(&sources), &mut out).unwrap_or_default();
        let shown: Value = serde_json::from_slice(&out).unwrap_or_default();
        let expected = serde_json::json!({
            "env_values": [{"name": "DB_PASSWORD", "value": "***"}, {"name": "HOME", "value": "/srv"}],
            "password": "**", "url": "postgres://u:***@db/app", "workers": 5,
        });
        assert_eq!(shown, expected);
    }
}
