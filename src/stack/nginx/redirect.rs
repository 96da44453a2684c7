//! Internal redirects that do not arrive: `try_files` and `error_page` that lead to a location which is not there, and an
//! `error_page` that leads back to the app that has failed.

use std::borrow::Cow;

use foldhash::HashSet;

use super::include::Statement;
use super::level::{Context, Inherited, Level, Setting};
use super::location::{Matching, Pattern, answering};
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
    /// The pages that hold in it for an upstream that does not answer.
    error_pages: Vec<(Statement<'a>, Cow<'a, str>)>,
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
            error_pages: if pass.is_some() { pages_for_dead_upstreams(level) } else { Vec::new() },
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
        row
    }

    /// Tells of pages for a dead upstream that the same upstream should answer.
    fn back_to_upstream(&self, http: &Http<'a>, rows: &mut Rows) {
        let mut judged: Vec<Place> = Vec::new();
        for (line, target) in self.locations.iter().flat_map(|location| &location.error_pages) {
            if judged.contains(&line.place()) {
                continue;
            }
            if judged.len() == MOST {
                break;
            }
            judged.push(line.place());
            let holds =
                |location: &&Answer<'a>| location.error_pages.iter().any(|(other, _)| other.place() == line.place());
            let failing: Vec<&Answer<'a>> = self.locations.iter().filter(holds).collect();
            let patterns: Vec<Pattern<'a>> = self.patterns().cloned().collect();
            let Ok(Some(found)) = answering(&patterns, &http.expressions, target) else { continue };
            let found = &self.locations[found];
            let Some((to, pass)) = found.pass.as_ref().filter(|_| found.direct && !found.nested) else { continue };
            let is_same = |other: &&&Answer<'a>| other.pass.as_ref().is_some_and(|(other, _)| other == to);
            let others = failing.iter().filter(|other| other.block.place() != found.block.place());
            let same = others.clone().filter(is_same).count();
            // A location of its own for the pages, with another program behind it, is as it should be.
            if same == 0 && others.count() > 0 {
                continue;
            }
            let mut row = self.row(line, target, "back-to-upstream");
            row.location = Fact::read(found.block.title(), *pass);
            row.missing = Fact::derived(false);
            row.suggestion = Fact::absent();
            rows.add(row, Some(*pass));
        }
    }
}

/// More pages for errors than anybody has in one server: beyond it they are not judged.
const MOST: usize = 50;

fn last<'a>(line: &Statement<'a>) -> Option<Cow<'a, str>> {
    line.known(line.directive.arguments().next_back()?)
}

/// The pages that hold in a block for 502 and 504, which nginx itself answers when an upstream does not.
fn pages_for_dead_upstreams<'a>(level: &Level<'_, 'a>) -> Vec<(Statement<'a>, Cow<'a, str>)> {
    let Inherited::From(from) = level.inherited(Setting::ErrorPage) else { return Vec::new() };
    if from.count(Setting::ErrorPage) > MOST {
        return Vec::new();
    }
    let is_for_them =
        |line: &&Statement<'a>| line.directive.arguments().any(|word| matches!(word.value(), "502" | "504"));
    let pages = from.all(Setting::ErrorPage).filter(is_for_them);
    pages.filter_map(|line| Some((*line, last(line).filter(|to| to.starts_with('/') && !to.contains('$'))?))).collect()
}
