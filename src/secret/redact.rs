//! Secrets replaced by others of the same shape: who judges a text by the shape of a secret judges the new text alike.

use std::collections::BTreeMap;
use std::ops::Range;

/// The secrets that were replaced so far: equal ones get equal stand-ins, different ones different stand-ins as far as
/// their letters and digits allow.
#[derive(Debug, Default)]
pub struct StandIns {
    numbers: BTreeMap<String, usize>,
}

impl StandIns {
    /// What stands for `secret`: as long, with the same special characters at the same places, letters for letters and
    /// digits for digits.
    pub fn of(&mut self, secret: &str) -> String {
        let next = self.numbers.len();
        let number = *self.numbers.entry(secret.to_owned()).or_insert(next);
        stand_in(secret, number)
    }
}

/// What the letters of every stand-in say, so that a reader sees what it is.
const LETTERS: &[u8] = b"redacted";

/// The last letters and digits carry the number, which tells two secrets of one shape apart.
fn stand_in(secret: &str, number: usize) -> String {
    let kept = escapes(secret);
    let mut letter = 0;
    let mut shaped: Vec<(usize, char)> = Vec::with_capacity(secret.len());
    for (at, character) in secret.char_indices() {
        let shown = match character {
            _ if kept.binary_search(&at).is_ok() => character,
            'a'..='z' | 'A'..='Z' => {
                letter += 1;
                let plain = char::from(LETTERS[(letter - 1) % LETTERS.len()]);
                if character.is_ascii_uppercase() { plain.to_ascii_uppercase() } else { plain }
            }
            '0'..='9' => '0',
            _ => of_equal_length(character),
        };
        shaped.push((at, shown));
    }
    let mut rest = number;
    for (at, character) in shaped.iter_mut().rev().filter(|(at, _)| kept.binary_search(at).is_err()) {
        debug_assert!(*at < secret.len());
        let (first, size) = match character {
            'a'..='z' => (b'a', 26),
            'A'..='Z' => (b'A', 26),
            '0'..='9' => (b'0', 10),
            _ => continue,
        };
        let value = (usize::from(*character as u8 - first) + rest) % size;
        rest /= size;
        *character = char::from(first + u8::try_from(value).unwrap_or(0));
    }
    shaped.into_iter().map(|(_, character)| character).collect()
}

/// Where letters and digits belong to an escape, which is a special character: `%40`, `\n`.
fn escapes(secret: &str) -> Vec<usize> {
    let bytes = secret.as_bytes();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let is_hex = |offset: usize| bytes.get(at + offset).is_some_and(u8::is_ascii_hexdigit);
        match bytes[at] {
            b'%' if is_hex(1) && is_hex(2) => {
                kept.extend([at + 1, at + 2]);
                at += 3;
            }
            b'\\' => {
                kept.push(at + 1);
                at += 2;
            }
            _ => at += 1,
        }
    }
    kept
}

/// Special characters of ASCII stay; any other character becomes one of as many bytes.
fn of_equal_length(character: char) -> char {
    match character.len_utf8() {
        1 => character,
        2 => '\u{f8}',
        3 => '\u{4e00}',
        _ => '\u{1f512}',
    }
}

/// Ranges that cover all of `literals` and `shapes` without an overlap. A literal stays in one piece, so that it gets
/// one stand-in wherever it stands.
pub(super) fn pieces(mut literals: Vec<Range<usize>>, mut shapes: Vec<Range<usize>>) -> Vec<Range<usize>> {
    literals.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut taken: Vec<Range<usize>> = Vec::new();
    for range in literals {
        let from = taken.last().map_or(range.start, |last| range.start.max(last.end));
        if from < range.end {
            taken.push(from..range.end);
        }
    }
    shapes.sort_by_key(|range| range.start);
    let mut all = Vec::new();
    let mut covered = 0;
    for range in shapes {
        let mut from = range.start.max(covered);
        covered = covered.max(range.end);
        let first = taken.partition_point(|literal| literal.end <= from);
        for literal in taken[first..].iter().take_while(|literal| literal.start < range.end) {
            if from < literal.start {
                all.push(from..literal.start);
            }
            from = from.max(literal.end);
        }
        if from < range.end {
            all.push(from..range.end);
        }
    }
    all.extend(taken);
    all.sort_by_key(|range| range.start);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_keeps_the_shape() {
        let mut stand_ins = StandIns::default();
        assert_eq!(stand_ins.of("owl-Feather-93"), "red-Actedre-00");
        assert_eq!(stand_ins.of("p%40ss/w\\n"), "r%40ed/a\\n".replace('a', "b"));
        assert_eq!(stand_ins.of("owl-Feather-93"), "red-Actedre-00");
        assert_eq!(stand_ins.of("own-Feather-94"), "red-Actedre-02");
        assert_eq!(stand_ins.of("h\u{e9}\u{1f600}!"), "u\u{f8}\u{1f512}!");
        assert_eq!(stand_ins.of(""), "");
    }

    #[test]
    fn pieces_cover_everything_once() {
        assert_eq!(pieces(vec![4..8, 6..10], vec![0..5, 2..12]), [0..4, 4..8, 8..10, 10..12]);
        assert_eq!(pieces(vec![], vec![3..4, 1..2, 1..3]), [1..2, 2..3, 3..4]);
        assert_eq!(pieces(vec![5..6, 1..2], vec![]), [1..2, 5..6]);
    }
}
