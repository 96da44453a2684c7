//! Every command with its flags; help, completions and the man page come from here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Linter and doctor for nginx, uWSGI, Flask or Django, PostgreSQL, their jobs and their Chef cookbooks.
#[derive(Debug, Parser)]
#[command(name = "housecall", version, max_term_width = 100)]
#[command(
    long_about = "housecall reads the whole stack as one thing: nginx, uWSGI, the job that starts it, the Flask or \
Django app, its environment and its database.\n\n`housecall lint` says what is wrong in a repository, and why; `housecall \
doctor` names the broken hop of a running server and the line that broke it."
)]
#[command(
    after_long_help = "Exit codes: 0 clean; 1 something found; 2 bad usage, configuration or input; 3 (doctor) not \
everything could be judged; 4 a bug in housecall."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
    /// When to write colours; NO_COLOR turns `auto` off
    #[arg(long, value_enum, global = true, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(super) color: Color,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check files and repositories before they reach a server
    Lint(Lint),
    /// Name the broken hop of this server and the line that broke it
    #[command(
        long_about = "Name the broken hop of this server and the line that broke it.\n\nIt changes nothing: it reads, \
connects where the stack itself connects, and logs in to the database once, read-only. Run it with sudo to see other \
users' processes."
    )]
    Doctor(Doctor),
    /// Save what doctor would see here, without its secrets, for someone else to diagnose
    #[command(
        long_about = "Save what doctor would see here, without its secrets, for someone else to diagnose: `housecall doctor \
--from FILE`.\n\nPasswords, keys and tokens are replaced by others of the same shape before anything is written. The file \
is a .tar.gz of a folder that can be looked into first. Nothing that exists is written over."
    )]
    Record(Record),
    /// Say what a log, a traceback or an error message means
    Why(Why),
    /// Say why a rule matters, what users see, and how to be sure
    Explain {
        /// The rule's id, such as uwsgi/pool-shared-by-forks
        rule: String,
    },
    /// List every rule, or test your own
    #[command(args_conflicts_with_subcommands = true)]
    Rules {
        #[command(subcommand)]
        action: Option<Rules>,
        /// How to write the list
        #[arg(long, value_enum, default_value_t = Listing::Human)]
        format: Listing,
    },
    /// Print the stack as housecall reads it, as JSON
    Facts(Facts),
    /// Write a housecall.toml to fill in, and show how to run housecall before each commit and in CI
    Init {
        /// Write over the housecall.toml that is there
        #[arg(long)]
        force: bool,
    },
    /// Print the completions of a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man {
        /// The page of one command
        command: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Rules {
    /// Test your own rule pages by their examples
    Test {
        /// Folders with pages at family/name.md; where none is named, those that housecall.toml names
        #[arg(value_name = "FOLDER")]
        folders: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Reading {
    /// Files and folders to check; `-` for a text from standard input
    #[arg(default_value = ".", value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Where the text from standard input lies, for editors: the repository around it is read as context
    #[arg(long, value_name = "FILE")]
    pub(super) stdin_filename: Option<PathBuf>,
    /// Which Chef the cookbooks are for
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(crate::config::TARGETS), value_name = "TARGET")]
    pub(super) target: Option<String>,
    /// Read the named files as this, whatever they are called
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub(super) kind: Option<Kind>,
    /// The configuration to use instead of the nearest housecall.toml
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Lint {
    #[command(flatten)]
    pub(super) reading: Reading,
    /// How to write what was found
    #[arg(long, value_enum, default_value_t = Output::Human)]
    pub(super) format: Output,
    /// Judge by these rules alone: ids or family/*, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "RULES")]
    pub(super) select: Vec<String>,
    /// Leave these rules out
    #[arg(long, value_delimiter = ',', value_name = "RULES")]
    pub(super) ignore: Vec<String>,
    /// Show and fail on findings from here up [default: warning]
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub(super) min_severity: Option<Least>,
    /// Write the findings alone, without closing lines
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Exit with 0 also when something was found
    #[arg(long)]
    pub(super) exit_zero: bool,
    /// Exit with 1 also when a rule could not tell
    #[arg(long)]
    pub(super) fail_on_unknown: bool,
}

#[derive(Debug, Args)]
pub(super) struct Facts {
    #[command(flatten)]
    pub(super) reading: Reading,
}

#[derive(Debug, Args)]
pub(super) struct Why {
    /// A log or a saved message; standard input where left out or `-`
    pub(super) file: Option<PathBuf>,
    /// How to write what it means
    #[arg(long, value_enum, default_value_t = Listing::Human)]
    pub(super) format: Listing,
}

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// How to write what was found
    #[arg(long, value_enum, default_value_t = Diagnosed::Human)]
    pub(super) format: Diagnosed,
    /// Diagnose what `housecall record` wrote on another host
    #[arg(long, value_name = "FILE", conflicts_with = "root")]
    pub(super) from: Option<PathBuf>,
    /// Look at the site with this server name alone
    #[arg(long, value_name = "NAME")]
    pub(super) site: Option<String>,
    /// Send this one request, and say who answered it
    #[arg(long, value_name = "URL", value_parser = crate::host::Url::parse, conflicts_with_all = ["from", "no_network", "at"])]
    pub(super) url: Option<crate::host::Url>,
    /// How far back a log line tells of now [default: 15m]
    #[arg(long, value_name = "SPAN", value_parser = super::when::span)]
    pub(super) since: Option<i64>,
    /// Diagnose this moment by the logs: 2026-05-04 02:15 by the host's clock, or with a Z
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
    #[command(flatten)]
    pub(super) looking: Looking,
}

#[derive(Debug, Args)]
pub(super) struct Record {
    /// The file to write, a .tar.gz; `-` for standard output
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: PathBuf,
    #[command(flatten)]
    pub(super) looking: Looking,
}

/// How to look at a host.
#[derive(Debug, Args)]
pub(super) struct Looking {
    /// The configuration nginx runs with, where it is not the usual one
    #[arg(long, value_name = "FILE")]
    pub(super) nginx_conf: Option<PathBuf>,
    /// The ini uWSGI runs with, where no process or job tells
    #[arg(long, value_name = "FILE")]
    pub(super) uwsgi_ini: Vec<PathBuf>,
    /// A log to read besides those the configuration names; `journal:UNIT` for a service's, `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) log: Vec<PathBuf>,
    /// Look for /etc, /home and the rest below this folder
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
    /// Do not log in to the database
    #[arg(long)]
    pub(super) no_login: bool,
    /// Connect to nothing at all, sockets of this host included
    #[arg(long)]
    pub(super) no_network: bool,
}

/// When colours are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// To a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// Frames with every line concerned
    Human,
    /// One line each, for editors and grep
    Concise,
    /// One object, see docs/schema
    Json,
    /// Annotations of a GitHub Actions run
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// How a diagnosis is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Diagnosed {
    /// For people
    Human,
    /// For programs
    Json,
    /// For a ticket
    Markdown,
}

/// How lists are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listing {
    /// For people
    Human,
    /// For programs
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Least {
    /// Everything
    Note,
    /// What hurts later, and errors
    Warning,
    /// What users see now
    Error,
}

/// What a file can be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// uWSGI ini
    Uwsgi,
    /// nginx configuration
    Nginx,
    /// An Upstart job
    Upstart,
    /// A unit of systemd
    Systemd,
}
