//! Read, link, judge: the one way from bytes to findings, for a repository in memory or on disk, and for a host.

mod allow;
mod example;
mod machine;
mod own_pages;
mod repository;
mod selection;
mod test_data;
mod why;

pub use example::read_example;
pub use machine::{Record, Seen, Visit, examine, record};
pub use own_pages::{Tested, test_pages};
pub use repository::{lint, lint_memory, pages_here};
pub use why::{Lead, leads};

use crate::config::Config;
use crate::finding::{CannotTell, Finding, Report};
use crate::rule::book::Rulebook;
use crate::rule::page::Page;
use crate::rule::{judge, suppress};
use crate::source::Sources;
use crate::stack::document::Kind;
use crate::stack::facts::Facts;

/// What to read and judge.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which consumer the cookbooks are made for; `housecall.toml`'s where not given.
    pub target: Option<String>,
    /// The language of the named files; found out where not given.
    pub kind: Option<Kind>,
    /// A text from elsewhere than the disk, with the path it is to be read at: an editor's, before it is saved.
    pub stdin: Option<(String, Vec<u8>)>,
    /// The configuration's path; the nearest `housecall.toml` where not given.
    pub config: Option<String>,
    /// Rule ids or `family/*` to judge by; all where empty.
    pub select: Vec<String>,
    /// Rule ids or `family/*` to leave out.
    pub ignore: Vec<String>,
    /// Judge by these pages instead of the built-in ones: for the tests of pages.
    pub pages: Option<Vec<Page>>,
}

/// What was read and found in a repository.
#[derive(Debug, Default)]
pub struct Run {
    /// Every text that a finding can name.
    pub sources: Sources,
    /// Every table.
    pub facts: Facts,
    /// Findings, open questions, errors.
    pub report: Report,
    /// The configuration that was in force.
    pub config: Config,
    /// The pages that had something to judge, the users' own among them.
    pub pages: Vec<Page>,
}

/// Judges facts by pages and honours comments that allow a finding.
fn judged(rules: &Rulebook, facts: &Facts, sources: &Sources) -> (Vec<Finding>, Vec<CannotTell>) {
    let (findings, cannot_tell) = judge::judge(&rules.pages, facts, sources);
    (suppress::apply(findings, &cannot_tell, rules, sources), cannot_tell)
}
