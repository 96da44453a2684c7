//! Small inis and what their facts are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::finding::Confidence;
use crate::source::{Origin, Sources, Span};
use crate::stack::document::Kind;
use crate::stack::fact::{Answer, Fact, Missing};
use crate::stack::launch::Argument;
use crate::syntax::erb::{FILLER, Tag, TagKind, Template};

fn document(path: &str, text: &str) -> Document {
    let mut sources = Sources::default();
    let file = sources.add(path, text.as_bytes().to_vec(), Origin::File);
    Document::plain(file, path, Kind::Uwsgi, text.into())
}

fn read_ini(lines: &str) -> Reading {
    read(&document("/etc/uwsgi/shop.ini", &format!("[uwsgi]\n{lines}\n")), Around::default())
}

/// A template whose tags all print something unknown.
fn read_template(text: &str) -> Reading {
    let mut sources = Sources::default();
    let file = sources.add("shop.ini.erb", text.as_bytes().to_vec(), Origin::File);
    let (mut replaced, mut tags, mut from) = (String::new(), Vec::new(), 0);
    while let Some(start) = text[from..].find("<%=").map(|at| at + from) {
        let end = start + text[start..].find("%>").unwrap() + 2;
        replaced.push_str(&text[from..start]);
        replaced.extend(std::iter::repeat_n(FILLER, end - start));
        let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let alone = text[line..start].trim().is_empty() && text[end..].trim_start_matches(' ').starts_with('\n');
        tags.push(Tag {
            span: Span::new(start, end),
            code: Span::new(start + 3, end - 2),
            kind: TagKind::Output,
            alone,
        });
        from = end;
    }
    replaced.push_str(&text[from..]);
    let template = Template { text: replaced, tags, blocks: Vec::new() };
    let unknown = |_: &Tag| Answer::Unknown(Missing::new("an attribute", "give it"));
    let document = Document::template(file, "/etc/uwsgi/shop.ini", Kind::Uwsgi, text.into(), template, unknown);
    read(&document, Around::default())
}

#[test]
fn defaults_hold_where_nothing_is_out_of_sight() {
    let uwsgi = read_ini("socket = /run/shop.sock").uwsgi;
    assert_eq!(uwsgi.workers.known(), Some(&1));
    assert_eq!(uwsgi.lazy_apps.known(), Some(&false));
    assert_eq!(uwsgi.master.known(), Some(&false));
    assert!(uwsgi.chdir.is_absent() && uwsgi.module.is_absent() && uwsgi.callable.is_absent());
    for open in
        ["include = /etc/uwsgi/common.ini", "inherit = base.ini", "if-env = X\nprocesses = 4\nmaster = 1\nendif"]
    {
        let uwsgi = read_ini(open).uwsgi;
        assert!(uwsgi.workers.is_unknown() && uwsgi.master.is_unknown(), "{open}");
    }
    let uwsgi = read_ini("include = a.ini\nprocesses = 3").uwsgi;
    assert_eq!(uwsgi.workers.known(), Some(&3));
    assert!(read_ini("processes = 3\ninherit = a.ini").uwsgi.workers.is_unknown());
    assert!(read_template("[uwsgi]\n<%= @extra %>\n").uwsgi.workers.is_unknown());
}

#[test]
fn values_as_uwsgi_takes_them() {
    for (line, workers) in [("processes = auto", 0), ("workers = 4 ; four", 4), ("p = 2\nprocesses = %(p * 3)", 6)] {
        assert_eq!(read_ini(line).uwsgi.workers.known(), Some(&workers), "{line}");
    }
    assert!(read_ini("processes = %k").uwsgi.workers.is_unknown());
    assert_eq!(read_ini("processes = 2\nworkers = 5").uwsgi.workers.known(), Some(&5));
    for (value, on) in
        [("false", false), ("OFF", false), ("0", false), ("no", false), ("false ; c", true), ("", true), ("n", true)]
    {
        assert_eq!(read_ini(&format!("lazy-apps = {value}")).uwsgi.lazy_apps.known(), Some(&on), "{value}");
    }
    assert_eq!(read_ini("lazy = true").uwsgi.lazy_apps.known(), Some(&true));
    assert_eq!(read_ini("touch-reload = /x").uwsgi.master.known(), Some(&true));
    assert_eq!(read_ini("touch-reload = /x\nmaster = false").uwsgi.master.known(), Some(&false));
    for unfinished in ["%(nowhere)/x", "{{ root }}/x", "${ROOT}/x", "$(ROOT)", "@(/etc/root)"] {
        assert!(read_ini(&format!("chdir = {unfinished}")).uwsgi.chdir.is_unknown(), "{unfinished}");
    }
    let uwsgi = read_ini("wsgi = shop.web:app\nchdir = %d\nset = logto=/var/log/%n.log").uwsgi;
    assert_eq!(uwsgi.module.known().unwrap(), "shop.web");
    assert_eq!(uwsgi.callable.known().unwrap(), "app");
    assert_eq!(uwsgi.chdir.known().unwrap(), "/etc/uwsgi/");
    assert_eq!(uwsgi.logto.known().unwrap(), "/var/log/shop.log");
}

#[test]
fn sockets_have_one_spelling() {
    let sockets = read_ini(
        "socket = :3031\nuwsgi-socket = /run/%n.sock\nhttp = 127.0.0.1:80 ; old\nif-env = X\nsocket = /x\nendif",
    )
    .sockets;
    let addresses: Vec<_> =
        sockets.iter().map(|socket| (socket.key.as_str(), socket.address.known().map(String::as_str))).collect();
    assert_eq!(
        addresses,
        [
            ("uwsgi", Some("0.0.0.0:3031")),
            ("uwsgi", Some("/run/shop.sock")),
            ("http", Some("127.0.0.1:80")),
            ("uwsgi", None)
        ]
    );
}

#[test]
fn a_plain_socket_speaks_what_protocol_says() {
    let protocols = |text: &str| -> Vec<Option<String>> {
        read_ini(text).sockets.iter().map(|socket| socket.protocol.known().cloned()).collect()
    };
    let spoken = |name: &str| Some(name.to_owned());
    assert_eq!(protocols("socket = :1\nprotocol = http\nhttp-socket = :2"), [spoken("http"), spoken("http")]);
    assert_eq!(protocols("protocol = http\npuwsgi-socket = :1"), [spoken("uwsgi")]);
    assert_eq!(protocols("socket = :1\nif-env = X\nprotocol = http\nendif"), [None]);
}

#[test]
fn a_socket_without_a_folder_lies_where_uwsgi_changes_to() {
    let address = |text: &str| read_ini(text).sockets[0].address.known().cloned();
    assert_eq!(address("chdir = /srv/shop/\nsocket = run/a.sock").unwrap(), "/srv/shop/run/a.sock");
    assert_eq!(address("socket = ./a.sock"), None);
    assert_eq!(address("chdir = shop\nsocket = a.sock"), None);
    assert_eq!(address("chdir = /srv\nsocket = @shop").unwrap(), "@shop");
}

#[test]
fn variables_given_taken_away_and_only_seemingly_given() {
    let rows = read_ini("env = A=1\nenv = B=\nenv = C = x\nenv = A\nif-env = Z\nenv = D=4\nendif").variables;
    let names: Vec<_> =
        rows.iter().map(|row| (row.name.known().unwrap().as_str(), row.empty.known().copied())).collect();
    assert_eq!(names, [("B", Some(true)), ("C ", Some(false)), ("D", None)]);
    assert_eq!(rows[2].confidence, Confidence::Possible);

    for (line, cure) in [
        ("env K=\"v w\"", "env = K=v w"),
        ("env K = v", "env = K=v"),
        ("export K='p%40x'", "env = K=p%%40x"),
        ("setenv K v", "env = K=v"),
        ("set K=%(a)", "env = K=%(a)"),
    ] {
        let reading = read_ini(line);
        assert_eq!(reading.variables[0].key, "uwsgi-shell-syntax", "{line}");
        assert_eq!(reading.variables[0].cure.known().unwrap(), cure);
        assert_eq!(reading.options[0].key, "shell-syntax");
    }
    assert!(read_ini("set processes=4\nsetting x=1\nenvironment = K=v").variables.is_empty());
}

#[test]
fn no_fact_but_the_cure_and_the_value_holds_a_secret() {
    let reading = read_ini(
        "env DB=\"hunter2\"\nenv = PW=hunter2\nenv = PW=\"hunter2\"\nenv = PW = hunter2\nenv = PW hunter2\nenv = PW=%@hunter2\nenv = PW=x ; hunter2\nenv = P=%(hunter2)\nsetenv Q hunter2\nURL:hunter2\nx = @(hunter2)\nprocesses = p@(hunter2)",
    );
    let mut options = reading.options;
    // What a plain option holds is shown, and masked where it is written.
    for row in options.iter_mut().filter(|row| matches!(row.key.as_str(), "unknown" | "processes")) {
        (row.written, row.value) = (Fact::absent(), Fact::absent());
    }
    let mut lines = reading.lines;
    lines.iter_mut().for_each(|row| row.cure = Fact::absent());
    let shown = format!("{:?}{options:?}{lines:?}", reading.uwsgi);
    assert!(!shown.contains("hunter2"), "{shown}");
    let mut variables = reading.variables;
    for row in &mut variables {
        (row.cure, row.value) = (Fact::absent(), Fact::absent());
    }
    assert!(!format!("{variables:?}").contains("hunter2"));
}

#[test]
fn a_template_tag_makes_a_value_unknown_and_stays_in_the_cure() {
    let reading = read_template(
        "[uwsgi]\nenv DB=\"<%= node['db'] %>\"\nenv = A=<%= x %>\nenv = <%= k %>=<%= v %>\n<%= key %> = 1\n",
    );
    let rows = &reading.variables;
    assert_eq!(rows[0].cure.known().unwrap(), "env = DB=<%= node['db'] %>");
    assert!(rows[0].empty.is_unknown());
    assert_eq!(rows[1].name.known().unwrap(), "A");
    assert!(rows[1].empty.is_unknown() && rows[2].name.is_unknown());
    assert_eq!(reading.options.last().unwrap().key, "templated");
}

#[test]
fn unknown_options_and_what_they_meant() {
    let reading =
        read_ini("lazy_apps = true\nroot = /srv\nchdir = %(root)\nend\nfoo = 1\ndeclare-option = bar=env=$1\nbar = x");
    let rows: Vec<_> = reading.options.iter().filter(|row| row.key == "unknown").collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].suggestion.known().unwrap(), "lazy-apps");
    assert_eq!(rows[0].referenced.known(), Some(&false));
    assert!(rows[1].suggestion.is_absent());
    assert_eq!(rows[1].referenced.known(), Some(&true));
    assert!(read_ini("foo = 1\nini = x.ini").options[0].referenced.is_unknown());
}

#[test]
fn the_command_counts_as_the_ini_does() {
    let ini = document("/etc/uwsgi/shop.ini", "[uwsgi]\nprocesses = 4\n[prod]\nprocesses = 6\n");
    let line = "/usr/bin/uwsgi --processes 2 --ini /etc/uwsgi/shop.ini --lazy-apps -s :3031 --env A=1";
    let job = document("/etc/init/shop.conf", line);
    let word = |line: &str, word: &str| {
        let start = line.find(word).unwrap();
        let (span, written) = (Span::new(start, start + word.len()), word.to_owned());
        Argument { span, value: Answer::Known(written.clone()), written }
    };
    let words = |line: &str| -> Vec<Argument> { line.split(' ').map(|one| word(line, one)).collect() };
    let reading = read_with_command(Some(&ini), &job, &words(line), Around::default());
    assert_eq!(reading.uwsgi.workers.known(), Some(&4));
    assert_eq!(reading.uwsgi.lazy_apps.known(), Some(&true));
    assert_eq!(reading.uwsgi.path.known().unwrap(), "/etc/uwsgi/shop.ini");
    assert_eq!(reading.sockets[0].address.known().unwrap(), "0.0.0.0:3031");
    assert_eq!(reading.variables[0].name.known().unwrap(), "A");
    assert!(reading.open.is_none());
    let section =
        read_with_command(Some(&ini), &job, &words("uwsgi --ini /etc/uwsgi/shop.ini:prod"), Around::default());
    assert_eq!(section.uwsgi.workers.known(), Some(&6));
    let out_of_sight = read_with_command(None, &job, &words("uwsgi /etc/uwsgi/gone.ini --master"), Around::default());
    assert!(out_of_sight.uwsgi.workers.is_unknown());
    assert_eq!(out_of_sight.uwsgi.master.known(), Some(&true));
    let mut filled_in = words("uwsgi --ini /etc/uwsgi/shop.ini --threads=2 --processes %(ENV_WORKERS)s");
    filled_in[4].value = Answer::Unknown(Missing::new("what supervisord puts in", "write it out"));
    let filled_in = read_with_command(Some(&ini), &job, &filled_in, Around::default()).uwsgi;
    assert!(filled_in.workers.is_unknown() && filled_in.master.known().is_some());
}

#[test]
fn processes_as_uwsgi_runs_them() {
    let plain = read_ini("socket = /run/shop.sock\ncheaper = 0").uwsgi;
    assert_eq!((plain.serves.known(), plain.need_app.known()), (Some(&true), Some(&false)));
    assert_eq!((plain.harakiri.known(), plain.autoreload.known()), (Some(&0), Some(&0)));
    assert_eq!((plain.max_worker_lifetime.known(), plain.min_worker_lifetime.known()), (Some(&0), Some(&10)));
    assert_eq!((plain.dynamic_apps.known(), plain.catch_exceptions.known()), (Some(&false), Some(&false)));
    assert!(plain.cheaper.is_absent() && plain.lazy_option.is_absent());
    assert_eq!(read_ini("emperor = /etc/uwsgi/vassals").uwsgi.serves.known(), Some(&false));
    assert!(read_ini("if-env = X\nsocket = :3031\nendif").uwsgi.serves.is_unknown());
    assert_eq!(read_ini("vhost-host = true").uwsgi.dynamic_apps.known(), Some(&true));
    assert_eq!(read_ini("cheaper = 2 ; two").uwsgi.cheaper.known(), Some(&2));
    assert_eq!(read_ini("lazy = on").uwsgi.lazy_option.known().unwrap(), "lazy");
    assert!(read_ini("lazy = off").uwsgi.lazy_option.is_absent());
    let open = read_ini("if-env = X\nharakiri = 5\nendif\ninclude = a.ini").uwsgi;
    assert!(open.serves.is_unknown() && open.harakiri.is_unknown() && open.lazy_option.is_unknown());
    assert!(open.need_app.is_unknown() && open.dynamic_apps.is_unknown() && open.threads_enabled.is_unknown());
}

#[test]
fn threads_run_by_their_own_option_or_by_another() {
    let enabled = |text: &str| read_ini(text).uwsgi.threads_enabled.known().copied();
    assert_eq!(enabled("master = true"), Some(false));
    assert_eq!(enabled("enable-threads = true"), Some(true));
    assert_eq!(enabled("enable-threads = false\nthreads = 2"), Some(true));
    assert_eq!(enabled("py-autoreload = 0"), Some(true));
    assert_eq!(enabled("if-env = X\nenable-threads = true\nendif"), None);
    assert_eq!(enabled("if-env = X\nthreads = 2\nendif"), None);
}

#[test]
fn flags_turned_off_are_told_from_those_never_set() {
    let off = |text: &str| read_ini(text).uwsgi.turned_off.known().cloned().unwrap();
    assert_eq!(off("master = false\nneed-app = no\nvacuum = none\nharakiri = 0"), ["master", "need-app"]);
    assert!(off("master = false\nmaster = true").is_empty());
}

#[test]
fn a_path_that_says_development() {
    let development =
        |path: &str| read(&document(path, "[uwsgi]\n"), Around::default()).uwsgi.for_development.known().copied();
    for path in ["/srv/shop/uwsgi-dev.ini", "conf/local/uwsgi.ini", "uwsgi_DEBUG.ini"] {
        assert_eq!(development(path), Some(true), "{path}");
    }
    for path in ["/usr/local/etc/uwsgi.ini", "/etc/uwsgi/device.ini", "/srv/contest/uwsgi.ini"] {
        assert_eq!(development(path), Some(false), "{path}");
    }
}

fn lines(text: &str) -> Vec<(String, Option<String>)> {
    let reading = read_ini(text);
    reading.lines.into_iter().map(|row| (row.key, row.cure.known().cloned())).collect()
}

#[test]
fn each_line_that_is_taken_otherwise_says_how_and_its_cure() {
    for (line, key, cure) in [
        ("socket = :3031 # main", "comment", Some("# main\nsocket = :3031")),
        ("chdir = '/srv'", "quoted", Some("/srv")),
        ("master = None", "flag", Some("false")),
        ("harakiri = 2h", "unit", Some("7200")),
        ("buffer-size = 1M", "unit", Some("65535")),
        ("limit-as = 1 GB", "unit", Some("1024")),
        ("buffer-size = 65536", "clamped", Some("65535")),
        ("processes: 4", "without-equals", Some("processes = 4")),
        ("http :8080", "without-equals", Some("http = :8080")),
        ("env A b", "without-equals", Some("env = A=b")),
        ("harakiri", "without-equals", None),
        ("env = A = 'b'", "env-name-spaced", Some("A=b")),
        ("env = A=\"b\"", "env-quoted", Some("A=b")),
        ("env = A", "env-unset", None),
        ("chdir = /srv/%Y", "percent", Some("%%")),
        ("chdir = /srv/100%", "percent", Some("%%")),
        ("pythonpath = a \\", "continued", None),
        ("for = a b\nsocket = /run/%(_)", "not-closed", Some("endfor =")),
        ("include = $(HOME)/x.ini", "not-expanded", None),
        ("workers = 2\nprocesses = 3", "twice", None),
        ("socket = /run/a\nchmod-socket = 777", "open-to-all", Some("660")),
    ] {
        assert_eq!(lines(line), [(key.to_owned(), cure.map(str::to_owned))], "{line}");
    }
    for line in [
        "env = A=b=c",
        "cron = 0 0 -1 -1 -1 a ; b",
        "master",
        "chdir = %d",
        "env = A=%dev",
        "home = a\nvenv = a",
        "ini = :x\nharakiri = 1\n[x]\nharakiri = 2",
        "if-env = X\nharakiri = 1\nendif\nharakiri = 2",
        "socket = 127.0.0.1:3031\nchmod-socket = 777",
        "chdir = %(elsewhere)/x",
    ] {
        assert_eq!(lines(line), [], "{line}");
    }
}

#[test]
fn what_uwsgi_refuses_is_a_problem() {
    let problems = |text: &str| -> Vec<_> {
        read_ini(text).problems.into_iter().map(|(_, problem)| (problem.kind, problem.cure)).collect()
    };
    assert_eq!(problems("chmod-socket = 0660"), [("uwsgi/bad-socket-mode", Some("660".to_owned()))]);
    assert_eq!(problems("chmod-socket = u=rw"), [("uwsgi/bad-socket-mode", None)]);
    assert_eq!(
        problems("mine = 1\nstrict = true"),
        [("uwsgi/placeholder-refused-by-strict", Some("set-placeholder = mine=1".to_owned()))]
    );
    assert_eq!(problems("if-env = A\nfor = 1 2\nendfor\nendif"), [("uwsgi/block-nested", None)]);
    for accepted in ["chmod-socket", "chmod-socket = 1", "mine = 1\nstrict = false", "strict = 1\nset-ph = mine=1"] {
        assert_eq!(problems(accepted), [], "{accepted}");
    }
}

#[test]
fn a_template_gives_no_cure_where_it_prints_the_value() {
    let reading = read_template("[uwsgi]\nprocesses = <%= n %>\nchdir = \"<%= x %>\"\nsocket = <%= s %> ; main\n");
    let found: Vec<_> =
        reading.lines.iter().map(|row| (row.key.as_str(), row.cure.known().unwrap().as_str())).collect();
    assert_eq!(found, [("quoted", "<%= x %>"), ("comment", "; main\nsocket = <%= s %>")]);
}
