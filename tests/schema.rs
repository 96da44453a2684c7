//! What the commands print for programs, beside the schemas that are published for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Runs a command as a program would, and holds its output to the schema at that path.
fn hold(schema: &str, arguments: &[&str]) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join(format!("{schema}.schema.json"))).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_housecall")).args(arguments).current_dir(root).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "housecall {}:\n{}", arguments.join(" "), errors.join("\n"));
    json
}

#[test]
fn lint_prints_what_its_schema_says() {
    hold("docs/schema/lint", &["lint", "fixtures/thena", "--format", "json"]);
    hold("docs/schema/lint", &["lint", "fixtures/thena-cured", "fixtures/nowhere", "--format", "json"]);
}

/// SARIF is not ours: `sarif.schema.json` holds what of it we write, and code scanning's further demands.
#[test]
fn sarif_is_what_its_viewers_expect() {
    let json = hold("tests/sarif", &["lint", "fixtures/thena", "--format", "sarif", "--min-severity", "note"]);
    hold("tests/sarif", &["lint", "fixtures/thena-cured", "fixtures/nowhere", "--format", "sarif"]);
    let run = &json["runs"][0];
    let (rules, results) = (run["tool"]["driver"]["rules"].as_array().unwrap(), run["results"].as_array().unwrap());
    assert!(results.len() > 10, "{}", results.len());
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
    }
    let ids: BTreeSet<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), rules.len(), "each rule once");
    let fingerprint = |result: &Value| result["partialFingerprints"]["housecall/v1"].to_string();
    assert_eq!(results.iter().map(fingerprint).collect::<BTreeSet<_>>().len(), results.len(), "no two results are one");
}

#[test]
fn facts_print_what_their_schema_says() {
    hold("docs/schema/facts", &["facts", "fixtures/thena"]);
    hold("docs/schema/facts", &["facts", "fixtures/thena-eager"]);
}

#[test]
fn rules_print_what_their_schema_says() {
    hold("docs/schema/rules", &["rules", "--format", "json"]);
}

#[test]
fn why_prints_what_its_schema_says() {
    let json = hold("docs/schema/why", &["why", "tests/cli/why.in/uwsgi.log", "--format", "json"]);
    assert_eq!(json["leads"][0]["rule"], "uwsgi/pool-shared-by-forks");
    hold("docs/schema/why", &["why", "Makefile", "--format", "json"]);
}
