//! Which ini a vassal of an emperor runs: it is named from the emperor's folder, where the emperor starts it (uWSGI:
//! `core/emperor.c`, `uwsgi_emperor_vassal_start`).

use std::collections::{BTreeMap, BTreeSet};

use crate::host::Host;
use crate::stack::process::{Found, Program, written_config};
use crate::syntax::uwsgi::{DEFAULT_SECTION, parse_section};

/// Gives the vassals among these, and their workers, the inis that they run.
pub(super) fn settle(host: &dyn Host, found: &mut [Found]) {
    let emperors: BTreeMap<i32, String> = found
        .iter()
        .filter(|one| one.program == Program::Uwsgi && one.master)
        .filter_map(|one| Some((one.process.pid, folder_of(host, one)?)))
        .collect();
    let ini = |one: &Found| {
        let folder = emperors.get(&one.process.ppid)?;
        let name = written_config(&one.process).filter(|name| !name.starts_with('/'))?;
        let path = format!("{}/{name}", folder.trim_end_matches('/'));
        host.stat(&path).is_ok().then_some((one.process.pid, path))
    };
    let vassals: BTreeMap<i32, String> = found.iter().filter_map(ini).collect();
    for one in found.iter_mut() {
        let own = vassals.get(&one.process.pid);
        one.master |= own.is_some();
        if let Some(ini) = own.or_else(|| vassals.get(&one.process.ppid)) {
            one.config = Some(ini.clone());
        }
    }
}

/// The inis in the folders of the emperors among these, whether their vassals run or not.
pub fn inis(host: &dyn Host, found: &[Found]) -> Vec<String> {
    let masters = found.iter().filter(|one| one.program == Program::Uwsgi && one.master);
    let folders: BTreeSet<String> = masters.filter_map(|one| folder_of(host, one)).collect();
    let inside = |folder: &String| {
        let folder = folder.trim_end_matches('/').to_owned();
        let names = host.list(&folder).unwrap_or_default().into_iter().filter(|name| name.ends_with(".ini"));
        names.map(|name| format!("{folder}/{name}")).collect::<Vec<_>>()
    };
    folders.iter().flat_map(inside).collect()
}

/// The folder that an emperor looks at, by its command line or its ini; `None` for a pattern, and for anything but a folder.
fn folder_of(host: &dyn Host, one: &Found) -> Option<String> {
    let words = &one.process.cmdline;
    let named = words.iter().enumerate().find_map(|(at, word)| match word.strip_prefix("--emperor") {
        Some("") => words.get(at + 1).cloned(),
        Some(rest) => rest.strip_prefix('=').map(str::to_owned),
        None => None,
    });
    let folder = named.or_else(|| in_ini(host, one.config.as_deref()?))?;
    let folder = folder.strip_prefix("dir://").unwrap_or(&folder);
    (folder.starts_with('/') && !folder.contains(['*', '?', '['])).then(|| folder.to_owned())
}

fn in_ini(host: &dyn Host, path: &str) -> Option<String> {
    let bytes = host.read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let options = parse_section(&text, DEFAULT_SECTION).tree.options;
    let emperor = options.iter().find(|option| option.key.value.plain() == Some("emperor"))?;
    Some(emperor.value.value.plain()?.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::host::recorded::Recorded;
    use crate::stack::process::discover;

    /// An emperor with one vassal, which has one worker, both far from where they were started.
    fn host(emperor: &str) -> Recorded {
        let uwsgi = |pid: i32, ppid: i32, words: &str| {
            format!(
                "[process.{pid}]\nppid = {ppid}\nname = \"uwsgi\"\nexe = \"/usr/bin/uwsgi-core\"\ncwd = \"/srv/shop\"\n\
                 cmdline = [\"uwsgi\", {words}]\nuid = 33\ngid = 33\nstarted = 1462327200\n"
            )
        };
        let vassal = "\"--ini\", \"shop.ini\"";
        let patch = format!("{}{}{}", uwsgi(70, 1, emperor), uwsgi(71, 70, vassal), uwsgi(72, 71, vassal));
        let host = Recorded::healthy().unwrap().patched(&patch).unwrap();
        host.with_file("/etc/vassals/shop.ini", b"[uwsgi]\nsocket = /run/shop.sock\n".as_slice())
            .with_file("/etc/emperor.ini", b"[uwsgi]\nemperor = /etc/vassals/\n".as_slice())
    }

    #[test]
    fn a_vassal_runs_the_ini_of_its_emperors_folder() {
        for emperor in
            ["\"--emperor\", \"/etc/vassals\"", "\"--emperor=/etc/vassals/\"", "\"--ini\", \"/etc/emperor.ini\""]
        {
            let found = discover(&host(emperor)).unwrap();
            let of =
                |pid| found.iter().find(|one| one.process.pid == pid).map(|one| (one.config.as_deref(), one.master));
            assert_eq!(of(71), Some((Some("/etc/vassals/shop.ini"), true)), "{emperor}");
            assert_eq!(inis(&host(emperor), &found), ["/etc/vassals/shop.ini"]);
            assert_eq!(of(72), Some((Some("/etc/vassals/shop.ini"), false)), "{emperor}");
        }
    }

    #[test]
    fn of_a_pattern_nothing_is_guessed() {
        let found = discover(&host("\"--emperor\", \"/etc/*/vassals\"")).unwrap();
        assert!(found.iter().all(|one| one.config.as_deref() != Some("/etc/vassals/shop.ini")));
    }
}
