//! Whether the consumer finds the cookbooks, reads the Berksfiles, and has what the cookbooks depend on.

use std::collections::BTreeSet;

use crate::finding::Confidence;
use crate::source::Place;
use crate::stack::chef::berks::Berks;
use crate::stack::chef::cookbook::{Book, Root};
use crate::stack::chef::opsworks::{self, Taken};
use crate::stack::chef::recipe::Item;
use crate::stack::chef::target::{Decision, Target};
use crate::stack::chef::tree::{Tree, base, join, parent, resolve};
use crate::stack::chef::{Berksfile, Cookbook, Dependency};
use crate::stack::fact::{Answer, Fact, Missing};

/// One root with its consumer, and what that consumer would fetch.
#[derive(Debug)]
pub struct Layout<'a> {
    root: &'a Root,
    decision: &'a Decision,
    taken: Taken,
    has_default_source: bool,
    /// The folders that git fills from other repositories; every consumer checks them out.
    submodules: BTreeSet<String>,
}

/// The cookbooks that a Berksfile brings.
#[derive(Debug, Default)]
struct Listing {
    fetched: BTreeSet<String>,
    local: BTreeSet<String>,
    for_tests: BTreeSet<String>,
    is_computed: bool,
}

impl Listing {
    fn brings(&self, name: &str) -> bool {
        [&self.fetched, &self.local, &self.for_tests].iter().any(|names| names.contains(name))
    }
}

impl<'a> Layout<'a> {
    /// The layout of `root` as the consumer of `decision` sees it.
    pub fn new(root: &'a Root, decision: &'a Decision, tree: &Tree<'_>) -> Self {
        let policyfile = tree.get(&join(&root.folder, "Policyfile.rb"));
        let has_default_source = policyfile.is_some_and(|file| file.text.contains("default_source"));
        let taken = opsworks::berksfile(tree, &root.folder, decision.target);
        Self { root, decision, taken, has_default_source, submodules: tree.submodules() }
    }

    /// A row for each cookbook of the root's own.
    pub fn cookbooks(&self, tree: &Tree<'_>) -> Vec<Cookbook> {
        let own = self.root.books.iter().filter(|book| !book.is_context);
        own.map(|book| {
            let mut row = Cookbook::at(book.place);
            row.confidence = self.decision.confidence;
            row.name = called(book);
            row.path = Fact::derived(book.folder.clone());
            row.target = self.decision.fact();
            row.evidence = self.decision.evidence_fact();
            row.nested = Fact::derived(book.is_nested);
            row.moves = if book.is_nested { Fact::derived(self.moves(book)) } else { Fact::absent() };
            let folder = base(&book.folder);
            row.folder = if folder.is_empty() { Fact::absent() } else { Fact::derived(folder.to_owned()) };
            row.named = named(book);
            row.has_metadata = Fact::derived(book.metadata.is_some() || book.is_gem);
            row.has_recipes = Fact::derived(book.recipes > 0);
            row.built_in = Fact::derived(self.is_built_in(folder));
            row.others_have_metadata = Fact::derived(self.root.books.iter().any(|other| other.metadata.is_some()));
            row.not_recognised = self.not_recognised(book, tree);
            row
        })
        .collect()
    }

    /// Why the agent does not see that the root is one cookbook; it looks for the name with a pattern, in the text.
    fn not_recognised(&self, book: &Book, tree: &Tree<'_>) -> Fact<String> {
        let in_root = book.folder == self.root.folder;
        let text = tree.get(&join(&book.folder, "metadata.rb")).filter(|_| in_root).map(|file| file.text);
        text.and_then(opsworks::why_not_single).map_or_else(Fact::absent, |why| Fact::derived(why.to_owned()))
    }

    fn moves(&self, book: &Book) -> String {
        let name = book.folder.rsplit('/').next().unwrap_or(&book.name);
        format!("git mv {} {}", book.folder, join(&self.root.folder, name))
    }

    /// The row of a Berksfile.
    pub fn berksfile(&self, berks: &Berks, tree: &Tree<'_>) -> Berksfile {
        let listing = self.listing(berks);
        let mut row = Berksfile::at(berks.place());
        row.confidence = self.decision.confidence;
        row.path = Fact::derived(berks.path.clone());
        row.target = self.decision.fact();
        row.used = match self.reads(berks) {
            Ok(used) => Fact::derived(used),
            Err(missing) => Fact::unknown(missing),
        };
        row.why_unused = match self.reads(berks) {
            Ok(false) => Fact::derived(self.taken.why_not()),
            Ok(true) => Fact::absent(),
            Err(missing) => Fact::unknown(missing),
        };
        let computed = || Missing::new(format!("what {} lists", berks.path), "it is computed when berks runs");
        let fetched: Vec<String> = listing.fetched.iter().cloned().collect();
        let is_open = listing.is_computed && fetched.is_empty();
        row.fetches = if is_open { Fact::unknown(computed()) } else { Fact::derived(fetched) };
        row.lost = match (self.reads(berks), is_open) {
            (Err(missing), _) => Fact::unknown(missing),
            (Ok(_), true) => Fact::unknown(computed()),
            (Ok(true), _) => Fact::derived(Vec::new()),
            (Ok(false), _) => Fact::derived(self.lost(berks, &listing)),
        };
        row.metadata_missing = metadata_missing(berks, tree);
        row
    }

    /// What of a listing that is not read comes from nowhere else.
    ///
    /// A cookbook that was taken over whole lists in its Berksfile also what only its tests need: beside a cookbook,
    /// only what some metadata depends on or some recipe includes on every host counts.
    fn lost(&self, berks: &Berks, listing: &Listing) -> Vec<String> {
        let read = self.read_listing();
        let is_beside = self.root.books.iter().any(|book| book.folder == parent(&berks.path));
        let needed = self.needed();
        let elsewhere = |name: &String| {
            self.is_local(name) || self.is_built_in(name) || read.as_ref().is_some_and(|read| read.brings(name))
        };
        let counts = |name: &&String| !elsewhere(name) && (!is_beside || needed.contains(name.as_str()));
        listing.fetched.iter().filter(counts).cloned().collect()
    }

    /// The cookbooks that some metadata of the root's own depends on, or some recipe includes on every host.
    fn needed(&self) -> BTreeSet<&str> {
        let own = self.root.books.iter().filter(|book| !book.is_context);
        let depends = own.flat_map(|book| book.metadata.iter().flat_map(|metadata| &metadata.depends));
        let included = self.root.recipes.iter().flat_map(|recipe| &recipe.items).filter_map(|item| match item {
            Item::Include(Answer::Known(name), _, false) => name.split("::").next(),
            _ => None,
        });
        depends.map(|one| one.name.value.as_str()).chain(included).collect()
    }

    /// Whether the consumer reads a Berksfile.
    fn reads(&self, berks: &Berks) -> Result<bool, Missing> {
        match self.decision.target {
            Some(target) if target.is_opsworks_11() => Ok(self.taken.path() == Some(berks.path.as_str())),
            Some(Target::OpsWorks12) => Err(packaged()),
            Some(Target::Policyfile) => Err(Missing::new("who runs berks", "chef reads the Policyfile instead")),
            Some(_) => Ok(true),
            None => Err(self.decision.missing()),
        }
    }

    /// Whether the consumer, or the one that it may be, has a cookbook of this name built in.
    fn is_built_in(&self, name: &str) -> bool {
        opsworks::is_built_in(name, self.decision.target)
    }

    /// The Berksfile that OpsWorks reads.
    fn read_berks(&self) -> Option<&Berks> {
        self.root.berks.iter().find(|berks| self.taken.path() == Some(berks.path.as_str()))
    }

    fn read_listing(&self) -> Option<Listing> {
        self.read_berks().map(|berks| self.listing(berks))
    }

    fn listing(&self, berks: &Berks) -> Listing {
        let mut listing = Listing { is_computed: berks.computed.is_some(), ..Listing::default() };
        let folder = parent(&berks.path);
        if let Some(line) = &berks.metadata {
            self.add_local(&mut listing, &resolve(folder, &line.value));
        }
        for entry in &berks.entries {
            match &entry.local {
                None if entry.is_for_tests => {
                    listing.for_tests.insert(entry.name.value.clone());
                }
                None => {
                    listing.fetched.insert(entry.name.value.clone());
                }
                Some(path) => {
                    listing.local.insert(entry.name.value.clone());
                    self.add_local(&mut listing, &resolve(folder, path));
                }
            }
        }
        let local = std::mem::take(&mut listing.local);
        listing.fetched.retain(|name| !local.contains(name));
        listing.local = local;
        listing
    }

    /// A cookbook that is there by its path brings what its metadata depends on.
    fn add_local(&self, listing: &mut Listing, folder: &str) {
        let Some(book) = self.root.books.iter().find(|book| book.folder == folder) else { return };
        listing.local.insert(book.name.clone());
        let depends = book.metadata.iter().flat_map(|metadata| &metadata.depends);
        listing.fetched.extend(depends.map(|one| one.name.value.clone()));
    }

    /// Whether the repository itself, or a submodule of it, holds a cookbook where the consumer looks; one under `cookbooks/` counts, the
    /// fault of its place is told once, by its own page.
    fn is_local(&self, name: &str) -> bool {
        if self.submodules.contains(&join(&self.root.folder, name)) {
            return true;
        }
        let is_opsworks = self.decision.target.is_some_and(Target::is_opsworks);
        self.root.books.iter().any(|book| {
            let inner = book.folder.get(self.root.folder.len()..).unwrap_or_default().trim_start_matches('/');
            let is_named = book.name == name || inner.rsplit('/').next() == Some(name);
            is_named && (!is_opsworks || book.is_nested || !inner.contains('/'))
        })
    }

    /// A row for each `depends` of the root's own cookbooks.
    pub fn dependencies(&self) -> Vec<Dependency> {
        let mut rows = Vec::new();
        for book in self.root.books.iter().filter(|book| !book.is_context) {
            let Some(metadata) = &book.metadata else { continue };
            for one in &metadata.depends {
                let place = Place::at(metadata.file, one.name.span);
                let itself = one.name.value == book.name;
                rows.push(Dependency {
                    itself: Fact::derived(itself),
                    ..self.dependency(book, &one.name.value, place)
                });
            }
        }
        rows
    }

    fn dependency(&self, book: &Book, name: &str, place: Place) -> Dependency {
        let mut row = Dependency::at(place);
        row.confidence = self.decision.confidence;
        row.name = Fact::read(name.to_owned(), place);
        row.cookbook = called(book);
        row.target = self.decision.fact();
        let (fetched, confidence) = self.fetched(book, name);
        row.fetched = match fetched {
            Ok(fetched) => Fact::derived(fetched).at(place),
            Err(missing) => Fact::unknown(missing),
        };
        row.confidence = row.confidence.min(confidence);
        let unread = self.root.berks.iter().filter(|berks| self.reads(berks) == Ok(false));
        let listed = unread.filter(|berks| self.listing(berks).fetched.contains(name)).map(Berks::place).next();
        row.in_unused_berksfile = match (listed, self.decision.target) {
            (Some(place), _) => Fact::derived(true).at(place),
            (None, Some(_)) => Fact::derived(false),
            (None, None) => Fact::unknown(self.decision.missing()),
        };
        let read = |berks: Option<&Berks>| {
            berks.map_or_else(Fact::absent, |berks| Fact::read(berks.path.clone(), berks.place()))
        };
        row.berksfile = match self.decision.target {
            Some(target) if target.is_opsworks_11() => read(self.read_berks()),
            Some(_) => read(self.beside(book)),
            None => Fact::unknown(self.decision.missing()),
        };
        row
    }

    /// The Berksfile in the cookbook's own folder, else the one in the root.
    fn beside(&self, book: &Book) -> Option<&Berks> {
        let at = |folder: &str| self.root.berks.iter().find(|berks| berks.path == join(folder, "Berksfile"));
        at(&book.folder).or_else(|| at(&self.root.folder))
    }

    /// Whether a cookbook that is depended on will be there, and how sure that is.
    fn fetched(&self, book: &Book, name: &str) -> (Result<bool, Missing>, Confidence) {
        let computed =
            |berks: &Berks| Missing::new(format!("what {} lists", berks.path), "it is computed when berks runs");
        if self.is_local(name) {
            return (Ok(true), Confidence::Proved);
        }
        let berks = match self.decision.target {
            None => return (Err(self.decision.missing()), Confidence::Possible),
            Some(_) if self.is_built_in(name) => return (Ok(true), Confidence::Proved),
            Some(target) if target.is_opsworks_11() => self.read_berks(),
            Some(Target::OpsWorks12) => {
                let listed = self.root.berks.iter().any(|berks| {
                    let listing = self.listing(berks);
                    listing.brings(name) || listing.is_computed
                });
                return (if listed { Err(packaged()) } else { Ok(false) }, Confidence::Likely);
            }
            Some(Target::Policyfile) if self.has_default_source => return (Ok(true), Confidence::Likely),
            Some(_) => self.beside(book),
        };
        let Some(berks) = berks else {
            let answer =
                if self.decision.target.is_some_and(Target::is_opsworks_11) { Ok(false) } else { Err(uploaded(name)) };
            return (answer, Confidence::Proved);
        };
        let listing = self.listing(berks);
        match (listing.brings(name), listing.is_computed, self.decision.target) {
            (true, ..) => (Ok(true), Confidence::Proved),
            (false, true, _) => (Err(computed(berks)), Confidence::Possible),
            (false, false, Some(Target::ChefServer | Target::Policyfile)) => {
                (Err(uploaded(name)), Confidence::Possible)
            }
            // A cookbook that is fetched may depend on it in turn; its metadata is out of sight.
            (false, false, _) if !listing.fetched.is_empty() => (Ok(false), Confidence::Possible),
            (false, false, _) => (Ok(false), Confidence::Proved),
        }
    }
}

/// The name that the metadata gives; unknown where only running it would show.
fn named(book: &Book) -> Fact<String> {
    let Some(metadata) = &book.metadata else {
        let of_gem =
            || Fact::unknown(Missing::new("the name that the gem gives the cookbook", "look into its gemspec"));
        return if book.is_gem { of_gem() } else { Fact::absent() };
    };
    match &metadata.name {
        Some(name) => Fact::read(name.value.clone(), Place::at(metadata.file, name.span)),
        None if metadata.is_computed => {
            Fact::unknown(Missing::new("the name in metadata.rb", "write it as a plain string"))
        }
        None => Fact::absent(),
    }
}

/// The folder without metadata that a line `metadata` asks for; an extension such as halite brings its own.
fn metadata_missing(berks: &Berks, tree: &Tree<'_>) -> Fact<String> {
    let Some(line) = berks.metadata.as_ref().filter(|_| !berks.is_extended) else { return Fact::absent() };
    let folder = resolve(parent(&berks.path), &line.value);
    if ["metadata.rb", "metadata.json"].iter().any(|name| tree.get(&join(&folder, name)).is_some()) {
        return Fact::absent();
    }
    let shown = if folder.is_empty() { "the root".to_owned() } else { format!("{folder}/") };
    Fact::read(shown, Place::at(berks.file, line.span))
}

/// A cookbook in the root has no folder to be called by, where its metadata gives no name.
fn called(book: &Book) -> Fact<String> {
    let name = if book.name.is_empty() { "the cookbook in the root" } else { &book.name };
    Fact::derived(name.to_owned()).at(book.place)
}

fn packaged() -> Missing {
    Missing::new(
        "whether the archive is made with `berks package`",
        "OpsWorks has no Berkshelf with Chef 12: fetched cookbooks must be in the archive",
    )
}

fn uploaded(name: &str) -> Missing {
    Missing::new(format!("whether the Chef server has the cookbook {name}"), "list it in a Berksfile")
}
