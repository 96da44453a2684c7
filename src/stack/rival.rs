//! Servers of apps beside uWSGI for which a repository holds a configuration as well: either may be the one that runs.

use crate::stack::document::{Document, Kind};
use crate::stack::job::Job;
use crate::stack::view::View;
use crate::syntax::python::{self, Expr, Node, Scope, What};

/// The addresses that they bind, from gunicorn's configuration files, Python whose `bind` is one address or several
/// (gunicorn: `config.py`, class Bind), and from the commands of jobs.
pub fn rivals<'a>(view: &View, jobs: impl Iterator<Item = &'a Job>) -> Vec<String> {
    let is_gunicorn = |document: &&std::sync::Arc<Document>| {
        document.path.rsplit('/').next().is_some_and(|name| name.contains("gunicorn"))
    };
    let by_files = view.of(Kind::Python).filter(is_gunicorn).flat_map(|document| bound(document.text()));
    let by_jobs = jobs.filter_map(|job| job.command.known()).flat_map(|command| bound_by(command));
    by_files.chain(by_jobs).collect()
}

/// The addresses on the command line of gunicorn: `-b ADDRESS`, `--bind=ADDRESS`.
fn bound_by(command: &str) -> Vec<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    if !words.iter().any(|word| word.rsplit('/').next().is_some_and(|name| name.starts_with("gunicorn"))) {
        return Vec::new();
    }
    let address = |at: usize| match words[at] {
        "-b" | "--bind" => words.get(at + 1).copied(),
        word => word.strip_prefix("--bind=").or_else(|| word.strip_prefix("-b")),
    };
    (0..words.len()).filter_map(address).map(without_scheme).collect()
}

fn without_scheme(address: &str) -> String {
    address.strip_prefix("unix:").unwrap_or(address).to_owned()
}

fn bound(text: &str) -> Vec<String> {
    let module = python::parse(text).tree;
    let binds =
        module.events.iter().filter(|event| event.scope == Scope::Module).filter_map(|event| match &event.what {
            What::Assign { target, value } if matches!(&*target.node, Node::Name(name) if name == "bind") => {
                Some(value)
            }
            _ => None,
        });
    let texts = |value: &Expr| match value.text() {
        Some(text) => vec![text.to_owned()],
        None => value.children().into_iter().filter_map(Expr::text).map(str::to_owned).collect(),
    };
    binds.flat_map(texts).map(|address| without_scheme(&address)).collect()
}

#[cfg(test)]
mod tests {
    use super::{bound, bound_by};

    #[test]
    fn addresses_of_a_command() {
        assert_eq!(
            bound_by("/srv/venv/bin/gunicorn -b 127.0.0.1:8000 --bind=unix:/run/a.sock app"),
            ["127.0.0.1:8000", "/run/a.sock"]
        );
        assert!(bound_by("uwsgi -b 32768").is_empty() && bound_by("gunicorn app --bind").is_empty());
    }

    #[test]
    fn one_address_or_several() {
        assert_eq!(bound("bind = '127.0.0.1:8001'\nworkers = 5\n"), ["127.0.0.1:8001"]);
        assert_eq!(bound("bind = ['unix:/run/a.sock', '[::]:80']\n"), ["/run/a.sock", "[::]:80"]);
        assert!(bound("def on_starting(server):\n    bind = 'x:1'\n").is_empty());
    }
}
