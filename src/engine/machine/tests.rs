//! Recorded hosts: the healthy one, and one patch for each fault.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use super::*;
use crate::diagnosis::{Reason, State};
use crate::finding::Confidence;
use crate::host::Files as _;
use crate::host::recorded::Recorded;

mod apart;
mod instances;
mod resources;
mod told;

const NO_UWSGI: &str = "process.902.gone = true\nprocess.905.gone = true\nprocess.906.gone = true\n";
const LOG: &str = "/var/log/thena/uwsgi.log";

fn healthy() -> Recorded {
    Recorded::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hosts/healthy")).unwrap()
}

fn patched(patch: &str) -> Recorded {
    healthy().patched(patch).unwrap()
}

fn visited(host: &Recorded, visit: &Visit) -> Diagnosis {
    examine(host, visit).unwrap().diagnosis
}

fn diagnosed(host: &Recorded) -> Diagnosis {
    visited(host, &Visit { login: true, network: true, ..Visit::default() })
}

fn causes(diagnosis: &Diagnosis) -> Vec<&str> {
    diagnosis.root_causes.iter().map(|cause| cause.finding.rule.as_str()).collect()
}

fn state<'d>(diagnosis: &'d Diagnosis, id: &str) -> &'d State {
    &diagnosis.hops.iter().find(|hop| hop.id == id).unwrap().state
}

fn messages(diagnosis: &Diagnosis) -> String {
    diagnosis.root_causes.iter().map(|cause| cause.finding.message.as_str()).collect()
}

/// The healthy host's log with more lines.
fn logging(host: Recorded, lines: &str) -> Recorded {
    let log = String::from_utf8(host.read(LOG).unwrap().to_vec()).unwrap();
    host.with_file(LOG, format!("{log}{lines}").into_bytes())
}

fn request(status: &str) -> String {
    format!(
        "[pid: 905|app: 0|req: 2/2] 203.0.113.7 () {{40 vars in 612 bytes}} [Wed May  4 02:14:12 2016] GET / => \
         generated 0 bytes in 9 msecs (HTTP/1.1 {status} (1 switches on core 0)\n"
    )
}

#[test]
fn a_healthy_host_has_no_root_cause_and_no_open_hop() {
    let diagnosis = diagnosed(&healthy());
    assert_eq!(causes(&diagnosis), Vec::<&str>::new());
    let open: Vec<_> = diagnosis.open_hops().map(|hop| (hop.id, &hop.state)).collect();
    assert_eq!(open, []);
    assert!(diagnosis.hops.iter().all(|hop| hop.path == "80 thena.example /"), "{:?}", diagnosis.hops);
    assert_eq!(*state(&diagnosis, "app-answers"), State::Ok);
    assert_eq!(*state(&diagnosis, "login"), State::Ok);
}

#[test]
fn each_fault_is_the_one_root_cause() {
    let socket = "file.\"/run/thena/thena.sock\"";
    let login = "login.\"thena@db.thena.example:5432/thena\"";
    let no_url = "environ = [\"PATH=/usr/bin:/bin\"]";
    let faults = [
        (NO_UWSGI.to_owned(), "socket/stale"),
        (format!("{NO_UWSGI}{socket}.gone = true"), "uwsgi/not-running"),
        (format!("{socket}.mode = \"0600\""), "socket/not-permitted"),
        (
            format!("{login} = {{ failed_at = \"tcp\", class = \"tcp.refused\", said = \"refused\" }}"),
            "database/refused",
        ),
        (
            format!(
                "{login} = {{ failed_at = \"login\", class = \"auth.rejected\", said = \"password authentication failed\" }}"
            ),
            "database/login-rejected",
        ),
        (format!("{login} = {{ failed_at = \"login\", class = \"server.error\", said = \"too many\" }}"), "hop/login"),
        (format!("process.902.{no_url}"), "env/not-provided"),
        ("listener.\"0.0.0.0:80\".gone = true".to_owned(), "hop/listen"),
    ];
    for (patch, rule) in faults {
        let diagnosis = diagnosed(&patched(&patch));
        assert_eq!(causes(&diagnosis), [rule], "{patch}");
    }
}

#[test]
fn two_independent_faults_are_two_causes() {
    let patch = "file.\"/run/thena/thena.sock\".mode = \"0600\"\n\
        login.\"thena@db.thena.example:5432/thena\" = { failed_at = \"tcp\", class = \"tcp.refused\", said = \"refused\" }";
    assert_eq!(causes(&diagnosed(&patched(patch))), ["database/refused", "socket/not-permitted"]);
}

/// The healthy app with a second database, which its environment names too.
fn with_reports(url: &str, patch: &str) -> Recorded {
    let app = "/srv/thena/releases/20160503/thena/wsgi.py";
    let text = String::from_utf8(healthy().read(app).unwrap().to_vec()).unwrap();
    let environ = "DATABASE_URL=postgresql://thena:example-only@db.thena.example:5432/thena";
    patched(&format!("process.902.environ = [\"{environ}\", \"REPORTS_URL={url}\"]\n{patch}"))
        .with_file(app, format!("{text}\nreports = create_engine(os.environ[\"REPORTS_URL\"])\n").into_bytes())
}

#[test]
fn a_fault_of_one_database_does_not_explain_that_of_another() {
    let host = with_reports(
        "postgresql://reports:other-example@reports.thena.example:5432/reports",
        "login.\"thena@db.thena.example:5432/thena\" = { failed_at = \"login\", class = \"auth.rejected\", said = \"no\" }\n\
         login.\"reports@reports.thena.example:5432/reports\" = { failed_at = \"tcp\", class = \"tcp.refused\", said = \"refused\" }",
    );
    assert_eq!(causes(&diagnosed(&host)), ["database/login-rejected", "database/refused"]);
}

#[test]
fn a_job_that_was_mended_after_the_start_is_said() {
    let diagnosis = diagnosed(&patched("process.902.environ = [\"PATH=/usr/bin:/bin\"]"));
    let labels: Vec<&str> = diagnosis.root_causes[0].because.iter().map(|label| label.text.as_str()).collect();
    assert!(labels.iter().any(|text| text.contains("started before that")), "{labels:?}");
    assert!(labels.iter().any(|text| text.contains("no DATABASE_URL among them")), "{labels:?}");
}

#[test]
fn what_is_hidden_is_unknown_and_never_wrong() {
    let diagnosis = diagnosed(&without_environ());
    assert_eq!(causes(&diagnosis), Vec::<&str>::new());
    assert_eq!(*state(&diagnosis, "environment"), State::Unknown(Reason::NoPermission));
    assert!(diagnosis.open_hops().any(|hop| hop.id == "environment"));
    let unread = patched(&format!("file.\"{LOG}\" = {{ unreadable = true }}"));
    let diagnosis = diagnosed(&unread);
    assert_eq!(causes(&diagnosis), Vec::<&str>::new());
    assert_eq!(*state(&diagnosis, "app-import"), State::Unknown(Reason::NoPermission));
}

/// A process whose environment is another user's: the entry is taken away and put back without it.
fn without_environ() -> Recorded {
    let entry = "[process.902]\ngone = true\n[process.903]\nppid = 1\nname = \"uwsgi\"\nexe = \"/usr/bin/uwsgi-core\"\n\
        cmdline = [\"/usr/bin/uwsgi\", \"--ini\", \"/srv/thena/current/uwsgi.ini\"]\nuid = 998\ngid = 998\n\
        started = 1462327200\n[process.905]\nppid = 903\n[process.906]\nppid = 903\n";
    let host = patched(entry);
    let log = String::from_utf8(host.read(LOG).unwrap().to_vec()).unwrap();
    host.with_file(LOG, log.replace("(pid: 902)", "(pid: 903)").into_bytes())
}

#[test]
fn a_log_of_another_process_says_nothing() {
    let log = "*** Starting uWSGI 2.0.12-debian (64bit) on [Wed May  4 01:00:00 2016] ***\n\
        spawned uWSGI master process (pid: 77)\nunable to load app 0 (mountpoint='') (callable not found or import error)\n";
    let diagnosis = diagnosed(&healthy().with_file(LOG, log.as_bytes()));
    assert_eq!(causes(&diagnosis), Vec::<&str>::new());
    assert_eq!(*state(&diagnosis, "app-import"), State::Unknown(Reason::NoEvidence));
}

#[test]
fn an_exception_that_no_rule_knows_is_its_own_cause() {
    let host = logging(
        healthy(),
        &format!(
            "Traceback (most recent call last):\n  File \"/srv/thena/current/thena/wsgi.py\", line 12, in index\n\
             KeyError: 'colour'\n{}",
            request("500) 0 headers in 0 bytes")
        ),
    );
    let diagnosis = diagnosed(&host);
    assert_eq!(causes(&diagnosis), ["hop/app-answers"]);
    let cause = &diagnosis.root_causes[0];
    assert_eq!(
        cause.finding.message,
        "1 of 2 requests failed in the last 15 minutes, the last with `KeyError: 'colour'` (answers of the app)"
    );
    assert!(cause.explains.iter().any(|text| text.starts_with("why 502 and not 500")), "{:?}", cause.explains);
}

#[test]
fn what_hides_the_cause_is_said() {
    let diagnosis = diagnosed(&logging(without_environ(), &request("500) 2 headers in 98 bytes")));
    let message = &diagnosis.root_causes[0].finding.message;
    assert!(message.contains("may be hidden from this user: run with sudo"), "{message}");
}

const NGINX_LOG: &str = "/var/log/nginx/error.log";

/// A line of nginx's error log about the healthy host's socket.
fn nginx_error(time: &str, message: &str) -> Vec<u8> {
    format!(
        "2016/05/04 {time} [error] 812#812: *9 {message}, client: 203.0.113.7, server: thena.example, request: \"GET / \
         HTTP/1.1\", upstream: \"uwsgi://unix:/run/thena/thena.sock\", host: \"thena.example\"\n"
    )
    .into_bytes()
}

#[test]
fn answers_that_only_nginx_missed_are_a_cause() {
    let closed = "upstream prematurely closed connection while reading response header from upstream";
    let late = "upstream timed out (110: Connection timed out) while reading response header from upstream";
    for (message, status, rule) in [(closed, "502", "workers/no-answer"), (late, "504", "link/timeout-order")] {
        let host = healthy().with_file(NGINX_LOG, nginx_error("02:14:20", message));
        let diagnosis = diagnosed(&host);
        assert_eq!(causes(&diagnosis), [rule], "{message}");
        let because = &diagnosis.root_causes[0].because;
        assert!(because.iter().any(|label| label.text.contains(&format!("users got {status}"))), "{because:?}");
        assert_eq!(*state(&diagnosis, "app-answers"), State::Degraded);
        // What an earlier uWSGI failed to answer says nothing of this one.
        let host = healthy().with_file(NGINX_LOG, nginx_error("01:14:20", message));
        assert_eq!(causes(&diagnosed(&host)), Vec::<&str>::new());
    }
}

#[test]
fn a_worker_that_harakiri_ended_is_shown() {
    let killed = "Wed May  4 02:14:20 2016 - *** HARAKIRI ON WORKER 1 (pid: 905, try: 1) ***\n";
    let closed = "upstream prematurely closed connection while reading response header from upstream";
    let host = logging(healthy(), killed).with_file(NGINX_LOG, nginx_error("02:14:20", closed));
    let diagnosis = diagnosed(&host);
    let because = &diagnosis.root_causes[0].because;
    assert!(because.iter().any(|label| label.text.contains("`harakiri`")), "{because:?}");
}

#[test]
fn an_import_that_fails_speaks_before_the_answers_it_spoils() {
    let lines = "Traceback (most recent call last):\n  File \"/srv/thena/current/thena/wsgi.py\", line 3, in <module>\n\
        ModuleNotFoundError: No module named 'owls'\n\
        unable to load app 0 (mountpoint='') (callable not found or import error)\n\
        *** no app loaded. going in full dynamic mode ***\n";
    let request = request("500) 1 headers in 57 bytes").replace("app: 0|req: 2/2", "app: -1|req: -1/1");
    let diagnosis = diagnosed(&logging(healthy(), &format!("{lines}{request}")));
    assert_eq!(causes(&diagnosis), ["import/module-not-found"]);
    let message = &diagnosis.root_causes[0].finding.message;
    assert!(message.contains("No module named 'owls'"), "{message}");
    assert_eq!(*state(&diagnosis, "app-answers"), State::Symptom);
    let explains = &diagnosis.root_causes[0].explains;
    assert!(explains.iter().any(|text| text.contains("uWSGI, which has no app,")), "{explains:?}");
}

#[test]
fn old_failures_are_history() {
    let old = request("500) 0 headers in 0 bytes").replace("02:14:12", "01:14:12");
    let diagnosis = diagnosed(&logging(healthy(), &old));
    assert_eq!(causes(&diagnosis), Vec::<&str>::new());
}

/// The healthy app, with a pool that is made before the fork, and with a connection made there too.
fn eager(connects: bool) -> Recorded {
    let ini = "/srv/thena/releases/20160503/uwsgi.ini";
    let app = "/srv/thena/releases/20160503/thena/wsgi.py";
    let host = healthy();
    let text = |path: &str| String::from_utf8(host.read(path).unwrap().to_vec()).unwrap();
    let (ini_text, mut app_text) = (text(ini).replace("lazy-apps = true\n", ""), text(app));
    if connects {
        app_text += "\nengine.connect().execute(text(\"SELECT 1\"))\n";
    }
    healthy().with_file(ini, ini_text.into_bytes()).with_file(app, app_text.into_bytes())
}

#[test]
fn a_shared_pool_is_a_cause_only_where_something_shows_it() {
    let eof = format!(
        "sqlalchemy.exc.OperationalError: SSL SYSCALL error: EOF detected\n{}",
        request("500) 2 headers in 9 bytes")
    );
    let mac = eof.replace("SSL SYSCALL error: EOF detected", "SSL error: decryption failed or bad record mac");
    let traceback = |text: &str| format!("Traceback (most recent call last):\n  File \"x.py\", line 1, in x\n{text}");
    let pool = "uwsgi/pool-shared-by-forks";
    assert_eq!(causes(&diagnosed(&logging(eager(true), &traceback(&eof)))), [pool]);
    assert_eq!(causes(&diagnosed(&logging(eager(false), &traceback(&mac)))), [pool]);
    // An idle connection that the server ended looks the same: both are possible, and neither is more.
    let both = diagnosed(&logging(eager(false), &traceback(&eof)));
    assert_eq!(causes(&both), [pool, "database/connection-stale"]);
    assert!(both.root_causes.iter().all(|cause| cause.finding.confidence == Confidence::Possible));
    let other = traceback(&eof.replace("SSL SYSCALL error: EOF detected", "out of owls"));
    assert_eq!(causes(&diagnosed(&logging(eager(true), &other))), ["hop/app-answers"]);
    assert_eq!(causes(&diagnosed(&eager(true))), Vec::<&str>::new());
}

#[test]
fn a_start_that_failed_for_a_variable_explains_the_missing_master() {
    let log = "*** Starting uWSGI 2.0.12-debian (64bit) on [Wed May  4 02:14:00 2016] ***\n\
        Traceback (most recent call last):\n  File \"/srv/thena/current/thena/wsgi.py\", line 7, in <module>\n\
        KeyError: 'DATABASE_URL'\nunable to load app 0 (mountpoint='') (callable not found or import error)\n\
        *** no app loaded. GAME OVER ***\n";
    let job = "exec /usr/bin/uwsgi --ini /srv/thena/current/uwsgi.ini\n";
    let host = patched(&format!("{NO_UWSGI}file.\"/run/thena/thena.sock\".gone = true"))
        .with_file(LOG, log.as_bytes())
        .with_file("/etc/init/thena-uwsgi.conf", job.as_bytes());
    let diagnosis = diagnosed(&host);
    assert_eq!(causes(&diagnosis), ["env/not-provided"]);
    assert_eq!(diagnosis.root_causes[0].finding.confidence, Confidence::Proved);
    assert_eq!(*state(&diagnosis, "uwsgi-master"), State::Symptom);
}

#[test]
fn nothing_is_connected_to_unasked() {
    let broken =
        patched("login.\"thena@db.thena.example:5432/thena\" = { failed_at = \"login\", class = \"auth.rejected\" }");
    let diagnosis = visited(&broken, &Visit { network: true, ..Visit::default() });
    assert_eq!((state(&diagnosis, "tcp"), state(&diagnosis, "login")), (&State::Ok, &State::Unknown(Reason::NotAsked)));
    let diagnosis = visited(&broken, &Visit::default());
    for id in ["listen", "upstream-socket", "dns", "tcp", "login"] {
        assert_eq!(*state(&diagnosis, id), State::Unknown(Reason::NotAsked), "{id}");
    }
}

#[test]
fn without_a_login_every_host_is_tried_and_what_was_not_recorded_is_unknown() {
    let visit = Visit { network: true, ..Visit::default() };
    let two = |others: &str| {
        let url = "postgresql://thena:example-only@a.thena.example:5432,db.thena.example:5432/thena";
        let patch = format!("process.902.environ = [\"DATABASE_URL={url}\"]\n{others}");
        visited(&patched(&patch), &visit)
    };
    let known = "name.\"a.thena.example\".addresses = [\"10.4.0.11\"]\n";
    let refused = two(&format!("{known}connect.\"a.thena.example:5432\" = \"refused\""));
    assert_eq!((causes(&refused), state(&refused, "tcp")), (vec![], &State::Ok));
    let both = "connect.\"db.thena.example:5432\" = \"refused\"\nconnect.\"a.thena.example:5432\" = \"refused\"";
    assert_eq!(*state(&two(&format!("{known}{both}")), "tcp"), State::Broken);
    let not_recorded = two(&format!("{known}connect.\"db.thena.example:5432\" = \"refused\""));
    assert_eq!(*state(&not_recorded, "tcp"), State::Unknown(Reason::NoEvidence));
}

#[test]
fn a_nameless_server_is_entered_by_its_own_listen() {
    let conf = "events { }\nhttp {\n  server { listen 8081; location /status { return 200; } }\n\
        \u{20} server { listen 80; location / { uwsgi_pass unix:/run/thena/thena.sock; } }\n}\n";
    let host = healthy().with_file("/etc/nginx/nginx.conf", conf.as_bytes());
    let diagnosis = diagnosed(&host);
    assert!(diagnosis.hops.iter().any(|hop| hop.title == "nginx listens on 127.0.0.1:80"));
    assert_eq!(*state(&diagnosis, "listen"), State::Ok);
}

#[test]
fn a_clock_at_the_end_of_time_is_no_panic() {
    for now in [i64::MIN, i64::MAX] {
        let log = "2016/05/04 02:14:30 [error] 812#0: *1 connect() failed\n";
        let host = patched(&format!("now = {now}\nprocess.811.started = {}", now.wrapping_add(1)));
        diagnosed(&host.with_file("/var/log/nginx/error.log", log.as_bytes()));
    }
}

#[test]
fn an_address_shows_no_part_of_a_password() {
    for odd in ['@', '/', '?', '#', ':', ',', '%', '['] {
        let url = format!("postgresql://thena:s3cr{odd}et-canary@db.thena.example/thena");
        let host = patched(&format!("process.902.environ = [\"DATABASE_URL={url}\"]"));
        let seen = examine(&host, &Visit { login: true, network: true, ..Visit::default() }).unwrap();
        let titles = seen.diagnosis.hops.iter().map(|hop| hop.title.as_str());
        let names = seen.sources.iter().map(|(_, source)| source.name.as_str());
        let texts = seen.sources.iter().filter(|(_, source)| source.origin == crate::source::Origin::Probe);
        let texts = texts.map(|(file, _)| seen.sources.text(file));
        let said: Vec<&str> = titles.chain(names).chain(texts).filter(|text| text.contains("canary")).collect();
        assert_eq!(said, Vec::<&str>::new(), "{odd}");
    }
}

#[test]
fn an_empty_host_has_no_stack() {
    let host = patched(&format!(
        "{NO_UWSGI}process.811.gone = true\nprocess.812.gone = true\n\
         file.\"/etc/nginx/nginx.conf\".unreadable = true\nfile.\"/etc/init/thena-uwsgi.conf\".unreadable = true"
    ));
    assert!(diagnosed(&host).hops.is_empty());
}

#[test]
fn a_named_file_must_be_there() {
    let visit = Visit { nginx_conf: Some("/etc/nginx/none.conf".to_owned()), ..Visit::default() };
    let errors = visited(&healthy(), &visit).report.errors;
    assert_eq!(errors.iter().map(|error| error.path.as_str()).collect::<Vec<_>>(), ["/etc/nginx/none.conf"]);
}

#[test]
fn one_site_is_looked_at_alone_and_another_name_is_said() {
    let all = || Visit { login: true, network: true, ..Visit::default() };
    let host = healthy();
    let of = |site: &str| visited(&host, &Visit { site: Some(site.to_owned()), ..all() });
    assert_eq!(of("thena.example").hops.len(), diagnosed(&host).hops.len());
    let other = of("other.example");
    assert!(other.hops.is_empty());
    assert_eq!(other.report.errors[0].message, "no such site here; nginx serves thena.example");
}

#[test]
fn an_earlier_moment_is_judged_by_the_lines_of_its_time() {
    let host = logging(healthy(), &request("500) 0 headers in 0 bytes"));
    let at = |at: i64| Visit { login: true, network: true, at: Some(at), ..Visit::default() };
    // The request failed at 02:14:12.
    let after = visited(&host, &at(1_462_328_060));
    assert_eq!(*state(&after, "app-answers"), State::Degraded, "{:?}", after.hops);
    assert!(after.root_causes[0].because[0].text.contains("in the 15 minutes before that"));
    let before = visited(&host, &at(1_462_328_040));
    assert_ne!(*state(&before, "app-answers"), State::Degraded);
    let long_after = visited(&host, &Visit { since: Some(30), ..at(1_462_328_100) });
    assert_ne!(*state(&long_after, "app-answers"), State::Degraded);
}
