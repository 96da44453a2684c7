//! housecall reads the whole stack as one thing: nginx, uWSGI, its job, the app, its environment and its database.
//!
//! Floors, lowest first; a module may use those below it, never those above:
//!
//! | floor | modules | what lives there |
//! | --- | --- | --- |
//! | 0 | [`source`], [`nearest`] | named texts, spans, places; the word that was probably meant |
//! | 1 | [`finding`], [`secret`], [`config`], [`syntax`], [`host`] | what is reported; readers without I/O; the only code that touches a machine |
//! | 2 | [`stack`] | facts, and how they are linked |
//! | 3 | [`rule`] | rule pages: conditions over facts |
//! | 4 | [`engine`], [`diagnosis`], [`output`] | read, link, judge; root causes; what people and programs see |
//! | 5 | [`cli`] | one file per command |

pub mod cli;
pub mod config;
pub mod diagnosis;
pub mod engine;
pub mod finding;
pub mod host;
pub mod nearest;
pub mod output;
pub mod rule;
pub mod secret;
pub mod source;
pub mod stack;
pub mod syntax;
