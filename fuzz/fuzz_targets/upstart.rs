//! Upstart's reader: any bytes give stanzas that follow one another in the text.
#![no_main]

use housecall::syntax::upstart::{Dialect, parse_with};
use housecall_fuzz::Read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = Read::of(bytes);
    for dialect in [Dialect::Upstart, Dialect::ChromeOs] {
        let parsed = parse_with(&read.0, dialect);
        read.holds_problems(&parsed.problems);
        let mut last = 0;
        for stanza in &parsed.tree.stanzas {
            assert!(last <= stanza.span.start, "{stanza:?}");
            last = stanza.span.start;
            [stanza.span, stanza.name.span].into_iter().for_each(|span| read.holds(span));
            stanza.words.iter().for_each(|word| read.holds(word.span));
        }
        let job = &parsed.tree.job;
        for (command, span) in job.processes.values() {
            read.holds(*span);
            read.holds(command.text().span);
        }
        for text in job.env.iter().chain(&job.export).chain(&job.emits).chain(&job.chdir).chain(&job.setuid) {
            read.holds(text.span);
        }
        for events in job.start_on.iter().chain(&job.stop_on) {
            read.holds(events.span);
        }
    }
});
