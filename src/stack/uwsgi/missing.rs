//! The words for what is out of sight of an instance; never a secret among them.

use super::setting::Setting;
use crate::stack::fact::Missing;
use crate::syntax::data::uwsgi::KnownOption;
use crate::syntax::uwsgi::Unresolved;

/// Of a variable's value not even the name of a placeholder is told: it may be part of a password.
pub(super) fn missing_in(known: Option<&KnownOption>, unresolved: &Unresolved) -> Missing {
    if known.is_some_and(|known| known.canonical == "env") {
        return Missing::new("a placeholder in the variable's value", "write the value itself");
    }
    missing_of(unresolved)
}

pub(super) fn missing_of(unresolved: &Unresolved) -> Missing {
    let text = unresolved.0.as_str();
    match text.get(..2) {
        // What stands in it may be part of a password.
        Some("@(") => Missing::new("what `@(…)` reads when uWSGI starts", "write the value itself"),
        Some("$(") => {
            Missing::new(format!("`{text}`, a variable of the process"), "set it in the job that starts uWSGI")
        }
        Some("%(") => Missing::new(format!("the option that `{text}` stands for"), "define it in the same file"),
        Some(opener @ ("{{" | "${")) => {
            let closer = if opener == "{{" { "}}" } else { "}" };
            Missing::new(format!("what fills in `{opener} … {closer}`"), "check the file as it is after that")
        }
        _ => Missing::new(format!("`{text}`, which the host decides"), "run `housecall doctor` where uWSGI runs"),
    }
}

/// A file that was not read.
pub(super) fn out_of_sight(setting: &Setting) -> Missing {
    let name = setting.name.as_deref().unwrap_or_default();
    Missing::new(
        format!("the options of the file that `{name}` brings in"),
        "lint that file together with this one, or write its options here",
    )
}

pub(super) fn template_lines() -> Missing {
    Missing::new("the options that the template's tags add", "write the options in the ini itself")
}

pub(super) fn shell_variable() -> Missing {
    Missing::new("a shell variable of the command", "write the value itself")
}
