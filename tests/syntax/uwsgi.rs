//! The uWSGI reader beside uWSGI's own view of real files, and on any bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::path::{Path, PathBuf};

use housecall::source::{Origin, Sources, Span};
use housecall::stack::document::{Document, Kind};
use housecall::stack::uwsgi::{Around, Reading, read};
use housecall::syntax::data::uwsgi::find;
use housecall::syntax::uwsgi::{
    Config, ConfigOption, Magic, Slot, Text, expand_all, parse, parse_command, parse_section,
};
use proptest::prelude::*;
use serde_json::Value;

/// The measured files lay in this folder, which was also the working directory, on a host with two processors.
const FOLDER: &str = "/srv/in";

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    path.join("uwsgi/index.tsv").exists().then_some(path)
}

fn magic(name: &str) -> Magic {
    Magic::of_path(&format!("{FOLDER}/{name}"))
        .given('k', "2")
        .given('v', FOLDER)
        .given('U', "nobody")
        .given('G', "nogroup")
}

/// An option as uWSGI may have added it: one in an `if` is there or not.
#[derive(Debug, PartialEq)]
struct Expected {
    key: String,
    value: String,
    optional: bool,
}

/// The options as uWSGI adds them: loops unrolled, `set = k=v` followed by what it sets, `ini = :x` by that section.
fn expected(source: &str, config: &Config, magic: &Magic) -> Option<Vec<Expected>> {
    let text = |text: &Text| text.resolve(magic).ok();
    let mut all = Vec::new();
    for option in &config.options {
        let (key, value) = (text(&option.key.value)?, text(&option.value.value)?);
        let argument = |block: Span| config.options.iter().find(|o| o.span == block).and_then(|o| text(&o.value.value));
        let (items, optional) = match config.block_of(option) {
            None => (vec![String::new()], false),
            Some(block) if block.kind == "for" => {
                (argument(block.opener)?.split_whitespace().map(str::to_owned).collect(), false)
            }
            Some(block) => (vec![argument(block.opener)?], true),
        };
        for item in items {
            let value = if option.block.is_some() { value.replace("%(_)", &item) } else { value.clone() };
            let set = matches!(key.as_str(), "set" | "set-ph" | "set-placeholder").then(|| value.clone());
            let section = value.strip_prefix(':').filter(|_| key == "ini").map(str::to_owned);
            all.push(Expected { key: key.clone(), value, optional });
            if let Some(section) = section {
                all.extend(expected(source, &parse_section(source, &section).tree, magic)?);
            }
            if let Some((key, value)) = set.as_deref().and_then(|set| set.split_once('=')) {
                all.push(Expected { key: key.to_owned(), value: value.to_owned(), optional });
            }
        }
    }
    Some(all)
}

/// Both in step: every measured option is the next expected one, once optional ones are passed over.
fn agrees(expected: &[Expected], measured: &[(String, String)]) -> Result<Vec<usize>, String> {
    let mut taken = Vec::new();
    let mut at = 0;
    for (key, value) in measured {
        loop {
            let next = expected.get(at).ok_or_else(|| format!("uWSGI has {key} = {value}, we have no more"))?;
            at += 1;
            if next.key == *key && as_measured(&next.value) == *value {
                taken.push(at - 1);
                break;
            }
            if !next.optional {
                return Err(format!("uWSGI has {key} = {value}, we have {} = {}", next.key, next.value));
            }
        }
    }
    match expected[at..].iter().find(|rest| !rest.optional) {
        Some(rest) => Err(format!("we have {} = {} beyond uWSGI's last", rest.key, rest.value)),
        None => Ok(taken),
    }
}

/// The measurement took uWSGI's bytes for Latin-1.
fn as_measured(value: &str) -> String {
    value.bytes().map(char::from).collect()
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    value.as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

#[test]
fn every_parsed_key_and_value_is_uwsgis_own() {
    let Some(corpus) = corpus() else {
        println!("skipped: ../shared/corpus is not here");
        return;
    };
    let mut names: Vec<_> = std::fs::read_dir(corpus.join("truth/uwsgi")).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    let (mut files, mut options, mut finals, mut final_files) = (0, 0, 0, 0);
    let (mut wrong, mut of_host) = (Vec::new(), std::collections::BTreeMap::new());
    for path in names {
        let truth: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        if truth["class"] != "parsed" {
            continue;
        }
        let name = truth["file"].as_str().unwrap();
        let bytes = std::fs::read(corpus.join("uwsgi").join(name)).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let config = parse(&text).tree;
        let raw = pairs(&truth["raw"]);
        let Some(all) = expected(&text, &config, &magic(name)) else {
            wrong.push(format!("{name}: holds a letter that depends on the host"));
            continue;
        };
        let taken = match agrees(&all, &raw) {
            Ok(taken) => taken,
            Err(difference) => {
                wrong.push(format!("{name}: {difference}"));
                continue;
            }
        };
        files += 1;
        options += raw.len();
        let mut slots: Vec<Slot> = taken
            .iter()
            .map(|&at| Slot {
                key: Some(all[at].key.clone()),
                value: Ok(all[at].value.clone()),
                immediate: find(&all[at].key).is_some_and(|known| known.is_immediate()),
                certain: true,
            })
            .collect();
        expand_all(&mut slots, &|_| None, true);
        let mut all_equal = true;
        for (slot, (key, value)) in slots.iter().zip(pairs(&truth["final"])) {
            match &slot.value {
                Ok(ours) if as_measured(ours) != value => {
                    all_equal = false;
                    wrong.push(format!("{name}: finally {key} = {value}, we have {ours}"));
                }
                Ok(_) => finals += 1,
                // The environment and files of that host.
                Err(unresolved) => {
                    all_equal = false;
                    of_host.entry(name.to_owned()).or_insert_with(Vec::new).push(unresolved.0.clone());
                }
            }
        }
        final_files += usize::from(all_equal);
    }
    println!(
        "{files} files, {options} options equal before placeholders; {finals} options, {final_files} whole files after"
    );
    for (name, parts) in &of_host {
        println!("{name}: {} depended on the host", parts.join(", "));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files > 100);
    let decides = |part: &String| ["$(", "@("].iter().any(|opener| part.starts_with(opener));
    let all_decided = of_host.values().all(|parts| parts.iter().any(decides));
    assert!(all_decided, "what leads to a variable or a file of the host is the only exception");
}

fn spans_fit(text: &str, option: &ConfigOption) {
    for span in [option.key.span, option.value.span, option.span] {
        assert!(text.get(span.range()).is_some(), "{span:?} of {} bytes", text.len());
    }
    assert!(option.span.start <= option.key.span.start && option.value.span.end <= option.span.end);
}

fn read_text(name: &str, text: &str) -> Reading {
    let mut sources = Sources::default();
    let file = sources.add(name, text.as_bytes().to_vec(), Origin::File);
    read(&Document::plain(file, name, Kind::Uwsgi, text.into()), Around::default())
}

fn holds_on(text: &str) {
    let config = parse(text).tree;
    config.options.iter().chain(&config.strays).for_each(|option| spans_fit(text, option));
    config.headers.iter().for_each(|header| assert!(text.get(header.span.range()).is_some()));
    let resolve = |text: &Text| text.resolve(&magic("x.ini")).ok();
    let mut slots: Vec<Slot> = config
        .options
        .iter()
        .map(|option| Slot {
            key: resolve(&option.key.value),
            value: Ok(resolve(&option.value.value).unwrap_or_default()),
            immediate: false,
            certain: option.block.is_none(),
        })
        .collect();
    expand_all(&mut slots, &|name| (name.len() > 2).then(|| name.to_owned()), true);
    for row in read_text("/etc/uwsgi/x.ini", text).options {
        assert!(row.place.span.is_some_and(|span| text.get(span.range()).is_some()));
    }
}

proptest! {
    #[test]
    fn any_text_keeps_its_spans(text in any::<String>()) {
        holds_on(&text);
    }

    #[test]
    fn ini_like_text_keeps_its_spans(lines in proptest::collection::vec("[ a%(@$);#=\\[\\]\r\t\u{1f}\u{1a}é+*/0-]{0,24}", 0..12)) {
        holds_on(&format!("[uwsgi]\n{}", lines.join("\n")));
    }

    #[test]
    fn any_command_is_read(words in proptest::collection::vec("-{0,3}[a-zé=./]{0,8}", 0..8)) {
        let words: Vec<(String, Span)> = words.into_iter().map(|word| (word, Span::new(3, 5))).collect();
        parse_command(&words);
    }
}

#[test]
fn a_large_file_is_read_in_linear_time() {
    let lines = "if-env = x\nk = %%v\nend\nenv = A=b\nenv = A\nunknown_option = %(b)\nenv X=y\n".repeat(15_000);
    let text = format!("[uwsgi]\nb = {}\n{lines}a = %(a){}", "b".repeat(50_000), "(%(".repeat(100_000));
    let start = std::time::Instant::now();
    holds_on(&text);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

/// What a user would be told about options uWSGI does not know, over all real files, looked through by hand:
/// the corrections are typos, the rest are names that uWSGI ignores and nothing in their file uses.
#[test]
fn corrections_in_real_files_are_real_typos() {
    let Some(corpus) = corpus() else {
        println!("skipped: ../shared/corpus is not here");
        return;
    };
    let mut paths: Vec<_> = std::fs::read_dir(corpus.join("uwsgi")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let (mut corrected, mut ignored) = (Vec::new(), Vec::new());
    for path in paths.iter().filter(|path| path.extension().is_none_or(|end| end != "erb" && end != "tsv")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        for row in read_text(name, &std::fs::read_to_string(path).unwrap()).options {
            if row.key != "unknown" || row.referenced.known() != Some(&false) {
                continue;
            }
            let written = row.name.known().unwrap().clone();
            match row.suggestion.known() {
                Some(meant) => corrected.push(format!("{written} -> {meant}")),
                None => ignored.push(written),
            }
        }
    }
    println!("{} corrected: {corrected:?}; {} ignored: {ignored:?}", corrected.len(), ignored.len());
    corrected.sort();
    let typos = [
        "buffer_size -> buffer-size",
        "chmod-sockert -> chmod-socket",
        "proc-name-prefix -> procname-prefix",
        "process -> processes",
        "thread -> threads",
    ];
    assert_eq!(corrected, typos);
}

proptest::proptest! {
    /// Where uWSGI's ini is plain ini, another reader sees the same keys and values.
    #[test]
    fn on_plain_ini_another_reader_agrees(
        lines in proptest::collection::btree_map("[a-z][a-z-]{0,10}", "[A-Za-z0-9/._-]{1,14}", 1..12),
        blanks in " {0,3}",
    ) {
        let mut text = "[uwsgi]\n".to_owned();
        for (key, value) in &lines {
            text.push_str(&format!("; a comment\n\n{key}{blanks}={blanks}{value}\n"));
        }
        let theirs = ini::inistr!(safe cs &text).map_err(proptest::test_runner::TestCaseError::fail)?;
        let ours: std::collections::BTreeMap<String, Option<String>> = housecall::syntax::uwsgi::parse(&text)
            .tree
            .options
            .iter()
            .map(|option| (option.key.span.of(&text).to_owned(), Some(option.value.span.of(&text).to_owned())))
            .collect();
        let theirs: std::collections::BTreeMap<_, _> = theirs["uwsgi"].clone().into_iter().collect();
        proptest::prop_assert_eq!(ours, theirs);
    }
}
