//! Facts: what a repository or a host says of its stack, and how the parts are linked.

pub mod app;
pub mod assemble;
pub mod boundary;
pub mod chef;
pub mod daemon_file;
pub mod database;
pub mod deployment;
pub mod document;
pub mod env;
pub mod fact;
pub mod facts;
pub mod job;
pub mod kind;
pub mod launch;
pub mod link;
pub mod login_shell;
pub mod login_variable;
pub mod nginx;
pub mod problem;
pub mod process;
pub mod starter;
pub mod uwsgi;
pub mod view;
