//! Every `%` that uWSGI eats while it reads the file, with the letter or the line break after it (uWSGI: `magic_sub`).

use super::UwsgiLine;
use super::setting::Setting;
use super::settings::Settings;
use crate::source::Span;
use crate::stack::document::Document;
use crate::stack::fact::Fact;
use crate::syntax::erb::FILLER;
use crate::syntax::uwsgi::is_magic;

pub(super) fn rows(settings: &Settings) -> Vec<UwsgiLine> {
    let mut documents: Vec<&Document> = settings.parts.iter().map(|part| part.document).collect();
    documents.sort_by_key(|document| document.file);
    documents.dedup_by_key(|document| document.file);
    documents.into_iter().flat_map(|document| of_document(settings, document)).collect()
}

fn of_document(settings: &Settings, document: &Document) -> Vec<UwsgiLine> {
    let text = document.text();
    let of_file = |setting: &&Setting| setting.is_line && setting.document.file == document.file;
    let mut in_use: Vec<&Setting> = settings.all.iter().filter(of_file).collect();
    in_use.sort_by_key(|setting| setting.span.start);
    let mut rows = Vec::new();
    for at in lone_percents(text) {
        let before = in_use.partition_point(|setting| setting.span.start as usize <= at);
        let setting = before.checked_sub(1).map(|last| in_use[last]);
        let after = text[at + 1..].chars().next();
        let joined = || line_break(document, at, !in_use.is_empty());
        let lost = || setting.filter(|setting| at <= setting.span.end as usize).and_then(|of| letter(of, at, after));
        rows.extend(if after == Some('\n') { joined().or_else(lost) } else { lost() });
    }
    rows
}

/// Where a `%` stands that is neither doubled nor part of a template's own tag.
fn lone_percents(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let here = at;
            at += 1;
            if bytes[here] != b'%' {
                continue;
            }
            let (previous, next) = (here.checked_sub(1).map(|before| bytes[before]), bytes.get(here + 1).copied());
            if next == Some(b'%') {
                at += 1;
                continue;
            }
            let of_tag = matches!(previous, Some(b'{' | b'<')) || matches!(next, Some(b'}' | b'>'));
            if !of_tag && next != Some(b'(') && next != Some(FILLER as u8) {
                return Some(here);
            }
        }
        None
    })
}

fn letter(setting: &Setting, at: usize, after: Option<char>) -> Option<UwsgiLine> {
    let document = setting.document;
    let end = at + 1 + after.filter(|after| *after != '\n').map_or(0, char::len_utf8);
    if after.is_some_and(is_magic) && !is_encoded(setting, at) {
        return None;
    }
    let mut row = UwsgiLine::of("percent", setting).cured_by("%%");
    row.place = document.place(Span::new(at, end));
    row.value = if setting.is(&["env"]) {
        Fact::absent()
    } else {
        Fact::read(document.text()[at..end].trim_end().to_owned(), row.place)
    };
    row.value = row.value.at(document.place(Span::new(at, at + 1)));
    Some(row)
}

/// Whether a letter that stands for something rather belongs to a URL, as in `p%40ss`.
fn is_encoded(setting: &Setting, at: usize) -> bool {
    let text = setting.document.text();
    let hex = text.as_bytes().get(at + 1..at + 3);
    let encoded = hex.is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit) && pair.iter().any(u8::is_ascii_digit));
    encoded && (setting.is(&["env"]) || setting.raw_value().contains("://"))
}

/// The line after it becomes part of this one.
fn line_break(document: &Document, at: usize, in_use: bool) -> Option<UwsgiLine> {
    let text = document.text();
    let next = text[at + 2..].lines().next().unwrap_or_default();
    let word = next.split('=').next().unwrap_or_default().trim();
    if !in_use || word.is_empty() || word.starts_with([';', '#']) {
        return None;
    }
    let place = document.place(Span::new(at, at + 1));
    let mut row = UwsgiLine::blank("percent", place).cured_by("%%");
    row.value = row.value.at(place);
    let start = at + 2 + next.len() - next.trim_start().len();
    row.other = Fact::read(
        word.split([' ', '\t', ':']).next().unwrap_or_default().to_owned(),
        document.place(Span::new(start, start + next.trim().len())),
    );
    Some(row)
}
