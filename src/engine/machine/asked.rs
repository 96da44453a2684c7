//! The request of `--url`: what answered it, and which logs know of it.

use crate::diagnosis::{Reason, State};
use crate::engine::machine::hops::Said;
use crate::engine::machine::passes;
use crate::engine::machine::paths::Path;
use crate::finding::Label;
use crate::host::{Answered, Connect, Host, Url};
use crate::source::{Origin, Place, Sources, Span};
use crate::syntax::log::lines;

/// The hop that the request is.
pub(super) const HOP: &str = "request";

/// The logs that may know of the request.
#[derive(Debug, Clone, Default)]
pub(super) struct Logs {
    /// nginx's access logs; none where one of them is off, buffered, or does not tell.
    pub(super) nginx: Vec<String>,
    /// The log of the uWSGI that should answer, where it logs requests.
    pub(super) uwsgi: Option<String>,
}

/// The request, and how it fared.
#[derive(Debug)]
pub(super) struct Asked {
    /// The way it should take, by its name.
    pub(super) path: String,
    /// What it was, for people.
    pub(super) title: String,
    pub(super) said: Said,
}

/// Sends the request, and looks which of the logs got a line of it.
pub(super) fn ask(host: &dyn Host, url: &Url, path: &Path, logs: &Logs, sources: &mut Sources) -> Asked {
    let count = |log: &String, wanted: &str| lines_with(host, log, wanted).map(|all| all.len());
    // As nginx and as uWSGI write it.
    let (in_nginx, in_uwsgi) = (format!("\"GET {} HTTP/", url.target), format!(" GET {} => ", url.target));
    let before: Option<Vec<usize>> = logs.nginx.iter().map(|log| count(log, &in_nginx)).collect();
    let before_uwsgi = logs.uwsgi.as_ref().and_then(|log| count(log, &in_uwsgi));
    let answer = host.request(url);

    let scheme = if url.tls { "https" } else { "http" };
    let title = format!("GET {scheme}://{}:{}{}", url.host, url.port, url.path());
    let words = match &answer {
        Ok(Answered { status, server: Some(server) }) => format!("{status} from {server}"),
        Ok(Answered { status, server: None }) => status.to_string(),
        Err(failure) => passes::words(failure).to_owned(),
    };
    let span = Span::new(0, words.len());
    let place = Place::at(sources.add(title.clone(), format!("{words}\n").into_bytes(), Origin::Probe), span);
    let label = |text: String| Label { place, text };
    let status = match answer {
        Ok(answered) => answered.status,
        Err(Connect::TimedOut) => {
            let said = (State::Unknown(Reason::Timeout), vec![label("no answer in time".to_owned())]);
            return Asked { path: path.name.clone(), title, said };
        }
        Err(failure) => {
            let said = (State::Broken, vec![label(format!("no answer: {}", passes::words(&failure)))]);
            return Asked { path: path.name.clone(), title, said };
        }
    };
    let mut evidence = Vec::new();
    let mut new_line = |log: &String, wanted: &str, before: usize| {
        let all = lines_with(host, log, wanted)?;
        let line = all.get(before..)?.last()?.clone();
        let span = Span::new(0, line.len());
        let file =
            sources.add(format!("{}, the request of just now", host.shown(log)), line.into_bytes(), Origin::Probe);
        Some(Place::at(file, span))
    };
    let by_nginx = before
        .as_ref()
        .map(|before| logs.nginx.iter().zip(before).find_map(|(log, before)| new_line(log, &in_nginx, *before)));
    let by_uwsgi = logs.uwsgi.as_ref().zip(before_uwsgi).map(|(log, before)| new_line(log, &in_uwsgi, before));
    let who = match (by_nginx, by_uwsgi) {
        (Some(None), Some(None) | None) if !logs.nginx.is_empty() => {
            "answered in front of nginx, whose access log has no such request"
        }
        (Some(Some(_)) | None, Some(None)) => "answered by nginx itself: uWSGI's log has no such request",
        (_, Some(Some(_))) => "answered by the app: uWSGI's log has the request",
        _ => "",
    };
    let said = if who.is_empty() { format!("answered with {status}") } else { format!("{status}, {who}") };
    evidence.push(label(said));
    let seen =
        |place: Option<Option<Place>>, text: &str| place.flatten().map(|place| Label { place, text: text.to_owned() });
    evidence.extend(seen(by_nginx, "nginx logged it"));
    evidence.extend(seen(by_uwsgi, "uWSGI logged it"));
    let state = if status >= 500 { State::Broken } else { State::Ok };
    Asked { path: path.name.clone(), title: format!("{title} -> {status}"), said: (state, evidence) }
}

/// The lines of a log that hold a text; `None` where it cannot be read.
fn lines_with(host: &dyn Host, log: &str, wanted: &str) -> Option<Vec<String>> {
    let tail = host.tail(log).ok()?;
    let text = String::from_utf8_lossy(&tail.bytes).into_owned();
    Some(lines(&text).filter(|(_, line)| line.contains(wanted)).map(|(_, line)| line.to_owned()).collect())
}
