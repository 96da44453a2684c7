//! The last run of Chef, from the log that it or OpsWorks' agent leaves.

use std::sync::Arc;

use crate::engine::machine::changes::BEFORE;
use crate::host::Host;
use crate::source::{Origin, Sources};
use crate::stack::chef::last_run::{self, Failed};
use crate::stack::fact::Row;
use crate::syntax::log::{lines, seconds};

/// The last run of Chef.
#[derive(Debug, Clone)]
pub(super) struct ChefRun {
    /// When it ended, in seconds since 1970.
    pub(super) at: i64,
    /// Why it failed, where it did.
    pub(super) failed: Option<String>,
    /// Its log, where it failed.
    pub(super) log: Option<Failed>,
    /// What it stumbled over.
    pub(super) rows: Vec<Arc<dyn Row>>,
}

/// How a run ended, by its log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ended {
    at: i64,
    failed: Option<String>,
    /// Where its first line begins.
    from: usize,
}

/// Where logs of runs lie: one file for all of chef-client's, a file for each of OpsWorks' (Chef 11, Chef 12).
const ONE_FOR_ALL: [&str; 2] = ["/var/log/chef/client.log", "/var/log/chef-client.log"];
const ONE_FOR_EACH: [&str; 2] = ["/var/lib/aws/opsworks/chef", "/var/chef/runs"];

/// The newest run that a log tells of; `ahead` is how far the host's clock is ahead of UTC. One that failed longer before the
/// `moment` than what counts as a change tells of it no more.
pub(super) fn last(host: &dyn Host, moment: i64, ahead: i64, sources: &mut Sources) -> Option<ChefRun> {
    let mut logs: Vec<String> = ONE_FOR_ALL.map(str::to_owned).to_vec();
    for folder in ONE_FOR_EACH {
        let names = host.list(folder).unwrap_or_default();
        let inside = names.iter().map(|name| match name.ends_with(".log") {
            true => format!("{folder}/{name}"),
            false => format!("{folder}/{name}/chef.log"),
        });
        let dated = inside.filter_map(|path| Some((host.stat(&path).ok()?.modified, path)));
        logs.extend(dated.max().map(|(_, path)| path));
    }
    let runs = logs.into_iter().filter_map(|path| {
        let tail = host.tail(&path).ok()?;
        let ended = read(&String::from_utf8_lossy(&tail.bytes), ahead)?;
        Some((ended, path, tail))
    });
    let (Ended { at, failed, from }, path, tail) = runs.max_by_key(|(ended, ..)| ended.at)?;
    if failed.is_none() || at < moment.saturating_sub(BEFORE) {
        return Some(ChefRun { at, failed, log: None, rows: Vec::new() });
    }
    let origin = if tail.cut { Origin::Probe } else { Origin::File };
    let shown = host.shown(&path);
    let name = if tail.cut { format!("the end of {shown}") } else { shown };
    let file = sources.add(name, tail.bytes, origin);
    let log = Failed { file, text: sources.get(file).shared_text(), from };
    let rows = last_run::rows(host, &host.users().unwrap_or_default(), &log);
    Some(ChefRun { at, failed, log: Some(log), rows })
}

/// `[2016-05-04T02:10:00+00:00] FATAL: …`, mixlib-log's format; what it says last of how a run ended counts.
fn read(log: &str, ahead: i64) -> Option<Ended> {
    let mut last: Option<Ended> = None;
    let mut failing = false;
    let mut from = 0;
    for (start, line) in lines(log) {
        let Some((stamp, level, words)) = parts(line) else { continue };
        let Some(at) = time(stamp, ahead) else { continue };
        let is_start = words.starts_with("*** Chef ") || words.starts_with("Starting Chef");
        let is_end = words.starts_with("Chef Run complete") || words.starts_with("Chef Infra Client Run complete");
        if is_start {
            failing = false;
            from = start;
        }
        if is_end {
            last = Some(Ended { at, failed: None, from });
        }
        // The last words are about the exit code; the first say what failed.
        if level == "FATAL" && !words.starts_with("Stacktrace dumped") && !words.starts_with("Please provide") {
            if !failing {
                last = Some(Ended { at, failed: Some(words.chars().take(200).collect()), from });
            }
            failing = true;
        }
    }
    last
}

fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let (stamp, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let (level, words) = rest.split_once(": ")?;
    Some((stamp, level, words.trim()))
}

/// A time with its offset from UTC; one without is by the host's clock.
fn time(stamp: &str, ahead: i64) -> Option<i64> {
    match stamp.parse::<jiff::Timestamp>() {
        Ok(time) => Some(time.as_second()),
        Err(_) => Some(seconds("%Y-%m-%dT%H:%M:%S", stamp)?.saturating_sub(ahead)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::host::recorded::Recorded;

    const WELL: &str = "[2016-05-04T02:00:00+00:00] INFO: *** Chef 11.10.4 ***\n\
                        [2016-05-04T02:01:00+00:00] INFO: Chef Run complete in 58.1 seconds\n";
    const FAILED: &str = "[2016-05-04T04:00:00+02:00] INFO: *** Chef 11.10.4 ***\n\
                          [2016-05-04T04:01:00+02:00] ERROR: Running exception handlers\n\
                          [2016-05-04T04:01:01+02:00] FATAL: Stacktrace dumped to /var/chef/cache/chef-stacktrace.out\n\
                          [2016-05-04T04:01:01+02:00] FATAL: Chef::Exceptions::CookbookNotFound: Cookbook thena-app not found\n\
                          [2016-05-04T04:01:02+02:00] FATAL: Chef::Exceptions::ChildConvergeError: Chef run process exited 1\n";

    #[test]
    fn the_last_run_went_well_or_says_why_not() {
        let at = 1_462_327_260;
        assert_eq!(read(WELL, 0), Some(Ended { at, failed: None, from: 0 }));
        let failed = Some("Chef::Exceptions::CookbookNotFound: Cookbook thena-app not found".to_owned());
        assert_eq!(read(FAILED, 0), Some(Ended { at: at + 1, failed: failed.clone(), from: 0 }));
        assert_eq!(read(&format!("{WELL}{FAILED}"), 0).unwrap().from, WELL.len());
        assert_eq!(read(&format!("{FAILED}{WELL}"), 0).unwrap().failed, None);
        assert_eq!(read("nothing of Chef\n[x] y: z\n", 0), None);
        let folder = "/var/lib/aws/opsworks/chef";
        let host = Recorded::healthy().unwrap();
        let host = host.with_file(&format!("{folder}/2016-05-04-01.log"), WELL.as_bytes());
        let host = host.with_file(&format!("{folder}/2016-05-04-02.log"), FAILED.as_bytes());
        let run = last(&host, at + 3600, 0, &mut Sources::default()).unwrap();
        assert_eq!((run.failed, run.log.is_some()), (failed.clone(), true));
        let old = last(&host, at + 2 * 24 * 3600, 0, &mut Sources::default()).unwrap();
        assert_eq!((old.failed, old.log.is_some()), (failed, false));
    }
}
