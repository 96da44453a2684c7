//! Facts: what a repository or a host says of its stack, and how the parts are linked.

#[macro_use]
pub mod fact;
pub mod document;
pub mod view;
