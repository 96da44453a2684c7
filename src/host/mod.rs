//! The only floor that touches a machine: a repository on disk, a live host, or a recorded one.

pub mod access;
pub mod acl;
pub mod around;
pub mod connect;
pub mod deadline;
pub mod file;
pub mod input;
pub mod journal;
pub mod live;
pub mod machine;
pub mod postgres;
pub mod recorded;
pub mod repo;
pub mod request;
pub mod users;
pub mod write;
pub mod zone;

use std::net::IpAddr;
use std::sync::Arc;

pub use access::{Access, Identity};
pub use acl::Acl;
pub use connect::{Connect, NoAddress};
pub use machine::{Listener, OpenFile, Process, SocketInode, Space, Tail, UnixSocket, User, Vitals, Volume};
pub use postgres::{Failure, Login, SslMode, Stage, Target};
pub use request::{Answered, Url};

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

impl std::fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReadError::NotFound => formatter.write_str("no such file or folder"),
            ReadError::NoPermission => formatter.write_str("permission denied"),
            ReadError::NotRegular => formatter.write_str("not a regular file"),
            ReadError::TooLarge => {
                write!(formatter, "larger than {} MiB, the most that is read of one file", file::FILE_BYTES >> 20)
            }
            ReadError::Other(words) => formatter.write_str(words),
        }
    }
}

impl std::error::Error for ReadError {}

impl ReadError {
    /// The word that recordings use.
    pub fn word(&self) -> &str {
        match self {
            ReadError::NotFound => "not found",
            ReadError::NoPermission => "no permission",
            ReadError::NotRegular => "not regular",
            ReadError::TooLarge => "too large",
            ReadError::Other(words) => words,
        }
    }

    /// The reading of [`ReadError::word`].
    pub fn from_word(word: &str) -> Self {
        match word {
            "not found" => ReadError::NotFound,
            "no permission" => ReadError::NoPermission,
            "not regular" => ReadError::NotRegular,
            "too large" => ReadError::TooLarge,
            other => ReadError::Other(other.to_owned()),
        }
    }
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => ReadError::NotFound,
            ErrorKind::PermissionDenied => ReadError::NoPermission,
            _ => ReadError::Other(error.to_string()),
        }
    }
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
    /// `path` with every symbolic link on it resolved; the path itself where links are not known.
    fn real_path(&self, path: &str) -> Result<String, ReadError> {
        Ok(path.to_owned())
    }
    /// The path by which a user of this machine opens the same file: another one where `--root` moved it.
    fn shown(&self, path: &str) -> String {
        path.to_owned()
    }
    /// The access control list of a path, links followed; `None` where the permission bits say all.
    fn acl(&self, _path: &str) -> Result<Option<Acl>, ReadError> {
        Ok(None)
    }
}

/// A machine, live or recorded: its files, its processes, and what answers when it connects.
///
/// Nothing here writes or starts a program, and one request is sent where the user gave its address; what another user hides is an error, never an empty answer.
pub trait Host: Files {
    /// Every process that is not a kernel thread, by pid.
    fn processes(&self) -> Result<Vec<Process>, ReadError>;
    /// TCP sockets that listen, by address and port.
    fn listeners(&self) -> Result<Vec<Listener>, ReadError>;
    /// Unix stream sockets that are bound to a path, by path.
    fn unix_sockets(&self) -> Result<Vec<UnixSocket>, ReadError>;
    /// The established TCP connections of a process; one inode in several processes is one connection that they share.
    fn established(&self, pid: i32) -> Result<Vec<SocketInode>, ReadError>;
    /// The regular files that a process holds open, by its descriptors.
    fn open_files(&self, pid: i32) -> Result<Vec<OpenFile>, ReadError>;
    /// The users of `/etc/passwd` with the groups of `/etc/group`.
    fn users(&self) -> Result<Vec<User>, ReadError>;
    /// Seconds since 1970, by the host's clock.
    fn now(&self) -> i64;
    /// The end of a file that grows, or of a unit's log by its [`journal::name_of`]: at most 4 MiB, lines cut at 64 KiB.
    fn tail(&self, path: &str) -> Result<Tail, ReadError>;
    /// What follows `words` where a program file holds them first and a digit comes next, up to the next byte that is no
    /// text; `None` where it holds none.
    fn said_by(&self, program: &str, words: &str) -> Result<Option<String>, ReadError>;
    /// Memory, load and the last boot of the machine.
    fn vitals(&self) -> Result<Vitals, ReadError>;
    /// The file system that a path lies on: statvfs(3).
    fn volume(&self, path: &str) -> Result<Volume, ReadError>;
    /// What happens when this process connects to a unix socket; no byte is sent.
    fn connect_unix(&self, path: &str) -> Connect;
    /// What happens when this process connects to a TCP address; no byte is sent.
    fn connect_tcp(&self, host: &str, port: u16) -> Connect;
    /// The addresses of a name, as the host's own name service gives them.
    fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, NoAddress>;
    /// Sends the one request that the user asked for; a recording has none to tell of.
    fn request(&self, _url: &Url) -> Result<Answered, Connect> {
        Err(Connect::Other("no request is sent for a recording".to_owned()))
    }
    /// Logs in as the app would and asks a few fixed questions; at most one login for each way that libpq would try.
    fn login(&self, target: &Target) -> Login;
    /// Whether `who` may connect to the unix socket at `path`, worked out from the permission bits along the path.
    fn access(&self, path: &str, who: &Identity) -> Access {
        access::may_connect(self, path, who)
    }
}
