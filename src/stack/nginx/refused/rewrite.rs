//! `return`, `rewrite`, `error_page`, `try_files`, `set` and their kin.

use super::argument::{Argument, Invalid};
use super::pattern;
use super::value::word;
use crate::stack::nginx::scalar::number;

/// A code that is none (`ngx_http_rewrite_return`).
pub(super) fn return_code(arguments: &[Argument<'_>]) -> Option<Invalid> {
    let text = arguments.first()?.final_text()?;
    let is_address = ["http://", "https://", "$scheme"].iter().any(|start| text.starts_with(start));
    match number(text) {
        Some(code) if code <= 999 => None,
        None if arguments.len() == 1 && is_address => None,
        _ => {
            let hint = match (text.starts_with(['/', '$']), is_address && arguments.len() == 2) {
                (_, true) => "the code comes first: `return 301 https://…`",
                (true, _) => "write a code before it: `return 302 /…`",
                _ => "write a status code such as `404`, with a text or an address behind it, or an address alone",
            };
            Some(Invalid::new(0, format!("`{text}` is no status code"), hint))
        }
    }
}

/// What nginx refuses in a `rewrite`.
pub(super) fn refused(arguments: &[Argument<'_>]) -> Option<Invalid> {
    let text = |at: usize| arguments.get(at).and_then(Argument::final_text);
    if text(1) == Some("") {
        return Some(Invalid::new(1, "an empty replacement", "write where the request goes"));
    }
    let flag = text(2).and_then(|text| word(text, 2, "last,break,redirect,permanent").or_else(|| cased(text)));
    text(0).and_then(|text| pattern::refused(text, 0, 0)).or(flag)
}

/// The flags of a rewrite are compared letter by letter.
fn cased(text: &str) -> Option<Invalid> {
    let lower = text.to_ascii_lowercase();
    (lower != text)
        .then(|| Invalid::new(2, format!("nginx knows no `{text}` here"), format!("write `{lower}`")).cure(lower))
}

/// Codes that no error page can have.
pub(super) fn error_page(arguments: &[Argument<'_>]) -> Option<Invalid> {
    let before = arguments.len().checked_sub(1)?;
    let overwrites = arguments[before.checked_sub(1)?].text().is_some_and(|text| text.starts_with('='));
    if overwrites {
        let at = before - 1;
        let text = arguments[at].final_text()?;
        if at == 0 || (text.len() > 1 && number(&text[1..]).is_none()) {
            return Some(Invalid::new(
                at,
                format!("`{text}` is no status code"),
                "write it as `error_page 404 =200 /page.html`",
            ));
        }
    }
    let codes = if overwrites { before - 1 } else { before };
    arguments[..codes].iter().enumerate().find_map(|(at, argument)| {
        let text = argument.final_text()?;
        let fine = number(text).is_some_and(|code| (300..=599).contains(&code) && code != 499);
        (!fine).then(|| {
            let hint =
                "write codes from 300 to 599 (499 is not among them), then the page: `error_page 502 503 /down.html`";
            Invalid::new(at, format!("`{text}` is no status code that can have a page"), hint)
        })
    })
}

/// A code at the end that is none.
pub(super) fn try_files(arguments: &[Argument<'_>]) -> Option<Invalid> {
    let at = arguments.len().checked_sub(1)?;
    let text = arguments[at].final_text()?;
    let code = text.strip_prefix('=')?;
    let fine = number(code).is_some_and(|code| code <= 999);
    (!fine).then(|| Invalid::new(at, format!("`{text}` is no status code"), "write one such as `=404`"))
}

/// A name of a variable that lacks its `$`.
pub(super) fn variable(arguments: &[Argument<'_>], at: usize) -> Option<Invalid> {
    let text = arguments.get(at)?.final_text()?;
    (!text.starts_with('$')).then(|| {
        Invalid::new(at, format!("`{text}` is no variable: it lacks its `$`"), format!("write `${text}`"))
            .cure(format!("${text}"))
    })
}

/// `root` and `alias` cannot be made of what they make.
pub(super) fn root(arguments: &[Argument<'_>], name: &str) -> Option<Invalid> {
    let text = arguments.first()?.final_text().filter(|text| text.contains('$'))?;
    ["document_root", "realpath_root"].into_iter().find(|variable| holds(text, variable)).map(|variable| {
        let hint = format!("write the folder itself: `{name}` is what ${variable} is made of");
        Invalid::new(0, format!("${variable} cannot stand in `{name}`"), hint)
    })
}

fn holds(text: &str, variable: &str) -> bool {
    text.contains(&format!("${variable}")) || text.contains(&format!("${{{variable}}}"))
}
