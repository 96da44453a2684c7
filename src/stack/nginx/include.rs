//! Files as nginx puts them together: each `include` stands for the statements of the files it names.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::source::FileId;
use crate::stack::document::Document;
use crate::stack::fact::Answer;
use crate::stack::view::View;
use crate::syntax::nginx::{Config, Directive, Item, directives};
use crate::syntax::{Parsed, Problem};

/// Every nginx file, parsed once, by its source.
pub type Trees = BTreeMap<FileId, Parsed<Config>>;

/// How many files one main file may pull in before the rest stays out of sight: copies of copies would never end.
const MOST_FILES: usize = 10_000;

/// How deep files may include each other.
const DEEPEST: usize = 10;

/// A directive where it takes effect.
#[derive(Debug, Clone)]
pub(super) struct Statement<'a> {
    pub(super) document: Arc<Document>,
    pub(super) directive: &'a Directive,
    /// The files that include each other down to here.
    within: Arc<Vec<FileId>>,
}

/// One main file, or one fragment on its own, with all it includes.
pub(super) struct Assembly<'a> {
    view: &'a View,
    trees: &'a Trees,
    prefix: String,
    files: Cell<usize>,
    pub(super) included: RefCell<BTreeSet<FileId>>,
    pub(super) problems: RefCell<Vec<(FileId, Problem)>>,
}

/// The folder that relative includes start from: of the main file; for a fragment `/etc/nginx` where it lies below it.
pub fn prefix(document: &Document, main: bool) -> String {
    if !main && document.path.starts_with("/etc/nginx/") {
        return "/etc/nginx".to_owned();
    }
    document.path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned())
}

/// The patterns of every `include` in a file, made absolute with `prefix` (`ngx_conf_full_name`); unknown ones left out.
pub fn includes(document: &Document, tree: &Config, prefix: &str) -> Vec<String> {
    let mut patterns = Vec::new();
    let mut left: Vec<&[Item]> = vec![&tree.items];
    while let Some(items) = left.pop() {
        for directive in directives(items) {
            patterns.extend(pattern(document, directive, prefix));
            left.push(directive.items());
        }
    }
    patterns.sort();
    patterns.dedup();
    patterns
}

impl<'a> Assembly<'a> {
    pub(super) fn new(view: &'a View, trees: &'a Trees, prefix: String) -> Self {
        let (included, problems) = (RefCell::default(), RefCell::default());
        Self { view, trees, prefix, files: Cell::new(0), included, problems }
    }

    /// The statements outside every block of `document`, and whether all of them are in sight.
    pub(super) fn top(&self, document: &Arc<Document>) -> (Vec<Statement<'a>>, bool) {
        let within = Arc::new(vec![document.file]);
        let mut into = Vec::new();
        let Some(parsed) = self.trees.get(&document.file) else { return (into, false) };
        let seen = self.collect(document, &parsed.tree.items, &within, &mut into);
        (into, seen)
    }

    /// The statements in the block of `statement`, and whether all of them are in sight.
    pub(super) fn inside(&self, statement: &Statement<'a>) -> (Vec<Statement<'a>>, bool) {
        let mut into = Vec::new();
        let seen = self.collect(&statement.document, statement.directive.items(), &statement.within, &mut into);
        (into, seen)
    }

    fn collect(
        &self,
        document: &Arc<Document>,
        items: &'a [Item],
        within: &Arc<Vec<FileId>>,
        into: &mut Vec<Statement<'a>>,
    ) -> bool {
        let mut seen = !items.iter().any(|item| matches!(item, Item::Opaque(_)));
        for directive in directives(items) {
            if directive.is("include") {
                seen &= self.include(document, directive, within, into);
            } else {
                into.push(Statement { document: Arc::clone(document), directive, within: Arc::clone(within) });
            }
        }
        seen
    }

    /// Adds the statements that an `include` stands for; gives whether all of them are in sight.
    fn include(
        &self,
        document: &Arc<Document>,
        directive: &Directive,
        within: &Arc<Vec<FileId>>,
        into: &mut Vec<Statement<'a>>,
    ) -> bool {
        let Some(pattern) = pattern(document, directive, &self.prefix) else { return false };
        let is_glob = pattern.contains(['*', '?', '[']);
        let paths = if is_glob { self.view.matching(&pattern) } else { vec![pattern.as_str()] };
        let documents: Vec<_> = paths.iter().flat_map(|path| self.view.at(path)).collect();
        let mut seen = self.view.complete || (!is_glob && !documents.is_empty()) || is_stock(&pattern);
        for included in documents {
            if within.contains(&included.file) {
                self.refuse_loop(document, directive);
                continue;
            }
            self.files.set(self.files.get() + 1);
            let too_many = self.files.get() > MOST_FILES || within.len() > DEEPEST;
            let Some(parsed) = self.trees.get(&included.file).filter(|_| !too_many) else {
                seen = false;
                continue;
            };
            self.included.borrow_mut().insert(included.file);
            let mut deeper = within.to_vec();
            deeper.push(included.file);
            seen &= self.collect(included, &parsed.tree.items, &Arc::new(deeper), into);
        }
        seen
    }

    fn refuse_loop(&self, document: &Document, directive: &Directive) {
        let problem =
            Problem::new("nginx/syntax", directive.head(), "this include leads back to a file that is being included")
                .hint("remove one of the includes: nginx follows the circle until it has too many open files");
        let problem = (document.file, problem);
        let mut problems = self.problems.borrow_mut();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}

/// The absolute pattern of an `include`.
fn pattern(document: &Document, directive: &Directive, prefix: &str) -> Option<String> {
    let [argument] = directive.arguments.as_slice() else { return None };
    let Answer::Known(value) = document.value(argument.span, &argument.value) else { return None };
    match (directive.is("include"), value.starts_with('/') || prefix.is_empty()) {
        (false, _) => None,
        (true, true) => Some(value),
        (true, false) => Some(format!("{}/{value}", prefix.trim_end_matches('/'))),
    }
}

/// Whether a file comes with nginx and so holds no upstream, server or user.
fn is_stock(path: &str) -> bool {
    const STOCK: [&str; 9] = [
        "fastcgi.conf",
        "fastcgi_params",
        "koi-utf",
        "koi-win",
        "mime.types",
        "proxy_params",
        "scgi_params",
        "uwsgi_params",
        "win-utf",
    ];
    STOCK.contains(&path.rsplit('/').next().unwrap_or(path))
}
