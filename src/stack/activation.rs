//! Socket activation: a `.socket` unit opens what the uWSGI of its service does not open itself (systemd.socket(5)).

use std::sync::Arc;

use crate::stack::fact::Fact;
use crate::stack::start::Start;
use crate::stack::unit::Units;
use crate::stack::uwsgi::{self, Socket, Uwsgi};

/// The sockets that systemd opens for an instance which opens none itself: a `.socket` unit starts its service.
pub fn activate(units: &Units, start: &Start, reading: &mut uwsgi::Reading) {
    let Some(name) = start.job.name.known().filter(|_| start.job.key == "systemd") else { return };
    if !reading.sockets.is_empty() || reading.open.is_some() {
        return;
    }
    let row = Arc::new(Uwsgi { serves: Fact::derived(true), ..Uwsgi::clone(&reading.uwsgi) });
    for file in units.sockets_of(name) {
        for listen in &file.tree().listens {
            let place = file.document.place(listen.span);
            let mut socket = Socket::at(place);
            socket.key = "uwsgi".to_owned();
            socket.address = file.document.fact(listen.span, &listen.value);
            socket.address.answer = socket.address.answer.map_known(every_interface);
            socket.protocol = Fact::derived("uwsgi".to_owned());
            socket.option = Fact::read("ListenStream".to_owned(), place);
            socket.uwsgi = Fact::derived(Arc::clone(&row));
            reading.sockets.push(socket);
        }
    }
    if !reading.sockets.is_empty() {
        reading.uwsgi = row;
    }
}

/// A port alone is every interface (systemd.socket(5)).
fn every_interface(address: String) -> String {
    if address.bytes().all(|byte| byte.is_ascii_digit()) { format!("0.0.0.0:{address}") } else { address }
}
