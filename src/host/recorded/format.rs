//! What `host.toml` may say, and how one is laid over another.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::finding::InputError;
use crate::host::{Stage, Vitals};

/// What `host.toml` may say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recording {
    /// Seconds since 1970.
    pub(super) now: i64,
    /// How it was recorded from a live host. What such a recording does not mention was not looked at; in any other one
    /// it is not there.
    pub(super) recorded: Option<Asked>,
    /// Why a table of the whole host could not be read, by `processes`, `listeners`, `sockets` or `vitals`.
    #[serde(default)]
    pub(super) failed: BTreeMap<String, String>,
    /// By pid.
    #[serde(default)]
    pub(super) process: BTreeMap<String, ProcessEntry>,
    /// By `address:port`.
    #[serde(default)]
    pub(super) listener: BTreeMap<String, Holders>,
    /// By path; its file has an entry of its own.
    #[serde(default)]
    pub(super) socket: BTreeMap<String, Holders>,
    /// By path: what a file tree in git cannot hold.
    #[serde(default)]
    pub(super) file: BTreeMap<String, FileEntry>,
    /// By path: the file system it lies on. A path that is not named lies where the nearest folder above it does.
    #[serde(default)]
    pub(super) volume: BTreeMap<String, VolumeEntry>,
    /// By path or `host:port`; where nothing is said, sockets, listeners and files decide.
    #[serde(default)]
    pub(super) connect: BTreeMap<String, String>,
    /// Addresses by name; an empty list is a name that does not exist.
    #[serde(default)]
    pub(super) name: BTreeMap<String, NameEntry>,
    /// Memory, load and the last boot.
    pub(super) vitals: Option<Vitals>,
    /// By `user@host:port/database`, ` (2)` and so on behind it for further passwords of one role.
    #[serde(default)]
    pub(super) login: BTreeMap<String, LoginEntry>,
}

/// What was asked for when a host was recorded, so that a diagnosis of the recording asks for the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    /// Which housecall wrote it.
    pub version: String,
    /// As which user; 0 is root, who sees everything.
    pub uid: u32,
    /// nginx's main file, where it was named.
    pub nginx_conf: Option<String>,
    /// uWSGI's inis, where they were named.
    pub uwsgi_ini: Vec<String>,
    /// Logs that were named.
    pub logs: Vec<String>,
    /// Whether databases were logged in to.
    pub login: bool,
    /// Whether anything was connected to.
    pub network: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProcessEntry {
    pub(super) ppid: i32,
    pub(super) name: String,
    /// What is left out was not permitted to read; so are `cwd` and `environ`.
    pub(super) exe: Option<String>,
    pub(super) cmdline: Vec<String>,
    pub(super) cwd: Option<String>,
    pub(super) uid: u32,
    pub(super) gid: u32,
    #[serde(default)]
    pub(super) groups: Vec<u32>,
    pub(super) started: i64,
    /// `NAME=value`, in order.
    pub(super) environ: Option<Vec<String>>,
    #[serde(default)]
    pub(super) established: Vec<Established>,
    /// The regular files it held open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) open: Vec<Open>,
    /// What it did not share with the recorder: `root`, `mounts`, `network`, `processes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) apart: Vec<String>,
    /// Why something of it could not be read, by `exe`, `cwd`, `environ`, `established` or `open`.
    #[serde(default)]
    pub(super) failed: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Established {
    pub(super) inode: u64,
    pub(super) remote: String,
}

/// One open file, by its descriptor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Open {
    pub(super) descriptor: i32,
    pub(super) path: String,
    #[serde(default)]
    pub(super) deleted: bool,
}

/// The processes that hold a listening socket; it is there as long as one of them is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Holders {
    pub(super) inode: u64,
    pub(super) pids: Vec<i32>,
    /// Other sockets that are bound to the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) others: Vec<Holders>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileEntry {
    /// `socket`, `folder`, `other`; a file where nothing is said.
    pub(super) kind: Option<String>,
    /// Octal, such as `0660`.
    pub(super) mode: Option<String>,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) modified: i64,
    /// The target of a symbolic link.
    pub(super) link: Option<String>,
    /// The path with every link on it resolved, where that is another one.
    pub(super) real: Option<String>,
    /// The path by which a user opens it, where that is another one.
    pub(super) shown: Option<String>,
    /// Where its content lies among the recorded files, where that is another path.
    pub(super) content: Option<String>,
    /// Bytes, where its content was not recorded whole.
    pub(super) size: Option<u64>,
    /// Its number in the file system.
    pub(super) inode: u64,
    /// The access control list, where there is one: `user::rw-,user:33:rw-,group::r--,mask::rw-,other::---`.
    pub(super) acl: Option<String>,
    /// What a program says after some words, such as `nginx/`; empty where it says nothing.
    pub(super) says: BTreeMap<String, String>,
    /// Whether only its end was recorded.
    pub(super) cut: bool,
    /// The names in a folder.
    pub(super) names: Option<Vec<String>>,
    /// Whether reading it was not permitted.
    pub(super) unreadable: bool,
    /// Why something of it could not be told, by `stat`, `read`, `list`, `real` or `tail`.
    pub(super) failed: BTreeMap<String, String>,
}

/// Sizes in bytes, and how many files there may be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct VolumeEntry {
    pub(super) bytes: u64,
    pub(super) free: u64,
    pub(super) inodes: u64,
    pub(super) free_inodes: u64,
    /// Why nothing is known of it.
    pub(super) failed: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NameEntry {
    pub(super) addresses: Vec<IpAddr>,
    /// The resolver's words, where it did not answer.
    pub(super) resolver: Option<String>,
    /// Whether it did not answer in time.
    #[serde(default)]
    pub(super) timed_out: bool,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LoginEntry {
    /// A stage's word; the login went well where nothing is said.
    pub(super) failed_at: Option<String>,
    pub(super) class: String,
    pub(super) said: String,
    /// Whether libpq may well succeed where this failed, so that nothing may be concluded.
    pub(super) unproved: bool,
    pub(super) standby: bool,
    /// Seconds since 1970 by the server's clock; the host's where nothing is said.
    pub(super) server_now: Option<i64>,
    /// How many sessions wait for a lock.
    pub(super) waiting: Option<u32>,
    /// How many connections the server takes of the role.
    pub(super) limit: Option<i64>,
    pub(super) tls: bool,
}

impl LoginEntry {
    /// What stands for a login that nobody tried.
    pub(super) fn not_recorded() -> Self {
        let said = "this login was not recorded".to_owned();
        let failed_at = Some(Stage::Name.word().to_owned());
        Self { failed_at, class: "not_recorded".to_owned(), said, unproved: true, ..Self::default() }
    }
}

/// A text as tables. Errors: what is not TOML.
pub(super) fn parse(name: &str, text: &str) -> Result<Table, InputError> {
    text.parse().map_err(|error: toml::de::Error| InputError { path: name.to_owned(), message: error.to_string() })
}

/// Lays `patch` over `table`: tables merge, anything else replaces.
pub(super) fn lay_over(table: &mut Table, patch: Table) {
    for (key, value) in patch {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => lay_over(under, over),
            (_, value) => _ = table.insert(key, value),
        }
    }
}

/// Takes away what is gone and gives what is left. Errors: what does not fit.
pub(super) fn read(name: &str, table: &mut Table) -> Result<Recording, InputError> {
    for entries in table.iter_mut().filter_map(|(_, value)| value.as_table_mut()) {
        entries.retain(|_, entry| entry.get("gone").and_then(Value::as_bool) != Some(true));
    }
    let read = table.clone().try_into();
    read.map_err(|error: toml::de::Error| InputError { path: name.to_owned(), message: error.to_string() })
}
