//! The texts of logs that lead to a page (`seen`), and where a log holds them.

use regex::RegexSet;

use crate::rule::page::Page;
use crate::source::Span;

/// Where a line holds a text, in which `…` stands for any run.
pub fn find(text: &str, line: &str) -> Option<Span> {
    let mut parts = parts(text);
    let first = parts.next()?;
    let start = line.find(first)?;
    let mut end = start + first.len();
    for part in parts {
        end += line[end..].find(part)? + part.len();
    }
    Some(Span::new(start, end))
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split('…').filter(|part| !part.trim().is_empty())
}

/// Every text of every page, ready to be looked for in many lines.
#[derive(Debug)]
pub struct Signatures<'p> {
    texts: Vec<Signature<'p>>,
    /// Matches the longest part of each text: a line is asked for all of them at once.
    telling: RegexSet,
}

/// One text of one page.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'p> {
    /// The page that it leads to.
    pub page: &'p Page,
    /// The text as the page writes it.
    pub text: &'p str,
}

impl Signature<'_> {
    /// How many bytes of a line the text settles: the more, the surer it leads to its page.
    pub fn telling(&self) -> usize {
        parts(self.text).map(str::len).sum()
    }
}

impl<'p> Signatures<'p> {
    /// The texts of these pages.
    ///
    /// # Errors
    /// Where there are more of them than one automaton holds.
    pub fn of(pages: impl IntoIterator<Item = &'p Page>) -> Result<Self, regex::Error> {
        let all = pages.into_iter().flat_map(|page| page.seen.iter().map(move |text| Signature { page, text }));
        let texts: Vec<Signature<'p>> = all.filter(|signature| parts(signature.text).next().is_some()).collect();
        let longest = |text: &str| parts(text).max_by_key(|part| part.len()).map(regex::escape).unwrap_or_default();
        let telling = RegexSet::new(texts.iter().map(|signature| longest(signature.text)))?;
        Ok(Self { texts, telling })
    }

    /// The texts that a line holds, with the part of the line that each covers.
    pub fn in_line(&self, line: &str) -> Vec<(Signature<'p>, Span)> {
        let near = self.telling.matches(line).into_iter().map(|at| self.texts[at]);
        near.filter_map(|signature| Some((signature, find(signature.text, line)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_text_with_gaps_is_found_in_a_line() {
        let line = "x: connect() to unix:/run/a.sock failed (13: Permission denied) while";
        let span = find("connect() to unix:… failed (13: Permission denied)", line);
        assert_eq!(span.map(|span| span.of(line).len()), Some(line.len() - "x: ".len() - " while".len()));
        assert_eq!(find("failed … connect()", line), None);
    }

    #[test]
    fn a_line_is_asked_for_all_texts_at_once() {
        let keys = "title = \"t\"\nseverity = \"error\"\neffect = \"broken\"\nconfidence = \"likely\"\n";
        let page = |id: &str, seen: &str| Page::parse(id, &format!("+++\n{keys}seen = [{seen}]\n+++\nWhy.\n")).unwrap();
        let pages = [page("a/one", "\"KeyError: '…'\", \"…\""), page("a/two", "\"no … found\"")];
        let signatures = Signatures::of(&pages).unwrap();
        let found = |line: &str| -> Vec<String> {
            signatures.in_line(line).into_iter().map(|(signature, _)| signature.page.id.clone()).collect()
        };
        assert_eq!(found("KeyError: 'A' and no module found"), ["a/one", "a/two"]);
        assert_eq!(found("found: no"), [""; 0]);
    }
}
