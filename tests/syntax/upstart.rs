//! The Upstart reader against the verdicts of the real parser.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use housecall::source::{Origin, Sources};
use housecall::syntax::upstart::{Command, Console, Expect, Job, Phase, parse, parse_with};
use proptest::prelude::*;
use serde_json::{Value, json};

fn shared(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(folder)
}

/// The job in the words of the recorded verdicts.
fn as_recorded(job: &Job) -> BTreeMap<&'static str, Value> {
    let text = |field: &Option<housecall::source::Located<String>>| json!(field.as_ref().map(|word| &word.value));
    let words =
        |all: &[housecall::source::Located<String>]| json!(all.iter().map(|word| &word.value).collect::<Vec<_>>());
    let expect = match job.expect.map(|expect| expect.value) {
        None | Some(Expect::None) => "none",
        Some(Expect::Stop) => "stop",
        Some(Expect::Daemon) => "daemon",
        Some(Expect::Fork) => "fork",
    };
    let console = match job.console.map(|console| console.value) {
        Some(Console::None) => 0,
        Some(Console::Output) => 1,
        Some(Console::Owner) => 2,
        None | Some(Console::Log) => 3,
    };
    let processes: serde_json::Map<_, _> = job
        .processes
        .iter()
        .map(|(phase, (command, _))| {
            let name = match phase {
                Phase::Main => "main",
                Phase::PreStart => "pre-start",
                Phase::PostStart => "post-start",
                Phase::PreStop => "pre-stop",
                Phase::PostStop => "post-stop",
                Phase::Security => "security",
            };
            let script = matches!(command, Command::Script(_));
            (name.to_owned(), json!({"script": script, "command": command.text().value}))
        })
        .collect();
    let resources = ["cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as"];
    let resources: Vec<_> =
        resources.into_iter().chain(["locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime"]).collect();
    let limits: serde_json::Map<_, _> = job
        .limits
        .iter()
        .map(|(resource, limit)| {
            let number = resources.iter().position(|known| known == resource).unwrap_or(99);
            (number.to_string(), json!([limit.value.soft, limit.value.hard]))
        })
        .collect();
    let (count, seconds) = job.respawn_limit.as_ref().map_or((10, 5), |limit| limit.value);
    BTreeMap::from([
        ("instance", json!(job.instance.as_ref().map_or("", |name| &name.value))),
        ("description", text(&job.description)),
        ("author", text(&job.author)),
        ("version", text(&job.version)),
        ("usage", text(&job.usage)),
        ("chroot", text(&job.chroot)),
        ("chdir", text(&job.chdir)),
        ("setuid", text(&job.setuid)),
        ("setgid", text(&job.setgid)),
        ("env", words(&job.env)),
        ("export", words(&job.export)),
        ("emits", words(&job.emits)),
        ("start_on", json!(job.start_on.as_ref().map(|events| events.value.to_string()))),
        ("stop_on", json!(job.stop_on.as_ref().map(|events| events.value.to_string()))),
        ("process", Value::Object(processes)),
        ("expect", json!(expect)),
        ("task", json!(i32::from(job.task.is_some()))),
        ("kill_timeout", json!(job.kill_timeout.map_or(5, |timeout| timeout.value))),
        ("kill_signal", json!(job.kill_signal.map_or(15, |signal| signal.value))),
        ("reload_signal", json!(job.reload_signal.map_or(1, |signal| signal.value))),
        ("respawn", json!(i32::from(job.respawn.is_some()))),
        ("respawn_limit", json!(count)),
        ("respawn_interval", json!(seconds)),
        ("normalexit", json!(job.normal_exit.iter().map(|status| status.value).collect::<Vec<_>>())),
        ("console", json!(console)),
        ("umask", json!(format!("{:o}", job.umask.map_or(0o22, |mask| mask.value)))),
        ("nice", json!(job.nice.map_or(-21, |nice| nice.value))),
        ("oom", json!(job.oom.map_or(0, |oom| oom.value))),
        ("limits", Value::Object(limits)),
    ])
}

/// What differs between our reading of a file and the recorded verdict.
fn difference(bytes: Vec<u8>, verdict: &Value) -> Option<String> {
    let mut sources = Sources::default();
    let id = sources.add("job", bytes, Origin::File);
    let source = sources.get(id);
    let parsed = parse(source.text());
    if verdict["ok"] != json!(parsed.problems.is_empty()) {
        return Some(format!("recorded {verdict}, found {:?}", parsed.problems));
    }
    let Some(problem) = parsed.problems.first() else {
        let fields = as_recorded(&parsed.tree.job);
        return fields
            .into_iter()
            .find(|(name, value)| verdict[name] != *value)
            .map(|(name, value)| format!("{name}: recorded {}, read {value}", verdict[name]));
    };
    let places = std::iter::once(problem.span).chain(problem.related.iter().map(|place| place.span));
    let lines: Vec<_> = places.map(|span| source.line_column(span.start).0).collect();
    if !lines.iter().any(|line| verdict["line"] == json!(line)) {
        return Some(format!("line {} recorded, {lines:?} found", verdict["line"]));
    }
    let words = verdict["error"].as_str().unwrap_or_default();
    (!problem.message.contains(words)).then(|| format!("{words:?} recorded, {:?} said", problem.message))
}

/// Compares a folder of jobs with its verdicts.
fn agrees(folder: &str) {
    let folder = shared(folder);
    let Ok(verdicts) = fs::read_to_string(folder.join("verdicts.jsonl")) else {
        eprintln!("skipped: {} is not here", folder.display());
        return;
    };
    let mut differences = Vec::new();
    let mut count = 0;
    for line in verdicts.lines() {
        let verdict: Value = serde_json::from_str(line).unwrap();
        let name = verdict["file"].as_str().unwrap();
        let bytes = fs::read(folder.join(name)).unwrap();
        count += 1;
        differences.extend(difference(bytes, &verdict).map(|difference| format!("{name}: {difference}")));
    }
    eprintln!("{}: {} of {count} equal", folder.display(), count - differences.len());
    assert!(count > 0);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn small_jobs_read_as_upstart_reads_them() {
    agrees("truth/upstart");
}

#[test]
fn real_jobs_read_as_upstart_reads_them() {
    agrees("corpus/upstart");
}

#[test]
fn chrome_os_jobs_are_accepted_in_their_dialect() {
    let Ok(files) = fs::read_dir(shared("corpus/upstart")) else {
        eprintln!("skipped: the shared corpus is not here");
        return;
    };
    for path in files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "conf"))
    {
        let text = fs::read_to_string(&path).unwrap();
        let problems = parse_with(&text, housecall::syntax::upstart::Dialect::ChromeOs).problems;
        assert_eq!(problems, Vec::new(), "{}", path.display());
    }
}

/// Pieces that meet in real jobs, so that random texts get past the first word.
fn pieces() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "start on ",
        "(",
        ")",
        "and ",
        "a ",
        "K=v ",
        "\n",
        "\\",
        "\"",
        "'",
        "#",
        "script\n",
        "end script\n",
        "env ",
        "exec ",
        "respawn ",
        "limit ",
        "nofile ",
        "\u{1f}",
        "\u{1a}",
        "\0",
        "\r",
        " ",
        "é",
        "kill signal ",
        "oom ",
        "-1 ",
    ]);
    prop::collection::vec(prop_oneof![4 => known.prop_map(str::to_owned), 1 => ".{0,4}"], 0..40)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_and_spans_lie_within(text in prop_oneof![pieces(), ".*"]) {
        let parsed = parse(&text);
        let mut spans: Vec<_> = parsed.problems.iter().map(|problem| problem.span).collect();
        spans.extend(parsed.problems.iter().flat_map(|problem| problem.related.iter().map(|place| place.span)));
        for stanza in &parsed.tree.stanzas {
            spans.extend([stanza.span, stanza.name.span]);
            spans.extend(stanza.words.iter().map(|word| word.span));
        }
        for span in spans {
            prop_assert!(text.get(span.range()).is_some(), "{span:?} in {text:?}");
        }
        prop_assert!(parsed.problems.len() <= text.lines().count());
    }
}

#[test]
fn deep_parentheses_cost_no_stack() {
    let text = format!("start on {}a{}\n", "(".repeat(200_000), ")".repeat(200_000));
    assert!(parse(&text).problems.is_empty());
}
