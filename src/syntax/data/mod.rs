//! Tables of what the real programs know, embedded at build time.

pub mod nginx;
mod release;
pub mod systemd;
pub mod uwsgi;

pub use release::{NotARelease, Release};
