//! Several inis, and what they are together.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use crate::finding::Confidence;
use crate::source::{Origin, Sources};
use crate::stack::document::{Document, Kind};
use crate::stack::uwsgi::{Around, Reading, read};
use crate::stack::view::View;

/// Reads the first of these files, the others around it.
fn read_first(files: &[(&str, &str)]) -> Reading {
    let (mut sources, mut view) = (Sources::default(), View::default());
    for (path, text) in files {
        let file = sources.add(*path, text.as_bytes().to_vec(), Origin::File);
        view.add(Document::plain(file, *path, Kind::Uwsgi, (*text).into()));
    }
    let document = view.at(files[0].0)[0].clone();
    read(&document, Around::of(&view, None))
}

fn options(reading: &Reading) -> Vec<String> {
    let text = |row: &crate::stack::uwsgi::UwsgiOption| {
        let known = |fact: &crate::stack::fact::Fact<String>| fact.known().cloned().unwrap_or_else(|| "?".to_owned());
        format!("{}={} {}", known(&row.name), known(&row.value), known(&row.fate))
    };
    reading.options.iter().map(text).collect()
}

#[test]
fn an_include_stands_in_its_place() {
    let base = ("/etc/uwsgi/base.ini", "[uwsgi]\nprocesses = 2\nchdir = %(root)/%n\nharakiri = 9\nx = %N%n\n");
    let main = "[uwsgi]\nroot = /srv\nharakiri = 5\ninclude = /etc/uwsgi/base.ini\nprocesses = 4\n";
    let reading = read_first(&[("/etc/uwsgi/shop.ini", main), base]);
    assert_eq!(
        options(&reading),
        [
            "root=/srv placeholder",
            "harakiri=5 overridden",
            "include=/etc/uwsgi/base.ini applied",
            "processes=2 overridden",
            "chdir=/srv/base applied",
            "harakiri=9 applied",
            "x=shopbase unknown",
            "processes=4 applied",
        ]
    );
    assert!(reading.open.is_none() && reading.brought_in.len() == 1);
    assert_eq!((reading.uwsgi.workers.known(), reading.uwsgi.confidence), (Some(&4), Confidence::Proved));
}

#[test]
fn what_is_inherited_comes_last_and_is_not_filled_in() {
    let base = ("/etc/uwsgi/base.ini", "[uwsgi]\nprocesses = 2\nchdir = %(root)\npidfile = %(root).pid\n");
    let main = "[uwsgi]\nroot = /etc/uwsgi\ninherit = %(root)/base.ini\nprocesses = 4\nstats = %(processes)\n";
    let reading = read_first(&[("/etc/uwsgi/shop.ini", main), base]);
    assert_eq!(reading.uwsgi.workers.known(), Some(&2));
    assert!(reading.uwsgi.chdir.is_unknown(), "nobody means a folder called %(root)");
    let rows: Vec<_> =
        reading.lines.iter().map(|row| (row.key.as_str(), row.other.known().unwrap().as_str())).collect();
    assert_eq!(rows, [("not-expanded", "inherit"), ("not-expanded", "inherit"), ("inherited", "processes")]);
    assert!(options(&reading).contains(&"stats=4 applied".to_owned()), "placeholders saw the main file alone");
}

#[test]
fn a_file_is_found_where_it_lies_and_never_guessed() {
    let base = "[uwsgi]\nmaster = true\n";
    let found = |line: &str, base_at: &str| {
        let reading = read_first(&[("deploy/shop.ini", &format!("[uwsgi]\n{line}\n")), (base_at, base)]);
        let known = reading.uwsgi.master.known().copied();
        assert_eq!(known.is_some(), reading.open.is_none());
        known.map(|_| reading.uwsgi.confidence)
    };
    assert_eq!(found("include = %d/base.ini", "deploy/base.ini"), Some(Confidence::Likely));
    assert_eq!(found("include = %d../base.ini", "base.ini"), Some(Confidence::Likely));
    assert_eq!(found("include = base.ini", "deploy/base.ini"), Some(Confidence::Possible));
    assert_eq!(found("include = /etc/uwsgi/base.ini", "conf/base.ini"), Some(Confidence::Possible));
    assert_eq!(found("include = /etc/uwsgi/base.ini", "/etc/uwsgi/base.ini"), Some(Confidence::Proved));
    for line in ["include = base.ini", "include = %(x)/base.ini", "include = http://host/base.ini", "yaml = base.ini"] {
        assert_eq!(found(line, "conf/base.ini"), None, "{line}");
    }
    let reading = read_first(&[("deploy/shop.ini", "[uwsgi]\ninclude = %d/base.ini\n"), ("base.ini", base)]);
    assert_eq!(reading.wanted, ["deploy/base.ini"]);
}

#[test]
fn sections_and_the_file_that_was_opened_last() {
    let other = ("/etc/other.ini", "[uwsgi]\na = 1\n[web]\nb = 2\n[queue]\nc = 3\n");
    let main = "[uwsgi]\nini = :queue\nini = /etc/other.ini:web\nini = :queue\n[queue]\nd = 4\n[x]\ne = 5\n";
    let reading = read_first(&[("/etc/shop.ini", main), other]);
    let shown = options(&reading);
    let of_lines: Vec<&str> = shown.iter().map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(of_lines, ["ini", "d", "ini", "b", "ini", "c", "e", "a"], "{shown:?}");
    assert!(shown[6].ends_with("ignored") && shown[7].ends_with("ignored"));
}

#[test]
fn blocks_do_what_the_files_say() {
    let shown = |text: &str| options(&read_first(&[("/etc/shop.ini", &format!("[uwsgi]\n{text}\n"))]));
    assert_eq!(shown("for = 1 2\nx = %(_)\nendfor =")[1], "x=1 unknown");
    let sockets = read_first(&[(
        "/etc/shop.ini",
        "[uwsgi]\nfor-times = 2\nsocket = /run/%(_).sock\nend\nfor =\nsocket = x\nend\n",
    )])
    .sockets;
    let addresses: Vec<_> = sockets.iter().filter_map(|socket| socket.address.known().cloned()).collect();
    assert_eq!(addresses, ["/run/1.sock", "/run/2.sock"]);
    let text = "set-ph = mode=live\nif-opt = mode=live\nharakiri = 5\nendif\nif-not-opt = mode\nharakiri = 6\nendif";
    let shown_if = shown(text);
    assert!(shown_if.contains(&"harakiri=5 applied".to_owned()) && shown_if.contains(&"harakiri=6 ignored".to_owned()));
    assert!(shown("if-opt = mode\nharakiri = 5\nendif").contains(&"harakiri=5 ?".to_owned()), "the command may set it");
    assert!(shown("if-env = mode\nharakiri = 5\nendif").contains(&"harakiri=5 ?".to_owned()));
}

#[test]
fn a_block_left_open_goes_on_in_the_file_that_included_it() {
    let open = ("/etc/open.ini", "[uwsgi]\nif-env = X\nmaster = 1\n");
    let reading = read_first(&[("/etc/shop.ini", "[uwsgi]\ninclude = /etc/open.ini\nprocesses = 3\n"), open]);
    assert!(reading.uwsgi.workers.is_unknown() && reading.uwsgi.master.is_unknown());
    let in_block = "[uwsgi]\nif-env = X\ninclude = /etc/base.ini\nend\nprocesses = 3\n";
    let reading = read_first(&[("/etc/shop.ini", in_block), ("/etc/base.ini", "[uwsgi]\nmaster = 1\n")]);
    assert!(reading.uwsgi.master.is_unknown() && reading.uwsgi.workers.known() == Some(&3));
}

#[test]
fn circles_end_and_so_do_copies_of_copies() {
    let reading = read_first(&[
        ("/etc/a.ini", "[uwsgi]\ninclude = /etc/b.ini\nprocesses = 3\n"),
        ("/etc/b.ini", "[uwsgi]\ninclude = /etc/a.ini\n"),
    ]);
    let kinds: Vec<_> = reading.problems.iter().map(|(_, problem)| problem.kind).collect();
    assert_eq!((kinds, reading.uwsgi.workers.known()), (vec!["uwsgi/include-in-a-circle"], Some(&3)));
    let kinds = |text: &str| -> Vec<_> {
        read_first(&[("/etc/a.ini", text)]).problems.iter().map(|(_, problem)| problem.kind).collect()
    };
    assert_eq!(kinds("[uwsgi]\nini = :x\n[x]\nini = :uwsgi\n"), ["uwsgi/include-in-a-circle"]);
    let twice = |next: usize| format!("[uwsgi]\ninclude = /etc/{next}.ini\ninclude = /etc/{next}.ini\n");
    let files: Vec<(String, String)> = (0..16).map(|at| (format!("/etc/{at}.ini"), twice(at + 1))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let reading = read_first(&files);
    assert!(reading.open.is_some() && reading.options.len() < 1000);
    let loops = format!("[uwsgi]\nfor-times = 64\n{}", "a = %(_)\n".repeat(5000));
    assert!(read_first(&[("/etc/a.ini", &loops)]).options.len() <= 5001);
}
