//! What uWSGI reads and then stops at.

use super::setting::Setting;
use super::settings::Settings;
use super::variables::is_shell_syntax;
use super::{Uwsgi, blocks, lines, values};
use crate::source::FileId;
use crate::stack::fact::Answer;
use crate::syntax::Problem;
use crate::syntax::data::uwsgi::nearest;
use crate::syntax::uwsgi::closes_block;

pub(super) fn problems(settings: &Settings, uwsgi: &Uwsgi) -> Vec<(FileId, Problem)> {
    let strict = uwsgi.strict.known() == Some(&true);
    let of_setting = |setting: &Setting| {
        let refused = socket_mode(setting).or_else(|| placeholder(settings, setting).filter(|_| strict))?;
        Some((setting.document.file, refused))
    };
    let mut all: Vec<_> = settings
        .all
        .iter()
        .filter(|setting| setting.is_line && setting.block.is_none())
        .filter_map(of_setting)
        .collect();
    for part in &settings.parts {
        let nested = blocks::nested(part.document, &part.config);
        all.extend(nested.into_iter().map(|problem| (part.document.file, problem)));
    }
    all.extend(settings.problems.iter().cloned());
    all
}

/// A mode that is neither three octal digits, nor `1`, nor empty (uWSGI: `uwsgi_opt_chmod_socket`).
fn socket_mode(setting: &Setting) -> Option<Problem> {
    let Answer::Known(value) = &setting.value else { return None };
    let allowed = values::is_mode(value) || matches!(value.as_str(), "" | "1");
    if !setting.is(&["chmod-socket"]) || allowed || values::says_more(setting) {
        return None;
    }
    let problem = Problem::new(
        "uwsgi/bad-socket-mode",
        setting.value_span,
        format!("uWSGI takes three octal digits for the socket's mode, not `{value}`"),
    )
    .hint("write `660`, and give the socket the group of nginx");
    let digits = value.trim_start_matches("0o").trim_start_matches('0');
    Some(if values::is_mode(digits) && !values::is_templated(setting) { problem.cure(digits) } else { problem })
}

/// A name of one's own under `strict`. A misspelt option is the business of the page that knows what was meant.
fn placeholder(settings: &Settings, setting: &Setting) -> Option<Problem> {
    let name = setting.name.as_deref().filter(|name| !name.is_empty() && setting.known.is_none())?;
    let other = closes_block(name) || is_shell_syntax(setting) || lines::lacks_equals(setting);
    if other || settings.declared.contains(name) || nearest(name).is_some() || setting.is_bare() {
        return None;
    }
    let value = setting.document.written(setting.value_span);
    Some(
        Problem::new(
            "uwsgi/placeholder-refused-by-strict",
            setting.span,
            format!("`{name}` is no option of uWSGI, and with `strict` uWSGI stops at such a line"),
        )
        .hint(format!("write `set-placeholder = {name}=…` if it is a name of your own"))
        .cure(format!("set-placeholder = {name}={value}")),
    )
}
