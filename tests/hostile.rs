//! Hosts and recordings made to hurt: each run ends in time, with a clear word and without what it should not show.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const CANARY: &str = "Sh4dow-Canary-Wren";

/// Runs housecall; fails where it does not end in `seconds` or ends as no command of it may.
fn housecall(arguments: &[&str], seconds: u64) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_housecall"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let mut pipes = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let out = std::thread::spawn(move || std::io::read_to_string(&mut pipes.0).unwrap());
    let err = std::thread::spawn(move || std::io::read_to_string(&mut pipes.1).unwrap());
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(seconds) {
            let _ = child.kill();
            panic!("housecall {} did not end in {seconds} s", arguments.join(" "));
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let text = format!("{}{}", out.join().unwrap(), err.join().unwrap());
    let code = child.wait().unwrap().code().unwrap();
    assert!((0..=3).contains(&code), "housecall {}: exit {code}: {text}", arguments.join(" "));
    assert!(!text.contains(CANARY), "the secret is shown: {text}");
    let raw = text.chars().find(|character| character.is_control() && *character != '\n');
    assert_eq!(raw, None, "a raw control character: {text:?}");
    (code, text)
}

/// A host in a folder: `/etc` and `/var/log` below it.
struct HostFolder(TempDir);

impl HostFolder {
    fn new() -> Self {
        let folder = TempDir::with_prefix("housecall-hostile-").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn root(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn doctor(&self, more: &[&str], seconds: u64) -> (i32, String) {
        housecall(&[&["doctor", "--root", self.root()], more].concat(), seconds)
    }
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

const NGINX: &str = "events {}\nhttp {\n    include /etc/nginx/sites-enabled/*;\n    include /etc/nginx/nginx.conf;\n    \
                     include /etc/nginx/nginx.*;\n}\n";

/// One folder of an nginx with everything in it that is no configuration.
#[test]
fn what_is_no_file_is_never_opened() {
    let host = HostFolder::new();
    host.write("etc/nginx/nginx.conf", NGINX);
    host.write("etc/nginx/sites-enabled/folder/x", "");
    let sites = host.0.path().join("etc/nginx/sites-enabled");
    fifo(&sites.join("fifo"));
    symlink("/dev/zero", sites.join("endless")).unwrap();
    symlink("/proc/kmsg", sites.join("kernel")).unwrap();
    symlink("circle", sites.join("circle")).unwrap();
    let _socket = UnixListener::bind(sites.join("socket")).unwrap();
    fs::File::create(sites.join("sparse")).unwrap().set_len(1 << 40).unwrap();
    host.write("secret", format!("password {CANARY};\n"));
    let secret = host.0.path().join("secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    symlink(&secret, sites.join("link")).unwrap();
    if is_root() {
        std::os::unix::fs::lchown(sites.join("link"), Some(12345), Some(12345)).unwrap();
    }
    host.write(
        "etc/nginx/sites-enabled/real",
        "server { listen 127.0.0.1:1; server_name thena.example; location / { uwsgi_pass unix:/run/none.sock; } }\n",
    );
    host.write("etc/a.ini", "[uwsgi]\nsocket = /run/none.sock\n");
    let (nginx, ini) = (format!("{}/etc/nginx/nginx.conf", host.root()), format!("{}/etc/a.ini", host.root()));
    let (_, text) = host.doctor(&["--no-network", "--nginx-conf", &nginx, "--uwsgi-ini", &ini], 10);
    assert!(text.contains("thena.example"), "the one real site is judged: {text}");
}

#[test]
fn an_ini_that_includes_itself_or_a_fifo_ends() {
    let host = HostFolder::new();
    let ini = format!("{}/etc/a.ini", host.root());
    host.write(
        "etc/a.ini",
        format!(
            "[uwsgi]\nini = {ini}\ninclude = {}/etc/pipe\nini = /dev/zero\nsocket = @(exec://touch {}/run)\n",
            host.root(),
            host.root()
        ),
    );
    fifo(&host.0.path().join("etc/pipe"));
    host.write("etc/init/a.conf", format!("exec uwsgi --ini {ini}\n"));
    let (_, text) = host.doctor(&["--uwsgi-ini", &ini], 10);
    assert!(text.contains("a.ini"), "{text}");
    assert!(!host.0.path().join("run").exists(), "a command of the ini was run");
}

#[test]
fn logs_that_hurt_are_read_from_their_end_and_shown_harmless() {
    let host = HostFolder::new();
    let log = host.0.path().join("var/log/a.log");
    let ini = format!("{}/etc/a.ini", host.root());
    host.write("etc/a.ini", format!("[uwsgi]\nmodule = a:app\nsocket = /run/a.sock\nlogto = {}\n", log.display()));
    host.write("etc/init/a.conf", format!("exec uwsgi --ini {ini}\n"));
    host.write("var/log/a.log", "");
    let mut file = fs::File::options().write(true).open(&log).unwrap();
    file.set_len(1 << 40).unwrap();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
    file.write_all(
        b"\n*** Starting uWSGI 2.0.21 (64bit) on [Wed Nov 25 09:00:00 2026] ***\nTraceback (most recent call last):\n  File \
          \"a.py\", line 1, in <module>\nImportError: \x1b]52;c;eA==\x07 \xc2\x9b31m \xe2\x80\xae nothing\n\
          unable to load app 0 (mountpoint='') (callable not found or import error)\n--- no python application found, check \
          your startup logs for errors ---\n",
    )
    .unwrap();
    let (code, text) = host.doctor(&["--uwsgi-ini", &ini, "--no-network"], 10);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("ImportError"), "the end of the log is read: {text}");
    fs::remove_file(&log).unwrap();
    fifo(&log);
    host.doctor(&["--uwsgi-ini", &ini, "--no-network", "--log", log.to_str().unwrap()], 10);
}

/// A packed log of a megabyte that would unpack to gigabytes.
#[test]
fn a_packed_log_is_unpacked_within_bounds() {
    let host = HostFolder::new();
    let ini = format!("{}/etc/a.ini", host.root());
    let log = format!("{}/var/log/a.log.1.gz", host.root());
    host.write("etc/a.ini", "[uwsgi]\nmodule = a:app\nsocket = /run/a.sock\n");
    host.write("etc/init/a.conf", format!("exec uwsgi --ini {ini}\n"));
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = vec![0; 1 << 20];
    (0..1500).for_each(|_| packer.write_all(&zeros).unwrap());
    host.write("var/log/a.log.1.gz", packer.finish().unwrap());
    let began = Instant::now();
    host.doctor(&["--uwsgi-ini", &ini, "--no-network", "--log", &log], 20);
    println!("a bomb took {:.1} s", began.elapsed().as_secs_f64());
    host.write("var/log/a.log.1.gz", b"\x1f\x8b\x08\x00broken");
    host.doctor(&["--uwsgi-ini", &ini, "--no-network", "--log", &log], 10);
}

/// Whoever answers a request of doctor's has no say in how long that takes, nor in what a terminal does.
/// A journal of one service that cannot load its app, by systemd's own writer.
fn journal(folder: &Path) -> Vec<u8> {
    let entry = |at: usize| {
        let line = match at {
            2997 => "*** Starting uWSGI 2.0.21 (64bit) on [Wed Nov 25 09:00:00 2026] ***".to_owned(),
            2998 => "ModuleNotFoundError: No module named 'owl'".to_owned(),
            2999 => "unable to load app 0 (mountpoint='') (callable not found or import error)".to_owned(),
            _ => format!("line {at} {}", "x".repeat(at % 700)),
        };
        format!(
            "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={at}\n_BOOT_ID=0123456789abcdef0123456789abcdef\n\
             _SYSTEMD_UNIT=thena.service\n_PID=7\nMESSAGE={line}\n\n",
            1_700_000_000_000_000 + at,
        )
    };
    let (export, written) = (folder.join("export"), folder.join("whole"));
    fs::write(&export, (1..3000).map(entry).collect::<String>()).unwrap();
    let mut writer = Command::new("/lib/systemd/systemd-journal-remote");
    let made = writer.arg("-o").arg(written.with_extension("journal")).arg(export).stderr(Stdio::null()).status();
    assert!(made.unwrap().success());
    fs::read(written.with_extension("journal")).unwrap()
}

#[test]
fn a_damaged_journal_hides_nothing_else_and_ends() {
    let host = HostFolder::new();
    let whole = journal(host.0.path());
    let ini = format!("{}/etc/a.ini", host.root());
    host.write("etc/a.ini", "[uwsgi]\nmodule = a:app\nsocket = /run/a.sock\n");
    let folder = "var/log/journal/0123456789abcdef0123456789abcdef";
    host.write(&format!("{folder}/empty.journal"), "");
    host.write(&format!("{folder}/other.journal"), CANARY);
    host.write(&format!("{folder}/short.journal"), &whole[..whole.len() / 3]);
    for every in [7_usize, 97, 4001] {
        let mut broken = whole.clone();
        broken.iter_mut().skip(208).step_by(every).for_each(|byte| *byte ^= 0x5a);
        // Another file's number, or it would count as the same file.
        broken[24] ^= every as u8;
        host.write(&format!("{folder}/broken{every}.journal"), broken);
    }
    let at = host.0.path().join(folder);
    fifo(&at.join("fifo.journal"));
    symlink("/dev/zero", at.join("endless.journal")).unwrap();
    let asked = ["--uwsgi-ini", &ini, "--no-network", "--log", "journal:thena.service"];
    host.doctor(&asked, 10);
    host.write(&format!("{folder}/system.journal"), whole);
    let (_, text) = host.doctor(&[&asked[..], &["--at", "2026-11-25 09:00:30"]].concat(), 10);
    assert!(text.contains("No module named 'owl'"), "{text}");
}

#[test]
fn a_request_ends_in_time() {
    let host = HostFolder::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    host.write("etc/nginx/nginx.conf", format!("events {{}}\nhttp {{ server {{ listen 127.0.0.1:{port}; location / {{ uwsgi_pass unix:/run/none.sock; }} }} }}\n"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut stream = stream;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nServer: \x1b]52;c;eA==\x07\r\n\r\n");
                while stream.write_all(b"x").is_ok() {
                    std::thread::park_timeout(Duration::from_millis(50));
                }
            });
        }
    });
    let nginx = format!("{}/etc/nginx/nginx.conf", host.root());
    let url = format!("http://127.0.0.1:{port}/?token={CANARY}");
    let (_, text) = host.doctor(&["--nginx-conf", &nginx, "--url", &url], 15);
    assert!(text.contains("-> 200"), "{text}");
}

#[test]
fn a_title_makes_no_nginx() {
    let decoy = Command::new("bash")
        .args(["-c", "exec -a 'nginx: master process /usr/sbin/nginx -c /tmp/decoy-of-a-test.conf' tail -f /dev/null"])
        .stdin(Stdio::null())
        .spawn();
    let mut decoy = decoy.unwrap();
    let (_, text) = housecall(&["doctor", "--no-network", "--format", "json"], 25);
    decoy.kill().unwrap();
    decoy.wait().unwrap();
    assert!(!text.contains("decoy-of-a-test"), "{text}");
}

/// A database that takes the connection and never says a word.
#[test]
fn a_silent_peer_ends_with_a_clear_word() {
    let host = HostFolder::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let ini = format!("{}/etc/a.ini", host.root());
    let app = host.0.path().join("srv/app");
    host.write("etc/a.ini", format!("[uwsgi]\nchdir = {}\nmodule = a:app\nsocket = /run/a.sock\nenv = DATABASE_URL=postgresql://thena:{CANARY}@127.0.0.1:{port}/thena\n", app.display()));
    host.write("etc/init/a.conf", format!("exec uwsgi --ini {ini}\n"));
    host.write(
        "srv/app/a.py",
        "import os\nfrom flask import Flask\napp = Flask(__name__)\nURL = os.environ['DATABASE_URL']\n",
    );
    let began = Instant::now();
    let (_, text) = host.doctor(&["--uwsgi-ini", &ini], 15);
    println!("a silent peer took {:.1} s", began.elapsed().as_secs_f64());
    assert!(text.contains("it accepted the connection and said nothing"), "{text}");
}

#[test]
fn what_is_no_recording_is_refused_at_once() {
    let host = HostFolder::new();
    let pipe = host.0.path().join("pipe");
    fifo(&pipe);
    let refused = |path: &str, words: &str| {
        let (code, text) = housecall(&["doctor", "--from", path], 10);
        assert!(code == 2 && text.contains(words), "{path}: exit {code}: {text}");
    };
    refused(pipe.to_str().unwrap(), "not a regular file");
    refused("/dev/zero", "not a regular file");
    refused("/nowhere/at/all", "no such file");
    refused(host.root(), "host.toml");
    host.write("text.tar.gz", "[uwsgi]\n");
    refused(&format!("{}/text.tar.gz", host.root()), "no recording");
    let sparse = host.0.path().join("sparse.tar.gz");
    fs::File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
    refused(sparse.to_str().unwrap(), "64 MiB");
    // Links that lead to each other, and far more of them than any path has parts.
    let mut table = "now = 1\n".to_owned();
    for at in 0..5000 {
        table +=
            &format!("[file.\"/etc/nginx/{at}\"]\nlink = \"/etc/nginx/{}/{}\"\n", (at + 1) % 5000, "x/".repeat(50));
    }
    host.write("links/host.toml", table + "[file.\"/etc/nginx/nginx.conf\"]\nlink = \"0\"\n");
    fs::create_dir_all(host.0.path().join("links/root")).unwrap();
    let (code, text) = housecall(&["doctor", "--from", &format!("{}/links", host.root())], 10);
    assert_eq!(code, 3, "{text}");
}

/// Who makes a link where the output is to go does not choose what is written over.
#[test]
fn record_writes_over_nothing() {
    let host = HostFolder::new();
    host.write("victim", "as it was");
    let (victim, link) = (host.0.path().join("victim"), host.0.path().join("o.tar.gz"));
    symlink(&victim, &link).unwrap();
    let record = |to: &Path| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_housecall"));
        command.args(["record", "--no-network", "--root", host.root(), "-o"]).arg(to).output().unwrap()
    };
    for taken in [&link, &victim] {
        let refused = record(taken);
        assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stderr));
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), "as it was");
    let new = host.0.path().join("new.tar.gz");
    assert_eq!(record(&new).status.code(), Some(0));
    assert_eq!(fs::metadata(&new).unwrap().permissions().mode() & 0o777, 0o600);
    let to_a_pipe = record(Path::new("-"));
    assert!(to_a_pipe.stdout.starts_with(&[0x1f, 0x8b]));
}

/// Each service has variables that are no other's, and each pass of nginx could meet each socket.
#[test]
fn thousands_of_jobs_and_sockets_take_no_square_of_the_time() {
    let host = HostFolder::new();
    let all = |one: &dyn Fn(usize) -> String| (0..20_000).map(one).collect::<String>();
    let services =
        all(&|at| format!(" s{at}:\n  command: uwsgi --socket /run/{at}.sock -w a\n  environment:\n   A{at}: b\n"));
    host.write("docker-compose.yml", format!("services:\n{services}"));
    let passes = all(&|at| format!("location /{at} {{ uwsgi_pass unix:/run/{at}.sock; }}\n"));
    host.write("etc/nginx/nginx.conf", format!("events {{}}\nhttp {{\nserver {{\n{passes}}}\n}}\n"));
    let (_, text) = housecall(&["lint", "--format", "json", host.root()], 120);
    let report: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!((report["summary"]["files"].as_u64(), report["errors"].as_array().map(Vec::len)), (Some(2), Some(0)));
}

#[test]
fn what_one_run_does_not_hold_is_left_out_and_told() {
    let host = HostFolder::new();
    let job = format!("exec /bin/{}\n", "a".repeat(200 << 10));
    (0..20).for_each(|at| host.write(&format!("etc/init/{at:02}.conf"), &job));
    let (code, text) = housecall(&["lint", "--format", "concise", host.root()], 60);
    assert!(
        code == 2 && text.contains("more than one run takes in") && text.contains("more files are not read"),
        "{text}"
    );
    let named = format!("{}/etc/init/19.conf", host.root());
    let (_, text) = housecall(&["lint", "--format", "json", &named, host.root()], 60);
    let report: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert!(!report["errors"].to_string().contains("19.conf"), "what was named comes first: {}", report["errors"]);
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
