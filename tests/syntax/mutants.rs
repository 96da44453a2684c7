//! Small mistakes in a valid configuration: what the nginx that is installed says of each, and on which line, beside lint.

use std::path::Path;
use std::process::Command;

use crate::verdicts::{Score, refusals, run, told};

const SITE: &str = r#"pid nginx.pid;
error_log stderr warn;
worker_processes 1;
events {
    worker_connections 64;
}
http {
    client_body_temp_path tmp/body;
    proxy_temp_path tmp/proxy;
    uwsgi_temp_path tmp/uwsgi;
    fastcgi_temp_path tmp/fastcgi;
    scgi_temp_path tmp/scgi;
    types {
        text/html html;
        text/css css;
    }
    default_type application/octet-stream;
    log_format main '$remote_addr "$request" $status '
                    '$body_bytes_sent $request_time';
    access_log access.log main buffer=16k flush=5s;
    limit_req_zone $binary_remote_addr zone=each:1m rate=10r/s;
    limit_conn_zone $binary_remote_addr zone=both:1m;
    proxy_cache_path cache levels=1:2 keys_zone=pages:1m inactive=60m max_size=1g;
    server_tokens off;
    keepalive_timeout 65s 60s;
    gzip on;
    gzip_comp_level 5;
    gzip_types text/css application/json;
    gzip_proxied expired no-cache;
    map $http_upgrade $connection_upgrade {
        default upgrade;
        ''      close;
        ~^h2c$  "";
    }
    geo $office {
        default 0;
        10.0.0.0/8 1;
    }
    split_clients $remote_addr $variant {
        10.5% new;
        *     old;
    }
    upstream app {
        server unix:/tmp/app.sock max_fails=3 fail_timeout=10s;
        server 127.0.0.1:3031 backup;
        keepalive 8;
    }
    server {
        listen 127.0.0.1:28911 default_server backlog=64;
        server_name _;
        return 444;
    }
    server {
        listen 127.0.0.1:28911;
        server_name shop.test *.shop.test ~^(?<shop>.+)\.example$;
        root html;
        client_max_body_size 10m;
        large_client_header_buffers 4 16k;
        error_page 404 =200 /404.html;
        error_page 502 503 /down.html;
        set $target $host;
        if ($request_method = TRACE) {
            return 405;
        }
        if ($http_user_agent ~* "(bot|spider)") {
            rewrite ^/old/(.*)$ /new/$1 permanent;
        }
        location / {
            try_files $uri @app;
            expires 30d;
            add_header X-Office $office always;
            limit_req zone=each burst=20 nodelay;
            limit_conn both 10;
        }
        location @app {
            uwsgi_param QUERY_STRING $query_string;
            uwsgi_param HTTPS $https if_not_empty;
            uwsgi_pass app;
            uwsgi_read_timeout 120s;
            uwsgi_buffers 8 16k;
        }
        location = /health {
            allow 127.0.0.1;
            deny all;
            access_log off;
            return 200 "ok $variant\n";
        }
        location ^~ /static/ {
            alias html/;
            sendfile on;
            location ~ \.css$ {
                expires max;
            }
        }
        location ~ ^/api/([a-z]+)$ {
            proxy_pass http://127.0.0.1:28912;
            proxy_http_version 1.1;
            proxy_set_header Host $target;
            proxy_set_header Connection $connection_upgrade;
            proxy_cache pages;
            proxy_cache_valid 200 302 10m;
            proxy_next_upstream error timeout;
        }
        location /shop/ {
            limit_except GET HEAD {
                deny all;
            }
            proxy_pass http://127.0.0.1:28912/$shop;
        }
    }
}
"#;

/// One mistake: what it is, and the text with it.
type Mutant = (String, String);

/// The lines with the one at `at` replaced.
fn with_line(at: usize, line: &str) -> String {
    let lines = SITE.lines().enumerate().map(|(number, old)| if number == at { line } else { old });
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// Each mistake that can be made in a line.
fn mutants() -> Vec<Mutant> {
    let mut all: Vec<Mutant> = Vec::new();
    for (at, line) in SITE.lines().enumerate() {
        let name = line.trim_start().split(' ').next().unwrap_or_default();
        let mut add = |what: &str, line: String| all.push((format!("line {}: {what}", at + 1), with_line(at, &line)));
        if let Some(statement) = line.strip_suffix(';') {
            add("no `;`", statement.to_owned());
            add("`;;`", format!("{line};"));
            add("twice", format!("{line}\n{line}"));
            add("a word too many", format!("{statement} surplus;"));
            add("many words too many", format!("{statement} a b c d e f g h;"));
            add("no arguments", format!("{};", &line[..line.len() - line.trim_start().len() + name.len()]));
            add("a block", format!("{statement} {{ }}"));
        }
        if name.len() > 4 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            add(
                "two letters swapped",
                line.replacen(name, &format!("{}{}{}{}", &name[..1], &name[2..3], &name[1..2], &name[3..]), 1),
            );
            add("a capital", line.replacen(name, &format!("{}{}", name[..1].to_uppercase(), &name[1..]), 1));
        }
        let replacements = [
            (" on;", " yes;"),
            (" off;", " 0;"),
            ("10m", "10MB"),
            ("16k", "16q"),
            ("60s", "60sec"),
            ("10s", "10 s"),
            ("$host", "$hots"),
            ("$https", "${https"),
            ("=each", "=eahc"),
            (" main", " mian"),
            ("both 10", "both 0"),
            ("=pages", "=pgaes"),
            ("http://", "htp://"),
            ("http://127", "127"),
            (":28912;", ":28912/;"),
            (":28911", ":289110"),
            ("unix:", "http://unix:"),
            ("app;", "app:80;"),
            ("/8", "/33"),
            ("10.5%", "10.5"),
            ("(bot", "(?<x>bot"),
            ("spider)", "spider"),
            ("[a-z]", "[z-a]"),
            (" = ", " == "),
            ("~* ", "=~ "),
            ("(.*)", "*"),
            ("permanent", "forever"),
            ("405", "4O5"),
            ("404 =", "999 ="),
            ("@app;", "=4O4;"),
            ("always", "allways"),
            ("30d", "30days"),
            ("$office {", "office {"),
            ("$target $", "target $"),
            ("default ", "default x; default "),
            ("nodelay", "no_delay"),
            ("deny all", "deny everyone"),
            ("^~", "^*"),
            ("= /h", "== /h"),
            ("location ", "locaton "),
            ("burst=20", "burst=many"),
            ("rate=10r/s", "rate=10"),
            ("error timeout", "errors"),
            ("1.1;", "1.2;"),
            ("GET", "get_it"),
            ("5;", "50;"),
            ("text/html html", "text/html"),
            ("backup", "backpu"),
            ("{", ""),
            ("}", ""),
            ("\"", ""),
        ];
        for (from, to) in replacements.iter().filter(|(from, _)| line.contains(from)) {
            add(&format!("`{from}` becomes `{to}`"), line.replacen(from, to, 1));
        }
        if line.ends_with('{') {
            for stray in [
                "listen 127.0.0.1:28913;",
                "worker_connections 8;",
                "location /stray { }",
                "gzip off;",
                "server_name stray;",
                "uwsgi_pass app;",
                "if ($host) { return 404; }",
            ] {
                add(&format!("`{stray}` in it"), format!("{line}\n{stray}"));
            }
        }
    }
    all
}

/// What `nginx -t` says: nothing where it accepts, else its message with the line where it names one.
fn verdict(folder: &Path, text: &str) -> Result<(), (String, Option<usize>)> {
    std::fs::write(folder.join("nginx.conf"), text).unwrap();
    let output = Command::new("nginx").arg("-t").arg("-p").arg(folder).args(["-c", "nginx.conf"]).output().unwrap();
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let message = said.lines().find_map(|line| Some(line.split_once("[emerg] ")?.1.to_owned())).unwrap_or_default();
    let line = message.rsplit_once("nginx.conf:").and_then(|(_, line)| line.trim().parse().ok());
    Err((message, line))
}

#[test]
fn mutants_get_the_verdicts_of_the_nginx_that_is_installed() {
    let Ok(version) = Command::new("nginx").arg("-v").output() else {
        println!("skipped: nginx is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&version.stderr);
    let release =
        said.rsplit_once("nginx/").map_or("", |(_, release)| release.split_whitespace().next().unwrap_or_default());
    let folder = tempfile::tempdir().unwrap();
    ["html", "tmp", "cache"].iter().for_each(|name| std::fs::create_dir(folder.path().join(name)).unwrap());
    assert_eq!(verdict(folder.path(), SITE), Ok(()));
    let (mut score, mut accepted, mut wrong, mut elsewhere) = (Score::default(), 0, Vec::new(), Vec::new());
    for (what, text) in mutants() {
        let run = run(text.clone().into_bytes(), release);
        let here = told(&run, &refusals(&run));
        match verdict(folder.path(), &text) {
            Ok(()) if here.is_empty() => accepted += 1,
            Ok(()) => wrong.push(format!("{what}: {here}")),
            Err((message, line)) => {
                if !score.add(&run, line) {
                    elsewhere.push(format!("{what}: {message}, here {here}"));
                }
            }
        }
    }
    println!("mutants, nginx {release}: {accepted} accepted alike, {score}");
    println!("mutants, elsewhere:\n{}", elsewhere.join("\n"));
    assert!(wrong.is_empty(), "{} accepted by nginx and refused here:\n{}", wrong.len(), wrong.join("\n"));
    assert!(score.at_least(95), "{score}");
}
