//! One argument of a directive as nginx will see it, and what is wrong with one.

use std::borrow::Cow;

use super::file::File;
use crate::source::Span;
use crate::stack::fact::Answer;
use crate::syntax::nginx::{Directive, Word, Words};
use crate::syntax::placeholder::is_filled_in;

/// A word of a directive, with the values of template tags put in.
#[derive(Debug, Clone)]
pub(super) struct Argument<'a> {
    /// Where it stands, quotes included.
    pub span: Span,
    /// As it is written.
    pub raw: &'a str,
    text: Option<Cow<'a, str>>,
    /// Whether it may be any number of words once the template is filled in.
    pub any_number: bool,
}

impl<'a> Argument<'a> {
    /// The words after the name of a directive.
    pub fn all(file: File<'_>, directive: Directive<'a>) -> Vec<Self> {
        Self::each(file, directive.arguments(), || directive.head())
    }

    /// Some words of one statement. Where code of a template stands among them, each is there or not in one rendering or another.
    pub fn each(file: File<'_>, words: Words<'a>, statement: impl FnOnce() -> Span) -> Vec<Self> {
        let branches = !file.clean && file.document.holds_code(statement());
        words.map(|word| if branches { Self::open(word) } else { Self::of(file, word) }).collect()
    }

    fn open(word: Word<'a>) -> Self {
        Self { span: word.span, raw: word.raw(), text: None, any_number: true }
    }

    fn of(file: File<'_>, word: Word<'a>) -> Self {
        let value = word.value();
        let (raw, span) = (word.raw(), word.span);
        if file.clean {
            return Self { span, raw, text: Some(Cow::Borrowed(value)), any_number: false };
        }
        let text = match file.document.value(span, value) {
            Answer::Known(text) => Some(Cow::Owned(text)),
            Answer::Absent | Answer::Unknown(_) => None,
        };
        Self { span, raw, text, any_number: file.document.is_templated(span) && !word.is_quoted() }
    }

    /// What nginx reads, where it stands in the file as it is.
    pub fn written(&self) -> Option<&'a str> {
        match self.text {
            Some(Cow::Borrowed(text)) => Some(text),
            _ => None,
        }
    }

    /// What nginx reads; `None` where it is out of sight.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Whether nginx reads exactly this.
    pub fn is(&self, text: &str) -> bool {
        self.text() == Some(text)
    }

    /// What nginx reads, where nothing else is put in its place before nginx sees it.
    pub fn final_text(&self) -> Option<&str> {
        self.text().filter(|text| !is_placeholder(text))
    }

    /// The place of some bytes of its value, where they stand in the file as they are; else all of it.
    pub fn span_of(&self, range: std::ops::Range<usize>) -> Span {
        let Some(text) = self.text() else { return self.span };
        let quote = usize::from(self.raw.starts_with(['"', '\'']));
        // The rest of it may be long, and is not compared each time: of equal length it is as it was written.
        let is_whole = self.raw.len() == text.len() + 2 * quote;
        if is_whole && self.raw.get(range.start + quote..range.end + quote) == text.get(range.clone()) {
            let start = self.span.start as usize + quote;
            return Span::new(start + range.start, start + range.end);
        }
        self.span
    }
}

/// Whether a text has the look of something that a deployment fills in: `__PORT__`, `@PORT@`, `<port>`, `{{ port }}`,
/// `${PORT}`, `%PORT%`, `%(port)s`, `#{port}`, `[[port]]`.
///
/// nginx has no such signs outside quotes and regular expressions, and what fills them in is out of sight.
pub(super) fn is_placeholder(text: &str) -> bool {
    let bytes = text.as_bytes();
    let upper = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_uppercase);
    let by_its_signs = |at: usize| match bytes[at] {
        b'$' => {
            upper(at + 1) || (bytes.get(at + 1) == Some(&b'{') && upper(at + 2)) || bytes.get(at + 1) == Some(&b'(')
        }
        b'{' => bytes.get(at + 1) == Some(&b'{') || bytes.get(at + 1) == Some(&b'%'),
        b'_' => bytes.get(at + 1) == Some(&b'_') && upper(at + 2),
        b'<' => {
            let is_capture = at > 0 && matches!(bytes[at - 1], b'?' | b'P');
            let opens = bytes.get(at + 1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'%');
            opens && !is_capture && text[at..].contains('>')
        }
        b'%' => upper(at + 1) && text[at + 1..].contains('%'),
        b'#' => bytes.get(at + 1) == Some(&b'{'),
        b'[' => bytes.get(at + 1) == Some(&b'[') && bytes.get(at + 2) != Some(&b':'),
        _ => false,
    };
    is_filled_in(text) || (0..bytes.len()).any(by_its_signs)
}

/// What nginx refuses in the arguments of a directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invalid {
    /// The argument, from 0.
    pub at: usize,
    /// The bytes of its value that are meant; all where empty.
    pub range: std::ops::Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// What to write in place of the argument, where that is plain.
    pub cure: Option<String>,
}

impl Invalid {
    /// The argument `at` is wrong.
    pub fn new(at: usize, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { at, range: 0..0, message: message.into(), hint: hint.into(), cure: None }
    }

    /// The same with what to write instead.
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// The same for some bytes of its value.
    pub fn range(mut self, range: std::ops::Range<usize>) -> Self {
        self.range = range;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_deployment_fills_in() {
        for text in [
            "__PORT__",
            "@PORT@",
            "127.0.0.1:<Port>",
            "{{ port }}",
            "${PORT}",
            "$PORT",
            "%PORT%",
            "#{port}",
            "$(port)",
            "a:%(port)s",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "80",
            "$host",
            "${host}",
            "a__b",
            "@app",
            "(?<name>",
            "100%",
            "^/[a-z]{2}$",
            "a<b",
            "#",
            "%",
            "_",
            "[[:alpha:]]",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
