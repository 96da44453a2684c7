//! A port where nobody listens, and where nobody will.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::sync::LazyLock;

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with};

/// A TCP port of the loopback interface where every connection is refused as long as the tests run: it is taken, so that no
/// server that starts meanwhile is given it.
pub fn refusing_port() -> u16 {
    static TAKEN: LazyLock<(OwnedFd, u16)> = LazyLock::new(|| {
        let taken = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        bind(&taken, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = SocketAddrV4::try_from(getsockname(&taken).unwrap()).unwrap();
        (taken, address.port())
    });
    TAKEN.1
}
