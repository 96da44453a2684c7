//! From findings and logs to what doctor says first: which findings may be causes at all, what they explain, how to verify.

use crate::diagnosis::{self, Diagnosis, Hop, RootCause, State};
use crate::engine::machine::databases::Tried;
use crate::engine::machine::differences::{Differing, NOT_TAKEN_UP};
use crate::engine::machine::hops::{Scene, THIS_IS_WHY, name_of};
use crate::engine::machine::paths::{Path, quoted};
use crate::engine::machine::told::{self, LOG_SAYS, Told};
use crate::finding::{Confidence, Finding, Label, Severity};
use crate::rule::page::Page;
use crate::rule::seen::Signatures;
use crate::source::Place;
use crate::stack::assemble::Instance;

/// Hops that a log alone judges: a finding that could break one need not be what did.
const JUDGED_BY_LOG: &[&str] = &["app-import", "app-answers"];

/// What a log holds too where a server or a firewall ended an idle connection: it proves no shared one.
const AMBIGUOUS: &[&str] = &["SSL SYSCALL error: EOF detected", "server closed the connection unexpectedly"];

/// The findings that may be causes, and those of their words that stand in the current log.
pub(super) struct Candidates<'p> {
    pages: &'p [Page],
    /// The findings by facts.
    findings: Vec<Finding>,
    /// Those of them of which the current log holds a text that nothing else writes.
    logged: Vec<Finding>,
    /// What the logs of each way tell, in the order of the ways.
    told: Vec<Vec<Told<'p>>>,
}

impl<'p> Candidates<'p> {
    /// Takes what speaks for a hop: by what was probed, or by a text of its page in the current log, which makes it proved.
    /// `shared` are the inis whose workers were seen to share a connection.
    pub(super) fn of(
        pages: &'p [Page],
        findings: &[Finding],
        paths: &[Path],
        scene: &Scene<'_>,
        shared: &[Place],
    ) -> Self {
        let (mut taken, mut logged) = (Vec::new(), Vec::new());
        for finding in findings {
            let Some(page) = pages.iter().find(|page| page.id == finding.rule) else { continue };
            let Some(hop) = page.hop.as_deref() else { continue };
            let mut finding = finding.clone();
            let found = in_logs(page, &finding, paths, scene);
            let is_shared = shared.iter().any(|place| place.file == finding.primary.place.file);
            let sure = finding.confidence > Confidence::Possible;
            let telling = found.iter().any(|(text, _)| !AMBIGUOUS.iter().any(|known| text.contains(known)));
            if JUDGED_BY_LOG.contains(&hop) && found.is_empty() && !is_shared {
                continue;
            }
            if let Some((_, places)) = found.first() {
                // One that is only possible needs words that nothing else writes.
                let proved = sure || telling || is_shared;
                finding.confidence = if proved { Confidence::Proved } else { Confidence::Possible };
                finding.severity = if proved { page.severity } else { page.severity.min(Severity::Warning) };
                let all: usize = found.iter().map(|(_, places)| places.len()).sum();
                let text = match all {
                    1 => LOG_SAYS.to_owned(),
                    _ => format!("{LOG_SAYS}, in {all} lines of {}", scene.period),
                };
                finding.related.extend(places.last().map(|place| Label { place: *place, text }));
                logged.extend(telling.then(|| finding.clone()));
            }
            taken.push(finding);
        }
        let told = match Signatures::of(pages.iter().filter(|page| page.is_known_by_logs())) {
            Ok(signatures) => paths.iter().map(|path| told::of_path(&signatures, path, scene)).collect(),
            // Too many texts for one automaton, which a test keeps from happening.
            Err(_) => paths.iter().map(|_| Vec::new()).collect(),
        };
        Self { pages, findings: taken, logged, told }
    }

    /// The hops of a way that failed by what its log holds of a finding by facts, though they work now.
    fn logged_at(&self, path: &Path, scene: &Scene<'_>) -> Vec<(&str, &Finding)> {
        let of_way = self.logged.iter().filter(|finding| belongs(finding, path, scene));
        of_way.filter_map(|finding| Some((self.hop_of(finding, scene)?, finding))).collect()
    }

    /// The findings that would break a hop of a way: those by facts, and what its logs tell beside them.
    fn speaking(&self, hop: &str, at: usize, paths: &[Path], scene: &Scene<'_>) -> Vec<&Finding> {
        let speaks =
            |finding: &&Finding| self.hop_of(finding, scene) == Some(hop) && belongs(finding, &paths[at], scene);
        let mut by_facts: Vec<&Finding> = self.findings.iter().filter(speaks).collect();
        let told = told::chosen(&self.told[at], hop, &by_facts);
        by_facts.retain(|finding| !is_mended_in_files(finding, &paths[at], scene));
        let mut all: Vec<&Finding> = by_facts.into_iter().chain(told).collect();
        if all.iter().any(|finding| finding.confidence > Confidence::Possible && !self.is_echo(finding)) {
            all.retain(|finding| !self.is_echo(finding));
        }
        all
    }

    fn is_echo(&self, finding: &Finding) -> bool {
        self.pages.iter().any(|page| page.echo && page.id == finding.rule)
    }

    /// The hop that a finding breaks: that of its page, or where it shows how far a connection came, that one's last.
    fn hop_of(&self, finding: &Finding, scene: &Scene<'_>) -> Option<&str> {
        if let Some(differing) = differing(finding, scene) {
            return differing.hop;
        }
        let ended = scene
            .tried
            .iter()
            .flatten()
            .find(|tried| finding.related.contains(&tried.evidence))
            .and_then(Tried::ended_at);
        ended.or(self.pages.iter().find(|page| page.id == finding.rule)?.hop.as_deref())
    }
}

/// The texts of a page that stand in the current log of the uWSGI that a finding is about. Where the finding is about a
/// variable, only a line that names it counts.
fn in_logs<'p>(page: &'p Page, finding: &Finding, paths: &[Path], scene: &Scene<'_>) -> Vec<(&'p str, Vec<Place>)> {
    let mut found: Vec<(&str, Vec<Place>)> = Vec::new();
    for (at, (instance, log)) in scene.stack.instances.iter().zip(scene.logs).enumerate() {
        let on_its_way =
            || paths.iter().any(|path| path.instance == Some(at) && path.is_passed_at(finding.primary.place));
        let of_attempt = || scene.tried[at].iter().any(|tried| tried.is_of(finding));
        if !is_of(finding, instance) && !of_attempt() && !on_its_way() {
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

/// The difference that a finding is about.
fn differing<'s>(finding: &Finding, scene: &'s Scene<'_>) -> Option<&'s Differing> {
    let of_page = NOT_TAKEN_UP.contains(&finding.rule.as_str()) || finding.rule == "release/stale";
    scene.differing.iter().find(|one| of_page && one.row.place == finding.primary.place)
}

/// Whether a finding is about a variable that the files give right by now: that nobody told the process is the cause then.
fn is_mended_in_files(finding: &Finding, path: &Path, scene: &Scene<'_>) -> bool {
    let Some(at) = path.instance.filter(|_| !NOT_TAKEN_UP.contains(&finding.rule.as_str())) else { return false };
    let database = scene.tried[at].iter().find(|tried| tried.is_of(finding));
    let own = name_of(&scene.stack.instances[at], finding);
    let is_about = |name: &String| match own {
        Some(own) => own == name,
        None => database.is_some_and(|tried| tried.takes(name)),
    };
    scene.differing.iter().any(|one| one.hop.is_some() && one.row.name.known().is_some_and(is_about))
}

/// Whether a finding is about an instance: its files, or what its app reads.
fn is_of(finding: &Finding, instance: &Instance) -> bool {
    let place = finding.primary.place;
    place.file == instance.uwsgi.uwsgi.place.file
        || instance.reads.iter().any(|read| read.name.place == Some(place))
        || instance.databases.iter().any(|named| named.row.place == place)
}

/// Whether a finding is about a way: its passes, its uWSGI, or its databases.
fn belongs(finding: &Finding, path: &Path, scene: &Scene<'_>) -> bool {
    let place = finding.primary.place;
    let of_instance = path.instance.is_some_and(|at| {
        let tried = &scene.tried[at];
        let in_log = scene.logs[at].holds(place);
        in_log || is_of(finding, &scene.stack.instances[at]) || tried.iter().any(|tried| tried.is_of(finding))
    });
    let of_variable = differing(finding, scene).is_some_and(|one| {
        path.instance
            .is_some_and(|at| scene.stack.instances[at].layers.job.iter().any(|row| row.place == one.row.place))
    });
    let job = path.instance.and_then(|at| scene.stack.instances[at].link.job.known());
    let of_job = job.is_some_and(|job| job.place.file == place.file);
    // A run of Chef is for the host as a whole.
    let of_chef = scene.chef.and_then(|run| run.log.as_ref()).is_some_and(|log| log.file == place.file);
    path.is_passed_at(place) || of_instance || of_job || of_variable || of_chef
}

/// Diagnoses every way, and says of each cause what it explains and how to see that its cure worked.
pub(super) fn diagnose(
    paths: &[Path],
    candidates: &Candidates<'_>,
    findings: &[Finding],
    scene: &Scene<'_>,
) -> Diagnosis {
    let mut hops: Vec<Hop> = Vec::new();
    for (at, path) in paths.iter().enumerate() {
        let mut of_way = scene.hops(path, |hop| candidates.speaking(hop, at, paths, scene));
        told::mark(&mut of_way, &candidates.told[at], &candidates.logged_at(path, scene));
        hops.extend(of_way);
    }
    let at_of = |name: &str| paths.iter().position(|path| path.name == name);
    let path_of = |name: &str| paths.iter().find(|path| path.name == name);
    let mut diagnosis = diagnosis::diagnose(hops, |hop| {
        let said = at_of(&hop.path).map(|at| candidates.speaking(hop.id, at, paths, scene)).unwrap_or_default();
        // uWSGI says of every import that failed that there is no app; its exception says why.
        let why = hop.evidence.iter().find(|label| hop.id == "app-import" && label.text == THIS_IS_WHY);
        let words = |place: Place| scene.logs.iter().find_map(|log| log.words(place));
        // Of several workers each says it, and not in turn: the words count, not the line.
        let is_why = |finding: &&Finding| {
            let said = words(finding.primary.place);
            why.is_none_or(|why| said.is_none_or(|said| words(why.place).is_some_and(|why| why.contains(said))))
        };
        said.into_iter().filter(is_why).collect()
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

fn overlap(one: Place, other: Place) -> bool {
    match (one.span, other.span) {
        (Some(span), Some(known)) => one.file == other.file && (span.overlaps(known) || span == known),
        _ => one == other,
    }
}

/// Of labels that overlap the first speaks.
fn distinct(labels: &mut Vec<Label>) {
    let mut kept: Vec<Label> = Vec::new();
    for label in labels.drain(..) {
        match kept.iter_mut().find(|known| overlap(label.place, known.place)) {
            // What the hop says of a line is more than that it is there.
            Some(known) if known.text.starts_with(LOG_SAYS) && !label.text.is_empty() => known.text = label.text,
            Some(_) => {}
            None => kept.push(label),
        }
    }
    *labels = kept;
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

/// What breaks requests goes before what fails some of them.
pub(super) fn worst_first(diagnosis: &mut Diagnosis) {
    let Diagnosis { hops, root_causes, .. } = diagnosis;
    let is_in_part = |cause: &RootCause| {
        let of_cause = |hop: &&Hop| hop.id == cause.hop && cause.path.split("; ").any(|name| name == hop.path);
        hops.iter().filter(of_cause).all(|hop| hop.state == State::Degraded)
    };
    root_causes.sort_by_key(is_in_part);
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
        "supervision" => {
            let job = instance.and_then(|instance| instance.link.job.known()).and_then(|job| job.name.known());
            let watched = job.zip(ini).map(|(job, ini)| format!("sudo status {}; pgrep -of {ini}", quoted(job)));
            return watched.into_iter().collect();
        }
        "release" => return ini.map(|ini| format!("sudo readlink /proc/$(pgrep -of {ini})/cwd")).into_iter().collect(),
        "chef-run" => return vec!["sudo chef-client, or the same event again in OpsWorks".to_owned()],
        "uwsgi-master" => commands.extend(ini.map(|ini| format!("pgrep -af {ini}"))),
        _ => {}
    }
    commands.extend(path.curl());
    commands
}
