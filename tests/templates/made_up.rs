//! Made-up templates: lines of a language with tags in many places, some of them in branches and loops.

use proptest::prelude::*;

/// Lines of one language, with tags in many places; `@` stands for a tag that prints.
fn lines_of(kind: &'static str) -> Vec<&'static str> {
    match kind {
        "uwsgi" => vec![
            "[uwsgi]",
            "master = true",
            "master = @",
            "@ = true",
            "processes = 4",
            "processes = @",
            "processes = @0",
            "socket = @",
            "socket = 127.0.0.1:@",
            "chmod-socket = @",
            "env = A=@",
            "env = @=b",
            "env = A=\"@\"",
            "@",
            "socket = /run/a.sock ; @",
            "module = @:app",
            "harakiri = @",
            "lazy = @",
            "lazy-apps = true",
            "cheaper = @",
            "log-date = %@Y",
            "chdir = %(@)",
            "chdir = %(base)",
            "base = @",
            "if-env = @",
            "endif =",
            "max-worker-lifetime = @",
            "unknown-@ = 1",
            "enable-thread = true",
            "@enable = 1",
            "touch-reload @",
        ],
        "upstart" => vec![
            "description @",
            "description \"@\"",
            "start on @",
            "start on runlevel @",
            "start on runlevel [@]",
            "start on a and @ or c",
            "stop on started @",
            "env A=@",
            "env @=b",
            "env A=@ b",
            "env @",
            "env A=b#@",
            "env A=@#b",
            "env A=\"@\\\"\"",
            "respawn @",
            "respawn",
            "respawn limit @",
            "respawn limit 5 @",
            "limit nofile @",
            "limit nofile @ 5",
            "kill signal @",
            "kill timeout @",
            "expect @",
            "console @",
            "setuid @",
            "chdir @",
            "chdir $@",
            "chdir @/x",
            "exec @",
            "exec @ --ini @",
            "exec cd @",
            "exec a && @",
            "exec uwsgi --ini @",
            "exec uwsgi @",
            "exec ./@",
            "exec celery worker @",
            "exec gunicorn @ app",
            "script",
            "end script",
            "pre-start script",
            "rm @",
            "@",
            "manual @",
            "export @",
            "export A=@",
            "exec @ &",
            "exec su @ -c x",
            "source @",
            "[ -f @ ] && x",
            "nice @",
            "oom @",
            "umask @",
            "normal exit @",
            "instance @",
            "@ on startup",
            "post-stop exec @",
            "emits @",
            "expect fork",
        ],
        _ => vec![
            "listen @;",
            "listen 80 @;",
            "server_name @;",
            "@",
            "root @;",
            "include @;",
            "add_header A @;",
            "gzip on @;",
            "client_max_body_size @;",
            "client_max_body_size @m;",
            "return 301 @;",
            "rewrite ^@$ /b @;",
            "set $a @;",
            "error_page 404 @;",
            "expires @;",
            "access_log @;",
            "error_log @ @;",
            "keepalive_timeout @;",
            "location / {\n    uwsgi_pass unix:@;\n}",
            "location /a {\n    proxy_pass http://@;\n}",
            "location /b {\n    proxy_pass http://127.0.0.1:@/;\n    proxy_set_header Host @;\n}",
            "location @ {\n    alias @;\n}",
            "location ~ @ {\n    try_files $uri @;\n}",
            "if ($a = @) {\n    return 403;\n}",
        ],
    }
}

/// A made-up template: lines, some of them in blocks.
pub fn template(kind: &'static str) -> impl Strategy<Value = String> {
    let line = prop::sample::select(lines_of(kind));
    let piece = prop_oneof![
        8 => line.clone().prop_map(|line| vec![line.to_owned()]),
        1 => (prop::collection::vec(line.clone(), 1..4), prop::collection::vec(line.clone(), 0..3)).prop_map(|(one, other)| {
            let mut all = vec!["<% if x %>".to_owned()];
            all.extend(one.iter().map(|line| (*line).to_owned()));
            if !other.is_empty() {
                all.push("<% else %>".to_owned());
                all.extend(other.iter().map(|line| (*line).to_owned()));
            }
            all.push("<% end %>".to_owned());
            all
        }),
        1 => prop::collection::vec(line, 1..3).prop_map(|lines| {
            let mut all = vec!["<% y.each do |z| -%>".to_owned()];
            all.extend(lines.iter().map(|line| (*line).to_owned()));
            all.push("<% end -%>".to_owned());
            all
        }),
    ];
    prop::collection::vec(piece, 1..10).prop_map(move |pieces| {
        let (head, tail) = match kind {
            "uwsgi" => ("[uwsgi]\n", ""),
            "nginx" => ("events {\n}\nhttp {\nserver {\n", "}\n}\n"),
            _ => ("", ""),
        };
        let mut number = 0;
        let mut text = head.to_owned();
        for line in pieces.concat() {
            for (at, part) in line.split('@').enumerate() {
                if at > 0 {
                    number += 1;
                    text.push_str(&format!("<%= v{number} %>"));
                }
                text.push_str(part);
            }
            text.push('\n');
        }
        text + tail
    })
}
