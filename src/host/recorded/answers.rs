//! What a recorded host answers: as the live one did, and where that was not asked, that it is not known.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::format::{FileEntry, Holders, LoginEntry, NameEntry, VolumeEntry};
use super::{Recorded, login_keys, stage};
use crate::host::postgres::{Failure, Server};
use crate::host::{
    Acl, Connect, FileKind, Files, Host, Listener, Login, NoAddress, OpenFile, Process, ReadError, SocketInode, Space,
    Stat, Tail, Target, UnixSocket, User, Vitals, Volume, users,
};

impl Recorded {
    /// Why a question about a path has no answer; `None` where the rest of the recording decides.
    fn unanswered(&self, path: &str, question: &str) -> Option<ReadError> {
        let word = self.recording.file.get(path).and_then(|entry| entry.failed.get(question));
        word.map(|word| ReadError::from_word(word))
    }

    fn content(&self, path: &str) -> Option<&Arc<[u8]>> {
        let elsewhere = self.recording.file.get(path).and_then(|entry| entry.content.as_deref());
        self.files.get(elsewhere.unwrap_or(path))
    }

    /// What was not looked at is not absent.
    fn not_recorded(&self) -> ReadError {
        match self.asked() {
            Some(_) => ReadError::Other("this was not recorded".to_owned()),
            None => ReadError::NotFound,
        }
    }

    /// The sockets that somebody still holds. One whose holders were hidden from who recorded it is there all the same.
    fn held<'h>(&'h self, holders: &'h Holders) -> impl Iterator<Item = (u64, Vec<i32>)> + 'h {
        let all = std::iter::once(holders).chain(&holders.others);
        let alive = all.map(|one| (one.inode, self.alive(&one.pids), one.pids.is_empty()));
        alive.filter(|(_, pids, hidden)| *hidden || !pids.is_empty()).map(|(inode, pids, _)| (inode, pids))
    }

    fn table_failed(&self, table: &str) -> Result<(), ReadError> {
        self.recording.failed.get(table).map_or(Ok(()), |word| Err(ReadError::from_word(word)))
    }
}

impl Files for Recorded {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, ReadError> {
        let path = self.resolved(path);
        let entry = self.recording.file.get(&path);
        if entry.is_some_and(|entry| entry.unreadable) {
            return Err(ReadError::NoPermission);
        }
        if let Some(error) = self.unanswered(&path, "read") {
            return Err(error);
        }
        match self.content(&path) {
            Some(_) if entry.is_some_and(|entry| entry.cut) => Err(ReadError::TooLarge),
            Some(bytes) => Ok(Arc::clone(bytes)),
            None if self.asked().is_some() => Err(self.not_recorded()),
            None => Err(self.stat(&path).map_or_else(|error| error, |_| ReadError::NotRegular)),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let folder = self.resolved(folder);
        if let Some(error) = self.unanswered(&folder, "list") {
            return Err(error);
        }
        match self.recording.file.get(&folder).and_then(|entry| entry.names.as_ref()) {
            Some(names) => return Ok(names.clone()),
            None if self.asked().is_some() => return Err(self.not_recorded()),
            None if !self.is_folder(&folder) => return Err(ReadError::NotFound),
            None => {}
        }
        let names: BTreeSet<&str> = self.names_below(&folder).collect();
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    fn stat(&self, path: &str) -> Result<Stat, ReadError> {
        let path = self.resolved(path);
        if let Some(error) = self.unanswered(&path, "stat") {
            return Err(error);
        }
        let entry = self.recording.file.get(&path);
        let bytes = self.content(&path);
        let kind = match entry.and_then(|entry| entry.kind.as_deref()) {
            Some("file") => FileKind::File,
            Some("socket") => FileKind::Socket,
            Some("folder") => FileKind::Folder,
            Some("other") => FileKind::Other,
            _ if self.asked().is_some() => return Err(self.not_recorded()),
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
        let size = entry.size.unwrap_or_else(|| bytes.map_or(0, |bytes| bytes.len() as u64));
        let FileEntry { uid, gid, modified, inode, .. } = entry;
        Ok(Stat { kind, mode, uid, gid, size, modified, inode })
    }

    fn real_path(&self, path: &str) -> Result<String, ReadError> {
        if let Some(error) = self.unanswered(path, "real") {
            return Err(error);
        }
        let recorded = self.recording.file.get(path).and_then(|entry| entry.real.clone());
        Ok(recorded.unwrap_or_else(|| self.resolved(path)))
    }

    fn shown(&self, path: &str) -> String {
        let shown = self.recording.file.get(path).and_then(|entry| entry.shown.as_ref());
        shown.map_or_else(|| path.to_owned(), Clone::clone)
    }

    fn acl(&self, path: &str) -> Result<Option<Acl>, ReadError> {
        let path = self.resolved(path);
        if let Some(error) = self.unanswered(&path, "acl") {
            return Err(error);
        }
        let Some(list) = self.recording.file.get(&path).and_then(|entry| entry.acl.as_ref()) else { return Ok(None) };
        Acl::parse(list).map(Some).ok_or_else(|| ReadError::Other(format!("{list} is no access control list")))
    }
}

impl Host for Recorded {
    fn processes(&self) -> Result<Vec<Process>, ReadError> {
        self.table_failed("processes")?;
        let mut processes = Vec::new();
        for (pid, entry) in &self.recording.process {
            let pid = pid.parse().map_err(|_| ReadError::Other(format!("process.{pid}: not a process id")))?;
            let pairs = entry.environ.as_ref().map(|environ| {
                let pairs = environ.iter().filter_map(|pair| pair.split_once('='));
                pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
            });
            let hidden = |what: &str| match entry.failed.get(what) {
                Some(word) => ReadError::from_word(word),
                None => ReadError::NoPermission,
            };
            processes.push(Process {
                pid,
                ppid: entry.ppid,
                name: entry.name.clone(),
                exe: entry.exe.clone().ok_or_else(|| hidden("exe")),
                cmdline: entry.cmdline.clone(),
                cwd: entry.cwd.clone().ok_or_else(|| hidden("cwd")),
                uid: entry.uid,
                gid: entry.gid,
                groups: entry.groups.clone(),
                started: entry.started,
                environ: pairs.ok_or_else(|| hidden("environ")),
                apart: entry.apart.iter().filter_map(|word| Space::from_word(word)).collect(),
            });
        }
        processes.sort_by_key(|process| process.pid);
        Ok(processes)
    }

    fn listeners(&self) -> Result<Vec<Listener>, ReadError> {
        self.table_failed("listeners")?;
        let mut listeners = Vec::new();
        for (address, holders) in &self.recording.listener {
            let bound: SocketAddr =
                address.parse().map_err(|_| ReadError::Other(format!("listener.{address}: not an address")))?;
            let (address, port) = (bound.ip(), bound.port());
            let listener = |(inode, pids)| Listener { address, port, inode, pids };
            listeners.extend(self.held(holders).map(listener));
        }
        listeners.sort_by_key(|listener| (listener.address, listener.port));
        Ok(listeners)
    }

    fn unix_sockets(&self) -> Result<Vec<UnixSocket>, ReadError> {
        self.table_failed("sockets")?;
        let sockets = self.recording.socket.iter().flat_map(|(path, holders)| {
            let socket = |(inode, pids)| UnixSocket { path: path.clone(), inode, listening: true, pids };
            self.held(holders).map(socket)
        });
        Ok(sockets.collect())
    }

    fn established(&self, pid: i32) -> Result<Vec<SocketInode>, ReadError> {
        let process = self.recording.process.get(&pid.to_string()).ok_or(ReadError::NotFound)?;
        if let Some(word) = process.failed.get("established") {
            return Err(ReadError::from_word(word));
        }
        let sockets = process.established.iter();
        Ok(sockets.map(|socket| SocketInode { inode: socket.inode, remote: socket.remote.clone() }).collect())
    }

    fn open_files(&self, pid: i32) -> Result<Vec<OpenFile>, ReadError> {
        let process = self.recording.process.get(&pid.to_string()).ok_or(ReadError::NotFound)?;
        if let Some(word) = process.failed.get("open") {
            return Err(ReadError::from_word(word));
        }
        let files = process.open.iter();
        Ok(files
            .map(|file| OpenFile { descriptor: file.descriptor, path: file.path.clone(), deleted: file.deleted })
            .collect())
    }

    fn users(&self) -> Result<Vec<User>, ReadError> {
        users::read(self)
    }

    fn now(&self) -> i64 {
        self.recording.now
    }

    fn tail(&self, path: &str) -> Result<Tail, ReadError> {
        let path = self.resolved(path);
        if let Some(error) = self.unanswered(&path, "tail") {
            return Err(error);
        }
        match (self.recording.file.get(&path), self.content(&path)) {
            (Some(entry), Some(bytes)) if entry.cut => Ok(Tail { bytes: bytes.to_vec(), cut: true }),
            _ => Ok(Tail::of(&self.read(&path)?, true)),
        }
    }

    fn said_by(&self, program: &str, words: &str) -> Result<Option<String>, ReadError> {
        let program = self.resolved(program);
        if let Some(error) = self.unanswered(&program, "says") {
            return Err(error);
        }
        let said = self.recording.file.get(&program).and_then(|entry| entry.says.get(words));
        said.ok_or_else(|| self.not_recorded()).map(|said| (!said.is_empty()).then(|| said.clone()))
    }

    fn vitals(&self) -> Result<Vitals, ReadError> {
        self.table_failed("vitals")?;
        self.recording.vitals.ok_or_else(|| self.not_recorded())
    }

    fn volume(&self, path: &str) -> Result<Volume, ReadError> {
        let above = path.match_indices('/').map(|(at, _)| if at == 0 { "/" } else { &path[..at] });
        let known = above.chain([path]).filter_map(|folder| self.recording.volume.get(folder)).next_back();
        match known {
            Some(VolumeEntry { failed: Some(word), .. }) => Err(ReadError::from_word(word)),
            Some(VolumeEntry { bytes, free, inodes, free_inodes, .. }) => {
                Ok(Volume { bytes: *bytes, free: *free, inodes: *inodes, free_inodes: *free_inodes })
            }
            None => Err(self.not_recorded()),
        }
    }

    fn connect_unix(&self, path: &str) -> Connect {
        if let Some(word) = self.recording.connect.get(path) {
            return Connect::from_word(word);
        }
        if self.asked().is_some() {
            return Connect::Other("this connection was not recorded".to_owned());
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
        if self.asked().is_some() {
            return Connect::Other("this connection was not recorded".to_owned());
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
            Some(NameEntry { timed_out: true, .. }) => Err(NoAddress::TimedOut),
            Some(NameEntry { resolver: Some(words), .. }) => Err(NoAddress::NoResolver(words.clone())),
            Some(NameEntry { addresses, .. }) if addresses.is_empty() => Err(NoAddress::NoSuchName),
            Some(NameEntry { addresses, .. }) => Ok(addresses.clone()),
            None if host == "localhost" && self.asked().is_none() => Ok(vec![IpAddr::from([127, 0, 0, 1])]),
            None => Err(NoAddress::NoResolver("this name was not recorded".to_owned())),
        }
    }

    fn login(&self, target: &Target) -> Login {
        let recorded = login_keys(target).find_map(|key| self.recording.login.get(&key)).cloned();
        let entry = recorded.unwrap_or_else(LoginEntry::not_recorded);
        let failed_at = entry.failed_at.as_deref().and_then(stage);
        Login {
            failure: failed_at.map(|at| Failure {
                at,
                class: entry.class.clone().into(),
                said: entry.said.clone(),
                proved: !entry.unproved,
            }),
            logins: 0,
            server: failed_at.is_none().then(|| Server {
                standby: entry.standby,
                now: entry.server_now.unwrap_or(self.recording.now),
                waiting: entry.waiting,
                limit: entry.limit,
            }),
            tls: entry.tls,
        }
    }
}
