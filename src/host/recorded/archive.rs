//! A recording in one file: `host.toml` and `root/` in a `.tar.gz`. Who opens one may not trust who made it: nothing is
//! unpacked to a disk, links and anything else that is no plain file are refused, and sizes and counts are capped.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Component, Path};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, EntryType, Header};

use super::Recorded;
use super::format::parse;
use crate::finding::InputError;
use crate::host::file;

/// How large a recording may be on disk.
const PACKED_BYTES: u64 = 64 << 20;
/// How large it may become when it is unpacked.
const UNPACKED_BYTES: u64 = 128 << 20;
/// How many entries it may have.
const ENTRIES: usize = 20_000;
/// How large its `host.toml` may be.
const TABLE_BYTES: u64 = 16 << 20;
const TABLE: &str = "host.toml";

impl Recorded {
    /// The recording as one file. Errors: none, as long as what was recorded can be written.
    pub fn packed(&self) -> io::Result<Vec<u8>> {
        let table = self.host_toml().map_err(io::Error::other)?;
        let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        let mut append = |path: &str, bytes: &[u8]| {
            let mut header = Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(u64::try_from(self.recording.now).unwrap_or(0));
            archive.append_data(&mut header, path, bytes)
        };
        append(TABLE, table.as_bytes())?;
        for (path, bytes) in &self.files {
            append(&format!("root{path}"), bytes)?;
        }
        archive.into_inner()?.finish()
    }

    /// Opens a recording, a file or a folder. Errors: what cannot be read, does not fit, or was made to hurt.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        if path.is_dir() {
            return Self::load(path);
        }
        let name = path.display().to_string();
        let error = |message: String| InputError { path: name.clone(), message };
        let bytes = file::read_up_to(path, PACKED_BYTES).map_err(|failure| match failure {
            crate::host::ReadError::TooLarge => {
                error(format!("larger than {} MiB, the most that a recording may be", PACKED_BYTES >> 20))
            }
            other => error(other.to_string()),
        })?;
        Self::unpacked(&name, &bytes).map_err(error)
    }

    fn unpacked(name: &str, bytes: &[u8]) -> Result<Self, String> {
        if !bytes.starts_with(&[0x1f, 0x8b]) {
            return Err("this is no recording: housecall record writes a .tar.gz".to_owned());
        }
        let mut archive = Archive::new(Capped { inner: MultiGzDecoder::new(bytes), left: UNPACKED_BYTES });
        let (mut table, mut files) = (None, BTreeMap::new());
        let entries = archive.entries().map_err(broken)?;
        for (count, entry) in entries.enumerate() {
            if count >= ENTRIES {
                return Err(format!("more than {ENTRIES} entries, the most that a recording may have"));
            }
            let mut entry = entry.map_err(broken)?;
            let path = entry.path().map_err(broken)?.to_str().map(str::to_owned);
            let path = path.ok_or_else(|| "an entry whose name is not UTF-8".to_owned())?;
            match entry.header().entry_type() {
                EntryType::Regular => {}
                EntryType::Directory => continue,
                _ => return Err(format!("{path}: only plain files belong into a recording")),
            }
            let cap = if path == TABLE { TABLE_BYTES } else { file::FILE_BYTES };
            if entry.size() > cap {
                return Err(format!("{path}: larger than {} MiB", cap >> 20));
            }
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(broken)?;
            if path == TABLE {
                table = Some(parse(TABLE, &String::from_utf8_lossy(&content)).map_err(|error| error.message)?);
                continue;
            }
            let inside = path.strip_prefix("root").filter(|inside| is_plain(inside));
            let inside = inside.ok_or_else(|| format!("{path}: only host.toml and root/ belong into a recording"))?;
            files.insert(inside.to_owned(), Arc::from(content));
        }
        // The checksum stands at the very end.
        io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(broken)?;
        let table = table.ok_or_else(|| "this is no recording: there is no host.toml in it".to_owned())?;
        Self::new(name, table, files).map_err(|error| error.message)
    }
}

/// An absolute path that names nothing above itself.
pub(super) fn is_plain(path: &str) -> bool {
    path.starts_with('/')
        && Path::new(path).components().skip(1).all(|part| matches!(part, Component::Normal(_)))
        && !path.ends_with('/')
}

fn broken(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends in the middle: copy it again".to_owned(),
        _ => error.to_string(),
    }
}

/// A reader that fails, rather than ends, after so many bytes.
struct Capped<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other(format!("unpacks to more than {} MiB, the most of a recording", UNPACKED_BYTES >> 20))
        })?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::io::Write;

    use super::*;
    use crate::host::Files;

    fn refusal(bytes: &[u8]) -> String {
        Recorded::unpacked("x", bytes).err().unwrap()
    }

    /// A `.tar.gz` of entries as they are handed in, however wrong.
    fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, kind, bytes) in entries {
            let mut header = Header::new_gnu();
            header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(bytes.len() as u64);
            if *kind == EntryType::Symlink {
                header.set_link_name("/etc/shadow").unwrap();
            }
            header.set_cksum();
            archive.append(&header, *bytes).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    const FILE: EntryType = EntryType::Regular;

    #[test]
    fn what_was_packed_is_unpacked() {
        let host = Recorded::healthy().unwrap();
        let again = Recorded::unpacked("x", &host.packed().unwrap()).unwrap();
        assert_eq!(again.recording, host.recording);
        assert_eq!(again.files, host.files);
    }

    #[test]
    fn a_recording_made_to_hurt_is_refused_in_words() {
        assert!(refusal(b"").contains("no recording"));
        assert!(refusal(b"now = 1\n").contains("no recording"));
        assert!(refusal(&[0x1f, 0x8b, 8, 0, 1, 2, 3]).contains("middle"));
        assert!(refusal(&archive(&[])).contains("no host.toml"));
        assert!(refusal(&archive(&[("host.toml", FILE, b"now = \"x\"")])).contains("now"));
        for path in ["root/../../etc/passwd", "/etc/passwd", "root", "rooted/x", "other", "../x", "root//../x", "root/"]
        {
            let said = refusal(&archive(&[("host.toml", FILE, b"now = 1"), (path, FILE, b"x")]));
            assert!(said.contains("belong"), "{path}: {said}");
        }
        for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Fifo] {
            assert!(refusal(&archive(&[("root/a", kind, b"")])).contains("only plain files"));
        }
        let large = vec![b' '; usize::try_from(file::FILE_BYTES).unwrap() + 1];
        assert!(refusal(&archive(&[("root/a", FILE, &large)])).contains("larger than 4 MiB"));
    }

    #[test]
    fn bombs_and_millions_of_entries_end_early() {
        let many: Vec<(String, EntryType, &[u8])> =
            (0..ENTRIES + 1).map(|at| (format!("root/{at}"), FILE, &b""[..])).collect();
        let many: Vec<_> = many.iter().map(|(path, kind, bytes)| (path.as_str(), *kind, *bytes)).collect();
        assert!(refusal(&archive(&many)).contains("entries"));
        let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
        let block = vec![0_u8; 1 << 20];
        // Zeroes end an archive; what follows is still unpacked, for its checksum.
        (0..=UNPACKED_BYTES >> 20).for_each(|_| bomb.write_all(&block).unwrap());
        assert!(refusal(&bomb.finish().unwrap()).contains("unpacks to more than"));
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_an_error_or_a_recording() {
        let packed = Recorded::healthy().unwrap().packed().unwrap();
        for end in (0..packed.len()).step_by(97) {
            refusal(&packed[..end]);
        }
        for at in (0..packed.len()).step_by(61) {
            let mut flipped = packed.clone();
            flipped[at] ^= 0x55;
            if let Ok(host) = Recorded::unpacked("x", &flipped) {
                let _ = host.list("/etc");
            }
        }
    }
}
