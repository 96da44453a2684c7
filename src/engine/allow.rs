//! `[[allow]]` of a configuration: findings that a team decided to live with, and entries that hide nothing any more.

use crate::config::{Allow, Config};
use crate::engine::selection::{covers, lies_at};
use crate::finding::Finding;
use crate::rule::book::Rulebook;
use crate::rule::suppress::{self, own_finding};
use crate::source::{FileId, Place, Sources};

/// The entries of one configuration, and which of them have hidden something.
pub(super) struct Allows<'c> {
    folder: &'c str,
    /// The configuration itself, where it was read together with all that it speaks for.
    file: Option<FileId>,
    today: &'c str,
    entries: Vec<(&'c Allow, bool)>,
}

impl<'c> Allows<'c> {
    pub(super) fn of(config: &'c Config, folder: &'c str, file: Option<FileId>, today: &'c str) -> Self {
        Self { folder, file, today, entries: config.allow.iter().map(|allow| (allow, false)).collect() }
    }

    /// Whether an entry hides the finding. One whose day is past hides nothing.
    pub(super) fn hide(&mut self, finding: &Finding, sources: &Sources) -> bool {
        let mut hidden = false;
        for (allow, used) in &mut self.entries {
            let places = std::iter::once(&finding.primary).chain(&finding.related);
            let mut paths = places.map(|label| sources.get(label.place.file).name.as_str());
            let there =
                allow.path.as_ref().is_none_or(|path| paths.any(|name| lies_at(name, self.folder, &path.value)));
            if there && covers(&allow.rule.value, &finding.rule) && !is_past(allow, self.today) {
                *used = true;
                hidden = true;
            }
        }
        hidden
    }

    /// A finding for each entry whose day is past, or that hides nothing though its rule was judged.
    pub(super) fn unused(&self, rules: &Rulebook, judged: impl Fn(&str, Place) -> bool) -> Vec<Finding> {
        let page = rules.page(suppress::UNUSED);
        let (Some(file), Some(page)) = (self.file, page) else { return Vec::new() };
        let of_entry = |(allow, used): &(&Allow, bool)| {
            let rule = &allow.rule.value;
            let place = Place::at(file, allow.span);
            let mut of_rule = rules.ids().filter(|id| covers(rule, id));
            let message = match &allow.until {
                Some(until) if is_past(allow, self.today) => {
                    format!("the day is past: since {} this hides nothing of {rule}", until.value)
                }
                _ if *used || !of_rule.all(|id| judged(id, place)) => return None,
                _ => format!("nothing there raises {rule}"),
            };
            Some(own_finding(page, message, file, allow.span))
        };
        self.entries.iter().filter_map(of_entry).collect()
    }
}

fn is_past(allow: &Allow, today: &str) -> bool {
    allow.until.as_ref().is_some_and(|until| until.value.as_str() < today)
}
