//! From hops and findings to root causes: what is broken, what is only its symptom, and what could not be seen.

use serde::Serialize;

use crate::finding::{Label, Report};

/// How a hop of the request path fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Seen to work.
    Ok,
    /// Seen to fail, here.
    Broken,
    /// Works, and will fail under load or later.
    Degraded,
    /// Fails because a hop beyond it does.
    Symptom,
    /// Could not be judged.
    Unknown(Reason),
    /// This stack has no such hop.
    NotApplicable,
}

/// Why a hop could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Another user's; says what root would add.
    NoPermission,
    /// The probe's deadline passed.
    Timeout,
    /// A broken hop stands in front of it.
    MaskedBy(String),
    /// Nothing on this host tells.
    NoEvidence,
    /// It changed while it was looked at.
    Changed,
}

/// One hop of a request path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Stable id, such as `upstream-socket`.
    pub id: &'static str,
    /// The same for people, such as `nginx -> /run/app.sock`.
    pub title: String,
    /// How it fares.
    pub state: State,
    /// What shows it.
    pub evidence: Vec<Label>,
    /// The request path it belongs to: listen, server name and location.
    pub path: String,
}

/// A finding that explains broken hops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootCause {
    /// Its place in [`Report::findings`].
    pub finding: usize,
    /// The evidence, file and probe alike.
    pub because: Vec<Label>,
    /// What it explains, each in a sentence: hops, and symptoms such as `why 502 and not 500`.
    pub explains: Vec<String>,
    /// Commands that show the cure worked; never run by housecall.
    pub verify: Vec<String>,
    /// The request path it breaks.
    pub path: String,
}

/// All that doctor says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// Hop by hop, client first, one group for each path.
    pub hops: Vec<Hop>,
    /// First things first.
    pub root_causes: Vec<RootCause>,
    /// All findings, also those that broke nothing yet.
    pub report: Report,
}
