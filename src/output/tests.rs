//! Every format on one example, and JSON against its published schema.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::concise::Concise;
use super::github::Github;
use super::human::Human;
use super::json::{Json, write_diagnosis};
use super::sarif::Sarif;
use super::{Format, Shown, Texts};
use crate::diagnosis::{Diagnosis, Hop, Reason, RootCause, State};
use crate::finding::{
    CannotTell, Confidence, Edit, Effect, Finding, Fix, InputError, Label, Missing, Report, Safety, Severity,
};
use crate::rule::page::Page;
use crate::source::{FileId, Origin, Place, Sources, Span};

const INI: &str =
    "[uwsgi]\nmaster = true\nprocesses = 5\nmodule = thena.wsgi\nenv = DATABASE_URL=postgres://thena:hunter2!@db/app\n";
const SITE: &str = "server {\n\tlisten 80;\n\tserver_name thena.example;\n\tlocation / {\n\t\tinclude uwsgi_params;\n\t\tuwsgi_pass unix:/run/thena.sock;\n\t}\n}\n";
const APP: &str = "import os\nfrom sqlalchemy import create_engine\n\nengine = create_engine(os.environ['DATABASE_URL'])\nconnection = engine.connect()\n";

fn place(sources: &Sources, file: FileId, words: &str) -> Place {
    let start = sources.text(file).find(words).unwrap();
    Place::at(file, Span::new(start, start + words.len()))
}

fn label(place: Place, text: &str) -> Label {
    Label { place, text: text.to_owned() }
}

fn finding(rule: &str, severity: Severity, message: &str, primary: Label, related: Vec<Label>) -> Finding {
    Finding {
        rule: rule.to_owned(),
        severity,
        effect: Effect::Broken,
        confidence: Confidence::Proved,
        title: "a fault of this kind".to_owned(),
        message: message.to_owned(),
        primary,
        related,
        fix: None,
    }
}

/// A stack with one finding of each shape: several files, a whole folder, a long line, a secret, an escape.
fn example() -> (Sources, Report) {
    let mut sources = Sources::default();
    let ini = sources.add("cookbooks/thena/templates/default/uwsgi.ini.erb", INI.as_bytes().to_vec(), Origin::File);
    let site = sources.add("cookbooks/thena/templates/default/site.erb", SITE.as_bytes().to_vec(), Origin::File);
    let app = sources.add("app/thena/wsgi.py", APP.as_bytes().to_vec(), Origin::File);
    let folder = sources.add_folder("cookbooks/thena");
    let log = format!(
        "{}GET /x \u{1b}[31m\u{202e}evil KeyError: 'DATABASE_URL' hunter2! {}\n",
        "started ".repeat(12),
        "more ".repeat(30)
    );
    let log = sources.add("tail of /var/log/uwsgi/thena.log", log.into_bytes(), Origin::Probe);
    let mut forked = finding(
        "uwsgi/pool-shared-by-forks",
        Severity::Error,
        "5 workers are forked after the app has connected to the database",
        label(place(&sources, ini, "processes = 5"), ""),
        vec![label(place(&sources, app, "engine.connect()"), "the connection is opened here, before the fork")],
    );
    forked.confidence = Confidence::Likely;
    forked.fix = Some(Fix {
        title: "load the app in each worker".to_owned(),
        safety: Safety::Safe,
        edits: vec![Edit { file: ini, span: Span::new(36, 36), text: "lazy-apps = true\n".to_owned() }],
    });
    let socket = finding(
        "nginx/socket-unbound",
        Severity::Warning,
        "nginx passes requests to a socket that nothing binds",
        label(place(&sources, site, "unix:/run/thena.sock"), "no uWSGI of this repository listens here"),
        vec![
            label(place(&sources, site, "listen 80;"), "for requests that come in here"),
            label(place(&sources, ini, "[uwsgi]"), "this uWSGI has no socket"),
        ],
    );
    let layout = finding(
        "chef/nested-cookbook",
        Severity::Error,
        "OpsWorks looks for cookbooks at the top of the repository and finds none",
        label(Place::whole(folder), "one level too deep"),
        Vec::new(),
    );
    let logged = finding(
        "env/unset",
        Severity::Error,
        "the app reads `DATABASE_URL`, password=hunter2! and nothing sets it",
        label(place(&sources, log, "KeyError: 'DATABASE_URL'"), "the worker says so"),
        vec![label(place(&sources, ini, "DATABASE_URL=postgres://thena:hunter2!@db/app"), "this is another one")],
    );
    let note = finding(
        "uwsgi/no-strict",
        Severity::Note,
        "strict is off",
        label(place(&sources, ini, "[uwsgi]"), ""),
        Vec::new(),
    );
    let cannot = |rule: &str, place| CannotTell {
        rule: rule.into(),
        missing: Missing::new("the app's source", "name its folder: [app] path = \"…\" in housecall.toml"),
        place,
    };
    let report = Report {
        findings: vec![forked, socket, layout, logged, note],
        cannot_tell: vec![
            cannot("a/b", Place::whole(ini)),
            cannot("a/b", Place::whole(app)),
            cannot("a/c", Place::whole(app)),
        ],
        errors: vec![InputError { path: "gone.ini".to_owned(), message: "no such file".to_owned() }],
        files: 12,
    };
    (sources, report)
}

fn diagnosis() -> (Sources, Diagnosis) {
    let (sources, report) = example();
    let log = sources.by_name("tail of /var/log/uwsgi/thena.log").unwrap();
    let path = "thena.example:80 /";
    let hop = |id, title: &str, state, evidence| Hop {
        id,
        title: title.to_owned(),
        state,
        evidence,
        path: path.to_owned(),
        own_fault: false,
    };
    let shown = label(place(&sources, log, "KeyError: 'DATABASE_URL'"), "the import fails: KeyError: 'DATABASE_URL'");
    let diagnosis = Diagnosis {
        hops: vec![
            hop("client-listen", "client -> 0.0.0.0:80", State::Ok, Vec::new()),
            hop("upstream-socket", "nginx -> /run/thena.sock", State::Symptom, Vec::new()),
            hop("app-import", "uWSGI imports thena.wsgi", State::Broken, vec![shown.clone()]),
            hop("environment", "environment of the workers", State::Unknown(Reason::NoPermission), Vec::new()),
            hop("tcp", "app -> db:5432", State::Unknown(Reason::MaskedBy("app-import".to_owned())), Vec::new()),
            hop("disk", "disk", State::Degraded, vec![label(Place::whole(log), "93 % full")]),
            hop("emperor", "emperor", State::NotApplicable, Vec::new()),
        ],
        root_causes: vec![RootCause {
            finding: report.findings[3].clone(),
            hop: "app-import",
            because: vec![shown],
            explains: vec![
                "502 for every request of the last 15 minutes".to_owned(),
                "the workers start and end again".to_owned(),
            ],
            verify: vec!["sudo restart thena-uwsgi && curl -sI http://127.0.0.1/".to_owned()],
            path: path.to_owned(),
            spell: None,
        }],
        report,
        ..Diagnosis::default()
    };
    (sources, diagnosis)
}

fn written(format: &dyn Format, shown: Shown) -> String {
    let (sources, report) = example();
    let mut out = Vec::new();
    format.write(&report, &Texts::new(&sources), &shown, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn doctor(shown: Shown) -> String {
    let (sources, diagnosis) = diagnosis();
    let mut out = Vec::new();
    super::doctor::write(&diagnosis, &Texts::new(&sources), &shown, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn diagnosed_json() -> String {
    let (sources, diagnosis) = diagnosis();
    let mut out = Vec::new();
    write_diagnosis(&diagnosis, &Texts::new(&sources), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Holds `json` to the schema of that name, and says all that is wrong.
fn assert_valid(schema: &str, json: &str) -> serde_json::Value {
    let schema = match schema {
        "lint" => include_str!("../../docs/schema/lint.schema.json"),
        "sarif" => include_str!("../../tests/sarif.schema.json"),
        _ => include_str!("../../docs/schema/doctor.schema.json"),
    };
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    value
}

#[test]
fn json_is_what_the_schemas_say() {
    let value = assert_valid("lint", &written(&Json, Shown::default()));
    let primary = &value["findings"][0]["primary"];
    assert_eq!(primary["text"], "processes = 5");
    assert_eq!([&primary["line"], &primary["column"], &primary["end_line"], &primary["end_column"]], [3, 1, 3, 14]);
    assert_eq!(value["findings"].as_array().unwrap().len(), 5, "notes too");
    assert_eq!(value["findings"][2]["primary"]["line"], serde_json::Value::Null);
    assert_eq!(value["findings"][3]["primary"]["origin"], "probe");
    assert_eq!(value["cannot_tell"][0]["count"], 2);
    let value = assert_valid("doctor", &diagnosed_json());
    assert_eq!(value["hops"][3]["reason"], "no_permission");
    assert_eq!(value["hops"][4]["reason"], "masked_by:app-import");
    assert_eq!(value["root_causes"][0]["rule"], "env/unset");
}

/// The example with a page for each of its rules.
fn sarif(min_severity: Severity) -> String {
    let page = |finding: &Finding| {
        let text = "+++\ntitle = \"a fault of this kind\"\nseverity = \"error\"\neffect = \"broken\"\nconfidence = \"likely\"\n\
            seen = [\"x\"]\nsee = [\"https://example.org/\"]\n+++\nWhy\nit is.\n\nMore: PASSWORD=hunter2!\n";
        Page::parse(&finding.rule, text).unwrap()
    };
    let pages: Vec<Page> = example().1.findings.iter().map(page).collect();
    written(&Sarif { pages: &pages }, Shown { min_severity, ..Shown::default() })
}

#[test]
fn sarif_is_what_its_viewers_expect() {
    let value = assert_valid("sarif", &sarif(Severity::Warning));
    let run = &value["runs"][0];
    let (rules, results) = (run["tool"]["driver"]["rules"].as_array().unwrap(), run["results"].as_array().unwrap());
    assert_eq!((rules.len(), results.len()), (4, 4), "the note is not shown, nor is its rule");
    for result in results {
        assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], result["ruleId"]);
    }
    assert_eq!(rules[0]["fullDescription"]["text"], "Why it is.");
    assert_eq!(rules[0]["helpUri"], "https://example.org/");
    let forked = &results[0];
    let region = &forked["locations"][0]["physicalLocation"]["region"];
    assert_eq!(region, &serde_json::json!({ "startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 14 }));
    assert_eq!(forked["relatedLocations"][0]["message"]["text"], "the connection is opened here, before the fork");
    let replacement = &forked["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(replacement["deletedRegion"]["startLine"], 4);
    assert_eq!(replacement["insertedContent"]["text"], "lazy-apps = true\n");
    let folder = &results[2]["locations"][0]["physicalLocation"];
    assert_eq!(folder["artifactLocation"]["uri"], "cookbooks/thena/");
    let probe = &results[3]["locations"][0]["logicalLocations"][0];
    assert_eq!(probe["name"], "tail of /var/log/uwsgi/thena.log");
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let json: serde_json::Value = serde_json::from_str(&written(&Json, Shown::default())).unwrap();
    assert_eq!(forked["partialFingerprints"]["housecall/v1"], json["findings"][0]["fingerprint"]);
}

#[test]
fn annotations_stand_at_their_lines() {
    let github = written(&Github, Shown::default());
    let lines: Vec<&str> = github.lines().collect();
    assert_eq!(
        lines[0],
        "::error file=cookbooks/thena/templates/default/uwsgi.ini.erb,line=3,endLine=3,col=1,endColumn=14,\
         title=uwsgi/pool-shared-by-forks::5 workers are forked after the app has connected to the database%0A\
         app/thena/wsgi.py:5: the connection is opened here, before the fork%0Afix: load the app in each worker"
    );
    assert!(lines[1].starts_with("::warning file="), "{github}");
    assert!(lines[2].starts_with("::error file=cookbooks/thena,title=chef/nested-cookbook::"), "{github}");
    assert!(lines[3].starts_with("::error title=env/unset::"), "{github}");
    assert!(lines[3].contains("%0Aseen in tail of /var/log/uwsgi/thena.log"), "{github}");
    assert_eq!(lines.len(), 4, "the note is not shown");
    let notes = written(&Github, Shown { min_severity: Severity::Note, ..Shown::default() });
    assert!(notes.contains("\n::notice file="), "{notes}");
}

#[test]
#[should_panic(expected = "Additional properties")]
fn the_schema_refuses_what_it_does_not_know() {
    let json = written(&Json, Shown::default()).replacen("\"findings\"", "\"finds\": [], \"findings\"", 1);
    assert_valid("lint", &json);
}

#[test]
fn no_format_shows_a_secret_or_a_raw_escape() {
    let all = [
        written(&Human, Shown { min_severity: Severity::Note, ..Shown::default() }),
        written(&Concise, Shown { min_severity: Severity::Note, ..Shown::default() }),
        written(&Json, Shown::default()),
        written(&Github, Shown { min_severity: Severity::Note, ..Shown::default() }),
        sarif(Severity::Note),
        doctor(Shown::default()),
        diagnosed_json(),
    ];
    for output in all {
        assert!(!output.contains("hunter2"), "{output}");
        assert!(!output.contains(['\u{1b}', '\u{202e}']), "{output:?}");
        assert!(!output.contains("u001b"), "{output}");
    }
}

#[test]
fn frames_stand_in_each_file() {
    let human = written(&Human, Shown::default());
    let forked = human.split("\n\n").find(|block| block.contains("[uwsgi/pool-shared-by-forks]")).unwrap();
    assert_eq!(
        forked,
        "error[uwsgi/pool-shared-by-forks]: 5 workers are forked after the app has connected to the database
  \u{250c}\u{2500} cookbooks/thena/templates/default/uwsgi.ini.erb:3:1
  \u{2502}
3 \u{2502} processes = 5
  \u{2502} ^^^^^^^^^^^^^
  \u{2502}
  \u{250c}\u{2500} app/thena/wsgi.py:5:14
  \u{2502}
5 \u{2502} connection = engine.connect()
  \u{2502}              ---------------- the connection is opened here, before the fork
  \u{2502}
  = fix: load the app in each worker
         + lazy-apps = true
  = confidence: likely"
    );
    assert!(human.contains("\n  \u{250c}\u{2500} cookbooks/thena: one level too deep\n"), "{human}");
}

#[test]
fn frames_keep_to_the_width() {
    for width in [60, 80, 120] {
        let screens =
            [written(&Human, Shown { width, ..Shown::default() }), doctor(Shown { width, ..Shown::default() })];
        for line in screens.iter().flat_map(|screen| screen.lines()) {
            let is_source = line.starts_with(|first: char| first.is_ascii_digit()) && line.contains('\u{2502}');
            assert!(!is_source || line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn severity_hides_and_quiet_ends_early() {
    let errors = written(&Concise, Shown { min_severity: Severity::Error, ..Shown::default() });
    assert_eq!(errors.lines().count(), 3, "{errors}");
    let quiet = written(&Human, Shown { quiet: true, ..Shown::default() });
    assert!(!quiet.contains("cannot tell") && !quiet.contains("housecall explain"), "{quiet}");
    let loud = written(&Human, Shown::default());
    assert!(loud.contains("3 errors, 1 warning in 12 files (1 more with --min-severity note)"), "{loud}");
    assert!(loud.contains("cannot tell 3 things without the app's source: "), "{loud}");
}

#[test]
fn a_fingerprint_survives_lines_above_and_tells_twins_apart() {
    let fingerprints = |text: &str| {
        let mut sources = Sources::default();
        let file = sources.add("a.ini", text.as_bytes().to_vec(), Origin::File);
        let findings = text
            .match_indices("x = 1")
            .map(|(at, words)| Label { place: Place::at(file, Span::new(at, at + words.len())), text: String::new() })
            .map(|primary| finding("a/b", Severity::Error, "m", primary, Vec::new()))
            .collect();
        let report = Report { findings, ..Report::default() };
        let mut out = Vec::new();
        Json.write(&report, &Texts::new(&sources), &Shown::default(), &mut out).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let all = value["findings"].as_array().unwrap().iter();
        all.map(|one| one["fingerprint"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (before, after) = (fingerprints("x = 1\nx = 1\n"), fingerprints("# new\n\n  x = 1\ny = 2\nx = 1\n"));
    assert_eq!(before, after);
    assert_ne!(before[0], before[1]);
}

#[test]
fn any_span_can_be_framed() {
    let text = "\u{e9}a\tb\r\n\r\nlast \u{1f600}";
    for start in 0..=text.len() + 2 {
        for end in start..=text.len() + 2 {
            let mut sources = Sources::default();
            let file = sources.add("a", text.as_bytes().to_vec(), Origin::File);
            let primary = Label { place: Place::at(file, Span::new(start, end)), text: "here".to_owned() };
            let report = Report {
                findings: vec![finding("a/b", Severity::Error, "m", primary, Vec::new())],
                ..Report::default()
            };
            let mut out = Vec::new();
            for format in [&Human as &dyn Format, &Concise, &Json, &Github, &Sarif { pages: &[] }] {
                format.write(&report, &Texts::new(&sources), &Shown::default(), &mut out).unwrap();
            }
            assert!(String::from_utf8(out).unwrap().contains("here"), "{start}..{end}");
        }
    }
}
