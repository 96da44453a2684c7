//! From tree-sitter's nodes to expressions. Nothing else but `statements` knows tree-sitter.

use std::borrow::Cow;
use std::ops::ControlFlow;

use tree_sitter::{ParseOptions, Parser, Tree};

use crate::source::{SUBSTITUTE, Span};
use crate::syntax::erb::FILLER;
use crate::syntax::python::expression::{Argument, Expr, Node, SPREAD};

/// How deep expressions and blocks are followed; people's code stays far below.
pub const DEPTH: usize = 150;

/// The syntax tree and whether it is free of errors; `None` where reading it would take too long.
pub fn tree(text: &str) -> Option<(Tree, bool)> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
    let text = words(text);
    let bytes = text.as_bytes();
    // Error recovery is not linear, so that work is counted and capped: the parser calls back about every hundred steps.
    let mut left = 10_000 + bytes.len();
    let mut progress = |_: &tree_sitter::ParseState| {
        left = left.saturating_sub(1);
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let tree = parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or(&[]), None, Some(options))?;
    let readable = !tree.root_node().has_error();
    Some((tree, readable))
}

/// The text with template tags and invalid bytes as word characters, which is what they are to every reader.
fn words(text: &str) -> Cow<'_, str> {
    if text.contains([FILLER, SUBSTITUTE]) { text.replace([FILLER, SUBSTITUTE], "_").into() } else { text.into() }
}

/// Where a node stands.
pub fn span(node: tree_sitter::Node) -> Span {
    Span::new(node.start_byte(), node.end_byte())
}

/// The named children without comments.
pub fn children<'a>(node: tree_sitter::Node<'a>) -> Vec<tree_sitter::Node<'a>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}

/// The expression of a node.
pub fn expression(text: &str, node: tree_sitter::Node, depth: usize) -> Expr {
    let at = span(node);
    if depth >= DEPTH {
        return Expr::new(at, Node::Other(Vec::new()));
    }
    let lower = |child: tree_sitter::Node| expression(text, child, depth + 1);
    let all = || Node::Other(children(node).into_iter().map(lower).collect());
    let field = |name: &str| node.child_by_field_name(name).map(lower);
    // Each child is made an expression once: twice at every level of a long chain of operators would never end.
    let both = |one: &str, other: &str| {
        let (one, other) = (node.child_by_field_name(one)?, node.child_by_field_name(other)?);
        Some((lower(one), lower(other)))
    };
    let made = match node.kind() {
        "parenthesized_expression" => match children(node).as_slice() {
            [inner] => return lower(*inner),
            _ => all(),
        },
        "string" => string(text, node, depth),
        "concatenated_string" => joined(children(node).into_iter().map(lower).collect()),
        "integer" | "float" => Node::Number(at.of(text).to_owned()),
        "true" => Node::True,
        "false" => Node::False,
        "none" => Node::None,
        "identifier" => Node::Name(at.of(text).to_owned()),
        "attribute" => match (node.child_by_field_name("object"), node.child_by_field_name("attribute")) {
            (Some(object), Some(name)) => Node::Attribute(lower(object), span(name).of(text).to_owned()),
            _ => all(),
        },
        "subscript" => both("value", "subscript").map_or_else(all, |(value, index)| Node::Subscript(value, index)),
        "call" => match (node.child_by_field_name("function"), node.child_by_field_name("arguments")) {
            (Some(callee), Some(list)) => Node::Call(lower(callee), arguments(text, list, depth)),
            _ => all(),
        },
        "dictionary" => Node::Dict(pairs(text, node, depth)),
        "list" | "tuple" | "set" | "expression_list" | "pattern_list" | "tuple_pattern" | "list_pattern" => {
            Node::Sequence(children(node).into_iter().map(lower).collect())
        }
        "boolean_operator" => both("left", "right").map_or_else(all, |(left, right)| {
            if operator(text, node) == "or" { Node::Or(left, right) } else { Node::Other(vec![left, right]) }
        }),
        "not_operator" => field("argument").map_or_else(all, Node::Not),
        "comparison_operator" => match children(node).as_slice() {
            [left, right] => Node::Compare(lower(*left), operator(text, node), lower(*right)),
            _ => all(),
        },
        "binary_operator" => {
            both("left", "right").map_or_else(all, |(left, right)| match operator(text, node).as_str() {
                "+" => Node::Add(left, right),
                "*" => Node::Multiply(left, right),
                "%" if is_text(&left) => Node::Percent(left, right),
                _ => Node::Other(vec![left, right]),
            })
        }
        "conditional_expression" => match children(node).as_slice() {
            [then, test, otherwise] => {
                Node::Conditional { test: lower(*test), then: lower(*then), otherwise: lower(*otherwise) }
            }
            _ => all(),
        },
        "lambda" => field("body").map_or_else(all, Node::Lambda),
        _ => all(),
    };
    Expr::new(at, made)
}

fn is_text(expr: &Expr) -> bool {
    matches!(&*expr.node, Node::Text(_) | Node::Format(_) | Node::Percent(..))
}

/// The unnamed tokens between the operands, as one word each.
fn operator(text: &str, node: tree_sitter::Node) -> String {
    let mut cursor = node.walk();
    let tokens = node.children(&mut cursor).filter(|child| !child.is_named()).map(|child| span(child).of(text));
    tokens.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

fn arguments(text: &str, list: tree_sitter::Node, depth: usize) -> Vec<Argument> {
    if list.kind() != "argument_list" {
        return vec![Argument { keyword: None, value: expression(text, list, depth + 1) }];
    }
    let one = |node: tree_sitter::Node| {
        let (name, value) = (node.child_by_field_name("name"), node.child_by_field_name("value"));
        match (node.kind(), name, value) {
            ("keyword_argument", Some(name), Some(value)) => {
                Argument { keyword: Some(span(name).of(text).to_owned()), value: expression(text, value, depth + 1) }
            }
            ("dictionary_splat", ..) => {
                let inner = node.named_child(0).unwrap_or(node);
                Argument { keyword: Some(SPREAD.to_owned()), value: expression(text, inner, depth + 1) }
            }
            _ => Argument { keyword: None, value: expression(text, node, depth + 1) },
        }
    };
    children(list).into_iter().map(one).collect()
}

fn pairs(text: &str, node: tree_sitter::Node, depth: usize) -> Vec<(Expr, Expr)> {
    let lower = |child: tree_sitter::Node| expression(text, child, depth + 1);
    children(node)
        .into_iter()
        .map(|pair| match (pair.child_by_field_name("key"), pair.child_by_field_name("value")) {
            (Some(key), Some(value)) => (lower(key), lower(value)),
            // `**other`: no key, and any number of values.
            _ => (Expr::new(span(pair), Node::Other(Vec::new())), lower(pair)),
        })
        .collect()
}

/// One string literal; with interpolation it is the expressions inside it.
fn string(text: &str, node: tree_sitter::Node, depth: usize) -> Node {
    let mut cursor = node.walk();
    let parts: Vec<_> = node.children(&mut cursor).collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return Node::Other(Vec::new()) };
    let raw = span(*first).of(text).bytes().any(|byte| byte.eq_ignore_ascii_case(&b'r'));
    let unescaped = |written: String| if raw || !written.contains('\\') { written } else { decoded(&written) };
    if parts.iter().any(|part| part.kind() == "interpolation") {
        let one = |part: &tree_sitter::Node| match part.kind() {
            "interpolation" => {
                let inner = part.child_by_field_name("expression").unwrap_or(*part);
                let value = expression(text, inner, depth + 1);
                // `{x!r}` and `{x:>10}` put in something else than the value.
                let changed = ["type_conversion", "format_specifier"];
                let as_it_is = !changed.iter().any(|name| part.child_by_field_name(name).is_some());
                Some(if as_it_is { value } else { Expr::new(value.span, Node::Other(vec![value])) })
            }
            "string_content" => {
                let written = span(*part).of(text).replace("{{", "{").replace("}}", "}");
                Some(Expr::new(span(*part), Node::Text(unescaped(written))))
            }
            _ => None,
        };
        return Node::Format(parts.iter().filter_map(one).collect());
    }
    if first.kind() != "string_start" || last.kind() != "string_end" {
        return Node::Other(Vec::new());
    }
    let written = Span::new(first.end_byte(), last.start_byte()).of(text);
    Node::Text(unescaped(written.to_owned()))
}

fn joined(parts: Vec<Expr>) -> Node {
    let whole: Option<String> = parts.iter().map(Expr::text).collect();
    let all_text = parts.iter().all(is_text);
    whole.map_or_else(|| if all_text { Node::Format(parts) } else { Node::Other(parts) }, Node::Text)
}

/// The escapes that occur in names, paths and connection strings; any other is kept as written.
fn decoded(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(next) = rest.chars().next() else {
            out.push('\\');
            break;
        };
        rest = &rest[next.len_utf8()..];
        match next {
            '\n' => {}
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            '\\' | '\'' | '"' => out.push(next),
            'x' => match rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(byte) => {
                    out.push(char::from(byte));
                    rest = &rest[2..];
                }
                None => out.push_str("\\x"),
            },
            other => out.extend(['\\', other]),
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use crate::syntax::python::parse;

    /// Each level once: twice at each would be 2 to the 140th.
    #[test]
    fn long_chains_of_operators_are_read_in_a_line() {
        for operator in ["-", "^", "+", "*", "%", " and ", " or ", " < ", ".a.", "[0]["] {
            let chain = format!("x = a{}", format!("{operator}b").repeat(140));
            let _ = parse(&chain);
        }
    }
}
