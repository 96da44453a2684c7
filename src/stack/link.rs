//! The chain: nginx to uWSGI to its job to the app, each link with how it was made and how sure it is.

use crate::rows;
use std::sync::Arc;

use crate::finding::Confidence;
use crate::stack::app::App;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::job::Job;
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

/// Finds the one candidate that `path` names: by the very path, else by its base name where only one has it.
///
/// `None` where none or several fit: of two candidates none is guessed.
pub fn by_path<'a, T>(candidates: &'a [T], path_of: impl Fn(&T) -> &str, path: &str) -> Option<(&'a T, Confidence)> {
    if let Some(exact) = candidates.iter().find(|candidate| path_of(candidate) == path) {
        return Some((exact, Confidence::Proved));
    }
    let base = |path: &str| {
        path.rsplit('/').next().unwrap_or_default().trim_end_matches(".erb").trim_end_matches(".j2").to_owned()
    };
    let wanted = base(path);
    let mut named = candidates.iter().filter(|candidate| base(path_of(candidate)) == wanted);
    match (named.next(), named.next()) {
        (Some(only), None) => Some((only, Confidence::Possible)),
        _ => None,
    }
}

/// Joins each pass with the socket at its address, or with the one it was probably meant for.
pub fn pass_links(passes: &[Arc<Pass>], sockets: &[Arc<Socket>], open: Option<&Missing>) -> Vec<PassLink> {
    let unreached: Vec<&Arc<Socket>> = sockets
        .iter()
        .filter(|socket| !passes.iter().any(|pass| meets(pass, socket)) && socket.address.known().is_some())
        .collect();
    passes.iter().map(|pass| pass_link(pass, sockets, &unreached, open)).collect()
}

fn pass_link(
    pass: &Arc<Pass>,
    sockets: &[Arc<Socket>],
    unreached: &[&Arc<Socket>],
    open: Option<&Missing>,
) -> PassLink {
    let mut link = PassLink::at(pass.place);
    link.key = pass.key.clone();
    link.pass = Fact::derived(Arc::clone(pass)).at(pass.place);
    link.socket = socket_of(pass, sockets, open);
    link.other_socket = match &link.socket.answer {
        Answer::Known(_) => Fact::absent(),
        Answer::Unknown(missing) => Fact::unknown(missing.clone()),
        Answer::Absent => {
            let mut same_kind = unreached.iter().filter(|socket| is_unix(socket) == is_unix_pass(pass));
            match (same_kind.next(), same_kind.next()) {
                (Some(only), None) => Fact::derived(Arc::clone(only)).at(only.place),
                _ => Fact::absent(),
            }
        }
    };
    if let Some(only) = link.other_socket.known() {
        link.confidence = if share_a_host(pass, only) { Confidence::Likely } else { Confidence::Possible };
    }
    link
}

fn socket_of(pass: &Pass, sockets: &[Arc<Socket>], open: Option<&Missing>) -> Fact<Arc<Socket>> {
    if let Some(socket) = sockets.iter().find(|socket| meets(pass, socket)) {
        return Fact::derived(Arc::clone(socket)).at(socket.place);
    }
    if let Some(missing) = pass.address.missing() {
        return Fact::unknown(missing.clone());
    }
    if let Some(missing) = sockets.iter().find_map(|socket| socket.address.missing()).or(open) {
        return Fact::unknown(missing.clone());
    }
    if sockets.is_empty() {
        return Fact::unknown(Missing::new("the configuration of uWSGI", "lint it together with nginx's"));
    }
    Fact::absent()
}

/// Whether a pass and a socket are one address.
fn meets(pass: &Pass, socket: &Socket) -> bool {
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

fn is_unix(socket: &Socket) -> bool {
    socket.address.known().is_some_and(|address| address.starts_with('/') || !address.contains(':'))
}

fn is_unix_pass(pass: &Pass) -> bool {
    pass.address.known().is_some_and(|address| address.starts_with('/') || !address.contains(':'))
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

    #[test]
    fn of_two_candidates_none_is_guessed() {
        let two = ["a/uwsgi.ini", "b/uwsgi.ini"];
        assert!(by_path(&two, |path| path, "/etc/uwsgi.ini").is_none());
        assert_eq!(by_path(&two, |path| path, "b/uwsgi.ini").map(|(_, sure)| sure), Some(Confidence::Proved));
        assert_eq!(by_path(&two[..1], |path| path, "/etc/uwsgi.ini").map(|(_, sure)| sure), Some(Confidence::Possible));
    }
}
