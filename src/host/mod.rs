//! The only floor that touches a machine: a repository on disk, a live host, or a recorded one.

pub mod live;
pub mod recorded;
pub mod repo;

use std::sync::Arc;

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// There is no such file or folder.
    NotFound,
    /// It is there, but not for this user.
    NoPermission,
    /// A FIFO, device or socket where a file was expected.
    NotRegular,
    /// Larger than what is read of one file.
    TooLarge,
    /// Anything else, in the system's words.
    Other(String),
}

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A unix socket.
    Socket,
    /// A FIFO, a device, or something else that is never opened.
    Other,
}

/// What the file system says of a path, links followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits, such as `0o660`.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Seconds since 1970 of the last change of content.
    pub modified: i64,
    /// Inode number.
    pub inode: u64,
}

/// Read access to files, by absolute path (a host) or path relative to the root (a repository).
pub trait Files: Sync {
    /// The bytes of a regular file, capped; never opens anything else.
    fn read(&self, path: &str) -> Result<Arc<[u8]>, ReadError>;
    /// The names in a folder, sorted.
    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError>;
    /// What a path is, links followed.
    fn stat(&self, path: &str) -> Result<Stat, ReadError>;
}
