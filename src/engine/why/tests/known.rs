//! What `why` says first of each text that the programs of the stack are known for.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;

use super::lines::LINES;
use crate::engine::why::leads;
use crate::rule::page;
use crate::source::{Origin, Sources};

/// A log of `shared/truth/logs`, and the page that must come first; none where nothing in it went wrong.
const LOGS: &[(&str, &str)] = &[
    ("debian_no_plugin.log", "import/plugin-missing"),
    ("harakiri_no_master.log", "uwsgi/no-master"),
    ("needapp_lazyapps_badimport.log", "import/module-not-found"),
    ("plain_shared.log", "uwsgi/pool-shared-by-forks"),
    ("postgres_tail.log", "database/too-many-connections"),
    ("raw_plain.head.log", ""),
    ("raw_ssl.head.log", "uwsgi/pool-shared-by-forks"),
    ("ssl_lazy.log", ""),
    ("ssl_shared.log", "uwsgi/pool-shared-by-forks"),
];

fn first(log: &[u8]) -> String {
    let pages = page::built_in().unwrap();
    let mut sources = Sources::default();
    let log = sources.add("log", log.to_vec(), Origin::Probe);
    let leads = leads(log, &sources, &pages).unwrap();
    leads.first().map(|lead| lead.page.id.clone()).unwrap_or_default()
}

#[test]
fn every_known_line_leads_to_its_page_first() {
    let wrong: Vec<String> = LINES
        .iter()
        .filter_map(|(line, wanted)| {
            let first = first(format!("{line}\n").as_bytes());
            let is_it = wanted.split('|').any(|wanted| wanted == first);
            (!is_it).then(|| format!("{line}\n  {first:?}, not {wanted}"))
        })
        .collect();
    println!("{} of {} known lines lead to their page first", LINES.len() - wrong.len(), LINES.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_real_log_leads_to_its_cause_first() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/truth/logs");
    if !folder.is_dir() {
        println!("no shared/truth/logs here: left out");
        return;
    }
    for (name, wanted) in LOGS {
        assert_eq!(first(&std::fs::read(folder.join(name)).unwrap()), *wanted, "{name}");
    }
}
