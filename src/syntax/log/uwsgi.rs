//! uWSGI's log: its start, its workers, its requests, and the tracebacks of the app between them.

use super::cursor::Cursor;
use super::{lines, seconds};
use crate::source::{Located, Span};

/// Something a uWSGI log tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UwsgiLine {
    /// The line, or the first and last line of a traceback and all between.
    pub span: Span,
    /// What it tells.
    pub event: Event,
}

/// What a line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A new generation starts: `*** Starting uWSGI 2.0.31 (64bit) on [...] ***`.
    Started {
        /// Such as `2.0.12-debian`.
        version: Located<String>,
        /// Seconds since 1970 by the host's local time.
        time: Option<i64>,
    },
    /// `uwsgi socket 0 bound to UNIX address ... fd 3`.
    Bound {
        /// The path, or `address:port`.
        address: Located<String>,
    },
    /// `WSGI app 0 (mountpoint='') ready in 1 seconds on interpreter 0x... pid: 695 (default app)`.
    AppReady {
        /// The process that loaded it: the master's where workers share the app by fork, else a worker's.
        pid: Located<i64>,
        /// How long loading took.
        seconds: Option<i64>,
    },
    /// `unable to load app 0 (mountpoint='') (callable not found or import error)`.
    AppNotLoaded,
    /// `*** no app loaded. ... ***`: it goes on without an app, or ends.
    NoApp {
        /// Whether uWSGI ends for it: `need-app`.
        ends: bool,
    },
    /// `spawned uWSGI master process (pid: 695)`.
    MasterSpawned {
        /// The master.
        pid: Located<i64>,
    },
    /// `spawned uWSGI worker 1 (pid: 823, cores: 1)`, also respawned.
    WorkerSpawned {
        /// From 1.
        worker: i64,
        /// The worker.
        pid: Located<i64>,
        /// Whether it stands in for one that ended.
        again: bool,
    },
    /// `DAMN ! worker 1 (pid: 823) died, killed by signal 9 :( trying respawn ...`.
    WorkerDied {
        /// The worker.
        pid: Located<i64>,
        /// The signal that killed it, where one did.
        signal: Option<i64>,
    },
    /// `*** HARAKIRI ON WORKER 1 (pid: 823, ...) ***`.
    Harakiri {
        /// The worker.
        pid: Located<i64>,
    },
    /// One request, answered.
    Request(Box<Request>),
    /// A Python traceback, or the last part of one that another worker's lines cut through.
    Traceback {
        /// Such as `sqlalchemy.exc.OperationalError`.
        exception: Located<String>,
        /// The first line of its message; may be empty.
        message: Located<String>,
        /// The innermost `File "...", line N`, where it was seen.
        frame: Option<Frame>,
    },
}

/// `[pid: 826|app: 0|req: 1/1] 127.0.0.1 () {34 vars in 382 bytes} [...] GET / => generated 18 bytes ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The worker.
    pub pid: i64,
    /// The app's number; -1 where no app was loaded.
    pub app: Located<i64>,
    /// How many variables nginx sent.
    pub vars: Located<i64>,
    /// Seconds since 1970 by the host's local time.
    pub time: Option<i64>,
    /// Such as `GET`.
    pub method: Located<String>,
    /// With its query string.
    pub uri: Located<String>,
    /// Bytes of the body.
    pub generated: i64,
    /// How long it took.
    pub milliseconds: Option<i64>,
    /// The status that the app set; 500 where it set none.
    pub status: Located<i64>,
    /// How many headers were sent: none means that an exception left the WSGI callable and the client got nothing.
    pub headers: Located<i64>,
    /// Bytes of the headers.
    pub header_bytes: i64,
}

/// A line of source code that a traceback names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The file.
    pub path: Located<String>,
    /// The line, from 1.
    pub line: Located<i64>,
}

/// Reads a log. Spans are offsets into `text`; lines that tell nothing of the above are left out.
pub fn parse_uwsgi(text: &str) -> Vec<UwsgiLine> {
    let mut found = Vec::new();
    let mut traceback = None;
    for (start, line) in lines(text) {
        let span = Span::new(start, start + line.len());
        if line == TRACEBACK {
            traceback = Some(Traceback { span, frame: None });
            continue;
        }
        if line.starts_with([' ', '\t']) {
            let open = traceback.get_or_insert(Traceback { span, frame: None });
            open.frame = frame(Cursor::new(line, start)).or(open.frame.take());
            continue;
        }
        let ended = traceback.take();
        if let Some(event) = event(Cursor::new(line, start)) {
            found.push(UwsgiLine { span, event });
        } else if let Some(open) = ended
            && let Some((exception, message)) = exception(Cursor::new(line, start))
        {
            let event = Event::Traceback { exception, message, frame: open.frame };
            found.push(UwsgiLine { span: open.span.to(span), event });
        }
    }
    found
}

const TRACEBACK: &str = "Traceback (most recent call last):";

struct Traceback {
    span: Span,
    frame: Option<Frame>,
}

/// `log-date` puts a time before uWSGI's own lines, not before those of the app.
fn event(mut cursor: Cursor<'_>) -> Option<Event> {
    let mut ahead = cursor;
    if ahead.until(" - ").is_some_and(|stamp| local_time(stamp.value).is_some()) {
        cursor = ahead;
    }
    let line = cursor.rest();
    match line {
        "*** no app loaded. going in full dynamic mode ***" => return Some(Event::NoApp { ends: false }),
        "*** no app loaded. GAME OVER ***" => return Some(Event::NoApp { ends: true }),
        _ if line.starts_with("unable to load app ") => return Some(Event::AppNotLoaded),
        _ => {}
    }
    [request, started, bound, app_ready, spawned, died, harakiri].into_iter().find_map(|read| read(cursor))
}

fn request(mut cursor: Cursor<'_>) -> Option<Event> {
    cursor.skip("[pid: ")?;
    let pid = cursor.number()?.value;
    cursor.skip("|app: ")?;
    let app = cursor.number()?;
    cursor.until("] ")?;
    cursor.until(" {")?;
    let vars = cursor.number()?;
    cursor.until("} [")?;
    let time = local_time(cursor.until("] ")?.value);
    let method = owned(cursor.until(" ")?);
    // The client writes the URI, uWSGI what follows the last arrow.
    let uri = owned(cursor.until_last(" => generated ")?);
    let generated = cursor.number()?.value;
    cursor.skip(" bytes in ")?;
    let took = cursor.number()?.value;
    let milliseconds = cursor.rest().starts_with(" msecs").then_some(took);
    cursor.until(" (")?;
    cursor.until(" ")?;
    let status = cursor.number()?;
    cursor.until(") ")?;
    let headers = cursor.number()?;
    cursor.skip(" headers in ")?;
    let header_bytes = cursor.number()?.value;
    cursor.skip(" bytes")?;
    Some(Event::Request(Box::new(Request {
        pid,
        app,
        vars,
        time,
        method,
        uri,
        generated,
        milliseconds,
        status,
        headers,
        header_bytes,
    })))
}

fn started(mut cursor: Cursor<'_>) -> Option<Event> {
    cursor.skip("*** Starting uWSGI ")?;
    let version = owned(cursor.until(" ")?);
    cursor.until("[")?;
    let time = local_time(cursor.until("]")?.value);
    Some(Event::Started { version, time })
}

fn bound(mut cursor: Cursor<'_>) -> Option<Event> {
    cursor.skip("uwsgi socket ")?;
    cursor.until(" bound to ")?;
    cursor.until(" address ")?;
    let address = cursor.until_last(" fd ")?;
    let written = address.value.split(" (port auto-assigned)").next()?;
    let start = address.span.start as usize;
    Some(Event::Bound { address: Located::new(written.to_owned(), Span::new(start, start + written.len())) })
}

fn app_ready(mut cursor: Cursor<'_>) -> Option<Event> {
    cursor.skip("WSGI app ")?;
    cursor.until(" ready in ")?;
    let seconds = cursor.number().map(|seconds| seconds.value);
    cursor.until(" pid: ")?;
    Some(Event::AppReady { pid: cursor.number()?, seconds })
}

/// What uWSGI says of its master, first and after a reload.
const MASTER_SPAWNED: [&str; 2] = ["spawned uWSGI master process ", "gracefully (RE)spawned uWSGI master process "];

fn spawned(mut cursor: Cursor<'_>) -> Option<Event> {
    let again = cursor.skip("Respawned uWSGI worker ").is_some();
    let is_master = |line: &str| MASTER_SPAWNED.iter().any(|words| line.starts_with(words));
    if !again && is_master(cursor.rest()) {
        cursor.until("(pid: ")?;
        return Some(Event::MasterSpawned { pid: cursor.number()? });
    }
    if !again {
        cursor.skip("spawned uWSGI worker ")?;
    }
    let worker = cursor.number()?.value;
    cursor.until(if again { "(new pid: " } else { "(pid: " })?;
    Some(Event::WorkerSpawned { worker, pid: cursor.number()?, again })
}

fn died(mut cursor: Cursor<'_>) -> Option<Event> {
    cursor.skip("DAMN ! worker ")?;
    cursor.until("(pid: ")?;
    let pid = cursor.number()?;
    cursor.skip(") died")?;
    let signal = cursor.skip(", killed by signal ").and_then(|()| cursor.number()).map(|signal| signal.value);
    Some(Event::WorkerDied { pid, signal })
}

fn harakiri(mut cursor: Cursor<'_>) -> Option<Event> {
    cursor.skip("*** HARAKIRI ON WORKER ")?;
    cursor.until("(pid: ")?;
    Some(Event::Harakiri { pid: cursor.number()? })
}

/// `  File "/srv/app/wsgi.py", line 11, in application`.
fn frame(mut cursor: Cursor<'_>) -> Option<Frame> {
    cursor.skip("  File \"")?;
    let path = owned(cursor.until("\", line ")?);
    Some(Frame { path, line: cursor.number()? })
}

/// `package.module.ErrorName: message`, or the name alone. What an exception is called begins with a capital.
fn exception(mut cursor: Cursor<'_>) -> Option<(Located<String>, Located<String>)> {
    let line = cursor.rest();
    let length = line.find(':').unwrap_or(line.len());
    let name = cursor.take(length)?;
    let is_name = |part: &str| {
        let mut letters = part.chars();
        letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
    };
    let last = name.value.rsplit('.').next()?;
    if !name.value.split('.').all(is_name) || !last.starts_with(|first: char| first.is_uppercase()) {
        return None;
    }
    if cursor.skip(":").is_some() {
        // Python writes a blank, unless the message is empty.
        let _ = cursor.skip(" ");
    }
    Some((owned(name), owned(cursor.all())))
}

/// `Wed May  4 02:11:12 2016`, as ctime(3) writes it.
fn local_time(stamp: &str) -> Option<i64> {
    let (_weekday, date) = stamp.split_once(' ')?;
    seconds("%b %e %H:%M:%S %Y", date.trim_start())
}

fn owned(part: Located<&str>) -> Located<String> {
    Located::new(part.value.to_owned(), part.span)
}

#[cfg(test)]
mod tests;
