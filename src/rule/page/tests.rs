//! Pages that can be used, and the words for those that cannot.

#![allow(clippy::unwrap_used)]
use super::*;

const PAGE: &str = r#"+++
title = "workers share one connection"
severity = "error"
effect = "broken"
confidence = "likely"
each = "links"
when = ["it.uwsgi.workers > 1",
        "not it.uwsgi.lazy_apps"]
at = "it.uwsgi.workers"
message = "{{ it.uwsgi.workers }} workers"
also = [{ at = "it.app.connects_at_import", text = "opened here" }]
fix = { title = "load late", safety = "safe", after = "it.uwsgi.workers", insert = "lazy-apps = true" }

[[case]]
when = "it.app.connects_at_import"

[[case]]
severity = "warning"
message = "perhaps"
also = []
+++
Why.
"#;

fn error(from: &str, to: &str) -> PageError {
    assert!(PAGE.contains(from), "{from}");
    Page::parse("uwsgi/x", &PAGE.replace(from, to)).unwrap_err()
}

#[test]
fn a_case_takes_what_it_leaves_out_from_the_page() {
    let page = Page::parse("uwsgi/x", PAGE).unwrap();
    assert_eq!((page.when.len(), page.cases.len(), page.prose.as_str()), (2, 2, "Why."));
    let [first, second] = &page.cases[..] else { unreachable!() };
    assert_eq!((first.severity, first.message.source()), (Severity::Error, "{{ it.uwsgi.workers }} workers"));
    assert_eq!((second.severity, second.message.source()), (Severity::Warning, "perhaps"));
    assert_eq!((first.also.len(), second.also.len()), (1, 0));
    assert_eq!(first.at, second.at);
}

#[test]
fn errors_name_page_line_and_cure() {
    assert_eq!(error("+++\nWhy", "Why").line, 1);
    let unknown_key = error("\nat = ", "\natt = ");
    assert_eq!(unknown_key.line, 9);
    assert!(unknown_key.to_string().starts_with("rule page uwsgi/x, line 9: unknown field `att`"), "{unknown_key}");
    assert_eq!(error("not it.uwsgi.lazy_apps", "not it.uwsgi.lazy_app").line, 8);
    assert!(
        error("it.app.connects_at_import\",", "it.app.connect_at_import\",").message.contains("connects_at_import")
    );
    assert!(error("\"links\"", "\"link\"").message.contains("did you mean `links`"));
    assert!(error("\"links\"", "\"links[\"").message.contains("links[key]"));
    assert!(error("\"workers share", "\"Workers share").message.contains("capital"));
    assert!(error("one connection\"", "one connection.\"").message.contains("full stop"));
    assert!(error("insert = ", "with = ").message.contains("`after` with `insert`"));
    assert!(error("safety = \"safe\", ", "").message.contains("safety"));
    assert!(error("each = \"links\"\n", "").message.contains("each"));
    assert!(error("Why.\n", "").message.contains("why it happens"));
    assert_eq!(error("{{ it.uwsgi.workers }} w", "{{ it.uwsgi.workers w").line, 10);
    assert!(Page::parse("uwsgi", PAGE).is_err());
    assert!(Page::parse("uwsgi/Bad_Name", PAGE).is_err());
}

#[test]
fn names_may_begin_a_title() {
    assert!(Page::parse("uwsgi/x", &PAGE.replace("workers share", "Upstart shares")).is_err());
    let named = PAGE.replace("workers share", "Upstart shares").replace("Why.", "So does Upstart's job.");
    assert!(Page::parse("uwsgi/x", &named).is_ok());
    assert!(Page::parse("uwsgi/x", &PAGE.replace("workers share", "SSH shares")).is_ok());
}

#[test]
fn every_page_we_come_with_can_be_used() {
    let pages = built_in().unwrap();
    assert_eq!(pages.len(), BUILT_IN.len());
    for (page, (id, each, _)) in pages.iter().zip(BUILT_IN) {
        let rows = page.each.as_ref().map(|each| (each.schema.table, each.key.as_deref()));
        assert_eq!((page.id.as_str(), rows), (*id, each.and_then(rows_of)));
    }
}
