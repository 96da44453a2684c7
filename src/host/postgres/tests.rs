//! Against servers on the loopback that play one part each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use super::*;

/// A server that treats each connection with `play`; gives its port.
fn serve(play: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(play));
    port
}

fn target(port: u16, sslmode: SslMode) -> Target {
    Target {
        hosts: vec![("127.0.0.1".to_owned(), port)],
        user: "thena".to_owned(),
        password: Some("s3cret-canary".to_owned()),
        dbname: "thena".to_owned(),
        sslmode,
        root_certificates: None,
        number: 0,
    }
}

fn failure(target: &Target) -> Failure {
    login(target, &Budget::default()).failure.expect("a failure")
}

/// Reads a message that starts with its own length; `None` where the peer left.
fn startup_packet(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

fn error_response(state: &str, message: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{state}\0M{message}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap();
    [b"E".as_slice(), &length.to_be_bytes(), fields.as_bytes()].concat()
}

/// A server without TLS that refuses every login with one error.
fn refusing(state: &'static str, message: &'static str) -> u16 {
    serve(move |mut stream| {
        while let Some(packet) = startup_packet(&mut stream) {
            let is_ssl_request = packet == SSL_REQUEST_BODY;
            let answer = if is_ssl_request { b"N".to_vec() } else { error_response(state, message) };
            if stream.write_all(&answer).is_err() || !is_ssl_request {
                return;
            }
        }
    })
}

const SSL_REQUEST_BODY: [u8; 4] = [4, 210, 22, 47];

#[test]
fn a_refused_login_is_not_called_a_wrong_password() {
    let port = refusing("28P01", "password authentication failed for user \"thena\"");
    for mode in [SslMode::Disable, SslMode::Prefer, SslMode::Allow] {
        let login = login(&target(port, mode), &Budget::default());
        let failure = login.failure.unwrap();
        assert_eq!((&*failure.class, failure.at, failure.proved), ("auth.rejected", Stage::Login, true), "{mode:?}");
        assert_eq!(login.logins, 1, "{mode:?}");
        assert!(failure.said.contains("28P01"));
    }
}

#[test]
fn states_have_classes() {
    for (state, message, class) in [
        ("3D000", "database \"thena\" does not exist", "db.missing"),
        ("28000", "role \"thena\" is not permitted to log in", "auth.nologin"),
        (
            "28000",
            "no pg_hba.conf entry for host \"127.0.0.1\", user \"a\", database \"b\", no encryption",
            "tls.required",
        ),
        (
            "28000",
            "pg_hba.conf rejects connection for host \"127.0.0.1\", user \"a\", database \"b\", SSL encryption",
            "auth.hba",
        ),
        ("53300", "too many connections for role \"thena\"", "limit.role"),
        ("53300", "sorry, too many clients already", "limit.server"),
        ("57P03", "the database system is starting up", "server.starting"),
    ] {
        assert_eq!(failure(&target(refusing(state, message), SslMode::Disable)).class, class, "{message}");
    }
}

#[test]
fn what_a_server_repeats_holds_no_secret() {
    let failure = failure(&target(refusing("28000", "no s3cret-canary here"), SslMode::Disable));
    assert!(!failure.said.contains("s3cret-canary"), "{}", failure.said);
    let shown = format!("{:?}", target(1, SslMode::Disable));
    assert!(!shown.contains("s3cret-canary"), "{shown}");
}

#[test]
fn a_silent_listener_ends_in_time() {
    let port = serve(|stream| {
        std::thread::sleep(Duration::from_secs(60));
        drop(stream);
    });
    let budget = Budget::new(Duration::from_secs(20), Duration::from_millis(200));
    for (mode, at) in [(SslMode::Require, Stage::Tls), (SslMode::Disable, Stage::Login)] {
        let begin = Instant::now();
        let failure = login(&target(port, mode), &budget).failure.unwrap();
        assert_eq!((&*failure.class, failure.at), ("peer.silent", at));
        assert!(begin.elapsed() < Duration::from_secs(5), "{mode:?} took {:?}", begin.elapsed());
    }
}

#[test]
fn what_nobody_waited_for_is_not_proved() {
    let silent = serve(|stream| {
        std::thread::sleep(Duration::from_secs(60));
        drop(stream);
    });
    for mode in [SslMode::Require, SslMode::Disable] {
        let spent = Budget::new(Duration::ZERO, Duration::from_secs(3));
        let failure = login(&target(silent, mode), &spent).failure.unwrap();
        assert!(!failure.proved, "{mode:?}: {failure:?}");
        let ends_first = Budget::new(Duration::from_millis(200), Duration::from_secs(3));
        let failure = login(&target(silent, mode), &ends_first).failure.unwrap();
        assert_eq!((&*failure.class, failure.proved), ("peer.silent", false), "{mode:?}");
    }
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let failure = failure(&target(port, SslMode::Prefer));
    assert_eq!((&*failure.class, failure.at), ("tcp.refused", Stage::Tcp));
    assert_eq!(failure.said, format!("127.0.0.1:{port}: refused"));
}

#[test]
fn the_next_host_is_tried() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut target = target(nobody, SslMode::Disable);
    target.hosts.push(("127.0.0.1".to_owned(), refusing("3D000", "no such database")));
    assert_eq!(failure(&target).class, "db.missing");
}

#[test]
fn a_unix_socket_is_missing_or_stale() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = target(5432, SslMode::Require);
    target.hosts = vec![(folder.path().to_str().unwrap().to_owned(), 5432)];
    assert_eq!(failure(&target).class, "unix.missing");
    drop(UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap());
    assert_eq!(failure(&target).class, "unix.refused");
}

#[test]
fn tls_is_refused_foreign_or_cut() {
    let port = refusing("28P01", "no");
    assert_eq!(failure(&target(port, SslMode::Require)).class, "tls.not_offered");
    let http = serve(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    assert_eq!(failure(&target(http, SslMode::Require)).class, "not_postgres");
    let closing = serve(drop);
    assert_eq!(failure(&target(closing, SslMode::Require)).class, "peer.closed");
    let garbage = serve(|mut stream| {
        let _ = startup_packet(&mut stream);
        let _ = stream.write_all(b"Sthis is no handshake at all");
    });
    let failure = failure(&target(garbage, SslMode::Require));
    assert_eq!((&*failure.class, failure.proved), ("tls.handshake", false));
}
