//! housecall.toml: what a team decided about its own stack. Parsing only; the file is read elsewhere.

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::finding::Severity;
use crate::nearest::nearest;
use crate::source::{Located, Span};
use crate::syntax::data::Release;

/// A whole `housecall.toml`. Every part may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Which Chef the cookbooks are for, such as `opsworks-11`.
    pub target: Option<Located<String>>,
    /// Rule ids or `family/*`; only these are judged.
    pub select: Vec<Located<String>>,
    /// Rule ids or `family/*` that are not.
    pub ignore: Vec<Located<String>>,
    /// Findings below it are not shown and do not fail.
    pub min_severity: Option<Severity>,
    /// Whether other people's cookbooks (`vendor`, `berks-cookbooks`) and test data are judged too.
    pub vendored: bool,
    /// Where the app's source lies, relative to the file.
    pub app: Option<Located<String>>,
    /// The release of nginx that runs; any where left out.
    pub nginx: Option<Located<Release>>,
    /// The release of uWSGI that runs; any where left out.
    pub uwsgi: Option<Located<Release>>,
    /// JSON files with node attributes, relative to the file.
    pub attributes: Vec<Located<String>>,
    /// Folders with the team's own rule pages, relative to the file.
    pub rules: Vec<Located<String>>,
    /// Findings that are wanted as they are.
    pub allow: Vec<Allow>,
}

/// One `[[allow]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// A rule id or `family/*`.
    pub rule: Located<String>,
    /// A path or glob, relative to the file; everywhere where left out.
    pub path: Option<Located<String>>,
    /// Why; never empty.
    pub because: Located<String>,
    /// The last day it holds, `YYYY-MM-DD`.
    pub until: Option<Located<String>>,
    /// The whole entry's place, by its rule.
    pub span: Span,
}

/// Why a text is no configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong and, where it can be guessed, what was meant.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The bytes meant.
    pub span: Span,
}

/// Tables and their keys; the rest is a mistake.
const TABLES: &[(&str, &[&str])] = &[
    ("lint", &["target", "select", "ignore", "min-severity", "vendored"]),
    ("app", &["path"]),
    ("nginx", &["version"]),
    ("uwsgi", &["version"]),
    ("chef", &["attributes"]),
    ("rules", &["paths"]),
    ("allow", &["rule", "path", "because", "until"]),
];

/// The targets that `[lint] target` and `--target` know; `opsworks-11` is Chef 11.10.
pub const TARGETS: &[&str] =
    &["auto", "opsworks-11", "opsworks-11.10", "opsworks-11.4", "opsworks-12", "chef-server", "cookbook", "policyfile"];

#[derive(Deserialize, Default)]
#[serde(default)]
struct Raw {
    lint: RawLint,
    app: RawApp,
    nginx: RawProgram,
    uwsgi: RawProgram,
    chef: RawChef,
    rules: RawRules,
    allow: Vec<RawAllow>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct RawLint {
    target: Option<Spanned<String>>,
    select: Vec<Spanned<String>>,
    ignore: Vec<Spanned<String>>,
    min_severity: Option<Severity>,
    vendored: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawApp {
    path: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawProgram {
    version: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawChef {
    attributes: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawRules {
    paths: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
struct RawAllow {
    rule: Spanned<String>,
    path: Option<Spanned<String>>,
    because: Spanned<String>,
    until: Option<Spanned<toml::Value>>,
}

/// Reads the text of a `housecall.toml`.
///
/// # Errors
/// Bad TOML, an unknown table or key (with the nearest known one), a value of the wrong type, an unknown target, an
/// `[[allow]]` without a reason or with a date that is none, a version that is none.
pub fn parse(text: &str) -> Result<Config, ConfigError> {
    let from_toml = |error: toml::de::Error| {
        let message = error.message().lines().collect::<Vec<_>>().join(" ");
        at(text, error.span().unwrap_or_default(), message)
    };
    check_keys(text, DeTable::parse(text).map_err(from_toml)?.get_ref())?;
    let raw: Raw = toml::from_str(text).map_err(from_toml)?;
    if let Some(target) = raw.lint.target.as_ref().filter(|target| !TARGETS.contains(&target.get_ref().as_str())) {
        return Err(at(
            text,
            target.span(),
            format!("unknown target `{}`: one of {}", target.get_ref(), TARGETS.join(", ")),
        ));
    }
    Ok(Config {
        target: raw.lint.target.map(located),
        select: raw.lint.select.into_iter().map(located).collect(),
        ignore: raw.lint.ignore.into_iter().map(located).collect(),
        min_severity: raw.lint.min_severity,
        vendored: raw.lint.vendored,
        app: raw.app.path.map(located),
        nginx: raw.nginx.version.map(|version| release(text, version, "1.22 or 1.22.1")).transpose()?,
        uwsgi: raw.uwsgi.version.map(|version| release(text, version, "2.0 or 2.0.21")).transpose()?,
        attributes: raw.chef.attributes.into_iter().map(located).collect(),
        rules: raw.rules.paths.into_iter().map(located).collect(),
        allow: raw.allow.into_iter().map(|allow| checked_allow(text, allow)).collect::<Result<_, _>>()?,
    })
}

fn release(text: &str, version: Spanned<String>, such_as: &str) -> Result<Located<Release>, ConfigError> {
    let span = version.span();
    match version.get_ref().parse() {
        Ok(release) => Ok(Located::new(release, Span::new(span.start, span.end))),
        Err(_) => Err(at(text, span, format!("no version: `{}`, write it as {such_as}", version.get_ref()))),
    }
}

fn checked_allow(text: &str, raw: RawAllow) -> Result<Allow, ConfigError> {
    if raw.because.get_ref().trim().is_empty() {
        return Err(at(text, raw.because.span(), "`because` is empty: say why it is wanted as it is".to_owned()));
    }
    let until = raw.until.map(|until| {
        let span = until.span();
        let day = match until.into_inner() {
            toml::Value::String(day) => day,
            other => other.to_string(),
        };
        match is_day(&day) {
            true => Ok(Located::new(day, Span::new(span.start, span.end))),
            false => Err(at(text, span, format!("`until` is no day: `{day}`, write it as 2027-01-31"))),
        }
    });
    let rule = located(raw.rule);
    Ok(Allow {
        span: rule.span,
        rule,
        path: raw.path.map(located),
        because: located(raw.because),
        until: until.transpose()?,
    })
}

fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, length: usize| (part.len() == length).then(|| part.parse::<u32>().ok()).flatten();
    let [year, month, day] = parts.as_slice() else { return false };
    number(year, 4).is_some()
        && number(month, 2).is_some_and(|month| (1..=12).contains(&month))
        && number(day, 2).is_some_and(|day| (1..=31).contains(&day))
}

fn check_keys(text: &str, document: &DeTable<'_>) -> Result<(), ConfigError> {
    let tables: Vec<&str> = TABLES.iter().map(|(name, _)| *name).collect();
    for (name, value) in document {
        let Some((table, keys)) = TABLES.iter().find(|(table, _)| *table == name.get_ref().as_ref()) else {
            return Err(unknown(text, name.span(), "table", name.get_ref(), &tables));
        };
        let each: Vec<&DeTable<'_>> = match value.get_ref() {
            DeValue::Table(one) => vec![one],
            DeValue::Array(many) => many.iter().filter_map(|one| one.get_ref().as_table()).collect(),
            _ => Vec::new(),
        };
        for key in each.iter().flat_map(|one| one.keys()) {
            if !keys.contains(&key.get_ref().as_ref()) {
                return Err(unknown(text, key.span(), &format!("key in [{table}]"), key.get_ref(), keys));
            }
        }
    }
    Ok(())
}

fn unknown(text: &str, span: std::ops::Range<usize>, what: &str, name: &str, known: &[&str]) -> ConfigError {
    let hint = match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    at(text, span, format!("unknown {what}: `{name}`; {hint}"))
}

fn located(value: Spanned<String>) -> Located<String> {
    let span = value.span();
    Located::new(value.into_inner(), Span::new(span.start, span.end))
}

fn at(text: &str, span: std::ops::Range<usize>, message: String) -> ConfigError {
    let before = text.get(..span.start).unwrap_or(text);
    ConfigError { message, line: before.matches('\n').count() + 1, span: Span::new(span.start, span.end) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn error(text: &str) -> (usize, String) {
        let error = parse(text).unwrap_err();
        (error.line, error.message)
    }

    #[test]
    fn a_whole_file() {
        let text = r#"
[lint]
target = "opsworks-11"
select = ["nginx/*", "env/unset"]
min-severity = "note"

[app]
path = "../app"

[nginx]
version = "1.22"

[uwsgi]
version = "2.0.21"

[chef]
attributes = ["dna.json"]

[[allow]]
rule = "uwsgi/pool-shared-by-forks"
path = "cookbooks/thena/**"
because = "the app uses NullPool"
until = 2027-01-31

[[allow]]
rule = "chef/*"
because = "the cookbook goes away"
until = "2027-02-01"
"#;
        let config = parse(text).unwrap();
        assert_eq!(config.target.unwrap().span.of(text), "\"opsworks-11\"");
        assert_eq!(config.select.len(), 2);
        assert_eq!(config.min_severity, Some(Severity::Note));
        assert_eq!(config.nginx.unwrap().value.to_string(), "1.22");
        assert_eq!(config.uwsgi.unwrap().value.to_string(), "2.0.21");
        assert_eq!(config.allow[0].until.as_ref().unwrap().value, "2027-01-31");
        assert_eq!(config.allow[0].span.of(text), "\"uwsgi/pool-shared-by-forks\"");
        assert_eq!(config.allow[1].path, None);
        assert_eq!(parse("").unwrap(), Config::default());
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        assert_eq!(
            error("[lint]\nselct = []\n"),
            (2, "unknown key in [lint]: `selct`; did you mean `select`?".to_owned())
        );
        assert_eq!(error("\n[lnt]\n"), (2, "unknown table: `lnt`; did you mean `lint`?".to_owned()));
        assert_eq!(error("[app]\nbananas = 1\n"), (2, "unknown key in [app]: `bananas`; known here: path".to_owned()));
        assert!(error("[lint]\ntarget = \"opsworks\"\n").1.starts_with("unknown target `opsworks`: one of auto,"));
        assert!(error("[[allow]]\nrule = \"a/b\"\n").1.contains("because"));
        assert_eq!(error("[[allow]]\nrule = \"a/b\"\nbecause = \" \"\n").0, 3);
        assert_eq!(error("[[allow]]\nrule = \"a/b\"\nbecause = \"x\"\nuntil = \"soon\"\n").0, 4);
        assert_eq!(error("[lint]\nselect = \"nginx/*\"\n").0, 2);
        assert_eq!(error("[lint\n").0, 1);
        assert_eq!(
            error("[nginx]\nversion = \"stable\"\n"),
            (2, "no version: `stable`, write it as 1.22 or 1.22.1".to_owned())
        );
    }
}
