//! Which files belong to one stack: nothing is linked across a boundary.

use std::collections::{BTreeMap, BTreeSet};

/// Folders of a host's root that a repository may mirror.
const OF_A_HOST: &[&str] = &["etc", "home", "opt", "root", "run", "srv", "usr", "var"];

/// Folders below `etc` whose presence shows that a folder mirrors a host's root.
const TELLING: &[&str] = &["init", "nginx", "uwsgi", "systemd", "profile.d"];

/// One stack: where its files lie, and the folder in it that mirrors a host's root, where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary {
    /// The folder, without a slash at its end; empty for the root of what was read.
    pub root: String,
    /// The folder whose `etc` stands for `/etc`.
    pub mirror: Option<String>,
}

impl Boundary {
    /// The path at which a file will lie on the host, where the repository mirrors one.
    pub fn landing(&self, path: &str) -> Option<String> {
        let inside = below(path, self.mirror.as_deref()?)?;
        let first = inside.split('/').next()?;
        OF_A_HOST.contains(&first).then(|| format!("/{inside}"))
    }
}

/// Sorts paths into stacks: each folder with a `housecall.toml` is one, and so is each of several folders that mirror a host.
/// What lies in none of them is one stack, below `base`.
pub fn divide<'a>(base: &'a str, paths: impl Iterator<Item = &'a str> + Clone) -> Vec<(Boundary, Vec<&'a str>)> {
    let mut roots: Vec<&str> = paths.clone().filter_map(|path| folder_of(path, "housecall.toml")).collect();
    roots.push(base);
    let mut stacks: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in paths {
        stacks.entry(deepest(&roots, path)).or_default().push(path);
    }
    stacks.into_iter().flat_map(|(root, paths)| by_mirror(root, paths)).collect()
}

fn by_mirror<'a>(root: &str, paths: Vec<&'a str>) -> Vec<(Boundary, Vec<&'a str>)> {
    let cookbooks: BTreeSet<&str> = paths.iter().filter_map(|path| cookbook_of(path)).collect();
    let mut mirrors: Vec<&str> = paths.iter().filter_map(|path| mirror_of(path)).collect();
    mirrors.retain(|mirror| !is_taken_by_recipes(mirror, &cookbooks));
    mirrors.sort_unstable();
    mirrors.dedup();
    if let [] | [_] = mirrors[..] {
        let mirror = mirrors.first().map(|mirror| (*mirror).to_owned());
        return vec![(Boundary { root: root.to_owned(), mirror }, paths)];
    }
    let mut parts: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
    for path in paths {
        let mirror = mirrors.iter().filter(|mirror| below(path, mirror).is_some()).max_by_key(|mirror| mirror.len());
        parts.entry(mirror.copied()).or_default().push(path);
    }
    let boundary =
        |mirror: Option<&str>| Boundary { root: mirror.unwrap_or(root).to_owned(), mirror: mirror.map(str::to_owned) };
    parts.into_iter().map(|(mirror, paths)| (boundary(mirror), paths)).collect()
}

/// The folder before an `etc/…` that only a host has.
fn mirror_of(path: &str) -> Option<&str> {
    let at = if path.starts_with("etc/") { 0 } else { path.find("/etc/")? + 1 };
    let below_etc = path[at..].split('/').nth(1)?;
    let folder = path[..at].trim_end_matches('/');
    TELLING.contains(&below_etc).then_some(folder)
}

/// The cookbook that a recipe or a metadata.rb shows.
fn cookbook_of(path: &str) -> Option<&str> {
    folder_of(path, "metadata.rb").or_else(|| {
        let (folder, name) = path.rsplit_once('/')?;
        (name.ends_with(".rb") && (folder == "recipes" || folder.ends_with("/recipes")))
            .then(|| folder.trim_end_matches("recipes").trim_end_matches('/'))
    })
}

/// What lies in a cookbook's `templates/` or `files/` lands where its recipes say, whatever its folders are called.
fn is_taken_by_recipes(folder: &str, cookbooks: &BTreeSet<&str>) -> bool {
    ["templates", "files"].iter().any(|part| {
        let mut starts = folder.match_indices(part).map(|(at, _)| at);
        starts.any(|at| {
            let is_part = matches!(folder.as_bytes().get(at + part.len()), None | Some(b'/'));
            let above = &folder[..at];
            is_part && (above.is_empty() || above.ends_with('/')) && cookbooks.contains(above.trim_end_matches('/'))
        })
    })
}

fn folder_of<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let folder = path.strip_suffix(name)?;
    (folder.is_empty() || folder.ends_with('/')).then(|| folder.trim_end_matches('/'))
}

fn deepest<'a>(roots: &[&'a str], path: &str) -> &'a str {
    roots.iter().copied().filter(|root| below(path, root).is_some()).max_by_key(|root| root.len()).unwrap_or("")
}

/// The part of `path` below `folder`; the whole path where the folder is empty.
pub fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() {
        return Some(path);
    }
    path.strip_prefix(folder)?.strip_prefix('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_and_each_of_several_hosts_bound_a_stack() {
        let paths = [
            "a/housecall.toml",
            "a/app/wsgi.py",
            "b/etc/init/x.conf",
            "b/srv/x.py",
            "c/etc/nginx/nginx.conf",
            "README",
        ];
        let stacks = divide("", paths.iter().copied());
        let roots: Vec<_> = stacks.iter().map(|(boundary, paths)| (boundary.root.as_str(), paths.len())).collect();
        assert_eq!(roots, [("", 1), ("b", 2), ("c", 1), ("a", 2)]);
        assert_eq!(stacks[1].0.landing("b/srv/x.py").as_deref(), Some("/srv/x.py"));
        assert_eq!(stacks[1].0.landing("b/docs/x.py"), None);
    }

    #[test]
    fn folders_inside_of_a_cookbook_are_no_hosts() {
        let paths = [
            "shop/metadata.rb",
            "shop/recipes/default.rb",
            "shop/templates/default/etc/init/shop.conf.erb",
            "web/recipes/default.rb",
            "web/files/default/etc/nginx/nginx.conf",
        ];
        let stacks = divide("", paths.iter().copied());
        assert_eq!((stacks.len(), &stacks[0].0.mirror), (1, &None));
        let roles = ["roles/a/files/etc/nginx/nginx.conf", "roles/b/templates/etc/init/x.conf"];
        assert_eq!(divide("", roles.iter().copied()).len(), 2);
    }

    #[test]
    fn one_mirror_beside_an_app_is_one_stack() {
        let paths = ["deploy/etc/nginx/nginx.conf", "app/wsgi.py"];
        let stacks = divide("", paths.iter().copied());
        assert_eq!(stacks.len(), 1);
        assert_eq!(stacks[0].0.landing("deploy/etc/nginx/nginx.conf").as_deref(), Some("/etc/nginx/nginx.conf"));
    }
}
