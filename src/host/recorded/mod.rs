//! A host that was recorded: `host.toml` for what a machine shows, and a folder `root/` for its files.
//!
//! Entries of `host.toml` are tables by key (`[process.812]`, `[socket."/run/thena/thena.sock"]`), so that a second
//! `host.toml` can be laid over the first: tables merge, other values replace, and `gone = true` removes an entry.

mod format;
mod healthy;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use toml::Table;

use super::postgres::{Failure, Server, Stage};
use super::{
    Connect, FileKind, Files, Host, Listener, Login, NoAddress, Process, ReadError, SocketInode, Stat, Tail, Target,
    UnixSocket, User, file, users,
};
use crate::finding::InputError;
use format::{NameEntry, Recording, lay_over, parse};

/// A recorded host.
#[derive(Debug, Clone)]
pub struct Recorded {
    table: Table,
    recording: Recording,
    files: BTreeMap<String, Arc<[u8]>>,
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
        Ok(Self { table, recording, files })
    }

    /// `pids` without those that are gone.
    fn alive(&self, pids: &[i32]) -> Vec<i32> {
        pids.iter().copied().filter(|pid| self.recording.process.contains_key(&pid.to_string())).collect()
    }

    /// `path` with every recorded link on it resolved.
    fn resolved(&self, path: &str) -> String {
        let mut path = path.to_owned();
        // As many as the kernel follows: path_resolution(7).
        for _ in 0..40 {
            let links = self.recording.file.iter().filter_map(|(from, entry)| Some((from, entry.link.as_ref()?)));
            let Some((from, target, rest)) =
                links.filter_map(|(from, target)| Some((from, target, below(&path, from)?))).next()
            else {
                break;
            };
            let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
            path = without_dots(&if target.starts_with('/') {
                format!("{target}{rest}")
            } else {
                format!("{folder}/{target}{rest}")
            });
        }
        path
    }

    fn is_folder(&self, path: &str) -> bool {
        let known = self.files.keys().chain(self.recording.file.keys()).chain(self.recording.socket.keys());
        path == "/" || known.filter_map(|known| below(known, path)).any(|rest| !rest.is_empty())
    }
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

/// What follows `folder` in `path`: empty for the same path, else with its slash.
fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    path.strip_prefix(folder.trim_end_matches('/')).filter(|rest| rest.is_empty() || rest.starts_with('/'))
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

impl Files for Recorded {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, ReadError> {
        let path = self.resolved(path);
        if self.recording.file.get(&path).is_some_and(|entry| entry.unreadable) {
            return Err(ReadError::NoPermission);
        }
        match self.files.get(&path) {
            Some(bytes) => Ok(Arc::clone(bytes)),
            None => Err(self.stat(&path).map_or_else(|error| error, |_| ReadError::NotRegular)),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let folder = self.resolved(folder);
        if !self.is_folder(&folder) {
            return Err(ReadError::NotFound);
        }
        let known = self.files.keys().chain(self.recording.file.keys());
        let names: BTreeSet<&str> =
            known.filter_map(|path| below(path, &folder)?.split('/').nth(1)).filter(|name| !name.is_empty()).collect();
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    fn stat(&self, path: &str) -> Result<Stat, ReadError> {
        let path = self.resolved(path);
        let entry = self.recording.file.get(&path);
        let bytes = self.files.get(&path);
        let kind = match entry.and_then(|entry| entry.kind.as_deref()) {
            Some("socket") => FileKind::Socket,
            Some("folder") => FileKind::Folder,
            Some("other") => FileKind::Other,
            _ if bytes.is_some() => FileKind::File,
            _ if self.is_folder(&path) => FileKind::Folder,
            _ if entry.is_some_and(|entry| entry.unreadable) => FileKind::File,
            _ => return Err(ReadError::NotFound),
        };
        let by_kind = if kind == FileKind::Folder { 0o755 } else { 0o644 };
        let entry = entry.cloned().unwrap_or_default();
        let mode = match &entry.mode {
            Some(octal) => {
                u32::from_str_radix(octal, 8).map_err(|_| ReadError::Other(format!("{octal} is no octal mode")))?
            }
            None => by_kind,
        };
        let size = bytes.map_or(0, |bytes| bytes.len() as u64);
        Ok(Stat { kind, mode, uid: entry.uid, gid: entry.gid, size, modified: entry.modified, inode: 0 })
    }

    fn real_path(&self, path: &str) -> Result<String, ReadError> {
        Ok(self.resolved(path))
    }
}

impl Host for Recorded {
    fn processes(&self) -> Result<Vec<Process>, ReadError> {
        let mut processes = Vec::new();
        for (pid, entry) in &self.recording.process {
            let pid = pid.parse().map_err(|_| ReadError::Other(format!("process.{pid}: not a process id")))?;
            let pairs = entry.environ.as_ref().map(|environ| {
                let pairs = environ.iter().filter_map(|pair| pair.split_once('='));
                pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
            });
            processes.push(Process {
                pid,
                ppid: entry.ppid,
                name: entry.name.clone(),
                exe: entry.exe.clone().ok_or(ReadError::NoPermission),
                cmdline: entry.cmdline.clone(),
                cwd: entry.cwd.clone().ok_or(ReadError::NoPermission),
                uid: entry.uid,
                gid: entry.gid,
                groups: entry.groups.clone(),
                started: entry.started,
                environ: pairs.ok_or(ReadError::NoPermission),
            });
        }
        processes.sort_by_key(|process| process.pid);
        Ok(processes)
    }

    fn listeners(&self) -> Result<Vec<Listener>, ReadError> {
        let mut listeners = Vec::new();
        for (address, holders) in &self.recording.listener {
            let bound: SocketAddr =
                address.parse().map_err(|_| ReadError::Other(format!("listener.{address}: not an address")))?;
            let pids = self.alive(&holders.pids);
            if !pids.is_empty() || holders.pids.is_empty() {
                listeners.push(Listener { address: bound.ip(), port: bound.port(), inode: holders.inode, pids });
            }
        }
        listeners.sort_by_key(|listener| (listener.address, listener.port));
        Ok(listeners)
    }

    fn unix_sockets(&self) -> Result<Vec<UnixSocket>, ReadError> {
        // One whose holders were hidden from who recorded it is there all the same.
        let held = self.recording.socket.iter().filter_map(|(path, holders)| {
            let pids = self.alive(&holders.pids);
            let is_there = !pids.is_empty() || holders.pids.is_empty();
            is_there.then(|| UnixSocket { path: path.clone(), inode: holders.inode, listening: true, pids })
        });
        Ok(held.collect())
    }

    fn established(&self, pid: i32) -> Result<Vec<SocketInode>, ReadError> {
        let process = self.recording.process.get(&pid.to_string()).ok_or(ReadError::NotFound)?;
        let sockets = process.established.iter();
        Ok(sockets.map(|socket| SocketInode { inode: socket.inode, remote: socket.remote.clone() }).collect())
    }

    fn users(&self) -> Result<Vec<User>, ReadError> {
        users::read(self)
    }

    fn now(&self) -> i64 {
        self.recording.now
    }

    fn tail(&self, path: &str) -> Result<Tail, ReadError> {
        Ok(Tail::of(&self.read(path)?, true))
    }

    fn connect_unix(&self, path: &str) -> Connect {
        if let Some(word) = self.recording.connect.get(path) {
            return Connect::from_word(word);
        }
        let real = self.resolved(path);
        if self.stat(&real).is_err() {
            return Connect::Missing;
        }
        let listens = |socket: &UnixSocket| socket.path == path || self.resolved(&socket.path) == real;
        match self.unix_sockets() {
            Ok(sockets) if sockets.iter().any(listens) => Connect::Ok,
            _ => Connect::Refused,
        }
    }

    fn connect_tcp(&self, host: &str, port: u16) -> Connect {
        if let Some(word) = self.recording.connect.get(&format!("{host}:{port}")) {
            return Connect::from_word(word);
        }
        let addresses = match self.resolve(host) {
            Ok(addresses) => addresses,
            Err(NoAddress::NoSuchName) => return Connect::Missing,
            Err(_) => return Connect::TimedOut,
        };
        let listeners = self.listeners().unwrap_or_default();
        let listens = |listener: &Listener| {
            listener.port == port && (listener.address.is_unspecified() || addresses.contains(&listener.address))
        };
        match addresses.iter().any(IpAddr::is_loopback) {
            true if listeners.iter().any(listens) => Connect::Ok,
            true => Connect::Refused,
            false => Connect::Other("this connection was not recorded".to_owned()),
        }
    }

    fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, NoAddress> {
        if let Ok(address) = host.trim_matches(['[', ']']).parse() {
            return Ok(vec![address]);
        }
        match self.recording.name.get(host) {
            Some(NameEntry { resolver: Some(words), .. }) => Err(NoAddress::NoResolver(words.clone())),
            Some(NameEntry { addresses, .. }) if addresses.is_empty() => Err(NoAddress::NoSuchName),
            Some(NameEntry { addresses, .. }) => Ok(addresses.clone()),
            None if host == "localhost" => Ok(vec![IpAddr::from([127, 0, 0, 1])]),
            None => Err(NoAddress::NoResolver("this name was not recorded".to_owned())),
        }
    }

    fn login(&self, target: &Target) -> Login {
        let keys = target.hosts.iter().map(|(host, port)| format!("{}@{host}:{port}/{}", target.user, target.dbname));
        let Some(entry) = keys.filter_map(|key| self.recording.login.get(&key)).next() else {
            let said = "this login was not recorded".to_owned();
            let failure = Failure { at: Stage::Name, class: "not_recorded".into(), said, proved: false };
            return Login { failure: Some(failure), ..Login::default() };
        };
        let failed_at = entry.failed_at.as_deref().and_then(stage);
        Login {
            failure: failed_at.map(|at| Failure {
                at,
                class: entry.class.clone().into(),
                said: entry.said.clone(),
                proved: true,
            }),
            logins: 0,
            server: failed_at.is_none().then_some(Server { standby: entry.standby, now: self.recording.now }),
            tls: entry.tls,
        }
    }
}

#[cfg(test)]
mod tests;
