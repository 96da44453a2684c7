//! What nginx refuses once it can read the words: unknown directives, wrong places, wrong values, duplicates, missing names.
//!
//! The files are judged as nginx puts them together, so that every statement stands in the block that includes it. A file that
//! several blocks include is judged once for each kind of block.

mod argument;
mod around;
mod condition;
mod data;
mod file;
mod fit;
mod lines;
mod listen;
mod location;
mod log;
mod names;
mod once;
mod parameter;
mod pass;
mod pattern;
mod regex;
mod rewrite;
mod server;
mod statement;
mod url;
mod value;

use std::ops::Range;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};

use super::include::Assembly;
use crate::nearest::Patience;
use crate::source::{FileId, Span};
use crate::stack::document::Document;
use crate::syntax::Problem;
use crate::syntax::data::Release;
use crate::syntax::data::nginx::{Contexts, Known, Row, find, rows, suggestion};
use crate::syntax::erb::FILLER;
use crate::syntax::nginx::{Directive, Item, Items};
use argument::{Argument, Invalid};
use around::{Around, LocationKind};
use data::Data;
use file::File;
use names::Names;
use once::{Held, Key, Once};
pub(super) use regex::names as group_names;
use server::Servers;

const VALUE: &str = "nginx/invalid-value";
const NOT_HERE: &str = "nginx/directive-not-allowed-here";

/// How deep files may include each other.
const DEEPEST: usize = 10;

/// How much of one file is told.
const MOST: usize = 1000;

/// How often an unknown name is compared with one of nginx's: enough for thousands of them, most of which are told apart at once.
const COMPARISONS: usize = 3_000_000;

/// What nginx refuses in a main file, or in a fragment on its own, and in all that it includes.
pub(super) fn problems<'a>(
    assembly: &Assembly<'a>,
    document: &'a Arc<Document>,
    release: Option<Release>,
    complete: bool,
) -> Vec<(FileId, Problem)> {
    let Some(parsed) = assembly.tree(document) else { return Vec::new() };
    let tree = &parsed.tree;
    let main = ["events", "http", "stream", "mail"].iter().any(|name| tree.directives().any(|one| one.is(name)));
    if !main && fit::holds_data(tree.items()) {
        return Vec::new();
    }
    let contexts = if main { Contexts::MAIN } else { fit::fit(tree.items(), Contexts::ANY) };
    let mut walk = Walk {
        assembly,
        release,
        complete,
        problems: Vec::new(),
        told: HashMap::default(),
        files: HashMap::default(),
        within: vec![document.file],
        once: Once::default(),
        names: Names::default(),
        servers: Servers::default(),
        patience: Patience::of(COMPARISONS),
    };
    let file = File::new(document, parsed);
    walk.block(file, tree.items(), Around::of(contexts), None);
    let names = std::mem::take(&mut walk.names);
    names.undefined(main, |file, problem| walk.tell(file, problem));
    for (file, problem) in walk.servers.duplicates(complete) {
        walk.tell(file, problem);
    }
    walk.problems
}

/// The directive around a block, with its words.
#[derive(Clone, Copy)]
struct Parent<'p, 'a> {
    directive: Directive<'a>,
    arguments: &'p [Argument<'a>],
}

/// One way through all blocks of an assembly.
struct Walk<'w, 'a> {
    assembly: &'w Assembly<'a>,
    release: Option<Release>,
    /// Whether a file that is out of sight is surely not there.
    complete: bool,
    problems: Vec<(FileId, Problem)>,
    told: HashMap<FileId, HashSet<(Span, &'static str)>>,
    /// Each file that was included, by what it was judged in, with what it holds of statements that stand once.
    files: HashMap<(FileId, Around), Range<usize>>,
    within: Vec<FileId>,
    once: Once<'a>,
    names: Names<'a>,
    servers: Servers<'a>,
    /// For looking which directives were meant.
    patience: Patience,
}

impl<'a> Walk<'_, 'a> {
    /// A file that several blocks include says the same in each, and one of nothing but mistakes does not say them all.
    fn tell(&mut self, file: File<'a>, mut problem: Problem) {
        let id = file.document.file;
        let told = self.told.entry(id).or_default();
        if !file.quiet && told.len() < MOST && told.insert((problem.span, problem.kind)) {
            if told.len() == MOST {
                problem.message.push_str(" (of this file no more is told)");
            }
            self.problems.push((id, problem));
        }
    }

    /// A name that nginx does not know. What was meant is looked for only where it can be told.
    fn tell_unknown(&mut self, file: File<'a>, directive: Directive<'a>) {
        let is_full = self.told.get(&file.document.file).is_some_and(|told| told.len() == MOST);
        if !is_full && !file.quiet {
            let meant = self.patience.allows(rows().len()).then(|| suggestion(directive.name())).flatten();
            self.tell(file, statement::unknown(directive, meant));
        }
    }

    fn tell_value(&mut self, file: File<'a>, directive: Directive<'a>, arguments: &[Argument<'a>], invalid: Invalid) {
        let Some(argument) = arguments.get(invalid.at) else { return };
        let whole = invalid.range.is_empty();
        let span = if whole { argument.span } else { argument.span_of(invalid.range) };
        let name = directive.name();
        let named = invalid.message.starts_with(&format!("`{name}`"));
        let message = if named { invalid.message } else { format!("`{name}`: {}", invalid.message) };
        let problem = Problem::new(VALUE, span, message).hint(invalid.hint);
        // A cure takes the place of the whole word, quotes included.
        let problem = match invalid.cure.filter(|_| whole && file.clean) {
            Some(cure) => problem.cure(cure),
            None => problem,
        };
        self.tell(file, statement::noticed(problem, directive));
    }

    /// The statements of a block, or of a file that is none in itself.
    fn block(&mut self, file: File<'a>, items: Items<'a>, around: Around, parent: Option<Parent<'_, 'a>>) {
        let mark = self.once.mark();
        self.items(file, items, around, parent);
        for (first, second) in self.once.end(mark) {
            let problem = once::problem(first, second, self.complete);
            self.tell(second.file, statement::noticed(problem, second.directive));
        }
    }

    fn items(&mut self, file: File<'a>, items: Items<'a>, around: Around, parent: Option<Parent<'_, 'a>>) {
        for item in items {
            match item {
                Item::Directive(directive) if directive.is("include") => self.include(file, directive, around),
                Item::Directive(directive) => self.directive(file, directive, around, parent),
                Item::Opaque(_) => self.names.open(around),
                Item::Entry(_) => {}
            }
        }
    }

    fn include(&mut self, file: File<'a>, directive: Directive<'a>, around: Around) {
        let arguments = Argument::all(file, directive);
        if let Known::Own(rows) = find("include").unwrap_or(Known::Foreign(""))
            && let Err(problem) = statement::row(rows, directive, &arguments, around)
        {
            return self.tell(file, *problem);
        }
        let (documents, seen) = self.assembly.named_by(file.document, directive);
        if !seen {
            self.names.open(around);
        }
        let by_pattern = file.by_pattern || arguments.first().is_some_and(|name| name.raw.contains(['*', '?', '[']));
        for (at, document) in documents.iter().enumerate() {
            if let Some(kept) = self.files.get(&(document.file, around)) {
                self.once.again(kept.clone());
                continue;
            }
            let same_path = |other: Option<&&Arc<Document>>| other.is_some_and(|other| other.path == document.path);
            let alternative = same_path(documents.get(at + 1)) || at > 0 && same_path(documents.get(at - 1));
            if let Some(included) = self.enter(document) {
                let fixed = included.fixed && !alternative && file.fixed;
                self.included(File { by_pattern, fixed, ..included }, around);
                self.within.pop();
            }
        }
    }

    /// A file that is included from here, unless it leads back to itself.
    fn enter(&mut self, document: &'a Arc<Document>) -> Option<File<'a>> {
        if self.within.contains(&document.file) || self.within.len() > DEEPEST {
            return None;
        }
        let parsed = self.assembly.tree(document)?;
        self.assembly.included.borrow_mut().insert(document.file);
        self.within.push(document.file);
        Some(File::new(document, parsed))
    }

    /// The statements of a file that is included for the first time; they belong to the block that includes it.
    fn included(&mut self, file: File<'a>, around: Around) {
        let mark = self.once.mark();
        self.items(file, file.tree.items(), around, None);
        let kept = self.once.keep(mark);
        self.files.insert((file.document.file, around), kept);
    }

    fn directive(&mut self, file: File<'a>, directive: Directive<'a>, around: Around, parent: Option<Parent<'_, 'a>>) {
        let name = directive.name();
        if !file.clean && (name.contains(FILLER) || file.document.is_templated(directive.name_span())) {
            return self.names.open(around);
        }
        match find(name) {
            None => {
                self.names.open(around);
                self.tell_unknown(file, directive);
            }
            Some(Known::Foreign(_)) => {
                self.servers.foreign();
                self.names.foreign(directive, around, file);
            }
            Some(Known::Gone(gone)) => {
                if let Some(problem) = statement::gone(gone, directive, self.release) {
                    self.tell(file, problem);
                }
            }
            Some(Known::Own(rows)) => self.own(file, directive, rows, around, parent),
        }
    }

    /// One of nginx's own directives.
    fn own(
        &mut self,
        file: File<'a>,
        directive: Directive<'a>,
        rows: &'static [Row],
        around: Around,
        parent: Option<Parent<'_, 'a>>,
    ) {
        let arguments = Argument::all(file, directive);
        let row = match statement::row(rows, directive, &arguments, around) {
            Ok(row) => row,
            Err(problem) if problem.kind == NOT_HERE && file.is_rendered_elsewhere(directive, around) => {
                return self.names.open(around);
            }
            Err(problem) => return self.tell(file, *problem),
        };
        if let Some(problem) = statement::too_new(row, directive, self.release) {
            self.tell(file, problem);
        }
        let sure = !arguments.iter().any(|argument| argument.any_number);
        if sure && let Some(invalid) = value::refused(row, &arguments, around) {
            self.tell_value(file, directive, &arguments, invalid);
        }
        self.hold(file, directive, row, &arguments);
        let mut problems = Vec::new();
        self.names.see(row, &arguments, around, file, &mut problems);
        problems.into_iter().for_each(|problem| self.tell(file, statement::noticed(problem, directive)));
        if matches!(row.name, "location" | "server_name" | "if" | "rewrite") {
            arguments.iter().for_each(|argument| self.names.captures(argument, around, file));
        }
        if row.name == "location" {
            self.nesting(file, directive, &arguments, parent);
        }
        if directive.has_block() {
            self.inside(file, directive, row, &arguments, around);
        }
    }

    /// What a statement must not have in common with another one of its block.
    fn hold(&mut self, file: File<'a>, directive: Directive<'a>, row: &'static Row, arguments: &[Argument<'a>]) {
        if !file.fixed {
            return;
        }
        let key = match row.name {
            "alias" => root(),
            "location" if file.clean => {
                let name = || arguments.last()?.written();
                let path = || Some((location::name(arguments)?, name()?));
                path().and_then(|((kind, text), whole)| Key::of_location(kind, &whole[whole.len() - text.len()..]))
            }
            "listen" if row.contexts.meets(Contexts::SERVER) => {
                self.servers.listen(file, directive, arguments);
                let address = arguments.first().and_then(Argument::written).and_then(listen::address);
                let quic = arguments.iter().any(|argument| argument.is("quic"));
                address.map(|(host, port)| Key::Listen(host, port, quic))
            }
            "limit_req" | "limit_conn" => Key::of_limit(row, arguments),
            _ if row.once => Some(Key::Row(row.id)),
            _ => None,
        };
        if let Some(key) = key {
            self.once.hold(Held { key, directive, file });
        }
    }

    /// Whether a location may stand in the one around it.
    fn nesting(
        &mut self,
        file: File<'a>,
        directive: Directive<'a>,
        arguments: &[Argument<'a>],
        parent: Option<Parent<'_, 'a>>,
    ) {
        let Some(parent) = parent.filter(|parent| parent.directive.is("location")) else { return };
        let (Some(inner), Some(outer)) = (location::name(arguments), location::name(parent.arguments)) else { return };
        if let Some((message, hint)) = location::outside(inner, outer) {
            let problem = Problem::new(NOT_HERE, directive.head(), message).hint(hint);
            let problem = problem.also(parent.directive.head(), "it stands in here");
            self.tell(file, statement::noticed(problem, directive));
        }
    }

    /// What stands in the block of a directive.
    fn inside(
        &mut self,
        file: File<'a>,
        directive: Directive<'a>,
        row: &'static Row,
        arguments: &[Argument<'a>],
        around: Around,
    ) {
        if let Some(mut data) = Data::of(row.name) {
            return self.data(file, directive, directive.items(), around, &mut data);
        }
        let inner = (around.contexts & row.contexts).inside(row.name);
        if inner.is_none() {
            return;
        }
        let contexts = if inner.each().count() > 1 { fit::fit(directive.items(), inner) } else { inner };
        let location = match row.name {
            "location" => location::name(arguments).map_or(LocationKind::Unknown, |(kind, _)| kind),
            "if" | "limit_except" => LocationKind::Nameless,
            _ => LocationKind::Unknown,
        };
        let mark = self.servers.enter(row.name);
        self.block(file, directive.items(), Around { contexts, location }, Some(Parent { directive, arguments }));
        if let Some(problem) = self.servers.leave(mark, file, directive, arguments) {
            self.tell(file, problem);
        }
    }
}

/// `alias` and `root` are one setting.
fn root() -> Option<Key<'static>> {
    rows().iter().find(|row| row.name == "root").map(|row| Key::Row(row.id))
}
