//! Attribute files, and what a cookbook sees of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::source::{Origin, Sources};
use crate::stack::chef::value::evaluate;
use crate::syntax::ruby::parse;

fn attributes(files: &[&str]) -> Attributes {
    let mut sources = Sources::default();
    let mut attributes = Attributes::default();
    for text in files {
        let file = sources.add("attributes/default.rb", text.as_bytes().to_vec(), Origin::File);
        attributes.read(&parse(text).tree, file, 0, &[0], false);
    }
    attributes
}

fn known(attributes: &Attributes, code: &str) -> Option<String> {
    match evaluate(code, &Scope::of(attributes.seen_by(&[0]))) {
        Answer::Known(text) => Some(text),
        _ => None,
    }
}

#[test]
fn keys_of_all_styles_are_one_path() {
    let attributes = attributes(&["default['a'][:b] = 'x'\ndefault.a.c = \"#{node[:a]['b']}/y\""]);
    for code in ["node['a']['c']", "node[:a].c", "node.a.c", "node.read('a', 'c')", "\"#{node['a']['c'].to_s}\""] {
        assert_eq!(known(&attributes, code).as_deref(), Some("x/y"), "{code}");
    }
}

#[test]
fn levels_beat_order() {
    let attributes = attributes(&["override['a'] = 1\nnode.set['b'] = 1", "default['a'] = 2\nnormal['b'] = 2"]);
    assert_eq!(known(&attributes, "node['a']").as_deref(), Some("1"));
    assert_eq!(known(&attributes, "node['b']").as_deref(), Some("2"));
}

#[test]
fn branches_decide_only_where_they_agree() {
    let attributes = attributes(&["case node['platform']\nwhen 'ubuntu'\n default['a'] = 1\n default['b'] = 1\n\
         else\n default['a'] = 1\n default['b'] = 2\nend\ndefault['c'] = 3\ndefault['c'] = 4 if node['x']"]);
    assert_eq!(known(&attributes, "node['a']").as_deref(), Some("1"));
    assert_eq!(known(&attributes, "node['b']"), None);
    assert_eq!(known(&attributes, "node['c']"), None);
}

#[test]
fn hashes_and_paths_below_are_one() {
    let attributes = attributes(&["default['a'] = { 'b' => 1, c: { d: 2 } }\ndefault['a']['e'] = 3"]);
    assert_eq!(known(&attributes, "node['a']['b'] + 1").as_deref(), Some("2"));
    assert_eq!(known(&attributes, "node['a']['c']['d']").as_deref(), Some("2"));
    assert_eq!(known(&attributes, "node['a'].keys.join(',')").as_deref(), Some("b,c,e"));
    assert_eq!(known(&attributes, "node['a'].to_hash['e']").as_deref(), Some("3"));
}

#[test]
fn an_attribute_nobody_sets_is_named() {
    let Answer::Unknown(missing) = evaluate("node['a']['b']", &Scope::of(attributes(&[]).seen_by(&[0]))) else {
        panic!("decided")
    };
    assert_eq!(missing.what, "the value of node['a']['b']");
}

#[test]
fn what_changes_in_place_is_unknown() {
    let attributes = attributes(&["default['a'] = ['x']\ndefault['a'] << 'y'\ndefault['n'] = 1\ndefault['n'] += 1"]);
    assert_eq!(known(&attributes, "node['a'].join"), None);
    assert_eq!(known(&attributes, "node['n']"), None);
}

#[test]
fn loops_within_loops_end() {
    let nested = |depth: usize| {
        let open = "[1,2,3,4,5,6,7,8,9].each { |n| ";
        format!("{}default['a'] = 1{}\ndefault['b'] = 2", open.repeat(depth), " }".repeat(depth))
    };
    assert_eq!(known(&attributes(&[&nested(2)]), "node['a']").as_deref(), Some("1"));
    assert_eq!(known(&attributes(&[&nested(30)]), "node['b']").as_deref(), Some("2"));
    let program = parse(&nested(30));
    let no_attributes = Attributes::default();
    let mut calls = 0;
    let mut scope = Scope::of(no_attributes.seen_by(&[]));
    crate::stack::chef::walk::walk(&program.tree.body, &mut scope, false, &mut |_| {
        calls += 1;
        false
    });
    assert!(calls <= MAX_ROUNDS);
}

#[test]
fn tags_are_evaluated() {
    let attributes = attributes(&["default['a'] = nil\n%w[x y].each { |n| default[n]['dir'] = \"/srv/#{n}\" }"]);
    let mut scope = Scope::of(attributes.seen_by(&[0]));
    scope.fields.insert("port".into(), Answer::Known(Value::Int(3031)));
    for (code, expected) in [
        ("@port", "3031"),
        ("node['a'] || 'fallback'", "fallback"),
        ("'lit'", "lit"),
        ("File.join(node['y']['dir'], 'log')", "/srv/y/log"),
        ("node['x']['dir'] + '/app'", "/srv/x/app"),
        ("@port + 1", "3032"),
    ] {
        assert_eq!(evaluate(code, &scope), Answer::Known(expected.to_owned()), "{code}");
    }
    for code in ["@other", "`hostname`", "node['x'", "raise('x')", "x; y", "", "0 + 'x'"] {
        assert!(matches!(evaluate(code, &scope), Answer::Unknown(_)), "{code}");
    }
}
