//! Logging in to PostgreSQL as the app would: name, TCP or unix socket, TLS, login, a few fixed questions. Each stage has
//! a deadline, and none is judged worse than libpq would fare.

mod classify;
mod session;
mod tls;

use std::borrow::Cow;
use std::net::{IpAddr, TcpStream};

pub(super) use tls::unverified;

use super::connect::{self, Connect, NoAddress};
use super::deadline::{Budget, Deadline};

/// Where and as whom to log in; made from a connection string.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// Hosts with their ports, in the order libpq tries them; one that starts with `/` is the folder of a unix socket.
    /// None at all means libpq's default socket.
    pub hosts: Vec<(String, u16)>,
    /// The role.
    pub user: String,
    /// Its password; it is sent to the server and nowhere else.
    pub password: Option<String>,
    /// The database.
    pub dbname: String,
    /// How TLS is used.
    pub sslmode: SslMode,
    /// The certificates, in PEM, that a verifying `sslmode` trusts; without them such a mode is not taken beyond TLS.
    pub root_certificates: Option<Vec<u8>>,
    /// Which way it is for this role at this place, counted from 0 as a run comes to them: a recording, which knows no
    /// password, tells two of them apart by it.
    pub number: usize,
}

/// No password in any debug output.
impl std::fmt::Debug for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { hosts, user, dbname, sslmode, .. } = self;
        let password = if self.password.is_some() { "set" } else { "none" };
        write!(formatter, "Target {{ {hosts:?}, {user:?}, {dbname:?}, {sslmode:?}, password: {password} }}")
    }
}

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// Plain, and TLS where the server refuses that.
    Allow,
    /// TLS, and plain where that fails: libpq's default.
    #[default]
    Prefer,
    /// TLS, nothing verified.
    Require,
    /// TLS with a certificate of a known issuer.
    VerifyCa,
    /// The same, for this very host name.
    VerifyFull,
}

impl SslMode {
    fn verifies(self) -> bool {
        matches!(self, SslMode::VerifyCa | SslMode::VerifyFull)
    }

    /// Whether each connection that libpq would try uses TLS, in its order.
    fn attempts(self) -> &'static [bool] {
        match self {
            SslMode::Disable => &[false],
            SslMode::Allow => &[false, true],
            SslMode::Prefer => &[true, false],
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[true],
        }
    }
}

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The name was resolved.
    Name,
    /// The TCP or unix connection stands.
    Tcp,
    /// The TLS handshake is done, or none is used.
    Tls,
    /// The server let the role in.
    Login,
    /// The question was answered.
    Query,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Stage; 5] = [Stage::Name, Stage::Tcp, Stage::Tls, Stage::Login, Stage::Query];

    /// The word that facts and rule pages use.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Name => "name",
            Stage::Tcp => "tcp",
            Stage::Tls => "tls",
            Stage::Login => "login",
            Stage::Query => "query",
        }
    }
}

/// Why and where a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The stage that was not reached.
    pub at: Stage,
    /// The class, such as `tcp.refused` or `auth.rejected`.
    pub class: Cow<'static, str>,
    /// The system's or the server's words, without secrets.
    pub said: String,
    /// Whether libpq would surely fail here too; where not, nothing may be concluded.
    pub proved: bool,
}

impl Failure {
    fn new(at: Stage, class: &'static str, said: impl Into<String>) -> Self {
        Self { at, class: Cow::Borrowed(class), said: said.into(), proved: true }
    }

    /// The same, where libpq may well succeed.
    fn unproved(mut self) -> Self {
        self.proved = false;
        self
    }
}

/// What logging in showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Login {
    /// Why it failed; `None` where the question was answered.
    pub failure: Option<Failure>,
    /// How many logins were tried: each may count against a lock-out at the server.
    pub logins: u32,
    /// What the server said of itself, where the question was answered.
    pub server: Option<Server>,
    /// Whether the connection that stood used TLS.
    pub tls: bool,
}

/// The answer to the one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Whether it is a standby, which refuses writes.
    pub standby: bool,
    /// Its clock, in seconds since 1970.
    pub now: i64,
    /// How many sessions of the role in this database have waited for a lock for a second; `None` where the server does not tell.
    pub waiting: Option<u32>,
    /// How many connections it takes of the role in this database, less what it keeps for superusers; `None` where it does not
    /// tell, or where something else than the server itself was connected to.
    pub limit: Option<i64>,
}

/// A host that was reached, and how to reach it again.
struct Peer {
    host: String,
    port: u16,
    /// None for a unix socket, whose folder is `host`.
    address: Option<IpAddr>,
}

/// Where Debian's libpq looks when no host is named.
const DEFAULT_SOCKET: (&str, u16) = ("/var/run/postgresql", 5432);

/// Logs in as libpq would with this target. The first host that accepts a connection decides.
pub fn login(target: &Target, budget: &Budget) -> Login {
    let default = [(DEFAULT_SOCKET.0.to_owned(), DEFAULT_SOCKET.1)];
    let hosts = if target.hosts.is_empty() { &default[..] } else { &target.hosts[..] };
    let mut first_failure = None;
    for (host, port) in hosts {
        match reach(host, *port, budget.deadline()) {
            Ok(peer) => return as_far_as_tried(without_secret(log_in(&peer, target, budget), target), budget),
            Err(failure) => _ = first_failure.get_or_insert(failure),
        }
    }
    as_far_as_tried(Login { failure: first_failure, ..Login::default() }, budget)
}

/// Where the run's time was over, no answer may as well mean that nobody waited for one.
fn as_far_as_tried(mut login: Login, budget: &Budget) -> Login {
    if budget.is_spent() {
        login.failure = login.failure.map(Failure::unproved);
    }
    login
}

/// Resolves and connects, then closes.
fn reach(host: &str, port: u16, deadline: Deadline) -> Result<Peer, Failure> {
    if host.starts_with(['/', '@']) {
        let path = socket_path(host, port);
        return match connect::unix(&path) {
            Connect::Ok => Ok(Peer { host: host.to_owned(), port, address: None }),
            other => {
                let failure = Failure::new(Stage::Tcp, classify::unix(&other), format!("{path}: {}", other.word()));
                // The app may be another user, and a full queue empties.
                Err(if matches!(other, Connect::Denied | Connect::Other(_)) { failure.unproved() } else { failure })
            }
        };
    }
    // The name is not quoted: an unescaped `@` in a password makes a part of it look like a host.
    let addresses = connect::resolve(host, deadline).map_err(|error| match error {
        NoAddress::NoSuchName => Failure::new(Stage::Name, "dns.nxdomain", "name or service not known"),
        NoAddress::NoResolver(words) => Failure::new(Stage::Name, "dns.resolver", words),
        NoAddress::TimedOut => Failure::new(Stage::Name, "dns.resolver", "the name service did not answer in time"),
    })?;
    match connect::open_tcp(&addresses, port, deadline) {
        Ok((address, _closed)) => Ok(Peer { host: host.to_owned(), port, address: Some(address) }),
        Err(other) => {
            let all: Vec<String> = addresses.iter().map(|address| format!("{address}:{port}")).collect();
            Err(Failure::new(Stage::Tcp, classify::tcp(&other), format!("{}: {}", all.join(", "), other.word())))
        }
    }
}

fn socket_path(folder: &str, port: u16) -> String {
    format!("{}/.s.PGSQL.{port}", folder.trim_end_matches('/'))
}

/// Tries TLS and plain in libpq's order; the next is tried where libpq would try it.
fn log_in(peer: &Peer, target: &Target, budget: &Budget) -> Login {
    // libpq uses no TLS on a unix socket, whatever sslmode says.
    let attempts = if peer.address.is_none() { &[false][..] } else { target.sslmode.attempts() };
    let mut login = Login::default();
    for (nth, with_tls) in attempts.iter().enumerate() {
        let is_last = nth + 1 == attempts.len();
        let failure = match attempt(peer, target, *with_tls, budget, &mut login) {
            Ok(server) => {
                login.server = Some(server);
                login.failure = None;
                login.tls = *with_tls;
                return login;
            }
            Err(failure) => failure,
        };
        let again =
            !is_last && (matches!(&*failure.class, "tls.not_offered" | "tls.handshake") || failure.at == Stage::Login);
        // A server without TLS says nothing new to someone who came from plain, nor one that wants it to someone who had it.
        let says_nothing_new = failure.at == Stage::Tls || failure.class == "tls.required";
        if login.failure.is_none() || !says_nothing_new {
            login.failure = Some(failure);
        }
        if !again {
            break;
        }
    }
    login
}

/// One connection: what TLS gives is looked at first, so that a silent or foreign server is told from a refusal.
fn attempt(
    peer: &Peer,
    target: &Target,
    with_tls: bool,
    budget: &Budget,
    login: &mut Login,
) -> Result<Server, Failure> {
    let tls = match (peer.address, with_tls) {
        (Some(address), true) => {
            let deadline = budget.deadline();
            let silent = || Failure::new(Stage::Tls, "peer.silent", "it accepted the connection and said nothing");
            let left = deadline.left().ok_or_else(silent)?;
            let stream = TcpStream::connect_timeout(&(address, peer.port).into(), left).map_err(|error| {
                Failure::new(Stage::Tcp, classify::tcp(&connect::of_error(&error)), error.kind().to_string())
            })?;
            let asked = tls::Asked::new(&peer.host, target);
            // Its reads have a limit each, which a server that sends one byte at a time could stretch.
            Some(deadline.run(move || tls::handshake(stream, &asked, deadline)).unwrap_or_else(|| Err(silent()))?)
        }
        _ => None,
    };
    login.logins += 1;
    session::run(peer, target, tls, budget.deadline())
}

/// A server could repeat what it was sent.
fn without_secret(mut login: Login, target: &Target) -> Login {
    if let (Some(failure), Some(password)) = (&mut login.failure, &target.password)
        && !password.is_empty()
    {
        failure.said = failure.said.replace(password.as_str(), "…");
    }
    login
}

#[cfg(test)]
mod tests;
