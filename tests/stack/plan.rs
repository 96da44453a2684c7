//! What a stack of the lab is made of, and what a fault changes of it.

use std::path::Path;

use crate::postgres;

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

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
    /// What a shell does in mounts that uWSGI has of its own, before it becomes uWSGI; `{root}` is the lab's. Only root can.
    pub mounts: &'static str,
    /// Whether housecall looks from among those mounts.
    pub looks_from_inside: bool,
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
            mounts: "",
            looks_from_inside: false,
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
