//! One directive: its name, where it stands, what ends it, and how many arguments it has (`ngx_conf_handler`).

use super::argument::Argument;
use super::around::Around;
use crate::source::Span;
use crate::syntax::Problem;
use crate::syntax::data::Release;
use crate::syntax::data::nginx::{Contexts, Gone, Row};
use crate::syntax::nginx::{Directive, End};

const UNKNOWN: &str = "nginx/unknown-directive";
const NOT_HERE: &str = "nginx/directive-not-allowed-here";
const COUNT: &str = "nginx/wrong-number-of-arguments";
const SYNTAX: &str = "nginx/syntax";
const RELEASE: &str = "nginx/not-in-target-version";

/// A name that no release of nginx and no module in the list knows, with the directive that was probably meant.
pub(super) fn unknown(directive: Directive<'_>, meant: Option<&'static str>) -> Problem {
    let name = directive.name();
    let problem =
        Problem::new(UNKNOWN, directive.name_span(), format!("nginx knows no directive `{}`", name.escape_debug()));
    let problem = match (name, meant) {
        ("else" | "elif" | "elsif" | "elseif", _) => problem.hint("nginx has no `else`: write a second `if`, or a `map`"),
        _ if name.starts_with("if(") => problem.hint("write a blank between `if` and `(`"),
        (_, Some(known)) if same_but_case(name, known) => {
            problem.hint(format!("write `{known}`: names are compared letter by letter")).cure(known)
        }
        (_, Some(known)) => problem.hint(format!("`{known}` was probably meant")).cure(known),
        _ if name.contains('#') => problem.hint("a comment begins with a `#` that has a blank before it"),
        _ if !name.starts_with(|c: char| c.is_ascii_alphabetic()) => problem.hint(
            "this word begins a statement: look at the line before, which ends too early; a `{` or `;` in a pattern needs quotes",
        ),
        _ => problem.hint("check the spelling; if a module of its own brings it, name it in an allow comment"),
    };
    noticed(problem, directive)
}

fn same_but_case(name: &str, known: &str) -> bool {
    name.to_ascii_lowercase().replace('-', "_") == known
}

/// The same with the place where nginx notices it, where that is another line: it reads a directive to its end first.
pub(super) fn noticed(problem: Problem, directive: Directive<'_>) -> Problem {
    let start = directive.head();
    let end = match directive.end() {
        End::Semicolon(Some(end)) => end,
        End::Block { open, .. } | End::Lua { open, .. } => open,
        End::Semicolon(None) => return problem,
    };
    let from = problem.span.start.max(start.start);
    if (Span { start: from, end: end.end.max(from) }).of(directive.text()).contains('\n') {
        return problem.also(end, "nginx reads to here before it stops");
    }
    problem
}

/// The row of a directive that stands where it may and is formed as it must be.
pub(super) fn row(
    rows: &'static [Row],
    directive: Directive<'_>,
    arguments: &[Argument<'_>],
    around: Around,
) -> Result<&'static Row, Box<Problem>> {
    let here = || rows.iter().filter(|row| row.contexts.meets(around.contexts));
    let same_form = |row: &&Row| row.block == directive.has_block();
    if let Some(row) = here().filter(same_form).find(|row| fits(row, arguments)) {
        return Ok(row);
    }
    let here: Vec<&Row> = here().collect();
    Err(Box::new(match here.first() {
        None => not_here(rows, directive, around),
        Some(first) if !here.iter().any(same_form) => wrong_form(first, directive),
        Some(_) => wrong_count(&here, directive, arguments),
    }))
}

/// Whether the number of arguments is right; words of a template may be any number.
fn fits(row: &Row, arguments: &[Argument<'_>]) -> bool {
    let open = arguments.iter().filter(|argument| argument.any_number).count();
    let sure = arguments.len() - open;
    let enough = open > 0 || sure >= usize::from(row.least);
    enough && row.most.is_none_or(|most| sure <= usize::from(most))
}

fn not_here(rows: &[Row], directive: Directive<'_>, around: Around) -> Problem {
    let name = directive.name();
    let allowed = rows.iter().map(|row| row.contexts).fold(Contexts::NONE, |all, one| all | one);
    let hint = match (name, allowed.words()) {
        ("server", _) if around.contexts == Contexts::MAIN => "wrap it in `http { … }`".to_owned(),
        ("upstream", _) if around.contexts.meets(Contexts::SERVER) => {
            "move it out of the server, into `http`".to_owned()
        }
        (_, words) => format!("`{name}` can stand {words}"),
    };
    let message = format!("`{name}` cannot stand {}", around.contexts.words());
    noticed(Problem::new(NOT_HERE, directive.head(), message).hint(hint), directive)
}

fn wrong_form(row: &Row, directive: Directive<'_>) -> Problem {
    let name = directive.name();
    let problem = if row.block {
        Problem::new(SYNTAX, directive.head(), format!("`{name}` has no opening \"{{\""))
            .hint(format!("`{name}` needs a block: {name} … {{ … }}"))
    } else {
        Problem::new(SYNTAX, directive.head(), format!("`{name}` is not ended by `;`"))
            .hint(format!("end it with `;`: `{name}` has no block"))
    };
    noticed(problem, directive)
}

fn wrong_count(rows: &[&Row], directive: Directive<'_>, arguments: &[Argument<'_>]) -> Problem {
    let name = directive.name();
    let least = rows.iter().map(|row| row.least).min().unwrap_or_default();
    let most = rows.iter().map(|row| row.most).max_by_key(|most| most.unwrap_or(u8::MAX)).flatten();
    let few = arguments.len() < usize::from(least);
    let many = |count: u8| format!("{count} argument{}", if count == 1 { "" } else { "s" });
    let takes = match (least, most) {
        (0, Some(0)) => "no argument".to_owned(),
        (least, Some(most)) if least == most => many(least),
        (least, Some(most)) => format!("{least} to {}", many(most)),
        (least, None) => format!("at least {}", many(least)),
    };
    let has = match arguments.len() {
        0 => "none".to_owned(),
        count => count.to_string(),
    };
    let extra = most.and_then(|most| arguments.get(usize::from(most)));
    let span = match extra {
        Some(extra) if !few => arguments.last().map_or(extra.span, |last| extra.span.to(last.span)),
        _ => directive.head(),
    };
    let hint = match (few, most) {
        (true, _) => usage(name),
        (false, Some(0)) => format!("write `{name}` alone"),
        (false, _) => "a value that has blanks must stand in quotes; a word too many may also be the next line, where a `;` is missing"
            .to_owned(),
    };
    noticed(Problem::new(COUNT, span, format!("`{name}` takes {takes}, not {has}")).hint(hint), directive)
}

/// What to write for the directives that are most often cut short.
fn usage(name: &str) -> String {
    let example = match name {
        "uwsgi_param" | "fastcgi_param" | "scgi_param" => "write the name and the value, `\"\"` for an empty one",
        "proxy_set_header" | "grpc_set_header" | "add_header" => {
            "write the name and the value, `\"\"` for an empty one"
        }
        "try_files" => "write at least one file and where to go without it: `try_files $uri =404`",
        "error_page" => "write the codes and the page: `error_page 502 503 /down.html`",
        "location" => "write the path: `location / {`",
        "rewrite" => "write the pattern and the replacement",
        "return" => "write a code: `return 404`",
        "server_name" => "write a name, or `_` where any will do",
        _ => "write the value that is missing; a template may have left it empty",
    };
    example.to_owned()
}

/// A directive that is gone from the release that runs, or was not there yet.
pub(super) fn too_new(row: &Row, directive: Directive<'_>, release: Option<Release>) -> Option<Problem> {
    let release = release.filter(|release| release.is_before(row.since))?;
    let message = format!("nginx {release} does not know `{}`, which came with {}", row.name, row.since);
    let hint = format!("remove it, or run nginx {} or later", row.since);
    Some(noticed(Problem::new(RELEASE, directive.name_span(), message).hint(hint), directive))
}

/// A directive that the release that runs no longer has, or not yet.
pub(super) fn gone(gone: Gone, directive: Directive<'_>, release: Option<Release>) -> Option<Problem> {
    let release = release.filter(|release| gone.last.is_before(*release) || release.is_before(gone.since))?;
    let name = directive.name();
    let message = format!("nginx {release} does not know `{name}`: it was there from {} to {}", gone.since, gone.last);
    let hint = match name {
        "ssl" => "write `listen 443 ssl` instead".to_owned(),
        _ if name.starts_with("spdy_") => "remove it: HTTP/2 took the place of SPDY".to_owned(),
        "limit_zone" => "write `limit_conn_zone` instead".to_owned(),
        "satisfy_any" => "write `satisfy any` instead".to_owned(),
        "optimize_server_names" => "write `server_name_in_redirect` instead".to_owned(),
        "open_file_cache_retest" => "write `open_file_cache_valid` instead".to_owned(),
        _ => "remove it".to_owned(),
    };
    Some(noticed(Problem::new(RELEASE, directive.name_span(), message).hint(hint), directive))
}
