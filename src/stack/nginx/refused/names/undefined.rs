//! What was asked for by a name that nothing defines.

use super::super::file::File;
use super::super::once;
use super::{Asked, Name, Names, Spot, Thing, VALUE};
use crate::nearest::{Patience, nearest};
use crate::syntax::Problem;
use crate::syntax::data::nginx::variables;

const KIND: &str = "nginx/undefined-reference";

/// About as many names as nginx has of its own.
const FEW: usize = 200;

impl<'a> Names<'a> {
    /// Tells of what was asked for and defined nowhere; `main` where the whole of `http` is in sight but for what was said to be
    /// open. One by one: a file of nothing but mistakes would fill the memory with those that are not told.
    pub fn undefined(&self, main: bool, mut tell: impl FnMut(File<'a>, Problem)) {
        let patience = Patience::default();
        for asked in &self.asked {
            let problem = match self.defined.get(&asked.name) {
                Some(defined) => self.too_late(asked, defined),
                None => self.unknown(asked, main, &patience),
            };
            problem.into_iter().for_each(|problem| tell(asked.spot.file, problem));
        }
        for pass in &self.with_port {
            if let Some(upstream) = self.defined.get(&pass.host) {
                let (name, spot) = (&pass.host.text, pass.spot);
                let message = format!("the upstream `{name}` cannot be given the port {}", pass.port);
                let problem = Problem::new(VALUE, spot.span, message)
                    .hint(format!("write `{name}` alone: each server of the upstream has its own port"));
                let problem = once::related(problem, spot.file, upstream.file, upstream.span, "the upstream", false);
                tell(spot.file, problem);
            }
        }
    }

    /// A log format that is defined below its use.
    fn too_late(&self, asked: &Asked<'a>, defined: &Spot<'a>) -> Option<Problem> {
        if asked.after || asked.name.thing != Thing::AnyLogFormat || !asked.spot.file.fixed || !defined.file.fixed {
            return None;
        }
        let message = format!("the log format `{}` is defined further down only", asked.name.text);
        let problem = Problem::new(KIND, asked.spot.span, message)
            .hint("move the `log_format` up: nginx must have read it before");
        Some(once::related(problem, asked.spot.file, defined.file, defined.span, "it is defined here", false))
    }

    fn unknown(&self, asked: &Asked<'a>, main: bool, patience: &Patience) -> Option<Problem> {
        let Name { thing, stream, text } = &asked.name;
        let open = if *thing == Thing::Variable { self.open_variables } else { self.open_top };
        let sure = main && !open;
        let meant = patience.allows(self.defined.len() + FEW).then(|| self.meant(&asked.name, sure)).flatten();
        if !sure && meant.is_none() {
            return None;
        }
        let sign = if *thing == Thing::Variable { "$" } else { "" };
        let message = format!("nothing defines the {} `{sign}{text}`", thing.words());
        let problem = Problem::new(KIND, asked.spot.span, message);
        let problem = match meant {
            Some(meant) => problem.hint(format!("`{sign}{meant}` was probably meant")),
            None if *stream && *thing == Thing::AnyLogFormat => problem
                .hint(format!("write `log_format {text} '…';` in `stream`: the formats of `http` do not count there")),
            None => problem.hint(thing.defined_by(text)),
        };
        Some(if sure { problem } else { problem.doubtful() })
    }

    /// The name that was probably meant; among nginx's own alone where others may be out of sight, and then only by a typo
    /// that is no other word.
    fn meant(&self, name: &Name<'a>, sure: bool) -> Option<String> {
        let text = name.text.as_ref();
        let mut known: Vec<&str> = match name.thing {
            Thing::Variable => variables(name.stream).collect(),
            Thing::AnyLogFormat if !name.stream => vec!["combined"],
            _ => Vec::new(),
        };
        if sure {
            let same = self.defined.keys().filter(|other| other.thing == name.thing && other.stream == name.stream);
            known.extend(same.map(|other| other.text.as_ref()));
        }
        // Of several that are equally near the same one is named in every run.
        known.sort_unstable();
        if sure {
            return nearest(text, known).map(str::to_owned);
        }
        let likely = |known: &&str| {
            let near = strsim::damerau_levenshtein(text, known) <= if text.len() < 9 { 1 } else { 2 };
            near && text.len() > 4
                && !text.contains(known)
                && !known.contains(text)
                && !text.ends_with(|c: char| c.is_ascii_digit())
        };
        known.into_iter().find(likely).map(str::to_owned)
    }
}
