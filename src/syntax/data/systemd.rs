//! The directives systemd knows by section (`systemd --dump-configuration-items` of 252, and those of 253 to 258 that came after it).

use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("systemd-directives.tsv");

/// The section whose directives `[Service]` and `[Socket]` both take: what runs a process, and with which limits.
const OF_PROCESSES: &str = "exec";

/// What systemd makes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Nothing that is checked here.
    Text,
    /// `yes`, `no` and their kin.
    Bool,
    /// A time span: `5min 20s`, or a plain number of seconds.
    Seconds,
    /// Permission bits in octal.
    Mode,
    /// A signal's name, with or without `SIG`, or its number.
    Signal,
    /// Names of units, with their suffixes.
    Units,
    /// A command line.
    Exec,
    /// `NAME=value` words.
    Environment,
    /// Names of variables.
    Names,
    /// An absolute path, `-` before it where the file need not be there.
    EnvironmentFile,
    /// An absolute path.
    Path,
    /// Absolute paths, `-` and `+` before them.
    Paths,
    /// Names of folders below `/run`, `/var/lib` and the like: never absolute.
    Directories,
    /// An absolute path or `~`; anything else refuses the unit.
    Folder,
    /// Where output goes.
    Output,
    /// A user or group.
    User,
    /// One of a few words.
    Word,
    /// An address to listen at.
    Address,
}

static DIRECTIVES: LazyLock<HashMap<(&'static str, &'static str), ValueKind>> =
    LazyLock::new(|| TABLE.lines().skip(1).filter_map(read_row).collect());

fn read_row(row: &'static str) -> Option<((&'static str, &'static str), ValueKind)> {
    let mut cells = row.split('\t');
    let (section, name) = (cells.next()?, cells.next()?);
    let kind = match cells.next()? {
        "bool" => ValueKind::Bool,
        "seconds" => ValueKind::Seconds,
        "mode" => ValueKind::Mode,
        "signal" => ValueKind::Signal,
        "units" => ValueKind::Units,
        "exec" => ValueKind::Exec,
        "environment" => ValueKind::Environment,
        "names" => ValueKind::Names,
        "environment-file" => ValueKind::EnvironmentFile,
        "path" => ValueKind::Path,
        "paths" => ValueKind::Paths,
        "directories" => ValueKind::Directories,
        "folder" => ValueKind::Folder,
        "output" => ValueKind::Output,
        "user" => ValueKind::User,
        "word" => ValueKind::Word,
        "address" => ValueKind::Address,
        _ => ValueKind::Text,
    };
    Some(((section, name), kind))
}

/// What systemd makes of a directive's value in a section; `None` where it knows no such directive there.
pub fn find(section: &str, directive: &str) -> Option<ValueKind> {
    let shared =
        || matches!(section, "Service" | "Socket").then(|| DIRECTIVES.get(&(OF_PROCESSES, directive))).flatten();
    DIRECTIVES.get(&(section, directive)).or_else(shared).copied()
}

/// The section that knows a directive, where another one does not.
pub fn section_of(directive: &str) -> Option<&'static str> {
    let knows = |section: &&str| find(section, directive).is_some();
    ["Unit", "Service", "Install", "Socket", "Timer", "Path"].into_iter().find(knows)
}

/// The directives of a section.
pub fn names(section: &str) -> impl Iterator<Item = &'static str> {
    let shared = matches!(section, "Service" | "Socket");
    let fits = move |own: &str| own == section || (shared && own == OF_PROCESSES);
    DIRECTIVES.keys().filter(move |(own, _)| fits(own)).map(|(_, name)| *name)
}
