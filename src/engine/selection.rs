//! Which rules a run judges by, and which files a configuration means.

use crate::config::Config;
use crate::engine::Options;
use crate::nearest::did_you_mean;
use crate::rule::book::Rulebook;
use crate::stack::view::glob_matches;

/// Refuses ids that no page has.
///
/// # Errors
/// Names the first such id, and the one that was probably meant.
pub fn check(options: &Options, config: &Config, rules: &Rulebook) -> Result<(), String> {
    let given = options.select.iter().chain(&options.ignore);
    let configured = config.select.iter().chain(&config.ignore).chain(config.allow.iter().map(|allow| &allow.rule));
    for id in given.chain(configured.map(|located| &located.value)) {
        let known = rules.ids().any(|known| covers(id, known));
        if !known {
            let hint = did_you_mean(id, rules.ids());
            return Err(format!("there is no rule `{id}`{hint}; `housecall rules` lists them all"));
        }
    }
    Ok(())
}

/// Whether a run judges by this rule: what the user typed counts more than what the configuration says.
pub fn selects(options: &Options, config: &Config, rule: &str) -> bool {
    let typed = |ids: &[String]| ids.iter().any(|id| covers(id, rule));
    if typed(&options.ignore) {
        return false;
    }
    if !options.select.is_empty() {
        return typed(&options.select);
    }
    let written = |ids: &[crate::source::Located<String>]| ids.iter().any(|id| covers(&id.value, rule));
    !written(&config.ignore) && (config.select.is_empty() || written(&config.select))
}

/// `family/*` covers its family.
pub(super) fn covers(pattern: &str, rule: &str) -> bool {
    match pattern.strip_suffix("/*") {
        Some(family) => rule.split('/').next() == Some(family),
        None => pattern == rule,
    }
}

/// Whether a source lies at a path or below a folder that the configuration names.
pub(super) fn lies_at(name: &str, folder: &str, pattern: &str) -> bool {
    let Some(inside) = crate::stack::boundary::below(name, folder) else { return false };
    let pattern = pattern.trim_end_matches('/');
    glob_matches(pattern, inside) || crate::stack::boundary::below(inside, pattern).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_counts_more_than_what_is_written() {
        let options = Options { select: vec!["uwsgi/*".to_owned()], ..Options::default() };
        assert!(selects(&options, &Config::default(), "uwsgi/unknown-option"));
        assert!(!selects(&options, &Config::default(), "nginx/syntax"));
        let options = Options { ignore: vec!["uwsgi/unknown-option".to_owned()], ..options };
        assert!(!selects(&options, &Config::default(), "uwsgi/unknown-option"));
    }

    #[test]
    fn a_path_names_a_file_a_glob_or_a_folder() {
        assert!(lies_at("infra/a/b.conf", "infra", "a/b.conf"));
        assert!(lies_at("infra/a/b.conf", "infra", "a/*.conf"));
        assert!(lies_at("infra/a/b.conf", "infra", "a/"));
        assert!(!lies_at("other/a/b.conf", "infra", "a"));
    }
}
