//! The files of a stack, and its servers, each started until it is ready.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::plan::{Plan, is_root};
use crate::wait::wait_until;

pub fn write_files(root: &Path, plan: &Plan, port: u16) {
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

pub fn start_nginx(root: &Path, plan: &Plan, port: u16) -> Child {
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
pub fn start_uwsgi(root: &Path, plan: &Plan) -> Child {
    let ini: PathBuf = root.join("etc/thena/uwsgi.ini");
    let console = fs::File::create(root.join("var/log/upstart/thena.log")).unwrap();
    let mut command = match plan.mounts {
        "" => {
            let mut command = Command::new("/usr/bin/uwsgi-core");
            command.arg("--ini").arg(&ini);
            command
        }
        mounts => {
            let mounts = mounts.replace("{root}", &root.display().to_string());
            let mut command = Command::new("/usr/bin/unshare");
            let becomes = format!("{mounts} && exec /usr/bin/uwsgi-core --ini {}", ini.display());
            command.args(["--mount", "--propagation", "private", "/bin/sh", "-c", &becomes]);
            command
        }
    };
    let mut uwsgi = own_group(&mut command)
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
        // What it binds may be out of sight.
        true if !plan.mounts.is_empty() => {}
        true => wait_until("uWSGI binds its socket", || root.join(plan.socket).exists()),
        false => drop(uwsgi.wait()),
    }
    uwsgi
}

fn own_group(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt;
    command.process_group(0)
}

pub fn signal(signal: &str, target: &str) {
    let _ = Command::new("kill").args([signal, "--", target]).stderr(Stdio::null()).status();
}
