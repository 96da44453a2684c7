//! What nginx and uWSGI must agree on.

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
