//! The only place that writes to a disk, and only where the user asked for a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a new file; never over anything that is there, a dangling link included.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], or what the system says.
pub fn create(path: &str, text: &str) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// Writes a new file that only its owner may read; never over anything that is there, a dangling link included.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], or what the system says.
pub fn create_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

/// Writes a file in the place of what is there: whole or not at all.
///
/// # Errors
/// What the system says; then the old file is as it was.
pub fn replace(path: &str, text: &str) -> io::Result<()> {
    let beside = format!("{path}.{}.new", std::process::id());
    let written = create(&beside, text).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // Nothing of a failed attempt is left; that it cannot be removed either is the smaller trouble.
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_is_written_over_unless_it_is_meant() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a").to_str().unwrap().to_owned();
        create(&path, "one").unwrap();
        assert_eq!(create(&path, "two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        for taken in [folder.path().join("a"), link.clone()] {
            assert_eq!(create_private(&taken, b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
        fs::remove_file(&link).unwrap();
        replace(&path, "three").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "three");
        let is_folder = folder.path().to_str().unwrap();
        assert!(replace(is_folder, "four").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
