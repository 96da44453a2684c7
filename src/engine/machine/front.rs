//! How nginx fares: whether clients get in, and whether it reaches what it passes them on to.

use crate::diagnosis::{Reason, State};
use crate::engine::machine::hops::{Said, Scene};
use crate::engine::machine::passes;
use crate::engine::machine::paths::Path;
use crate::finding::Label;
use crate::host::{Connect, Space};
use crate::source::Place;
use crate::stack::process::{Found, Program};

impl Scene<'_> {
    /// Whether every process of a program has a network that is not the one of this shell.
    fn is_elsewhere(&self, program: Program) -> bool {
        let mut all = self.found.iter().filter(|one| one.program == program).peekable();
        all.peek().is_some() && all.all(|one| one.process.apart.contains(&Space::Network))
    }

    fn nginx_runs(&self) -> bool {
        let is_own = |one: &&Found| one.config.as_ref().is_some_and(|config| self.mains.contains(config));
        self.found.iter().filter(is_own).any(|one| one.program == Program::Nginx)
    }

    /// Whether clients get in.
    pub(super) fn listen(&self, path: &Path) -> Said {
        let nginx_runs = self.nginx_runs();
        match &path.listening {
            None if !self.network => (State::Unknown(Reason::NotAsked), Vec::new()),
            None => (State::Unknown(Reason::NoEvidence), Vec::new()),
            Some((Connect::Ok, _)) => (State::Ok, Vec::new()),
            Some(_) if self.is_elsewhere(Program::Nginx) => self.unknown(
                Reason::NoEvidence,
                Some(
                    "nginx has a network of its own, and nothing was tried from there: sudo nsenter --net --target PID",
                ),
            ),
            Some((Connect::TimedOut, _)) => (State::Unknown(Reason::Timeout), Vec::new()),
            Some((Connect::Full, place)) => {
                let text = "nginx does not take connections as fast as they come".to_owned();
                (State::Degraded, vec![Label { place: *place, text }])
            }
            Some((Connect::Other(words) | Connect::Hidden(words), _)) if self.unseen() == Reason::NoEvidence => {
                self.unknown(Reason::NoEvidence, Some(words))
            }
            Some((Connect::Other(_) | Connect::Hidden(_) | Connect::Denied, _)) => self.unknown(self.unseen(), None),
            Some((seen, place)) => {
                let seen = passes::words(seen);
                let text = match nginx_runs {
                    true => format!("nobody gets in: {seen}"),
                    false => format!("nginx does not run, so nobody gets in: {seen}"),
                };
                let mut evidence = vec![Label { place: *place, text }];
                evidence.extend((!nginx_runs).then(|| self.table("no nginx among them")));
                (State::Broken, evidence)
            }
        }
    }

    /// Whether nginx reaches the socket, and whether nothing behind the socket can be the reason that it does not.
    pub(super) fn upstream(&self, path: &Path) -> (Said, bool) {
        let Some(link) = &path.link else { return ((State::NotApplicable, Vec::new()), false) };
        let pass = &path.passes[0];
        let elsewhere = link.socket.is_absent() && link.other_socket.known().is_some();
        let protocols = link.socket.known().map(|socket| (socket.protocol.known(), pass.protocol().answer.known()));
        if let Some((Some(bound), Some(spoken))) = protocols
            && bound != spoken
        {
            let text = format!("nginx speaks {spoken}, and uWSGI expects {bound}");
            return ((State::Broken, vec![Label { place: pass.place, text }]), true);
        }
        if let Some(differing) = self.differing.iter().find(|one| one.is_at("nginx", &path.passes)) {
            return ((State::Broken, differing.label().into_iter().collect()), true);
        }
        if link.denied_by.known().is_some() {
            let place = link.denied_by.place.unwrap_or(pass.place);
            let text = "nginx was not let in, so users get 502".to_owned();
            return ((State::Broken, vec![Label { place, text }]), true);
        }
        let Some(word) = link.connects.known() else {
            let reason = match link.connects.missing() {
                _ if !self.network => Reason::NotAsked,
                Some(missing) if missing.how == passes::SUDO => Reason::NoPermission,
                _ => Reason::NoEvidence,
            };
            let what = link.connects.missing().map(|missing| match reason {
                Reason::NoEvidence => format!("{} ({})", missing.what, missing.how),
                _ => missing.what.to_string(),
            });
            return (self.unknown(reason, what.as_deref()), false);
        };
        let place = link.connects.place.unwrap_or(pass.place);
        let said = match word.as_str() {
            "ok" => return ((State::Ok, Vec::new()), false),
            "timed out" => return ((State::Unknown(Reason::Timeout), Vec::new()), false),
            "full" => {
                let text = "uWSGI does not take connections as fast as they come, so some users get 502 at once";
                return ((State::Degraded, vec![Label { place, text: text.to_owned() }]), false);
            }
            // A name without an address keeps nginx from starting at all.
            "missing"
                if !pass.address.known().is_some_and(|address| address.starts_with('/')) && !self.nginx_runs() =>
            {
                return ((State::Unknown(Reason::MaskedBy("listen".to_owned())), Vec::new()), false);
            }
            "missing" => "nginx cannot connect: the socket does not exist",
            "refused" => "nginx cannot connect: nobody listens there",
            "denied" => "nginx cannot connect: permission denied",
            _ => "nginx cannot connect",
        };
        let mut evidence = vec![Label { place, text: format!("{said}, so users get 502") }];
        evidence.extend(self.nginx_says(path));
        ((State::Broken, evidence), word == "denied" || elsewhere)
    }

    /// The last line of nginx's log about connecting to this way's address.
    fn nginx_says(&self, path: &Path) -> Option<Label> {
        let all: Vec<_> = self.nginx.about(path, "while connecting to upstream").collect();
        let (file, last) = all.last()?;
        let text = match all.len() {
            1 => "nginx says the same".to_owned(),
            times => format!("nginx says the same, {times} times in {}", self.period),
        };
        Some(Label { place: Place::at(*file, last.message.span), text })
    }
}
