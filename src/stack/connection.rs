//! Connections that processes of uWSGI share, because the app opened them before the fork.

use std::collections::BTreeMap;

use crate::host::{Host, ReadError};
use crate::stack::process::{Found, Program};

/// A TCP connection that several processes hold: all but one of them got it by fork.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The socket.
    pub inode: u64,
    /// The other end, `address:port`.
    pub remote: String,
    /// Who holds it, by pid.
    pub pids: Vec<i32>,
}

/// The established connections that uWSGI processes share. They prove that the app connected before the fork; that there
/// are none proves nothing, because after its first error each worker opens a connection of its own.
/// Errors: those of the first process that hides its connections.
pub fn shared_connections(host: &dyn Host, found: &[Found]) -> Result<Vec<Shared>, ReadError> {
    let mut holders: BTreeMap<(u64, String), Vec<i32>> = BTreeMap::new();
    for one in found.iter().filter(|one| one.program == Program::Uwsgi) {
        match host.established(one.process.pid) {
            Ok(sockets) => {
                for socket in sockets {
                    holders.entry((socket.inode, socket.remote)).or_default().push(one.process.pid);
                }
            }
            // It ended meanwhile.
            Err(ReadError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    let shared = holders.into_iter().filter(|(_, pids)| pids.len() > 1);
    Ok(shared.map(|((inode, remote), pids)| Shared { inode, remote, pids }).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::host::recorded::Recorded;
    use crate::stack::process::discover;

    #[test]
    fn a_connection_with_several_holders_is_shared() {
        let host = Recorded::healthy().unwrap();
        let found = discover(&host).unwrap();
        assert_eq!(shared_connections(&host, &found), Ok(vec![]));
        let database = "established = [{ inode = 44101, remote = \"10.4.0.12:5432\" }]";
        let forked = host.patched(&format!("[process.902]\n{database}\n[process.906]\n{database}")).unwrap();
        let shared = shared_connections(&forked, &found).unwrap();
        let expected = Shared { inode: 44101, remote: "10.4.0.12:5432".to_owned(), pids: vec![902, 905, 906] };
        assert_eq!(shared, [expected]);
    }
}
