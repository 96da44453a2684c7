//! Whether nginx's user may open the unix socket that uWSGI makes, by what the files say of both (unix(7): to connect takes `w`
//! on the socket, and `x` on the folders above it).

use std::sync::Arc;

use crate::stack::deployment::{Content, Deployed};
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::job::Job;
use crate::stack::link::PassLink;
use crate::stack::uwsgi::Uwsgi;

/// Who something belongs to and what others may do with it.
struct Access {
    owner: String,
    /// `None` for the owner's own group.
    group: Option<String>,
    mode: u32,
}

/// What decides, or why it cannot be told.
type Told<T> = Result<T, Missing>;

/// Sets why nginx's user may not open the socket of a pass, where it has one.
pub fn judge(link: &mut PassLink, deployed: &[Deployed]) {
    link.shut_out = match reason(link, deployed) {
        Ok(Some(words)) => Fact::derived(words).at(link.place),
        Ok(None) => Fact::absent(),
        Err(missing) => Fact::unknown(missing),
    };
}

fn reason(link: &PassLink, deployed: &[Deployed]) -> Told<Option<String>> {
    let Some(pass) = link.pass.known() else { return Ok(None) };
    let Some(socket) = known(&link.socket)? else { return Ok(None) };
    let Some(path) = socket.address.known().filter(|address| address.starts_with('/')) else { return Ok(None) };
    // systemd makes the socket of a `.socket` unit.
    if socket.option.known().is_some_and(|option| option.starts_with("Listen")) {
        return Ok(None);
    }
    let Some(uwsgi) = known(&link.instance)? else { return Ok(None) };
    let access = of_socket(uwsgi, &link.job)?;
    let Some(user) = pass.user.known() else { return without_user(&access, pass.user.missing()) };
    if may(&access, user, 0o2)? == Some(false) {
        return Ok(Some(refusal("the socket", &access, user)));
    }
    for folder in deployed.iter().filter(|one| one.content == Content::Folder && !one.conditional) {
        let (Answer::Known(folder_path), Answer::Known(mode)) = (&folder.path, &folder.mode) else { continue };
        let is_above = path.strip_prefix(folder_path.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'));
        let (true, Some(mode)) = (is_above, octal(mode)) else { continue };
        // Chef runs as root, and what it makes is root's unless it says otherwise.
        let name = |answer: &Answer<String>| match answer {
            Answer::Known(name) => Some(name.clone()),
            Answer::Absent => Some("root".to_owned()),
            Answer::Unknown(_) => None,
        };
        let (Some(owner), Some(group)) = (name(&folder.owner), name(&folder.group)) else { continue };
        let access = Access { owner, group: Some(group), mode };
        if let Ok(Some(false)) = may(&access, user, 0o1) {
            return Ok(Some(refusal(&format!("the folder {folder_path}"), &access, user)));
        }
    }
    Ok(None)
}

/// The users that nginx's packages run its workers as.
const STOCK_USERS: [&str; 2] = ["www-data", "nginx"];

/// What is to be said where nginx's main file, which names the user, is out of sight: it mostly comes with the package.
fn without_user(access: &Access, missing: Option<&Missing>) -> Told<Option<String>> {
    let lets_in = |user: &&str| matches!(may(access, user, 0o2), Ok(Some(true)));
    if STOCK_USERS.iter().any(lets_in) {
        return Ok(None);
    }
    // Whoever else nginx's workers run as, they do not run as root.
    if access.owner == "root" && access.mode & 0o022 == 0 {
        return Ok(Some(refusal("the socket", access, "nginx's user")));
    }
    missing.cloned().map_or(Ok(None), Err)
}

/// How uWSGI makes its socket: with `chown-socket` as root says, else as the user that it has become (uWSGI binds after it
/// has dropped root's rights, unless `chown-socket` is set).
fn of_socket(uwsgi: &Uwsgi, job: &Fact<Arc<Job>>) -> Told<Access> {
    let started = || match (job.known(), job.missing()) {
        (Some(job), _) => Ok(job),
        (None, Some(missing)) => Err(missing.clone()),
        (None, None) => Err(Missing::new("what starts uWSGI", "lint its job together with it")),
    };
    let mode = match &uwsgi.socket_mode.answer {
        Answer::Known(mode) => mode.clone(),
        Answer::Unknown(missing) => return Err(missing.clone()),
        // What starts it may add options, and its umask decides.
        Answer::Absent => known(&started()?.umask)?
            .and_then(|mask| octal(mask))
            .map_or_else(String::new, |mask| format!("{:o}", 0o777 & !mask)),
    };
    let Some(mode) = octal(&mode) else { return Err(Missing::new("the mode of the socket", "write `chmod-socket`")) };
    if let Some(written) = known(&uwsgi.socket_owner)? {
        let (owner, group) =
            written.split_once([':', ',']).map_or((written.as_str(), None), |(owner, group)| (owner, Some(group)));
        return Ok(Access { owner: owner.to_owned(), group: group.map(str::to_owned), mode });
    }
    let job = started()?;
    let (uid, gid) = (known(&uwsgi.uid)?, known(&uwsgi.gid)?.cloned());
    let Some(user) = known(&job.user)?.cloned() else {
        return Err(Missing::new("the user that uWSGI is started as", "lint its job together with it"));
    };
    let group = known(&job.group)?.cloned();
    // Only root can become another: without `gid` the group stays root's.
    match uid.filter(|_| user == "root") {
        Some(uid) => Ok(Access { owner: uid.clone(), group: gid.or(Some("root".to_owned())), mode }),
        None => Ok(Access { owner: user, group: gid.or(group), mode }),
    }
}

/// Whether a user has a right (2 to write, 1 to pass); an error where that hangs on who is in a group.
fn may(access: &Access, user: &str, right: u32) -> Told<Option<bool>> {
    if user == "root" || access.mode & right != 0 {
        return Ok(Some(true));
    }
    if access.owner == user {
        return Ok(Some(access.mode & (right << 6) != 0));
    }
    let group = access.group.as_deref().unwrap_or(&access.owner);
    let group_may = access.mode & (right << 3) != 0;
    match group_may {
        true if group == user => Ok(Some(true)),
        true if group != "root" => {
            Err(Missing::new(format!("whether {user} is in the group {group}"), format!("`id {user}` on the host")))
        }
        _ => Ok(Some(false)),
    }
}

fn refusal(what: &str, access: &Access, user: &str) -> String {
    let Access { owner, group, mode } = access;
    let group = group.as_ref().unwrap_or(owner);
    format!("{what} belongs to {owner}:{group} with mode {mode:03o}, so {user} is kept out")
}

fn octal(digits: &str) -> Option<u32> {
    u32::from_str_radix(digits, 8).ok()
}

/// A fact's value where it is known, nothing where it is absent.
fn known<T>(fact: &Fact<T>) -> Told<Option<&T>> {
    match &fact.answer {
        Answer::Known(value) => Ok(Some(value)),
        Answer::Absent => Ok(None),
        Answer::Unknown(missing) => Err(missing.clone()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn access(owner: &str, group: Option<&str>, mode: u32) -> Access {
        Access { owner: owner.to_owned(), group: group.map(str::to_owned), mode }
    }

    #[test]
    fn as_the_kernel_decides() {
        let may_write = |access: &Access| may(access, "www-data", 0o2).ok().flatten();
        assert_eq!(may_write(&access("shop", None, 0o755)), Some(false));
        assert_eq!(may_write(&access("shop", None, 0o666)), Some(true));
        assert_eq!(may_write(&access("root", Some("root"), 0o664)), Some(false));
        assert_eq!(may_write(&access("shop", Some("www-data"), 0o660)), Some(true));
        assert_eq!(may_write(&access("www-data", None, 0o600)), Some(true));
        assert_eq!(may_write(&access("shop", Some("web"), 0o660)), None, "who is in the group is out of sight");
        assert_eq!(may_write(&access("shop", None, 0o660)), None);
    }
}
