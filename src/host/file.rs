//! Opening files safely: what is not a regular file is never opened, reads are capped, and root is not led to a
//! private file by another user's link.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::machine::{TAIL_BYTES, Tail};
use super::{FileKind, ReadError, Stat, input};

/// How much is read of one file.
pub const FILE_BYTES: u64 = 4 << 20;

/// The bytes of a regular file. Errors: [`ReadError::NotRegular`] for a FIFO, device, socket or folder, [`ReadError::TooLarge`] above the cap.
pub fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    read_up_to(path, FILE_BYTES)
}

/// The same with another cap, in bytes.
pub(super) fn read_up_to(path: &Path, cap: u64) -> Result<Vec<u8>, ReadError> {
    let file = open_regular(path)?;
    let size = file.metadata()?.len().min(cap);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    // One byte more than the cap, because a file in /proc has no size and any file may grow meanwhile.
    file.take(cap + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > cap {
        return Err(ReadError::TooLarge);
    }
    Ok(bytes)
}

/// How much is read of a packed log.
const PACKED_BYTES: u64 = 32 << 20;
/// How much may come out of it.
const UNPACKED_BYTES: u64 = 512 << 20;

/// The end of a regular file, as whole lines; a rotated log is unpacked where its name says that it is packed.
pub fn tail(path: &Path) -> Result<Tail, ReadError> {
    let mut file = open_regular(path)?;
    if path.extension().is_some_and(|extension| extension == "gz") {
        if file.metadata()?.len() > PACKED_BYTES {
            return Err(ReadError::Other(format!("larger than {} MiB, the most that is unpacked", PACKED_BYTES >> 20)));
        }
        let unpacked = MultiGzDecoder::new(file.take(PACKED_BYTES));
        return input::end_of(&mut unpacked.take(UNPACKED_BYTES)).map_err(ReadError::from);
    }
    let start = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(Tail::of(&bytes, start == 0))
}

/// The text after the first place in `bytes` where a digit follows `words`.
pub(super) fn text_after(bytes: &[u8], words: &str) -> Option<String> {
    const LONGEST: usize = 64;
    let starts = bytes.windows(words.len() + 1);
    let at = starts
        .into_iter()
        .position(|window| window.starts_with(words.as_bytes()) && window[words.len()].is_ascii_digit());
    let after = bytes.get(at? + words.len()..)?.iter().take(LONGEST);
    Some(after.take_while(|byte| byte.is_ascii_graphic()).map(|byte| char::from(*byte)).collect())
}

/// What a path is, links followed.
pub fn stat(path: &Path) -> Result<Stat, ReadError> {
    Ok(stat_of(&std::fs::metadata(path)?))
}

/// The names in a folder, sorted; names that are not UTF-8 are left out.
pub fn list(path: &Path) -> Result<Vec<String>, ReadError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path)? {
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn stat_of(metadata: &Metadata) -> Stat {
    let kind = match FileType::from_raw_mode(metadata.mode()) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Folder,
        FileType::Socket => FileKind::Socket,
        _ => FileKind::Other,
    };
    Stat {
        kind,
        mode: metadata.mode() & 0o7777,
        uid: metadata.uid(),
        gid: metadata.gid(),
        size: metadata.len(),
        modified: metadata.mtime(),
        inode: metadata.ino(),
    }
}

/// `O_PATH` looks without opening, so that no device or FIFO ever notices; only then is the very same file opened.
fn open_regular(path: &Path) -> Result<File, ReadError> {
    let looked_at: OwnedFd =
        rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(std::io::Error::from)?;
    let found = rustix::fs::fstat(&looked_at).map_err(std::io::Error::from)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Err(ReadError::NotRegular);
    }
    let private = found.st_mode & 0o004 == 0;
    if private
        && let Some(owner) = foreign_link_on(path)
        && owner != found.st_uid
    {
        return Err(ReadError::Other("a link of another user leads to this private file".to_owned()));
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let same = format!("/proc/self/fd/{}", looked_at.as_raw_fd());
    match rustix::fs::open(same, flags, Mode::empty()) {
        Ok(file) => Ok(File::from(file)),
        // Some sandboxes have no /proc.
        Err(Errno::NOENT) => open_if_unchanged(path, flags, &found),
        Err(error) => Err(std::io::Error::from(error).into()),
    }
}

fn open_if_unchanged(path: &Path, flags: OFlags, expected: &rustix::fs::Stat) -> Result<File, ReadError> {
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(std::io::Error::from)?;
    let opened = rustix::fs::fstat(&file).map_err(std::io::Error::from)?;
    if (opened.st_dev, opened.st_ino) != (expected.st_dev, expected.st_ino) {
        return Err(ReadError::Other("it changed while it was looked at".to_owned()));
    }
    Ok(File::from(file))
}

/// Whether neither root nor the user of this process made it.
pub(super) fn is_foreign(metadata: &Metadata) -> bool {
    metadata.uid() != 0 && metadata.uid() != rustix::process::geteuid().as_raw()
}

/// The owner of the first symbolic link on the way to `path` that belongs neither to root nor to this process.
fn foreign_link_on(path: &Path) -> Option<u32> {
    let mut pending: Vec<PathBuf> = path.components().rev().map(|part| PathBuf::from(part.as_os_str())).collect();
    let mut walked = PathBuf::new();
    // As many links as the kernel follows: path_resolution(7).
    let mut links_left = 40;
    while let Some(part) = pending.pop() {
        if part.as_os_str() == ".." {
            walked.pop();
            continue;
        }
        walked.push(&part);
        let Ok(metadata) = std::fs::symlink_metadata(&walked) else { return None };
        if !metadata.is_symlink() {
            continue;
        }
        if is_foreign(&metadata) {
            return Some(metadata.uid());
        }
        links_left -= 1;
        let target = std::fs::read_link(&walked).ok().filter(|_| links_left > 0)?;
        walked.pop();
        let parts = target.components().rev().filter(|part| *part != Component::CurDir);
        pending.extend(parts.map(|part| PathBuf::from(part.as_os_str())));
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
        assert_eq!(read(&fifo), Err(ReadError::NotRegular));
        assert_eq!(read(Path::new("/dev/zero")), Err(ReadError::NotRegular));
        assert_eq!(read(folder.path()), Err(ReadError::NotRegular));
        assert_eq!(read(&folder.path().join("none")), Err(ReadError::NotFound));
    }

    #[test]
    fn reads_are_capped_and_tails_are_from_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        let file = File::create(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        assert_eq!(read(&path), Err(ReadError::TooLarge));
        assert!(tail(&path).unwrap().cut);
        std::fs::write(&path, "one\ntwo\n").unwrap();
        assert_eq!(tail(&path).unwrap().bytes, b"one\ntwo\n");
    }

    #[test]
    fn a_program_says_its_release() {
        let program = b"\x7fELF nginx/ nginx/x \0nginx/1.22.1\0more";
        assert_eq!(text_after(program, "nginx/").as_deref(), Some("1.22.1"));
        assert_eq!(text_after(program, "uwsgi/"), None);
        assert_eq!(text_after(b"nginx/", "nginx/"), None);
    }

    #[test]
    fn a_packed_log_is_unpacked_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log.2.gz");
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let megabyte = vec![b'x'; 1 << 20];
        for _ in 0..20 {
            std::io::Write::write_all(&mut packer, &megabyte).unwrap();
        }
        std::io::Write::write_all(&mut packer, b"\nlast\n").unwrap();
        std::fs::write(&path, packer.finish().unwrap()).unwrap();
        assert_eq!(tail(&path), Ok(Tail { bytes: b"last\n".to_vec(), cut: true }));
        std::fs::write(&path, "not packed\n").unwrap();
        assert!(matches!(tail(&path), Err(ReadError::Other(_))));
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(matches!(tail(&path), Err(ReadError::Other(_))));
    }

    #[test]
    fn a_foreign_link_to_a_private_file_is_refused() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("only root meets links of other users; left out");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let (private, link) = (folder.path().join("private"), folder.path().join("log"));
        std::fs::write(&private, "canary").unwrap();
        std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o600)).unwrap();
        symlink("private", &link).unwrap();
        assert_eq!(read(&link).unwrap(), b"canary");
        std::os::unix::fs::lchown(&link, Some(12345), Some(12345)).unwrap();
        assert!(matches!(read(&link), Err(ReadError::Other(_))));
        assert_eq!(stat(&link).unwrap().mode, 0o600);
    }
}
