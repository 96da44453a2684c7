//! Attribute files, and what a cookbook sees of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::source::{Origin, Sources};
use crate::stack::chef::choice::alternatives;
use crate::stack::chef::scope::{Scope, evaluate};
use crate::stack::chef::walk::MAX_ROUNDS;
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

/// What the code may come to, each with the platforms, or `?` where that is out of sight.
fn choices(attributes: &Attributes, code: &str) -> String {
    let parsed = parse(code).tree;
    let value = Scope::of(attributes.seen_by(&[0])).value(&parsed.body[0]);
    let shown = alternatives(value).into_iter().map(|(platforms, value)| {
        let text = match value {
            Answer::Known(value) => value.print().known().unwrap_or_else(|| "?".to_owned()),
            Answer::Absent => "nil".to_owned(),
            Answer::Unknown(_) => "?".to_owned(),
        };
        platforms.words().map_or(text.clone(), |words| format!("{text} on {words}"))
    });
    shown.collect::<Vec<_>>().join("; ")
}

#[test]
fn a_branch_gives_one_of_a_few() {
    let attributes = attributes(&[
        "case node['platform']\nwhen 'ubuntu', 'debian'\n default['a']['dir'] = '/etc/a'\n user = 'www-data'\n\
         when 'arch'\n default['a']['dir'] = '/opt/a'\n user = 'http'\nend\n\
         default['a']['ini'] = \"#{node['a']['dir']}/x.ini\"\ndefault['a']['both'] = \"#{user}:#{node['a']['ini']}\"\n\
         default['a']['log'] = '/var/log/a'\ndefault['a']['log'] = '/srv/log' if node['a']['big']\n\
         default['a']['run'] = value_for_platform(%w(debian arch) => { 'default' => '/run' }, 'default' => '/var/run')\n\
         override['a']['top'] = platform_family?('rhel') ? 1 : 2\ndefault['a']['top'] = 3\n\
         default['a']['own'] = node['b']['c'] if platform?('arch')\ndefault['a']['own'] = 'x' unless platform?('arch')",
    ]);
    for (code, expected) in [
        ("node['a']['ini']", "/etc/a/x.ini on ubuntu, debian; /opt/a/x.ini on arch"),
        // A combination that no platform has is none.
        ("node['a']['both']", "www-data:/etc/a/x.ini on ubuntu, debian; http:/opt/a/x.ini on arch"),
        ("File.join(node['a']['dir'], 'y')", "/etc/a/y on ubuntu, debian; /opt/a/y on arch"),
        ("File.dirname(node['a']['ini'])", "/etc/a on ubuntu, debian; /opt/a on arch"),
        ("node[:a].dir.split('/').last", "a"),
        ("node['a']['log'] + '/x'", "/var/log/a/x; /srv/log/x"),
        ("node['a']['run']", "/run on debian, arch; /var/run on all but debian, arch"),
        (
            "node['a']['top']",
            "1 on centos, redhat, scientific, oracle and others; 2 on all but centos, redhat, scientific, oracle and others",
        ),
        // One that is out of sight leaves all out of sight.
        ("node['a']['own']", "?"),
        ("node['x'] ? 'p' : node['a']['dir']", "p; /etc/a on ubuntu, debian; /opt/a on arch"),
    ] {
        assert_eq!(choices(&attributes, code), expected, "{code}");
    }
    // Whoever wants one value gets none.
    assert_eq!(known(&attributes, "node['a']['ini']"), None);
}

#[test]
fn more_than_a_few_are_no_answer() {
    let arms: String = (0..40).map(|n| format!("when {n} then default['a'] = {n}\n")).collect();
    let attributes = attributes(&[&format!("case x\n{arms}end\ndefault['b'] = \"#{{node['a']}}-#{{node['a']}}\"")]);
    assert_eq!(choices(&attributes, "node['a']"), "?");
    assert_eq!(choices(&attributes, "node['b']"), "?");
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
