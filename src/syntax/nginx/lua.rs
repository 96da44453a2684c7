//! The bodies of `*_by_lua_block`: Lua's strings and comments, and braces that must balance (lua-nginx-module, `ngx_http_lua_lex`).

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_until, take_while};
use nom::character::complete::{anychar, char, none_of};
use nom::combinator::{opt, recognize, rest};
use nom::multi::many0_count;
use nom::sequence::{delimited, pair, preceded};
use nom::{IResult, Parser};

/// The bytes up to the `}` that closes the block, and whether there is one.
pub(super) fn body(text: &str) -> (usize, bool) {
    let mut left = text;
    let mut depth = 0_usize;
    while let Ok((after, piece)) = piece(left) {
        match piece {
            "}" if depth == 0 => return (text.len() - left.len(), true),
            "}" => depth -= 1,
            "{" => depth += 1,
            _ => {}
        }
        left = after;
    }
    (text.len(), false)
}

/// A comment, a string, a brace, or a run of anything else.
fn piece(text: &str) -> IResult<&str, &str> {
    alt((
        plain,
        recognize(preceded(tag("--"), long_bracket)),
        recognize(preceded(tag("--"), take_till(|c| c == '\n'))),
        long_bracket,
        |text| quoted('"', text),
        |text| quoted('\'', text),
        recognize(pair(char('\\'), opt(anychar))),
        recognize(anychar),
    ))
    .parse(text)
}

/// Characters that begin nothing special.
fn plain(text: &str) -> IResult<&str, &str> {
    nom::bytes::complete::take_while1(|c| !matches!(c, '-' | '[' | '"' | '\'' | '\\' | '{' | '}')).parse(text)
}

/// `[[ … ]]` or `[==[ … ]==]`; without its end it runs to the end of the text.
fn long_bracket(text: &str) -> IResult<&str, &str> {
    let (after, level) = delimited(char('['), take_while(|c| c == '='), char('[')).parse(text)?;
    let end = format!("]{level}]");
    let (left, _) = alt((recognize(pair(take_until(end.as_str()), tag(end.as_str()))), rest)).parse(after)?;
    Ok((left, &text[..text.len() - left.len()]))
}

/// A string on one line, unless an escape takes it over the end of the line.
fn quoted(quote: char, text: &str) -> IResult<&str, &str> {
    let escape = recognize(pair(char('\\'), anychar));
    let ordinary = recognize(none_of(if quote == '"' { "\"\\\n" } else { "'\\\n" }));
    recognize(delimited(char(quote), many0_count(alt((escape, ordinary))), char(quote))).parse(text)
}
