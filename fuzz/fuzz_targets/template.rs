//! Templates, of ERB and of Jinja: what a tag replaces keeps its length, and what stands beside tags is as it was.
#![no_main]

use housecall::syntax::erb::{Template, is_jinja, read, read_jinja};
use housecall_fuzz::Read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let source = Read::of(bytes);
    is_jinja(&source.0);
    let check = |template: Template| {
        assert_eq!(template.text.len(), source.0.len());
        let mut last = 0;
        for tag in &template.tags {
            [tag.span, tag.code].into_iter().for_each(|span| source.holds(span));
            let range = tag.span.range();
            assert!(last <= range.start && tag.span.start <= tag.code.start && tag.code.end <= tag.span.end, "{tag:?}");
            last = range.end;
            assert!(template.text.is_char_boundary(range.start) && template.text.is_char_boundary(range.end));
        }
        template.blocks.iter().for_each(|block| source.holds(*block));
        assert!(template.blocks.windows(2).all(|two| two[0].end <= two[1].start), "{:?}", template.blocks);
    };
    check(read(&source.0));
    check(read_jinja(&source.0));
});
