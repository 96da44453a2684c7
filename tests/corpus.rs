//! Real configurations of others, where they are at hand: lint ends, says the same twice, and points inside its texts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::path::{Path, PathBuf};

use housecall::engine::{Options, Run, lint};

const FOLDERS: &[&str] = &["corpus/nginx", "corpus/uwsgi", "corpus/upstart", "truth/nginx", "truth/upstart"];

fn run(folder: &Path) -> Run {
    let path = folder.to_str().unwrap().to_owned();
    lint(&[path], &Options::default()).unwrap_or_else(|message| panic!("{}: {message}", folder.display()))
}

/// What people see of a run, by place.
fn said(run: &Run) -> Vec<String> {
    let place = |file| run.sources.get(file).name.as_str();
    let finding = |finding: &housecall::finding::Finding| {
        let labels = std::iter::once(&finding.primary).chain(&finding.related);
        let labels: Vec<_> = labels.map(|label| format!("{}{:?}", place(label.place.file), label.place.span)).collect();
        format!("{} {:?} {} {labels:?}", finding.rule, finding.severity, finding.message)
    };
    run.report.findings.iter().map(finding).collect()
}

#[test]
fn lint_survives_real_input_and_says_the_same_twice() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    if !shared.is_dir() {
        println!("skipped: there is no ../shared");
        return;
    }
    let stacks = std::fs::read_dir(shared.join("corpus/stacks")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = stacks.filter(|path| path.is_dir()).collect();
    folders.extend(FOLDERS.iter().map(|name| shared.join(name)));
    let mut files = 0;
    let mut findings = 0;
    for folder in &folders {
        let first = run(folder);
        assert_eq!(first.report.errors, [], "{}", folder.display());
        for finding in &first.report.findings {
            for label in std::iter::once(&finding.primary).chain(&finding.related) {
                let text = first.sources.text(label.place.file);
                let inside = label.place.span.is_none_or(|span| text.get(span.range()).is_some());
                assert!(inside, "{} points outside {}", finding.rule, first.sources.get(label.place.file).name);
            }
        }
        assert_eq!(said(&first), said(&run(folder)), "{}", folder.display());
        files += first.report.files;
        findings += first.report.findings.len();
    }
    println!("{files} files in {} folders, {findings} findings", folders.len());
}

/// What the index says and no file here can show, or what it counts otherwise.
const NOT_OURS: &[&str] = &[
    // Named `searx.ini:socket`: a name that uWSGI is never given.
    ".ini:socket",
];

/// What the index does not list: a variable that `env` sets on a command line.
const MORE: &[&str] = &["PYTHONPATH conf/github_monitor_task.service:7"];

/// `NAME file:line` of every variable that the given keys of a run hold.
fn provided(run: &Run, folder: &str, keys: &[&str]) -> std::collections::BTreeSet<String> {
    let rows = keys.iter().flat_map(|key| run.facts.rows("env_values", Some(key)));
    let one = |row: &std::sync::Arc<dyn housecall::stack::fact::Row>| {
        let name = match row.fact("name")?.known()? {
            housecall::stack::fact::Leaf::Text(name) => name.clone(),
            _ => return None,
        };
        let source = run.sources.get(row.place().file);
        let line = source.line_column(row.place().span?.start).0;
        Some(format!("{name} {}:{line}", source.name.strip_prefix(folder)?.trim_start_matches('/')))
    };
    rows.filter_map(one).collect()
}

#[test]
fn the_variables_that_real_stacks_give_are_found() {
    let stacks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/stacks");
    let Ok(folders) = std::fs::read_dir(&stacks) else {
        println!("skipped: there is no {}", stacks.display());
        return;
    };
    let (mut listed, mut found, mut differences) = (0, 0, Vec::new());
    for folder in folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let files = folder.join("files");
        let table = std::fs::read_to_string(folder.join("env_provided.tsv")).unwrap();
        let ours = provided(&run(&files), files.to_str().unwrap(), &["uwsgi", "systemd", "supervisor", "upstart"]);
        let theirs: std::collections::BTreeSet<String> = table
            .lines()
            .map(|row| row.split('\t').collect::<Vec<_>>())
            .filter(|row| ["uwsgi-env", "systemd-Environment", "supervisor-environment"].contains(&row[1]))
            .filter(|row| !NOT_OURS.iter().any(|end| row[2].ends_with(end)))
            .map(|row| format!("{} {}:{}", row[0], row[2], row[3]))
            .collect();
        listed += theirs.len();
        found += theirs.intersection(&ours).count();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        differences.extend(theirs.difference(&ours).map(|missed| format!("{name}: missed {missed}")));
        differences.extend(
            ours.difference(&theirs)
                .filter(|more| !MORE.contains(&more.as_str()))
                .map(|more| format!("{name}: not listed {more}")),
        );
    }
    println!("{found} of {listed} listed variables found");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// foodcritic's rules beside ours.
const PEERS: &[(&str, &str)] = &[
    ("FC006", "recipe/mode-not-octal"),
    ("FC007", "cookbook/include-without-depends"),
    ("FC031", "cookbook/no-metadata"),
    ("FC033", "cookbook/template-not-found"),
    ("FC045", "cookbook/metadata-without-name"),
];

/// What foodcritic says and we do not, with the reason.
const FOODCRITIC_ALONE: &[(&str, &str)] = &[
    ("alecpm/opsworks-web-python FC031 haproxy", "a template for a built-in cookbook of OpsWorks, and no recipe"),
    (
        "danielkleinert/opsworks-cookbooks FC031 memcached",
        "a template for a built-in cookbook of OpsWorks, and no recipe",
    ),
    ("pk4media/opsworks-cookbooks FC031 unicorn", "a template for a built-in cookbook of OpsWorks, and no recipe"),
    ("jmoholdco/chef-repo FC031 cookbooks/certificate_authority/spec/unit", "a folder of tests"),
    ("umts/chef-repo FC031 code_generator/recipes", "recipes of a generator, one folder higher than it looks"),
    ("danielkleinert/opsworks-cookbooks FC007 apt/test/cookbooks/apt_test/recipes/cacher-ng.rb", "a cookbook of tests"),
    ("danielkleinert/opsworks-cookbooks FC007 apt/test/cookbooks/apt_test/recipes/default.rb", "a cookbook of tests"),
    ("danielkleinert/opsworks-cookbooks FC007 apt/test/cookbooks/apt_test/recipes/lwrps.rb", "a cookbook of tests"),
    (
        "danielkleinert/opsworks-cookbooks FC007 mongodb/test/cookbooks/mongo_test/recipes/default.rb",
        "a cookbook of tests",
    ),
];

/// The file that a finding is about; of missing metadata the cookbook.
fn about<'p>(peer: &str, path: &'p str, levels: usize) -> &'p str {
    let levels = if peer == "FC031" { levels } else { 0 };
    (0..levels).fold(path, |path, _| path.rsplit_once('/').map_or("", |(folder, _)| folder))
}

/// `COOKBOOKS` names a folder with the repositories of the list, each called `OWNER+NAME`.
#[test]
fn foodcritic_and_we_find_the_same_files() {
    let truth = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/truth/cookbooks/foodcritic-16.3.0.tsv");
    let (Ok(truth), Some(folder)) = (std::fs::read_to_string(truth), std::env::var_os("COOKBOOKS")) else {
        println!("skipped: there is no ../shared, or COOKBOOKS names no folder of cookbook repositories");
        return;
    };
    let rows: Vec<Vec<&str>> = truth.lines().skip(1).map(|row| row.split('\t').collect()).collect();
    let mut theirs = std::collections::BTreeSet::new();
    let mut ours = std::collections::BTreeSet::new();
    let repositories: std::collections::BTreeSet<&str> = rows.iter().map(|row| row[0]).collect();
    for repository in repositories {
        let root = Path::new(&folder).join(repository.replace('/', "+"));
        if !root.is_dir() {
            println!("skipped: there is no {}", root.display());
            continue;
        }
        let of_it = rows.iter().filter(|row| row[0] == repository && PEERS.iter().any(|(peer, _)| *peer == row[1]));
        theirs.extend(of_it.map(|row| format!("{repository} {} {}", row[1], about(row[1], row[2], 1))));
        let run = run(&root);
        for finding in &run.report.findings {
            let Some((peer, _)) = PEERS.iter().find(|(_, rule)| *rule == finding.rule) else { continue };
            let name = run.sources.get(finding.primary.place.file).name.as_str();
            let path = name.strip_prefix(root.to_str().unwrap()).unwrap().trim_start_matches('/');
            ours.insert(format!("{repository} {peer} {}", about(peer, path, 2)));
        }
    }
    let both = theirs.intersection(&ours).count();
    println!("{both} of {} places that foodcritic names", theirs.len());
    let explained = |place: &&String| FOODCRITIC_ALONE.iter().any(|(known, _)| known == *place);
    let missed: Vec<_> = theirs.difference(&ours).filter(|place| !explained(place)).collect();
    let more: Vec<_> = ours.difference(&theirs).collect();
    assert!(missed.is_empty() && more.is_empty(), "missed {missed:#?}, and foodcritic does not name {more:#?}");
}
