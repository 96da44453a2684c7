//! The readers beside the real programs' own verdicts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod mutants;
mod nginx;
mod python;
mod ruby;
mod systemd;
mod upstart;
mod uwsgi;
mod verdicts;
