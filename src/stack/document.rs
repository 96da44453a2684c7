//! A text as its reader should see it: where it lands, which language it is in, and what its template tags may be.

use std::sync::Arc;

use crate::source::{FileId, Place, SUBSTITUTE, Span};
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::erb::{FILLER, Tag, TagKind, Template};

/// The language of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// uWSGI ini.
    Uwsgi,
    /// nginx configuration, a main file or a fragment.
    Nginx,
    /// An Upstart job.
    Upstart,
    /// A unit of systemd, or a drop-in for one.
    Systemd,
    /// Python source.
    Python,
    /// A file that login shells read: `.profile`, `.bashrc`, `/etc/profile.d/*`, `/etc/environment`.
    LoginShell,
    /// A file of `NAME=value` lines that some program may read: `.env`, `.flaskenv`, `/etc/default/*`.
    Variables,
    /// supervisor's programs.
    Supervisor,
    /// A `Procfile`.
    Procfile,
    /// The services of containers.
    Compose,
    /// What an image is built of.
    Dockerfile,
    /// A script that a container may start uWSGI with.
    Script,
    /// pip's `requirements.txt`.
    Requirements,
    /// `postgresql.conf`.
    Postgresql,
    /// `pgbouncer.ini`.
    Pgbouncer,
}

/// One text, read as one language, at one path.
#[derive(Debug, Clone)]
pub struct Document {
    /// The source it was read from: the template, not the destination.
    pub file: FileId,
    /// Where it lands (absolute), or where it lies when nothing deploys it.
    pub path: String,
    /// Its language.
    pub kind: Kind,
    text: Arc<str>,
    written: Arc<str>,
    tags: Vec<(Tag, Answer<String>)>,
    blocks: Vec<Span>,
}

impl Document {
    /// A text without template tags.
    pub fn plain(file: FileId, path: impl Into<String>, kind: Kind, text: Arc<str>) -> Self {
        Self { file, path: path.into(), kind, written: Arc::clone(&text), text, tags: Vec::new(), blocks: Vec::new() }
    }

    /// A template as it was read from `source`; `evaluate` gives the value of an output tag by its code.
    pub fn template(
        file: FileId,
        path: impl Into<String>,
        kind: Kind,
        source: Arc<str>,
        template: Template,
        mut evaluate: impl FnMut(&Tag) -> Answer<String>,
    ) -> Self {
        let tags = template
            .tags
            .into_iter()
            .map(|tag| {
                let value = if tag.kind == TagKind::Output { evaluate(&tag) } else { Answer::Absent };
                (tag, value)
            })
            .collect();
        let (text, blocks) = (template.text.into(), template.blocks);
        Self { file, path: path.into(), kind, text, written: source, tags, blocks }
    }

    /// `span` as it is written in the source, tags included, so that a cure can repeat them.
    pub fn written(&self, span: Span) -> &str {
        span.of(&self.written)
    }

    /// The same document for a text that was already worked out of it, where no tag is left.
    pub fn without_tags(&self) -> Self {
        Self { tags: Vec::new(), ..self.clone() }
    }

    /// The same document as its reader has joined its lines: `text` is as long as its own.
    pub fn with_text(&self, text: &str) -> Self {
        Self { text: text.into(), ..self.clone() }
    }

    /// The same document at another path: what a link to it shows.
    pub fn at_path(&self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }

    /// What the reader parses: as long as the source, tags replaced.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same, shared.
    pub fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// Whether it has no template tag at all.
    pub fn is_plain(&self) -> bool {
        self.tags.is_empty()
    }

    /// Whether a tag may add statements of its own, so that nothing is surely absent.
    pub fn is_open(&self) -> bool {
        self.tags.iter().any(|(tag, _)| tag.alone)
    }

    /// Whether conditions or loops of a template decide which of its lines are there.
    pub fn has_code(&self) -> bool {
        self.tags.iter().any(|(tag, _)| tag.kind == TagKind::Code)
    }

    /// Whether a condition or loop of a template decides if what stands at `span` is there, or how often.
    pub fn is_conditional(&self, span: Span) -> bool {
        let first = self.blocks.partition_point(|block| block.end <= span.start);
        self.blocks.get(first).is_some_and(|block| block.start < span.end)
    }

    /// Which block of template code stands around `offset`, by its number.
    pub fn block_at(&self, offset: u32) -> Option<usize> {
        let first = self.blocks.partition_point(|block| block.end <= offset);
        self.blocks.get(first).is_some_and(|block| block.start <= offset).then_some(first)
    }

    /// Whether a tag of code stands in `span`, so that what a reader made of it may be no rendering's text.
    pub fn holds_code(&self, span: Span) -> bool {
        let first = self.tags.partition_point(|(tag, _)| tag.span.end <= span.start);
        let mut near = self.tags[first..].iter().take_while(|(tag, _)| tag.span.start < span.end);
        near.any(|(tag, _)| tag.kind == TagKind::Code)
    }

    /// Whether `span` touches a tag that prints something.
    pub fn is_templated(&self, span: Span) -> bool {
        self.outputs(span).next().is_some()
    }

    /// The tags in `span` that print something, found without asking those before it: a template may hold one per line.
    fn outputs(&self, span: Span) -> impl Iterator<Item = &(Tag, Answer<String>)> {
        let first = self.tags.partition_point(|(tag, _)| tag.span.end <= span.start);
        let near = self.tags[first..].iter().take_while(move |(tag, _)| tag.span.start < span.end);
        near.filter(|(tag, _)| tag.kind == TagKind::Output)
    }

    /// `span` of the source it was read from.
    pub fn place(&self, span: Span) -> Place {
        Place::at(self.file, span)
    }

    /// The value that a reader decoded from `span`, with the values of the tags in it put in; unknown where one of them is.
    pub fn value(&self, span: Span, decoded: &str) -> Answer<String> {
        if decoded.contains(SUBSTITUTE) {
            return Answer::Unknown(Missing::new("a value that is not UTF-8", "write it in UTF-8"));
        }
        let mut tags = self.outputs(span);
        let mut value = String::with_capacity(decoded.len());
        let mut rest = decoded;
        while let Some(at) = rest.find(FILLER) {
            value.push_str(&rest[..at]);
            let Some((tag, answer)) = tags.next() else { break };
            match answer {
                Answer::Known(text) => value.push_str(text),
                Answer::Absent => {}
                Answer::Unknown(missing) => return Answer::Unknown(missing.clone()),
            }
            let length = tag.span.range().len();
            rest = &rest[at..];
            let filler = rest.bytes().take(length).take_while(|byte| *byte == FILLER as u8).count();
            rest = &rest[filler..];
        }
        value.push_str(rest);
        Answer::Known(value)
    }

    /// The same as a fact with its place.
    pub fn fact(&self, span: Span, decoded: &str) -> Fact<String> {
        let mut fact = Fact::read(String::new(), self.place(span));
        fact.answer = self.value(span, decoded);
        fact
    }
}
