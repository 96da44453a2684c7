//! The variables that nginx's own modules define.

use std::sync::LazyLock;

use foldhash::HashSet;

const TABLE: &str = include_str!("../nginx-variables.txt");

/// Those of one kind, names ending in `_` being the start of a name.
#[derive(Debug)]
struct Variables {
    names: HashSet<&'static str>,
    starts: Vec<&'static str>,
}

impl Variables {
    fn on_line(first: &str) -> Self {
        let line = TABLE.lines().find_map(|line| line.strip_prefix(first)?.strip_prefix(' '));
        let (starts, names): (Vec<_>, Vec<_>) =
            line.unwrap_or_default().split(' ').partition(|name| name.ends_with('_'));
        Self { names: names.into_iter().collect(), starts }
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(name) || self.starts.iter().any(|start| name.starts_with(start))
    }
}

static HTTP: LazyLock<Variables> = LazyLock::new(|| Variables::on_line("http"));
static STREAM: LazyLock<Variables> = LazyLock::new(|| Variables::on_line("stream"));
static FIXED: LazyLock<Variables> = LazyLock::new(|| Variables::on_line("fixed"));

/// Whether a module of nginx itself defines a variable in `http`, or else in `stream`; the name in lower case.
pub fn is_variable(name: &str, stream: bool) -> bool {
    if stream { STREAM.has(name) } else { HTTP.has(name) }
}

/// Whether a variable of `http` cannot be set (`NGX_HTTP_VAR_CHANGEABLE` is not among its flags).
pub fn is_fixed_variable(name: &str) -> bool {
    FIXED.has(name)
}

/// The names of the variables of `http`, or else of `stream`.
pub fn variables(stream: bool) -> impl Iterator<Item = &'static str> {
    let variables = if stream { &STREAM } else { &HTTP };
    variables.names.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_by_name_and_by_start() {
        assert!(is_variable("request_uri", false) && is_variable("http_x_token", false) && is_variable("arg_", false));
        assert!(
            !is_variable("request_url", false) && !is_variable("request_uri", true) && is_variable("protocol", true)
        );
        assert!(
            is_fixed_variable("uri") && !is_fixed_variable("args") && FIXED.names.iter().all(|name| HTTP.has(name))
        );
    }
}
