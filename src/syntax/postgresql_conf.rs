//! PostgreSQL's configuration: `name = value` or `name value`, the last of a name holds (PostgreSQL: `guc-file.l`).

use crate::source::{Located, Span};
use crate::syntax::log::lines;

/// What a configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Its settings in order, names in lower case, quotes resolved.
    pub settings: Vec<(Located<String>, Located<String>)>,
    /// The files that `include` and `include_if_exists` bring in, and the folders of `include_dir`, in order.
    pub includes: Vec<Include>,
}

/// What brings in more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// A path, seen from the file's folder.
    pub path: Located<String>,
    /// Whether it is a folder, of which each `*.conf` is read.
    pub is_folder: bool,
}

impl Configuration {
    /// The setting of this name that holds, as far as this file goes.
    pub fn last(&self, name: &str) -> Option<&(Located<String>, Located<String>)> {
        self.settings.iter().rfind(|(own, _)| own.value == name)
    }
}

/// Reads a configuration; a line that PostgreSQL refuses is passed over.
pub fn parse(text: &str) -> Configuration {
    let mut read = Configuration::default();
    for (start, line) in lines(text) {
        let Some((name, value)) = setting(line, start) else { continue };
        let is_folder = name.value == "include_dir";
        match name.value.as_str() {
            "include" | "include_if_exists" | "include_dir" => read.includes.push(Include { path: value, is_folder }),
            _ => read.settings.push((name, value)),
        }
    }
    read
}

/// The name and the value of a line; `None` for one that is empty, a comment or refused.
fn setting(line: &str, start: usize) -> Option<(Located<String>, Located<String>)> {
    let from = line.len() - line.trim_start().len();
    let code = &line[from..];
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
    let end = code.find(|c| !is_name(c)).unwrap_or(code.len());
    let name = &code[..end];
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return None;
    }
    let name_span = Span::new(start + from, start + from + end);
    let mut rest = code[end..].trim_start();
    rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let at = start + line.len() - rest.len();
    let (value, length) = match rest.strip_prefix('\'') {
        Some(quoted) => quoted_text(quoted).map(|(value, length)| (value, length + 1))?,
        None => {
            let length = rest.find(|c: char| c.is_whitespace() || matches!(c, '#' | '\'' | '=')).unwrap_or(rest.len());
            (rest[..length].to_owned(), length)
        }
    };
    let after = rest[length..].trim_start();
    let is_whole = length > 0 && (after.is_empty() || after.starts_with('#'));
    is_whole.then(|| (Located::new(name.to_lowercase(), name_span), Located::new(value, Span::new(at, at + length))))
}

/// A text up to its closing quote, and how long it is with it: `''` and `\'` are quotes in it.
fn quoted_text(text: &str) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            '\'' if letters.next_if(|(_, next)| *next == '\'').is_some() => value.push('\''),
            '\'' => return Some((value, at + 1)),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(text: &str) -> Vec<(String, String)> {
        let pairs = parse(text).settings.into_iter();
        pairs.map(|(name, value)| (name.value, value.value)).collect()
    }

    #[test]
    fn a_setting_has_an_equals_sign_or_none() {
        let text = "# comment\nmax_connections = 200\t# (change requires restart)\nPort 5433\nlisten_addresses='*'\n\
                    a.b = 'it''s'\nshared_buffers = 128MB#x\n";
        let pairs = [("max_connections", "200"), ("port", "5433"), ("listen_addresses", "*"), ("a.b", "it's")];
        let expected = pairs.into_iter().chain([("shared_buffers", "128MB")]);
        assert_eq!(said(text), expected.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>());
    }

    #[test]
    fn the_last_of_a_name_holds_and_more_may_be_brought_in() {
        let text = "max_connections = 100\ninclude_dir = 'conf.d'\nmax_connections = 300\ninclude 'x.conf'\n";
        let read = parse(text);
        assert_eq!(read.last("max_connections").map(|(_, value)| value.span.of(text)), Some("300"));
        let includes: Vec<_> = read.includes.iter().map(|one| (one.path.value.as_str(), one.is_folder)).collect();
        assert_eq!(includes, [("conf.d", true), ("x.conf", false)]);
    }

    #[test]
    fn what_is_refused_says_nothing() {
        assert!(said("max_connections =\n= 5\nport 1 2\nname = 'open\n<%= x %>\n5 = 6\n").is_empty());
    }

    proptest! {
        #[test]
        fn every_text_is_read(text in "[a-z_='\\\\# \n\u{e9}0-9]{0,80}") {
            for (name, value) in parse(&text).settings {
                prop_assert!(text.get(name.span.range()).is_some() && text.get(value.span.range()).is_some());
            }
        }
    }
}
