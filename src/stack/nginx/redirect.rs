//! Internal redirects that do not arrive: `try_files` and `error_page` that lead to a location which is not there, and an
//! `error_page` that leads back to the app that has failed.

use std::borrow::Cow;

use foldhash::{HashMap, HashSet};

use super::include::Statement;
use super::level::{Context, Inherited, Level, Setting};
use super::location::{Locations, Matching, Pattern};
use super::survey::{Http, Rows};
use crate::nearest::nearest;
use crate::rows;
use crate::source::Place;
use crate::stack::fact::{Fact, Missing};

rows! {
    #[doc = "one internal redirect of nginx that does not arrive; keyed by why: `no-such-location`, `back-to-upstream`"]
    pub struct Redirect in "nginx_redirects" {
        #[doc = "the directive"]
        directive: String,
        #[doc = "where it leads, such as `@app` or `/50x.html`"]
        target: String,
        #[doc = "whether the location is missing"]
        missing: bool,
        #[doc = "the named location that was probably meant"]
        suggestion: String,
        #[doc = "the location that answers there, such as `location /`"]
        location: String,
    }
}

/// The locations of one server and the redirects to them.
#[derive(Debug, Default)]
pub(super) struct Redirects<'a> {
    names: Vec<Cow<'a, str>>,
    asked: Vec<(Statement<'a>, Cow<'a, str>)>,
    locations: Vec<Answer<'a>>,
    pages: Pages<'a>,
    out_of_sight: bool,
}

/// A location with what it answers with.
#[derive(Debug)]
struct Answer<'a> {
    pattern: Pattern<'a>,
    block: Statement<'a>,
    /// What it passes to.
    pass: Option<(Cow<'a, str>, Place)>,
    /// Whether nothing but its pass can answer.
    direct: bool,
    /// Whether locations stand in it, or it stands in one.
    nested: bool,
    /// The set of pages that holds in it for an upstream that does not answer.
    pages: Option<usize>,
}

impl<'a> Redirects<'a> {
    /// Takes one block of the server, or the server itself.
    pub(super) fn add(&mut self, level: &Level<'_, 'a>) {
        self.out_of_sight |= !level.whole;
        for setting in [Setting::TryFiles, Setting::ErrorPage] {
            let asked =
                level.all(setting).filter_map(|line| Some((*line, last(line).filter(|to| to.starts_with('@'))?)));
            self.asked.extend(asked);
        }
        let (Context::Location, Some(block)) = (level.context, level.block) else { return };
        let Some(pattern) = Pattern::of(&block) else {
            self.out_of_sight = true;
            return;
        };
        if pattern.matching == Matching::Named {
            self.names.push(pattern.text);
            return;
        }
        let pass = level.first(Setting::Pass).and_then(|pass| Some((pass.text(0)?, pass.place())));
        let others = [Setting::TryFiles, Setting::Return, Setting::Rewrite, Setting::Internal];
        self.locations.push(Answer {
            block,
            pages: pass.as_ref().and_then(|(to, _)| self.pages.of(level, to.clone())),
            direct: !others.into_iter().any(|setting| level.has(setting)),
            nested: level.around().is_some_and(|around| around.context == Context::Location)
                || level.statements.iter().any(|statement| statement.directive.is("location")),
            pattern,
            pass,
        });
    }

    /// Whether anything in the server is passed on.
    pub(super) fn pass_on(&self) -> bool {
        self.locations.iter().any(|location| location.pass.is_some())
    }

    /// What its locations match, names aside.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &Pattern<'a>> {
        self.locations.iter().map(|location| &location.pattern)
    }

    /// Tells of what does not arrive, once all of the server was taken.
    pub(super) fn tell(&self, http: &Http<'a>, rows: &mut Rows) {
        let names: HashSet<&str> = self.names.iter().map(|name| &**name).collect();
        for (line, target) in self.asked.iter().filter(|(_, target)| !names.contains(&**target)) {
            let mut row = self.row(line, target, "no-such-location");
            row.missing = if self.out_of_sight {
                Fact::unknown(Missing::new(
                    format!("`location {target}`"),
                    "lint the files that its server includes too",
                ))
            } else {
                Fact::derived(true)
            };
            let near =
                http.patience.allows(self.names.len()).then(|| nearest(target, self.names.iter().map(|name| &**name)));
            row.suggestion = near.flatten().map_or_else(Fact::absent, |near| Fact::derived(near.to_owned()));
            rows.add(row, None);
        }
        if !self.out_of_sight {
            self.back_to_upstream(http, rows);
        }
    }

    fn row(&self, line: &Statement<'a>, target: &str, key: &str) -> Redirect {
        let mut row = Redirect::at(line.place());
        row.key = key.to_owned();
        row.directive = Fact::read(line.directive.name().to_owned(), line.place());
        let word = line.directive.arguments().next_back();
        row.target = word.map_or(row.target, |word| Fact::read(target.to_owned(), line.document.place(word.span)));
        row.location = Fact::absent();
        row.missing = Fact::derived(false);
        row.suggestion = Fact::absent();
        row
    }

    /// Tells of pages for a dead upstream that the same upstream should answer.
    fn back_to_upstream(&self, http: &Http<'a>, rows: &mut Rows) {
        let locations = Locations::of(self.patterns());
        for page in &self.pages.all {
            let Ok(found) = locations.answering(&page.target, &http.expressions, &http.steps) else {
                let mut row = self.row(&page.line, &page.target, "back-to-upstream");
                row.location = Fact::unknown(Missing::new(
                    format!("which location answers {}", page.target),
                    "an expression of this server uses what only PCRE knows, or there are more than are tried",
                ));
                rows.add(row, None);
                continue;
            };
            let Some(found) = found.map(|found| &self.locations[found]) else { continue };
            let Some((to, pass)) = found.pass.as_ref().filter(|_| found.direct && !found.nested) else { continue };
            let failing: usize = page.sets.iter().map(|set| self.pages.sets[*set].locations).sum();
            let same: usize = page.sets.iter().filter_map(|set| self.pages.sets[*set].by_target.get(to)).sum();
            let is_own = usize::from(found.pages.is_some_and(|set| page.sets.contains(&set)));
            // A location of its own for the pages, with another program behind it, is as it should be.
            if same == is_own && failing > is_own {
                continue;
            }
            let mut row = self.row(&page.line, &page.target, "back-to-upstream");
            row.location = Fact::read(found.block.title(), *pass);
            rows.add(row, Some(*pass));
        }
    }
}

/// The pages for upstreams that do not answer, and the sets of them that hold in the locations of a server.
#[derive(Debug, Default)]
struct Pages<'a> {
    all: Vec<Page<'a>>,
    /// By the place of the line.
    known: HashMap<Place, usize>,
    sets: Vec<PageSet<'a>>,
    /// By the block that sets them; a file has none.
    by_block: HashMap<Option<Place>, usize>,
}

/// One page, as one line names it.
#[derive(Debug)]
struct Page<'a> {
    line: Statement<'a>,
    target: Cow<'a, str>,
    /// The sets that it belongs to, in order: a line that is included in several blocks belongs to several.
    sets: Vec<usize>,
}

/// The locations in which one set of pages holds.
#[derive(Debug, Default)]
struct PageSet<'a> {
    locations: usize,
    /// How many of them pass to each target.
    by_target: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Pages<'a> {
    /// The set that holds in a location which passes to `target`; its pages are those for 502 and 504, which nginx itself answers
    /// when an upstream does not.
    fn of(&mut self, level: &Level<'_, 'a>, target: Cow<'a, str>) -> Option<usize> {
        let Inherited::From(from) = level.inherited(Setting::ErrorPage) else { return None };
        let next = self.sets.len();
        let set = *self.by_block.entry(from.block.map(|block| block.place())).or_insert(next);
        if set == next {
            self.sets.push(PageSet::default());
            from.all(Setting::ErrorPage).for_each(|line| self.add(line, set));
        }
        self.sets[set].locations += 1;
        *self.sets[set].by_target.entry(target).or_default() += 1;
        Some(set)
    }

    fn add(&mut self, line: &Statement<'a>, set: usize) {
        if !line.directive.arguments().any(|word| matches!(word.value(), "502" | "504")) {
            return;
        }
        let Some(target) = last(line).filter(|to| to.starts_with('/') && !to.contains('$')) else { return };
        let at = *self.known.entry(line.place()).or_insert(self.all.len());
        if at == self.all.len() {
            self.all.push(Page { line: *line, target, sets: Vec::new() });
        }
        let sets = &mut self.all[at].sets;
        if sets.last() != Some(&set) {
            sets.push(set);
        }
    }
}

fn last<'a>(line: &Statement<'a>) -> Option<Cow<'a, str>> {
    line.known(line.directive.arguments().next_back()?)
}
