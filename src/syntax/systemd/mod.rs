//! Reader for systemd's units and drop-ins: sections, directives, and what systemd ignores or refuses of them
//! (systemd.syntax(7); systemd 252: conf-parser.c, load-fragment.c).

mod check;
pub mod environment_file;
mod service;
mod specifier;
mod text;
mod time_span;
mod words;

pub use service::{Command, Service, Setting, is_true};
pub use specifier::{Resolved, resolve};
pub use text::Text;
pub use time_span::{TimeSpan, parse as parse_time_span};
pub use words::{Broken, Word, Words};

use crate::nearest::did_you_mean;
use crate::source::{Located, SUBSTITUTE, Span};
use crate::syntax::data::systemd::{find, names, section_of};
use crate::syntax::{Parsed, Problem};

/// Which kind of unit a file is, which decides the sections it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// `.service`
    Service,
    /// `.socket`
    Socket,
    /// `.timer`
    Timer,
    /// `.path`
    Path,
    /// `.target`
    Target,
}

impl UnitKind {
    /// The kind of a unit by its name, or of the unit that a drop-in in `NAME.service.d/` is for; `None` for those that are
    /// not read.
    pub fn of(path: &str) -> Option<Self> {
        let name = unit_name(path);
        Some(match name.rsplit_once('.')?.1 {
            "service" => Self::Service,
            "socket" => Self::Socket,
            "timer" => Self::Timer,
            "path" => Self::Path,
            "target" => Self::Target,
            _ => return None,
        })
    }

    fn sections(self) -> &'static [&'static str] {
        match self {
            Self::Service => &["Unit", "Service", "Install"],
            Self::Socket => &["Unit", "Socket", "Install"],
            Self::Timer => &["Unit", "Timer", "Install"],
            Self::Path => &["Unit", "Path", "Install"],
            Self::Target => &["Unit", "Install"],
        }
    }
}

/// The unit that a path belongs to: its base name, or for a drop-in that of its folder without `.d`.
pub fn unit_name(path: &str) -> &str {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match folder.rsplit('/').next().and_then(|folder| folder.strip_suffix(".d")) {
        Some(unit) if is_drop_in(path) => unit,
        _ => name,
    }
}

/// Whether a path is that of a drop-in: `NAME.service.d/*.conf`.
pub fn is_drop_in(path: &str) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    let unit = folder.rsplit('/').next().and_then(|folder| folder.strip_suffix(".d"));
    name.ends_with(".conf") && unit.is_some_and(|unit| UnitKind::of(unit).is_some())
}

/// One directive as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The section it stands in.
    pub section: String,
    /// Its name.
    pub key: Located<String>,
    /// Its value, continued lines joined.
    pub value: Text,
}

/// A unit file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    /// The section headers, in order.
    pub sections: Vec<Located<String>>,
    /// The directives of the sections that systemd knows, in order; those it ignores are left out.
    pub assignments: Vec<Assignment>,
    /// What the directives of `[Service]` add up to.
    pub service: Service,
    /// What `[Socket]` listens at, in order.
    pub listens: Vec<Located<String>>,
    /// The service that a socket names; the one of its own name where it names none.
    pub activates: Option<Located<String>>,
}

/// Reads the unit, or the drop-in for the unit, of this name, such as `shop.service`.
pub fn parse(text: &str, kind: UnitKind, unit: &str) -> Parsed<Tree> {
    let mut reader = Reader { kind, unit, section: None, ignored: false, outside: false, parsed: Parsed::default() };
    for line in text::lines(text) {
        if reader.line(&line).is_break() {
            break;
        }
    }
    reader.parsed
}

/// What is wrong with a whole service, all its drop-ins read: no line of it alone (systemd: service.c, `service_verify`).
pub fn refusal_of(service: &Service, at: Span) -> Option<Problem> {
    service::refusal(service, at)
}

struct Reader<'a> {
    kind: UnitKind,
    unit: &'a str,
    section: Option<String>,
    /// Whether the lines that follow belong to a section that systemd does not know.
    ignored: bool,
    /// Whether a line outside of every section was told already.
    outside: bool,
    parsed: Parsed<Tree>,
}

/// A line that systemd skips.
fn ignored(span: Span, words: impl std::fmt::Display, hint: impl Into<String>) -> Problem {
    Problem::new("systemd/syntax", span, format!("systemd: {words}")).hint(hint).ignored()
}

/// A line for which systemd refuses the unit.
fn refused(span: Span, words: impl std::fmt::Display, hint: impl Into<String>) -> Problem {
    Problem::new("systemd/syntax", span, format!("systemd: {words}")).hint(hint)
}

impl Reader<'_> {
    /// Takes in one logical line; breaks where systemd gives the file up.
    fn line(&mut self, line: &Text) -> std::ops::ControlFlow<()> {
        let line = line.trimmed(0..line.value.len());
        if line.value.is_empty() {
            return std::ops::ControlFlow::Continue(());
        }
        if line.value.contains(SUBSTITUTE) {
            self.report(ignored(line.whole(), "the line is not UTF-8, ignoring it", "save the file as UTF-8"));
            return std::ops::ControlFlow::Continue(());
        }
        if line.value.starts_with('[') {
            return self.header(&line);
        }
        self.assignment(&line);
        std::ops::ControlFlow::Continue(())
    }

    fn report(&mut self, problem: Problem) {
        self.parsed.problems.push(problem);
    }

    fn header(&mut self, line: &Text) -> std::ops::ControlFlow<()> {
        let Some(name) = line.value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
            let hint = "close it with `]`; systemd reads nothing of this file";
            self.report(refused(line.whole(), "Invalid section header", hint));
            return std::ops::ControlFlow::Break(());
        };
        self.parsed.tree.sections.push(Located::new(name.to_owned(), line.whole()));
        let known = self.kind.sections();
        self.ignored = !known.contains(&name);
        self.section = (!self.ignored).then(|| name.to_owned());
        if self.ignored && !name.starts_with("X-") {
            let meant = known.iter().find(|own| own.eq_ignore_ascii_case(name));
            let hint = match meant {
                Some(meant) => format!("write `[{meant}]`: every line of this section is ignored"),
                None => format!("every line below it is ignored: this unit takes {}", shown(known)),
            };
            let mut problem = ignored(line.whole(), format!("Unknown section '{name}'. Ignoring."), hint);
            problem.cure = meant.map(|meant| format!("[{meant}]"));
            self.report(problem);
        }
        std::ops::ControlFlow::Continue(())
    }

    fn assignment(&mut self, line: &Text) {
        let Some(section) = self.section.clone() else {
            // One header that is missing is one fault, however many lines stand below it.
            if !self.ignored && !std::mem::replace(&mut self.outside, true) {
                let hint = format!("put it below a section: {}", shown(self.kind.sections()));
                self.report(ignored(line.whole(), "Assignment outside of section. Ignoring.", hint));
            }
            return;
        };
        let Some(equals) = line.value.find('=') else {
            let hint = "write `Name=value`; where it goes on from the line above, that one needs a `\\` at its end";
            return self.report(ignored(line.whole(), "Missing '=', ignoring line.", hint));
        };
        let key = line.trimmed(0..equals);
        let value = line.trimmed(equals + 1..line.value.len());
        if key.value.is_empty() {
            let hint = "write the directive's name before `=`";
            return self.report(ignored(line.whole(), "Missing key name before '=', ignoring line.", hint));
        }
        let Some(kind) = find(&section, &key.value) else {
            if !key.value.starts_with("X-") {
                self.report(unknown_key(&key, &section, self.kind));
            }
            return;
        };
        let assignment = Assignment { section, key: Located::new(key.value.clone(), key.whole()), value };
        let checked = check::value(&assignment, kind, self.unit);
        let is_ignored = checked.iter().any(|problem| problem.ignored);
        self.parsed.problems.extend(checked);
        self.parsed.tree.take(&assignment, self.unit);
        if !is_ignored {
            self.parsed.tree.assignments.push(assignment);
        }
    }
}

fn shown(sections: &[&str]) -> String {
    sections.iter().map(|name| format!("`[{name}]`")).collect::<Vec<_>>().join(", ")
}

fn unknown_key(key: &Text, section: &str, kind: UnitKind) -> Problem {
    let words = format!("Unknown key '{}' in section [{section}], ignoring.", key.value);
    let elsewhere = section_of(&key.value).filter(|other| kind.sections().contains(other));
    let hint = match elsewhere {
        Some(other) => format!("move the line to `[{other}]`"),
        None => {
            let meant = did_you_mean(&key.value, names(section));
            format!("the line does nothing{meant}")
        }
    };
    ignored(key.whole(), words, hint)
}

impl Tree {
    fn take(&mut self, assignment: &Assignment, unit: &str) {
        let value = &assignment.value;
        match (assignment.section.as_str(), assignment.key.value.as_str()) {
            ("Unit", "SuccessAction") => self.service.acts = !matches!(value.value.as_str(), "" | "none"),
            ("Service", _) => self.service.take(assignment, unit),
            ("Socket", "ListenStream" | "ListenSequentialPacket" | "ListenDatagram") if value.value.is_empty() => {
                self.listens.clear();
            }
            ("Socket", "ListenStream") => self.listens.push(Located::new(value.value.clone(), value.whole())),
            ("Socket", "Service") => self.activates = Some(Located::new(value.value.clone(), value.whole())),
            _ => {}
        }
    }
}
