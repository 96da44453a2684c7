//! POSIX access control lists: as the kernel keeps them in `system.posix_acl_access`, as getfacl writes them in short,
//! and whom they let pass.

use std::fmt;

use super::Identity;

/// Permission to read a file or list a folder.
const READ: u32 = 4;
/// Permission to write a file, or to connect to a socket.
const WRITE: u32 = 2;
/// Permission to run a file, or to search a folder.
const EXECUTE: u32 = 1;

/// `POSIX_ACL_XATTR_VERSION` of linux/posix_acl_xattr.h.
const VERSION: u32 = 2;

/// One access control list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acl(Vec<Entry>);

/// To whom an entry gives something; the permissions are those of a mode's three bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    who: Who,
    permissions: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Owner,
    User(u32),
    OwnGroup,
    Group(u32),
    /// The most that any entry but those of the owner and of others gives.
    Mask,
    Others,
}

impl Acl {
    /// The kernel's form: a version, then a tag, permissions and an id for each entry, all little-endian. `None` for any other.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, entries) = bytes.split_first_chunk::<4>()?;
        if u32::from_le_bytes(*version) != VERSION || entries.len() % 8 != 0 {
            return None;
        }
        let all = entries.chunks_exact(8).map(|entry| {
            let [tag_low, tag_high, low, high, id @ ..] = entry else { return None };
            let id = u32::from_le_bytes(id.try_into().ok()?);
            let who = match u16::from_le_bytes([*tag_low, *tag_high]) {
                0x01 => Who::Owner,
                0x02 => Who::User(id),
                0x04 => Who::OwnGroup,
                0x08 => Who::Group(id),
                0x10 => Who::Mask,
                0x20 => Who::Others,
                _ => return None,
            };
            Some(Entry { who, permissions: u32::from(u16::from_le_bytes([*low, *high])) & 7 })
        });
        all.collect::<Option<Vec<_>>>().map(Self)
    }

    /// The form of [`fmt::Display`]. `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        let entry = |entry: &str| {
            let mut fields = entry.trim().split(':');
            let (tag, id, letters) = (fields.next()?, fields.next()?, fields.next()?);
            let number = || id.parse().ok();
            let who = match (tag, id) {
                ("user", "") => Who::Owner,
                ("user", _) => Who::User(number()?),
                ("group", "") => Who::OwnGroup,
                ("group", _) => Who::Group(number()?),
                ("mask", "") => Who::Mask,
                ("other", "") => Who::Others,
                _ => return None,
            };
            let bit = |letter, bit| if letters.contains(letter) { bit } else { 0 };
            let permissions = bit('r', READ) | bit('w', WRITE) | bit('x', EXECUTE);
            (fields.next().is_none() && letters.len() == 3).then_some(Entry { who, permissions })
        };
        text.split(',').map(entry).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether it gives `who` the permission `bit` on what belongs to `uid` and `gid`: acl(5), "Access Check Algorithm".
    pub fn allows(&self, bit: u32, uid: u32, gid: u32, who: &Identity) -> bool {
        let given = |wanted: Who| self.0.iter().find(|entry| entry.who == wanted).map(|entry| entry.permissions);
        let mask = given(Who::Mask).unwrap_or(7);
        if who.uid == uid {
            return given(Who::Owner).is_some_and(|permissions| permissions & bit != 0);
        }
        if let Some(permissions) = given(Who::User(who.uid)) {
            return permissions & mask & bit != 0;
        }
        let is_member = |group: u32| who.gid == group || who.groups.contains(&group);
        let of_group = self.0.iter().filter(|entry| match entry.who {
            Who::OwnGroup => is_member(gid),
            Who::Group(group) => is_member(group),
            _ => false,
        });
        let groups: Vec<u32> = of_group.map(|entry| entry.permissions).collect();
        if groups.is_empty() {
            return given(Who::Others).is_some_and(|permissions| permissions & bit != 0);
        }
        // Of several groups one that gives it is enough; where none does, those of others no longer count.
        groups.iter().any(|permissions| permissions & mask & bit != 0)
    }

    /// The same with names for the ids of users and groups.
    pub fn named(&self, user: impl Fn(u32) -> String, group: impl Fn(u32) -> String) -> String {
        let entry = |entry: &Entry| {
            let (tag, name) = match entry.who {
                Who::Owner => ("user", String::new()),
                Who::User(id) => ("user", user(id)),
                Who::OwnGroup => ("group", String::new()),
                Who::Group(id) => ("group", group(id)),
                Who::Mask => ("mask", String::new()),
                Who::Others => ("other", String::new()),
            };
            let letter = |bit, letter| if entry.permissions & bit != 0 { letter } else { '-' };
            format!("{tag}:{name}:{}{}{}", letter(READ, 'r'), letter(WRITE, 'w'), letter(EXECUTE, 'x'))
        };
        self.0.iter().map(entry).collect::<Vec<_>>().join(",")
    }
}

/// getfacl's short form with numbers: `user::rw-,user:33:r--,group::r--,mask::rw-,other::---`.
impl fmt::Display for Acl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.named(|id| id.to_string(), |id| id.to_string()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn allows(list: &str, who: (u32, u32, &[u32])) -> bool {
        let who = Identity { uid: who.0, gid: who.1, groups: who.2.to_vec() };
        Acl::parse(list).unwrap().allows(WRITE, 998, 998, &who)
    }

    #[test]
    fn the_first_entry_that_fits_decides() {
        let www = (33, 33, &[][..]);
        assert!(allows("user::rw-,user:33:rw-,group::---,mask::rw-,other::---", www));
        assert!(!allows("user::rw-,user:33:rw-,group::rw-,mask::r--,other::rw-", www), "the mask takes it away");
        assert!(
            !allows("user::rw-,user:33:r--,group:33:rw-,group::---,mask::rw-,other::rw-", www),
            "a name goes first"
        );
        assert!(allows("user::rw-,group::---,group:33:rw-,mask::rw-,other::---", www));
        assert!(!allows("user::rw-,group::---,group:33:r--,mask::rw-,other::rw-", www), "a group keeps others away");
        assert!(
            allows("user::rw-,group::r--,group:33:rw-,mask::rw-,other::---", (5, 998, &[33])),
            "one group is enough"
        );
        assert!(!allows("user::r--,group::rw-,mask::rw-,other::rw-", (998, 998, &[])), "the owner is the owner");
        assert!(allows("user::---,group::---,mask::---,other::-w-", (5, 5, &[])), "no mask for others");
    }

    #[test]
    fn the_kernels_form_and_getfacls_are_one() {
        let mut bytes = 2_u32.to_le_bytes().to_vec();
        let undefined = u32::MAX;
        for (tag, permissions, id) in
            [(1_u16, 6_u16, undefined), (2, 4, 33), (4, 4, undefined), (0x10, 6, undefined), (0x20, 0, undefined)]
        {
            bytes.extend(tag.to_le_bytes().into_iter().chain(permissions.to_le_bytes()).chain(id.to_le_bytes()));
        }
        let short = "user::rw-,user:33:r--,group::r--,mask::rw-,other::---";
        let list = Acl::decode(&bytes).unwrap();
        assert_eq!(list.to_string(), short);
        assert_eq!(Acl::parse(short), Some(list));
        assert_eq!(Acl::decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Acl::decode(b""), None);
        assert_eq!(Acl::parse("user::rw-,colour::rw-"), None);
    }
}
