//! From findings and logs to what doctor says first: which findings may be causes at all, what they explain, how to verify.

use crate::diagnosis::{self, Diagnosis, Hop, RootCause, State};
use crate::engine::machine::hops::{Scene, name_of};
use crate::engine::machine::paths::{Path, quoted};
use crate::finding::{Confidence, Finding, Label};
use crate::rule::page::Page;
use crate::source::Place;
use crate::stack::assemble::Instance;

/// Hops that a log alone judges: a finding that could break one need not be what did.
const JUDGED_BY_LOG: &[&str] = &["app-import", "app-answers"];

/// What a log holds too where a server or a firewall ended an idle connection: it proves no shared one.
const AMBIGUOUS: &[&str] = &["SSL SYSCALL error: EOF detected", "server closed the connection unexpectedly"];

/// The findings that may be causes, and those of their words that stand in the current log.
pub(super) struct Candidates<'p> {
    pages: &'p [Page],
    /// The findings.
    pub(super) findings: Vec<Finding>,
}

impl<'p> Candidates<'p> {
    /// Takes what speaks for a hop: by what was probed, or by a text of its page in the current log, which makes it proved.
    /// `shared` are the inis whose workers were seen to share a connection.
    pub(super) fn of(pages: &'p [Page], findings: &[Finding], scene: &Scene<'_>, shared: &[Place]) -> Self {
        let mut taken = Vec::new();
        for finding in findings {
            let Some(page) = pages.iter().find(|page| page.id == finding.rule) else { continue };
            let Some(hop) = page.hop.as_deref() else { continue };
            let mut finding = finding.clone();
            let found = in_logs(page, &finding, scene);
            let is_shared = shared.iter().any(|place| place.file == finding.primary.place.file);
            if JUDGED_BY_LOG.contains(&hop) {
                // One that is only possible needs words that nothing else writes.
                let sure = finding.confidence > Confidence::Possible;
                let telling = found.iter().any(|(text, _)| sure || !AMBIGUOUS.iter().any(|known| text.contains(known)));
                if !telling && !is_shared {
                    continue;
                }
            }
            if let Some((_, places)) = found.first() {
                finding.confidence = Confidence::Proved;
                finding.severity = page.severity;
                let all: usize = found.iter().map(|(_, places)| places.len()).sum();
                let text = match all {
                    1 => "the log says so".to_owned(),
                    _ => format!("the log says so, in {all} lines of {}", scene.period),
                };
                finding.related.extend(places.last().map(|place| Label { place: *place, text }));
            }
            taken.push(finding);
        }
        Self { pages, findings: taken }
    }

    /// The findings that would break a hop of a way.
    pub(super) fn speaking(&self, hop: &str, path: &Path, scene: &Scene<'_>) -> Vec<&Finding> {
        let speaks = |finding: &&Finding| self.hop_of(finding) == Some(hop) && belongs(finding, path, scene);
        self.findings.iter().filter(speaks).collect()
    }

    fn hop_of(&self, finding: &Finding) -> Option<&str> {
        self.pages.iter().find(|page| page.id == finding.rule)?.hop.as_deref()
    }
}

/// The texts of a page that stand in the current log of the uWSGI that a finding is about. Where the finding is about a
/// variable, only a line that names it counts.
fn in_logs<'p>(page: &'p Page, finding: &Finding, scene: &Scene<'_>) -> Vec<(&'p str, Vec<Place>)> {
    let mut found: Vec<(&str, Vec<Place>)> = Vec::new();
    for (instance, log) in scene.stack.instances.iter().zip(scene.logs) {
        if !is_of(finding, instance) {
            continue;
        }
        if let Some(name) = name_of(instance, finding) {
            let named = log.exceptions().filter(|(_, words)| words.contains(&format!("'{name}'")));
            let places: Vec<Place> = named.map(|(place, _)| place).collect();
            if !places.is_empty() {
                found.push(("", places));
            }
            continue;
        }
        let held = page.seen.iter().map(|text| (text.as_str(), log.holding(text)));
        found.extend(held.filter(|(_, places)| !places.is_empty()));
    }
    found
}

/// Whether a finding is about an instance: its files, or what its app reads.
fn is_of(finding: &Finding, instance: &Instance) -> bool {
    let place = finding.primary.place;
    place.file == instance.uwsgi.uwsgi.place.file || instance.reads.iter().any(|read| read.name.place == Some(place))
}

/// Whether a finding is about a way: its passes, its uWSGI, or its databases.
fn belongs(finding: &Finding, path: &Path, scene: &Scene<'_>) -> bool {
    let place = finding.primary.place;
    let within = |outer: Place| match (place.span, outer.span) {
        (Some(inner), Some(outer_span)) => {
            place.file == outer.file && (inner.overlaps(outer_span) || inner == outer_span)
        }
        _ => place == outer,
    };
    let on_pass = path.passes.iter().any(|pass| within(pass.place));
    let of_instance = path.instance.is_some_and(|at| {
        let tried = &scene.tried[at];
        is_of(finding, &scene.stack.instances[at]) || tried.iter().any(|tried| tried.row.place == place)
    });
    on_pass || of_instance
}

/// Diagnoses every way, and says of each cause what it explains and how to see that its cure worked.
pub(super) fn diagnose(
    paths: &[Path],
    candidates: &Candidates<'_>,
    findings: &[Finding],
    scene: &Scene<'_>,
) -> Diagnosis {
    let mut hops: Vec<Hop> = Vec::new();
    for path in paths {
        hops.extend(scene.hops(path, |hop| candidates.speaking(hop, path, scene)));
    }
    let path_of = |name: &str| paths.iter().find(|path| path.name == name);
    let report = crate::finding::Report { findings: candidates.findings.clone(), ..Default::default() };
    let mut diagnosis = diagnosis::diagnose(hops, report, |finding, hop| {
        candidates.hop_of(finding) == Some(hop.id)
            && path_of(&hop.path).is_some_and(|path| belongs(finding, path, scene))
    });
    for cause in &mut diagnosis.root_causes {
        let Some(path) = path_of(&cause.path) else { continue };
        cause.explains = explained(cause, &diagnosis.hops, path, findings, scene);
        cause.verify = verify(cause, path, scene);
        distinct(&mut cause.because);
        cause.because.extend(escape(cause, path, findings, scene));
    }
    merge(&mut diagnosis.root_causes);
    diagnosis
}

/// Of labels that overlap the first speaks.
fn distinct(labels: &mut Vec<Label>) {
    let overlap = |one: Place, other: Place| match (one.span, other.span) {
        (Some(span), Some(known)) => one.file == other.file && (span.overlaps(known) || span == known),
        _ => one == other,
    };
    let mut seen: Vec<Place> = Vec::new();
    labels.retain(|label| {
        let is_new = !seen.iter().any(|known| overlap(label.place, *known));
        seen.push(label.place);
        is_new
    });
}

/// The setting that makes a 502 of what would be a 500, where a request shows that it did.
fn escape(cause: &RootCause, path: &Path, findings: &[Finding], scene: &Scene<'_>) -> Option<Label> {
    let log = path.instance.map(|at| &scene.logs[at])?;
    let escaped = diagnosis::explains(cause.hop, "app-answers") && log.requests().any(|asked| asked.is_empty());
    let setting = findings.iter().find(|finding| finding.rule == "app/exceptions-escape").filter(|_| escaped)?;
    Some(Label { place: setting.primary.place, text: "this makes it a 502 instead of a 500".to_owned() })
}

/// One cause may break several ways: it is said once.
fn merge(causes: &mut Vec<RootCause>) {
    let mut kept: Vec<RootCause> = Vec::new();
    for cause in causes.drain(..) {
        match kept.iter_mut().find(|known| known.finding == cause.finding) {
            Some(known) => {
                known.path = format!("{}; {}", known.path, cause.path);
                known.explains.extend(cause.explains.into_iter().filter(|text| !text.is_empty()));
                known.explains.dedup();
            }
            None => kept.push(cause),
        }
    }
    *causes = kept;
}

/// What users see of a cause, each in a sentence.
fn explained(cause: &RootCause, hops: &[Hop], path: &Path, findings: &[Finding], scene: &Scene<'_>) -> Vec<String> {
    let symptoms = hops
        .iter()
        .filter(|hop| hop.path == cause.path && hop.state == State::Symptom && diagnosis::explains(cause.hop, hop.id));
    let mut said: Vec<String> = Vec::new();
    for hop in symptoms {
        let words = hop.evidence.first().map_or(hop.title.as_str(), |label| label.text.as_str());
        said.push(format!("{}: {words}", hop.title));
    }
    let is_symptom = |hop: &Hop| hop.path == cause.path && hop.id == "app-answers" && hop.state == State::Symptom;
    let answers = cause.hop == "app-answers" || hops.iter().any(is_symptom);
    let Some(log) = path.instance.map(|at| &scene.logs[at]).filter(|_| answers) else { return said };
    if let Some(empty) = log.requests().rev().find(|asked| asked.is_empty()) {
        let escapes = findings.iter().any(|finding| finding.rule == "app/exceptions-escape");
        let because = if escapes { ", which that setting allows" } else { "" };
        let asked = format!("{} {}", empty.request.method.value, empty.request.uri.value);
        said.push(format!(
            "why 502 and not 500: on `{asked}` the exception left the WSGI callable{because}; uWSGI sent no byte (`0 \
             headers in 0 bytes`), so nginx had nothing to pass on"
        ));
    } else if let Some(last) = log.requests().rev().find(|asked| asked.failed()) {
        let who = if last.request.app.value < 0 { "uWSGI, which has no app," } else { "the app" };
        said.push(format!("why 500 and not 502: {who} sent its own error page, so nginx's error log is silent"));
    }
    said
}

/// Commands that show whether the cure worked.
fn verify(cause: &RootCause, path: &Path, scene: &Scene<'_>) -> Vec<String> {
    let instance = path.instance.map(|at| &scene.stack.instances[at]);
    let ini = instance.and_then(|instance| instance.uwsgi.uwsgi.path.known()).map(|ini| quoted(ini));
    let socket = path.passes.first().and_then(|pass| pass.address.known()).filter(|address| address.starts_with('/'));
    let mut commands: Vec<String> = Vec::new();
    match cause.hop {
        "environment" => {
            let name = instance.and_then(|instance| name_of(instance, &cause.finding));
            // What uWSGI's own `env` gives never shows in /proc, so an edit of the ini is not verified there.
            let name = name.filter(|_| cause.finding.fix.as_ref().is_none_or(|fix| fix.edits.is_empty()));
            if let (Some(name), Some(ini)) = (name.map(quoted), ini) {
                commands.push(format!(
                    "sudo cat /proc/$(pgrep -of {ini})/environ | tr '\\0' '\\n' | cut -d= -f1 | grep -x {name}"
                ));
            }
        }
        "upstream-socket" => {
            let denied = path.link.as_ref().and_then(|link| link.connects.known()).is_some_and(|word| word == "denied");
            let user = path.passes.first().and_then(|pass| pass.user.known()).filter(|_| denied);
            if let (Some(socket), Some(user)) = (socket.map(|path| quoted(path)), user.map(|user| quoted(user))) {
                commands.push(format!("sudo -u {user} test -w {socket} && echo writable"));
            }
        }
        "uwsgi-master" => commands.extend(ini.map(|ini| format!("pgrep -af {ini}"))),
        _ => {}
    }
    commands.extend(path.curl());
    commands
}
