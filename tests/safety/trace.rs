//! What a command asks of the kernel, by strace, and what of that a command that only looks may not ask.

use std::collections::BTreeMap;
use std::process::Command;

/// One system call: its name, its arguments, its result.
pub struct Call {
    name: String,
    arguments: String,
    result: String,
}

/// The only things that may be written to or connected to.
pub struct Allowed {
    pub output: String,
    pub sockets: Vec<String>,
    pub ports: Vec<u16>,
}

/// Runs a command under strace; `None` where this machine lets nobody trace.
pub fn run(command: &Command) -> Option<(Option<i32>, Vec<Call>)> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-qq", "-s", "256", "-o"])
        .arg(log.path())
        .arg("--")
        .arg(command.get_program())
        .args(command.get_args());
    let output = traced.output().ok()?;
    let text = std::fs::read_to_string(log.path()).unwrap();
    let calls = calls(&text);
    (!calls.is_empty()).then(|| (output.status.code(), calls))
}

/// A call that was interrupted by another thread's is put together again.
fn calls(text: &str) -> Vec<Call> {
    let mut open: BTreeMap<&str, String> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((pid, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
            open.insert(pid, begun.trim_end().to_owned());
            continue;
        }
        let whole = match rest.strip_prefix("<... ").and_then(|rest| rest.split_once("resumed>")) {
            Some((_, end)) => format!("{}{end}", open.remove(pid).unwrap_or_default()),
            None => rest.to_owned(),
        };
        let Some((name, rest)) = whole.split_once('(') else { continue };
        let (arguments, result) = rest.rsplit_once(" = ").unwrap_or((rest, "?"));
        calls.push(Call { name: name.to_owned(), arguments: arguments.to_owned(), result: result.to_owned() });
    }
    calls
}

/// Calls that change something, whatever their arguments.
const CHANGES: &[&str] = &[
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "rmdir",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "truncate",
    "ftruncate",
    "fallocate",
    "utime",
    "utimes",
    "utimensat",
    "futimesat",
    "mknod",
    "mknodat",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "setxattr",
    "fsetxattr",
    "lsetxattr",
    "removexattr",
    "mount",
    "umount2",
    "setns",
    "unshare",
    "chroot",
    "pivot_root",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "kill",
    "tkill",
    "tgkill",
    "pidfd_send_signal",
    "rt_sigqueueinfo",
    "setuid",
    "setgid",
    "setgroups",
    "setresuid",
    "setresgid",
    "setreuid",
    "setpriority",
    "sched_setscheduler",
    "fork",
    "vfork",
    "listen",
    "accept",
    "accept4",
    "creat",
    "sendfile",
    "splice",
    "copy_file_range",
    "init_module",
    "reboot",
    "swapon",
    "sethostname",
    "settimeofday",
    "clock_settime",
    "bpf",
];

impl Allowed {
    /// Every call that a command which only looks would not make.
    pub fn offences(&self, calls: &[Call]) -> Vec<String> {
        let mut kinds: BTreeMap<String, &str> =
            [("0", "in"), ("1", "out"), ("2", "out")].map(|(fd, kind)| (fd.to_owned(), kind)).into();
        let mut wrong = Vec::new();
        let mut started = 0;
        for call in calls {
            let first = call.arguments.split([',', ')']).next().unwrap_or("").to_owned();
            let result = call.result.split(' ').next().unwrap_or("").to_owned();
            let is_fine = match call.name.as_str() {
                name if CHANGES.contains(&name) => false,
                "execve" => {
                    started += 1;
                    started == 1
                }
                "clone" | "clone3" => call.arguments.contains("CLONE_THREAD"),
                "open" | "openat" | "openat2" => {
                    let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"]
                        .iter()
                        .any(|flag| call.arguments.contains(flag));
                    let named =
                        call.arguments.contains(&format!("\"{}\"", self.output)) && call.arguments.contains("O_EXCL");
                    kinds.insert(result, if writes && named { "out" } else { "file" });
                    !writes || named
                }
                "socket" => {
                    kinds.insert(result, if call.arguments.contains("AF_NETLINK") { "netlink" } else { "socket" });
                    ["AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"]
                        .iter()
                        .any(|family| call.arguments.starts_with(family))
                }
                "eventfd2" | "eventfd" => {
                    kinds.insert(result, "event");
                    true
                }
                "bind" => kinds.get(&first) == Some(&"netlink"),
                "connect" => self.is_peer(&call.arguments),
                "write" | "writev" | "pwrite64" | "send" | "sendto" | "sendmsg" | "sendmmsg" => {
                    matches!(kinds.get(&first), Some(&("out" | "socket" | "netlink" | "event")))
                }
                _ => true,
            };
            if !is_fine {
                wrong.push(format!("{}({}) = {}", call.name, call.arguments, call.result));
            }
        }
        wrong
    }

    /// The stack's own peers, and the name service.
    fn is_peer(&self, arguments: &str) -> bool {
        let port = |port: &str| {
            arguments.contains(&format!("sin_port=htons({port})"))
                || arguments.contains(&format!("sin6_port=htons({port})"))
        };
        let socket = |path: &str| arguments.contains(&format!("sun_path=\"{path}\""));
        self.sockets.iter().any(|path| socket(path))
            || self.ports.iter().any(|number| port(&number.to_string()))
            || socket("/var/run/nscd/socket")
            || socket("/run/systemd/resolve/io.systemd.Resolve")
            || port("53")
            || arguments.contains("AF_UNSPEC")
    }
}

#[test]
fn what_would_change_something_is_an_offence() {
    let allowed = Allowed { output: "/tmp/o".to_owned(), sockets: vec!["/run/s".to_owned()], ports: vec![5432] };
    let offences = |text: &str| allowed.offences(&calls(text)).len();
    let fine = "1 execve(\"/bin/x\", [\"x\"], 0x1) = 0\n1 openat(AT_FDCWD, \"/tmp/o\", O_WRONLY|O_CREAT|O_EXCL, 0600) = 5\n\
                2 openat(AT_FDCWD, \"/etc/x\", O_RDONLY <unfinished ...>\n1 write(5, \"x\", 1) = 1\n2 <... openat resumed>) = 6\n\
                1 connect(7, {sa_family=AF_UNIX, sun_path=\"/run/s\"}, 110) = 0\n";
    assert_eq!(offences(fine), 0);
    for bad in [
        "1 kill(7, SIGTERM) = 0\n",
        "1 openat(AT_FDCWD, \"/etc/x\", O_RDWR) = 3\n",
        "1 openat(AT_FDCWD, \"/tmp/o\", O_WRONLY|O_CREAT|O_TRUNC, 0600) = 5\n",
        "1 openat(AT_FDCWD, \"/etc/x\", O_RDONLY) = 3\n1 write(3, \"x\", 1) = 1\n",
        "1 execve(\"/bin/x\") = 0\n1 execve(\"/bin/y\") = 0\n",
        "1 clone3({flags=CLONE_VFORK}) = 9\n",
        "1 connect(7, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"169.254.169.254\")}, 16) = 0\n",
        "1 unlink(\"/tmp/o\" <unfinished ...>\n1 <... unlink resumed>) = 0\n",
    ] {
        assert_eq!(offences(bad), 1, "{bad}");
    }
}
