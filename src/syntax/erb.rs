//! Templates read in place: each tag becomes a filler of the same length, so every span points into the template itself.

use crate::source::Span;

/// Stands for one byte of an output tag; no configuration language gives it a meaning.
pub const FILLER: char = '\u{1F}';

/// What a tag does when the template is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// `<%= … %>`: prints a value.
    Output,
    /// `<% … %>`: code, such as a condition or a loop.
    Code,
    /// `<%# … %>`.
    Comment,
}

/// One tag of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The whole tag with its delimiters.
    pub span: Span,
    /// The code between the delimiters, trimmed.
    pub code: Span,
    /// What it does.
    pub kind: TagKind,
    /// Whether it prints a value and stands alone on its line: it may be any number of statements.
    pub alone: bool,
}

/// A template with its tags replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// As long as the template: output tags as [`FILLER`], other tags as blanks.
    pub text: String,
    /// In order.
    pub tags: Vec<Tag>,
    /// What code may leave out or repeat, from the tag that opens a block to the one that ends it; outermost, in order.
    pub blocks: Vec<Span>,
}

/// How a template language marks its tags.
struct Marks {
    /// What opens a tag, longest first, and what closes it.
    openings: &'static [(&'static str, &'static str, TagKind)],
    /// An opening that prints itself instead of opening a tag.
    escaped: Option<&'static str>,
    /// A closing mark inside a tag that does not close it.
    not_closing: Option<&'static str>,
    /// A pair of code tags between which nothing is a tag.
    verbatim: Option<(&'static str, &'static str)>,
    /// What a code tag does to the blocks around it.
    step: fn(&str) -> Step,
}

/// What a code tag does to the blocks around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Opens,
    Closes,
    Neither,
}

const ERB: Marks = Marks {
    openings: &[
        ("<%=", "%>", TagKind::Output),
        ("<%#", "%>", TagKind::Comment),
        ("<%-#", "%>", TagKind::Comment),
        ("<%", "%>", TagKind::Code),
    ],
    escaped: Some("<%%"),
    not_closing: Some("%%>"),
    verbatim: None,
    step: ruby_step,
};

const JINJA: Marks = Marks {
    openings: &[("{{", "}}", TagKind::Output), ("{#", "#}", TagKind::Comment), ("{%", "%}", TagKind::Code)],
    escaped: None,
    not_closing: None,
    verbatim: Some(("raw", "endraw")),
    step: jinja_step,
};

fn ruby_step(code: &str) -> Step {
    const OPEN: [&str; 9] = ["if", "unless", "case", "while", "until", "for", "begin", "def", "class"];
    let first = code.split(|character: char| !character.is_ascii_alphanumeric() && character != '_').next();
    let last = code.trim_end_matches(|character: char| character.is_whitespace() || character == ';');
    if first == Some("end") || code.starts_with('}') {
        return Step::Closes;
    }
    // `each do |name|` and `each { |name|`.
    let head = last.strip_suffix('|').and_then(|head| head.rsplit_once('|')).map_or(last, |(head, _)| head.trim_end());
    let takes_block = head == "do" || head.ends_with(" do") || head.ends_with('{');
    let opens = takes_block || first.is_some_and(|first| OPEN.contains(&first));
    // `if a then b end` in one tag.
    if opens && !last.ends_with(" end") { Step::Opens } else { Step::Neither }
}

fn jinja_step(code: &str) -> Step {
    const OPEN: [&str; 9] = ["if", "for", "macro", "call", "filter", "block", "with", "trans", "autoescape"];
    const OPEN_IN_GO: [&str; 2] = ["range", "define"];
    let first =
        code.split(|character: char| !character.is_ascii_alphanumeric() && character != '_').next().unwrap_or("");
    match first {
        "set" if !code.contains('=') => Step::Opens,
        _ if OPEN.contains(&first) || OPEN_IN_GO.contains(&first) => Step::Opens,
        _ if first.starts_with("end") => Step::Closes,
        _ => Step::Neither,
    }
}

/// Reads an ERB template, as Chef renders it (trim mode `-`).
pub fn read(text: &str) -> Template {
    let mut template = read_with(text, &ERB);
    template.blocks = blocks(text, &template.tags, ERB.step);
    template
}

/// Reads a Jinja template, as Ansible renders it, or one of Go's templates, which has the same `{{ … }}`.
pub fn read_jinja(text: &str) -> Template {
    let mut template = read_with(text, &JINJA);
    let is_go = template.tags.iter().any(|tag| opens_go_block(tag.code.of(text)));
    let is_code = |code: &str| {
        prints_a_tag(code) || is_go && (opens_go_block(code) || closes_go_block(code) || code.contains(":="))
    };
    for tag in template.tags.iter_mut().filter(|tag| tag.kind == TagKind::Output && is_code(tag.code.of(text))) {
        tag.kind = TagKind::Code;
        tag.alone = false;
        template.text.replace_range(tag.span.range(), &" ".repeat(tag.span.range().len()));
    }
    template.blocks = blocks(text, &template.tags, JINJA.step);
    template
}

/// The outermost blocks that code tags open and close. Where they do not balance, all that may belong to one does.
fn blocks(text: &str, tags: &[Tag], step: fn(&str) -> Step) -> Vec<Span> {
    let mut blocks: Vec<Span> = Vec::new();
    let (mut depth, mut opened) = (0_usize, 0);
    for tag in tags.iter().filter(|tag| tag.kind == TagKind::Code) {
        match step(tag.code.of(text)) {
            Step::Opens => {
                opened = if depth == 0 { tag.span.range().start } else { opened };
                depth += 1;
            }
            Step::Closes if depth == 0 => blocks = vec![Span::new(0, tag.span.range().end)],
            Step::Closes => {
                depth -= 1;
                if depth == 0 {
                    blocks.push(Span::new(opened, tag.span.range().end));
                }
            }
            Step::Neither => {}
        }
    }
    if depth > 0 {
        blocks.push(Span::new(opened, text.len()));
    }
    blocks
}

/// Whether a text is a template although its name does not say so: a line opens and closes a `{{ … }}` or `{% … %}`.
///
/// No program that housecall reads takes either as it stands.
pub fn is_jinja(text: &str) -> bool {
    if !text.contains("{{") && !text.contains("{%") {
        return false;
    }
    let holds = |line: &str, opening: &str, closing: &str| {
        line.find(opening).is_some_and(|at| line[at + opening.len()..].contains(closing))
    };
    text.lines()
        .filter(|line| !line.trim_start().starts_with(['#', ';']))
        .any(|line| holds(line, "{{", "}}") || holds(line, "{%", "%}"))
}

fn opens_go_block(code: &str) -> bool {
    ["if ", "range ", "with ", "define "].iter().any(|word| code.starts_with(word))
}

fn closes_go_block(code: &str) -> bool {
    code == "end" || code == "else" || code.starts_with("else if ")
}

/// `{{ '{%' }}`: the template makes another template.
fn prints_a_tag(code: &str) -> bool {
    let inside = ['\'', '"'].iter().find_map(|quote| code.strip_prefix(*quote)?.strip_suffix(*quote));
    inside.is_some_and(|inside| inside.contains(['{', '}']))
}

fn read_with(text: &str, marks: &Marks) -> Template {
    let mut filled = String::with_capacity(text.len());
    let mut tags = Vec::new();
    let mut at = 0;
    let mut verbatim = false;
    while let Some((start, opening, closing, kind)) = next_opening(text, at, marks) {
        let inside = start + opening.len();
        if verbatim && kind != TagKind::Code {
            filled.push_str(&text[at..inside]);
            at = inside;
            continue;
        }
        let (inside_end, end) = close_of(text, inside, closing, marks.not_closing);
        let code = trimmed(text, inside, inside_end);
        let word = code.of(text);
        if verbatim && end == text.len() && inside_end == end {
            break;
        }
        if verbatim && marks.verbatim.is_none_or(|(_, last)| word != last) {
            filled.push_str(&text[at..inside]);
            at = inside;
            continue;
        }
        verbatim = !verbatim && kind == TagKind::Code && marks.verbatim.is_some_and(|(first, _)| word == first);
        filled.push_str(&text[at..start]);
        let stand_in = if kind == TagKind::Output { FILLER } else { ' ' };
        filled.extend(std::iter::repeat_n(stand_in, end - start));
        tags.push(Tag { span: Span::new(start, end), code, kind, alone: false });
        at = end;
    }
    filled.push_str(&text[at..]);
    mark_alone(&filled, &mut tags);
    Template { text: filled, tags, blocks: Vec::new() }
}

/// The next tag from `at`: where it opens, how, and what closes it.
fn next_opening(text: &str, mut at: usize, marks: &Marks) -> Option<(usize, &'static str, &'static str, TagKind)> {
    let first = marks.openings.first()?.0.get(..1)?;
    loop {
        let start = at + text.get(at..)?.find(first)?;
        let rest = &text[start..];
        if let Some(escaped) = marks.escaped.filter(|escaped| rest.starts_with(escaped)) {
            at = start + escaped.len();
            continue;
        }
        if let Some((opening, closing, kind)) = marks.openings.iter().find(|(opening, ..)| rest.starts_with(opening)) {
            return Some((start, opening, closing, *kind));
        }
        at = start + first.len();
    }
}

/// Where the inside of a tag ends, and where the tag does; an unclosed tag takes the rest.
fn close_of(text: &str, inside: usize, closing: &str, not_closing: Option<&str>) -> (usize, usize) {
    let mut at = inside;
    while let Some(found) = text[at..].find(closing) {
        let found = at + found;
        let end = found + closing.len();
        let literal = not_closing.is_some_and(|mark| text.as_bytes()[inside..end].ends_with(mark.as_bytes()));
        if !literal {
            return (found, end);
        }
        at = end;
    }
    (text.len(), text.len())
}

/// The code without blanks and without the signs that trim blanks around the tag.
fn trimmed(text: &str, start: usize, end: usize) -> Span {
    let code = &text[start..end];
    let code = code.strip_prefix(['-', '+', '=']).unwrap_or(code);
    let start = end - code.len();
    let code = code.strip_suffix(['-', '+']).unwrap_or(code);
    let blanks = code.len() - code.trim_start().len();
    let kept = code.trim().len();
    Span::new(start + blanks, start + blanks + kept)
}

/// Marks the output tags whose lines hold nothing but tags and blanks.
fn mark_alone(filled: &str, tags: &mut [Tag]) {
    let mut tags = tags.iter_mut().peekable();
    let mut at = 0;
    for line in filled.split_inclusive('\n') {
        at += line.len();
        let alone = line.chars().all(|character| character == FILLER || character.is_whitespace());
        while let Some(tag) = tags.next_if(|tag| tag.span.range().start < at) {
            tag.alone = alone && tag.kind == TagKind::Output;
        }
    }
}

#[cfg(test)]
mod tests;
