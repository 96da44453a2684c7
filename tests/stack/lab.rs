//! A real stack under a temporary folder: nginx, uWSGI with its Python plugin, a Flask app, and the shared PostgreSQL.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub use crate::plan::{Plan, is_root};
use crate::postgres;
use crate::servers::{signal, start_nginx, start_uwsgi, write_files};
use crate::wait::{free_port, wait_until};

/// Running servers and the folder they live in; dropping it ends what it started.
pub struct Lab {
    folder: TempDir,
    port: u16,
    nginx: Child,
    uwsgi: Option<Child>,
    looks_from_inside: bool,
    /// What lasts as long as the lab, such as a lock in the database.
    pub kept: Vec<Box<dyn std::any::Any + Send + Sync>>,
}

/// The ini of a second site, where there is one.
pub const SECOND_INI: &str = "etc/thena/second.ini";

/// What doctor said.
pub struct Verdict {
    pub exit: i32,
    pub json: Value,
    pub seconds: f64,
}

impl Lab {
    /// Writes the files and starts nginx and uWSGI, each until it is ready.
    pub fn start(plan: &Plan) -> Self {
        let folder = TempDir::with_prefix("housecall-lab-").unwrap();
        let root = folder.path().to_owned();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["etc/init", "etc/nginx", "etc/thena", "run", "tmp", "var/log/upstart", "srv/www/thena/current"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        let port = free_port();
        write_files(&root, plan, port);
        (plan.before)(&root);
        let nginx = start_nginx(&root, plan, port);
        let uwsgi = start_uwsgi(&root, plan);
        let looks_from_inside = plan.looks_from_inside;
        Self { folder, port, nginx, uwsgi: Some(uwsgi), looks_from_inside, kept: Vec::new() }
    }

    /// The same, with its app loaded.
    pub fn started(plan: &Plan) -> Self {
        let lab = Self::start(plan);
        lab.wait_for_app();
        lab
    }

    /// Asks for `/` and leaves before there is an answer; the worker has the request then.
    pub fn ask_and_leave(&self) {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return };
        let _ = stream.write_all(b"GET / HTTP/1.0\r\nHost: thena.example\r\n\r\n");
    }

    /// Asks for `/` and stays until it is dropped.
    pub fn ask_and_stay(&mut self) {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return };
        let _ = stream.write_all(b"GET / HTTP/1.0\r\nHost: thena.example\r\n\r\n");
        self.kept.push(Box::new(stream));
    }

    /// Sends a body that nginx has to keep, until its disk has no room.
    pub fn fill_the_disk(&self) {
        let body = vec![b'o'; 600_000];
        let head = format!("POST / HTTP/1.0\r\nHost: thena.example\r\nContent-Length: {}\r\n\r\n", body.len());
        wait_until("the disk is full", || {
            self.status_of(&[head.as_bytes(), &body].concat());
            self.nginx_log().contains("No space left on device")
        });
    }

    /// What users get for a request of this head and body.
    pub fn status_of(&self, request: &[u8]) -> u16 {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return 0 };
        stream.set_read_timeout(Some(Duration::from_secs(6))).unwrap();
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// Tells nginx to read its configuration again, and waits until nothing goes by the old one.
    pub fn reload_nginx(&self) {
        let master = self.nginx.id().to_string();
        let workers = || {
            let output = Command::new("pgrep").args(["-P", &master]).output().unwrap();
            String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let before = workers();
        signal("-HUP", &master);
        // One that is told to quit may take a connection more.
        wait_until("the workers of before are gone", || !workers().iter().any(|pid| before.contains(pid)));
    }

    /// Sends a signal to uWSGI's master.
    pub fn signal_uwsgi(&self, name: &str) {
        signal(name, &self.uwsgi.as_ref().unwrap().id().to_string());
    }

    /// nginx's error log.
    pub fn nginx_log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.root().join("var/log/error.log")).unwrap_or_default()).into_owned()
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Where users come in.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The processes of both servers, by their groups.
    pub fn pids(&self) -> Vec<String> {
        let groups: Vec<String> =
            [Some(self.nginx.id()), self.uwsgi.as_ref().map(Child::id)].iter().flatten().map(u32::to_string).collect();
        let output = Command::new("pgrep").args(["-g", &groups.join(",")]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.root().join("var/log/uwsgi.log")).unwrap_or_default()).into_owned()
    }

    /// Waits until every worker has loaded its app.
    pub fn wait_for_app(&self) {
        wait_until("the app is loaded", || self.log().contains("WSGI app 0"));
        wait_until("nginx reaches a worker", || self.status() != 0);
    }

    /// The status that a user gets for `/`; 0 where there is no answer.
    pub fn status(&self) -> u16 {
        self.status_of(b"GET / HTTP/1.0\r\nHost: thena.example\r\n\r\n")
    }

    /// Ends uWSGI and starts it again.
    pub fn restart_uwsgi(&mut self) {
        self.stop_uwsgi();
        let before = self.log().matches("WSGI app 0").count();
        self.uwsgi = Some(start_uwsgi(self.root(), &Plan::healthy()));
        wait_until("the app is loaded again", || self.log().matches("WSGI app 0").count() > before);
        wait_until("nginx reaches a worker", || self.status() == 200);
    }

    /// Ends uWSGI as an operator would: its master ends the workers.
    pub fn stop_uwsgi(&mut self) {
        let Some(mut uwsgi) = self.uwsgi.take() else { return };
        signal("-TERM", &uwsgi.id().to_string());
        let _ = uwsgi.wait();
    }

    /// Ends uWSGI as the OOM killer would: every process at once, nothing cleaned up.
    pub fn kill_uwsgi(&mut self) {
        let Some(mut uwsgi) = self.uwsgi.take() else { return };
        signal("-KILL", &format!("-{}", uwsgi.id()));
        let _ = uwsgi.wait();
    }

    /// Runs doctor on this stack.
    pub fn doctor(&self) -> Verdict {
        verdict(&mut self.doctor_command())
    }

    /// Runs record on this stack; says where the recording lies and what the command said.
    pub fn record(&self) -> (PathBuf, String) {
        let file = self.root().join("recording.tar.gz");
        let _ = fs::remove_file(&file);
        let mut command = self.housecall();
        let output = command.arg("record").arg("-o").arg(&file).args(self.looking()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && output.stdout.is_empty(), "record: {said}");
        (file, said)
    }

    /// Runs doctor as a user who may see little; only root can become one.
    pub fn doctor_as_nobody(&self) -> Verdict {
        let program = self.root().join("tmp/housecall");
        fs::copy(env!("CARGO_BIN_EXE_housecall"), &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]).arg(program);
        command.args(self.doctor_command().get_args());
        verdict(&mut command)
    }

    /// Prints what a person would see, where `HOUSECALL_LAB_SHOW` is set.
    pub fn show(&self, title: &str) {
        if std::env::var_os("HOUSECALL_LAB_SHOW").is_some() {
            let output = self.doctor_command().output().unwrap();
            println!("=== {title}\n{}", String::from_utf8_lossy(&output.stdout));
        }
    }

    /// The command a user would type, for this stack alone.
    pub fn doctor_command(&self) -> Command {
        let mut command = self.housecall();
        command.arg("doctor").args(self.looking());
        command
    }

    /// The program, from where it is to look.
    fn housecall(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_housecall");
        match self.uwsgi.as_ref().filter(|_| self.looks_from_inside) {
            Some(uwsgi) => {
                let mut command = Command::new("nsenter");
                command.args(["--mount", "--target", &uwsgi.id().to_string(), program]);
                command
            }
            None => Command::new(program),
        }
    }

    /// The flags that point a command at this stack.
    pub fn looking(&self) -> Vec<std::ffi::OsString> {
        let root = self.root();
        let (nginx, ini) = (root.join("etc/nginx/nginx.conf"), root.join("etc/thena/uwsgi.ini"));
        let second = root.join(SECOND_INI);
        let mut flags = vec![("--root", root), ("--nginx-conf", &nginx), ("--uwsgi-ini", &ini)];
        flags.extend(second.exists().then_some(("--uwsgi-ini", second.as_path())));
        flags.iter().flat_map(|(flag, path)| [(*flag).into(), path.as_os_str().to_owned()]).collect()
    }
}

/// Runs doctor on a recording.
pub fn replay(recording: &Path) -> Verdict {
    verdict(Command::new(env!("CARGO_BIN_EXE_housecall")).arg("doctor").arg("--from").arg(recording))
}

/// Everything that a recording holds, as one text.
pub fn unpacked(recording: &Path) -> String {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(fs::File::open(recording).unwrap()).read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a command that runs doctor says as JSON.
fn verdict(command: &mut Command) -> Verdict {
    let started = Instant::now();
    let output = command.args(["--format", "json"]).output().unwrap();
    let seconds = started.elapsed().as_secs_f64();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!stdout.contains(postgres::PASSWORD) && !stderr.contains(postgres::PASSWORD), "the password leaked");
    let json = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    Verdict { exit: output.status.code().unwrap(), json, seconds }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // A disk that is mounted below the folder goes before the folder does.
        self.kept.clear();
        self.kill_uwsgi();
        signal("-TERM", &self.nginx.id().to_string());
        let _ = self.nginx.wait();
    }
}
