//! Which release of nginx runs, as its program says itself.

use crate::host::Host;
use crate::stack::process::{Found, Program};
use crate::syntax::data::Release;

/// The release of the masters that run, where all are of one; the program that was started tells, not the one that was
/// installed since.
pub(super) fn of_nginx(host: &dyn Host, found: &[Found]) -> Option<Release> {
    let masters = found.iter().filter(|one| one.program == Program::Nginx && one.master);
    let mut releases = masters.map(|one| {
        let through = format!("/proc/{}/exe", one.process.pid);
        // nginx.h: `NGINX_VER "nginx/" NGINX_VERSION`.
        let said = host.said_by(&through, "nginx/").ok()??;
        let number: String = said.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').collect();
        number.parse::<Release>().ok()
    });
    let first = releases.next()??;
    releases.all(|other| other == Some(first)).then_some(first)
}
