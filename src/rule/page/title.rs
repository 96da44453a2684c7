//! What the title of a page must be like: it stands alone in lists, and in the middle of sentences.

use toml::Spanned;

use super::Fault;

/// Says what is wrong with a title, if anything is.
pub(super) fn check(title: &Spanned<String>, prose: &str) -> Result<(), Fault> {
    let text = title.get_ref();
    let problem = match text {
        _ if text.trim().is_empty() => "is empty",
        _ if text.chars().count() > 72 => "is longer than 72 columns",
        _ if text.ends_with('.') => "ends in a full stop",
        _ if text.starts_with(char::is_uppercase) && !begins_with_a_name(text, prose) => "begins with a capital",
        _ => return Ok(()),
    };
    Err((Some(title.span()), format!("the title {problem}: name the fault in lower case, in one short line")))
}

/// Whether the first word is one that keeps its capital: an acronym, or written so in the middle of a sentence below.
fn begins_with_a_name(title: &str, prose: &str) -> bool {
    let bare = |word: &'_ str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let Some(first) = title.split_whitespace().next().map(|word| bare(word.trim_end_matches("'s"))) else {
        return false;
    };
    let words: Vec<&str> = prose.split_whitespace().collect();
    let within_sentence = |pair: &[&str]| {
        !pair[0].ends_with(['.', ':', '!', '?']) && bare(pair[1].split('\'').next().unwrap_or(pair[1])) == first
    };
    first.chars().skip(1).any(char::is_uppercase) || words.windows(2).any(within_sentence)
}
