//! Small repositories, on disk and in memory.
#![allow(clippy::unwrap_used)]

mod containers;
mod servers;

use super::{Options, joined, lint, lint_memory};

#[test]
fn a_binary_configuration_is_an_error_and_a_picture_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["nginx.conf", "logo.png"].map(name) {
        std::fs::write(name, b"\xff\xfee\0v\0e\0n\0t\0s\0").unwrap();
    }
    let report = lint(&["nginx.conf", "logo.png"].map(name), &Options::default()).unwrap().report;
    assert!(report.findings.is_empty());
    assert_eq!(report.errors.len(), 1);
    assert!(report.errors[0].path.ends_with("nginx.conf") && report.errors[0].message.contains("UTF-16"));
}

#[test]
fn what_is_larger_than_its_language_allows_is_an_error_and_hides_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("large.ini", &format!("[uwsgi]\n{}", "env = A=b\n".repeat(200_000)));
    write("large.conf", &"server {}\n".repeat(200_000));
    write("small.ini", "[uwsgi]\nvaccum = true\nmodule = wsgi\n");
    let report = lint(&[folder.path().to_str().unwrap().to_owned()], &Options::default()).unwrap().report;
    assert_eq!(report.errors.len(), 1, "{:?}", report.errors);
    assert!(report.errors[0].path.ends_with("large.ini") && report.errors[0].message.contains("1024 KiB"));
    assert!(report.findings.iter().any(|finding| finding.rule == "uwsgi/unknown-option"));
}

#[test]
fn a_tag_alone_in_a_job_may_give_any_variable() {
    let not_provided = |job: &str| {
        let files = [
            ("etc/init/shop.conf.erb", job),
            ("srv/uwsgi.ini", "[uwsgi]\nmaster = true\nstrict = true\nchdir = /srv\nmodule = wsgi\n"),
            ("srv/wsgi.py", "import os\nurl = os.environ['DATABASE_URL']\ndef application(e, s):\n    return []\n"),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        let report = lint_memory(&files, &Options::default()).report;
        report.findings.iter().filter(|finding| finding.rule == "env/not-provided").count()
    };
    assert_eq!(not_provided("exec uwsgi --ini /srv/uwsgi.ini\n"), 1);
    assert_eq!(not_provided("<%= @stanzas %>\nexec uwsgi --ini /srv/uwsgi.ini\n"), 0);
}

#[test]
fn an_exec_that_a_branch_replaces_is_not_judged() {
    let found = |job: &str| {
        let report = lint_memory(&[("etc/init/shop.conf.erb".to_owned(), job.into())], &Options::default()).report;
        report.findings.iter().filter(|finding| finding.rule == "upstart/exec-of-shell-builtin").count()
    };
    assert_eq!(found("exec cd <%= @root %>\nstop on runlevel [!2345]\n"), 1);
    let branch =
        "exec cd <%= @root %>\n<% if @early %>\npre-start script\n<% else %>\nexec <%= @server %>\n<% end %>\n";
    assert_eq!(found(branch), 0);
}

#[test]
fn others_code_is_what_lies_below_the_folder_that_was_named() {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("vendor/shop");
    for name in ["etc", "vendor/etc"] {
        std::fs::create_dir_all(repository.join(name)).unwrap();
        std::fs::write(repository.join(name).join("nginx.conf"), "events { }\nhttp { server { listen 80 } }\n")
            .unwrap();
    }
    let found = |path: &std::path::Path| {
        let run = lint(&[path.to_str().unwrap().to_owned()], &Options::default()).unwrap();
        (run.report.files, run.report.findings.len())
    };
    let (files, findings) = found(&repository);
    assert!(files == 1 && findings > 0, "{files} {findings}");
    assert_eq!(found(&repository.join("vendor/etc/nginx.conf")).1, findings);
}

#[test]
fn each_stack_is_judged_by_its_own_configuration() {
    let files = |a: &str, b: &str| {
        let broken = "events { }\nhttp { server { listen 80 } }\n";
        let all =
            [("a/housecall.toml", a), ("a/nginx.conf", broken), ("b/housecall.toml", b), ("b/nginx.conf", broken)];
        let files = all.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        let run = lint_memory(&files, &Options::default());
        let names = run.report.findings.iter().map(|finding| run.sources.get(finding.primary.place.file).name.clone());
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let ignore = "[lint]\nignore = [\"nginx/*\"]\n";
    assert_eq!(files("", ""), ["a/nginx.conf", "b/nginx.conf"]);
    assert_eq!(files(ignore, ""), ["b/nginx.conf"]);
    assert_eq!(files("", ignore), ["a/nginx.conf"]);
}

#[test]
fn a_template_needs_no_suffix_to_be_one() {
    let rules = |text: &str| -> usize {
        let files = [("nginx.conf".to_owned(), text.as_bytes().to_vec())];
        lint_memory(&files, &Options::default()).report.findings.len()
    };
    let server = |name: &str| format!("events {{ }}\nhttp {{ server_tokens off; server {{ server_name {name}; }} }}\n");
    assert_eq!(rules(&server("{{ shop_host }}")), 0);
    assert_eq!(rules(&server("{{.Host}}")), 0);
    assert_ne!(rules(&server("a }")), 0);
}

#[test]
fn a_configured_path_is_relative_to_its_configuration() {
    assert_eq!(joined("fixtures/thena", "app"), "fixtures/thena/app");
    assert_eq!(joined("infra", "../app/"), "app");
    assert_eq!(joined("", "./app"), "app");
    assert_eq!(joined("/srv/infra", "../app"), "/srv/app");
    assert_eq!(joined("infra", "/srv/app"), "/srv/app");
    assert_eq!(joined("..", "../app"), "../../app");
}

#[test]
fn own_pages_are_for_their_own_stack() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let page = "+++\ntitle = \"many workers\"\nseverity = \"error\"\neffect = \"untidy\"\nconfidence = \"proved\"\neach = \"uwsgi\"\n\
                when = \"it.workers > 2\"\nat = \"it.workers\"\nmessage = \"{{ it.workers }} workers\"\n+++\nWhy.\n\n## Bad\n\
                `uwsgi.ini`:\n```ini\n[uwsgi]\n# fault\nprocesses = 3\n```\n\n## Good\n`uwsgi.ini`:\n```ini\n[uwsgi]\n```\n";
    write("a/housecall.toml", "[rules]\npaths = [\"ops\"]\n");
    write("a/ops/ours/many-workers.md", page);
    write("a/uwsgi.ini", "[uwsgi]\nprocesses = 3\n");
    write("b/uwsgi.ini", "[uwsgi]\nprocesses = 3\n");
    let run = lint(&[folder.path().to_str().unwrap().to_owned()], &Options::default()).unwrap();
    let ours: Vec<&str> = run
        .report
        .findings
        .iter()
        .filter(|finding| finding.rule == "ours/many-workers")
        .map(|finding| run.sources.get(finding.primary.place.file).name.as_str())
        .collect();
    assert_eq!(ours, [folder.path().join("a/uwsgi.ini").to_str().unwrap()]);
}

#[test]
fn vendored_files_are_judged_where_the_configuration_wants_it() {
    let rules = |toml: &str| {
        let files = [
            ("housecall.toml", toml),
            ("vendor/shop/uwsgi.ini", "[uwsgi]\nlazy_apps = true\n"),
            ("node_modules/x/uwsgi.ini", "[uwsgi]\nlazy_apps = true\n"),
        ];
        let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        let run = lint_memory(&files, &Options::default());
        run.report.findings.iter().filter(|finding| finding.rule == "uwsgi/unknown-option").count()
    };
    assert_eq!((rules(""), rules("[lint]\nvendored = true\n")), (0, 1));
}

#[test]
fn an_allow_of_the_configuration_that_hides_nothing_is_told() {
    let found = |allow: &str, ini: &str| -> Vec<(String, String)> {
        let toml = format!("[[allow]]\nbecause = \"a plugin\"\n{allow}\n");
        let files = [("housecall.toml", toml.as_str()), ("web/uwsgi.ini", ini)];
        let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        let findings = lint_memory(&files, &Options::default()).report.findings;
        findings.into_iter().map(|finding| (finding.rule, finding.message)).collect()
    };
    let rules =
        |allow: &str, ini: &str| -> Vec<String> { found(allow, ini).into_iter().map(|(rule, _)| rule).collect() };
    let (typo, clean) = ("[uwsgi]\nlazy_apps = 1\n", "[uwsgi]\nmaster = 1\n");
    let (unknown, unused) = ("uwsgi/unknown-option", "housecall/unused-allow");
    assert_eq!(rules("rule = \"uwsgi/unknown-option\"", typo), [""; 0]);
    assert_eq!(rules("rule = \"uwsgi/unknown-option\"", clean), [unused]);
    assert_eq!(rules("rule = \"uwsgi/*\"\npath = \"web\"", typo), [""; 0]);
    assert_eq!(rules("rule = \"uwsgi/unknown-option\"\npath = \"queue\"", typo), [unused, unknown]);
    assert_eq!(rules("rule = \"uwsgi/unknown-option\"\nuntil = 2999-01-31", typo), [""; 0]);
    let past = found("rule = \"uwsgi/unknown-option\"\nuntil = 2026-01-31", typo);
    assert!(past.len() == 2 && past[0].1.contains("2026-01-31"), "{past:?}");
    assert_eq!(rules("rule = \"link/protocol-mismatch\"", clean).len(), 1, "nginx is nowhere");
}

#[test]
fn what_only_an_include_shows_to_be_nginx_s_is_read_as_such() {
    let files = [
        ("nginx.conf", "events {}\nhttp {\n    include shared/*.conf;\n    include sites/*.vhost;\n}\n"),
        ("shared/compression.conf", "gzip yes;\n"),
        ("sites/shop.vhost", "server {\n    listen 80;\n    include shared/deep/tls.inc;\n}\n"),
        ("shared/deep/tls.inc", "ssl_protocol TLSv1.3;\n"),
        ("shared/elsewhere.txt", "gzip yes;\n"),
        ("other/compression.conf", "gzip yes;\n"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let run = lint_memory(&files, &Options::default());
    let found = run
        .report
        .findings
        .iter()
        .map(|finding| (run.sources.get(finding.primary.place.file).name.as_str(), finding.rule.as_ref()));
    assert_eq!(
        found.collect::<Vec<_>>(),
        [("shared/compression.conf", "nginx/invalid-value"), ("shared/deep/tls.inc", "nginx/unknown-directive")]
    );
}

#[test]
fn a_server_whose_port_is_a_tag_may_be_the_default_of_any() {
    let answers = |listen: &str| {
        let text = format!(
            "events {{}}\nhttp {{\n  server {{\n    listen 80;\n    server_name old.example;\n    return 301 /;\n  }}\n  server {{\n    {listen}\n    server_name _;\n    location / {{ proxy_pass http://10.0.0.1; }}\n  }}\n}}\n"
        );
        let run = lint_memory(&[("nginx.conf.erb".to_owned(), text.into_bytes())], &Options::default());
        run.report.findings.iter().any(|finding| {
            finding.rule == "nginx/default-site-answers" && finding.severity == crate::finding::Severity::Error
        })
    };
    assert!(answers("listen 80;"));
    assert!(!answers("listen <%= ENV['PORT'] %>;"));
    assert!(!answers("listen <%= ENV['PORT'] %> default_server;"));
    assert!(!answers("listen 80; listen <%= ENV['PORT'] %> default_server;"));
}

/// Both words of `{% if tls %}443{% else %}80{% endif %}` stand in the text, and one of them in the file that nginx gets.
#[test]
fn of_words_that_a_template_chooses_among_none_is_known() {
    let main = |tags: [&str; 3]| {
        let [first, second, last] = tags;
        format!(
            "events {{ multi_accept {first}on{second}off{last}; }}\nhttp {{\n  server_tokens off;\n  map $uri $a {{ /a {first}1{second}2{last}; }}\n  server {{\n    listen {first}80{second}8080{last};\n    \
             location {first}/a{second}/b{last} {{ uwsgi_pass {first}unix:/run/a.sock{second}unix:/run/b.sock{last}; include uwsgi_params; }}\n  }}\n}}\n"
        )
    };
    let ini = "[uwsgi]\nmaster = true\nmodule = wsgi\nsocket = /run/b.sock\nchmod-socket = 660\nvacuum = true\nstrict = true\n";
    for (suffix, tags) in [
        (".erb", ["<% if a %>", "<% else %>", "<% end %>"]),
        (".j2", ["{% if a %}", "{% else %}", "{% endif %}"]),
        ("", ["{{ if .A }}", "{{ else }}", "{{ end }}"]),
    ] {
        let files = [(format!("etc/nginx/nginx.conf{suffix}"), main(tags)), ("uwsgi.ini".to_owned(), ini.to_owned())];
        let run = lint_memory(&files.map(|(path, text)| (path, text.into_bytes())), &Options::default());
        let rules = run.report.findings.iter().map(|finding| finding.rule.as_str());
        let found: Vec<&str> = rules.filter(|rule| !rule.starts_with("uwsgi/")).collect();
        assert_eq!(found, [""; 0], "{suffix}");
    }
}

#[test]
fn what_a_template_defines_for_elsewhere_may_stand_anywhere() {
    let main = "events {}\n{{ define \"PAGES\" }}\nlocation @down { internal; }\n{{ end }}\nhttp { server_tokens off; server { {{ template \"PAGES\" }} } }\n";
    let run = lint_memory(&[("etc/nginx/nginx.tmpl".to_owned(), main.into())], &Options::default());
    assert_eq!(run.report.findings, []);
    let plain = main.replace("{{ define \"PAGES\" }}", "").replace("{{ end }}", "");
    let run = lint_memory(&[("etc/nginx/nginx.tmpl".to_owned(), plain.into())], &Options::default());
    assert_eq!(run.report.findings.len(), 1, "{:?}", run.report.findings);
}

#[test]
fn a_cure_that_is_not_known_is_no_edit() {
    let text = "events {}\nhttp { upstream shop { server 127.0.0.1:port; } server { gzip yes; } }\n";
    let findings = lint_memory(&[("nginx.conf".to_owned(), text.into())], &Options::default()).report.findings;
    let edits = |words: &str| {
        let finding = findings.iter().find(|finding| finding.message.contains(words)).unwrap();
        finding.fix.as_ref().unwrap().edits.iter().map(|edit| edit.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(edits("invalid port"), Vec::<String>::new());
    assert_eq!(edits("not `yes`"), ["on"]);
}

/// What an ini could say stands in the command line of a job here: a line of an ini in a job would break it.
#[test]
fn no_line_of_an_ini_is_put_into_a_job() {
    let app = "from flask import Flask\nfrom sqlalchemy import create_engine\napp = Flask(__name__)\n\
               engine = create_engine('postgresql:///shop')\nengine.connect()\n";
    let command = "/usr/bin/uwsgi --processes 4 --master --disable-logging --mount=/shop=app.py --uid www-data \
                   --socket /run/x.sock --wsgi-file /srv/app.py --callable app";
    let job = format!("start on runlevel [2345]\nexec {command}\n");
    let unit = format!("[Service]\nExecStart={command}\n");
    let image = format!("FROM python:3\nCMD {command}\n");
    for (path, text) in
        [("etc/init/shop.conf", &job), ("etc/systemd/system/shop.service", &unit), ("Dockerfile", &image)]
    {
        let files = [(path, text.as_str()), ("srv/app.py", app)].map(|(path, text)| (path.to_owned(), text.into()));
        let findings = lint_memory(&files, &Options::default()).report.findings;
        let of_uwsgi = findings.iter().filter(|finding| finding.rule.contains("uwsgi"));
        let edited: Vec<&str> = of_uwsgi
            .filter(|finding| finding.fix.as_ref().is_some_and(|fix| !fix.edits.is_empty()))
            .map(|finding| finding.rule.as_str())
            .collect();
        assert_eq!(edited, [""; 0], "{path}");
        assert!(findings.iter().any(|finding| finding.rule.starts_with("uwsgi/")), "{path}: {findings:?}");
    }
}
