//! Renders a template as its language would, for made-up values: which branch each condition takes, how often each loop
//! runs, and what each tag prints. Knows for every byte of the result where in the template it comes from.

use std::ops::Range;

use housecall::syntax::erb::{self, Tag, TagKind};

/// The two template languages; Go's is read as Jinja.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Erb,
    Jinja,
}

/// What the made-up host says: which branch is taken, what is printed.
#[derive(Debug, Clone, Copy)]
pub struct Host {
    /// Which branch of each condition, by its number: the first, the last, or neither the one nor the other for all.
    pub branches: Branches,
    /// What a tag within a line prints.
    pub words: Words,
    /// What a tag prints that stands alone on its line, besides nothing.
    pub statement: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Branches {
    /// Every condition holds, every loop runs once.
    First,
    /// No condition holds, no loop runs.
    Last,
    /// Loops run twice; conditions hold by turns, from the given one on.
    ByTurns(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// A word of its own for each tag.
    Distinct,
    /// The same text for all.
    Same(&'static str),
    /// Two words where a tag stands for a whole word, else one.
    Two,
}

/// A rendered template.
#[derive(Debug, Default)]
pub struct Rendering {
    pub text: String,
    /// For each byte of `text` where in the template it comes from: itself, or the tag that printed it.
    origin: Vec<usize>,
}

impl Rendering {
    /// Whether something of this part of the template is in the result.
    pub fn shows(&self, part: &Range<usize>) -> bool {
        self.origin.iter().any(|origin| part.contains(origin))
    }

    /// Where in the template an offset of the result comes from.
    pub fn origin(&self, at: usize) -> Option<usize> {
        self.origin.get(at).or(self.origin.last()).copied()
    }
}

enum Node {
    Text(Range<usize>),
    Output(usize),
    Block { branches: Vec<Vec<Node>>, repeats: bool, has_else: bool },
}

/// A template taken apart into texts, tags and blocks.
pub struct Template<'t> {
    text: &'t str,
    tags: Vec<Tag>,
    language: Language,
    nodes: Vec<Node>,
}

enum Step {
    Open { repeats: bool },
    Middle { is_else: bool },
    Close,
    Plain,
}

fn step(language: Language, code: &str) -> Step {
    let mut words = code.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    let first = words.next().unwrap_or("");
    let is_else = first == "else" && !code.starts_with("else if ");
    match language {
        Language::Erb => match first {
            "end" => Step::Close,
            "else" | "elsif" | "when" | "rescue" => Step::Middle { is_else },
            _ if code.starts_with('}') => Step::Close,
            "if" | "unless" | "case" | "begin" if !code.trim_end().ends_with(" end") => Step::Open { repeats: false },
            "for" | "while" | "until" => Step::Open { repeats: true },
            _ => {
                let head =
                    code.trim_end().trim_end_matches(|c: char| c == '|' || c.is_alphanumeric() || "_, ()".contains(c));
                let block = code.contains(" do |") || code.trim_end().ends_with(" do") || head.ends_with('{');
                if block { Step::Open { repeats: true } } else { Step::Plain }
            }
        },
        Language::Jinja => match first {
            "if" | "block" | "call" | "filter" | "with" | "trans" | "autoescape" => Step::Open { repeats: false },
            "for" | "range" => Step::Open { repeats: true },
            // What a macro or a `define` prints stands where it is called.
            "macro" | "define" => Step::Open { repeats: true },
            "set" if !code.contains('=') => Step::Open { repeats: true },
            "elif" | "else" => Step::Middle { is_else },
            _ if first.starts_with("end") && first != "endraw" => Step::Close,
            _ => Step::Plain,
        },
    }
}

impl<'t> Template<'t> {
    /// Whether all of this part of the template is one tag, or part of one.
    pub fn is_within_tag(&self, part: &Range<usize>) -> bool {
        let holds = |tag: &Tag| tag.span.range().start <= part.start && part.end <= tag.span.range().end;
        self.tags.iter().any(holds)
    }

    /// Takes a template apart; `None` where its blocks do not balance.
    pub fn parse(text: &'t str, language: Language) -> Option<Self> {
        let template = if language == Language::Erb { erb::read(text) } else { erb::read_jinja(text) };
        let mut stack: Vec<(Vec<Vec<Node>>, bool, bool)> = Vec::new();
        let mut current: Vec<Node> = Vec::new();
        let mut at = 0;
        for (number, tag) in template.tags.iter().enumerate() {
            let range = tag.span.range();
            current.push(Node::Text(at..range.start));
            at = range.end;
            let code = tag.code.of(text);
            match tag.kind {
                TagKind::Output => current.push(Node::Output(number)),
                TagKind::Comment => {}
                TagKind::Code => match step(language, code) {
                    Step::Open { repeats } => {
                        stack.push((vec![std::mem::take(&mut current)], repeats, false));
                    }
                    Step::Middle { is_else } => {
                        let (branches, _, has_else) = stack.last_mut()?;
                        branches.push(std::mem::take(&mut current));
                        *has_else |= is_else;
                    }
                    Step::Close => {
                        let (mut branches, repeats, has_else) = stack.pop()?;
                        branches.push(std::mem::take(&mut current));
                        current = branches.remove(0);
                        current.push(Node::Block { branches, repeats, has_else });
                    }
                    Step::Plain => {}
                },
            }
        }
        current.push(Node::Text(at..text.len()));
        stack.is_empty().then_some(Self { text, tags: template.tags, language, nodes: current })
    }

    pub fn render(&self, host: Host) -> Rendering {
        let mut result = Rendering::default();
        let mut turn = 0;
        self.print(&self.nodes, host, &mut turn, &mut result);
        result
    }

    fn print(&self, nodes: &[Node], host: Host, turn: &mut usize, result: &mut Rendering) {
        for node in nodes {
            match node {
                Node::Text(range) => {
                    let range = self.trimmed(range.clone());
                    result.text.push_str(&self.text[range.clone()]);
                    result.origin.extend(range);
                }
                Node::Output(number) => {
                    let printed = self.value(*number, host);
                    result.origin.extend(std::iter::repeat_n(self.tags[*number].span.range().start, printed.len()));
                    result.text.push_str(&printed);
                }
                Node::Block { branches, repeats, has_else } => {
                    *turn += 1;
                    let holds = match host.branches {
                        Branches::First => true,
                        Branches::Last => false,
                        Branches::ByTurns(first) => (*turn + first).is_multiple_of(2),
                    };
                    let times = usize::from(matches!(host.branches, Branches::ByTurns(_)) && *repeats) + 1;
                    let branch = match (holds, repeats, has_else) {
                        (true, ..) => branches.first(),
                        (false, _, true) => branches.last(),
                        (false, ..) => None,
                    };
                    for _ in 0..times {
                        branch.into_iter().for_each(|branch| self.print(branch, host, turn, result));
                    }
                }
            }
        }
    }

    /// Whether its lines hold nothing but tags and blanks. Not the reader's own answer, which is what is tried here.
    fn is_alone(&self, tag: &Range<usize>) -> bool {
        let start = self.text[..tag.start].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[tag.end..].find('\n').map_or(self.text.len(), |at| tag.end + at);
        let is_in_tag = |at: usize| self.tags.iter().any(|tag| tag.span.range().contains(&at));
        let mut letters = self.text[start..end].char_indices();
        letters.all(|(at, letter)| letter.is_whitespace() || is_in_tag(start + at))
    }

    /// What a tag prints.
    fn value(&self, number: usize, host: Host) -> String {
        let range = self.tags[number].span.range();
        if self.is_alone(&range) {
            return host.statement.unwrap_or_default().to_owned();
        }
        let ends = |letter: Option<char>| letter.is_none_or(|letter| letter.is_whitespace() || letter == ';');
        let is_word = ends(self.text[..range.start].chars().next_back()) && ends(self.text[range.end..].chars().next());
        match host.words {
            Words::Distinct => format!("alpha{number}"),
            Words::Same(text) => text.to_owned(),
            Words::Two if is_word => "alpha beta".to_owned(),
            Words::Two => "alpha".to_owned(),
        }
    }

    /// A text without the blanks and line breaks that the tags around it take away.
    fn trimmed(&self, range: Range<usize>) -> Range<usize> {
        let (mut start, mut end) = (range.start, range.end);
        let before = self.tags.iter().find(|tag| tag.span.range().end == start);
        let after = self.tags.iter().find(|tag| tag.span.range().start == end);
        let written = |tag: &Tag| tag.span.of(self.text);
        let text = &self.text[range];
        match (self.language, before) {
            (Language::Erb, Some(tag)) if written(tag).ends_with("-%>") && text.starts_with('\n') => start += 1,
            (Language::Jinja, Some(tag)) if written(tag).ends_with("-%}") || written(tag).ends_with("-}}") => {
                start += text.len() - text.trim_start().len();
            }
            // Ansible removes the line break after a code tag.
            (Language::Jinja, Some(tag)) if written(tag).ends_with("%}") && text.starts_with('\n') => start += 1,
            _ => {}
        }
        let rest = &self.text[start..end];
        match (self.language, after) {
            (Language::Erb, Some(tag)) if written(tag).starts_with("<%-") => {
                end -= rest.len() - rest.trim_end_matches([' ', '\t']).len();
            }
            (Language::Jinja, Some(tag)) if written(tag).starts_with("{%-") || written(tag).starts_with("{{-") => {
                end -= rest.len() - rest.trim_end().len();
            }
            _ => {}
        }
        start..end.max(start)
    }
}
