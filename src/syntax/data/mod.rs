//! Tables of what the real programs know, embedded at build time.

pub mod systemd;
pub mod uwsgi;
