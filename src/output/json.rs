//! One JSON object for programs, as `docs/schema/*.schema.json` describe it; it lists every finding, whatever people see.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::diagnosis::{Diagnosis, Reason, State};
use crate::engine::Lead;
use crate::finding::{CannotTell, Confidence, Effect, Finding, Fix, Label, Report, Safety, Severity};
use crate::output::fingerprint::fingerprints;
use crate::output::moment::moment;
use crate::output::why::first_paragraph;
use crate::output::{Format, Shown, Texts};
use crate::source::{Origin, Place};

/// Changes only when a reader of the old shape would break.
const SCHEMA_VERSION: u32 = 1;

/// The format's name is `json`.
#[derive(Debug, Clone, Copy)]
pub struct Json;

impl Format for Json {
    fn write(&self, report: &Report, texts: &Texts<'_>, _shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
        write_object(&object(report, texts), out)
    }
}

/// Writes what doctor found: all that lint's object has, and `hops` and `root_causes`.
///
/// # Errors
/// Only those of `out`.
pub fn write_diagnosis(diagnosis: &Diagnosis, texts: &Texts<'_>, out: &mut dyn Write) -> io::Result<()> {
    let hops = diagnosis.hops.iter().map(|hop| HopObject {
        id: hop.id,
        title: texts.clean(&hop.title),
        path: texts.clean(&hop.path),
        state: state(&hop.state),
        reason: reason(&hop.state),
        evidence: hop.evidence.iter().map(|label| place(label, texts)).collect(),
    });
    let stamp = |at| moment(at, diagnosis.ahead, "%Y-%m-%dT%H:%M:%S%:z");
    let changes =
        diagnosis.changes.iter().map(|change| ChangeObject { at: stamp(change.at), what: texts.clean(&change.what) });
    let notes = diagnosis.notes.iter().map(|note| texts.clean(note)).collect();
    let causes = diagnosis.root_causes.iter().map(|cause| {
        let finding = &cause.finding;
        CauseObject {
            rule: finding.rule.clone(),
            title: texts.clean(&finding.title),
            message: texts.clean(&finding.message),
            confidence: finding.confidence,
            path: texts.clean(&cause.path),
            because: cause.because.iter().map(|label| place(label, texts)).collect(),
            explains: cause.explains.iter().map(|text| texts.clean(text)).collect(),
            fix: finding.fix.as_ref().map(|fix| mend(fix, texts)),
            verify: cause.verify.iter().map(|text| texts.clean(text)).collect(),
            spell: cause.spell.map(|spell| SpellObject {
                first: stamp(spell.first),
                last: stamp(spell.last),
                times: spell.times,
            }),
        }
    });
    let whole = DiagnosisObject {
        lint: object(&diagnosis.report, texts),
        hops: hops.collect(),
        root_causes: causes.collect(),
        changes: changes.collect(),
        notes,
    };
    write_object(&whole, out)
}

/// Writes what a log means: the pages it leads to, the likeliest first.
///
/// # Errors
/// Only those of `out`.
pub fn write_leads(leads: &[Lead<'_>], texts: &Texts<'_>, out: &mut dyn Write) -> io::Result<()> {
    let leads = leads.iter().map(|lead| LeadObject {
        rule: &lead.page.id,
        severity: lead.page.severity,
        effect: lead.page.effect,
        title: texts.clean(&lead.page.title),
        why: texts.clean(&first_paragraph(&lead.page.prose)),
        lines: lead.lines.iter().map(|label| place(label, texts)).collect(),
        times: lead.times,
    });
    write_object(&LeadsObject { schema_version: SCHEMA_VERSION, tool: TOOL, leads: leads.collect() }, out)
}

fn write_object(object: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, object)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Object {
    schema_version: u32,
    tool: Tool,
    findings: Vec<FindingObject>,
    cannot_tell: Vec<CannotTellObject>,
    errors: Vec<ErrorObject>,
    summary: Summary,
}

#[derive(Serialize)]
struct LeadsObject<'p> {
    schema_version: u32,
    tool: Tool,
    leads: Vec<LeadObject<'p>>,
}

#[derive(Serialize)]
struct LeadObject<'p> {
    rule: &'p str,
    severity: Severity,
    effect: Effect,
    title: String,
    why: String,
    lines: Vec<PlaceObject>,
    times: usize,
}

const TOOL: Tool = Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct FindingObject {
    rule: String,
    severity: Severity,
    effect: Effect,
    confidence: Confidence,
    title: String,
    message: String,
    primary: PlaceObject,
    related: Vec<PlaceObject>,
    fix: Option<FixObject>,
    fingerprint: String,
}

/// `text` is the source line, so that a reader without the file sees it too; `label` is what is said of it.
#[derive(Serialize)]
struct PlaceObject {
    path: String,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    text: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'static str>,
}

#[derive(Serialize)]
struct FixObject {
    title: String,
    safety: Safety,
    edits: Vec<EditObject>,
}

#[derive(Serialize)]
struct EditObject {
    path: String,
    start: u32,
    end: u32,
    text: String,
}

#[derive(Serialize)]
struct CannotTellObject {
    rule: String,
    missing: String,
    how: String,
    count: usize,
    first: PlaceObject,
}

#[derive(Serialize)]
struct ErrorObject {
    path: String,
    message: String,
}

#[derive(Serialize)]
struct Summary {
    files: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
}

#[derive(Serialize)]
struct DiagnosisObject {
    #[serde(flatten)]
    lint: Object,
    hops: Vec<HopObject>,
    root_causes: Vec<CauseObject>,
    changes: Vec<ChangeObject>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct ChangeObject {
    at: String,
    what: String,
}

#[derive(Serialize)]
struct SpellObject {
    first: String,
    last: String,
    times: usize,
}

#[derive(Serialize)]
struct HopObject {
    id: &'static str,
    title: String,
    path: String,
    state: &'static str,
    reason: Option<String>,
    evidence: Vec<PlaceObject>,
}

#[derive(Serialize)]
struct CauseObject {
    rule: String,
    title: String,
    message: String,
    confidence: Confidence,
    path: String,
    because: Vec<PlaceObject>,
    explains: Vec<String>,
    fix: Option<FixObject>,
    verify: Vec<String>,
    spell: Option<SpellObject>,
}

fn object(report: &Report, texts: &Texts<'_>) -> Object {
    let of = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let found = report.findings.iter().zip(fingerprints(report, texts));
    Object {
        schema_version: SCHEMA_VERSION,
        tool: TOOL,
        findings: found.map(|(finding, fingerprint)| finding_object(finding, fingerprint, texts)).collect(),
        cannot_tell: cannot_tell(&report.cannot_tell, texts),
        errors: report
            .errors
            .iter()
            .map(|error| ErrorObject { path: texts.clean(&error.path), message: texts.clean(&error.message) })
            .collect(),
        summary: Summary {
            files: report.files,
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            notes: of(Severity::Note),
        },
    }
}

fn finding_object(finding: &Finding, fingerprint: String, texts: &Texts<'_>) -> FindingObject {
    FindingObject {
        rule: finding.rule.clone(),
        severity: finding.severity,
        effect: finding.effect,
        confidence: finding.confidence,
        title: texts.clean(&finding.title),
        message: texts.clean(&finding.message),
        primary: place(&finding.primary, texts),
        related: finding.related.iter().map(|label| place(label, texts)).collect(),
        fix: finding.fix.as_ref().map(|fix| mend(fix, texts)),
        fingerprint,
    }
}

fn place(label: &Label, texts: &Texts<'_>) -> PlaceObject {
    let Place { file, .. } = label.place;
    let position = texts.position(label.place);
    PlaceObject {
        path: texts.name(file),
        line: position.map(|at| at.line),
        column: position.map(|at| at.column),
        end_line: position.map(|at| at.end_line),
        end_column: position.map(|at| at.end_column),
        text: texts.line_of(label.place),
        label: texts.clean(&label.text),
        origin: (texts.source(file).origin == Origin::Probe).then_some("probe"),
    }
}

fn mend(fix: &Fix, texts: &Texts<'_>) -> FixObject {
    let edits = fix.edits.iter().map(|edit| EditObject {
        path: texts.name(edit.file),
        start: edit.span.start,
        end: edit.span.end,
        text: texts.clean_lines(&edit.text),
    });
    FixObject { title: texts.clean(&fix.title), safety: fix.safety, edits: edits.collect() }
}

fn cannot_tell(all: &[CannotTell], texts: &Texts<'_>) -> Vec<CannotTellObject> {
    let mut groups: BTreeMap<(&str, &str, &str), Vec<Place>> = BTreeMap::new();
    for one in all {
        groups.entry((&one.rule, &one.missing.what, &one.missing.how)).or_default().push(one.place);
    }
    let object = |((rule, missing, how), places): ((&str, &str, &str), Vec<Place>)| {
        let first = Label { place: *places.first()?, text: String::new() };
        Some(CannotTellObject {
            rule: rule.to_owned(),
            missing: texts.clean(missing),
            how: texts.clean(how),
            count: places.len(),
            first: place(&first, texts),
        })
    };
    groups.into_iter().filter_map(object).collect()
}

fn state(state: &State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Broken => "broken",
        State::Degraded => "degraded",
        State::Symptom => "symptom",
        State::Unknown(_) => "unknown",
        State::NotApplicable => "not_applicable",
    }
}

fn reason(state: &State) -> Option<String> {
    let State::Unknown(reason) = state else { return None };
    Some(match reason {
        Reason::NoPermission => "no_permission".to_owned(),
        Reason::Timeout => "timeout".to_owned(),
        Reason::MaskedBy(hop) => format!("masked_by:{hop}"),
        Reason::NoEvidence => "no_evidence".to_owned(),
        Reason::NotAsked => "not_asked".to_owned(),
        Reason::Changed => "changed".to_owned(),
    })
}
