//! The systemd reader beside `systemd-analyze verify`: recorded verdicts, and texts that nobody would write.

use std::fs;
use std::path::{Path, PathBuf};

use housecall::source::{Origin, Sources};
use housecall::syntax::systemd::{UnitKind, environment_file, parse, refusal_of};
use proptest::prelude::*;

fn shared(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(folder)
}

/// Verdicts that no file alone decides, or that the unit's own text does not hold.
const ELSEWHERE: [(&str, &str); 2] = [
    // Whether another unit is installed.
    ("requires_missing.service", "not found"),
    // Whether a program is installed.
    ("jinja.service", "Command {{"),
];

/// What systemd said, as (line, words); the line is 0 for what it says of the unit as a whole.
fn recorded(unit: &str, messages: &str) -> Vec<(usize, String)> {
    let consequences = ["has a bad unit file setting", "has fatal error"];
    let is_of_another = |message: &str| ELSEWHERE.iter().any(|(name, words)| *name == unit && message.contains(words));
    messages
        .split('|')
        .filter(|message| !message.is_empty() && !consequences.iter().any(|words| message.contains(words)))
        .filter(|message| !is_of_another(message))
        .map(|message| {
            let after = message.strip_prefix(&format!("{unit}:")).unwrap_or(message);
            match after.split_once(": ").and_then(|(line, words)| Some((line.parse().ok()?, words))) {
                Some((line, words)) => (line, words.to_owned()),
                None => (0, after.trim_start().to_owned()),
            }
        })
        .collect()
}

/// What this reader says of the same unit.
fn said(unit: &str, bytes: Vec<u8>) -> Vec<(usize, String, bool)> {
    let mut sources = Sources::default();
    let id = sources.add(unit, bytes, Origin::File);
    let source = sources.get(id);
    let parsed = parse(source.text(), UnitKind::of(unit).unwrap(), unit);
    let mut problems = parsed.problems;
    if UnitKind::of(unit) == Some(UnitKind::Service) && !problems.iter().any(|problem| !problem.ignored) {
        problems.extend(refusal_of(&parsed.tree.service, housecall::source::Span::default()));
    }
    let line = |problem: &housecall::syntax::Problem| source.line_column(problem.span.start).0;
    problems
        .iter()
        .map(|problem| {
            let words = problem.message.strip_prefix("systemd: ").unwrap_or(&problem.message);
            (line(problem), words.to_owned(), problem.ignored)
        })
        .collect()
}

/// systemd repeats values, which may hold passwords; this reader does not.
fn same_words(recorded: &str, said: &str) -> bool {
    let plain = |text: &str| text.trim_end_matches('.').to_owned();
    let (recorded, said) = (plain(recorded), plain(said));
    said.starts_with(&recorded) || said.split(", ").all(|part| recorded.contains(part))
}

fn is_refused(exit: &str) -> bool {
    exit != "0"
}

#[test]
fn units_read_as_systemd_reads_them() {
    let folder = shared("truth/systemd");
    let Ok(verdicts) = fs::read_to_string(folder.join("verify-252.tsv")) else {
        eprintln!("skipped: {} is not here", folder.display());
        return;
    };
    let (mut units, mut equal, mut differences) = (0, 0, Vec::new());
    for row in verdicts.lines().skip(1) {
        let mut cells = row.split('\t');
        let (unit, exit, messages) = (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap_or(""));
        let ours = said(unit, fs::read(folder.join("units").join(unit)).unwrap());
        let theirs = recorded(unit, messages);
        units += 1;
        let known = ELSEWHERE.iter().any(|(name, _)| *name == unit);
        let verdict = known || is_refused(exit) == ours.iter().any(|(_, _, ignored)| !ignored);
        let lines = theirs.len() == ours.len()
            && theirs
                .iter()
                .zip(&ours)
                .all(|((line, words), (own, said, _))| (*line == 0 || line == own) && same_words(words, said));
        if verdict && lines {
            equal += 1;
        } else {
            differences.push(format!("{unit}: exit {exit}, recorded {theirs:?}, said {ours:?}"));
        }
    }
    eprintln!("{}: {equal} of {units} equal", folder.display());
    assert!(units > 0);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Pieces that meet in real units, so that random texts get past the first word.
fn pieces() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "[Service]\n",
        "[Unit]\n",
        "[Install]\n",
        "[",
        "]",
        "\n",
        "\r\n",
        "\0",
        "\\\n",
        "\\",
        "=",
        "#",
        ";",
        " ; ",
        "ExecStart=",
        "Environment=",
        "EnvironmentFile=-/",
        "User=",
        "WorkingDirectory=",
        "RuntimeDirectory=",
        "Restart=",
        "After=",
        "TimeoutStopSec=5",
        "/bin/a ",
        "A=b ",
        "\"",
        "'",
        "%",
        "%%",
        "%h",
        "\\x41",
        "\\u00e9",
        "\u{1f}",
        "\u{1a}",
        "\u{feff}",
        "é",
        " ",
    ]);
    prop::collection::vec(prop_oneof![5 => known.prop_map(str::to_owned), 1 => ".{0,4}"], 0..50)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_and_spans_lie_within(text in prop_oneof![pieces(), ".*"]) {
        for kind in [UnitKind::Service, UnitKind::Socket, UnitKind::Timer] {
            let parsed = parse(&text, kind, "a@b.service");
            let mut spans: Vec<_> = parsed.problems.iter().map(|problem| problem.span).collect();
            spans.extend(parsed.tree.sections.iter().map(|section| section.span));
            for one in &parsed.tree.assignments {
                spans.extend([one.key.span, one.value.whole()]);
            }
            let service = &parsed.tree.service;
            spans.extend(service.exec_start.iter().flat_map(|command| command.words.iter().map(|word| word.span)));
            spans.extend(service.environment.iter().map(|word| word.span));
            spans.extend(service.environment_files.iter().map(|file| file.span));
            for span in spans {
                prop_assert!(text.get(span.range()).is_some(), "{span:?} in {text:?}");
            }
        }
        for one in environment_file::parse(&text) {
            prop_assert!(text.get(one.name.span.range()).is_some() && text.get(one.value.span.range()).is_some());
        }
    }

    /// A plain word comes out as it went in, wherever its line is continued.
    #[test]
    fn words_keep_their_places(words in prop::collection::vec("[a-z]{1,6}", 1..8), cut in 0_usize..8) {
        let mut text = "[Service]\nExecStart=/bin/x".to_owned();
        let mut places = Vec::new();
        for (at, word) in words.iter().enumerate() {
            text.push_str(if at == cut { " \\\n# not of it\n   " } else { " " });
            places.push(text.len());
            text.push_str(word);
        }
        let parsed = parse(&text, UnitKind::Service, "a.service");
        let found: Vec<_> = parsed.tree.service.exec_start[0].words[1..]
            .iter()
            .map(|word| (word.span.range().start, word.value.clone()))
            .collect();
        prop_assert_eq!(found, places.into_iter().zip(words).collect::<Vec<_>>());
    }
}

#[test]
fn long_lines_and_many_of_them_cost_no_more_than_their_length() {
    let continued = format!("[Service]\nExecStart=/bin/x {}\n", "a \\\n".repeat(200_000));
    assert_eq!(parse(&continued, UnitKind::Service, "a.service").tree.service.exec_start[0].words.len(), 200_001);
    let many = format!("[Service]\n{}", "Environment=A=b\n".repeat(200_000));
    assert_eq!(parse(&many, UnitKind::Service, "a.service").tree.service.environment.len(), 200_000);
}

#[test]
fn a_file_of_variables_is_read_as_systemd_reads_it() {
    let text = "# A=1 \\\nB=2\nC = 'a # b' # c\nexport D=1\nE=a\"b\nF=\"x \\\"y\\\" $Z\"\nG=a b  \nH=a\\\n b\n;I=1\nJ=\nK='a'\"b\"\n";
    let found: Vec<_> = environment_file::parse(text)
        .into_iter()
        .map(|one| (one.name.value.clone(), one.value.value.clone(), one.is_taken()))
        .collect();
    let expected = [
        ("C", "a # b# c", true),
        ("export D", "1", false),
        ("E", "a\"b", true),
        ("F", "x \"y\" $Z", true),
        ("G", "a b", true),
        ("H", "a b", true),
        ("J", "", true),
        ("K", "ab", true),
    ];
    assert_eq!(found, expected.map(|(name, value, taken)| (name.to_owned(), value.to_owned(), taken)));
}
