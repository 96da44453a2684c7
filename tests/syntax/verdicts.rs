//! What lint refuses in nginx's files beside what nginx refused, over real configurations and cases written by hand.

use std::collections::HashMap;
use std::sync::LazyLock;

use housecall::engine::{Options, Run, lint_memory};
use housecall::finding::{Confidence, Effect, Finding};
use housecall::rule::page::{self, Page};
use housecall::syntax::data::nginx::{Known, find};

use crate::nginx::{shared, table};

/// nginx's own pages, read once.
static PAGES: LazyLock<Vec<Page>> =
    LazyLock::new(|| page::built_in().unwrap().into_iter().filter(|page| page.id.starts_with("nginx/")).collect());

/// One file as a fragment or a main file of `/etc/nginx`, judged for one release.
pub fn run(bytes: Vec<u8>, release: &str) -> Run {
    let options = Options { pages: Some(PAGES.clone()), ..Options::default() };
    let config = format!("[nginx]\nversion = \"{release}\"\n");
    let files = [("etc/nginx/case/under-test".to_owned(), bytes), ("housecall.toml".to_owned(), config.into_bytes())];
    lint_memory(&files, &options)
}

/// What lint surely refuses.
pub fn refusals(run: &Run) -> Vec<&Finding> {
    let sure = |finding: &&Finding| finding.effect == Effect::Refused && finding.confidence != Confidence::Possible;
    run.report.findings.iter().filter(sure).filter(|finding| finding.rule.starts_with("nginx/")).collect()
}

/// The lines that a finding names.
fn lines(run: &Run, finding: &Finding) -> Vec<usize> {
    let places = std::iter::once(&finding.primary).chain(&finding.related).map(|label| label.place);
    places.filter_map(|place| Some(run.sources.get(place.file).line_column(place.span?.start).0)).collect()
}

pub fn told(run: &Run, findings: &[&Finding]) -> String {
    let one = |finding: &&Finding| format!("{:?} {} {}", lines(run, finding), finding.rule, finding.message);
    findings.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// How many of what nginx refused are refused, and on the same line.
#[derive(Default)]
pub struct Score {
    all: usize,
    refused: usize,
    same_line: usize,
}

impl Score {
    pub fn add(&mut self, run: &Run, line: Option<usize>) -> bool {
        let found = refusals(run);
        // nginx names no line where it misses a variable or a zone.
        let same =
            line.map_or(!found.is_empty(), |line| found.iter().any(|finding| lines(run, finding).contains(&line)));
        self.all += 1;
        self.refused += usize::from(!found.is_empty());
        self.same_line += usize::from(same);
        same
    }

    pub fn at_least(&self, percent: usize) -> bool {
        self.all > 0 && self.same_line * 100 >= self.all * percent
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} refused, {} on the same line", self.refused, self.all, self.same_line)
    }
}

/// Files that count as accepted and that nginx does not start with: it says `syntax is ok` before it looks up zones, and
/// the check of variables was left out where the verdicts were taken. nginx 1.22 was seen to refuse each.
const REFUSED_LATER: &[(&str, &str)] = &[
    ("nginxinc__crossplane__tests__configs__empty-value-map__nginx.conf", "unknown \"arg\" variable"),
    ("directive_inheritance__tests__fixtures__012_limit_conn__error__nginx.conf", "zero size shared memory zone"),
    ("directive_inheritance__tests__fixtures__012_limit_conn__expected__nginx.conf", "zero size shared memory zone"),
    ("directive_inheritance__tests__fixtures__013_limit_req__error__nginx.conf", "zero size shared memory zone"),
    ("directive_inheritance__tests__fixtures__013_limit_req__expected__nginx.conf", "zero size shared memory zone"),
    ("edge-limit_zone_unknown.conf", "zero size shared memory zone"),
];

fn is_refused_later(name: &str) -> bool {
    REFUSED_LATER.iter().any(|(known, _)| name.ends_with(known))
}

/// Whether nginx missed a directive of NGINX Plus or of a module that it was built without: such names are never refused here.
fn is_of_another_module(message: &str) -> bool {
    let quoted = message.split('"').find(|part| !part.is_empty() && !part.contains("directive"));
    let first = message.split(' ').next().unwrap_or_default();
    [quoted.unwrap_or_default(), first].iter().any(|name| matches!(find(name), Some(Known::Foreign(_))))
}

#[test]
fn the_corpus_gets_the_verdicts_of_nginx() {
    let Some(folder) = shared("corpus/nginx") else { return };
    let mut scores: HashMap<&str, Score> = HashMap::new();
    let (mut accepted, mut foreign, mut wrong, mut elsewhere) = (0, 0, Vec::new(), Vec::new());
    for row in table(&folder.join("index.tsv")).iter().filter(|row| row["kind"] == "plain") {
        let name = row["file"].as_str();
        let run = run(std::fs::read(folder.join(name)).unwrap(), "1.22.1");
        let told = told(&run, &refusals(&run));
        match row["nginx_class"].as_str() {
            "accept" if is_refused_later(name) => assert!(!told.is_empty(), "{name}"),
            "accept" if told.is_empty() => accepted += 1,
            "accept" => wrong.push(format!("{name} ({}): {told}", row["nginx_context"])),
            "reject-directive" if is_of_another_module(&row["nginx_msg"]) => foreign += 1,
            class @ ("reject-syntax" | "reject-directive" | "reject-value") => {
                let class = if class == "reject-value" { "value" } else { "syntax or directive" };
                if !scores.entry(class).or_default().add(&run, row["nginx_line"].parse().ok()) {
                    let said = format!("{} {}", row["nginx_line"], row["nginx_msg"]);
                    elsewhere.push(format!("{class}: {name}: {said}, here {told}"));
                }
            }
            _ => {}
        }
    }
    println!("corpus/nginx: {accepted} accepted alike, {foreign} refused for a directive of another module");
    scores.iter().for_each(|(class, score)| println!("corpus/nginx, by {class}: {score}"));
    println!("corpus/nginx, elsewhere:\n{}", elsewhere.join("\n"));
    assert!(wrong.is_empty(), "{} accepted by nginx and refused here:\n{}", wrong.len(), wrong.join("\n"));
    assert!(scores["syntax or directive"].at_least(95), "{}", scores["syntax or directive"]);
}

#[test]
fn the_hand_written_cases_get_the_verdicts_of_nginx() {
    let Some(folder) = shared("truth/nginx") else { return };
    let (mut score, mut accepted, mut wrong, mut elsewhere) = (Score::default(), 0, Vec::new(), Vec::new());
    for row in ["edge.tsv", "lua.tsv"].iter().flat_map(|file| table(&folder.join(file))) {
        let name = &row["file"];
        let run = run(std::fs::read(folder.join("cases").join(name)).unwrap(), "1.31.4");
        let told = told(&run, &refusals(&run));
        if row["nginx_1.31.4"] == "accept" {
            accepted += usize::from(told.is_empty());
            if !told.is_empty() && !is_refused_later(name) {
                wrong.push(format!("{name}: {told}"));
            }
        } else if !score.add(&run, row["line"].parse().ok()) {
            let message = row.get("message").map_or("", String::as_str);
            elsewhere.push(format!("{name}: {message}, here {told}"));
        }
    }
    println!("truth/nginx: {accepted} accepted alike, {score}");
    println!("truth/nginx, elsewhere:\n{}", elsewhere.join("\n"));
    assert!(wrong.is_empty(), "{} accepted by nginx and refused here:\n{}", wrong.len(), wrong.join("\n"));
    assert!(score.at_least(95), "{score}");
}
