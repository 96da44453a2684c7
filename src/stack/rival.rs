//! Servers of apps beside uWSGI for which a repository holds a configuration as well: either may be the one that runs.

use crate::stack::document::{Document, Kind};
use crate::stack::view::View;
use crate::syntax::python::{self, Expr, Node, Scope, What};

/// The addresses that they bind, from gunicorn's configuration files: Python whose `bind` is one address or several
/// (gunicorn: `config.py`, class Bind).
pub fn rivals(view: &View) -> Vec<String> {
    let is_gunicorn = |document: &&std::sync::Arc<Document>| {
        document.path.rsplit('/').next().is_some_and(|name| name.contains("gunicorn"))
    };
    view.of(Kind::Python).filter(is_gunicorn).flat_map(|document| bound(document.text())).collect()
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
    binds.flat_map(texts).map(|address| address.strip_prefix("unix:").map_or(address.clone(), str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::bound;

    #[test]
    fn one_address_or_several() {
        assert_eq!(bound("bind = '127.0.0.1:8001'\nworkers = 5\n"), ["127.0.0.1:8001"]);
        assert_eq!(bound("bind = ['unix:/run/a.sock', '[::]:80']\n"), ["/run/a.sock", "[::]:80"]);
        assert!(bound("def on_starting(server):\n    bind = 'x:1'\n").is_empty());
    }
}
