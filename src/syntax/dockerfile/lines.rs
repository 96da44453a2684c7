//! The lines of a Dockerfile as its builder joins them (BuildKit: `frontend/dockerfile/parser/parser.go`).

use std::collections::VecDeque;

use crate::source::Span;

/// What stands in the joined text where a line goes on: a shell, too, takes it for nothing.
pub(super) const JOIN: &str = "\\\n";

/// A text whose lines are joined, of the same length, so that places stay true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Joined {
    /// Comments and empty lines inside of an instruction are blanks, and each line that goes on ends in [`JOIN`].
    pub text: String,
    /// The character that lets a line go on, and takes the meaning of the one behind it: `\`, or what `# escape=` says.
    pub escape: char,
    /// Each instruction, without the here-documents behind it.
    pub instructions: Vec<Span>,
}

/// Joins the lines of `text`.
pub(super) fn join(text: &str) -> Joined {
    let escape = escape(text);
    let mut bytes = text.as_bytes().to_vec();
    let mut instructions = Vec::new();
    let mut begun: Option<usize> = None;
    let mut here: VecDeque<HereDocument> = VecDeque::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let content = line.trim_end_matches(['\n', '\r']);
        if let Some(document) = here.front() {
            if document.ends_with(content) {
                here.pop_front();
            }
            continue;
        }
        let is_nothing = content.trim().is_empty() || content.trim_start().starts_with('#');
        if is_nothing {
            if begun.is_some() {
                blank(&mut bytes[start..at]);
            }
            continue;
        }
        let first = *begun.get_or_insert(start);
        let kept = content.trim_end();
        if goes_on(kept, escape) {
            blank(&mut bytes[start + kept.len() - 1..at]);
            if line.ends_with('\n') {
                continue;
            }
        }
        begun = None;
        let span = Span::new(first, start + content.len());
        here.extend(here_documents(span.of(text)));
        instructions.push(span);
    }
    // The last instruction ends in a line that goes on.
    instructions.extend(begun.map(|first| Span::new(first, text.len())));
    let text = String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned());
    Joined { text, escape, instructions }
}

/// Makes blanks of a line's end, and a mark that the next line belongs to it. A word that goes on behind a `\` with blanks after it
/// becomes two: the text keeps its length.
fn blank(line: &mut [u8]) {
    line.fill(b' ');
    if let [.., before, last] = line {
        (*before, *last) = (JOIN.as_bytes()[0], JOIN.as_bytes()[1]);
    }
}

fn goes_on(line: &str, escape: char) -> bool {
    line.strip_suffix(escape).is_some_and(|before| !before.ends_with(escape))
}

/// What `# escape=` says among the directives: they stand before everything else.
fn escape(text: &str) -> char {
    let directives =
        text.lines().map(|line| line.trim().strip_prefix('#').and_then(|line| line.trim().split_once('=')));
    let mut directives = directives.map_while(|directive| directive);
    let found = directives.find(|(name, _)| name.trim().eq_ignore_ascii_case("escape"));
    if found.is_some_and(|(_, value)| value.trim() == "`") { '`' } else { '\\' }
}

/// A text that follows its instruction, up to a line that is its name.
struct HereDocument {
    name: String,
    /// Whether tabs may stand before that line.
    indented: bool,
}

impl HereDocument {
    fn ends_with(&self, line: &str) -> bool {
        let line = if self.indented { line.trim_start_matches('\t') } else { line };
        line == self.name
    }
}

fn here_documents(instruction: &str) -> Vec<HereDocument> {
    let mut words = instruction.split_whitespace();
    let takes_one =
        words.next().is_some_and(|name| ["RUN", "COPY", "ADD"].iter().any(|one| name.eq_ignore_ascii_case(one)));
    if !takes_one {
        return Vec::new();
    }
    let document = |word: &str| {
        let rest = word.trim_start_matches(|digit: char| digit.is_ascii_digit()).strip_prefix("<<")?;
        let (rest, indented) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
        let name = rest.trim_matches(['"', '\'']);
        (!name.is_empty() && !name.contains('<')).then(|| HereDocument { name: name.to_owned(), indented })
    };
    words.filter_map(document).collect()
}
