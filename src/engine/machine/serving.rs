//! Which ini a uWSGI serves whose command line does not tell, because it names one from a folder that was left since: the
//! one whose socket it holds. One that holds none of them is of another stack.

use crate::host::{Host, ReadError, Space};
use crate::stack::process::{Found, Program, written_config};
use crate::stack::uwsgi::Reading;

/// What a socket of an ini says of one master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The master holds it.
    Serves,
    /// Nobody listens there, or others hold it.
    DoesNot,
    /// Who holds it is hidden from this user.
    Unsure,
}

/// Gives a configuration to each master that has none where sockets tell: the ini it serves, or what its command line says
/// where it serves none of `readings`. Says whether one was found to serve an ini.
pub(super) fn settle(host: &dyn Host, found: &mut [Found], readings: &[Reading]) -> bool {
    let mut is_found = false;
    let is_open = |one: &Found| one.program == Program::Uwsgi && one.master && one.config.is_none();
    let open: Vec<i32> = found.iter().filter(|one| is_open(one)).map(|one| one.process.pid).collect();
    for pid in open {
        let Some(at) = found.iter().position(|one| one.process.pid == pid) else { continue };
        // The tables are those of this network.
        if found[at].process.apart.contains(&Space::Network) {
            continue;
        }
        let verdicts: Vec<Verdict> = readings.iter().map(|reading| of_ini(host, reading, pid)).collect();
        let served = verdicts.iter().position(|verdict| *verdict == Verdict::Serves);
        let config = match served.and_then(|at| readings[at].uwsgi.path.known()) {
            Some(ini) => Some(ini.clone()),
            None if verdicts.iter().all(|verdict| *verdict == Verdict::DoesNot) => {
                written_config(&found[at].process).map(str::to_owned)
            }
            None => None,
        };
        is_found |= served.is_some();
        let family = found.iter_mut().filter(|one| one.process.pid == pid || one.process.ppid == pid);
        family.filter(|one| one.config.is_none()).for_each(|one| one.config.clone_from(&config));
    }
    is_found
}

/// The first socket of an ini that tells decides; one of which none has a known address tells nothing.
fn of_ini(host: &dyn Host, reading: &Reading, pid: i32) -> Verdict {
    let addresses = reading.sockets.iter().filter_map(|socket| socket.address.known());
    let verdicts = addresses.map(|address| match holders(host, address) {
        Ok(None) => Verdict::DoesNot,
        Ok(Some(pids)) if pids.contains(&pid) => Verdict::Serves,
        Ok(Some(pids)) if !pids.is_empty() => Verdict::DoesNot,
        Ok(Some(_)) | Err(_) => Verdict::Unsure,
    });
    verdicts.reduce(|one, other| if one == Verdict::Unsure { other } else { one }).unwrap_or(Verdict::Unsure)
}

/// Who holds the listening socket at an address, as far as this user may see; `None` where nobody listens there.
fn holders(host: &dyn Host, address: &str) -> Result<Option<Vec<i32>>, ReadError> {
    let lists: Vec<Vec<i32>> = if address.starts_with('/') {
        let real = host.real_path(address).unwrap_or_else(|_| address.to_owned());
        let is_it = |path: &str| path == address || path == real;
        let sockets = host.unix_sockets()?.into_iter();
        sockets.filter(|socket| socket.listening && is_it(&socket.path)).map(|socket| socket.pids).collect()
    } else {
        let port = address.rsplit_once(':').map_or(address, |(_, port)| port);
        let Ok(port) = port.parse::<u16>() else { return Err(ReadError::NotFound) };
        let listeners = host.listeners()?.into_iter();
        listeners.filter(|listener| listener.port == port).map(|listener| listener.pids).collect()
    };
    Ok((!lists.is_empty()).then(|| lists.concat()))
}
