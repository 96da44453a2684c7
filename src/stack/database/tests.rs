//! Addresses as people write them, and the rows that come of them.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::{Database, Named, of_app};
use crate::finding::Confidence;
use crate::source::{Origin, Place, Sources};
use crate::stack::app::code::Code;
use crate::stack::app::environment::Environment;
use crate::stack::app::{Entry, read};
use crate::stack::document::{Document, Kind};
use crate::stack::env::{EnvValue, Layers};
use crate::stack::fact::{Answer, Fact};
use crate::stack::requirement::Requirements;

/// The databases of the app in `wsgi.py`, whose process has these variables and no others.
fn named(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Vec<Named> {
    let mut sources = Sources::default();
    let documents = files.iter().map(|(path, text)| {
        let file = sources.add(*path, text.as_bytes().to_vec(), Origin::File);
        Arc::new(Document::plain(file, *path, Kind::Python, sources.get(file).shared_text()))
    });
    let code = Code::of(documents.collect::<Vec<_>>());
    let place = Place::whole(sources.add("job", Vec::new(), Origin::File));
    let given = variables.iter().map(|(name, value)| {
        let (name, value) = (Fact::derived((*name).to_owned()), Fact::derived((*value).to_owned()));
        Arc::new(EnvValue { name, value, ..EnvValue::at(place) })
    });
    let layers = Layers { given: given.collect(), ..Layers::default() };
    let environment = Environment { values: layers.texts(), complete: true, ..Environment::default() };
    let entry = Entry { module: Some("wsgi".to_owned()), roots: vec![String::new()], environment, ..Entry::default() };
    of_app(&read(&code, &entry).unwrap().sinks, &[], &layers, &Requirements::default())
}

/// Their rows.
fn databases(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Vec<Database> {
    named(files, variables).into_iter().map(|named| named.row).collect()
}

/// `scheme address name user`, `?` for what is unknown and `-` for what is absent.
fn said(row: &Database) -> String {
    let word = |fact: &Fact<String>| match &fact.answer {
        Answer::Known(value) => value.clone(),
        Answer::Absent => "-".to_owned(),
        Answer::Unknown(_) => "?".to_owned(),
    };
    [&row.scheme, &row.address, &row.name, &row.user].map(word).join(" ")
}

fn all(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Vec<String> {
    databases(files, variables).iter().map(said).collect()
}

const DJANGO: &str = "import os\nfrom django.core.wsgi import get_wsgi_application\n\
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\napplication = get_wsgi_application()\n";

fn django(settings: &str, variables: &[(&str, &str)]) -> Vec<String> {
    all(&[("wsgi.py", DJANGO), ("shop/settings.py", settings)], variables)
}

fn flask(url: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let text = format!(
        "import os\nfrom urllib.parse import quote_plus\nfrom flask import Flask\nfrom sqlalchemy import URL, create_engine\n{url}\n"
    );
    all(&[("wsgi.py", &text)], variables)
}

#[test]
fn the_parts_of_djangos_table() {
    let literal = "DATABASES = {'default': {'ENGINE': 'django.contrib.gis.db.backends.postgis', 'NAME': 'shop',\n\
                   'USER': 'owl', 'PASSWORD': 'x', 'HOST': 'db', 'PORT': 5433}}\n";
    assert_eq!(django(literal, &[]), ["postgresql db:5433 shop owl"]);
    let empty =
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql_psycopg2', 'NAME': 'shop', 'HOST': ''}}\n";
    assert_eq!(django(empty, &[]), ["postgresql /var/run/postgresql shop -"]);
    let mysql = "DATABASES = {'default': {'ENGINE': 'django.db.backends.mysql', 'NAME': 'a', 'HOST': 'b'}}\n";
    assert_eq!(django(mysql, &[]), ["mysql b:3306 a -"]);
    let sqlite = "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'a.db'}}\n";
    assert!(django(sqlite, &[]).is_empty());
}

#[test]
fn parts_that_the_environment_gives() {
    let settings = "import os\nfrom decouple import config\nDATABASES = {'default': {\n\
        'ENGINE': os.environ.get('DB_ENGINE', 'django.db.backends.postgresql'),\n'NAME': config('DB_NAME'),\n\
        'USER': os.environ['DB_USER'],\n'HOST': os.getenv('DB_HOST', 'localhost'),\n'PORT': config('DB_PORT', default='6432', cast=int)}}\n";
    let given = [("DB_NAME", "shop"), ("DB_USER", "owl")];
    assert_eq!(django(settings, &given), ["postgresql localhost:6432 shop owl"]);
    let given = [("DB_NAME", "shop"), ("DB_USER", "owl"), ("DB_HOST", "10.0.0.7"), ("DB_PORT", "5432")];
    assert_eq!(django(settings, &given), ["postgresql 10.0.0.7:5432 shop owl"]);
    assert!(django(settings, &[("DB_ENGINE", "django.db.backends.sqlite3")]).is_empty());
}

/// `user:password@host:port/name?sslmode&options` of what the process logs in with; `-` where that is not known.
fn logins(settings: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let said = |named: Named| {
        let Some(info) = named.login else { return "-".to_owned() };
        let text = |part: &Option<crate::source::Located<String>>| {
            part.as_ref().map_or(String::new(), |one| one.value.clone())
        };
        let password = info.password.as_ref().map_or("", |password| password.value.reveal());
        let hosts = info.hosts.iter().map(|host| format!("{}:{}", host.name.value, host.port_or_default()));
        let options = info.options.iter().map(|(key, value)| format!("&{key}={}", value.value));
        let (hosts, options) = (hosts.collect::<Vec<_>>().join(","), options.collect::<String>());
        format!("{}:{password}@{hosts}/{}?{}{options}", text(&info.user), text(&info.dbname), text(&info.sslmode))
    };
    named(&[("wsgi.py", DJANGO), ("shop/settings.py", settings)], variables).into_iter().map(said).collect()
}

#[test]
fn what_the_process_logs_in_with() {
    let table = |parts: &str| {
        format!("import os\nDATABASES = {{'default': {{'ENGINE': 'django.db.backends.postgresql', {parts}}}}}\n")
    };
    let parts = "'NAME': 'shop', 'USER': os.environ['U'], 'PASSWORD': os.environ['P'], 'HOST': 'db', 'PORT': ''";
    let given = [("U", "owl"), ("P", "a@b/c")];
    assert_eq!(logins(&table(parts), &given), ["owl:a@b/c@db:5432/shop?"]);
    let layers_lack = logins(&table(&parts.replace("os.environ['P']", "vault('P')")), &given);
    assert_eq!(layers_lack, ["-"], "the password is out of sight");
    let options = "'NAME': 'shop', 'OPTIONS': {'sslmode': 'require', 'passfile': '/srv/pass', 'application_name': 'x'}";
    assert_eq!(logins(&table(options), &[]), [":@/shop?require&passfile=/srv/pass"]);
    assert_eq!(logins(&table("'OPTIONS': {'service': 'barn'}"), &[]), [":@/?&service=barn"]);
    assert_eq!(logins(&table("'NAME': 'shop', 'OPTIONS': options()"), &[]), ["-"]);
    let mysql = "DATABASES = {'default': {'ENGINE': 'django.db.backends.mysql', 'NAME': 'a', 'HOST': 'b'}}\n";
    assert_eq!(logins(mysql, &[]), ["-"]);
    let parsed = "import dj_database_url\nDATABASES = {'default': dj_database_url.config()}\n";
    assert_eq!(logins(parsed, &[("DATABASE_URL", "postgis://owl:p%40w@db/shop")]), ["owl:p@w@db:5432/shop?"]);
}

#[test]
fn addresses_that_become_djangos_table() {
    let url = [("DATABASE_URL", "postgis://owl:x@db:5433/shop")];
    let by_env = "import environ\nenv = environ.Env()\nDATABASES = {'default': env.db()}\nDATABASES['default']['ATOMIC_REQUESTS'] = True\n";
    assert_eq!(django(by_env, &url), ["postgresql db:5433 shop owl"]);
    let by_config =
        "import dj_database_url\nDATABASES = {}\nDATABASES['default'] = dj_database_url.config(conn_max_age=600)\n";
    assert_eq!(django(by_config, &url), ["postgresql db:5433 shop owl"]);
    let over = "import dj_database_url\nDATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'dev'}}\n\
                found = dj_database_url.config()\nDATABASES['default'].update(found)\n";
    assert_eq!(django(over, &url), ["postgresql db:5433 shop owl"]);
    assert_eq!(django(over, &[]), ["postgresql /var/run/postgresql dev -"]);
}

#[test]
fn settings_split_over_modules() {
    let base = "DATABASE = {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'shop', 'HOST': 'localhost'}\nDATABASES = {'default': DATABASE}\n";
    let production = "from .base import *\nDATABASES['default']['HOST'] = 'db.example'\n";
    let files = [("wsgi.py", DJANGO), ("shop/settings/__init__.py", production), ("shop/settings/base.py", base)];
    assert_eq!(all(&files, &[]), ["postgresql db.example:5432 shop -"]);
    let named = "from .base import DATABASES\n";
    let files = [("wsgi.py", DJANGO), ("shop/settings/__init__.py", named), ("shop/settings/base.py", base)];
    assert_eq!(all(&files, &[]), ["postgresql localhost:5432 shop -"]);
    let other = [("DJANGO_SETTINGS_MODULE", "shop.live")];
    let files = [
        ("wsgi.py", DJANGO),
        ("shop/settings.py", base),
        ("shop/live.py", "from shop.settings import *\nDATABASE['HOST'] = 'far'\n"),
    ];
    assert_eq!(all(&files, &other), ["postgresql far:5432 shop -"]);
}

#[test]
fn a_file_that_need_not_be_there_leaves_a_doubt_and_one_that_must_leaves_nothing() {
    let table = "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'shop', 'HOST': 'db'}}\n";
    let optional = format!("{table}try:\n    from .local import *\nexcept ImportError:\n    pass\n");
    let rows = databases(&[("wsgi.py", DJANGO), ("shop/settings.py", &optional)], &[]);
    assert_eq!((said(&rows[0]).as_str(), rows[0].confidence), ("postgresql db:5432 shop -", Confidence::Possible));
    assert!(django(&format!("{table}from .local import *\n"), &[]).is_empty());
}

#[test]
fn what_depends_on_a_condition_is_unknown() {
    let branch = "import os\nif os.environ.get('LIVE'):\n    HOST = 'db'\nelse:\n    HOST = 'localhost'\n\
        DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'shop', 'HOST': HOST}}\n";
    assert_eq!(django(branch, &[]), ["postgresql ? shop -"]);
    let changed = "import os\nDATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'shop', 'HOST': 'a'}}\n\
        if os.environ.get('LIVE'):\n    DATABASES['default']['HOST'] = 'b'\n";
    assert_eq!(django(changed, &[]), ["postgresql ? shop -"]);
    let given_away = "import django_heroku\nDATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'shop'}}\n\
        django_heroku.settings(locals())\n";
    assert!(django(given_away, &[]).is_empty());
    let alone = "DB = {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'shop', 'HOST': 'a'}\nDB['HOST'] = find()\nDATABASES = {'default': DB}\n";
    assert_eq!(django(alone, &[]), ["postgresql ? shop -"]);
}

#[test]
fn addresses_put_together() {
    let given = [("U", "owl"), ("P", "a@b"), ("H", "db")];
    let whole = ["postgresql db:5432 shop owl"];
    let parts = "U = os.environ['U']\nP = os.environ['P']\nH = os.environ['H']\n";
    for url in [
        "f'postgresql://{U}:{quote_plus(P)}@{H}/shop'",
        "'postgresql+psycopg2://{}:{}@{}/shop'.format(U, quote_plus(P), H)",
        "'postgresql://{u}:x@{h}/{n}'.format(**{'u': U, 'h': H, 'n': 'shop'})",
        "'postgresql://%s:x@%s/%s' % (U, H, 'shop')",
        "'postgresql://%(u)s@%(h)s/shop' % {'u': U, 'h': H}",
        "'postgresql://' + U + ':' + quote_plus(P) + '@' + H + '/shop'",
        "URL.create('postgresql', username=U, password=P, host=H, database='shop')",
        "URL.create(**dict(drivername='postgresql', username=U, host=H, database='shop'))",
    ] {
        assert_eq!(flask(&format!("{parts}create_engine({url})"), &given), whole, "{url}");
        let setting = format!("{parts}app = Flask(__name__)\napp.config['SQLALCHEMY_DATABASE_URI'] = {url}");
        assert_eq!(flask(&setting, &given), whole, "{url}");
    }
    let function = "def url(name='shop'):\n    user = os.environ['U']\n    return f'postgresql://{user}@db/{name}'\ncreate_engine(url())";
    assert_eq!(flask(function, &given), whole);
    let mended = "url = os.environ['URL']\nif url.startswith('postgres://'):\n    url = url.replace('postgres://', 'postgresql://', 1)\ncreate_engine(url)";
    assert_eq!(flask(mended, &[("URL", "postgres://owl@db/shop")]), whole);
}

#[test]
fn what_is_out_of_sight_of_an_address_is_unknown() {
    assert_eq!(flask("create_engine(f'postgresql://{os.environ[\"U\"]}@db/shop')", &[]), ["postgresql db:5432 shop ?"]);
    assert_eq!(flask("create_engine(f'postgresql://db:{port()}/shop')", &[]), ["postgresql ? shop ?"]);
    assert_eq!(flask("create_engine(f'postgresql://{place()}/shop')", &[]), ["postgresql ? shop ?"]);
    assert!(flask("create_engine(find())\ncreate_engine(f'{kind()}://db/shop')", &[]).is_empty());
    let twice = "url = 'postgresql://a/x'\ncreate_engine(url)\nurl = 'postgresql://b/x'";
    assert_eq!(flask(twice, &[]), ["postgresql a:5432 x -"], "the value at the time of the call");
}

#[test]
fn drivers_and_their_arguments() {
    let with =
        |call: &str| flask(&format!("import psycopg2, pymysql\nfrom psycopg2 import pool\n{call}"), &[("U", "owl")]);
    assert_eq!(
        with("psycopg2.connect(host='db', dbname='shop', user=os.environ['U'])"),
        ["postgresql db:5432 shop owl"]
    );
    assert_eq!(with("psycopg2.connect('host=db dbname=shop')"), ["postgresql db:5432 shop -"]);
    assert_eq!(with("pymysql.connect('db', 'owl', 'x', 'shop')"), ["mysql db:3306 shop owl"]);
    assert_eq!(
        with("P = {'host': 'db', 'database': 'shop'}\ndef ask():\n    return psycopg2.connect(**P)"),
        ["postgresql db:5432 shop -"]
    );
    assert_eq!(with("pool.SimpleConnectionPool(1, 5, host='db', dbname='shop')"), ["postgresql db:5432 shop -"]);
}

#[test]
fn only_the_selected_configuration_counts() {
    let config = "class Base:\n    SQLALCHEMY_DATABASE_URI = 'postgresql://a/x'\n\
        class Live(Base):\n    HOST = 'b'\n    SQLALCHEMY_DATABASE_URI = f'postgresql://{HOST}/x'\nclass Dev(Base):\n    pass\n";
    let wsgi = "from flask import Flask\napp = Flask(__name__)\napp.config.from_object('config.Live')\n";
    assert_eq!(all(&[("wsgi.py", wsgi), ("config.py", config)], &[]), ["postgresql b:5432 x -"]);
    let own = "from flask import Flask\napp = Flask(__name__)\nSQLALCHEMY_DATABASE_URI = 'postgresql://a/x'\napp.config.from_object(__name__)\n";
    assert_eq!(all(&[("wsgi.py", own)], &[]), ["postgresql a:5432 x -"]);
}

#[test]
fn values_that_grow_without_end_are_given_up() {
    let doubled =
        format!("def two(x):\n    return x + x\nurl = {}'a'{}\ncreate_engine(url)", "two(".repeat(30), ")".repeat(30));
    assert!(flask(&doubled, &[]).is_empty());
    let replaced = format!("create_engine('postgresql://a/a'{})", ".replace('a', 'aa')".repeat(30));
    assert!(flask(&replaced, &[]).is_empty());
    let round = "a = b\nb = a\ndef f():\n    return f()\ncreate_engine(a)\ncreate_engine(f())";
    assert!(flask(round, &[]).is_empty());
}
