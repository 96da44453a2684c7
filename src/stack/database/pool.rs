//! How many connections of one process there may be, worked out of the pool's sizes.

use super::known::Process;
use crate::stack::app::address::{Pool, Sink};
use crate::stack::app::value::Value;
use crate::stack::fact::{Fact, Missing};

/// What the pool opens at once, and what it gives at most; absent where nothing bounds it.
pub(super) fn bounds(sink: &Sink, process: Process<'_>) -> (Fact<i64>, Fact<i64>) {
    let unknown = |missing: &Missing| Fact::unknown(missing.clone()).at(sink.made);
    let known = |number: i64| Fact::read(number, sink.made);
    match &sink.pool {
        Pool::Unbounded => (Fact::absent(), Fact::absent()),
        Pool::One => (Fact::absent(), known(1)),
        Pool::Unknown(missing) => (Fact::absent(), unknown(missing)),
        Pool::Queue { size, overflow } => {
            let most = match (number(size, process), number(overflow, process)) {
                (Ok(0), _) => Fact::absent(),
                (_, Ok(overflow)) if overflow < 0 => Fact::absent(),
                (Ok(size), Ok(overflow)) => known(size.saturating_add(overflow)),
                (Err(missing), _) | (_, Err(missing)) => unknown(&missing),
            };
            (Fact::absent(), most)
        }
        Pool::Range { least, most } => {
            let fact = |value| number(value, process).map_or_else(|missing| unknown(&missing), known);
            (fact(least), fact(most))
        }
    }
}

/// A number of the code, or why it is not known.
fn number(value: &Value, process: Process<'_>) -> Result<i64, Missing> {
    let found = process.known(value);
    let unsaid = || Missing::new("the size of the pool", "write it as a number");
    match (found.missing, found.text.and_then(|text| text.trim().parse().ok())) {
        (Some(missing), _) => Err(missing),
        (None, Some(number)) => Ok(number),
        (None, None) => Err(unsaid()),
    }
}
