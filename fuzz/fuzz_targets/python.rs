//! The reader of Python: every event and every expression in it lies in the text.
#![no_main]

use housecall::syntax::python::{Expr, What, parse};
use housecall_fuzz::Read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = Read::of(bytes);
    let parsed = parse(&read.0);
    read.holds_problems(&parsed.problems);
    for event in &parsed.tree.events {
        read.holds(event.span);
        match &event.what {
            What::Assign { target, value } => [target, value].into_iter().for_each(|expr| walk(&read, expr)),
            What::Call(expr) | What::Return(expr) => walk(&read, expr),
            What::Read(found) => {
                read.holds(found.name.span);
                found.default.iter().for_each(|default| read.holds(default.span));
            }
            What::Provide { name, value } => {
                read.holds(name.span);
                walk(&read, value);
            }
            What::Function(function) => {
                read.holds(function.name_span);
                function.decorators.iter().for_each(|expr| walk(&read, expr));
                function
                    .parameters
                    .iter()
                    .filter_map(|(_, default)| default.as_ref())
                    .for_each(|expr| walk(&read, expr));
            }
            What::Class(class) => {
                read.holds(class.name_span);
                class.bases.iter().for_each(|expr| walk(&read, expr));
            }
            What::Import(_) => {}
        }
    }
});

fn walk(read: &Read, expr: &Expr) {
    read.holds(expr.span);
    expr.path();
    expr.children().into_iter().for_each(|child| walk(read, child));
}
