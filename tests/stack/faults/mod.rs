//! The faults: how each is brought about in a real stack, what users see, and what doctor must say first.

mod app;
mod chef;
mod database;
mod django;
mod environment;
mod front;
mod journal;
mod libpq;
mod pairs;
mod sockets;
mod start;
mod untold;

use crate::lab::Lab;

/// Starts a stack and brings something about in it.
pub type Start = fn() -> Lab;

/// One fault.
pub struct Fault {
    pub id: &'static str,
    /// What doctor must name, and nothing else.
    pub rule: &'static str,
    /// The second of two faults that have nothing to do with each other: named too, whichever comes first.
    pub also: Option<&'static str>,
    /// The file and a word of the line that doctor must point at.
    pub line: (&'static str, &'static str),
    /// What users get; 0 where that is not always the same.
    pub status: u16,
    /// Whether only root can bring it about.
    pub needs_root: bool,
    pub start: Start,
}

const fn fault(
    id: &'static str,
    rule: &'static str,
    line: (&'static str, &'static str),
    status: u16,
    start: Start,
) -> Fault {
    Fault { id, rule, also: None, line, status, needs_root: false, start }
}

const fn as_root(fault: Fault) -> Fault {
    Fault { needs_root: true, ..fault }
}

const fn and(also: &'static str, fault: Fault) -> Fault {
    Fault { also: Some(also), ..fault }
}

impl Fault {
    /// Whether doctor named what it must, and nothing beside it.
    pub fn is_named_by(&self, causes: &[String]) -> bool {
        let mut named: Vec<&str> = causes.iter().map(String::as_str).collect();
        let mut wanted: Vec<&str> = std::iter::once(self.rule).chain(self.also).collect();
        named.sort_unstable();
        wanted.sort_unstable();
        named == wanted
    }

    /// Whether a rule is one that doctor must name.
    pub fn is_rule(&self, rule: &str) -> bool {
        rule == self.rule || self.also == Some(rule)
    }
}

/// Stacks that look broken to some and are not: doctor must find nothing.
pub const HEALTHY: &[(&str, Start)] = &[
    ("F83", environment::f83),
    ("restarted", start::restarted),
    ("reloaded", front::reloaded),
    ("pooled", libpq::pooled),
    ("passfile", libpq::passfile),
    ("service", libpq::service),
    ("under load", app::under_load),
    ("noisy", pairs::noisy_and_well),
    ("django-parts", django::of_parts),
    ("django-written", django::written_down),
    ("django-socket", django::by_socket),
    ("flask-parts", django::by_parts_of_flask),
];

/// All of them, by the part of the stack that is at fault.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    let parts = [
        environment::FAULTS,
        start::FAULTS,
        sockets::FAULTS,
        front::FAULTS,
        app::FAULTS,
        database::FAULTS,
        django::FAULTS,
        untold::FAULTS,
        chef::FAULTS,
        libpq::FAULTS,
        pairs::FAULTS,
        journal::FAULTS,
    ];
    parts.into_iter().flatten()
}
