//! Reader for Ruby as Chef files use it, by prism, MRI's own parser.

mod convert;
mod tree;

use std::sync::atomic::{AtomicUsize, Ordering};

pub use tree::{Arm, Assign, Block, Branch, Call, Expr, Kind, Part, Program};

use crate::source::Span;
use crate::syntax::{Parsed, Problem};

/// Deeper nesting than any file people write; what lies below becomes [`Kind::Other`], so that no input exhausts the stack.
const MAX_DEPTH: usize = 120;

/// prism recurses up to 10,000 levels, which a usual thread's stack does not hold; its pages are touched only if needed.
const STACK: usize = 64 << 20;

/// A text as short as this cannot nest deep enough to need more than a usual thread's stack; the tags of templates are.
const SHORT: usize = 200;

/// No recipe nests as deep as this; for each level prism takes much time and memory.
const DEEPEST: usize = 1000;

/// Whether brackets, or signs before one operand, nest too deep for prism. Those in strings and comments count too.
fn nests_too_deep(text: &str) -> bool {
    let (mut open, mut signs) = (0_usize, 0_usize);
    text.bytes().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        match byte {
            b'!' | b'-' | b'+' | b'~' | b'*' | b'&' => signs += 1,
            b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => signs = 0,
        }
        open.max(signs) > DEEPEST
    })
}

/// Reads a Ruby file. Where prism (and so MRI) first refuses it is a problem; the tree holds what it recovered.
pub fn parse(text: &str) -> Parsed<Program> {
    if text.len() <= SHORT {
        return guarded(text);
    }
    parse_all(&[text], 1).pop().unwrap_or_else(|| given_up(text))
}

/// Reads several files in this many threads, whose stacks are made once for all of them; in the order of the files.
pub fn parse_all(texts: &[&str], threads: usize) -> Vec<Parsed<Program>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut read = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(text) = texts.get(at) else { return read };
            read.push((at, guarded(text)));
        }
    };
    let mut all: Vec<Option<Parsed<Program>>> = texts.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let reader = |_| std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok();
        let readers: Vec<_> = (0..threads.min(texts.len())).filter_map(reader).collect();
        for (at, parsed) in readers.into_iter().filter_map(|reader| reader.join().ok()).flatten() {
            all[at] = Some(parsed);
        }
    });
    all.into_iter().zip(texts).map(|(parsed, text)| parsed.unwrap_or_else(|| given_up(text))).collect()
}

/// prism's wrapper overflows on some garbage where overflows are checked: caught here.
fn guarded(text: &str) -> Parsed<Program> {
    if nests_too_deep(text) {
        return unread(text, "not read: it nests deeper than any recipe");
    }
    std::panic::catch_unwind(|| read(text)).unwrap_or_else(|_| given_up(text))
}

fn given_up(text: &str) -> Parsed<Program> {
    unread(text, "not read: the reader gave up on it")
}

fn unread(text: &str, why: &str) -> Parsed<Program> {
    let problem = Problem::new(DOES_NOT_PARSE, Span::new(0, text.len()), why);
    Parsed { tree: Program::default(), problems: vec![problem] }
}

fn read(text: &str) -> Parsed<Program> {
    let result = ruby_prism::parse(text.as_bytes());
    // What follows the first error is mostly its echo.
    let first = result.errors().min_by_key(|error| error.location().start());
    let problem = first.map(|error| {
        let place = error.location();
        let span = Span { start: place.start(), end: place.end() };
        Problem::new(DOES_NOT_PARSE, span, String::from_utf8_lossy(error.message()))
    });
    Parsed { tree: Program { body: convert::program(&result.node()) }, problems: problem.into_iter().collect() }
}

const DOES_NOT_PARSE: &str = "cookbook/does-not-parse";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn what_nests_too_deep_is_told_and_not_handed_to_prism() {
        for unit in ["(", "[", "{", "-", "! ", "\"#{"] {
            let parsed = parse(&unit.repeat(DEEPEST + 1));
            assert!(parsed.problems[0].message.contains("deeper"), "{unit}");
            assert!(parsed.tree.body.is_empty());
        }
        assert_eq!(parse(&format!("{}1{}", "[".repeat(90), "]".repeat(90))).problems, vec![]);
    }

    fn only(text: &str) -> Expr {
        let parsed = parse(text);
        assert_eq!(parsed.problems, vec![], "{text}");
        parsed.tree.body.into_iter().next().unwrap()
    }

    #[test]
    fn a_resource_is_a_call_with_a_block() {
        let expr = only("template \"#{node['a'][:b]}/x.ini\" do\n  owner 'deploy'\n  variables(port: 1)\nend\n");
        let call = expr.call().unwrap();
        assert_eq!(call.name, "template");
        let Kind::Text(parts) = &call.arguments[0].kind else { panic!("{call:?}") };
        assert!(matches!(&parts[1], Part::Literal(text, _) if text == "/x.ini"));
        let body = &call.block.as_ref().unwrap().body;
        assert_eq!(body[0].call().unwrap().first_literal().unwrap(), "deploy");
        assert_eq!(body[1].call().unwrap().keyword("port").unwrap().kind, Kind::Int(1));
    }

    #[test]
    fn assignments_keep_target_and_operator() {
        for (text, operator) in
            [("default['a'][:b] = 1", ""), ("node.default['a'] ||= 1", "||"), ("node.set.a.b = 1", ""), ("x += 1", "+")]
        {
            let Kind::Assign(assign) = only(text).kind else { panic!("{text}") };
            assert_eq!(assign.operator, operator, "{text}");
            assert_eq!(assign.value.kind, Kind::Int(1), "{text}");
        }
    }

    #[test]
    fn branches_keep_every_arm() {
        let Kind::Branch(branch) = only("case node['platform']\nwhen 'a', 'b' then x\nelse y\nend").kind else {
            panic!()
        };
        assert_eq!(branch.arms.len(), 2);
        assert_eq!(branch.arms[0].conditions.len(), 2);
        assert!(branch.has_else());
        let Kind::Branch(branch) = only("if a\n 1\nelsif b\n 2\nelse\n 3\nend").kind else { panic!() };
        assert_eq!(branch.arms.len(), 3);
        let Kind::Branch(branch) = only("provider :upstart unless old").kind else { panic!() };
        assert!(!branch.has_else());
    }

    #[test]
    fn a_plain_heredoc_knows_where_its_text_is() {
        let text = "file '/x' do\n  content <<-EOF\nenv A=1\n  EOF\nend\n";
        let expr = only(text);
        let content = &expr.call().unwrap().block.as_ref().unwrap().body[0].call().unwrap().arguments[0];
        let Kind::Text(parts) = &content.kind else { panic!() };
        let [Part::Literal(value, span)] = parts.as_slice() else { panic!("{parts:?}") };
        assert_eq!(value, "env A=1\n");
        assert_eq!(span.of(text), "env A=1\n");
    }

    #[test]
    fn hostile_nesting_ends() {
        let openers = [
            "(",
            "[",
            "{",
            "a(",
            "a[",
            "->{",
            "->(",
            "\"#{",
            "!",
            "-",
            "not ",
            "a ? ",
            "x = ",
            "x, y = ",
            "a b ",
            "a.b ",
            "**",
            "&",
            "*",
            "if a\n",
            "if ",
            "unless ",
            "while ",
            "begin\n",
            "def m\n",
            "class A\n",
            "case 1\nwhen ",
            "case a\nin [",
            "a do\n",
            "a { |x| ",
            "a = [",
            "{ a: ",
            "return ",
            "a rescue ",
            "a and ",
            "a || ",
            "a => ",
            ".b",
            "::A",
            "elsif b\n",
            "<<A",
            "%w[",
            "`#{",
            ":\"#{",
        ];
        for opener in openers {
            let parsed = parse(&("a\n".to_owned() + &opener.repeat(12_000)));
            parsed.tree.visit(&mut |expr| assert!(expr.span.start <= expr.span.end));
        }
    }
}
