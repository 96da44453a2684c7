//! Files as nginx puts them together: each `include` stands for the statements of the files it names.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::{HashMap, HashSet};

use crate::source::{FileId, Place, SUBSTITUTE, Span};
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Fact, Lack};
use crate::stack::view::View;
use crate::syntax::nginx::{Config, Directive, Item, Items, Word};
use crate::syntax::{Parsed, Problem};

/// Every nginx file, parsed once, by its source.
pub type Trees = BTreeMap<FileId, Parsed<Config>>;

/// How many statements of included files are walked from one top before the rest stays out of sight: copies of copies would
/// never end.
const MOST_STATEMENTS: usize = 2_000_000;

/// How many includes that lead back to their own file are told.
const MOST_LOOPS: usize = 100;

/// How deep files may include each other.
const DEEPEST: u32 = 10;

/// What a line lacks whose words a template chooses among.
static BRANCHES: Lack =
    Lack::fixed("which of the words of this line the template leaves there", "lint the file as it is rendered");

/// A directive where it takes effect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement<'a> {
    pub(super) directive: Directive<'a>,
    pub(super) document: &'a Arc<Document>,
    /// Through which includes it got here: the same for all that were reached the same way.
    pub(super) inclusion: Inclusion,
}

impl<'a> Statement<'a> {
    /// An argument as a text, with the values of template tags put in; `None` where it is not there or its value is unknown.
    pub(super) fn text(&self, index: usize) -> Option<Cow<'a, str>> {
        self.known(self.directive.argument(index)?)
    }

    /// A word as a text, with the values of template tags put in; `None` where one of them is unknown.
    pub(super) fn known(&self, word: Word<'a>) -> Option<Cow<'a, str>> {
        if self.has_branches() {
            return None;
        }
        if !self.document.is_templated(word.span) && !word.value().contains(SUBSTITUTE) {
            return Some(Cow::Borrowed(word.value()));
        }
        match self.value(word) {
            Answer::Known(value) => Some(Cow::Owned(value)),
            Answer::Absent | Answer::Unknown(_) => None,
        }
    }

    /// Whether its line ends with it, so that another directive can be put below.
    pub(super) fn ends_line(&self) -> bool {
        let rest = &self.document.text()[self.directive.head().end as usize..];
        let line = rest.split('\n').next().unwrap_or_default();
        let after = line.trim_start().strip_prefix(';').map(str::trim);
        after.is_some_and(|after| after.is_empty() || after.starts_with('#'))
    }

    /// Its name and arguments in one line, such as `location /static/`.
    pub(super) fn title(&self) -> String {
        self.document.written(self.directive.head()).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Its name and arguments.
    pub(super) fn place(&self) -> Place {
        self.document.place(self.directive.head())
    }

    /// The value of one of its words, with the values of template tags put in.
    pub(super) fn value(&self, word: Word<'_>) -> Answer<String> {
        if self.has_branches() {
            return Answer::Unknown((&BRANCHES).into());
        }
        self.document.value(word.span, word.value())
    }

    /// The same as a fact with its place.
    pub(super) fn fact(&self, word: Word<'_>) -> Fact<String> {
        if self.has_branches() {
            return Fact::unknown((&BRANCHES).into()).at(self.document.place(word.span));
        }
        self.document.fact(word.span, word.value())
    }

    /// Whether code of a template stands among its words, as in `listen {% if tls %}443{% else %}80{% endif %}`: each of them is
    /// there in one rendering or another.
    pub(super) fn has_branches(&self) -> bool {
        !self.document.is_plain() && self.document.holds_code(self.directive.head())
    }
}

/// One way of files that include each other, from the first file down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Inclusion(u32);

/// The last file of an inclusion, and the inclusion of the file that names it.
#[derive(Debug, Clone, Copy)]
struct Step {
    file: FileId,
    from: Option<Inclusion>,
    depth: u32,
}

/// Every inclusion so far, by its number.
#[derive(Debug, Clone, Default)]
struct Inclusions {
    steps: Vec<Step>,
    known: HashMap<(Option<Inclusion>, FileId), Inclusion>,
}

impl Inclusions {
    /// The inclusion of `file` by the last file of `from`.
    fn of(&mut self, from: Option<Inclusion>, file: FileId) -> Inclusion {
        if let Some(known) = self.known.get(&(from, file)) {
            return *known;
        }
        let inclusion = Inclusion(u32::try_from(self.steps.len()).unwrap_or(u32::MAX));
        let depth = from.map_or(0, |from| self.depth(from) + 1);
        self.steps.push(Step { file, from, depth });
        self.known.insert((from, file), inclusion);
        inclusion
    }

    fn step(&self, inclusion: Inclusion) -> Step {
        self.steps[inclusion.0 as usize]
    }

    fn depth(&self, inclusion: Inclusion) -> u32 {
        self.step(inclusion).depth
    }

    /// Whether `file` is among those that led here.
    fn holds(&self, inclusion: Inclusion, file: FileId) -> bool {
        let mut next = Some(inclusion);
        while let Some(step) = next.map(|inclusion| self.step(inclusion)) {
            if step.file == file {
                return true;
            }
            next = step.from;
        }
        false
    }
}

/// One main file, or one fragment on its own, with all it includes.
pub(super) struct Assembly<'a> {
    view: &'a View,
    trees: &'a Trees,
    prefix: String,
    inclusions: RefCell<Inclusions>,
    walked: Cell<usize>,
    pub(super) included: RefCell<BTreeSet<FileId>>,
    pub(super) problems: RefCell<Vec<(FileId, Problem)>>,
    /// The includes that were refused because they lead back.
    loops: RefCell<HashSet<(FileId, Span)>>,
}

/// An assembly as far as it was put together, from which several threads go on, each in blocks of its own.
pub(super) struct Branch<'a> {
    view: &'a View,
    trees: &'a Trees,
    prefix: String,
    inclusions: Inclusions,
}

impl<'a> Branch<'a> {
    /// The same assembly, for one thread.
    pub(super) fn assembly(&self) -> Assembly<'a> {
        let assembly = Assembly::new(self.view, self.trees, self.prefix.clone());
        Assembly { inclusions: RefCell::new(self.inclusions.clone()), ..assembly }
    }
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
    let found: BTreeSet<String> =
        tree.all_directives().filter_map(|directive| pattern(document, directive, prefix)).collect();
    found.into_iter().collect()
}

impl<'a> Assembly<'a> {
    pub(super) fn new(view: &'a View, trees: &'a Trees, prefix: String) -> Self {
        let (included, problems, loops) = (RefCell::default(), RefCell::default(), RefCell::default());
        Self { view, trees, prefix, inclusions: RefCell::default(), walked: Cell::new(0), included, problems, loops }
    }

    /// From where another thread can go on.
    pub(super) fn branch(&self) -> Branch<'a> {
        let (prefix, inclusions) = (self.prefix.clone(), self.inclusions.borrow().clone());
        Branch { view: self.view, trees: self.trees, prefix, inclusions }
    }

    /// The statements outside every block of `document`, and whether all of them are in sight.
    pub(super) fn top(&self, document: &'a Arc<Document>) -> (Vec<Statement<'a>>, bool) {
        let mut into = Vec::new();
        self.walked.set(0);
        let Some(parsed) = self.trees.get(&document.file) else { return (into, false) };
        let inclusion = self.inclusions.borrow_mut().of(None, document.file);
        let seen = self.collect(document, parsed.tree.items(), inclusion, &mut into);
        (into, seen)
    }

    /// The statements in the block of `statement`, and whether all of them are in sight.
    pub(super) fn inside(&self, statement: &Statement<'a>) -> (Vec<Statement<'a>>, bool) {
        const USUAL: usize = 24;
        let items = statement.directive.items();
        let mut into = Vec::with_capacity(items.size_hint().1.unwrap_or_default().min(USUAL));
        let seen = self.collect(statement.document, items, statement.inclusion, &mut into);
        (into, seen)
    }

    fn collect(
        &self,
        document: &'a Arc<Document>,
        items: Items<'a>,
        inclusion: Inclusion,
        into: &mut Vec<Statement<'a>>,
    ) -> bool {
        let mut seen = true;
        for item in items {
            match item {
                Item::Directive(directive) if directive.is("include") => {
                    seen &= self.include(document, directive, inclusion, into);
                }
                Item::Directive(directive) => into.push(Statement { directive, document, inclusion }),
                Item::Opaque(_) => seen = false,
                Item::Entry(_) => {}
            }
        }
        seen
    }

    /// Adds the statements that an `include` stands for; gives whether all of them are in sight. One of a file that comes
    /// with nginx and is out of sight stands for itself.
    fn include(
        &self,
        document: &'a Arc<Document>,
        directive: Directive<'a>,
        inclusion: Inclusion,
        into: &mut Vec<Statement<'a>>,
    ) -> bool {
        let (documents, mut seen) = self.named_by(document, directive);
        if documents.is_empty() && seen {
            into.push(Statement { directive, document, inclusion });
        }
        for included in documents {
            if self.inclusions.borrow().holds(inclusion, included.file) {
                self.refuse_loop(document, directive);
                continue;
            }
            let too_many = self.walked.get() > MOST_STATEMENTS || self.inclusions.borrow().depth(inclusion) >= DEEPEST;
            let Some(parsed) = self.trees.get(&included.file).filter(|_| !too_many) else {
                seen = false;
                continue;
            };
            self.included.borrow_mut().insert(included.file);
            self.walked.set(self.walked.get() + parsed.tree.items().count());
            let deeper = self.inclusions.borrow_mut().of(Some(inclusion), included.file);
            seen &= self.collect(included, parsed.tree.items(), deeper, into);
        }
        seen
    }

    /// The files that an `include` names, in order, and whether all of them are in sight.
    pub(super) fn named_by(&self, document: &Document, directive: Directive<'_>) -> (Vec<&'a Arc<Document>>, bool) {
        match (directive.argument(0), directive.arguments().len()) {
            (Some(name), 1) => self.named(document, name),
            _ => (Vec::new(), false),
        }
    }

    /// The files of one name or pattern, in order, and whether all of them are in sight.
    pub(super) fn named(&self, document: &Document, name: Word<'_>) -> (Vec<&'a Arc<Document>>, bool) {
        let Some(pattern) = absolute(document, name, &self.prefix) else { return (Vec::new(), false) };
        let is_glob = pattern.contains(['*', '?', '[']);
        let paths = if is_glob { self.view.matching(&pattern) } else { vec![pattern.as_str()] };
        let documents: Vec<&'a Arc<Document>> = paths.into_iter().flat_map(|path| self.view.at(path)).collect();
        let seen = self.view.complete || (!is_glob && !documents.is_empty()) || is_stock(&pattern);
        (documents, seen)
    }

    /// The statements of a file; none where it is not read.
    pub(super) fn tree(&self, document: &Document) -> Option<&'a Parsed<Config>> {
        self.trees.get(&document.file)
    }

    fn refuse_loop(&self, document: &Document, directive: Directive<'_>) {
        let problem =
            Problem::new("nginx/syntax", directive.head(), "this include leads back to a file that is being included")
                .hint("remove one of the includes: nginx follows the circle until it has too many open files");
        let mut loops = self.loops.borrow_mut();
        if loops.len() < MOST_LOOPS && loops.insert((document.file, problem.span)) {
            self.problems.borrow_mut().push((document.file, problem));
        }
    }
}

/// The absolute pattern of an `include`.
fn pattern(document: &Document, directive: Directive<'_>, prefix: &str) -> Option<String> {
    let (true, 1) = (directive.is("include"), directive.arguments().len()) else { return None };
    absolute(document, directive.argument(0)?, prefix)
}

/// The name or pattern of a file, made absolute.
fn absolute(document: &Document, name: Word<'_>, prefix: &str) -> Option<String> {
    let Answer::Known(value) = document.value(name.span, name.value()) else { return None };
    if value.starts_with('/') || prefix.is_empty() {
        return Some(value);
    }
    Some(format!("{}/{value}", prefix.trim_end_matches('/')))
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
