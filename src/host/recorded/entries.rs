//! What was seen of processes, sockets and logins, as a recording keeps it.

use std::collections::{BTreeMap, BTreeSet};

use super::format::{Holders, LoginEntry, ProcessEntry};
use crate::host::{Login, Process, ReadError};

/// The named processes and those above them; of the rest a host has many, and nobody asks for them.
pub(super) fn keep_processes(processes: &mut BTreeMap<String, ProcessEntry>, keep: &[i32]) {
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

/// What is known of a process.
pub(super) fn entry_of(process: &Process) -> ProcessEntry {
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
        open: Vec::new(),
        apart: process.apart.iter().map(|space| space.word().to_owned()).collect(),
        failed,
    }
}

/// The sockets of each name.
pub(super) fn holders_by_name(sockets: impl Iterator<Item = (String, u64, Vec<i32>)>) -> BTreeMap<String, Holders> {
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

/// What a login showed.
pub(super) fn login_entry(login: &Login) -> LoginEntry {
    let failure = login.failure.as_ref();
    LoginEntry {
        failed_at: failure.map(|failure| failure.at.word().to_owned()),
        class: failure.map(|failure| failure.class.to_string()).unwrap_or_default(),
        said: failure.map(|failure| failure.said.clone()).unwrap_or_default(),
        unproved: failure.is_some_and(|failure| !failure.proved),
        standby: login.server.as_ref().is_some_and(|server| server.standby),
        server_now: login.server.as_ref().map(|server| server.now),
        waiting: login.server.as_ref().and_then(|server| server.waiting),
        limit: login.server.as_ref().and_then(|server| server.limit),
        tls: login.tls,
    }
}
