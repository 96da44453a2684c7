//! The files of a rule page's example, read as lint or doctor would read them.

use std::sync::LazyLock;

use crate::engine::{Options, Visit, examine, lint_memory};
use crate::host::recorded::Recorded;
use crate::source::Sources;
use crate::stack::facts::Facts;

/// The file that makes an example a host: it says in what the host differs from the healthy one.
const HOST: &str = "host.toml";

static HEALTHY: LazyLock<Result<Recorded, String>> =
    LazyLock::new(|| Recorded::healthy().map_err(|error| format!("{}: {}", error.path, error.message)));

/// The texts and facts of an example: of a repository with these files, or, where a `host.toml` is among them, of the
/// healthy host as it changes it, with the other files put there.
///
/// # Errors
/// A `host.toml` or `housecall.toml` among the files that cannot be used, in one sentence.
pub fn read_example(files: &[(String, Vec<u8>)]) -> Result<(Sources, Facts), String> {
    let Some((_, patch)) = files.iter().find(|(path, _)| path == HOST) else {
        let run = lint_memory(files, &Options { pages: Some(Vec::new()), ..Options::default() });
        return match run.report.errors.first() {
            Some(error) => Err(error.message.clone()),
            None => Ok((run.sources, run.facts)),
        };
    };
    let healthy = HEALTHY.as_ref().map_err(Clone::clone)?;
    let patched = healthy.patched(&String::from_utf8_lossy(patch));
    let host = patched.map_err(|error| format!("{HOST}: {}", error.message))?;
    let others = files.iter().filter(|(path, _)| path != HOST);
    let host = others.fold(host, |host, (path, bytes)| host.with_file(path, bytes.as_slice()));
    let seen = examine(&host, &Visit { login: true, network: true, ..Visit::default() })?;
    Ok((seen.sources, seen.facts))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::read_example;

    #[test]
    fn what_cannot_be_read_is_said_and_not_passed_over() {
        let error = |path: &str, text: &str| read_example(&[(path.to_owned(), text.into())]).err().unwrap_or_default();
        assert!(error("housecall.toml", "[lnt]\n").contains("did you mean `lint`"));
        assert!(error("host.toml", "prcess = 1\n").starts_with("host.toml: "));
        assert_eq!(error("host.toml", ""), "");
        assert_eq!(error("uwsgi.ini", "[uwsgi]\n"), "");
    }
}
