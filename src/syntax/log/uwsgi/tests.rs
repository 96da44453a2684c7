//! Lines one by one, and beside the logs that real uWSGI servers wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use super::*;

fn only(line: &str) -> Event {
    let mut found = parse_uwsgi(line);
    assert_eq!(found.len(), 1, "{line}");
    found.remove(0).event
}

const REQUEST: &str = "[pid: 828|app: 0|req: 2/5] 127.0.0.1 () {34 vars in 382 bytes} [Wed May  4 02:15:00 2016] \
    GET /a => generated 1 => generated 0 bytes in 19 msecs (HTTP/1.1 500) 0 headers in 0 bytes (0 switches on core 0)";

#[test]
fn a_request_is_read_whole() {
    let Event::Request(request) = only(REQUEST) else { panic!("no request") };
    assert_eq!((request.pid, request.app.value, request.vars.value), (828, 0, 34));
    assert_eq!(request.time, Some(1_462_328_100));
    assert_eq!((request.method.value.as_str(), request.uri.value.as_str()), ("GET", "/a => generated 1"));
    assert_eq!((request.generated, request.milliseconds), (0, Some(19)));
    assert_eq!((request.status.value, request.headers.value, request.header_bytes), (500, 0, 0));
    assert_eq!(request.status.span.of(REQUEST), "500");
    assert_eq!(&REQUEST[request.headers.span.range().start..], "0 headers in 0 bytes (0 switches on core 0)");
}

#[test]
fn the_life_of_workers() {
    assert!(matches!(only("spawned uWSGI worker 1 (and the only) (pid: 3045, cores: 1)"),
        Event::WorkerSpawned { worker: 1, again: false, pid } if pid.value == 3045));
    assert!(matches!(only("Respawned uWSGI worker 2 (new pid: 77)"),
        Event::WorkerSpawned { worker: 2, again: true, pid } if pid.value == 77));
    assert!(matches!(
        only("DAMN ! worker 1 (pid: 7151) died, killed by signal 9 :( trying respawn ..."),
        Event::WorkerDied { signal: Some(9), .. }
    ));
    assert!(matches!(
        only("DAMN ! worker 1 (pid: 7151) died :( trying respawn ..."),
        Event::WorkerDied { signal: None, .. }
    ));
    assert!(matches!(only("Wed May  4 02:15:00 2016 - *** HARAKIRI ON WORKER 1 (pid: 9, try: 1, graceful: yes) ***"),
        Event::Harakiri { pid } if pid.value == 9));
    assert!(matches!(only("uwsgi socket 0 bound to TCP address 127.0.0.1:44467 (port auto-assigned) fd 3"),
        Event::Bound { address } if address.value == "127.0.0.1:44467"));
}

#[test]
fn a_date_may_come_first() {
    assert!(matches!(
        only("Wed May  4 02:15:00 2016 - spawned uWSGI master process (pid: 9)"),
        Event::MasterSpawned { .. }
    ));
    assert_eq!(parse_uwsgi("a - spawned uWSGI master process (pid: 9)"), []);
}

#[test]
fn a_traceback_ends_with_its_exception() {
    let text = "Traceback (most recent call last):\n  File \"/srv/a/wsgi.py\", line 3, in app\n    os.environ['A']\n\
        KeyError: 'A'\nnoise: here\n";
    let found = parse_uwsgi(text);
    let Event::Traceback { exception, message, frame } = &found[0].event else { panic!("no traceback") };
    assert_eq!((exception.value.as_str(), message.value.as_str()), ("KeyError", "'A'"));
    assert_eq!(message.span.of(text), "'A'");
    let frame = frame.as_ref().unwrap();
    assert_eq!((frame.path.value.as_str(), frame.line.value), ("/srv/a/wsgi.py", 3));
    assert!(found[0].span.of(text).starts_with("Traceback") && found[0].span.of(text).ends_with("'A'"));
    assert_eq!(found.len(), 1);
}

#[test]
fn nothing_in_it_is_nothing_told() {
    for text in [
        "",
        "\n\n",
        "[pid: 1|app: 0|req: ",
        "Traceback (most recent call last):",
        "Error: no traceback",
        "\u{1b}[pid: x",
    ] {
        assert_eq!(parse_uwsgi(text), [], "{text}");
    }
}

/// What a plain search finds in the logs that real servers wrote, the reader finds too.
#[test]
fn real_logs_are_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/truth/logs");
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!("no shared/truth/logs here: left out");
        return;
    };
    let (mut requests, mut ready, mut spawned, mut tracebacks) = (0, 0, 0, 0);
    for entry in entries {
        let text = String::from_utf8_lossy(&std::fs::read(entry.unwrap().path()).unwrap()).into_owned();
        let found = parse_uwsgi(&text);
        let count = |wanted: fn(&Event) -> bool| found.iter().filter(|line| wanted(&line.event)).count();
        let lines = |part: &str| text.lines().filter(|line| line.contains(part)).count();
        assert_eq!(count(|event| matches!(event, Event::Request(_))), lines(" headers in "));
        assert_eq!(count(|event| matches!(event, Event::AppReady { .. })), lines(" ready in "));
        let all_spawned = count(|event| matches!(event, Event::MasterSpawned { .. } | Event::WorkerSpawned { .. }));
        assert_eq!(all_spawned, lines("spawned uWSGI "));
        assert_eq!(count(|event| matches!(event, Event::Started { time: Some(_), .. })), lines("*** Starting uWSGI"));
        requests += lines(" headers in ");
        ready += lines(" ready in ");
        spawned += all_spawned;
        tracebacks += count(|event| matches!(event, Event::Traceback { .. }));
    }
    println!("{requests} requests, {ready} apps ready, {spawned} processes spawned, {tracebacks} tracebacks");
    assert!(requests > 100 && ready > 5 && spawned > 20 && tracebacks > 20);
}
