//! Against the healthy host and patches of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::host::{Access, Connect, Files as _, Host as _, Identity, NoAddress, connect};

fn healthy() -> Recorded {
    Recorded::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hosts/healthy")).unwrap()
}

const SOCKET: &str = "/run/thena/thena.sock";

fn nginx_worker() -> Identity {
    Identity { uid: 33, gid: 33, groups: vec![] }
}

#[test]
fn the_healthy_host_is_healthy() {
    let host = healthy();
    assert_eq!(host.connect_unix(SOCKET), Connect::Ok);
    assert_eq!(host.access(SOCKET, &nginx_worker()), Access::Allowed);
    assert_eq!(host.connect_tcp("127.0.0.1", 80), Connect::Ok);
    assert!(host.processes().unwrap().len() >= 6);
    assert!(host.users().unwrap().iter().any(|user| user.name == "thena"));
    assert_eq!(host.real_path("/srv/thena/current/uwsgi.ini").unwrap(), "/srv/thena/releases/20160503/uwsgi.ini");
    assert!(host.read("/srv/thena/current/uwsgi.ini").is_ok());
    assert_eq!(host.list("/etc/nginx/sites-enabled").unwrap(), ["thena"]);
    assert!(host.list("/etc").unwrap().contains(&"nginx".to_owned()));
}

#[test]
fn it_survives_being_written_and_read_again() {
    let host = healthy();
    let written = host.host_toml().unwrap();
    let again = Recorded::new("again", parse("again", &written).unwrap(), host.files.clone()).unwrap();
    assert_eq!(again.recording, host.recording);
    assert_eq!(again.processes(), host.processes());
}

#[test]
fn a_patch_takes_away_and_changes() {
    let killed =
        healthy().patched("process.902.gone = true\nprocess.905.gone = true\nprocess.906.gone = true").unwrap();
    assert_eq!(killed.connect_unix(SOCKET), Connect::Refused);
    assert_eq!(killed.unix_sockets().unwrap(), []);
    let stopped = killed.patched(&format!("file.\"{SOCKET}\".gone = true")).unwrap();
    assert_eq!(stopped.connect_unix(SOCKET), Connect::Missing);
    let closed = healthy().patched(&format!("[file.\"{SOCKET}\"]\nmode = \"0600\"")).unwrap();
    assert!(matches!(closed.access(SOCKET, &nginx_worker()), Access::Denied { needs: "w", mode: 0o600, uid: 998, .. }));
    assert_eq!(closed.connect_unix(SOCKET), Connect::Ok);
    assert_eq!(connect::unix_as(&closed, SOCKET, &nginx_worker()), Connect::Denied);
    assert_eq!(connect::unix_as(&killed, SOCKET, &nginx_worker()), Connect::Refused);
    assert_eq!(connect::unix_as(&stopped, SOCKET, &nginx_worker()), Connect::Missing);
    assert_eq!(connect::unix_as(&healthy(), SOCKET, &nginx_worker()), Connect::Ok);
    assert_eq!(
        closed.access(SOCKET, &nginx_worker()).because("www-data", &closed).unwrap(),
        "www-data needs w on /run/thena/thena.sock, which has mode 0600 and belongs to thena:www-data"
    );
}

#[test]
fn a_socket_whose_holders_were_hidden_is_there() {
    let host = healthy().patched(&format!("socket.\"{SOCKET}\".pids = []")).unwrap();
    assert_eq!(host.connect_unix(SOCKET), Connect::Ok);
}

#[test]
fn what_is_not_recorded_is_not_guessed() {
    let host = healthy();
    assert!(matches!(host.connect_tcp("10.9.9.9", 1), Connect::Other(_)));
    assert!(matches!(host.resolve("elsewhere.example"), Err(NoAddress::NoResolver(_))));
    assert!(host.patched("process.902.colour = 1").is_err());
    let login = "login.\"thena@db.thena.example:5432/thena\"";
    assert!(host.patched(&format!("{login} = {{ failed_at = \"logn\" }}")).is_err());
    let unseen = host.patched("[file.\"/etc/shadow\"]\nunreadable = true").unwrap();
    assert_eq!(unseen.read("/etc/shadow"), Err(ReadError::NoPermission));
}

#[test]
fn links_lead_through_dots_and_loops_end() {
    let host = healthy().patched("file.\"/srv/a/l\".link = \"../b/./f\"\nfile.\"/srv/o\".link = \"o\"").unwrap();
    let host = host.with_file("/srv/b/f", b"x".as_slice());
    assert_eq!(&*host.read("/srv/a/l").unwrap(), b"x");
    assert_eq!(host.read("/srv/o"), Err(ReadError::NotFound));
}

/// Pages show hosts as patches of the healthy one: each of them has to fit.
#[test]
fn the_hosts_of_the_pages_fit() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut fitted = 0;
    for family in file::list(&rules).unwrap() {
        for page in file::list(&rules.join(&family)).unwrap_or_default() {
            let text = std::fs::read_to_string(rules.join(&family).join(&page)).unwrap();
            for block in text.split("`host.toml`:\n```toml\n").skip(1) {
                let patch = block.split("```").next().unwrap();
                healthy().patched(patch).unwrap_or_else(|error| panic!("{family}/{page}: {}", error.message));
                fitted += 1;
            }
        }
    }
    assert!(fitted >= 15, "{fitted}");
}
