//! What only login shells give: variables that a person sees after `ssh` and that a job never gets.

use crate::source::Place;
use crate::stack::document::Document;
use crate::stack::env::EnvValue;
use crate::stack::fact::{Answer, Fact};
use crate::syntax::shell;

/// The variables that a file read by login shells exports, keyed `login-shell`.
///
/// `user` is the one whose home it lies in, absent where every login reads it.
pub fn login_shell(document: &Document) -> Vec<EnvValue> {
    let text = document.text();
    let is_environment = document.path.ends_with("etc/environment");
    let assignments = if is_environment { shell::environment_file(text) } else { shell::assignments(text) };
    assignments.into_iter().filter(|one| one.exported).map(|one| value(document, &one)).collect()
}

fn value(document: &Document, one: &shell::Assignment) -> EnvValue {
    let place: Place = document.place(one.name.span.to(one.value.span));
    let mut row = EnvValue::at(place);
    row.key = "login-shell".to_owned();
    row.name = document.fact(one.name.span, &one.name.value).at(place);
    row.path = Fact::read(document.path.clone(), place);
    row.empty = document.fact(one.value.span, &one.value.value).map(|value| value.is_empty());
    row.user = match owner(&document.path) {
        Some(user) => Fact::read(user.to_owned(), place),
        None => Fact::absent(),
    };
    if let Answer::Known(name) = &row.name.answer {
        row.cure = Fact::derived(format!("env {name}=…"));
    }
    row
}

/// The user whose login reads the file, by where it lies; `None` where every login does.
fn owner(path: &str) -> Option<&str> {
    let path = path.trim_start_matches('/');
    let (folder, rest) = path.split_once('/')?;
    match folder {
        "home" => rest.split_once('/').map(|(user, _)| user),
        "root" => Some("root"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::{Origin, Sources};
    use crate::stack::document::Kind;

    fn rows(path: &str, text: &str) -> Vec<EnvValue> {
        let mut sources = Sources::default();
        let file = sources.add(path, text.as_bytes().to_vec(), Origin::File);
        login_shell(&Document::plain(file, path, Kind::LoginShell, sources.get(file).shared_text()))
    }

    #[test]
    fn users_come_from_the_path() {
        let text = "export DATABASE_URL=\"postgresql://a\"\nLOCAL=1\n";
        let row = rows("/home/ubuntu/.profile", text).remove(0);
        assert_eq!(row.user.known().map(String::as_str), Some("ubuntu"));
        assert_eq!(row.name.known().map(String::as_str), Some("DATABASE_URL"));
        assert_eq!(row.name.place.and_then(|place| place.span).unwrap().of(text), "DATABASE_URL=\"postgresql://a\"");
        assert_eq!(rows("root/.bashrc", text)[0].user.known().map(String::as_str), Some("root"));
        assert_eq!(rows("/etc/profile.d/a.sh", text)[0].user.answer, Answer::Absent);
        assert_eq!(rows("/etc/environment", text).len(), 2);
    }
}
