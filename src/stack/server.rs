//! The servers that the apps of a stack connect to, with how many connections they allow and how many all workers together
//! may open.

mod limit;

use std::collections::{BTreeMap, BTreeSet};

pub use limit::{Limit, Limits};

use crate::finding::Confidence;
use crate::rows;
use crate::source::Place;
use crate::stack::assemble::Instance;
use crate::stack::database::Database;
use crate::stack::fact::{Answer, Fact, Missing};

rows! {
    #[doc = "one PostgreSQL server, or pooler before it, whose limit is in sight and that apps of this stack connect to"]
    pub struct DatabaseServer in "database_servers" {
        #[doc = "where it is, as the app has it"]
        address: String,
        #[doc = "what answers there: `PostgreSQL` or `pgbouncer`"]
        program: String,
        #[doc = "the setting that limits it: `max_connections` or `max_client_conn`"]
        setting: String,
        #[doc = "how many connections it takes of the app"]
        allowed: i64,
        #[doc = "how many connections all workers together may open"]
        wanted: i64,
        #[doc = "the workers that were counted, such as `8 workers of uwsgi.ini with 2 connections each`"]
        counted: Vec<String>,
    }
}

/// How many connections there may be: at least so many, and at most, where that is known.
#[derive(Debug, Clone, Copy)]
struct Range {
    least: i64,
    most: Option<i64>,
}

/// What one instance may open to one server.
struct Share<'a> {
    instance: &'a Instance,
    database: &'a Database,
    each: Range,
    all: Range,
    sure: Confidence,
}

/// The servers of these instances for which `limit_of` knows a limit. Which run at one time is told by where their jobs lie; on
/// a host all do.
pub fn servers(
    instances: &[Instance],
    on_host: bool,
    limit_of: impl Fn(&Instance, &Database) -> Option<Limit>,
) -> Vec<DatabaseServer> {
    let mut shares: BTreeMap<(String, String), Vec<Share<'_>>> = BTreeMap::new();
    for (number, instance) in instances.iter().enumerate() {
        let together = if on_host { String::new() } else { runs_with(instance, number) };
        for (server, share) in shares_of(instance) {
            shares.entry((server, together.clone())).or_default().push(share);
        }
    }
    let rows = shares.values().filter_map(|shares| {
        let first = shares.iter().max_by_key(|share| share.all.least)?;
        row(shares, first, &limit_of(first.instance, first.database)?)
    });
    rows.collect()
}

/// What tells which instances run together: the folder that their jobs are started from, or the compose file. One whose job is
/// out of sight may be another host's.
fn runs_with(instance: &Instance, number: usize) -> String {
    let job = instance.link.job.known();
    let alone = || format!("#{number}");
    let Some((dialect, path)) = job.and_then(|job| Some((job.key.as_str(), job.path.known()?))) else { return alone() };
    match dialect {
        "compose" | "procfile" => path.clone(),
        _ => path.rsplit_once('/').map_or_else(alone, |(folder, _)| folder.to_owned()),
    }
}

/// The name by which two addresses of one server are the same: on this host a socket is as good as a port.
fn server_of(address: &str) -> Option<String> {
    if address.contains(", ") {
        return None;
    }
    if address.starts_with('/') {
        return Some("local:5432".to_owned());
    }
    let (host, port) = address.rsplit_once(':')?;
    let is_local = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    Some(format!("{}:{port}", if is_local { "local" } else { host }))
}

/// What an instance may open, by server. A database that only some function connects to may not be used at all: it counts where
/// no other of that server is.
fn shares_of(instance: &Instance) -> BTreeMap<String, Share<'_>> {
    let mut by_server: BTreeMap<String, Vec<&Database>> = BTreeMap::new();
    for database in instance.databases.iter().filter(|named| named.is_postgres()).map(|named| &named.row) {
        if let Some(server) = database.address.known().and_then(|address| server_of(address)) {
            by_server.entry(server).or_default().push(database);
        }
    }
    let shares = by_server.into_iter().filter_map(|(server, databases)| {
        let best = databases.iter().map(|database| database.confidence).max()?;
        let mut seen = BTreeSet::new();
        let counted: Vec<&Database> = databases
            .into_iter()
            .filter(|database| database.confidence == best || database.confidence > Confidence::Possible)
            .filter(|database| seen.insert((database.name.known(), database.user.known())))
            .collect();
        let counted = if best == Confidence::Possible { &counted[..1] } else { &counted[..] };
        Some((server, share(instance, counted)?))
    });
    shares.collect()
}

fn share<'a>(instance: &'a Instance, databases: &[&'a Database]) -> Option<Share<'a>> {
    let uwsgi = &instance.uwsgi.uwsgi;
    let threads = uwsgi.threads.known().map(|threads| (*threads).max(1));
    let of = databases.iter().map(|database| of_worker(database, threads));
    let each = of.fold(Range { least: 0, most: Some(0) }, |all, one| Range {
        least: all.least.saturating_add(one.least),
        most: all.most.zip(one.most).map(|(all, one)| all.saturating_add(one)),
    });
    // Without a number there is one worker at least.
    let workers = uwsgi.workers.known().map(|workers| (*workers).max(1));
    let all = Range {
        least: workers.unwrap_or(1).saturating_mul(each.least),
        most: workers.zip(each.most).map(|(workers, each)| workers.saturating_mul(each)),
    };
    let app = instance.link.app.known()?.confidence;
    let job = instance.link.job.known().map_or(Confidence::Likely, |job| job.confidence);
    let sure = databases.iter().map(|database| database.confidence).min()?;
    Some(Share {
        instance,
        database: databases.first()?,
        each,
        all,
        sure: sure.min(app).min(job).min(uwsgi.confidence),
    })
}

/// The connections of one worker to one database: each thread that works takes one, as far as the pool allows.
fn of_worker(database: &Database, threads: Option<i64>) -> Range {
    let at_once = database.pool_least.known().copied().unwrap_or(0);
    let within = |most: i64, threads: i64| threads.min(most).max(at_once);
    match (&database.pool_most.answer, threads) {
        (Answer::Known(most), Some(threads)) => {
            let connections = within(*most, threads);
            Range { least: connections, most: Some(connections) }
        }
        (Answer::Known(most), None) => Range { least: within(*most, 1), most: Some(at_once.max(*most)) },
        (Answer::Absent, Some(threads)) => Range { least: threads.max(at_once), most: Some(threads.max(at_once)) },
        (Answer::Absent, None) => Range { least: at_once.max(1), most: None },
        (Answer::Unknown(_), threads) => Range { least: 1, most: threads.filter(|threads| *threads == 1) },
    }
}

fn row(shares: &[Share<'_>], first: &Share<'_>, limit: &Limit) -> Option<DatabaseServer> {
    let uwsgi = &first.instance.uwsgi.uwsgi;
    let mut row = DatabaseServer::at(uwsgi.workers.place.unwrap_or(uwsgi.place));
    row.confidence = shares.iter().map(|share| share.sure).min()?.min(limit.sure);
    row.address = first.database.address.clone();
    row.program = Fact::derived(limit.program.to_owned());
    row.setting = Fact::derived(limit.setting.to_owned());
    row.allowed = limit.allowed.clone();
    let least = shares.iter().fold(0_i64, |all, share| all.saturating_add(share.all.least));
    let most = shares.iter().try_fold(0_i64, |all, share| Some(all.saturating_add(share.all.most?)));
    row.wanted = match (limit.allowed.known(), most) {
        (Some(allowed), _) if least > *allowed => Fact::derived(least),
        (Some(_), Some(most)) => Fact::derived(most),
        _ => Fact::unknown(missing(shares)),
    };
    row.wanted.place = Some(row.place);
    for share in shares {
        for (place, words) in places(share, std::ptr::eq(share, first)) {
            row.wanted = row.wanted.via(place, words);
        }
    }
    row.counted = Fact::derived(shares.iter().map(counted).collect());
    Some(row)
}

/// What is not known of the connections that may be opened.
fn missing(shares: &[Share<'_>]) -> Missing {
    let of_share = |share: &Share<'_>| {
        let uwsgi = &share.instance.uwsgi.uwsgi;
        let pools = share.database.pool_most.missing();
        uwsgi.workers.missing().or_else(|| uwsgi.threads.missing()).or(pools).cloned()
    };
    let unsaid = || Missing::new("how many connections the workers open", "compare it by hand");
    shares.iter().find_map(of_share).unwrap_or_else(unsaid)
}

/// The lines by which one instance opens so many.
fn places(share: &Share<'_>, is_first: bool) -> Vec<(Place, String)> {
    let uwsgi = &share.instance.uwsgi.uwsgi;
    let workers = uwsgi.workers.place.filter(|_| !is_first).map(|place| (place, counted(share)));
    let many = uwsgi.threads.known().filter(|threads| **threads > 1);
    let threads = many.zip(uwsgi.threads.place);
    let threads = threads.map(|(threads, place)| (place, format!("each serves {threads} requests at a time")));
    let pool = share.database.pool_most.known().zip(share.database.pool_most.place);
    let pool = pool.map(|(most, place)| (place, format!("the pool of each worker takes up to {most}")));
    let pool = pool.filter(|_| many.is_some() || share.each.least > 1);
    workers.into_iter().chain(threads).chain(pool).collect()
}

/// `8 workers of uwsgi.ini with 2 connections each`
fn counted(share: &Share<'_>) -> String {
    let uwsgi = &share.instance.uwsgi.uwsgi;
    let path = uwsgi.path.known().or_else(|| share.instance.link.job.known()?.path.known());
    let of = path.map(|path| format!(" of {path}")).unwrap_or_default();
    let workers = uwsgi.workers.known().copied().unwrap_or(1);
    let each = share.each.least;
    format!(
        "{workers} worker{}{of} with {each} connection{} each",
        if workers == 1 { "" } else { "s" },
        if each == 1 { "" } else { "s" }
    )
}
