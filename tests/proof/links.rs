//! What nginx and uWSGI must agree on.

use crate::servers::is_root;
use crate::stack::{APP, Stack};

/// A page's nginx and ini, with the app that the ini names.
fn with_app(page: Stack) -> Stack {
    page.append(
        "etc/uwsgi/apps/shop.ini",
        "chdir = /srv/shop\nneed-app = true\ndie-on-term = true\nchmod-socket = 666\n",
    )
    .with("srv/shop/shop/wsgi.py", APP)
}

#[test]
fn two_protocols_on_one_socket_do_not_meet() {
    const RULE: &str = "link/protocol-mismatch";
    let http_expected = with_app(Stack::bad(RULE, 0));
    assert_eq!(http_expected.lint(), [RULE]);
    let servers = http_expected.start();
    assert_eq!(servers.get("/").status, 502);
    servers.nginx_says("upstream prematurely closed connection while reading response header from upstream");
    drop(servers);

    let uwsgi_expected = with_app(Stack::bad(RULE, 1));
    assert_eq!(uwsgi_expected.lint(), [RULE]);
    let servers = uwsgi_expected.start();
    assert_eq!(servers.get("/").status, 502);
    servers.uwsgi_says("invalid request block size: 21573 (max 4096)...skip");
    drop(servers);

    for number in [0, 1] {
        let alike = with_app(Stack::good(RULE, number));
        assert_eq!(alike.lint(), [""; 0]);
        assert_eq!(alike.start().get("/").body, "here");
    }
}

#[test]
fn a_pass_without_params_asks_for_nothing() {
    const RULE: &str = "nginx/uwsgi-params-missing";
    let with_uwsgi = |page: Stack| {
        page.with(
            "srv/shop/uwsgi.ini",
            "[uwsgi]\nchdir = /srv/shop\nmodule = shop.wsgi\nmaster = true\nneed-app = true\ndie-on-term = true\n\
             socket = /run/shop/uwsgi.sock\nchmod-socket = 666\n",
        )
        .with("srv/shop/shop/wsgi.py", APP)
    };
    let page = with_uwsgi(Stack::bad(RULE, 0));
    assert_eq!(page.lint(), [RULE]);
    let servers = page.start();
    assert_eq!(servers.get("/").status, 502);
    servers.uwsgi_says("KeyError: 'REQUEST_METHOD'");
    drop(servers);

    let fixed = with_uwsgi(Stack::fixed(RULE));
    assert_eq!(fixed.lint(), [""; 0]);
    assert_eq!(fixed.start().get("/").body, "here");
}

#[test]
fn a_socket_of_another_user_keeps_nginx_out() {
    if !is_root() {
        println!("skipped: only root can start uWSGI as another user");
        return;
    }
    const RULE: &str = "link/socket-not-permitted";
    // A user that the host has stands for the page's `shop`.
    let with_user = |page: Stack| {
        page.replace("etc/init/shop.conf", "setuid shop", "setuid nobody").with("srv/shop/shop/web.py", APP)
    };
    let page = with_user(Stack::bad(RULE, 0).replace("etc/init/shop.conf", "setgid shop", "setgid nogroup"));
    assert_eq!(page.lint(), [RULE]);
    let servers = page.start();
    assert_eq!(servers.get("/").status, 502);
    servers.nginx_says("failed (13: Permission denied) while connecting to upstream");
    drop(servers);

    let shared = with_user(Stack::good(RULE, 0));
    assert_eq!(shared.lint(), [""; 0]);
    assert_eq!(shared.start().get("/").body, "here");
}

#[test]
fn the_shorter_patience_decides_who_gives_up() {
    const RULE: &str = "link/timeout-shorter-than-harakiri";
    let impatient = |page: Stack, timeout: &str| {
        page.replace("etc/nginx/sites-enabled/shop", "uwsgi_read_timeout 30s", timeout)
            .append("uwsgi.ini", "need-app = true\ndie-on-term = true\n")
            .with("shop/web.py", APP)
    };
    let page = impatient(Stack::bad(RULE, 1), "uwsgi_read_timeout 1s");
    assert_eq!(page.lint(), [RULE]);
    let servers = page.start();
    assert_eq!(servers.get("/slow").status, 504);
    servers.nginx_says("upstream timed out (110: Connection timed out) while reading response header from upstream");
    // For nobody, and nobody else gets the worker meanwhile.
    assert_eq!(servers.get("/").status, 504);
    drop(servers);

    let patient =
        impatient(Stack::bad(RULE, 1), "uwsgi_read_timeout 8s").replace("uwsgi.ini", "harakiri = 60", "harakiri = 1");
    assert_eq!(patient.lint(), [""; 0]);
    let servers = patient.start();
    assert_eq!(servers.get("/slow").status, 502);
    servers.uwsgi_says("HARAKIRI ON WORKER 1");
    assert_eq!(servers.get("/").status, 200);
}

#[test]
fn a_body_that_one_of_three_refuses() {
    const RULE: &str = "link/body-limit-contradiction";
    const TAKES_UPLOADS: &str = "from flask import Flask, request

app = Flask(__name__)


@app.route('/', methods=['POST'])
def upload():
    return str(len(request.get_data()))
";
    let page =
        Stack::bad(RULE, 1).append("uwsgi.ini", "need-app = true\ndie-on-term = true\n").with("wsgi.py", TAKES_UPLOADS);
    assert_eq!(page.lint(), [RULE]);
    let servers = page.start();
    assert_eq!(servers.post("/", 1_000_000).status, 200);
    assert_eq!(servers.post("/", 1_000_001).status, 502);
    servers.uwsgi_says("Invalid (too big) CONTENT_LENGTH. skip.");
    drop(servers);

    let cured = page.replace("uwsgi.ini", "limit-post = 1000000\n", "");
    assert_eq!(cured.lint(), [""; 0]);
    assert_eq!(cured.start().post("/", 1_000_001).status, 200);
}
