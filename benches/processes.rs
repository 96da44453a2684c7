//! What `housecall lint` costs as a process, beside ripgrep reading the same files and nginx testing the same configuration.
//! `cargo bench --bench processes`; with `-- DIR` the tree stays in that folder, to be profiled. Nothing is asserted.
#![allow(clippy::print_stdout, missing_docs)]

mod tree;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

const HOUSECALL: &str = env!("CARGO_BIN_EXE_housecall");

/// How often each program is run on the large tree, and on one file.
const TIMES: usize = 7;
const TIMES_ON_ONE_FILE: usize = 20;

/// What one program costs: medians of wall and CPU, and the highest peak of its memory.
struct Cost {
    wall: Duration,
    cpu: Duration,
    peak: u64,
}

fn main() -> io::Result<()> {
    let kept = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).map(PathBuf::from);
    let temporary = tempfile::tempdir()?;
    let folder = kept.unwrap_or_else(|| temporary.path().join("nginx"));
    write(&folder, 1000)?;
    let (files, bytes) = size(&folder)?;
    println!("{files} files, {:.1} MB, {} threads, median of {TIMES}\n", bytes as f64 / 1e6, threads());
    println!("{:<24} {:>9} {:>9} {:>10} {:>10} {:>10}", "", "wall", "CPU", "peak", "wall/rg", "CPU/nginx");
    let rg = cost(Command::new("rg").args(["-c", "", "-j"]).arg(threads().to_string()).arg(&folder), TIMES);
    let nginx = cost(Command::new(nginx()).args(["-t", "-q", "-c", "nginx.conf", "-p"]).arg(&folder), TIMES);
    let lint = cost(Command::new(HOUSECALL).arg("lint").arg(&folder), TIMES);
    for (name, cost) in [("rg -c ''", &rg), ("nginx -t", &nginx), ("housecall lint", &lint)] {
        row(name, cost.as_ref(), rg.as_ref(), nginx.as_ref());
    }
    let one = temporary.path().join("one");
    write(&one, 1)?;
    let site = one.join("sites/site0000.conf");
    println!(
        "\none file of {} bytes beside its main file, median of {TIMES_ON_ONE_FILE}\n",
        fs::metadata(&site)?.len()
    );
    row(
        "housecall lint FILE",
        cost(Command::new(HOUSECALL).arg("lint").arg(site), TIMES_ON_ONE_FILE).as_ref(),
        None,
        None,
    );
    row("housecall --version", cost(Command::new(HOUSECALL).arg("--version"), TIMES_ON_ONE_FILE).as_ref(), None, None);
    Ok(())
}

fn write(folder: &Path, sites: usize) -> io::Result<()> {
    fs::create_dir_all(folder.join("sites"))?;
    fs::create_dir_all(folder.join("snip"))?;
    tree::files(sites).try_for_each(|(path, text)| fs::write(folder.join(path), text))
}

/// Runs a program some times after once for the caches; `None` where it is not installed.
fn cost(command: &mut Command, times: usize) -> Option<Cost> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut runs = Vec::new();
    for _ in 0..=times {
        let start = Instant::now();
        let used = command.spawn().ok()?.wait4().ok()?;
        runs.push((start.elapsed(), used.rusage.utime + used.rusage.stime, used.rusage.maxrss));
    }
    runs.remove(0);
    let median = |of: fn(&(Duration, Duration, u64)) -> Duration| {
        let mut all: Vec<Duration> = runs.iter().map(of).collect();
        all.sort();
        all[all.len() / 2]
    };
    let peak = runs.iter().map(|run| run.2).max()?;
    Some(Cost { wall: median(|run| run.0), cpu: median(|run| run.1), peak })
}

fn row(name: &str, cost: Option<&Cost>, rg: Option<&Cost>, nginx: Option<&Cost>) {
    let Some(cost) = cost else {
        println!("{name:<24} skipped: it is not installed");
        return;
    };
    let ratio = |part: Duration, whole: Option<Duration>| {
        whole.map_or(String::new(), |whole| format!("{:.1}", part.as_secs_f64() / whole.as_secs_f64()))
    };
    println!(
        "{name:<24} {:>6.1} ms {:>6.1} ms {:>6.1} MiB {:>10} {:>10}",
        cost.wall.as_secs_f64() * 1e3,
        cost.cpu.as_secs_f64() * 1e3,
        cost.peak as f64 / f64::from(1 << 20),
        ratio(cost.wall, rg.map(|rg| rg.wall)),
        ratio(cost.cpu, nginx.map(|nginx| nginx.cpu)),
    );
}

/// nginx is not in everybody's path.
fn nginx() -> &'static str {
    if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn size(folder: &Path) -> io::Result<(usize, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let data = entry.metadata()?;
        let (more, larger) = if data.is_dir() { size(&entry.path())? } else { (1, data.len()) };
        files += more;
        bytes += larger;
    }
    Ok((files, bytes))
}
