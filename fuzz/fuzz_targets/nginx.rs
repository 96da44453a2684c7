//! nginx's reader: any bytes give a tree whose spans lie in the text, one inside the other.
#![no_main]

use housecall::source::{Origin, Sources, Span};
use housecall::syntax::nginx::{Item, Items, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut sources = Sources::default();
    let file = sources.add("nginx.conf", bytes, Origin::File);
    let text = sources.get(file).shared_text();
    let parsed = parse(text.clone());
    let holds = |span: Span| text.get(span.range()).is_some();
    walk(parsed.tree.items(), &holds);
    assert!(parsed.tree.comments().iter().copied().all(holds));
    for problem in &parsed.problems {
        assert!(holds(problem.span) && problem.related.iter().all(|related| holds(related.span)));
    }
});

fn walk(items: Items<'_>, holds: &dyn Fn(Span) -> bool) {
    for item in items {
        match item {
            Item::Opaque(span) => assert!(holds(span)),
            Item::Entry(entry) => {
                assert!(entry.words().len() > 0 && holds(entry.span()));
                entry.words().for_each(|word| assert!(word.value().len() <= word.raw().len()));
            }
            Item::Directive(directive) => {
                assert!(
                    holds(directive.head()) && [directive.open(), directive.close()].into_iter().flatten().all(holds)
                );
                directive
                    .arguments()
                    .for_each(|word| assert!(holds(word.span) && word.value().len() <= word.raw().len()));
                walk(directive.items(), holds);
            }
        }
    }
}
