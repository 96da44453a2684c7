//! Rule pages: a condition over facts, its message, its reason, its fix and its examples, all in one document.

pub mod book;
pub mod edit;
pub mod example;
pub mod expr;
mod front;
pub mod gate;
pub mod judge;
pub mod page;
pub mod path;
mod plain;
pub mod schema;
pub mod seen;
mod subject;
pub mod suppress;
