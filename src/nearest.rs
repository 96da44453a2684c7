//! The known word that was probably meant.

use std::cell::Cell;

/// The candidate closest to `word`, where one is close enough to be worth naming; the first of equals.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let allowed = length / 3 + 1;
    candidates
        .into_iter()
        // Words are at least as far apart as their lengths.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= allowed)
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many comparisons are left for looking what was meant: thousands of misspelt names beside thousands of others were
/// written by no hand, and would take minutes.
#[derive(Debug)]
pub struct Patience(Cell<usize>);

impl Default for Patience {
    fn default() -> Self {
        Self(Cell::new(1_000_000))
    }
}

impl Patience {
    /// Whether `comparisons` more may be made; then they are taken off.
    pub fn allows(&self, comparisons: usize) -> bool {
        let left = self.0.get().checked_sub(comparisons);
        self.0.set(left.unwrap_or_default());
        left.is_some()
    }
}

/// The candidate that `word` is a slip of: a letter or two in a long word, another sign between its parts.
pub fn slip<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = if word.chars().count() >= 9 { 2 } else { 1 };
    let plain = |word: &str| word.replace(['-', '_', '.'], "").to_ascii_lowercase();
    let digits = |word: &str| word.chars().filter(char::is_ascii_digit).collect::<String>();
    let this = plain(word);
    candidates
        .into_iter()
        // `web1` and `web2` are two things.
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= allowed + 2 && *candidate != word)
        .filter(|candidate| digits(candidate) == digits(word))
        .map(|candidate| (strsim::damerau_levenshtein(&this, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean …?` where a candidate is close to `word`, else nothing.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |candidate| format!("; did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_only() {
        assert_eq!(nearest("worker", ["master", "workers", "uid"]), Some("workers"));
        assert_eq!(nearest("lazy_app", ["workers", "uid"]), None);
        assert_eq!(did_you_mean("uwgsi", ["uwsgi"]), "; did you mean `uwsgi`?");
    }

    #[test]
    fn patience_ends() {
        let patience = Patience::default();
        assert!(patience.allows(999_999) && patience.allows(1) && !patience.allows(1));
        assert!(Patience::default().allows(0) && !Patience::default().allows(usize::MAX));
    }
}
