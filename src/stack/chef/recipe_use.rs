//! Recipes by the names that ask for them: whether they are there, and whether the cookbook that asks says that it needs them.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Confidence;
use crate::nearest::nearest;
use crate::rows;
use crate::source::Place;
use crate::stack::chef::cookbook::{Book, Root};
use crate::stack::chef::opsworks;
use crate::stack::chef::recipe::Item;
use crate::stack::chef::run_list;
use crate::stack::chef::target::{Decision, Target};
use crate::stack::chef::tree::{Tree, base, join};
use crate::stack::fact::{Answer, Fact, Missing};

rows! {
    #[doc = "one place that names a recipe; keyed by what names it: `include`, `role`, `kitchen`, `policyfile`, `vagrant`"]
    pub struct RecipeUse in "recipe_uses" {
        #[doc = "the recipe, as `cookbook::recipe`"]
        recipe: String,
        #[doc = "the cookbook that is named"]
        cookbook: String,
        #[doc = "of an include: the cookbook whose recipe includes it"]
        by: String,
        #[doc = "whether the cookbook lies here, whole, and has no such recipe"]
        lacking: bool,
        #[doc = "the recipe of that cookbook that was probably meant"]
        suggestion: String,
        #[doc = "whether the cookbook that is named lies in this repository"]
        here: bool,
        #[doc = "of an include: whether the metadata depends on the cookbook that is named, or it is its own"]
        depended: bool,
        #[doc = "whether OpsWorks with that Chef 11 has a cookbook of this name built in"]
        built_in: bool,
        #[doc = "the consumer the repository is made for"]
        target: String,
    }
}

/// The recipes of a root by cookbook: by the name in the metadata and by the folder, for consumers differ in which they take.
struct Shelf<'a> {
    recipes: BTreeMap<&'a str, BTreeSet<&'a str>>,
    decided: Option<Target>,
    confidence: Confidence,
    target: Fact<String>,
}

/// A row for each recipe that a recipe of the root's own, or a run list, names.
pub fn uses(root: &Root, decision: &Decision, tree: &Tree<'_>) -> Vec<RecipeUse> {
    let shelf = Shelf {
        recipes: recipes(root, tree),
        decided: decision.target,
        confidence: if decision.target.is_some() { decision.confidence } else { Confidence::Likely },
        target: decision.fact(),
    };
    let mut rows = Vec::new();
    for recipe in &root.recipes {
        let Some(book) = root.books.get(recipe.cookbook).filter(|book| !book.is_context) else { continue };
        for item in &recipe.items {
            let Item::Include(Answer::Known(name), place, conditional) = item else { continue };
            let mut row = shelf.row(name, *place, "include");
            row.by = Fact::derived(if book.name.is_empty() { "this cookbook".to_owned() } else { book.name.clone() });
            row.depended = depended(book, name.split("::").next().unwrap_or_default());
            // Without a name of its own in sight, it is probably the one whose recipes these are.
            if book.name.is_empty() && has_recipe(book, name, tree) {
                row.depended = Fact::derived(true);
            }
            if *conditional {
                row.confidence = Confidence::Possible;
            }
            rows.push(row);
        }
    }
    for named in run_list::named(root, tree) {
        let place = Place::at(named.file, named.recipe.span);
        let mut row = shelf.row(&named.recipe.value, place, named.by);
        row.by = Fact::absent();
        row.depended = Fact::absent();
        rows.push(row);
    }
    rows
}

/// Whether a cookbook has the recipe that is named, whatever its own name is; every cookbook has a default one.
fn has_recipe(book: &Book, name: &str, tree: &Tree<'_>) -> bool {
    let recipe = name.split_once("::").map(|(_, recipe)| recipe).filter(|recipe| *recipe != "default");
    recipe.is_some_and(|recipe| tree.get(&join(&book.folder, &format!("recipes/{recipe}.rb"))).is_some())
}

fn recipes<'a>(root: &'a Root, tree: &Tree<'a>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for book in &root.books {
        let files = tree.under(&join(&book.folder, "recipes")).map(|file| base(file.path));
        let names: BTreeSet<&str> = files.filter_map(|name| name.rsplit_once('.')).map(|(name, _)| name).collect();
        for name in [book.name.as_str(), base(&book.folder)] {
            all.entry(name).or_default().extend(&names);
        }
    }
    all
}

/// Whether the metadata names the cookbook; what it depends on in turn does not count, for Chef loads by what is said.
fn depended(book: &Book, cookbook: &str) -> Fact<bool> {
    if cookbook == book.name || cookbook == base(&book.folder) {
        return Fact::derived(true);
    }
    match &book.metadata {
        None => Fact::unknown(Missing::new(format!("what {} depends on", book.name), "give it a metadata.rb")),
        Some(metadata) if metadata.depends.iter().any(|one| one.name.value == cookbook) => Fact::derived(true),
        Some(metadata) if metadata.is_computed => Fact::unknown(Missing::new(
            format!("what {} depends on", book.name),
            "write `depends` with plain strings in its metadata.rb",
        )),
        Some(metadata) => Fact::derived(false).at(Place::whole(metadata.file)),
    }
}

impl Shelf<'_> {
    fn row(&self, name: &str, place: Place, key: &str) -> RecipeUse {
        let (cookbook, recipe) = name.split_once("::").unwrap_or((name, "default"));
        let here = self.recipes.get(cookbook);
        let mut row = RecipeUse::at(place);
        key.clone_into(&mut row.key);
        row.confidence = self.confidence;
        row.recipe = Fact::read(name.to_owned(), place);
        row.cookbook = Fact::derived(cookbook.to_owned());
        row.lacking = self.lacking(cookbook, recipe);
        row.suggestion = here
            .filter(|_| row.lacking.known() == Some(&true))
            .and_then(|recipes| nearest(recipe, recipes.iter().copied()))
            .map_or_else(Fact::absent, |near| Fact::derived(format!("{cookbook}::{near}")));
        row.here = Fact::derived(here.is_some());
        row.built_in = Fact::derived(self.is_built_in(cookbook));
        row.target = self.target.clone();
        row
    }

    fn is_built_in(&self, cookbook: &str) -> bool {
        opsworks::is_built_in(cookbook, self.decided)
    }

    fn lacking(&self, cookbook: &str, recipe: &str) -> Fact<bool> {
        match self.recipes.get(cookbook) {
            Some(recipes) if recipes.contains(recipe) => Fact::derived(false),
            Some(_) if self.is_built_in(cookbook) => Fact::unknown(Missing::new(
                format!("the recipes that OpsWorks has in its own {cookbook}"),
                "it merges the two; look into its cookbooks on an instance",
            )),
            Some(_) => Fact::derived(true),
            None => Fact::derived(false),
        }
    }
}
