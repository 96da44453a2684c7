//! systemd's units as they lie in a view: each with its drop-ins, read once.

use std::borrow::Cow;
use std::sync::Arc;

use crate::source::{FileId, Span};
use crate::stack::document::{Document, Kind};
use crate::stack::kind::without_template_suffix;
use crate::stack::view::View;
use crate::syntax::erb::FILLER;
use crate::syntax::systemd::{self, Service, Tree, UnitKind, is_drop_in, refusal_of, unit_name};
use crate::syntax::{Parsed, Problem};

/// One unit file or drop-in.
#[derive(Debug)]
pub struct UnitFile {
    /// The file.
    pub document: Arc<Document>,
    /// The unit it is, or is for, such as `shop.service`.
    pub name: String,
    /// Whether it is a drop-in.
    pub drop_in: bool,
    kind: UnitKind,
    parsed: Parsed<Tree>,
}

impl UnitFile {
    /// What it says.
    pub fn tree(&self) -> &Tree {
        &self.parsed.tree
    }
}

/// A service with its drop-ins, in the order in which systemd reads them.
#[derive(Debug)]
pub struct Unit<'a> {
    /// The unit file first.
    pub files: Vec<&'a UnitFile>,
}

impl Unit<'_> {
    /// The name, such as `shop.service`.
    pub fn name(&self) -> &str {
        self.files.first().map_or("", |file| &file.name)
    }

    /// The directives of `[Service]`, all files taken together.
    fn service(&self) -> Service {
        self.files.iter().fold(Service::default(), |service, file| service.with(file.tree().service.clone()))
    }
}

/// Every unit of a view.
#[derive(Debug, Default)]
pub struct Units {
    files: Vec<UnitFile>,
}

impl Units {
    /// Reads them.
    pub fn of(view: &View) -> Self {
        let read = |document: &Arc<Document>| {
            let path = without_template_suffix(&document.path);
            let name = unit_name(path).to_owned();
            // What is forced to be a unit and has no suffix is a service.
            let kind = UnitKind::of(path).unwrap_or(UnitKind::Service);
            let parsed = systemd::parse(&without_code_lines(document), kind, &name);
            UnitFile { document: Arc::clone(document), drop_in: is_drop_in(path), name, kind, parsed }
        };
        Self { files: view.of(Kind::Systemd).map(read).collect() }
    }

    /// Every service with its drop-ins; a drop-in without its unit in sight is none.
    pub fn services(&self) -> impl Iterator<Item = Unit<'_>> {
        let units = self.files.iter().filter(|file| file.kind == UnitKind::Service && !file.drop_in);
        units.map(|unit| {
            // By the name of the file, whatever folder it lies in (systemd.unit(5)).
            let mut drop_ins: Vec<&UnitFile> =
                self.files.iter().filter(|file| file.drop_in && file.name == unit.name).collect();
            drop_ins.sort_by_key(|file| file.document.path.rsplit('/').next().map(str::to_owned));
            Unit { files: std::iter::once(unit).chain(drop_ins).collect() }
        })
    }

    /// What listens for a service: the socket units that name it, or are called as it is.
    pub fn sockets_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a UnitFile> {
        let own = service.strip_suffix(".service").unwrap_or(service);
        self.files.iter().filter(move |file| file.kind == UnitKind::Socket).filter(move |file| {
            match &file.tree().activates {
                Some(named) => named.value == service,
                None => file.name.strip_suffix(".socket") == Some(own),
            }
        })
    }

    /// What systemd ignores or refuses; nothing on a line that a template tag takes part in.
    pub fn problems(&self) -> Vec<(FileId, Problem)> {
        let of_lines = self.files.iter().flat_map(|file| {
            let text = file.document.text();
            let is_plain = |problem: &&Problem| !line_around(text, problem.span).contains(FILLER);
            file.parsed.problems.iter().filter(is_plain).map(|problem| (file.document.file, problem.clone()))
        });
        let mut all: Vec<_> = of_lines.collect();
        all.extend(self.services().filter_map(|unit| self.refusal(&unit)));
        all
    }

    /// Why systemd refuses a service that has no line it would refuse.
    fn refusal(&self, unit: &Unit<'_>) -> Option<(FileId, Problem)> {
        let main = unit.files.first()?;
        let has_tags = unit.files.iter().any(|file| file.document.is_open() || file.document.has_code());
        let is_refused = unit.files.iter().any(|file| file.parsed.problems.iter().any(|problem| !problem.ignored));
        if has_tags || is_refused || main.document.text().trim().is_empty() {
            return None;
        }
        let header = main.tree().sections.iter().find(|section| section.value == "Service");
        let at = header.or(main.tree().sections.first()).map_or(Span::default(), |section| section.span);
        let own = refusal_of(&main.tree().service, at);
        let mended = refusal_of(&unit.service(), at);
        // Of a drop-in that adds a second command the unit's own line is not to blame: it is shown at the unit's.
        let problem = if unit.files.len() > 1 { mended.map(|problem| Problem { span: at, ..problem }) } else { own };
        problem.map(|problem| (main.document.file, problem))
    }
}

/// The text with each line that holds nothing but code tags made a comment: rendered it is gone, and a line that goes on over
/// it goes on. As long as the text, so that places stay.
fn without_code_lines(document: &Document) -> Cow<'_, str> {
    let text = document.text();
    if !document.has_code() {
        return Cow::Borrowed(text);
    }
    let mut at = 0;
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let is_code = !line.is_empty()
            && line.starts_with(' ')
            && line.trim().is_empty()
            && !document.written(Span::new(at, at + line.len())).trim().is_empty();
        at += line.len();
        if is_code {
            out.push('#');
            out.push_str(&line[1..]);
        } else {
            out.push_str(line);
        }
    }
    Cow::Owned(out)
}

fn line_around(text: &str, span: Span) -> &str {
    let range = span.range();
    let start = text[..range.start.min(text.len())].rfind('\n').map_or(0, |at| at + 1);
    let end = text[range.end.min(text.len())..].find('\n').map_or(text.len(), |at| range.end + at);
    &text[start..end]
}
