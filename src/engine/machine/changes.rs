//! What was done to a host shortly before it failed: a start, a reload, a file, a release, a package, a boot, a run of Chef.

use std::collections::BTreeSet;

use crate::diagnosis::Change;
use crate::engine::machine::chef_run::ChefRun;
use crate::engine::machine::files::Files;
use crate::host::Host;
use crate::stack::document::Kind;
use crate::stack::process::{Found, Program};
use crate::syntax::log::lines;

/// How long before a failure a change is told of, in seconds.
pub(super) const BEFORE: i64 = 24 * 3600;
/// How many are told.
const MOST: usize = 6;
/// A process that starts within this many seconds after another of its kind belongs to the same start.
const ONE_START: i64 = 2;
/// Files that are written within this many seconds of each other were written in one go: by a deploy, or a run of Chef.
const ONE_GO: i64 = 60;

/// What to look at for changes.
pub(super) struct Looked<'a> {
    /// The processes of the stack.
    pub(super) found: &'a [Found],
    /// The files that were read of it, each with the program that reads it where one runs.
    pub(super) files: Vec<(String, Program)>,
    /// The last run of Chef.
    pub(super) chef: Option<&'a ChefRun>,
    /// How far the host's clock is ahead of UTC, in seconds.
    pub(super) ahead: i64,
}

/// The files that were read of a stack, with the program that reads each where one runs.
pub(super) fn read_by(files: &Files<'_>) -> Vec<(String, Program)> {
    let of_kind = |kind: Kind| match kind {
        Kind::Nginx => Some(Program::Nginx),
        Kind::Uwsgi | Kind::Upstart | Kind::Systemd | Kind::Variables | Kind::Python => Some(Program::Uwsgi),
        _ => None,
    };
    let documents = files.view.iter().flat_map(|(path, documents)| documents.iter().map(move |one| (path, one)));
    documents.filter_map(|(path, document)| Some((path.to_owned(), of_kind(document.kind)?))).collect()
}

/// The changes of the day before `moment`, which is in seconds since 1970; the last first.
pub(super) fn before(host: &dyn Host, looked: &Looked<'_>, moment: i64) -> Vec<Change> {
    let mut all = starts(looked.found);
    all.extend(booted(host));
    all.extend(files(host, looked));
    all.extend(packages(host, looked.ahead));
    all.extend(looked.chef.map(|ChefRun { at, failed, .. }| Change {
        at: *at,
        what: match failed {
            Some(words) => format!("a run of Chef failed: {words}"),
            None => "Chef ran".to_owned(),
        },
    }));
    let range = moment.saturating_sub(BEFORE)..=moment;
    let told: BTreeSet<Change> = all.into_iter().filter(|change| range.contains(&change.at)).collect();
    told.into_iter().rev().take(MOST).collect()
}

/// Masters that started, and masters whose workers are all younger than they: those were reloaded.
fn starts(found: &[Found]) -> Vec<Change> {
    let mut all = Vec::new();
    for master in found.iter().filter(|one| one.master) {
        let (program, pid, started) = (master.program.word(), master.process.pid, master.process.started);
        all.push(Change { at: started, what: format!("{program} (pid {pid}) was started") });
        let workers = found.iter().filter(|one| one.process.ppid == pid && one.program == master.program);
        if let Some(oldest) =
            workers.map(|one| one.process.started).min().filter(|oldest| *oldest > started + ONE_START)
        {
            all.push(Change { at: oldest, what: format!("{program} (pid {pid}) got new workers: a reload") });
        }
    }
    all
}

fn booted(host: &dyn Host) -> Option<Change> {
    Some(Change { at: host.vitals().ok()?.booted, what: "this host was booted".to_owned() })
}

/// Files that were written, those of one go together; whether the program that reads them has seen it is said too.
fn files(host: &dyn Host, looked: &Looked<'_>) -> Vec<Change> {
    let last_read = |program: Program| {
        looked.found.iter().filter(|one| one.program == program).map(|one| one.process.started).max()
    };
    let mut written: Vec<(Program, i64, &str)> = looked
        .files
        .iter()
        .filter_map(|(path, program)| Some((*program, host.stat(path).ok()?.modified, path.as_str())))
        .collect();
    written.sort_unstable();
    let of_one_go = written.chunk_by(|(one, before, _), (other, at, _)| one == other && at - before <= ONE_GO);
    let change = |go: &[(Program, i64, &str)]| {
        let (program, at, path) = *go.last()?;
        let others = match go.len() - 1 {
            0 => " was written".to_owned(),
            1 => " and another file were written".to_owned(),
            more => format!(" and {more} other files were written"),
        };
        let unseen = last_read(program).is_some_and(|started| at > started + ONE_START);
        let after = if unseen { format!(", and {} has not read it since", program.word()) } else { String::new() };
        Some(Change { at, what: format!("{}{others}{after}", host.shown(path)) })
    };
    of_one_go.filter_map(change).collect()
}

/// The packages of the stack in Debian's log: dpkg(1), `2026-11-25 13:00:01 upgrade nginx:amd64 1.22.1-9 1.22.1-9+deb12u1`.
fn packages(host: &dyn Host, ahead: i64) -> Vec<Change> {
    const OURS: [&str; 7] = ["nginx", "uwsgi", "python3", "libpq", "postgresql", "libssl", "openssl"];
    let Ok(tail) = host.tail("/var/log/dpkg.log") else { return Vec::new() };
    let text = String::from_utf8_lossy(&tail.bytes).into_owned();
    let told = lines(&text).filter_map(|(_, line)| {
        let (stamp, rest) = line.split_at_checked("2026-11-25 13:00:01".len())?;
        let mut words = rest.split_whitespace();
        let (action, package) = (words.next()?, words.next()?);
        let package = package.split_once(':').map_or(package, |(name, _)| name);
        let done = match action {
            "install" => "installed",
            "upgrade" => "upgraded",
            "remove" => "removed",
            _ => return None,
        };
        let is_ours = OURS.iter().any(|ours| package.starts_with(ours));
        let at = crate::syntax::log::seconds("%Y-%m-%d %H:%M:%S", stamp)?;
        is_ours.then(|| Change { at: at.saturating_sub(ahead), what: format!("package {package} was {done}") })
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::host::recorded::Recorded;
    use crate::stack::process;

    /// When uWSGI of the healthy host started, and its moment.
    const STARTED: i64 = 1_462_327_200;

    fn changes(host: &Recorded, moment: i64) -> Vec<String> {
        let found = process::discover(host).unwrap();
        let files = vec![("/srv/thena/current/uwsgi.ini".to_owned(), Program::Uwsgi)];
        before(host, &Looked { found: &found, files, chef: None, ahead: 3600 }, moment)
            .into_iter()
            .map(|change| change.what)
            .collect()
    }

    #[test]
    fn what_was_done_in_the_day_before_is_told_last_first() {
        let host = Recorded::healthy().unwrap();
        let ini = "file.\"/srv/thena/releases/20160503/uwsgi.ini\"";
        let dpkg = "2016-05-04 02:50:00 upgrade nginx-core:amd64 1 2\n2016-05-04 02:50:01 upgrade vim:amd64 1 2\n\
                    2016-05-04 02:50:02 status installed nginx-core:amd64 2\n";
        let host = host.with_file("/var/log/dpkg.log", dpkg.as_bytes());
        let patch = format!("{ini}.modified = {}\nvitals.booted = {}", STARTED + 300, STARTED - 7200);
        let host = host.patched(&patch).unwrap();
        let all = changes(&host, STARTED + 900);
        assert_eq!(
            all,
            [
                "/srv/thena/current/uwsgi.ini was written, and uwsgi has not read it since",
                "uwsgi (pid 902) was started",
                "package nginx-core was upgraded",
                "this host was booted",
            ]
        );
        assert_eq!(changes(&host, STARTED + 100), all[1..]);
        assert!(changes(&host, STARTED + 3 * 24 * 3600).is_empty());
    }

    #[test]
    fn workers_younger_than_their_master_are_a_reload() {
        let patch = format!("process.905.started = {0}\nprocess.906.started = {0}", STARTED + 60);
        let host = Recorded::healthy().unwrap().patched(&patch).unwrap();
        assert_eq!(changes(&host, STARTED + 90)[0], "uwsgi (pid 902) got new workers: a reload");
    }
}
