//! Lists the rule pages, so that adding one edits no other file.

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
            let _ = writeln!(pages, "    ({id:?}, include_str!({page:?})),");
        }
    }
    let table = format!("/// Id and text of every page, by id.\nstatic BUILT_IN: &[(&str, &str)] = &[\n{pages}];\n");
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("pages.rs"), table)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
