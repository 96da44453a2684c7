//! Where a repository begins, what its configuration names, and which day it is.

use std::path::{Component, Path, PathBuf};

use super::{ReadError, file};

/// Whether a path the user named is a folder; a missing one is not.
pub fn is_folder(path: &str) -> bool {
    Path::new(path).is_dir()
}

/// Whether a path the user named is there and is no folder.
pub fn is_file(path: &str) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_dir())
}

/// A path as a walk names it: without `./` in front or `/` at the end.
pub fn tidy(path: &str) -> String {
    let trimmed = path.trim_end_matches('/');
    trimmed.strip_prefix("./").unwrap_or(trimmed).to_owned()
}

/// The folder around a file that holds `housecall.toml` or `.git`, as the user would write it; `.` for the working directory.
pub fn root_around(path: &str) -> Option<String> {
    above(path)
        .find(|folder| folder.join("housecall.toml").is_file() || folder.join(".git").exists())
        .map(|folder| shown(&folder))
}

/// The nearest file of this name in the folder itself or above it, no further than the repository goes.
pub fn nearest_above(path: &str, name: &str) -> Option<String> {
    for folder in above(path) {
        if folder.join(name).is_file() {
            let shown = shown(&folder);
            return Some(if shown == "." {
                name.to_owned()
            } else {
                format!("{}/{name}", shown.trim_end_matches('/'))
            });
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// The folders around a path, innermost first: as written as far as that goes, then by their real paths.
fn above(path: &str) -> impl Iterator<Item = PathBuf> {
    let path = Path::new(path);
    let start = if path.is_dir() { path.to_owned() } else { path.parent().map_or_else(PathBuf::new, Path::to_owned) };
    let written = written_above(&start);
    let outermost = written
        .last()
        .map_or_else(PathBuf::new, |last| if last.as_os_str().is_empty() { ".".into() } else { last.clone() });
    let real = std::fs::canonicalize(outermost).ok();
    let outside = real.map(|real| real.ancestors().skip(1).map(Path::to_owned).collect::<Vec<_>>());
    written.into_iter().chain(outside.into_iter().flatten())
}

/// A path and the folders above it that its own words name; the working directory is not above `..`.
fn written_above(start: &Path) -> Vec<PathBuf> {
    let leaves = start.components().next() == Some(Component::ParentDir);
    start.ancestors().filter(|folder| !(leaves && folder.as_os_str().is_empty())).map(Path::to_owned).collect()
}

fn shown(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { ".".to_owned() } else { folder.to_string_lossy().into_owned() }
}

/// The bytes of one file that a configuration names.
///
/// # Errors
/// As for any file: missing, not permitted, not a file, too large.
pub fn read(path: &str) -> Result<Vec<u8>, ReadError> {
    file::read(Path::new(path))
}

/// The rule pages below a folder, `family/name.md`: each id with its text, sorted.
///
/// # Errors
/// The first folder or file that cannot be read.
pub fn pages(folder: &str) -> Result<Vec<(String, String)>, ReadError> {
    let root = Path::new(folder);
    let mut pages = Vec::new();
    for family in file::list(root)? {
        let inside = root.join(&family);
        if !inside.is_dir() {
            continue;
        }
        for name in file::list(&inside)? {
            if let Some(id) = name.strip_suffix(".md") {
                let text = String::from_utf8_lossy(&file::read(&inside.join(&name))?).into_owned();
                pages.push((format!("{family}/{id}"), text));
            }
        }
    }
    Ok(pages)
}

/// The day by this machine's clock, `YYYY-MM-DD`, in UTC.
pub fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_day_compares_as_a_configuration_writes_it() {
        assert!(today().as_str() > "2026-11-22" && today().len() == 10);
    }

    #[test]
    fn the_working_directory_is_not_above_its_parent() {
        let above = |path: &str| written_above(Path::new(path));
        assert_eq!(above("../a/b"), ["../a/b", "../a", ".."].map(PathBuf::from));
        assert_eq!(above("a/b"), ["a/b", "a", ""].map(PathBuf::from));
        assert_eq!(above("/a"), ["/a", "/"].map(PathBuf::from));
    }

    #[test]
    fn a_repository_begins_where_its_configuration_lies() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repo");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(root.join("housecall.toml"), "").unwrap();
        std::fs::write(root.join("a/b/x.ini"), "").unwrap();
        let file = root.join("a/b/x.ini").to_str().unwrap().to_owned();
        assert_eq!(root_around(&file).as_deref(), root.to_str());
        assert_eq!(nearest_above(&file, "housecall.toml"), Some(format!("{}/housecall.toml", root.display())));
    }
}
