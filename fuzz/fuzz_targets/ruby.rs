//! The reader of Chef's Ruby: spans lie in the text, and what is inside an expression can be walked.
#![no_main]

use housecall::syntax::ruby::parse;
use housecall_fuzz::Read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = Read::of(bytes);
    let parsed = parse(&read.0);
    read.holds_problems(&parsed.problems);
    parsed.tree.visit(&mut |expr| {
        read.holds(expr.span);
        expr.literal();
    });
});
