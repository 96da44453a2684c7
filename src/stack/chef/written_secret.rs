//! Secrets that stand in attribute files, recipes, roles and environments.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::rows;
use crate::secret;
use crate::source::{Place, Span};
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::tree::{RepoFile, Tree, base, join, parent};
use crate::stack::fact::Fact;
use crate::syntax::ruby::{self, Expr, Kind, Part};

rows! {
    #[doc = "one secret that stands in an attribute file, a recipe, a role or an environment"]
    pub struct WrittenSecret in "written_secrets" {
        #[doc = "the file"]
        path: String,
        #[doc = "the key or variable that it is the value of"]
        value_of: String,
        #[doc = "whether it is a word that everybody tries first, such as `admin`, or is meant to be replaced"]
        guessable: bool,
        #[doc = "the next place where the same secret stands; absent where it stands nowhere else"]
        again: String,
        #[doc = "at how many places it stands"]
        places: i64,
    }
}

/// Values that say themselves that they are none.
const STAND_INS: [&str; 14] = [
    "change", "example", "secret", "password", "your", "dummy", "test", "fake", "replace", "default", "xxx", "todo",
    "unset", "vagrant",
];

/// A text that is the value of a key.
struct Written {
    key: String,
    value: String,
    span: Span,
}

/// The last words of keys such as `password_format`, whose values are about a secret but are none.
const ABOUT: [&str; 14] = [
    "dialog",
    "format",
    "policy",
    "length",
    "type",
    "encoding",
    "algorithm",
    "scheme",
    "method",
    "mode",
    "prompt",
    "expiry",
    "backend",
    "provider",
];

/// A row for each secret in the root's own files, at the first place where it stands.
pub fn secrets(root: &Root, tree: &Tree<'_>) -> Vec<WrittenSecret> {
    let mut rows: Vec<WrittenSecret> = Vec::new();
    let mut first: BTreeMap<(String, Option<String>), usize> = BTreeMap::new();
    for (one, path, place) in written(root, tree) {
        let row = row(&one, path, place);
        // A stand-in is the same word for many secrets.
        let key = row.guessable.known().is_some_and(|guessable| *guessable).then_some(one.key);
        match first.entry((one.value, key)) {
            Entry::Vacant(entry) => {
                entry.insert(rows.len());
                rows.push(row);
            }
            Entry::Occupied(entry) => {
                let earlier = &mut rows[*entry.get()];
                if earlier.again.known().is_none() {
                    earlier.again = Fact::read(path.to_owned(), place);
                }
                earlier.places = Fact::derived(earlier.places.known().map_or(2, |places| places + 1));
            }
        }
    }
    rows
}

/// Each secret with its file and place, in the order of the files.
fn written<'a>(root: &'a Root, tree: &Tree<'a>) -> Vec<(Written, &'a str, Place)> {
    let mut found = Vec::new();
    for (path, file, program) in &root.programs {
        if !root.is_context(path) && matches!(base(parent(path)), "attributes" | "recipes") {
            let mut all = Vec::new();
            program.body.iter().for_each(|expr| of_ruby(expr, &mut all));
            found.extend(all.into_iter().map(|one| (path.as_str(), *file, one)));
        }
    }
    for part in ["roles", "environments"] {
        for file in tree.under(&join(&root.folder, part)) {
            let mut all = Vec::new();
            match file.path.rsplit_once('.') {
                Some((_, "rb")) => ruby::parse(file.text).tree.body.iter().for_each(|expr| of_ruby(expr, &mut all)),
                Some((_, "json")) => of_json(file, &mut all),
                _ => {}
            }
            found.extend(all.into_iter().map(|one| (file.path, file.file, one)));
        }
    }
    let secrets = found.into_iter().filter(|(.., one)| is_secret(one));
    secrets
        .map(|(path, file, one)| {
            let place = Place::at(file, one.span);
            (one, path, place)
        })
        .collect()
}

fn row(one: &Written, path: &str, place: Place) -> WrittenSecret {
    let mut row = WrittenSecret::at(place);
    row.path = Fact::derived(path.to_owned());
    row.value_of = Fact::read(one.key.clone(), place);
    let value = one.value.to_ascii_lowercase();
    let says_so = one.key.to_ascii_lowercase().contains(&value) || STAND_INS.iter().any(|word| value.contains(word));
    row.guessable = Fact::derived((value.len() < 6 || says_so) && !value.contains("://"));
    row.again = Fact::absent();
    row.places = Fact::derived(1);
    row
}

/// By the key that names it, or by its own shape: a password in an address, a key of a cloud.
fn is_secret(one: &Written) -> bool {
    let value = one.value.trim();
    // A digest such as `$6$…` is no password, a path or a sentence is none either.
    let is_other =
        value.len() < 4 || value.starts_with(['$', '/', '.', '<', '%', ':']) || value.contains(char::is_whitespace);
    let is_word = matches!(value, "true" | "false" | "none" | "null");
    let key = one.key.to_ascii_lowercase();
    let last = key.rsplit(['_', '-', '.']).next().unwrap_or_default();
    let is_named =
        secret::is_named_by(&one.key) && !ABOUT.contains(&last) && !is_other && !is_word && !value.contains("://");
    is_named || (value.contains("://") || value.starts_with("AKIA")) && !secret::spans(value).is_empty()
}

/// Each plain string that is assigned, or stands in a hash.
fn of_ruby(expr: &Expr, all: &mut Vec<Written>) {
    let mut take = |key: Option<String>, value: &Expr, span: Span| {
        let Kind::Text(parts) = &value.kind else { return };
        if let ([Part::Literal(text, _)], Some(key)) = (parts.as_slice(), key) {
            all.push(Written { key, value: text.clone(), span });
        }
    };
    match &expr.kind {
        Kind::Assign(assign) => take(last_key(&assign.target), &assign.value, expr.span),
        Kind::Hash(pairs) => {
            for (key, value) in pairs {
                take(key.literal(), value, key.span.to(value.span));
            }
        }
        _ => {}
    }
    expr.children().into_iter().for_each(|child| of_ruby(child, all));
}

/// `password` of `default['shop']['password']`, of a variable its name.
fn last_key(target: &Expr) -> Option<String> {
    match &target.kind {
        Kind::Local(name) => Some(name.clone()),
        Kind::Call(call) => match call.arguments.as_slice() {
            [key] if call.name == "[]" => key.literal(),
            [] => Some(call.name.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn of_json(file: &RepoFile<'_>, all: &mut Vec<Written>) {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(file.text) else { return };
    let mut open = vec![&json];
    while let Some(next) = open.pop() {
        match next {
            serde_json::Value::Object(pairs) => {
                for (key, value) in pairs {
                    open.push(value);
                    let Some(text) = value.as_str() else { continue };
                    let Some(at) = file.text.find(&format!("\"{text}\"")) else { continue };
                    let span = Span::new(at, at + text.len() + 2);
                    all.push(Written { key: key.clone(), value: text.to_owned(), span });
                }
            }
            serde_json::Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
}
