//! From what was seen to the class of the failure. A class never says more than was seen: PostgreSQL answers alike to
//! a wrong password, an unknown role and an expired one.

use postgres::error::{DbError, SqlState};

use super::{Failure, Stage};
use crate::host::Connect;

/// The class of a TCP connection that failed.
pub(super) fn tcp(seen: &Connect) -> &'static str {
    match seen {
        Connect::Refused => "tcp.refused",
        Connect::TimedOut => "tcp.timeout",
        Connect::Missing => "dns.nxdomain",
        _ => "tcp.unreachable",
    }
}

/// The class of a unix connection that failed.
pub(super) fn unix(seen: &Connect) -> &'static str {
    match seen {
        Connect::Missing => "unix.missing",
        Connect::Refused => "unix.refused",
        Connect::Denied => "unix.denied",
        _ => "unix.unreachable",
    }
}

/// The failure behind an answer of the server, by its SQLSTATE; words only where one state has several meanings.
pub(super) fn server(at: Stage, error: &DbError) -> Failure {
    let message = error.message();
    let class = match error.code() {
        code if *code == SqlState::INVALID_PASSWORD => "auth.rejected",
        code if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => refused_role(message),
        code if *code == SqlState::INVALID_CATALOG_NAME => "db.missing",
        code if *code == SqlState::TOO_MANY_CONNECTIONS => full(message),
        code if *code == SqlState::CANNOT_CONNECT_NOW => "server.starting",
        code if *code == SqlState::ADMIN_SHUTDOWN => "server.stopping",
        code if *code == SqlState::READ_ONLY_SQL_TRANSACTION => "readonly",
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => "db.not_permitted",
        code if *code == SqlState::PROTOCOL_VIOLATION => pooler(message),
        _ => "server.error",
    };
    let failure = Failure::new(at, class, format!("{} (SQLSTATE {})", message, error.code().code()));
    match class {
        // PostgreSQL asks the system who connects, and here that is not the service.
        "auth.peer" => failure.unproved(),
        _ => failure,
    }
}

/// pgbouncer gives one state to all that it says itself, and to what PostgreSQL told it at its own login (`src/objects.c`:
/// `disconnect_client`, `kill_pool_logins`); so here the words tell.
fn pooler(message: &str) -> &'static str {
    const BEHIND: [&str; 5] = [
        "server login has been failing",
        "cannot connect to server",
        "server login failed",
        "server down",
        "query_wait_timeout",
    ];
    match message {
        words if words.starts_with("no such database") => "db.missing",
        words if words.contains("database \"") && words.contains("does not exist") => "db.missing",
        words if words.starts_with("no such user") || words.contains("password authentication failed") => {
            "auth.rejected"
        }
        words if words.contains("is not permitted to log in") => "auth.nologin",
        words if words.contains("pg_hba.conf") => refused_role(words),
        words if words.contains("too many connections for") => full(words),
        words if words.contains("no more connections allowed") => "limit.server",
        words if words.starts_with("SSL required") => "tls.required",
        words if BEHIND.iter().any(|known| words.contains(known)) => "pooler.server",
        _ => "server.error",
    }
}

fn refused_role(message: &str) -> &'static str {
    match message {
        words if words.contains("pg_hba") && words.ends_with("no encryption") => "tls.required",
        words if words.contains("pg_hba") => "auth.hba",
        words if words.starts_with("Peer authentication") || words.starts_with("Ident authentication") => "auth.peer",
        _ => "auth.nologin",
    }
}

/// The limits of a role, of a database and of the server share a state; the messages of the first two quote a name.
fn full(message: &str) -> &'static str {
    match message {
        words if words.contains("database \"") => "limit.database",
        words if words.contains('"') => "limit.role",
        _ => "limit.server",
    }
}

/// The failure behind an error of the client.
pub(super) fn client(at: Stage, error: &postgres::Error) -> Failure {
    if let Some(answer) = error.as_db_error() {
        return server(at, answer);
    }
    let words = chain(error);
    let knows = |part: &str| words.contains(part);
    if knows("password missing") {
        return Failure::new(at, "auth.no_password", "the server asks for a password and none is given");
    }
    if error.is_closed() || knows("early eof") || knows("connection closed") || knows("unexpected end of file") {
        return Failure::new(at, "peer.closed", "the server closed the connection");
    }
    if knows("TLS") {
        return Failure::new(Stage::Tls, "tls.handshake", words).unproved();
    }
    if knows("unsupported authentication method") {
        return Failure::new(at, "auth.unsupported", words).unproved();
    }
    Failure::new(at, "not_postgres", words).unproved()
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}
