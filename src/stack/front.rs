//! What nginx lets through to an instance of uWSGI and how long it waits, beside what the instance and its app take.

use std::sync::Arc;

use crate::finding::Confidence;
use crate::rows;
use crate::stack::app::App;
use crate::stack::assemble::Instance;
use crate::stack::fact::{Answer, Fact};
use crate::stack::job::Job;
use crate::stack::link::PassLink;
use crate::stack::nginx::{Limit, Limits, Pass};
use crate::stack::uwsgi::Uwsgi;

rows! {
    #[doc = "one uWSGI instance with what nginx lets through to it; of several passes the most generous counts"]
    pub struct Front in "fronts" {
        #[doc = "the instance"]
        uwsgi: Arc<Uwsgi>,
        #[doc = "the job that starts it"]
        job: Arc<Job>,
        #[doc = "the app it loads"]
        app: Arc<App>,
        #[doc = "the first pass that leads to it"]
        pass: Arc<Pass>,
        #[doc = "how many seconds nginx waits for a byte of the answer"]
        read_timeout: i64,
        #[doc = "how many bytes of a body nginx lets through; 0 for any number"]
        body_limit: i64,
        #[doc = "how many bytes of address and headers nginx lets through"]
        header_limit: i64,
        #[doc = "whether nginx's configuration sets that number"]
        header_limit_set: bool,
        #[doc = "a name of nginx's server that Django answers with 400, as `ALLOWED_HOSTS` lacks it"]
        host_refused: String,
    }
}

/// A row for each instance that a pass leads to; `limits` are those of each pass, in the order of `links`.
pub fn fronts(instances: &[Instance], links: &[Arc<PassLink>], limits: &[Arc<Limits>]) -> Vec<Front> {
    instances.iter().filter_map(|instance| front(instance, links, limits)).collect()
}

fn front(instance: &Instance, links: &[Arc<PassLink>], limits: &[Arc<Limits>]) -> Option<Front> {
    let uwsgi = &instance.uwsgi.uwsgi;
    let leads_here = |link: &PassLink| link.instance.known().is_some_and(|other| other.place == uwsgi.place);
    let passes: Vec<(&PassLink, &Arc<Limits>)> =
        links.iter().map(|link| &**link).zip(limits).filter(|(link, _)| leads_here(link)).take(MOST_PASSES).collect();
    let (first, _) = passes.first()?;
    let mut row = Front::at(uwsgi.place);
    row.uwsgi = instance.link.uwsgi.clone();
    row.job = instance.link.job.clone();
    row.app = instance.link.app.clone();
    row.pass = first.pass.clone();
    row.confidence = passes.iter().map(|(link, _)| link.confidence).min()?.min(instance.link.confidence);
    if passes.iter().any(|(_, limits)| limits.is_guess) {
        row.confidence = Confidence::Possible;
    }
    let most = |of: &dyn Fn(&PassLink, &Limits) -> Fact<i64>| {
        most(passes.iter().map(|(link, limits)| with_place(of(link, limits), link)))
    };
    row.read_timeout = most(&|link, limits| {
        let protocol = link.pass.known().and_then(|pass| pass.protocol().answer.known()).unwrap_or("uwsgi");
        limits.read_timeout(protocol)
    });
    let any_size = |fact: Fact<i64>| fact.map(|bytes| if bytes == 0 { i64::MAX } else { bytes });
    row.body_limit =
        most(&|_, limits| any_size(limits.get(Limit::Body))).map(|bytes| if bytes == i64::MAX { 0 } else { bytes });
    row.header_limit = most(&|_, limits| limits.get(Limit::Headers));
    let is_set = passes.iter().any(|(_, limits)| limits.get(Limit::Headers).basis == crate::stack::fact::Basis::Read);
    row.header_limit_set = Fact::derived(is_set);
    row.host_refused = host_refused(&row, &passes);
    Some(row)
}

/// The first name of a server that the app would refuse. Only uwsgi hands on the header as the client wrote it.
fn host_refused(row: &Front, passes: &[(&PassLink, &Arc<Limits>)]) -> Fact<String> {
    let Some(app) = row.app.known() else {
        return row.app.missing().map_or_else(Fact::absent, |missing| Fact::unknown(missing.clone()));
    };
    let allowed = match &app.allowed_hosts.answer {
        Answer::Known(allowed) => allowed,
        Answer::Absent => return Fact::absent(),
        Answer::Unknown(missing) => return Fact::unknown(missing.clone()),
    };
    // In debug mode an empty list stands for this host's own names.
    if allowed.is_empty() && !app.debug.is_absent() {
        return Fact::absent();
    }
    for pass in passes
        .iter()
        .filter_map(|(link, _)| link.pass.known())
        .filter(|pass| pass.directive.known() == Some(&"uwsgi_pass"))
    {
        let Some(names) = pass.server_names.known() else { continue };
        if let Some(name) =
            names.iter().find(|name| is_host(name) && !allowed.iter().any(|allowed| allows(allowed, name)))
        {
            let place = pass.server_names.place.unwrap_or(pass.place);
            return Fact::read(name.clone(), place);
        }
    }
    Fact::absent()
}

/// Whether a server's name is one that users write, and no pattern.
fn is_host(name: &str) -> bool {
    name.contains('.')
        && !name.starts_with(['~', '.', '*'])
        && !name.ends_with('*')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// Whether an entry of `ALLOWED_HOSTS` lets a name in (django/http/request.py, `is_same_domain`).
fn allows(entry: &str, name: &str) -> bool {
    let (entry, name) = (entry.to_ascii_lowercase(), name.to_ascii_lowercase());
    match entry.strip_prefix('.') {
        Some(domain) => name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => entry == "*" || entry == name,
    }
}

/// More passes than this to one instance say nothing new.
const MOST_PASSES: usize = 64;

/// A default stands where the pass is.
fn with_place(fact: Fact<i64>, link: &PassLink) -> Fact<i64> {
    Fact { place: fact.place.or(Some(link.place)), ..fact }
}

/// The largest; unknown where one of them is.
fn most(facts: impl Iterator<Item = Fact<i64>>) -> Fact<i64> {
    let mut largest: Option<Fact<i64>> = None;
    for fact in facts {
        match (&fact.answer, &largest) {
            (Answer::Unknown(_), _) => return fact,
            (Answer::Known(value), Some(Fact { answer: Answer::Known(known), .. })) if value <= known => {}
            _ => largest = Some(fact),
        }
    }
    largest.unwrap_or_else(Fact::absent)
}
