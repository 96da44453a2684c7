//! SARIF 2.1.0, for code scanning and editors: one run, with the rules that spoke and what they found.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::finding::{Finding, Fix, InputError, Label, Report, Safety};
use crate::output::fingerprint::fingerprints;
use crate::output::paint::word;
use crate::output::{Format, Position, Shown, Texts};
use crate::rule::page::Page;
use crate::source::{FileId, Origin, Place, Span};

/// The format's name is `sarif`.
#[derive(Debug, Clone, Copy)]
pub struct Sarif<'p> {
    /// The pages that were judged by: what a viewer shows beside a result.
    pub pages: &'p [Page],
}

impl Format for Sarif<'_> {
    fn write(&self, report: &Report, texts: &Texts<'_>, shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
        // Fingerprints count twins over the whole report, so that they do not depend on what is shown.
        let all = report.findings.iter().zip(fingerprints(report, texts));
        let found: Vec<(&Finding, String)> =
            all.filter(|(finding, _)| finding.severity >= shown.min_severity).collect();
        let mut rules: BTreeMap<&str, &Finding> = BTreeMap::new();
        for (finding, _) in &found {
            rules.entry(&finding.rule).or_insert(finding);
        }
        let index = |rule: &str| rules.keys().position(|id| *id == rule);
        let results: Vec<Value> = found
            .iter()
            .map(|(finding, fingerprint)| result(finding, index(&finding.rule), fingerprint, texts))
            .collect();
        let rules: Vec<Value> = rules.values().map(|finding| self.rule(finding, texts)).collect();
        let log = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": env!("CARGO_PKG_NAME"),
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "informationUri": "https://github.com/housecall/housecall",
                    "rules": rules,
                } },
                "invocations": [invocation(&report.errors, texts)],
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        });
        serde_json::to_writer_pretty(&mut *out, &log)?;
        writeln!(out)
    }
}

impl Sarif<'_> {
    /// What the page of a finding's rule says to whoever meets it first.
    fn rule(&self, finding: &Finding, texts: &Texts<'_>) -> Value {
        let Some(page) = self.pages.iter().find(|page| page.id == finding.rule) else {
            return json!({ "id": finding.rule, "shortDescription": { "text": texts.clean(&finding.title) } });
        };
        let prose = texts.clean_lines(&page.prose);
        let first: Vec<&str> = prose.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
        let mut rule = json!({
            "id": page.id,
            "shortDescription": { "text": texts.clean(&page.title) },
            "fullDescription": { "text": first.join(" ") },
            "help": { "text": prose, "markdown": prose },
            "defaultConfiguration": { "level": word(page.severity) },
        });
        if let Some(address) = page.see.first() {
            rule["helpUri"] = texts.clean(address).into();
        }
        rule
    }
}

fn result(finding: &Finding, rule: Option<usize>, fingerprint: &str, texts: &Texts<'_>) -> Value {
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": word(finding.severity),
        "message": { "text": texts.clean(&finding.message) },
        "locations": [location(&finding.primary, texts)],
        "partialFingerprints": { "housecall/v1": fingerprint },
    });
    let related: Vec<Value> = finding.related.iter().map(|label| location(label, texts)).collect();
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    if let Some(fix) = finding.fix.as_ref().and_then(|fix| fix_object(fix, texts)) {
        result["fixes"] = json!([fix]);
    }
    result
}

/// A place in a file or folder is physical. What a probe saw is no artifact that a viewer could open: it has a name only.
fn location(label: &Label, texts: &Texts<'_>) -> Value {
    let Place { file, .. } = label.place;
    let mut location = if texts.source(file).origin == Origin::Probe {
        json!({ "logicalLocations": [{ "name": texts.name(file), "kind": "resource" }] })
    } else {
        json!({ "physicalLocation": {
            "artifactLocation": { "uri": uri(file, texts) },
            // Code scanning asks for a line even where a whole file or folder is meant.
            "region": texts.position(label.place).map_or_else(|| json!({ "startLine": 1 }), region),
        } })
    };
    if !label.text.is_empty() {
        location["message"] = json!({ "text": texts.clean(&label.text) });
    }
    location
}

fn region(at: Position) -> Value {
    json!({ "startLine": at.line, "startColumn": at.column, "endLine": at.end_line, "endColumn": at.end_column })
}

/// `None` where there is no edit, or where one holds a secret: with the mask in its place it would break the file.
fn fix_object(fix: &Fix, texts: &Texts<'_>) -> Option<Value> {
    let mut changes: BTreeMap<FileId, Vec<Value>> = BTreeMap::new();
    for edit in &fix.edits {
        if texts.clean_lines(&edit.text) != edit.text || texts.source(edit.file).origin != Origin::File {
            return None;
        }
        changes.entry(edit.file).or_default().push(json!({
            "deletedRegion": region(exact(edit.file, edit.span, texts)),
            "insertedContent": { "text": edit.text },
        }));
    }
    let changes: Vec<Value> = changes
        .into_iter()
        .map(|(file, replacements)| {
            json!({ "artifactLocation": { "uri": uri(file, texts) }, "replacements": replacements })
        })
        .collect();
    let title = texts.clean(&fix.title);
    let title = if fix.safety == Safety::Safe { title } else { format!("{title} (read it first)") };
    (!changes.is_empty()).then(|| json!({ "description": { "text": title }, "artifactChanges": changes }))
}

/// Lines and columns of every byte of an edit, the line end that it may close with included.
fn exact(file: FileId, span: Span, texts: &Texts<'_>) -> Position {
    let source = texts.source(file);
    let ((line, column), (end_line, end_column)) = (source.line_column(span.start), source.line_column(span.end));
    Position { line, column, end_line, end_column }
}

/// The run itself: it succeeded where every input could be read.
fn invocation(errors: &[InputError], texts: &Texts<'_>) -> Value {
    let notification = |error: &InputError| {
        let text = format!("{}: {}", texts.clean(&error.path), texts.clean(&error.message));
        json!({ "level": "error", "message": { "text": text } })
    };
    json!({
        "executionSuccessful": errors.is_empty(),
        "toolExecutionNotifications": errors.iter().map(notification).collect::<Vec<_>>(),
    })
}

/// The URI of a file or folder: relative to the working directory as its path is, or with `file://`.
fn uri(file: FileId, texts: &Texts<'_>) -> String {
    let source = texts.source(file);
    let name = if source.name.is_empty() { "." } else { &source.name };
    let mut uri = if name.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in name.trim_end_matches('/').bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => _ = write!(uri, "%{byte:02X}"),
        }
    }
    if source.origin == Origin::Folder {
        uri.push('/');
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn a_path_becomes_a_uri() {
        let mut sources = Sources::default();
        let names = ["a b/caf\u{e9}%.ini", "C:x#?.ini", "/etc/nginx/nginx.conf", "../app/wsgi.py"];
        let files = names.map(|name| sources.add(name, Vec::new(), Origin::File));
        let folders = ["cookbooks/thena", ""].map(|name| sources.add_folder(name));
        let texts = Texts::new(&sources);
        let uris: Vec<String> = files.iter().chain(&folders).map(|file| uri(*file, &texts)).collect();
        assert_eq!(
            uris,
            [
                "a%20b/caf%C3%A9%25.ini",
                "C%3Ax%23%3F.ini",
                "file:///etc/nginx/nginx.conf",
                "../app/wsgi.py",
                "cookbooks/thena/",
                "./"
            ]
        );
    }

    #[test]
    fn an_edit_is_exact_and_never_writes_a_mask() {
        let mut sources = Sources::default();
        let file = sources.add("a.ini", "\u{e9} = 1\nenv = PASSWORD=hunter2!\nb\n".as_bytes().to_vec(), Origin::File);
        let texts = Texts::new(&sources);
        let fix = |start, end, text: &str| {
            let edits = vec![crate::finding::Edit { file, span: Span::new(start, end), text: text.to_owned() }];
            fix_object(&Fix { title: "do it".to_owned(), safety: Safety::Unsafe, edits }, &texts)
        };
        let whole_line = fix(0, 7, "").unwrap_or_default();
        let replacement = &whole_line["artifactChanges"][0]["replacements"][0];
        assert_eq!(
            replacement["deletedRegion"],
            json!({ "startLine": 1, "startColumn": 1, "endLine": 2, "endColumn": 1 })
        );
        assert_eq!(whole_line["description"]["text"], "do it (read it first)");
        assert_eq!(fix(3, 3, "env = PASSWORD=hunter2!\n"), None);
    }
}
