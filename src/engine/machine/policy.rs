//! Whether a security policy keeps nginx from a socket that permissions let it open: AppArmor's profile or SELinux's domain.

use crate::engine::machine::logs::{NginxLog, UwsgiLog};
use crate::engine::machine::passes::SUDO;
use crate::host::{Host, ReadError};
use crate::source::Place;
use crate::stack::fact::{Fact, Missing};
use crate::stack::link::PassLink;
use crate::stack::process::{Found, Program};
use crate::syntax::log::NginxError;

/// errno of a denial.
const EACCES: i64 = 13;

/// Fills in what confines nginx, where a worker that runs still was denied a socket that permissions let it open.
///
/// `log` is that of the uWSGI behind the socket: a request that came through since shows that the denial is over.
pub(super) fn judge(host: &dyn Host, link: &mut PassLink, found: &[Found], nginx: &NginxLog, log: Option<&UwsgiLog>) {
    link.denied_by = Fact::absent();
    let Some(address) = link.pass.known().and_then(|pass| pass.address.known()).filter(|path| path.starts_with('/'))
    else {
        return;
    };
    if link.connects.known().is_none_or(|seen| seen != "ok") {
        return;
    }
    let is_denial = |error: &NginxError| {
        let upstream = error.upstream.as_ref().is_some_and(|upstream| upstream.value.contains(address.as_str()));
        upstream && error.errno.as_ref().is_some_and(|errno| errno.value == EACCES)
    };
    let Some((file, last)) = nginx.errors.iter().rev().find(|(_, error)| is_denial(error)) else { return };
    let served_since = log.is_some_and(|log| {
        let mut times = log.requests().filter_map(|asked| asked.request.time);
        times.any(|time| time >= last.time.value)
    });
    let is_writer = |one: &&Found| one.program == Program::Nginx && last.pid == Some(one.process.pid.into());
    let Some(worker) = found.iter().find(is_writer).filter(|_| !served_since) else { return };
    link.denied_by = match confined_by(host, worker.process.pid) {
        Ok(Some(words)) => Fact::read(words, Place::at(*file, last.message.span)),
        Ok(None) => Fact::absent(),
        Err(_) => Fact::unknown(Missing::new("the security policy of nginx's workers", SUDO)),
    };
}

/// What the kernel enforces on a process: the label that AppArmor or SELinux gave it (`proc_pid_attr(5)`).
fn confined_by(host: &dyn Host, pid: i32) -> Result<Option<String>, ReadError> {
    let label = host.read(&format!("/proc/{pid}/attr/current"));
    let bytes = match label {
        // A kernel without such a module has no such file, or none that can be read.
        Err(ReadError::NotFound | ReadError::Other(_)) => return Ok(None),
        other => other?,
    };
    let text = String::from_utf8_lossy(&bytes);
    let label = text.trim_matches(['\0', '\n', ' ']);
    if let Some(profile) = label.strip_suffix(" (enforce)") {
        return Ok(Some(format!("AppArmor's profile {profile}")));
    }
    let mut parts = label.split(':');
    let domain = parts.nth(2).filter(|domain| domain.ends_with("_t") && !domain.starts_with("unconfined"));
    Ok(domain.map(|domain| format!("SELinux's domain {domain}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::host::recorded::Recorded;

    fn label(text: &str) -> Option<String> {
        let host = Recorded::healthy().unwrap().with_file("/proc/812/attr/current", text.as_bytes());
        confined_by(&host, 812).unwrap()
    }

    #[test]
    fn only_what_is_enforced_confines() {
        assert_eq!(label("nginx (enforce)\n").as_deref(), Some("AppArmor's profile nginx"));
        assert_eq!(label("nginx (complain)\n"), None);
        assert_eq!(label("unconfined\n"), None);
        assert_eq!(label("system_u:system_r:httpd_t:s0\0").as_deref(), Some("SELinux's domain httpd_t"));
        assert_eq!(label("unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\0"), None);
        assert_eq!(confined_by(&Recorded::healthy().unwrap(), 812), Ok(None));
    }
}
