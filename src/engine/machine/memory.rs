//! Memory: what is left of the machine's, how much of their own group's limit the servers use, and which of them the kernel
//! ended because there was none left.

use std::collections::BTreeSet;

use crate::engine::machine::Visit;
use crate::engine::machine::log_files::LogFile;
use crate::engine::machine::resources::{Room, Seen};
use crate::finding::Label;
use crate::host::{Host, Vitals};
use crate::source::{Place, Sources};
use crate::stack::process::Found;
use crate::syntax::log::syslog::{OutOfMemory, out_of_memory};

/// What could be had of the machine's memory without swapping, and how much it has to do.
pub(super) fn of_machine(host: &dyn Host) -> Option<Seen> {
    let Vitals { memory, available, load, processors, .. } = host.vitals().ok()?;
    let room = if available < memory / 50 { Room::Little } else { Room::Enough };
    let processors = if processors == 1 { "1 processor".to_owned() } else { format!("{processors} processors") };
    let line = format!("memory: {} of {} MiB available; load {load:.1} on {processors}", available >> 20, memory >> 20);
    Some(Seen { room, line, meaning: "memory is nearly used up: the kernel may end a worker at any time".to_owned() })
}

/// The control groups that have a limit or lost a process to it, each once; `killed` says that a worker was ended by
/// signal 9 lately.
pub(super) fn of_groups(host: &dyn Host, found: &[Found], killed: bool) -> Vec<Seen> {
    let mut looked_at = BTreeSet::new();
    let groups = found.iter().filter_map(|one| Some((one, Group::of(host, one.process.pid)?)));
    let told = groups.filter(|(_, group)| group.limit.is_some() || group.ended > 0);
    told.filter(|(_, group)| looked_at.insert(group.path.clone())).map(|(one, group)| group.seen(one, killed)).collect()
}

/// What the kernel's log says of this stack's processes, where it was lately; one label, at the last of the lines.
pub(super) fn ended(host: &dyn Host, visit: &Visit, sources: &mut Sources) -> Option<Label> {
    const LOGS: [&str; 3] = ["/var/log/kern.log", "/var/log/messages", "/var/log/syslog"];
    const NAMES: [&str; 4] = ["uwsgi", "nginx", "python", "postgres"];
    let now = visit.in_logs(host);
    let is_told = |one: &OutOfMemory| {
        (now.saturating_sub(visit.recent())..=now).contains(&one.time)
            && NAMES.iter().any(|name| one.name.starts_with(name))
    };
    let (file, all) = LOGS.iter().find_map(|path| {
        let (file, text) = LogFile::at(path).tail(host, sources)?;
        let all: Vec<OutOfMemory> = out_of_memory(&text, now).into_iter().filter(is_told).collect();
        (!all.is_empty()).then_some((file, all))
    })?;
    let last = all.last()?;
    let whose = if last.of_group { "the memory of its group" } else { "memory" };
    let mut text = format!("the kernel ended {} (pid {}), because {whose} was used up", last.name, last.pid);
    if all.len() > 1 {
        text += &format!("; {} processes in {}", all.len(), visit.period());
    }
    Some(Label { place: Place::at(file, last.span), text })
}

/// A control group as far as it limits memory; sizes in bytes.
struct Group {
    path: String,
    limit: Option<u64>,
    /// What cannot be had back by dropping caches.
    used: u64,
    /// How many of its processes were ended because the limit was reached.
    ended: u64,
}

impl Group {
    /// The group of a process: cgroups(7). The limit may be that of a group around it.
    fn of(host: &dyn Host, pid: i32) -> Option<Self> {
        let all = text(host, &format!("/proc/{pid}/cgroup"))?;
        let path = |controller: &str| {
            all.lines().find_map(|line| {
                let (_, rest) = line.split_once(':')?;
                let (controllers, path) = rest.split_once(':')?;
                controllers.split(',').any(|one| one == controller).then(|| path.trim_end_matches('/').to_owned())
            })
        };
        let (root, path, [limit, used, ended]) = match path("memory") {
            Some(path) => ("/sys/fs/cgroup/memory", path, ["memory.limit_in_bytes", "total_rss", "memory.oom_control"]),
            None => ("/sys/fs/cgroup", path("")?, ["memory.max", "anon", "memory.events"]),
        };
        // In a container the groups begin at its own, whatever the process is told.
        let is_there = |path: &str| host.stat(&format!("{root}{path}/memory.stat")).is_ok();
        let path = if is_there(&path) { path } else { String::new() };
        let of_group = |file: &str, key: &str| {
            let text = text(host, &format!("{root}{path}/{file}"))?;
            text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse::<u64>().ok())
        };
        let mut around = Some(path.as_str());
        let mut least: Option<u64> = None;
        while let Some(group) = around {
            let own = text(host, &format!("{root}{group}/{limit}")).and_then(|text| text.trim().parse().ok());
            // Version 1 writes the largest number of pages where there is no limit.
            let own = own.filter(|limit: &u64| *limit < 1 << 60);
            least = [least, own].into_iter().flatten().min();
            around = group.rsplit_once('/').map(|(outer, _)| outer);
        }
        let (used, ended) = (of_group("memory.stat", used)?, of_group(ended, "oom_kill").unwrap_or(0));
        Some(Self { path, limit: least, used, ended })
    }

    fn seen(&self, one: &Found, killed: bool) -> Seen {
        let program = one.program.word();
        let name = if self.path.is_empty() { "/" } else { &self.path };
        let mut line = match self.limit {
            Some(limit) => {
                format!("memory of {program}'s group {name}: {} of {} MiB used", self.used >> 20, limit >> 20)
            }
            None => format!("memory of {program}'s group {name}: {} MiB used, no limit", self.used >> 20),
        };
        if self.ended > 0 {
            line += &format!(", {} ended by the kernel for want of it", self.ended);
        }
        let is_near = self.limit.is_some_and(|limit| self.used > limit / 50 * 49);
        let (room, meaning) = match (is_near, self.ended > 0 && killed) {
            (_, true) => (
                Room::Little,
                format!(
                    "the kernel ended processes of {program}'s group because its memory was used up, and a worker was just killed"
                ),
            ),
            (true, _) => (
                Room::Little,
                format!("{program} has nearly reached the limit of its group: the kernel may end a worker at any time"),
            ),
            _ => (Room::Enough, String::new()),
        };
        Seen { room, line, meaning }
    }
}

fn text(host: &dyn Host, path: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&host.read(path).ok()?).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::host::recorded::Recorded;
    use crate::stack::process;

    /// The healthy host with uWSGI in a group of 512 MiB, of which it uses as much as said.
    fn grouped(used: u64, ended: u64) -> Recorded {
        let mut host = Recorded::healthy().unwrap();
        let group = "/sys/fs/cgroup/system.slice/thena.service";
        let files = [
            ("/proc/902/cgroup".to_owned(), "0::/system.slice/thena.service\n".to_owned()),
            (format!("{group}/memory.stat"), format!("anon {used}\nfile 9999999999\n")),
            (format!("{group}/memory.max"), "max\n".to_owned()),
            ("/sys/fs/cgroup/system.slice/memory.max".to_owned(), format!("{}\n", 512 << 20)),
            (format!("{group}/memory.events"), format!("low 0\noom 9\noom_kill {ended}\n")),
        ];
        for (path, text) in files {
            host = host.with_file(&path, text.into_bytes());
        }
        host
    }

    #[test]
    fn a_group_near_its_limit_is_told_and_caches_do_not_count() {
        let seen = |used, ended, killed| {
            let host = grouped(used, ended);
            let found = process::discover(&host).unwrap();
            of_groups(&host, &found, killed).remove(0)
        };
        let calm = seen(100 << 20, 0, true);
        assert_eq!(calm.line, "memory of uwsgi's group /system.slice/thena.service: 100 of 512 MiB used");
        assert_eq!(calm.room, Room::Enough);
        assert_eq!(seen(511 << 20, 0, false).room, Room::Little);
        assert_eq!(seen(100 << 20, 3, false).room, Room::Enough, "that may be long ago");
        let ended = seen(100 << 20, 3, true);
        assert_eq!(ended.room, Room::Little);
        assert!(ended.line.ends_with("3 ended by the kernel for want of it"), "{}", ended.line);
    }
}
