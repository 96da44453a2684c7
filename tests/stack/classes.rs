//! How the login to a database can fail, each way brought about by a real PostgreSQL or a listener that plays one part, and the
//! class that housecall gives it. No class says more than was seen: a wrong password, an unknown role and an expired one are one.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use housecall::host::deadline::Budget;
use housecall::host::postgres::login;
use housecall::host::{SslMode, Stage, Target};

use crate::pgbouncer::Pgbouncer;
use crate::postgres::{PASSWORD, Postgres};
use crate::refusing::refusing_port;

/// What a connection string asks for, what came of it, and whether libpq would surely fail too.
struct Row {
    what: &'static str,
    target: Target,
    class: Option<(&'static str, Stage)>,
    proved: bool,
}

fn row(what: &'static str, target: Target, at: Stage, class: &'static str) -> Row {
    Row { what, target, class: Some((class, at)), proved: true }
}

/// Every row that housecall classes otherwise than the table says.
pub fn wrongly_classed(server: &Postgres) -> Vec<String> {
    let (standby, (full, _taken)) = (server.recovering(), server.with_one_slot());
    let (aged, pools) = (server.with_expired_certificate(), Pools::start(server));
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    println!("{:<44}{:<8}{:<20}{:>8}", "the database", "stage", "class", "seconds");
    let rows = rows(server, standby.port, full.port).into_iter().chain(listeners(folder.path()));
    let rows = rows.chain([expired(server, aged.port)]).chain(pools.rows());
    for Row { what, target, class, proved } in rows {
        let started = std::time::Instant::now();
        let outcome = login(&target, &Budget::new(Duration::from_secs(20), Duration::from_millis(1500)));
        let seen = outcome.failure.as_ref().map(|failure| (&*failure.class, failure.at));
        let (shown, stage) = seen.map_or(("ok", "-"), |(class, at)| (class, at.word()));
        println!("{what:<44}{stage:<8}{shown:<20}{:>8.2}", started.elapsed().as_secs_f64());
        let is_proved = outcome.failure.as_ref().is_none_or(|failure| failure.proved);
        let said = outcome.failure.as_ref().map(|failure| failure.said.as_str()).unwrap_or_default();
        if seen != class || is_proved != proved || said.contains(PASSWORD) {
            wrong.push(format!("{what}: {seen:?} (proved: {is_proved}), not {class:?}: {said}"));
        }
    }
    wrong
}

fn rows(server: &Postgres, recovering: u16, full: u16) -> Vec<Row> {
    let app = || Target {
        hosts: vec![("127.0.0.1".to_owned(), server.port)],
        user: "thena".to_owned(),
        password: Some(PASSWORD.to_owned()),
        dbname: "thena".to_owned(),
        sslmode: SslMode::Prefer,
        root_certificates: None,
        number: 0,
    };
    let role = |user: &str| Target { user: user.to_owned(), ..app() };
    let at = |host: &str, port| Target { hosts: vec![(host.to_owned(), port)], ..app() };
    let verifying = |sslmode, host: &str, certificate: &str| {
        let root_certificates = Some(server.certificate(certificate));
        Target { sslmode, root_certificates, ..at(host, server.port) }
    };
    let ok = |what, target| Row { what, target, class: None, proved: true };
    let plain = |target| Target { sslmode: SslMode::Disable, ..target };
    let second = vec![("127.0.0.1".to_owned(), refusing_port()), ("127.0.0.1".to_owned(), server.port)];
    vec![
        ok("as it should be", app()),
        ok("sslmode=require", Target { sslmode: SslMode::Require, ..app() }),
        ok("sslmode=allow", Target { sslmode: SslMode::Allow, ..app() }),
        ok("verify-ca, its own certificate", verifying(SslMode::VerifyCa, "127.0.0.1", "server")),
        ok("verify-full, its own certificate", verifying(SslMode::VerifyFull, "localhost", "server")),
        ok("the second of two hosts", Target { hosts: second, ..app() }),
        row("nobody listens", at("127.0.0.1", refusing_port()), Stage::Tcp, "tcp.refused"),
        row("no such name", at("thena-db.invalid", 5432), Stage::Name, "dns.nxdomain"),
        row("another issuer", verifying(SslMode::VerifyCa, "127.0.0.1", "other"), Stage::Tls, "tls.verify.issuer"),
        row("another name", verifying(SslMode::VerifyFull, "127.0.0.1", "server"), Stage::Tls, "tls.verify.name"),
        Row {
            proved: false,
            ..row("no root certificate", Target { sslmode: SslMode::VerifyCa, ..app() }, Stage::Tls, "tls.not_verified")
        },
        row("a wrong password", Target { password: Some("wrong".to_owned()), ..app() }, Stage::Login, "auth.rejected"),
        row("a role that is not there", role("nobody"), Stage::Login, "auth.rejected"),
        row("a role that has expired", role("expired"), Stage::Login, "auth.rejected"),
        row("no password", Target { password: None, ..app() }, Stage::Login, "auth.no_password"),
        row("a role that may not log in", role("idle"), Stage::Login, "auth.nologin"),
        Row {
            proved: false,
            ..row(
                "the system says who connects",
                Target { user: "peered".to_owned(), ..at(&server.socket_folder(), server.port) },
                Stage::Login,
                "auth.peer",
            )
        },
        row("a line of pg_hba.conf rejects", role("barred"), Stage::Login, "auth.hba"),
        row("without TLS no line of pg_hba.conf fits", plain(app()), Stage::Login, "tls.required"),
        row("no such database", Target { dbname: "thenna".to_owned(), ..app() }, Stage::Login, "db.missing"),
        row(
            "no right to the database",
            Target { dbname: "shut".to_owned(), ..app() },
            Stage::Login,
            "db.not_permitted",
        ),
        row("the role's limit", role("full"), Stage::Login, "limit.role"),
        row("the database's limit", Target { dbname: "tight".to_owned(), ..app() }, Stage::Login, "limit.database"),
        row("the server's limit", plain(at("127.0.0.1", full)), Stage::Login, "limit.server"),
        row("the server recovers", plain(at("127.0.0.1", recovering)), Stage::Login, "server.starting"),
        row(
            "the server has no TLS",
            Target { sslmode: SslMode::Require, ..at("127.0.0.1", recovering) },
            Stage::Tls,
            "tls.not_offered",
        ),
    ]
}

/// A certificate that was right until yesterday.
fn expired(server: &Postgres, port: u16) -> Row {
    let target = Target {
        hosts: vec![("localhost".to_owned(), port)],
        user: "thena".to_owned(),
        password: Some(PASSWORD.to_owned()),
        dbname: "thena".to_owned(),
        sslmode: SslMode::VerifyFull,
        root_certificates: Some(server.certificate("expired")),
        number: 0,
    };
    row("a certificate that has expired", target, Stage::Tls, "tls.verify.time")
}

/// Real pgbouncers: one with PostgreSQL behind it, one with nobody, one that is full.
struct Pools {
    live: Pgbouncer,
    dead: Pgbouncer,
    full: Pgbouncer,
    _taken: TcpStream,
}

impl Pools {
    fn start(server: &Postgres) -> Self {
        let full = Pgbouncer::to(server.port, "max_client_conn = 1\n");
        let taken = TcpStream::connect(("127.0.0.1", full.port)).unwrap();
        Self { live: Pgbouncer::to(server.port, ""), dead: Pgbouncer::to(refusing_port(), ""), full, _taken: taken }
    }

    fn rows(&self) -> Vec<Row> {
        let at = |pool: &Pgbouncer| Target {
            hosts: vec![("127.0.0.1".to_owned(), pool.port)],
            user: "thena".to_owned(),
            password: Some(PASSWORD.to_owned()),
            dbname: "thena".to_owned(),
            sslmode: SslMode::Disable,
            root_certificates: None,
            number: 0,
        };
        let live = || at(&self.live);
        let refused = |what, target, class| row(what, target, Stage::Login, class);
        vec![
            Row { what: "through pgbouncer", target: live(), class: None, proved: true },
            // It keeps whoever comes until it has a connection of its own.
            refused("pgbouncer, nobody behind it", at(&self.dead), "peer.silent"),
            refused(
                "pgbouncer, a wrong password",
                Target { password: Some("no".to_owned()), ..live() },
                "auth.rejected",
            ),
            refused("pgbouncer, an unknown user", Target { user: "nobody".to_owned(), ..live() }, "auth.rejected"),
            refused(
                "pgbouncer, a database it has not",
                Target { dbname: "nowhere".to_owned(), ..live() },
                "db.missing",
            ),
            refused(
                "pgbouncer, a database that is not there",
                Target { dbname: "thenna".to_owned(), ..live() },
                "db.missing",
            ),
            refused(
                "pgbouncer, a role that may not log in",
                Target { user: "idle".to_owned(), ..live() },
                "auth.nologin",
            ),
            refused("pgbouncer, its own limit", at(&self.full), "limit.server"),
        ]
    }
}

/// What is no PostgreSQL, or not one that answers.
fn listeners(folder: &Path) -> Vec<Row> {
    let at = |host: String, port, sslmode| Target {
        hosts: vec![(host, port)],
        user: "thena".to_owned(),
        password: Some(PASSWORD.to_owned()),
        dbname: "thena".to_owned(),
        sslmode,
        root_certificates: None,
        number: 0,
    };
    let tcp = |port, sslmode| at("127.0.0.1".to_owned(), port, sslmode);
    let path = folder.to_str().unwrap().to_owned();
    drop(std::os::unix::net::UnixListener::bind(folder.join(".s.PGSQL.5433")).unwrap());
    let silent = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let http = serve(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let closing = serve(drop);
    let unanswered = unanswered();
    vec![
        row("a socket that is not there", at(path.clone(), 5432, SslMode::Prefer), Stage::Tcp, "unix.missing"),
        row("a socket that was left behind", at(path, 5433, SslMode::Prefer), Stage::Tcp, "unix.refused"),
        row("silence, with TLS", tcp(silent, SslMode::Require), Stage::Tls, "peer.silent"),
        row("silence, without TLS", tcp(silent, SslMode::Disable), Stage::Login, "peer.silent"),
        row("a web server", tcp(http, SslMode::Require), Stage::Tls, "not_postgres"),
        row("nothing answers at all", tcp(unanswered, SslMode::Require), Stage::Tcp, "tcp.timeout"),
        row("it hangs up", tcp(closing, SslMode::Require), Stage::Tls, "peer.closed"),
    ]
}

/// An address that answers nothing more, as behind a firewall: its queue is full. It ends with the test.
fn unanswered() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        waiting.push(stream);
    }
    std::mem::forget((listener, waiting));
    address.port()
}

/// A server that treats each connection with `play`; gives its port. It ends with the test.
fn serve(play: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(play));
    port
}
