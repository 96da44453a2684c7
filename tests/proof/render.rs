//! A stack's files as they run below a temporary folder: paths below its root, ports that are free, and the answer to where
//! each program would write.

use std::collections::BTreeMap;
use std::path::Path;

use regex::{Captures, Regex};

use crate::stack::Stack;
use crate::wait::free_port;

/// What a stack became.
pub struct Rendered {
    /// The files by path, as the programs read them.
    pub files: BTreeMap<String, String>,
    /// The port that users come in by.
    pub port: u16,
}

/// Moves a stack below `root`.
pub fn render(stack: &Stack, root: &Path) -> Rendered {
    let paths = Regex::new(r#"(^|[\s=:"'])(/(?:etc|srv|run|var|home)/)"#).unwrap();
    let loopback = Regex::new(r"127\.0\.0\.1:(\d+)").unwrap();
    let mut ports: BTreeMap<String, u16> = BTreeMap::new();
    let port = free_port();
    let mut files = BTreeMap::new();
    for (path, text) in stack.files() {
        let text = text.replace("listen 80;", &format!("listen 127.0.0.1:{port};"));
        let text = loopback.replace_all(&text, |found: &Captures<'_>| {
            let is_ours = found[1] == port.to_string();
            let port = if is_ours { port } else { *ports.entry(found[1].to_owned()).or_insert_with(free_port) };
            format!("127.0.0.1:{port}")
        });
        let text =
            paths.replace_all(&text, |found: &Captures<'_>| format!("{}{}{}", &found[1], root.display(), &found[2]));
        files.insert(path.clone(), text.into_owned());
    }
    let main = files.entry("etc/nginx/nginx.conf".to_owned()).or_insert_with(|| MAIN.to_owned());
    *main = main.replacen("http {\n", &format!("http {{\n{}", temporary(root)), 1);
    files.insert("etc/nginx/uwsgi_params".to_owned(), std::fs::read_to_string("/etc/nginx/uwsgi_params").unwrap());
    Rendered { files, port }
}

/// nginx's main file where a stack leaves it out.
const MAIN: &str = "events {\n}\nhttp {\n    include conf.d/*.conf;\n    include sites-enabled/*;\n}\n";

/// The lines that keep nginx's own files below the root.
fn temporary(root: &Path) -> String {
    let folder = root.join("var/tmp");
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let lines = kinds.map(|kind| format!("    {kind}_temp_path {}/{kind};\n", folder.display()));
    format!("    access_log off;\n{}", lines.concat())
}
