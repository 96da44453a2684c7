//! The processes of this machine, from `/proc`.

use std::collections::HashMap;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use procfs::ProcError;
use procfs::process::FDTarget;

use crate::host::{OpenFile, Process, ReadError, Space};

/// How much is read of a command line or an environment; the kernel allows about this much for both together.
const ARGUMENT_BYTES: u64 = 2 << 20;

/// Every process but kernel threads, by pid. One that ends meanwhile is left out.
/// Each one that is the kernel's own answer belongs to one process: `procfs` holds its folder open, and that of an ended
/// process says nothing of another with its pid. `started` gets when each started, in ticks since the boot.
pub(super) fn all(started: &mut HashMap<i32, u64>) -> Result<Vec<Process>, ReadError> {
    let found = procfs::process::all_processes().map_err(read_error)?;
    let booted = i64::try_from(procfs::boot_time_secs().map_err(read_error)?).unwrap_or(0);
    let own = Own::look();
    let mut processes: Vec<Process> = found.filter_map(|process| one(&process.ok()?, booted, &own, started)).collect();
    processes.sort_by_key(|process| process.pid);
    Ok(processes)
}

fn one(process: &procfs::process::Process, booted: i64, own: &Own, started: &mut HashMap<i32, u64>) -> Option<Process> {
    let stat = process.stat().ok()?;
    started.insert(process.pid(), stat.starttime);
    let status = process.status().ok()?;
    let cmdline = strings(process, "cmdline").ok()?;
    // Kernel threads and zombies have no command line.
    if cmdline.is_empty() {
        return None;
    }
    let since_boot = i64::try_from(stat.starttime / procfs::ticks_per_second()).ok()?;
    Some(Process {
        pid: process.pid(),
        ppid: status.ppid,
        name: status.name,
        exe: process.exe().map(lossy).map_err(read_error),
        cmdline,
        cwd: process.cwd().map(lossy).map_err(read_error),
        uid: status.euid,
        gid: status.egid,
        groups: status.groups,
        started: booted + since_boot,
        environ: environ(process),
        apart: own.apart(process.pid(), status.nspid.as_ref().map_or(1, Vec::len)),
    })
}

/// What housecall itself has, to tell who shares it.
struct Own {
    root: Option<(u64, u64)>,
    mounts: Option<PathBuf>,
    network: Option<PathBuf>,
    depth: usize,
}

impl Own {
    fn look() -> Self {
        let status = procfs::process::Process::myself().and_then(|process| process.status()).ok();
        Self {
            root: root_of("self"),
            mounts: space_of("self", "mnt"),
            network: space_of("self", "net"),
            depth: status.and_then(|status| status.nspid).map_or(1, |pids| pids.len()),
        }
    }

    /// What the process with this pid does not share. Its depth among the spaces of processes is for everybody to see, the
    /// rest for its own user; a process that is deeper down is in a container, which has files and a network of its own.
    fn apart(&self, pid: i32, depth: usize) -> Vec<Space> {
        let pid = pid.to_string();
        let is_deeper = depth > self.depth;
        let differs = |own: &Option<PathBuf>, its: Option<PathBuf>| match (own, its) {
            (Some(own), Some(its)) => *own != its,
            _ => is_deeper,
        };
        let other_root = match (self.root, root_of(&pid)) {
            (Some(own), Some(its)) => own != its,
            _ => is_deeper,
        };
        let all = [
            (Space::Root, other_root),
            (Space::Mounts, differs(&self.mounts, space_of(&pid, "mnt"))),
            (Space::Network, differs(&self.network, space_of(&pid, "net"))),
            (Space::Processes, is_deeper),
        ];
        all.into_iter().filter(|(_, is_apart)| *is_apart).map(|(space, _)| space).collect()
    }
}

/// Device and inode of what a process takes for `/`.
fn root_of(pid: &str) -> Option<(u64, u64)> {
    let root = std::fs::metadata(format!("/proc/{pid}/root/")).ok()?;
    Some((root.dev(), root.ino()))
}

fn space_of(pid: &str, kind: &str) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()
}

/// The regular files that a process holds open.
pub(super) fn open_files(pid: i32) -> Result<Vec<OpenFile>, ReadError> {
    let process = procfs::process::Process::new(pid).map_err(read_error)?;
    let descriptors = process.fd().map_err(read_error)?.flatten();
    let mut files: Vec<OpenFile> = descriptors
        .filter_map(|descriptor| {
            let FDTarget::Path(path) = descriptor.target else { return None };
            let path = path.to_str()?;
            let through = format!("/proc/{pid}/fd/{}", descriptor.fd);
            // A name may end like that as well, and be there.
            let gone = path.strip_suffix(" (deleted)").filter(|_| std::fs::symlink_metadata(path).is_err());
            let is_file = std::fs::metadata(through).is_ok_and(|metadata| metadata.is_file());
            is_file.then(|| OpenFile {
                descriptor: descriptor.fd,
                path: gone.unwrap_or(path).to_owned(),
                deleted: gone.is_some(),
            })
        })
        .collect();
    files.sort();
    Ok(files)
}

fn environ(process: &procfs::process::Process) -> Result<Vec<(String, String)>, ReadError> {
    pairs(&strings(process, "environ")?)
}

/// A title that a process gives itself is written over its environment, nginx's always is: then nothing is told by
/// what is missing, and the first piece that is left may be half a value.
fn pairs(strings: &[String]) -> Result<Vec<(String, String)>, ReadError> {
    let pair = |text: &String| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let pairs: Option<Vec<_>> = strings.iter().map(pair).collect();
    pairs.ok_or_else(overwritten)
}

fn overwritten() -> ReadError {
    ReadError::Other("the process has written its title over its environment".to_owned())
}

/// The strings of a file in which NUL ends each one.
fn strings(process: &procfs::process::Process, file: &str) -> Result<Vec<String>, ReadError> {
    let mut bytes = Vec::new();
    process.open_relative(file).map_err(read_error)?.take(ARGUMENT_BYTES).read_to_end(&mut bytes)?;
    if file == "environ" && !bytes.is_empty() && bytes.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Err(overwritten());
    }
    let pieces = bytes.split(|byte| *byte == 0).filter(|piece| !piece.is_empty());
    Ok(pieces.map(|piece| String::from_utf8_lossy(piece).into_owned()).collect())
}

fn lossy(path: std::path::PathBuf) -> String {
    path.to_string_lossy().into_owned()
}

pub(super) fn read_error(error: ProcError) -> ReadError {
    match error {
        ProcError::PermissionDenied(_) => ReadError::NoPermission,
        ProcError::NotFound(_) => ReadError::NotFound,
        ProcError::Io(error, _) => error.into(),
        other => ReadError::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn strings(of: &[&str]) -> Vec<String> {
        of.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn an_overwritten_environment_is_unknown() {
        let whole = pairs(&strings(&["A=1", "URL=postgresql://h/db?a=b"])).unwrap();
        assert_eq!(whole[1], ("URL".to_owned(), "postgresql://h/db?a=b".to_owned()));
        assert!(matches!(pairs(&strings(&["uWSGI worker 1   ", "/appdb", "B=2"])), Err(ReadError::Other(_))));
        assert_eq!(pairs(&[]), Ok(vec![]));
    }
}
