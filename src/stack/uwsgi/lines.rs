//! Lines of an ini that uWSGI takes otherwise than they look: they start nothing, stop nothing, and say nothing.

use std::sync::Arc;

use super::assembly::Part;
use super::setting::Setting;
use super::settings::Settings;
use super::variables::is_shell_syntax;
use super::{
    Uwsgi, UwsgiLine, address, assignments, blocks, exposed, limits, loading, percents, placeholders, twice, values,
};
use crate::source::{Place, Span};
use crate::stack::document::Document;
use crate::stack::fact::Fact;
use crate::syntax::data::uwsgi::{Argument, ValueKind, find};
use crate::syntax::uwsgi::{DEFAULT_SECTION, Header};

pub(super) fn rows(settings: &Settings, uwsgi: &Arc<Uwsgi>) -> Vec<UwsgiLine> {
    let mut rows = Vec::new();
    let mut after_backslash = false;
    let defined = placeholders::defined(settings);
    for setting in settings.all.iter().filter(|setting| setting.is_line) {
        let goes_on = setting.span.of(setting.document.text()).ends_with('\\');
        if goes_on && !after_backslash {
            rows.push(UwsgiLine::of("continued", setting));
        }
        after_backslash = goes_on;
        rows.extend(without_equals(setting));
        rows.extend(values::row(setting));
        rows.extend(assignments::row(setting));
        rows.extend(placeholders::not_expanded(&defined, setting));
    }
    rows.extend(values::open_to_all(settings));
    rows.extend(placeholders::undefined(settings, &defined));
    rows.extend(twice::rows(settings));
    rows.extend(address::given_twice(settings));
    rows.extend(exposed::rows(settings));
    rows.extend(limits::rows(settings));
    rows.extend(loading::rows(settings));
    for part in &settings.parts {
        rows.extend(sections(part));
        rows.extend(blocks::not_closed(part.document, &part.config));
    }
    rows.extend(percents::rows(settings));
    for row in &mut rows {
        row.uwsgi = Fact::derived(Arc::clone(uwsgi));
    }
    rows
}

impl UwsgiLine {
    /// A row of this key at `place` that says nothing else yet.
    pub(super) fn blank(key: &str, place: Place) -> Self {
        let mut row = Self::at(place);
        row.key = key.to_owned();
        row.option = Fact::absent();
        row.value = Fact::absent();
        row.taken_as = Fact::absent();
        row.harmless = Fact::derived(false);
        row.cure = Fact::absent();
        row.other = Fact::absent();
        row
    }

    /// A row of an option with its name and its value as written; what an `env` gives is not told.
    pub(super) fn of(key: &str, setting: &Setting) -> Self {
        let document = setting.document;
        let mut row = Self::blank(key, setting.place());
        row.confidence = setting.confidence;
        if let Some(name) = &setting.name {
            row.option = Fact::read(name.clone(), document.place(setting.key_span));
        }
        row.value = if setting.is(&["env"]) {
            Fact::absent()
        } else {
            Fact::read(document.written(setting.value_span).to_owned(), setting.place())
        };
        row.value = row.value.at(document.place(setting.value_span));
        row
    }

    #[must_use]
    pub(super) fn taken_as(mut self, text: impl Into<String>) -> Self {
        self.taken_as = Fact::derived(text.into());
        self
    }

    #[must_use]
    pub(super) fn cured_by(mut self, text: impl Into<String>) -> Self {
        self.cure = Fact::derived(text.into());
        self
    }

    #[must_use]
    pub(super) fn harmless(mut self, harmless: bool) -> Self {
        self.harmless = Fact::derived(harmless);
        self
    }
}

/// A line without `=` whose first word is an option: uWSGI takes all of it for a name.
struct Words {
    option: Span,
    value: Span,
}

/// Whether a line lacks the `=` between an option and its value.
pub(super) fn lacks_equals(setting: &Setting) -> bool {
    words(setting).is_some()
}

fn words(setting: &Setting) -> Option<Words> {
    if !setting.is_line || !setting.is_bare() || setting.known.is_some() || is_shell_syntax(setting) {
        return None;
    }
    let line = setting.span.of(setting.document.text());
    let (word, rest) = line.split_at(line.find([' ', '\t', ':'])?);
    let value = rest.strip_prefix(':').unwrap_or(rest).trim_start_matches([' ', '\t']);
    if value.is_empty() || find(word).is_none() {
        return None;
    }
    let (start, end) = (setting.span.start as usize, setting.span.end as usize);
    Some(Words { option: Span::new(start, start + word.len()), value: Span::new(end - value.len(), end) })
}

fn without_equals(setting: &Setting) -> Option<UwsgiLine> {
    let document = setting.document;
    if let Some(words) = words(setting) {
        let option = words.option.of(document.text());
        let mut row = UwsgiLine::blank("without-equals", setting.place());
        row.option = Fact::read(option.to_owned(), document.place(words.option));
        let value = document.written(words.value);
        let assigned = match value.split_once([' ', '\t']) {
            _ if option != "env" || words.value.of(document.text()).contains('=') => Some(value.to_owned()),
            Some((name, value)) => Some(format!("{name}={}", value.trim())),
            None => None,
        };
        return Some(match assigned {
            Some(value) => row.cured_by(format!("{option} = {value}")),
            None => row,
        });
    }
    let known = setting.known.filter(|known| setting.is_bare() && known.argument == Argument::Required)?;
    let takes_value = !matches!(
        known.value,
        ValueKind::Bool | ValueKind::InvertedBool | ValueKind::Logic | ValueKind::Route | ValueKind::Own
    );
    takes_value.then(|| UwsgiLine::of("without-equals", setting))
}

/// Sections that were meant to be `[uwsgi]`, or the first line where no section opens the file.
fn sections(part: &Part) -> Vec<UwsgiLine> {
    let (document, config) = (part.document, part.config.as_ref());
    if part.section != DEFAULT_SECTION {
        return Vec::new();
    }
    let of_header = |header: &Header| {
        let place = document.place(header.span);
        let mut row = UwsgiLine::blank("section", place).taken_as(header.name.clone()).cured_by("[uwsgi]");
        row.value = Fact::read(document.written(header.span).to_owned(), place);
        row
    };
    let mut rows: Vec<UwsgiLine> =
        config.other_headers().filter(|header| is_nearly_uwsgi(&header.name)).map(of_header).collect();
    let Some(first) = config.strays.first().filter(|_| rows.is_empty() && config.options.is_empty()) else {
        return rows;
    };
    let key = first.key.span.of(document.text());
    let mut row = UwsgiLine::blank("section", document.place(first.key.span));
    if key.strip_prefix('\u{feff}').is_some_and(|key| key.trim_end() == "[uwsgi]") {
        row.value = row.value.at(document.place(first.key.span));
        rows.push(row.cured_by("[uwsgi]"));
    } else if config.headers.is_empty() && config.strays.iter().any(|stray| is_known(stray.key.span, document)) {
        row.option = Fact::read(key.to_owned(), document.place(first.key.span));
        rows.push(row);
    }
    rows
}

fn is_known(key: Span, document: &Document) -> bool {
    find(key.of(document.text())).is_some()
}

/// `uwsgi] ; main` of `[uwsgi] ; main`, ` uwsgi ` and `UWSGI`.
fn is_nearly_uwsgi(name: &str) -> bool {
    let word = name.split([']', ';', '#']).next().unwrap_or_default();
    word.trim().eq_ignore_ascii_case(DEFAULT_SECTION)
}
