//! pgbouncer's configuration, as far as it says where a database leads: `name = host=… port=… dbname=…` below `[databases]`
//! (pgbouncer: `src/loader.c`, libusual's `cfparser.c`).

use crate::source::{Located, Span};
use crate::syntax::log::lines;

/// What a configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pgbouncer {
    /// The databases that it offers, each with its connection string; `*` stands for every other.
    pub databases: Vec<(Located<String>, Located<String>)>,
    /// The port that it listens on, where that is a number.
    pub listen_port: Option<u16>,
    /// `max_client_conn`
    pub max_clients: Option<Located<String>>,
    /// Whether `listen_port` is there, a number or not.
    names_port: bool,
    /// Whether it brings in another file, which may say more.
    pub includes: bool,
}

impl Pgbouncer {
    /// The entry of a database.
    pub fn entry(&self, database: &str) -> Option<&(Located<String>, Located<String>)> {
        let of = |wanted: &str| self.databases.iter().find(|(name, _)| name.value == wanted);
        of(database).or_else(|| of("*"))
    }

    /// The port that it listens on, `default` where it names none; `None` where what it names is no number.
    pub fn listens_at(&self, default: u16) -> Option<u16> {
        if self.names_port { self.listen_port } else { Some(default) }
    }
}

/// Reads a configuration; what is not of the form is passed over.
pub fn parse(text: &str) -> Pgbouncer {
    let mut read = Pgbouncer::default();
    let mut section = "";
    for (start, line) in lines(text) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with([';', '#']) {
            continue;
        }
        if trimmed.starts_with("%include") {
            read.includes = true;
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim();
            continue;
        }
        let Some((name, value)) = line.split_once('=') else { continue };
        match section {
            "databases" => {
                let after = start + name.len() + 1;
                read.databases.push((located(name, start).unquoted(), located(value, after)));
            }
            "pgbouncer" => match name.trim() {
                "listen_port" => {
                    read.names_port = true;
                    read.listen_port = value.trim().parse().ok();
                }
                "max_client_conn" => read.max_clients = Some(located(value, start + name.len() + 1)),
                _ => {}
            },
            _ => {}
        }
    }
    read
}

/// A part of a line without the blanks around it.
fn located(part: &str, start: usize) -> Located<String> {
    let before = part.len() - part.trim_start().len();
    let word = part.trim();
    Located::new(word.to_owned(), Span::new(start + before, start + before + word.len()))
}

trait Unquoted {
    fn unquoted(self) -> Self;
}

impl Unquoted for Located<String> {
    fn unquoted(self) -> Self {
        Located { value: self.value.trim_matches('"').to_owned(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_entry_leads_to_a_server() {
        let text = "; the shop\n[databases]\nshop = host=10.0.0.5 port=5433\n\"other\" = dbname=o\n* = host=db\n[pgbouncer]\nlisten_port = 6432\nmax_client_conn = 200\n";
        let read = parse(text);
        let (name, string) = read.entry("shop").unwrap_or_else(|| unreachable!());
        assert_eq!((name.value.as_str(), string.value.as_str()), ("shop", "host=10.0.0.5 port=5433"));
        assert_eq!(string.span.of(text), "host=10.0.0.5 port=5433");
        assert_eq!(read.entry("other").map(|(_, string)| string.value.as_str()), Some("dbname=o"));
        assert_eq!(read.entry("any").map(|(_, string)| string.value.as_str()), Some("host=db"));
        assert_eq!((read.listen_port, read.includes), (Some(6432), false));
        assert_eq!(read.max_clients.as_ref().map(|value| value.span.of(text)), Some("200"));
        assert_eq!(parse("[pgbouncer]\nlisten_port = %x\n").listens_at(6432), None);
        assert_eq!(parse("").listens_at(6432), Some(6432));
    }

    proptest! {
        #[test]
        fn every_text_is_read(text in "[\\[\\]a-z=%;#\"* \n\u{e9}]{0,80}") {
            for (name, string) in parse(&text).databases {
                prop_assert!(text.contains(name.value.as_str()) && string.span.of(&text) == string.value);
            }
        }
    }
}
