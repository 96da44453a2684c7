//! Looking at a host and remembering every answer, so that the same questions get the same answers later and elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use toml::{Table, Value};

use super::Recorded;
use super::archive::is_plain;
use super::format::{
    Asked, Established, FileEntry, Holders, LoginEntry, NameEntry, ProcessEntry, Recording, VolumeEntry,
};
use crate::finding::InputError;
use crate::host::{
    Connect, FileKind, Files, Host, Listener, Login, NoAddress, Process, ReadError, SocketInode, Stat, Tail, Target,
    UnixSocket, User, Volume, users,
};
use crate::secret::{Secrets, StandIns, is_open, is_telling};
use crate::source::{SUBSTITUTE, text_of_equal_length};

/// A host that is being recorded.
pub struct Recorder<'h> {
    host: &'h dyn Host,
    answers: Mutex<Answers>,
}

#[derive(Debug, Default)]
struct Answers {
    recording: Recording,
    files: BTreeMap<String, Arc<[u8]>>,
}

/// How much of all files together is kept; the largest are left out first.
const ALL_FILES: usize = 64 << 20;

impl<'h> Recorder<'h> {
    /// Asks `host`.
    pub fn new(host: &'h dyn Host) -> Self {
        let answers = Mutex::new(Answers::default());
        answers.lock().unwrap_or_else(PoisonError::into_inner).recording.now = host.now();
        Self { host, answers }
    }

    /// What was asked and answered, of processes only those in `keep` with those above them. Every secret has a stand-in
    /// of its own shape, `values` among them. Errors: none, as long as what was seen can be written.
    pub fn finish(self, asked: Asked, keep: &[i32], values: &[String]) -> Result<Recorded, InputError> {
        let Answers { mut recording, mut files } = self.answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        let uid = rustix::process::geteuid().as_raw();
        recording.recorded = Some(Asked { version: env!("CARGO_PKG_VERSION").to_owned(), uid, ..asked });
        keep_processes(&mut recording.process, keep);
        leave_out_the_largest(&mut files, &mut recording.file);
        let error = |message: String| InputError { path: "the recording".to_owned(), message };
        let mut table = Table::try_from(&recording).map_err(|failure| error(failure.to_string()))?;

        let environs = recording.process.values().filter_map(|process| process.environ.as_ref()).flatten();
        let given: Vec<(&str, &str)> = environs.filter_map(|pair| pair.split_once('=')).collect();
        let telling = given.iter().filter(|(name, value)| !is_open(name, value) && is_telling(value));
        let hidden: Vec<&str> = telling
            .map(|(_, value)| *value)
            .chain(values.iter().map(String::as_str))
            // A name of the host itself: without it no path would lead anywhere.
            .filter(|value| !recording.file.keys().any(|path| path.contains(value)))
            .collect();
        let texts: BTreeMap<&String, Arc<str>> =
            files.iter().map(|(path, bytes)| (path, text_of_equal_length(bytes))).collect();
        let mut strings = Vec::new();
        collect(&table, &mut strings);
        let confided: Vec<String> = given.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let all = strings.iter().map(String::as_str).chain(texts.values().map(AsRef::as_ref));
        let secrets = Secrets::harvest_with(all.chain(confided.iter().map(String::as_str)), hidden);

        let mut stand_ins = StandIns::default();
        hide_values(&mut table, &mut stand_ins);
        redact(&mut table, &secrets, &mut stand_ins);
        let redacted: BTreeMap<String, Arc<[u8]>> = texts
            .into_iter()
            .map(|(path, text)| (path.clone(), redacted_bytes(&text, &files[path], &secrets, &mut stand_ins)))
            .collect();
        Recorded::new("the recording", table, redacted)
    }

    fn note(&self, take: impl FnOnce(&mut Answers)) {
        take(&mut self.answers.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A path that goes by `..` or from the working directory cannot name a file of a recording.
    fn keep(&self, path: &str, bytes: Arc<[u8]>) {
        self.note(|answers| {
            let mut kept_at = path.to_owned();
            if !is_plain(path) {
                kept_at = format!("/elsewhere/{}", path.replace(['/', '.'], "_"));
                answers.recording.file.entry(path.to_owned()).or_default().content = Some(kept_at.clone());
            }
            answers.files.insert(kept_at, bytes);
        });
    }

    /// Keeps what `take` makes of an answer about a path, or why there is none.
    fn about<T>(
        &self,
        path: &str,
        question: &str,
        answer: Result<T, ReadError>,
        take: impl FnOnce(&mut FileEntry, &T),
    ) -> Result<T, ReadError> {
        self.note(|answers| {
            let entry = answers.recording.file.entry(path.to_owned()).or_default();
            match &answer {
                Ok(answer) => take(entry, answer),
                Err(error) => _ = entry.failed.insert(question.to_owned(), error.word().to_owned()),
            }
        });
        answer
    }

    fn whole<T>(
        &self,
        table: &str,
        answer: Result<Vec<T>, ReadError>,
        take: impl FnOnce(&mut Recording, &[T]),
    ) -> Result<Vec<T>, ReadError> {
        self.note(|answers| match &answer {
            Ok(rows) => take(&mut answers.recording, rows),
            Err(error) => _ = answers.recording.failed.insert(table.to_owned(), error.word().to_owned()),
        });
        answer
    }

    fn connected(&self, to: String, seen: Connect) -> Connect {
        self.note(|answers| _ = answers.recording.connect.insert(to, seen.word().to_owned()));
        seen
    }
}

/// The named processes and those above them; of the rest a host has many, and nobody asks for them.
fn keep_processes(processes: &mut BTreeMap<String, ProcessEntry>, keep: &[i32]) {
    let mut kept = BTreeSet::new();
    let mut pending: Vec<i32> = keep.to_vec();
    while let Some(pid) = pending.pop() {
        if kept.insert(pid.to_string()) {
            pending.extend(processes.get(&pid.to_string()).map(|process| process.ppid));
        }
    }
    let named: BTreeSet<String> = keep.iter().map(i32::to_string).collect();
    processes.retain(|pid, _| kept.contains(pid));
    for process in processes.iter_mut().filter(|(pid, _)| !named.contains(*pid)).map(|(_, process)| process) {
        process.environ = None;
        process.cmdline.truncate(1);
    }
}

fn leave_out_the_largest(files: &mut BTreeMap<String, Arc<[u8]>>, entries: &mut BTreeMap<String, FileEntry>) {
    let mut sizes: Vec<(usize, String)> = files.iter().map(|(path, bytes)| (bytes.len(), path.clone())).collect();
    sizes.sort();
    let mut sum = 0;
    for (size, path) in sizes {
        sum += size;
        if sum > ALL_FILES {
            files.remove(&path);
            let failed = &mut entries.entry(path).or_default().failed;
            let words = "left out: all files together were too large for a recording";
            failed.extend(["read", "tail"].map(|question| (question.to_owned(), words.to_owned())));
        }
    }
}

/// Every key and every string of a table.
fn collect(table: &Table, into: &mut Vec<String>) {
    fn of_value(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(text) => into.push(text.clone()),
            Value::Array(values) => values.iter().for_each(|value| of_value(value, into)),
            Value::Table(table) => collect(table, into),
            _ => {}
        }
    }
    for (key, value) in table {
        into.push(key.clone());
        of_value(value, into);
    }
}

/// A value of an environment stays only where it may.
fn hide_values(table: &mut Table, stand_ins: &mut StandIns) {
    let processes = table.get_mut("process").and_then(Value::as_table_mut).into_iter().flat_map(Table::iter_mut);
    let environs = processes.filter_map(|(_, process)| process.get_mut("environ")?.as_array_mut());
    for pair in environs.flatten() {
        let Some((name, value)) = pair.as_str().and_then(|pair| pair.split_once('=')) else { continue };
        if !is_open(name, value) {
            *pair = Value::String(format!("{name}={}", stand_ins.of(value)));
        }
    }
}

fn redact(table: &mut Table, secrets: &Secrets, stand_ins: &mut StandIns) {
    fn of_value(value: &mut Value, secrets: &Secrets, stand_ins: &mut StandIns) {
        match value {
            Value::String(text) => *text = secrets.redact(text, stand_ins).into_owned(),
            Value::Array(values) => values.iter_mut().for_each(|value| of_value(value, secrets, stand_ins)),
            Value::Table(table) => redact(table, secrets, stand_ins),
            _ => {}
        }
    }
    for (key, mut value) in std::mem::take(table) {
        of_value(&mut value, secrets, stand_ins);
        table.insert(secrets.redact(&key, stand_ins).into_owned(), value);
    }
}

/// Bytes that are no text stay as they are; everything keeps its place.
fn redacted_bytes(text: &str, bytes: &[u8], secrets: &Secrets, stand_ins: &mut StandIns) -> Arc<[u8]> {
    let redacted = secrets.redact(text, stand_ins);
    let kept = redacted.bytes().zip(bytes).map(|(shown, byte)| if shown == SUBSTITUTE as u8 { *byte } else { shown });
    kept.collect()
}

impl Files for Recorder<'_> {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, ReadError> {
        let answer = self.about(path, "read", self.host.read(path), |_, _| {});
        if let Ok(bytes) = &answer {
            self.keep(path, Arc::clone(bytes));
        }
        answer
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        self.about(folder, "list", self.host.list(folder), |entry, names| entry.names = Some(names.clone()))
    }

    fn stat(&self, path: &str) -> Result<Stat, ReadError> {
        self.about(path, "stat", self.host.stat(path), |entry, stat| {
            let kind = match stat.kind {
                FileKind::File => "file",
                FileKind::Folder => "folder",
                FileKind::Socket => "socket",
                FileKind::Other => "other",
            };
            entry.kind = Some(kind.to_owned());
            entry.mode = Some(format!("{:04o}", stat.mode));
            (entry.uid, entry.gid) = (stat.uid, stat.gid);
            (entry.size, entry.modified, entry.inode) = (Some(stat.size), stat.modified, stat.inode);
        })
    }

    fn real_path(&self, path: &str) -> Result<String, ReadError> {
        let differs = |real: &String| (real != path).then(|| real.clone());
        self.about(path, "real", self.host.real_path(path), |entry, real| entry.real = differs(real))
    }

    fn shown(&self, path: &str) -> String {
        let shown = self.host.shown(path);
        if shown != path {
            self.note(|answers| {
                answers.recording.file.entry(path.to_owned()).or_default().shown = Some(shown.clone());
            });
        }
        shown
    }

    fn has_acl(&self, path: &str) -> bool {
        let has_acl = self.host.has_acl(path);
        if has_acl {
            self.note(|answers| answers.recording.file.entry(path.to_owned()).or_default().acl = true);
        }
        has_acl
    }
}

impl Host for Recorder<'_> {
    fn processes(&self) -> Result<Vec<Process>, ReadError> {
        self.whole("processes", self.host.processes(), |recording, processes| {
            recording.process = processes.iter().map(|process| (process.pid.to_string(), entry_of(process))).collect();
        })
    }

    fn listeners(&self) -> Result<Vec<Listener>, ReadError> {
        self.whole("listeners", self.host.listeners(), |recording, listeners| {
            let key = |listener: &Listener| std::net::SocketAddr::from((listener.address, listener.port)).to_string();
            recording.listener = by_name(listeners.iter().map(|one| (key(one), one.inode, one.pids.clone())));
        })
    }

    fn unix_sockets(&self) -> Result<Vec<UnixSocket>, ReadError> {
        self.whole("sockets", self.host.unix_sockets(), |recording, sockets| {
            let listening = sockets.iter().filter(|socket| socket.listening);
            recording.socket = by_name(listening.map(|one| (one.path.clone(), one.inode, one.pids.clone())));
        })
    }

    fn established(&self, pid: i32) -> Result<Vec<SocketInode>, ReadError> {
        let answer = self.host.established(pid);
        self.note(|answers| {
            let Some(process) = answers.recording.process.get_mut(&pid.to_string()) else { return };
            match &answer {
                Ok(sockets) => {
                    let entry =
                        |socket: &SocketInode| Established { inode: socket.inode, remote: socket.remote.clone() };
                    process.established = sockets.iter().map(entry).collect();
                }
                Err(error) => _ = process.failed.insert("established".to_owned(), error.word().to_owned()),
            }
        });
        answer
    }

    fn users(&self) -> Result<Vec<User>, ReadError> {
        users::read(self)
    }

    fn now(&self) -> i64 {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).recording.now
    }

    fn tail(&self, path: &str) -> Result<Tail, ReadError> {
        let answer = self.about(path, "tail", self.host.tail(path), |entry, tail| entry.cut = tail.cut);
        if let Ok(tail) = &answer {
            self.keep(path, tail.bytes.as_slice().into());
        }
        answer
    }

    fn volume(&self, path: &str) -> Result<Volume, ReadError> {
        let answer = self.host.volume(path);
        let entry = match &answer {
            Ok(Volume { bytes, free, inodes, free_inodes }) => {
                VolumeEntry { bytes: *bytes, free: *free, inodes: *inodes, free_inodes: *free_inodes, failed: None }
            }
            Err(error) => VolumeEntry { failed: Some(error.word().to_owned()), ..VolumeEntry::default() },
        };
        self.note(|answers| _ = answers.recording.volume.insert(path.to_owned(), entry));
        answer
    }

    fn connect_unix(&self, path: &str) -> Connect {
        self.connected(path.to_owned(), self.host.connect_unix(path))
    }

    fn connect_tcp(&self, host: &str, port: u16) -> Connect {
        self.connected(format!("{host}:{port}"), self.host.connect_tcp(host, port))
    }

    fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, NoAddress> {
        let answer = self.host.resolve(host);
        let entry = match &answer {
            Ok(addresses) => NameEntry { addresses: addresses.clone(), ..NameEntry::default() },
            Err(NoAddress::NoSuchName) => NameEntry::default(),
            Err(NoAddress::NoResolver(words)) => NameEntry { resolver: Some(words.clone()), ..NameEntry::default() },
            Err(NoAddress::TimedOut) => NameEntry { timed_out: true, ..NameEntry::default() },
        };
        self.note(|answers| _ = answers.recording.name.insert(host.to_owned(), entry));
        answer
    }

    fn login(&self, target: &Target) -> Login {
        let login = self.host.login(target);
        let entry = login_entry(&login);
        let Some(key) = super::login_keys(target).next() else { return login };
        self.note(|answers| match answers.recording.login.get_mut(&key) {
            // Two passwords of one role: a recording knows neither, so it cannot tell which of them is asked about.
            Some(known) if *known != entry => *known = LoginEntry::not_recorded(),
            Some(_) => {}
            None => _ = answers.recording.login.insert(key, entry),
        });
        login
    }
}

fn entry_of(process: &Process) -> ProcessEntry {
    let mut failed = BTreeMap::new();
    let mut kept = |what: &str, answer: &Result<String, ReadError>| match answer {
        Ok(path) => Some(path.clone()),
        Err(error) => {
            failed.insert(what.to_owned(), error.word().to_owned());
            None
        }
    };
    let (exe, cwd) = (kept("exe", &process.exe), kept("cwd", &process.cwd));
    let environ = match &process.environ {
        Ok(pairs) => Some(pairs.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        Err(error) => {
            failed.insert("environ".to_owned(), error.word().to_owned());
            None
        }
    };
    ProcessEntry {
        ppid: process.ppid,
        name: process.name.clone(),
        exe,
        cmdline: process.cmdline.clone(),
        cwd,
        uid: process.uid,
        gid: process.gid,
        groups: process.groups.clone(),
        started: process.started,
        environ,
        established: Vec::new(),
        failed,
    }
}

fn by_name(sockets: impl Iterator<Item = (String, u64, Vec<i32>)>) -> BTreeMap<String, Holders> {
    let mut all: BTreeMap<String, Holders> = BTreeMap::new();
    for (name, inode, pids) in sockets {
        let holders = Holders { inode, pids, others: Vec::new() };
        match all.get_mut(&name) {
            Some(first) => first.others.push(holders),
            None => _ = all.insert(name, holders),
        }
    }
    all
}

fn login_entry(login: &Login) -> LoginEntry {
    let failure = login.failure.as_ref();
    LoginEntry {
        failed_at: failure.map(|failure| failure.at.word().to_owned()),
        class: failure.map(|failure| failure.class.to_string()).unwrap_or_default(),
        said: failure.map(|failure| failure.said.clone()).unwrap_or_default(),
        unproved: failure.is_some_and(|failure| !failure.proved),
        standby: login.server.as_ref().is_some_and(|server| server.standby),
        server_now: login.server.as_ref().map(|server| server.now),
        waiting: login.server.as_ref().and_then(|server| server.waiting),
        tls: login.tls,
    }
}
