//! The real nginx and uWSGI with the files of a stack; dropping them ends them.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::render::{Rendered, render};
use crate::stack::Stack;
use crate::wait::wait_until;

/// uWSGI as Debian has it, with Python in a plugin.
const UWSGI: &str = "/usr/bin/uwsgi-core";

pub struct Servers {
    folder: TempDir,
    port: u16,
    nginx: Child,
    uwsgi: Child,
}

/// What a user gets; status 0 where there is no answer at all.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// How uWSGI is started: by its Upstart job where the stack has one, else by hand in the folder of its ini.
struct Start {
    command: Vec<String>,
    environment: Vec<(String, String)>,
    /// The user and the group.
    user: Option<(String, String)>,
    folder: String,
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Servers {
    pub(crate) fn start(stack: &Stack, environment: &[(&str, &str)]) -> Self {
        let folder = TempDir::with_prefix("housecall-proof-").unwrap();
        let root = folder.path();
        let Rendered { files, port } = render(stack, root);
        for (path, text) in &files {
            write(&root.join(path), text);
        }
        open_to_all(root);
        for writable in ["run", "run/shop", "var/log", "var/tmp"] {
            fs::create_dir_all(root.join(writable)).unwrap();
            fs::set_permissions(root.join(writable), fs::Permissions::from_mode(0o777)).unwrap();
        }
        let nginx = start_nginx(root);
        let uwsgi = start_uwsgi(root, &start_of(&files, root, environment));
        let servers = Self { folder, port, nginx, uwsgi };
        wait_until("nginx listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        wait_until("uWSGI has loaded its app, or not", || servers.uwsgi_log().contains(" app 0 "));
        servers
    }

    /// What a user gets for a path.
    pub fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\n"), &[])
    }

    /// What a user gets who sends that many bytes to a path.
    pub fn post(&self, path: &str, bytes: usize) -> Answer {
        self.ask(&format!("POST {path} HTTP/1.1\r\nContent-Length: {bytes}\r\n"), &vec![b'x'; bytes])
    }

    fn ask(&self, head: &str, body: &[u8]) -> Answer {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return Answer::none() };
        stream.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
        let head = format!("{head}Host: shop.example\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let Some((head, body)) = answer.split_once("\r\n\r\n") else { return Answer::none() };
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Answer { status, body: body.to_owned() }
    }

    /// What users get who all ask at once.
    pub fn get_at_once(&self, path: &str, users: usize) -> Vec<Answer> {
        std::thread::scope(|scope| {
            let asked: Vec<_> = (0..users).map(|_| scope.spawn(|| self.get(path))).collect();
            asked.into_iter().map(|user| user.join().unwrap()).collect()
        })
    }

    pub fn uwsgi_log(&self) -> String {
        text(&self.folder.path().join("var/log/proof-uwsgi.log"))
    }

    /// Sends a signal to uWSGI's master, as Upstart does to stop a job.
    pub fn signal(&self, signal: &str) {
        let _ = Command::new("kill").args([&format!("-{signal}"), "--", &self.uwsgi.id().to_string()]).status();
    }

    /// Waits until uWSGI has written a text: an answer may be faster than its line in the log.
    pub fn uwsgi_says(&self, said: &str) {
        self.uwsgi_says_one_of(&[said]);
    }

    /// The same, for what one of several texts says.
    pub fn uwsgi_says_one_of(&self, said: &[&str]) {
        wait_until(&format!("uWSGI says one of {said:?}"), || {
            let log = self.uwsgi_log();
            said.iter().any(|said| log.contains(said))
        });
    }

    fn nginx_log(&self) -> String {
        text(&self.root().join("var/log/proof-nginx.log"))
    }

    /// Waits until nginx has written a text to its error log.
    pub fn nginx_says(&self, said: &str) {
        wait_until(&format!("nginx says `{said}`"), || self.nginx_log().contains(said));
    }

    /// The folder that stands for the root of the host.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }
}

impl Answer {
    fn none() -> Self {
        Self { status: 0, body: String::new() }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // Without a master each worker is on its own, so the whole group is ended.
        let _ =
            Command::new("kill").args(["-KILL", "--", &format!("-{}", self.uwsgi.id())]).stderr(Stdio::null()).status();
        let _ = self.uwsgi.wait();
        let _ = Command::new("kill").args(["-TERM", &self.nginx.id().to_string()]).stderr(Stdio::null()).status();
        let _ = self.nginx.wait();
    }
}

fn start_nginx(root: &Path) -> Child {
    let config = text(&root.join("etc/nginx/nginx.conf"));
    let user = if is_root() && !config.contains("user ") { "user www-data; " } else { "" };
    let main = format!("daemon off; {user}pid {}/run/nginx.pid;", root.display());
    let mut command = Command::new("/usr/sbin/nginx");
    command.arg("-c").arg(root.join("etc/nginx/nginx.conf")).arg("-e").arg(root.join("var/log/proof-nginx.log"));
    spawn(command.args(["-g", &main]))
}

fn start_uwsgi(root: &Path, start: &Start) -> Child {
    let log = root.join("var/log/proof-uwsgi.log");
    let program = Path::new(&start.command[0]);
    if program.starts_with(root) {
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        symlink(UWSGI, program).unwrap();
    }
    let mut command = match start.user.as_ref().filter(|_| is_root()) {
        Some((user, group)) => {
            let mut command = Command::new("setpriv");
            command.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups", "--"]);
            command.arg(program);
            command
        }
        None => Command::new(program),
    };
    command.args(["--plugin", "python3", "--logto"]).arg(log).args(&start.command[1..]);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("TERM", "linux");
    command.envs(start.environment.iter().map(|(name, value)| (name, value)));
    spawn(command.current_dir(root.join(&start.folder)))
}

fn spawn(command: &mut Command) -> Child {
    let quiet = command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.spawn().unwrap()
}

fn start_of(files: &std::collections::BTreeMap<String, String>, root: &Path, environment: &[(&str, &str)]) -> Start {
    let by_hand = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    if let Some((_, job)) = files.iter().find(|(path, _)| path.starts_with("etc/init/")) {
        let stanza = |word: &str| job.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        let given = job.lines().filter_map(|line| line.strip_prefix("env ")?.split_once('='));
        let given = given.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()));
        let command: Vec<String> = stanza("exec").expect("an exec").split(' ').map(str::to_owned).collect();
        return Start {
            command,
            environment: given.chain(by_hand).collect(),
            user: stanza("setuid").map(|user| (user.to_owned(), stanza("setgid").unwrap_or(user).to_owned())),
            folder: ".".to_owned(),
        };
    }
    let ini = files.keys().find(|path| path.ends_with(".ini")).expect("an ini");
    let folder = ini.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned();
    let command = [UWSGI, "--ini", root.join(ini).to_str().unwrap()].map(str::to_owned).to_vec();
    Start { command, environment: by_hand.collect(), user: None, folder }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// A temporary folder is its owner's alone; the servers run as others.
fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}
