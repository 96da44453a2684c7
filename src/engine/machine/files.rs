//! The files of a host that belong to its stack: found from its processes and its jobs, read through the host alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::machine::{Visit, units};
use crate::finding::InputError;
use crate::host::{FileKind, Host, ReadError};
use crate::source::{Origin, Sources};
use crate::stack::document::{Document, Kind};
use crate::stack::process::{Found, Program};
use crate::stack::uwsgi::packaged::DEFAULT_INI;
use crate::stack::view::{View, glob_matches};
use crate::stack::{job, nginx, uwsgi, vassal};
use crate::syntax;

/// Where nginx looks when nothing else is known: Debian's `--conf-path`.
const NGINX_CONF: &str = "/etc/nginx/nginx.conf";
/// How many files of one app are read.
const MOST_PYTHON: usize = 2000;
/// How many files one main file of nginx may pull in.
const MOST_NGINX: usize = 2000;
/// How many inis one may bring in.
const MOST_INIS: usize = 256;
/// How deep below the app's folder modules are looked for.
const DEEPEST: usize = 8;
/// Folders of other people's code.
const NOT_THE_APP: &[&str] =
    &["venv", ".venv", "env", "site-packages", "dist-packages", "node_modules", ".git", "__pycache__", "static"];
/// What a login shell reads in a home.
const OF_A_LOGIN: &[&str] = &[".profile", ".bash_profile", ".bash_login", ".bashrc"];

/// Everything that was read.
pub(super) struct Files<'h> {
    host: &'h dyn Host,
    /// Each text, by the path that a user would open.
    pub(super) sources: Sources,
    /// Each document, by the path that its program opens.
    pub(super) view: View,
    /// nginx's documents, parsed.
    pub(super) trees: nginx::Trees,
    /// Named files that cannot be read.
    pub(super) errors: Vec<InputError>,
    /// Files that belong to the stack and are hidden from this user.
    pub(super) hidden: Vec<String>,
    /// nginx's main files.
    pub(super) mains: Vec<String>,
    /// uWSGI's inis.
    pub(super) inis: Vec<String>,
}

impl<'h> Files<'h> {
    /// Reads all but the app, whose folder only the inis tell.
    pub(super) fn gather(host: &'h dyn Host, visit: &Visit, found: &[Found]) -> Self {
        let mut files = Self {
            host,
            sources: Sources::default(),
            view: View::of_host(),
            trees: nginx::Trees::default(),
            errors: Vec::new(),
            hidden: Vec::new(),
            mains: Vec::new(),
            inis: Vec::new(),
        };
        files.nginx(visit, found);
        files.uwsgi(visit, found);
        files.login_shells();
        files
    }

    /// Reads one file as what it is known to be; what the user named must be there.
    fn read(&mut self, path: &str, kind: Kind, named: bool) -> Option<Arc<Document>> {
        if let Some(known) = self.view.at(path).first() {
            return Some(Arc::clone(known));
        }
        let bytes = match self.host.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                if named {
                    self.errors.push(InputError { path: path.to_owned(), message: error.to_string() });
                } else if error == ReadError::NoPermission {
                    self.hidden.push(path.to_owned());
                }
                return None;
            }
        };
        let file = self.sources.add(self.host.shown(path), bytes, Origin::File);
        let text = self.sources.get(file).shared_text();
        Some(self.view.add(Document::plain(file, path, kind, text)))
    }

    fn nginx(&mut self, visit: &Visit, found: &[Found]) {
        let named = visit.nginx_conf.is_some();
        let mut mains: Vec<String> = match &visit.nginx_conf {
            Some(path) => vec![path.clone()],
            None => configurations(found, Program::Nginx),
        };
        if mains.is_empty() {
            mains.push(NGINX_CONF.to_owned());
        }
        for main in mains {
            if let Some(document) = self.read(&main, Kind::Nginx, named) {
                let prefix = nginx::prefix(&document, true);
                self.follow_includes(document, &prefix);
                self.mains.push(main);
            }
        }
    }

    fn follow_includes(&mut self, main: Arc<Document>, prefix: &str) {
        let mut pending = vec![main];
        while let Some(document) = pending.pop() {
            if self.trees.contains_key(&document.file) || self.trees.len() >= MOST_NGINX {
                continue;
            }
            let parsed = syntax::nginx::parse(document.shared_text());
            for pattern in nginx::includes(&document, &parsed.tree, prefix) {
                for path in self.matching(&pattern) {
                    pending.extend(self.read(&path, Kind::Nginx, false));
                }
            }
            self.trees.insert(document.file, parsed);
        }
    }

    /// The paths that a glob stands for, as glob(3) gives them; a path without wildcards stands for itself.
    fn matching(&self, pattern: &str) -> Vec<String> {
        let mut paths = vec![String::new()];
        for segment in pattern.split('/').filter(|segment| !segment.is_empty()) {
            let is_glob = segment.contains(['*', '?', '[']);
            let mut next = Vec::new();
            for path in paths {
                if !is_glob {
                    next.push(format!("{path}/{segment}"));
                    continue;
                }
                let folder = if path.is_empty() { "/" } else { &path };
                let names = self.host.list(folder).unwrap_or_default();
                let fitting = names.iter().filter(|name| glob_matches(segment, name));
                next.extend(fitting.map(|name| format!("{path}/{name}")));
            }
            next.truncate(MOST_NGINX);
            paths = next;
        }
        paths
    }

    /// The inis with the jobs that start them; where the user named inis, no others.
    fn uwsgi(&mut self, visit: &Visit, found: &[Found]) {
        let named = !visit.uwsgi_ini.is_empty();
        let mut inis = if named { visit.uwsgi_ini.clone() } else { configurations(found, Program::Uwsgi) };
        inis.retain(|path| named || path.ends_with(".ini"));
        for path in self.host.list("/etc/init").unwrap_or_default() {
            if !path.ends_with(".conf") {
                continue;
            }
            let path = format!("/etc/init/{path}");
            let Some(document) = self.job(&path) else { continue };
            let ini = job::upstart::read(&document, None).0.job.uwsgi_ini.known().cloned();
            if self.is_of_visit(ini, &mut inis, named) {
                self.view.add((*document).clone());
                let base = path.strip_suffix(".conf").unwrap_or(&path);
                self.read(&format!("{base}.override"), Kind::Upstart, false);
            }
        }
        for found in units::services(self) {
            if !self.is_of_visit(found.ini, &mut inis, named) {
                continue;
            }
            found.documents.into_iter().for_each(|document| drop(self.view.add(document)));
            found.files.iter().for_each(|path| drop(self.read(path, Kind::Variables, false)));
        }
        for ini in self.packaged(found).into_iter().chain(vassal::inis(self.host, found)) {
            self.is_of_visit(Some(ini), &mut inis, named);
        }
        for ini in inis {
            if let Some(document) = self.read(&ini, Kind::Uwsgi, named) {
                self.bring_in(&document);
                self.inis.push(ini);
            }
        }
    }

    /// The inis that the init script of Debian's package starts, where it is installed and no emperor takes them.
    fn packaged(&self, found: &[Found]) -> Vec<String> {
        const FOLDER: &str = "/etc/uwsgi/apps-enabled";
        let is_emperor = |one: &Found| one.process.cmdline.iter().any(|word| word.starts_with("--emperor"));
        if self.host.stat(DEFAULT_INI).is_err() || found.iter().any(is_emperor) {
            return Vec::new();
        }
        let names = self.host.list(FOLDER).unwrap_or_default().into_iter().filter(|name| name.ends_with(".ini"));
        names.map(|name| format!("{FOLDER}/{name}")).collect()
    }

    /// Whether a job that names this ini belongs to the visit; its spelling becomes that of the ini.
    fn is_of_visit(&self, ini: Option<String>, inis: &mut Vec<String>, named: bool) -> bool {
        let Some(ini) = ini else { return !named };
        // One spelling for both, so that job and ini find each other.
        match inis.iter().position(|known| self.is_same(known, &ini)) {
            Some(at) => inis[at] = ini,
            None if named => return false,
            None => inis.push(ini),
        }
        true
    }

    /// The host it reads.
    pub(super) fn host(&self) -> &'h dyn Host {
        self.host
    }

    /// Reads the inis that one brings in, and those that they bring in.
    fn bring_in(&mut self, ini: &Arc<Document>) {
        let mut seen = BTreeSet::new();
        loop {
            let around = uwsgi::Around::of(&self.view, None);
            let mut wanted = uwsgi::read(ini, around).wanted;
            wanted.retain(|path| path.starts_with('/') && seen.insert(path.clone()));
            if wanted.is_empty() || seen.len() > MOST_INIS {
                return;
            }
            for path in wanted {
                self.read(&path, Kind::Uwsgi, false);
            }
        }
    }

    /// A job that has to do with uWSGI, not yet in the view.
    fn job(&mut self, path: &str) -> Option<Arc<Document>> {
        let bytes = match self.host.read(path) {
            Ok(bytes) => bytes,
            Err(ReadError::NoPermission) => {
                self.hidden.push(path.to_owned());
                return None;
            }
            Err(_) => return None,
        };
        if !bytes.windows("uwsgi".len()).any(|window| window == b"uwsgi") {
            return None;
        }
        let file = self.sources.add(self.host.shown(path), bytes, Origin::File);
        let text = self.sources.get(file).shared_text();
        Some(Arc::new(Document::plain(file, path, Kind::Upstart, text)))
    }

    fn is_same(&self, one: &str, other: &str) -> bool {
        let real = |path: &str| self.host.real_path(path).unwrap_or_else(|_| path.to_owned());
        one == other || real(one) == real(other)
    }

    fn login_shells(&mut self) {
        let mut homes = vec!["/root".to_owned()];
        homes.extend(self.host.users().unwrap_or_default().into_iter().map(|user| user.home));
        homes.extend(self.host.list("/home").unwrap_or_default().iter().map(|name| format!("/home/{name}")));
        let homes: BTreeSet<String> = homes
            .into_iter()
            .filter(|home| home.starts_with('/'))
            .map(|home| home.trim_end_matches('/').into())
            .collect();
        let mut paths = vec!["/etc/environment".to_owned(), "/etc/profile".to_owned()];
        paths.extend(self.matching("/etc/profile.d/*.sh"));
        paths.extend(homes.iter().flat_map(|home| OF_A_LOGIN.iter().map(move |name| format!("{home}/{name}"))));
        for path in paths {
            // A hidden one may hold anything, and still no job reads it: nothing is unknown for its sake.
            let hidden = self.hidden.len();
            self.read(&path, Kind::LoginShell, false);
            self.hidden.truncate(hidden);
        }
    }

    /// Reads the Python below each folder from which uWSGI loads its app.
    pub(super) fn read_apps(&mut self, instances: &[uwsgi::Reading]) {
        let mut roots = BTreeSet::new();
        for reading in instances {
            let row = &reading.uwsgi;
            roots.extend(row.chdir.known().cloned());
            roots.extend(row.pythonpath.known().into_iter().flatten().cloned());
            let files = [row.wsgi_file.known(), row.path.known().filter(|_| row.chdir.is_absent())];
            let folders = files.into_iter().flatten().filter_map(|path| path.rsplit_once('/'));
            roots.extend(folders.map(|(folder, _)| folder.to_owned()));
        }
        let mut seen = BTreeSet::new();
        let mut left = MOST_PYTHON;
        for root in roots.iter().filter(|root| root.starts_with('/') && !root.trim_matches('/').is_empty()) {
            self.walk(root.trim_end_matches('/'), 0, &mut seen, &mut left);
        }
    }

    fn walk(&mut self, folder: &str, depth: usize, seen: &mut BTreeSet<String>, left: &mut usize) {
        // Only ways that were not walked before, so that a circle of links ends.
        let real = self.host.real_path(folder).unwrap_or_else(|_| folder.to_owned());
        if depth > DEEPEST || *left == 0 || !seen.insert(real) {
            return;
        }
        let names = match self.host.list(folder) {
            Ok(names) => names,
            Err(error) => {
                self.hidden.extend((error == ReadError::NoPermission).then(|| folder.to_owned()));
                return;
            }
        };
        for name in names {
            let path = format!("{folder}/{name}");
            if matches!(name.as_str(), ".env" | "settings.ini") {
                self.read(&path, Kind::Variables, false);
                continue;
            }
            if name.ends_with(".py") {
                if *left == 0 {
                    return;
                }
                *left -= 1;
                self.read(&path, Kind::Python, false);
                continue;
            }
            let is_folder = || self.host.stat(&path).is_ok_and(|stat| stat.kind == FileKind::Folder);
            if !name.starts_with('.') && !NOT_THE_APP.contains(&name.as_str()) && is_folder() {
                self.walk(&path, depth + 1, seen, left);
            }
        }
    }
}

/// The configurations of the masters that run, each once.
fn configurations(found: &[Found], program: Program) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for one in found.iter().filter(|one| one.program == program && one.master) {
        if let Some(path) = one.config.as_ref().filter(|path| !paths.contains(path)) {
            paths.push(path.clone());
        }
    }
    paths
}
