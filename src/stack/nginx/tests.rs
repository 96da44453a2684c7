//! Small deployments, from their files to the rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::source::{Origin, Sources};
use crate::syntax::nginx::parse;

struct Site {
    sources: Sources,
    view: View,
    trees: Trees,
}

fn site(files: &[(&str, &str)]) -> Site {
    let mut site = Site { sources: Sources::default(), view: View::default(), trees: Trees::new() };
    for (path, text) in files {
        let file = site.sources.add(*path, text.as_bytes().to_vec(), Origin::File);
        let text = site.sources.get(file).shared_text();
        site.trees.insert(file, parse(Arc::clone(&text)));
        site.view.add(Document::plain(file, *path, Kind::Nginx, text));
    }
    site
}

fn addresses(reading: &Reading) -> Vec<Option<&str>> {
    reading.passes.iter().map(|pass| pass.address.known().map(String::as_str)).collect()
}

#[test]
fn includes_start_from_the_folder_of_the_main_file() {
    let site = site(&[
        ("/etc/nginx/nginx.conf", "user www-data;\nevents {}\nhttp { include mime.types; include sites-enabled/*; }"),
        ("/etc/nginx/sites-enabled/b", "server { server_name b.test; include snippets/app; }"),
        ("/etc/nginx/snippets/app", "location /api { uwsgi_pass unix:///run/b.sock; }"),
        (
            "/etc/nginx/sites-enabled/a",
            "server { listen 443 ssl; location / { if ($x) { proxy_pass http://127.0.0.1; } } }",
        ),
    ]);
    let reading = read_all(&site.view, &site.trees, &Beside::default());
    assert_eq!(addresses(&reading), [Some("127.0.0.1:80"), Some("/run/b.sock")]);
    let pass = &reading.passes[1];
    assert_eq!(**pass.server_names.known().unwrap(), ["b.test".to_owned()]);
    assert_eq!(&**pass.location.known().unwrap(), "/api");
    assert_eq!(&**pass.user.known().unwrap(), "www-data");
    assert_eq!(pass.local().known(), Some(&true));
    let listen = &reading.listens[0];
    assert_eq!((listen.port.known(), listen.ssl.known()), (Some(&443), Some(&true)));
}

#[test]
fn an_upstream_gives_one_pass_for_each_server_with_its_line() {
    let text = "upstream app { server unix:/run/a.sock; server 10.0.0.2:3031; server 10.0.0.3:3031 down; }\n\
                server { location / { uwsgi_pass app; } }";
    let site = site(&[("/etc/nginx/conf.d/app.conf", text)]);
    let reading = read_all(&site.view, &site.trees, &Beside::default());
    assert_eq!(addresses(&reading), [Some("/run/a.sock"), Some("10.0.0.2:3031")]);
    let trail = &reading.passes[0].address.trail;
    assert_eq!(trail[0].place.span.unwrap().of(text), "unix:/run/a.sock");
    assert!(reading.passes[0].user.is_unknown(), "only the main file sets it");
}

#[test]
fn of_very_many_passes_in_one_block_the_first_are_followed() {
    let passes = "proxy_pass http://127.0.0.1;\n".repeat(5000);
    let site = site(&[("/etc/nginx/conf.d/app.conf", &format!("server {{ location / {{ {passes} }} }}"))]);
    assert!(read_all(&site.view, &site.trees, &Beside::default()).passes.len() == 64);
}

#[test]
fn what_is_out_of_sight_is_unknown() {
    let fragment = "location / { uwsgi_pass app; } location /b { proxy_pass http://$backend; } location /c { proxy_pass http://other; }";
    let site = site(&[("/etc/nginx/conf.d/x.conf", fragment)]);
    let reading = read_all(&site.view, &site.trees, &Beside::default());
    assert_eq!(addresses(&reading), [None, None, None]);
    assert!(reading.passes.iter().all(|pass| pass.address.is_unknown() && pass.local().is_unknown()));
    assert!(reading.passes[0].server_names.is_unknown());
}

#[test]
fn the_user_is_nobody_only_where_the_whole_main_file_was_seen() {
    let pass = "http { server { location / { proxy_pass http://app; } } }";
    let whole = site(&[("/etc/nginx/nginx.conf", &format!("events {{}} {pass}"))]);
    let reading = read_all(&whole.view, &whole.trees, &Beside::default());
    assert_eq!(&**reading.passes[0].user.known().unwrap(), "nobody");
    assert_eq!(addresses(&reading), [Some("app:80")]);
    let part = site(&[("/etc/nginx/nginx.conf", &format!("include modules-enabled/*.conf; events {{}} {pass}"))]);
    let reading = read_all(&part.view, &part.trees, &Beside::default());
    assert!(reading.passes[0].user.is_unknown());
    assert_eq!(addresses(&reading), [None]);
}

#[test]
fn an_include_that_leads_back_is_a_problem_and_ends() {
    let site = site(&[
        ("/etc/nginx/nginx.conf", "events {} http { include conf.d/a; }"),
        ("/etc/nginx/conf.d/a", "server { location / { uwsgi_pass 127.0.0.1:3031; } }\ninclude conf.d/b;"),
        ("/etc/nginx/conf.d/b", "include conf.d/a;"),
    ]);
    let reading = read_all(&site.view, &site.trees, &Beside::default());
    assert_eq!(reading.problems.len(), 1);
    assert_eq!(addresses(&reading), [Some("127.0.0.1:3031")]);
}

#[test]
fn a_fragment_that_another_fragment_includes_is_read_there() {
    let site = site(&[
        ("site/a.conf", "server { server_name a.test; include b.conf; }"),
        ("site/b.conf", "location / { uwsgi_pass 127.0.0.1:3031; }"),
    ]);
    let reading = read_all(&site.view, &site.trees, &Beside::default());
    assert_eq!(reading.passes.len(), 1);
    assert_eq!(**reading.passes[0].server_names.known().unwrap(), ["a.test".to_owned()]);
    let tree = &site.trees[&site.sources.by_name("site/a.conf").unwrap()].tree;
    let document = &site.view.at("site/a.conf")[0];
    assert_eq!(includes(document, tree, &prefix(document, false)), ["site/b.conf"]);
}

#[test]
fn a_file_that_is_included_many_times_is_read_in_each_place() {
    let location = |at: usize| format!("location /{at} {{ include snip/pass; }}\n");
    let locations: String = (0..20_000).map(location).collect();
    let main = format!("events {{}} http {{ server {{ {locations} }} }}");
    let pass = "include more; uwsgi_pass 127.0.0.1:3031;";
    let site = site(&[("nginx.conf", main.as_str()), ("snip/pass", pass), ("more", "uwsgi_read_timeout 5;")]);
    let reading = read_all(&site.view, &site.trees, &Beside::default());
    assert_eq!(reading.passes.len(), 20_000);
    assert_eq!(&**reading.passes[19_999].location.known().unwrap(), "/19999");
}

#[test]
fn copies_of_copies_end() {
    let names: Vec<String> = (0..11).map(|at| format!("/etc/nginx/{at}.conf")).collect();
    let text = |at: usize| {
        format!("{} location / {{ proxy_pass http://10.0.0.1; }}", format!("include {}.conf;", at + 1).repeat(100))
    };
    let texts: Vec<String> = (0..11).map(text).collect();
    let files: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    let site = site(&files);
    assert!(
        !read(&site.view, &site.trees, &Beside::default(), &site.view.at("/etc/nginx/0.conf")[0]).passes.is_empty()
    );
}
