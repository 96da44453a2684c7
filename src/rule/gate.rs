//! What every rule page must show of itself: its examples raise it, or not, exactly as they say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::finding::{CannotTell, Edit, Finding};
use crate::rule::book::Rulebook;
use crate::rule::edit::applied;
use crate::rule::example::{Example, ExampleFile, Show};
use crate::rule::expr::GAP;
use crate::rule::judge::{NO_WORDS, judge};
use crate::rule::page::Page;
use crate::rule::{seen, suppress};
use crate::source::Sources;
use crate::stack::facts::Facts;

/// Reads the files of an example, by path, as a repository would be read; an error says why they cannot be.
pub type Read<'a> = dyn Fn(&[(String, Vec<u8>)]) -> Result<(Sources, Facts), String> + 'a;

/// One thing that is wrong with a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line of the page, from 1; `None` where it is the page as a whole.
    pub line: Option<usize>,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl Fault {
    fn at(line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), message: message.into() }
    }

    fn whole(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Everything that is wrong with a page; `rules` are all that it lives among.
pub fn check(page: &Page, rules: &Rulebook, read: &Read<'_>) -> Vec<Fault> {
    let mut faults = shape(page);
    if page.is_known_by_logs() {
        faults.extend(logs(page));
    }
    if page.is_without_facts() {
        return faults;
    }
    let mut examples: Vec<(&Example, Stack)> = Vec::new();
    let of_facts: Vec<&Example> =
        page.examples.iter().filter(|example| !(page.by_log && is_of_logs(example))).collect();
    for example in &of_facts {
        match Stack::of(files_of(&example.files), read) {
            Ok(stack) => examples.push((example, stack)),
            Err(why) => faults.push(Fault::at(example.line, format!("this example cannot be read: {why}"))),
        }
    }
    // What an unread example would have shown cannot be said to be missing.
    if examples.is_empty() || examples.len() < of_facts.len() {
        return faults;
    }
    for (example, stack) in &examples {
        let found = stack.judged(page, rules);
        let wrong = match example.show {
            Show::Bad => bad(page, example, stack, &found),
            Show::Good => good(stack, &found),
            Show::Fixed => Vec::new(),
        };
        faults.extend(wrong.into_iter().map(|fault| Fault::at(example.line, fault)));
    }
    faults.extend(page.examples.windows(2).filter_map(|pair| match pair {
        [bad, fixed] if bad.show == Show::Bad && fixed.show == Show::Fixed => cured(page, rules, bad, fixed, read),
        _ => None,
    }));
    faults.extend(idle_terms(page, rules, &examples));
    faults
}

/// What can be said of a page without reading its examples.
pub fn shape(page: &Page) -> Vec<Fault> {
    let mut faults = Vec::new();
    let shows = |show| page.examples.iter().filter(move |example| example.show == show);
    let marks = |example: &Example| example.files.iter().map(|file| file.faults.len()).sum::<usize>();
    let judged = page.each.is_some() || page.family() == "housecall";
    for (show, name) in [(Show::Bad, "Bad"), (Show::Good, "Good")] {
        if (judged || page.is_without_facts()) && shows(show).next().is_none() {
            faults.push(Fault::whole(format!("there is no example of it: ## {name}")));
        }
    }
    for bad in shows(Show::Bad).filter(|bad| marks(bad) == 0) {
        faults.push(Fault::at(bad.line, "no line is marked: put `# fault` above the line that is at fault"));
    }
    for good in shows(Show::Good).filter(|good| marks(good) > 0) {
        faults.push(Fault::at(good.line, "a good example has no fault to mark"));
    }
    let edits = page.fix.as_ref().is_some_and(|fix| fix.change.is_some());
    match (edits, shows(Show::Fixed).next()) {
        (true, None) => {
            faults.push(Fault::whole("the fix is an edit: show what it leaves, right after its Bad: ## Fixed"));
        }
        (false, Some(fixed)) => faults.push(Fault::at(fixed.line, "the page has no edit that could lead here")),
        _ => {}
    }
    for (at, fixed) in page.examples.iter().enumerate().filter(|(_, example)| example.show == Show::Fixed) {
        if at == 0 || page.examples[at - 1].show != Show::Bad {
            faults.push(Fault::at(fixed.line, "Fixed stands right after the Bad it cures"));
        }
    }
    faults
}

/// Whether an example shows nothing but logs.
fn is_of_logs(example: &Example) -> bool {
    example.files.iter().all(|file| file.path.ends_with(".log"))
}

/// What the logs of such a page show wrong: of a Bad one exactly the marked lines lead to it, of a Good one none does, and each
/// text is needed for one of them.
fn logs(page: &Page) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut led: Vec<String> = Vec::new();
    for example in page.examples.iter().filter(|example| !page.by_log || is_of_logs(example)) {
        for file in &example.files {
            for (line, number) in String::from_utf8_lossy(&file.bytes).lines().zip(1..) {
                let leads = page.seen.iter().any(|text| seen::find(text, line).is_some());
                let marked = file.faults.contains(&number);
                if leads != marked {
                    let says = if leads { "leads here and is not marked" } else { "is marked and does not lead here" };
                    faults.push(Fault::at(example.line, format!("{}, line {number} {says}", file.path)));
                }
                led.extend((leads && marked).then(|| line.to_owned()));
            }
        }
    }
    let without =
        |dropped: &String, line: &str| page.seen.iter().any(|text| text != dropped && seen::find(text, line).is_some());
    let idle = page.seen.iter().filter(|text| led.iter().all(|line| without(text, line)));
    faults.extend(idle.map(|text| Fault::whole(format!("no Bad log needs `{text}`: show one, or leave the text out"))));
    faults
}

/// An example as read.
struct Stack {
    sources: Sources,
    facts: Facts,
}

impl Stack {
    fn of(files: BTreeMap<String, Vec<u8>>, read: &Read<'_>) -> Result<Self, String> {
        let files: Vec<_> = files.into_iter().collect();
        let (sources, facts) = read(&files)?;
        Ok(Self { sources, facts })
    }

    /// What this page says here, comments heeded.
    fn judged(&self, page: &Page, rules: &Rulebook) -> (Vec<Finding>, Vec<CannotTell>) {
        let (findings, open) = judge(std::slice::from_ref(page), &self.facts, &self.sources);
        let mut findings = suppress::apply(findings, &open, rules, &self.sources);
        findings.retain(|finding| finding.rule == page.id);
        (findings, open)
    }

    /// Where the findings point: path and line, 0 for a file or folder as a whole.
    fn lines(&self, findings: &[Finding]) -> BTreeSet<(String, usize)> {
        let line = |finding: &Finding| {
            let source = self.sources.get(finding.primary.place.file);
            let line = finding.primary.place.span.map_or(0, |span| source.line_of(span.start));
            (source.name.trim_end_matches('/').to_owned(), line)
        };
        findings.iter().map(line).collect()
    }
}

fn files_of(files: &[ExampleFile]) -> BTreeMap<String, Vec<u8>> {
    files.iter().filter(|file| !file.is_folder()).map(|file| (file.path.clone(), file.bytes.clone())).collect()
}

fn bad(
    page: &Page,
    example: &Example,
    stack: &Stack,
    (findings, open): &(Vec<Finding>, Vec<CannotTell>),
) -> Vec<String> {
    let marked = |file: &ExampleFile| {
        let path = file.path.trim_end_matches('/').to_owned();
        file.faults.iter().map(move |line| (path.clone(), *line)).collect::<Vec<_>>()
    };
    let marked: BTreeSet<_> = example.files.iter().flat_map(marked).collect();
    let raised = stack.lines(findings);
    let lacking: Vec<&str> = open.iter().map(|question| &*question.missing.what).collect();
    let lacking = if lacking.is_empty() { String::new() } else { format!("; it lacks {}", lacking.join(", ")) };
    let silent = marked.difference(&raised).map(|(path, line)| format!("{path}:{line} does not raise it{lacking}"));
    let wrong = raised.difference(&marked).map(|(path, line)| format!("{path}:{line} raises it without a mark"));
    let messages = || findings.iter().map(|finding| &finding.message);
    let wordless = messages().filter(|message| message.contains(NO_WORDS)).cloned();
    let written = page.each.is_none() || page.cases.iter().any(|case| case.message.source().contains(GAP));
    let gaps = messages().filter(|message| !written && message.contains(GAP));
    let gaps = gaps.map(|message| format!("a fact in this message is not known here: {message}"));
    silent.chain(wrong).chain(wordless).chain(gaps).collect()
}

fn good(stack: &Stack, (findings, _): &(Vec<Finding>, Vec<CannotTell>)) -> Vec<String> {
    let raised = stack.lines(findings).into_iter().map(|(path, line)| format!("{path}:{line} raises it"));
    let refused = stack.facts.rows("problems", None).iter().map(|row| {
        let message = row.fact("message").and_then(|fact| fact.known().map(|message| format!("{message:?}")));
        format!("it holds something that is refused ({}): {}", row.key(), message.unwrap_or_default())
    });
    raised.chain(refused).collect()
}

/// Fixed is Bad with the fix applied, byte for byte (files it leaves out are as they were), and then clean.
fn cured(page: &Page, rules: &Rulebook, bad: &Example, fixed: &Example, read: &Read<'_>) -> Option<Fault> {
    let mut files = files_of(&bad.files);
    let stack = Stack::of(files.clone(), read).ok()?;
    let (findings, _) = stack.judged(page, rules);
    let edits: Vec<&Edit> =
        findings.iter().filter_map(|finding| finding.fix.as_ref()).flat_map(|fix| &fix.edits).collect();
    for (path, bytes) in &mut files {
        let file = stack.sources.by_name(path);
        let Some(edited) = applied(bytes, edits.iter().copied().filter(|edit| Some(edit.file) == file)) else {
            return Some(Fault::at(bad.line, format!("the edits of `{path}` overlap")));
        };
        *bytes = edited;
    }
    let mut shown = files_of(&bad.files);
    shown.extend(files_of(&fixed.files));
    for (path, bytes) in &shown {
        if files.get(path) != Some(bytes) {
            let edited = files.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
            return Some(Fault::at(fixed.line, format!("`{path}` is not what the fix leaves, which is:\n{edited}")));
        }
    }
    let stack = match Stack::of(files, read) {
        Ok(stack) => stack,
        Err(why) => return Some(Fault::at(fixed.line, format!("what the fix leaves cannot be read: {why}"))),
    };
    let (left, _) = stack.judged(page, rules);
    (!left.is_empty()).then(|| Fault::at(fixed.line, "the fix leaves the fault in place"))
}

/// Terms that no example needs: dropping one must raise the page in a good example, and one of a case must change something.
fn idle_terms(page: &Page, rules: &Rulebook, examples: &[(&Example, Stack)]) -> Vec<Fault> {
    let mut idle = Vec::new();
    for (at, term) in page.when.iter().enumerate() {
        let without = page.without_term(at);
        let mut goods = examples.iter().filter(|(example, _)| example.show == Show::Good);
        if !goods.any(|(_, stack)| !stack.judged(&without, rules).0.is_empty()) {
            idle.push(Fault::whole(format!(
                "`{}` decides nothing: add the good example that it keeps silent, or drop it",
                term.source()
            )));
        }
    }
    for (case_at, case) in page.cases.iter().enumerate() {
        for (at, term) in case.when.iter().enumerate() {
            let without = page.without_case_term(case_at, at);
            if examples.iter().all(|(_, stack)| stack.judged(&without, rules).0 == stack.judged(page, rules).0) {
                idle.push(Fault::whole(format!(
                    "`{}` of a case changes nothing in any example: show it, or drop it",
                    term.source()
                )));
            }
        }
    }
    idle
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use super::*;
    use crate::source::{Origin, Place, Span};
    use crate::stack::fact::Fact;
    use crate::stack::problem::Refusal;
    use crate::stack::uwsgi::Uwsgi;

    const PAGE: &str = "+++\ntitle = \"too many\"\nseverity = \"error\"\neffect = \"broken\"\nconfidence = \"likely\"\neach = \"uwsgi\"\n\
        when = [\"it.workers > 1\", \"not it.lazy_apps\"]\nat = \"it.workers\"\nmessage = \"{{ it.workers }} workers\"\n\
        fix = { title = \"load late\", safety = \"safe\", after = \"it.workers\", insert = \"lazy-apps = true\" }\n+++\nWhy.\n\n\
        ## Bad\n`u.ini`:\n```\n# fault\nprocesses = 4\n```\n\n\
        ## Fixed\n`u.ini`:\n```\n# fault\nprocesses = 4\nlazy-apps = true\n```\n\n\
        ## Good: one worker\n`u.ini`:\n```\nprocesses = 1\n```\n\n\
        ## Good: lazy\n`u.ini`:\n```\nprocesses = 2\nlazy-apps = true\n```\n";

    /// A reader just good enough for these examples.
    fn read(files: &[(String, Vec<u8>)]) -> Result<(Sources, Facts), String> {
        let (mut sources, mut facts) = (Sources::default(), Facts::default());
        for (path, bytes) in files {
            let file = sources.add(path.clone(), bytes.clone(), Origin::File);
            let text = sources.text(file);
            let place = |word: &str| text.find(word).map(|at| Place::at(file, Span::new(at, at + word.len())));
            let value = |name: &str| text.split(name).nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            let workers = value("processes = ").unwrap_or(1);
            facts.add(Arc::new(Uwsgi {
                workers: Fact::read(workers, place("processes").unwrap()),
                lazy_apps: Fact::derived(text.contains("\nlazy-apps = true")),
                ..Uwsgi::at(Place::whole(file))
            }));
            if let Some(place) = place("refused") {
                facts.add(Arc::new(Refusal { key: "x/y".into(), ..Refusal::at(place) }));
            }
        }
        Ok((sources, facts))
    }

    fn faults(from: &str, to: &str) -> String {
        assert!(PAGE.contains(from), "{from}");
        let page = Page::parse("uwsgi/x", &PAGE.replacen(from, to, 1)).unwrap();
        words(&check(&page, &Rulebook::of(vec![page.clone()]), &read))
    }

    fn words(faults: &[Fault]) -> String {
        faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_page_that_shows_what_it_says_passes() {
        assert_eq!(faults("Why", "Why"), "");
    }

    #[test]
    fn each_gate_can_fail() {
        assert!(
            faults("# fault\nprocesses = 4\n```\n\n## F", "processes = 4\n```\n\n## F").contains("no line is marked")
        );
        assert!(faults("# fault\nprocesses = 4", "# fault\n\nprocesses = 4").contains("u.ini:2 does not raise it"));
        assert!(
            faults("# fault\nprocesses = 4", "# fault\n\nprocesses = 4").contains("u.ini:3 raises it without a mark")
        );
        assert!(faults("processes = 1", "processes = 3").contains("u.ini:1 raises it"));
        assert!(faults("processes = 1", "processes = 1\nrefused").contains("refused (x/y)"));
        assert!(faults("4\nlazy-apps = true", "4\nlazy-apps = yes").contains("is not what the fix leaves"));
        let cure = "\n+++\nWhy.\n\n## Bad\n`u.ini`:\n```\n# fault\nprocesses = 4\n```\n\n## Fixed\n`u.ini`:\n```\n# fault\nprocesses = 4\n";
        let idle = |text: &str| text.replace("lazy-apps = true", "# cured");
        let from = format!("insert = \"lazy-apps = true\" }}{cure}lazy-apps = true");
        assert!(faults(&from, &idle(&from)).contains("the fix leaves the fault in place"));
        assert!(faults("## Fixed", "## Good").contains("## Fixed"));
        assert!(
            faults("\"not it.lazy_apps\"", "\"not it.lazy_apps\", \"it.workers > 0\"")
                .contains("`it.workers > 0` decides")
        );
        assert!(
            faults("\n+++\nWhy", "\n[[case]]\nwhen = \"it.workers > 0\"\n+++\nWhy")
                .contains("of a case changes nothing")
        );
        assert!(faults("{{ it.workers }}", "{{ it.workers | nosuch }}").contains("nosuch"));
        assert!(faults("{{ it.workers }}", "{{ it.module }}").contains("not known here: … workers"));
        let (bad, _) = PAGE.split_at(PAGE.find("## Good: one").unwrap());
        assert!(words(&shape(&Page::parse("uwsgi/x", bad).unwrap())).contains("## Good"));
    }

    #[test]
    fn an_example_that_cannot_be_read_is_a_fault_at_its_line() {
        let page = Page::parse("uwsgi/x", PAGE).unwrap();
        let faults = check(&page, &Rulebook::of(vec![page.clone()]), &|_| Err("no".to_owned()));
        assert_eq!(faults.len(), page.examples.len());
        assert_eq!(faults[0], Fault::at(page.examples[0].line, "this example cannot be read: no"));
    }

    #[test]
    fn the_pages_of_our_own_comments_show_what_they_say() {
        let rules = Rulebook::of(crate::rule::page::built_in().unwrap());
        let own: Vec<_> = rules.pages.iter().filter(|page| page.family() == "housecall").collect();
        assert_eq!(own.len(), 2);
        for page in own {
            assert_eq!(check(page, &rules, &nothing), Vec::<Fault>::new(), "{}", page.id);
        }
    }

    fn nothing(files: &[(String, Vec<u8>)]) -> Result<(Sources, Facts), String> {
        let mut sources = Sources::default();
        files.iter().for_each(|(path, bytes)| _ = sources.add(path.clone(), bytes.clone(), Origin::File));
        Ok((sources, Facts::default()))
    }
}
