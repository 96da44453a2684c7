//! `housecall doctor`: name the broken hop of this server.

use std::io;
use std::time::Duration;

use super::args::{Doctor, Listing};
use super::{CLEAN, FOUND, Streams, UNJUDGED, USAGE};
use crate::diagnosis::{Diagnosis, State};
use crate::engine::{self, Seen, Visit};
use crate::host::deadline::Budget;
use crate::host::live::Live;
use crate::output::{Shown, Texts, doctor, json};

/// Required hops that are not asked for without a login.
const LOGIN: &[&str] = &["login"];
/// Those that are not asked for without a network.
const NETWORK: &[&str] = &["listen", "upstream-socket", "dns", "tcp"];

pub(super) fn run(args: Doctor, shown: Shown, streams: &mut Streams<'_>) -> io::Result<u8> {
    let text = |path: &std::path::PathBuf| path.to_string_lossy().into_owned();
    let visit = Visit {
        nginx_conf: args.nginx_conf.as_ref().map(text),
        uwsgi_ini: args.uwsgi_ini.iter().map(text).collect(),
        logs: args.log.iter().map(text).collect(),
        login: !args.no_login && !args.no_network,
        network: !args.no_network,
    };
    if let Some(root) = args.root.as_ref().filter(|root| !root.is_dir()) {
        return Ok(streams.refuse(&format!("{}: no such folder", root.display())));
    }
    let host = Live::new(Budget::new(RUN, PROBE));
    let host = match &args.root {
        Some(root) => host.rooted_at(text(root)),
        None => host,
    };
    match engine::examine(&host, &visit) {
        Ok(seen) => write(&args, &seen, shown, streams),
        Err(message) => Ok(streams.refuse(&message)),
    }
}

/// The whole run ends within it.
const RUN: Duration = Duration::from_secs(20);
/// Each probe ends within it.
const PROBE: Duration = Duration::from_secs(3);

/// Writes the diagnosis and says how to exit.
pub(super) fn write(args: &Doctor, seen: &Seen, shown: Shown, streams: &mut Streams<'_>) -> io::Result<u8> {
    let texts = Texts::new(&seen.sources);
    let written = match args.format {
        Listing::Human => doctor::write(&seen.diagnosis, &texts, &shown, streams.out),
        Listing::Json => json::write_diagnosis(&seen.diagnosis, &texts, streams.out),
    };
    if args.format == Listing::Human {
        streams.input_errors(&seen.diagnosis.report.errors, &texts);
    }
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
        _ => {}
    }
    Ok(exit(args, &seen.diagnosis))
}

/// Never 0 unless every required hop that was asked for was seen to work.
fn exit(args: &Doctor, diagnosis: &Diagnosis) -> u8 {
    let fails = |state: &State| matches!(state, State::Broken | State::Degraded | State::Symptom);
    let broken = diagnosis.hops.iter().any(|hop| fails(&hop.state));
    let asked = |id: &str| {
        !(LOGIN.contains(&id) && (args.no_login || args.no_network)) && !(NETWORK.contains(&id) && args.no_network)
    };
    let unjudged = diagnosis.open_hops().any(|hop| asked(hop.id));
    match () {
        () if !diagnosis.report.errors.is_empty() => USAGE,
        () if broken || !diagnosis.root_causes.is_empty() => FOUND,
        () if unjudged || diagnosis.hops.is_empty() => UNJUDGED,
        () => CLEAN,
    }
}
