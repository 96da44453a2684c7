//! A host: what is read of it, what is probed, and how each hop fares.

use crate::diagnosis::Diagnosis;
use crate::host::Host;
use crate::source::Sources;
use crate::stack::facts::Facts;

/// What to look at on a host.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// nginx's main file; found out where not given.
    pub nginx_conf: Option<String>,
    /// uWSGI's inis; found out where not given.
    pub uwsgi_ini: Vec<String>,
    /// Logs to read besides those that the configurations name.
    pub logs: Vec<String>,
    /// Whether databases may be logged in to.
    pub login: bool,
    /// Whether anything may be connected to.
    pub network: bool,
}

/// What was read and found on a host.
#[derive(Debug, Default)]
pub struct Seen {
    /// Every text that the diagnosis can name.
    pub sources: Sources,
    /// Every table.
    pub facts: Facts,
    /// Hops, root causes, findings.
    pub diagnosis: Diagnosis,
}

/// Looks at a host and names what is broken.
///
/// # Errors
/// A rule page that cannot be used.
pub fn examine(_host: &dyn Host, _visit: &Visit) -> Result<Seen, String> {
    Ok(Seen::default())
}
