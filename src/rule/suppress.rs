//! `# housecall: allow uwsgi/some-rule because …`: faults that someone looked at and decided to keep.
//!
//! The comment stands on the line above any label of the finding, in the file's own comment syntax; on the line itself
//! where the language has trailing comments. It needs a reason, and one that hides nothing is a finding of its own.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use rayon::prelude::*;
use regex::Regex;

use crate::finding::{CannotTell, Confidence, Finding, Label};
use crate::nearest::did_you_mean;
use crate::rule::book::Rulebook;
use crate::rule::judge::merged;
use crate::rule::page::Page;
use crate::source::{FileId, Origin, Place, Source, Sources, Span};

/// The page of a comment that hides nothing.
pub const UNUSED: &str = "housecall/unused-allow";
/// The page of a comment that gives no reason.
pub const WITHOUT_REASON: &str = "housecall/allow-without-reason";

/// The findings that no comment allows, and one for each comment that hides nothing or gives no reason.
///
/// `findings` are all findings of the run, before anything is selected. A comment is not called unused where
/// its rule could not be judged. The order is that of [`judge`](crate::rule::judge::judge).
pub fn apply(findings: Vec<Finding>, cannot_tell: &[CannotTell], rules: &Rulebook, sources: &Sources) -> Vec<Finding> {
    let files: Vec<(FileId, &Source)> = sources.iter().filter(|(_, source)| source.origin == Origin::File).collect();
    let allows: BTreeMap<FileId, Vec<Allow>> = files
        .into_par_iter()
        .filter(|(_, source)| source.text().contains("housecall:"))
        .map(|(id, source)| (id, allows_in(source)))
        .collect();
    let mut kept: Vec<Finding> =
        findings.into_iter().filter(|finding| !is_allowed(finding, &allows, sources)).collect();
    let open: BTreeSet<&str> = cannot_tell.iter().map(|question| &*question.rule).collect();
    for (file, allow) in allows.iter().flat_map(|(file, allows)| allows.iter().map(move |allow| (*file, allow))) {
        let open = open.iter().any(|rule| allow.covers(rule));
        let (id, message) = match (allow.reasoned, allow.used.get() || open) {
            (false, _) => (WITHOUT_REASON, format!("the reason is missing: `allow {} because …`", allow.rule)),
            (true, false) => (UNUSED, unused_message(&allow.rule, rules)),
            (true, true) => continue,
        };
        kept.extend(rules.page(id).map(|page| own_finding(page, message, file, allow.span)));
    }
    merged(kept, sources)
}

fn unused_message(rule: &str, rules: &Rulebook) -> String {
    if rule.ends_with("/*") || rules.ids().any(|id| id == rule) {
        return format!("nothing here raises {rule}");
    }
    format!("there is no rule {rule}{}", did_you_mean(rule, rules.ids()))
}

/// A finding of a page that speaks for `housecall` itself.
pub fn own_finding(page: &Page, message: String, file: FileId, span: Span) -> Finding {
    Finding {
        rule: page.id.clone(),
        severity: page.severity,
        effect: page.effect,
        confidence: Confidence::Proved,
        title: page.title.clone(),
        message,
        primary: Label { place: Place::at(file, span), text: String::new() },
        related: Vec::new(),
        fix: None,
    }
}

/// One comment.
#[derive(Debug)]
struct Allow {
    /// An id, or `family/*`.
    rule: String,
    reasoned: bool,
    span: Span,
    /// The line it speaks for, from 1.
    line: usize,
    /// Whether it stands before everything else in its file, and so speaks for the file as a whole too.
    leading: bool,
    used: Cell<bool>,
}

impl Allow {
    fn covers(&self, rule: &str) -> bool {
        match self.rule.strip_suffix('*') {
            Some(family) => family.ends_with('/') && rule.starts_with(family),
            None => self.rule == rule,
        }
    }
}

/// Those of a file's comments that speak for a place; they stand in the order of their lines.
fn reaching<'a>(allows: &'a [Allow], place: Place, source: &Source) -> impl Iterator<Item = &'a Allow> {
    let (from, to) = match place.span.map(|span| source.line_of(span.start)) {
        Some(line) => {
            (allows.partition_point(|allow| allow.line < line), allows.partition_point(|allow| allow.line <= line))
        }
        None => (0, allows.len()),
    };
    allows[from..to].iter().filter(move |allow| place.span.is_some() || allow.leading)
}

fn is_allowed(finding: &Finding, allows: &BTreeMap<FileId, Vec<Allow>>, sources: &Sources) -> bool {
    let mut allowed = false;
    for place in std::iter::once(&finding.primary).chain(&finding.related).map(|label| label.place) {
        let Some(here) = allows.get(&place.file) else { continue };
        let here = reaching(here, place, sources.get(place.file));
        for allow in here.filter(|allow| allow.reasoned && allow.covers(&finding.rule)) {
            allow.used.set(true);
            allowed = true;
        }
    }
    allowed
}

static COMMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"(?P<mark>#|;|//|<%#|\{#)[ \t]*housecall:[ \t]*allow(?:[ \t]+(?P<rule>[^\s%},:]+))?(?P<rest>.*)$";
    Regex::new(pattern).ok()
});

fn allows_in(source: &Source) -> Vec<Allow> {
    let Some(comment) = COMMENT.as_ref() else { return Vec::new() };
    let trailing = Trailing::of(source);
    let mut allows: Vec<Allow> = Vec::new();
    let mut waiting = 0;
    let mut leading = true;
    for line in 1..=source.line_count() {
        let Some(span) = source.line_span(line) else { break };
        let text = span.of(source.text());
        let found = comment.captures(text).and_then(|found| Some((found.get(0)?, found)));
        let alone = found.as_ref().is_some_and(|(whole, _)| text[..whole.start()].trim().is_empty());
        if !alone {
            // A comment line speaks for the next line that is not such a comment itself.
            let from = allows.len() - waiting;
            allows[from..].iter_mut().for_each(|allow| allow.line = line);
            waiting = 0;
            leading &= text.trim().is_empty() || text.trim_start().starts_with(['#', ';']);
        }
        let Some((whole, found)) = found else { continue };
        if !alone && !trailing.allows(&found["mark"], &text[..whole.start()]) {
            continue;
        }
        let rest = found["rest"].trim().trim_end_matches("%>").trim_end_matches("#}").trim();
        allows.push(Allow {
            rule: found.name("rule").map_or_else(String::new, |rule| rule.as_str().to_owned()),
            reasoned: rest.strip_prefix("because ").is_some_and(|reason| !reason.trim().is_empty()),
            span: Span::new(whole.start(), text.trim_end().len()).shift(span.start as usize),
            line,
            leading: leading && alone,
            used: Cell::new(false),
        });
        waiting += usize::from(alone);
    }
    allows
}

/// Which comments may follow something else on their line.
struct Trailing {
    /// `#`: Ruby, Python, nginx, Upstart, shell. Not uWSGI, where it would become part of the value.
    hash: bool,
    /// `<%# %>` and `{# #}`: gone before the file is what it becomes.
    tags: bool,
}

impl Trailing {
    fn of(source: &Source) -> Self {
        let file = source.name.rsplit('/').next().unwrap_or(&source.name);
        let name = file.trim_end_matches(".erb").trim_end_matches(".j2");
        let data = [".ini", ".xml", ".yml", ".yaml", ".json"].iter().any(|end| name.ends_with(end));
        let is_uwsgi = data || source.text().lines().any(|line| line.trim() == "[uwsgi]");
        Self { hash: !is_uwsgi, tags: file.len() != name.len() }
    }

    fn allows(&self, mark: &str, before: &str) -> bool {
        match mark {
            "#" => self.hash && before.ends_with([' ', '\t']),
            "<%#" | "{#" => self.tags,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::finding::{Effect, Missing, Severity};
    use crate::rule::page;

    /// Lints `files` with one finding of `rule` whose labels are the given words, each the first of its file.
    fn left(files: &[(&str, &str)], rule: &str, words: &[&str], open: &[CannotTell]) -> Vec<String> {
        let mut sources = Sources::default();
        let ids: Vec<_> = files.iter().map(|(name, text)| sources.add(*name, text.as_bytes(), Origin::File)).collect();
        let mut labels = words.iter().map(|word| {
            let (at, id) = files.iter().zip(&ids).find_map(|((_, text), id)| Some((text.find(word)?, *id))).unwrap();
            Label { place: Place::at(id, Span::new(at, at + word.len())), text: String::new() }
        });
        let finding = labels.next().map(|primary| Finding {
            rule: rule.into(),
            severity: Severity::Error,
            effect: Effect::Broken,
            confidence: Confidence::Proved,
            title: String::new(),
            message: String::new(),
            primary,
            related: labels.collect(),
            fix: None,
        });
        let rules = Rulebook::of(page::built_in().unwrap());
        let kept = apply(finding.into_iter().collect(), open, &rules, &sources);
        kept.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn the_line_above_any_label() {
        let ini = "[uwsgi]\n; housecall: allow uwsgi/pool because NullPool\nworkers = 4\n";
        let none: [String; 0] = [];
        assert_eq!(left(&[("u.ini", ini)], "uwsgi/pool", &["workers"], &[]), none);
        assert_eq!(left(&[("u.ini", ini), ("a.py", "x()\n")], "uwsgi/pool", &["x()", "workers"], &[]), none);
        assert_eq!(left(&[("u.ini", &ini.replace("/pool", "/*"))], "uwsgi/pool", &["workers"], &[]), none);
        assert_eq!(left(&[("u.ini", ini)], "uwsgi/pool", &["[uwsgi]"], &[]), ["uwsgi/pool", UNUSED]);
        assert_eq!(left(&[("u.ini", ini)], "uwsgi/other", &["workers"], &[]), [UNUSED, "uwsgi/other"]);
        let two = ini.replace("workers", "# housecall: allow uwsgi/b because b\nworkers");
        assert_eq!(left(&[("u.ini", &two)], "uwsgi/pool", &["workers"], &[]), [UNUSED]);
    }

    #[test]
    fn many_comments_cost_no_more_than_their_lines() {
        let lines = 20_000;
        let mut sources = Sources::default();
        let text = format!("[uwsgi]\n{}", "; housecall: allow x/y because z\nFAULT\n".repeat(lines));
        let id = sources.add("u.ini", text.as_bytes(), Origin::File);
        let findings = text.match_indices("FAULT").map(|(at, word)| Finding {
            rule: "x/y".into(),
            severity: Severity::Error,
            effect: Effect::Broken,
            confidence: Confidence::Proved,
            title: String::new(),
            message: String::new(),
            primary: Label { place: Place::at(id, Span::new(at, at + word.len())), text: String::new() },
            related: Vec::new(),
            fix: None,
        });
        let start = std::time::Instant::now();
        assert_eq!(apply(findings.collect(), &[], &Rulebook::default(), &sources), Vec::new());
        // Each comment against each finding would be 400 million comparisons: minutes without optimisation.
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    #[test]
    fn a_reason_is_required() {
        for comment in [
            "allow uwsgi/pool",
            "allow uwsgi/pool because",
            "allow uwsgi/pool because  ",
            "allow uwsgi/pool: the reason",
            "allow uwsgi/pool, uwsgi/other because of both",
            "allow",
        ] {
            let ini = format!("# housecall: {comment}\nworkers = 4\n");
            assert_eq!(left(&[("u.ini", &ini)], "uwsgi/pool", &["workers"], &[]), [WITHOUT_REASON, "uwsgi/pool"]);
        }
    }

    #[test]
    fn on_the_line_itself_only_where_comments_may_trail() {
        let trailing = |name: &str, text: &str| left(&[(name, text)], "x/y", &["FAULT"], &[]);
        assert!(trailing("site.conf", "FAULT; # housecall: allow x/y because z\n").is_empty());
        assert!(trailing("a.ini.erb", "FAULT <%# housecall: allow x/y because z %>\n").is_empty());
        assert!(trailing("a.conf.j2", "{# housecall: allow x/y because z #}\nFAULT\n").is_empty());
        assert_eq!(trailing("u.ini", "FAULT = 1 # housecall: allow x/y because z\n"), ["x/y"]);
        assert_eq!(trailing("u.conf", "[uwsgi]\nFAULT = 1 # housecall: allow x/y because z\n"), ["x/y"]);
        assert_eq!(trailing("u.ini", "FAULT = 1 ; housecall: allow x/y because z\n"), ["x/y"]);
    }

    #[test]
    fn a_rule_that_could_not_be_judged_leaves_its_comment_alone() {
        let files = [("u.ini", "# housecall: allow uwsgi/pool because NullPool\nworkers = 4\n")];
        let mut sources = Sources::default();
        let place = Place::whole(sources.add("u.ini", Vec::new(), Origin::File));
        let open = CannotTell { rule: "uwsgi/pool".into(), missing: Missing::new("", ""), place };
        assert_eq!(left(&files, "", &[], std::slice::from_ref(&open)), Vec::<String>::new());
        assert_eq!(left(&files, "", &[], &[]), [UNUSED]);
    }
}
