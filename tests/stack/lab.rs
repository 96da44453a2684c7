//! A real stack under a temporary folder: nginx, uWSGI with its Python plugin, a Flask app, and the shared PostgreSQL.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::postgres;
use crate::wait::{free_port, wait_until};

/// What a test changes before it starts the stack.
#[derive(Clone)]
pub struct Plan {
    /// The app's folder, copied from the tests; `wsgi:app` or `eager:app`.
    pub module: &'static str,
    /// A line put into the app after `app = Flask(__name__)`.
    pub app_line: &'static str,
    /// Lines added to the ini.
    pub ini: String,
    /// The option that binds the socket.
    pub socket_option: &'static str,
    /// The socket's path below the lab's root.
    pub socket: &'static str,
    /// nginx's pass; `{run}` is the folder of the socket.
    pub pass: &'static str,
    /// The socket's mode and owner.
    pub socket_lines: String,
    /// Environment of the job, which is all that uWSGI gets.
    pub environment: Vec<(&'static str, String)>,
    /// Files below the root of the lab, such as `home/ubuntu/.profile`.
    pub files: Vec<(&'static str, String)>,
    /// What nginx passes on of a request.
    pub params: &'static str,
    /// Lines of nginx's configuration: outside every block, in `events`, in the server.
    pub nginx: [&'static str; 3],
    /// The folder of the app below the lab's root, as the ini names it.
    pub chdir: &'static str,
    /// Whether uWSGI is meant to bind its socket, and nginx to listen.
    pub comes_up: [bool; 2],
    /// Changes the lab's folder after its files are written and before anything is started.
    pub before: fn(&Path),
}

fn nothing(_: &Path) {}

impl Plan {
    /// A stack without a fault.
    pub fn healthy() -> Self {
        Self {
            module: "wsgi:app",
            app_line: "",
            ini: "lazy-apps = true\n".to_owned(),
            socket_option: "socket",
            socket: "run/uwsgi.sock",
            pass: "uwsgi_pass unix:{run}/uwsgi.sock",
            socket_lines: if is_root() {
                "chown-socket = www-data:www-data\nchmod-socket = 660\n"
            } else {
                "chmod-socket = 660\n"
            }
            .to_owned(),
            environment: vec![("DATABASE_URL", postgres::server().url())],
            files: Vec::new(),
            params: "include /etc/nginx/uwsgi_params",
            nginx: ["", "", ""],
            chdir: "srv/www/thena/current",
            comes_up: [true, true],
            before: nothing,
        }
    }

    /// The same with other lines in the ini.
    pub fn with_ini(ini: impl Into<String>) -> Self {
        Self { ini: ini.into(), ..Self::healthy() }
    }

    /// The same with lines in the app.
    pub fn with_app(app_line: &'static str) -> Self {
        Self { app_line, ..Self::healthy() }
    }

    /// The same with another address of the database.
    pub fn with_url(url: impl Into<String>) -> Self {
        Self { environment: vec![("DATABASE_URL", url.into())], ..Self::healthy() }
    }
}

/// Running servers and the folder they live in; dropping it ends what it started.
pub struct Lab {
    folder: TempDir,
    port: u16,
    nginx: Child,
    uwsgi: Option<Child>,
    /// What lasts as long as the lab, such as a lock in the database.
    pub kept: Vec<Box<dyn std::any::Any + Send + Sync>>,
}

/// What doctor said.
pub struct Verdict {
    pub exit: i32,
    pub json: Value,
    pub seconds: f64,
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
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
        Self { folder, port, nginx, uwsgi: Some(uwsgi), kept: Vec::new() }
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

    /// What users get for a request of this head and body.
    pub fn status_of(&self, request: &[u8]) -> u16 {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return 0 };
        stream.set_read_timeout(Some(Duration::from_secs(6))).unwrap();
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// Tells nginx to read its configuration again.
    pub fn reload_nginx(&self) {
        signal("-HUP", &self.nginx.id().to_string());
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_housecall"));
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_housecall"));
        command.arg("doctor").args(self.looking());
        command
    }

    /// The flags that point a command at this stack.
    pub fn looking(&self) -> Vec<std::ffi::OsString> {
        let root = self.root();
        let (nginx, ini) = (root.join("etc/nginx/nginx.conf"), root.join("etc/thena/uwsgi.ini"));
        let flags = [("--root", root), ("--nginx-conf", &nginx), ("--uwsgi-ini", &ini)];
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

fn write_files(root: &Path, plan: &Plan, port: u16) {
    let at = root.display();
    let user = if is_root() { "user www-data;\n" } else { "" };
    let write = |name: &str, text: &str| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack/app");
    for name in ["wsgi.py", "eager.py"] {
        let text = fs::read_to_string(app.join(name)).unwrap();
        let text = text.replace("app = Flask(__name__)\n", &format!("app = Flask(__name__)\n{}", plan.app_line));
        write(&format!("srv/www/thena/current/{name}"), &text);
    }
    write(
        "etc/thena/uwsgi.ini",
        &format!(
            "[uwsgi]\nplugin = python3\nmaster = true\nprocesses = 4\ndie-on-term = true\nworker-reload-mercy = 3\n{} = {at}/{}\n{}\
             chdir = {at}/{}\nmodule = {}\nlogto = {at}/var/log/uwsgi.log\n{}",
            plan.socket_option,
            plan.socket,
            plan.socket_lines,
            plan.chdir,
            plan.module,
            plan.ini.replace("{root}", &at.to_string())
        ),
    );
    let pass = plan.pass.replace("{run}", &format!("{at}/run"));
    let ([outside, events, server], params) = (plan.nginx, plan.params);
    let env: String = plan.environment.iter().map(|(name, value)| format!("env {name}=\"{value}\"\n")).collect();
    write(
        "etc/init/thena.conf",
        &format!("description \"thena\"\n\nrespawn\n\n{env}\nexec /usr/bin/uwsgi --ini {at}/etc/thena/uwsgi.ini\n"),
    );
    write(
        "etc/nginx/nginx.conf",
        &format!(
            "{user}{outside}daemon off;\npid {at}/run/nginx.pid;\nerror_log {at}/var/log/error.log;\n\nevents {{\n    {events}\n}}\n\nhttp {{\n    \
             access_log {at}/var/log/access.log;\n    client_body_temp_path {at}/tmp/body;\n    proxy_temp_path {at}/tmp/proxy;\n    \
             fastcgi_temp_path {at}/tmp/fastcgi;\n    uwsgi_temp_path {at}/tmp/uwsgi;\n    scgi_temp_path {at}/tmp/scgi;\n\n    \
             server {{\n        listen 127.0.0.1:{port};\n        server_name thena.example;\n        {server}\n\n        location / {{\n            \
             {params};\n            {pass};\n        }}\n    }}\n}}\n"
        ),
    );
    for (name, text) in &plan.files {
        write(name, text);
    }
}

fn start_nginx(root: &Path, plan: &Plan, port: u16) -> Child {
    let mut nginx = own_group(
        Command::new("/usr/sbin/nginx")
            .arg("-c")
            .arg(root.join("etc/nginx/nginx.conf"))
            .arg("-e")
            .arg(root.join("var/log/error.log")),
    )
    .stdout(Stdio::null())
    .stderr(Stdio::null())
    .spawn()
    .unwrap();
    match plan.comes_up[1] {
        true => wait_until("nginx listens", || TcpStream::connect(("127.0.0.1", port)).is_ok()),
        false => drop(nginx.wait()),
    }
    nginx
}

/// As Upstart would: nothing in the environment but PATH, TERM and what the job sets.
fn start_uwsgi(root: &Path, plan: &Plan) -> Child {
    let ini: PathBuf = root.join("etc/thena/uwsgi.ini");
    let console = fs::File::create(root.join("var/log/upstart/thena.log")).unwrap();
    let mut uwsgi = own_group(Command::new("/usr/bin/uwsgi-core").arg("--ini").arg(&ini))
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("TERM", "linux")
        .envs(plan.environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(console.try_clone().unwrap())
        .stderr(console)
        .spawn()
        .unwrap();
    match plan.comes_up[0] {
        true => wait_until("uWSGI binds its socket", || root.join(plan.socket).exists()),
        false => drop(uwsgi.wait()),
    }
    uwsgi
}

fn own_group(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt;
    command.process_group(0)
}

fn signal(signal: &str, target: &str) {
    let _ = Command::new("kill").args([signal, "--", target]).stderr(Stdio::null()).status();
}
