//! The ways requests take through a host: from a `listen` of nginx through one pass to one uWSGI.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::finding::InputError;
use crate::host::{Connect, Url};
use crate::source::Place;
use crate::stack::assemble::{Instance, Stack};
use crate::stack::link::PassLink;
use crate::stack::nginx::{Listen, Pass};
use crate::syntax::log::NginxError;

/// One way; passes of one server to one address are one.
#[derive(Debug)]
pub(super) struct Path {
    /// Listen, server name and locations, or the ini where nginx passes nothing on to it.
    pub(super) name: String,
    /// The pass, with what was tried; the first where there are several.
    pub(super) link: Option<Arc<PassLink>>,
    /// Every pass of it.
    pub(super) passes: Vec<Arc<Pass>>,
    /// Where its requests come in.
    pub(super) listen: Option<Arc<Listen>>,
    /// What connecting there showed.
    pub(super) listening: Option<(Connect, Place)>,
    /// The uWSGI that should answer, by its number.
    pub(super) instance: Option<usize>,
}

/// Every way, in the order of nginx's files; then the uWSGIs that no pass leads to.
pub(super) fn paths(stack: &Stack) -> Vec<Path> {
    let mut all: Vec<Path> = Vec::new();
    for link in &stack.pass_links {
        let Some(pass) = link.pass.known() else { continue };
        let same = |path: &&mut Path| {
            path.passes.first().is_some_and(|first| {
                let known = pass.address.known().is_some();
                let address = first.address.known() == pass.address.known() && (known || first.place == pass.place);
                address && first.server_names == pass.server_names && first.key == pass.key
            })
        };
        if let Some(path) = all.iter_mut().find(same) {
            path.passes.push(Arc::clone(pass));
            continue;
        }
        let listen = stack.nginx.listens.iter().find(|listen| listen.server_names == pass.server_names);
        all.push(Path {
            name: String::new(),
            link: Some(Arc::clone(link)),
            passes: vec![Arc::clone(pass)],
            listen: listen.cloned(),
            listening: None,
            instance: instance_of(link, stack),
        });
    }
    for at in 0..stack.instances.len() {
        if !all.iter().any(|path| path.instance == Some(at)) {
            all.push(Path {
                name: String::new(),
                link: None,
                passes: Vec::new(),
                listen: None,
                listening: None,
                instance: Some(at),
            });
        }
    }
    for at in 0..all.len() {
        let name = name(&all[at], stack);
        let taken =
            all[..at].iter().filter(|path| path.name == name || path.name.starts_with(&format!("{name} ("))).count();
        all[at].name = if taken == 0 { name } else { format!("{name} ({})", taken + 1) };
    }
    all
}

/// Keeps the ways through one site. Where there is none of that name nothing is kept, and the error says which there are.
pub(super) fn keep(paths: &mut Vec<Path>, site: &str) -> Option<InputError> {
    let names = |path: &Path| {
        path.passes.iter().filter_map(|pass| pass.server_names.known()).flat_map(|all| all.iter().cloned()).collect()
    };
    let all: BTreeSet<String> = paths.iter().flat_map(|path| -> Vec<String> { names(path) }).collect();
    paths.retain(|path| names(path).iter().any(|name: &String| name == site));
    paths.is_empty().then(|| {
        let known: Vec<String> = all.into_iter().filter(|name| !name.is_empty()).collect();
        let message = match known.is_empty() {
            true => "no such site here: no server of nginx has a name".to_owned(),
            false => format!("no such site here; nginx serves {}", known.join(", ")),
        };
        InputError { path: site.to_owned(), message }
    })
}

fn instance_of(link: &PassLink, stack: &Stack) -> Option<usize> {
    let instances = &stack.instances;
    let socket = link.socket.known().or(link.other_socket.known());
    match socket.and_then(|socket| socket.uwsgi.known()) {
        Some(uwsgi) => instances.iter().position(|instance| instance.uwsgi.uwsgi.place == uwsgi.place),
        // Of several uWSGIs none is guessed, and none that binds other sockets where somebody answers at this one or another
        // pass leads to it.
        None => {
            let speaks_uwsgi = link.pass.known().is_some_and(|pass| pass.key == "uwsgi_pass");
            let [only] = instances.as_slice() else { return None };
            let answers = link.connects.known().is_some_and(|word| word == Connect::Ok.word());
            let is_taken = answers || stack.pass_links.iter().any(|link| leads_to(link, only));
            (speaks_uwsgi && !(is_taken && is_elsewhere(only))).then_some(0)
        }
    }
}

fn leads_to(link: &PassLink, instance: &Instance) -> bool {
    let uwsgi = link.socket.known().and_then(|socket| socket.uwsgi.known());
    uwsgi.is_some_and(|uwsgi| uwsgi.place == instance.uwsgi.uwsgi.place)
}

/// Whether every socket of an instance is known.
fn is_elsewhere(instance: &Instance) -> bool {
    let sockets = &instance.uwsgi.sockets;
    !sockets.is_empty()
        && instance.uwsgi.open.is_none()
        && sockets.iter().all(|socket| socket.address.known().is_some())
}

fn name(path: &Path, stack: &Stack) -> String {
    if path.passes.is_empty() {
        let ini = path.instance.and_then(|at| stack.instances[at].uwsgi.uwsgi.path.known());
        return format!("uWSGI {}", ini.map_or("without an ini", String::as_str));
    }
    let listen = path.listen.as_ref().and_then(|listen| listen.address.known());
    let mut words = vec![listen.cloned().unwrap_or_else(|| "*:80".to_owned())];
    words.extend(path.server_name().map(str::to_owned));
    let locations: Vec<&str> = path.passes.iter().filter_map(|pass| pass.location.known()).map(AsRef::as_ref).collect();
    words.push(locations.join(", "));
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

impl Path {
    /// The first name of its server.
    pub(super) fn server_name(&self) -> Option<&str> {
        let names = self.passes.first()?.server_names.known()?;
        names.iter().map(String::as_str).find(|name| !name.is_empty() && *name != "_")
    }

    /// Whether a place lies in one of its passes.
    pub(super) fn is_passed_at(&self, place: Place) -> bool {
        self.passes.iter().any(|pass| match (place.span, pass.place.span) {
            (Some(inner), Some(outer)) => place.file == pass.place.file && (inner.overlaps(outer) || inner == outer),
            _ => place == pass.place,
        })
    }

    /// Whether a line of nginx's log is about the address that it passes to.
    pub(super) fn is_upstream_of(&self, error: &NginxError) -> bool {
        let address = self.passes.first().and_then(|pass| pass.address.known());
        let upstream = error.upstream.as_ref().map(|upstream| upstream.value.as_str());
        upstream.zip(address).is_some_and(|(upstream, address)| upstream.contains(address.as_str()))
    }

    /// The address to reach its `listen` at from this host.
    pub(super) fn entrance(&self) -> Option<String> {
        self.passes.first()?;
        let Some(listen) = &self.listen else { return Some("127.0.0.1:80".to_owned()) };
        let written = listen.address.known()?;
        if let Some(path) = written.strip_prefix("unix:") {
            return Some(path.to_owned());
        }
        let port = listen.port.known().copied().unwrap_or(80);
        let host = match written.rsplit_once(':') {
            _ if written.parse::<u16>().is_ok() => "",
            Some((host, port)) if !port.contains(']') => host,
            _ => written,
        };
        Some(match host {
            "" | "*" | "0.0.0.0" => format!("127.0.0.1:{port}"),
            "[::]" => format!("[::1]:{port}"),
            host => format!("{host}:{port}"),
        })
    }

    /// How well an address fits: by the name of its server before its port.
    pub(super) fn fits(&self, url: &Url) -> (bool, bool) {
        let names = self.passes.first().and_then(|pass| pass.server_names.known());
        let port = self.listen.as_ref().and_then(|listen| listen.port.known().copied()).unwrap_or(80);
        (names.is_some_and(|names| names.contains(&url.host)), i64::from(url.port) == port)
    }

    /// A command that shows the status that users get.
    pub(super) fn curl(&self) -> Option<String> {
        let entrance = self.entrance().filter(|entrance| !entrance.starts_with('/'))?;
        let ssl = self.listen.as_ref().is_some_and(|listen| listen.ssl.known() == Some(&true));
        let (scheme, insecure) = if ssl { ("https", "k") } else { ("http", "") };
        let host = self.server_name().filter(|name| !name.contains(['*', '~', '\'']));
        let header = host.map(|name| format!("-H 'Host: {name}' ")).unwrap_or_default();
        let location = self.passes.first()?.location.known().map(AsRef::as_ref);
        let location = location.filter(|path| path.starts_with('/') && !path.contains(['\'', ' '])).unwrap_or("/");
        let url = quoted(&format!("{scheme}://{entrance}{location}"));
        Some(format!("curl -s{insecure}o /dev/null -w '%{{http_code}}\\n' {header}{url}"))
    }
}

/// A word as a shell takes it literally: people paste commands, and a name in a file may hold anything.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:@%+=,".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_pasted_command_runs_nothing_else() {
        assert_eq!(quoted("http://127.0.0.1:80/api"), "http://127.0.0.1:80/api");
        assert_eq!(quoted("/srv/$(reboot)"), "'/srv/$(reboot)'");
        assert_eq!(quoted("it's; x"), "'it'\\''s; x'");
    }
}
