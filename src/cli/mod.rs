//! One file per command.

pub mod explain;
pub mod rules;
mod wrap;
