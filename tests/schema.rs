//! What the commands print for programs, beside the schemas that are published for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Runs a command as a program would, and holds its output to the schema of that name.
fn hold(schema: &str, arguments: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join(format!("docs/schema/{schema}.schema.json"))).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_housecall")).args(arguments).current_dir(root).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "housecall {}:\n{}", arguments.join(" "), errors.join("\n"));
}

#[test]
fn lint_prints_what_its_schema_says() {
    hold("lint", &["lint", "fixtures/thena", "--format", "json"]);
    hold("lint", &["lint", "fixtures/thena-cured", "fixtures/nowhere", "--format", "json"]);
}

#[test]
fn facts_print_what_their_schema_says() {
    hold("facts", &["facts", "fixtures/thena"]);
    hold("facts", &["facts", "fixtures/thena-eager"]);
}

#[test]
fn rules_print_what_their_schema_says() {
    hold("rules", &["rules", "--format", "json"]);
}
