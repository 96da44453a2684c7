//! A repository on disk, as git sees it: what is ignored is left out, links lead nowhere outside, and the order of
//! files never depends on the order of reading.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::WalkBuilder;
use rayon::prelude::*;

use super::{Files, ReadError, Stat, file};
use crate::finding::InputError;
use crate::source::Text;

/// Folders and files that were named together. Paths are as the user would write them: below the root's own path.
#[derive(Debug, Clone)]
pub struct Repo {
    roots: Vec<Root>,
}

#[derive(Debug, Clone)]
struct Root {
    /// As the user named it; empty for the working directory.
    name: String,
    /// The same with all links resolved, to tell what lies outside.
    real: Option<PathBuf>,
}

/// One file of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoFile {
    /// The path, with the root as the user named it in front.
    pub path: String,
    /// The whole content.
    pub text: Text,
    /// Whether the user named this very file.
    pub named: bool,
    /// Whether it is no text; then the user named it.
    pub binary: bool,
}

/// What a walk found, in the order of the roots and then of the paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walked {
    /// Text files.
    pub files: Vec<RepoFile>,
    /// The paths of what is there and was not read: binary files, links, devices. Sorted.
    pub unread: Vec<String>,
    /// What could not be read: missing, not permitted, too large, or not a file.
    pub errors: Vec<InputError>,
}

impl Repo {
    /// The repository made of `roots`: folders, and files that are read whatever an ignore file says.
    pub fn new(roots: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let roots = roots
            .into_iter()
            .map(|name| {
                let name: String = name.into();
                let trimmed = if name == "/" { "/" } else { name.trim_end_matches('/') };
                let name = trimmed.strip_prefix("./").unwrap_or(trimmed);
                let name = if name == "." { String::new() } else { name.to_owned() };
                Root { real: std::fs::canonicalize(on_disk(&name)).ok(), name }
            })
            .collect();
        Self { roots }
    }

    /// Reads the text files below the roots, in parallel: those that were named, and those of which `most` wants so many bytes
    /// or fewer. Binary files are left out, unless they were named.
    pub fn walk(&self, most: impl Fn(&str) -> Option<u64> + Sync) -> Walked {
        let mut found = Vec::new();
        let mut walked = Walked::default();
        for root in &self.roots {
            root.list_into(&mut found, &mut walked);
        }
        let named: HashSet<String> = found.iter().filter(|(_, named)| *named).map(|(path, _)| path.clone()).collect();
        let mut seen = HashSet::new();
        found.retain(|(path, _)| seen.insert(path.clone()));
        found.iter_mut().for_each(|(path, is_named)| *is_named = named.contains(path));
        let read = |(path, named): (String, bool)| {
            let most = if named { Some(file::FILE_BYTES) } else { most(&path).map(|most| most.min(file::FILE_BYTES)) };
            // Here, side by side, each text is made of its bytes, which are gone before the next file is read.
            let read = |most| file::read_up_to(on_disk(&path), most);
            let text = most.map(read).map(|bytes| bytes.map(|bytes| (is_binary(&bytes), Text::from(bytes))));
            (text, path, named)
        };
        let read: Vec<_> = found.into_par_iter().map(read).collect();
        for (result, path, named) in read {
            match result {
                None => walked.unread.push(path),
                Some(Ok((true, _))) if !named => walked.unread.push(path),
                Some(Ok((binary, text))) => walked.files.push(RepoFile { path, text, named, binary }),
                // What the walk meets by the way is not the user's input: a FIFO or a disk image is passed by.
                Some(Err(ReadError::NotRegular | ReadError::TooLarge)) if !named => walked.unread.push(path),
                Some(Err(error)) => walked.errors.push(InputError { path, message: error.to_string() }),
            }
        }
        walked.unread.sort();
        walked.errors.sort();
        walked
    }

    /// The path on disk, where it does not lead out of every root.
    fn inside(&self, path: &str) -> Result<PathBuf, ReadError> {
        let real = std::fs::canonicalize(on_disk(path))?;
        if self.roots.iter().filter_map(|root| root.real.as_ref()).any(|root| real.starts_with(root)) {
            return Ok(real);
        }
        Err(ReadError::NotFound)
    }
}

impl Root {
    /// Adds the paths below this root and whether they were named; sorted.
    fn list_into(&self, found: &mut Vec<(String, bool)>, walked: &mut Walked) {
        let at = on_disk(&self.name);
        let Walked { unread, errors, .. } = walked;
        let mut complain = |path: &str, message: String| errors.push(InputError { path: path.to_owned(), message });
        match std::fs::metadata(at) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return found.push((self.name.clone(), true)),
            Err(error) => return complain(&self.name, ReadError::from(error).to_string()),
        }
        let walk = WalkBuilder::new(at)
            .hidden(false)
            .follow_links(false)
            .require_git(false)
            // One user's own ignore files must not change what another user or the CI sees.
            .git_global(false)
            .git_exclude(false)
            .ignore(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .sort_by_file_name(std::ffi::OsStr::cmp)
            .build();
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = path_of(&error).and_then(Path::to_str).unwrap_or(&self.name);
                    let reason = error.io_error().map(|io| ReadError::from(std::io::Error::from(io.kind())));
                    complain(path, reason.map_or_else(|| error.to_string(), |reason| reason.to_string()));
                    continue;
                }
            };
            // A link's target is read at its own path; one that leads outside is not ours.
            let kind = entry.file_type();
            match entry.path().to_str() {
                _ if kind.is_some_and(|kind| kind.is_dir()) => {}
                Some(path) if !kind.is_some_and(|kind| kind.is_file()) => {
                    unread.push(path.strip_prefix("./").unwrap_or(path).to_owned());
                }
                Some(path) => found.push((path.strip_prefix("./").unwrap_or(path).to_owned(), false)),
                None => complain(&entry.path().to_string_lossy(), "the name of this file is not UTF-8".to_owned()),
            }
        }
    }
}

/// The path that an error of the walk is about.
fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

/// The working directory is written as nothing, so that its paths carry no `./`.
fn on_disk(name: &str) -> &Path {
    Path::new(if name.is_empty() { "." } else { name })
}

/// Whether this is no text, as git tells it: a NUL within the first 8000 bytes.
fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(8000)].contains(&0)
}

impl Files for Repo {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, ReadError> {
        Ok(file::read(&self.inside(path)?)?.into())
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        file::list(&self.inside(folder)?)
    }

    fn stat(&self, path: &str) -> Result<Stat, ReadError> {
        file::stat(&self.inside(path)?)
    }

    fn real_path(&self, path: &str) -> Result<String, ReadError> {
        let real = self.inside(path)?;
        real.into_os_string().into_string().map_err(|_| ReadError::Other("the path is not UTF-8".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repo");
        for (path, text) in [
            (".gitignore", "ignored.ini\n"),
            (".kitchen.yml", "driver: x\n"),
            (".git/config", "[core]\n"),
            ("b/.profile", "export A=1\n"),
            ("a.ini", "[uwsgi]\n"),
            ("ignored.ini", "[uwsgi]\n"),
            ("logo.png", "\u{0}PNG"),
        ] {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::fs::write(folder.path().join("outside"), "secret").unwrap();
        symlink("../outside", root.join("leak")).unwrap();
        symlink("a.ini", root.join("link.ini")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o644),
            0,
        )
        .unwrap();
        let root = root.to_str().unwrap().to_owned();
        (folder, root)
    }

    #[test]
    fn a_walk_sees_what_git_sees() {
        let (_folder, root) = tree();
        let walked = Repo::new([&root]).walk(|_| Some(u64::MAX));
        let paths: Vec<&str> = walked.files.iter().map(|file| &file.path[root.len() + 1..]).collect();
        assert_eq!(paths, [".gitignore", ".kitchen.yml", "a.ini", "b/.profile"]);
        assert_eq!(walked.errors, []);
    }

    #[test]
    fn what_nobody_wants_is_there_and_not_read() {
        let (_folder, root) = tree();
        let most =
            |path: &str| if path.ends_with(".ini") { Some(4) } else { path.ends_with(".yml").then_some(u64::MAX) };
        let named = format!("{root}/b/.profile");
        let walked = Repo::new([root.clone(), named]).walk(most);
        let names =
            |paths: Vec<&str>| paths.into_iter().map(|path| path[root.len() + 1..].to_owned()).collect::<Vec<_>>();
        assert_eq!(names(walked.files.iter().map(|file| file.path.as_str()).collect()), [".kitchen.yml", "b/.profile"]);
        let unread = names(walked.unread.iter().map(String::as_str).collect());
        assert!(unread.contains(&".gitignore".to_owned()) && unread.contains(&"a.ini".to_owned()), "{unread:?}");
        assert_eq!(walked.errors, []);
    }

    #[test]
    fn a_named_file_is_read_and_a_missing_one_is_an_error() {
        let (_folder, root) = tree();
        let (ignored, missing) = (format!("{root}/ignored.ini"), format!("{root}/missing.ini"));
        let walked =
            Repo::new([ignored.clone(), missing.clone(), format!("{root}/fifo"), root]).walk(|_| Some(u64::MAX));
        assert_eq!((walked.files[0].path.as_str(), walked.files[0].named), (ignored.as_str(), true));
        assert_eq!(walked.files.len(), 5);
        let failed: Vec<(&str, &str)> = walked.errors.iter().map(|e| (e.path.as_str(), e.message.as_str())).collect();
        assert_eq!(failed.len(), 2);
        assert!(failed.contains(&(missing.as_str(), "no such file or folder")));
        assert!(failed.iter().any(|(path, message)| path.ends_with("fifo") && *message == "not a regular file"));
    }

    #[test]
    fn a_file_named_beside_its_folder_is_read_once_and_stays_named() {
        let (_folder, root) = tree();
        let ini = format!("{root}/a.ini");
        let walked = Repo::new([root, ini.clone()]).walk(|_| Some(u64::MAX));
        let found: Vec<_> = walked.files.iter().filter(|file| file.path == ini).collect();
        assert!(found.len() == 1 && found[0].named);
    }

    #[test]
    fn links_are_followed_within_the_root_only() {
        let (_folder, root) = tree();
        let repo = Repo::new([&root]);
        assert_eq!(&*repo.read(&format!("{root}/link.ini")).unwrap(), b"[uwsgi]\n");
        assert_eq!(repo.read(&format!("{root}/leak")), Err(ReadError::NotFound));
        assert_eq!(repo.read(&format!("{root}/../outside")), Err(ReadError::NotFound));
        assert!(repo.list(&root).unwrap().contains(&"b".to_owned()));
    }
}
