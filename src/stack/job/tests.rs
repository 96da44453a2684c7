//! Jobs as people write them, and what they really start.

use std::sync::Arc;

use super::Reading;
use super::upstart;
use crate::source::{Origin, Sources};
use crate::stack::document::{Document, Kind};
use crate::stack::fact::{Answer, Fact, Missing};
use crate::syntax::erb;

fn reading(text: &str) -> Reading {
    let mut sources = Sources::default();
    let file = sources.add("etc/init/thena.conf", text.as_bytes().to_vec(), Origin::File);
    read(Document::plain(file, "/etc/init/thena.conf", Kind::Upstart, sources.get(file).shared_text()))
}

fn read(document: Document) -> Reading {
    upstart::read(&Arc::new(document), None).0
}

fn known(fact: &Fact<String>) -> &str {
    fact.known().map_or("?", String::as_str)
}

#[test]
fn wrappers_are_seen_through() {
    let wrapped = [
        ("exec /srv/venv/bin/uwsgi --ini /srv/uwsgi.ini", "root"),
        ("setuid app\nexec /srv/venv/bin/uwsgi --ini=/srv/uwsgi.ini", "app"),
        ("exec su -s /bin/sh -c 'exec \"$0\" \"$@\"' app -- /srv/venv/bin/uwsgi /srv/uwsgi.ini", "app"),
        ("exec su - app -c '/srv/venv/bin/uwsgi --ini /srv/uwsgi.ini'", "app"),
        ("exec sudo -u app -E A=1 /srv/venv/bin/uwsgi --ini /srv/uwsgi.ini:prod", "app"),
        ("exec start-stop-daemon --start -c app:www --exec /srv/venv/bin/uwsgi -- --ini /srv/uwsgi.ini", "app"),
        ("exec /bin/sh -c 'cd /srv && exec nice -n 5 /srv/venv/bin/uwsgi --ini /srv/uwsgi.ini'", "root"),
        ("exec setuidgid app env A=1 /srv/venv/bin/uwsgi --master /srv/uwsgi.ini", "app"),
        ("chdir /srv\nexec /srv/venv/bin/uwsgi --ini uwsgi.ini # here", "root"),
        ("exec newrelic-admin run-program poetry run ddtrace-run /srv/venv/bin/uwsgi /srv/uwsgi.ini", "root"),
        (
            "script\n  cd /srv\n  . /etc/default/thena\n  exec /srv/venv/bin/uwsgi --ini ./uwsgi.ini >> /log 2>&1\nend script",
            "root",
        ),
        (
            "env HOME=/srv\nscript\n  DIR=$HOME/venv\n  exec $DIR/bin/uwsgi \\\n    --ini \"$HOME/uwsgi.ini\"\nend script",
            "root",
        ),
    ];
    for (text, user) in wrapped {
        let read = reading(&format!("{text}\n"));
        assert_eq!(known(&read.job.uwsgi_ini), "/srv/uwsgi.ini", "{text}");
        assert_eq!(known(&read.job.user), user, "{text}");
        assert!(known(&read.job.command).starts_with("/srv/venv/bin/uwsgi"), "{text}: {:?}", read.job.command);
        assert_eq!(known(&read.job.name), "thena");
    }
}

#[test]
fn what_is_not_the_ini_is_not_taken_for_it() {
    assert_eq!(reading("exec uwsgi --emperor /etc/uwsgi/vassals.ini\n").job.uwsgi_ini.answer, Answer::Absent);
    assert_eq!(reading("exec /usr/bin/celery -A app\n").job.uwsgi_ini.answer, Answer::Absent);
    assert!(reading("exec uwsgi --ini $INI\n").job.uwsgi_ini.is_unknown());
    assert_eq!(reading("start on startup\n").job.command.answer, Answer::Absent);
}

#[test]
fn variables_of_the_process() {
    let text = "env A=1\nenv B=\nexport C=1\npre-start script\n  export NOT=1\nend script\n\
                script\n  . /etc/default/thena\n  export D=$A E=x\n  F=1 exec uwsgi --ini /x.ini\nend script\n";
    let read = reading(text);
    let rows: Vec<_> =
        read.env.iter().map(|row| (row.key.as_str(), known(&row.name), row.empty.known().copied())).collect();
    let expected = [
        ("upstart", "A", Some(false)),
        ("upstart", "B", Some(true)),
        ("upstart-export", "C", Some(false)),
        ("upstart", "D", Some(false)),
        ("upstart", "E", Some(false)),
        ("upstart", "F", Some(false)),
    ];
    assert_eq!(rows, expected);
    assert_eq!(read.sources_files, ["/etc/default/thena"]);
}

#[test]
fn variables_that_only_the_shell_knows_are_out_of_sight() {
    let sources =
        |line: &str| reading(&format!("script\n  {line}\n  exec uwsgi --ini /x.ini\nend script\n")).sources_files;
    assert_eq!(sources("export $(cat /srv/.env | xargs)").len(), 1);
    assert_eq!(sources("eval \"$(cat /srv/.env)\"").len(), 1);
    assert_eq!(sources("export A=1 B").len(), 0);
    let read = reading("script\n  set -a\n  A=1\n  exec uwsgi --ini /x.ini\nend script\n");
    assert_eq!((read.env.len(), known(&read.job.uwsgi_ini)), (1, "/x.ini"));
}

#[test]
fn template_tags_are_put_in_or_unknown() {
    let text = "setuid <%= user %>\nenv URL=<%= url %>\nexec <%= home %>/bin/uwsgi --ini <%= home %>/uwsgi.ini\n";
    let mut sources = Sources::default();
    let file = sources.add("thena.conf.erb", text.as_bytes().to_vec(), Origin::File);
    let document =
        Document::template(file, "/etc/init/thena.conf", Kind::Upstart, text.into(), erb::read(text), |tag| match tag
            .code
            .of(text)
        {
            "home" => Answer::Known("/srv/thena".to_owned()),
            code => Answer::Unknown(Missing::new(code, "")),
        });
    let read = read(document);
    assert_eq!(known(&read.job.command), "/srv/thena/bin/uwsgi --ini /srv/thena/uwsgi.ini");
    assert_eq!(known(&read.job.uwsgi_ini), "/srv/thena/uwsgi.ini");
    assert!(read.job.user.is_unknown());
    assert_eq!(known(&read.env[0].name), "URL");
    assert!(read.env[0].empty.is_unknown());
    assert_eq!(read.problems, []);
}

#[test]
fn a_job_of_chrome_os_says_so() {
    let job = "import BOARD\nexec /sbin/x\n";
    assert_eq!(reading(job).problems.len(), 1);
    assert!(reading(&format!("# Copyright 2019 The ChromiumOS Authors\n\n{job}")).problems.is_empty());
    assert_eq!(reading(&format!("# Unlike Chrome, this is Ubuntu\n{job}")).problems.len(), 1);
}

fn job_of(text: &str, ends: Option<&str>) -> Reading {
    let mut sources = Sources::default();
    let mut document = |path: &str, text: &str| {
        let file = sources.add(path, text.as_bytes().to_vec(), Origin::File);
        Document::plain(file, path, Kind::Upstart, sources.get(file).shared_text())
    };
    let own = document("/etc/init/shop/web.conf", text);
    let override_file = ends.map(|text| document("/etc/init/shop/web.override", text));
    upstart::read(&Arc::new(own), override_file.map(Arc::new).as_ref()).0
}

#[test]
fn an_override_comes_last_and_adds() {
    let own = "start on runlevel [2345]\nenv A=1\nsetuid app\nrespawn\nexec /bin/one\n";
    let read = job_of(own, Some("manual\nenv A=2\nenv B=3\nsetuid web\nexec /srv/bin/uwsgi --ini /x.ini\n"));
    assert_eq!(known(&read.job.name), "shop/web");
    assert_eq!(known(&read.job.command), "/srv/bin/uwsgi --ini /x.ini");
    assert_eq!((known(&read.job.setuid), read.job.respawn.known()), ("web", Some(&true)));
    assert_eq!((read.job.start_on.is_absent(), read.job.manual.known()), (true, Some(&true)));
    let env: Vec<_> = read.env.iter().map(|row| (known(&row.name), known(&row.value))).collect();
    assert_eq!(env, [("A", "2"), ("B", "3")]);
    let again = job_of(own, Some("manual\nstart on started dbus\n"));
    assert_eq!(known(&again.job.start_on), "started dbus");
    assert_eq!(job_of(own, Some("exec it's\n")).problems.len(), 1);
}

#[test]
fn how_the_program_is_started() {
    let job = |text: &str| reading(text).job;
    assert_eq!(job("exec uwsgi --ini /x.ini\n").execed.known(), Some(&true));
    assert_eq!(job("script\n A=1 exec uwsgi\nend script\n").execed.known(), Some(&true));
    assert_eq!(job("script\n uwsgi\nend script\n").execed.known(), Some(&false));
    assert_eq!(known(&job("script\n nohup celery worker >x 2>&1 &\nend script\n").left_behind), "&");
    assert_eq!(known(&job("exec setsid x\n").left_behind), "setsid");
    assert_eq!(known(&job("exec sudo -u a celery beat\n").wrapper), "sudo");
    assert_eq!(known(&job("script\n . /x\n A=$(date)\n mkdir /y\n exec x\nend script\n").forks_before), "A=$(date)");
    assert!(job("script\n . /x\n export A=1\n [ -f /y ] && B=2\n exec x\nend script\n").forks_before.is_absent());
    let servers = [
        ("exec python3 manage.py runserver 0:80", "runserver", Some(0)),
        ("exec /v/bin/gunicorn -D app", "gunicorn", Some(2)),
        ("exec celery call x", "?", Some(0)),
        ("exec nginx -t", "?", None),
        ("exec node app.js", "node", Some(0)),
        ("exec /usr/sbin/mine", "?", None),
    ];
    for (text, server, forks) in servers {
        let job = job(&format!("{text}\n"));
        assert_eq!((known(&job.server), job.forks.known().copied()), (server, forks), "{text}");
    }
}

#[test]
fn a_wrapper_that_goes_elsewhere_takes_the_paths_along() {
    let read = |text: &str| reading(&format!("{text}\n"));
    assert_eq!(known(&read("exec su app -c 'cd /srv && uwsgi --ini uwsgi.ini'").job.uwsgi_ini), "/srv/uwsgi.ini");
    assert!(read("exec su - app -c 'uwsgi --ini uwsgi.ini'").job.uwsgi_ini.is_unknown());
    let lines = |text: &str| read(text).lines.iter().filter(|line| line.key == "relative-path").count();
    assert_eq!(lines("exec su - app -c './run --all'"), 0);
    assert_eq!(lines("exec ./run --all"), 1);
    assert_eq!(lines("exec @prefix@/run --all"), 0);
}

#[test]
fn many_variables_are_read_in_one_go() {
    let text: String = (0..50_000).map(|number| format!("env A{}={number}\n", number % 40_000)).collect();
    let start = std::time::Instant::now();
    assert_eq!(reading(&text).env.len(), 40_000);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn what_template_code_decides_is_not_refused() {
    let problems = |text: &str| {
        let mut sources = Sources::default();
        let file = sources.add("x.conf.erb", text.as_bytes().to_vec(), Origin::File);
        let template = erb::read(text);
        let unknown = |_: &erb::Tag| Answer::Unknown(Missing::new("", ""));
        read(Document::template(file, "/etc/init/x.conf", Kind::Upstart, text.into(), template, unknown)).problems.len()
    };
    assert_eq!(problems("env A<% if a %>=1<% else %>=2<% end %> b\n"), 0);
    assert_eq!(problems("script\n<% if a %>\nend script\n<% else %>\n x\n<% end %>\n"), 0);
    assert_eq!(problems("<% if a %>\nrespawn\n<% end %>\nusre app\n"), 1);
    assert_eq!(problems("en<%= v %> A=1\n<%= env %> A=1\n"), 0);
    assert_eq!(problems("A=\"<%= a %>\"\n"), 1, "no stanza begins so, whatever is printed");
}
