//! libpq's password file: `host:port:database:user:password`, the first line that fits (fe-connect.c: `passwordFromFile`).

use crate::syntax::conninfo::Secret;

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Host, port, database and user; `*` fits all.
    pub wanted: [String; 4],
    /// The password.
    pub password: Secret,
}

/// Reads every line that has all fields; `\` keeps the character after it.
pub fn parse(text: &str) -> Vec<Entry> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(entry).collect()
}

fn entry(line: &str) -> Option<Entry> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => fields.last_mut()?.extend(letters.next()),
            // The password keeps its colons only where they are escaped; what comes after a fifth field is left out.
            ':' => fields.push(String::new()),
            other => fields.last_mut()?.push(other),
        }
    }
    let [host, port, database, user, password, ..] = <[String; 5]>::try_from(fields.get(..5)?.to_vec()).ok()?;
    Some(Entry { wanted: [host, port, database, user], password: Secret::new(password) })
}

/// The password of the first line that fits.
pub fn password<'e>(entries: &'e [Entry], host: &str, port: u16, database: &str, user: &str) -> Option<&'e Secret> {
    let port = port.to_string();
    let given = [host, &port, database, user];
    let fits = |entry: &&Entry| entry.wanted.iter().zip(given).all(|(wanted, given)| wanted == "*" || wanted == given);
    entries.iter().find(fits).map(|entry| &entry.password)
}

/// Where the password of a line stands in it, as written.
pub fn password_at(line: &str) -> Option<usize> {
    let mut escaped = false;
    let colons = line.bytes().enumerate().filter(|(_, byte)| {
        let is_colon = *byte == b':' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        is_colon
    });
    let fourth = colons.map(|(at, _)| at).nth(3)?;
    (!line.starts_with('#')).then_some(fourth + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        let entries = parse("# of the shop\ndb:5432:shop:shop:one\\:two\n*:*:*:shop:three\nbroken:line\n");
        let found = |host: &str, user: &str| password(&entries, host, 5432, "shop", user).map(Secret::reveal);
        assert_eq!(found("db", "shop"), Some("one:two"));
        assert_eq!(found("other", "shop"), Some("three"));
        assert_eq!(found("db", "nobody"), None);
        assert_eq!(password_at("d\\:b:5432:shop:shop:one"), Some(20));
    }

    proptest! {
        #[test]
        fn every_text_is_read(text in "[a:\\\\#*\n\u{e9}]{0,60}") {
            let _ = parse(&text);
            for line in text.lines() {
                prop_assert!(password_at(line).is_none_or(|at| line.get(at..).is_some()));
            }
        }
    }
}
