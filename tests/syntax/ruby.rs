//! Ruby: the verdicts of prism on small snippets, no panic on any bytes, and the metadata of real cookbooks where they are.

use housecall::syntax::ruby::parse;
use proptest::prelude::*;

/// What MRI accepts and refuses; the line is where prism sees the mistake, such as the `do` that is never closed.
#[test]
fn verdicts_on_small_snippets() {
    let accepted = [
        "",
        "# a comment only\n",
        "service 'a' do\n  action [:enable, :start]\nend\n",
        "%w[a b].each do |x|\n  package x\nend\n",
        "default['a'] = { 'b' => 1, c: 2 }\n",
        "template('/x') { source 'x.erb' }\n",
        "x = node['a'] ? 1 : 2\n",
        "execute <<-EOC\n  one\n  two\nEOC\n",
        "def helper(a, b = 1, *rest, key: 2)\n  a\nend\n",
        "begin\n  a\nrescue StandardError => e\n  b\nensure\n  c\nend\n",
        "a&.b\n",
    ];
    for text in accepted {
        assert_eq!(parse(text).problems, vec![], "{text}");
    }
    let refused = [
        ("service 'a' do\n  action :start\n", 1),
        ("package 'a'\nend\n", 2),
        ("default['a'] = 'b\n", 1),
        ("x = [1, 2\ny = 3\n", 2),
    ];
    for (text, line) in refused {
        let problems = parse(text).problems;
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        let problem = &problems[0];
        assert_eq!(problem.kind, "cookbook/does-not-parse");
        let found = text[..(problem.span.start as usize).min(text.len())].matches('\n').count() + 1;
        assert_eq!(found, line, "{text}: {}", problem.message);
    }
}

/// A text on which prism's wrapper overflows is told as one that does not parse, like any other.
#[test]
fn garbage_that_the_parser_gives_up_on_is_a_problem() {
    assert!(!parse("<<-E\n\"#{<<-E\n").problems.is_empty());
}

/// One typo does not hide what follows.
#[test]
fn reading_goes_on_after_a_mistake() {
    let parsed = parse("package 'a'\nend\nservice 'b' do\n  action :start\nend\n");
    let names: Vec<_> = parsed.tree.body.iter().filter_map(|expr| Some(expr.call()?.name.clone())).collect();
    assert_eq!(names, ["package", "service"]);
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        let parsed = parse(&text);
        parsed.tree.visit(&mut |expr| assert!(expr.span.start <= expr.span.end && expr.span.end as usize <= text.len()));
    }

    #[test]
    fn any_pieces_of_ruby_are_read(pieces in proptest::collection::vec(piece(), 0..60)) {
        let text = pieces.concat();
        let parsed = parse(&text);
        parsed.tree.visit(&mut |expr| assert!(expr.span.end as usize <= text.len()));
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "do", "end", "if ", "else\n", "case ", "when ", "node", "['a']", "[:b]", ".c", " = ", "||=", "'x'", "\"#{",
        "}\"", "(", ")", "{", "}", "[", "]", "|a|", "\n", " ", "<<-E\n", "E\n", "%w[", ":s", "1", "@f", "def m\n",
        "unless ", "&.", "\u{1f}", "\u{1a}", "é", ";", ",", "=>", "#", "begin\n", "rescue\n", "->", "*", "!",
    ])
}
