//! What of the stack runs in name spaces of its own: in containers, or in a network that is not the one of this shell.

use crate::engine::machine::environment::Running;
use crate::host::{Host, Space};
use crate::stack::assemble::Instance;
use crate::stack::process::Found;

/// A sentence for each program that was left out because it runs in a container.
pub(super) fn notes(contained: &[Found]) -> Vec<String> {
    let masters = contained.iter().filter(|one| one.master);
    masters
        .map(|one| {
            let (program, pid) = (one.program.word(), one.process.pid);
            format!(
                "{program} (pid {pid}) runs in a container, whose files and network are not the ones of this host: run \
                 housecall in there"
            )
        })
        .collect()
}

/// Why connecting from here says nothing of how an instance reaches its databases; `None` where it does.
pub(super) fn other_network(instance: &Instance, running: &[Running], found: &[Found]) -> Option<String> {
    let ini = instance.uwsgi.uwsgi.path.known()?;
    let pid = running.iter().find(|one| one.ini == *ini)?.pid;
    let process = &found.iter().find(|one| one.process.pid == pid)?.process;
    process.apart.contains(&Space::Network).then(|| {
        format!(
            "uWSGI has a network of its own, and nothing was tried from there: sudo nsenter --net --target {pid} \
             housecall doctor"
        )
    })
}

/// Why a name need not lead where it does for this shell: the process has mounts of its own, with another file that the name
/// service reads (resolv.conf(5), hosts(5), nsswitch.conf(5)); `None` where it does.
pub(super) fn other_names(
    host: &dyn Host,
    instance: &Instance,
    running: &[Running],
    found: &[Found],
) -> Option<String> {
    const READ: [&str; 3] = ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"];
    let ini = instance.uwsgi.uwsgi.path.known()?;
    let pid = running.iter().find(|one| one.ini == *ini)?.pid;
    let process = &found.iter().find(|one| one.process.pid == pid)?.process;
    process.apart.contains(&Space::Mounts).then_some(())?;
    let differs = |path: &&&str| host.read(&format!("/proc/{pid}/root{path}")).ok() != host.read(path).ok();
    let path = READ.iter().find(differs)?;
    Some(format!(
        "uWSGI has mounts of its own, and another {path} in them: sudo nsenter --mount --target {pid} housecall doctor"
    ))
}
