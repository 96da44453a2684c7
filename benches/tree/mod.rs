//! A large nginx configuration as a hosting company would have it: sites of ten servers each, upstreams, one shared include.

/// How many servers one site has; they share one file.
const SERVERS: usize = 10;

/// What nginx passes to uWSGI, shared by every application.
const UWSGI_PARAMS: &str = "\
# What an application behind uWSGI is told about a request.
uwsgi_param QUERY_STRING    $query_string;
uwsgi_param REQUEST_METHOD  $request_method;
uwsgi_param CONTENT_TYPE    $content_type;
uwsgi_param CONTENT_LENGTH  $content_length;

uwsgi_param REQUEST_URI     $request_uri;
uwsgi_param PATH_INFO       $document_uri;
uwsgi_param DOCUMENT_ROOT   $document_root;
uwsgi_param SERVER_PROTOCOL $server_protocol;
uwsgi_param REQUEST_SCHEME  $scheme;
uwsgi_param HTTPS           $https if_not_empty;

uwsgi_param REMOTE_ADDR     $remote_addr;
uwsgi_param REMOTE_PORT     $remote_port;
uwsgi_param SERVER_PORT     $server_port;
uwsgi_param SERVER_NAME     $server_name;
";

/// The main file; nginx started with `-p` on the folder finds everything in it.
const MAIN: &str = "\
worker_processes auto;
pid nginx.pid;
error_log error.log;

events {
    worker_connections 1024;
}

http {
    default_type application/octet-stream;
    log_format main '$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\"';
    access_log access.log main;
    sendfile on;
    keepalive_timeout 65;
    server_tokens off;
    server_names_hash_max_size 65536;
    server_names_hash_bucket_size 128;

    map $http_upgrade $connection_upgrade {
        default upgrade;
        ''      close;
    }

    server {
        listen 80 default_server;
        server_name _;
        return 444;
    }

    include sites/*.conf;
}
";

/// Every file with its path: the main file, what the applications include, and `sites` files with ten servers each.
pub fn files(sites: usize) -> impl Iterator<Item = (String, String)> {
    let shared = [("nginx.conf", MAIN), ("snip/uwsgi_params", UWSGI_PARAMS)];
    let shared = shared.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned()));
    shared.chain((0..sites).map(|number| (format!("sites/site{number:04}.conf"), site(number))))
}

/// One file: the upstreams and servers of one site.
fn site(number: usize) -> String {
    let mut text = format!("# Site {number}, written by its deployment.\n\n");
    for server in 0..SERVERS {
        let name = format!("site{number:04}_app{server}");
        text.push_str(&upstream(&name, number));
        text.push_str(&head(&name, number, server));
        text.push_str(&application(&name, server));
        text.push_str("}\n\n");
    }
    text
}

fn upstream(name: &str, number: usize) -> String {
    if number.is_multiple_of(3) {
        let ports = (8000 + number, 9000 + number);
        return format!(
            "upstream {name} {{\n    server 10.0.1.10:{} weight=2;\n    server 10.0.1.11:{} max_fails=3;\n}}\n\n",
            ports.0, ports.1
        );
    }
    format!("upstream {name} {{\n    server unix:/run/uwsgi/{name}.sock fail_timeout=0;\n}}\n\n")
}

fn head(name: &str, number: usize, server: usize) -> String {
    let domain = format!("app{server}.site{number:04}.example");
    let listen = if server.is_multiple_of(2) { "    listen 80;\n    listen [::]:80;\n" } else { "    listen 80;\n" };
    format!(
        "server {{\n{listen}    server_name {domain} www.{domain};\n    root /srv/{name}/public;\n    \
         client_max_body_size 20m;\n    charset utf-8;\n    add_header X-Content-Type-Options nosniff always;\n\n"
    )
}

fn application(name: &str, server: usize) -> String {
    let pass = format!(
        "    location @app {{\n        include snip/uwsgi_params;\n        uwsgi_pass {name};\n        \
         uwsgi_read_timeout 60s;\n    }}\n\n"
    );
    let files = "    location / {\n        try_files $uri @app;\n    }\n\n";
    let assets = format!(
        "    # Collected at every release, named by their content.\n    location /static/ {{\n        \
         alias /srv/{name}/static/;\n        expires 30d;\n        \
         add_header X-Content-Type-Options nosniff always;\n        add_header Cache-Control \"public, immutable\";\n    }}\n\n"
    );
    let other = match server % 3 {
        0 => format!(
            "    location /api/ {{\n        proxy_pass http://{name};\n        proxy_http_version 1.1;\n        \
             proxy_set_header Host $host;\n        proxy_set_header X-Real-IP $remote_addr;\n        \
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n        \
             proxy_set_header X-Forwarded-Proto $scheme;\n        proxy_read_timeout 30s;\n    }}\n"
        ),
        1 => format!(
            "    location /ws/ {{\n        proxy_pass http://{name};\n        proxy_http_version 1.1;\n        \
             proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection $connection_upgrade;\n        \
             proxy_set_header Host $host;\n    }}\n"
        ),
        _ => "    location ~ /\\.(?!well-known) {\n        deny all;\n    }\n\n    location = /health {\n        \
              access_log off;\n        return 200 \"ok\\n\";\n    }\n"
            .to_owned(),
    };
    files.to_owned() + &pass + &assets + &other
}
