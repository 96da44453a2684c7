//! The variables in a text, as `ngx_http_script_compile` finds them.

use std::ops::Range;

/// A place in a text where nginx looks for a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Variable<'a> {
    /// `$name` or `${name}`, at these bytes.
    Named(&'a str, Range<usize>),
    /// `${name` without its bracket.
    Unclosed(&'a str),
    /// `$` with nothing behind it that could be a name.
    Nameless,
}

/// The variables of a text in order; `$1` to `$9` are captures and left out. Nothing follows a mistake: nginx stops there.
pub(super) fn variables(text: &str) -> impl Iterator<Item = Variable<'_>> {
    let mut at = Some(0);
    std::iter::from_fn(move || {
        loop {
            let start = at? + text[at?..].find('$')?;
            let after = &text[start + 1..];
            if after.starts_with(|c: char| matches!(c, '1'..='9')) {
                at = Some(start + 2);
                continue;
            }
            let bracket = usize::from(after.starts_with('{'));
            let rest = &after[bracket..];
            let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
            let name = &rest[..length];
            let closed = bracket == 0 || rest[length..].starts_with('}');
            let end = start + 1 + 2 * bracket + length;
            at = (closed && length > 0).then_some(end);
            return Some(match (closed, length) {
                _ if bracket == 1 && rest.is_empty() => Variable::Nameless,
                (false, _) => Variable::Unclosed(name),
                (true, 0) => Variable::Nameless,
                (true, _) => Variable::Named(name, start..end),
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_and_without_brackets() {
        let all = |text| variables(text).collect::<Vec<_>>();
        let named = |name, range| Variable::Named(name, range);
        assert_eq!(
            all("$scheme://$host$request_uri"),
            [named("scheme", 0..7), named("host", 10..15), named("request_uri", 15..27)]
        );
        assert_eq!(all("a${b}c$1$d"), [named("b", 1..5), named("d", 8..10)]);
        assert_eq!(all("${b"), [Variable::Unclosed("b")]);
        assert_eq!(all("a$"), [Variable::Nameless]);
        assert_eq!(all("$-$a"), [Variable::Nameless]);
        assert_eq!(all("${"), [Variable::Nameless]);
        assert_eq!(all("é$0é"), [named("0", 2..4)]);
        assert!(all("plain").is_empty() && all("").is_empty());
    }
}
