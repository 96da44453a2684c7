//! The sockets of this machine and who holds them, from `/proc/net` and `/proc/PID/fd`.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::FDTarget;

use super::processes::read_error;
use crate::host::{Listener, ReadError, SocketInode, UnixSocket, file};

/// Socket inodes with the processes that hold them, as far as this user may look.
pub(super) fn holders() -> HashMap<u64, Vec<i32>> {
    let mut holders: HashMap<u64, Vec<i32>> = HashMap::new();
    let Ok(processes) = procfs::process::all_processes() else { return holders };
    for process in processes.flatten() {
        for inode in inodes(&process).unwrap_or_default() {
            holders.entry(inode).or_default().push(process.pid());
        }
    }
    holders.values_mut().for_each(|pids| pids.sort_unstable());
    holders
}

fn inodes(process: &procfs::process::Process) -> Result<BTreeSet<u64>, ReadError> {
    let descriptors = process.fd().map_err(read_error)?;
    let sockets = descriptors.flatten().filter_map(|descriptor| match descriptor.target {
        FDTarget::Socket(inode) => Some(inode),
        _ => None,
    });
    Ok(sockets.collect())
}

pub(super) fn listeners(holders: &HashMap<u64, Vec<i32>>) -> Result<Vec<Listener>, ReadError> {
    let four = procfs::net::tcp().map_err(read_error)?;
    // A kernel without IPv6 has no such table.
    let six = procfs::net::tcp6().unwrap_or_default();
    let mut listeners: Vec<Listener> = four
        .into_iter()
        .chain(six)
        .filter(|entry| entry.state == TcpState::Listen)
        .map(|entry| Listener {
            address: entry.local_address.ip(),
            port: entry.local_address.port(),
            inode: entry.inode,
            pids: holders.get(&entry.inode).cloned().unwrap_or_default(),
        })
        .collect();
    listeners.sort_by_key(|listener| (listener.address, listener.port));
    Ok(listeners)
}

/// In the network name space of the process itself, which may be a container's.
/// `started` is when the process that is meant started: another one with its pid has none of its connections.
pub(super) fn established(pid: i32, started: Option<u64>) -> Result<Vec<SocketInode>, ReadError> {
    let process = procfs::process::Process::new(pid).map_err(read_error)?;
    let is_it = |ticks: u64| process.stat().is_ok_and(|stat| stat.starttime == ticks);
    if started.is_some_and(|ticks| !is_it(ticks)) {
        return Err(ReadError::NotFound);
    }
    let held = inodes(&process)?;
    let entries: Vec<TcpNetEntry> =
        process.tcp().map_err(read_error)?.into_iter().chain(process.tcp6().unwrap_or_default()).collect();
    let mut sockets: Vec<SocketInode> = entries
        .into_iter()
        .filter(|entry| entry.state == TcpState::Established && held.contains(&entry.inode))
        .map(|entry| SocketInode { inode: entry.inode, remote: entry.remote_address.to_string() })
        .collect();
    sockets.sort();
    Ok(sockets)
}

pub(super) fn unix_sockets(holders: &HashMap<u64, Vec<i32>>) -> Result<Vec<UnixSocket>, ReadError> {
    let table = file::read(Path::new("/proc/net/unix"))?;
    let mut sockets: Vec<UnixSocket> =
        String::from_utf8_lossy(&table).lines().skip(1).filter_map(unix_socket).collect();
    for socket in &mut sockets {
        socket.pids = holders.get(&socket.inode).cloned().unwrap_or_default();
    }
    sockets.sort_by(|a, b| (&a.path, a.inode).cmp(&(&b.path, b.inode)));
    Ok(sockets)
}

/// One line of `/proc/net/unix`: `Num RefCount Protocol Flags Type St Inode Path`. The `procfs` crate drops the flags,
/// which alone tell a listening socket, and cuts a path at its first blank.
fn unix_socket(line: &str) -> Option<UnixSocket> {
    const STREAM: &str = "0001";
    // __SO_ACCEPTCON of linux/net.h
    const ACCEPTS: u32 = 1 << 16;
    let mut rest = line;
    let mut field = || {
        let (field, after) = rest.trim_start_matches(' ').split_once(' ')?;
        rest = after;
        Some(field)
    };
    let (_number, _references, _protocol) = (field()?, field()?, field()?);
    let flags = u32::from_str_radix(field()?, 16).ok()?;
    let kind = field()?;
    let _state = field()?;
    let inode = field()?.parse().ok()?;
    (kind == STREAM && !rest.is_empty()).then(|| UnixSocket {
        path: rest.to_owned(),
        inode,
        listening: flags & ACCEPTS != 0,
        pids: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_tell_a_listening_socket() {
        let listening = unix_socket("0000000000000000: 00000002 00000000 00010000 0001 01 329154 /run/a b.sock");
        let expected = UnixSocket { path: "/run/a b.sock".to_owned(), inode: 329_154, listening: true, pids: vec![] };
        assert_eq!(listening, Some(expected));
        let accepted = unix_socket("0000000000000000: 00000003 00000000 00000000 0001 03   329 /run/a.sock");
        assert_eq!(accepted.map(|socket| (socket.inode, socket.listening)), Some((329, false)));
        assert_eq!(unix_socket("0000000000000000: 00000003 00000000 00000000 0001 03 329"), None);
        assert_eq!(unix_socket("0000000000000000: 00000003 00000000 00000000 0002 01 329 /dev/log"), None);
    }
}
