//! Connection strings as people write them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use proptest::prelude::*;

use super::*;

fn hosts(text: &str) -> Vec<(String, u16)> {
    parse(text).tree.hosts.iter().map(|host| (host.name.value.clone(), host.port_or_default())).collect()
}

fn login(text: &str) -> (String, String) {
    let info = parse(text).tree;
    let user = info.user.map(|user| user.value).unwrap_or_default();
    (user, info.password.map(|password| password.value.reveal().to_owned()).unwrap_or_default())
}

#[test]
fn a_full_address() {
    let text = "postgresql+psycopg2://shop:s%40fe@db.internal:6432/orders?sslmode=require&connect_timeout=3";
    let Parsed { tree, problems } = parse(text);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(tree.scheme.clone().unwrap().value, "postgresql");
    assert_eq!(tree.driver.clone().unwrap().value, "psycopg2");
    assert_eq!(login(text), ("shop".into(), "s@fe".into()));
    assert_eq!(tree.password.clone().unwrap().span.of(text), "s%40fe");
    assert_eq!(hosts(text), [("db.internal".into(), 6432)]);
    assert_eq!(tree.hosts[0].name.span.of(text), "db.internal");
    assert_eq!(tree.hosts[0].port.unwrap().span.of(text), "6432");
    assert_eq!(tree.dbname.clone().unwrap().value, "orders");
    assert_eq!(tree.sslmode.clone().unwrap().value, "require");
    assert_eq!(tree.options[0].0, "connect_timeout");
    assert!(!format!("{tree:?}").contains("s@fe"));
}

#[test]
fn hosts_of_every_form() {
    assert_eq!(hosts("postgresql:///orders"), [("".into(), 5432)]);
    assert_eq!(hosts("postgresql:///orders?host=/run/postgresql"), [("/run/postgresql".into(), 5432)]);
    assert_eq!(hosts("postgresql://%2Frun%2Fpg/orders"), [("/run/pg".into(), 5432)]);
    assert_eq!(hosts("postgresql://[2001:db8::1]:6432/x"), [("2001:db8::1".into(), 6432)]);
    assert_eq!(hosts("postgresql://[::1]/x"), [("::1".into(), 5432)]);
    assert_eq!(hosts("postgresql://a:1,b,c:3/x"), [("a".into(), 1), ("b".into(), 5432), ("c".into(), 3)]);
    assert_eq!(hosts("host=a,b port=1,2"), [("a".into(), 1), ("b".into(), 2)]);
    assert_eq!(hosts("port=6432 host=a,b"), [("a".into(), 6432), ("b".into(), 6432)]);
    assert_eq!(hosts("dbname=x"), [("".into(), 5432)]);
    assert!(parse("dbname=x").tree.hosts[0].is_socket());
}

#[test]
fn key_and_value() {
    let text = r"host = db  password='a b\'c\\' user=o\ k dbname=''";
    let Parsed { tree, problems } = parse(text);
    assert!(problems.is_empty());
    assert_eq!(login(text), ("o k".into(), r"a b'c\".into()));
    assert_eq!(tree.dbname.unwrap().value, "");
    assert_eq!(parse("host=db password='x").problems[0].kind, "database/conninfo-syntax");
    assert_eq!(parse("host db").problems.len(), 2);
}

#[test]
fn what_a_password_must_not_hold_raw() {
    for (text, password, host) in [
        ("postgresql://u:p@zz@db/x", "p@zz", "db"),
        ("postgresql://u:p/zz@db/x", "p/zz", "db"),
        ("postgresql://u:p#zz@db/x", "p#zz", "db"),
        ("postgresql://u:p?zz@db/x", "p?zz", "db"),
    ] {
        let parsed = parse(text);
        assert_eq!(login(text), ("u".into(), password.into()), "{text}");
        assert_eq!(hosts(text)[0].0, host, "{text}");
        assert_eq!(parsed.problems.len(), 1, "{text}");
        assert_eq!(parsed.problems[0].kind, "database/url-not-encoded");
        assert!(!parsed.problems[0].message.contains("zz"));
        assert_eq!(parsed.problems[0].span.of(text), &password[1..2]);
    }
    assert_eq!(parse("postgresql://u:100%@db/x").problems.len(), 1);
    assert!(parse("postgresql://u:p@db/x?options=a@b").problems.is_empty());
    assert!(parse("postgresql://db:5432/x?user=a@b").problems.is_empty());
}

#[test]
fn the_scheme_that_sqlalchemy_dropped() {
    assert_eq!(parse("postgres://u:p@db/x").problems[0].kind, "database/url-scheme-removed");
    assert!(parse("postgres://db/x").tree.is_postgres());
    assert!(!parse("mysql://db/x").tree.is_postgres());
    assert_eq!(parse("postgresql://u@db").tree.dbname_or_user(), Some("u"));
}

proptest! {
    #[test]
    fn any_text(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn any_address(text in "postgres://[a:@/#?%\\[\\],=&é' ]{0,20}") {
        for problem in parse(&text).problems {
            prop_assert!(text.get(problem.span.range()).is_some());
        }
    }
}
