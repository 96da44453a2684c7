//! The ini that a job's command names, and the paths that are meant from the folder it is started in.

use super::fact;
use crate::stack::document::Document;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::launch::Argument;

/// Options whose value may end in `.ini` without being the configuration.
const OTHER_FILES: [&str; 12] = [
    "--emperor",
    "--vassals-include",
    "--include",
    "--inherit",
    "--touch-reload",
    "--fs-reload",
    "--ini-paste",
    "--ini-paste-logged",
    "--paste",
    "--logto",
    "--daemonize",
    "-d",
];

/// The ini on uWSGI's command line: `--ini FILE`, `--ini=FILE`, or a bare word that ends in `.ini`.
pub(super) fn uwsgi_ini(
    document: &Document,
    words: &[Argument],
    folder: Option<&Answer<String>>,
    open: bool,
) -> Fact<String> {
    let mut before = "";
    for word in words.iter().skip(1) {
        let written = word.written.as_str();
        let glued = written.starts_with("--ini=");
        let is_value = before == "--ini" || glued;
        let bare = || {
            let file = written.split(".ini:").next().unwrap_or(written);
            let named = written.ends_with(".ini") || file.len() < written.len();
            named && !written.starts_with('-') && !OTHER_FILES.contains(&before)
        };
        if is_value || bare() {
            let prefix = if glued { "--ini=".len() } else { 0 };
            let mut ini = fact(document, word);
            ini.answer = ini.answer.map_known(|path| path.get(prefix..).unwrap_or("").to_owned());
            return placed_in(ini, folder, open);
        }
        before = written;
    }
    match words.iter().find_map(|word| match &word.value {
        Answer::Unknown(missing) => Some(missing.clone()),
        _ => None,
    }) {
        Some(missing) => Fact::unknown(missing),
        None => Fact::absent(),
    }
}

/// The absolute path of an ini named relative to the job's folder, `/` where none is set.
fn placed_in(ini: Fact<String>, folder: Option<&Answer<String>>, open: bool) -> Fact<String> {
    let Some(path) = ini.known() else { return ini };
    let path = path.split_once(".ini:").map_or(path.clone(), |(file, _)| format!("{file}.ini"));
    if path.starts_with('/') || path.contains("://") {
        return Fact { answer: Answer::Known(path), ..ini };
    }
    let answer = match folder {
        Some(Answer::Known(folder)) => Answer::Known(joined(folder, &path)),
        Some(Answer::Unknown(missing)) => Answer::Unknown(missing.clone()),
        None if open => {
            Answer::Unknown(Missing::new("the job's folder", "write `chdir` into the job without template tags"))
        }
        Some(Answer::Absent) | None => Answer::Known(joined("/", &path)),
    };
    Fact { answer, ..ini }
}

fn joined(folder: &str, path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in folder.split('/').chain(path.split('/')) {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    format!("/{}", segments.join("/"))
}
