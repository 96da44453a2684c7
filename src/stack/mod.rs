//! Facts: what a repository or a host says of its stack, and how the parts are linked.

#[macro_use]
pub mod fact;
pub mod app;
pub mod chef;
pub mod database;
pub mod deployment;
pub mod document;
pub mod env;
pub mod job;
pub mod link;
pub mod nginx;
pub mod problem;
pub mod uwsgi;
pub mod view;
