//! `location` and `server_name`: their names and what may stand inside what (`ngx_http_core_location`).

use super::argument::{Argument, Invalid};
use super::around::LocationKind;
use super::pattern;
use crate::stack::nginx::location::{Matching, split};

/// The kind of a location and its name, without the modifier; a lone `~*` may be glued to the pattern.
pub(super) fn name<'a>(arguments: &'a [Argument<'_>]) -> Option<(LocationKind, &'a str)> {
    let (modifier, name) = match arguments {
        [modifier, name] => (modifier.text()?, name.text()?),
        [name] => split(name.text()?),
        _ => return None,
    };
    Some((Matching::of(modifier, name)?.into(), name))
}

/// An unknown modifier, or a pattern that PCRE refuses.
pub(super) fn refused(arguments: &[Argument<'_>]) -> Option<Invalid> {
    if let [modifier, _] = arguments
        && let Some(text) = modifier.final_text()
        && !matches!(text, "=" | "~" | "~*" | "^~")
    {
        let hint = match text {
            "!~" | "!~*" | "!" | "!=" => "a location cannot be negated: give the others locations of their own",
            "*~" => "write `~*`",
            "==" => "write `=`",
            _ => "write `=`, `~`, `~*` or `^~` before the path, and put a path that has blanks in quotes",
        };
        return Some(Invalid::new(0, format!("nginx knows no modifier `{text}`"), hint));
    }
    let last = arguments.len().checked_sub(1)?;
    arguments[last].final_text()?;
    match name(arguments)? {
        (LocationKind::Regex, text) => {
            let skipped = arguments[last].text()?.len() - text.len();
            pattern::refused(text, last, skipped)
        }
        _ => None,
    }
}

/// Why a location named `inner` cannot stand in the location `outer`, in nginx's words.
pub(super) fn outside(inner: (LocationKind, &str), outer: (LocationKind, &str)) -> Option<(String, &'static str)> {
    let (kind, name) = inner;
    match outer.0 {
        LocationKind::Exact => Some((
            format!("location `{name}` cannot stand in `= {}`: only that one path gets there", outer.1),
            "move it out to the server",
        )),
        LocationKind::Named => Some((
            format!("location `{name}` cannot stand in the named location `{}`", outer.1),
            "move it out to the server",
        )),
        _ if kind == LocationKind::Named => {
            Some((format!("the named location `{name}` can stand in a server only"), "move it out to the server"))
        }
        // A pattern is compared as it is written.
        _ if kind != LocationKind::Regex && !starts_with_folded(name, outer.1) => Some((
            format!("location `{name}` is not below `{}`, where it stands: nothing would ever get there", outer.1),
            "move it out to the server, or write the whole path",
        )),
        _ => None,
    }
}

fn starts_with_folded(text: &str, start: &str) -> bool {
    text.as_bytes().get(..start.len()).is_some_and(|begin| begin == start.as_bytes())
}

/// Names that are no names, and patterns that PCRE refuses (`ngx_http_core_server_name`).
pub(super) fn server_name(arguments: &[Argument<'_>]) -> Option<Invalid> {
    arguments.iter().enumerate().find_map(|(at, argument)| {
        let name = argument.final_text()?;
        if let Some(regex) = name.strip_prefix('~') {
            let empty = || Invalid::new(at, "an empty pattern", "write the pattern right behind the `~`");
            return if regex.is_empty() { Some(empty()) } else { pattern::refused(regex, at, 1) };
        }
        let lone_star = name.starts_with('*') && (name.len() < 3 || !name.starts_with("*."));
        (lone_star || name == ".").then(|| {
            let hint = "a `*` stands for whole labels at either end, as in `*.example.com`; `_` with `default_server` takes every name";
            Invalid::new(at, format!("`{name}` is no server name"), hint)
        })
    })
}
