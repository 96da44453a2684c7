//! Which files hold a log: the one that is named, what rotation made of it, and what its process goes on writing to where
//! nobody looks: a file that was deleted, or where the program prints to.

use std::sync::Arc;

use crate::host::{Host, journal};
use crate::source::{FileId, Origin, Sources};

/// One file with lines of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogFile {
    /// The path to read.
    pub(super) path: String,
    /// Its name for people, where that is not the path.
    name: Option<String>,
}

impl LogFile {
    /// The file at a path.
    pub(super) fn at(path: &str) -> Self {
        Self { path: path.to_owned(), name: None }
    }

    /// What the journal keeps of a systemd service.
    pub(super) fn of_unit(unit: &str) -> Self {
        Self::at(&journal::name_of(unit))
    }

    /// Its end as a source. Its lines are numbered truly only where nothing was left out.
    pub(super) fn tail(&self, host: &dyn Host, sources: &mut Sources) -> Option<(FileId, Arc<str>)> {
        let shown = self.name.clone().unwrap_or_else(|| host.shown(&self.path));
        let name = format!("the end of {shown}");
        if let Some(known) = sources.by_name(&shown).or_else(|| sources.by_name(&name)) {
            return Some((known, sources.get(known).shared_text()));
        }
        let tail = host.tail(&self.path).ok()?;
        let origin = if self.name.is_some() { Origin::Probe } else { Origin::File };
        let file = match tail.cut {
            true => sources.add(name, tail.bytes, Origin::Probe),
            false => sources.add(shown, tail.bytes, origin),
        };
        Some((file, sources.get(file).shared_text()))
    }
}

/// The log of a process that is not where its configuration names it: the named file was deleted or moved while it was
/// open, or none is named and the program prints to a file.
pub(super) fn held_open(host: &dyn Host, pid: i32, named: Option<&str>) -> Vec<LogFile> {
    const PRINTED_TO: [i32; 2] = [2, 1];
    let open = host.open_files(pid).unwrap_or_default();
    let file = |open: &crate::host::OpenFile| match open.deleted {
        true => {
            let path = open.through(pid);
            LogFile { name: Some(format!("{} (deleted, and still open as {path})", open.path)), path }
        }
        false => LogFile::at(&open.path),
    };
    if let Some(named) = named {
        let real = host.real_path(named).unwrap_or_else(|_| named.to_owned());
        let moved = |path: &str| is_rotated(path, named) || is_rotated(path, &real);
        let is_it = |path: &str, deleted| deleted && (path == named || path == real) || moved(path);
        return open.iter().filter(|one| is_it(&one.path, one.deleted)).map(file).collect();
    }
    let printed = PRINTED_TO.iter().filter_map(|descriptor| open.iter().find(|one| one.descriptor == *descriptor));
    let mut files: Vec<LogFile> = printed.map(file).collect();
    files.dedup();
    files
}

/// The systemd service that a process belongs to, by its control group: cgroups(7).
pub(super) fn unit_of(host: &dyn Host, pid: i32) -> Option<String> {
    let bytes = host.read(&format!("/proc/{pid}/cgroup")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    // Version 2, or the hierarchy by which systemd of version 1 names what it started.
    let group = text.lines().find_map(|line| line.split_once("::").or_else(|| line.split_once(":name=systemd:")));
    let unit = group?.1.rsplit('/').find(|name| name.ends_with(".service"))?;
    Some(unit.to_owned())
}

/// How many rotated files are looked into for a moment that is long gone.
const MOST_ROTATED: usize = 30;

/// What rotation made of a log: of now the newest; of an earlier moment those that were written until then or later, the
/// oldest first, because that one ends soonest after it.
pub(super) fn rotated(host: &dyn Host, path: &str, moment: Option<i64>) -> Vec<LogFile> {
    let Some((folder, _)) = path.rsplit_once('/') else { return Vec::new() };
    let names = host.list(folder).unwrap_or_default();
    let all = names.into_iter().map(|name| format!("{folder}/{name}")).filter(|name| is_rotated(name, path));
    let mut dated: Vec<(i64, String)> = all.filter_map(|name| Some((host.stat(&name).ok()?.modified, name))).collect();
    dated.sort();
    match moment {
        Some(moment) => dated.retain(|(written, _)| *written >= moment),
        None => drop(dated.drain(..dated.len().saturating_sub(1))),
    }
    dated.into_iter().take(MOST_ROTATED).map(|(_, name)| LogFile::at(&name)).collect()
}

/// logrotate(8): `app.log.1`, `app.log-20261125`, each also packed.
fn is_rotated(path: &str, log: &str) -> bool {
    let Some(rest) = path.strip_prefix(log).and_then(|rest| rest.strip_prefix(['.', '-'])) else { return false };
    let number = rest.strip_suffix(".gz").unwrap_or(rest);
    number.starts_with(|first: char| first.is_ascii_digit())
        && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::host::recorded::Recorded;

    #[test]
    fn rotated_names_are_those_of_logrotate() {
        let is = |path: &str| is_rotated(path, "/var/log/a.log");
        assert!(is("/var/log/a.log.1") && is("/var/log/a.log.12.gz"));
        assert!(is("/var/log/a.log-20261125") && is("/var/log/a.log-20261125-13.gz"));
        assert!(
            !is("/var/log/a.log") && !is("/var/log/a.log.old") && !is("/var/log/a.log.gz") && !is("/var/log/b.log.1")
        );
    }

    #[test]
    fn a_moment_is_looked_for_in_the_file_that_ends_soonest_after_it() {
        let mut patch = String::new();
        let mut host = Recorded::healthy().unwrap();
        for (name, written) in [("1", 4000), ("2.gz", 3000), ("3.gz", 2000)] {
            patch += &format!("[file.\"/var/log/a.log.{name}\"]\nmodified = {written}\n");
            host = host.with_file(&format!("/var/log/a.log.{name}"), b"x\n".as_slice());
        }
        let host = host.patched(&patch).unwrap();
        let paths = |moment| -> Vec<String> {
            rotated(&host, "/var/log/a.log", moment).into_iter().map(|file| file.path).collect()
        };
        assert_eq!(paths(None), ["/var/log/a.log.1"]);
        assert_eq!(paths(Some(2500)), ["/var/log/a.log.2.gz", "/var/log/a.log.1"]);
        assert!(paths(Some(5000)).is_empty());
    }

    #[test]
    fn a_deleted_log_is_read_through_its_process() {
        let held = |open: &str, named| {
            held_open(
                &Recorded::healthy().unwrap().patched(&format!("[process.902]\nopen = [{open}]")).unwrap(),
                902,
                named,
            )
        };
        let deleted = "{ descriptor = 5, path = \"/var/log/a.log\", deleted = true }";
        let found = held(deleted, Some("/var/log/a.log"));
        assert_eq!(found[0].path, "/proc/902/fd/5");
        assert!(held(deleted, Some("/var/log/b.log")).is_empty());
        let moved = held("{ descriptor = 5, path = \"/var/log/a.log.1\" }", Some("/var/log/a.log"));
        assert_eq!(moved, [LogFile::at("/var/log/a.log.1")]);
        let printed = held("{ descriptor = 2, path = \"/srv/out\" }, { descriptor = 9, path = \"/srv/db\" }", None);
        assert_eq!(printed, [LogFile::at("/srv/out")]);
    }
}
