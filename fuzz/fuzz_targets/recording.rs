//! A recorded host: the healthy one with a patch over its `host.toml` and other files, examined and written in every format;
//! and the same bytes as the archive that `--from` opens.
#![no_main]

use std::io::Write;
use std::path::Path;
use std::process;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use housecall::engine::{Visit, examine};
use housecall::host::recorded::Recorded;
use housecall::output::{Shown, Texts, doctor, json};
use housecall_fuzz::{holds_finding, holds_label, texts};
use libfuzzer_sys::fuzz_target;

static HEALTHY: LazyLock<Recorded> = LazyLock::new(|| Recorded::healthy().expect("the healthy host is held by tests"));

const NAMES: [&str; 9] = [
    "host.toml",
    "/etc/nginx/nginx.conf",
    "/etc/nginx/sites-enabled/thena",
    "/srv/thena/releases/20160503/uwsgi.ini",
    "/etc/init/thena-uwsgi.conf",
    "/var/log/nginx/error.log",
    "/var/log/thena/uwsgi.log",
    "/srv/thena/releases/20160503/thena/__init__.py",
    "archive",
];

fuzz_target!(|bytes: &[u8]| {
    let mut host = HEALTHY.clone();
    for (name, text) in texts(bytes, &NAMES) {
        match name {
            "archive" => opened(text),
            "host.toml" => match host.patched(&String::from_utf8_lossy(text)) {
                Ok(patched) => host = patched,
                Err(error) => assert!(!error.message.is_empty()),
            },
            path => host = host.with_file(path, text),
        }
    }
    let visit = Visit { login: true, network: true, ..Visit::default() };
    let seen = examine(&host, &visit).expect("our own pages can be used");
    let diagnosis = &seen.diagnosis;
    diagnosis.report.findings.iter().for_each(|finding| holds_finding(finding, &seen.sources));
    diagnosis.hops.iter().flat_map(|hop| &hop.evidence).for_each(|label| holds_label(label, &seen.sources));
    diagnosis.root_causes.iter().flat_map(|cause| &cause.because).for_each(|label| holds_label(label, &seen.sources));
    let texts = Texts::new(&seen.sources);
    assert!(doctor::write(diagnosis, &texts, &Shown::default(), &mut std::io::sink()).is_ok());
    assert!(json::write_diagnosis(diagnosis, &texts, &mut std::io::sink()).is_ok());
});

/// A tar of these bytes, packed, so that the checksum of gzip is no wall before what is inside.
fn opened(tar: &[u8]) {
    let path = std::env::temp_dir().join(format!("housecall-fuzz-{}.tar.gz", process::id()));
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    if packed.write_all(tar).is_err() {
        return;
    }
    let Ok(packed) = packed.finish() else { return };
    if std::fs::write(&path, packed).is_ok() {
        let _ = Recorded::open(Path::new(&path));
        let _ = std::fs::remove_file(&path);
    }
}
