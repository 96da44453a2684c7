//! The chain: nginx to uWSGI to its job to the app, each link with how it was made and how sure it is.

mod unlinked;

use crate::rows;
use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;

pub use unlinked::Unlinked;

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
        #[doc = "the user that the ini asks for and does not get, because the job has become another one already"]
        uid_unheeded: String,
    }

    #[doc = "one pass of nginx with the socket it should meet"]
    pub struct PassLink in "pass_links" {
        #[doc = "the pass"]
        pass: Arc<Pass>,
        #[doc = "the uWSGI socket at that address"]
        socket: Arc<Socket>,
        #[doc = "the only uWSGI socket in sight that no pass reaches, at another address"]
        other_socket: Arc<Socket>,
        #[doc = "the instance that binds it; unknown where several do"]
        instance: Arc<Uwsgi>,
        #[doc = "the job that starts that instance"]
        job: Arc<Job>,
        #[doc = "in files: why nginx's user may not open the unix socket as uWSGI makes it"]
        shut_out: String,
        #[doc = "on a host: what happens when nginx connects: `ok`, `missing`, `refused`, `denied`"]
        connects: String,
        #[doc = "on a host: whether a process listens at the address"]
        listened: bool,
        #[doc = "on a host: why nginx's user may not connect"]
        denied_because: String,
        #[doc = "on a host: who has mounts of its own, where the socket is for uWSGI and not for nginx: `uWSGI` or `nginx`"]
        other_mounts: String,
        #[doc = "on a host: the security policy that confines nginx, where its log says that it was denied and modes, lists and groups let it in"]
        denied_by: String,
        #[doc = "on a host: whether a uWSGI master runs for this ini"]
        master_runs: bool,
    }
}

impl PassLink {
    /// The row of a pass of which nothing was tried: what only a host can show is absent in files, so that no page asks for it.
    fn of_files(pass: &Arc<Pass>) -> Self {
        Self {
            key: pass.key.clone(),
            pass: Fact::derived(Arc::clone(pass)).at(pass.place),
            connects: Fact::absent(),
            listened: Fact::absent(),
            denied_because: Fact::absent(),
            other_mounts: Fact::absent(),
            denied_by: Fact::absent(),
            master_runs: Fact::absent(),
            ..Self::at(pass.place)
        }
    }
}

impl Link {
    /// Works out which user the ini asks for in vain: uWSGI changes its user only where it was started as root, and says
    /// nothing where it was not (uWSGI: `core/uwsgi.c` `uwsgi_as_root`).
    pub(super) fn compare_users(&mut self) {
        let unknown = |fact: &Fact<Arc<Job>>| fact.missing().cloned().map_or_else(Fact::absent, Fact::unknown);
        let (Some(uwsgi), Some(job)) = (self.uwsgi.known(), self.job.known()) else {
            self.uid_unheeded = unknown(&self.job);
            return;
        };
        let is_number = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
        self.uid_unheeded = match (uwsgi.uid.known(), job.user.known()) {
            (None, _) => uwsgi.uid.clone(),
            (_, Some(user)) if user == "root" => Fact::absent(),
            (Some(uid), Some(user)) if uid == user => Fact::absent(),
            (Some(uid), Some(user)) if is_number(uid) != is_number(user) => {
                Fact::unknown(Missing::new(format!("whether {uid} and {user} are one user"), "write the same in both"))
            }
            (Some(_), Some(_)) => uwsgi.uid.clone(),
            (Some(_), None) => job.user.clone(),
        };
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
    /// The addresses that another server of apps would bind.
    pub rivals: &'a [String],
}

/// Joins each pass with the socket at its address, or with the one it was probably meant for.
pub fn pass_links(passes: &[Arc<Pass>], sockets: &[Arc<Socket>], around: Surroundings<'_>) -> Vec<Arc<PassLink>> {
    let ends = Ends::of(passes, sockets);
    passes
        .par_iter()
        .map(|pass| {
            let mut link = PassLink::of_files(pass);
            (link.socket, link.confidence) = socket_of(pass, &ends, sockets.is_empty(), around);
            link.instance = instance_of(pass, &link.socket, &ends);
            link.other_socket = match &link.socket.answer {
                Answer::Known(_) => Fact::absent(),
                Answer::Unknown(missing) => Fact::unknown(missing.clone()),
                Answer::Absent => {
                    let (other, confidence) = other_socket(pass, &ends, around.containers);
                    link.confidence = confidence;
                    other
                }
            };
            Arc::new(link)
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
        // Only uWSGI speaks its own protocol.
        let is_uwsgis = wants_uwsgi_protocol(pass) && speak_alike(pass, socket);
        if !is_uwsgis
            && let Some(address) = pass.address.known()
            && around.rivals.iter().any(|bound| same_address(address, bound))
        {
            let what = format!("whether uWSGI or gunicorn answers at {address}");
            return unknown(&Missing::new(what, "lint the files of the one that runs without those of the other"));
        }
        if !is_sure && !speak_alike(pass, socket) {
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

/// The instance that binds the socket of a pass. Of several, such as one for development, none is guessed.
fn instance_of(pass: &Pass, socket: &Fact<Arc<Socket>>, ends: &Ends<'_>) -> Fact<Arc<Uwsgi>> {
    let Some(found) = socket.known() else { return socket.missing().cloned().map_or_else(Fact::absent, Fact::unknown) };
    let place = |socket: &Socket| socket.uwsgi.known().map(|uwsgi| uwsgi.place);
    if ends.sockets_at(pass).any(|other| place(other) != place(found)) {
        let address = pass.address.known().map_or("it", String::as_str);
        let what = format!("which of several uWSGI configurations binds {address}");
        return Fact::unknown(Missing::new(what, "lint the files of one host on their own"));
    }
    found.uwsgi.clone()
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

/// On a host, where every uWSGI is in sight: a pass to this host that meets nobody, and the one socket that no pass reaches,
/// belong together, also where one is a path and the other an address.
pub fn join_the_lost(links: &mut [Arc<PassLink>], sockets: &[Arc<Socket>]) {
    let passes: Vec<Arc<Pass>> = links.iter().filter_map(|link| link.pass.known().cloned()).collect();
    let mut unreached = sockets
        .iter()
        .filter(|socket| !passes.iter().any(|pass| meets(pass, socket)) && socket.address.known().is_some());
    let (Some(only), None) = (unreached.next(), unreached.next()) else { return };
    let is_lost = |link: &PassLink| {
        let connects = link.connects.known().is_some_and(|word| matches!(word.as_str(), "missing" | "refused"));
        let pass = link.pass.known().filter(|pass| wants_uwsgi(pass) && pass.local().known() == Some(&true));
        pass.filter(|_| connects && link.socket.is_absent()).and_then(|pass| pass.address.known().cloned())
    };
    let addresses: BTreeSet<String> = links.iter().filter_map(|link| is_lost(link)).collect();
    if addresses.len() != 1 {
        return;
    }
    for link in links.iter_mut().filter(|link| link.other_socket.is_absent() && is_lost(link).is_some()) {
        let link = Arc::make_mut(link);
        link.other_socket = Fact::derived(Arc::clone(only)).at(only.place);
        link.confidence = Confidence::Likely;
    }
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
    wants_uwsgi_protocol(pass) || is_unix_pass(pass)
}

fn wants_uwsgi_protocol(pass: &Pass) -> bool {
    pass.protocol().known() == Some(&"uwsgi")
}

/// Whether nginx and uWSGI talk in one protocol.
fn speak_alike(pass: &Pass, socket: &Socket) -> bool {
    pass.protocol().answer.known() == socket.protocol.known().map(String::as_str)
}

/// Whether both ends name one address, or the pass names a loopback address: no other host can be meant.
fn shares_address(pass: &Pass, socket: &Socket) -> bool {
    pass.local().known() == Some(&true) || pass.address.known() == socket.address.known()
}

/// Whether passes to other hosts, or in another protocol, have as good a claim to a socket that takes every address.
fn is_claimed_otherwise(pass: &Pass, socket: &Socket, ends: &Ends<'_>) -> bool {
    ends.passes_to(socket)
        .any(|other| other.address.known() != pass.address.known() || other.directive.known() != pass.directive.known())
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
    ini_is_placed && pass.local().known() == Some(&true)
}

#[cfg(test)]
mod tests;
