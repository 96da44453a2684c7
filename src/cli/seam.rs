//! SEAM: what the commands ask of the engine. Until `engine` is written these answers are empty; replace the three
//! functions by calls of `engine` and move the types there.

use std::path::PathBuf;

use crate::config::Config;
use crate::diagnosis::Diagnosis;
use crate::finding::Report;
use crate::source::Sources;
use crate::stack::document::Kind;

/// What to read and judge.
#[derive(Debug, Clone, Default)]
#[expect(dead_code, reason = "SEAM: read by the engine once it is called")]
pub(super) struct Options {
    /// Files and folders as the user named them.
    pub(super) paths: Vec<PathBuf>,
    /// Which Chef; the configuration's where not given.
    pub(super) target: Option<String>,
    /// How named files are read.
    pub(super) kind: Option<Kind>,
    /// The configuration; the nearest `housecall.toml` where not given.
    pub(super) config: Option<PathBuf>,
    /// Rules to judge by, all where empty.
    pub(super) select: Vec<String>,
    /// Rules to leave out.
    pub(super) ignore: Vec<String>,
}

/// What was read and found in a repository.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Every text that a finding can name.
    pub(super) sources: Sources,
    /// Findings, open questions, errors.
    pub(super) report: Report,
    /// Every table, for `housecall facts`.
    pub(super) facts: serde_json::Value,
    /// The configuration that was in force.
    pub(super) config: Config,
}

/// What to look at on a host.
#[derive(Debug, Clone, Default)]
#[expect(dead_code, reason = "SEAM: read by the engine once it is called")]
pub(super) struct Visit {
    pub(super) nginx_conf: Option<PathBuf>,
    pub(super) uwsgi_ini: Vec<PathBuf>,
    pub(super) log: Vec<PathBuf>,
    pub(super) root: Option<PathBuf>,
    pub(super) login: bool,
    pub(super) network: bool,
}

/// What was read and found on a host.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) sources: Sources,
    pub(super) diagnosis: Diagnosis,
}

/// Reads a repository and judges it.
///
/// # Errors
/// Bad configuration or an unknown rule, in one sentence.
pub(super) fn lint(_options: &Options) -> Result<Run, String> {
    Ok(Run::default())
}

/// Looks at a host.
///
/// # Errors
/// Bad usage, in one sentence.
pub(super) fn doctor(_visit: &Visit) -> Result<Seen, String> {
    Ok(Seen::default())
}
