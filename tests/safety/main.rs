//! What doctor and record must never do, on real servers: let a secret out, change anything, or say a wrong word as nobody.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, dead_code)]

#[path = "../stack/disk.rs"]
mod disk;
#[path = "../stack/lab.rs"]
mod lab;
#[path = "../stack/plan.rs"]
mod plan;
#[path = "../stack/postgres.rs"]
mod postgres;
#[path = "../stack/servers.rs"]
mod servers;
mod trace;
#[path = "../stack/wait.rs"]
mod wait;

use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Output};

use lab::{Lab, Plan, is_root};

/// Secrets by where they are planted; none is like another.
const BY_NAME: &str = "Bunyip-K3y-0f-Night";
const BY_NOTHING: &str = "Xk3/Numbat@55+Burrow";
const IN_INI: &str = "Qu0kka-Tail-88-Sand";
const IN_PROFILE: &str = "Vv8!Bilby:77#Ear";
const IN_TRACEBACK: &str = "Tr4c3-Emu-Feather";
const IN_QUERY: &str = "Gal4h-Query-Crest";
const IN_COOKIE: &str = "C00kie-Possum-Ring";
const IN_HEADER: &str = "Cu5cus-Bearer-Claw";
const IN_REMOTE: &str = "Ph4langer-R3mote-Git";
const IN_DOTTED_URL: &str = "0wl@Emu-77-Tail";
const IN_ARGUMENT: &str = "Err0r-Path-Echidna";

const PLANTED: &[&str] = &[
    postgres::PASSWORD,
    BY_NAME,
    BY_NOTHING,
    IN_INI,
    IN_PROFILE,
    IN_TRACEBACK,
    IN_QUERY,
    IN_COOKIE,
    IN_HEADER,
    IN_REMOTE,
    IN_DOTTED_URL,
    // What libpq takes for a host where the `@` was not escaped.
    "Emu-77-Tail@",
    IN_ARGUMENT,
];

/// An app that prints its secrets in every way, and fails with one.
fn talkative() -> Plan {
    let app_line = "import base64, sys, urllib.parse\n\
        def talk():\n    \
            for name in ('DATABASE_URL', 'SECRET_KEY', 'BADGER'):\n        \
                value = os.environ.get(name, '')\n        \
                print('plain', value, file=sys.stderr)\n        \
                print('percent', urllib.parse.quote(value, safe=''), file=sys.stderr)\n        \
                print('base64', base64.b64encode(value.encode()).decode(), file=sys.stderr)\n        \
                print('basic', base64.b64encode(('user:' + value).encode()).decode(), file=sys.stderr)\n    \
            raise RuntimeError('cannot use postgresql://ro:Tr4c3-Emu-Feather@10.1.2.3/x')\n\
        app.before_request(talk)\n";
    Plan {
        app_line: Box::leak(app_line.to_owned().into_boxed_str()),
        ini: format!("lazy-apps = true\nenv = STRIPE_SECRET={IN_INI}\nenv WEASEL=\"{BY_NOTHING}\"\n"),
        environment: vec![
            ("DATABASE_URL", postgres::server().url()),
            ("SECRET_KEY", BY_NAME.to_owned()),
            ("BADGER", BY_NOTHING.to_owned()),
        ],
        files: vec![
            ("home/ubuntu/.profile", format!("export OLD_PASSWORD='{IN_PROFILE}'\nexport BADGER='{BY_NOTHING}'\n")),
            (
                "srv/www/thena/current/.git/config",
                format!("[remote \"origin\"]\n\turl = https://deploy:{IN_REMOTE}@git.example/thena.git\n"),
            ),
        ],
        ..Plan::healthy()
    }
}

/// A request as a browser sends it, with something to hide in each part.
fn ask(lab: &Lab) {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", lab.port())).unwrap();
    let request = format!(
        "GET /login?token={IN_QUERY} HTTP/1.0\r\nHost: thena.example\r\nCookie: session={IN_COOKIE}\r\n\
         Authorization: Bearer {IN_HEADER}\r\nReferer: https://thena.example/?key={IN_QUERY}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Each way in which a secret may show up.
fn forms(secret: &str) -> Vec<String> {
    let percent: String = secret
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                (byte as char).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    let mut all = vec![secret.to_owned(), percent];
    for prefix in ["", "a", "ab"] {
        let output = Command::new("base64")
            .arg("-w0")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn();
        let mut child = output.unwrap();
        child.stdin.take().unwrap().write_all(format!("{prefix}{secret}").as_bytes()).unwrap();
        let encoded = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        // What the bytes around it would change is left out.
        let first = (prefix.len() * 8).div_ceil(6);
        let last = (prefix.len() + secret.len()) * 8 / 6;
        all.push(encoded[first..last].to_owned());
    }
    all
}

fn leaks(what: &str, text: &str) -> Vec<String> {
    let found = PLANTED.iter().flat_map(|secret| forms(secret)).filter(|form| text.contains(form.as_str()));
    found
        .map(|form| {
            let line = text.lines().find(|line| line.contains(&form)).unwrap_or_default();
            format!("{what} holds {form}: {line}")
        })
        .collect()
}

fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn nothing_leaks() -> Vec<String> {
    let unescaped = Plan {
        environment: vec![("DATABASE_URL", postgres::server().url_with(postgres::server().port, IN_DOTTED_URL))],
        ..Plan::healthy()
    };
    let mut wrong = Vec::new();
    for (name, plan) in [("talkative", talkative()), ("unescaped", unescaped)] {
        let lab = Lab::start(&plan);
        lab.wait_for_app();
        ask(&lab);
        wait::wait_until("the request is logged", || lab.log().contains(IN_QUERY));
        assert!(name != "talkative" || lab.log().contains(BY_NAME), "nothing was planted: {}", lab.log());
        let (recording, said) = lab.record();
        wrong.extend(leaks(&format!("{name}: what record says"), &said));
        wrong.extend(leaks(&format!("{name}: the recording"), &lab::unpacked(&recording)));
        let seen = at_a_terminal(&lab.doctor_command());
        assert!(seen.contains("Root cause"), "{seen}");
        wrong.extend(leaks(&format!("{name}: doctor at a terminal"), &seen));
        for flags in [&["--format", "json"][..], &["--color", "always"], &["--no-network"], &["--site", "nowhere"]] {
            let live = lab.doctor_command().args(flags).output().unwrap();
            wrong.extend(leaks(&format!("{name}: doctor {}", flags.join(" ")), &both(&live)));
            let replayed = Command::new(env!("CARGO_BIN_EXE_housecall"))
                .args(["doctor", "--from"])
                .arg(&recording)
                .args(flags)
                .output()
                .unwrap();
            wrong.extend(leaks(&format!("{name}: doctor --from {}", flags.join(" ")), &both(&replayed)));
        }
        let path = format!("postgresql://u:{IN_ARGUMENT}@h/x");
        for flag in ["--uwsgi-ini", "--nginx-conf", "--log", "--from"] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_housecall"));
            let output = command.args(["doctor", "--no-network", flag, &path]).output().unwrap();
            wrong.extend(leaks(&format!("{name}: doctor {flag}"), &both(&output)));
        }
    }
    wrong
}

/// Every file below a folder with all that a write would change; reading changes the access time alone.
fn tree(folder: &Path, except: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path == except {
                continue;
            }
            let stat = std::fs::symlink_metadata(&path).unwrap();
            // Making the output changes the time of its folder.
            let changed = if Some(path.as_path()) == except.parent() { 0 } else { stat.mtime_nsec() + stat.mtime() };
            all.push(format!(
                "{} {:o} {} {} {} {changed}",
                path.display(),
                stat.mode(),
                stat.uid(),
                stat.size(),
                stat.ino()
            ));
            if stat.is_dir() {
                pending.push(path);
            }
        }
    }
    all.sort();
    all
}

fn nothing_changes() -> Vec<String> {
    let lab = Lab::start(&Plan::healthy());
    lab.wait_for_app();
    wait::wait_until("every worker has loaded its app", || lab.log().matches("WSGI app 0").count() == 4);
    wait::wait_until("the last request is logged", || lab.log().contains("GET / => "));
    let output = lab.root().join("tmp/traced.tar.gz");
    let mut wrong = Vec::new();
    let before = (tree(lab.root(), &output), lab.pids());
    let allowed = trace::Allowed {
        output: output.to_str().unwrap().to_owned(),
        sockets: vec![lab.root().join("run/uwsgi.sock").to_str().unwrap().to_owned()],
        ports: vec![lab.port(), postgres::server().port],
    };
    let mut record = Command::new(env!("CARGO_BIN_EXE_housecall"));
    record.args(["record", "-o"]).arg(&output).args(lab.looking());
    for (what, command) in [("doctor", lab.doctor_command()), ("record", record)] {
        match trace::run(&command) {
            None => println!("{what} not traced: strace may not trace here"),
            Some((code, calls)) => {
                println!("{what}: {} system calls", calls.len());
                assert_eq!(code, Some(0), "{what}");
                assert!(calls.len() > 200, "{what}: hardly anything was traced");
                wrong.extend(allowed.offences(&calls).into_iter().map(|call| format!("{what}: {call}")));
            }
        }
    }
    let after = (tree(lab.root(), &output), lab.pids());
    if before != after {
        let new: Vec<&String> = after.0.iter().filter(|line| !before.0.contains(line)).collect();
        wrong.push(format!("files {new:#?}, processes {:?} then {:?}", before.1, after.1));
    }
    wrong
}

/// What a person sees at a terminal.
fn at_a_terminal(command: &Command) -> String {
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let output = Command::new("script").args(["-qec", &words.join(" "), "/dev/null"]).output().unwrap();
    both(&output)
}

/// A key and a certificate that nobody signed, beside nginx's configuration.
fn certificate(root: &Path) {
    let nginx = root.join("etc/nginx");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=thena.example"])
        .args([std::ffi::OsStr::new("-keyout"), nginx.join("key.pem").as_os_str()])
        .args([std::ffi::OsStr::new("-out"), nginx.join("certificate.pem").as_os_str()])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", both(&made));
}

/// No request is sent but the one that was asked for, over TLS too, and the logs that know of it are named.
fn one_request() -> Vec<String> {
    let tls = wait::free_port();
    let server = format!(
        "listen 127.0.0.1:{tls} ssl;\n        ssl_certificate certificate.pem;\n        ssl_certificate_key key.pem;"
    );
    let nginx = ["", "", Box::leak(server.into_boxed_str())];
    let lab = Lab::start(&Plan { nginx, before: certificate, ..Plan::healthy() });
    lab.wait_for_app();
    let log = lab.root().join("var/log/access.log");
    let logged = || std::fs::read_to_string(&log).unwrap_or_default().matches("\"GET ").count();
    wait::wait_until("the requests of the start are logged", || lab.status() == 200 && logged() > 0);
    let mut wrong = Vec::new();
    let mut run = |flags: &[&str], sent: usize, words: &str| {
        let before = logged();
        let said = both(&lab.doctor_command().args(flags).output().unwrap());
        if logged() != before + sent || !said.contains(words) {
            wrong.push(format!("doctor {}: {} requests, and it said {said}", flags.join(" "), logged() - before));
        }
    };
    run(&[], 0, "");
    let url = format!("http://127.0.0.1:{}", lab.port());
    run(&["--url", &format!("{url}/")], 1, &format!("GET {url}/ -> 200"));
    let over_tls = format!("https://127.0.0.1:{tls}/");
    run(&["--url", &over_tls], 1, &format!("GET {over_tls} -> 200"));
    run(
        &["--url", &format!("{url}/?q={IN_QUERY}"), "--format", "json"],
        1,
        "answered by the app: uWSGI's log has the request",
    );
    wrong
}

/// As a user who sees little: nothing wrong is said, and every unknown says what root would see.
fn as_anyone() -> Vec<String> {
    if !is_root() {
        println!("only root can become nobody; left out");
        return Vec::new();
    }
    let lab = Lab::start(&Plan::healthy());
    lab.wait_for_app();
    assert_eq!(lab.status(), 200);
    let verdict = lab.doctor_as_nobody();
    let hops = verdict.json["hops"].as_array().unwrap();
    let mut wrong = Vec::new();
    if verdict.exit != 3 || verdict.json["root_causes"] != serde_json::json!([]) {
        wrong.push(format!("exit {}, {}", verdict.exit, verdict.json["root_causes"]));
    }
    let hidden: Vec<_> = hops.iter().filter(|hop| hop["reason"] == "no_permission").collect();
    println!("as nobody {} of {} hops are hidden", hidden.len(), hops.len());
    if hidden.is_empty() {
        wrong.push("nothing is hidden from nobody".to_owned());
    }
    let says = |hop: &&&serde_json::Value| hop["evidence"].to_string().contains("root would see");
    wrong.extend(
        hidden.iter().filter(|hop| !says(hop)).map(|hop| format!("{} does not say what root would see", hop["id"])),
    );
    let bad: Vec<_> =
        hops.iter().filter(|hop| ["broken", "degraded", "symptom"].contains(&hop["state"].as_str().unwrap())).collect();
    wrong.extend(bad.iter().map(|hop| format!("nobody says {hop}")));
    wrong
}

/// One test on purpose: PostgreSQL is started once, and the stacks would see each other's processes.
#[test]
fn doctor_and_record_do_no_harm() {
    let mut wrong = nothing_leaks();
    wrong.extend(nothing_changes());
    wrong.extend(as_anyone());
    wrong.extend(one_request());
    postgres::stop();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
