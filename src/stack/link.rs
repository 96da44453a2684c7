//! The chain: nginx to uWSGI to its job to the app, each link with how it was made and how sure it is.

use crate::rows;
use std::sync::Arc;

use crate::finding::Confidence;
use crate::stack::app::App;
use crate::stack::ends::Ends;
use crate::stack::fact::{Answer, Fact, Lack, Missing};
use crate::stack::job::Job;
use crate::stack::kind::without_template_suffix;
use crate::stack::nginx::Pass;
use crate::stack::uwsgi::{Socket, Uwsgi};

rows! {
    #[doc = "one uWSGI instance with its job and its app"]
    pub struct Link in "links" {
        #[doc = "the instance"]
        uwsgi: Arc<Uwsgi>,
        #[doc = "the job that starts it"]
        job: Arc<Job>,
        #[doc = "the app it loads"]
        app: Arc<App>,
        #[doc = "the folder of a `deploy` whose `current` link the instance's code folder bypasses"]
        bypassed_release: String,
    }

    #[doc = "one pass of nginx with the socket it should meet"]
    pub struct PassLink in "pass_links" {
        #[doc = "the pass"]
        pass: Arc<Pass>,
        #[doc = "the uWSGI socket at that address"]
        socket: Arc<Socket>,
        #[doc = "the only uWSGI socket in sight that no pass reaches, at another address"]
        other_socket: Arc<Socket>,
        #[doc = "on a host: what happens when nginx connects: `ok`, `missing`, `refused`, `denied`"]
        connects: String,
        #[doc = "on a host: whether a process listens at the address"]
        listened: bool,
        #[doc = "on a host: why nginx's user may not connect"]
        denied_because: String,
        #[doc = "on a host: whether a uWSGI master runs for this ini"]
        master_runs: bool,
    }
}

impl PassLink {
    /// Says that nothing was tried: what only a host can show is absent in files, so that no page asks for it.
    pub(super) fn without_host(&mut self) {
        self.connects = Fact::absent();
        self.listened = Fact::absent();
        self.denied_because = Fact::absent();
        self.master_runs = Fact::absent();
    }
}

/// Finds the one candidate that `path` names: by the very path where one lies there, else by its base name where only one has it, or where
/// the folders above it are the same for one more than for all others.
///
/// `None` where none or several fit: of two candidates none is guessed.
pub fn by_path<'a, T>(candidates: &'a [T], path_of: impl Fn(&T) -> &str, path: &str) -> Option<(&'a T, Confidence)> {
    let mut exact = candidates.iter().filter(|candidate| path_of(candidate) == path);
    match (exact.next(), exact.next()) {
        (Some(only), None) => return Some((only, Confidence::Proved)),
        // Branches of a recipe that put different files there.
        (Some(_), Some(_)) => return None,
        (None, _) => {}
    }
    let likeness = |candidate: &T| shared_end(path_of(candidate), path);
    let most = candidates.iter().map(likeness).max().filter(|most| *most > 0)?;
    let mut named = candidates.iter().filter(|candidate| likeness(candidate) == most);
    match (named.next(), named.next()) {
        (Some(only), None) => Some((only, Confidence::Possible)),
        _ => None,
    }
}

/// How many parts two paths share, from their base names upwards.
fn shared_end(one: &str, other: &str) -> usize {
    let parts = |path| without_template_suffix(path).rsplit('/');
    parts(one).zip(parts(other)).take_while(|(one, other)| one == other).count()
}

/// Of a repository of nginx's configuration alone, each pass asks for this.
static NO_UWSGI: Lack = Lack::fixed("the configuration of uWSGI", "lint it together with nginx's");

/// What else there is to know about the ends that are to be joined.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// Why sockets may be out of sight, where they may.
    pub open: Option<&'a Missing>,
    /// The file by which the ends run in containers, each with files and ports of its own.
    pub containers: Option<&'a str>,
}

/// Joins each pass with the socket at its address, or with the one it was probably meant for.
pub fn pass_links(passes: &[Arc<Pass>], sockets: &[Arc<Socket>], around: Surroundings<'_>) -> Vec<PassLink> {
    let ends = Ends::of(passes, sockets);
    passes
        .iter()
        .map(|pass| {
            let mut link = PassLink::at(pass.place);
            link.key = pass.key.clone();
            link.pass = Fact::derived(Arc::clone(pass)).at(pass.place);
            (link.socket, link.confidence) = socket_of(pass, &ends, sockets.is_empty(), around);
            link.other_socket = match &link.socket.answer {
                Answer::Known(_) => Fact::absent(),
                Answer::Unknown(missing) => Fact::unknown(missing.clone()),
                Answer::Absent => {
                    let (other, confidence) = other_socket(pass, &ends, around.containers);
                    link.confidence = confidence;
                    other
                }
            };
            link
        })
        .collect()
}

/// The socket at the address of a pass, and how sure it is that it is that one.
fn socket_of(
    pass: &Pass,
    ends: &Ends<'_>,
    no_sockets: bool,
    around: Surroundings<'_>,
) -> (Fact<Arc<Socket>>, Confidence) {
    let unknown = |missing: &Missing| (Fact::unknown(missing.clone()), Confidence::Possible);
    let mut met = ends.sockets_at(pass);
    if let Some(socket) = met.next() {
        if met.any(|other| other.protocol.known() != socket.protocol.known()) {
            let address = pass.address.known().map_or("it", String::as_str);
            let what = format!("which of several uWSGI configurations binds {address}");
            return unknown(&Missing::new(what, "lint the files of one host on their own"));
        }
        let found = || Fact::derived(Arc::clone(socket)).at(socket.place);
        let is_sure = shares_address(pass, socket);
        if !is_sure && pass.protocol.known() != socket.protocol.known() {
            // Two ends that speak one language belong together; where they do not, another program may be meant.
            if is_claimed_otherwise(pass, socket, ends) || around.containers.is_some() {
                return unknown(&what_answers(pass, around.containers));
            }
        }
        return match (is_sure, share_a_host(pass, socket)) {
            (true, true) => (found(), Confidence::Proved),
            (true, false) => (found(), Confidence::Likely),
            (false, _) => (found(), Confidence::Possible),
        };
    }
    if no_sockets && around.open.is_none() {
        return unknown(&(&NO_UWSGI).into());
    }
    if let Some(missing) = pass.address.missing() {
        return unknown(missing);
    }
    if let Some(missing) = ends.hidden.or(around.open) {
        return unknown(missing);
    }
    (Fact::absent(), Confidence::Proved)
}

/// A container may run the app's own server instead: for development, or in one of several compose files.
fn what_answers(pass: &Pass, containers: Option<&str>) -> Missing {
    let address = pass.address.known().map_or("it", String::as_str);
    let how = match containers {
        Some(path) => format!("look at its `command` in {path}: whether it starts uWSGI with this configuration"),
        None => "look which program runs on that host: nginx passes to more than one at this port".to_owned(),
    };
    Missing::new(format!("what answers at {address}"), how)
}

/// The one socket in sight that no pass reaches, where this is also the one address that meets no socket.
fn other_socket(pass: &Pass, ends: &Ends<'_>, containers: Option<&str>) -> (Fact<Arc<Socket>>, Confidence) {
    let only = ends.only_unreached(pass).filter(|_| !ends.has_rival(pass));
    let Some(only) = only else { return (Fact::absent(), Confidence::Proved) };
    if share_a_host(pass, only) {
        return (Fact::derived(Arc::clone(only)).at(only.place), Confidence::Likely);
    }
    match containers {
        Some(path) => {
            let how = format!("compare what {path} mounts and publishes");
            (Fact::unknown(Missing::new("which paths and ports the containers share", how)), Confidence::Possible)
        }
        None => (Fact::derived(Arc::clone(only)).at(only.place), Confidence::Possible),
    }
}

/// Whether only uWSGI can be meant: plain HTTP on a port may be any program.
pub(super) fn wants_uwsgi(pass: &Pass) -> bool {
    pass.protocol.known().is_some_and(|protocol| protocol == "uwsgi") || is_unix_pass(pass)
}

/// Whether both ends name one address, or the pass names a loopback address: no other host can be meant.
fn shares_address(pass: &Pass, socket: &Socket) -> bool {
    pass.local.known() == Some(&true) || pass.address.known() == socket.address.known()
}

/// Whether passes to other hosts, or in another protocol, have as good a claim to a socket that takes every address.
fn is_claimed_otherwise(pass: &Pass, socket: &Socket, ends: &Ends<'_>) -> bool {
    ends.passes_to(socket)
        .any(|other| other.address.known() != pass.address.known() || other.protocol.known() != pass.protocol.known())
}

/// Whether a pass and a socket are one address.
pub(super) fn meets(pass: &Pass, socket: &Socket) -> bool {
    match (pass.address.known(), socket.address.known()) {
        (Some(pass), Some(socket)) => same_address(pass, socket),
        _ => false,
    }
}

/// Whether connecting to `to` reaches what is bound at `bound`: a wildcard address takes every local one.
fn same_address(to: &str, bound: &str) -> bool {
    if to == bound {
        return true;
    }
    let (Some((to_host, to_port)), Some((bound_host, bound_port))) = (to.rsplit_once(':'), bound.rsplit_once(':'))
    else {
        return false;
    };
    let local = |host: &str| host == "localhost" || host.starts_with("127.") || host == "[::1]";
    let wildcard = matches!(bound_host, "0.0.0.0" | "[::]" | "*" | "");
    to_port == bound_port && (wildcard && !to.starts_with('/') || local(to_host) && local(bound_host))
}

pub(super) fn is_unix(socket: &Socket) -> bool {
    socket.address.known().is_some_and(|address| is_path(address))
}

pub(super) fn is_unix_pass(pass: &Pass) -> bool {
    pass.address.known().is_some_and(|address| is_path(address))
}

pub(super) fn is_path(address: &str) -> bool {
    address.starts_with('/') || !address.contains(':')
}

/// Whether both ends are on one host for sure: uWSGI's ini lies at an absolute path, because a cookbook or a host put it there.
fn share_a_host(pass: &Pass, socket: &Socket) -> bool {
    let ini_is_placed =
        socket.uwsgi.known().and_then(|uwsgi| uwsgi.path.known()).is_some_and(|path| path.starts_with('/'));
    ini_is_placed && pass.local.known() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reaches_what_is_bound_there() {
        assert!(same_address("/run/a.sock", "/run/a.sock"));
        assert!(same_address("127.0.0.1:3031", "0.0.0.0:3031"));
        assert!(same_address("localhost:3031", "127.0.0.1:3031"));
        assert!(same_address("app:3031", "0.0.0.0:3031"));
        assert!(!same_address("127.0.0.1:3031", "127.0.0.1:3032"));
        assert!(!same_address("app:3031", "127.0.0.1:3031"));
        assert!(!same_address("/run/a:3031", "0.0.0.0:3031"));
    }

    fn place() -> crate::source::Place {
        let file = crate::source::Sources::default().add("x", Vec::new(), crate::source::Origin::File);
        crate::source::Place::whole(file)
    }

    fn pass(address: &str, protocol: &str) -> Arc<Pass> {
        let mut pass = Pass::at(place());
        let is_local = address.starts_with('/') || address.starts_with("127.");
        pass.local = Fact::derived(is_local);
        pass.unix = Fact::derived(address.starts_with('/'));
        pass.protocol = Fact::derived(protocol.to_owned());
        pass.address = Fact::derived(address.to_owned());
        Arc::new(pass)
    }

    fn socket(address: &str, protocol: &str) -> Arc<Socket> {
        let mut socket = Socket::at(place());
        socket.protocol = Fact::derived(protocol.to_owned());
        socket.address = Fact::derived(address.to_owned());
        Arc::new(socket)
    }

    fn linked(passes: &[Arc<Pass>], sockets: &[Arc<Socket>]) -> PassLink {
        pass_links(passes, sockets, Surroundings::default()).remove(0)
    }

    #[test]
    fn a_name_that_is_not_this_host_reaches_a_wildcard_possibly() {
        let link = linked(&[pass("app:8000", "http")], &[socket("0.0.0.0:8000", "uwsgi")]);
        assert!(link.socket.known().is_some());
        assert_eq!(link.confidence, Confidence::Possible);
        let link = linked(&[pass("127.0.0.1:8000", "http")], &[socket("0.0.0.0:8000", "uwsgi")]);
        assert_eq!(link.confidence, Confidence::Likely);
    }

    #[test]
    fn of_two_names_for_one_wildcard_neither_is_it() {
        let sockets = [socket("0.0.0.0:8000", "uwsgi")];
        let link = linked(&[pass("api:8000", "http"), pass("files:8000", "http")], &sockets);
        assert!(link.socket.is_unknown());
        let link = linked(&[pass("api:8000", "http"), pass("api:8000", "uwsgi")], &sockets);
        assert!(link.socket.is_unknown());
        let link = linked(&[pass("one:8000", "uwsgi"), pass("two:8000", "uwsgi")], &sockets);
        assert_eq!((link.socket.known().is_some(), link.confidence), (true, Confidence::Possible));
    }

    #[test]
    fn two_configurations_that_disagree_are_not_chosen_between() {
        let sockets = [socket("127.0.0.1:8000", "uwsgi"), socket("127.0.0.1:8000", "http")];
        assert!(linked(&[pass("127.0.0.1:8000", "http")], &sockets).socket.is_unknown());
    }

    #[test]
    fn the_other_socket_needs_a_single_lost_pass() {
        let sockets = [socket("/run/a.sock", "uwsgi")];
        let lost = linked(&[pass("/run/b.sock", "uwsgi")], &sockets);
        assert!(lost.other_socket.known().is_some());
        let two = linked(&[pass("/run/b.sock", "uwsgi"), pass("/run/c.sock", "uwsgi")], &sockets);
        assert!(two.other_socket.is_absent());
        let same = linked(&[pass("/run/b.sock", "uwsgi"), pass("/run/b.sock", "uwsgi")], &sockets);
        assert!(same.other_socket.known().is_some());
    }

    #[test]
    fn of_containers_neither_paths_nor_commands_are_guessed() {
        let around = Surroundings { containers: Some("docker-compose.yml"), ..Surroundings::default() };
        let links = pass_links(&[pass("/nginx/a.sock", "uwsgi")], &[socket("/app/a.sock", "uwsgi")], around);
        assert!(links[0].other_socket.is_unknown());
        let links = pass_links(&[pass("web:8000", "http")], &[socket("0.0.0.0:8000", "uwsgi")], around);
        assert!(links[0].socket.is_unknown());
        let links = pass_links(&[pass("127.0.0.1:8000", "http")], &[socket("0.0.0.0:8000", "uwsgi")], around);
        assert!(links[0].socket.known().is_some());
    }

    #[test]
    fn of_two_candidates_none_is_guessed() {
        let two = ["a/uwsgi.ini", "b/uwsgi.ini"];
        assert!(by_path(&two, |path| path, "/etc/uwsgi.ini").is_none());
        assert!(by_path(&["/etc/a.ini", "/etc/a.ini", "x/a.ini"], |path| path, "/etc/a.ini").is_none());
        assert_eq!(by_path(&two, |path| path, "b/uwsgi.ini").map(|(_, sure)| sure), Some(Confidence::Proved));
        assert_eq!(by_path(&two, |path| path, "/srv/b/uwsgi.ini"), Some((&"b/uwsgi.ini", Confidence::Possible)));
        assert_eq!(by_path(&two, |path| path, "/srv/b/other.ini"), None);
        assert_eq!(by_path(&two[..1], |path| path, "/etc/uwsgi.ini").map(|(_, sure)| sure), Some(Confidence::Possible));
    }
}
