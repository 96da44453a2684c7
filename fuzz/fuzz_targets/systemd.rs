//! systemd's reader: units of every kind and environment files; spans of joined lines too lie in the text.
#![no_main]

use housecall::syntax::systemd::{UnitKind, environment_file, parse};
use housecall_fuzz::Read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = Read::of(bytes);
    let kinds = [UnitKind::Service, UnitKind::Socket, UnitKind::Timer, UnitKind::Path, UnitKind::Target];
    for (kind, unit) in
        kinds.into_iter().zip(["shop@1.service", "shop.socket", "shop.timer", "shop.path", "shop.target"])
    {
        let parsed = parse(&read.0, kind, unit);
        read.holds_problems(&parsed.problems);
        let tree = parsed.tree;
        let named = tree.sections.iter().chain(&tree.listens).chain(&tree.activates);
        named.for_each(|text| read.holds(text.span));
        for assignment in &tree.assignments {
            read.holds(assignment.key.span);
            read.holds(assignment.value.whole());
        }
    }
    for assignment in environment_file::parse(&read.0) {
        read.holds(assignment.name.span);
        read.holds(assignment.value.span);
    }
});
