//! Which consumer a repository is made for: said by the user, else shown by what only one of them has.

use crate::finding::Confidence;
use crate::source::{FileId, Place};
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::kitchen;
use crate::stack::chef::opsworks;
use crate::stack::chef::tree::{Tree, join};
use crate::stack::fact::{Fact, Missing};
use crate::syntax::ruby::{Call, Expr, Kind, Program};

/// A consumer of cookbooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// AWS OpsWorks with Chef 11.4: no Berkshelf, no search.
    OpsWorks11_4,
    /// AWS OpsWorks with Chef 11.10.
    OpsWorks11_10,
    /// AWS OpsWorks with Chef 12.
    OpsWorks12,
    /// A Chef server, or chef-solo over a chef-repo.
    ChefServer,
    /// One cookbook by itself: Supermarket, Test Kitchen.
    Cookbook,
    /// Policyfiles.
    Policyfile,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::OpsWorks11_4, Self::OpsWorks11_10, Self::OpsWorks12, Self::ChefServer, Self::Cookbook, Self::Policyfile];

    /// The name on the command line and in facts.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpsWorks11_4 => "opsworks-11.4",
            Self::OpsWorks11_10 => "opsworks-11",
            Self::OpsWorks12 => "opsworks-12",
            Self::ChefServer => "chef-server",
            Self::Cookbook => "cookbook",
            Self::Policyfile => "policyfile",
        }
    }

    /// The target of this name; `opsworks-11.10` is `opsworks-11` in full.
    pub fn named(name: &str) -> Option<Self> {
        let name = if name == "opsworks-11.10" { "opsworks-11" } else { name };
        Self::ALL.into_iter().find(|target| target.name() == name)
    }

    /// Whether it is one of OpsWorks, which look for cookbooks in the root alone.
    pub fn is_opsworks(self) -> bool {
        self.is_opsworks_11() || self == Self::OpsWorks12
    }

    /// Whether it is OpsWorks with some Chef 11, which runs its own recipes beside the repository's.
    pub fn is_opsworks_11(self) -> bool {
        matches!(self, Self::OpsWorks11_4 | Self::OpsWorks11_10)
    }
}

/// The answer, and why.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The target; `None` where nothing tells, or the signs disagree.
    pub target: Option<Target>,
    /// What told, in words, and where it stands.
    pub evidence: Option<(String, Option<Place>)>,
    /// The signs that disagree, for the reason.
    pub conflict: bool,
    /// Said by the user, or concluded.
    pub confidence: Confidence,
}

impl Decision {
    /// The target as a fact.
    pub fn fact(&self) -> Fact<String> {
        let Some(target) = self.target else { return Fact::unknown(self.missing()) };
        let mut fact = Fact::derived(target.name().to_owned());
        fact.place = self.evidence.as_ref().and_then(|(_, place)| *place);
        fact
    }

    /// The evidence as a fact.
    pub fn evidence_fact(&self) -> Fact<String> {
        match &self.evidence {
            Some((words, Some(place))) => Fact::read(words.clone(), *place),
            Some((words, None)) => Fact::derived(words.clone()),
            None => Fact::unknown(self.missing()),
        }
    }

    /// What would settle it.
    pub fn missing(&self) -> Missing {
        let what = if self.conflict {
            "which consumer the cookbooks are made for (the signs disagree)"
        } else {
            "which consumer the cookbooks are made for"
        };
        Missing::new(what, "say it with `--target`, or with `[lint] target = \"…\"` in housecall.toml")
    }
}

/// Decides for one root.
pub fn decide(declared: Option<Target>, root: &Root, tree: &Tree<'_>) -> Decision {
    if let Some(target) = declared {
        let evidence = Some((format!("the target is declared as {}", target.name()), None));
        return Decision { target: Some(target), evidence, conflict: false, confidence: Confidence::Proved };
    }
    let likely = |target, words: &str, place| Decision {
        target: Some(target),
        evidence: Some((words.to_owned(), place)),
        conflict: false,
        confidence: Confidence::Likely,
    };
    let nothing = |conflict| Decision { target: None, evidence: None, conflict, confidence: Confidence::Possible };
    let chef_12 = in_programs(root, is_opsworks_12);
    let chef_11 = in_programs(root, |expr| is_opsworks_11(expr, root)).or_else(|| override_only(root));
    let folder = &root.folder;
    let server = [".chef/knife.rb", ".chef/config.rb", "solo.rb"].iter().find_map(|name| tree.get(&join(folder, name)));
    match (chef_11, chef_12) {
        (Some(_), Some(_)) => return nothing(true),
        (Some(_), None) | (None, Some(_)) if server.is_some() => return nothing(true),
        (Some((words, place)), None) => return of_chef_11(&words, place, root, tree),
        (None, Some((words, place))) => return likely(Target::OpsWorks12, &words, Some(place)),
        (None, None) => {}
    }
    let whole = |file: FileId| Some(Place::whole(file));
    let policyfile =
        tree.get(&join(folder, "Policyfile.rb")).or_else(|| tree.under(&join(folder, "policyfiles")).next());
    if let Some(file) = policyfile {
        return likely(Target::Policyfile, "there is a Policyfile", whole(file.file));
    }
    let own: Vec<_> = root.books.iter().filter(|book| !book.is_context).collect();
    let beside: Vec<_> = own.iter().filter_map(|book| tree.get(&join(&book.folder, "Policyfile.rb"))).collect();
    if let Some(file) = beside.first().filter(|_| own.len() > 1 && beside.len() * 2 > own.len()) {
        return likely(Target::Policyfile, "most cookbooks have a Policyfile of their own", whole(file.file));
    }
    if let Some(file) = tree.get(&join(folder, "metadata.rb")) {
        return likely(Target::Cookbook, "metadata.rb lies in the root", whole(file.file));
    }
    let nested = root.books.iter().any(|book| book.is_nested);
    let parts = ["roles", "environments", "data_bags"].iter().find_map(|name| tree.under(&join(folder, name)).next());
    if let (true, Some(file)) = (nested, server.or(parts)) {
        let words = "the cookbooks lie under cookbooks/, beside the other folders of a chef-repo";
        return likely(Target::ChefServer, words, whole(file.file));
    }
    if let Some(file) = tree.get(&join(folder, "Cheffile")) {
        return likely(Target::ChefServer, "librarian-chef fetches cookbooks for a chef-repo", whole(file.file));
    }
    // No consumer but one that is told of the folder finds anything there.
    if own.len() > 1 && own.iter().all(|book| book.is_nested) {
        let words = "all cookbooks lie under cookbooks/, as in a chef-repo";
        return Decision { confidence: Confidence::Possible, ..likely(Target::ChefServer, words, own[0].place.into()) };
    }
    nothing(false)
}

/// Which of OpsWorks' two agents for Chef 11 it is: that for 11.10, unless something speaks for 11.4.
fn of_chef_11(words: &str, place: Place, root: &Root, tree: &Tree<'_>) -> Decision {
    let decision = |target, words, confidence| Decision {
        target: Some(target),
        evidence: Some((words, Some(place))),
        conflict: false,
        confidence,
    };
    let version = kitchen::chef_version(tree, &root.folder).map(|(version, _)| version.value);
    if let Some(version) = version.filter(|version| version.starts_with("11.")) {
        let target = if is_release(&version, "11.4") { Target::OpsWorks11_4 } else { Target::OpsWorks11_10 };
        return decision(target, format!("{words}, and Test Kitchen runs Chef {version}"), Confidence::Likely);
    }
    let has_metadata = root.books.iter().any(|book| !book.is_context && book.metadata.is_some());
    let asks = || {
        in_programs(root, |expr| {
            let call = expr.call().filter(|call| call.receiver.is_none())?;
            matches!(call.name.as_str(), "search" | "data_bag" | "data_bag_item").then(|| call.name.clone())
        })
    };
    if has_metadata || !root.berks.is_empty() || asks().is_some() {
        return decision(Target::OpsWorks11_10, words.to_owned(), Confidence::Likely);
    }
    let words = format!("{words}, and there is neither a metadata.rb nor a Berksfile, as with Chef 11.4");
    decision(Target::OpsWorks11_4, words, Confidence::Possible)
}

/// Whether `version` is of the release `11.4`: it, or `11.4.` and more.
fn is_release(version: &str, release: &str) -> bool {
    version.strip_prefix(release).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn in_programs(root: &Root, judge: impl Fn(&Expr) -> Option<String>) -> Option<(String, Place)> {
    let judged: Vec<&(String, FileId, Program)> =
        root.programs.iter().filter(|(path, ..)| !root.is_context(path)).collect();
    for (_, file, program) in judged {
        let mut found = None;
        program.visit(&mut |expr| {
            if found.is_none() {
                found = judge(expr).map(|words| (words, Place::at(*file, expr.span)));
            }
        });
        if found.is_some() {
            return found;
        }
    }
    None
}

fn is_opsworks_12(expr: &Expr) -> Option<String> {
    let call = expr.call()?;
    if let Some(key) = node_key(call).filter(|key| key == "aws_opsworks_agent") {
        return Some(format!("a recipe reads `node['{key}']`, which the agent of OpsWorks has with Chef 12"));
    }
    let index = call.first_literal()?;
    let asks = call.receiver.is_none() && matches!(call.name.as_str(), "search" | "data_bag" | "data_bag_item");
    (asks && index.starts_with("aws_opsworks_"))
        .then(|| format!("a recipe asks for `{index}`, which OpsWorks gives to Chef 12"))
}

fn is_opsworks_11(expr: &Expr, root: &Root) -> Option<String> {
    let call = expr.call()?;
    match (&call.receiver, call.name.as_str()) {
        (None, "opsworks_deploy" | "opsworks_deploy_dir" | "opsworks_deploy_user") => {
            Some(format!("a recipe uses OpsWorks' `{}`", call.name))
        }
        (None, "include_recipe") => {
            let name = call.first_literal()?;
            let cookbook = name.split("::").next()?;
            let is_theirs = cookbook == "deploy" || cookbook.starts_with("opsworks_") || cookbook == "dependencies";
            let is_here = root.books.iter().any(|book| book.name == cookbook);
            (is_theirs && !is_here && opsworks::is_built_in(cookbook, None))
                .then(|| format!("a recipe includes `{name}`, which OpsWorks has built in"))
        }
        (None, "cookbook") => {
            let from = call.keyword("git").or_else(|| call.keyword("github"))?.literal()?;
            from.contains("aws/opsworks-cookbooks").then(|| "a Berksfile fetches OpsWorks' own cookbooks".to_owned())
        }
        (Some(_), "each") => {
            let over = call.receiver.as_ref()?.call()?;
            (node_key(over)? == "deploy").then(|| "a recipe goes through `node[:deploy]`".to_owned())
        }
        (Some(receiver), "[]") => {
            let inner = receiver.call()?;
            (node_key(inner)? == "opsworks").then(|| "a recipe reads `node[:opsworks]`".to_owned())
        }
        _ => None,
    }
}

/// `key` of `node[key]`.
fn node_key(call: &Call) -> Option<String> {
    let receiver = call.receiver.as_ref()?.call()?;
    let is_node = receiver.name == "node" && receiver.receiver.is_none();
    let [key] = call.arguments.as_slice() else { return None };
    (is_node && call.name == "[]" && !matches!(key.kind, Kind::Int(_))).then(|| key.literal())?
}

/// A folder named as a built-in cookbook that holds `attributes/customize.rb` and no recipes overrides that cookbook.
fn override_only(root: &Root) -> Option<(String, Place)> {
    root.books.iter().filter(|book| !book.is_context).find_map(|book| {
        let customize = join(&book.folder, "attributes/customize.rb");
        let (_, file, _) = root.programs.iter().find(|(path, ..)| *path == customize)?;
        let is_override = opsworks::is_built_in(&book.name, None) && book.recipes == 0;
        is_override.then(|| {
            (format!("the folder {} only overrides OpsWorks' built-in cookbook", book.name), Place::whole(*file))
        })
    })
}
