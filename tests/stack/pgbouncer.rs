//! A real pgbouncer between the app and PostgreSQL.

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::plan::is_root;
use crate::postgres::PASSWORD;
use crate::wait::{free_port, wait_until};

/// One that ends when it is dropped, with the folder of its files.
pub struct Pgbouncer {
    child: Child,
    _folder: tempfile::TempDir,
    pub port: u16,
}

impl Drop for Pgbouncer {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", "--", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

impl Pgbouncer {
    /// Starts one whose database `thena` leads to this port of the loopback interface, with further settings.
    pub fn to(server: u16, settings: &str) -> Self {
        let folder = tempfile::TempDir::with_prefix("housecall-pool-").unwrap();
        let at = folder.path().display();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let port = free_port();
        let databases = format!(
            "thena = host=127.0.0.1 port={server} dbname=thena\nthenna = host=127.0.0.1 port={server} dbname=thenna\n"
        );
        let ini = format!(
            "; the lab's\n[databases]\n{databases}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = plain\nauth_file = {at}/users.txt\nserver_tls_sslmode = prefer\nlogfile = {at}/pgbouncer.log\n{settings}"
        );
        std::fs::write(folder.path().join("pgbouncer.ini"), ini).unwrap();
        let users = format!("\"thena\" \"{PASSWORD}\"\n\"idle\" \"{PASSWORD}\"\n");
        std::fs::write(folder.path().join("users.txt"), users).unwrap();
        let mut command = as_postgres(folder.path());
        let child = command
            .arg(folder.path().join("pgbouncer.ini"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("pgbouncer listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { child, _folder: folder, port }
    }

    /// The app's connection string through it.
    pub fn url(&self) -> String {
        format!("postgresql://thena:{PASSWORD}@127.0.0.1:{}/thena?sslmode=disable", self.port)
    }
}

/// pgbouncer refuses to run as root.
fn as_postgres(folder: &Path) -> Command {
    if !is_root() {
        return Command::new("/usr/sbin/pgbouncer");
    }
    assert!(Command::new("chown").args(["-R", "postgres"]).arg(folder).status().unwrap().success());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--", "/usr/sbin/pgbouncer"]);
    command
}
