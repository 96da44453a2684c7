//! The users of a host, from `/etc/passwd` and `/etc/group`.

use super::machine::User;
use super::{Files, ReadError};

/// Reads both files. Users of a directory service are not in them. Errors: those of reading `/etc/passwd`.
pub fn read(files: &dyn Files) -> Result<Vec<User>, ReadError> {
    let passwd = files.read("/etc/passwd")?;
    let group = files.read("/etc/group").unwrap_or_default();
    Ok(parse(&String::from_utf8_lossy(&passwd), &String::from_utf8_lossy(&group)))
}

/// `user:group` of a file, by name where the name is known.
pub fn owner(files: &(impl Files + ?Sized), uid: u32, gid: u32) -> String {
    format!("{}:{}", user_name(files, uid), group_name(files, gid))
}

/// The name of a user; its number where it has none.
pub fn user_name(files: &(impl Files + ?Sized), uid: u32) -> String {
    name("/etc/passwd", files, uid)
}

/// The name of a group; its number where it has none.
pub fn group_name(files: &(impl Files + ?Sized), gid: u32) -> String {
    name("/etc/group", files, gid)
}

/// Both files have the name first and the number third.
fn name(path: &str, files: &(impl Files + ?Sized), id: u32) -> String {
    let text = files.read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let of_id = lines.find(|fields| fields.get(2).and_then(|field| field.parse().ok()) == Some(id));
    of_id.and_then(|fields| fields.first().map(|&name| name.to_owned())).unwrap_or_else(|| id.to_string())
}

/// Lines that are not in the format of passwd(5) or group(5) are left out.
fn parse(passwd: &str, group: &str) -> Vec<User> {
    let memberships: Vec<(u32, Vec<&str>)> = group
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [_, _, gid, members] = fields[..] else { return None };
            Some((gid.parse().ok()?, members.split(',').collect()))
        })
        .collect();
    passwd
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, uid, gid, _, home, _] = fields[..] else { return None };
            let groups =
                memberships.iter().filter(|(_, members)| members.contains(&name)).map(|(gid, _)| *gid).collect();
            Some(User {
                name: name.to_owned(),
                uid: uid.parse().ok()?,
                gid: gid.parse().ok()?,
                groups,
                home: home.to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_those_that_name_the_user() {
        let users = parse(
            "root:x:0:0:root:/root:/bin/bash\nbroken\nthena:x:998:998::/srv/thena:/bin/false\n",
            "root:x:0:\nwww-data:x:33:thena,deploy\nadm:x:4:deploy\n",
        );
        assert_eq!(users.len(), 2);
        assert_eq!(users[1].groups, [33]);
        assert_eq!(users[1].home, "/srv/thena");
    }
}
