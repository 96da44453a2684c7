//! One stack of a repository: its files as documents where they land, linked and judged by its own configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::{included, joined};
use crate::config::{self, Config};
use crate::engine::Options;
use crate::source::{FileId, Sources};
use crate::stack::assemble::{Parts, assemble};
use crate::stack::boundary::{Boundary, below};
use crate::stack::chef::target::Target;
use crate::stack::chef::{self, Chef, RepoFile, Tree};
use crate::stack::deployment::{Content, Deployed};
use crate::stack::document::{Document, Kind};
use crate::stack::fact::{Answer, Missing};
use crate::stack::facts::{Facts, Landing};
use crate::stack::image::Images;
use crate::stack::kind;
use crate::stack::starter::Starters;
use crate::stack::view::View;
use crate::syntax::data::Release;
use crate::syntax::erb;

/// One stack of a repository.
pub(super) struct Group<'a> {
    pub(super) boundary: &'a Boundary,
    pub(super) config: &'a (String, Config),
    pub(super) sources: &'a Sources,
    pub(super) options: &'a Options,
    pub(super) named: &'a BTreeSet<String>,
    /// The paths of what is there and was not read.
    pub(super) unread: &'a [String],
}

impl Group<'_> {
    /// Reads and links this stack, and adds its rows. Says how many files were read as what they are.
    ///
    /// # Errors
    /// A target that no consumer is called.
    pub(super) fn add_facts(&self, members: &[(&str, FileId)], facts: &mut Facts) -> Result<usize, String> {
        let inside = |path| below(path, &self.boundary.root).unwrap_or(path);
        let files: Vec<RepoFile<'_>> = members
            .iter()
            .map(|(path, file)| RepoFile { path: inside(path), file: *file, text: self.sources.text(*file) })
            .collect();
        let attributes: Vec<&str> = self.config.1.attributes.iter().map(|path| path.value.as_str()).collect();
        let unread = self.unread.iter().filter_map(|path| below(path, &self.boundary.root));
        let tree = Tree::new(&files).with_unread(unread);
        let chef = chef::read(&tree, self.target()?, &attributes);
        let mut view = View::default();
        let deployed = self.add_deployed(&chef, &mut view);
        for (file, landing) in self.unsettled(&chef) {
            facts.note_landing(file, landing);
        }
        let plain: Vec<Document> = members
            .par_iter()
            .filter(|(_, file)| !deployed.contains(file))
            .filter_map(|(path, file)| self.plain(path, *file))
            .collect();
        plain.into_iter().for_each(|document| _ = view.add(document));
        self.add_links(&chef, &mut view);
        self.add_scripts(members, &mut view);
        included::inis(self, members, &mut view);
        let app = self.config.1.app.as_ref().map(|app| joined(&self.config.0, &app.value));
        let trees = included::nginx(self, members, &mut view);
        let starters = Starters::among(members.iter().map(|(path, _)| *path));
        let unread_here =
            self.unread.iter().filter(|path| below(path, &self.boundary.root).is_some()).map(String::as_str);
        let parts = Parts {
            view: &view,
            trees: &trees,
            chef: &chef,
            all_code: !self.unread.iter().any(|path| path.ends_with(".py")),
            app: app.as_deref(),
            nginx_release: self.config.1.nginx.as_ref().map(|release| release.value),
            uwsgi_release: self.release(),
            starters,
            images: Images::of(&view, members.iter().map(|(path, _)| *path).chain(unread_here)),
            started_with: Vec::new(),
        };
        let stack = assemble(&parts);
        let documents = view.iter().flat_map(|(_, documents)| documents);
        // Requirements and scripts only help to judge others.
        let judged = documents.filter(|document| !matches!(document.kind, Kind::Requirements | Kind::Script));
        let read: BTreeSet<FileId> = judged.map(|document| document.file).collect();
        let ruby: BTreeSet<FileId> =
            chef.roots.iter().flat_map(|root| &root.programs).map(|(_, file, _)| *file).collect();
        // Rows own what they say: what they were read from makes room for more of them.
        let starters = parts.starters;
        drop(trees);
        let stack = stack.linked(&view, &starters, &chef.deployed);
        drop(view);
        stack.add_to(facts, chef, |file| self.sources.get(file).name.clone());
        Ok(read.union(&ruby).count())
    }

    /// Adds the scripts that may start uWSGI in a container, or below supervisor, which often runs in one.
    fn add_scripts(&self, members: &[(&str, FileId)], view: &mut View) {
        let starts = [Kind::Dockerfile, Kind::Compose, Kind::Supervisor];
        if starts.into_iter().all(|kind| view.of(kind).next().is_none()) {
            return;
        }
        let known: BTreeSet<FileId> =
            view.iter().flat_map(|(_, documents)| documents).map(|document| document.file).collect();
        for (path, file) in members.iter().filter(|(_, file)| !known.contains(file)) {
            if kind::may_start_uwsgi(path, self.sources.text(*file)) {
                view.add(self.read_as(path, *file, Kind::Script));
            }
        }
    }

    fn target(&self) -> Result<Option<Target>, String> {
        let named =
            self.options.target.as_deref().or(self.config.1.target.as_ref().map(|target| target.value.as_str()));
        match named {
            None | Some("auto") => Ok(None),
            Some(name) => Target::named(name)
                .map(Some)
                .ok_or_else(|| format!("no target is called `{name}`; known are {}", config::TARGETS.join(", "))),
        }
    }

    /// Adds what the recipes put on a host, under the path where it lands. Gives the files that were used.
    fn add_deployed(&self, chef: &Chef, view: &mut View) -> BTreeSet<FileId> {
        let mut used = BTreeSet::new();
        for deployed in &chef.deployed {
            let (Answer::Known(path), Content::Template(origin) | Content::File(origin)) =
                (&deployed.path, &deployed.content)
            else {
                continue;
            };
            let source = self.sources.get(origin.file);
            let Some(kind) = kind::of(path, source.text()) else { continue };
            used.insert(origin.file);
            let document = match &deployed.content {
                Content::Template(_) => self.rendered(chef, deployed, origin.file, path, kind),
                _ => Document::plain(origin.file, path.as_str(), kind, source.shared_text()),
            };
            view.add(document);
        }
        used
    }

    /// The files of which it is not settled where they land, or as what.
    fn unsettled(&self, chef: &Chef) -> BTreeMap<FileId, Landing> {
        let mut kinds: BTreeMap<FileId, BTreeSet<Option<Kind>>> = BTreeMap::new();
        let mut settled: BTreeSet<FileId> = BTreeSet::new();
        for deployed in &chef.deployed {
            let (Content::Template(origin) | Content::File(origin)) = &deployed.content else { continue };
            let Answer::Known(path) = &deployed.path else { continue };
            if deployed.one_of_several {
                let kind = kind::of(path, self.sources.text(origin.file));
                kinds.entry(origin.file).or_default().insert(kind);
            } else {
                settled.insert(origin.file);
            }
        }
        kinds.retain(|file, _| !settled.contains(file));
        let landing = |kinds: &BTreeSet<_>| if kinds.len() > 1 { Landing::Partly } else { Landing::Either };
        kinds.iter().map(|(file, kinds)| (*file, landing(kinds))).collect()
    }

    fn rendered(&self, chef: &Chef, deployed: &Deployed, file: FileId, path: &str, kind: Kind) -> Document {
        let text = self.sources.get(file).shared_text();
        let template = erb::read(&text);
        Document::template(file, path, kind, Arc::clone(&text), template, |tag| {
            chef.evaluate(deployed, tag.code.of(&text))
        })
    }

    /// The release of uWSGI that the configuration states.
    pub(super) fn release(&self) -> Option<Release> {
        self.config.1.uwsgi.as_ref().map(|release| release.value)
    }

    /// Where a host would have the file, or where it lies.
    pub(super) fn landing(&self, path: &str) -> String {
        self.boundary.landing(path).unwrap_or_else(|| path.to_owned())
    }

    /// A file that nothing deploys, under the path where it lies, or where a host would have it.
    fn plain(&self, path: &str, file: FileId) -> Option<Document> {
        let forced = self.options.kind.filter(|_| self.named.is_empty() || self.named.contains(path));
        let text = self.sources.get(file).shared_text();
        let kind = forced.or_else(|| kind::of(kind::without_template_suffix(&self.landing(path)), &text));
        Some(self.read_as(path, file, kind?))
    }

    /// The file under the path where it lands, with the tags of a template as unknown.
    pub(super) fn read_as(&self, path: &str, file: FileId, kind: Kind) -> Document {
        let text = self.sources.get(file).shared_text();
        let lands = self.landing(path);
        let unseen = |code: &str| {
            Answer::Unknown(Missing::new(
                format!("the value of `{code}`"),
                "lint the recipe that deploys this template",
            ))
        };
        let template = match path.rsplit_once('.') {
            Some((_, "erb")) => erb::read(&text),
            Some((_, "j2" | "jinja" | "jinja2")) => erb::read_jinja(&text),
            _ if kind != Kind::Python && erb::is_jinja(&text) => erb::read_jinja(&text),
            _ => return Document::plain(file, lands, kind, text),
        };
        Document::template(file, lands, kind, Arc::clone(&text), template, |tag| unseen(tag.code.of(&text)))
    }

    /// What a `link` resource points at is at the link's path too.
    fn add_links(&self, chef: &Chef, view: &mut View) {
        for deployed in &chef.deployed {
            if let (Answer::Known(path), Content::Link(Answer::Known(target))) = (&deployed.path, &deployed.content) {
                for document in view.at(target).to_vec() {
                    view.add(document.at_path(path));
                }
            }
        }
    }
}
