//! The one request that doctor sends, where it is asked to: a GET, read up to its end within its deadline.

use std::io::{self, ErrorKind, Read, Write};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::connect::{self, Connect, NoAddress};
use super::deadline::Deadline;
use super::postgres;

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Whether it is asked for over TLS.
    pub tls: bool,
    /// The host, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query, as they are sent.
    pub target: String,
}

impl Url {
    /// Reads `http://host[:port]/path` or `https://…`.
    ///
    /// # Errors
    /// What is none, in words that do not repeat it: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (tls, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err("--url: an address begins with http:// or https://".to_owned()),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("--url: leave user and password out".to_owned());
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                (host, port.parse().map_err(|_| "--url: the port is no number".to_owned())?)
            }
            _ => (authority, if tls { 443 } else { 80 }),
        };
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("--url: an address has a host, and neither blanks nor control characters".to_owned());
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { tls, host: host.to_owned(), port, target: format!("{slash}{target}") })
    }

    /// The path alone: a query may hold a secret.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// What answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The status, such as 200.
    pub status: u16,
    /// Its `Server` header.
    pub server: Option<String>,
}

/// How much of an answer is read: nginx logs a request when it has sent the last of it.
const ANSWER_BYTES: u64 = 4 << 20;
/// How much of its head is understood.
const HEAD_BYTES: usize = 64 << 10;

/// Sends the request, and reads the answer to its end. No redirect is followed, no certificate refused.
///
/// # Errors
/// Why there was no answer.
pub(super) fn get(url: &Url, deadline: Deadline) -> Result<Answered, Connect> {
    let addresses = connect::resolve(&url.host, deadline).map_err(|error| match error {
        NoAddress::NoSuchName => Connect::Missing,
        NoAddress::TimedOut => Connect::TimedOut,
        NoAddress::NoResolver(words) => Connect::Other(words),
    })?;
    let (_, stream) = connect::open_tcp(&addresses, url.port, deadline)?;
    let left = deadline.left().ok_or(Connect::TimedOut)?;
    stream.set_read_timeout(Some(left)).and_then(|()| stream.set_write_timeout(Some(left))).map_err(failed)?;
    if !url.tls {
        return ask(stream, url, deadline);
    }
    let other = |words: String| Connect::Other(words);
    let config = postgres::unverified(&url.host).map_err(|error| other(error.to_string()))?;
    let name = ServerName::try_from(url.host.clone()).map_err(|error| other(error.to_string()))?;
    let session = ClientConnection::new(config, name).map_err(|error| other(error.to_string()))?;
    ask(StreamOwned::new(session, stream), url, deadline)
}

fn ask(mut stream: impl Read + Write, url: &Url, deadline: Deadline) -> Result<Answered, Connect> {
    let default = if url.tls { 443 } else { 80 };
    let host = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() };
    let host = if url.port == default { host } else { format!("{host}:{}", url.port) };
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: housecall/{}\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        url.target,
        env!("CARGO_PKG_VERSION")
    );
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let (mut head, mut all, mut piece) = (Vec::new(), 0, vec![0; 64 << 10]);
    loop {
        // A peer that sends a byte now and then would never time out.
        let read = match stream.read(&mut piece) {
            _ if deadline.left().is_none() => return read_head(&head).ok_or(Connect::TimedOut),
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // An answer that breaks off is one all the same.
            Err(error) => return read_head(&head).ok_or_else(|| failed(error)),
        };
        let room = HEAD_BYTES.saturating_sub(head.len()).min(read);
        head.extend_from_slice(&piece[..room]);
        all += read as u64;
        if all > ANSWER_BYTES {
            break;
        }
    }
    read_head(&head).ok_or_else(|| match head.is_empty() {
        true => Connect::Other("the connection was closed without an answer".to_owned()),
        false => Connect::Other("what came back is no answer of HTTP".to_owned()),
    })
}

fn failed(error: io::Error) -> Connect {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Connect::TimedOut,
        _ => connect::of_error(&error),
    }
}

/// `HTTP/1.1 502 Bad Gateway` and the headers after it.
fn read_head(bytes: &[u8]) -> Option<Answered> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split("\r\n").take_while(|line| !line.is_empty());
    let status = lines.next()?.strip_prefix("HTTP/")?.split(' ').nth(1)?.parse().ok()?;
    let server = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("server").then(|| value.trim().to_owned())
    });
    Some(Answered { status, server })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::host::deadline::Budget;

    #[test]
    fn an_address_is_read_or_refused_without_repeating_it() {
        let url = Url::parse("http://shop.example/a?b=c#d").unwrap();
        assert_eq!((url.tls, url.host.as_str(), url.port, url.target.as_str()), (false, "shop.example", 80, "/a?b=c"));
        assert_eq!(url.path(), "/a");
        let url = Url::parse("https://[::1]:8443?x").unwrap();
        assert_eq!((url.tls, url.host.as_str(), url.port, url.target.as_str()), (true, "::1", 8443, "/?x"));
        for wrong in [
            "shop.example/s3cret",
            "http://u:s3cret@h/",
            "http://h/s3cret\r\nX: y",
            "http:///s3cret",
            "http://h:s3cret/",
        ] {
            assert!(!Url::parse(wrong).unwrap_err().contains("s3cret"), "{wrong}");
        }
    }

    /// A server that says something to whoever connects, and closes.
    fn asked(answer: &'static [u8]) -> Result<Answered, Connect> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port())).unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer);
        });
        let answered = get(&url, Budget::default().deadline());
        server.join().unwrap();
        answered
    }

    #[test]
    fn an_answer_has_a_status() {
        let answered = asked(b"HTTP/1.1 502 Bad Gateway\r\nserver: nginx/1.22.1\r\n\r\n<html>");
        assert_eq!(answered, Ok(Answered { status: 502, server: Some("nginx/1.22.1".to_owned()) }));
        assert!(matches!(asked(b"SSH-2.0-OpenSSH\r\n"), Err(Connect::Other(_))));
        assert!(matches!(asked(b""), Err(Connect::Other(_))));
    }

    #[test]
    fn a_silent_server_ends_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port())).unwrap();
        let began = Instant::now();
        let budget = Budget::new(Duration::from_secs(5), Duration::from_millis(100));
        assert_eq!(get(&url, budget.deadline()), Err(Connect::TimedOut));
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}
