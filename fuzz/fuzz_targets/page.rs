//! What a team writes: `housecall.toml`, and a rule page, which is held to the gates of every page.
#![no_main]

use housecall::config;
use housecall::engine::read_example;
use housecall::rule::gate;
use housecall::rule::page::Page;
use housecall_fuzz::Read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = Read::of(bytes);
    match config::parse(&read.0) {
        Ok(config) => config.select.iter().chain(&config.ignore).for_each(|rule| read.holds(rule.span)),
        Err(error) => read.holds(error.span),
    }
    match Page::parse("shop/page", &read.0) {
        Ok(page) => {
            let lines = read.0.lines().count();
            let faults = gate::check(&page, std::slice::from_ref(&page), &read_example);
            assert!(faults.iter().all(|fault| fault.line.is_none_or(|line| line <= lines.max(1))));
        }
        Err(error) => assert!(error.line >= 1),
    }
});
