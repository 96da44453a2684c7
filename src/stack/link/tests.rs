//! Which pass meets which socket.

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

fn pass(address: &str, protocol: &'static str) -> Arc<Pass> {
    let mut pass = Pass::at(place());
    pass.directive = Fact::derived(if protocol == "uwsgi" { "uwsgi_pass" } else { "proxy_pass" });
    pass.address = Fact::derived(address.to_owned());
    Arc::new(pass)
}

fn socket(address: &str, protocol: &str) -> Arc<Socket> {
    let mut socket = Socket::at(place());
    socket.protocol = Fact::derived(protocol.to_owned());
    socket.address = Fact::derived(address.to_owned());
    Arc::new(socket)
}

fn linked(passes: &[Arc<Pass>], sockets: &[Arc<Socket>]) -> Arc<PassLink> {
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

#[test]
fn of_two_instances_at_one_address_none_is_it() {
    let uwsgi = |at: usize| {
        let mut sources = crate::source::Sources::default();
        (0..at).for_each(|_| _ = sources.add("x", Vec::new(), crate::source::Origin::File));
        let file = sources.add("x", Vec::new(), crate::source::Origin::File);
        Arc::new(Uwsgi::at(crate::source::Place::whole(file)))
    };
    let bound_by = |uwsgi: &Arc<Uwsgi>| {
        let mut row = Socket::clone(&socket("127.0.0.1:8000", "uwsgi"));
        row.uwsgi = Fact::derived(Arc::clone(uwsgi));
        Arc::new(row)
    };
    let (live, dev) = (uwsgi(0), uwsgi(1));
    let passes = [pass("127.0.0.1:8000", "uwsgi")];
    assert!(linked(&passes, &[bound_by(&live), bound_by(&live)]).instance.known().is_some());
    let both = linked(&passes, &[bound_by(&live), bound_by(&dev)]);
    assert!(both.socket.known().is_some() && both.instance.is_unknown());
}

#[test]
fn where_gunicorn_would_bind_the_same_address_neither_is_guessed() {
    let rivals = ["127.0.0.1:8001".to_owned()];
    let around = Surroundings { rivals: &rivals, ..Surroundings::default() };
    let link = |protocol, spoken| {
        pass_links(&[pass("127.0.0.1:8001", protocol)], &[socket("127.0.0.1:8001", spoken)], around).remove(0)
    };
    assert!(link("http", "uwsgi").socket.is_unknown());
    // Both speak it, so that what is said of uWSGI's socket may be of no account.
    assert!(link("http", "http").socket.is_unknown());
    assert!(link("uwsgi", "uwsgi").socket.known().is_some());
    assert!(link("uwsgi", "http").socket.is_unknown());
}
