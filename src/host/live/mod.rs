//! The host that housecall runs on. Useful without root: what another user hides is an error that says so.

mod processes;
mod sockets;
mod vitals;

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::deadline::Budget;
use rustix::io::Errno;

use super::{
    Acl, Answered, Connect, Files, Host, Listener, Login, NoAddress, OpenFile, Process, ReadError, SocketInode, Stat,
    Tail, Target, UnixSocket, Url, User, Vitals, Volume, connect, file, journal, postgres, request, users,
};

/// This machine.
#[derive(Debug, Default)]
pub struct Live {
    root: Option<PathBuf>,
    budget: Budget,
    /// A log that was handed in, under the name it is asked for by.
    given: Option<Tail>,
    holders: OnceLock<HashMap<u64, Vec<i32>>>,
    /// When each process started that was seen, in ticks since the boot: another one may get its pid.
    started: Mutex<HashMap<i32, u64>>,
}

/// The name under which a log is asked for that was handed in: standard input's by convention.
pub const GIVEN: &str = "-";

/// How soon after an answer the servers' logs tell of it.
const LOGGED_WITHIN: Duration = Duration::from_millis(300);
/// How much is read of a program.
const PROGRAM_BYTES: u64 = 16 << 20;

/// The folders that `--root` moves: where programs keep configuration, homes and logs by convention, and Chef its runs.
const WELL_KNOWN: [&str; 7] = ["/etc", "/home", "/root", "/var/log", "/opt/aws", "/var/lib/aws", "/var/chef"];

impl Live {
    /// This machine, with all probes together bound by `budget`.
    pub fn new(budget: Budget) -> Self {
        Self { budget, ..Self::default() }
    }

    /// The same with the well-known folders read from below `root`.
    #[must_use]
    pub fn rooted_at(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// The same with a log that was handed in: the one at [`GIVEN`].
    #[must_use]
    pub fn with_log(mut self, log: Tail) -> Self {
        self.given = Some(log);
        self
    }

    fn on_disk(&self, path: &str) -> PathBuf {
        let is_below =
            |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        match &self.root {
            Some(root) if !Path::new(path).starts_with(root) && WELL_KNOWN.into_iter().any(is_below) => {
                root.join(path.trim_start_matches('/'))
            }
            _ => PathBuf::from(path),
        }
    }

    /// Where a path lies on disk with the links on it followed. Below a root an absolute link leads where it would lead a
    /// program that runs there; one of another user is left to be judged when the file is opened.
    fn followed(&self, path: &str) -> PathBuf {
        // A link of /proc leads to what is open, also where its words lead nowhere.
        let root = self.root.as_ref().and_then(|root| root.to_str()).filter(|_| !path.starts_with("/proc/"));
        let Some(root) = root else { return PathBuf::from(path) };
        let (mut walked, rest) = match path.strip_prefix(root).filter(|rest| rest.starts_with('/')) {
            Some(rest) => (root.to_owned(), rest),
            None => (String::new(), path),
        };
        let mut pending: Vec<String> = rest.rsplit('/').map(str::to_owned).collect();
        // As many links as the kernel follows: path_resolution(7).
        let mut links_left = 40;
        while let Some(part) = pending.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    walked.truncate(walked.rfind('/').unwrap_or(0));
                    continue;
                }
                name => walked = format!("{walked}/{name}"),
            }
            let on_disk = self.on_disk(&walked);
            let Some(link) = std::fs::symlink_metadata(&on_disk).ok().filter(std::fs::Metadata::is_symlink) else {
                continue;
            };
            let target = std::fs::read_link(&on_disk).ok().and_then(|target| target.to_str().map(str::to_owned));
            let Some(target) = target.filter(|_| links_left > 0 && !file::is_foreign(&link)) else {
                return self.on_disk(path);
            };
            links_left -= 1;
            walked.truncate(if target.starts_with('/') { 0 } else { walked.rfind('/').unwrap_or(0) });
            pending.extend(target.rsplit('/').map(str::to_owned));
        }
        self.on_disk(if walked.is_empty() { "/" } else { &walked })
    }

    /// The processes that hold each socket, as far as this user may see; read once.
    fn holders(&self) -> &HashMap<u64, Vec<i32>> {
        self.holders.get_or_init(sockets::holders)
    }
}

impl Files for Live {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, ReadError> {
        Ok(file::read(&self.followed(path))?.into())
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        file::list(&self.followed(folder))
    }

    fn stat(&self, path: &str) -> Result<Stat, ReadError> {
        file::stat(&self.followed(path))
    }

    fn real_path(&self, path: &str) -> Result<String, ReadError> {
        let real = std::fs::canonicalize(self.followed(path))?;
        real.into_os_string().into_string().map_err(|_| ReadError::Other("the path is not UTF-8".to_owned()))
    }

    fn shown(&self, path: &str) -> String {
        if path == GIVEN {
            return "standard input".to_owned();
        }
        if let Some(unit) = journal::unit(path) {
            return format!("the journal of {unit}");
        }
        self.on_disk(path).to_string_lossy().into_owned()
    }

    fn acl(&self, path: &str) -> Result<Option<Acl>, ReadError> {
        let mut entries = [0_u8; 4096];
        let length = match rustix::fs::getxattr(self.followed(path), c"system.posix_acl_access", &mut entries) {
            Ok(length) => length,
            Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(None),
            Err(error) => return Err(std::io::Error::from(error).into()),
        };
        match Acl::decode(&entries[..length]) {
            Some(list) => Ok(Some(list)),
            None => Err(ReadError::Other("its access control list has a form that is not known here".to_owned())),
        }
    }
}

impl Host for Live {
    fn processes(&self) -> Result<Vec<Process>, ReadError> {
        let mut started = HashMap::new();
        let all = processes::all(&mut started)?;
        self.started.lock().unwrap_or_else(PoisonError::into_inner).extend(started);
        Ok(all)
    }

    fn listeners(&self) -> Result<Vec<Listener>, ReadError> {
        sockets::listeners(self.holders())
    }

    fn unix_sockets(&self) -> Result<Vec<UnixSocket>, ReadError> {
        sockets::unix_sockets(self.holders())
    }

    fn established(&self, pid: i32) -> Result<Vec<SocketInode>, ReadError> {
        let started = self.started.lock().unwrap_or_else(PoisonError::into_inner).get(&pid).copied();
        sockets::established(pid, started)
    }

    fn open_files(&self, pid: i32) -> Result<Vec<OpenFile>, ReadError> {
        processes::open_files(pid)
    }

    fn users(&self) -> Result<Vec<User>, ReadError> {
        users::read(self)
    }

    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    fn tail(&self, path: &str) -> Result<Tail, ReadError> {
        if let Some(given) = self.given.as_ref().filter(|_| path == GIVEN) {
            return Ok(given.clone());
        }
        if let Some(unit) = journal::unit(path) {
            // Another root has none in /run: that of this machine tells of other services.
            let folders = journal::FOLDERS.iter().filter(|folder| self.root.is_none() || folder.starts_with("/var"));
            let folders = folders.map(|folder| self.on_disk(folder)).collect();
            return journal::tail(folders, unit, self.budget.deadline());
        }
        file::tail(&self.followed(path))
    }

    fn said_by(&self, program: &str, words: &str) -> Result<Option<String>, ReadError> {
        Ok(file::text_after(&file::read_up_to(&self.followed(program), PROGRAM_BYTES)?, words))
    }

    fn vitals(&self) -> Result<Vitals, ReadError> {
        vitals::look()
    }

    fn volume(&self, path: &str) -> Result<Volume, ReadError> {
        let path = self.followed(path);
        // A network file system whose server is gone does not answer.
        let seen = self.budget.deadline().run(move || rustix::fs::statvfs(&path));
        let seen = seen.ok_or_else(|| ReadError::Other("no answer in time".to_owned()))?;
        let seen = seen.map_err(std::io::Error::from)?;
        Ok(Volume {
            bytes: seen.f_blocks.saturating_mul(seen.f_frsize),
            free: seen.f_bavail.saturating_mul(seen.f_frsize),
            inodes: seen.f_files,
            free_inodes: seen.f_favail,
        })
    }

    fn connect_unix(&self, path: &str) -> Connect {
        connect::unix(path)
    }

    fn connect_tcp(&self, host: &str, port: u16) -> Connect {
        match connect::tcp(host, port, self.budget.deadline()) {
            Connect::TimedOut if self.budget.is_spent() => {
                Connect::Other("the time for all probes was over before this one".to_owned())
            }
            seen => seen,
        }
    }

    fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, NoAddress> {
        connect::resolve(host, self.budget.deadline())
    }

    fn request(&self, url: &Url) -> Result<Answered, Connect> {
        let answered = request::get(url, self.budget.deadline());
        // uWSGI logs a request when it has closed the connection already.
        std::thread::sleep(LOGGED_WITHIN);
        answered
    }

    fn login(&self, target: &Target) -> Login {
        postgres::login(target, &self.budget)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn this_process_is_seen_whole() {
        let own = i32::try_from(std::process::id()).unwrap();
        let all = Live::default().processes().unwrap();
        let process = all.iter().find(|process| process.pid == own).unwrap();
        let exe = std::env::current_exe().unwrap();
        assert_eq!(process.exe.as_deref(), Ok(exe.to_str().unwrap()));
        assert!(process.cwd.is_ok() && process.environ.is_ok());
        assert!((Live::default().now() - process.started).abs() < 3600, "started {}", process.started);
    }

    #[test]
    fn what_another_user_hides_is_an_error() {
        let all = Live::default().processes().unwrap();
        let init = all.iter().find(|process| process.pid == 1).unwrap();
        let hidden = init.uid != rustix::process::geteuid().as_raw() && !rustix::process::geteuid().is_root();
        // A container may hide it from root as well.
        assert!(!hidden || init.environ == Err(ReadError::NoPermission));
        assert!(!init.cmdline.is_empty());
    }

    #[test]
    fn sockets_lead_to_their_process() {
        let own = i32::try_from(std::process::id()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a socket").to_str().unwrap().to_owned();
        let _unix = UnixListener::bind(&path).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        let _client = TcpStream::connect(address).unwrap();
        let live = Live::default();
        let unix = live.unix_sockets().unwrap().into_iter().find(|socket| socket.path == path).unwrap();
        assert!(unix.listening && unix.pids.contains(&own));
        let listeners = live.listeners().unwrap();
        let listener = listeners.iter().find(|listener| listener.port == address.port()).unwrap();
        assert!(listener.pids.contains(&own) && listener.address == address.ip());
        assert!(live.established(own).unwrap().iter().any(|socket| socket.remote == address.to_string()));
    }

    #[test]
    fn a_pid_that_another_process_got_shows_none_of_its_connections() {
        let own = i32::try_from(std::process::id()).unwrap();
        let live = Live::default();
        live.processes().unwrap();
        assert!(live.established(own).is_ok());
        *live.started.lock().unwrap().get_mut(&own).unwrap() -= 1;
        assert_eq!(live.established(own), Err(ReadError::NotFound));
    }

    #[test]
    fn only_well_known_folders_move_with_the_root() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        std::fs::write(folder.path().join("etc/passwd"), "thena:x:998:998::/srv/thena:/bin/false\n").unwrap();
        let live = Live::default().rooted_at(folder.path());
        assert_eq!(live.users().unwrap()[0].name, "thena");
        assert!(live.stat("/proc/self").is_ok());
        assert_eq!(live.on_disk("/etcetera"), PathBuf::from("/etcetera"));
    }

    #[test]
    fn a_link_below_a_root_leads_where_it_would_lead_a_program_there() {
        let folder = tempfile::tempdir().unwrap();
        let nginx = folder.path().join("etc/nginx");
        std::fs::create_dir_all(nginx.join("sites-available")).unwrap();
        std::fs::create_dir_all(nginx.join("sites-enabled")).unwrap();
        std::fs::write(nginx.join("sites-available/shop"), "inside").unwrap();
        let link = |target: &str, name: &str| {
            std::os::unix::fs::symlink(target, nginx.join("sites-enabled").join(name)).unwrap();
        };
        link("/etc/nginx/sites-available/shop", "absolute");
        link("../sites-available/shop", "relative");
        link("../../../../../../../../../etc/passwd", "out");
        link("circle", "circle");
        let live = Live::default().rooted_at(folder.path());
        for name in ["absolute", "relative"] {
            let path = format!("/etc/nginx/sites-enabled/{name}");
            assert_eq!(live.read(&path).as_deref(), Ok(b"inside".as_slice()), "{name}");
            let below_root = format!("{}{path}", folder.path().display());
            assert_eq!(live.read(&below_root).as_deref(), Ok(b"inside".as_slice()), "{name}");
        }
        assert_eq!(live.read("/etc/nginx/sites-enabled/out"), Err(ReadError::NotFound));
        assert_eq!(live.read("/etc/../../../../../../../etc/passwd"), Err(ReadError::NotFound));
        assert!(live.read("/etc/nginx/sites-enabled/circle").is_err());
        let at_home = Live::default().rooted_at("/home/lab");
        assert_eq!(at_home.on_disk("/home/lab/etc/x"), PathBuf::from("/home/lab/etc/x"));
    }

    #[test]
    fn a_deleted_log_is_read_through_its_descriptor_below_a_root_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        std::fs::write(&path, "line\n").unwrap();
        let held = std::fs::File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let live = Live::default().rooted_at(folder.path());
        let open = live.open_files(own).unwrap();
        let file = open.iter().find(|file| file.path == path.to_str().unwrap()).unwrap();
        assert!(file.deleted);
        assert_eq!(live.tail(&file.through(own)).unwrap().bytes, b"line\n");
        drop(held);
    }

    #[test]
    fn what_nobody_waited_for_did_not_time_out() {
        let live = Live::new(Budget::new(std::time::Duration::ZERO, std::time::Duration::from_secs(3)));
        assert!(matches!(live.connect_tcp("127.0.0.1", 1), Connect::Other(_)));
    }

    #[test]
    fn a_socket_of_another_mode_is_judged_by_its_bits() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = folder.path().join("s").to_str().unwrap().to_owned();
        let _listener = UnixListener::bind(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let stranger = super::super::Identity { uid: 54321, gid: 54321, groups: vec![] };
        let access = Live::default().access(&path, &stranger);
        assert!(matches!(access, super::super::Access::Denied { needs: "w", mode: 0o600, .. }), "{access:?}");
    }
}
