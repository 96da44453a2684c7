//! What is told to be missing, and what is not.
#![allow(clippy::unwrap_used)]

use super::{Wanted, absence};
use crate::stack::app::Entry;
use crate::stack::app::tests::code;

fn module(name: &str, callable: &str) -> Entry {
    let (module, callable) = (Some(name.to_owned()), Some(callable.to_owned()));
    Entry { module, callable, roots: vec!["srv".to_owned()], ..Entry::default() }
}

/// What lacks, and what is there in its stead.
fn lacking(files: &[(&str, &str)], entry: &Entry) -> Option<(Wanted, Option<String>)> {
    absence(&code(files), entry).map(|found| (found.what, found.instead))
}

fn without_callable(text: &str) -> bool {
    lacking(&[("srv/wsgi.py", text)], &module("wsgi", "application")).is_some_and(|(what, _)| what == Wanted::Callable)
}

#[test]
fn a_callable_that_nothing_binds() {
    assert!(without_callable("from flask import Flask\napp = Flask(__name__)\n"));
    assert!(without_callable("def create():\n    application = 1\n    return application\n"));
    assert!(without_callable("if __name__ == '__main__':\n    application = 1\n"));
    let bound = [
        "application = 1",
        "from a import application",
        "from a import b as application",
        "def application(e, s): pass",
        "class application: pass",
        "from a import *",
        "if x:\n    application = 1",
        "x, application = make()",
        "with make() as application:\n    pass",
        "globals()['application'] = 1",
        "uwsgi.applications = {}",
        "for application in all():\n    pass",
        "import application",
        "exec(open('a').read())",
        "(application := make())",
        "application: object = make()",
    ];
    for text in bound {
        assert!(!without_callable(text), "{text}");
    }
    let files = [("srv/wsgi.py", "from flask import Flask\nshop = Flask(__name__)\n")];
    assert_eq!(lacking(&files, &module("wsgi", "app")), Some((Wanted::Callable, Some("shop".to_owned()))));
    assert_eq!(lacking(&[("srv/wsgi.py", "def make():\n    pass\n")], &module("wsgi", "make()")), None);
    assert_eq!(
        lacking(&[("srv/wsgi.py", "app = (\n")], &module("wsgi", "x")),
        None,
        "a file that cannot be read says nothing"
    );
}

#[test]
fn a_module_whose_package_is_here() {
    let app = "application = get_wsgi_application()\n";
    let files = [("srv/shop/__init__.py", ""), ("srv/shop/web.py", app)];
    assert_eq!(
        lacking(&files, &module("shop.wsgi", "application")),
        Some((Wanted::Module, Some("shop.web".to_owned())))
    );
    assert_eq!(lacking(&files, &module("shop.web", "application")), None);
    assert_eq!(lacking(&files, &module("other.wsgi", "application")), None, "another package may be installed");
    let elsewhere = [("srv/shop/__init__.py", ""), ("lib/shop/wsgi.py", app)];
    assert_eq!(lacking(&elsewhere, &module("shop.wsgi", "application")), None, "it lies somewhere else");
    assert_eq!(lacking(&[("srv/shop/web.py", app)], &module("shop.wsgi", "application")), None, "no package");
}

#[test]
fn a_module_of_one_word_beside_the_app() {
    let app = "from flask import Flask\napp = Flask(__name__)\n";
    assert_eq!(lacking(&[("srv/web.py", app)], &module("wsgi", "app")), Some((Wanted::Module, Some("web".to_owned()))));
    assert_eq!(lacking(&[("srv/fabfile.py", "x = 1\n")], &module("wsgi", "app")), None);
    let two = Entry { roots: vec!["lib".to_owned(), "srv".to_owned()], ..module("wsgi", "app") };
    assert_eq!(lacking(&[("srv/web.py", app)], &two), None, "the other folder is out of sight");
}

#[test]
fn a_file_beside_the_app() {
    let app = "from flask import Flask\napp = Flask(__name__)\n";
    let file = |path: &str| Entry { module: None, wsgi_file: Some(path.to_owned()), ..module("", "app") };
    let files = [("srv/shop/web.py", app)];
    assert_eq!(lacking(&files, &file("shop/wsgi.py")), Some((Wanted::File, Some("web.py".to_owned()))));
    assert_eq!(lacking(&files, &file("shop/web.py")), None);
    assert_eq!(lacking(&files, &file("/opt/elsewhere/wsgi.py")), None);
    assert_eq!(lacking(&files, &file("shop/shop.wsgi")), None, "such files are not read");
}
