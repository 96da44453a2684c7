//! nginx's own verdicts beside ours, and what must hold for any input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::path::{Path, PathBuf};

use housecall::source::{Origin, Source, Sources, Span};
use housecall::syntax::nginx::{Config, Directive, End, Item, Items, parse};
use housecall::syntax::{Parsed, Problem};
use proptest::prelude::*;

pub fn shared(path: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if folder.exists() {
        return Some(folder);
    }
    println!("skipped: {} is not there", folder.display());
    None
}

/// The rows of a table with a header, each as (column name -> cell).
pub fn table(path: &Path) -> Vec<std::collections::HashMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split('\t').collect();
    lines
        .map(|line| header.iter().map(ToString::to_string).zip(line.split('\t').map(str::to_owned)).collect())
        .collect()
}

/// The text of a file as every reader gets it, and what we make of it.
fn read(path: &Path, check: impl FnOnce(&Source, Parsed<Config>)) {
    let mut sources = Sources::default();
    let id = sources.add("a", std::fs::read(path).unwrap(), Origin::File);
    let source = sources.get(id);
    check(source, parse(source.text()));
}

/// The lines that a problem names.
fn lines(source: &Source, problem: &Problem) -> Vec<usize> {
    let spans = std::iter::once(problem.span).chain(problem.related.iter().map(|related| related.span));
    spans.map(|span| source.line_column(span.start).0).collect()
}

#[test]
fn the_corpus_gets_the_verdicts_and_lines_of_nginx() {
    let Some(folder) = shared("corpus/nginx") else { return };
    let (mut accepted, mut refused, mut beyond, mut templates, mut wrong) = (0, 0, 0, 0, Vec::new());
    for row in table(&folder.join("index.tsv")) {
        let name = &row["file"];
        read(&folder.join(name), |source, parsed| {
            check_tree(source.text(), &parsed);
            if row["kind"] != "plain" || row["syntax_class"] == "n/a-lua" {
                templates += 1;
                return;
            }
            match (row["syntax_class"].as_str(), parsed.problems.first()) {
                ("accept", None) => accepted += 1,
                // Beyond the tokenizer, nginx itself refuses more of the structure: then its own line counts.
                ("reject" | "accept", Some(problem))
                    if [&row["syntax_line"], &row["nginx_line"]]
                        .iter()
                        .filter_map(|line| line.parse::<usize>().ok())
                        .any(|line| lines(source, problem).contains(&line)) =>
                {
                    refused += 1;
                }
                // nginx had stopped before it came here, for something that is not a matter of syntax.
                ("accept", Some(problem))
                    if row["nginx_class"].starts_with("reject")
                        && row["nginx_line"].parse::<usize>().is_ok_and(|line| line < lines(source, problem)[0]) =>
                {
                    beyond += 1;
                }
                (verdict, first) => wrong.push(format!(
                    "{name}: {verdict} at {} / {}, here {:?} {:?}",
                    row["syntax_line"],
                    row["nginx_line"],
                    first.map(|problem| lines(source, problem)),
                    first.map(|problem| &problem.message),
                )),
            }
        });
    }
    println!(
        "corpus/nginx: {accepted} accepted and {refused} refused alike, {beyond} refused beyond the line where nginx stopped"
    );
    println!("corpus/nginx: {templates} templates and files with Lua read");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whether a message of nginx comes from its tokenizer or from the structure of blocks.
fn is_structural(message: &str) -> bool {
    const TEXTS: [&str; 6] = [
        "unexpected \";",
        "unexpected \"{",
        "unexpected \"}",
        "too long parameter",
        "has no opening",
        "is not terminated by",
    ];
    let after_quote = message.starts_with("unexpected \"") && !message.contains("in condition");
    after_quote || message.contains("\\ufeff") || TEXTS.iter().any(|text| message.contains(text))
}

#[test]
fn the_hand_written_cases_get_the_verdicts_of_nginx() {
    let Some(folder) = shared("truth/nginx") else { return };
    let (mut accepted, mut refused, mut later, mut wrong) = (0, 0, 0, Vec::new());
    for row in ["edge.tsv", "lua.tsv"].into_iter().flat_map(|file| table(&folder.join(file))) {
        let name = &row["file"];
        let is_accepted = row["nginx_1.31.4"] == "accept";
        let message = row.get("message").map_or("", String::as_str);
        read(&folder.join("cases").join(name), |source, parsed| {
            check_tree(source.text(), &parsed);
            let found: Vec<_> = parsed.problems.iter().map(|problem| lines(source, problem)).collect();
            let same_line =
                row["line"].parse().is_ok_and(|line: usize| found.first().is_some_and(|lines| lines.contains(&line)));
            match (is_accepted, is_structural(message)) {
                (true, _) if found.is_empty() => accepted += 1,
                (false, true) if same_line && found.len() == 1 => refused += 1,
                (false, false) if found.is_empty() || same_line => later += 1,
                _ => wrong.push(format!("{name}: {} {message}, here {found:?}", row["nginx_1.31.4"])),
            }
        });
    }
    println!("truth/nginx: {accepted} accepted, {refused} refused on the same line, {later} refused for other reasons");
    assert!(refused > 0 && wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The spans of everything in `items`, in order.
fn spans(items: Items<'_>, into: &mut Vec<Span>) {
    for item in items {
        match item {
            Item::Opaque(span) => into.push(span),
            Item::Entry(entry) => {
                into.extend(entry.words().map(|word| word.span));
                into.extend(entry.semicolon());
            }
            Item::Directive(directive) => {
                into.push(directive.name_span());
                into.extend(directive.arguments().map(|word| word.span));
                match directive.end() {
                    End::Semicolon(semicolon) => into.extend(semicolon),
                    End::Lua { open, code, close } => into.extend([open, code].into_iter().chain(close)),
                    End::Block { open, close } => {
                        into.push(open);
                        spans(directive.items(), into);
                        into.extend(close);
                    }
                }
            }
        }
    }
}

/// What holds for any text: spans lie in it, and where nothing is refused they leave out blanks alone.
fn check_tree(text: &str, parsed: &Parsed<Config>) {
    let mut all = Vec::new();
    spans(parsed.tree.items(), &mut all);
    assert!(all.iter().all(|span| text.get(span.range()).is_some()));
    for problem in &parsed.problems {
        assert_eq!(problem.kind, "nginx/syntax");
        assert!(text.get(problem.span.range()).is_some(), "{problem:?}");
        assert!(problem.related.iter().all(|related| text.get(related.span.range()).is_some()), "{problem:?}");
        assert!(problem.hint.is_some(), "{problem:?}");
    }
    assert!(parsed.problems.is_sorted_by_key(|problem| problem.span));
    if !parsed.problems.is_empty() {
        return;
    }
    assert!(all.is_sorted(), "{all:?}");
    all.extend(parsed.tree.comments());
    all.sort();
    let mut at = 0;
    for span in all {
        assert!(text[at..span.range().start].bytes().all(|byte| b" \t\r\n".contains(&byte)), "at {at}");
        at = span.range().end;
    }
    assert!(text[at..].bytes().all(|byte| b" \t\r\n".contains(&byte)), "after {at}");
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut sources = Sources::default();
        let id = sources.add("a", bytes, Origin::File);
        check_tree(sources.text(id), &parse(sources.text(id)));
    }

    #[test]
    fn any_arrangement_of_what_nginx_knows(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "server", "location", "map", "if", "include", "listen 80", "content_by_lua_block", "a", "\"b c\"", "'", "\"", "\\",
            "$", "{", "}", ";", " ", "\n", "\n  ", "#", "--", "[[", "]]", "{2,3}", "\u{1F}\u{1F}", "\u{1A}", "é", "\u{FEFF}", ")",
        ]), 0..60)
    ) {
        let text = pieces.concat();
        check_tree(&text, &parse(text.as_str()));
    }

    #[test]
    fn a_well_formed_config_is_read_whole(
        statements in proptest::collection::vec((
            "x[a-z_]{1,8}",
            proptest::collection::vec("[a-z/~^$é][a-z0-9#}'\".=é]{0,5}|\"[ a-z;{}#']{0,6}\"", 0..4),
            0..3,
        ), 0..30)
    ) {
        let mut text = String::new();
        let mut depth = 0;
        let mut expected = 0;
        for (name, words, turn) in statements {
            text.push_str(&format!("{name} {}", words.join(" ")));
            expected += 2 + words.len();
            match turn {
                0 => text.push_str(" ;\n"),
                1 => { text.push_str(" {\n"); depth += 1; }
                _ if depth > 0 => { text.push_str(" ; }\n"); depth -= 1; expected += 1; }
                _ => text.push_str(" ; # }\n"),
            }
        }
        text.push_str(&"}".repeat(depth));
        let parsed = parse(text.as_str());
        prop_assert_eq!(&parsed.problems, &[]);
        check_tree(&text, &parsed);
        let mut all = Vec::new();
        spans(parsed.tree.items(), &mut all);
        prop_assert_eq!(all.len(), expected + depth);
    }
}

/// A file of nothing but mistakes is not told mistake by mistake.
#[test]
fn of_many_mistakes_the_first_are_told() {
    let problems = parse(";".repeat(300_000)).problems;
    assert_eq!(problems.len(), 101);
    assert!(problems[100].message.contains("more is refused"), "{}", problems[100].message);
}

#[test]
fn nesting_without_end_is_read() {
    let text = "a {".repeat(300_000);
    assert_eq!(parse(text.as_str()).problems.len(), 1);
}

/// Each problem as `line:column message`.
fn problems(text: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let id = sources.add("a", text.as_bytes().to_vec(), Origin::File);
    let show = |problem: &Problem| {
        let (line, column) = sources.get(id).line_column(problem.span.start);
        format!("{line}:{column} {}", problem.message)
    };
    parse(text).problems.iter().map(show).collect()
}

#[test]
fn one_typo_is_one_problem_where_it_was_made() {
    let cases: &[(&str, &[&str])] = &[
        // A missing `;`, at the end of the line that lacks it.
        ("server {\n  root /a\n}\n", &["2:10 `root` is not ended by `;`"]),
        ("server {\n  root /a # here\n}\nevents {}\n", &["2:10 `root` is not ended by `;`"]),
        ("server {\n  server_name a\n              b\n}\n", &["3:16 `server_name` is not ended by `;`"]),
        ("server {\n  listen 80\n  root /a\n}\n", &["2:12 `listen` is not ended by `;`"]),
        ("user www-data\nhttp {\n  server { listen 80; }\n}\n", &["1:14 `user` is not ended by `;`"]),
        ("http {\n  server {\n    listen", &["3:11 `listen` is not ended by `;`"]),
        ("server {\n  listen 80\n  root /a;\n}\n", &["2:12 `listen` is not ended by `;`"]),
        (
            "server {\n  root /a\n  gzip on\n  index b;\n}\n",
            &["2:10 `root` is not ended by `;`", "3:10 `gzip` is not ended by `;`"],
        ),
        ("server {\n  listen 80\n  default_server;\n  server_name a\n  root;\n}\n", &[]),
        ("server {\n  root /\u{1F}\n  index b;\n}\n", &[]),
        // A missing `{`.
        ("http {\n  server\n    listen 80;\n    root /a;\n  }\n}\n", &["2:3 `server` has no opening \"{\""]),
        ("server {\n  location /\n    root /a;\n  }\n}\n", &["2:3 `location` has no opening \"{\""]),
        ("server {\n  if ($a) return 204;\n}\n", &["2:3 `if` has no opening \"{\""]),
        ("server {\n  location ~ ^/a;b$ { }\n}\n", &["2:3 `location` has no opening \"{\""]),
        // A missing or extra `}`.
        ("http {\n  server {\n    location / {\n      root /a;\n  }\n}\n", &["3:16 this `{` is never closed"]),
        ("events {\n\nhttp {\n  server { }\n}\n", &["1:8 this `{` is never closed"]),
        (
            "http {\n  map $a $b {\n    a b;\n  server {\n    listen 80;\n  }\n}\n",
            &["2:13 the `{` of `map` is never closed"],
        ),
        ("http {\n  server { }\n  }\n  server { }\n}\n", &["5:1 unexpected \"}\": no block is open here"]),
        // Quotes.
        ("server {\n  return 200 \"a;\n  root /b;\n}\n", &["2:14 this `\"` is never closed"]),
        ("server {\n  add_header A 'a;\n  return 200 'b';\n}\n", &["2:16 this `'` is never closed"]),
        ("server {\n  return 200 \"a\"b;\n}\n", &["2:17 unexpected \"b\" right after a closing quote"]),
        // Braces and other signs in words.
        (
            "server {\n  location ~ ^/[0-9]{2}/[a-z]{1,}$ { root /a; }\n}\n",
            &["2:21 nginx takes the `{` of `{2}` for the start of a block"],
        ),
        ("map $a $b {\n  ~a{2} 1;\n  c d;\n}\n", &["2:5 nginx takes the `{` of `{2}` for the start of a block"]),
        ("http {\n  include {a,b}.conf;\n}\n", &["2:11 directive \"include\" is not terminated by \";\""]),
        ("server {\n  root /a;;\n}\n", &["2:11 unexpected \";\""]),
        ("server {\n  { }\n}\n", &["2:3 unexpected \"{\""]),
        ("\u{FEFF}events { }\n", &["1:1 the file starts with a byte order mark"]),
        ("location / {\n  content_by_lua_block {\n    a(\"}\")\n}\n", &["1:12 this `{` is never closed"]),
        ("location / {\n  content_by_lua_block {\n    if a then { b()\n}\n", &["2:24 this Lua block is never closed"]),
        (
            "server {\n  \u{A0}root /a;\n\u{A0} gzip on;\n  add_header A b\u{A0}c;\n}\n",
            &[
                "2:3 an invisible character, U+00A0, that nginx takes for part of a name",
                "3:1 an invisible character, U+00A0, that nginx takes for part of a name",
            ],
        ),
        // Two typos are two problems.
        (
            "server {\n  location / {\n    root /a\n  }\n  return 200 \"b;\n}\n",
            &["3:12 `root` is not ended by `;`", "5:14 this `\"` is never closed"],
        ),
        // A template tag alone on its line may be any number of statements.
        ("server {\n  \u{1F}\u{1F}\u{1F}\n  \u{1F} \u{1F}\n  root \u{1F}\n}\n", &[]),
        ("server {\n  root \u{1F}/a\n}\n", &["2:11 `root` is not ended by `;`"]),
    ];
    for (text, expected) in cases {
        assert_eq!(&problems(text), expected, "{text}");
    }
}

#[test]
fn words_as_nginx_decodes_them() {
    let words = |text: &str| -> Vec<String> {
        let tree = parse(text).tree;
        let Some(directive) = tree.directives().next() else { panic!("{text}") };
        let arguments = directive.arguments().map(|word| word.value().to_owned());
        std::iter::once(directive.name().to_owned()).chain(arguments).collect()
    };
    assert_eq!(words(r#"a#b c"d /e} "";"#), ["a#b", "c\"d", "/e}", ""]);
    assert_eq!(words(r#"lis\ten \. \; "\"\'\\" '\n' \ x;"#), ["lis\ten", "\\.", "\\;", "\"'\\", "\n", "\\ x"]);
    assert_eq!(words("a ${b}c ${{d;"), ["a", "${b}c", "${{d"]);
    assert_eq!(words("if ($a = \"b\")x { }"), ["if", "($a", "=", "b", ")x"]);
    assert_eq!(words("a \r\n b\u{B}c\u{A0};"), ["a", "b\u{B}c\u{A0}"]);
}

#[test]
fn a_block_is_stepped_over_and_into() {
    let tree = parse("a 'x y' \\\";\nb { c { d; } map { e f; } } # end\ng;").tree;
    let names = |directives: &mut dyn Iterator<Item = Directive<'_>>| -> Vec<String> {
        directives.map(|directive| directive.name().to_owned()).collect()
    };
    assert_eq!(names(&mut tree.directives()), ["a", "b", "g"]);
    assert_eq!(names(&mut tree.all_directives()), ["a", "b", "c", "d", "map", "g"]);
    let (first, second) = (tree.directives().next().unwrap(), tree.directives().nth(1).unwrap());
    assert_eq!(names(&mut second.directives()), ["c", "map"]);
    assert!(second.has_block() && first.items().next().is_none() && !first.has_block());
    assert_eq!(first.head().of(tree.text()), "a 'x y' \\\"");
    assert_eq!((first.arguments().len(), first.argument(1).unwrap().value()), (2, "\""));
    let quoted = first.argument(0).unwrap();
    assert_eq!((quoted.value(), quoted.raw(), quoted.is_quoted()), ("x y", "'x y'", true));
    assert!(first.argument(2).is_none() && !first.argument(1).unwrap().is_quoted());
    let Some(Item::Entry(entry)) = second.directives().nth(1).unwrap().items().next() else { panic!("no entry") };
    assert_eq!(entry.span().of(tree.text()), "e f");
}

#[test]
fn a_word_must_fit_in_the_buffer_of_nginx() {
    let refused = |text: String| !parse(text.as_str()).problems.is_empty();
    let long = |length: usize| "a".repeat(length);
    assert!(!refused(format!("x {};", long(4095))) && refused(format!("x {};", long(4096))));
    assert!(!refused(format!("x \"{}\";", long(4094))) && refused(format!("x \"{}\";", long(4095))));
    assert!(!refused(format!("#{}\n", long(4094))) && refused(format!("#{}\n", long(4095))));
    // The blank after a word fills the buffer too.
    assert!(!refused(format!("x {} ;", long(4094))) && refused(format!("x {} ;", long(4095))));
    // How long a tag will be is not known.
    assert!(!refused(format!("x {}{};", long(4000), "\u{1F}".repeat(200))));
}
