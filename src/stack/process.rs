//! Which processes of a host are nginx and uWSGI, which heads the others, and with which configuration each was started.

use crate::rows;

use crate::host::{Host, Process, ReadError};

use crate::source::{Origin, Sources, Span};
use crate::stack::fact::{Fact, Missing};
use crate::stack::uwsgi::packaged::DEFAULT_INI;
use crate::stack::vassal;

rows! {
    #[doc = "one process of nginx or uWSGI on a host; keyed by its program"]
    pub struct Daemon in "processes" {
        #[doc = "`nginx` or `uwsgi`"]
        program: String,
        #[doc = "its process id"]
        pid: i64,
        #[doc = "its parent's process id"]
        ppid: i64,
        #[doc = "the user it runs as"]
        user: String,
        #[doc = "the configuration it was started with"]
        path: String,
        #[doc = "whether it heads the others, rather than being one of their workers"]
        master: bool,
        #[doc = "when it started, in seconds since 1970"]
        started: i64,
    }
}

/// A server program of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// nginx.
    Nginx,
    /// uWSGI.
    Uwsgi,
}

impl Program {
    /// The word that facts and rule pages use.
    pub fn word(self) -> &'static str {
        match self {
            Program::Nginx => "nginx",
            Program::Uwsgi => "uwsgi",
        }
    }
}

/// One process of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it runs.
    pub program: Program,
    /// Whether it heads the others.
    pub master: bool,
    /// The configuration it was started with, absolute where that can be told.
    pub config: Option<String>,
    /// The process, with its environment.
    pub process: Process,
}

/// Where nginx looks when `-c` does not say: Debian's `--conf-path`.
const NGINX_CONF: &str = "/etc/nginx/nginx.conf";

/// The processes of nginx and uWSGI on this host, by pid. Errors: those of reading the process table.
pub fn discover(host: &dyn Host) -> Result<Vec<Found>, ReadError> {
    let mut found = of_stack(host.processes()?);
    vassal::settle(host, &mut found);
    // An ini that was named relative to the folder at start, which `chdir` may have left since, is looked for.
    for one in found.iter_mut().filter(|one| one.program == Program::Uwsgi) {
        let is_guess = |path: &String| !one.process.cmdline.iter().any(|argument| argument.contains(path.as_str()));
        one.config = one.config.take().filter(|path| !is_guess(path) || host.stat(path).is_ok());
    }
    Ok(found)
}

/// The same from a process table.
pub fn of_stack(processes: Vec<Process>) -> Vec<Found> {
    let mut found: Vec<Found> = processes
        .into_iter()
        .filter_map(|process| {
            let program = program(&process)?;
            let config = match program {
                Program::Nginx => nginx_config(&process),
                Program::Uwsgi => uwsgi_config(&process),
            };
            Some(Found { program, master: true, config, process })
        })
        .collect();
    let heads: Vec<(i32, Program, Option<String>)> =
        found.iter().map(|found| (found.process.pid, found.program, found.config.clone())).collect();
    for one in &mut found {
        let parent = heads.iter().find(|(pid, program, _)| *pid == one.process.ppid && *program == one.program);
        let Some((_, _, config)) = parent else { continue };
        // A process title leaves no arguments behind; a vassal of an emperor has its own.
        one.master = one.config.is_some() && one.config != *config;
        one.config = one.config.take().or_else(|| config.clone());
    }
    for one in found.iter_mut().filter(|one| one.program == Program::Nginx) {
        one.config.get_or_insert_with(|| NGINX_CONF.to_owned());
    }
    found
}

/// The program file tells; its title, which anybody can write, only where the file is out of sight.
fn program(process: &Process) -> Option<Program> {
    let first = process.cmdline.first()?.as_str();
    let file = match &process.exe {
        Ok(exe) => exe.trim_end_matches(" (deleted)"),
        Err(_) => first.split([' ', ':']).next()?,
    };
    let name = file.rsplit('/').next()?;
    if name == "nginx" {
        return Some(Program::Nginx);
    }
    // Debian: `uwsgi-core`; a plugin's own binary: `uwsgi_python3`.
    let is_uwsgi = name == "uwsgi" || name.starts_with("uwsgi-") || name.starts_with("uwsgi_");
    is_uwsgi.then_some(Program::Uwsgi)
}

/// `-c FILE` and `-p PREFIX` of the command line, which nginx keeps in its master's title.
fn nginx_config(process: &Process) -> Option<String> {
    let words: Vec<&str> = process.cmdline.iter().flat_map(|argument| argument.split_whitespace()).collect();
    let option = |name: &str| {
        let at = words.iter().position(|word| word.starts_with(name) && !word.starts_with("--"))?;
        let joined = &words[at][name.len()..];
        if joined.is_empty() { words.get(at + 1).copied() } else { Some(joined) }
    };
    let config = option("-c")?;
    if config.starts_with('/') {
        return Some(config.to_owned());
    }
    Some(format!("{}/{config}", option("-p").unwrap_or("/etc/nginx").trim_end_matches('/')))
}

/// The options that name a configuration file: `core/uwsgi.c`, `uwsgi_base_options`.
const CONFIG_OPTIONS: [&str; 8] = ["--ini", "--ini-paste", "--xml", "--yaml", "--yml", "--json", "-x", "-y"];
/// The endings by which a bare argument is taken for one: `core/utils.c`, `uwsgi_opt_load`.
const CONFIG_ENDINGS: [&str; 5] = [".ini", ".xml", ".yml", ".yaml", ".json"];

/// The configuration that a uWSGI's command line names, as it is written there; the app's, where the one of Debian's package
/// comes before it.
pub fn written_config(process: &Process) -> Option<&str> {
    let mut arguments = process.cmdline.iter().skip(1).map(String::as_str);
    let mut of_package = None;
    while let Some(argument) = arguments.next() {
        let written = match argument.split_once('=') {
            Some((option, value)) if CONFIG_OPTIONS.contains(&option) => value,
            _ if CONFIG_OPTIONS.contains(&argument) => arguments.next()?,
            _ if argument.starts_with('-') => continue,
            _ if CONFIG_ENDINGS.iter().any(|ending| without_section(argument).ends_with(ending)) => argument,
            _ => continue,
        };
        match without_section(written) {
            DEFAULT_INI => of_package = Some(DEFAULT_INI),
            config => return Some(config),
        }
    }
    of_package
}

fn uwsgi_config(process: &Process) -> Option<String> {
    let path = written_config(process)?;
    if path.starts_with('/') {
        return Some(path.to_owned());
    }
    // The folder it was started in, unless `chdir` changed that since.
    let cwd = process.cwd.as_ref().ok()?;
    Some(format!("{}/{}", cwd.trim_end_matches('/'), path.trim_start_matches("./")))
}

/// `app.ini:section` names a section.
fn without_section(path: &str) -> &str {
    path.split_once(':').map_or(path, |(path, _)| path)
}

/// Whether a uWSGI master runs with this ini, links followed; `None` where the ini of one that runs is out of sight.
pub fn master_runs(host: &dyn Host, found: &[Found], ini: &str) -> Option<bool> {
    let real = |path: &str| host.real_path(path).unwrap_or_else(|_| path.to_owned());
    let wanted = real(ini);
    let masters = found.iter().filter(|one| one.program == Program::Uwsgi && one.master);
    let inis: Vec<Option<String>> = masters.map(|one| one.config.as_deref().map(real)).collect();
    if inis.iter().flatten().any(|ini| *ini == wanted) {
        return Some(true);
    }
    inis.iter().all(Option::is_some).then_some(false)
}

/// The uWSGI masters that run with this ini, links followed, the youngest first.
pub fn masters_of<'f>(host: &dyn Host, found: &'f [Found], ini: &str) -> impl Iterator<Item = &'f Found> {
    let real = |path: &str| host.real_path(path).unwrap_or_else(|_| path.to_owned());
    let masters = found.iter().filter(|one| one.program == Program::Uwsgi && one.master);
    let wanted = real(ini);
    let mut all: Vec<&Found> =
        masters.filter(|one| one.config.as_ref().is_some_and(|config| real(config) == wanted)).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.process.started));
    all.into_iter()
}

/// One row for each process; the process table that they quote becomes a source.
pub fn rows(host: &dyn Host, found: &[Found], sources: &mut Sources) -> Vec<Daemon> {
    let users = host.users();
    let user = |uid: u32| match &users {
        Ok(users) => {
            users.iter().find(|user| user.uid == uid).map_or_else(|| uid.to_string(), |user| user.name.clone())
        }
        Err(_) => uid.to_string(),
    };
    let mut table = String::from("  PID  PPID USER     PROGRAM CONFIGURATION\n");
    let mut spans = Vec::new();
    for one in found {
        let start = table.len();
        let config = one.config.as_deref().unwrap_or("-");
        let (process, name) = (&one.process, one.program.word());
        table += &format!("{:5} {:5} {:8} {name:7} {config}", process.pid, process.ppid, user(process.uid));
        spans.push(Span::new(start, table.len()));
        table.push('\n');
    }
    let file = sources.add("processes", table.into_bytes(), Origin::Probe);
    let row = |(one, span): (&Found, Span)| {
        let place = crate::source::Place::at(file, span);
        let mut row = Daemon::at(place);
        row.key = one.program.word().to_owned();
        row.program = Fact::read(one.program.word().to_owned(), place);
        row.pid = Fact::read(one.process.pid.into(), place);
        row.ppid = Fact::read(one.process.ppid.into(), place);
        row.user = Fact::read(user(one.process.uid), place);
        row.path = match &one.config {
            Some(path) => Fact::read(path.clone(), place),
            None => Fact::unknown(Missing::new(
                "the configuration of a running process",
                "start it with the absolute path of its ini",
            )),
        };
        row.master = Fact::derived(one.master).at(place);
        row.started = Fact::read(one.process.started, place);
        row
    };
    found.iter().zip(spans).map(row).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn process(pid: i32, ppid: i32, exe: Option<&str>, cmdline: &[&str]) -> Process {
        Process {
            pid,
            ppid,
            name: String::new(),
            exe: exe.map(str::to_owned).ok_or(ReadError::NoPermission),
            cmdline: cmdline.iter().map(|&argument| argument.to_owned()).collect(),
            cwd: Ok("/srv/thena".to_owned()),
            uid: 0,
            gid: 0,
            groups: vec![],
            started: 0,
            environ: Err(ReadError::NoPermission),
            apart: vec![],
        }
    }

    fn config(exe: &str, cmdline: &[&str]) -> Option<String> {
        of_stack(vec![process(1, 0, Some(exe), cmdline)]).remove(0).config
    }

    #[test]
    fn nginx_says_its_configuration_in_its_title() {
        let nginx = |title: &str| config("/usr/sbin/nginx", &[title]).unwrap();
        assert_eq!(nginx("nginx: master process /usr/sbin/nginx"), "/etc/nginx/nginx.conf");
        assert_eq!(nginx("nginx: master process nginx -g daemon off; -c /srv/n.conf"), "/srv/n.conf");
        assert_eq!(nginx("nginx: master process nginx -p /srv/n/ -c n.conf"), "/srv/n/n.conf");
        assert_eq!(config("/usr/sbin/nginx (deleted)", &["nginx", "-c/a.conf"]).unwrap(), "/a.conf");
    }

    #[test]
    fn uwsgi_names_its_ini_in_many_ways() {
        let uwsgi = |arguments: &[&str]| config("/usr/bin/uwsgi-core", &[&["uwsgi"], arguments].concat());
        assert_eq!(uwsgi(&["--ini", "/a.ini"]).unwrap(), "/a.ini");
        assert_eq!(uwsgi(&["--ini=/a.ini:prod"]).unwrap(), "/a.ini");
        assert_eq!(uwsgi(&["--die-on-term", "./conf/a.ini"]).unwrap(), "/srv/thena/conf/a.ini");
        assert_eq!(uwsgi(&["--http", ":80"]), None);
    }

    #[test]
    fn workers_follow_their_master_and_vassals_do_not() {
        let bin = Some("/usr/bin/uwsgi");
        let found = of_stack(vec![
            process(10, 1, bin, &["uwsgi", "--emperor", "/etc/uwsgi"]),
            process(20, 10, bin, &["uwsgi", "--ini", "/etc/uwsgi/a.ini"]),
            process(21, 20, bin, &["uwsgi", "--ini", "/etc/uwsgi/a.ini"]),
            process(22, 20, None, &["uwsgi worker 2"]),
        ]);
        let masters: Vec<(i32, bool)> = found.iter().map(|one| (one.process.pid, one.master)).collect();
        assert_eq!(masters, [(10, true), (20, true), (21, false), (22, false)]);
        assert_eq!(found[3].config.as_deref(), Some("/etc/uwsgi/a.ini"));
    }

    #[test]
    fn a_title_does_not_make_a_process_nginx() {
        let decoy = process(5, 1, Some("/tmp/evil"), &["nginx: master process /usr/sbin/nginx -c /tmp/x"]);
        let editor = process(6, 1, Some("/usr/bin/vim"), &["vim", "uwsgi.ini"]);
        assert_eq!(of_stack(vec![decoy, editor]), []);
    }

    fn healthy() -> crate::host::recorded::Recorded {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hosts/healthy");
        crate::host::recorded::Recorded::load(&folder).unwrap()
    }

    #[test]
    fn an_ini_named_from_a_folder_that_was_left_is_unknown() {
        let started = |argument: &str| {
            let words = format!("cmdline = [\"uwsgi\", \"--ini\", \"{argument}\"]");
            let host =
                healthy().patched(&format!("[process.902]\n{words}\n[process.905]\n{words}\n[process.906]\n{words}"));
            let host = host.unwrap();
            let found = discover(&host).unwrap();
            let masters = found.iter().filter(|one| one.program == Program::Uwsgi && one.master).count();
            (master_runs(&host, &found, "/srv/thena/current/uwsgi.ini"), masters)
        };
        assert_eq!(started("uwsgi.ini"), (Some(true), 1));
        assert_eq!(started("conf/elsewhere.ini"), (None, 1));
        assert_eq!(started("/srv/thena/releases/old/uwsgi.ini"), (Some(false), 1));
    }

    #[test]
    fn a_master_is_known_by_its_ini() {
        let host = healthy();
        let mut found = discover(&host).unwrap();
        assert_eq!(master_runs(&host, &found, "/srv/thena/releases/20160503/uwsgi.ini"), Some(true));
        assert_eq!(master_runs(&host, &found, "/srv/other.ini"), Some(false));
        found.iter_mut().for_each(|one| one.config = None);
        assert_eq!(master_runs(&host, &found, "/srv/other.ini"), None);
        assert_eq!(master_runs(&host, &[], "/srv/other.ini"), Some(false));
    }

    #[test]
    fn the_healthy_host_has_both() {
        let host = healthy();
        let found = discover(&host).unwrap();
        let mut sources = Sources::default();
        let rows = rows(&host, &found, &mut sources);
        let seen: Vec<_> = rows
            .iter()
            .map(|row| (row.key.as_str(), *row.master.known().unwrap(), row.user.known().unwrap().as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                ("nginx", true, "root"),
                ("nginx", false, "www-data"),
                ("uwsgi", true, "thena"),
                ("uwsgi", false, "thena"),
                ("uwsgi", false, "thena")
            ]
        );
        let text = sources.text(rows[2].place.file);
        assert!(rows[2].place.span.unwrap().of(text).ends_with("/srv/thena/current/uwsgi.ini"));
        assert!(!text.contains("example-only"));
    }
}
