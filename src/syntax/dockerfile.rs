//! Reader for what a Dockerfile says of the processes of its image: stages, variables, folders, what is copied, what is started.
//! What runs only while the image is built is passed over.

mod lines;
pub mod word;

use lines::{JOIN, join};
use word::{Part, fields, parts, words};

use crate::source::{Located, Span};

/// A file as its builder reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// The text with its lines joined, as long as the text itself: a command in words of a shell stands in it.
    pub text: String,
    /// The character that takes the meaning of the one behind it.
    pub escape: char,
    /// The `ARG`s before the first stage, for the `FROM`s.
    pub arguments: Vec<Variable>,
    /// Its stages in order.
    pub stages: Vec<Stage>,
}

/// A name with its value, quotes and variables as written; `ARG` may have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: Located<String>,
    /// The value.
    pub value: Option<Located<String>>,
}

/// From one `FROM` to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The image or the earlier stage that it starts from, as written.
    pub base: Located<String>,
    /// What `AS` calls it.
    pub name: Option<Located<String>>,
    /// What it says, in order.
    pub instructions: Vec<Instruction>,
}

/// One instruction that an image's processes notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// `ENV`: variables of every process of the image.
    Env(Vec<Variable>),
    /// `ARG`: variables while it is built.
    Arg(Vec<Variable>),
    /// `WORKDIR`.
    Workdir(Located<String>),
    /// `USER`.
    User(Located<String>),
    /// `COPY` and `ADD`.
    Copy(Copy),
    /// `CMD`.
    Cmd(Command),
    /// `ENTRYPOINT`.
    Entrypoint(Command),
    /// `STOPSIGNAL`.
    StopSignal(Located<String>),
}

/// Files that land in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// The stage or image that they come from; `None` for the folder that is built.
    pub from: Option<String>,
    /// What is copied, as written.
    pub sources: Vec<Located<String>>,
    /// Where to, as written.
    pub destination: Located<String>,
}

/// What is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A line for `/bin/sh -c`, in the joined text.
    Shell(Span),
    /// The words themselves.
    Words(Vec<Located<String>>),
}

/// Reads a Dockerfile.
pub fn parse(text: &str) -> Dockerfile {
    let joined = join(text);
    let mut file = Dockerfile { text: joined.text, escape: joined.escape, arguments: Vec::new(), stages: Vec::new() };
    for span in joined.instructions {
        let Some((name, rest)) = instruction(&file.text, span) else { continue };
        if name == "FROM" {
            file.stages.extend(stage(&file.text, rest));
        } else if let Some(read) = Instruction::read(&file, &name, rest) {
            match (file.stages.last_mut(), read) {
                (Some(stage), read) => stage.instructions.push(read),
                (None, Instruction::Arg(arguments)) => file.arguments.extend(arguments),
                (None, _) => {}
            }
        }
    }
    file
}

/// The name of an instruction in capitals, and where what follows it stands.
fn instruction(text: &str, span: Span) -> Option<(String, Span)> {
    let name = fields(text, span).into_iter().next()?;
    let end = span.range().end;
    let rest = name.span.range().end.min(end);
    Some((name.value.to_ascii_uppercase(), without_blanks(text, Span::new(rest, end))))
}

/// The same without blanks and joins at its ends.
fn without_blanks(text: &str, span: Span) -> Span {
    let inside = span.of(text);
    let mut head = inside;
    loop {
        let next = head.trim_start();
        let next = next.strip_prefix(JOIN).unwrap_or(next);
        if next.len() == head.len() {
            break;
        }
        head = next;
    }
    let start = span.range().start + inside.len() - head.len();
    let mut whole = head;
    while let Some(shorter) = whole.strip_suffix(JOIN).or_else(|| whole.strip_suffix(char::is_whitespace)) {
        whole = shorter;
    }
    Span::new(start, start + whole.len())
}

fn stage(text: &str, rest: Span) -> Option<Stage> {
    let mut words = fields(text, rest).into_iter().filter(|word| !word.value.starts_with("--"));
    let base = words.next()?;
    let name = match (words.next(), words.next()) {
        (Some(word), Some(name)) if word.value.eq_ignore_ascii_case("as") => Some(name),
        _ => None,
    };
    Some(Stage { base, name, instructions: Vec::new() })
}

impl Instruction {
    fn read(file: &Dockerfile, name: &str, rest: Span) -> Option<Self> {
        let text = &file.text;
        let whole = || Located::new(plain(rest.of(text)), rest);
        let is_empty = rest.range().is_empty();
        match name {
            "ENV" => Some(Self::Env(variables(file, rest))),
            "ARG" => Some(Self::Arg(words(text, rest, file.escape).iter().map(named).collect())),
            "WORKDIR" if !is_empty => Some(Self::Workdir(whole())),
            "USER" if !is_empty => Some(Self::User(whole())),
            "STOPSIGNAL" if !is_empty => Some(Self::StopSignal(whole())),
            "COPY" | "ADD" => copy(file, rest).map(Self::Copy),
            "CMD" => Some(Self::Cmd(Command::read(text, rest))),
            "ENTRYPOINT" => Some(Self::Entrypoint(Command::read(text, rest))),
            _ => None,
        }
    }
}

impl Command {
    /// The words of a list in JSON; anything else is for a shell.
    fn read(text: &str, rest: Span) -> Self {
        list(text, rest).map_or(Self::Shell(rest), Self::Words)
    }
}

/// `ENV NAME=value …`, or `ENV NAME value` with all that follows as the value.
fn variables(file: &Dockerfile, rest: Span) -> Vec<Variable> {
    let words = words(&file.text, rest, file.escape);
    match words.first() {
        Some(first) if !first.value.contains('=') => {
            let end = rest.range().end;
            let span = without_blanks(&file.text, Span::new(first.span.range().end.min(end), end));
            let value = Some(Located::new(plain(span.of(&file.text)), span));
            vec![Variable { name: first.clone(), value }]
        }
        _ => words.iter().filter(|word| word.value.contains('=')).map(named).collect(),
    }
}

/// `NAME=value` taken apart. The value's place is that of the whole word where quotes or joined lines hide where it begins.
fn named(word: &Located<String>) -> Variable {
    let Some((name, value)) = word.value.split_once('=') else {
        return Variable { name: word.clone(), value: None };
    };
    let start = word.span.range().start;
    let is_plain = word.span.range().len() == word.value.len();
    let (of_name, of_value) = if is_plain {
        (Span::new(start, start + name.len()), Span::new(start + name.len() + 1, word.span.range().end))
    } else {
        (word.span, word.span)
    };
    let name =
        parts(name, '\\').into_iter().filter_map(|part| if let Part::Text(text) = part { Some(text) } else { None });
    Variable { name: Located::new(name.collect(), of_name), value: Some(Located::new(value.to_owned(), of_value)) }
}

fn copy(file: &Dockerfile, rest: Span) -> Option<Copy> {
    let mut from = None;
    let mut at = rest.range().start;
    for flag in words(&file.text, rest, file.escape).into_iter().take_while(|word| word.value.starts_with("--")) {
        from = flag.value.strip_prefix("--from=").map(str::to_owned).or(from);
        at = flag.span.range().end;
    }
    let rest = without_blanks(&file.text, Span::new(at, rest.range().end));
    let mut sources = list(&file.text, rest).unwrap_or_else(|| fields(&file.text, rest));
    let destination = sources.pop()?;
    Some(Copy { from, sources, destination })
}

/// The texts of a list in JSON, each with its place without the quotes; `None` where it is none.
fn list(text: &str, span: Span) -> Option<Vec<Located<String>>> {
    let joined = span.of(text).replace(JOIN, "  ");
    let mut items = Vec::new();
    let mut rest = joined.strip_prefix('[')?.trim_start();
    if rest.trim_end() == "]" {
        return Some(items);
    }
    let end = span.range().end;
    loop {
        let (raw, behind) = quoted(rest)?;
        let start = end - rest.len() + 1;
        let value: String = serde_json::from_str(&rest[..raw.len() + 2]).ok()?;
        items.push(Located::new(value, Span::new(start, start + raw.len())));
        rest = behind.trim_start();
        match rest.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => break,
        }
    }
    (rest.trim_end() == "]").then_some(items)
}

/// A text in double quotes at the start of `rest`, as written between them, and what follows.
fn quoted(rest: &str) -> Option<(&str, &str)> {
    let inner = rest.strip_prefix('"')?;
    let mut escaped = false;
    let end = inner.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some((&inner[..end], &inner[end + 1..]))
}

/// A text of joined lines as one.
fn plain(text: &str) -> String {
    text.replace(JOIN, "")
}

#[cfg(test)]
mod tests;
