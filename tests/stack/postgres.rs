//! One real PostgreSQL with TLS for all tests of this binary, as a user that is not root.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::wait::{free_port, wait_until};

pub const PASSWORD: &str = "owl-Feather-93-nest";

pub struct Postgres {
    pub port: u16,
    data: PathBuf,
    _folder: TempDir,
    server: Child,
}

static SERVER: OnceLock<Postgres> = OnceLock::new();

/// The server, started on first use.
pub fn server() -> &'static Postgres {
    SERVER.get_or_init(Postgres::start)
}

/// Ends the server; called when the last test is over, because statics are never dropped.
pub fn stop() {
    if let Some(server) = SERVER.get() {
        let _ = as_postgres("kill").arg("-INT").arg(server.server.id().to_string()).status();
        let _ = Command::new("kill")
            .arg("-INT")
            .arg(
                std::fs::read_to_string(server.data.join("postmaster.pid"))
                    .unwrap_or_default()
                    .lines()
                    .next()
                    .unwrap_or("0"),
            )
            .stderr(Stdio::null())
            .status();
        let _ = std::fs::remove_dir_all(server.data.parent().unwrap());
    }
}

impl Postgres {
    fn start() -> Self {
        let folder = TempDir::with_prefix("housecall-pg-").unwrap();
        open_to_all(folder.path());
        let data = folder.path().join("data");
        if rustix::process::geteuid().is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let password_file = folder.path().join("password");
        std::fs::write(&password_file, PASSWORD).unwrap();
        open_to_all(&password_file);
        run(as_postgres(&binary("initdb"))
            .args(["-U", "admin", "-A", "trust", "-E", "UTF8", "--no-sync", "-D"])
            .arg(&data)
            .current_dir(folder.path()));
        std::fs::remove_file(&password_file).unwrap();
        run(as_postgres("openssl")
            .args([
                "req",
                "-new",
                "-x509",
                "-days",
                "2",
                "-nodes",
                "-subj",
                "/CN=localhost",
                "-newkey",
                "rsa:2048",
                "-keyout",
            ])
            .arg(data.join("server.key"))
            .arg("-out")
            .arg(data.join("server.crt"))
            .current_dir(folder.path()));
        write_as_postgres(
            &data.join("pg_hba.conf"),
            "local all admin trust\nhost all admin 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n",
        );
        let port = free_port();
        let server = as_postgres(&binary("postgres"))
            .arg("-D")
            .arg(&data)
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "ssl=on",
                "-c",
                "fsync=off",
                "-c",
                "log_min_messages=fatal",
            ])
            .args([
                "-c",
                &format!("port={port}"),
                "-c",
                &format!("unix_socket_directories={}", folder.path().display()),
            ])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let postgres = Self { port, data, _folder: folder, server };
        wait_until("PostgreSQL answers", || postgres.sql("postgres", "select 1"));
        assert!(postgres.sql("postgres", &format!("create role thena login password '{PASSWORD}'")));
        assert!(postgres.sql("postgres", "create database thena owner thena"));
        assert!(postgres.sql(
            "thena",
            "create table owls (name text); insert into owls values ('minerva'); grant all on owls to thena"
        ));
        postgres
    }

    /// Runs SQL as the administrator; says whether it went well.
    fn sql(&self, database: &str, sql: &str) -> bool {
        Command::new(binary("psql"))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "admin", "-d", database, "-qc", sql])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    /// The connection string of the app.
    pub fn url(&self) -> String {
        self.url_with(self.port, PASSWORD)
    }

    /// The same with another port or password.
    pub fn url_with(&self, port: u16, password: &str) -> String {
        format!("postgresql://thena:{password}@127.0.0.1:{port}/thena?sslmode=require")
    }
}

/// The newest installed version of one of PostgreSQL's programs.
fn binary(name: &str) -> String {
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path()).collect();
    versions.sort();
    versions.pop().unwrap().join("bin").join(name).to_str().unwrap().to_owned()
}

/// PostgreSQL refuses to run as root.
fn as_postgres(program: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--", program]);
        command
    } else {
        Command::new(program)
    }
}

fn write_as_postgres(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
