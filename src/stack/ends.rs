//! The two ends of what nginx passes on, by address: of thousands of passes and sockets only those are compared that can meet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::source::Place;
use crate::stack::assemble::Instance;
use crate::stack::fact::Missing;
use crate::stack::link::{is_path, is_unix, is_unix_pass, meets, wants_uwsgi};
use crate::stack::nginx::Pass;
use crate::stack::uwsgi::Socket;

/// The place of the instance that a service runs, by the service's name; nothing where several are called so.
pub type Services = BTreeMap<String, Option<Place>>;

/// The instances that services of containers run, by the names of the services.
pub(super) fn services(instances: &[Instance]) -> Services {
    let mut services = Services::new();
    for instance in instances {
        let job = instance.link.job.known().filter(|job| job.key == "compose");
        if let Some(name) = job.and_then(|job| job.name.known()) {
            let place = instance.uwsgi.uwsgi.place;
            services.entry(name.clone()).and_modify(|other| *other = None).or_insert(Some(place));
        }
    }
    services
}

/// Passes and sockets by what two addresses must share to be one: the port, or the whole path.
pub(super) struct Ends<'a> {
    passes: BTreeMap<&'a str, Vec<&'a Pass>>,
    sockets: BTreeMap<&'a str, Vec<&'a Arc<Socket>>>,
    /// The instance that each service of containers runs, by the service's name: so other containers call its host.
    services: Option<&'a Services>,
    /// Why the address of some socket is unknown, where one is.
    pub(super) hidden: Option<&'a Missing>,
    /// The sockets that no pass reaches: those at ports, those at paths.
    unreached: [Vec<&'a Arc<Socket>>; 2],
    /// The addresses of passes that only uWSGI can answer and no socket does: ports, paths.
    lost: [BTreeSet<&'a str>; 2],
    /// Whether the address of such a pass is unknown.
    lost_unknown: bool,
}

impl<'a> Ends<'a> {
    pub(super) fn of(passes: &'a [Arc<Pass>], sockets: &'a [Arc<Socket>], services: Option<&'a Services>) -> Self {
        let mut ends = Self {
            services,
            passes: BTreeMap::new(),
            sockets: BTreeMap::new(),
            hidden: sockets.iter().find_map(|socket| socket.address.missing()),
            unreached: Default::default(),
            lost: Default::default(),
            lost_unknown: false,
        };
        for pass in passes {
            if let Some(address) = pass.address.known() {
                ends.passes.entry(shared_part(address)).or_default().push(pass);
            }
        }
        for socket in sockets {
            if let Some(address) = socket.address.known() {
                ends.sockets.entry(shared_part(address)).or_default().push(socket);
            }
        }
        for socket in sockets.iter().filter(|socket| socket.address.known().is_some()) {
            if ends.passes_to(socket).next().is_none() {
                ends.unreached[usize::from(is_unix(socket))].push(socket);
            }
        }
        for pass in passes.iter().filter(|pass| wants_uwsgi(pass)) {
            match pass.address.known() {
                None => ends.lost_unknown = true,
                Some(address) if ends.sockets_at(pass).next().is_none() => {
                    ends.lost[usize::from(is_path(address))].insert(address);
                }
                Some(_) => {}
            }
        }
        ends
    }

    /// The sockets that a pass reaches.
    pub(super) fn sockets_at(&self, pass: &Pass) -> impl Iterator<Item = &'a Arc<Socket>> {
        let key = pass.address.known().map(|address| shared_part(address));
        let near = key.and_then(|key| self.sockets.get(key)).map_or(&[][..], Vec::as_slice);
        let host = pass.address.known().and_then(|address| address.rsplit_once(':')).map_or("", |(host, _)| host);
        let is_of = |service: &Place, socket: &Socket| socket.uwsgi.known().is_some_and(|own| own.place == *service);
        let service = self.services.and_then(|services| services.get(host)?.as_ref());
        let service = service.filter(|service| near.iter().any(|socket| is_of(service, socket) && meets(pass, socket)));
        let is_meant = move |socket: &Socket| service.is_none_or(|service| is_of(service, socket));
        near.iter().copied().filter(move |socket| is_meant(socket) && meets(pass, socket))
    }

    /// The passes that reach a socket.
    pub(super) fn passes_to(&self, socket: &Socket) -> impl Iterator<Item = &'a Pass> {
        let key = socket.address.known().map(|address| shared_part(address));
        let near = key.and_then(|key| self.passes.get(key)).map_or(&[][..], Vec::as_slice);
        near.iter().copied().filter(move |pass| meets(pass, socket))
    }

    /// The one socket of the kind of this pass that no pass reaches; none where there are several.
    pub(super) fn only_unreached(&self, pass: &Pass) -> Option<&'a Arc<Socket>> {
        match self.unreached[usize::from(is_unix_pass(pass))].as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Whether another address than that of this pass meets no socket either.
    pub(super) fn has_rival(&self, pass: &Pass) -> bool {
        let of_kind = &self.lost[usize::from(is_unix_pass(pass))];
        match pass.address.known() {
            Some(address) => self.lost_unknown || of_kind.iter().take(2).any(|other| *other != address.as_str()),
            None => !of_kind.is_empty(),
        }
    }
}

/// The port of an address, or all of a path.
fn shared_part(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(_, port)| port)
}
