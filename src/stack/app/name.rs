//! Dotted names of Python and paths of files, as texts.

/// The last segment of a path.
pub fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The last part of a dotted name.
pub fn last_part(dotted: &str) -> &str {
    dotted.rsplit('.').next().unwrap_or(dotted)
}

/// The first part of a dotted name.
pub fn first_part(dotted: &str) -> &str {
    dotted.split('.').next().unwrap_or(dotted)
}

/// Two dotted names as one.
pub fn dotted(left: &str, right: &str) -> String {
    if left.is_empty() { right.to_owned() } else { format!("{left}.{right}") }
}

/// The folder a path lies in; empty for a name alone.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `name` seen from `folder`.
pub fn join(folder: &str, name: &str) -> String {
    if name.starts_with('/') || folder.is_empty() { normal(name) } else { normal(&format!("{folder}/{name}")) }
}

/// Whether a path has no `.`, no `..` and no doubled slash: nearly every one.
pub fn is_normal(path: &str) -> bool {
    let inner = path.strip_prefix('/').unwrap_or(path);
    inner.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// A path without `.`, `..` and doubled slashes.
pub fn normal(path: &str) -> String {
    if is_normal(path) {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let start = if path.starts_with('/') { "/" } else { "" };
    format!("{start}{}", parts.join("/"))
}
