//! What uWSGI makes of the signal that Upstart sends to stop it.

use crate::stack::{APP, SITE, Stack};

/// A page's job and ini, with a user that the host has and the rest of the stack.
fn completed(page: Stack) -> Stack {
    page.replace("etc/init/shop.conf", "setuid shop", "setuid nobody")
        .replace("etc/init/shop.conf", "setgid shop", "setgid nogroup")
        .append("srv/shop/uwsgi.ini", "chdir = /srv/shop\nneed-app = true\n")
        .with("srv/shop/shop/web.py", APP)
        .with("etc/nginx/conf.d/shop.conf", SITE)
}

/// Whether uWSGI reloads on a signal and goes on, rather than stopping.
fn reloads(stack: &Stack, signal: &str) -> bool {
    let servers = stack.start();
    assert_eq!(servers.get("/").body, "here");
    servers.signal(signal);
    let stopped = "goodbye to uWSGI.";
    let reloaded = "gracefully (RE)spawned uWSGI master process";
    servers.uwsgi_says_one_of(&[stopped, reloaded]);
    if servers.uwsgi_log().contains(stopped) {
        return false;
    }
    assert_eq!(servers.get("/").body, "here", "it takes requests as before");
    true
}

#[test]
fn term_reloads_unless_the_ini_says_die() {
    const RULE: &str = "upstart/stop-reloads-uwsgi";
    let page = completed(Stack::bad(RULE, 0));
    assert_eq!(page.lint(), [RULE]);
    assert!(reloads(&page, "TERM"));

    let fixed = completed(Stack::fixed(RULE));
    assert_eq!(fixed.lint(), [""; 0]);
    assert!(!reloads(&fixed, "TERM"));
}

#[test]
fn quit_reloads_where_the_ini_says_die_on_term() {
    const RULE: &str = "upstart/quit-swapped";
    let page = completed(Stack::bad(RULE, 0));
    assert_eq!(page.lint(), [RULE]);
    assert!(reloads(&page, "QUIT"));

    let one = page.replace("srv/shop/uwsgi.ini", "die-on-term = true\n", "");
    assert_eq!(one.lint(), [""; 0]);
    assert!(!reloads(&one, "QUIT"));
}
