//! What a log or an error message means: the pages whose texts it holds, the likeliest first.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Label;
use crate::rule::page::Page;
use crate::rule::seen::Signatures;
use crate::source::{FileId, Place, Sources};

/// uWSGI writes its texts for every import that fails: where another line says why, that is the answer.
const SAYS_ONLY_THAT: &str = "import/callable-not-found";

/// One page that a log leads to.
#[derive(Debug, Clone)]
pub struct Lead<'p> {
    /// The page.
    pub page: &'p Page,
    /// The first line for each of the page's texts that the log holds, in their order, with how often it stands there.
    pub lines: Vec<Label>,
    /// How many lines lead here.
    pub times: usize,
    /// How much speaks for it: the pages that a line could lead to share it, each as far as its text tells.
    weight: f64,
}

/// The pages whose `seen` texts stand in `log`, the likeliest first; none where no page knows any of its lines.
///
/// # Errors
/// Where the pages hold more texts than can be looked for at once, in one sentence.
pub fn leads<'p>(log: FileId, sources: &Sources, pages: &'p [Page]) -> Result<Vec<Lead<'p>>, String> {
    let signatures = Signatures::of(pages).map_err(|_| "the rule pages hold too many `seen` texts".to_owned())?;
    let mut found: BTreeMap<&str, Gathered<'p>> = BTreeMap::new();
    let mut start = 0;
    for line in sources.text(log).split_inclusive('\n') {
        let here = signatures.in_line(line);
        let told: usize = here.iter().map(|(signature, _)| signature.telling()).sum();
        let mut counted: BTreeSet<&str> = BTreeSet::new();
        for (signature, span) in here {
            let id = signature.page.id.as_str();
            let gathered = found.entry(id).or_insert_with(|| Gathered::new(signature.page));
            let text = gathered.texts.entry(signature.text).or_insert_with(|| {
                // Only the first line of a text weighs: a thousand requests that failed alike are one symptom.
                gathered.weight += share(signature.telling(), told);
                Occurrences { first: Place::at(log, span.shift(start)), times: 0 }
            });
            text.times += 1;
            gathered.times += usize::from(counted.insert(id));
        }
        start += line.len();
    }
    let mut leads: Vec<Lead<'p>> = found.into_values().map(Gathered::lead).collect();
    let says_why = |lead: &Lead<'_>| lead.page.hop.as_deref() == Some("app-import") && lead.page.id != SAYS_ONLY_THAT;
    if leads.iter().any(says_why) {
        leads.iter_mut().filter(|lead| lead.page.id == SAYS_ONLY_THAT).for_each(|lead| lead.weight = 0.0);
    }
    leads.sort_by(|a, b| {
        let severity = b.page.severity.cmp(&a.page.severity);
        b.weight.total_cmp(&a.weight).then(severity).then_with(|| a.page.id.cmp(&b.page.id))
    });
    Ok(leads)
}

/// The part that one of several texts has of a line.
fn share(telling: usize, of: usize) -> f64 {
    let number = |length: usize| f64::from(u32::try_from(length).unwrap_or(u32::MAX));
    number(telling) / number(of.max(1))
}

struct Gathered<'p> {
    page: &'p Page,
    texts: BTreeMap<&'p str, Occurrences>,
    times: usize,
    weight: f64,
}

struct Occurrences {
    first: Place,
    times: usize,
}

impl<'p> Gathered<'p> {
    fn new(page: &'p Page) -> Self {
        Self { page, texts: BTreeMap::new(), times: 0, weight: 0.0 }
    }

    fn lead(self) -> Lead<'p> {
        let mut lines: Vec<Label> = self
            .texts
            .into_values()
            .map(|text| Label {
                place: text.first,
                text: if text.times > 1 { format!("{} lines like this", text.times) } else { String::new() },
            })
            .collect();
        lines.sort_by_key(|label| label.place);
        lines.dedup_by_key(|label| label.place);
        Lead { page: self.page, lines, times: self.times, weight: self.weight }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    mod known;
    mod lines;

    use super::*;
    use crate::source::Origin;

    fn page(id: &str, seen: &[&str]) -> Page {
        let keys = "title = \"t\"\nseverity = \"error\"\neffect = \"broken\"\nconfidence = \"likely\"\n";
        Page::parse(id, &format!("+++\n{keys}seen = {seen:?}\n+++\nWhy.\n")).unwrap()
    }

    #[test]
    fn a_line_that_only_one_page_knows_outweighs_many_that_all_know() {
        let pages = [
            page("a/common", &["closed connection"]),
            page("b/common", &["closed connection"]),
            page("c/sure", &["closed connection", "bad record mac"]),
        ];
        let mut sources = Sources::default();
        let log = "closed connection\nclosed connection\nx\nSSL: bad record mac\n";
        let log = sources.add("log", log.as_bytes().to_vec(), Origin::Probe);
        let leads = leads(log, &sources, &pages).unwrap();
        let ids: Vec<_> = leads.iter().map(|lead| (lead.page.id.as_str(), lead.times)).collect();
        assert_eq!(ids, [("c/sure", 3), ("a/common", 2), ("b/common", 2)]);
        let words: Vec<_> = leads[0].lines.iter().map(|label| label.text.as_str()).collect();
        assert_eq!(words, ["2 lines like this", ""]);
    }

    #[test]
    fn what_no_page_knows_leads_nowhere() {
        let mut sources = Sources::default();
        let log = sources.add("log", b"all is well\n".to_vec(), Origin::Probe);
        assert!(leads(log, &sources, &[page("a/b", &["closed"])]).unwrap().is_empty());
    }
}
