//! Secrets: found by their shape in any text, remembered, and masked wherever they show up again, encoded forms too.
//! A mask is as long in bytes as what it covers, so spans and carets stay true.

mod encoded;
mod find;
mod pattern;
mod pem;
mod redact;
mod shown;
mod value;
mod variable;
mod word;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use rayon::prelude::*;
use regex::Regex;

use crate::syntax::data::uwsgi;

pub use redact::StandIns;
pub use shown::{sanitise, sanitise_equal};
pub use variable::{is_open, is_telling};

/// Shorter secrets are masked where they stand, and not searched for elsewhere: `admin` would blank half a config.
const LITERAL_FROM: usize = 6;

/// Longer ones too: no password is, and their forms would fill the memory.
const LITERAL_TO: usize = 1024;

/// Words that people set as passwords and that stand elsewhere with another meaning.
const COMMON: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "secretkey",
    "token",
    "changeme",
    "change_me",
    "postgres",
    "postgresql",
    "example",
    "production",
    "staging",
    "development",
    "default",
    "django",
    "vagrant",
    "deploy",
    "ubuntu",
    "string",
    "localhost",
    "database",
    "public",
    "private",
    "application",
    "server",
    "uwsgi_",
    "uwsgi_pass",
    "proxy_pass",
    "optional",
    "required",
];

/// The secrets of one run.
#[derive(Debug, Default)]
pub struct Secrets {
    /// Alternations of literals, longest first, so that a secret is never half covered by a shorter one.
    literals: Vec<Regex>,
    /// The same of those that are words: only where they stand alone.
    words: Vec<Regex>,
}

impl Secrets {
    /// Reads every text and remembers each secret of six bytes or more, with its percent-encoded, decoded, escaped and
    /// base64 forms.
    pub fn harvest<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::harvest_with(texts, [])
    }

    /// The same with `literals` that are secrets by themselves, whatever their shape.
    pub fn harvest_with<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        literals: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut forms = BTreeSet::new();
        for literal in literals.into_iter().filter(|literal| worth_searching(literal)) {
            encoded::forms(literal, &mut forms);
        }
        let texts: Vec<&str> = texts.into_iter().collect();
        let literals: BTreeSet<&str> = texts.into_par_iter().flat_map_iter(literals_of).collect();
        literals.into_iter().for_each(|literal| encoded::forms(literal, &mut forms));
        forms.retain(|form| form.len() >= LITERAL_FROM && !COMMON.contains(&form.as_str()));
        let (words, literals): (Vec<String>, Vec<String>) = forms.into_iter().partition(|form| word::is_word(form));
        Self { literals: automata(literals), words: automata(words) }
    }

    /// Where the remembered secrets stand in a text.
    fn remembered(&self, text: &str) -> Vec<Range<usize>> {
        let hits = |any: &[Regex]| any.iter().flat_map(|any| any.find_iter(text)).map(|hit| hit.range()).collect();
        let mut all: Vec<Range<usize>> = hits(&self.literals);
        let words: Vec<Range<usize>> = hits(&self.words);
        all.extend(words.into_iter().filter(|span| word::may_be_secret(text, span)));
        all
    }

    /// `text` with every secret replaced by as many `*` as it has bytes. Newlines inside a secret stay.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let by_shape = find::find(text).into_iter().map(|found| found.span);
        let spans: Vec<Range<usize>> = by_shape.chain(self.remembered(text)).collect();
        if spans.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(blank(text, &spans)) }
    }

    /// `text` with a stand-in of the same shape and length for every secret.
    pub fn redact<'t>(&self, text: &'t str, stand_ins: &mut StandIns) -> Cow<'t, str> {
        let pieces =
            redact::pieces(self.remembered(text), find::find(text).into_iter().map(|found| found.span).collect());
        if pieces.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut redacted = String::with_capacity(text.len());
        let mut from = 0;
        for piece in pieces {
            redacted.push_str(&text[from..piece.start]);
            redacted.push_str(&stand_ins.of(&text[piece.clone()]));
            from = piece.end;
        }
        redacted.push_str(&text[from..]);
        Cow::Owned(redacted)
    }

    /// A one-line text fit for any output: masked, and every control or bidi character made visible.
    pub fn clean(&self, text: &str) -> String {
        sanitise(&self.mask(text)).into_owned()
    }

    /// A source text fit for frames: masked and made harmless at equal length.
    pub fn clean_equal(&self, text: &str) -> String {
        sanitise_equal(&self.mask(text)).into_owned()
    }
}

/// Alternations of forms, the longest first. Chunks keep each automaton far below the size limit of `regex`, whatever a hostile
/// tree holds.
fn automata(mut forms: Vec<String>) -> Vec<Regex> {
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.chunks(128).flat_map(alternation).collect()
}

/// One regex for a chunk, or one for each literal where together they are too large; a literal that is too large alone
/// is cut, for then its start is already telling.
fn alternation(chunk: &[String]) -> Vec<Regex> {
    let escaped: Vec<String> = chunk.iter().map(|form| regex::escape(form)).collect();
    match Regex::new(&escaped.join("|")) {
        Ok(any) => vec![any],
        Err(_) => chunk
            .iter()
            .filter_map(|form| {
                let cut = form.floor_char_boundary(1024);
                Regex::new(&regex::escape(&form[..cut])).ok()
            })
            .collect(),
    }
}

/// Where secrets stand in a text, by their shape; in no particular order, and they may overlap.
pub fn spans(text: &str) -> Vec<Range<usize>> {
    find::find(text).into_iter().map(|found| found.span).collect()
}

/// Whether a key such as `db_password` names a secret; `password_file` does not, nor does a word that only contains one.
pub fn is_named_by(key: &str) -> bool {
    const OTHERS: [&str; 9] =
        ["passenger", "passive", "bypass", "compass", "passthrough", "tokens", "keymap", "tokenizer", "_maps"];
    let key = key.to_ascii_lowercase();
    key != "passwd" && !OTHERS.iter().any(|word| key.contains(word)) && find::names(&key)
}

/// The secrets of a text that may stand elsewhere too.
fn literals_of(text: &str) -> impl Iterator<Item = &str> {
    let found = find::find(text).into_iter().filter(|found| found.repeats);
    found.map(|found| &text[found.span]).filter(|literal| worth_searching(literal))
}

fn worth_searching(literal: &str) -> bool {
    (LITERAL_FROM..=LITERAL_TO).contains(&literal.len())
        && !COMMON.contains(&literal.to_ascii_lowercase().as_str())
        && !value::is_name_of_secret(literal)
        // `******** = true` would hide the file, and say that the password is `master`.
        && uwsgi::find(literal).is_none()
        && literal.bytes().any(|byte| byte != literal.as_bytes()[0])
}

fn blank(text: &str, spans: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for span in spans {
        for byte in &mut bytes[span.clone()] {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b'*';
            }
        }
    }
    // Spans lie on character boundaries, so this never has to replace anything; were one wrong, nothing would leak.
    String::from_utf8(bytes).unwrap_or_else(|_| "*".repeat(text.len()))
}

#[cfg(test)]
mod tests;
