//! uWSGI's reader: any bytes give options whose spans lie in the text, each value inside its option's line.
#![no_main]

use housecall::source::Span;
use housecall::syntax::uwsgi::{ConfigOption, parse_section};
use housecall_fuzz::Read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = Read::of(bytes);
    for section in ["uwsgi", "shop"] {
        let parsed = parse_section(&read.0, section);
        read.holds_problems(&parsed.problems);
        let config = parsed.tree;
        let within = |option: &ConfigOption| {
            let inside = |span: Span| option.span.start <= span.start && span.end <= option.span.end;
            [option.span, option.key.span, option.value.span].into_iter().for_each(|span| read.holds(span));
            assert!(inside(option.key.span) && option.key.span.end <= option.value.span.start, "{option:?}");
            assert!(option.value.span.is_empty() || inside(option.value.span), "{option:?}");
        };
        config.options.iter().chain(&config.strays).for_each(within);
        config.headers.iter().for_each(|header| read.holds(header.span));
        for block in &config.blocks {
            std::iter::once(block.opener)
                .chain(block.closer)
                .chain(block.nested.iter().copied())
                .for_each(|span| read.holds(span));
        }
        assert!(config.options.iter().all(|option| option.block.is_none_or(|block| block < config.blocks.len())));
    }
});
