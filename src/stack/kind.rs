//! Which language a file is in: by where it lands, then by its name, then by its content.

use crate::stack::document::Kind;
use crate::stack::starter::{is_compose, is_dockerfile, is_starter};
use crate::syntax::lockfile::is_lock_file;
use crate::syntax::systemd::{UnitKind, is_drop_in};

/// The most that is read of a job: a thousand times what one takes.
const JOB_BYTES: usize = 256 << 10;
/// The most that is read of a script, likewise.
const SCRIPT_BYTES: usize = 32 << 10;
/// No language has a lower bound.
pub const LEAST_BOUND: usize = JOB_BYTES;
/// The most that is read of an ini, likewise.
const INI_BYTES: usize = 1 << 20;

/// The most that is read of a file of Ruby, likewise: prism takes hundreds of bytes for each.
const RUBY_BYTES: usize = 512 << 10;

/// The most that is read of the file at `path`, in this language, in bytes; absent where the bound of every file is enough. Each
/// line of a job or an ini becomes facts of its own, so that a few megabytes of them would fill the memory.
pub fn most_bytes(path: &str, kind: Option<Kind>) -> Option<usize> {
    match kind {
        Some(Kind::Upstart | Kind::Systemd | Kind::Dockerfile) => Some(JOB_BYTES),
        Some(Kind::Uwsgi) => Some(INI_BYTES),
        None if is_ruby(path) => Some(RUBY_BYTES),
        _ => None,
    }
}

/// Whether Chef reads the file as Ruby.
pub fn is_ruby(path: &str) -> bool {
    path.ends_with(".rb") || path.rsplit('/').next() == Some("Berksfile")
}

/// The most that a node's attributes or a role take as JSON; what is larger is an app's data.
const JSON_BYTES: u64 = 1 << 20;

/// The most bytes with which the file might be of interest, before its text is known: reading everything else would only cost
/// time and memory.
pub fn most_wanted(path: &str) -> Option<u64> {
    may_be(path).then_some(if path.ends_with(".json") { JSON_BYTES } else { u64::MAX })
}

/// The language of the file at `path` (where it lands, or where it lies) with this text; `None` where housecall does not read it.
pub fn of(path: &str, text: &str) -> Option<Kind> {
    // An editor's byte order mark hides the first statement from its program, not from who wrote it.
    let text = text.trim_start_matches('\u{feff}');
    by_place(path).or_else(|| by_name(path, text)).or_else(|| by_content(path, text))
}

/// Whether the file might be of interest, before its text is known.
pub fn may_be(path: &str) -> bool {
    // `sites-available/shop.example.com` has no extension that tells.
    if by_place(without_template_suffix(path)).is_some() {
        return true;
    }
    // What a template becomes is told by the recipe that renders it.
    if path.ends_with(".erb") {
        return true;
    }
    let name = without_template_suffix(path).rsplit('/').next().unwrap_or_default();
    let is_of_chef = matches!(name, ".gitmodules" | ".kitchen.yml" | "kitchen.yml");
    if is_of_chef || is_starter(name) || is_variables(name) || is_requirements(path) {
        return true;
    }
    match name.rsplit_once('.') {
        Some(("", "profile" | "bashrc" | "bash_profile" | "bash_login" | "env")) => true,
        Some((_, extension)) => {
            matches!(
                extension,
                "ini"
                    | "toml"
                    | "conf"
                    | "py"
                    | "rb"
                    | "erb"
                    | "json"
                    | "override"
                    | "nginx"
                    | "inc"
                    | "include"
                    | "vhost"
                    | "params"
                    | "cfg"
                    | "template"
                    | "lock"
                    | "pem"
                    | "key"
                    | "gemspec"
                    | "sh"
                    | "ERB"
                    | "service"
                    | "socket"
            )
        }
        None => true,
    }
}

/// Where a program looks for a file decides what it is, whatever the file is called.
fn by_place(path: &str) -> Option<Kind> {
    let absolute = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let (folder, name) = absolute.rsplit_once('/')?;
    // Folders below it are read too: `/etc/init/shop/web.conf` is the job `shop/web`.
    if (folder.ends_with("/etc/init") || folder.contains("/etc/init/"))
        && (name.ends_with(".conf") || name.ends_with(".override"))
    {
        return Some(Kind::Upstart);
    }
    if (folder.ends_with("/systemd/system") && UnitKind::of(name).is_some()) || is_drop_in(&absolute) {
        return Some(Kind::Systemd);
    }
    if ["/etc/default", "/etc/sysconfig"].iter().any(|place| folder.ends_with(place)) {
        return Some(Kind::Variables);
    }
    if absolute.contains("/etc/nginx/") {
        let is_table =
            matches!(name, "koi-utf" | "koi-win" | "win-utf") || name.ends_with(".pem") || name.ends_with(".key");
        let is_no_configuration = is_table || name.ends_with(".crt") || is_password_file(name);
        return (!is_no_configuration).then_some(Kind::Nginx);
    }
    // What Debian's own configuration brings in with its last lines.
    if folder.contains("/postgresql/") && folder.ends_with("/conf.d") && name.ends_with(".conf") {
        return Some(Kind::Postgresql);
    }
    if absolute.contains("/etc/uwsgi/") && name.ends_with(".ini") {
        return Some(Kind::Uwsgi);
    }
    if folder.ends_with("/etc/profile.d")
        || absolute.ends_with("/etc/profile")
        || absolute.ends_with("/etc/environment")
    {
        return Some(Kind::LoginShell);
    }
    None
}

/// Whether nginx takes users and passwords from a file, which it opens at each request (nginx: ngx_http_auth_basic_module.c).
pub fn is_password_file(name: &str) -> bool {
    name.contains("htpasswd")
}

fn by_name(path: &str, text: &str) -> Option<Kind> {
    let name = without_template_suffix(path).rsplit('/').next()?;
    if matches!(name, ".profile" | ".bashrc" | ".bash_profile" | ".bash_login") {
        return Some(Kind::LoginShell);
    }
    if is_variables(name) {
        return Some(Kind::Variables);
    }
    if is_requirements(path) {
        return Some(Kind::Requirements);
    }
    if name.ends_with(".py") {
        return Some(Kind::Python);
    }
    if name.ends_with(".service") || name.ends_with(".socket") {
        // D-Bus and Avahi have files of these names too.
        return text.lines().any(is_unit_section).then_some(Kind::Systemd);
    }
    if is_compose(name) {
        return Some(Kind::Compose);
    }
    if is_dockerfile(name) {
        // Beside it may lie its `.dockerignore`.
        return text.lines().any(begins_stage).then_some(Kind::Dockerfile);
    }
    match name {
        "Procfile" => return Some(Kind::Procfile),
        "postgresql.conf" => return Some(Kind::Postgresql),
        "pgbouncer.ini" => return Some(Kind::Pgbouncer),
        _ => {}
    }
    // python-decouple's.
    if name == "settings.ini" && text.lines().any(|line| line.trim() == "[settings]") {
        return Some(Kind::Variables);
    }
    if name.ends_with(".ini") && is_supervisor(text) {
        return Some(Kind::Supervisor);
    }
    if name.ends_with(".ini") {
        let says_so = text.contains("[uwsgi]") || (name.contains("uwsgi") && !text.contains("[tool"));
        let says_so = says_so && !is_build_profile(text);
        return says_so.then_some(Kind::Uwsgi);
    }
    (name == "nginx.conf").then_some(Kind::Nginx)
}

fn begins_stage(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("from"))
}

/// Whether a script may have to do with the start of uWSGI in a container: its text names it, or starts what it is handed.
pub fn may_start_uwsgi(path: &str, text: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_shell = || {
        let first = text.lines().next().unwrap_or_default();
        first.starts_with("#!") && ["sh", "bash", "dash", "ash"].iter().any(|shell| first.trim_end().ends_with(shell))
    };
    text.len() <= SCRIPT_BYTES
        && (name.ends_with(".sh") || !name.contains('.') && is_shell())
        && (text.contains("uwsgi") || text.contains("$@"))
}

/// `.env`, `.env.production`, `shop.env`, `.flaskenv`; not the examples that people copy them from.
fn is_variables(name: &str) -> bool {
    let named = name == ".flaskenv" || name == ".env" || name.starts_with(".env.") || name.ends_with(".env");
    let is_example = ["example", "sample", "template", "dist", "tpl"].iter().any(|word| name.contains(word));
    named && !is_example
}

/// `requirements.txt`, `requirements-prod.txt`, `requirements/base.txt`, and the lock files of packagers.
fn is_requirements(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    is_lock_file(name)
        || name.ends_with(".txt")
            && (name.starts_with("requirements") || folder.rsplit('/').next() == Some("requirements"))
}

fn is_supervisor(text: &str) -> bool {
    text.contains("[program:") && text.lines().any(|line| line.starts_with("[program:"))
}

fn is_unit_section(line: &str) -> bool {
    ["[unit]", "[service]", "[socket]"].iter().any(|section| line.trim().eq_ignore_ascii_case(section))
}

/// A `.conf`, a template or a bare name may be anything; its statements tell.
fn by_content(path: &str, text: &str) -> Option<Kind> {
    let name = without_template_suffix(path).rsplit('/').next()?;
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    if !matches!(extension, None | Some("conf" | "nginx" | "template" | "override" | "cfg")) {
        return None;
    }
    if text.contains("[uwsgi]") && text.lines().any(|line| line.trim() == "[uwsgi]") {
        return Some(Kind::Uwsgi);
    }
    if is_supervisor(text) {
        return Some(Kind::Supervisor);
    }
    let statements = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    if statements().any(is_nginx_statement) {
        return Some(Kind::Nginx);
    }
    // Upstart knows no sections; supervisor's and the agents' files have them.
    let has_sections = statements().any(|line| line.starts_with('[') && line.ends_with(']'));
    let upstart = statements().filter(|line| is_upstart_stanza(line)).count();
    (extension == Some("conf") && upstart >= 2 && !has_sections && text.len() <= JOB_BYTES).then_some(Kind::Upstart)
}

/// A profile by which uWSGI is compiled has the same section and other keys (uWSGI: `buildconf/`).
fn is_build_profile(text: &str) -> bool {
    let keys = || text.lines().filter_map(|line| line.split_once('=')).map(|(key, _)| key.trim());
    keys().any(|key| matches!(key, "embedded_plugins" | "main_plugin" | "bin_name" | "malloc_implementation"))
}

fn is_nginx_statement(line: &str) -> bool {
    let mut words = line.split_whitespace();
    match (words.next(), words.next()) {
        (Some("server" | "http" | "events"), Some("{")) | (Some("server{" | "http{" | "events{"), _) => true,
        (Some("upstream" | "location"), Some(_)) => line.ends_with('{'),
        (Some("uwsgi_pass" | "proxy_pass" | "uwsgi_param"), Some(_)) => line.ends_with(';'),
        _ => false,
    }
}

fn is_upstart_stanza(line: &str) -> bool {
    let mut words = line.split_whitespace();
    match words.next() {
        Some("start" | "stop") => words.next() == Some("on"),
        Some("exec" | "description" | "expect" | "setuid" | "console" | "chdir") => words.next().is_some(),
        Some("respawn" | "script" | "task") => true,
        _ => false,
    }
}

/// A template is named after what it becomes.
pub fn without_template_suffix(path: &str) -> &str {
    [".erb", ".j2", ".jinja2", ".jinja"].iter().find_map(|suffix| path.strip_suffix(suffix)).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_comes_before_name_and_content() {
        assert_eq!(of("/etc/init/a.conf", "server { listen 80; }"), Some(Kind::Upstart));
        assert_eq!(of("/etc/init/shop/web.conf", ""), Some(Kind::Upstart));
        assert_eq!(of("cookbooks/x/templates/default/site.erb", "server {\n listen 80;\n}\n"), Some(Kind::Nginx));
        assert_eq!(of("deploy/app.ini.erb", "[uwsgi]\n"), Some(Kind::Uwsgi));
        assert_eq!(of("setup.ini", "[section]\n"), None);
        assert_eq!(of("buildconf/uwsgi.ini", "[uwsgi]\ninherit = base\nembedded_plugins = null\n"), None);
        assert_eq!(of("home/ubuntu/.profile", ""), Some(Kind::LoginShell));
        assert_eq!(of("upstart/app.conf", "start on startup\nexec x\n"), Some(Kind::Upstart));
        assert_eq!(of("upstart/app.conf", "\u{feff}start on startup\nexec x\n"), Some(Kind::Upstart));
        assert_eq!(of("deploy/app.service.j2", "[Unit]\n"), Some(Kind::Systemd));
        assert_eq!(of("deploy/app.service", "[service]\n"), Some(Kind::Systemd));
        assert_eq!(of("dbus/org.x.service", "[D-BUS Service]\nName=org.x\n"), None);
        assert_eq!(of("/etc/systemd/system/app.service.d/env.conf", ""), Some(Kind::Systemd));
        assert_eq!(of("etc/default/app", "A=1\n"), Some(Kind::Variables));
        assert_eq!(of(".env.production", "A=1\n"), Some(Kind::Variables));
        assert_eq!(of(".env.example", "A=1\n"), None);
        assert_eq!(of("deploy/web.Dockerfile", "# web\nfrom python:3\n"), Some(Kind::Dockerfile));
        assert_eq!(of("Dockerfile.dockerignore", "*.pyc\n"), None);
        assert_eq!(of("redis.conf", "port 1\nsave 900 1\n"), None);
    }

    #[test]
    fn a_place_that_tells_needs_no_extension() {
        assert!(may_be("etc/nginx/sites-available/shop.example.com") && may_be("etc/profile.d/shop.sh"));
        assert!(!may_be("shop.example.com") && !may_be("bin/shop.pl"));
    }

    #[test]
    fn a_file_with_sections_is_no_upstart_job() {
        let agent = "[agent]\nexec /usr/bin/agent\nconsole log\n";
        assert_eq!(of("agent.conf", agent), None);
        assert_eq!(of("agent.conf", &agent[8..]), Some(Kind::Upstart));
        // Where Upstart looks, it is a job all the same, and a broken one.
        assert_eq!(of("/etc/init/agent.conf", agent), Some(Kind::Upstart));
    }
}
