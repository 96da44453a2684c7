//! Looking at a host and remembering every answer, so that the same questions get the same answers later and elsewhere.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use toml::Table;

use super::Recorded;
use super::archive::is_plain;
use super::entries::{entry_of, holders_by_name, keep_processes, login_entry};
use super::format::{Asked, Established, FileEntry, LoginEntry, NameEntry, Open, ProcessEntry, Recording, VolumeEntry};
use super::redact::without_secrets;
use crate::finding::InputError;
use crate::host::{
    Acl, Connect, FileKind, Files, Host, Listener, Login, NoAddress, OpenFile, Process, ReadError, SocketInode, Stat,
    Tail, Target, UnixSocket, User, Vitals, Volume, users,
};

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

        let redacted = without_secrets(&mut table, &recording, &files, values);
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

    fn about_process<T>(
        &self,
        pid: i32,
        question: &str,
        answer: Result<T, ReadError>,
        take: impl FnOnce(&mut ProcessEntry, &T),
    ) -> Result<T, ReadError> {
        self.note(|answers| {
            let Some(process) = answers.recording.process.get_mut(&pid.to_string()) else { return };
            match &answer {
                Ok(answer) => take(process, answer),
                Err(error) => _ = process.failed.insert(question.to_owned(), error.word().to_owned()),
            }
        });
        answer
    }

    fn connected(&self, to: String, seen: Connect) -> Connect {
        self.note(|answers| _ = answers.recording.connect.insert(to, seen.word().to_owned()));
        seen
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

    fn acl(&self, path: &str) -> Result<Option<Acl>, ReadError> {
        self.about(path, "acl", self.host.acl(path), |entry, list| entry.acl = list.as_ref().map(Acl::to_string))
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
            recording.listener = holders_by_name(listeners.iter().map(|one| (key(one), one.inode, one.pids.clone())));
        })
    }

    fn unix_sockets(&self) -> Result<Vec<UnixSocket>, ReadError> {
        self.whole("sockets", self.host.unix_sockets(), |recording, sockets| {
            let listening = sockets.iter().filter(|socket| socket.listening);
            recording.socket = holders_by_name(listening.map(|one| (one.path.clone(), one.inode, one.pids.clone())));
        })
    }

    fn established(&self, pid: i32) -> Result<Vec<SocketInode>, ReadError> {
        self.about_process(pid, "established", self.host.established(pid), |process, sockets| {
            let entry = |socket: &SocketInode| Established { inode: socket.inode, remote: socket.remote.clone() };
            process.established = sockets.iter().map(entry).collect();
        })
    }

    fn open_files(&self, pid: i32) -> Result<Vec<OpenFile>, ReadError> {
        self.about_process(pid, "open", self.host.open_files(pid), |process, files| {
            let entry = |file: &OpenFile| {
                let OpenFile { descriptor, path, deleted } = file.clone();
                Open { descriptor, path, deleted }
            };
            process.open = files.iter().map(entry).collect();
        })
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

    fn said_by(&self, program: &str, words: &str) -> Result<Option<String>, ReadError> {
        self.about(program, "says", self.host.said_by(program, words), |entry, said| {
            entry.says.insert(words.to_owned(), said.clone().unwrap_or_default());
        })
    }

    fn vitals(&self) -> Result<Vitals, ReadError> {
        let answer = self.host.vitals();
        self.note(|answers| match &answer {
            Ok(seen) => answers.recording.vitals = Some(*seen),
            Err(error) => _ = answers.recording.failed.insert("vitals".to_owned(), error.word().to_owned()),
        });
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
            // Asked twice, and answered otherwise: which of the two holds nobody can tell.
            Some(known) if *known != entry => *known = LoginEntry::not_recorded(),
            Some(_) => {}
            None => _ = answers.recording.login.insert(key, entry),
        });
        login
    }
}
