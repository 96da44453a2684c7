//! What of the stack runs with a configuration of a kind that is not read.

use crate::stack::process::{Found, Program};

/// A sentence for each uWSGI whose configuration is no ini: what it says is neither judged nor guessed.
pub(super) fn notes(found: &[Found]) -> Vec<String> {
    let masters = found.iter().filter(|one| one.program == Program::Uwsgi && one.master);
    let others = masters.filter_map(|one| Some((one.process.pid, one.config.as_deref()?)));
    others
        .filter(|(_, config)| !config.ends_with(".ini"))
        .map(|(pid, config)| {
            format!("uWSGI (pid {pid}) runs with {config}, and of its configurations only inis are read")
        })
        .collect()
}
