//! Whether a user may connect to a unix socket: search on each folder of the path, write on the socket itself.

use super::machine::{Process, User};
use super::{Acl, Files, ReadError, users};

/// Who asks: the ids of a process or of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Effective user.
    pub uid: u32,
    /// Effective group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

impl From<&Process> for Identity {
    fn from(process: &Process) -> Self {
        Self { uid: process.uid, gid: process.gid, groups: process.groups.clone() }
    }
}

impl From<&User> for Identity {
    fn from(user: &User) -> Self {
        Self { uid: user.uid, gid: user.gid, groups: user.groups.clone() }
    }
}

/// What the permission bits along a path say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Nothing on the path refuses.
    Allowed,
    /// One element of the path refuses.
    Denied {
        /// The element.
        at: String,
        /// The permission that lacks: `x` on a folder, `w` on a socket.
        needs: &'static str,
        /// The element's permission bits.
        mode: u32,
        /// The element's owner.
        uid: u32,
        /// The element's group.
        gid: u32,
        /// The element's access control list, which then says more than the bits.
        acl: Option<Acl>,
    },
    /// An element of the path is not there.
    Missing {
        /// The element.
        at: String,
    },
    /// This user may not look.
    Unknown {
        /// The element.
        at: String,
        /// Why it cannot be told.
        why: ReadError,
    },
}

impl Access {
    /// Why `user` is refused, in words that name the element, its mode and its owner; `None` where nobody is refused.
    pub fn because(&self, user: &str, files: &(impl Files + ?Sized)) -> Option<String> {
        let Access::Denied { at, needs, mode, uid, gid, acl } = self else { return None };
        let owner = users::owner(files, *uid, *gid);
        let and = match acl {
            Some(list) => {
                let list = list.named(|id| users::user_name(files, id), |id| users::group_name(files, id));
                format!(", with the access control list {list}")
            }
            None => String::new(),
        };
        Some(format!("{user} needs {needs} on {at}, which has mode {mode:04o} and belongs to {owner}{and}"))
    }
}

/// Whether `who` may connect to the socket at `path`: unix(7), path_resolution(7). Root may whatever the bits say.
pub fn may_connect(files: &(impl Files + ?Sized), path: &str, who: &Identity) -> Access {
    let as_written = check_elements(files, path, who);
    if as_written != Access::Allowed {
        return as_written;
    }
    match files.real_path(path) {
        Ok(real) if real == path => Access::Allowed,
        Ok(real) => check_elements(files, &real, who),
        Err(why) => Access::Unknown { at: path.to_owned(), why },
    }
}

fn check_elements(files: &(impl Files + ?Sized), path: &str, who: &Identity) -> Access {
    let folder_ends = path.match_indices('/').map(|(at, _)| at);
    let folders = folder_ends.map(|at| if at == 0 { "/" } else { &path[..at] });
    for (element, needs, bit) in folders.map(|folder| (folder, "x", 1)).chain([(path, "w", 2)]) {
        let stat = match files.stat(element) {
            Ok(stat) => stat,
            Err(ReadError::NotFound) => return Access::Missing { at: element.to_owned() },
            Err(why) => return Access::Unknown { at: element.to_owned(), why },
        };
        if who.uid == 0 {
            continue;
        }
        let acl = match files.acl(element) {
            Ok(acl) => acl,
            Err(why) => return Access::Unknown { at: element.to_owned(), why },
        };
        let allowed = match &acl {
            Some(list) => list.allows(bit, stat.uid, stat.gid, who),
            None => (stat.mode >> class_shift(stat.uid, stat.gid, who)) & bit != 0,
        };
        if allowed {
            continue;
        }
        return Access::Denied {
            at: element.to_owned(),
            needs,
            mode: stat.mode & 0o7777,
            uid: stat.uid,
            gid: stat.gid,
            acl,
        };
    }
    Access::Allowed
}

/// The kernel takes exactly one class of bits: an owner whom the owner bits refuse is not helped by the others.
fn class_shift(uid: u32, gid: u32, who: &Identity) -> u32 {
    if who.uid == uid {
        6
    } else if who.gid == gid || who.groups.contains(&gid) {
        3
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::host::{FileKind, Stat};

    struct Bits(BTreeMap<&'static str, (u32, u32, u32)>);

    impl Files for Bits {
        fn read(&self, _: &str) -> Result<Arc<[u8]>, ReadError> {
            Err(ReadError::NotRegular)
        }
        fn list(&self, _: &str) -> Result<Vec<String>, ReadError> {
            Ok(Vec::new())
        }
        fn stat(&self, path: &str) -> Result<Stat, ReadError> {
            let (mode, uid, gid) = *self.0.get(path).ok_or(ReadError::NotFound)?;
            Ok(Stat { kind: FileKind::Other, mode, uid, gid, size: 0, modified: 0, inode: 0 })
        }
    }

    fn host(folder: u32, socket: u32) -> Bits {
        Bits(
            [
                ("/", (0o755, 0, 0)),
                ("/run", (0o755, 0, 0)),
                ("/run/a", (folder, 998, 998)),
                ("/run/a/s", (socket, 998, 33)),
            ]
            .into(),
        )
    }

    fn www() -> Identity {
        Identity { uid: 33, gid: 33, groups: vec![] }
    }

    #[test]
    fn the_first_element_that_refuses_is_named() {
        assert_eq!(may_connect(&host(0o755, 0o660), "/run/a/s", &www()), Access::Allowed);
        let denied = may_connect(&host(0o750, 0o660), "/run/a/s", &www());
        assert!(matches!(denied, Access::Denied { at, needs: "x", mode: 0o750, .. } if at == "/run/a"));
        let denied = may_connect(&host(0o755, 0o640), "/run/a/s", &www());
        assert!(matches!(denied, Access::Denied { at, needs: "w", .. } if at == "/run/a/s"));
        assert_eq!(may_connect(&host(0o755, 0), "/run/a/t", &www()), Access::Missing { at: "/run/a/t".to_owned() });
    }

    #[test]
    fn one_class_of_bits_counts_and_root_passes() {
        let owner = Identity { uid: 998, gid: 1, groups: vec![33] };
        assert!(matches!(may_connect(&host(0o755, 0o066), "/run/a/s", &owner), Access::Denied { .. }));
        let member = Identity { uid: 5, gid: 5, groups: vec![33] };
        assert_eq!(may_connect(&host(0o755, 0o020), "/run/a/s", &member), Access::Allowed);
        assert_eq!(may_connect(&host(0, 0), "/run/a/s", &Identity::default()), Access::Allowed);
    }
}
