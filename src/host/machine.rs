//! What a machine shows of itself: processes, sockets, users, and the end of a log.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::ReadError;

/// One process, as `/proc/PID` shows it to this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its parent.
    pub ppid: i32,
    /// The kernel's name for it, at most 15 bytes; the process may have changed it.
    pub name: String,
    /// The program file; `… (deleted)` where it was replaced since.
    pub exe: Result<String, ReadError>,
    /// The command line; a process may overwrite it with a title.
    pub cmdline: Vec<String>,
    /// The working directory; `… (deleted)` where it is gone.
    pub cwd: Result<String, ReadError>,
    /// Effective user.
    pub uid: u32,
    /// Effective group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Seconds since 1970.
    pub started: i64,
    /// The environment at exec, in order; what the process changed since is not in it.
    pub environ: Result<Vec<(String, String)>, ReadError>,
    /// What it does not share with housecall, as far as this user may see.
    pub apart: Vec<Space>,
}

impl Process {
    /// Whether its files are others than those that housecall reads: it runs in a container.
    pub fn is_contained(&self) -> bool {
        [Space::Root, Space::Mounts].iter().all(|space| self.apart.contains(space))
    }
}

/// What processes may each have of their own: namespaces(7), and the folder they take for `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Space {
    /// What `/` is.
    Root,
    /// What is mounted where; systemd's `PrivateTmp=` gives a service its own.
    Mounts,
    /// Addresses, routes and sockets.
    Network,
    /// The numbers of processes.
    Processes,
}

impl Space {
    /// The word that recordings use.
    pub fn word(self) -> &'static str {
        match self {
            Space::Root => "root",
            Space::Mounts => "mounts",
            Space::Network => "network",
            Space::Processes => "processes",
        }
    }

    /// The reading of [`Space::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Space::Root, Space::Mounts, Space::Network, Space::Processes].into_iter().find(|space| space.word() == word)
    }
}

/// A regular file that a process holds open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenFile {
    /// The descriptor; 1 and 2 are where a program prints to.
    pub descriptor: i32,
    /// The path it was opened by, or was moved to since.
    pub path: String,
    /// Whether it was deleted since: its room is taken, and only the process writes to it.
    pub deleted: bool,
}

impl OpenFile {
    /// The path by which the file of a process can still be read.
    pub fn through(&self, pid: i32) -> String {
        format!("/proc/{pid}/fd/{}", self.descriptor)
    }
}

/// A TCP socket that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The address it is bound to; unspecified for all of them.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// The socket.
    pub inode: u64,
    /// The processes that hold it, as far as this user may see them.
    pub pids: Vec<i32>,
}

/// A unix stream socket with a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnixSocket {
    /// The path it was bound to, in the name space of its process; the file may be gone since.
    pub path: String,
    /// The socket; not the inode of the file.
    pub inode: u64,
    /// Whether it accepts connections.
    pub listening: bool,
    /// The processes that hold it, as far as this user may see them.
    pub pids: Vec<i32>,
}

/// One end of an established TCP connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketInode {
    /// The socket; the same number in two processes is the same connection.
    pub inode: u64,
    /// The other end, `address:port`.
    pub remote: String,
}

/// A user with all groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// Its id.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// The home folder.
    pub home: String,
}

/// The file system that a path lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volume {
    /// Its size in bytes.
    pub bytes: u64,
    /// The bytes that users other than root may still take.
    pub free: u64,
    /// How many files it can hold; 0 where it does not count them.
    pub inodes: u64,
    /// How many more of them users other than root may make.
    pub free_inodes: u64,
}

impl Volume {
    /// Whether two looks saw one and the same volume: it may have been written to in between.
    pub fn is_like(&self, other: &Volume) -> bool {
        (self.bytes, self.inodes) == (other.bytes, other.inodes) && self.free.abs_diff(other.free) <= self.bytes / 1000
    }
}

/// What a whole machine has and does; sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Vitals {
    /// Its memory.
    pub memory: u64,
    /// What could be had of it without swapping.
    pub available: u64,
    /// How many threads ran or waited to run, on average over five minutes.
    pub load: f64,
    /// How many can run at once.
    pub processors: usize,
    /// When it was booted, in seconds since 1970.
    pub booted: i64,
}

/// The end of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tail {
    /// Whole lines, the long ones cut.
    pub bytes: Vec<u8>,
    /// Whether earlier lines or parts of lines were left out.
    pub cut: bool,
}

/// How much is read from the end of a log.
pub const TAIL_BYTES: u64 = 4 << 20;
/// How much is kept of one line.
pub const LINE_BYTES: usize = 64 << 10;

impl Tail {
    /// Makes whole lines of capped length from `bytes`; `from_start` says that nothing stands before them.
    pub fn of(bytes: &[u8], from_start: bool) -> Self {
        let first =
            if from_start { 0 } else { bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1) };
        let mut kept = Vec::with_capacity(bytes.len() - first);
        let mut cut = !from_start;
        for line in bytes[first..].split_inclusive(|byte| *byte == b'\n') {
            if line.len() <= LINE_BYTES {
                kept.extend_from_slice(line);
                continue;
            }
            cut = true;
            kept.extend_from_slice(&line[..LINE_BYTES]);
            kept.push(b'\n');
        }
        Self { bytes: kept, cut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_holds_whole_lines_of_capped_length() {
        assert_eq!(Tail::of(b"a\nb\n", true), Tail { bytes: b"a\nb\n".to_vec(), cut: false });
        assert_eq!(Tail::of(b"rest\nb\nc", false), Tail { bytes: b"b\nc".to_vec(), cut: true });
        let long = [vec![b'x'; LINE_BYTES + 9], b"\nend\n".to_vec()].concat();
        let tail = Tail::of(&long, true);
        assert_eq!(tail.bytes.len(), LINE_BYTES + 1 + 4);
        assert!(tail.cut && tail.bytes.ends_with(b"x\nend\n"));
    }
}
