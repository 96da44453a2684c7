//! The known word that was probably meant.

use std::cell::Cell;

/// Longer words are not looked up: no name is as long, and the distance of two long ones takes long to count.
const LONGEST: usize = 200;

/// The candidate closest to `word`, where one is close enough to be worth naming; the first of equals.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = Letters::of(word);
    let allowed = letters.count / 3 + 1;
    if letters.count > LONGEST {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| letters.apart_from(candidate) <= allowed)
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How often each letter stands in a word. Two words are at least as far apart as the letters that one has more of, which is
/// found out in a fraction of the time that their distance takes.
struct Letters {
    count: usize,
    /// Letters that have a place in common count as one, which only makes words seem nearer.
    each: [i32; 32],
}

impl Letters {
    fn of(word: &str) -> Self {
        let mut each = [0; 32];
        word.chars().for_each(|letter| each[letter as usize % 32] += 1);
        Self { count: word.chars().count(), each }
    }

    /// The least distance that a word can have from this one.
    fn apart_from(&self, word: &str) -> usize {
        let length = word.chars().count();
        // The lengths alone tell most words apart.
        let by_length = length.abs_diff(self.count);
        if by_length > self.count / 3 + 1 {
            return by_length;
        }
        let mut left = self.each;
        word.chars().for_each(|letter| left[letter as usize % 32] -= 1);
        let lacking: i32 = left.into_iter().filter(|more| *more > 0).sum();
        usize::try_from(lacking).unwrap_or_default().max(by_length)
    }
}

/// How many steps are left, such as comparisons for looking what was meant: thousands of misspelt names beside thousands of
/// others were written by no hand, and would take minutes.
#[derive(Debug)]
pub struct Patience(Cell<usize>);

impl Default for Patience {
    fn default() -> Self {
        Self::of(COMPARISONS)
    }
}

/// What takes about a second where the names are all alike, and is far more than the slips of one configuration need.
const COMPARISONS: usize = 300_000;

impl Patience {
    /// For so many steps.
    pub fn of(steps: usize) -> Self {
        Self(Cell::new(steps))
    }

    /// Whether so many more may be made; then they are taken off.
    pub fn allows(&self, steps: usize) -> bool {
        let left = self.0.get().checked_sub(steps);
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
        assert_eq!(nearest(&"a".repeat(LONGEST + 1), ["a".repeat(LONGEST).as_str()]), None);
    }

    #[test]
    fn letters_never_put_words_further_apart_than_they_are() {
        let words = [
            "",
            "server",
            "sever_name",
            "server_name",
            "sérver",
            "SERVER",
            "revres",
            "aaaa",
            "proxy_pass",
            "ssap_yxorp",
        ];
        for (one, other) in words.iter().flat_map(|one| words.iter().map(move |other| (one, other))) {
            let least = Letters::of(one).apart_from(other);
            assert!(least <= strsim::damerau_levenshtein(one, other), "{one} {other}: {least}");
        }
        assert_eq!(Letters::of("worker").apart_from("master"), 4);
    }

    #[test]
    fn patience_ends() {
        let patience = Patience::default();
        assert!(patience.allows(COMPARISONS - 1) && patience.allows(1) && !patience.allows(1));
        assert!(Patience::default().allows(0) && !Patience::default().allows(usize::MAX));
    }
}
