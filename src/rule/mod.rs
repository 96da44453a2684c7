//! Rule pages: a condition over facts, its message, its reason, its fix and its examples, all in one document.

pub mod expr;
pub mod page;
pub mod schema;
