//! What holds where, and what gets where: the rows of small configurations, as table, key and text of their line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::source::{Origin, Sources};
use crate::stack::document::{Document, Kind};
use crate::stack::fact::Row;
use crate::stack::nginx::{Beside, Reading, Trees, read_all};
use crate::stack::view::View;
use crate::syntax::nginx::parse;

/// What some files come to, with their texts.
fn read(files: &[(&str, &str)]) -> (Sources, Reading) {
    let (mut sources, mut view, mut trees) = (Sources::default(), View::default(), Trees::new());
    for (path, text) in files {
        let file = sources.add(*path, text.as_bytes().to_vec(), Origin::File);
        let text = sources.get(file).shared_text();
        trees.insert(file, parse(text.clone()));
        view.add(Document::plain(file, *path, Kind::Nginx, text));
    }
    let reading = read_all(&view, &trees, &Beside::default());
    (sources, reading)
}

/// The rows of all files, such as `nginx_params[missing] uwsgi_pass app`.
fn rows(files: &[(&str, &str)]) -> Vec<String> {
    let (sources, reading) = read(files);
    let text = |row: &std::sync::Arc<dyn Row>| {
        let place = row.place();
        let line = place.span.unwrap().of(sources.text(place.file));
        let unknown = row.schema().columns.iter().any(|column| row.fact(column.name).unwrap().is_unknown());
        format!("{}[{}]{} {line}", row.schema().table, row.key(), if unknown { "?" } else { "" })
    };
    reading.rows.iter().map(text).collect()
}

/// The rows of one table for what stands in the `http` block of a main file.
fn of_http(table: &str, http: &str) -> Vec<String> {
    let main = format!("events {{}} http {{ server_tokens off; {http} }}");
    let mut rows = rows(&[("/etc/nginx/nginx.conf", &main)]);
    rows.retain(|row| row.starts_with(table));
    rows
}

const PARAMS: &str = "uwsgi_param REQUEST_METHOD $request_method; uwsgi_param PATH_INFO $uri; \
    uwsgi_param QUERY_STRING $query_string; uwsgi_param CONTENT_TYPE $content_type; uwsgi_param CONTENT_LENGTH $content_length;";

#[test]
fn a_set_of_its_own_takes_the_place_of_all_around() {
    let at = |server: &str, location: &str| {
        of_http("nginx_params", &format!("server {{ {server} location / {{ {location} uwsgi_pass 127.0.0.1:1; }} }}"))
    };
    assert_eq!(at("", ""), ["nginx_params[missing] uwsgi_pass 127.0.0.1:1"]);
    assert!(at(PARAMS, "").is_empty() && at("", PARAMS).is_empty() && at("include uwsgi_params;", "").is_empty());
    assert_eq!(at(PARAMS, "uwsgi_param A b;"), ["nginx_params[dropped] uwsgi_pass 127.0.0.1:1"]);
    assert_eq!(at("", "uwsgi_param A b;"), ["nginx_params[missing] uwsgi_pass 127.0.0.1:1"]);
    assert_eq!(at(PARAMS, "uwsgi_param A b; include more;"), ["nginx_params[dropped]? uwsgi_pass 127.0.0.1:1"]);
    assert!(at("", "include uwsgi_params; uwsgi_param A b;").is_empty());
}

#[test]
fn what_stands_around_a_fragment_is_unknown() {
    let snippet = "location / { uwsgi_pass 127.0.0.1:1; }";
    assert_eq!(rows(&[("/etc/nginx/snippets/a", snippet)]), ["nginx_params[missing]? uwsgi_pass 127.0.0.1:1"]);
    let main = format!("events {{}} http {{ server_tokens off; server {{ {PARAMS} include snippets/a; }} }}");
    assert!(rows(&[("/etc/nginx/nginx.conf", &main), ("/etc/nginx/snippets/a", snippet)]).is_empty());
}

#[test]
fn a_file_included_twice_is_told_about_once() {
    let main = "events {} http { server_tokens off; server { listen 1; include s; } server { listen 2; include s; } }";
    let rows = rows(&[("/etc/nginx/nginx.conf", main), ("/etc/nginx/s", "location / { autoindex on; }")]);
    assert_eq!(rows, ["nginx_lines[listing] autoindex on"]);
}

#[test]
fn the_last_of_several_passes_answers() {
    let both = "server { location / { uwsgi_pass 127.0.0.1:1; proxy_pass http://127.0.0.1:2; } }";
    assert!(of_http("nginx_params", both).is_empty());
}

#[test]
fn line_breaks_are_followed_through_set_map_and_captures() {
    let at = |http: &str, location: &str| of_http("nginx_taints[response]", &format!("{http} server {{ {location} }}"));
    let hit = |location: &str| !at("", location).is_empty();
    assert!(hit("return 301 https://a$uri;") && !hit("return 301 https://a$request_uri;"));
    assert!(!hit("return 200 $uri;") && !hit("location = /a { return 301 https://a$uri; }"));
    assert!(hit("location ~ ^/([^/]*)$ { return 301 /b/$1; }"));
    assert!(hit("location ~ ^/([^/]*)$ { return 302 https://a/$1; }"));
    assert!(!hit("location ~ ^/(.*)$ { return 302 https://a/$1; }"));
    assert!(!hit("location ~ ^/([^/]*)$ { set $a $1; return 302 https://a/$a; }"), "set escapes what is numbered");
    assert!(hit("location ~ ^/(?<b>[^/]*)$ { set $a $b; return 302 https://a/$a; }"));
    assert!(!hit("rewrite ^/([^/]*)$ https://a/$1 redirect;") && hit("rewrite ^/(?<b>[^/]*)$ https://a/$b redirect;"));
    assert!(hit("if ($uri ~ ^/([^/]*)$) { return 302 https://a/$1; }"));
    assert!(!hit("if ($request_uri ~ ^/([^/]*)$) { return 302 https://a/$1; }"));
    let map = |source: &str| format!("map {source} $m {{ default /; ~^/x/([^/]*)$ /y/$1; }}");
    assert!(!at(&map("$uri"), "return 302 https://a$m;").is_empty());
    assert!(at(&map("$request_uri"), "return 302 https://a$m;").is_empty());
    assert_eq!(at("", "location ~ ^/(?!a)(.*)$ { return 302 https://a/$1; }").len(), 1);
}

#[test]
fn a_target_is_the_clients_choice_only_in_its_host() {
    let hit = |location: &str| {
        !of_http("nginx_taints[target]", &format!("map $arg_a $m {{ default a:1; }} server {{ {location} }}"))
            .is_empty()
    };
    assert!(hit("location / { proxy_pass http://$arg_a; }") && hit("location / { proxy_pass http://a$http_b/; }"));
    assert!(!hit("location / { internal; proxy_pass http://$arg_a; }") && !hit("location / { proxy_pass http://$m; }"));
    assert!(
        !hit("location / { proxy_pass http://a/$arg_a; }") && !hit("location / { proxy_pass http://a$request_uri; }")
    );
    assert!(
        hit("location ~ ^/(.*)$ { proxy_pass http://a$1; }") && !hit("location ~ ^(/.*)$ { proxy_pass http://a$1; }")
    );
    assert!(!hit("location ~ ^/([0-9]+)$ { proxy_pass http://a$1; }"));
    assert!(hit("location / { set $b $arg_a; set $c http://$b; proxy_pass $c; }"));
}

#[test]
fn the_page_for_a_dead_app_is_looked_for_as_nginx_does() {
    let at = |locations: &str| of_http("nginx_redirects", &format!("server {{ error_page 502 /e.html; {locations} }}"));
    let app = "location / { uwsgi_pass a:1; }";
    assert_eq!(at(app), ["nginx_redirects[back-to-upstream] error_page 502 /e.html"]);
    assert!(at(&format!("{app} location = /e.html {{ root /srv; }}")).is_empty());
    assert!(at(&format!("{app} location ~ \\.html$ {{ root /srv; }}")).is_empty());
    assert_eq!(
        at(&format!("{app} location ^~ /e {{ uwsgi_pass a:1; }} location ~ \\.html$ {{ root /srv; }}")).len(),
        1
    );
    let unreadable = at(&format!("{app} location ~ ^/(?!e) {{ root /srv; }}"));
    assert_eq!(unreadable, ["nginx_redirects[back-to-upstream]? error_page 502 /e.html"]);
}

/// So many of something, with its number.
fn many(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect()
}

/// Each costs seconds here while the time grows with the text, and hours where it grows with its square.
#[test]
fn no_amount_of_anything_takes_long() {
    let passes = many(600, |at| format!("location /{at} {{ uwsgi_pass app; }}"));
    let to_each = |target: &str| many(100, |at| format!("location /{at} {{ proxy_pass {target}; }}"));
    let https = [
        many(20_000, |_| "include *;".to_owned()),
        format!("upstream app {{ {} }} server {{ {passes} }}", many(9_000, |at| format!("server 10.0.0.1:{at};"))),
        format!(
            "{} server {{ {} }}",
            many(6_000, |at| format!("upstream application{at} {{ server a; }}")),
            many(6_000, |at| format!("location /{at} {{ uwsgi_pass applications{at}; }}")),
        ),
        format!("server {{ {} }}", many(9_000, |at| format!("location @a{at} {{ try_files /x @b{at}; }}"))),
        format!("server {{ {} {passes} }}", many(9_000, |_| "uwsgi_param A B;".to_owned())),
        format!("server {{ {} {passes} }}", many(9_000, |_| "error_page 502 /x;".to_owned())),
        format!("server {{ {} {passes} }}", many(9_000, |at| format!("error_page 502 /x{at};"))),
        format!(
            "server {{ {} }}",
            many(9_000, |at| format!("location ~ a{at} {{ error_page 502 /x; uwsgi_pass a; }}"))
        ),
        format!(
            "server {{ error_page 502 /x; {} }}",
            many(4_000, |at| format!("location ~ a{at} {{ uwsgi_pass a; }}"))
        ),
        format!(
            "server {{ {} server_name {}; }}",
            many(9_000, |at| format!("listen {};", at + 1)),
            many(9_000, |at| format!("n{at} ")),
        ),
        many(9_000, |at| format!("server {{ return 200 $nothing{at}; }} map $uri $anything{at} {{ }}")),
        many(9_000, |_| "lisen 80;".to_owned()),
        many(9_000, |at| format!("server_nmae{at} a;")),
        format!("server {{ location / {{ proxy_pass http://{}; }} }}", "$a".repeat(30_000)),
        format!(
            "server {{ {} {} }}",
            many(9_000, |at| format!("set $b{at} x;")),
            to_each(&format!("http://{}", "$a".repeat(1_000)))
        ),
        format!(
            "server {{ {} {} }}",
            many(9_000, |at| format!("rewrite (?<b{at}>x) /;")),
            to_each(&"$a".repeat(1_000))
        ),
        format!("server {{ {} {} }}", made_of_many(), to_each("http://$a")),
    ];
    for http in https {
        rows(&[("/etc/nginx/nginx.conf", &format!("events {{}} http {{ {http} }}"))]);
    }
}

/// A value that is made of many others, each of them made of many.
fn made_of_many() -> String {
    let set = |name: &str, of: &str| format!("set ${name} {};", format!("${of}").repeat(100));
    [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")].map(|(name, of)| set(name, of)).concat()
}

#[test]
fn what_is_more_than_is_followed_is_unknown_and_never_left_out() {
    let http = format!("server {{ {} location / {{ proxy_pass http://$a; }} }}", made_of_many());
    assert_eq!(
        of_http("nginx_taints", &http),
        ["nginx_taints[response]? proxy_pass http://$a", "nginx_taints[target]? proxy_pass http://$a"]
    );
    let http = format!(
        "{} server {{ {} }}",
        many(1_000, |at| format!("upstream application{at} {{ server a; }}")),
        many(1_000, |at| format!("location /{at} {{ uwsgi_pass applicatoins{at}; }}")),
    );
    let targets = of_http("nginx_targets", &http);
    assert_eq!(targets.len(), 1_000);
    let http = format!(
        "server {{ {} location / {{ error_page 502 /y; uwsgi_pass a; }} }}",
        many(1_000, |at| format!("location ~ x{at} {{ root /srv; }}")),
    );
    assert_eq!(of_http("nginx_redirects", &http), ["nginx_redirects[back-to-upstream]? error_page 502 /y"]);
}

#[test]
fn a_file_of_nothing_but_mistakes_says_that_it_does_not_tell_them_all() {
    let main = format!("events {{}} http {{ {} }}", many(3_000, |at| format!("server_nmae{at} a; ")));
    let (_, reading) = read(&[("/etc/nginx/nginx.conf", &main)]);
    let (_, last) = reading.problems.last().unwrap();
    assert_eq!(reading.problems.len(), 1_000);
    assert!(last.message.ends_with("(of this file no more is told)"), "{}", last.message);
}
