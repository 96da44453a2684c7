//! The login and the one question, through the `postgres` crate, in a thread that is left behind when time is over.

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

/// Logs in over TLS as `tls` has it, or plain, asks, and leaves.
pub(super) fn run(
    peer: &Peer,
    target: &Target,
    tls: Option<Arc<ClientConfig>>,
    deadline: Deadline,
) -> Result<Server, Failure> {
    let config = config(peer, target, tls.is_some());
    let ended = deadline.run(move || {
        let client = match tls {
            Some(tls) => config.connect(MakeRustlsConnect::new(Arc::unwrap_or_clone(tls))),
            None => config.connect(NoTls),
        };
        ask(client.map_err(|error| classify::client(Stage::Login, &error))?)
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

fn ask(mut client: Client) -> Result<Server, Failure> {
    let answer = client.simple_query(QUESTION).map_err(|error| classify::client(Stage::Query, &error))?;
    let row = row_of(&answer);
    let (standby, now) = row.map(|row| (row.get(0), row.get(1))).unwrap_or_default();
    let now = now.and_then(|now| now.split('.').next()?.parse().ok());
    let (Some(standby), Some(now)) = (standby, now) else {
        return Err(Failure::new(Stage::Query, "server.error", "it answered the question with something else"));
    };
    let waiting = client.simple_query(WAITING).ok();
    let waiting = waiting.as_deref().and_then(row_of).and_then(|row| row.get(0)?.parse().ok());
    Ok(Server { standby: standby == "t", now, waiting })
}

fn row_of(answer: &[SimpleQueryMessage]) -> Option<&SimpleQueryRow> {
    answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })
}
