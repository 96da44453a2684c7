//! Every job in sight that may start uWSGI, whatever starts it, with the text its command stands in.

use std::sync::Arc;

use crate::stack::document::{Document, Kind};
use crate::stack::job::{self, Job};
use crate::stack::unit::Units;
use crate::stack::view::View;

/// A job with its document, so that its command line can be read as options.
#[derive(Debug)]
pub struct Start {
    /// The text that its command stands in.
    pub document: Arc<Document>,
    /// All that it says.
    pub reading: job::Reading,
    /// Its row.
    pub job: Arc<Job>,
}

impl Start {
    fn new(document: Arc<Document>, reading: job::Reading) -> Self {
        let job = Arc::new(reading.job.clone());
        Self { document, reading, job }
    }
}

/// The jobs of a view.
pub fn all(view: &View, units: &Units) -> Vec<Start> {
    let upstart = view.of(Kind::Upstart).map(|document| Start::new(Arc::clone(document), job::read(document)));
    let systemd = units.services().filter_map(|unit| {
        let (reading, document) = job::systemd::read(&unit)?;
        Some(Start::new(document, reading))
    });
    upstart.chain(systemd).collect()
}
