//! The condition of an `if` (`ngx_http_rewrite_if_condition`).

use super::argument::{Argument, Invalid};
use super::pattern;
use crate::stack::nginx::condition::inside;

/// What stands between the parentheses, each part with its argument and the bytes skipped before it.
type Part<'a> = (&'a str, usize, usize);

/// What nginx refuses in the condition.
pub(super) fn refused(arguments: &[Argument<'_>]) -> Option<Invalid> {
    let texts: Option<Vec<&str>> = arguments.iter().map(Argument::final_text).collect();
    let texts = texts?;
    let last = texts.len().checked_sub(1)?;
    let usage = "write `if ($variable)`, `if ($variable = text)`, `if ($variable ~ pattern)` or `if (-f path)`";
    if !texts[0].starts_with('(') {
        return Some(Invalid::new(0, format!("the condition does not begin with `(` but with `{}`", texts[0]), usage));
    }
    if !texts[last].ends_with(')') {
        return Some(Invalid::new(
            last,
            format!("the condition does not end with `)` but with `{}`", texts[last]),
            usage,
        ));
    }
    let parts = inside(&texts).unwrap_or_default();
    let parts: Vec<Part<'_>> =
        parts.into_iter().map(|(at, range)| (&texts[at][range.clone()], at, range.start)).collect();
    match parts.as_slice() {
        [] | [("", ..)] => Some(Invalid::new(last, "an empty condition", usage)),
        [first, rest @ ..] if first.0.len() > 1 && first.0.starts_with('$') => compared(*first, rest),
        [test, rest @ ..] if matches!(test.0, "-f" | "-d" | "-e" | "-x" | "!-f" | "!-d" | "!-e" | "!-x") => {
            (rest.len() != 1).then(|| {
                Invalid::new(test.1, format!("`{}` takes one path", test.0), "write it as `if (-f $request_filename)`")
            })
        }
        [first, ..] => Some(Invalid::new(
            first.1,
            format!("a condition cannot begin with `{}`", first.0),
            "it begins with a variable, or with `-f`, `-d`, `-e` or `-x`, a `!` before it or not",
        )),
    }
}

/// `$variable` with an operator and what it is compared with.
fn compared(first: Part<'_>, rest: &[Part<'_>]) -> Option<Invalid> {
    let usage = "one comparison is all an `if` can hold; use a `map` for more";
    match rest {
        [] => None,
        [(operator, at, _), (value, value_at, skipped)] => match *operator {
            "=" | "!=" => None,
            "~" | "~*" | "!~" | "!~*" => pattern::refused(value, *value_at, *skipped),
            "==" => Some(Invalid::new(*at, "nginx knows no `==`", "write `=`").cure("=")),
            "=~" => Some(Invalid::new(*at, "nginx knows no `=~`", "write `~`").cure("~")),
            other => Some(Invalid::new(
                *at,
                format!("nginx knows no `{other}` in a condition"),
                "use `=`, `!=`, `~`, `~*`, `!~` or `!~*`",
            )),
        },
        [(operator, at, _), ..] if matches!(*operator, "&&" | "||" | "and" | "or") => {
            Some(Invalid::new(*at, format!("nginx knows no `{operator}` in a condition"), usage))
        }
        [.., (last, at, _)] => {
            let blank = "put a text or pattern that has blanks in quotes, and the closing `)` behind it";
            let many = rest.iter().any(|(word, ..)| matches!(*word, "&&" | "||" | "and" | "or"));
            let hint = if many { usage } else { blank };
            Some(Invalid::new(
                *at,
                format!("the condition on `{}` has too many or too few words at `{last}`", first.0),
                hint,
            ))
        }
    }
}
