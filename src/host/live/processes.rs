//! The processes of this machine, from `/proc`.

use std::collections::HashMap;
use std::io::Read;

use procfs::ProcError;

use crate::host::{Process, ReadError};

/// How much is read of a command line or an environment; the kernel allows about this much for both together.
const ARGUMENT_BYTES: u64 = 2 << 20;

/// Every process but kernel threads, by pid. One that ends meanwhile is left out.
/// Each one that is the kernel's own answer belongs to one process: `procfs` holds its folder open, and that of an ended
/// process says nothing of another with its pid. `started` gets when each started, in ticks since the boot.
pub(super) fn all(started: &mut HashMap<i32, u64>) -> Result<Vec<Process>, ReadError> {
    let found = procfs::process::all_processes().map_err(read_error)?;
    let booted = i64::try_from(procfs::boot_time_secs().map_err(read_error)?).unwrap_or(0);
    let mut processes: Vec<Process> = found.filter_map(|process| one(&process.ok()?, booted, started)).collect();
    processes.sort_by_key(|process| process.pid);
    Ok(processes)
}

fn one(process: &procfs::process::Process, booted: i64, started: &mut HashMap<i32, u64>) -> Option<Process> {
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
    })
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
