//! Lists the rule pages and the files of the healthy host, so that adding one edits no other file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("rules");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut pages = String::new();
    for family in sorted(&root)?.into_iter().filter(|path| path.is_dir()) {
        for page in sorted(&family)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "md")) {
            let name =
                |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let id = format!("{}/{}", name(&family), name(&page));
            let text = fs::read_to_string(&page)?;
            let each = each(&text);
            let _ = writeln!(pages, "    ({id:?}, {each:?}, include_str!({page:?})),");
        }
    }
    let table = format!(
        "/// Id, rows and text of every page, by id.\nstatic BUILT_IN: &[(&str, Option<&str>, &str)] = &[\n{pages}];\n"
    );
    write("pages.rs", &table)?;
    write("healthy.rs", &healthy()?)
}

/// The rows that a page runs over, as it writes them, so that a run need not read the pages of those it does not have.
fn each(page: &str) -> Option<&str> {
    let mut keys = page.lines().skip(1).take_while(|line| *line != "+++");
    keys.find_map(|line| line.strip_prefix("each = \"")?.strip_suffix('"'))
}

/// The host that host examples of rule pages are patches over: an installed housecall tests users' pages too.
fn healthy() -> io::Result<String> {
    let host = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("fixtures/hosts/healthy");
    println!("cargo::rerun-if-changed={}", host.display());
    let root = host.join("root");
    let mut files = String::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for path in sorted(&folder)? {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&root).map_err(io::Error::other)?;
            let _ = writeln!(files, "    ({:?}, include_bytes!({path:?})),", format!("/{}", inside.display()));
        }
    }
    let table = host.join("host.toml");
    Ok(format!(
        "/// Its `host.toml`.\nstatic TABLE: &str = include_str!({table:?});\n\
         /// Path on the host and bytes of each of its files.\nstatic FILES: &[(&str, &[u8])] = &[\n{files}];\n"
    ))
}

fn write(name: &str, text: &str) -> io::Result<()> {
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join(name), text)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
