//! The files of a repository as the Chef readers look at them: by path, folder by folder.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{FileId, Place};

/// One file of the repository.
#[derive(Debug, Clone, Copy)]
pub struct RepoFile<'a> {
    /// Its path from the root that is linted, with `/` between the parts.
    pub path: &'a str,
    /// Its source.
    pub file: FileId,
    /// The source's text.
    pub text: &'a str,
}

/// The files by path.
#[derive(Debug)]
pub struct Tree<'a> {
    files: BTreeMap<&'a str, RepoFile<'a>>,
    texts: BTreeMap<FileId, &'a str>,
    unread: BTreeSet<&'a str>,
}

impl<'a> Tree<'a> {
    /// A tree of these files; a leading `./` of their paths is not part of them.
    pub fn new(files: &[RepoFile<'a>]) -> Self {
        let named = files.iter().map(|file| {
            let path = file.path.strip_prefix("./").unwrap_or(file.path);
            (path, RepoFile { path, ..*file })
        });
        let texts = files.iter().map(|file| (file.file, file.text)).collect();
        Self { files: named.collect(), texts, unread: BTreeSet::new() }
    }

    /// The same tree with files that are there and were not read, such as pictures and archives.
    #[must_use]
    pub fn with_unread(mut self, paths: impl IntoIterator<Item = &'a str>) -> Self {
        self.unread.extend(paths.into_iter().map(|path| path.strip_prefix("./").unwrap_or(path)));
        self
    }

    /// The path of every file below `folder`, read or not.
    pub fn paths_under<'s>(&'s self, folder: &str) -> impl Iterator<Item = &'a str> + use<'s, 'a> {
        let prefix = format!("{folder}/");
        let unread =
            self.unread.range::<str, _>((std::ops::Bound::Included(prefix.as_str()), std::ops::Bound::Unbounded));
        let unread = unread.copied().take_while(move |path| path.starts_with(&prefix));
        self.under(folder).map(|file| file.path).chain(unread)
    }

    /// The file at `path`.
    pub fn get(&self, path: &str) -> Option<&RepoFile<'a>> {
        self.files.get(path)
    }

    /// The text of a source.
    pub fn text_of(&self, file: FileId) -> Option<&'a str> {
        self.texts.get(&file).copied()
    }

    /// Every file, by path.
    pub fn all(&self) -> impl Iterator<Item = &RepoFile<'a>> {
        self.files.values()
    }

    /// Every file below `folder`; the empty name is the root.
    pub fn under<'s>(&'s self, folder: &str) -> impl Iterator<Item = &'s RepoFile<'a>> + use<'s, 'a> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let from = self.files.range::<str, _>((std::ops::Bound::Included(prefix.as_str()), std::ops::Bound::Unbounded));
        from.map(|(_, file)| file).take_while(move |file| file.path.starts_with(&prefix))
    }

    /// Whether any file lies below `folder`.
    pub fn has_folder(&self, folder: &str) -> bool {
        self.under(folder).next().is_some()
    }

    /// The names of the folders in `folder`, hidden ones left out.
    pub fn folders_in(&self, folder: &str) -> BTreeSet<&'a str> {
        let skip = if folder.is_empty() { 0 } else { folder.len() + 1 };
        let names = self.under(folder).filter_map(|file| Some(file.path.get(skip..)?.split_once('/')?.0));
        names.filter(|name| !name.starts_with('.')).collect()
    }

    /// The folders of git's submodules, which are empty in a plain clone: each `path` in a `.gitmodules`.
    pub fn submodules(&self) -> BTreeSet<String> {
        let lists = self.all().filter(|file| base(file.path) == ".gitmodules");
        lists.flat_map(|file| file.text.lines().map(move |line| (file, line))).filter_map(submodule).collect()
    }

    /// A place for a folder: its first file as a whole.
    pub fn place_of(&self, folder: &str) -> Option<Place> {
        self.under(folder).next().map(|file| Place::whole(file.file))
    }
}

fn submodule((file, line): (&RepoFile<'_>, &str)) -> Option<String> {
    let (key, path) = line.split_once('=')?;
    (key.trim() == "path").then(|| join(parent(file.path), path.trim().trim_matches('"')))
}

/// `folder/name`, where the root has the empty name.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// The folder of a path; the empty name is the root.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last part of a path.
pub fn base(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// `path` as seen from `folder`, with its dots resolved.
pub fn resolve(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}
