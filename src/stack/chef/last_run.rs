//! What the last run of Chef on a host stumbled over, by its log and by what lies on the host: the same rows that a repository
//! of cookbooks gives, each at the line of the log that complains.

use std::sync::Arc;

use crate::host::{FileKind, Host, ReadError, User};
use crate::source::{FileId, Place, Span};
use crate::stack::chef::checkout::is_ssh;
use crate::stack::chef::{Checkout, Cookbook, Service};
use crate::stack::fact::{Fact, Missing, Row};

/// The log of a run that failed.
#[derive(Debug, Clone)]
pub struct Failed {
    /// The log.
    pub file: FileId,
    /// All of it.
    pub text: Arc<str>,
    /// Where the run begins in it.
    pub from: usize,
}

/// Where OpsWorks' agent checks the cookbooks of a stack out (opsworks_custom_cookbooks).
const SITE_COOKBOOKS: &str = "/opt/aws/opsworks/current/site-cookbooks";
/// The keys that ssh tries by itself: ssh(1), `-i`.
const KEYS: [&str; 5] = ["id_rsa", "id_ecdsa", "id_ed25519", "id_dsa", "id_xmss"];

/// A row for each complaint that what lies on the host explains.
pub fn rows(host: &dyn Host, users: &[User], failed: &Failed) -> Vec<Arc<dyn Row>> {
    let mut rows: Vec<Arc<dyn Row>> = Vec::new();
    rows.extend(cookbook(host, failed).map(|row| Arc::new(row) as _));
    rows.extend(service(host, failed).map(|row| Arc::new(row) as _));
    rows.extend(checkout(host, users, failed).map(|row| Arc::new(row) as _));
    rows
}

impl Failed {
    fn run(&self) -> &str {
        self.text.get(self.from..).unwrap_or_default()
    }

    /// The first text between two others in the run, with its place.
    fn between(&self, before: &str, after: &str) -> Option<(&str, Place)> {
        let run = self.run();
        let start = run.find(before)? + before.len();
        let length = run[start..].find(after)?;
        let word = &run[start..start + length];
        let is_word = !word.is_empty() && word.len() < 512 && !word.contains('\n');
        is_word.then(|| (word, self.place(start, word.len())))
    }

    fn place(&self, start: usize, length: usize) -> Place {
        Place::at(self.file, Span::new(self.from + start, self.from + start + length))
    }
}

/// `Cookbook thena not found.`, where it lies one folder deeper than the agent looks.
fn cookbook(host: &dyn Host, failed: &Failed) -> Option<Cookbook> {
    let (name, place) = failed.between("CookbookNotFound: Cookbook ", " not found")?;
    let is_folder = |path: &str| host.stat(path).is_ok_and(|stat| stat.kind == FileKind::Folder);
    let is_plain = !name.contains(['/', ' ']);
    let nested = format!("{SITE_COOKBOOKS}/cookbooks/{name}");
    if !is_plain || !is_folder(&nested) || is_folder(&format!("{SITE_COOKBOOKS}/{name}")) {
        return None;
    }
    Some(Cookbook {
        name: Fact::read(name.to_owned(), place),
        path: Fact::derived(nested),
        target: Fact::derived("opsworks-11".to_owned()),
        evidence: Fact::absent(),
        nested: Fact::derived(true),
        moves: Fact::derived(format!("git mv cookbooks/{name} {name}")),
        ..Cookbook::at(place)
    })
}

/// `/etc/init.d/thena does not exist!`, where there is a job of Upstart of that name.
fn service(host: &dyn Host, failed: &Failed) -> Option<Service> {
    let (name, place) = failed.between("Chef::Exceptions::Service: /etc/init.d/", " does not exist!")?;
    let job = format!("/etc/init/{name}.conf");
    host.stat(&job).ok().filter(|_| !name.contains('/'))?;
    let version = failed.between("*** Chef ", ".").and_then(|(number, _)| number.parse::<i64>().ok());
    let release = || Missing::new("the release of Chef that ran", "look at the first line of its log");
    Some(Service {
        name: Fact::read(name.to_owned(), place),
        platforms: Fact::absent(),
        upstart_job: Fact::derived(job),
        // With the provider for Upstart Chef looks for no init script.
        provider: Fact::absent(),
        chef: version.map_or_else(|| Fact::unknown(release()), Fact::derived),
        ..Service::at(place)
    })
}

/// What git says of an address over SSH: that the server takes no key, or that it is not known.
fn checkout(host: &dyn Host, users: &[User], failed: &Failed) -> Option<Checkout> {
    let run = failed.run();
    let (line, refused) = ["Permission denied (publickey", "Host key verification failed"]
        .iter()
        .enumerate()
        .find_map(|(at, text)| Some((run.find(text)?, at == 0)))?;
    let (command, place) = failed.between("Begin output of git ", " ----")?;
    let address = command.split([' ', '"']).find(|word| is_ssh(word))?;
    let at = command.find(address)?;
    let span = place.span?;
    let address_place =
        Place::at(failed.file, Span::new(span.start as usize + at, span.start as usize + at + address.len()));
    let (kind, folder) = ["deploy_revision", "deploy", "git"]
        .into_iter()
        .find_map(|kind| Some((kind, failed.between(&format!("{kind}["), "]")?.0)))?;
    let complaint = failed.place(line, run[line..].lines().next().unwrap_or_default().trim_end().len());
    let user = fetcher(host, users, folder);
    let home = user.map(|user| user.home.trim_end_matches('/'));
    let (key_from, key_unusable) = match home.filter(|_| refused) {
        Some(home) => key(host, home),
        None => (Fact::unknown(Missing::new("which user fetches the code", "look at the resource")), Fact::absent()),
    };
    let host_key_from = match home {
        _ if refused => Fact::read("ssh, which went on to the key".to_owned(), complaint),
        Some(home) => known_hosts(host, home, address),
        None => Fact::unknown(Missing::new("which user fetches the code", "look at the resource")),
    };
    Some(Checkout {
        resource: Fact::read(kind.to_owned(), complaint),
        repository: Fact::read(address.to_owned(), address_place),
        over_ssh: Fact::derived(true),
        user: user.map_or_else(Fact::absent, |user| Fact::derived(user.name.clone())),
        key_from,
        key_unusable,
        host_key_from,
        ..Checkout::at(complaint)
    })
}

/// The user that fetches: the owner of the folder that the code goes to, or of the nearest one above it that is there.
fn fetcher<'u>(host: &dyn Host, users: &'u [User], folder: &str) -> Option<&'u User> {
    let mut folder = folder.trim_end_matches('/');
    while folder.len() > 1 {
        if let Ok(stat) = host.stat(folder) {
            return users.iter().find(|user| user.uid == stat.uid);
        }
        folder = folder.rsplit_once('/')?.0;
    }
    None
}

/// The key that ssh would offer, or why it offers none: it passes over a key that others may read (`sshkey_perm_ok`).
fn key(host: &dyn Host, home: &str) -> (Fact<String>, Fact<String>) {
    let mut unusable = Fact::absent();
    for name in KEYS {
        let path = format!("{home}/.ssh/{name}");
        match host.stat(&path) {
            Ok(stat) if stat.mode & 0o077 == 0 => return (Fact::derived(path), Fact::absent()),
            Ok(stat) => {
                let words =
                    format!("{path} has mode {:04o}, and ssh takes no key that others may read", stat.mode & 0o7777);
                unusable = Fact::derived(words);
            }
            Err(ReadError::NotFound) => {}
            Err(_) => {
                let missing = || Missing::new(format!("the keys in {home}/.ssh"), "run with sudo");
                return (Fact::unknown(missing()), Fact::absent());
            }
        }
    }
    (Fact::absent(), unusable)
}

/// The file that makes the server of an address known; hashed names may be anybody's.
fn known_hosts(host: &dyn Host, home: &str, address: &str) -> Fact<String> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    let server = rest.split([':', '/']).next().unwrap_or(rest);
    for path in [format!("{home}/.ssh/known_hosts"), "/etc/ssh/ssh_known_hosts".to_owned()] {
        let text = match host.read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(ReadError::NotFound) => continue,
            Err(_) => return Fact::unknown(Missing::new(path, "run with sudo")),
        };
        let names = text.lines().filter_map(|line| line.split_whitespace().next());
        if names.clone().flat_map(|names| names.split(',')).any(|name| name == server) {
            return Fact::derived(path);
        }
        if names.clone().any(|names| names.starts_with("|1|")) {
            let how = format!("sudo ssh-keygen -F {server} -f {path}");
            return Fact::unknown(Missing::new(format!("which hosts {path} knows"), how));
        }
    }
    Fact::absent()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::host::recorded::Recorded;
    use crate::source::{Origin, Sources};

    const GIT: &str = "[2016-05-04T02:00:00+00:00] INFO: *** Chef 11.10.4 ***\n\
        [2016-05-04T02:01:00+00:00] FATAL: Mixlib::ShellOut::ShellCommandFailed: deploy[/srv/thena] (thena::deploy line 4) had an \
        error: Mixlib::ShellOut::ShellCommandFailed: Expected process to exit with [0], but received '128'\n\
        ---- Begin output of git ls-remote \"git@git.example.com:owls/thena.git\" HEAD ----\nSTDOUT: \n";

    fn failed(text: &str) -> Failed {
        let mut sources = Sources::default();
        let file = sources.add("chef.log", text.as_bytes().to_vec(), Origin::File);
        Failed { file, text: sources.get(file).shared_text(), from: 0 }
    }

    fn fetched(complaint: &str, patch: &str) -> Checkout {
        let host = Recorded::healthy().unwrap().patched(patch).unwrap();
        let users =
            [User { name: "thena".to_owned(), uid: 998, gid: 998, groups: vec![], home: "/home/thena".to_owned() }];
        let patch = "file.\"/srv/thena\" = { kind = \"folder\", uid = 998, gid = 998 }";
        let host = host.patched(patch).unwrap();
        checkout(&host, &users, &failed(&format!("{GIT}STDERR: {complaint}\r\n"))).unwrap()
    }

    #[test]
    fn a_key_that_others_may_read_is_none() {
        let key = |mode: &str| format!("file.\"/home/thena/.ssh/id_rsa\" = {{ kind = \"file\", mode = \"{mode}\" }}");
        let denied = "Permission denied (publickey).";
        let open = fetched(denied, &key("0644"));
        assert!(open.key_from.is_absent());
        assert!(open.key_unusable.known().unwrap().contains("mode 0644"));
        assert_eq!(open.repository.known().unwrap(), "git@git.example.com:owls/thena.git");
        assert_eq!(open.user.known().unwrap(), "thena");
        assert_eq!(fetched(denied, &key("0600")).key_from.known().unwrap(), "/home/thena/.ssh/id_rsa");
        assert!(fetched(denied, "").host_key_from.known().is_some());
    }

    #[test]
    fn a_server_is_known_by_its_name_and_perhaps_by_a_hash() {
        let unknown = fetched("Host key verification failed.", "");
        assert!(unknown.host_key_from.is_absent() && unknown.key_from.is_unknown());
    }

    #[test]
    fn a_service_needs_a_job_of_its_name() {
        let log = "*** Chef 11.10.4 ***\nFATAL: Chef::Exceptions::Service: /etc/init.d/thena-uwsgi does not exist!\n";
        let row = service(&Recorded::healthy().unwrap(), &failed(log)).unwrap();
        assert_eq!(row.upstart_job.known().unwrap(), "/etc/init/thena-uwsgi.conf");
        assert_eq!(row.chef.known(), Some(&11));
        assert!(service(&Recorded::healthy().unwrap(), &failed(&log.replace("thena-uwsgi", "other"))).is_none());
    }
}
