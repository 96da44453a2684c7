//! Variables that do not reach the app.

use crate::stack::{APP, SITE, Stack};

/// A page's ini, which is about one line, with the rest of its stack.
fn completed(page: Stack) -> Stack {
    page.append("uwsgi.ini", "master = true\nneed-app = true\ndie-on-term = true\nsocket = 127.0.0.1:3031\n")
        .with("shop/web.py", APP)
        .with("etc/nginx/conf.d/shop.conf", SITE)
}

#[test]
fn a_variable_that_nothing_gives_stops_the_import() {
    const RULE: &str = "env/not-provided";
    let page = Stack::bad(RULE, 0)
        .append("etc/init/thena.conf", "respawn\n")
        .append("srv/thena/wsgi.py", "app.add_url_rule('/', 'index', lambda: 'here')\n")
        .with("etc/nginx/conf.d/thena.conf", SITE);
    assert_eq!(page.lint(), [RULE]);
    let servers = page.start();
    assert_eq!(servers.get("/").status, 500);
    servers.uwsgi_says("KeyError: 'DATABASE_URL'");
    servers.uwsgi_says("no python application found");
    drop(servers);

    let cured = page.replace("etc/init/thena.conf", "exec ", "env DATABASE_URL=\"postgresql:///thena\"\nexec ");
    assert_eq!(cured.lint(), [""; 0]);
    assert_eq!(cured.start().get("/").body, "here");
}

#[test]
fn a_line_in_shell_syntax_sets_nothing() {
    const RULE: &str = "uwsgi/env-in-shell-syntax";
    let page = completed(Stack::bad(RULE, 0));
    assert_eq!(page.lint(), [RULE]);
    assert_eq!(page.start().get("/SHOP_MODE").body, "none");

    let fixed = completed(Stack::fixed(RULE));
    assert_eq!(fixed.lint(), [""; 0]);
    assert_eq!(fixed.start().get("/SHOP_MODE").body, "live");
}

#[test]
fn a_percent_takes_the_next_character_with_it() {
    const RULE: &str = "uwsgi/percent-eaten";
    let page = completed(Stack::bad(RULE, 0));
    assert_eq!(page.lint(), [RULE]);
    let servers = page.start();
    // To uWSGI `%C` is the name of the folder that it was started in.
    let folder = servers.root().file_name().unwrap().to_str().unwrap();
    assert_eq!(servers.get("/SHOP_HOME").body, format!("https://shop.example/caf{folder}3"));
    drop(servers);

    let fixed = completed(Stack::fixed(RULE));
    assert_eq!(fixed.lint(), [""; 0]);
    assert_eq!(fixed.start().get("/SHOP_HOME").body, "https://shop.example/caf%C3");
}
