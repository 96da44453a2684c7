//! What starts uWSGI in a container, and below an emperor: the link from the ini to its job and what comes with it.

use super::super::{Options, lint_memory};
use crate::stack::fact::{Fact, Leaf};

const INI: &str = "[uwsgi]\nmaster = true\nsocket = /run/shop.sock\nmodule = wsgi\n";
const APP: &str = "import os\nkey = os.environ['SHOP_KEY']\ndef application(e, s):\n    return []\n";

/// One column of a table's rows, as text; `?` where it is unknown and `-` where it is absent.
fn column(files: &[(&str, &str)], table: &str, path: &[&str]) -> Vec<String> {
    let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let run = lint_memory(&files, &Options::default());
    let text = |mut fact: Option<Fact<Leaf>>| {
        for name in &path[1..] {
            fact = match fact.as_ref().and_then(|fact| fact.known().cloned()) {
                Some(Leaf::Row(row)) => row.fact(name),
                _ => fact,
            };
        }
        match fact {
            Some(fact) if fact.is_absent() => "-".to_owned(),
            Some(fact) => match fact.known() {
                Some(Leaf::Text(text)) => text.clone(),
                Some(Leaf::Bool(value)) => value.to_string(),
                _ => "?".to_owned(),
            },
            None => "no such fact".to_owned(),
        }
    };
    run.facts.rows(table, None).iter().map(|row| text(row.fact(path[0]))).collect()
}

/// The command of the job that starts each instance.
fn commands(files: &[(&str, &str)]) -> Vec<String> {
    column(files, "links", &["job", "command"])
}

fn with<'a>(files: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![("deploy/uwsgi.ini", INI), ("src/wsgi.py", APP)];
    all.extend(files);
    all
}

#[test]
fn an_image_starts_what_it_says() {
    let of = |lines: &str| {
        let text = format!("FROM python:3\nWORKDIR /app\nCOPY . .\n{lines}\n");
        commands(&with(&[("Dockerfile", &text)]))
    };
    for lines in [
        "CMD [\"uwsgi\", \"--ini\", \"deploy/uwsgi.ini\"]",
        "CMD exec uwsgi --ini deploy/uwsgi.ini",
        "CMD cd /app && uwsgi --ini deploy/uwsgi.ini",
        "ENTRYPOINT [\"uwsgi\"]\nCMD [\"--ini\", \"deploy/uwsgi.ini\"]",
        "CMD [\"python\"]\nCMD [\"uwsgi\", \\\n  # where it lies\n  \"--ini\", \"deploy/uwsgi.ini\"]",
    ] {
        assert_eq!(of(lines), ["uwsgi --ini deploy/uwsgi.ini"], "{lines}");
    }
    assert_eq!(of("CMD [\"gunicorn\", \"wsgi\"]"), ["?"]);
    assert_eq!(of(""), ["?"]);
}

#[test]
fn scripts_of_the_repository_are_gone_through() {
    let of = |lines: &str, script: &str| {
        let text = format!("FROM python:3\nCOPY . /app\nCOPY deploy/run.sh /usr/local/bin/run\n{lines}\n");
        commands(&with(&[("Dockerfile", &text), ("deploy/run.sh", script)]))
    };
    let start = "#!/bin/sh\nset -e\npython manage.py migrate\ncd /app\nexec uwsgi --ini deploy/uwsgi.ini\n";
    for lines in ["CMD [\"/app/deploy/run.sh\"]", "ENTRYPOINT [\"run\"]", "CMD [\"sh\", \"/app/deploy/run.sh\"]"] {
        assert_eq!(of(lines, start), ["uwsgi --ini deploy/uwsgi.ini"], "{lines}");
    }
    let hand_on = "#!/bin/sh\nexport A=1\nexec \"$@\"\n";
    let lines = "ENTRYPOINT [\"run\"]\nCMD [\"uwsgi\", \"/app/deploy/uwsgi.ini\"]";
    assert_eq!(of(lines, hand_on), ["uwsgi /app/deploy/uwsgi.ini"]);
    let choice = "#!/bin/sh\nif [ \"$DEV\" ]; then\n  exec uwsgi /app/deploy/uwsgi.ini --py-autoreload 1\nfi\n\
                  exec uwsgi /app/deploy/uwsgi.ini\n";
    assert_eq!(of("CMD [\"run\"]", choice), ["?"], "either branch may be taken");
}

#[test]
fn a_service_runs_its_image_or_what_it_says_instead() {
    let image = "FROM python:3\nWORKDIR /app\nCOPY . .\nENV A=1\nUSER shop\nCMD [\"uwsgi\", \"deploy/uwsgi.ini\"]\n";
    let of = |service: &str| {
        let text = format!("services:\n  web:\n    build: .\n{service}");
        let files = [("Dockerfile", image), ("docker-compose.yml", &text)];
        let all = with(&files);
        (commands(&all), column(&all, "links", &["job", "dialect"]), column(&all, "links", &["job", "user"]))
    };
    let one = |command: &str, dialect: &str, user: &str| {
        (vec![command.to_owned()], vec![dialect.to_owned()], vec![user.to_owned()])
    };
    assert_eq!(of(""), one("uwsgi deploy/uwsgi.ini", "compose", "shop"));
    let own = "    command: uwsgi --ini deploy/uwsgi.ini\n    user: \"www:www\"\n";
    assert_eq!(of(own), one("uwsgi --ini deploy/uwsgi.ini", "compose", "www"));
    let block = "    command: >\n      sh -c 'sleep 3 &&\n      uwsgi deploy/uwsgi.ini'\n";
    assert_eq!(of(block), one("uwsgi deploy/uwsgi.ini", "compose", "shop"));
    // Whoever runs the image by itself gets uWSGI.
    assert_eq!(of("    command: flask run\n"), one("uwsgi deploy/uwsgi.ini", "dockerfile", "shop"));
}

#[test]
fn of_variants_of_a_service_the_default_one_is_taken_and_of_other_jobs_none() {
    let image = "FROM python:3\nCOPY . /app\nCMD [\"uwsgi\", \"/app/deploy/uwsgi.ini\"]\n";
    let service = "services:\n  web:\n    build: .\n";
    let files = [("Dockerfile", image), ("docker-compose.yml", service), ("docker-compose.prod.yml", service)];
    assert_eq!(column(&with(&files), "links", &["job", "path"]), ["docker-compose.yml"]);
    let job = "exec uwsgi --ini /srv/deploy/uwsgi.ini\n";
    let jobs = [("etc/init/shop.conf", job), ("etc/init/shop-old.conf", job)];
    assert_eq!(commands(&with(&jobs)), ["?"]);
}

#[test]
fn what_an_image_does_not_give_may_come_from_whoever_runs_it() {
    let image = "FROM python:3\nCOPY . /app\nCMD [\"uwsgi\", \"/app/deploy/uwsgi.ini\"]\n";
    let provided = |image: &str| column(&with(&[("Dockerfile", image)]), "env_reads", &["provided"]);
    assert_eq!(provided(image), ["?"]);
    assert_eq!(provided(&format!("{image}ENV SHOP_KEY=x\n")), ["true"]);
    assert_eq!(provided(&format!("{image}ARG SHOP_KEY=x\n")), ["?"]);
}

#[test]
fn the_app_is_found_where_it_is_copied() {
    let image =
        "FROM python:3\nWORKDIR /app\nCOPY src .\nCOPY deploy /etc/shop\nCMD [\"uwsgi\", \"/etc/shop/uwsgi.ini\"]\n";
    let files = [("Dockerfile", image), ("old/wsgi.py", APP)];
    assert_eq!(column(&with(&files), "links", &["app", "path"]), ["src/wsgi.py"]);
    assert_eq!(column(&with(&files[1..]), "links", &["app", "path"]), ["?"]);
}

#[test]
fn a_base_that_documents_what_it_starts() {
    let of = |base: &str, lines: &str| {
        let text = format!("FROM {base}\nCOPY deploy /app\n{lines}");
        column(&with(&[("Dockerfile", &text)]), "links", &["job", "uwsgi_ini"])
    };
    assert_eq!(of("tiangolo/uwsgi-nginx-flask:python3.8", ""), ["/app/uwsgi.ini"]);
    assert_eq!(of("tiangolo/uwsgi-nginx", "CMD [\"/start.sh\"]\n"), ["?"]);
    assert_eq!(of("shop/uwsgi-nginx", ""), ["?"]);
}

#[test]
fn the_ini_may_come_from_the_environment() {
    let of = |env: &str| {
        let text = format!("FROM python:3\nCOPY . /app\n{env}CMD [\"uwsgi\"]\n");
        column(&with(&[("Dockerfile", &text)]), "links", &["job", "uwsgi_ini"])
    };
    assert_eq!(of("ENV UWSGI_INI=/app/deploy/uwsgi.ini\n"), ["/app/deploy/uwsgi.ini"]);
    assert_eq!(of(""), ["?"]);
}

#[test]
fn supervisors_script_is_gone_through() {
    let program = "[program:web]\ncommand=/app/start.sh\n";
    let script = "#!/bin/sh\ncd /app\nuwsgi --ini deploy/uwsgi.ini\n";
    assert_eq!(
        commands(&with(&[("supervisord.conf", program), ("start.sh", script)])),
        ["uwsgi --ini deploy/uwsgi.ini"]
    );
    let execed = |script: &str| {
        let files = with(&[("supervisord.conf", program), ("start.sh", script)]);
        column(&files, "jobs", &["execed"])
    };
    assert_eq!(execed(&script.replace("uwsgi -", "exec uwsgi -")), ["true"]);
    assert_eq!(execed(script), ["false"], "it is the shell that gets the signal");
    assert_eq!(execed(&format!("{script}trap stop TERM\n")), ["?"]);
}

#[test]
fn vassals_have_the_job_of_their_emperor() {
    let job = "env A=1\nexec uwsgi --ini /etc/uwsgi/emperor.ini\n";
    let emperor = "[uwsgi]\nemperor = /etc/uwsgi/vassals\nenv = SHOP_KEY=x\nuid = www-data\n";
    let files = [
        ("etc/init/emperor.conf", job),
        ("etc/uwsgi/emperor.ini", emperor),
        ("etc/uwsgi/vassals/shop.ini", "[uwsgi]\nmodule = wsgi\nchdir = /src\n"),
        ("etc/uwsgi/other/old.ini", "[uwsgi]\nmodule = wsgi\n"),
        ("src/wsgi.py", APP),
    ];
    let of = |path: &[&str]| {
        let inis = column(&files, "links", &["uwsgi", "path"]);
        let at = inis.iter().position(|path| path.ends_with("shop.ini")).unwrap();
        column(&files, "links", path)[at].clone()
    };
    assert_eq!((of(&["job", "name"]), of(&["job", "user"])), ("emperor".to_owned(), "www-data".to_owned()));
    assert_eq!(of(&["job", "kill_signal"]), "-");
    let others = column(&files, "links", &["job", "name"]).iter().filter(|name| *name == "?").count();
    assert_eq!(others, 1, "the emperor does not look into another folder");
    assert!(column(&files, "env_reads", &["given_by"]).iter().any(|path| path.ends_with("emperor.ini")));
    let by_words =
        [("run.conf", "start on startup\nexec uwsgi --emperor /srv/vassals\n"), ("deploy/vassals/shop.ini", INI)];
    assert_eq!(column(&by_words, "links", &["job", "name"]).iter().filter(|name| *name == "run").count(), 2);
}

#[test]
fn supervisor_hands_on_what_its_container_has() {
    let image = "FROM python:3\nCOPY . /app\nENV A=1\nCMD [\"supervisord\", \"-n\"]\n";
    let service = "services:\n  web:\n    build: .\n    environment:\n      SHOP_KEY: x\n";
    let program = "[program:web]\ncommand=uwsgi --ini /app/deploy/uwsgi.ini\n";
    let files = [("Dockerfile", image), ("docker-compose.yml", service), ("supervisord.conf", program)];
    assert_eq!(column(&with(&files), "env_reads", &["provided"]), ["true"]);
    assert_eq!(column(&with(&files[2..]), "env_reads", &["provided"]), ["?"]);
    let elsewhere = [("Dockerfile", "FROM python:3\nCMD [\"supervisord\"]\nENV SHOP_KEY=x\n"), files[2]];
    assert_eq!(column(&with(&elsewhere), "env_reads", &["provided"]), ["?"], "its file is not in this image");
}

#[test]
fn a_container_is_called_as_its_service() {
    let nginx = ("nginx/default.conf", "server {\n  listen 80;\n  location / {\n    uwsgi_pass web:3031;\n  }\n}\n");
    let image = "FROM python:3\nCOPY . /app\nCMD [\"uwsgi\", \"/app/deploy/uwsgi.ini\"]\n";
    let service = |name: &str| format!("services:\n  {name}:\n    build: .\n");
    let ini = "[uwsgi]\nsocket = :3031\nmodule = wsgi\n";
    let of = |name: &str| {
        let service = service(name);
        let files = [
            ("Dockerfile", image),
            ("docker-compose.yml", &service),
            ("deploy/uwsgi.ini", ini),
            ("deploy/dev.ini", ini),
            ("wsgi.py", APP),
            nginx,
        ];
        column(&files, "pass_links", &["instance", "path"])
    };
    assert_eq!(of("web"), ["deploy/uwsgi.ini"]);
    assert_eq!(of("shop"), ["?"], "either ini may run there");
}
