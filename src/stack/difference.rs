//! What running programs have otherwise than their files say now: somebody wrote a file, and nobody told the program.

use crate::rows;
use crate::source::Place;
use crate::stack::fact::Fact;
use crate::stack::job::Job;

rows! {
    #[doc = "on a host: one thing that a running program has otherwise than its files say now; keyed by the program, `nginx` or `uwsgi`, or `release` for the code that it runs"]
    pub struct Difference in "differences" {
        #[doc = "what differs: `variable`, `socket`, `upstream` or `code`"]
        what: String,
        #[doc = "the variable that differs"]
        name: String,
        #[doc = "the address or the folder that the file leads to now; absent for a variable, whose value is nobody's business"]
        written: String,
        #[doc = "what the process has instead; of a variable only whether it has one"]
        running: String,
        #[doc = "the file that says so now"]
        path: String,
        #[doc = "the process"]
        pid: i64,
        #[doc = "the command that makes the program take it up"]
        cure: String,
    }
}

impl Difference {
    /// The row of a difference that a line at `place` makes.
    pub fn of(key: &str, what: &str, pid: i32, place: Place) -> Self {
        Self {
            key: key.to_owned(),
            what: Fact::derived(what.to_owned()),
            name: Fact::absent(),
            written: Fact::absent(),
            pid: Fact::derived(pid.into()),
            ..Self::at(place)
        }
    }
}

/// The command that starts a job anew with what its files say now.
///
/// Upstart's `restart` keeps the job as it was when it was started, its variables too (initctl(8)), so it is stopped first.
pub fn restart(job: Option<&Job>) -> String {
    let name = job.and_then(|job| job.name.known());
    match (job.map(|job| job.key.as_str()), name) {
        (Some("upstart"), Some(name)) => format!("sudo stop {name}; sudo start {name}"),
        (Some("systemd"), Some(name)) => {
            let unit = name.strip_suffix(".service").unwrap_or(name);
            format!("sudo systemctl daemon-reload && sudo systemctl restart {unit}")
        }
        (Some("supervisor"), Some(name)) => format!("sudo supervisorctl reread && sudo supervisorctl restart {name}"),
        _ => "stop uWSGI and start it again".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Origin, Sources};

    #[test]
    fn a_job_of_upstart_is_stopped_before_it_is_started() {
        let place = Place::whole(Sources::default().add("a", Vec::new(), Origin::File));
        let job =
            |key: &str, name: &str| Job { key: key.to_owned(), name: Fact::derived(name.to_owned()), ..Job::at(place) };
        assert_eq!(restart(Some(&job("upstart", "thena"))), "sudo stop thena; sudo start thena");
        assert!(restart(Some(&job("systemd", "thena.service"))).ends_with("systemctl restart thena"));
        assert!(!restart(None).contains("sudo"));
    }
}
