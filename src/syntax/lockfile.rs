//! Reader for the lock files of Python's packagers: which release of each package is installed. `poetry.lock`, `uv.lock` and
//! `pdm.lock` hold `[[package]]` tables with `name` and `version`, `Pipfile.lock` an object for each package; all of them
//! are written by programs, one key a line.

use crate::source::{Located, Span};
use crate::syntax::requirements::Requirement;

/// The packages in order, each with the one release that is installed.
pub fn parse(path: &str, text: &str) -> Vec<Requirement> {
    if path.ends_with("Pipfile.lock") { of_pipfile(text) } else { of_tables(text) }
}

/// Whether a file of this name is one.
pub fn is_lock_file(name: &str) -> bool {
    matches!(name, "poetry.lock" | "uv.lock" | "pdm.lock" | "Pipfile.lock")
}

fn of_tables(text: &str) -> Vec<Requirement> {
    let mut all: Vec<Requirement> = Vec::new();
    // The name of the table being read, until its version came.
    let mut open: Option<Located<String>> = None;
    let mut within = false;
    for (line, start) in lines(text) {
        if line.starts_with('[') {
            within = line.trim_end() == "[[package]]";
            open = None;
        } else if let Some((value, span)) = value_of(line, start, "name", " = ").filter(|_| within) {
            open = Some(Located::new(normal(value), span));
        } else if let Some((version, _)) = value_of(line, start, "version", " = ").filter(|_| within) {
            all.extend(open.take().map(|name| Requirement { name, bounds: format!("=={version}") }));
        }
    }
    all
}

fn of_pipfile(text: &str) -> Vec<Requirement> {
    let mut all = Vec::new();
    let mut open: Option<Located<String>> = None;
    let mut is_default = false;
    for (line, start) in lines(text) {
        let trimmed = line.trim();
        let indent = line.len() - line.trim_start().len();
        if let Some(key) = trimmed.strip_prefix('"').and_then(|rest| rest.strip_suffix("\": {")) {
            // What is for development alone is not installed on a server.
            if indent <= 4 {
                is_default = key == "default";
            } else if is_default {
                let from = start + indent + 1;
                open = Some(Located::new(normal(key), Span::new(from, from + key.len())));
            }
        } else if let Some((version, _)) = value_of(trimmed, start, "\"version\"", ": ") {
            let bounds = version.to_owned();
            all.extend(open.take().map(|name| Requirement { name, bounds }));
        }
    }
    all
}

/// The quoted value of `key`, and where it stands.
fn value_of<'t>(line: &'t str, start: usize, key: &str, between: &str) -> Option<(&'t str, Span)> {
    let quoted = line.strip_prefix(key)?.strip_prefix(between)?.strip_prefix('"')?;
    let value = &quoted[..quoted.find('"')?];
    let from = start + line.len() - quoted.len();
    Some((value, Span::new(from, from + value.len())))
}

/// Each line without its end, and where it starts.
fn lines(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (line.trim_end_matches(['\n', '\r']), start)
    })
}

/// A name as pip compares it.
fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, text: &str) -> Vec<(String, String, String)> {
        let shown = |row: Requirement| (row.name.span.of(text).to_owned(), row.name.value, row.bounds);
        parse(path, text).into_iter().map(shown).collect()
    }

    #[test]
    fn tables_with_a_name_and_a_version() {
        let text = "# by hand\n[[package]]\nname = \"Flask_SQLAlchemy\"\nversion = \"2.5.1\"\n\n[package.dependencies]\n\
                    name = \"no\"\nversion = \"1\"\n\n[[package]]\nname = \"lost\"\n[metadata]\nversion = \"2\"\n";
        let expected = ("Flask_SQLAlchemy".into(), "flask-sqlalchemy".into(), "==2.5.1".into());
        assert_eq!(read("poetry.lock", text), [expected]);
    }

    #[test]
    fn what_pipenv_installs_on_a_server() {
        let text = "{\n    \"_meta\": {\n        \"hash\": {\n            \"sha256\": \"x\"\n        }\n    },\n    \"default\": {\n        \
                    \"sqlalchemy\": {\n            \"hashes\": [\n            ],\n            \"version\": \"==1.3.24\"\n        }\n    },\n    \
                    \"develop\": {\n        \"black\": {\n            \"version\": \"==21.0\"\n        }\n    }\n}\n";
        assert_eq!(read("app/Pipfile.lock", text), [("sqlalchemy".into(), "sqlalchemy".into(), "==1.3.24".into())]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "[\\[\\]\"a-z= :{}\n]{0,200}") {
            for path in ["poetry.lock", "Pipfile.lock"] {
                for row in parse(path, &text) {
                    proptest::prop_assert!(text.get(row.name.span.range()).is_some());
                }
            }
        }
    }
}
