//! Workers that want more connections than PostgreSQL has.

use std::time::Duration;

use housecall::host::deadline::Budget;
use housecall::host::postgres::login;
use housecall::host::{SslMode, Target};

use crate::postgres::{self, PASSWORD};
use crate::stack::{SITE, Stack};

const RULE: &str = "link/more-connections-than-allowed";
const WRITTEN: &str = "postgresql://shop:example-only@localhost/shop";

/// The page's stack with as many workers: they all get a request at once, each of which keeps its connection for a moment.
fn with_workers(workers: usize, url: &str) -> Stack {
    let page = Stack::bad(RULE, 1)
        .replace("srv/shop/uwsgi.ini", "processes = 20", &format!("processes = {workers}\nneed-app = true"))
        .with("etc/nginx/conf.d/shop.conf", SITE);
    assert_eq!(page.lint().contains(&RULE.to_owned()), workers > 17);
    page.replace("etc/init/shop.conf", WRITTEN, url).replace(
        "srv/shop/wsgi.py",
        "        return str",
        "        import time\n        time.sleep(2)\n        return str",
    )
}

/// `max_connections` of the page is 20, and three of them are kept for superusers.
pub fn more_workers_than_connections() {
    let (small, url) = postgres::server().with_few_slots(20);
    let failed = |workers: usize| {
        let servers = with_workers(workers, &url).start();
        let failed = servers.get_at_once("/", workers).iter().filter(|answer| answer.status != 200).count();
        (failed, servers.uwsgi_log())
    };
    let (none, log) = failed(17);
    assert_eq!(none, 0, "{log}");
    let (some, log) = failed(20);
    assert!(some > 0, "{log}");
    let said = ["remaining connection slots are reserved", "sorry, too many clients already"];
    assert!(said.iter().any(|said| log.contains(said)), "{log}");
    assert_eq!((limit("shop", small.port), limit("admin", small.port)), (Some(17), Some(20)));
    assert!(postgres::server().sql_at(&small, "alter role shop connection limit 9"));
    assert_eq!(limit("shop", small.port), Some(9));
    assert!(postgres::server().sql_at(&small, "alter database shop connection limit 8"));
    assert_eq!(limit("shop", small.port), Some(8));
}

/// What the server says of its limit, as the doctor asks it.
fn limit(user: &str, port: u16) -> Option<i64> {
    let target = Target {
        hosts: vec![("127.0.0.1".to_owned(), port)],
        user: user.to_owned(),
        password: Some(PASSWORD.to_owned()),
        dbname: "shop".to_owned(),
        number: 0,
        sslmode: SslMode::Prefer,
        root_certificates: None,
    };
    let outcome = login(&target, &Budget::new(Duration::from_secs(20), Duration::from_secs(3)));
    outcome.server.unwrap_or_else(|| panic!("{:?}", outcome.failure)).limit
}
