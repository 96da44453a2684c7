//! One way through all blocks of an nginx configuration, asking at each what its directives come to there.

use std::borrow::Cow;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};

use super::expression::Expression;
use super::include::{Assembly, Statement};
use super::level::{Context, Level, Setting};
use super::location::Expressions;
use super::mount::Mounted;
use super::redirect::Redirects;
use super::root::{CodeFolders, Root};
use super::server::Servers;
use super::target::Targets;
use super::upstream::Uses;
use super::variable::Map;
use super::{alias, condition, header, line, mount, request, root, taint};
use crate::nearest::Patience;
use crate::source::Place;
use crate::stack::fact::{Row, Table};

/// The rows so far. A file that is included a thousand times is told about once, unless what is around it matters.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Arc<dyn Row>>,
    told: HashSet<(&'static str, String, Place, Option<Place>)>,
}

impl Rows {
    /// Adds a row; `around` is the place in another block that has made it.
    pub(super) fn add<R: Table + 'static>(&mut self, row: R, around: Option<Place>) {
        if self.told.insert((R::NAME, row.key().to_owned(), row.place(), around)) {
            self.rows.push(Arc::new(row));
        }
    }
}

/// What an `http` block defines for all its servers.
#[derive(Debug)]
pub(super) struct Http<'a> {
    /// The `upstream` blocks, by name.
    pub(super) upstreams: HashMap<Cow<'a, str>, Statement<'a>>,
    /// The `map` blocks, by the variable they set, without its `$`.
    pub(super) maps: HashMap<Cow<'a, str>, Map<'a>>,
    /// Whether all that it defines is in sight.
    pub(super) whole: bool,
    /// The regular expressions of its locations.
    pub(super) expressions: Expressions,
    /// For looking what names were meant.
    pub(super) patience: Patience,
    /// For following what variables stand for.
    pub(super) steps: Patience,
}

/// How many bytes of values and expressions are gone through to find out what variables stand for. A value that is made of many,
/// each of them made of many, would never end; what is beyond it is said not to be known.
const STEPS: usize = 10_000_000;

impl<'a> Http<'a> {
    fn of(level: &Level<'_, 'a>) -> Self {
        let named = |name: &'static str, argument: usize| {
            let blocks = level.statements.iter().filter(move |statement| statement.directive.is(name));
            blocks.filter_map(move |block| Some((block.text(argument)?, *block)))
        };
        let variable = |(name, block): (Cow<'a, str>, Statement<'a>)| {
            let bare = match name {
                Cow::Borrowed(name) => Cow::Borrowed(name.trim_start_matches('$')),
                Cow::Owned(name) => Cow::Owned(name.trim_start_matches('$').to_owned()),
            };
            (bare, Map::new(block))
        };
        Self {
            upstreams: named("upstream", 0).collect(),
            maps: named("map", 1).map(variable).collect(),
            whole: level.outwards().all(|level| level.whole),
            expressions: Expressions::default(),
            patience: Patience::default(),
            steps: Patience::of(STEPS),
        }
    }

    /// An expression, read; `None` where it uses what only PCRE knows, or after too many others.
    pub(super) fn expression(&self, text: &str) -> Option<Expression> {
        self.steps.allows(text.len()).then(|| Expression::parse(text)).flatten()
    }
}

/// What the directives of one main file, or of one fragment on its own, come to.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The rows.
    pub(super) rows: Vec<Arc<dyn Row>>,
    /// The apps below a path of their own.
    pub(super) mounted: Vec<Mounted>,
}

/// Looks through one main file, or one fragment on its own.
pub(super) fn survey<'a>(assembly: &Assembly<'a>, top: &[Statement<'a>], whole: bool, code: &CodeFolders) -> Found {
    // A file may be called `nginx.conf` and hold nothing but a server.
    let is_main = top.iter().any(|statement| statement.directive.is("http") || statement.directive.is("events"));
    let file = Level::of_file(top, is_main, whole);
    if !is_main {
        return Survey::through(assembly, &file, code);
    }
    let mut found = Found::default();
    for http in top.iter().filter(|statement| statement.directive.is("http")) {
        let (inside, seen) = assembly.inside(http);
        let of_block = Survey::through(assembly, &file.inner(*http, &inside, seen), code);
        found.rows.extend(of_block.rows);
        found.mounted.extend(of_block.mounted);
    }
    found
}

/// One `http` block, or one fragment, on its way through.
struct Survey<'s, 'a> {
    assembly: &'s Assembly<'a>,
    code: &'s CodeFolders,
    http: Http<'a>,
    rows: Rows,
    targets: Targets<'a>,
    upstreams: Uses<'a>,
    servers: Servers<'a>,
    /// Of the server that is being visited.
    redirects: Redirects<'a>,
    /// Of the server that is being visited.
    exposed: Vec<Root>,
    found: Found,
}

impl<'s, 'a> Survey<'s, 'a> {
    fn through(assembly: &'s Assembly<'a>, level: &Level<'_, 'a>, code: &'s CodeFolders) -> Found {
        let of_level = |name| level.statements.iter().filter(|statement| statement.directive.is(name)).count();
        let mut survey = Self {
            assembly,
            code,
            http: Http::of(level),
            rows: Rows::default(),
            targets: Targets::default(),
            upstreams: Uses::default(),
            servers: Servers::with_capacity(of_level("server")),
            redirects: Redirects::default(),
            exposed: Vec::new(),
            found: Found::default(),
        };
        survey.visit(level);
        survey.targets.tell(&survey.http, &mut survey.rows);
        survey.upstreams.tell(&survey.http, assembly, &mut survey.rows);
        survey.servers.tell(&survey.http, &mut survey.rows);
        Found { rows: survey.rows.rows, ..survey.found }
    }

    fn visit(&mut self, level: &Level<'_, 'a>) {
        self.block(level);
        for statement in level.statements {
            let name = statement.directive.name();
            self.directive(name, statement, level);
            if statement.directive.has_block() && level.context.holds(name) {
                let (inside, seen) = self.assembly.inside(statement);
                self.visit(&level.inner(*statement, &inside, seen));
            }
        }
        if level.context == Context::Server {
            self.leave_server(level);
        }
    }

    /// What a block as a whole comes to.
    fn block(&mut self, level: &Level<'_, 'a>) {
        header::of_block(level, &mut self.rows);
        match level.context {
            Context::Http => line::of_http(level, &mut self.rows),
            Context::If => condition::in_location(level, self.assembly, &mut self.rows),
            Context::Server => self.redirects.add(level),
            Context::Location => {
                self.redirects.add(level);
                self.exposed.extend(root::of_location(level, self.code));
            }
            _ => {}
        }
    }

    /// What a server comes to, once all its locations were seen.
    fn leave_server(&mut self, level: &Level<'_, 'a>) {
        let redirects = std::mem::take(&mut self.redirects);
        redirects.tell(&self.http, &mut self.rows);
        self.servers.add(level, redirects.pass_on());
        let exposed = std::mem::take(&mut self.exposed);
        if !self.code.is_empty() && !root::keeps_sources_back(redirects.patterns()) {
            let exposed = exposed.into_iter().chain(root::of_server(level, redirects.patterns(), self.code));
            self.rows.rows.extend(exposed.map(|row| Arc::new(row) as _));
        }
    }

    /// What one directive comes to in its block.
    fn directive(&mut self, name: &str, statement: &Statement<'a>, level: &Level<'_, 'a>) {
        match name {
            "uwsgi_pass" | "proxy_pass" => self.pass(statement, level),
            "alias" => alias::of_alias(statement, level, &mut self.rows),
            "if" => condition::of_if(statement, &mut self.rows),
            "autoindex" | "server_tokens" | "ssl_protocols" | "ssl_ciphers" => line::of_line(statement, &mut self.rows),
            "return" | "rewrite" | "add_header" | "proxy_set_header" | "error_page" => {
                taint::of_directive(statement, level, &self.http, &mut self.rows);
            }
            _ => {}
        }
    }

    fn pass(&mut self, statement: &Statement<'a>, level: &Level<'_, 'a>) {
        // Of several passes of different kinds the last one answers.
        if level.all(Setting::Pass).next_back().is_some_and(|last| last.place() != statement.place()) {
            return;
        }
        if statement.directive.is("uwsgi_pass") {
            request::of_pass(statement, level, &mut self.rows);
            self.found.mounted.extend(mount::of_pass(statement, level));
        }
        self.targets.add(statement, level, &self.http);
        self.upstreams.add(statement, level, &self.http);
        taint::of_directive(statement, level, &self.http, &mut self.rows);
    }
}

#[cfg(test)]
mod tests;
