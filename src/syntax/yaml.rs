//! Reader for YAML as configuration files are written: blocks of keys and lists. Flow style beyond plain lists, aliases,
//! block texts and template tags are there, but out of sight.

use crate::source::{Located, Span};

/// Deeper values are out of sight.
const MAX_DEPTH: usize = 32;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A word without quotes: it may be a number or a truth value.
    Plain(Located<String>),
    /// A text in quotes.
    Quoted(Located<String>),
    /// A list.
    List(Vec<Node>),
    /// Keys with their values.
    Map(Vec<(Located<String>, Node)>),
    /// Nothing, as after `key:`.
    Null,
    /// Something that this reader does not resolve.
    Opaque,
}

impl Node {
    /// The value of a key; `None` where this is no map, or has no such key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.pairs().iter().find(|(name, _)| name.value == key).map(|(_, value)| value)
    }

    /// The keys with their values; none where this is no map.
    pub fn pairs(&self) -> &[(Located<String>, Self)] {
        if let Self::Map(pairs) = self { pairs } else { &[] }
    }

    /// The items; none where this is no list.
    pub fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The text of a plain or quoted word.
    pub fn text(&self) -> Option<&Located<String>> {
        if let Self::Plain(text) | Self::Quoted(text) = self { Some(text) } else { None }
    }
}

/// The value of a whole text.
pub fn parse(text: &str) -> Node {
    node(&lines(text), 0)
}

fn node(lines: &[Line<'_>], depth: usize) -> Node {
    let Some(first) = lines.first() else { return Node::Null };
    if depth == MAX_DEPTH {
        return Node::Opaque;
    }
    if is_item(first) {
        return Node::List(entries(lines).into_iter().map(|(head, body)| item(head, body, depth)).collect());
    }
    if pair(first).is_none() {
        return if lines.len() == 1 { inline(first) } else { Node::Opaque };
    }
    let pairs = entries(lines).into_iter().filter_map(|(head, body)| {
        let (name, rest) = pair(head)?;
        Some((name, value(&rest, body, depth)))
    });
    Node::Map(pairs.collect())
}

fn is_item(line: &Line<'_>) -> bool {
    line.text == "-" || line.text.starts_with("- ")
}

/// A key with the rest of its line; brackets and template tags begin none.
fn pair<'t>(line: &Line<'t>) -> Option<(Located<String>, Line<'t>)> {
    if line.text.starts_with(['[', '{', '<', '%']) { None } else { key(line) }
}

fn item(head: &Line<'_>, body: &[Line<'_>], depth: usize) -> Node {
    if !is_item(head) {
        return Node::Opaque;
    }
    let text = head.text[1..].trim_start_matches(' ');
    let skipped = head.text.len() - text.len();
    let first = Line { indent: head.indent + skipped, text, at: head.at + skipped };
    if text.is_empty() {
        return node(body, depth + 1);
    }
    if body.is_empty() && pair(&first).is_none() && !is_item(&first) {
        return inline(&first);
    }
    let lines: Vec<Line<'_>> = std::iter::once(first).chain(body.iter().copied()).collect();
    node(&lines, depth + 1)
}

fn value(rest: &Line<'_>, body: &[Line<'_>], depth: usize) -> Node {
    let anchored = rest.text.starts_with('&');
    let text = if anchored { rest.text.split_once(' ').map_or("", |(_, text)| text.trim_start()) } else { rest.text };
    if text.is_empty() {
        return node(body, depth + 1);
    }
    let rest = Line { text, at: rest.at + rest.text.len() - text.len(), ..*rest };
    if body.is_empty() { inline(&rest) } else { Node::Opaque }
}

/// What stands on one line.
fn inline(line: &Line<'_>) -> Node {
    match line.text {
        text if text.contains("<%") => Node::Opaque,
        "~" | "null" => Node::Null,
        "{}" => Node::Map(Vec::new()),
        text => match text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) => list(inner, line),
            None => word(line),
        },
    }
}

fn word(line: &Line<'_>) -> Node {
    match scalar(line) {
        Some(text) if line.text.starts_with(['"', '\'']) => Node::Quoted(text),
        Some(text) => Node::Plain(text),
        None => Node::Opaque,
    }
}

/// A list in brackets, of words alone.
fn list(inner: &str, line: &Line<'_>) -> Node {
    if inner.trim().is_empty() {
        return Node::List(Vec::new());
    }
    let mut at = line.at + 1;
    let items = inner.split(',').map(|item| {
        let start = at + item.len() - item.trim_start().len();
        at += item.len() + 1;
        word(&Line { text: item.trim(), at: start, ..*line })
    });
    let items: Vec<Node> = items.collect();
    if items.contains(&Node::Opaque) { Node::Opaque } else { Node::List(items) }
}

/// One line that holds something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    pub(super) indent: usize,
    pub(super) text: &'t str,
    pub(super) at: usize,
}

/// The lines that hold something, comments left out.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut at = 0;
    let mut all = Vec::new();
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let code = without_comment(line).trim_end();
        let trimmed = code.trim_start_matches(' ');
        if !trimmed.is_empty() && trimmed != "---" {
            all.push(Line {
                indent: code.len() - trimmed.len(),
                text: trimmed,
                at: start + code.len() - trimmed.len(),
            });
        }
    }
    all
}

/// A `#` starts a comment at the start of a line and behind a blank, outside quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match c {
            _ if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() && matches!(before, ' ' | ':' | '=' | '[' | ',' | '-') => quote = Some(c),
            '#' if quote.is_none() && matches!(before, ' ' | '\t') => return &line[..at],
            _ => {}
        }
        before = c;
    }
    line
}

/// The lines that are deeper than `indent`, from the first on.
pub(super) fn block<'a, 't>(lines: &'a [Line<'t>], indent: usize) -> &'a [Line<'t>] {
    let end = lines.iter().position(|line| line.indent <= indent).unwrap_or(lines.len());
    &lines[..end]
}

/// The entries of a block, each with the lines below it: those of the first one's depth, lists at their key's depth included.
pub(super) fn entries<'a, 't>(lines: &'a [Line<'t>]) -> Vec<(&'a Line<'t>, &'a [Line<'t>])> {
    let Some(first) = lines.first() else { return Vec::new() };
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let rest = &lines[at + 1..];
        let is_item = first.text.starts_with('-');
        let end = rest
            .iter()
            .position(|next| next.indent <= first.indent && (is_item || !next.text.starts_with('-')))
            .unwrap_or(rest.len());
        all.push((line, &rest[..end]));
        at += end + 1;
    }
    all
}

/// `key: rest` taken apart; the key may stand in quotes.
pub(super) fn key<'t>(line: &Line<'t>) -> Option<(Located<String>, Line<'t>)> {
    let (end, quoted) = match line.text.chars().next()? {
        quote @ ('"' | '\'') => (line.text[1..].find(quote)? + 2, true),
        _ => (line.text.find(": ").or_else(|| line.text.ends_with(':').then(|| line.text.len() - 1))?, false),
    };
    let rest = line.text[end..].trim_start().strip_prefix(':')?.trim_start();
    let name = &line.text[..end];
    let plain = if quoted { &name[1..name.len() - 1] } else { name.trim_end() };
    let span = Span::new(line.at, line.at + name.len());
    let rest_at = line.at + line.text.len() - rest.len();
    Some((Located::new(plain.to_owned(), span), Line { indent: line.indent, text: rest, at: rest_at }))
}

/// A scalar on one line, quotes resolved; `None` where it is an alias, a block or another style.
pub(super) fn scalar(line: &Line<'_>) -> Option<Located<String>> {
    let span = Span::new(line.at, line.at + line.text.len());
    let plain = match line.text.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let inner = line.text.strip_prefix(quote)?.strip_suffix(quote)?;
            if quote == '"' { inner.replace("\\\"", "\"").replace("\\\\", "\\") } else { inner.replace("''", "'") }
        }
        Some('&' | '*' | '!' | '|' | '>' | '{' | '[' | '%' | '@' | '`') => return None,
        _ => line.text.to_owned(),
    };
    Some(Located::new(plain, span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The value in one line, to compare with.
    fn shown(node: &Node) -> String {
        let all = |parts: Vec<String>| parts.join(" ");
        match node {
            Node::Plain(text) => text.value.clone(),
            Node::Quoted(text) => format!("'{}'", text.value),
            Node::List(items) => format!("[{}]", all(items.iter().map(shown).collect())),
            Node::Map(pairs) => {
                format!(
                    "{{{}}}",
                    all(pairs.iter().map(|(key, node)| format!("{}={}", key.value, shown(node))).collect())
                )
            }
            Node::Null => "~".to_owned(),
            Node::Opaque => "?".to_owned(),
        }
    }

    #[test]
    fn blocks_as_people_write_them() {
        for (text, expected) in [
            ("a: 1\nb: 'x' # y\nc:\n", "{a=1 b='x' c=~}"),
            ("- name: one\n  run:\n  - r[a::b]\n  - c\n-\n  name: two\n", "[{name=one run=[r[a::b] c]} {name=two}]"),
            ("a:\n  b:\n    c: d\n  e: [f, 'g']\nh: []\ni: {}\n", "{a={b={c=d} e=[f 'g']} h=[] i={}}"),
            ("a: &x\n  b: 1\nc: *x\nd: |\n  text\ne: {f: g}\n", "{a={b=1} c=? d=? e=?}"),
            ("a: <%= x %>\n<% if y %>\nb: 1\n<% end %>\n", "{a=? b=1}"),
            ("a: [b, {c: d}]\n- e\n", "{a=?}"),
            ("---\n- - a\n  - b\n", "[[a b]]"),
            ("a\n", "a"),
            ("", "~"),
        ] {
            assert_eq!(shown(&parse(text)), expected, "{text}");
        }
        let deep = "- ".repeat(100_000) + "x";
        assert!(shown(&parse(&deep)).contains('?'));
    }

    fn spans(node: &Node, all: &mut Vec<Span>) {
        all.extend(node.text().map(|text| text.span));
        node.items().iter().for_each(|item| spans(item, all));
        for (key, value) in node.pairs() {
            all.push(key.span);
            spans(value, all);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(a:|  [a-c]: |    - |\\[a, 'b'\\]|\n|[\\[\\]'\"#:,= \n*&{}<%-]|.){0,40}") {
            let mut all = Vec::new();
            spans(&parse(&text), &mut all);
            for span in all {
                prop_assert!(text.get(span.range()).is_some(), "{span:?} in {text:?}");
            }
        }
    }
}
