//! Connecting and closing without sending a byte, and asking the name service; each within its deadline.

use std::io::ErrorKind;
use std::net::{IpAddr, TcpStream, ToSocketAddrs};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::deadline::Deadline;
use super::{Access, Host, Identity, ReadError};

/// What happened on connecting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connect {
    /// It was accepted.
    Ok,
    /// There is no such socket file (`ENOENT`), or no such name.
    Missing,
    /// Nobody listens (`ECONNREFUSED`).
    Refused,
    /// This user may not (`EACCES`).
    Denied,
    /// No answer within the deadline.
    TimedOut,
    /// Nobody takes connections as fast as they come: the listen queue is full (`EAGAIN`).
    Full,
    /// What this user may not find out, and root may.
    Hidden(String),
    /// Anything else, in the system's words.
    Other(String),
}

impl Connect {
    /// The word that facts and rule pages use.
    pub fn word(&self) -> &str {
        match self {
            Connect::Ok => "ok",
            Connect::Missing => "missing",
            Connect::Refused => "refused",
            Connect::Denied => "denied",
            Connect::TimedOut => "timed out",
            Connect::Full => "full",
            Connect::Hidden(words) | Connect::Other(words) => words,
        }
    }

    /// The reading of [`Connect::word`].
    pub fn from_word(word: &str) -> Self {
        match word {
            "ok" => Connect::Ok,
            "missing" => Connect::Missing,
            "refused" => Connect::Refused,
            "denied" => Connect::Denied,
            "timed out" => Connect::TimedOut,
            "full" => Connect::Full,
            other => Connect::Other(other.to_owned()),
        }
    }
}

/// Why a name has no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAddress {
    /// The name service answered: there is no such name.
    NoSuchName,
    /// The name service did not answer: the resolver is broken, not the name.
    NoResolver(String),
    /// No answer within the deadline.
    TimedOut,
}

/// What happens when `who`, such as nginx's worker, connects to a unix socket: the permission bits are worked out, for
/// housecall may be somebody else; the rest is tried.
pub fn unix_as(host: &(impl Host + ?Sized), path: &str, who: &Identity) -> Connect {
    let unsure = match host.access(path, who) {
        Access::Denied { .. } => return Connect::Denied,
        Access::Missing { .. } => return Connect::Missing,
        Access::Allowed => None,
        Access::Unknown { why: ReadError::NoPermission, at } => {
            Some(Connect::Hidden(format!("whether {at} lets nginx through")))
        }
        Access::Unknown { at, why } => {
            Some(Connect::Other(format!("whether it may be reached cannot be told at {at}: {why}")))
        }
    };
    match (host.connect_unix(path), unsure) {
        (Connect::Ok | Connect::Denied, Some(unsure)) => unsure,
        // That refuses housecall itself, and says nothing of `who`.
        (Connect::Denied, None) => Connect::Hidden(format!("whether somebody accepts at {path}")),
        (seen, _) => seen,
    }
}

/// Connects to a unix socket and closes. A path that starts with `@` is an abstract name.
pub fn unix(path: &str) -> Connect {
    match try_unix(path) {
        Ok(()) => Connect::Ok,
        Err(Errno::NOENT | Errno::NOTDIR) => Connect::Missing,
        Err(Errno::CONNREFUSED) => Connect::Refused,
        Err(Errno::ACCESS | Errno::PERM) => Connect::Denied,
        // A non-blocking connect never waits for room in the listen queue: unix(7).
        Err(Errno::AGAIN) => Connect::Full,
        Err(other) => Connect::Other(other.to_string()),
    }
}

fn try_unix(path: &str) -> Result<(), Errno> {
    let address = match path.strip_prefix('@') {
        Some(name) => SocketAddrUnix::new_abstract_name(name.as_bytes())?,
        None => SocketAddrUnix::new(path)?,
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &address)
}

/// Connects to the first address of `host` that answers, and closes.
pub fn tcp(host: &str, port: u16, deadline: Deadline) -> Connect {
    let addresses = match resolve(host, deadline) {
        Ok(addresses) => addresses,
        Err(NoAddress::NoSuchName) => return Connect::Missing,
        Err(NoAddress::TimedOut) => return Connect::TimedOut,
        Err(NoAddress::NoResolver(words)) => return Connect::Other(words),
    };
    match open_tcp(&addresses, port, deadline) {
        Ok(_) => Connect::Ok,
        Err(failure) => failure,
    }
}

/// The first of `addresses` that accepts, with its connection; else the first failure.
pub(super) fn open_tcp(addresses: &[IpAddr], port: u16, deadline: Deadline) -> Result<(IpAddr, TcpStream), Connect> {
    let mut first_failure = None;
    for address in addresses {
        let Some(left) = deadline.left() else { break };
        match TcpStream::connect_timeout(&(*address, port).into(), left) {
            Ok(stream) => return Ok((*address, stream)),
            Err(error) => {
                first_failure.get_or_insert(of_error(&error));
            }
        }
    }
    Err(first_failure.unwrap_or(Connect::TimedOut))
}

/// What an error of connecting over TCP says.
pub(super) fn of_error(error: &std::io::Error) -> Connect {
    match error.kind() {
        ErrorKind::ConnectionRefused => Connect::Refused,
        ErrorKind::PermissionDenied => Connect::Denied,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Connect::TimedOut,
        _ => Connect::Other(error.to_string()),
    }
}

/// The addresses of `host` by the system's own name service, in its order; brackets of an IPv6 address are taken off.
pub fn resolve(host: &str, deadline: Deadline) -> Result<Vec<IpAddr>, NoAddress> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host).to_owned();
    if let Ok(address) = bare.parse() {
        return Ok(vec![address]);
    }
    let found = deadline.run(move || (bare.as_str(), 0).to_socket_addrs().map(|found| found.map(|a| a.ip()).collect()));
    match found {
        None => Err(NoAddress::TimedOut),
        Some(Ok(addresses)) => {
            let mut addresses: Vec<IpAddr> = addresses;
            addresses.dedup();
            Ok(addresses)
        }
        Some(Err(error)) => Err(no_address(&error.to_string())),
    }
}

/// std gives getaddrinfo's verdict as words only: those of glibc, and of musl.
fn no_address(words: &str) -> NoAddress {
    const NO_SUCH_NAME: [&str; 3] =
        ["Name or service not known", "Name does not resolve", "No address associated with hostname"];
    if NO_SUCH_NAME.iter().any(|known| words.contains(known)) {
        return NoAddress::NoSuchName;
    }
    NoAddress::NoResolver(words.rsplit(": ").next().unwrap_or(words).to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::host::deadline::Budget;

    #[test]
    fn a_unix_socket_listens_is_stale_or_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s").to_str().unwrap().to_owned();
        assert_eq!(unix(&path), Connect::Missing);
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(unix(&path), Connect::Ok);
        drop(listener);
        assert_eq!(unix(&path), Connect::Refused);
    }

    #[test]
    fn a_full_listen_queue_does_not_hang() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
        rustix::net::bind(&socket, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        rustix::net::listen(&socket, 0).unwrap();
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
                let client = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
                let _ = rustix::net::connect(&client, &SocketAddrUnix::new(&path).unwrap());
                client
            })
            .collect();
        assert_eq!(unix(path.to_str().unwrap()), Connect::Full);
        drop(waiting);
    }

    #[test]
    fn tcp_is_accepted_or_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let deadline = Budget::default().deadline();
        assert_eq!(tcp("127.0.0.1", port, deadline), Connect::Ok);
        drop(listener);
        assert_eq!(tcp("127.0.0.1", port, deadline), Connect::Refused);
    }

    #[test]
    fn a_dead_resolver_is_not_a_missing_name() {
        let prefix = "failed to lookup address information: ";
        assert_eq!(no_address(&format!("{prefix}Name or service not known")), NoAddress::NoSuchName);
        let words = "Temporary failure in name resolution";
        assert_eq!(no_address(&format!("{prefix}{words}")), NoAddress::NoResolver(words.to_owned()));
        assert_eq!(resolve("[::1]", Budget::default().deadline()), Ok(vec!["::1".parse().unwrap()]));
    }
}
