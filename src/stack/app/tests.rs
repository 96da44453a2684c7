//! Apps as people lay them out, and what is worked out from them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use super::code::Code;
use super::{Entry, Moment, Reading, read};
use crate::source::{Origin, Sources};
use crate::stack::document::{Document, Kind};
use crate::stack::fact::{Answer, Fact};

/// The code of some files.
pub(super) fn code(files: &[(&str, &str)]) -> Code {
    let mut sources = Sources::default();
    let documents = files.iter().map(|(path, text)| {
        let file = sources.add(*path, text.as_bytes().to_vec(), Origin::File);
        Arc::new(Document::plain(file, *path, Kind::Python, sources.get(file).shared_text()))
    });
    Code::of(documents.collect::<Vec<_>>())
}

fn entry(module: &str) -> Entry {
    Entry { module: Some(module.to_owned()), roots: vec![String::new()], ..Entry::default() }
}

fn app(files: &[(&str, &str)]) -> Reading {
    read(&code(files), &entry("wsgi")).unwrap()
}

/// `absent`, `unknown`, or the value.
fn said(fact: &Fact<String>) -> &str {
    match &fact.answer {
        Answer::Known(value) => value,
        Answer::Absent => "absent",
        Answer::Unknown(_) => "unknown",
    }
}

const FACTORY: &str = "from flask import Flask\nfrom flask_sqlalchemy import SQLAlchemy\nfrom shop.config import config\ndb = SQLAlchemy()\n\
def create_app(name):\n    app = Flask(__name__)\n    app.config.from_object(config[name])\n    db.init_app(app)\n    return app\n";
const CONFIG: &str = "import os\nclass Config(object):\n    SECRET_KEY = os.environ.get('SECRET_KEY') or 'x'\n\
class Development(Config):\n    DEBUG = True\n    SQLALCHEMY_DATABASE_URI = os.environ.get('DEV_DATABASE_URL')\n    KEY = os.environ['DEV_KEY']\n\
class Production(Config):\n    SQLALCHEMY_DATABASE_URI = os.environ.get('DATABASE_URL')\n\
config = {'development': Development, 'production': Production}\n";

fn shop(wsgi: &str) -> Reading {
    app(&[("wsgi.py", wsgi), ("shop/__init__.py", FACTORY), ("shop/config.py", CONFIG)])
}

fn selected(reading: &Reading, name: &str) -> Option<bool> {
    reading.reads.iter().find(|read| read.name == name).unwrap().selected
}

#[test]
fn the_selected_configuration_counts() {
    let production = shop("from shop import create_app\napp = create_app('production')\n");
    assert_eq!(said(&production.app.framework), "flask");
    assert_eq!(said(&production.app.configuration), "Production");
    assert_eq!(said(&production.app.exceptions_escape), "absent");
    assert_eq!(selected(&production, "DATABASE_URL"), Some(true));
    assert_eq!(selected(&production, "DEV_DATABASE_URL"), Some(false));
    let read = production.reads.iter().find(|read| read.name == "DATABASE_URL").unwrap();
    assert!(!read.raises && !read.has_default);
    assert_eq!(read.used_as.as_deref(), Some("SQLALCHEMY_DATABASE_URI"));
    assert_eq!(read.moment, Moment::Import);
    assert!(production.reads.iter().find(|read| read.name == "DEV_KEY").unwrap().raises);
    assert!(production.reads.iter().find(|read| read.name == "SECRET_KEY").unwrap().has_default);

    let development = shop("from shop import create_app\napp = create_app(name='development')\n");
    assert_eq!(said(&development.app.exceptions_escape), "DEBUG = True");
    assert_eq!(selected(&development, "DATABASE_URL"), Some(false));
}

#[test]
fn a_selection_from_the_environment_is_out_of_sight() {
    let reading =
        shop("import os\nfrom shop import create_app\napp = create_app(os.getenv('FLASK_CONFIG') or 'production')\n");
    assert_eq!(said(&reading.app.exceptions_escape), "unknown");
    assert_eq!(said(&reading.app.configuration), "unknown");
    assert_eq!(selected(&reading, "DATABASE_URL").filter(|counts| !counts), None);
}

#[test]
fn configurations_by_name() {
    for (line, expected) in [
        ("app.config.from_object('config.Production')", "PROPAGATE_EXCEPTIONS = True"),
        ("from config import Production\napp.config.from_object(Production)", "PROPAGATE_EXCEPTIONS = True"),
        ("import config\napp.config.from_object(config.Production())", "PROPAGATE_EXCEPTIONS = True"),
        ("app.config.from_object('config')", "TESTING = True"),
        ("app.config.from_pyfile('config.py')", "TESTING = True"),
        ("app.config.from_pyfile('other.cfg')", "unknown"),
        ("app.config.from_envvar('X')", "unknown"),
        ("app.config['DEBUG'] = True", "DEBUG = True"),
        ("app.config.update(DEBUG=True)", "DEBUG = True"),
        ("app.config.update({'DEBUG': True})", "DEBUG = True"),
        ("app.config['DEBUG'] = True\napp.config['DEBUG'] = False", "absent"),
        ("app.config['DEBUG'] = True\napp.config['PROPAGATE_EXCEPTIONS'] = False", "absent"),
        ("app.debug = True", "DEBUG = True"),
        ("import os\napp.debug = os.environ.get('DEBUG')", "unknown"),
        ("if x:\n    app.debug = True", "unknown"),
        ("if __name__ == '__main__':\n    app.debug = True\n    app.run(debug=True)", "absent"),
        ("DEBUG = True\napp.config['DEBUG'] = DEBUG", "DEBUG = True"),
    ] {
        let wsgi = format!("from flask import Flask\napp = Flask(__name__)\n{line}\n");
        let config =
            "TESTING = True\nclass Base:\n    PROPAGATE_EXCEPTIONS = True\nclass Production(Base):\n    pass\n";
        assert_eq!(said(&app(&[("wsgi.py", &wsgi), ("config.py", config)]).app.exceptions_escape), expected, "{line}");
    }
}

#[test]
fn connections_at_import() {
    let header = "from flask import Flask\nfrom flask_sqlalchemy import SQLAlchemy\nfrom sqlalchemy import create_engine, MetaData\nfrom sqlalchemy.orm import scoped_session, sessionmaker\nimport psycopg2, os\nURL = os.environ['URL']\napp = Flask(__name__)\n";
    for (lines, connects, engine) in [
        ("", "absent", "absent"),
        ("db = SQLAlchemy(app)", "absent", "SQLAlchemy()"),
        ("db = SQLAlchemy(app)\ndb.create_all()", "db.create_all()", "SQLAlchemy()"),
        ("db = SQLAlchemy(app)\nwith app.app_context():\n    db.create_all()", "db.create_all()", "SQLAlchemy()"),
        ("db = SQLAlchemy(app)\nif __name__ == '__main__':\n    db.create_all()", "absent", "SQLAlchemy()"),
        ("db = SQLAlchemy(app)\nif URL:\n    db.create_all()", "unknown", "SQLAlchemy()"),
        (
            "db = SQLAlchemy(app)\nclass User(db.Model):\n    pass\nfirst = User.query.filter_by(id=1).first()",
            "User.query.filter_by().first()",
            "SQLAlchemy()",
        ),
        (
            "db = SQLAlchemy(app)\nclass User(db.Model):\n    pass\nq = User.query.filter_by(id=1)",
            "absent",
            "SQLAlchemy()",
        ),
        (
            "db = SQLAlchemy(app)\n@app.route('/')\ndef index():\n    return db.session.execute('select 1')",
            "absent",
            "SQLAlchemy()",
        ),
        ("engine = create_engine(URL)\nengine.execute('select 1')", "engine.execute()", "create_engine()"),
        ("engine = create_engine(URL)\nconn = engine.connect()", "engine.connect()", "create_engine()"),
        (
            "engine = create_engine(URL)\nmeta = MetaData()\nmeta.reflect(bind=engine)",
            "meta.reflect()",
            "create_engine()",
        ),
        ("engine = create_engine(URL)\nmeta = MetaData(engine, reflect=True)", "MetaData()", "create_engine()"),
        ("engine = create_engine('sqlite:///x.db')\nengine.execute('select 1')", "absent", "absent"),
        (
            "app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite:///' + HERE\ndb = SQLAlchemy(app)\ndb.create_all()",
            "absent",
            "absent",
        ),
        (
            "app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite://'\ndb = SQLAlchemy(app)\ndb.create_all()",
            "absent",
            "absent",
        ),
        (
            "engine = create_engine(URL)\nS = scoped_session(sessionmaker(bind=engine))\nS.query(User).all()",
            "S.query().all()",
            "create_engine()",
        ),
        (
            "engine = create_engine(URL)\nS = sessionmaker(bind=engine)\ns = S()\ns.execute('select 1')",
            "s.execute()",
            "create_engine()",
        ),
        ("conn = psycopg2.connect(URL)", "psycopg2.connect()", "absent"),
        ("def load():\n    return psycopg2.connect(URL)\nconn = load()", "psycopg2.connect()", "absent"),
        ("def load():\n    return psycopg2.connect(URL)", "absent", "absent"),
    ] {
        let found = app(&[("wsgi.py", &format!("{header}{lines}\n"))]).app;
        assert_eq!((said(&found.connects_at_import), said(&found.engine_at_import)), (connects, engine), "{lines}");
    }
}

#[test]
fn what_makes_forks_safe() {
    let header = "from sqlalchemy import create_engine, event\nfrom sqlalchemy.pool import NullPool\nfrom uwsgidecorators import postfork\nimport psycopg2, os, uwsgi\n";
    let engine = "engine = create_engine('postgresql://db/x')\nengine.connect()\n";
    for (lines, expected) in [
        (engine.to_owned(), "absent"),
        ("engine = create_engine('postgresql://db/x', poolclass=NullPool)\nengine.connect()".to_owned(), "NullPool"),
        (
            "engine = create_engine('postgresql://db/x', poolclass=NullPool)\nc = psycopg2.connect('')".to_owned(),
            "absent",
        ),
        (format!("{engine}@postfork\ndef renew():\n    engine.dispose()"), "@postfork"),
        (format!("{engine}@postfork\ndef hello():\n    print('x')"), "absent"),
        (format!("{engine}os.register_at_fork(after_in_child=engine.dispose)"), "os.register_at_fork"),
        (
            format!("{engine}os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))"),
            "os.register_at_fork",
        ),
        (format!("{engine}def renew():\n    engine.dispose()\nuwsgi.post_fork_hook = renew"), "uwsgi.post_fork_hook"),
        (format!("{engine}engine.dispose()"), "dispose()"),
        ("engine = create_engine('postgresql://db/x')\nengine.dispose()\nengine.connect()".to_owned(), "absent"),
        (
            format!(
                "{engine}@event.listens_for(engine, 'checkout')\ndef check(c, record, proxy):\n    if record.info['pid'] != os.getpid():\n        raise X"
            ),
            "a check of the process id",
        ),
    ] {
        assert_eq!(said(&app(&[("wsgi.py", &format!("{header}{lines}\n"))]).app.fork_safe), expected, "{lines}");
    }
}

#[test]
fn imports_lead_there() {
    let found = app(&[
        ("wsgi.py", "from shop.web import app\n"),
        ("shop/__init__.py", ""),
        (
            "shop/web.py",
            "from flask import Flask\nfrom .models import db, load\napp = Flask(__name__)\ndb.init_app(app)\nload()\n",
        ),
        ("shop/models.py", "from .base import *\ndef load():\n    db.create_all()\n"),
        ("shop/base.py", "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n"),
    ])
    .app;
    assert_eq!(said(&found.connects_at_import), "db.create_all()");
    let words: Vec<_> = found.connects_at_import.trail.iter().map(|label| label.text.as_str()).collect();
    assert_eq!(words, ["`shop.web` is imported here", "`load` is called here", "the engine is made here"]);
}

#[test]
fn what_is_out_of_sight_is_unknown() {
    let found = app(&[("wsgi.py", "from shop.web import app\n"), ("shop/__init__.py", "")]).app;
    for fact in [
        &found.framework,
        &found.connects_at_import,
        &found.engine_at_import,
        &found.fork_safe,
        &found.exceptions_escape,
    ] {
        assert_eq!(said(fact), "unknown");
    }
    let found = app(&[("wsgi.py", "from shop import create_app\napplication = create_app()\n")]).app;
    assert_eq!(said(&found.framework), "unknown");
    assert_eq!(said(&found.connects_at_import), "unknown");
    assert!(read(&code(&[("a/wsgi.py", ""), ("b/wsgi.py", "")]), &entry("wsgi")).is_err());
    assert!(read(&code(&[]), &entry("wsgi")).is_err());
    let elsewhere = read(&code(&[("app/wsgi.py", "import flask\napp = flask.Flask('x')\n")]), &entry("wsgi")).unwrap();
    assert_eq!(elsewhere.app.confidence, crate::finding::Confidence::Possible);
    assert_eq!(said(&elsewhere.app.framework), "flask");
}

#[test]
fn modules_that_import_each_other_end() {
    let a =
        "from b import *\nfrom a import x\nfrom flask import Flask\napp = Flask(config)\napp.config.from_object(x)\n";
    let found = app(&[("wsgi.py", "from a import *\n"), ("a.py", a), ("b.py", "from a import *\nx = y\ny = x\n")]);
    assert_eq!(said(&found.app.framework), "flask");
}

#[test]
fn django() {
    let wsgi = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\nfrom django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n";
    let settings =
        "from .base import *\nDEBUG = True\nSECRET_KEY = os.environ['SECRET_KEY']\nINSTALLED_APPS = ['blog']\n";
    let files = [
        ("wsgi.py", wsgi),
        ("site1/__init__.py", ""),
        ("site1/settings.py", settings),
        ("site1/base.py", "import os\n"),
        ("blog/__init__.py", ""),
        (
            "blog/models.py",
            "from django.db import models\nclass Post(models.Model):\n    pass\nFIRST = Post.objects.filter(x=1).first()\n",
        ),
    ];
    let reading = app(&files);
    assert_eq!(said(&reading.app.framework), "django");
    assert_eq!(said(&reading.app.exceptions_escape), "absent");
    assert_eq!(said(&reading.app.engine_at_import), "absent");
    assert_eq!(said(&reading.app.connects_at_import), "Post.objects.filter().first()");
    assert_eq!(reading.reads.iter().map(|read| read.name.as_str()).collect::<Vec<_>>(), ["SECRET_KEY"]);
    let mut propagating = files;
    propagating[3].1 = "import os\nDEBUG_PROPAGATE_EXCEPTIONS = True\n";
    assert_eq!(said(&app(&propagating).app.exceptions_escape), "DEBUG_PROPAGATE_EXCEPTIONS = True");
    assert_eq!(said(&app(&files[..1]).app.exceptions_escape), "unknown");
}

#[test]
fn variables_set_before() {
    let reading = app(&[
        ("wsgi.py", "import os\nos.environ['A'] = '1'\nimport web\nos.environ['B'] = '1'\n"),
        ("web.py", "import os\nA = os.environ['A']\nB = os.environ['B']\ndef view():\n    return os.environ['C']\n"),
    ]);
    let row = |name: &str| reading.reads.iter().find(|read| read.name == name).unwrap();
    assert!(row("A").has_default && !row("A").raises);
    assert!(!row("B").has_default && row("B").raises);
    assert_eq!(row("C").moment, Moment::Call("view".to_owned()));
    assert_eq!(row("B").maybe_from_file, None);
    let reading =
        app(&[("wsgi.py", "import os\nfrom dotenv import load_dotenv\nload_dotenv()\nA = os.environ['A']\n")]);
    assert!(reading.reads[0].raises && reading.reads[0].maybe_from_file.is_some());
}

#[test]
fn variables_from_a_file_in_the_tree() {
    let text = "import os\nfrom dotenv import load_dotenv\nX = os.environ['A']\nload_dotenv(os.path.join(HERE, '.env'))\n\
        A = os.environ['A']\nB = os.environ['B']\nC = os.environ['C']\n";
    let mut code = code(&[("app/wsgi.py", text)]);
    code.add_env_file(".env", "# A=1\nexport A=1\nB = 'x'\n");
    let reading = read(&code, &Entry { roots: vec!["app".into()], ..entry("wsgi") }).unwrap();
    let raised: Vec<_> = reading.reads.iter().map(|read| (read.name.as_str(), read.raises)).collect();
    assert_eq!(raised, [("A", true), ("A", false), ("B", false), ("C", true)]);
    assert!(reading.reads.iter().all(|read| read.maybe_from_file.is_none()));
}

#[test]
fn variables_that_a_library_takes_from_the_nearest_file() {
    let text = "import os\nfrom decouple import config\nA = config('A')\nB = config('B')\nC = os.environ['A']\n";
    let raised = |files: &[(&str, &str)]| -> Vec<bool> {
        let mut code = code(&[("app/web/wsgi.py", text)]);
        files.iter().for_each(|(path, text)| code.add_env_file(path, text));
        let reading = read(&code, &Entry { roots: vec!["app/web".into()], ..entry("wsgi") }).unwrap();
        reading.reads.iter().map(|read| read.raises).collect()
    };
    assert_eq!(raised(&[]), [true, true, true]);
    // No variable of the process: another read does not find it.
    assert_eq!(raised(&[("app/.env", "A=1\n")]), [false, true, true]);
    // In one folder `settings.ini` comes first, and a nearer file before both.
    assert_eq!(raised(&[("app/.env", "A=1\n"), ("app/settings.ini", "[settings]\nB = 1\n")]), [true, false, true]);
    assert_eq!(raised(&[("app/web/.env", "A=1\n"), ("app/settings.ini", "[settings]\nB = 1\n")]), [false, true, true]);
    // Others' files are not asked for.
    assert_eq!(raised(&[("lib/.env", "A=1\n")]), [true, true, true]);

    let text = "from pydantic_settings import BaseSettings\nclass Own(BaseSettings):\n    a: str\n    b: str\n    \
                class Config:\n        env_file = '.env'\nown = Own()\n";
    let mut code = code(&[("app/wsgi.py", text)]);
    code.add_env_file("app/.env", "a=1\n");
    let reading = read(&code, &Entry { roots: vec!["app".into()], ..entry("wsgi") }).unwrap();
    assert_eq!(reading.reads.iter().map(|read| read.raises).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn the_entry_of_an_instance() {
    let mut sources = Sources::default();
    let place = crate::source::Place::whole(sources.add("deploy/uwsgi.ini", Vec::new(), Origin::File));
    let mut uwsgi = crate::stack::uwsgi::Uwsgi::at(place);
    uwsgi.path = Fact::read("deploy/uwsgi.ini".into(), place);
    uwsgi.module = Fact::read("wsgi".into(), place);
    uwsgi.chdir = Fact::absent();
    uwsgi.pythonpath = Fact::read(vec!["../src".into(), "/opt/lib".into()], place);
    assert_eq!(Entry::of(&uwsgi).roots, ["src", "/opt/lib", "deploy"]);
    uwsgi.chdir = Fact::read("/srv/shop".into(), place);
    assert_eq!(Entry::of(&uwsgi).roots, ["/srv/src", "/opt/lib", "/srv/shop"]);
    assert_eq!(Entry::of(&uwsgi).module.as_deref(), Some("wsgi"));
}

#[test]
fn depth_is_capped_and_then_unknown() {
    let names: Vec<_> = (0..400).map(|at| format!("m{at}.py")).collect();
    let body = |at: usize| {
        let nested: String = (0..4).map(|deep| format!("{}class C{deep}:\n", " ".repeat(deep))).collect();
        format!("{nested}    def f():\n     import m{}\n    f()\ndef g():\n import m{}\ng()\n", at + 1, at + 1)
    };
    let texts: Vec<_> = (0..400).map(body).collect();
    let mut files: Vec<_> = names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.push(("wsgi.py", "import m0\n"));
    assert_eq!(said(&app(&files).app.connects_at_import), "unknown");
}

proptest::proptest! {
    #[test]
    fn any_app(parts in proptest::collection::vec(proptest::sample::select(vec![
        "import os\n", "import wsgi\n", "from wsgi import *\n", "from . import wsgi\n", "import web\n", "from web import *\n", "x = web\n",
        "web = x\n", "x = x.x\n", "def f(a=1):\n", "class C(C):\n", "    ", "f(x)\n", "return f\n", "x = {'a': x}\n", "app.config.from_object(x['a'])\n",
        "app.config.from_object('web.C')\n", "app.config.from_object(f(x))\n", "app = Flask(x)\n", "x.create_all()\n", "app.config.from_pyfile('web.py')\n",
        "from django.core.wsgi import get_wsgi_application as f\n", "os.environ['DJANGO_SETTINGS_MODULE'] = 'web'\n", "INSTALLED_APPS = ['wsgi', 'web']\n",
        "K = os.environ['K']\n", "if x:\n", "try:\n", "except:\n",
    ]), 0..40), at in 0usize..40) {
        let at = at.min(parts.len());
        let _ = app(&[("wsgi.py", &parts[..at].concat()), ("web.py", &parts[at..].concat())]);
    }
}

#[test]
fn threads_that_go_on_between_requests() {
    let started = |wsgi: &str| said(&app(&[("wsgi.py", wsgi)]).app.starts_thread).to_owned();
    assert_eq!(started("from threading import Thread\nThread(target=poll, daemon=True).start()\n"), "Thread()");
    assert_eq!(started("import sentry_sdk\nif DSN:\n    sentry_sdk.init(DSN)\n"), "unknown");
    assert_eq!(started("import threading\ndef view():\n    threading.Thread(target=poll).start()\n"), "absent");
    assert_eq!(started("from shop import Thread\nThread(target=poll)\n"), "absent");
}

#[test]
fn allowed_hosts_as_they_are_in_the_end() {
    let wsgi = "import os\nfrom django.core.wsgi import get_wsgi_application\nos.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\napplication = get_wsgi_application()\n";
    let of = |settings: &str| {
        let reading = app(&[("wsgi.py", wsgi), ("settings.py", settings)]);
        let hosts = &reading.app.allowed_hosts;
        hosts.known().map_or_else(|| if hosts.is_unknown() { "?" } else { "-" }.to_owned(), |hosts| hosts.join(" "))
    };
    for (settings, expected) in [
        ("ALLOWED_HOSTS = ['a.org', '.b.org']", "a.org .b.org"),
        ("ALLOWED_HOSTS = ('a.org',)\nALLOWED_HOSTS = []", ""),
        ("ALLOWED_HOSTS = ['a.org']\nALLOWED_HOSTS += ['b.org']", "?"),
        ("ALLOWED_HOSTS = ['a.org']\nALLOWED_HOSTS.append('b.org')", "?"),
        ("ALLOWED_HOSTS = ['a.org']\nALLOWED_HOSTS.extend(more())", "?"),
        ("ALLOWED_HOSTS = ['a.org']\nif x:\n    ALLOWED_HOSTS = ['b.org']", "?"),
        ("ALLOWED_HOSTS = ['a.org']\ntry:\n    from local_settings import *\nexcept ImportError:\n    pass", "?"),
        ("import os\nALLOWED_HOSTS = os.environ['HOSTS'].split(',')", "?"),
        ("import os\nALLOWED_HOSTS = ['a.org', os.environ.get('HOST')]", "?"),
        ("DEBUG = True", "?"),
    ] {
        assert_eq!(of(settings), expected, "{settings}");
    }
}
