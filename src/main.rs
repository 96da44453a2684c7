//! housecall.
fn main() {}
