//! Pages over rows: what each page says of each row, in an order that never depends on timing.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;

use crate::finding::{CannotTell, Confidence, Finding, Label, Severity};
use crate::rule::edit;
use crate::rule::expr::{Subject, Verdict, verdict_of_all};
use crate::rule::page::{Also, Case, Page};
use crate::source::{Place, Ranks, Sources};
use crate::stack::fact::{Missing, Row};
use crate::stack::facts::{Facts, Landing};

/// Begins what a message says where the page's own words cannot be put together; a gate keeps such pages out.
pub const NO_WORDS: &str = "the page's message fails here: ";

/// What the pages say of the facts: faults, and questions they could not answer.
///
/// Both are sorted by the name of the file, the offset in it and the rule. Findings with equal rule and places are one.
pub fn judge(pages: &[Page], facts: &Facts, sources: &Sources) -> (Vec<Finding>, Vec<CannotTell>) {
    let of_page = |page: &Page| {
        let rows = page.each.as_ref().map_or(&[][..], |each| facts.rows(each.schema.table, each.key.as_deref()));
        let rule: Arc<str> = page.id.as_str().into();
        let (mut findings, mut questions) = (Vec::new(), Vec::new());
        // Where a file lands at one of several paths, each path has a row: those that are in order speak against the others.
        let mut in_order: BTreeSet<Place> = BTreeSet::new();
        for row in rows {
            match of_row(page, &rule, row, sources) {
                Some(Outcome::Fault(finding)) => findings.push((row.place(), *finding)),
                Some(Outcome::Open(open)) => questions.extend(open),
                None if facts.landing(row.place().file).is_some() => _ = in_order.insert(row.place()),
                None => {}
            }
        }
        let sure = |place: Place| match facts.landing(place.file) {
            None => true,
            Some(Landing::Either) => !in_order.contains(&place),
            Some(Landing::Partly) => false,
        };
        let findings =
            findings.into_iter().map(|(place, found)| if sure(place) { found } else { only_possible(found) });
        (findings.collect(), questions)
    };
    let said: Vec<(Vec<Finding>, Vec<CannotTell>)> = pages.par_iter().map(of_page).collect();
    let (findings, questions): (Vec<_>, Vec<_>) = said.into_iter().unzip();
    (
        merged(findings.into_iter().flatten().collect(), sources),
        sorted(questions.into_iter().flatten().collect(), sources),
    )
}

/// Sorts findings and makes one of those with equal rule and places: the one that is surest.
pub fn merged(mut findings: Vec<Finding>, sources: &Sources) -> Vec<Finding> {
    let ranks = sources.ranks();
    findings.sort_by(|one, other| {
        let strength = |finding: &Finding| (Reverse(finding.confidence), Reverse(finding.severity));
        order(one.primary.place, &ranks)
            .cmp(&order(other.primary.place, &ranks))
            .then_with(|| one.rule.cmp(&other.rule))
            .then_with(|| places(one).cmp(places(other)))
            .then_with(|| strength(one).cmp(&strength(other)))
            .then_with(|| one.message.cmp(&other.message))
    });
    findings.dedup_by(|next, kept| next.rule == kept.rule && places(next).eq(places(kept)));
    findings
}

fn sorted(mut questions: Vec<CannotTell>, sources: &Sources) -> Vec<CannotTell> {
    let ranks = sources.ranks();
    questions.par_sort_unstable_by(|one, other| {
        order(one.place, &ranks).cmp(&order(other.place, &ranks)).then_with(|| one.cmp(other))
    });
    questions.dedup();
    questions
}

/// By name rather than id. A file as a whole stands before its lines.
fn order(place: Place, ranks: &Ranks) -> (usize, Option<u32>) {
    (ranks.of(place.file), place.span.map(|span| span.start))
}

fn places(finding: &Finding) -> impl Iterator<Item = Place> {
    std::iter::once(&finding.primary).chain(&finding.related).map(|label| label.place)
}

/// The same, of which nobody can be sure.
fn only_possible(finding: Finding) -> Finding {
    Finding { confidence: Confidence::Possible, severity: finding.severity.min(Severity::Warning), ..finding }
}

enum Outcome {
    Fault(Box<Finding>),
    Open(Vec<CannotTell>),
}

/// The first case that holds speaks, also where a stronger one before it cannot be told. `None` where there is no fault.
fn of_row(page: &Page, rule: &Arc<str>, row: &Arc<dyn Row>, sources: &Sources) -> Option<Outcome> {
    let subject = Subject::new(row);
    let shared = verdict_of_all(page.when.iter().map(Arc::as_ref), &subject);
    if shared == Verdict::No {
        return None;
    }
    let mut missing: Vec<Missing> = Vec::new();
    for case in &page.cases {
        match shared.clone().and(verdict_of_all(case.when.iter().map(Arc::as_ref), &subject)) {
            Verdict::No => {}
            Verdict::Unknown(more) => missing.extend(more),
            Verdict::Yes => {
                return Some(Outcome::Fault(Box::new(finding(page, case, row, subject.confidence(), sources))));
            }
        }
    }
    let question = |missing: Missing| CannotTell { rule: Arc::clone(rule), missing, place: row.place() };
    (!missing.is_empty()).then(|| Outcome::Open(missing.into_iter().map(question).collect()))
}

fn finding(page: &Page, case: &Case, row: &Arc<dyn Row>, weakest: Confidence, sources: &Sources) -> Finding {
    let confidence = case.confidence.min(weakest);
    let severity = match confidence {
        Confidence::Possible => case.severity.min(Severity::Warning),
        Confidence::Likely | Confidence::Proved => case.severity,
    };
    let message = case.message.render(row).unwrap_or_else(|reason| format!("{} ({NO_WORDS}{reason})", page.title));
    let target = case.at.follow(row);
    let primary = Label { place: target.place, text: String::new() };
    let mut related: Vec<Label> = Vec::new();
    let labels = target.trail.iter().cloned().chain(case.also.iter().flat_map(|also| labels(also, row)));
    for label in labels {
        if label.place != primary.place && !related.contains(&label) {
            related.push(label);
        }
    }
    Finding {
        rule: page.id.clone(),
        severity,
        effect: page.effect,
        confidence,
        title: page.title.clone(),
        message,
        primary,
        related,
        fix: page.fix.as_ref().and_then(|plan| edit::fix(plan, row, sources)),
    }
}

/// A label and the trail of its fact; none where the fact is absent or out of sight, or the text renders to nothing.
fn labels(also: &Also, row: &Arc<dyn Row>) -> Vec<Label> {
    let target = also.at.follow(row);
    let text = also.text.render(row).unwrap_or_default();
    if !target.reached || target.absent || text.trim().is_empty() {
        return Vec::new();
    }
    std::iter::once(Label { place: target.place, text }).chain(target.trail.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::{FileId, Origin, Span};
    use crate::stack::app::App;
    use crate::stack::fact::Fact;
    use crate::stack::link::Link;
    use crate::stack::problem::Refusal;
    use crate::stack::uwsgi::Uwsgi;

    const POOL: &str = r#"+++
title = "pool is shared"
severity = "error"
effect = "broken"
confidence = "likely"
each = "links"
when = ["it.uwsgi.workers > 1", "not it.uwsgi.lazy_apps"]
at = "it.uwsgi.workers"
also = [{ at = "it.app.connects_at_import", text = "opened by {{ it.app.connects_at_import }}" }]
fix = { title = "load late", safety = "safe", after = "it.uwsgi.workers", insert = "lazy-apps = true" }
[[case]]
when = "it.app.connects_at_import"
message = "{{ it.uwsgi.workers }} workers"
[[case]]
when = "it.app.engine_at_import"
severity = "warning"
message = "maybe"
+++
Why.
"#;

    struct Stack {
        sources: Sources,
        ini: FileId,
        py: FileId,
    }

    impl Stack {
        fn new() -> Self {
            let mut sources = Sources::default();
            let py = sources.add("b/app.py", b"engine.connect()\n".to_vec(), Origin::File);
            let ini = sources.add("a/u.ini", b"[uwsgi]\r\n  workers = 4\r\n".to_vec(), Origin::File);
            Self { sources, ini, py }
        }

        fn link(&self, change: impl FnOnce(&mut Uwsgi, &mut App)) -> Arc<dyn Row> {
            let at = |file, start, end| Place::at(file, Span::new(start, end));
            let mut uwsgi = Uwsgi {
                workers: Fact::read(4, at(self.ini, 11, 22)),
                lazy_apps: Fact::default_of(false),
                ..Uwsgi::at(at(self.ini, 0, 7))
            };
            let opened = Fact::read("engine.connect".to_owned(), at(self.py, 0, 14)).via(at(self.ini, 0, 7), "loaded");
            let mut app =
                App { connects_at_import: opened, engine_at_import: Fact::absent(), ..App::at(Place::whole(self.py)) };
            change(&mut uwsgi, &mut app);
            Arc::new(Link {
                uwsgi: Fact::derived(Arc::new(uwsgi)),
                app: Fact::derived(Arc::new(app)),
                ..Link::at(at(self.ini, 0, 7))
            })
        }

        fn judge(&self, page: &str, rows: &[Arc<dyn Row>]) -> (Vec<Finding>, Vec<CannotTell>) {
            let mut facts = Facts::default();
            rows.iter().for_each(|row| facts.add(Arc::clone(row)));
            judge(&[Page::parse("uwsgi/pool", page).unwrap()], &facts, &self.sources)
        }
    }

    #[test]
    fn a_fault_has_its_labels_and_its_edit() {
        let stack = Stack::new();
        let (findings, open) = stack.judge(POOL, &[stack.link(|_, _| {})]);
        let [found] = &findings[..] else { unreachable!("{findings:?} {open:?}") };
        assert_eq!((found.message.as_str(), found.severity), ("4 workers", Severity::Error));
        assert_eq!(found.primary.place.span, Some(Span::new(11, 22)));
        let related: Vec<_> = found.related.iter().map(|label| label.text.as_str()).collect();
        assert_eq!(related, ["opened by engine.connect", "loaded"]);
        let edit = &found.fix.as_ref().unwrap().edits[0];
        assert_eq!((edit.span, edit.text.as_str()), (Span::new(24, 24), "  lazy-apps = true\r\n"));
    }

    #[test]
    fn of_what_is_absent_nothing_is_said() {
        let stack = Stack::new();
        let page = POOL.replace("it.app.connects_at_import\", text", "it.app.engine_at_import\", text");
        let (findings, _) = stack.judge(&page, &[stack.link(|_, _| {})]);
        assert!(findings[0].related.is_empty(), "{:?}", findings[0].related);
    }

    #[test]
    fn a_row_made_by_a_weak_link_is_a_warning_at_most() {
        let stack = Stack::new();
        let (findings, _) = stack.judge(POOL, &[stack.link(|uwsgi, _| uwsgi.confidence = Confidence::Possible)]);
        assert_eq!((findings[0].severity, findings[0].confidence), (Severity::Warning, Confidence::Possible));
    }

    #[test]
    fn what_holds_at_one_of_several_landings_is_only_possible() {
        let stack = Stack::new();
        let severities = |landing: Option<Landing>, rows: &[Arc<dyn Row>]| {
            let mut facts = Facts::default();
            rows.iter().for_each(|row| facts.add(Arc::clone(row)));
            landing.into_iter().for_each(|landing| facts.note_landing(stack.ini, landing));
            let (findings, _) = judge(&[Page::parse("uwsgi/pool", POOL).unwrap()], &facts, &stack.sources);
            findings.iter().map(|finding| finding.severity).collect::<Vec<_>>()
        };
        let (bad, good) = (stack.link(|_, _| {}), stack.link(|uwsgi, _| uwsgi.lazy_apps = Fact::derived(true)));
        let both = [Arc::clone(&bad), good];
        assert_eq!(severities(None, &both), [Severity::Error]);
        assert_eq!(severities(Some(Landing::Either), &both), [Severity::Warning]);
        assert_eq!(severities(Some(Landing::Either), &[Arc::clone(&bad), bad.clone()]), [Severity::Error]);
        assert_eq!(severities(Some(Landing::Partly), &[bad]), [Severity::Warning]);
    }

    #[test]
    fn a_default_is_shown_at_its_owner() {
        let stack = Stack::new();
        let (findings, _) = stack.judge(POOL, &[stack.link(|uwsgi, _| uwsgi.workers = Fact::default_of(2))]);
        assert_eq!(findings[0].primary.place.span, Some(Span::new(0, 7)));
        assert_eq!(findings[0].fix.as_ref().unwrap().edits[0].text, "lazy-apps = true\r\n");
    }

    #[test]
    fn the_first_case_that_holds_speaks_and_no_is_stronger_than_unknown() {
        let stack = Stack::new();
        let unknown = || Fact::unknown(Missing::new("the app's source", "name its folder"));
        let weaker = stack.link(|_, app| {
            app.connects_at_import = unknown();
            app.engine_at_import = Fact::derived("create_engine".into());
        });
        let (findings, open) = stack.judge(POOL, &[weaker]);
        assert_eq!((findings[0].message.as_str(), findings[0].severity, open.len()), ("maybe", Severity::Warning, 0));
        assert!(findings[0].related.is_empty(), "{:?}", findings[0].related);

        let (findings, open) = stack.judge(POOL, &[stack.link(|_, app| app.connects_at_import = unknown())]);
        assert!(findings.is_empty());
        assert_eq!((&*open[0].missing.what, &*open[0].missing.how), ("the app's source", "name its folder"));

        let lazy = stack.link(|uwsgi, app| {
            uwsgi.lazy_apps = Fact::derived(true);
            app.connects_at_import = unknown();
        });
        assert_eq!(stack.judge(POOL, &[lazy]), (Vec::new(), Vec::new()));
    }

    #[test]
    fn equal_places_merge_and_the_order_is_that_of_names_and_offsets() {
        let stack = Stack::new();
        let page = "+++\ntitle = \"refused\"\nseverity = \"error\"\neffect = \"refused\"\nconfidence = \"proved\"\n\
            each = \"problems[uwsgi/pool]\"\nat = \"it.message\"\nmessage = \"{{ it.message }}\"\nfix = { title = \"{{ it.hint or '' }}\" }\n+++\nWhy.\n";
        let row = |file, start: usize, key: &str| -> Arc<dyn Row> {
            let place = Place::at(file, Span::new(start, start + 1));
            let (message, hint) = (Fact::read(format!("at {start}"), place), Fact::absent());
            Arc::new(Refusal { key: key.into(), message, hint, ..Refusal::at(place) })
        };
        let key = "uwsgi/pool";
        let (py, ini) = (stack.py, stack.ini);
        let rows = [row(py, 3, key), row(ini, 9, key), row(ini, 2, key), row(ini, 9, key), row(ini, 5, "other")];
        let (findings, _) = stack.judge(page, &rows);
        let messages: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, ["at 2", "at 9", "at 3"]);
        assert!(findings.iter().all(|finding| finding.fix.is_none()));
    }
}
