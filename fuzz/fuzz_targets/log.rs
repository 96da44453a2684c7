//! Logs: of nginx, of uWSGI, and whatever is handed to `why`, written in both formats.
#![no_main]

use housecall::engine::leads;
use housecall::output::{Shown, Texts, json, why};
use housecall::source::{Origin, Sources};
use housecall::syntax::log::{nginx::parse_nginx, parse_uwsgi};
use housecall_fuzz::{PAGES, Read, holds_label};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = Read::of(bytes);
    for line in parse_nginx(&read.0) {
        let texts = [Some(&line.level), Some(&line.message), line.client.as_ref(), line.server.as_ref()];
        let others = [line.request.as_ref(), line.upstream.as_ref(), line.host.as_ref()];
        read.holds(line.span);
        texts.into_iter().chain(others).flatten().for_each(|text| read.holds(text.span));
    }
    parse_uwsgi(&read.0).iter().for_each(|line| read.holds(line.span));
    let mut sources = Sources::default();
    let log = sources.add("log", bytes, Origin::Probe);
    let leads = leads(log, &sources, &PAGES).expect("our own pages can be looked for");
    leads.iter().flat_map(|lead| &lead.lines).for_each(|label| holds_label(label, &sources));
    let texts = Texts::new(&sources);
    assert!(why::write(&leads, &texts, &Shown::default(), &mut std::io::sink()).is_ok());
    assert!(json::write_leads(&leads, &texts, &mut std::io::sink()).is_ok());
});
