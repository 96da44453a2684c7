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

/// The healthy host of the fixtures with its socket closed to nginx: a folder as `housecall record` packs it.
fn broken_host() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let healthy = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hosts/healthy");
    assert!(Command::new("cp").arg("-r").arg(healthy.join(".")).arg(folder.path()).status().unwrap().success());
    let table = folder.path().join("host.toml");
    let text = std::fs::read_to_string(&table).unwrap();
    assert!(text.contains("mode = \"0660\""));
    std::fs::write(table, text.replace("mode = \"0660\"", "mode = \"0600\"")).unwrap();
    folder
}

#[test]
fn doctor_prints_what_its_schema_says() {
    let healthy = hold("docs/schema/doctor", &["doctor", "--from", "fixtures/hosts/healthy", "--format", "json"]);
    assert!(
        healthy["hops"]
            .as_array()
            .unwrap()
            .iter()
            .all(|hop| ["ok", "not_applicable"].contains(&hop["state"].as_str().unwrap()))
    );
    let host = broken_host();
    let broken = hold("docs/schema/doctor", &["doctor", "--from", host.path().to_str().unwrap(), "--format", "json"]);
    assert_eq!(broken["root_causes"][0]["rule"], "socket/not-permitted");
    hold(
        "docs/schema/doctor",
        &["doctor", "--from", "fixtures/hosts/healthy", "--no-network", "--site", "none", "--format", "json"],
    );
}

/// A terminal of 80 columns shows every line whole, and colours change nothing but colours.
#[test]
fn doctor_fits_into_80_columns_with_and_without_colours() {
    let host = broken_host();
    let said = |flags: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_housecall"));
        let output = command.args(["doctor", "--from"]).arg(host.path()).args(flags).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let plain = said(&["--color", "never"]);
    // A command is copied, so it is never broken.
    let text = plain.lines().filter(|line| !line.starts_with("  sudo ") && !line.starts_with("  curl "));
    let wide: Vec<&str> = text.filter(|line| line.chars().count() > 80).collect();
    assert_eq!(wide, Vec::<&str>::new());
    let coloured = said(&["--color", "always"]);
    let mut bare = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, code)) = rest.split_once("\u{1b}[") {
        bare += before;
        rest = code.split_once('m').unwrap().1;
    }
    assert_eq!(bare + rest, plain);
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
