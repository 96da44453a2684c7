//! A host that was recorded: `host.toml` for what a machine shows, and a folder `root/` for its files; both lie in a
//! folder, or in one `.tar.gz` where a live host was recorded.
//!
//! Entries of `host.toml` are tables by key (`[process.812]`, `[socket."/run/thena/thena.sock"]`), so that a second
//! `host.toml` can be laid over the first: tables merge, other values replace, and `gone = true` removes an entry.

mod answers;
mod archive;
mod entries;
mod format;
mod healthy;
mod recorder;
mod redact;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use toml::Table;

use super::postgres::Stage;
use super::{ReadError, Target, file};
use crate::finding::InputError;
pub use format::Asked;
use format::{Recording, lay_over, parse};
pub use recorder::Recorder;

/// A recorded host.
#[derive(Debug, Clone)]
pub struct Recorded {
    table: Table,
    recording: Recording,
    files: BTreeMap<String, Arc<[u8]>>,
    /// The target of each symbolic link.
    links: BTreeMap<String, String>,
}

impl Recorded {
    /// Reads `folder/host.toml` and the files below `folder/root`. Errors: what cannot be read or does not fit.
    pub fn load(folder: &Path) -> Result<Self, InputError> {
        let path = folder.join("host.toml");
        let name = path.display().to_string();
        let bytes = file::read(&path).map_err(|error| InputError { path: name.clone(), message: error.to_string() })?;
        let table = parse(&name, &String::from_utf8_lossy(&bytes))?;
        let mut files = BTreeMap::new();
        read_tree(&folder.join("root"), "", &mut files).map_err(|error| InputError {
            path: folder.join("root").display().to_string(),
            message: error.to_string(),
        })?;
        Self::new(&name, table, files)
    }

    /// The same host with another `host.toml` laid over its own. Errors: what does not fit.
    pub fn patched(&self, host_toml: &str) -> Result<Self, InputError> {
        let mut table = self.table.clone();
        lay_over(&mut table, parse("host.toml", host_toml)?);
        Self::new("host.toml", table, self.files.clone())
    }

    /// The same host with one file more, or with another content of it.
    #[must_use]
    pub fn with_file(mut self, path: &str, bytes: impl Into<Arc<[u8]>>) -> Self {
        self.files.insert(path.to_owned(), bytes.into());
        self
    }

    /// What [`Recorded::load`] reads as `host.toml`. Errors: none that a loaded host can have.
    pub fn host_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(&self.recording)
    }

    fn new(name: &str, mut table: Table, files: BTreeMap<String, Arc<[u8]>>) -> Result<Self, InputError> {
        let recording = format::read(name, &mut table)?;
        let stages = recording.login.values().filter_map(|login| login.failed_at.as_deref());
        if let Some(word) = stages.into_iter().find(|word| stage(word).is_none()) {
            let message = format!("failed_at = \"{word}\": there is no such stage of a login");
            return Err(InputError { path: name.to_owned(), message });
        }
        let link = |(path, entry): (&String, &format::FileEntry)| Some((path.clone(), entry.link.clone()?));
        let links = recording.file.iter().filter_map(link).collect();
        Ok(Self { table, recording, files, links })
    }

    /// What was asked for when a live host was recorded; `None` for a host that somebody wrote.
    pub fn asked(&self) -> Option<&Asked> {
        self.recording.recorded.as_ref()
    }

    /// How many files are in it.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    /// `pids` without those that are gone; a recording of a live host holds few processes, and none of them is gone.
    fn alive(&self, pids: &[i32]) -> Vec<i32> {
        let is_alive = |pid: &i32| self.asked().is_some() || self.recording.process.contains_key(&pid.to_string());
        pids.iter().copied().filter(is_alive).collect()
    }

    /// `path` with every recorded link on it resolved.
    fn resolved(&self, path: &str) -> String {
        let mut path = path.to_owned();
        // As many as the kernel follows, and no longer than it allows: path_resolution(7).
        for _ in 0..40 {
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]).filter(|end| *end > 0);
            let mut on_the_way = ends.filter_map(|end| Some((end, self.links.get(&path[..end])?)));
            let Some((end, target)) = on_the_way.next().filter(|_| path.len() <= LONGEST_PATH) else { break };
            let rest = &path[end..];
            let folder = path[..end].rsplit_once('/').map_or("", |(folder, _)| folder);
            path = without_dots(&if target.starts_with('/') {
                format!("{target}{rest}")
            } else {
                format!("{folder}/{target}{rest}")
            });
        }
        path
    }

    fn is_folder(&self, path: &str) -> bool {
        path == "/" || {
            self.names_below(path).next().is_some()
                || below(&self.recording.socket, &format!("{}/", path.trim_end_matches('/'))).next().is_some()
        }
    }

    /// The names of what is known to lie in a folder, with repetitions.
    fn names_below(&self, folder: &str) -> impl Iterator<Item = &str> {
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        let length = prefix.len();
        let paths = below(&self.files, &prefix).chain(below(&self.recording.file, &prefix));
        let names: Vec<&str> = paths.filter_map(|path| path[length..].split('/').next()).collect();
        names.into_iter().filter(|name| !name.is_empty())
    }
}

/// As long as a path may be on Linux: `PATH_MAX`.
const LONGEST_PATH: usize = 4096;

/// The keys that begin with a prefix.
fn below<'m, V>(map: &'m BTreeMap<String, V>, prefix: &str) -> impl Iterator<Item = &'m str> {
    let prefix = prefix.to_owned();
    let from = (std::ops::Bound::Included(prefix.clone()), std::ops::Bound::Unbounded);
    map.range(from).map(|(key, _)| key.as_str()).take_while(move |key| key.starts_with(&prefix))
}

/// `user@host:port/database` for each host, in the order in which they are tried; ` (2)` and so on behind it where a role
/// was tried there in other ways before.
fn login_keys(target: &Target) -> impl Iterator<Item = String> {
    let number = if target.number == 0 { String::new() } else { format!(" ({})", target.number + 1) };
    target.hosts.iter().map(move |(host, port)| format!("{}@{host}:{port}/{}{number}", target.user, target.dbname))
}

/// The stage of a login with this word.
fn stage(word: &str) -> Option<Stage> {
    Stage::ALL.into_iter().find(|stage| stage.word() == word)
}

/// An absolute path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Adds every regular file below `folder` by its path on the recorded host; links are passed by.
fn read_tree(folder: &Path, path: &str, files: &mut BTreeMap<String, Arc<[u8]>>) -> Result<(), ReadError> {
    for name in file::list(folder)? {
        let (on_disk, recorded) = (folder.join(&name), format!("{path}/{name}"));
        let kind = std::fs::symlink_metadata(&on_disk)?.file_type();
        if kind.is_dir() {
            read_tree(&on_disk, &recorded, files)?;
        } else if kind.is_file() {
            files.insert(recorded, file::read(&on_disk)?.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
