//! No finding comes from a filler: what is said of a template holds for the file that it becomes, whatever its tags print,
//! wherever the lines that the finding names are there; and there is a host on which they are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod made_up;
mod render;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use housecall::engine::{Options, Run, lint_memory};
use housecall::finding::{Effect, Finding, Label};
use housecall::rule::example::Show;
use housecall::rule::page::{self, Page};
use proptest::prelude::*;

use made_up::template;
use render::{Branches, Host, Language, Rendering, Template, Words};

static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| page::built_in().unwrap());

type Files = Vec<(String, Vec<u8>)>;

fn lint(files: &[(String, Vec<u8>)]) -> Run {
    lint_memory(files, &Options { pages: Some(PAGES.clone()), ..Options::default() })
}

/// What a host may make of the tags; `statements` are some of the language of the file.
fn hosts(statements: &[&'static str]) -> Vec<Host> {
    let words =
        [Words::Distinct, Words::Same("7"), Words::Same("/srv/alpha"), Words::Same("on"), Words::Two, Words::Same("")];
    let branches = [Branches::First, Branches::Last, Branches::ByTurns(0), Branches::ByTurns(1)];
    let mut all = Vec::new();
    for words in words {
        for branches in branches {
            let lines = statements.iter().copied().map(Some);
            all.extend(std::iter::once(None).chain(lines).map(|statement| Host { branches, words, statement }));
        }
    }
    all
}

/// A place of a finding in the template; none for a file as a whole.
fn place(run: &Run, label: &Label, path: &str) -> Option<Range<usize>> {
    let source = run.sources.get(label.place.file);
    label.place.span.filter(|_| source.name == path).map(|span| span.range())
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Whether the lines that a finding names are all there.
fn is_there(run: &Run, finding: &Finding, path: &str, text: &str, rendering: &Rendering) -> bool {
    std::iter::once(&finding.primary).chain(&finding.related).filter_map(|label| place(run, label, path)).all(|range| {
        let whole = || {
            let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
            start..text[range.start..].find('\n').map_or(text.len(), |at| range.start + at)
        };
        let line = whole();
        rendering.shows(&range) || (range.is_empty() && (line.is_empty() || rendering.shows(&line)))
    })
}

/// The pages that speak of what a tag asks for, which no rendering of it shows; exempt where the place is within a tag.
const OF_TAGS: [&str; 5] = [
    "cookbook/attribute-never-set",
    "cookbook/template-variable-not-given",
    "recipe/deploy-attribute-elsewhere",
    "recipe/deploy-attribute-gone",
    "recipe/value-not-escaped",
];

/// What is said of the template at `path` among `files` and does not hold for what it becomes.
fn unfounded(files: &Files, path: &str, language: Language) -> Option<Vec<String>> {
    let at = files.iter().position(|(name, _)| name == path).unwrap();
    let text = String::from_utf8(files[at].1.clone()).ok()?;
    let template = Template::parse(&text, language)?;
    let run = lint(files);
    let is_of_tags = |finding: &Finding| {
        let span = place(&run, &finding.primary, path);
        OF_TAGS.contains(&finding.rule.as_str()) && span.is_some_and(|span| template.is_within_tag(&span))
    };
    let of_template =
        |finding: &&Finding| run.sources.get(finding.primary.place.file).name == path && !is_of_tags(finding);
    let findings: Vec<&Finding> = run.report.findings.iter().filter(of_template).collect();
    if findings.is_empty() {
        return Some(Vec::new());
    }
    let line_in_template =
        |finding: &Finding| place(&run, &finding.primary, path).map(|range| line_of(&text, range.start));
    let said = |finding: &Finding| format!("{} at {:?}: {}", finding.rule, line_in_template(finding), finding.message);
    let refused: BTreeSet<(&str, Option<usize>)> =
        findings.iter().map(|finding| (finding.rule.as_str(), line_in_template(finding))).collect();
    let mut shown = BTreeSet::new();
    let mut faults = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for host in hosts(statements_of(path, &text)) {
        let rendering = template.render(host);
        if !seen.insert(rendering.text.clone()) {
            continue;
        }
        let mut rendered = files.clone();
        rendered[at].1 = rendering.text.clone().into_bytes();
        let again = lint(&rendered);
        let origin = |finding: &Finding| {
            let start = place(&again, &finding.primary, path).map(|range| range.start);
            start.map(|at| rendering.origin(at).map_or(1, |origin| line_of(&text, origin)))
        };
        let all = again.report.findings.iter();
        let of_file = all.filter(|finding| again.sources.get(finding.primary.place.file).name == path);
        let found: Vec<(&Finding, Option<usize>)> = of_file.map(|finding| (finding, origin(finding))).collect();
        let there = findings.iter().filter(|finding| is_there(&run, finding, path, &text, &rendering));
        let there: Vec<&&Finding> = there.collect();
        shown.extend(there.iter().map(|finding| said(finding)));
        // A file that is refused for what a tag printed is nobody's: the real program stops there.
        let is_new = |(finding, line): &&(&Finding, Option<usize>)| {
            finding.effect == Effect::Refused && !refused.contains(&(finding.rule.as_str(), *line))
        };
        if found.iter().any(|one| is_new(&one)) {
            continue;
        }
        let lines: BTreeSet<(&str, Option<usize>)> =
            found.iter().map(|(finding, line)| (finding.rule.as_str(), *line)).collect();
        for finding in there {
            if !lines.contains(&(finding.rule.as_str(), line_in_template(finding))) {
                faults.insert(format!("{}\n    not with {host:?}", said(finding)));
            }
        }
    }
    let nowhere = findings.iter().map(|finding| said(finding)).filter(|said| !shown.contains(said));
    faults.extend(nowhere.map(|said| format!("{said}\n    on no host are all its lines there")));
    Some(faults.into_iter().collect())
}

/// Statements of the language of the file, for a tag that stands alone on its line: what pages miss where it is not there.
fn statements_of(path: &str, text: &str) -> &'static [&'static str] {
    if text.contains("[uwsgi]") {
        &["need-app = true", "master = true"]
    } else if path.contains("etc/init/") {
        &["console log", "respawn", "stop on runlevel [016]"]
    } else {
        &["keepalive_timeout 7;"]
    }
}

fn language_of(path: &str) -> Language {
    if path.ends_with(".erb") { Language::Erb } else { Language::Jinja }
}

/// Checks each template on its own and says how many there were.
fn check(all: Vec<(Files, String, Language)>) -> usize {
    let mut faults = Vec::new();
    let (mut checked, mut skipped) = (0, Vec::new());
    for (files, path, language) in all {
        match unfounded(&files, &path, language) {
            Some(found) => {
                checked += 1;
                faults.extend(found.into_iter().map(|fault| format!("{path}: {fault}")));
            }
            None => skipped.push(path),
        }
    }
    println!("{checked} templates; {} whose blocks do not balance: {skipped:?}", skipped.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    checked
}

fn shared(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(folder)
}

#[test]
fn of_nginx_templates_nothing_unfounded_is_said() {
    let folder = shared("corpus/nginx");
    let Ok(index) = std::fs::read_to_string(folder.join("index.tsv")) else {
        println!("skipped: {} is not here", folder.display());
        return;
    };
    let mut all = Vec::new();
    for line in index.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let language = match columns.get(7) {
            Some(&"erb") => Language::Erb,
            Some(&"jinja" | &"go/jinja") => Language::Jinja,
            _ => continue,
        };
        let bytes = std::fs::read(folder.join(columns[0])).unwrap();
        all.push((vec![(columns[0].to_owned(), bytes)], columns[0].to_owned(), language));
    }
    assert!(check(all) > 50);
}

#[test]
fn of_the_templates_of_stacks_nothing_unfounded_is_said() {
    let folder = shared("corpus/stacks");
    let Ok(stacks) = std::fs::read_dir(&folder) else {
        println!("skipped: {} is not here", folder.display());
        return;
    };
    let mut all = Vec::new();
    for stack in stacks.map(|stack| stack.unwrap().path()).filter(|path| path.is_dir()) {
        let mut files = Vec::new();
        read_into(&stack, &stack, &mut files);
        let is_template = |(path, bytes): &&(String, Vec<u8>)| {
            let text = String::from_utf8_lossy(bytes);
            path.ends_with(".erb")
                || path.ends_with(".j2")
                || (!path.ends_with(".py") && !path.ends_with(".yml") && housecall::syntax::erb::is_jinja(&text))
        };
        let paths: Vec<String> = files.iter().filter(is_template).map(|(path, _)| path.clone()).collect();
        all.extend(paths.into_iter().map(|path| (files.clone(), path.clone(), language_of(&path))));
    }
    check(all);
}

fn read_into(root: &Path, folder: &Path, files: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            read_into(root, &entry, files);
        } else if let Ok(bytes) = std::fs::read(&entry) {
            files.push((entry.strip_prefix(root).unwrap().to_string_lossy().into_owned(), bytes));
        }
    }
}

#[test]
fn of_the_templates_of_rule_pages_nothing_unfounded_is_said() {
    let mut all = Vec::new();
    for example in PAGES.iter().flat_map(|page| &page.examples).filter(|example| example.show != Show::Fixed) {
        let files: Files = example.files.iter().map(|file| (file.path.clone(), file.bytes.clone())).collect();
        // What a cookbook's attributes decide is no filler, and prints what they say.
        if files.iter().any(|(path, _)| path.contains("attributes/") || path == "host.toml") {
            continue;
        }
        let templates = files.iter().filter(|(path, _)| path.ends_with(".erb") || path.ends_with(".j2"));
        let paths: Vec<String> = templates.map(|(path, _)| path.clone()).collect();
        all.extend(paths.into_iter().map(|path| (files.clone(), path.clone(), language_of(&path))));
    }
    assert!(check(all) > 3);
}

fn holds(path: &str, text: &str) -> Result<(), TestCaseError> {
    let files = vec![(path.to_owned(), text.as_bytes().to_vec())];
    let faults = unfounded(&files, path, Language::Erb).unwrap_or_default();
    prop_assert!(faults.is_empty(), "{}\n{}", faults.join("\n"), text);
    Ok(())
}

/// Each says something unfounded as soon as one property of a document is lost; made-up templates meet them by chance.
const HARD: [(&str, &str); 8] = [
    // A tag alone on its line may be any statement.
    ("shop.ini.erb", "[uwsgi]\nmodule = shop:app\nsocket = /run/shop.sock\nprocesses = 4\n<%= more %>\n"),
    ("etc/init/shop.conf.erb", "start on runlevel [2345]\n<%= more %>\nexec uwsgi --ini /etc/shop.ini\n"),
    // A stanza that begins in one branch and ends in another.
    ("etc/init/shop.conf.erb", "<% if x %>\npre-start script\n<% end %>\nkill signal <%= v1 %>\n"),
    // Such a one may hide another command, which then is the one that counts.
    (
        "etc/init/shop.conf.erb",
        "exec cd <%= v1 %>\n<% if x %>\npre-start script\n<% else %>\nexec <%= v2 %>\n<% end %>\n",
    ),
    (
        "etc/init/shop.conf.erb",
        "exec uwsgi --ini <%= v1 %>\n<% y.each do |z| -%>\npre-start script\n<% end -%>\nexec <%= v2 %>\n",
    ),
    // What a branch may leave out, and a loop may not write at all.
    ("etc/init/shop.conf.erb", "start on startup\n<% if x %>\nrespawn\n<% end %>\nexec uwsgi --ini /etc/shop.ini\n"),
    (
        "shop.ini.erb",
        "[uwsgi]\nmodule = a:b\nsocket = /run/a.sock\n<% all.each do |one| -%>\nmaster = true\n<% end -%>\n",
    ),
    // Two values of one option, of which a rendering has one.
    ("shop.ini.erb", "[uwsgi]\n<% if x %>\nprocesses = 2\n<% else %>\nprocesses = 4\n<% end %>\nmaster = true\n"),
];

#[test]
fn of_hard_templates_nothing_unfounded_is_said() {
    let hard = HARD
        .iter()
        .map(|(path, text)| (vec![((*path).to_owned(), text.as_bytes().to_vec())], (*path).to_owned(), Language::Erb));
    assert_eq!(check(hard.collect()), HARD.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn of_a_made_up_ini_nothing_unfounded_is_said(text in template("uwsgi")) {
        holds("shop.ini.erb", &text)?;
    }

    #[test]
    fn of_a_made_up_job_nothing_unfounded_is_said(text in template("upstart")) {
        holds("etc/init/shop.conf.erb", &text)?;
    }

    #[test]
    fn of_a_made_up_nginx_configuration_nothing_unfounded_is_said(text in template("nginx")) {
        holds("etc/nginx/nginx.conf.erb", &text)?;
    }
}
