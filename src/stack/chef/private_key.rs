//! Private keys that were committed with the cookbooks.

use crate::rows;
use crate::source::{Place, Span};
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::tree::Tree;
use crate::stack::fact::Fact;

rows! {
    #[doc = "one private key that lies in the repository"]
    pub struct PrivateKey in "private_keys" {
        #[doc = "the file it lies in"]
        path: String,
        #[doc = "what kind of key its first line says it is, such as `RSA`; absent where it does not say"]
        sort: String,
        #[doc = "whether a passphrase protects it"]
        encrypted: bool,
    }
}

const OPENING: &str = "-----BEGIN ";
const CLOSING: &str = "PRIVATE KEY-----";
/// A line of base64 that is as long as this belongs to a key, not to the picture of one.
const ENOUGH: usize = 40;

/// A row for each file of the root with a private key in it, its tests and what is vendored left out.
pub fn keys(root: &Root, tree: &Tree<'_>) -> Vec<PrivateKey> {
    let own = tree.under(&root.folder).filter(|file| !root.is_context(file.path));
    let found = own.filter_map(|file| {
        let (span, sort) = first_key(file.text)?;
        let place = Place::at(file.file, span);
        let rest = file.text.get(span.range().end..).unwrap_or_default();
        let encrypted = sort.contains("ENCRYPTED") || rest.lines().take(3).any(|line| line.contains("ENCRYPTED"));
        let mut row = PrivateKey::at(place);
        row.path = Fact::derived(file.path.to_owned());
        row.sort = if sort.is_empty() { Fact::absent() } else { Fact::read(sort, place) };
        row.encrypted = Fact::derived(encrypted);
        Some(row)
    });
    found.collect()
}

/// The first line of a key, and its sort. Quoted in Ruby or JSON, `\n` may stand for the ends of lines.
fn first_key(text: &str) -> Option<(Span, String)> {
    text.match_indices(OPENING).find_map(|(at, _)| {
        let line = text[at..].split(['\n', '\\']).next()?;
        let sort = line.strip_prefix(OPENING)?.split_once(CLOSING)?.0.trim().to_owned();
        let end = at + line.find(CLOSING)? + CLOSING.len();
        let body = text[end..].split("-----END").next()?;
        let longest = body.split(|character: char| !is_base64(character)).map(str::len).max()?;
        (longest >= ENOUGH && sort.len() <= 20).then(|| (Span::new(at, end), sort))
    })
}

fn is_base64(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=')
}

#[cfg(test)]
mod tests {
    use super::first_key;

    #[test]
    fn keys_and_pictures_of_keys() {
        let body = "MIIEpAIBAAKCAQEA7bq0example0example0example0example0example0";
        let sorts = |text: String| first_key(&text).map(|(_, sort)| sort);
        let end = "-----END RSA PRIVATE KEY-----";
        assert_eq!(sorts(format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n{end}\n")).as_deref(), Some("RSA"));
        assert_eq!(sorts(format!("key = \"-----BEGIN PRIVATE KEY-----\\n{body}\\n{end}\"")).as_deref(), Some(""));
        assert_eq!(sorts(format!("-----BEGIN RSA PRIVATE KEY-----\n...\n{end}\n")), None);
        assert_eq!(sorts(format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_searched(pieces in proptest::collection::vec(".{0,12}|[-@.a-z ='\"#<%>\n]{0,12}", 0..12)) {
            let text = pieces.concat();
            let _ = (first_key(&text), first_key(&format!("-----BEGIN {text}PRIVATE KEY-----{text}")));
        }
    }
}
