//! `housecall doctor`: name the broken hop of this server.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use super::args::{Diagnosed, Doctor, Looking};
use super::{CLEAN, FOUND, Streams, UNJUDGED, USAGE, when};
use crate::diagnosis::{Diagnosis, State};
use crate::engine::{self, Seen, Visit};
use crate::finding::InputError;
use crate::host::deadline::Budget;
use crate::host::live::{GIVEN, Live};
use crate::host::recorded::Recorded;
use crate::host::zone;
use crate::host::{Host, Tail, input};
use crate::output::{Shown, Texts, doctor, json, markdown};
use crate::syntax::log::syslog;

/// Required hops that are not asked for without a login.
const LOGIN: &[&str] = &["login"];
/// Those that are not asked for without a network.
const NETWORK: &[&str] = &["listen", "upstream-socket", "dns", "tcp"];

pub(super) fn run(args: &Doctor, shown: Shown, stdin: &mut dyn Read, streams: &mut Streams<'_>) -> io::Result<u8> {
    let opened: Result<(Box<dyn Host>, Visit), String> = match &args.from {
        Some(path) => match Recorded::open(path) {
            Ok(host) => {
                let visit = recorded_visit(&host, &args.looking);
                Ok((Box::new(host), visit))
            }
            Err(InputError { path, message }) => Err(format!("{path}: {message}")),
        },
        None => live(&args.looking, stdin).map(|host| (Box::new(host) as Box<dyn Host>, visit(&args.looking))),
    };
    let seen = opened.and_then(|(host, visit)| {
        let ahead = zone::offset(host.as_ref(), host.now());
        let at = args.at.as_ref().map(|text| when::moment(text, ahead)).transpose()?;
        let visit = Visit { site: args.site.clone(), since: args.since, at, url: args.url.clone(), ..visit };
        Ok((engine::examine(host.as_ref(), &visit)?, visit))
    });
    match seen {
        Ok((seen, visit)) => write(args.format, &seen, &visit, shown, streams),
        Err(message) => Ok(streams.refuse(&message)),
    }
}

/// This machine, with the log from standard input where one was asked for. Errors: a root that is no folder, a log that
/// cannot be read.
pub(super) fn live(looking: &Looking, stdin: &mut dyn Read) -> Result<Live, String> {
    let given = looking.log.iter().any(|path| path.as_os_str() == GIVEN);
    let log = given.then(|| input::end_of(stdin)).transpose().map_err(|error| format!("standard input: {error}"))?;
    let mut host = Live::new(Budget::new(RUN, PROBE));
    if let Some(Tail { bytes, cut }) = log {
        host = host.with_log(Tail { bytes: syslog::without_prefixes(&bytes), cut });
    }
    match &looking.root {
        None => Ok(host),
        Some(root) if root.is_dir() => Ok(host.rooted_at(text(root))),
        Some(root) => Err(format!("{}: no such folder", root.display())),
    }
}

/// What the flags ask for.
pub(super) fn visit(looking: &Looking) -> Visit {
    Visit {
        nginx_conf: looking.nginx_conf.as_deref().map(text),
        uwsgi_ini: looking.uwsgi_ini.iter().map(|path| text(path)).collect(),
        logs: looking.log.iter().map(|path| text(path)).collect(),
        login: !looking.no_login && !looking.no_network,
        network: !looking.no_network,
        ..Visit::default()
    }
}

/// What was asked for when the host was recorded, unless the flags say otherwise.
fn recorded_visit(host: &Recorded, looking: &Looking) -> Visit {
    let flags = visit(looking);
    let Some(asked) = host.asked() else { return flags };
    let recorded = Visit::as_recorded(asked);
    Visit {
        nginx_conf: flags.nginx_conf.or(recorded.nginx_conf),
        uwsgi_ini: if flags.uwsgi_ini.is_empty() { recorded.uwsgi_ini } else { flags.uwsgi_ini },
        logs: if flags.logs.is_empty() { recorded.logs } else { flags.logs },
        login: flags.login && recorded.login,
        network: flags.network && recorded.network,
        ..flags
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The whole run ends within it.
const RUN: Duration = Duration::from_secs(20);
/// Each probe ends within it.
const PROBE: Duration = Duration::from_secs(3);

/// Writes the diagnosis and says how to exit.
pub(super) fn write(
    format: Diagnosed,
    seen: &Seen,
    visit: &Visit,
    shown: Shown,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let texts = Texts::new(&seen.sources);
    let written = match format {
        Diagnosed::Human => doctor::write(&seen.diagnosis, &texts, &shown, streams.out),
        Diagnosed::Json => json::write_diagnosis(&seen.diagnosis, &texts, streams.out),
        Diagnosed::Markdown => markdown::write(&seen.diagnosis, &texts, streams.out),
    };
    if format != Diagnosed::Json {
        streams.input_errors(&seen.diagnosis.report.errors, &texts);
    }
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
        _ => {}
    }
    Ok(exit(visit, &seen.diagnosis))
}

/// Never 0 unless every required hop that was asked for was seen to work.
fn exit(visit: &Visit, diagnosis: &Diagnosis) -> u8 {
    let fails = |state: &State| matches!(state, State::Broken | State::Degraded | State::Symptom);
    let broken = diagnosis.hops.iter().any(|hop| fails(&hop.state));
    let asked = |id: &str| (visit.login || !LOGIN.contains(&id)) && (visit.network || !NETWORK.contains(&id));
    let unjudged = diagnosis.open_hops().any(|hop| asked(hop.id));
    match () {
        () if !diagnosis.report.errors.is_empty() => USAGE,
        () if broken || !diagnosis.root_causes.is_empty() => FOUND,
        () if unjudged || diagnosis.hops.is_empty() => UNJUDGED,
        () => CLEAN,
    }
}
