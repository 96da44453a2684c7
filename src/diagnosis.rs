//! From hops and findings to root causes: what is broken, what is only its symptom, and what could not be seen.

use serde::Serialize;

use crate::finding::{Confidence, Effect, Finding, Label, Report, Severity};

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

impl State {
    /// Whether users meet it, or will.
    pub fn fails(&self) -> bool {
        matches!(self, State::Broken | State::Degraded)
    }
}

/// Why a hop could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Another user's; root would see it.
    NoPermission,
    /// The probe's deadline passed.
    Timeout,
    /// The hop with this id stands in front of it and is broken.
    MaskedBy(String),
    /// Nothing on this host tells.
    NoEvidence,
    /// It changed while it was looked at.
    Changed,
    /// The user asked not to look.
    NotAsked,
}

/// One hop of a request path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Which one; the first column of the table in [`EXPLAINED_BY`].
    pub id: &'static str,
    /// The same for people, such as `nginx -> /run/app.sock`.
    pub title: String,
    /// How it fares.
    pub state: State,
    /// What shows it.
    pub evidence: Vec<Label>,
    /// The request path it belongs to: listen, server name and location.
    pub path: String,
    /// Whether no hop beyond it can explain its break, as with a socket that refuses permission.
    pub own_fault: bool,
}

/// What explains the break of a hop: findings, or the hop alone where no rule speaks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootCause {
    /// The finding that explains the break; one of its own, `hop/<id>`, where no rule speaks for it.
    pub finding: Finding,
    /// The hop it breaks.
    pub hop: &'static str,
    /// The evidence, file and probe alike.
    pub because: Vec<Label>,
    /// What it explains, each in a sentence.
    pub explains: Vec<String>,
    /// Commands that show the cure worked; never run by housecall.
    pub verify: Vec<String>,
    /// The request path it breaks.
    pub path: String,
    /// Since when requests fail for it, where a log tells.
    pub spell: Option<Spell>,
}

/// A run of failures without a long pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell {
    /// When the first was logged, in seconds since 1970.
    pub first: i64,
    /// When the last was logged, in seconds since 1970.
    pub last: i64,
    /// How many there are.
    pub times: usize,
}

/// Something that was done to a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// When, in seconds since 1970.
    pub at: i64,
    /// What, in a few words.
    pub what: String,
}

/// All that doctor says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// Hop by hop, client first, one group for each path.
    pub hops: Vec<Hop>,
    /// First things first: nearest to the database, because that one explains the others.
    pub root_causes: Vec<RootCause>,
    /// All findings, also those that broke nothing yet.
    pub report: Report,
    /// What was left out of it, and why.
    pub notes: Vec<String>,
    /// What was done to the host in the day before the first failure, or before now where no log tells of one; the last first.
    pub changes: Vec<Change>,
    /// How far the host's clock is ahead of UTC, in seconds.
    pub ahead: i64,
}

/// Every hop from the client to the database, each with the hops beyond it whose break can be its cause. What explains
/// stands below what it explains: an answer needs everything behind it.
///
/// Those of a database explain none of each other: where one fails, those beyond it are unknown, and a second one that
/// fails too is of another database.
pub const EXPLAINED_BY: &[(&str, &[&str])] = &[
    (
        "request",
        &[
            "listen",
            "upstream-socket",
            "app-answers",
            "uwsgi-master",
            "workers",
            "app-import",
            "environment",
            "dns",
            "tcp",
            "tls",
            "login",
            "pooler",
            "query",
            "resources",
        ],
    ),
    ("listen", &[]),
    ("upstream-socket", &["uwsgi-master", "app-import", "environment", "resources"]),
    (
        "app-answers",
        &[
            "uwsgi-master",
            "workers",
            "app-import",
            "environment",
            "dns",
            "tcp",
            "tls",
            "login",
            "pooler",
            "query",
            "resources",
        ],
    ),
    ("uwsgi-master", &["app-import", "environment", "resources"]),
    ("workers", &["app-import", "environment", "resources"]),
    ("app-import", &["environment", "dns", "tcp", "tls", "login", "pooler", "query", "resources"]),
    ("environment", &[]),
    ("dns", &[]),
    ("tcp", &[]),
    ("tls", &[]),
    ("login", &["pooler"]),
    ("pooler", &[]),
    ("query", &[]),
    ("release", &["chef-run"]),
    ("supervision", &[]),
    ("chef-run", &[]),
    ("resources", &[]),
];

/// The hops that must have been judged before doctor may say that nothing is wrong.
pub const REQUIRED: &[&str] =
    &["listen", "upstream-socket", "uwsgi-master", "workers", "app-import", "environment", "dns", "tcp", "login"];

/// Names the smallest set of causes that explains every hop that fails, and marks the rest as symptoms.
///
/// `speaking` gives the findings whose fault is what breaks this very hop.
pub fn diagnose<'f>(mut hops: Vec<Hop>, speaking: impl Fn(&Hop) -> Vec<&'f Finding>) -> Diagnosis {
    let mut root_causes: Vec<RootCause> = Vec::new();
    let order = |id: &str| EXPLAINED_BY.iter().position(|(known, _)| *known == id).unwrap_or(0);
    let mut failing: Vec<usize> = (0..hops.len()).filter(|at| hops[*at].state.fails()).collect();
    failing.sort_by_key(|at| std::cmp::Reverse(order(hops[*at].id)));
    for at in failing {
        let hop = &hops[at];
        let explained =
            !hop.own_fault && root_causes.iter().any(|cause| cause.path == hop.path && explains(cause.hop, hop.id));
        if explained {
            for cause in root_causes.iter_mut().filter(|cause| cause.path == hop.path && explains(cause.hop, hop.id)) {
                cause.explains.push(hop.title.clone());
            }
            hops[at].state = State::Symptom;
            continue;
        }
        let speaking = worst(speaking(hop));
        if speaking.is_empty() {
            root_causes.extend(of_hop(hop, &hops));
        }
        root_causes.extend(speaking.into_iter().map(|finding| of_finding(finding, hop)));
    }
    Diagnosis { hops, root_causes, ..Diagnosis::default() }
}

/// Whether a break of `cause` can be what breaks `hop`.
pub fn explains(cause: &str, hop: &str) -> bool {
    EXPLAINED_BY.iter().any(|(id, causes)| *id == hop && causes.contains(&cause))
}

/// Where some are errors, the warnings beside them are not needed to explain a break; a note never is.
fn worst(mut findings: Vec<&Finding>) -> Vec<&Finding> {
    let worst = findings.iter().map(|finding| finding.severity).max();
    findings.retain(|finding| finding.severity >= Severity::Warning && Some(finding.severity) == worst);
    findings
}

fn of_finding(finding: &Finding, hop: &Hop) -> RootCause {
    let mut because = vec![finding.primary.clone()];
    because.extend(finding.related.iter().cloned());
    because.extend(hop.evidence.iter().filter(|label| !finding.related.contains(label)).cloned());
    root_cause(finding.clone(), because, hop)
}

/// A break that no rule explains speaks for itself; `None` where nothing was kept that shows it.
fn of_hop(hop: &Hop, hops: &[Hop]) -> Option<RootCause> {
    let hidden = hops.iter().any(|other| {
        other.path == hop.path && other.state == State::Unknown(Reason::NoPermission) && explains(other.id, hop.id)
    });
    let hint = if hidden { "; why may be hidden from this user: run with sudo" } else { "" };
    let finding = Finding {
        rule: format!("hop/{}", hop.id),
        severity: Severity::Error,
        effect: Effect::Broken,
        confidence: Confidence::Proved,
        title: "a hop is broken, and no rule explains it".to_owned(),
        message: match hop.evidence.iter().find(|label| !label.text.is_empty()) {
            Some(label) => format!("{} ({}){hint}", label.text, hop.title),
            None => format!("{} is broken{hint}", hop.title),
        },
        primary: hop.evidence.first()?.clone(),
        related: hop.evidence.iter().skip(1).cloned().collect(),
        fix: None,
    };
    Some(root_cause(finding, hop.evidence.clone(), hop))
}

fn root_cause(finding: Finding, because: Vec<Label>, hop: &Hop) -> RootCause {
    RootCause {
        finding,
        hop: hop.id,
        because,
        explains: Vec::new(),
        verify: Vec::new(),
        path: hop.path.clone(),
        spell: None,
    }
}

impl Diagnosis {
    /// The required hops that nobody could judge.
    pub fn open_hops(&self) -> impl Iterator<Item = &Hop> {
        self.hops.iter().filter(|hop| REQUIRED.contains(&hop.id) && matches!(hop.state, State::Unknown(_)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::finding::{Confidence, Effect};
    use crate::source::{Origin, Place, Sources};

    fn hop(id: &'static str, state: State) -> Hop {
        Hop { id, title: id.to_owned(), state, evidence: Vec::new(), path: "/".to_owned(), own_fault: false }
    }

    fn findings(rules: &[&str]) -> Vec<Finding> {
        let mut sources = Sources::default();
        let place = Place::whole(sources.add("a", Vec::new(), Origin::File));
        let finding = |rule: &&str| Finding {
            rule: (*rule).to_owned(),
            severity: Severity::Error,
            effect: Effect::Broken,
            confidence: Confidence::Proved,
            title: String::new(),
            message: String::new(),
            primary: Label { place, text: String::new() },
            related: Vec::new(),
            fix: None,
        };
        rules.iter().map(finding).collect()
    }

    fn breaks(finding: &Finding, hop: &Hop) -> bool {
        let broken = match finding.rule.as_str() {
            "env/not-provided" => Some("environment"),
            "uwsgi/not-running" => Some("uwsgi-master"),
            "socket/not-permitted" => Some("upstream-socket"),
            "database/refused" => Some("tcp"),
            _ => None,
        };
        broken == Some(hop.id)
    }

    fn diagnosed(hops: Vec<Hop>, rules: &[&str]) -> Diagnosis {
        let findings = findings(rules);
        diagnose(hops, |hop| findings.iter().filter(|finding| breaks(finding, hop)).collect())
    }

    #[test]
    fn what_is_nearer_to_the_client_is_a_symptom() {
        let hops = vec![
            hop("upstream-socket", State::Broken),
            hop("uwsgi-master", State::Broken),
            hop("app-import", State::Broken),
            hop("environment", State::Broken),
        ];
        let diagnosis = diagnosed(hops, &["env/not-provided", "uwsgi/not-running"]);
        assert_eq!(diagnosis.root_causes.len(), 1);
        assert_eq!(diagnosis.root_causes[0].finding.rule, "env/not-provided");
        assert_eq!(diagnosis.root_causes[0].explains, ["app-import", "uwsgi-master", "upstream-socket"]);
        assert!(diagnosis.hops[..3].iter().all(|hop| hop.state == State::Symptom));
    }

    #[test]
    fn two_independent_faults_are_two_causes() {
        let mut denied = hop("upstream-socket", State::Broken);
        denied.own_fault = true;
        let hops = vec![denied, hop("tcp", State::Broken)];
        let diagnosis = diagnosed(hops, &["socket/not-permitted", "database/refused"]);
        assert_eq!(diagnosis.root_causes.iter().map(|cause| cause.hop).collect::<Vec<_>>(), ["tcp", "upstream-socket"]);
    }

    #[test]
    fn a_stopped_server_does_not_come_from_a_database_that_is_down() {
        let hops =
            vec![hop("upstream-socket", State::Broken), hop("uwsgi-master", State::Broken), hop("tcp", State::Broken)];
        let diagnosis = diagnosed(hops, &["uwsgi/not-running", "database/refused"]);
        assert_eq!(diagnosis.root_causes.len(), 2);
    }

    #[test]
    fn every_hop_stands_above_what_explains_it() {
        let order = |id: &str| EXPLAINED_BY.iter().position(|(known, _)| *known == id).unwrap();
        for (hop, causes) in EXPLAINED_BY.iter().take_while(|(hop, _)| *hop != "dns") {
            assert!(causes.iter().all(|cause| order(cause) > order(hop)), "{hop}");
        }
        let mut broken = [hop("app-import", State::Broken), hop("app-answers", State::Broken)];
        broken.iter_mut().for_each(|hop| hop.evidence.push(findings(&["x"])[0].primary.clone()));
        let diagnosis = diagnosed(broken.to_vec(), &[]);
        assert_eq!(diagnosis.root_causes.iter().map(|cause| cause.hop).collect::<Vec<_>>(), ["app-import"]);
    }

    #[test]
    fn a_break_that_no_rule_explains_is_still_a_root_cause() {
        let mut broken = hop("app-answers", State::Broken);
        broken.evidence.push(findings(&["x"])[0].primary.clone());
        let diagnosis = diagnosed(vec![broken], &[]);
        assert_eq!(diagnosis.root_causes[0].finding.rule, "hop/app-answers");
    }
}
