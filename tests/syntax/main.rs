//! The readers beside the real programs' own verdicts.

mod nginx;
mod python;
mod ruby;
mod upstart;
mod uwsgi;
