//! With which owner and permissions uWSGI makes its unix sockets (uWSGI: `core/socket.c` `bind_to_unix`, `uwsgi_opt_chmod_socket`).

use super::Uwsgi;
use super::instance::text;
use super::settings::Settings;
use super::values::is_mode;
use crate::stack::fact::{Answer, Fact};

/// Sets the facts of `row` about its unix sockets.
pub(super) fn complete(row: &mut Uwsgi, settings: &Settings) {
    row.socket_owner = text(settings, &["chown-socket"]);
    row.socket_mode = mode(settings);
}

/// `chmod-socket`, 666 without a value; else what `umask` leaves of 777. A mode that uWSGI refuses is none.
fn mode(settings: &Settings) -> Fact<String> {
    let chmod = text(settings, &["chmod-socket"]);
    if let Some(value) = chmod.known() {
        let mode = if matches!(value.as_str(), "" | "1") { "666" } else { value.as_str() };
        return match is_mode(mode) {
            true => Fact { answer: Answer::Known(mode.to_owned()), ..chmod },
            false => Fact { answer: Answer::Absent, ..chmod },
        };
    }
    if chmod.is_unknown() {
        return chmod;
    }
    let umask = text(settings, &["umask"]);
    let left = |mask: &str| u32::from_str_radix(mask.trim(), 8).ok().map(|mask| format!("{:03o}", 0o777 & !mask));
    match umask.known().map(|mask| left(mask)) {
        Some(Some(mode)) => Fact { answer: Answer::Known(mode), ..umask },
        Some(None) => Fact { answer: Answer::Absent, ..umask },
        None => umask,
    }
}
