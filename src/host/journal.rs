//! What systemd's journal keeps of a unit, read from the journal's own files: journald.conf(5), sd-journal(3).

use std::path::{Path, PathBuf};

use sdjournal::{Journal, JournalConfig, SdJournalError};

use super::deadline::Deadline;
use super::machine::TAIL_BYTES;
use super::{ReadError, Tail};

/// Where the journal lies: what lasts, and what is gone after the next boot.
pub const FOLDERS: [&str; 2] = ["/var/log/journal", "/run/log/journal"];

const PREFIX: &str = "journal:";

/// How many entries are read at most.
const ENTRIES: usize = 50_000;

/// The name under which the log of a unit is asked for.
pub fn name_of(unit: &str) -> String {
    format!("{PREFIX}{unit}")
}

/// The unit whose log has this name; `None` for a file.
pub fn unit(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)
}

/// The end of what a unit printed and of what systemd said of it, each entry on a line of its own; from the files below
/// `folders`. Where the time is over or the log too long, the newest entries.
pub(super) fn tail(folders: Vec<PathBuf>, unit: &str, deadline: Deadline) -> Result<Tail, ReadError> {
    let unit = unit.to_owned();
    let read = deadline.run(move || read(&folders, &unit, deadline));
    read.unwrap_or_else(|| Err(ReadError::Other("no answer in time".to_owned())))
}

fn read(folders: &[PathBuf], unit: &str, deadline: Deadline) -> Result<Tail, ReadError> {
    let there: Vec<PathBuf> = folders.iter().filter(|folder| folder.is_dir()).cloned().collect();
    if there.is_empty() {
        return Err(ReadError::NotFound);
    }
    let journal = match Journal::open_dirs_with_config(&there, JournalConfig::default()) {
        Ok(journal) => journal,
        Err(error) => return Err(if is_hidden(&there) { ReadError::NoPermission } else { of(&error) }),
    };
    let mut query = journal.query();
    query.or_group(|printed| _ = printed.match_exact("_SYSTEMD_UNIT", unit.as_bytes()));
    // What systemd itself says of the unit it runs.
    query.or_group(|said| _ = said.match_exact("UNIT", unit.as_bytes()).match_exact("_PID", b"1"));
    query.seek_tail().reverse(true).limit(ENTRIES);
    let (mut messages, mut bytes, mut cut): (Vec<Vec<u8>>, _, _) = (Vec::new(), 0, false);
    for entry in query.iter().map_err(|error| of(&error))? {
        if deadline.left().is_none() {
            cut = true;
            break;
        }
        // An entry that is damaged, or being written, does not hide the others.
        let Some(message) = entry.ok().and_then(|entry| entry.get("MESSAGE").map(<[u8]>::to_vec)) else { continue };
        bytes += message.len() as u64 + 1;
        if bytes > TAIL_BYTES {
            cut = true;
            break;
        }
        messages.push(message);
    }
    if messages.is_empty() {
        return Err(if is_hidden(&there) { ReadError::NoPermission } else { ReadError::NotFound });
    }
    cut |= messages.len() == ENTRIES;
    let lines: Vec<u8> = messages.iter().rev().flat_map(|message| [message, b"\n".as_slice()].concat()).collect();
    let tail = Tail::of(&lines, true);
    Ok(Tail { cut: cut || tail.cut, ..tail })
}

/// Whether a file of the journal is there which this user may not read.
fn is_hidden(folders: &[PathBuf]) -> bool {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let may_not = |path: &PathBuf| rustix::fs::access(path, rustix::fs::Access::READ_OK).is_err();
    folders.iter().flat_map(|folder| inside(folder)).any(|path| may_not(&path) || inside(&path).iter().any(may_not))
}

fn of(error: &SdJournalError) -> ReadError {
    match error {
        SdJournalError::NotFound => ReadError::NotFound,
        SdJournalError::PermissionDenied { .. } => ReadError::NoPermission,
        other => ReadError::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::deadline::Budget;

    #[test]
    fn a_log_of_the_journal_has_a_name_of_its_own() {
        assert_eq!(unit(&name_of("shop.service")), Some("shop.service"));
        assert_eq!(unit("/var/log/shop.log"), None);
    }

    #[test]
    fn where_there_is_no_journal_it_says_so() {
        let folder = std::env::temp_dir().join("housecall-no-journal");
        let tail = |folders| tail(folders, "shop.service", Budget::default().deadline());
        assert_eq!(tail(vec![folder]), Err(ReadError::NotFound));
        assert_eq!(tail(Vec::new()), Err(ReadError::NotFound));
    }
}
