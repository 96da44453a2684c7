//! The login and the one question, through the `postgres` crate, in a thread that is left behind when time is over.

use std::net::IpAddr;
use std::sync::Arc;

use postgres::config::{ChannelBinding, SslMode};
use postgres::{Client, Config, NoTls, SimpleQueryMessage, SimpleQueryRow};
use rustls::ClientConfig;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Failure, Peer, Server, Stage, Target, classify};
use crate::host::deadline::Deadline;

/// Fixed, reads no table, and allowed to every role.
const QUESTION: &str =
    "BEGIN READ ONLY; SELECT pg_catalog.pg_is_in_recovery(), floor(extract(epoch FROM pg_catalog.now())); ROLLBACK";

/// How many sessions of the role have waited for a lock longer than a moment. `wait_event_type` is there from PostgreSQL 9.6 on, so a failure tells nothing.
const WAITING: &str = "BEGIN READ ONLY; SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE wait_event_type = 'Lock' \
                       AND query_start < pg_catalog.now() - interval '1 second' AND datname = pg_catalog.current_database(); ROLLBACK";

/// How many connections the role may have here, and where the server says that it was connected to: something in between, a
/// pooler or a translated address, is told by that. It tells nothing before 9.6, which lacks `current_setting` for what may lack.
const LIMIT: &str = "BEGIN READ ONLY; SELECT CASE WHEN pg_catalog.current_setting('is_superuser') = 'on' \
                     THEN pg_catalog.current_setting('max_connections')::int ELSE least( \
                     pg_catalog.current_setting('max_connections')::int \
                     - pg_catalog.current_setting('superuser_reserved_connections')::int \
                     - coalesce(pg_catalog.current_setting('reserved_connections', true)::int, 0), \
                     (SELECT nullif(rolconnlimit, -1) FROM pg_catalog.pg_roles WHERE rolname = current_user), \
                     (SELECT nullif(datconnlimit, -1) FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())) END, \
                     pg_catalog.inet_server_port(), pg_catalog.host(pg_catalog.inet_server_addr()); ROLLBACK";

/// Logs in over TLS as `tls` has it, or plain, asks, and leaves.
pub(super) fn run(
    peer: &Peer,
    target: &Target,
    tls: Option<Arc<ClientConfig>>,
    deadline: Deadline,
) -> Result<Server, Failure> {
    let config = config(peer, target, tls.is_some());
    let (port, address) = (peer.port, peer.address);
    let ended = deadline.run(move || {
        let client = match tls {
            Some(tls) => config.connect(MakeRustlsConnect::new(Arc::unwrap_or_clone(tls))),
            None => config.connect(NoTls),
        };
        let mut client = client.map_err(|error| classify::client(Stage::Login, &error))?;
        let server = ask(&mut client)?;
        Ok(Server { limit: limit(&mut client, port, address), ..server })
    });
    ended.unwrap_or_else(|| Err(Failure::new(Stage::Login, "peer.silent", "it did not answer the login in time")))
}

/// User, database and application name are all that is sent: poolers refuse other parameters.
fn config(peer: &Peer, target: &Target, with_tls: bool) -> Config {
    let mut config = Config::new();
    match peer.address {
        Some(address) => config.host(&peer.host).hostaddr(address),
        None => config.host_path(&peer.host),
    };
    config
        .port(peer.port)
        .user(&target.user)
        .dbname(&target.dbname)
        .application_name("housecall")
        .channel_binding(ChannelBinding::Prefer)
        .ssl_mode(if with_tls { SslMode::Require } else { SslMode::Disable });
    if let Some(password) = &target.password {
        config.password(password);
    }
    config
}

fn ask(client: &mut Client) -> Result<Server, Failure> {
    let answer = client.simple_query(QUESTION).map_err(|error| classify::client(Stage::Query, &error))?;
    let row = row_of(&answer);
    let (standby, now) = row.map(|row| (row.get(0), row.get(1))).unwrap_or_default();
    let now = now.and_then(|now| now.split('.').next()?.parse().ok());
    let (Some(standby), Some(now)) = (standby, now) else {
        return Err(Failure::new(Stage::Query, "server.error", "it answered the question with something else"));
    };
    let waiting = client.simple_query(WAITING).ok();
    let waiting = waiting.as_deref().and_then(row_of).and_then(|row| row.get(0)?.parse().ok());
    Ok(Server { standby: standby == "t", now, waiting, limit: None })
}

/// The limit of the very server that was connected to; a unix socket has neither port nor address.
fn limit(client: &mut Client, port: u16, address: Option<IpAddr>) -> Option<i64> {
    let answer = client.simple_query(LIMIT).ok()?;
    let row = row_of(&answer)?;
    let own = (row.get(1).and_then(|port| port.parse().ok()), row.get(2).and_then(|address| address.parse().ok()));
    let is_itself = own == (address.map(|_| port), address);
    row.get(0)?.parse().ok().filter(|_| is_itself)
}

fn row_of(answer: &[SimpleQueryMessage]) -> Option<&SimpleQueryRow> {
    answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })
}
