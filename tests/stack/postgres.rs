//! One real PostgreSQL with TLS for all tests of this binary, as a user that is not root.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::wait::{free_port, wait_until};

pub const PASSWORD: &str = "owl-Feather-93-nest";

pub struct Postgres {
    pub port: u16,
    data: PathBuf,
    folder: TempDir,
    server: Child,
}

/// A process of PostgreSQL that ends when it is dropped.
pub struct Session {
    child: Child,
    _input: ChildStdin,
    pub port: u16,
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
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
        certificate(&data.join("server"), "localhost", folder.path());
        certificate(&folder.path().join("other"), "owl", folder.path());
        certificate(&folder.path().join("expired"), "localhost", folder.path());
        run(as_postgres("openssl")
            .args(["x509", "-in", "expired.crt", "-signkey", "expired.key", "-days", "-1", "-out", "expired.crt"])
            .current_dir(folder.path()));
        write_as_postgres(
            &data.join("pg_hba.conf"),
            "local all admin trust\nlocal all peered peer\nlocal all thena scram-sha-256\nhost all admin 127.0.0.1/32 trust\nhostssl all barred 127.0.0.1/32 reject\n\
             hostssl all all 127.0.0.1/32 scram-sha-256\n",
        );
        let port = free_port();
        let standby = folder.path().join("standby");
        for copy in [&standby, &folder.path().join("small"), &folder.path().join("aged")] {
            run(as_postgres("cp").arg("-a").arg(&data).arg(copy).current_dir(folder.path()));
        }
        write_as_postgres(&standby.join("standby.signal"), "");
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
        let postgres = Self { port, data, folder, server };
        wait_until("PostgreSQL answers", || postgres.sql("postgres", "select 1"));
        assert!(postgres.sql("postgres", &format!("create role thena login password '{PASSWORD}'")));
        assert!(postgres.sql("postgres", "create database thena owner thena"));
        let expired = format!("create role expired login password '{PASSWORD}' valid until '2020-01-01'");
        for made in [
            "create role at login password 'owl@nest-93-Feather'",
            &expired,
            "create database tight connection limit 0",
            "create database shut",
            "revoke connect on database shut from public",
        ] {
            assert!(postgres.sql("postgres", made));
        }
        for (role, may) in [
            ("barred", "login"),
            ("full", "login connection limit 0"),
            ("idle", "nologin"),
            ("peered", "login"),
            ("patient", "login"),
        ] {
            assert!(postgres.sql("postgres", &format!("create role {role} {may} password '{PASSWORD}'")));
        }
        assert!(postgres.sql(
            "thena",
            "create table owls (name text); insert into owls values ('minerva'); create table barn (name text); \
             grant all on owls, barn to thena, at, patient"
        ));
        postgres
    }

    /// Runs SQL as the administrator; says whether it went well.
    pub fn sql(&self, database: &str, text: &str) -> bool {
        sql(self.port, database, text)
    }

    /// The folder of its unix socket.
    pub fn socket_folder(&self) -> String {
        self.folder.path().to_str().unwrap().to_owned()
    }

    /// The connection string of another role.
    pub fn url_of(&self, role: &str) -> String {
        self.url().replace("thena:", &format!("{role}:"))
    }

    /// A certificate that is not the server's.
    pub fn other_certificate(&self) -> PathBuf {
        self.folder.path().join("other.crt")
    }

    /// The server's certificate, that `other` one, or the one that has `expired`, in PEM.
    pub fn certificate(&self, name: &str) -> Vec<u8> {
        let path = match name {
            "server" => self.data.join("server.crt"),
            name => self.folder.path().join(name).with_extension("crt"),
        };
        std::fs::read(path).unwrap()
    }

    /// A session of the administrator that holds whatever `sql` took until it is dropped.
    pub fn session(&self, sql: &str) -> Session {
        session(self.port, "thena", sql)
    }

    /// A server on its own port that replays for ever and lets nobody in.
    pub fn recovering(&self) -> Session {
        self.another("standby", &["-c", "hot_standby=off"])
    }

    /// A server on its own port whose only place is taken.
    pub fn with_one_slot(&self) -> (Session, Session) {
        let options = ["max_connections=1", "superuser_reserved_connections=0", "max_wal_senders=0"];
        let server = self.another("small", &options.map(|option| ["-c", option]).concat());
        wait_until("the small server answers", || sql(server.port, "postgres", "select 1"));
        let taken = session(server.port, "postgres", "select 1");
        (server, taken)
    }

    /// A server on its own port that takes so many connections, with the role and the database of a shop; and the address of both.
    pub fn with_few_slots(&self, most: usize) -> (Session, String) {
        let server = self.another("small", &["-c", "ssl=on", "-c", &format!("max_connections={most}")]);
        wait_until("the small server answers", || sql(server.port, "postgres", "select 1"));
        for made in
            [format!("create role shop login password '{PASSWORD}'"), "create database shop owner shop".to_owned()]
        {
            assert!(sql(server.port, "postgres", &made));
        }
        assert!(sql(server.port, "shop", "create table orders (id int); grant all on orders to shop"));
        let url = format!("postgresql://shop:{PASSWORD}@localhost:{}/shop?sslmode=require", server.port);
        (server, url)
    }

    /// Runs SQL as the administrator of that server.
    pub fn sql_at(&self, server: &Session, text: &str) -> bool {
        sql(server.port, "postgres", text)
    }

    /// A server on its own port whose certificate has expired.
    pub fn with_expired_certificate(&self) -> Session {
        let file = |end: &str| self.folder.path().join("expired").with_extension(end).display().to_string();
        let (certificate, key) = (format!("ssl_cert_file={}", file("crt")), format!("ssl_key_file={}", file("key")));
        self.another("aged", &["-c", "ssl=on", "-c", &certificate, "-c", &key])
    }

    /// A server on its own port, with the data of this folder, as it listens.
    fn another(&self, data: &str, options: &[&str]) -> Session {
        let (port, folder) = (free_port(), self.folder.path());
        let mut child = as_postgres(&binary("postgres"))
            .arg("-D")
            .arg(folder.join(data))
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .args(options)
            .args(["-c", &format!("port={port}"), "-c", &format!("unix_socket_directories={}", folder.display())])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("the other server listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        let input = child.stdin.take().unwrap();
        Session { child, _input: input, port }
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

/// Runs SQL as the administrator of the server at this port; says whether it went well.
fn sql(port: u16, database: &str, sql: &str) -> bool {
    Command::new(binary("psql"))
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "admin", "-d", database, "-qc", sql])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

/// A session of the administrator that has run `sql` and stays.
fn session(port: u16, database: &str, sql: &str) -> Session {
    let mut psql = Command::new(binary("psql"));
    psql.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "admin", "-d", database, "-qAt"]);
    let mut child = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{sql};\nselect 'taken';").unwrap();
    let answers = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(answers.map_while(Result::ok).any(|line| line == "taken"));
    Session { child, _input: input, port }
}

/// Makes a key and a certificate that it signs itself, `name.key` and `name.crt`.
fn certificate(name: &Path, host: &str, folder: &Path) {
    let request = ["req", "-new", "-x509", "-days", "2", "-nodes", "-newkey", "rsa:2048"];
    // OpenSSL's own configuration would make it the certificate of an issuer.
    let config = folder.join("openssl.cnf");
    std::fs::write(&config, "[req]\ndistinguished_name = name\n[name]\n").unwrap();
    open_to_all(&config);
    run(as_postgres("openssl")
        .args(request)
        .args(["-subj", &format!("/CN={host}"), "-addext", &format!("subjectAltName=DNS:{host}")])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-config"])
        .arg(&config)
        .arg("-keyout")
        .arg(name.with_extension("key"))
        .arg("-out")
        .arg(name.with_extension("crt"))
        .current_dir(folder));
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
