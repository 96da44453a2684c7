//! What every hop needs of the machine: room and inodes where the stack writes, memory, and file descriptors.

use std::collections::BTreeSet;

use crate::diagnosis::{Reason, State};
use crate::engine::machine::hops::Said;
use crate::engine::machine::{Visit, memory};
use crate::finding::Label;
use crate::host::{Host, ReadError, Volume};
use crate::source::{Origin, Place, Sources, Span};
use crate::stack::process::Found;

/// The name of the text that says what was seen.
const NAME: &str = "resources of this host";

/// How much of something is left, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Room {
    Enough,
    Little,
    None,
}

/// What was seen of one resource: how it fares, and the line that says so.
pub(super) struct Seen {
    pub(super) room: Room,
    pub(super) line: String,
    /// What it means where there is not enough.
    pub(super) meaning: String,
}

/// What of a stack uses resources.
pub(super) struct Users<'a> {
    /// The folders it writes to.
    pub(super) folders: BTreeSet<String>,
    /// Its processes.
    pub(super) found: &'a [Found],
    /// Whether a worker was ended by signal 9 lately.
    pub(super) killed: bool,
}

/// How the resources fare that a stack uses; `NotApplicable` where this host shows none of them.
pub(super) fn judge(host: &dyn Host, visit: &Visit, users: &Users<'_>, sources: &mut Sources) -> Said {
    let Users { folders, found, killed } = users;
    let mut hidden = false;
    let mut all = volumes(host, folders);
    all.extend(memory::of_machine(host));
    all.extend(memory::of_groups(host, found, *killed));
    let ended = memory::ended(host, visit, sources);
    for one in *found {
        match descriptors(host, one) {
            Ok(seen) => all.extend(seen),
            Err(error) => hidden |= error == ReadError::NoPermission,
        }
    }
    let (mut text, mut spans) = (String::new(), Vec::new());
    for seen in &all {
        spans.push(Span::new(text.len(), text.len() + seen.line.len()));
        text += &seen.line;
        text.push('\n');
    }
    if all.is_empty() {
        return (State::NotApplicable, Vec::new());
    }
    let file = sources.add(NAME, text.into_bytes(), Origin::Probe);
    let short = all.iter().zip(&spans).filter(|(seen, _)| seen.room > Room::Enough);
    let label = |(seen, span): (&Seen, &Span)| Label { place: Place::at(file, *span), text: seen.meaning.clone() };
    let mut evidence: Vec<(Room, Label)> = short.map(|pair| (pair.0.room, label(pair))).collect();
    evidence.sort_by_key(|(room, _)| std::cmp::Reverse(*room));
    let state = match evidence.first() {
        Some((Room::None, _)) => State::Broken,
        _ if ended.is_some() => State::Degraded,
        Some(_) => State::Degraded,
        None if hidden => {
            let text = "root would see how many files nginx and uWSGI hold open".to_owned();
            return (State::Unknown(Reason::NoPermission), vec![Label { place: Place::whole(file), text }]);
        }
        None => State::Ok,
    };
    (state, ended.into_iter().chain(evidence.into_iter().map(|(_, label)| label)).collect())
}

/// Folders on volumes with the same figures are on one volume.
fn volumes(host: &dyn Host, folders: &BTreeSet<String>) -> Vec<Seen> {
    let mut known: Vec<(Volume, Vec<&str>)> = Vec::new();
    for folder in folders {
        let Ok(volume) = host.volume(folder) else { continue };
        match known.iter_mut().find(|(same, _)| same.is_like(&volume)) {
            Some((_, there)) => there.push(folder),
            None => known.push((volume, vec![folder])),
        }
    }
    known.iter().map(|(volume, there)| of_volume(volume, &there.join(", "))).collect()
}

fn of_volume(volume: &Volume, there: &str) -> Seen {
    let share = |free: u64, all: u64| match (free, all) {
        // btrfs and others count no inodes.
        (_, 0) => Room::Enough,
        (0, _) => Room::None,
        _ if free < all / 100 => Room::Little,
        _ => Room::Enough,
    };
    let (bytes, inodes) = (share(volume.free, volume.bytes), share(volume.free_inodes, volume.inodes));
    let mib = |bytes: u64| bytes >> 20;
    let mut line = format!("{there}: {} of {} MiB free", mib(volume.free), mib(volume.bytes));
    if volume.inodes > 0 {
        line += &format!(", {} of {} inodes free", volume.free_inodes, volume.inodes);
    }
    let what = if bytes >= inodes { "disk" } else { "number of files on the disk" };
    let meaning = match bytes.max(inodes) {
        Room::None => format!("the {what} of {there} is used up: nothing can be written there"),
        _ => format!("the {what} of {there} is nearly used up"),
    };
    Seen { room: bytes.max(inodes), line, meaning }
}

/// The open files of a process against its own limit: nginx and uWSGI fail with `Too many open files` (24) there.
fn descriptors(host: &dyn Host, one: &Found) -> Result<Option<Seen>, ReadError> {
    let pid = one.process.pid;
    let limits = host.read(&format!("/proc/{pid}/limits"))?;
    let text = String::from_utf8_lossy(&limits);
    let soft = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse::<usize>().ok());
    let Some(soft) = soft else { return Ok(None) };
    let open = host.list(&format!("/proc/{pid}/fd"))?.len();
    let room = match open {
        _ if open + 1 >= soft => Room::None,
        _ if open * 20 > soft * 19 => Room::Little,
        _ => Room::Enough,
    };
    let program = one.program.word();
    let line = format!("{program} (pid {pid}): {open} of {soft} open files");
    let meaning = match room {
        Room::None => format!("{program} may open no further file or connection"),
        _ => format!("{program} may soon open no further file or connection"),
    };
    Ok(Some(Seen { room, line, meaning }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn volume(free: u64, free_inodes: u64) -> Volume {
        Volume { bytes: 4 << 30, free, inodes: 1000, free_inodes }
    }

    #[test]
    fn a_volume_without_bytes_or_without_inodes_is_full() {
        let room = |free, inodes| of_volume(&volume(free, inodes), "/var/log").room;
        assert_eq!((room(1 << 30, 500), room(1 << 20, 500), room(0, 500)), (Room::Enough, Room::Little, Room::None));
        assert_eq!((room(1 << 30, 0), room(1 << 30, 5)), (Room::None, Room::Little));
        assert!(
            of_volume(&volume(1 << 30, 0), "/var/log")
                .meaning
                .starts_with("the number of files on the disk of /var/log")
        );
        assert_eq!(of_volume(&Volume { inodes: 0, ..volume(1 << 30, 0) }, "/").room, Room::Enough);
    }
}
