//! What the pages say, shown by real servers: the Bad of a page breaks as its page says, its cure works, and lint tells the two apart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod connections;
mod environment;
mod links;
mod render;
mod servers;
mod stack;
mod stopping;
mod workers;

#[allow(dead_code)]
#[path = "../stack/postgres.rs"]
mod postgres;
#[path = "../stack/wait.rs"]
mod wait;
