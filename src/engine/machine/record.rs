//! Recording a host: doctor looks at it, and every question it asks is kept with its answer.

use super::{Seen, Visit, examine};
use crate::finding::InputError;
use crate::host::Host;
use crate::host::recorded::{Asked, Recorded, Recorder};
use crate::stack::fact::Leaf;
use crate::stack::facts::Facts;

/// A recording, and what doctor says of the host itself.
#[derive(Debug)]
pub struct Record {
    /// What may leave the host.
    pub recorded: Recorded,
    /// The live diagnosis.
    pub seen: Seen,
    /// Whether the recording is diagnosed as the host was: what stands for a secret could be taken otherwise.
    pub faithful: bool,
}

/// Looks at a host as doctor does, and keeps what it saw without its secrets.
///
/// # Errors
/// A rule page that cannot be used, or a recording that cannot be written.
pub fn record(host: &dyn Host, visit: &Visit) -> Result<Record, String> {
    let recorder = Recorder::new(host);
    let seen = examine(&recorder, visit)?;
    let asked = Asked {
        nginx_conf: visit.nginx_conf.clone(),
        uwsgi_ini: visit.uwsgi_ini.clone(),
        logs: visit.logs.clone(),
        login: visit.login,
        network: visit.network,
        ..Asked::default()
    };
    let recorded = recorder.finish(asked, &pids(&seen.facts), seen.sources.confided_values());
    let recorded = recorded.map_err(|InputError { path, message }| format!("{path}: {message}"))?;
    let again = examine(&recorded, visit)?;
    let faithful = verdict(&seen) == verdict(&again);
    Ok(Record { recorded, seen, faithful })
}

impl Visit {
    /// What was asked for when a host was recorded.
    #[must_use]
    pub fn as_recorded(asked: &Asked) -> Self {
        Self {
            nginx_conf: asked.nginx_conf.clone(),
            uwsgi_ini: asked.uwsgi_ini.clone(),
            logs: asked.logs.clone(),
            login: asked.login,
            network: asked.network,
            ..Self::default()
        }
    }
}

/// The processes that the diagnosis rests on.
fn pids(facts: &Facts) -> Vec<i32> {
    let pid = |leaf: &Leaf| match leaf {
        Leaf::Int(pid) => i32::try_from(*pid).ok(),
        _ => None,
    };
    let poolers = facts.rows("databases", None).iter().filter_map(|row| row.fact("pooler_pid"));
    let all = facts.rows("processes", None).iter().filter_map(|row| row.fact("pid")).chain(poolers);
    all.filter_map(|fact| pid(fact.known()?)).collect()
}

/// What matters of a diagnosis: how each hop fares, and which rules explain it.
fn verdict(seen: &Seen) -> (Vec<String>, Vec<String>) {
    let hops = seen.diagnosis.hops.iter().map(|hop| format!("{} {} {:?}", hop.path, hop.id, hop.state));
    let causes = seen.diagnosis.root_causes.iter().map(|cause| format!("{} {}", cause.finding.rule, cause.hop));
    (hops.collect(), causes.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::path::Path;

    use super::*;
    use crate::output::{Texts, json};

    const ALL: fn() -> Visit = || Visit { login: true, network: true, ..Visit::default() };

    fn healthy() -> Recorded {
        Recorded::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hosts/healthy")).unwrap()
    }

    fn written(seen: &Seen) -> String {
        let mut out = Vec::new();
        json::write_diagnosis(&seen.diagnosis, &Texts::new(&seen.sources), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Every text of a recording as it leaves the host.
    fn texts(recorded: &Recorded) -> String {
        let mut unpacked = Vec::new();
        let packed = recorded.packed().unwrap();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut unpacked).unwrap();
        String::from_utf8_lossy(&unpacked).into_owned()
    }

    #[test]
    fn a_recording_is_diagnosed_as_the_host_it_was_made_of() {
        let patches = [
            "",
            "[file.\"/run/thena/thena.sock\"]\nmode = \"0600\"\n",
            "process.902.gone = true\nprocess.905.gone = true\nprocess.906.gone = true\n",
            "[connect]\n\"db.thena.example:5432\" = \"timed out\"\n[login.\"thena@db.thena.example:5432/thena\"]\n\
             failed_at = \"tcp\"\nclass = \"tcp.timeout\"\n",
            "[name.\"db.thena.example\"]\naddresses = []\n[login.\"thena@db.thena.example:5432/thena\"]\n\
             failed_at = \"name\"\nclass = \"dns.nxdomain\"\n",
            "[file.\"/srv/thena/releases/20160503/uwsgi.ini\"]\nunreadable = true\n",
        ];
        for patch in patches {
            let host = healthy().patched(patch).unwrap();
            let record = record(&host, &ALL()).unwrap();
            assert!(record.faithful, "{patch}");
            let again = examine(&record.recorded, &ALL()).unwrap();
            assert_eq!(written(&again), written(&record.seen), "{patch}");
        }
    }

    #[test]
    fn no_secret_leaves_the_host() {
        const PLANTED: [&str; 4] = ["Zq7-Wombat", "zQ9%40Quokka", "Xk3Numbat55", "Vv8Bilby77"];
        let patch = "[process.902]\nenviron = [\"DATABASE_URL=postgresql://thena:Zq7-Wombat@db.thena.example:5432/thena\", \
                     \"SECRET_KEY=zQ9%40Quokka\", \"BADGER=Xk3Numbat55\", \"HOME=/srv/thena\"]\n";
        let job = "# was: Vv8Bilby77\nsetuid thena\nenv BADGER=Xk3Numbat55\nenv OTHER_PASSWORD='Vv8Bilby77'\n\
                   env DATABASE_URL=postgresql://thena:Zq7-Wombat@db.thena.example:5432/thena\n\
                   exec /usr/bin/uwsgi --ini /srv/thena/current/uwsgi.ini\n";
        let log = "sqlalchemy.exc.OperationalError: could not translate host name \"x\" (Zq7-Wombat, WnE3LVdvbWJhdA==, \
                   zQ9@Quokka)\nGET /?badger=Xk3Numbat55 => x\n";
        let host = healthy().patched(patch).unwrap().with_file("/etc/init/thena-uwsgi.conf", job.as_bytes());
        let host = host.with_file("/var/log/thena/uwsgi.log", log.as_bytes());
        let record = record(&host, &ALL()).unwrap();
        let texts = texts(&record.recorded);
        for secret in PLANTED.into_iter().chain(["zQ9@Quokka", "WnE3LVdvbWJhdA"]) {
            assert!(!texts.contains(secret), "{secret}: {texts}");
        }
        let given = "DATABASE_URL=postgresql://thena:Re0-";
        assert_eq!(texts.matches(given).count(), 2, "one stand-in in both places: {texts}");
        for kept in ["HOME=/srv/thena", "@db.thena.example:5432/thena", "env BADGER=R", "SECRET_KEY=r", "0%40"] {
            assert!(texts.contains(kept), "{kept}: {texts}");
        }
    }

    #[test]
    fn what_was_not_looked_at_is_not_absent() {
        use crate::host::{Files as _, ReadError};
        let recorded = record(&healthy(), &ALL()).unwrap().recorded;
        assert!(matches!(recorded.read("/etc/shadow"), Err(ReadError::Other(_))));
        assert!(matches!(recorded.stat("/etc/shadow"), Err(ReadError::Other(_))));
        assert_eq!(recorded.read("/etc/environment"), Err(ReadError::NotFound), "that was looked for");
        let elsewhere = Visit { uwsgi_ini: vec!["/etc/other.ini".to_owned()], ..ALL() };
        let seen = examine(&recorded, &elsewhere).unwrap();
        assert!(seen.diagnosis.report.errors[0].message.contains("not recorded"));
    }
}
