//! Where the files of a repository land in an image or a container, and from where in the repository one of them comes.

use crate::stack::app::name::{folder_of, join, last_segment, normal};
use crate::stack::boundary::below;
use crate::stack::view::glob_matches;

/// More files than any real image names one by one.
const MOST: usize = 512;

/// What is copied or mounted, in order: what lands last hides what landed there before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Landing {
    all: Vec<Landed>,
}

/// One file or folder, or several by a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Landed {
    /// Its path in the repository; `None` for what comes from elsewhere.
    source: Option<String>,
    /// Its name, with which a file lands in a folder.
    name: String,
    /// Where it lands.
    destination: String,
}

impl Landing {
    /// Adds what lies at `source` in the repository, called `name`, at `destination`.
    pub fn add(&mut self, source: &str, name: &str, destination: &str) {
        self.push(Landed { source: Some(source.to_owned()), name: name.to_owned(), destination: normal(destination) });
    }

    /// Something out of sight lands at `destination`, a file or a folder; what lay there as a file is gone.
    pub fn cover(&mut self, destination: &str) {
        self.push(Landed { source: None, name: String::new(), destination: normal(destination) });
    }

    fn push(&mut self, landed: Landed) {
        if self.all.len() < MOST {
            self.all.push(landed);
        }
    }

    /// Whether the file at `path` of the repository is among what lands.
    pub fn takes(&self, path: &str) -> bool {
        self.all
            .iter()
            .filter_map(|one| one.source.as_deref())
            .any(|source| source == path || below(path, source).is_some())
    }

    /// The paths of the repository whose file or folder may be what lies at `path`, the likeliest first: which of them are there
    /// decides.
    pub fn origins(&self, path: &str) -> Vec<String> {
        let path = normal(path);
        let is_covered = |one: &&Landed| one.source.is_none() && one.destination == path;
        self.all.iter().rev().take_while(|one| !is_covered(one)).flat_map(|one| one.origins(&path)).collect()
    }
}

impl Landed {
    fn origins(&self, path: &str) -> Vec<String> {
        let Some(source) = &self.source else { return Vec::new() };
        let is_pattern = self.name.contains(['*', '?', '[']);
        if path == self.destination {
            return if is_pattern { Vec::new() } else { vec![source.clone()] };
        }
        let Some(rest) = below_any(path, &self.destination) else { return Vec::new() };
        if is_pattern {
            let folder = folder_of(source);
            return if glob_matches(&self.name, rest) { vec![join(folder, rest)] } else { Vec::new() };
        }
        // A folder's contents land, a file itself does.
        let mut origins = vec![join(source, rest)];
        if rest == last_segment(&self.name) {
            origins.push(source.clone());
        }
        origins
    }
}

/// The part of `path` below a folder that may be the root.
fn below_any<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder == "/" { path.strip_prefix('/') } else { below(path, folder) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_folders_and_patterns() {
        let mut landing = Landing::default();
        landing.add("shop", ".", "/app/");
        landing.add("shop/deploy/uwsgi.ini", "uwsgi.ini", "/etc/uwsgi");
        landing.add("shop/deploy/*.conf", "*.conf", "/etc/nginx/conf.d/");
        landing.add("shop/run.sh", "run.sh", "/start.sh");
        assert_eq!(landing.origins("/app/a/b.py"), ["shop/a/b.py"]);
        assert_eq!(landing.origins("/app"), ["shop"]);
        assert_eq!(
            landing.origins("/etc/uwsgi/uwsgi.ini"),
            ["shop/deploy/uwsgi.ini/uwsgi.ini", "shop/deploy/uwsgi.ini"]
        );
        assert_eq!(landing.origins("/etc/nginx/conf.d/shop.conf"), ["shop/deploy/shop.conf"]);
        assert_eq!(landing.origins("/start.sh"), ["shop/run.sh"]);
        assert!(landing.origins("/etc/nginx/conf.d/a/shop.conf").is_empty() && landing.origins("/srv").is_empty());
    }

    #[test]
    fn what_lands_last_comes_first() {
        let mut landing = Landing::default();
        landing.add("", ".", "/");
        landing.add("deploy", "deploy", "/");
        landing.cover("/b");
        assert!(landing.takes("deploy/a") && landing.takes("c"));
        assert_eq!(landing.origins("/a"), ["deploy/a", "a"]);
        assert!(landing.origins("/b").is_empty(), "another stage puts its own there");
        landing.add("late/b", "b", "/b");
        assert_eq!(landing.origins("/b"), ["late/b"]);
    }
}
