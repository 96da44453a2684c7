//! What happens in and between the workers.

use crate::stack::{APP, SITE, Stack};
use crate::{connections, postgres};

/// The riddle: users see 502, uWSGI logs 500, and both are right.
#[test]
fn nginx_says_502_and_uwsgi_says_500() {
    const RULE: &str = "app/exceptions-escape";
    let broken = Stack::bad(RULE, 0)
        .append("wsgi.py", "app.add_url_rule('/', 'index', lambda: 1 / 0)\n")
        .append("uwsgi.ini", "need-app = true\ndie-on-term = true\n")
        .with("etc/nginx/conf.d/shop.conf", SITE);
    assert_eq!(broken.lint(), [RULE]);
    let servers = broken.start();
    assert_eq!(servers.get("/").status, 502);
    servers.uwsgi_says("ZeroDivisionError: division by zero");
    servers.uwsgi_says("(HTTP/1.1 500) 0 headers in 0 bytes");
    servers.nginx_says("upstream prematurely closed connection while reading response header from upstream");
    drop(servers);

    let cured = broken.replace("shop/config.py", "PROPAGATE_EXCEPTIONS = True", "PROPAGATE_EXCEPTIONS = False");
    assert_eq!(cured.lint(), [""; 0]);
    let servers = cured.start();
    let answer = servers.get("/");
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("Internal Server Error"), "the app's own page");
    servers.uwsgi_says("(HTTP/1.1 500) 2 headers");
    assert!(!servers.uwsgi_log().contains("0 headers in 0 bytes"), "{}", servers.uwsgi_log());
}

#[test]
fn slow_requests_end_workers_that_nobody_replaces() {
    const RULE: &str = "uwsgi/harakiri-without-master";
    let completed = |page: Stack| {
        page.replace("srv/shop/uwsgi.ini", "harakiri = 30", "harakiri = 1")
            .append("etc/init/shop.conf", "respawn\n")
            .append("srv/shop/uwsgi.ini", "chdir = /srv/shop\nneed-app = true\ndie-on-term = true\n")
            .with("srv/shop/shop/web.py", APP)
            .with("etc/nginx/conf.d/shop.conf", SITE)
    };
    let page = completed(Stack::bad(RULE, 0));
    assert_eq!(page.lint(), [RULE]);
    let servers = page.start();
    assert_eq!(servers.get("/").status, 200);
    let slow: Vec<u16> = servers.get_at_once("/slow", 2).iter().map(|answer| answer.status).collect();
    assert_eq!(slow, [502, 502]);
    assert_eq!(servers.get("/").status, 502, "no worker is left");
    assert!(!servers.uwsgi_log().to_lowercase().contains("harakiri on"), "{}", servers.uwsgi_log());
    drop(servers);

    let fixed = completed(Stack::fixed(RULE));
    assert_eq!(fixed.lint(), [""; 0]);
    let servers = fixed.start();
    servers.get_at_once("/slow", 2);
    assert_eq!(servers.get("/").status, 200, "the master has started new ones");
}

/// Ends PostgreSQL when its story is told, however it ends.
struct Database;

impl Drop for Database {
    fn drop(&mut self) {
        postgres::stop();
    }
}

#[test]
fn workers_that_share_a_connection_break_it() {
    const RULE: &str = "uwsgi/pool-shared-by-forks";
    const EAGER: &str = "import os
import time

from flask import Flask
from sqlalchemy import create_engine, text

app = Flask(__name__)
engine = create_engine(os.environ['DATABASE_URL'])
with engine.connect() as connection:
    connection.execute(text('select 1'))


@app.route('/')
def owls():
    with engine.connect() as connection:
        time.sleep(0.02)
        return str(connection.execute(text('select count(*) from owls')).scalar())
";
    let _database = Database;
    let url = postgres::server().url();
    let with_eager_app = |ini: &str| {
        Stack::empty()
            .with("uwsgi.ini", &format!("{ini}need-app = true\ndie-on-term = true\n"))
            .with("wsgi.py", EAGER)
            .with("etc/nginx/conf.d/shop.conf", SITE)
    };
    let eager = with_eager_app(Stack::bad(RULE, 0).text("uwsgi.ini"));
    assert_eq!(eager.lint(), [RULE]);
    // Who meets whose reply is chance; a few users at once see to it.
    let broke = (0..4).any(|_| {
        let servers = eager.start_with(&[("DATABASE_URL", &url)]);
        let failed = servers.get_at_once("/", 16).iter().any(|answer| answer.status != 200);
        let log = servers.uwsgi_log();
        failed && SHARED.iter().any(|text| log.contains(text))
    });
    assert!(broke, "four stacks with a shared connection, and none of them broke");

    let lazy = with_eager_app(Stack::fixed(RULE).text("uwsgi.ini"));
    assert_eq!(lazy.lint(), [""; 0]);
    let servers = lazy.start_with(&[("DATABASE_URL", &url)]);
    assert!(servers.get_at_once("/", 16).iter().all(|answer| answer.body == "1"), "{}", servers.uwsgi_log());
    drop(servers);
    // The same PostgreSQL lends its data to a smaller one.
    connections::more_workers_than_connections();
}

const SHARED: &[&str] =
    &["bad record mac", "SSL SYSCALL error: EOF detected", "server closed the connection unexpectedly"];
